//! Words that the recogniser shall expect.

use std::fmt;

use crate::limits::Limits;
use crate::query::{self, QueryError};

/// Intensifiers beyond this are mistakes: they are exponents.
const LARGEST_BOOST: f32 = 100.0;
/// Characters of a word without a space that count as one token.
const TOKEN_CHARS: usize = 4;

/// A word or phrase to lean towards. `Debug` shows only how long it is, for it may be somebody's name.
#[derive(Clone, PartialEq)]
pub struct Hotword {
    /// As it was given, without spaces around it.
    pub text: String,
    /// The intensifier of `keywords`; 1 where none is given, and for every `keyterm`. Never 0; below 0 it is to be
    /// heard less.
    pub boost: f32,
}

impl fmt::Debug for Hotword {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_chars = self.text.chars().count();
        write!(out, "Hotword({n_chars} characters, boost {})", self.boost)
    }
}

/// Keyterms and keywords of one request, within limits.
#[derive(Debug, Default)]
pub(super) struct Hotwords {
    words: Vec<Hotword>,
    n_terms: usize,
    n_tokens: usize,
}

impl Hotwords {
    /// `keyterm=TEXT`: all of it is the term.
    pub(super) fn keyterm(&mut self, value: &str, limits: &Limits) -> Result<(), QueryError> {
        self.add("keyterm", value, 1.0, limits)
    }

    /// `keywords=TEXT` or `keywords=TEXT:BOOST`.
    pub(super) fn keyword(&mut self, value: &str, limits: &Limits) -> Result<(), QueryError> {
        let name = "keywords";
        let split = value.rsplit_once(':').and_then(|(text, boost)| {
            let boost = boost.trim().parse::<f32>().ok()?;
            Some((text, boost))
        });
        let (text, boost) = split.unwrap_or((value, 1.0));
        if !(-LARGEST_BOOST..=LARGEST_BOOST).contains(&boost) {
            let expected = "a word, and behind a colon a number from -100 to 100";
            return Err(QueryError::InvalidId { name, expected });
        }
        self.add(name, text, boost, limits)
    }

    pub(super) fn into_words(self) -> Vec<Hotword> {
        self.words
    }

    fn add(
        &mut self,
        name: &'static str,
        text: &str,
        boost: f32,
        limits: &Limits,
    ) -> Result<(), QueryError> {
        if !query::is_text(text) {
            return Err(QueryError::NotText { name });
        }
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        self.n_terms += 1;
        self.n_tokens += n_tokens(text);
        let too_much = |n, unit, limit| {
            Err(QueryError::TooMuch {
                name,
                n,
                unit,
                limit,
            })
        };
        if self.n_terms > limits.keyterms {
            return too_much(self.n_terms, "terms", limits.keyterms);
        }
        if self.n_tokens > limits.keyterm_tokens {
            return too_much(self.n_tokens, "tokens", limits.keyterm_tokens);
        }
        // A boost of 0 is the same as no keyword at all.
        if boost != 0.0 {
            let text = text.to_owned();
            self.words.push(Hotword { text, boost });
        }
        Ok(())
    }
}

/// Tokens as [`Limits::keyterm_tokens`] counts them.
fn n_tokens(text: &str) -> usize {
    let of_word = |word: &str| {
        let n_chars = word.chars().count();
        let n_ideographs = word.chars().filter(|ch| is_cjk(*ch)).count();
        n_ideographs + (n_chars - n_ideographs).div_ceil(TOKEN_CHARS)
    };
    text.split_whitespace().map(of_word).sum()
}

/// Whether a character is of a script without spaces between words: Unicode's blocks from CJK Radicals to Yi, Hangul
/// syllables, compatibility ideographs and the ideographic planes.
fn is_cjk(ch: char) -> bool {
    matches!(ch, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        for (text, expected) in [
            ("", 0),
            ("a", 1),
            ("call", 1),
            ("calls", 2),
            ("credit card", 3),
            ("保证金", 3),
            ("VIP客户", 3),
        ] {
            assert_eq!(n_tokens(text), expected, "{text}");
        }
    }
}
