//! Why there was a call.

use auricle_contracts::Quote;

use super::text::{Sentence, Text};
use super::words::Role;
use super::{CallText, may_be_agent, may_be_customer};

/// Utterances that are always looked at, however short the call.
const MIN_OPENING: usize = 5;
/// A sentence of fewer letters says nothing.
const MIN_LETTERS: usize = 6;
/// What a customer wants must say what.
const MIN_WISH_LETTERS: usize = 2;
/// Intents that are a reason to call.
const REASONS: [&str; 2] = ["complaint", "opt_out"];

/// The first statement of why; `None` where nothing is said but greetings.
pub(super) fn reason(texts: &[Text<'_>], call: &CallText<'_, '_>) -> Option<Quote> {
    let n = texts.len();
    let opening = &texts[..(n * 2 / 5).max(MIN_OPENING).min(n)];
    first(opening, |sentence| {
        purpose(sentence).or_else(|| problem(sentence, call))
    })
    .or_else(|| anything(opening, may_be_agent))
    .or_else(|| anything(opening, |_| true))
}

/// The first quote that `wanted` gives.
fn first<'a>(
    texts: &'a [Text<'a>],
    wanted: impl Fn(&Sentence<'a>) -> Option<Quote>,
) -> Option<Quote> {
    let mut sentences = texts.iter().flat_map(Text::sentences);
    sentences.find_map(|sentence| wanted(&sentence))
}

/// What the agent calls for.
fn purpose(sentence: &Sentence<'_>) -> Option<Quote> {
    let found = sentence.first_without(Role::Purpose, Role::Notice);
    let found = found.filter(|_| may_be_agent(sentence))?;
    sentence.quote_after(Role::Greeting, &found.letters)
}

/// What the customer lacks or wants.
fn problem(sentence: &Sentence<'_>, call: &CallText<'_, '_>) -> Option<Quote> {
    if !may_be_customer(sentence) {
        return None;
    }
    let problem = sentence.first(Role::Problem);
    let wish = || {
        let wish = sentence.first(Role::Wish);
        wish.filter(|_| {
            sentence.n_letters_beside(&[Role::Wish, Role::Greeting]) >= MIN_WISH_LETTERS
        })
    };
    let near = problem.or_else(wish).map(|found| found.letters.clone());
    let is_labelled = || call.is_labelled(sentence.text.said.idx, &REASONS);
    let near = near.or_else(|| is_labelled().then(|| sentence.letters()))?;
    sentence.quote_after(Role::Greeting, &near)
}

/// The first sentence with something beside greetings, of those `whose` takes.
fn anything(texts: &[Text<'_>], whose: impl Fn(&Sentence<'_>) -> bool) -> Option<Quote> {
    first(texts, |sentence| {
        let is_said = whose(sentence)
            && ![Role::Greeting, Role::Notice]
                .into_iter()
                .any(|role| sentence.has(role))
            && sentence.n_letters_beside(&[Role::Farewell]) >= MIN_LETTERS;
        is_said.then(|| sentence.quote(&sentence.letters()))?
    })
}
