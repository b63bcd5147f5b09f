//! Recordings of live calls that survive a crash and that nobody reads without the key.
//!
//! ```text
//! packet ─▶ RecordingWriter::append ─▶ records ─▶ flush: chunk, AES-256-GCM ─▶ FILE.arec ─▶ RecordingReader
//!           (memory only)                          (one write, no fsync)       barrier: durable
//! ```
//!
//! A recording is a header and chunks, only ever written at the end. Audio stays as it was received: µ-law is
//! 8 kB a second and leg, and a packet costs one byte beside its payload. `FORMAT.md` says every byte, so that
//! others can write a reader. Plain blocking files; no threads, no clock: times come in as arguments.
//!
//! | type | for |
//! | --- | --- |
//! | [`KeyRing`] | master keys, from a file or the environment |
//! | [`RecordingWriter`], [`RecordingReader`] | one file |
//! | [`Spool`] | a folder of calls under way and done; recovery after a crash; one sync for all files |
//! | [`rotate`] | puts all recordings of a folder under another master key, without touching audio |
//!
//! **Invariant**: no nonce is used twice with one key: chunks are sealed once, by the writer that drew the data
//! key, and a write that failed repeats the same bytes. A file is never opened again to append.
//! **Invariant**: what is read was written, in this order, by the holder of the key: chunks cannot be changed,
//! swapped, left out or brought in from other files. Only the end of a file that was not finished can be missing.
//! **Invariant**: bytes of any kind give records or an error, never a panic, in memory of one chunk.
//! **Invariant**: a kill at any moment, of a rotation too, leaves a file that reads up to its last whole chunk.
//! **Invariant**: no error and no `Debug` quotes keys, audio or metadata.

mod buffer;
mod chunk;
mod crypto;
mod error;
mod header;
mod keys;
mod reader;
mod record;
mod recover;
mod rotate;
mod spool;
mod storage;
mod varint;
mod writer;

#[cfg(test)]
mod tests;

pub use crate::crypto::CryptoError;
pub use crate::error::{ReadError, SpoolError};
pub use crate::header::{RecordingId, RecordingInfo};
pub use crate::keys::{Existing, KeyError, KeyId, KeyRing};
pub use crate::reader::{Ending, RecordingReader};
pub use crate::record::{Audio, ChunkRecords, Encoding, Malformed, Record};
pub use crate::rotate::{Rewrapped, Rotation, rotate};
pub use crate::spool::{
    Barrier, Durability, RecordingName, Recovered, Spool, SpoolOptions, SpoolRecording, SpoolStats,
    SpoolUsage,
};
pub use crate::writer::{RecordingWriter, Start, WriterLimits};

/// Legs of one recording; their numbers are below.
pub const MAX_LEGS: u8 = 16;
/// Payload of one packet: what a UDP datagram holds at most.
pub const MAX_PAYLOAD_BYTES: usize = 65_535;
/// Metadata of one `Begin`, `Note` or `End`.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// Records of one chunk before they are sealed, and what a reader holds in memory.
pub const MAX_CHUNK_BYTES: usize = 256 * 1024;
