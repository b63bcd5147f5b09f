//! Reason, outcome, promises and numbers, in the call's own words.
//!
//! Nothing is worded anew: every text is a piece of an utterance's written form. Sentences are chosen by phrases
//! that give them away, matched by their letters and by their sounds, so that a misheard homophone
//! does not hide them. Personal data, and digits in such number that they could be some, are in none.
//!
//! | list | what is in it | at most |
//! | --- | --- | --- |
//! | reason | the first statement of the agent's purpose or the customer's problem, in the first two fifths of the call; without either, the first thing said that is more than a greeting | 1 |
//! | outcome | in the last third: the customer's last answer, and the agent's last commitments or results | 3 |
//! | promises | what a party says that it, or its side, will do: before others those with a time or somebody's word | 6 |
//! | numbers | amounts and rates before dates and times, those before counts, counts before mere days | 8 |
//!
//! Each list is in the order of time in the end, and has no text twice.

mod numbers;
mod outcome;
mod phrases;
mod promise;
mod reason;
mod text;
mod words;

#[cfg(test)]
mod tests;

use auricle_contracts::{Hit, Party, PiiSpan, Quote, Summary, UtteranceInsight};

use crate::Spoken;
use promise::Promise;
use text::{Sentence, Text};

const MAX_OUTCOMES: usize = 3;
const MAX_PROMISES: usize = 6;
const MAX_NUMBERS: usize = 8;
/// Intents that are less sure do not count.
const MIN_INTENT: f32 = 0.6;

/// A call, heard and judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallText<'a, 'u> {
    /// What was said, in the transcript's order.
    pub spoken: &'a [Spoken<'u>],
    /// What belongs to the utterances of the transcript; may be empty.
    pub utterances: &'a [UtteranceInsight],
    /// Rules that fired; may be empty.
    pub hits: &'a [Hit],
    /// Personal data, which no quote may have.
    pub pii: &'a [PiiSpan],
}

impl CallText<'_, '_> {
    /// Whether the utterance has one of these intents, or set off a rule of the same name.
    fn is_labelled(&self, utterance: usize, labels: &[&str]) -> bool {
        let intents = self.utterances.get(utterance);
        let mut intents = intents.into_iter().flat_map(|insight| &insight.intents);
        let mut hits = self.hits.iter().filter(|hit| {
            let mut evidence = hit.evidence.iter();
            evidence.any(|evidence| evidence.utterance == Some(utterance))
        });
        intents.any(|intent| {
            intent.confidence >= MIN_INTENT && labels.contains(&intent.label.as_str())
        }) || hits.any(|hit| labels.contains(&hit.rule.as_str()))
    }
}

/// Sums a call up. `disposition` is left open: it follows from intents.
pub fn summarize(call: &CallText<'_, '_>) -> Summary {
    let mut texts: Vec<Text<'_>> = call
        .spoken
        .iter()
        .map(|said| Text::new(said, call.pii))
        .collect();
    texts.sort_by_key(|text| (text.said.utterance.start_ms, text.said.idx));
    let promises = promise::promises(&texts);
    Summary {
        reason: reason::reason(&texts, call).into_iter().collect(),
        outcome: outcome::outcome(&texts, &promises, call),
        promises: best(promises.into_iter().map(Promise::ranked), MAX_PROMISES),
        numbers: best(numbers::numbers(&texts), MAX_NUMBERS),
        disposition: None,
    }
}

/// Something that may be quoted, and how much it is wanted.
struct Ranked {
    rank: u32,
    quote: Quote,
}

/// The `most` that are wanted most (the earlier where two are wanted alike), by time, no text twice.
fn best(ranked: impl IntoIterator<Item = Ranked>, most: usize) -> Vec<Quote> {
    let mut ranked: Vec<Ranked> = ranked.into_iter().collect();
    ranked.sort_by_key(|ranked| std::cmp::Reverse(ranked.rank));
    let mut quotes: Vec<Quote> = Vec::new();
    for Ranked { quote, .. } in ranked {
        let is_known = quotes.iter().any(|known| is_same(known, &quote));
        if !is_known && quotes.len() < most {
            quotes.push(quote);
        }
    }
    quotes.sort_by_key(|quote| (quote.start_ms, quote.utterance));
    quotes
}

/// The same words, or a part of the same place.
fn is_same(a: &Quote, b: &Quote) -> bool {
    letters(&a.text) == letters(&b.text) || (a.utterance == b.utterance && a.start_ms == b.start_ms)
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect()
}

/// The customer, or who may be he where parties are not known.
fn may_be_customer(sentence: &Sentence<'_>) -> bool {
    sentence.party() != Party::Agent
}

fn may_be_agent(sentence: &Sentence<'_>) -> bool {
    sentence.party() != Party::Customer
}
