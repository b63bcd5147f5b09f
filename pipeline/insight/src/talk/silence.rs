//! Silences, told when they are certain.

use std::collections::BTreeMap;

use auricle_contracts::{Party, Stretch};

use super::stretches::length_ms;
use super::turn::{Speaker, Turn};
use super::{Edges, MIN_SILENCE_EVENT_MS};
use crate::TalkEvent;

/// A sweep over all talk in order of time. Talk that starts before a certain time is swept when no other talk
/// can still come that starts before it: each speaker's utterances come in order, so nothing of his lies
/// before the end of his last one.
#[derive(Clone, Debug, Default)]
pub(super) struct Silences {
    edges: Edges,
    /// Talk still to be swept.
    pending: Vec<Stretch>,
    /// End of what was swept; `None` before the first talk.
    covered_ms: Option<u64>,
    /// All talk up to here is known.
    known_ms: u64,
    last_end_ms: BTreeMap<(&'static str, u16), u64>,
}

impl Silences {
    pub(super) fn new(edges: Edges) -> Self {
        Self {
            edges,
            covered_ms: (edges == Edges::WholeCall).then_some(0),
            ..Self::default()
        }
    }

    pub(super) fn turn(&mut self, turn: &Turn, events: &mut Vec<TalkEvent>) {
        self.pending.extend(&turn.talk);
        let end_ms = self.last_end_ms.entry(key(turn.speaker)).or_default();
        *end_ms = turn.span.end_ms.max(*end_ms);
        self.known(self.heard_ms(), events);
    }

    /// Up to where everybody was heard; 0 while one side of a call with two has not been.
    fn heard_ms(&self) -> u64 {
        let is_there = |party: Party| {
            let mut speakers = self.last_end_ms.keys();
            speakers.any(|(name, _)| *name == party.as_str())
        };
        let is_complete =
            is_there(Party::Unknown) || (is_there(Party::Agent) && is_there(Party::Customer));
        let earliest = self.last_end_ms.values().min().copied();
        earliest.filter(|_| is_complete).unwrap_or(0)
    }

    /// All talk before `until_ms` has been given.
    pub(super) fn known(&mut self, until_ms: u64, events: &mut Vec<TalkEvent>) {
        self.known_ms = self.known_ms.max(until_ms);
        self.pending.sort_by_key(|talk| talk.start_ms);
        let n_known = self
            .pending
            .partition_point(|talk| talk.start_ms <= self.known_ms);
        for talk in self.pending.drain(..n_known) {
            let silence = Stretch {
                start_ms: self.covered_ms.unwrap_or(talk.start_ms),
                end_ms: talk.start_ms,
            };
            tell(silence, events);
            self.covered_ms = self.covered_ms.max(Some(talk.end_ms));
        }
    }

    /// From the last talk to `now_ms`.
    pub(super) fn open(&self, now_ms: u64) -> Option<Stretch> {
        let pending = self.pending.iter().map(|talk| talk.end_ms).max();
        let start_ms = self.covered_ms.max(pending)?;
        (start_ms < now_ms).then_some(Stretch {
            start_ms,
            end_ms: now_ms,
        })
    }

    pub(super) fn finish(&mut self, duration_ms: u64, events: &mut Vec<TalkEvent>) {
        self.known(u64::MAX, events);
        if let (Edges::WholeCall, Some(start_ms)) = (self.edges, self.covered_ms) {
            let silence = Stretch {
                start_ms,
                end_ms: duration_ms,
            };
            tell(silence, events);
            self.covered_ms = Some(duration_ms.max(start_ms));
        }
    }
}

fn tell(silence: Stretch, events: &mut Vec<TalkEvent>) {
    if length_ms(silence) >= MIN_SILENCE_EVENT_MS {
        events.push(TalkEvent::Silence(silence));
    }
}

const fn key((party, channel): Speaker) -> (&'static str, u16) {
    (party.as_str(), channel)
}
