//! From tokens to meaning, by recursive descent. The grammar is in `docs/query-language.md`.

use std::ops::Range;

use crate::units;

use super::ast::{Kind, Node, Order};
use super::error::QueryError;
use super::lexer::{Token, TokenKind, tokenize};

mod fields;

/// The longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 4096;
/// How deep parentheses and negations may go.
pub const MAX_DEPTH: usize = 32;
/// The most terms and fields in one query.
pub const MAX_TERMS: usize = 128;
/// The most syllables in one `sound:`.
pub const MAX_SYLLABLES: usize = 32;
/// The most units in one phrase.
pub const MAX_PHRASE_UNITS: usize = 256;
/// The largest distance after `~`.
pub const MAX_EDITS: u16 = 3;
/// What `NEAR` and `BEFORE` mean without a number.
const DEFAULT_NEAR: u32 = 10;

/// Reads a query.
///
/// # Errors
/// A mistake, with its place and what was expected there. No text makes it panic: it is the entry
/// of the fuzz target for queries.
pub fn parse(query: &str) -> Result<Node, QueryError> {
    if query.len() > MAX_QUERY_BYTES {
        let mut end = MAX_QUERY_BYTES;
        while !query.is_char_boundary(end) {
            end -= 1;
        }
        let found = format!("{} bytes", query.len());
        let expected = format!("at most {MAX_QUERY_BYTES} bytes");
        return Err(QueryError::new(&query[..end], end..end, found, expected));
    }
    let tokens = tokenize(query)?;
    let mut parser = Parser {
        query,
        tokens,
        next: 0,
        depth: 0,
        n_terms: 0,
    };
    let node = parser.sequence()?;
    match parser.peek() {
        TokenKind::End => Ok(node),
        TokenKind::Close => Err(parser
            .error("the end of the query")
            .hint("this parenthesis was never opened")),
        _ => Err(parser.error("AND, OR, NEAR, THEN or the end of the query")),
    }
}

struct Parser<'a> {
    query: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    n_terms: usize,
}

type Parsed = Result<Node, QueryError>;

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &TokenKind {
        &self.token().kind
    }

    fn span(&self) -> Range<usize> {
        self.token().span.clone()
    }

    fn take(&mut self) -> Token {
        let token = self.token().clone();
        self.next += 1;
        token
    }

    /// An error at the next token.
    fn error(&self, expected: impl Into<String>) -> QueryError {
        let token = self.token();
        let source = self.query.get(token.span.clone()).unwrap_or("");
        let found = token.kind.describe(source);
        QueryError::new(self.query, token.span.clone(), found, expected)
    }

    fn error_at(&self, span: Range<usize>, expected: impl Into<String>) -> QueryError {
        let found = match self.query.get(span.clone()) {
            Some(source) if !source.is_empty() => {
                format!("`{}`", source.chars().take(24).collect::<String>())
            }
            _ => "nothing".into(),
        };
        QueryError::new(self.query, span, found, expected)
    }

    fn sequence(&mut self) -> Parsed {
        let mut left = self.any()?;
        while let TokenKind::Then(within) = *self.peek() {
            if within == Some(0) {
                let hint = "THEN looks at later utterances; for one utterance write AND or BEFORE";
                return Err(self.error("a number from 1 after `THEN/`").hint(hint));
            }
            self.take();
            let right = self.any()?;
            let span = left.span.start..right.span.end;
            let kind = Kind::Then {
                left: Box::new(left),
                right: Box::new(right),
                within,
            };
            left = Node { kind, span };
        }
        Ok(left)
    }

    fn any(&mut self) -> Parsed {
        let mut parts = vec![self.all()?];
        while *self.peek() == TokenKind::Or {
            self.take();
            parts.push(self.all()?);
        }
        Ok(joined(parts, Kind::Or))
    }

    fn all(&mut self) -> Parsed {
        let mut parts = vec![self.negated()?];
        loop {
            match self.peek() {
                TokenKind::And => {
                    self.take();
                }
                TokenKind::Open
                | TokenKind::Not
                | TokenKind::Field(_)
                | TokenKind::Word(_)
                | TokenKind::Quoted(_) => {}
                _ => return Ok(joined(parts, Kind::And)),
            }
            parts.push(self.negated()?);
        }
    }

    fn negated(&mut self) -> Parsed {
        if *self.peek() != TokenKind::Not {
            return self.near();
        }
        let start = self.take().span.start;
        self.descend()?;
        let inner = self.negated()?;
        self.depth -= 1;
        let span = start..inner.span.end;
        Ok(Node {
            kind: Kind::Not(Box::new(inner)),
            span,
        })
    }

    fn descend(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("at most {MAX_DEPTH} levels of parentheses and NOT")));
        }
        Ok(())
    }

    fn near(&mut self) -> Parsed {
        let mut left = self.primary()?;
        while let TokenKind::Near(order, within) = *self.peek() {
            let word = if order == Order::Either {
                "NEAR"
            } else {
                "BEFORE"
            };
            self.check_near_side(&left, word)?;
            self.take();
            let right = self.primary()?;
            self.check_near_side(&right, word)?;
            let span = left.span.start..right.span.end;
            let within = within.unwrap_or(DEFAULT_NEAR);
            let kind = Kind::Near {
                left: Box::new(left),
                right: Box::new(right),
                within,
                order,
            };
            left = Node { kind, span };
        }
        Ok(left)
    }

    fn check_near_side(&self, side: &Node, word: &str) -> Result<(), QueryError> {
        if has_place(side) {
            return Ok(());
        }
        let expected =
            format!("a term, a phrase, a sound or a group of them joined by OR beside {word}");
        Err(self
            .error_at(side.span.clone(), expected)
            .hint("fields, AND and NOT have no place in the utterance; join them with AND outside"))
    }

    fn primary(&mut self) -> Parsed {
        match self.peek().clone() {
            TokenKind::Open => self.group(),
            TokenKind::Field(name) => self.field(&name),
            TokenKind::Quoted(text) => {
                let span = self.take().span;
                self.phrase(text, span)
            }
            TokenKind::Word(text) => self.word(text),
            TokenKind::End if self.next == 0 => Err(self
                .error("a term")
                .hint("write for example 保证收益, or sound:保证收益")),
            TokenKind::Star => Err(self
                .error("a term")
                .hint("a star stands right after the beginning of a word: 保证*")),
            TokenKind::Tilde(_) => Err(self
                .error("a term")
                .hint("a distance stands after a sound: sound:保证收益~1")),
            _ => Err(self.error("a term, a phrase, a field or `(`")),
        }
    }

    fn group(&mut self) -> Parsed {
        let start = self.take().span.start;
        self.descend()?;
        let inner = self.sequence()?;
        if *self.peek() != TokenKind::Close {
            let column = self
                .query
                .get(..start)
                .map_or(0, |before| before.chars().count())
                + 1;
            return Err(self.error("`)`").hint(format!(
                "it closes the parenthesis opened at column {column}"
            )));
        }
        let end = self.take().span.end;
        self.depth -= 1;
        Ok(Node {
            kind: inner.kind,
            span: start..end,
        })
    }

    fn count_term(&mut self, span: &Range<usize>) -> Result<(), QueryError> {
        self.n_terms += 1;
        if self.n_terms > MAX_TERMS {
            let expected = format!("at most {MAX_TERMS} terms and fields");
            return Err(self.error_at(span.clone(), expected));
        }
        Ok(())
    }

    fn phrase(&mut self, text: String, span: Range<usize>) -> Parsed {
        self.count_term(&span)?;
        self.check_units(&text, &span)?;
        if let TokenKind::Tilde(_) = self.peek() {
            return Err(self
                .error("AND, OR, NEAR, THEN or the end of the query")
                .hint("a distance counts syllables: write sound:保证收益~1"));
        }
        Ok(Node {
            kind: Kind::Phrase(text),
            span,
        })
    }

    fn check_units(&self, text: &str, span: &Range<usize>) -> Result<(), QueryError> {
        match units::count(text) {
            0 => Err(self.error_at(span.clone(), "at least one letter, digit or hanzi")),
            n if n > MAX_PHRASE_UNITS => {
                let expected = format!("at most {MAX_PHRASE_UNITS} characters in one phrase");
                Err(self.error_at(span.clone(), expected))
            }
            _ => Ok(()),
        }
    }

    /// Whether the next token stands right after `end`, without a space.
    fn touches(&self, end: usize) -> bool {
        self.token().span.start == end
    }

    fn word(&mut self, text: String) -> Parsed {
        let mut span = self.take().span;
        if *self.peek() == TokenKind::Star && self.touches(span.end) {
            span.end = self.take().span.end;
            self.check_last_star(span.end)?;
            self.count_term(&span)?;
            self.check_units(&text, &span)?;
            return Ok(Node {
                kind: Kind::Prefix(text),
                span,
            });
        }
        self.phrase(text, span)
    }
}

fn joined(mut parts: Vec<Node>, kind: fn(Vec<Node>) -> Kind) -> Node {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let start = parts.first().map_or(0, |part| part.span.start);
    let end = parts.last().map_or(0, |part| part.span.end);
    Node {
        kind: kind(parts),
        span: start..end,
    }
}

/// Whether what a node matches has a place in the utterance.
fn has_place(node: &Node) -> bool {
    match &node.kind {
        Kind::Phrase(_) | Kind::Prefix(_) | Kind::Words(_) | Kind::Sound(_) => true,
        Kind::Near { .. } => true,
        Kind::Or(parts) => parts.iter().all(has_place),
        _ => false,
    }
}
