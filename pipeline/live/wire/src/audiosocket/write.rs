//! Frames that are sent.
//!
//! Asterisk wants audio or the end from its server: on any other frame, errors included, it logs that it got something
//! else and ends the channel that is connected (`res_audiosocket.c`). So an error says no more there than the end does.

use thiserror::Error;
use uuid::Uuid;

use super::{KIND_ERROR, KIND_ID, RATES_HZ};

/// Why Auricle ends a connection. The codes are its own; Asterisk's use the lower bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Complaint {
    /// What came is not the protocol.
    Protocol = 0x10,
    /// The call is not wanted: not announced, or a leg too many.
    NotAccepted = 0x20,
    /// More calls than can be heard.
    Overloaded = 0x40,
    /// Auricle stops.
    Stopping = 0x80,
}

/// Says what is wrong. The connection is closed after it.
pub const fn write_complaint(complaint: Complaint) -> [u8; 4] {
    [KIND_ERROR, 0, 1, complaint as u8]
}

/// The first frame of a connection, for those who play Asterisk.
pub fn write_id(id: Uuid) -> [u8; 19] {
    let mut frame = [0; 19];
    frame[..3].copy_from_slice(&[KIND_ID, 0, 16]);
    frame[3..].copy_from_slice(id.as_bytes());
    frame
}

/// Why audio cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The protocol has no kind for it.
    #[error("AudioSocket has no audio at {rate_hz} Hz")]
    Rate {
        /// Samples per second.
        rate_hz: u32,
    },
    /// Half a sample, or more than a length of two bytes can say.
    #[error("a frame holds an even number of bytes up to 65534, got `{n_bytes}`")]
    Length {
        /// Its length.
        n_bytes: usize,
    },
}

/// Appends a frame of audio, for those who play Asterisk: signed 16-bit samples, little-endian.
///
/// # Errors
/// Where the protocol has no such frame; nothing is written then.
pub fn write_audio(out: &mut Vec<u8>, rate_hz: u32, samples: &[u8]) -> Result<(), WriteError> {
    let kind = RATES_HZ.iter().find(|(_, rate)| *rate == rate_hz);
    let (kind, _) = kind.ok_or(WriteError::Rate { rate_hz })?;
    let n_bytes = samples.len();
    let length = u16::try_from(n_bytes).ok().filter(|length| length % 2 == 0);
    let [high, low] = length.ok_or(WriteError::Length { n_bytes })?.to_be_bytes();
    out.extend_from_slice(&[*kind, high, low]);
    out.extend_from_slice(samples);
    Ok(())
}
