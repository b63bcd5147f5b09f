//! Texts of the metadata that are not to be shown.

use std::fmt;

use crate::query::is_text;

/// An id, address or name that the metadata tell. Any of them may hold somebody's number or name, so `Debug` hides it
/// and there is no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Private(String);

impl Private {
    /// A text without space around it; `None` where nothing is left, or something that is not text.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty() && is_text(text)).then(|| Self(text.to_owned()))
    }

    /// The text, for those who must compare, dial or look it up.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Private(…)")
    }
}
