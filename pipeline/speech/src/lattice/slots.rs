//! Pinyin tokens of one hypothesis → syllable slots.

use std::str::FromStr;
use std::sync::Arc;

use auricle_models::{Hypothesis, Token};
use auricle_pinyin::Syllable;

/// Choices worth keeping lie within this of the best, natural log.
const CHOICE_BEAM: f32 = 9.0;
const MAX_CHOICES: usize = 12;

/// One syllable that a stretch of sound may have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sound {
    /// The syllable.
    pub syllable: Syllable,
    /// Natural log of its probability.
    pub log_prob: f32,
}

/// One syllable's place in an utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Where its first token was emitted, milliseconds from the stream's start.
    pub start_ms: u32,
    /// Where its last token was.
    pub end_ms: u32,
    /// What was heard.
    pub kind: SlotKind,
    /// Natural log of the probability that nothing was said here; −∞ when something surely was.
    pub skip_log_prob: f32,
}

/// What a slot holds.
#[derive(Clone, Debug, PartialEq)]
pub enum SlotKind {
    /// A Mandarin syllable; likeliest first, never empty.
    Sounds(Vec<Sound>),
    /// A letter or word of another language, taken as it is.
    Foreign(Arc<str>),
}

impl Slot {
    /// Its sounds; none for a foreign token.
    pub fn sounds(&self) -> &[Sound] {
        match &self.kind {
            SlotKind::Sounds(sounds) => sounds,
            SlotKind::Foreign(_) => &[],
        }
    }
}

/// The slots of one hypothesis of an engine with pinyin tokens. Pieces that make no syllable even
/// with their alternatives are left out.
pub fn slots_of(hypothesis: &Hypothesis) -> Vec<Slot> {
    let tokens = &hypothesis.tokens;
    let mut slots = Vec::with_capacity(tokens.len() / 2 + 1);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1);
        let (slot, used) = match (part_of(&token.text), next.map(|next| part_of(&next.text))) {
            (Part::Initial, Some(Part::Final)) => (pair(token, next), 2),
            (Part::Initial, _) => (None, 1),
            (Part::Final, _) => (alone(token), 1),
            (Part::Foreign, _) => (Some(foreign(token)), 1),
        };
        slots.extend(slot);
        at += used;
    }
    slots
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Initial,
    Final,
    Foreign,
}

fn part_of(text: &str) -> Part {
    match text {
        "zh" | "ch" | "sh" | "b" | "p" | "m" | "f" | "d" | "t" | "n" | "l" | "g" | "k" | "h"
        | "j" | "q" | "x" | "r" | "z" | "c" | "s" | "y" | "w" => Part::Initial,
        _ if text
            .starts_with(|first: char| first.is_ascii_uppercase() || first.is_ascii_digit()) =>
        {
            Part::Foreign
        }
        _ => Part::Final,
    }
}

fn pair(initial: &Token, last: Option<&Token>) -> Option<Slot> {
    let last = last?;
    let mut sounds = Vec::new();
    let of = |token: &Token, part: Part| -> Vec<(Arc<str>, f32)> {
        token
            .alternatives
            .iter()
            .filter(|(text, _)| part_of(text) == part)
            .cloned()
            .collect()
    };
    let finals = of(last, Part::Final);
    let mut spelled = String::with_capacity(12);
    for (initial, initial_log_prob) in of(initial, Part::Initial) {
        for (rhyme, log_prob) in &finals {
            spelled.clear();
            spelled.push_str(&initial);
            spelled.push_str(rhyme);
            sounds.extend(sound(&spelled, initial_log_prob + log_prob));
        }
    }
    slot(initial.start_ms, last.end_ms, sounds)
}

fn alone(token: &Token) -> Option<Slot> {
    let sounds = token
        .alternatives
        .iter()
        .filter_map(|(text, log_prob)| sound(text, *log_prob))
        .collect();
    slot(token.start_ms, token.end_ms, sounds)
}

/// A toneless spelling in a token table is the neutral tone.
fn sound(spelled: &str, log_prob: f32) -> Option<Sound> {
    let syllable = Syllable::from_str(spelled).ok()?;
    let syllable = if syllable.tone() == 0 {
        syllable.with_tone(5)
    } else {
        syllable
    };
    Some(Sound { syllable, log_prob })
}

fn slot(start_ms: u32, end_ms: u32, mut sounds: Vec<Sound>) -> Option<Slot> {
    normalise(&mut sounds);
    let kind = SlotKind::Sounds(sounds);
    let slot = Slot {
        start_ms,
        end_ms,
        kind,
        skip_log_prob: f32::NEG_INFINITY,
    };
    (!slot.sounds().is_empty()).then_some(slot)
}

fn foreign(token: &Token) -> Slot {
    Slot {
        start_ms: token.start_ms,
        end_ms: token.end_ms,
        kind: SlotKind::Foreign(Arc::clone(&token.text)),
        skip_log_prob: f32::NEG_INFINITY,
    }
}

/// Sorts, joins equal syllables, drops the hopeless and makes the probabilities sum to 1.
pub(super) fn normalise(sounds: &mut Vec<Sound>) {
    sounds.sort_by(|a, b| {
        a.syllable
            .cmp(&b.syllable)
            .then(b.log_prob.total_cmp(&a.log_prob))
    });
    sounds.dedup_by(|other, kept| {
        let same = other.syllable == kept.syllable;
        if same {
            kept.log_prob += (other.log_prob - kept.log_prob).exp().ln_1p();
        }
        same
    });
    sounds.sort_by(|a, b| b.log_prob.total_cmp(&a.log_prob));
    let Some(best) = sounds.first().map(|sound| sound.log_prob) else {
        return;
    };
    sounds.retain(|sound| sound.log_prob > best - CHOICE_BEAM);
    sounds.truncate(MAX_CHOICES);
    let total: f32 = sounds
        .iter()
        .map(|sound| (sound.log_prob - best).exp())
        .sum();
    let shift = best + total.ln();
    sounds.iter_mut().for_each(|sound| sound.log_prob -= shift);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn token(text: &str, start_ms: u32, alternatives: &[(&str, f32)]) -> Token {
        let alternatives = if alternatives.is_empty() {
            vec![(Arc::from(text), 0.0)]
        } else {
            alternatives
                .iter()
                .map(|(text, prob)| (Arc::from(*text), prob.ln()))
                .collect()
        };
        Token {
            text: text.into(),
            start_ms,
            end_ms: start_ms + 40,
            confidence: 1.0,
            alternatives,
        }
    }

    fn check(tokens: &[&str], expected: &[&str]) {
        let tokens = tokens
            .iter()
            .enumerate()
            .map(|(at, text)| token(text, at as u32 * 40, &[]))
            .collect();
        let slots = slots_of(&Hypothesis {
            tokens,
            log_prob: 0.0,
        });
        let heard: Vec<String> = slots
            .iter()
            .map(|slot| match &slot.kind {
                SlotKind::Sounds(sounds) => sounds[0].syllable.to_string(),
                SlotKind::Foreign(text) => text.to_string(),
            })
            .collect();
        assert_eq!(heard, expected);
    }

    #[test]
    fn initials_and_finals_make_syllables() {
        check(&["b", "ǎo", "zh", "èng"], &["bao3", "zheng4"]);
        check(&["ān", "y", "ī", "d", "e"], &["an1", "yi1", "de5"]);
        check(&["V", "I", "P", "k", "è"], &["V", "I", "P", "ke4"]);
        check(&["n", "ǚ", "l", "üè", "j", "ù"], &["nv3", "lve4", "ju4"]);
    }

    #[test]
    fn what_makes_no_syllable_is_left_out() {
        check(&["b", "sh", "ì", "zh"], &["shi4"]);
        check(&["b", "uǎn", "h", "ǎo"], &["hao3"]);
    }

    #[test]
    fn alternatives_multiply_and_sum_to_one() {
        let tokens = vec![
            token("zh", 0, &[("zh", 0.7), ("z", 0.3)]),
            token("ēng", 40, &[("ēng", 0.6), ("èng", 0.4)]),
        ];
        let slots = slots_of(&Hypothesis {
            tokens,
            log_prob: 0.0,
        });
        let sounds = slots[0].sounds();
        assert_eq!(sounds.len(), 4);
        assert_eq!(sounds[0].syllable.to_string(), "zheng1");
        assert!((sounds[0].log_prob.exp() - 0.42).abs() < 1e-4);
        let total: f32 = sounds.iter().map(|sound| sound.log_prob.exp()).sum();
        assert!((total - 1.0).abs() < 1e-4);
    }
}
