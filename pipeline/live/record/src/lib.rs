//! Recordings of calls under way.
//!
//! ```text
//! ingest ─▶ Tape ──ring──▶ recorder ─▶ SpoolRecording (memory) ──every 250 ms──▶ file ──every 300 ms──▶ disk
//!           never waits     a thread                                                    a thread: barrier
//! ```
//! A packet is on the disk within a second of when its [`Tape`] took it, where the disk is not slower than that. The recorder
//! waits for the disk, and ingests do not: a ring holds four seconds of a leg, and where the disk is full a recording holds
//! a minute in memory. Beyond that the sender is held back (slow disk) or the recording has a hole that is counted (full
//! disk); the call is heard all the same.
//!
//! A recording is finished when its call is saved, not before: what a crash leaves unfinished is what has to be heard
//! again.

mod facts;
mod recorder;
mod tape;
#[cfg(test)]
mod tests;

pub use facts::{BeginFacts, CallSettings, EndFacts, Keyterm, LegFacts, LegTaken, NoteFacts};
pub use recorder::{RecordError, RecordStats, Recorder};
pub use tape::{MAX_PACKET_BYTES, Tape};
