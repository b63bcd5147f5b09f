//! Who promises to do what, until when.

use auricle_contracts::Quote;

use super::phrases::Found;
use super::text::{Sentence, Text, overlap};
use super::words::Role;
use super::{Ranked, may_be_agent};

/// A promise in a sentence.
pub(super) struct Promise {
    pub(super) quote: Quote,
    /// Place in the list of texts.
    pub(super) text_idx: usize,
    /// 1 for an action with somebody bound to it or a time; 2 for both, or somebody's word.
    strength: u32,
}

impl Promise {
    pub(super) fn ranked(self) -> Ranked {
        Ranked {
            rank: self.strength,
            quote: self.quote,
        }
    }
}

/// All promises, by time.
pub(super) fn promises(texts: &[Text<'_>]) -> Vec<Promise> {
    let may_promise = |text: &&Text<'_>| {
        [Role::Action, Role::Payment, Role::Pledge]
            .into_iter()
            .any(|role| text.has(role))
    };
    let texts = texts
        .iter()
        .enumerate()
        .filter(|(_, text)| may_promise(text));
    let found = texts.flat_map(|(text_idx, text)| {
        text.sentences()
            .filter_map(move |sentence| promise(&sentence, text_idx))
    });
    found.collect()
}

/// A sentence promises something where its speaker gives his word, or where an action goes with being bound or with
/// a time; not where it asks, threatens, or asks the other to do it.
fn promise(sentence: &Sentence<'_>, text_idx: usize) -> Option<Promise> {
    let unbinding = [Role::Request, Role::Threat];
    if sentence.is_question() || unbinding.into_iter().any(|role| sentence.has(role)) {
        return None;
    }
    let action = action(sentence);
    let commit = sentence.found().find(|found| {
        // What binds must be said beside the action: 给您 alone is in 发给您.
        found.role == Role::Commit
            && action.is_some_and(|action| !overlap(&found.letters, &action.letters))
    });
    let deadline = sentence.first(Role::Deadline);
    let (strength, at) = match (sentence.first(Role::Pledge), action, commit, deadline) {
        (Some(pledge), ..) => (2, pledge),
        (_, Some(action), Some(_), Some(_)) => (2, action),
        (_, Some(action), Some(_), None) | (_, Some(action), None, Some(_)) => (1, action),
        _ => return None,
    };
    let quote = sentence.quote(&at.letters)?;
    Some(Promise {
        quote,
        text_idx,
        strength,
    })
}

/// What agents do for customers; what either pays. A customer's 申请 or 安排 is the agent's to do.
fn action<'a>(sentence: &Sentence<'a>) -> Option<&'a Found> {
    let service = sentence
        .first(Role::Action)
        .filter(|_| may_be_agent(sentence));
    service.or_else(|| sentence.first(Role::Payment))
}
