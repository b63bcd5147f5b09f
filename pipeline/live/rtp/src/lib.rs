//! RTP and RTCP as a listener gets them.
//!
//! Packets come with the time when they came; what they are on the clock of a call's leg goes out: audio at a place,
//! comfort noise, digits, and how good the line is. What is here knows neither sockets nor clocks nor threads.
//!
//! | module | what it does | from |
//! | --- | --- | --- |
//! | `rtp` | packets and their headers | RFC 3550, section 5; RFC 5761 for RTCP on the same port |
//! | [`rtcp`] | sender and receiver reports, goodbyes | RFC 3550, section 6 |
//! | `receiver` | one leg: who is heard, in what order, at what place | RFC 3550, sections 6.4 and A.1; RFC 3551 |
//! | `events` | digits | RFC 4733 |
//! | `stats`, `quality` | counts of a leg, the opinion of a listener | ITU-T G.107, G.113 |
//!
//! **Invariant**: no sockets, no clock, no threads; time comes in as an argument, in microseconds.
//! **Invariant**: bytes of any kind give packets or an error; packets of any kind give a place or a refusal.
//! **Invariant**: nothing is allocated for a packet: all that a leg remembers are arrays of fixed length.
//! **Invariant**: two packets that are heard never share a place; one that comes in order never lies before another.
//! **Invariant**: no error and no `Debug` shows audio or a digit.

pub mod rtcp;

mod events;
mod quality;
mod receiver;
mod rtp;
mod stats;

pub use events::{Digit, Digits};
pub use quality::{Codec, mos, rating};
pub use receiver::{
    EventPacket, Length, Payload, Received, Receiver, ReceiverConfig, Refusal, Source,
};
pub use rtp::{HEADER_BYTES, RtpError, RtpHeader, RtpPacket, is_rtcp, write_header};
pub use stats::{Refusals, Stats};
