//! A recogniser's token table: `tokens.txt`, one `text id` a line.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use crate::engine::{EngineError, TokenKind, read_file};

/// No recogniser has more tokens than this; a larger file is not a token table.
const MAX_TOKENS: usize = 1 << 20;

/// The texts of a model's tokens by their numbers.
#[derive(Clone, Debug)]
pub struct TokenTable {
    texts: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, usize>,
    kind: TokenKind,
}

/// A token table cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TokenTableError {
    /// A line is not a text, a space and a number.
    #[error("line {line}: expected `TEXT NUMBER`, found `{found}`")]
    Line {
        /// From 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// The numbers do not run from 0 without gaps.
    #[error("token number {missing} is missing")]
    Gap {
        /// The first absent number.
        missing: usize,
    },
    /// A number stands twice.
    #[error("line {line}: token number {number} stands twice")]
    Twice {
        /// From 1.
        line: usize,
        /// The number.
        number: usize,
    },
    /// Nothing in it, or far too much.
    #[error("a token table has 1 to {MAX_TOKENS} lines, this one has {found}")]
    Size {
        /// Lines found.
        found: usize,
    },
}

impl TokenTable {
    /// Reads the text of a token table.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, TokenTableError> {
        let n_lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        if n_lines == 0 || n_lines > MAX_TOKENS {
            return Err(TokenTableError::Size { found: n_lines });
        }
        let mut slots: Vec<Option<Arc<str>>> = vec![None; n_lines];
        for (at, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let (token, number) = split_line(line).ok_or_else(|| TokenTableError::Line {
                line: at + 1,
                found: line.chars().take(40).collect(),
            })?;
            // A number beyond the lines leaves another one out, which is found below.
            let slot = slots.get_mut(number);
            if slot.is_some_and(|slot| slot.replace(token.into()).is_some()) {
                return Err(TokenTableError::Twice {
                    line: at + 1,
                    number,
                });
            }
        }
        let texts: Vec<Arc<str>> = slots
            .into_iter()
            .enumerate()
            .map(|(missing, slot)| slot.ok_or(TokenTableError::Gap { missing }))
            .collect::<Result<_, _>>()?;
        let kind = kind_of(&texts);
        let ids = (0..texts.len()).map(|id| (Arc::clone(&texts[id]), id));
        let ids = ids.rev().collect();
        Ok(Self { texts, ids, kind })
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, EngineError> {
        Self::of_file(path, &read_file(path)?)
    }

    /// Reads what is in the file at `path`.
    pub(crate) fn of_file(path: &Path, bytes: &[u8]) -> Result<Self, EngineError> {
        let misfit = |cause: String| EngineError::Misfit {
            path: path.into(),
            cause,
            hint: "it must be the tokens.txt that came with the model".into(),
        };
        let text = std::str::from_utf8(bytes).map_err(|cause| misfit(cause.to_string()))?;
        Self::parse(text).map_err(|cause| misfit(cause.to_string()))
    }

    /// What one token spells, told from the table itself.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Text of a token; empty for a number beyond the table.
    pub fn text(&self, id: usize) -> Arc<str> {
        self.texts.get(id).cloned().unwrap_or_else(|| Arc::from(""))
    }

    /// Number of a token.
    pub fn id(&self, text: &str) -> Option<usize> {
        self.ids.get(text).copied()
    }

    /// How many tokens it has.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Never true for a table that was read.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

/// Text and number of a line. The text may itself be a space or hold one.
fn split_line(line: &str) -> Option<(&str, usize)> {
    let line = line.trim_end_matches(['\r', '\n']);
    let (token, number) = line.rsplit_once([' ', '\t'])?;
    (!token.is_empty()).then_some((token, number.parse().ok()?))
}

fn kind_of(texts: &[Arc<str>]) -> TokenKind {
    let has = |wanted: &str| texts.iter().any(|text| &**text == wanted);
    let is_hanzi = |letter: char| matches!(letter, '\u{3400}'..='\u{9fff}');
    let n_hanzi = texts
        .iter()
        .filter(|text| text.chars().any(is_hanzi))
        .count();
    if has("zh") && has("ǎo") {
        TokenKind::Pinyin
    } else if n_hanzi * 2 > texts.len() {
        TokenKind::Hanzi
    } else {
        TokenKind::Bpe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_table_and_tells_its_kind() {
        let pinyin = TokenTable::parse("<blk> 0\nzh 1\nǎo 2\n").unwrap();
        assert_eq!(
            (pinyin.kind(), &*pinyin.text(2), pinyin.id("zh")),
            (TokenKind::Pinyin, "ǎo", Some(1))
        );
        let hanzi = TokenTable::parse("<blk> 0\n保 1\n证 2\n收\t3\n").unwrap();
        assert_eq!((hanzi.kind(), hanzi.len()), (TokenKind::Hanzi, 4));
        let pieces = TokenTable::parse("<blk> 0\r\n▁THE 1\r\nS 2\r\n").unwrap();
        assert_eq!((pieces.kind(), &*pieces.text(1)), (TokenKind::Bpe, "▁THE"));
    }

    #[test]
    fn names_what_is_wrong() {
        let error = |text: &str| TokenTable::parse(text).unwrap_err();
        assert_eq!(error(""), TokenTableError::Size { found: 0 });
        assert_eq!(
            error("a 0\nb x\n"),
            TokenTableError::Line {
                line: 2,
                found: "b x".into()
            }
        );
        assert_eq!(
            error("a 0\nb 0\n"),
            TokenTableError::Twice { line: 2, number: 0 }
        );
        assert_eq!(error("a 1\nb 2\n"), TokenTableError::Gap { missing: 0 });
        assert_eq!(
            error("a 0\nb 5\nc 2\n"),
            TokenTableError::Gap { missing: 1 }
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_table_or_an_error(text in "(?s).{0,200}") {
            let _ = TokenTable::parse(&text);
        }
    }
}
