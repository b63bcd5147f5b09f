//! Reads score cards, and says in which line what is wrong with them.

use std::collections::BTreeSet;
use std::fmt;

use serde_saphyr::{Location, Options, Spanned};
use thiserror::Error;

use super::format::{AnsweredBy, AppliesWhen, Card, MetricRange, Question};
use super::score::RULE_ITEM;
use crate::plainly;

/// Larger files are refused.
const MOST_BYTES: usize = 1 << 20;

/// What is wrong with a score card.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct CardError {
    /// The file, as its reader named it.
    pub file: String,
    /// Line and column, from 1; `None` where it is the whole file.
    pub place: Option<(u64, u64)>,
    /// What is wrong.
    pub cause: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

impl fmt::Display for CardError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.file)?;
        if let Some((line, column)) = self.place {
            write!(out, "{line}:{column}:")?;
        }
        write!(out, " {}", self.cause)?;
        match self.hint.as_str() {
            "" => Ok(()),
            hint => write!(out, "\nhint: {hint}"),
        }
    }
}

/// What is wrong, before the file's name is put to it.
struct Mistake {
    at: Option<Location>,
    cause: String,
    hint: &'static str,
}

type Checked = Result<(), Mistake>;

fn mistake(at: Option<Location>, cause: String, hint: &'static str) -> Mistake {
    Mistake { at, cause, hint }
}

pub(super) fn read(bytes: &[u8], file: &str) -> Result<Card, CardError> {
    parse(bytes).map_err(|mistake| CardError {
        file: file.to_owned(),
        place: mistake.at.map(|at| (at.line(), at.column())),
        cause: mistake.cause,
        hint: mistake.hint.to_owned(),
    })
}

fn parse(bytes: &[u8]) -> Result<Card, Mistake> {
    if bytes.len() > MOST_BYTES {
        let cause = format!(
            "the card has `{}` bytes, more than `{MOST_BYTES}`",
            bytes.len()
        );
        return Err(mistake(None, cause, "split it into several cards"));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1;
        let cause = format!("line {line} is not UTF-8");
        mistake(
            None,
            cause,
            "save the file as UTF-8; Chinese text is often saved as GBK",
        )
    })?;
    if text.trim().is_empty() {
        return Err(mistake(
            None,
            "the card is empty".into(),
            "it begins with `card: NAME`",
        ));
    }
    let card: Card = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let location = error.location();
        let cause = error.without_snippet().to_string();
        let cause = cause.lines().next().unwrap_or_default().trim();
        let cause = without_place(cause);
        mistake(location, in_words(&cause), hint_for(&cause))
    })?;
    check(&card)?;
    Ok(card)
}

fn options() -> Options {
    serde_saphyr::options! {
        with_snippet: false,
        strict_booleans: true,
    }
}

/// The place stands before the cause already.
fn without_place(cause: &str) -> String {
    let cause = match (cause.rfind(" at line "), cause.strip_prefix("error: ")) {
        (_, Some(cause)) => cause,
        (Some(at), None) => &cause[..at],
        (None, None) => cause,
    };
    cause.to_owned()
}

/// What the YAML reader says, in words for people who write cards.
fn in_words(cause: &str) -> String {
    for (said, meant) in [
        ("expected sequence start", "expected a list"),
        ("expected mapping start", "expected keys with values"),
        ("expected string scalar", "expected text"),
        ("invalid floating point", "expected a number"),
        ("invalid integer", "expected a whole number"),
        ("invalid boolean", "expected `true` or `false`"),
    ] {
        if cause.starts_with(said) {
            return meant.to_owned();
        }
    }
    match cause.strip_prefix("duplicate mapping key: ") {
        Some(rest) => format!(
            "`{}` is there twice",
            rest.split(',').next().unwrap_or(rest)
        ),
        None => plainly(cause),
    }
}

fn hint_for(cause: &str) -> &'static str {
    match cause {
        _ if cause.contains("expected sequence start") => {
            "write a list, `[a, b]` or `- a` in lines of their own"
        }
        _ if cause.contains("expected mapping start") => "write `key: value` in lines of their own",
        _ if cause.contains("invalid floating") || cause.contains("invalid integer") => "",
        _ if cause.contains("invalid boolean") => "",
        _ if cause.contains("unknown field") || cause.contains("unknown variant") => {
            "docs/scorecards.md lists what a card may say"
        }
        _ if cause.contains("missing field") => {
            "a card needs `card` and `sections`, a section `title` and `questions`, a question `id` and `question`"
        }
        _ if cause.contains("duplicate") => "take one of the two away",
        _ => "quote texts that hold any of : # [ ] { } , & * ! | > ' \" % @",
    }
}

fn check(card: &Card) -> Checked {
    let whole = |cause: &str, hint| Err(mistake(None, cause.into(), hint));
    if card.card.trim().is_empty() {
        return whole(
            "`card` is empty",
            "give the card a short name, as in `card: zh-telemarketing`",
        );
    }
    if !(0.0..=100.0).contains(&card.pass_mark) {
        let cause = format!("`pass_mark` must be 0 to 100, got `{}`", card.pass_mark);
        return whole(&cause, "");
    }
    if card.sections.is_empty() {
        return whole(
            "the card has no sections",
            "add `sections`, each with a `title` and `questions`",
        );
    }
    check_when(card.applies_when.as_ref(), None)?;
    let mut ids = BTreeSet::new();
    for section in &card.sections {
        let at = Some(section.title.referenced);
        check_weight(section.weight, &section.title)?;
        if section.questions.is_empty() {
            let cause = format!("section `{}` has no questions", section.title.value);
            return Err(mistake(
                at,
                cause,
                "add `questions`, or take the section away",
            ));
        }
        for question in &section.questions {
            check_question(question)?;
            if !ids.insert(question.id()) {
                let cause = format!(
                    "`id` must be the only one of its name, got `{}` twice",
                    question.id()
                );
                return Err(mistake(
                    Some(question.id.referenced),
                    cause,
                    "give one of the two another id",
                ));
            }
        }
    }
    let weight: f32 = card.sections.iter().map(|section| section.weight).sum();
    let questions = card
        .questions()
        .map(|question| question.weight)
        .sum::<f32>();
    if !(weight > 0.0 && questions > 0.0) {
        return whole(
            "all weights are zero",
            "give the sections and questions that matter a `weight`",
        );
    }
    Ok(())
}

fn check_weight(weight: f32, of: &Spanned<String>) -> Checked {
    if weight.is_finite() && weight >= 0.0 {
        return Ok(());
    }
    let cause = format!(
        "`weight` of `{}` must be 0 or more, got `{weight}`",
        of.value
    );
    Err(mistake(Some(of.referenced), cause, ""))
}

fn check_question(question: &Question) -> Checked {
    let at = Some(question.id.referenced);
    let id = question.id();
    let wrong = |cause: String, hint| Err(mistake(at, cause, hint));
    if id.trim().is_empty() || id.starts_with(RULE_ITEM) {
        return wrong(
            format!("`id` must be a name that does not begin with `{RULE_ITEM}`, got `{id}`"),
            "",
        );
    }
    check_weight(question.weight, &question.id)?;
    let is_judged = !question.unless_rules.is_empty()
        || !question.needs_rules.is_empty()
        || question.metric.is_some();
    match (question.answer, is_judged) {
        (AnsweredBy::Auto, false) => {
            return wrong(
                format!("nothing answers question `{id}`"),
                "add `unless_rules`, `needs_rules` or `metric`, or leave it to a person with `answer: manual`",
            );
        }
        (AnsweredBy::Manual, true) => {
            return wrong(
                format!("question `{id}` is left to a person and has rules or a metric, too"),
                "take `answer: manual` away: people can answer every question otherwise later",
            );
        }
        _ => {}
    }
    if let Some(deduct) = question.deduct_per_hit {
        if question.unless_rules.is_empty() {
            return wrong(
                format!("`deduct_per_hit` of question `{id}` has no `unless_rules`"),
                "name the rules whose hits cost points in `unless_rules`",
            );
        }
        if !(deduct.is_finite() && deduct > 0.0) {
            return wrong(
                format!("`deduct_per_hit` of question `{id}` must be above 0, got `{deduct}`"),
                "",
            );
        }
    }
    if let Some(range) = &question.metric {
        check_range(range, question)?;
    }
    check_when(question.applies_when.as_ref(), at)
}

fn check_range(range: &MetricRange, question: &Question) -> Checked {
    let id = question.id();
    let at = Some(question.id.referenced);
    let (min, max) = (range.min, range.max);
    if min.is_none() && max.is_none() {
        let cause = format!("`metric` of question `{id}` has no range");
        return Err(mistake(at, cause, "add `min`, `max` or both"));
    }
    let is_number = |limit: Option<f32>| limit.is_none_or(f32::is_finite);
    let is_range = min.zip(max).is_none_or(|(min, max)| min <= max);
    if !is_number(min) || !is_number(max) || !is_range {
        let cause = format!(
            "`metric` of question `{id}` must have numbers, `min` at most `max`, got `{range}`"
        );
        return Err(mistake(at, cause, ""));
    }
    Ok(())
}

fn check_when(when: Option<&AppliesWhen>, at: Option<Location>) -> Checked {
    let Some(when) = when else { return Ok(()) };
    if !(0.0..=1.0).contains(&when.at_least) {
        let cause = format!("`at_least` must be 0 to 1, got `{}`", when.at_least);
        return Err(mistake(at, cause, ""));
    }
    let says_metadata = when.metadata.as_ref().is_some_and(|metadata| {
        [&metadata.agent, &metadata.campaign, &metadata.region]
            .into_iter()
            .any(|values| !values.is_empty())
    });
    let says_names = [&when.rules, &when.no_rules, &when.intents]
        .into_iter()
        .any(|names| !names.is_empty());
    if says_names || when.party.is_some() || says_metadata {
        return Ok(());
    }
    let hint = "name `rules`, `no_rules`, `intents`, a `party` or `metadata`, or take it away";
    Err(mistake(at, "`applies_when` says nothing".into(), hint))
}
