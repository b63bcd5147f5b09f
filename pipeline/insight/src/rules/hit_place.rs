//! Where in a call a rule fired.

use std::fmt;

use super::evaluate::Moment;
use crate::TalkEvent;

/// Where in a call a rule fired. With the rule and its pack it tells the hits of a call apart, and it is the same whenever the call is heard
/// again, whatever partials there were: by it people point at a hit.
///
/// It reads `START-CHANNEL` for what was said (`31930-0`), `TIME` for what was not, with `xN` behind it for the hits of a
/// rule at the same time from the second on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HitPlace {
    /// Start of the utterance, or when it was, milliseconds from the start of the call.
    pub at_ms: u64,
    /// Of the utterance.
    pub channel: Option<u16>,
    /// Hits of the rule at this place before.
    pub n_before: u32,
}

impl HitPlace {
    pub(super) fn of(moment: Moment<'_>) -> Self {
        let (at_ms, channel) = match moment {
            Moment::Utterance(spoken, _) => {
                (spoken.utterance.start_ms, Some(spoken.utterance.channel))
            }
            Moment::Late(span, _) => (span.start_ms, None),
            Moment::Talk(TalkEvent::Silence(silence)) => (silence.start_ms, None),
            Moment::Talk(TalkEvent::Interruption(interruption)) => (interruption.at_ms, None),
            Moment::Deadline(at_ms) | Moment::Finish(at_ms) => (at_ms, None),
        };
        Self {
            at_ms,
            channel,
            n_before: 0,
        }
    }
}

impl fmt::Display for HitPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.at_ms)?;
        if let Some(channel) = self.channel {
            write!(out, "-{channel}")?;
        }
        match self.n_before {
            0 => Ok(()),
            n_before => write!(out, "x{}", n_before + 1),
        }
    }
}
