//! What a packet was.

use std::fmt;

/// What a packet was. `Debug` shows neither audio nor digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Received<'p> {
    /// Audio.
    Heard {
        /// Where it begins, samples on the leg's clock, which began when the call was opened. Packets may come in another
        /// order than they lie.
        at: u64,
        /// Where the packet before it ended, in the sender's order, if nothing is missing between them and there is time: the
        /// sender sent nothing for so long, as where it suppresses silence without comfort noise.
        pause_from: Option<u64>,
        /// How it is coded.
        payload_type: u8,
        /// The audio.
        payload: &'p [u8],
    },
    /// From here on the sender is silent, and this is how its silence sounds (RFC 3389, section 3): the first byte is its
    /// level, −dBov; coefficients of a filter may follow.
    ComfortNoise {
        /// Where it begins, samples on the leg's clock.
        at: u64,
        /// Level and filter; may be empty.
        payload: &'p [u8],
    },
    /// A packet of an event, for [`Digits`](crate::Digits).
    Event(EventPacket<'p>),
    /// Not heard, and counted.
    Refused(Refusal),
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Heard {
                at,
                payload_type,
                payload,
                ..
            } => {
                let n_bytes = payload.len();
                write!(out, "Heard({n_bytes} bytes of type {payload_type} at {at})")
            }
            Self::ComfortNoise { at, .. } => write!(out, "ComfortNoise(at {at})"),
            Self::Event(event) => write!(out, "{event:?}"),
            Self::Refused(reason) => write!(out, "Refused({reason:?})"),
        }
    }
}

/// A packet of an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventPacket<'p> {
    /// Where the event began, samples on the leg's clock; packets of one event may differ in it.
    pub at: u64,
    /// Which of the leg's sources sent it, counted: each has timestamps of its own.
    pub source: u32,
    /// When the event began; packets of one event have the same.
    pub timestamp: u32,
    /// What it is.
    pub payload: &'p [u8],
}

impl fmt::Debug for EventPacket<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Event(at {})", self.at)
    }
}

/// Why a packet was not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The first of a source that is not known yet (RFC 3550, section A.1).
    Probation,
    /// From an address that is not the leg's.
    Address,
    /// From another source than the one that is heard.
    Source,
    /// Its payload type was not agreed.
    PayloadType,
    /// More came in a second than can be speech.
    Flood,
    /// Its sequence number is far from the others (RFC 3550, section A.1).
    Sequence,
    /// It came before.
    Duplicate,
    /// It has no payload, as what only keeps a way open has none (RFC 6263).
    Empty,
    /// It lies where something was heard already.
    Misplaced,
    /// It was left out, as the sender's clock is faster than ours.
    Skipped,
}

impl Refusal {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Probation,
        Self::Address,
        Self::Source,
        Self::PayloadType,
        Self::Flood,
        Self::Sequence,
        Self::Duplicate,
        Self::Empty,
        Self::Misplaced,
        Self::Skipped,
    ];

    /// The name used in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Probation => "probation",
            Self::Address => "address",
            Self::Source => "source",
            Self::PayloadType => "payload_type",
            Self::Flood => "flood",
            Self::Sequence => "sequence",
            Self::Duplicate => "duplicate",
            Self::Empty => "empty",
            Self::Misplaced => "misplaced",
            Self::Skipped => "skipped",
        }
    }
}
