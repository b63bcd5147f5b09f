//! What ends a connection, and what only a message is lost by.

use thiserror::Error;

use super::Track;
use crate::close::Close;
use crate::facts::MetadataError;
use crate::query::{QueryError, Shown};

/// Why a connection is given up. No audio, id or parameter of it is in the messages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TwilioError {
    /// A message that is longer than it may be.
    #[error("text message has {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Its length.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Too many that a [`TwilioWarning`] was told for.
    #[error("more than {limit} messages that are not taken")]
    TooManyNotTaken {
        /// How many are let pass.
        limit: u32,
    },
    /// Audio of a stream of which nothing is known.
    #[error("`media` came before `start`")]
    AudioBeforeStart,
    /// A second stream.
    #[error("`start` came twice; a connection is one stream")]
    StartTwice,
    /// Something that a stream cannot be without.
    #[error("`{key}` is missing in `start`")]
    Missing {
        /// Where it is looked for.
        key: &'static str,
    },
    /// Something that a stream cannot have.
    #[error("`{key}` must be {expected}, got `{got}`")]
    Invalid {
        /// Where it stands.
        key: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        got: Shown,
    },
}

impl TwilioError {
    /// How the connection is to be closed.
    pub const fn close(&self) -> Close {
        match self {
            Self::TooLong { .. } => Close::TooLong,
            Self::TooManyNotTaken { .. } => Close::Malformed,
            Self::AudioBeforeStart
            | Self::StartTwice
            | Self::Missing { .. }
            | Self::Invalid { .. } => Close::NotAudio,
        }
    }
}

/// Why a message, or something in it, is not taken. The connection goes on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TwilioWarning {
    /// Another kind of text, or a field of another kind than Twilio's.
    #[error("message is not a JSON object as Twilio sends it")]
    NotAMessage,
    /// Audio without JSON, for example.
    #[error("message is binary; Twilio sends text")]
    Binary,
    /// Another stream's.
    #[error("`streamSid` is not that of `start`")]
    OtherStream,
    /// It was heard already, or comes too late.
    #[error("`sequenceNumber` is not above that of the message before")]
    Repeated,
    /// A message of audio without any.
    #[error("`media` is missing")]
    NoMedia,
    /// A track that there is not.
    #[error("`media.track` must be {expected}, got `{got}`", expected = Track::EXPECTED)]
    UnknownTrack {
        /// What it is called.
        got: Shown,
    },
    /// A track that was not announced.
    #[error("`{track}` is not in `tracks` of `start`")]
    TrackNotListed {
        /// Which one.
        track: Track,
    },
    /// No place on a clock, or one seven weeks away.
    #[error("`media.timestamp` must be milliseconds since the stream began")]
    Timestamp,
    /// A place before that of the audio before.
    #[error("`media.timestamp` of `{track}` runs back")]
    TimestampBack {
        /// Of which track.
        track: Track,
    },
    /// A payload that cannot be decoded (RFC 4648, section 4).
    #[error("`media.payload` is not base64")]
    NotBase64,
    /// `callSid` is not fit to name the call, and nothing else does.
    #[error("`callSid` does not name the call: {0}")]
    CallSid(QueryError),
    /// A custom parameter that cannot be; the others are taken.
    #[error("custom parameter {0}")]
    Parameter(QueryError),
    /// None of the custom parameters is taken.
    #[error("custom parameters: {0}")]
    Parameters(MetadataError),
    /// The key is longer than keys are, or not visible ASCII.
    #[error("custom parameter `key` is no key")]
    Key,
    /// What the address said stays.
    #[error("custom parameters say something else than the address, which stands")]
    Contradicts,
}
