//! Who talks how much, silences, interruptions.
//!
//! A [`TalkTracker`] takes the utterances of one call in the order of their **end**, as live finals come, and
//! tells silences and interruptions as soon as they are certain; the figures of the whole call come at its end.
//!
//! - *Talk* is from the first to the last word (syllable) of an utterance without the pauses above 300 ms in it:
//!   the bounds of utterances are padded. Where there are no word times, an utterance is talk throughout. What is
//!   masked was said as well.
//! - *Silence* is time in which nobody talks. It is told once, with its final length, when somebody talks again
//!   and no utterance under way can still cover it: when every party was heard past it, or when
//!   [`TalkTracker::time`] says who is talking. [`TalkTracker::open_silence`] asks for the one that is going on.
//! - An *interruption* is a start of talk while another talks who then ends at least 300 ms later. Listeners'
//!   sounds (嗯, 对, 好的, "uh-huh"), and anything under 0.7 s after which the other goes on, are none; nor is
//!   a party who goes on after it was itself talked over. It is told when both have ended.

mod interruption;
mod metrics;
mod silence;
mod stretches;
mod turn;

#[cfg(test)]
mod measured;
#[cfg(test)]
mod tests;

use auricle_contracts::{Party, Stretch, TalkMetrics};

use crate::{Spoken, TalkEvent};
use interruption::TalkOvers;
use silence::Silences;
use turn::Turn;

/// Shorter silences are not told as events.
pub const MIN_SILENCE_EVENT_MS: u64 = 1_000;

/// Whether the time before the first and after the last talk counts as silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edges {
    /// It does not: ringing and hanging up are nobody's silence.
    #[default]
    BetweenTalk,
    /// It does: the recording begins when the call is answered.
    WholeCall,
}

/// A party that is talking, its final not yet given to the tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Talking {
    /// Who.
    pub party: Party,
    /// Since when, milliseconds from the start of the recording.
    pub since_ms: u64,
}

/// Follows the talk of one call. Memory grows with the number of utterances (some hundred bytes each).
#[derive(Clone, Debug, Default)]
pub struct TalkTracker {
    edges: Edges,
    turns: Vec<Turn>,
    silences: Silences,
    talk_overs: TalkOvers,
}

impl TalkTracker {
    /// A tracker for one call.
    pub fn new(edges: Edges) -> Self {
        Self {
            edges,
            silences: Silences::new(edges),
            ..Self::default()
        }
    }

    /// Takes the next utterance, adds what became certain to `events`, and gives its rate in syllables (words,
    /// where there are no syllables) a minute; `None` where it is too short to tell.
    ///
    /// Utterances should come by end time; those that come late still count in the figures, though an event
    /// that they contradict is not taken back. An utterance without words is no talk.
    pub fn utterance(&mut self, spoken: &Spoken<'_>, events: &mut Vec<TalkEvent>) -> Option<f32> {
        let turn = Turn::new(spoken)?;
        let rate_per_minute = turn.rate_per_minute();
        self.silences.turn(&turn, events);
        self.talk_overs.turn(&mut self.turns, turn, events);
        rate_per_minute
    }

    /// Tells silences that are over by `now_ms`, on a live call. `talking` has everybody who talks, or whose
    /// final is still to come: without it an utterance under way would be taken for silence.
    pub fn time(&mut self, now_ms: u64, talking: &[Talking], events: &mut Vec<TalkEvent>) {
        self.silences.known(known_until(now_ms, talking), events);
    }

    /// The silence that is going on at `now_ms`, for alerts that cannot wait for its end; `None` where somebody
    /// talks or (unless the edges count) nobody has talked yet.
    pub fn open_silence(&self, now_ms: u64, talking: &[Talking]) -> Option<Stretch> {
        let until_ms = known_until(now_ms, talking);
        self.silences.open(until_ms).filter(|_| until_ms == now_ms)
    }

    /// Ends the call: adds what was still uncertain to `events` and gives the call's figures.
    /// `duration_ms`, the recording's length, matters only where [`Edges::WholeCall`] is asked for.
    pub fn finish(&mut self, duration_ms: u64, events: &mut Vec<TalkEvent>) -> TalkMetrics {
        self.silences.finish(duration_ms, events);
        metrics::metrics(&self.turns, self.talk_overs.told(), self.edges, duration_ms)
    }
}

/// Up to when all talk is known.
fn known_until(now_ms: u64, talking: &[Talking]) -> u64 {
    let since = talking.iter().map(|talking| talking.since_ms);
    since.fold(now_ms, u64::min)
}
