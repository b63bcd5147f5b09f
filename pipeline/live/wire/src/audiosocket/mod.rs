//! AudioSocket: call audio over TCP, as Asterisk sends it.
//!
//! A connection is one leg of a call. It is a row of frames: kind (1 byte), length of the payload (2 bytes,
//! big-endian), payload. Source: `docs.asterisk.org`, "AudioSocket"; kinds `0x11` to `0x18` came with Asterisk's pull
//! request 1492 (`res_audiosocket`: message types for all slin sample rates); the error codes are those of the README
//! of `CyCoreSystems/audiosocket`, where the protocol comes from.
//!
//! | kind | payload | from |
//! | --- | --- | --- |
//! | `0x00` | none: the connection ends | both |
//! | `0x01` | the call's UUID, 16 bytes; the first frame | Asterisk |
//! | `0x03` | one DTMF digit, ASCII | Asterisk |
//! | `0x10` … `0x18` | signed 16-bit samples, little-endian, one channel; the kind says the rate | both |
//! | `0xff` | an error; one byte of code, or none | both |

mod error;
mod message;
mod reader;
mod write;

#[cfg(test)]
mod tests;

pub use error::{AudioSocketError, LooksLike};
pub use message::{AudioSocketMessage, ErrorCode};
pub use reader::AudioSocketReader;
pub use write::{Complaint, WriteError, write_audio, write_complaint, write_id};

/// Bytes before each payload.
const HEADER_BYTES: usize = 3;

const KIND_TERMINATE: u8 = 0x00;
const KIND_ID: u8 = 0x01;
const KIND_DTMF: u8 = 0x03;
const KIND_ERROR: u8 = 0xff;

/// Kinds of audio with their rates, samples per second.
const RATES_HZ: [(u8, u32); 9] = [
    (0x10, 8000),
    (0x11, 12_000),
    (0x12, 16_000),
    (0x13, 24_000),
    (0x14, 32_000),
    (0x15, 44_100),
    (0x16, 48_000),
    (0x17, 96_000),
    (0x18, 192_000),
];

/// The rate of a kind of audio.
fn rate_of(kind: u8) -> Option<u32> {
    let found = RATES_HZ.iter().find(|(of_rate, _)| *of_rate == kind);
    found.map(|(_, rate_hz)| *rate_hz)
}
