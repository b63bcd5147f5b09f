//! Who talks over whom.

use auricle_contracts::Interruption;

use super::stretches::length_ms;
use super::turn::{MAX_PAUSE_MS, Turn};
use crate::TalkEvent;

/// The other must end at least this long after the start of talk that interrupts him.
const MIN_OVERLAP_MS: u64 = 300;
/// Shorter talk, after which the other goes on, takes no turn.
const MIN_TURN_MS: u64 = 700;
/// Who pauses for less while he is talked over only goes on.
const RESUMED_MS: u64 = 1_500;

/// Interruptions so far, and which utterances made them.
#[derive(Clone, Debug, Default)]
pub(super) struct TalkOvers {
    told: Vec<Interruption>,
    /// Places in the list of turns that are counted.
    by: Vec<usize>,
}

impl TalkOvers {
    pub(super) fn told(&self) -> &[Interruption] {
        &self.told
    }

    /// Adds `turn` to `turns`, told against those it lies over.
    pub(super) fn turn(
        &mut self,
        turns: &mut Vec<Turn>,
        mut turn: Turn,
        events: &mut Vec<TalkEvent>,
    ) {
        if let Some(last) = last_of(turns, turns.len(), &turn)
            && last.span.end_ms.saturating_add(MAX_PAUSE_MS) >= turn.span.start_ms
        {
            turn.began_ms = last.began_ms.min(turn.span.start_ms);
        }
        turns.push(turn);
        for (by, over) in talked_over(turns) {
            if !self.by.contains(&by) && interrupts(turns, by, over) {
                self.by.push(by);
                let interruption = Interruption {
                    by: turns[by].party(),
                    at_ms: turns[by].span.start_ms,
                    overlap_ms: overlap_ms(&turns[by], &turns[over]),
                };
                self.told.push(interruption);
                events.push(TalkEvent::Interruption(interruption));
            }
        }
    }
}

/// This speaker's last turn among the first `before` ones.
fn last_of<'a>(turns: &'a [Turn], before: usize, turn: &Turn) -> Option<&'a Turn> {
    let earlier = turns[..before].iter().rev();
    earlier
        .into_iter()
        .find(|earlier| earlier.speaker == turn.speaker)
}

/// Pairs of the last turn and another's that it lies over: who may have begun in whose talk, either way.
fn talked_over(turns: &[Turn]) -> Vec<(usize, usize)> {
    let Some((last, earlier)) = turns.split_last() else {
        return Vec::new();
    };
    // Turns come by end: nothing before one that ended earlier can lie over the last.
    let near = earlier.iter().enumerate().rev();
    let near = near.take_while(|(_, other)| other.span.end_ms > last.began_ms);
    let others = near.filter(|(_, other)| other.speaker != last.speaker);
    let last_idx = earlier.len();
    let pairs = others.flat_map(|(idx, _)| [(last_idx, idx), (idx, last_idx)]);
    pairs.collect()
}

/// Whether turn `by` began in turn `over` and was more than listening.
fn interrupts(turns: &[Turn], by: usize, over: usize) -> bool {
    let (turn, other) = (&turns[by], &turns[over]);
    let start_ms = turn.span.start_ms;
    let begins_inside = turn.began_ms == start_ms
        && other.began_ms < start_ms
        && other.span.end_ms >= start_ms.saturating_add(MIN_OVERLAP_MS);
    if !begins_inside || turn.is_backchannel {
        return false;
    }
    let other_goes_on = other.span.end_ms >= turn.span.end_ms;
    let takes_no_turn = other_goes_on && length_ms(turn.span) < MIN_TURN_MS;
    let only_goes_on = last_of(turns, by, turn).is_some_and(|last| {
        last.span.end_ms > other.began_ms && last.span.end_ms.saturating_add(RESUMED_MS) > start_ms
    });
    !takes_no_turn && !only_goes_on
}

fn overlap_ms(turn: &Turn, other: &Turn) -> u64 {
    let until_ms = turn.span.end_ms.min(other.span.end_ms);
    until_ms.saturating_sub(turn.span.start_ms)
}
