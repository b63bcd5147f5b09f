//! From the recogniser's hypotheses of one utterance to the words that were said.

use auricle_contracts::{Party, Syllable, SyllableAlternative, Utterance, Word};
use auricle_models::{Hypothesis, TokenKind};
use auricle_pinyin::word_readings;

use crate::lattice::{LatticeSettings, LatticeWord, Slot, merge, search, slots_of};
use crate::lm::{LanguageData, Piece, cut};
use crate::written::{Ending, SpokenWord, write_utterance};

/// A syllable lasts no longer than this, whatever follows it.
const MAX_SYLLABLE_MS: u64 = 560;
/// Alternatives less likely than this are noise.
const MIN_ALTERNATIVE_PROB: f32 = 0.03;
const MAX_ALTERNATIVES: usize = 4;

/// Where an utterance lies in its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Who speaks.
    pub party: Party,
    /// Channel of the call, from 0.
    pub channel: u16,
    /// First speech, milliseconds from the start of the call.
    pub start_ms: u64,
    /// End of speech, or how far it is heard.
    pub end_ms: u64,
    /// Time of the first sample the recogniser heard.
    pub audio_from_ms: u64,
    /// It was cut at its end, for it had grown too long or recognition failed: its speaker may go on.
    pub is_cut: bool,
}

/// Turns hypotheses into utterances with one model's language.
pub(crate) struct Writer<'a> {
    pub(crate) language: &'a LanguageData,
    pub(crate) lattice: &'a LatticeSettings,
    pub(crate) kind: TokenKind,
    /// How long after its sound begins the recogniser tells a token; 0 where it knows its times.
    pub(crate) emission_ms: u32,
}

impl Writer<'_> {
    /// `None` when nothing was said.
    pub(crate) fn write(&self, hypotheses: &[Hypothesis], place: Place) -> Option<Utterance> {
        let Read {
            words,
            syllables,
            confidence,
        } = match self.kind {
            TokenKind::Pinyin => self.read_pinyin(hypotheses, place),
            TokenKind::Hanzi | TokenKind::Bpe | TokenKind::Word => {
                read_text(hypotheses.first()?, place, self.emission_ms)
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
            confidence,
            syllables,
            words,
            voice: None,
        })
    }

    /// Takes the words of a second pass; the syllables stay as they were heard the first time, as
    /// does everything when the second pass heard nothing.
    pub(crate) fn write_again(&self, utterance: &mut Utterance, second: &Hypothesis, place: Place) {
        let read = read_text(second, place, 0);
        if read.words.is_empty() {
            return;
        }
        utterance.text = written(&read.words);
        utterance.spoken = join(&read.words);
        utterance.words = read.words;
        utterance.confidence = read.confidence;
        if utterance.syllables.is_empty() {
            utterance.syllables = read.syllables;
        }
    }

    fn read_pinyin(&self, hypotheses: &[Hypothesis], place: Place) -> Read {
        let readings: Vec<(Vec<Slot>, f32)> = hypotheses
            .iter()
            .map(|hypothesis| (slots_of(hypothesis), hypothesis.log_prob))
            .collect();
        let slots = merge(&readings);
        let found = search(&slots, self.language, self.lattice);
        let clock = Clock::new(&slots, &found, place, self.emission_ms);
        let words = found.iter().map(|word| clock.word(word)).collect();
        let syllables: Vec<Syllable> = found
            .iter()
            .flat_map(|word| clock.syllables(word))
            .collect();
        Read {
            words,
            confidence: mean(syllables.iter().map(|syllable| syllable.conf)),
            syllables,
        }
    }
}

/// What was read in an utterance.
struct Read {
    words: Vec<Word>,
    syllables: Vec<Syllable>,
    /// Mean of the words'.
    confidence: f32,
}

/// Engines that write: hanzi are cut into words and read aloud, Latin pieces joined to words.
fn read_text(hypothesis: &Hypothesis, place: Place, emission_ms: u32) -> Read {
    let words = cut(&spelled(hypothesis, place, emission_ms));
    Read {
        syllables: words.iter().flat_map(read_aloud).collect(),
        confidence: mean(words.iter().map(|word| word.confidence)),
        words: words
            .into_iter()
            .map(|word| Word {
                w: word.text,
                start_ms: word.start_ms,
                end_ms: word.end_ms,
            })
            .collect(),
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
    emission_ms: u64,
}

impl<'a> Clock<'a> {
    fn new(slots: &'a [Slot], words: &[LatticeWord], place: Place, emission_ms: u32) -> Self {
        let used = words
            .iter()
            .flat_map(|word| match word.syllables.as_slice() {
                [] => vec![word.from],
                syllables => syllables.iter().map(|choice| choice.slot).collect(),
            })
            .collect();
        Self {
            slots,
            used,
            place,
            emission_ms: emission_ms.into(),
        }
    }

    fn start_ms(&self, slot: usize) -> u64 {
        let emitted = self.place.audio_from_ms + u64::from(self.slots[slot].start_ms);
        emitted
            .saturating_sub(self.emission_ms)
            .min(self.place.end_ms)
            .max(self.place.start_ms)
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

/// Tokens of a writing engine as pieces on the call's clock; `▁` (a word's beginning) becomes a space.
///
/// Where the recogniser tells when it emitted a token, not where that lies, tokens begin earlier and last until the
/// next, or as long as a syllable does.
fn spelled(hypothesis: &Hypothesis, place: Place, emission_ms: u32) -> Vec<Piece> {
    let tokens = &hypothesis.tokens;
    let start_ms = |at: usize| {
        let told = place.audio_from_ms + u64::from(tokens[at].start_ms);
        told.saturating_sub(emission_ms.into())
    };
    let end_ms = |at: usize| {
        if emission_ms == 0 {
            return place.audio_from_ms + u64::from(tokens[at].end_ms);
        }
        let next = (at + 1 < tokens.len()).then(|| start_ms(at + 1));
        let limit = start_ms(at) + MAX_SYLLABLE_MS;
        next.map_or(limit, |next| next.min(limit))
    };
    let within = |time_ms: u64| time_ms.clamp(place.start_ms, place.end_ms.max(place.start_ms));
    (0..tokens.len())
        .map(|at| Piece {
            text: tokens[at].text.replace('▁', " "),
            start_ms: within(start_ms(at)),
            end_ms: within(end_ms(at)).max(within(start_ms(at))),
            confidence: tokens[at].confidence,
        })
        .collect()
}

/// A word's syllables in its likeliest reading, its time shared out evenly.
fn read_aloud(word: &Piece) -> Vec<Syllable> {
    let readings = word_readings(&word.text);
    let Some((syllables, _)) = readings.first() else {
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
            conf: rounded(word.confidence),
            alternatives: Vec::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use auricle_contracts::Party;
    use auricle_models::Token;

    use super::*;

    fn token(text: &str, start_ms: u32, end_ms: u32, confidence: f32) -> Token {
        Token {
            text: Arc::from(text),
            start_ms,
            end_ms,
            confidence,
            alternatives: Vec::new(),
        }
    }

    fn read(tokens: Vec<Token>, emission_ms: u32) -> Read {
        let hypothesis = Hypothesis {
            tokens,
            log_prob: 0.0,
        };
        let place = Place {
            party: Party::Agent,
            channel: 0,
            start_ms: 1_000,
            end_ms: 2_000,
            audio_from_ms: 680,
            is_cut: false,
        };
        read_text(&hypothesis, place, emission_ms)
    }

    #[test]
    fn a_writing_engines_confidence_and_times_are_its_own() {
        let tokens = vec![
            token("▁HEL", 100, 500, 0.9),
            token("LO", 500, 700, 0.7),
            token("▁你", 900, 1_900, 0.5),
        ];
        let told = read(tokens, 0);
        let words: Vec<_> = told
            .words
            .iter()
            .map(|word| (&*word.w, word.start_ms, word.end_ms))
            .collect();
        // Never before the utterance begins or after it ends.
        assert_eq!(words, [("HELLO", 1_000, 1_380), ("你", 1_580, 2_000)]);
        assert!((told.confidence - 0.65).abs() < 1e-3);
        assert!((told.syllables[0].conf - 0.5).abs() < 1e-3);
    }

    #[test]
    fn emitted_tokens_last_until_the_next() {
        let tokens = vec![token("好", 800, 840, 1.0), token("的", 1_000, 1_040, 1.0)];
        let emitted = read(tokens, 200);
        let times = (emitted.syllables[0].start_ms, emitted.syllables[1].end_ms);
        assert_eq!(times, (1_280, 2_000));
    }
}
