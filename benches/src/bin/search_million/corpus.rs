//! Calls made up of sentences and words, the same ones every time.

use std::fmt::Write as _;

use auricle_contracts::{
    CallId, CallMetadata, ChannelLayout, Party, Syllable, SyllableAlternative, Transcript,
    Utterance, Word,
};

use crate::words;

/// Utterances of each call.
pub(crate) const UTTERANCES_A_CALL: usize = 20;

/// A small generator, the same everywhere (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A rank below `bound`, the first ones most often: about Zipf's law.
    fn ranked(&mut self, bound: usize) -> usize {
        let rank = ((bound as f64 + 1.0).powf(self.share()) - 1.0) as usize;
        rank.min(bound.saturating_sub(1))
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        let rank = self.ranked(list.len());
        list.get(rank).copied().unwrap_or("")
    }
}

/// Makes calls.
pub(crate) struct Corpus {
    random: Random,
    words: Words,
    /// Hanzi that stand in for misheard ones.
    pool: Vec<char>,
}

/// The lists of [`words`], cut.
struct Words {
    agent: Vec<&'static str>,
    customer: Vec<&'static str>,
    products: Vec<&'static str>,
    verbs: Vec<&'static str>,
    cities: Vec<&'static str>,
    times: Vec<&'static str>,
    reasons: Vec<&'static str>,
    fillers: Vec<&'static str>,
    surnames: Vec<&'static str>,
}

/// Of a hundred hanzi so many are misheard.
const MISHEARD_PERCENT: usize = 4;
/// Of a hundred syllables so many have a second hearing.
const DOUBTFUL_PERCENT: usize = 15;

impl Corpus {
    pub(crate) fn new() -> Self {
        let lists = [
            words::AGENT,
            words::CUSTOMER,
            words::PRODUCTS,
            words::VERBS,
            words::CITIES,
            words::TIMES,
            words::REASONS,
            words::FILLERS,
            words::SURNAMES,
        ];
        let mut pool: Vec<char> = lists.concat().chars().collect();
        pool.retain(|letter| !auricle_pinyin::readings(*letter).is_empty());
        pool.sort_unstable();
        pool.dedup();
        let [
            agent,
            customer,
            products,
            verbs,
            cities,
            times,
            reasons,
            fillers,
            surnames,
        ] = lists.map(|list| list.split_whitespace().collect());
        Self {
            random: Random(20_261_121),
            words: Words {
                agent,
                customer,
                products,
                verbs,
                cities,
                times,
                reasons,
                fillers,
                surnames,
            },
            pool,
        }
    }

    /// Agents of the calls are named after these.
    pub(crate) fn surnames(&self) -> &[&'static str] {
        &self.words.surnames
    }

    /// The call of a number; calls must be made in order to be the same every time.
    pub(crate) fn call(&mut self, number: usize) -> Transcript {
        let mut at_ms = 400;
        let utterances: Vec<Utterance> = (0..UTTERANCES_A_CALL)
            .map(|number| {
                let utterance = self.utterance(number, at_ms);
                at_ms = utterance.end_ms + 200 + self.random.below(900) as u64;
                utterance
            })
            .collect();
        let agent = self.random.ranked(300);
        let day = self.random.below(640);
        let metadata = CallMetadata {
            agent: Some(format!(
                "{}{agent}",
                self.words.surnames[agent % self.words.surnames.len()]
            )),
            campaign: Some(format!(
                "{}{}",
                self.words.products[number % 8],
                2025 + number % 2
            )),
            region: Some(self.words.cities[self.random.ranked(12)].to_owned()),
            started_at: Some(format!(
                "{}-{:02}-{:02}T{:02}:{:02}:00+08:00",
                2025 + day / 336,
                day % 336 / 28 + 1,
                day % 28 + 1,
                9 + self.random.below(11),
                self.random.below(60),
            )),
        };
        Transcript {
            call_id: CallId(format!("call-{number:07}")),
            file: format!("recordings/{}/call-{number:07}.wav", number / 1000),
            duration_ms: at_ms,
            engine: "ort/zh-zipformer".into(),
            layout: ChannelLayout::PerParty,
            metadata,
            warnings: Vec::new(),
            utterances,
        }
    }

    /// Spoken and written form, 8 to 25 hanzi.
    fn say(&mut self, party: Party) -> (String, String) {
        let (mut spoken, mut written) = (String::new(), String::new());
        let wanted = 8 + self.random.below(14);
        loop {
            let sentences = match party {
                Party::Agent => &self.words.agent,
                _ => &self.words.customer,
            };
            let sentence = self.random.pick(sentences);
            self.fill(sentence, &mut spoken, &mut written);
            let length = spoken.chars().count();
            if length >= wanted || length > 18 {
                written.push('。');
                return (spoken, written);
            }
            written.push('，');
        }
    }

    fn fill(&mut self, sentence: &str, spoken: &mut String, written: &mut String) {
        for letter in sentence.chars() {
            let list = match letter {
                'P' => &self.words.products,
                'V' => &self.words.verbs,
                'C' => &self.words.cities,
                'T' => &self.words.times,
                'R' => &self.words.reasons,
                'F' => &self.words.fillers,
                'S' => &self.words.surnames,
                'N' => {
                    self.number(spoken, written);
                    continue;
                }
                _ => {
                    let heard = match self.random.below(100) < MISHEARD_PERCENT {
                        true => self.pool[self.random.below(self.pool.len())],
                        false => letter,
                    };
                    spoken.push(heard);
                    written.push(heard);
                    continue;
                }
            };
            let word = self.random.pick(list);
            spoken.push_str(word);
            written.push_str(word);
        }
    }

    fn number(&mut self, spoken: &mut String, written: &mut String) {
        const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
        let hundreds = 1 + self.random.below(9);
        let tens = 1 + self.random.below(9);
        let _ = write!(written, "{}", hundreds * 100 + tens * 10);
        let _ = write!(spoken, "{}百{}十", DIGITS[hundreds], DIGITS[tens]);
    }

    fn utterance(&mut self, number: usize, start_ms: u64) -> Utterance {
        let (party, channel) = match number % 2 {
            0 => (Party::Agent, 0),
            _ => (Party::Customer, 1),
        };
        let (spoken, text) = self.say(party);
        let letters: Vec<char> = spoken.chars().collect();
        let syllables = self.syllables(&letters, start_ms);
        let words = letters.chunks(2).zip(syllables.chunks(2));
        let words = words.map(|(word, times)| Word {
            w: word.iter().collect(),
            start_ms: times.first().map_or(0, |first| first.start_ms),
            end_ms: times.last().map_or(0, |last| last.end_ms),
        });
        Utterance {
            party,
            channel,
            start_ms,
            end_ms: syllables.last().map_or(start_ms, |last| last.end_ms),
            text,
            spoken,
            confidence: 0.9,
            words: words.collect(),
            voice: None,
            syllables,
        }
    }

    fn syllables(&mut self, letters: &[char], start_ms: u64) -> Vec<Syllable> {
        let mut at_ms = start_ms;
        let mut syllables = Vec::with_capacity(letters.len());
        for &letter in letters {
            let end_ms = at_ms + 150 + self.random.below(120) as u64;
            let is_doubtful = self.random.below(100) < DOUBTFUL_PERCENT;
            let other = is_doubtful.then(|| self.pool[self.random.below(self.pool.len())]);
            syllables.push(Syllable {
                s: numbered(letter),
                start_ms: at_ms,
                end_ms,
                conf: 0.9,
                alternatives: other
                    .map(|other| SyllableAlternative {
                        s: numbered(other),
                        conf: 0.2,
                    })
                    .into_iter()
                    .collect(),
            });
            at_ms = end_ms;
        }
        syllables
    }
}

fn numbered(hanzi: char) -> String {
    auricle_pinyin::readings(hanzi)
        .first()
        .map_or_else(String::new, |reading| reading.syllable.to_string())
}
