//! What stands behind the name of a field.

use std::ops::Range;

use auricle_contracts::Party;

use super::{MAX_EDITS, MAX_SYLLABLES, Parsed, Parser};
use crate::query::ast::{
    FIELD_NAMES, FieldName, Kind, Node, NumberField, Sound, TextComparison, TextField,
};
use crate::query::error::QueryError;
use crate::query::lexer::{Comparison, Limit, TokenKind};
use crate::query::value;
use crate::sound::FULL_COST;

impl Parser<'_> {
    pub(super) fn field(&mut self, name: &str) -> Parsed {
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
        match nearest(name, names.into_iter()) {
            Some(known) => error.hint(format!("did you mean `{known}:`?")),
            None => error.hint("to search for a text with a colon write it in quotes"),
        }
    }

    /// The word or quoted text after a field.
    fn value(&mut self, expected: &str) -> Result<(String, Range<usize>), QueryError> {
        match self.peek().clone() {
            TokenKind::Word(text) | TokenKind::Quoted(text) => Ok((text, self.take().span)),
            TokenKind::Compare(_) => Err(self.error(expected).hint(
                "<, <=, >, >= and = compare numbers, times, dates and severities, and stand there once",
            )),
            _ => Err(self.error(expected)),
        }
    }

    /// Takes a star that stands for any value of a field.
    fn any_value(&mut self) -> Result<bool, QueryError> {
        let is_any = *self.peek() == TokenKind::Star;
        if is_any {
            let end = self.take().span.end;
            self.check_last_star(end)?;
        }
        Ok(is_any)
    }

    /// A star that ended at `end` is the last of its word: nothing else is looked for.
    pub(super) fn check_last_star(&self, end: usize) -> Result<(), QueryError> {
        let goes_on = matches!(
            self.peek(),
            TokenKind::Word(_) | TokenKind::Quoted(_) | TokenKind::Field(_) | TokenKind::Star
        );
        match goes_on && self.touches(end) {
            false => Ok(()),
            true => Err(self.error("nothing right after a star").hint(
                "a star stands for the rest of a word, not for its beginning or middle: hit:opt*; hit:opt_out finds a rule in all packs",
            )),
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
        if self.any_value()? {
            return Ok(Kind::Text {
                field,
                comparison: TextComparison::Begins,
                value: String::new(),
            });
        }
        if let Some(choices) = value::choices(field) {
            return self.choice(field, choices);
        }
        let quoted = matches!(self.peek(), TokenKind::Quoted(_));
        let (value, span) = self.value(value::expected_text(field))?;
        let starred = *self.peek() == TokenKind::Star && self.touches(span.end);
        let comparison = match (quoted, starred) {
            (true, true) => {
                let hint = "quotes ask for the whole value; leave them out before a star";
                return Err(self.error("no star after a quoted value").hint(hint));
            }
            (true, false) => TextComparison::Is,
            (false, true) => {
                let end = self.take().span.end;
                self.check_last_star(end)?;
                TextComparison::Begins
            }
            // Ids and names: a part of one is not meant.
            (false, false) => match field {
                TextField::Call => TextComparison::Is,
                TextField::Hit | TextField::Intent | TextField::Disposition => {
                    TextComparison::IsNamed
                }
                _ => TextComparison::Contains,
            },
        };
        let is_name = comparison == TextComparison::IsNamed;
        if is_name && value.contains(['?', '？']) {
            let error = self.error_at(span, value::expected_text(field));
            return Err(
                error.hint("`?` stands for itself; a star stands for the rest of a name: hit:opt*")
            );
        }
        let other = value::name_in_chinese(field, &value).filter(|_| is_name);
        let text = |value: String| Kind::Text {
            field,
            comparison,
            value,
        };
        let Some(other) = other else {
            return Ok(text(value));
        };
        // A classifier of one's own may have the very label.
        let kinds = [text(other.to_owned()), text(value)];
        let nodes = kinds.map(|kind| Node {
            kind,
            span: span.clone(),
        });
        Ok(Kind::Or(nodes.into()))
    }

    /// The value of a field that has few.
    fn choice(&mut self, field: TextField, choices: value::Choices) -> Result<Kind, QueryError> {
        let expected = value::expected_choice(choices);
        let (text, span) = self.value(&expected)?;
        let Some(name) = value::choice(choices, &text) else {
            let names = choices.iter().map(|(name, _)| *name);
            let error = self.error_at(span, expected);
            return Err(did_you_mean(error, &text, names));
        };
        Ok(Kind::Text {
            field,
            comparison: TextComparison::Is,
            value: name.to_owned(),
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
        if self.any_value()? {
            let (low, high) = (None, None);
            return Ok(Kind::Range { field, low, high });
        }
        let comparison = match *self.peek() {
            TokenKind::Compare(comparison) => {
                self.take();
                comparison
            }
            _ => Comparison::Equal,
        };
        let value = self.value(value::expected(field));
        let (text, span) = value.map_err(|error| error.hint(example(field)))?;
        if comparison == Comparison::Equal
            && let Some((low, high)) = text.split_once("..")
        {
            return self.span_of_values(field, [low, high], span);
        }
        let value = self.number(field, &text, span)?;
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

    fn number(
        &self,
        field: NumberField,
        text: &str,
        span: Range<usize>,
    ) -> Result<value::ValueSpan, QueryError> {
        let is_range = matches!(self.peek(), TokenKind::Tilde(_)) && self.touches(span.end);
        match value::read(field, text).filter(|_| !is_range) {
            Some(value) => Ok(value),
            None => {
                let end = if is_range { self.span().end } else { span.end };
                let error = self.error_at(span.start..end, value::expected(field));
                Err(error.hint(example(field)))
            }
        }
    }

    /// `from..to`, both ends included, either of them left open.
    fn span_of_values(
        &self,
        field: NumberField,
        ends: [&str; 2],
        span: Range<usize>,
    ) -> Result<Kind, QueryError> {
        let is_empty = ends.concat().is_empty();
        let mut values = [None, None];
        for (value, end) in values.iter_mut().zip(ends) {
            if is_empty || !end.is_empty() {
                *value = Some(self.number(field, end, span.clone())?);
            }
        }
        let low = values[0].map(|value| value.first);
        let high = values[1].map(|value| value.last);
        self.check_order(low, high, span, "swap the two ends")?;
        Ok(Kind::Range { field, low, high })
    }

    fn check_order(
        &self,
        low: Option<f64>,
        high: Option<f64>,
        high_span: Range<usize>,
        hint: &str,
    ) -> Result<(), QueryError> {
        match (low, high) {
            (Some(low), Some(high)) if low > high => Err(self
                .error_at(high_span, "an end that is not before the beginning")
                .hint(hint)),
            _ => Ok(()),
        }
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
        let hint = match open == Limit::Included && close == Limit::Included {
            true => "swap the two ends",
            false => "swap the two ends, or include them: [ and ] instead of { and }",
        };
        self.check_order(low, high, high_span, hint)?;
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

fn example(field: NumberField) -> String {
    let (compare, range) = value::examples(field);
    format!("write for example {compare} or {range}")
}

/// How long a sound must be for so many edits: shorter ones match nearly anything.
const fn least_syllables(edits: u16) -> usize {
    match edits {
        0 => 1,
        1 => 3,
        more => 2 * (more as usize + 1),
    }
}

/// The name that was meant, if one is near.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = names.min_by_key(|known| edits(name, known));
    // Of a short name little must be wrong: nearly every text is near it.
    nearest.filter(|known| edits(name, known) < known.len().min(3))
}

fn did_you_mean<'a>(
    error: QueryError,
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> QueryError {
    match nearest(name, names) {
        Some(known) => error.hint(format!("did you mean `{known}`?")),
        None => error,
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
