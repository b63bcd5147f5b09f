//! From tokens to meaning, by recursive descent. The grammar is in `docs/query-language.md`.

use std::ops::Range;

use auricle_contracts::Party;

use crate::sound::FULL_COST;
use crate::units;

use super::ast::{
    FIELD_NAMES, FieldName, Kind, Node, NumberField, Order, Sound, TextComparison, TextField,
};
use super::error::QueryError;
use super::lexer::{Comparison, Limit, Token, TokenKind, tokenize};
use super::value;

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
            self.count_term(&span)?;
            self.check_units(&text, &span)?;
            return Ok(Node {
                kind: Kind::Prefix(text),
                span,
            });
        }
        self.phrase(text, span)
    }

    fn field(&mut self, name: &str) -> Parsed {
        let start = self.span().start;
        let Some((_, field)) = FIELD_NAMES.iter().find(|(known, _)| *known == name) else {
            return Err(self.unknown_field(name));
        };
        let end = self.take().span.end;
        self.count_term(&(start..end))?;
        let kind = match field {
            FieldName::Party => self.party()?,
            FieldName::Sound => self.sound(start)?,
            FieldName::Word => self.whole_words()?,
            FieldName::Text(field) => self.text_field(*field)?,
            FieldName::Number(field) => self.number_field(*field)?,
        };
        let end = self.tokens[self.next - 1].span.end;
        Ok(Node {
            kind,
            span: start..end,
        })
    }

    fn unknown_field(&self, name: &str) -> QueryError {
        let names: Vec<&str> = FIELD_NAMES.iter().map(|(known, _)| *known).collect();
        let error = self.error(format!("one of the fields {}", names.join(", ")));
        let nearest = names.iter().min_by_key(|known| edits(name, known));
        match nearest.filter(|known| edits(name, known) <= 2) {
            Some(known) => error.hint(format!("did you mean `{known}:`?")),
            None => error.hint("to search for a text with a colon write it in quotes"),
        }
    }

    /// The word or quoted text after a field.
    fn value(&mut self, expected: &str) -> Result<(String, Range<usize>), QueryError> {
        match self.peek().clone() {
            TokenKind::Word(text) | TokenKind::Quoted(text) => Ok((text, self.take().span)),
            _ => Err(self.error(expected)),
        }
    }

    fn party(&mut self) -> Result<Kind, QueryError> {
        let expected = "agent, customer or unknown";
        let (text, span) = self.value(expected)?;
        let party = match text.to_lowercase().as_str() {
            "agent" | "坐席" | "座席" | "客服" => Party::Agent,
            "customer" | "客户" => Party::Customer,
            "unknown" | "未知" => Party::Unknown,
            _ => return Err(self.error_at(span, expected)),
        };
        Ok(Kind::Party(party))
    }

    fn whole_words(&mut self) -> Result<Kind, QueryError> {
        let (text, span) = self.value("a word or words in quotes")?;
        self.check_units(&text, &span)?;
        Ok(Kind::Words(text))
    }

    fn text_field(&mut self, field: TextField) -> Result<Kind, QueryError> {
        let quoted = matches!(self.peek(), TokenKind::Quoted(_));
        let (value, span) = self.value("a value, or a value in quotes")?;
        let starred = *self.peek() == TokenKind::Star && self.touches(span.end);
        let comparison = match (quoted, starred) {
            (true, true) => {
                let hint = "quotes ask for the whole value; leave them out before a star";
                return Err(self.error("no star after a quoted value").hint(hint));
            }
            (true, false) => TextComparison::Is,
            (false, true) => {
                self.take();
                TextComparison::Begins
            }
            // Ids are names: a part of one is not meant.
            (false, false) if field == TextField::Call => TextComparison::Is,
            (false, false) => TextComparison::Contains,
        };
        Ok(Kind::Text {
            field,
            comparison,
            value,
        })
    }

    fn sound(&mut self, start: usize) -> Result<Kind, QueryError> {
        let (text, span) =
            self.value("hanzi or pinyin, like sound:保证 or sound:\"bao3 zheng4\"")?;
        let syllables = value::syllables(&text).map_err(|part| {
            self.error_at(span.clone(), "hanzi or pinyin").hint(format!(
                "`{part}` cannot be read; write pinyin like bao3, bao or lv4"
            ))
        })?;
        let mut budget = 0;
        let mut end = span.end;
        if let TokenKind::Tilde(number) = self.peek().clone() {
            budget = self.distance(&number)?;
            end = self.take().span.end;
        }
        match syllables.len() {
            0 => Err(self.error_at(span, "at least one syllable")),
            n if n > MAX_SYLLABLES => {
                Err(self.error_at(span, format!("at most {MAX_SYLLABLES} syllables")))
            }
            n if n < least_syllables(budget / FULL_COST) => {
                let least = least_syllables(budget / FULL_COST);
                Err(self
                    .error_at(
                        start..end,
                        format!("at least {least} syllables for this distance"),
                    )
                    .hint("almost everything sounds like so short a text; ~0.6 allows near sounds"))
            }
            _ => Ok(Kind::Sound(Sound { syllables, budget })),
        }
    }

    /// The distance after `~` in twentieths; 1 without a number.
    fn distance(&self, number: &str) -> Result<u16, QueryError> {
        let edits = if number.is_empty() {
            Ok(1.0)
        } else {
            number.parse::<f32>()
        };
        match edits {
            Ok(edits) if edits <= f32::from(MAX_EDITS) => {
                Ok((edits * f32::from(FULL_COST)).round() as u16)
            }
            _ => Err(self.error(format!(
                "a distance from ~0 to ~{MAX_EDITS}, like ~1 or ~0.5"
            ))),
        }
    }

    fn number_field(&mut self, field: NumberField) -> Result<Kind, QueryError> {
        if let TokenKind::RangeOpen(limit) = *self.peek() {
            self.take();
            return self.range(field, limit);
        }
        let comparison = match *self.peek() {
            TokenKind::Compare(comparison) => {
                self.take();
                comparison
            }
            _ => Comparison::Equal,
        };
        let expected = value::expected(field);
        let (text, span) = self.value(expected)?;
        let value = value::read(field, &text).ok_or_else(|| self.error_at(span, expected))?;
        let step = value::step(field);
        let (low, high) = match comparison {
            Comparison::Less => (None, Some(value.first - step)),
            Comparison::LessOrEqual => (None, Some(value.last)),
            Comparison::Greater => (Some(value.last + step), None),
            Comparison::GreaterOrEqual => (Some(value.first), None),
            Comparison::Equal => (Some(value.first), Some(value.last)),
        };
        Ok(Kind::Range { field, low, high })
    }

    /// What stands between brackets, from behind the first.
    fn range(&mut self, field: NumberField, open: Limit) -> Result<Kind, QueryError> {
        let step = value::step(field);
        let low = self.range_end(field)?.map(|value| match open {
            Limit::Included => value.first,
            Limit::Excluded => value.last + step,
        });
        match self.peek() {
            TokenKind::Word(word) if word == "TO" => self.take(),
            _ => {
                let hint = "a range is written [from TO to], with * for an open end";
                return Err(self.error("TO").hint(hint));
            }
        };
        let high_span = self.span();
        let high = self.range_end(field)?;
        let TokenKind::RangeClose(close) = *self.peek() else {
            return Err(self.error("`]` or `}`"));
        };
        self.take();
        let high = high.map(|value| match close {
            Limit::Included => value.last,
            Limit::Excluded => value.first - step,
        });
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            let expected = "an end that is not before the beginning";
            let hint = match open == Limit::Included && close == Limit::Included {
                true => "swap the two ends",
                false => "swap the two ends, or include them: [ and ] instead of { and }",
            };
            return Err(self.error_at(high_span, expected).hint(hint));
        }
        Ok(Kind::Range { field, low, high })
    }

    fn range_end(&mut self, field: NumberField) -> Result<Option<value::ValueSpan>, QueryError> {
        if *self.peek() == TokenKind::Star {
            self.take();
            return Ok(None);
        }
        let expected = format!("{} or *", value::expected(field));
        let (text, span) = self.value(&expected)?;
        match value::read(field, &text) {
            Some(value) => Ok(Some(value)),
            None => Err(self.error_at(span, expected)),
        }
    }
}

/// How long a sound must be for so many edits: shorter ones match nearly anything.
const fn least_syllables(edits: u16) -> usize {
    match edits {
        0 => 1,
        1 => 3,
        more => 2 * (more as usize + 1),
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

/// Levenshtein's distance, for suggestions.
fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
