//! How the call ended.

use auricle_contracts::{Party, Quote};

use super::promise::Promise;
use super::text::{Sentence, Text};
use super::words::Role;
use super::{CallText, MAX_OUTCOMES, Ranked, best, may_be_agent, may_be_customer};

/// Utterances that are looked at: a third of the call, no fewer and no more than these.
const MIN_CLOSING: usize = 6;
const MAX_CLOSING: usize = 12;
/// A customer's answer of fewer letters beside thanks and goodbyes is none.
const MIN_ANSWER_LETTERS: usize = 2;
/// Intents that are an answer.
const ANSWERS: [&str; 6] = [
    "interested",
    "refuses",
    "complaint",
    "opt_out",
    "callback_request",
    "price_objection",
];

pub(super) fn outcome(
    texts: &[Text<'_>],
    promises: &[Promise],
    call: &CallText<'_, '_>,
) -> Vec<Quote> {
    let n_closing = (texts.len() / 3).clamp(MIN_CLOSING, MAX_CLOSING);
    let from = texts.len().saturating_sub(n_closing);
    let closing = &texts[from..];
    let answer = verdict(closing, call)
        .or_else(|| last_words(closing, |sentence| !sentence.is_question()))
        .or_else(|| last_words(closing, |_| true));
    let promised = promises
        .iter()
        .filter(|promise| promise.text_idx >= from && promise.quote.party != Party::Customer);
    let promised = promised.map(|promise| promise.quote.clone());
    let done = last(closing, |sentence| {
        let found = sentence
            .first(Role::Done)
            .filter(|_| may_be_agent(sentence))?;
        sentence.quote(&found.letters)
    });
    let mut closings: Vec<Quote> = promised.chain(done).collect();
    closings.sort_by_key(|quote| std::cmp::Reverse(quote.start_ms));
    let answer = answer.map(|quote| Ranked {
        rank: u32::MAX,
        quote,
    });
    // The later, the more wanted.
    let closings = (0..u32::MAX).rev().zip(closings);
    let closings = closings.map(|(rank, quote)| Ranked { rank, quote });
    best(answer.into_iter().chain(closings), MAX_OUTCOMES)
}

/// The last quote that `wanted` gives.
fn last<'a>(
    texts: &'a [Text<'a>],
    wanted: impl Fn(&Sentence<'a>) -> Option<Quote>,
) -> Option<Quote> {
    let mut sentences = texts.iter().flat_map(Text::sentences).rev();
    sentences.find_map(|sentence| wanted(&sentence))
}

/// The customer's last yes, no or later.
fn verdict(texts: &[Text<'_>], call: &CallText<'_, '_>) -> Option<Quote> {
    last(texts, |sentence| {
        let is_answer = may_be_customer(sentence)
            && (sentence.has(Role::Verdict)
                || call.is_labelled(sentence.text.said.idx, &ANSWERS)
                || (sentence.has(Role::Payment) && sentence.has(Role::Deadline)));
        let near = sentence
            .first(Role::Verdict)
            .map(|found| found.letters.clone());
        is_answer.then(|| sentence.quote(&near.unwrap_or_else(|| sentence.letters())))?
    })
}

/// The customer's last words that are no goodbye, of those that `wanted` takes.
fn last_words(texts: &[Text<'_>], wanted: impl Fn(&Sentence<'_>) -> bool) -> Option<Quote> {
    last(texts, |sentence| {
        let is_said = may_be_customer(sentence)
            && !sentence.has_secret()
            && wanted(sentence)
            && sentence.n_letters_beside(&[Role::Farewell, Role::Greeting]) >= MIN_ANSWER_LETTERS;
        is_said.then(|| sentence.quote(&sentence.letters()))?
    })
}
