//! From characters to tokens.

use std::ops::Range;

use crate::units;

use super::ast::{Order, field_in_chinese};
use super::error::QueryError;

/// A token and where it stands, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    Open,
    Close,
    /// `[` or `{`: whether the limit itself belongs to the range.
    RangeOpen(Limit),
    RangeClose(Limit),
    And,
    Or,
    Not,
    Near(Order, Option<u32>),
    Then(Option<u32>),
    /// `name:`
    Field(String),
    Word(String),
    Quoted(String),
    Star,
    /// `~` with what follows.
    Tilde(String),
    Compare(Comparison),
    End,
}

/// Whether a limit belongs to its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Included,
    Excluded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

impl TokenKind {
    /// How an error names the token.
    pub(crate) fn describe(&self, source: &str) -> String {
        match self {
            Self::End => "the end of the query".into(),
            _ => format!("`{}`", source.chars().take(24).collect::<String>()),
        }
    }
}

/// Splits a query into tokens, the last of them [`TokenKind::End`].
pub(crate) fn tokenize(query: &str) -> Result<Vec<Token>, QueryError> {
    let mut lexer = Lexer {
        query,
        at: 0,
        tokens: Vec::new(),
    };
    while lexer.step()? {}
    let end = query.len();
    lexer.tokens.push(Token {
        kind: TokenKind::End,
        span: end..end,
    });
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    query: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

/// Full-width punctuation to the ASCII that means the same here.
const fn fold(letter: char) -> char {
    match letter {
        '\u{FF01}'..='\u{FF5E}' => match char::from_u32(letter as u32 - 0xFEE0) {
            Some(folded) => folded,
            None => letter,
        },
        '\u{3000}' => ' ',
        '【' | '〔' => '[',
        '】' | '〕' => ']',
        '〜' => '~',
        '—' | '–' | '−' => '-',
        '“' | '”' | '„' | '‟' => '"',
        '《' | '〈' => '<',
        '》' | '〉' => '>',
        _ => letter,
    }
}

/// The quote that ends what `opening` began.
const fn closing_quote(opening: char) -> Option<char> {
    match opening {
        '"' => Some('"'),
        '「' => Some('」'),
        '『' => Some('』'),
        _ => None,
    }
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.query.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next().map(fold)
    }

    fn bump(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token {
            kind,
            span: start..self.at,
        });
    }

    /// Reads one token or one space; `false` at the end.
    fn step(&mut self) -> Result<bool, QueryError> {
        let start = self.at;
        let Some(letter) = self.peek() else {
            return Ok(false);
        };
        if letter.is_whitespace() {
            self.bump();
            return Ok(true);
        }
        if let Some(closing) = closing_quote(letter) {
            return self.quoted(start, closing).map(|()| true);
        }
        let kind = match letter {
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            '[' => TokenKind::RangeOpen(Limit::Included),
            '{' => TokenKind::RangeOpen(Limit::Excluded),
            ']' => TokenKind::RangeClose(Limit::Included),
            '}' => TokenKind::RangeClose(Limit::Excluded),
            '*' => TokenKind::Star,
            '-' => TokenKind::Not,
            '~' => {
                self.bump();
                let number = self.take_while(|letter| letter.is_ascii_digit() || letter == '.');
                self.push(TokenKind::Tilde(number), start);
                return Ok(true);
            }
            '<' | '>' | '=' => {
                self.comparison(start, letter);
                return Ok(true);
            }
            _ => {
                self.word(start)?;
                return Ok(true);
            }
        };
        self.bump();
        self.push(kind, start);
        Ok(true)
    }

    fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(letter) = self.peek().filter(|&letter| wanted(letter)) {
            taken.push(letter);
            self.bump();
        }
        taken
    }

    fn comparison(&mut self, start: usize, first: char) {
        self.bump();
        let or_equal = first != '=' && self.peek() == Some('=');
        if or_equal {
            self.bump();
        }
        let comparison = match (first, or_equal) {
            ('<', false) => Comparison::Less,
            ('<', true) => Comparison::LessOrEqual,
            ('>', false) => Comparison::Greater,
            ('>', true) => Comparison::GreaterOrEqual,
            _ => Comparison::Equal,
        };
        self.push(TokenKind::Compare(comparison), start);
    }

    fn quoted(&mut self, start: usize, closing: char) -> Result<(), QueryError> {
        self.bump();
        let mut text = String::new();
        loop {
            let Some(raw) = self.rest().chars().next() else {
                return Err(QueryError::new(
                    self.query,
                    start..self.query.len(),
                    "a quote that is not closed",
                    format!("a closing `{closing}`"),
                ));
            };
            self.bump();
            match raw {
                '\\' if matches!(self.peek(), Some('"' | '\\')) => {
                    text.extend(self.rest().chars().next());
                    self.bump();
                }
                _ if fold(raw) == closing => break,
                _ => text.push(raw),
            }
        }
        self.push(TokenKind::Quoted(text), start);
        Ok(())
    }

    /// A word, a keyword or the name of a field.
    fn word(&mut self, start: usize) -> Result<(), QueryError> {
        let mut raw = String::new();
        while let Some(letter) = self.rest().chars().next() {
            let folded = fold(letter);
            let ends = folded.is_whitespace()
                || closing_quote(folded).is_some()
                || "()[]{}*~<>=".contains(folded);
            if ends {
                break;
            }
            self.bump();
            let is_name = raw
                .chars()
                .all(|letter| letter.is_ascii_alphabetic() || letter == '_');
            if folded == ':' && is_name && !raw.is_empty() {
                self.push(TokenKind::Field(raw.to_ascii_lowercase()), start);
                return Ok(());
            }
            if folded == ':'
                && let Some(name) = field_in_chinese(&raw)
            {
                self.push(TokenKind::Field(name.to_owned()), start);
                return Ok(());
            }
            raw.push(letter);
        }
        let folded: String = raw.chars().map(fold).collect();
        let kind = match keyword(&folded) {
            Some(Ok(kind)) => kind,
            Some(Err(())) => {
                let name = folded.split('/').next().unwrap_or("");
                return Err(QueryError::new(
                    self.query,
                    start..self.at,
                    format!("`{folded}`"),
                    format!("a number up to {MOST_WITHIN} after `{name}/`"),
                )
                .hint(format!(
                    "write {name}/5; to search for the word itself write it in quotes"
                )));
            }
            // Punctuation between words says nothing.
            None if units::encode(&raw).is_empty() && !self.is_value() => return Ok(()),
            None => TokenKind::Word(raw),
        };
        self.push(kind, start);
        Ok(())
    }

    /// Whether what comes next is the value of a field.
    fn is_value(&self) -> bool {
        matches!(
            self.tokens.last().map(|token| &token.kind),
            Some(TokenKind::Field(_) | TokenKind::Compare(_) | TokenKind::RangeOpen(_))
        )
    }
}

/// The largest number after `NEAR/`, `BEFORE/` and `THEN/`.
pub(crate) const MOST_WITHIN: u32 = 1000;

/// Whether a word joins queries: `AND`, `NEAR/5`.
pub fn is_keyword(word: &str) -> bool {
    keyword(word).is_some()
}

/// The keyword a word is; an error where its number cannot be read.
fn keyword(word: &str) -> Option<Result<TokenKind, ()>> {
    match word {
        "AND" => return Some(Ok(TokenKind::And)),
        "OR" => return Some(Ok(TokenKind::Or)),
        "NOT" => return Some(Ok(TokenKind::Not)),
        _ => {}
    }
    let (name, number) = match word.split_once('/') {
        Some((name, number)) => (name, Some(number)),
        None => (word, None),
    };
    let make: fn(Option<u32>) -> TokenKind = match name {
        "NEAR" => |within| TokenKind::Near(Order::Either, within),
        "BEFORE" => |within| TokenKind::Near(Order::LeftFirst, within),
        "THEN" => TokenKind::Then,
        _ => return None,
    };
    let within = match number {
        None => None,
        Some(number) => match number.parse::<u32>() {
            Ok(within) if within <= MOST_WITHIN => Some(within),
            _ => return Some(Err(())),
        },
    };
    Some(Ok(make(within)))
}
