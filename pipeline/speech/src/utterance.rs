//! From the recogniser's hypotheses of one utterance to the words that were said.

use auricle_contracts::{Syllable, SyllableAlternative, Utterance, Word};
use auricle_models::{Hypothesis, TokenKind};
use auricle_pinyin::word_readings;

use crate::lattice::{LatticeSettings, LatticeWord, Slot, merge, search, slots_of};
use crate::lm::{LanguageData, cut};
use crate::written::{Ending, SpokenWord, write_utterance};

/// A transducer emits a token this long after its sound began, on average.
const EMISSION_DELAY_MS: u64 = 200;
/// A syllable lasts no longer than this, whatever follows it.
const MAX_SYLLABLE_MS: u64 = 560;
/// Alternatives less likely than this are noise.
const MIN_ALTERNATIVE_PROB: f32 = 0.03;
const MAX_ALTERNATIVES: usize = 4;

/// Where an utterance lies in its call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) party: auricle_contracts::Party,
    pub(crate) channel: u16,
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
    /// Time of the first sample the recogniser heard.
    pub(crate) audio_from_ms: u64,
}

/// Turns hypotheses into utterances with one model's language.
pub(crate) struct Writer<'a> {
    pub(crate) language: &'a LanguageData,
    pub(crate) lattice: &'a LatticeSettings,
    pub(crate) kind: TokenKind,
}

impl Writer<'_> {
    /// `None` when nothing was said.
    pub(crate) fn write(&self, hypotheses: &[Hypothesis], place: Place) -> Option<Utterance> {
        let (words, syllables) = match self.kind {
            TokenKind::Pinyin => self.read_pinyin(hypotheses, place),
            TokenKind::Hanzi | TokenKind::Bpe | TokenKind::Word => {
                self.read_text(hypotheses.first()?, place)
            }
        };
        if words.is_empty() {
            return None;
        }
        Some(Utterance {
            party: place.party,
            channel: place.channel,
            start_ms: place.start_ms,
            end_ms: place.end_ms,
            text: written(&words),
            spoken: join(&words),
            confidence: mean(syllables.iter().map(|syllable| syllable.conf)),
            syllables,
            words,
        })
    }

    /// Takes the words of a second pass; the syllables stay as they were heard the first time, as
    /// does everything when the second pass heard nothing.
    pub(crate) fn write_again(&self, utterance: &mut Utterance, second: &Hypothesis, place: Place) {
        let (words, syllables) = self.read_text(second, place);
        if words.is_empty() {
            return;
        }
        utterance.text = written(&words);
        utterance.spoken = join(&words);
        utterance.words = words;
        if utterance.syllables.is_empty() {
            utterance.syllables = syllables;
        }
    }

    fn read_pinyin(&self, hypotheses: &[Hypothesis], place: Place) -> (Vec<Word>, Vec<Syllable>) {
        let readings: Vec<(Vec<Slot>, f32)> = hypotheses
            .iter()
            .map(|hypothesis| (slots_of(hypothesis), hypothesis.log_prob))
            .collect();
        let slots = merge(&readings);
        let found = search(&slots, self.language, self.lattice);
        let clock = Clock::new(&slots, &found, place);
        let words = found.iter().map(|word| clock.word(word)).collect();
        let syllables = found
            .iter()
            .flat_map(|word| clock.syllables(word))
            .collect();
        (words, syllables)
    }

    /// Engines that write: hanzi are cut into words and read aloud, Latin pieces joined to words.
    fn read_text(&self, hypothesis: &Hypothesis, place: Place) -> (Vec<Word>, Vec<Syllable>) {
        let letters = spelled(hypothesis, place.audio_from_ms);
        let words = cut(&letters);
        let syllables = words.iter().flat_map(read_aloud).collect();
        (words, syllables)
    }
}

fn written(words: &[Word]) -> String {
    let said: Vec<SpokenWord<'_>> = words
        .iter()
        .map(|word| SpokenWord {
            text: &word.w,
            start_ms: word.start_ms,
            end_ms: word.end_ms,
        })
        .collect();
    write_utterance(&said, Ending::Final).text
}

/// Times of slots on the call's clock.
struct Clock<'a> {
    slots: &'a [Slot],
    /// Slots that hold a syllable of the result, in order.
    used: Vec<usize>,
    place: Place,
}

impl<'a> Clock<'a> {
    fn new(slots: &'a [Slot], words: &[LatticeWord], place: Place) -> Self {
        let used = words
            .iter()
            .flat_map(|word| match word.syllables.as_slice() {
                [] => vec![word.from],
                syllables => syllables.iter().map(|choice| choice.slot).collect(),
            })
            .collect();
        Self { slots, used, place }
    }

    fn start_ms(&self, slot: usize) -> u64 {
        let emitted = self.place.audio_from_ms + u64::from(self.slots[slot].start_ms);
        emitted
            .saturating_sub(EMISSION_DELAY_MS)
            .clamp(self.place.start_ms, self.place.end_ms)
    }

    /// A syllable ends where the next begins, or after a syllable's usual length.
    fn end_ms(&self, slot: usize) -> u64 {
        let next = self.used.partition_point(|used| *used <= slot);
        let limit = self
            .used
            .get(next)
            .map_or(self.place.end_ms, |next| self.start_ms(*next));
        limit
            .min(self.start_ms(slot) + MAX_SYLLABLE_MS)
            .max(self.start_ms(slot))
    }

    fn word(&self, word: &LatticeWord) -> Word {
        let first = word
            .syllables
            .first()
            .map_or(word.from, |choice| choice.slot);
        let last = word
            .syllables
            .last()
            .map_or(word.from, |choice| choice.slot);
        Word {
            w: word.text.to_string(),
            start_ms: self.start_ms(first),
            end_ms: self.end_ms(last),
        }
    }

    fn syllables(&self, word: &LatticeWord) -> Vec<Syllable> {
        let one = |slot: usize, chosen: auricle_pinyin::Syllable| {
            let sounds = self.slots[slot].sounds();
            let conf = sounds
                .iter()
                .find(|sound| sound.syllable == chosen)
                .map_or(0.0, |sound| sound.log_prob.exp());
            let alternatives = sounds
                .iter()
                .filter(|sound| {
                    sound.syllable != chosen && sound.log_prob.exp() >= MIN_ALTERNATIVE_PROB
                })
                .take(MAX_ALTERNATIVES)
                .map(|sound| SyllableAlternative {
                    s: sound.syllable.to_string(),
                    conf: rounded(sound.log_prob.exp()),
                })
                .collect();
            Syllable {
                s: chosen.to_string(),
                start_ms: self.start_ms(slot),
                end_ms: self.end_ms(slot),
                conf: rounded(conf),
                alternatives,
            }
        };
        word.syllables
            .iter()
            .map(|choice| one(choice.slot, choice.syllable))
            .collect()
    }
}

/// Three decimals say all there is to say of a probability.
fn rounded(prob: f32) -> f32 {
    (prob * 1000.0).round() / 1000.0
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (n, sum) = values.fold((0_u32, 0.0), |(n, sum), value| (n + 1, sum + value));
    if n == 0 { 0.0 } else { rounded(sum / n as f32) }
}

/// Words without spaces, but for one between two Latin ones.
fn join(words: &[Word]) -> String {
    let mut text = String::new();
    for word in words {
        let is_latin =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
        let both_latin = is_latin(text.chars().next_back()) && is_latin(word.w.chars().next());
        let letters = word.w.chars().count() == 1
            && text
                .chars()
                .next_back()
                .is_some_and(|c| c.is_ascii_uppercase());
        if both_latin && !letters {
            text.push(' ');
        }
        text.push_str(&word.w);
    }
    text
}

/// Tokens of a writing engine as pieces with times; `▁` (a word's beginning) becomes a space.
fn spelled(hypothesis: &Hypothesis, from_ms: u64) -> Vec<Word> {
    hypothesis
        .tokens
        .iter()
        .map(|token| Word {
            w: token.text.replace('▁', " "),
            start_ms: from_ms + u64::from(token.start_ms),
            end_ms: from_ms + u64::from(token.end_ms),
        })
        .collect()
}

/// A word's syllables in its likeliest reading, its time shared out evenly.
fn read_aloud(word: &Word) -> Vec<Syllable> {
    let readings = word_readings(&word.w);
    let Some((syllables, prob)) = readings.first() else {
        return Vec::new();
    };
    let n_syllables = syllables.len().max(1) as u64;
    let share_ms = (word.end_ms - word.start_ms.min(word.end_ms)) / n_syllables;
    syllables
        .iter()
        .zip(0..)
        .map(|(syllable, at)| Syllable {
            s: syllable.to_string(),
            start_ms: word.start_ms + at * share_ms,
            end_ms: word.start_ms + (at + 1) * share_ms,
            conf: rounded(*prob),
            alternatives: Vec::new(),
        })
        .collect()
}
