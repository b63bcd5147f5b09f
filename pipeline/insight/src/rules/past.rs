//! What held before: conditions that look back.

use std::collections::VecDeque;
use std::ops::Range;

use super::evaluate::{Evaluator, Held, Moment, Proof};
use super::format::Side;
use super::limit::Limit;
use super::program::{Link, Look, NodeId, WatchId, Within};

/// Utterances whose place in the call is known, for what turns out late; numbers said in parts are no longer.
pub(super) const MOST_RECENT: usize = 64;

/// A time at which a watched condition held.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) held: Held,
    /// Utterances before it, of all parties.
    pub(super) n_before: u32,
    pub(super) proofs: Vec<Proof>,
}

/// What is remembered of a watched condition.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// The last times it held, by start.
    pub(super) past: VecDeque<Past>,
    /// The earliest start of what was found.
    pub(super) first_start_ms: Option<u64>,
    /// Until when one of the times it held may count.
    pub(super) limit: Option<Limit>,
    /// The last utterances in which it held.
    utterances: VecDeque<usize>,
}

impl Memory {
    /// It held; `utterance` is the one that the moment is about. The last `n_kept` times are kept.
    pub(super) fn remember(&mut self, past: Past, utterance: Option<usize>, n_kept: usize) {
        let start_ms = past.held.start_ms;
        let first_ms = self.first_start_ms.unwrap_or(u64::MAX);
        self.first_start_ms = Some(first_ms.min(start_ms));
        self.limit = Some(match &self.limit {
            Some(known) => known.or(&past.held.limit),
            None => past.held.limit.clone(),
        });
        self.utterances.extend(utterance);
        if self.utterances.len() > MOST_RECENT {
            self.utterances.pop_front();
        }
        // What turns out late was before others that are known.
        let place = self.begun_by(start_ms);
        self.past.insert(place, past);
        if self.past.len() > n_kept {
            self.past.pop_front();
        }
    }

    /// Whether it held in an utterance, one of the last [`MOST_RECENT`].
    pub(super) fn held_in(&self, utterance: usize) -> bool {
        self.utterances.contains(&utterance)
    }

    /// How many of the times that are kept began by then.
    fn begun_by(&self, at_ms: u64) -> usize {
        self.past
            .partition_point(|past| past.held.start_ms <= at_ms)
    }
}

/// Where something stands in the call.
#[derive(Clone, Copy)]
struct Spot {
    start_ms: u64,
    end_ms: u64,
    n_before: u32,
}

impl Spot {
    const fn new(held: &Held, n_before: u32) -> Self {
        Self {
            start_ms: held.start_ms,
            end_ms: held.end_ms,
            n_before,
        }
    }

    /// Whether the two are no farther apart.
    fn is_near(&self, other: &Self, within: Within) -> bool {
        let n_between = self.n_before.abs_diff(other.n_before);
        let gap_ms = |one: &Self, other: &Self| other.start_ms.saturating_sub(one.end_ms);
        let gap_ms = gap_ms(self, other).max(gap_ms(other, self));
        within.utterances.is_none_or(|most| n_between <= most)
            && within.ms.is_none_or(|most| gap_ms <= most)
    }
}

impl Past {
    const fn spot(&self) -> Spot {
        Spot::new(&self.held, self.n_before)
    }
}

/// Where the other of two things was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// In this moment, too.
    Now,
    /// By place in its memory.
    Before(usize),
}

impl Evaluator<'_> {
    pub(super) fn in_call(&self, watch: WatchId) -> Option<Held> {
        let memory = &self.call.memories[watch];
        // What turns out late is judged by what had been said by then.
        let was_before = match self.moment {
            Moment::Late(..) => {
                let first_ms = memory.first_start_ms;
                first_ms.is_some_and(|first_ms| first_ms <= self.moment.end_ms())
            }
            _ => true,
        };
        // It holds now; what it rests on may be long ago.
        let limits = [
            self.now.watch(watch).map(|held| &held.limit),
            memory.limit.as_ref().filter(|_| was_before),
        ];
        let mut limits = limits.into_iter().flatten();
        let first = limits.next()?;
        let limit = limits.fold(first.clone(), |limit, other| limit.or(other));
        Some(self.here(limit))
    }

    pub(super) fn after(&mut self, later: NodeId, link: &Link) -> Option<Held> {
        let held = self.holds(later)?;
        let limit = match self.other(&held, link)? {
            Other::Now => &self.now.watch(link.watch)?.limit,
            Other::Before(place) => {
                let memory = &self.call.memories[link.watch];
                &memory.past.get(place)?.held.limit
            }
        };
        let limit = held.limit.and(limit);
        Some(Held { limit, ..held })
    }

    /// Where the other of two things is when the one is `held`: the last that is near.
    pub(super) fn other(&self, held: &Held, link: &Link) -> Option<Other> {
        let comes_after = |one: &Held, other: &Held| other.first_end_ms <= one.last_start_ms;
        let fits_now = |now: &Held| match link.look {
            Look::Back => comes_after(held, now),
            Look::BothWays => comes_after(held, now) || comes_after(now, held),
        };
        if self.now.watch(link.watch).is_some_and(fits_now) {
            return Some(Other::Now);
        }
        let memory = &self.call.memories[link.watch];
        // People talk at once: it is enough that the other had begun before this was over.
        let n = match link.look {
            Look::Back => memory.begun_by(held.end_ms),
            Look::BothWays => memory.past.len(),
        };
        let here = self.spot(held);
        let is_near = |place: &usize| memory.past[*place].spot().is_near(&here, link.within);
        (0..n).rev().find(is_near).map(Other::Before)
    }

    fn spot(&self, held: &Held) -> Spot {
        Spot::new(held, self.before().of(Side::Any))
    }

    pub(super) fn repeated(
        &mut self,
        what: NodeId,
        watch: WatchId,
        times: usize,
        within: Within,
    ) -> Option<Held> {
        let held = self.holds(what)?;
        let others = self.others(&held, watch, times, within)?;
        let others = self.call.memories[watch].past.range(others);
        let limit = others.fold(held.limit.clone(), |limit, other| {
            limit.and(&other.held.limit)
        });
        Some(Held { limit, ..held })
    }

    /// The other times, as places in the memory of `watch`, that make `times` near one another with the one that is
    /// `held`, which is the last of them unless it turned out late.
    pub(super) fn others(
        &self,
        held: &Held,
        watch: WatchId,
        times: usize,
        within: Within,
    ) -> Option<Range<usize>> {
        let memory = &self.call.memories[watch];
        let (n, n_others) = (memory.past.len(), times.saturating_sub(1));
        let own = memory.begun_by(held.start_ms);
        let here = self.spot(held);
        let spot = |place: usize| memory.past[place].spot();
        let fits = |from: &usize| {
            let to = from + n_others;
            let first = if *from < own { spot(*from) } else { here };
            let last = if to > own { spot(to - 1) } else { here };
            first.is_near(&last, within)
        };
        let latest = own.min(n.checked_sub(n_others)?);
        let mut froms = (own.saturating_sub(n_others)..=latest).rev();
        froms.find(fits).map(|from| from..from + n_others)
    }
}
