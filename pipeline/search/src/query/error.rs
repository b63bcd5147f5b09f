//! A mistake in a query, shown where it is.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// A query that cannot be understood: where, what stands there and what was expected instead.
///
/// Displayed, it repeats the query with carets under the mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryError {
    /// The query (its beginning, where it is very long).
    pub query: String,
    /// Where the mistake is, in bytes of the query.
    pub span: Range<usize>,
    /// Where the mistake begins, in characters, from 1.
    pub column: usize,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Characters of a query that an error repeats.
const MOST_SHOWN: usize = 160;

impl QueryError {
    pub(crate) fn new(
        query: &str,
        span: Range<usize>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let before = query.get(..span.start).unwrap_or(query);
        Self {
            query: query.to_owned(),
            column: before.chars().count() + 1,
            span,
            found: found.into(),
            expected: expected.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The query's line with the mistake, and the carets under it.
    fn excerpt(&self) -> (String, String) {
        let n_before = self.column - 1;
        let skipped = n_before.saturating_sub(MOST_SHOWN / 2);
        let visible = |letter: char| if letter.is_control() { ' ' } else { letter };
        let shown: String = self
            .query
            .chars()
            .skip(skipped)
            .take(MOST_SHOWN)
            .map(visible)
            .collect();
        let lead: usize = shown.chars().take(n_before - skipped).map(columns).sum();
        let wrong = self.query.get(self.span.clone()).unwrap_or("");
        let carets: usize = wrong.chars().take(MOST_SHOWN / 2).map(columns).sum();
        (
            shown,
            format!("{}{}", " ".repeat(lead), "^".repeat(carets.max(1))),
        )
    }
}

/// Columns a character takes on a terminal.
const fn columns(letter: char) -> usize {
    match letter {
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F300}'..='\u{1FAFF}'
        | '\u{20000}'..='\u{3FFFD}' => 2,
        _ => 1,
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, carets) = self.excerpt();
        let Self {
            column,
            found,
            expected,
            ..
        } = self;
        write!(
            out,
            "the query is wrong at column {column}: found {found}, expected {expected}"
        )?;
        write!(out, "\n  {shown}\n  {carets}")?;
        match &self.hint {
            Some(hint) => write!(out, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for QueryError {}
