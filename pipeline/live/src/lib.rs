//! Calls under way: from packets to alerts while people talk, and to a transcript at the end.
//!
//! ```text
//!            64 packets         2.6 s of speech,             4,096 reports         8,192 events
//!            a leg              32 marks a leg               a worker
//! LegFeed ──────────────▶ front ───────────────▶ recognise ───────────────▶ judge ───────────────▶ LiveOutput
//!                         in order, decoded,     8 → 16 kHz; one step       words, rules, masks;
//!                         voice activity,        for all streams that       at the end the
//!                         endpoints              have a chunk               transcript
//! ```
//! Stages are plain threads; a call stays with one of each, so that its order holds and nothing it owns needs a lock.
//! What lies between them is bounded. When it is full:
//!
//! | queue | full |
//! | --- | --- |
//! | packets | the sender is told and keeps what was not taken; what is recorded the feed keeps, half a minute of it |
//! | speech, marks | the front end takes no more packets of that leg, and judges none of it |
//! | reports | above a quarter partials are left out; full, recognition waits |
//! | events | above half partials are left out; full, judgement waits |
//!
//! Recognition that needs more than half a second for a turn is behind: it leaves partials out. Beyond a second, or where
//! packets wait so long for the front end, that measures no voices either, and emotion is told by words alone. So under too
//! much load partials go first, then emotion; audio, finals and alerts wait, and nothing of them is lost.

mod call;
mod clock;
mod feed;
mod front;
mod graph;
mod judge;
mod metrics;
mod outlet;
mod packet;
mod recognise;
mod stage;
#[cfg(test)]
mod tests;
mod unpack;

pub use call::{CallNumber, NewCall, NewLeg};
pub use clock::{Clock, MachineClock};
pub use feed::{Full, LegFeed, LegReach};
pub use graph::{Live, LiveOutput, LiveSettings, OpenError, StartError, Timings};
pub use metrics::{BOUNDS_MS, Counts, Histogram, Measured, Metrics};
pub use outlet::{EndedCall, Told, UtteranceTimes};
pub use packet::{Encoding, PACKET_BYTES, Packet};
pub use unpack::LegCounts;
