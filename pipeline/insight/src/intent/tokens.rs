//! An utterance cut into what features are made of: hanzi and their sounds, foreign words; English words by their stems.

use auricle_pinyin::Syllable;

use super::language::Language;
use super::random::{digest, scramble};
use super::words::{stem, words_of};
use crate::Spoken;

/// A hanzi or a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token {
    /// Stands for its letters; for those of its stem, where words have forms.
    pub(super) letter: u64,
    /// Its likeliest sound; `None` for what has no pinyin.
    pub(super) sound: Option<Syllable>,
    /// What else it may have been, when its spelling differs, with the probability.
    pub(super) other: Option<(Syllable, f32)>,
    /// Stands for the letters of a word that has forms.
    pub(super) form: Option<u64>,
}

/// Longest part of an utterance that is looked at, in letters: an endless monologue must not cost more
/// than a long one.
const MAX_LETTERS: usize = 400;
/// The same in words.
const MAX_WORDS: usize = 200;

impl Token {
    const fn new(letter: u64) -> Self {
        Self {
            letter,
            sound: None,
            other: None,
            form: None,
        }
    }

    /// Gives it a sound, as one that was surely heard.
    pub(super) const fn hear(&mut self, sound: Syllable) {
        self.sound = Some(sound);
    }
}

/// The tokens of `spoken`, in order.
pub(super) fn tokens_of(spoken: &Spoken<'_>, language: Language) -> Vec<Token> {
    match language {
        Language::Mandarin => sounding_tokens(spoken),
        Language::English => word_tokens(spoken.source()),
    }
}

/// The tokens of `text` without their sounds.
pub(super) fn letter_tokens(text: &str, language: Language) -> Vec<Token> {
    match language {
        Language::Mandarin => soundless_tokens(text),
        Language::English => word_tokens(text),
    }
}

fn word_tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let whole = |word: &str| scramble(digest(word.as_bytes()));
    words_of(text, |word| {
        if tokens.len() < MAX_WORDS {
            tokens.push(Token {
                form: Some(whole(word)),
                ..Token::new(whole(&stem(word)))
            });
        }
    });
    tokens
}

fn sounding_tokens(spoken: &Spoken<'_>) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(spoken.letters.len());
    let mut word_ends_at = None;
    for letter in spoken.letters.iter().take(MAX_LETTERS) {
        let is_foreign = letter.letter.is_ascii_alphanumeric();
        match tokens.last_mut() {
            Some(word) if is_foreign && word_ends_at == Some(letter.at) => {
                word.letter = grow(word.letter, letter.letter);
            }
            _ => tokens.push(Token {
                sound: letter.sounds.first().map(|sound| sound.0),
                other: another(&letter.sounds),
                ..Token::new(grow(0, letter.letter))
            }),
        }
        word_ends_at = is_foreign.then_some(letter.at + 1);
    }
    tokens
}

fn soundless_tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut is_inside = false;
    for letter in text.chars().flat_map(char::to_lowercase) {
        let is_foreign = letter.is_ascii_alphanumeric();
        match tokens.last_mut() {
            Some(Token { letter: word, .. }) if is_foreign && is_inside => {
                *word = grow(*word, letter);
            }
            _ if letter.is_alphanumeric() => tokens.push(Token::new(grow(0, letter))),
            _ => {}
        }
        is_inside = is_foreign;
    }
    tokens
}

fn grow(word: u64, letter: char) -> u64 {
    scramble(word ^ digest(&u32::from(letter).to_le_bytes()))
}

/// The likeliest sound that is spelled otherwise than the first.
fn another(sounds: &[(Syllable, f32)]) -> Option<(Syllable, f32)> {
    const LEAST_PROB: f32 = 0.1;
    let (first, others) = sounds.split_first()?;
    let other = others
        .iter()
        .find(|(sound, _)| sound.toneless() != first.0.toneless())?;
    (other.1 >= LEAST_PROB).then_some((other.0, other.1.min(1.0)))
}
