//! A whole session description.

use std::net::IpAddr;

use super::error::{SdpError, SdpWarning};
use super::media::{Direction, Media};
use super::reader::Reader;
use crate::limits::Limits;

/// A session description, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    /// Which session it is; `None` where that could not be read.
    pub origin: Option<Origin>,
    /// Address of media that have not their own. `None` where there is none, or a name.
    pub address: Option<IpAddr>,
    /// Direction of media that have not their own, where it is said.
    pub direction: Option<Direction>,
    /// Media, in order: an answer has as many.
    pub media: Vec<Media>,
    /// What was skipped, in the order of the lines.
    pub warnings: Vec<SdpWarning>,
    /// What an answer repeats.
    pub(super) time: Time,
}

/// Which session it is, and how often its description was changed.
///
/// Of two offers in one dialog with equal origins the later changes nothing (RFC 3264, section 8). Who made it is not
/// kept, for it may be a person's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The session.
    pub session_id: u64,
    /// Version of its description, higher with every change.
    pub version: u64,
}

/// When the session is, in seconds as NTP counts them; calls have zeros (RFC 8866, section 5.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl SessionDescription {
    /// Reads a description. Lines end with LF or CRLF; blanks around them, their order and missing `o=`, `s=` and `t=`
    /// are no matter, and neither are lines and attributes that are not known.
    ///
    /// # Errors
    /// What it has too much of, a media line that cannot be read, or a text that is something else. What can be skipped
    /// is told in [`warnings`](Self::warnings).
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, SdpError> {
        if text.len() > limits.sdp_bytes {
            return Err(SdpError::TooLong {
                n_bytes: text.len(),
                limit_bytes: limits.sdp_bytes,
            });
        }
        let mut reader = Reader::new(limits);
        for line in text.lines() {
            reader.read(line)?;
        }
        reader.finish()
    }
}
