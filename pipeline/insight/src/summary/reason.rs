//! Why there was a call.

use std::ops::Range;

use auricle_contracts::Quote;

use super::text::{Sentence, Text};
use super::words::Role;
use super::{CallText, MAX_REASONS, Ranked, best, may_be_agent, may_be_customer};

/// Utterances that are always looked at, however short the call.
const MIN_OPENING: usize = 8;
/// A sentence of fewer letters says nothing.
const MIN_LETTERS: usize = 6;
/// Intents that are a reason to call.
const REASONS: [&str; 2] = ["complaint", "opt_out"];

pub(super) fn reason(texts: &[Text<'_>], call: &CallText<'_, '_>) -> Vec<Quote> {
    let n = texts.len();
    let opening = &texts[..(n * 2 / 5).max(MIN_OPENING).min(n)];
    let purpose = first(opening, |sentence| {
        let found = sentence
            .first(Role::Purpose)
            .filter(|_| may_be_agent(sentence))?;
        sentence.quote_after(Role::Greeting, &found.letters)
    });
    let problem = first(opening, |sentence| {
        let is_reason = || call.is_labelled(sentence.text.said.idx, &REASONS);
        let found = sentence
            .first(Role::Problem)
            .map(|found| found.letters.clone());
        let found = found.or_else(|| is_reason().then(|| sentence.letters()));
        let found = found.filter(|_| may_be_customer(sentence))?;
        sentence.quote_after(Role::Greeting, &found)
    });
    let reasons: Vec<Quote> = [purpose, problem].into_iter().flatten().collect();
    let reasons = match reasons.is_empty() {
        false => reasons,
        true => Vec::from_iter(wish(opening).or_else(|| anything(opening))),
    };
    best(
        reasons.into_iter().map(|quote| Ranked { rank: 0, quote }),
        MAX_REASONS,
    )
}

/// The first quote that `wanted` gives.
fn first<'a>(
    texts: &'a [Text<'a>],
    wanted: impl Fn(&Sentence<'a>) -> Option<Quote>,
) -> Option<Quote> {
    let mut sentences = texts.iter().flat_map(Text::sentences);
    sentences.find_map(|sentence| wanted(&sentence))
}

/// What the customer wants, in words that could mean less.
fn wish(texts: &[Text<'_>]) -> Option<Quote> {
    first(texts, |sentence| {
        let found = sentence
            .first(Role::Wish)
            .filter(|_| may_be_customer(sentence))?;
        let is_more = sentence.n_letters_beside(&[Role::Wish, Role::Greeting]) >= 2;
        is_more.then(|| sentence.quote_after(Role::Greeting, &found.letters))?
    })
}

/// The first sentence with something beside greetings.
fn anything(texts: &[Text<'_>]) -> Option<Quote> {
    let is_said = |sentence: &Sentence<'_>| {
        !sentence.has(Role::Greeting) && sentence.n_letters_beside(&[Role::Farewell]) >= MIN_LETTERS
    };
    let whole = |sentence: &Sentence<'_>| -> Range<usize> { sentence.letters() };
    first(texts, |sentence| {
        let is_agents = is_said(sentence) && may_be_agent(sentence);
        is_agents.then(|| sentence.quote(&whole(sentence)))?
    })
    .or_else(|| {
        first(texts, |sentence| {
            is_said(sentence).then(|| sentence.quote(&whole(sentence)))?
        })
    })
}
