//! Texts of the other side.

use std::fmt;

use crate::query::{Shown, is_text};

/// A label, a name or parameters, as the other side wrote them, without control characters. They may be anything, so
/// `Debug` shows of them what a message may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// A word of visible ASCII, of at least one byte and at most this many.
    pub(super) fn word(word: &str, limit_bytes: usize) -> Option<Self> {
        let is_word = (1..=limit_bytes).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_graphic());
        is_word.then(|| Self(word.to_owned()))
    }

    /// Text of any length that is not empty.
    pub(super) fn words(words: &str) -> Option<Self> {
        let fits = !words.is_empty() && is_text(words);
        fits.then(|| Self(words.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`", Shown::new(&self.0))
    }
}
