//! What the frames of a connection say.

use std::fmt;

use auricle_contracts::PhoneKey;
use uuid::Uuid;

/// One frame, read. It borrows the reader's buffer. `Debug` does not show audio.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AudioSocketMessage<'a> {
    /// The call whose leg this connection is: the first message, and only that.
    Id(Uuid),
    /// A key was pressed.
    Digit(PhoneKey),
    /// Audio of one channel.
    Audio {
        /// Samples per second.
        rate_hz: u32,
        /// Whole samples, signed 16-bit, little-endian; may be none.
        samples: &'a [u8],
    },
    /// The other side has an error. More frames may follow.
    Error(ErrorCode),
    /// The other side ends the connection: the last message.
    Terminate,
}

impl fmt::Debug for AudioSocketMessage<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(out, "Id({id})"),
            Self::Digit(digit) => write!(out, "Digit({digit:?})"),
            Self::Audio { rate_hz, samples } => {
                write!(out, "Audio({} bytes at {rate_hz} Hz)", samples.len())
            }
            Self::Error(code) => write!(out, "Error({code})"),
            Self::Terminate => out.write_str("Terminate"),
        }
    }
}

/// An error of the other side: bits that may stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u8);

impl ErrorCode {
    /// Bits with their meanings.
    const BITS: [(u8, &'static str); 3] = [
        (0x01, "calling party hung up"),
        (0x02, "frame could not be forwarded"),
        (0x04, "out of memory"),
    ];
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#04x}", self.0)?;
        let bits = Self::BITS.iter().filter(|(bit, _)| self.0 & bit != 0);
        for (idx, (_, meaning)) in bits.enumerate() {
            write!(out, "{}{meaning}", if idx == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}
