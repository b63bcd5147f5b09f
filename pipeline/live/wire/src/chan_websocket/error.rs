//! What ends a connection, and what only a message is lost by.

use std::ops::RangeInclusive;

use thiserror::Error;

use crate::close::Close;
use crate::query::{QueryError, Shown};

/// Why a connection is given up. No audio, id or variable of it is in the messages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChanWebsocketError {
    /// A message that is longer than it may be.
    #[error("message has {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Its length.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Too much that is not understood.
    #[error("more than {limit} text messages that are not understood")]
    TooManyMalformed {
        /// How many are let pass.
        limit: u32,
    },
    /// Audio of which nobody says how it lies.
    #[error("{n_bytes} bytes of audio came before `MEDIA_START`, more than {limit_bytes}")]
    NoStart {
        /// Bytes that came.
        n_bytes: usize,
        /// What is kept.
        limit_bytes: usize,
    },
    /// A second channel.
    #[error("`MEDIA_START` came twice; a connection is one channel")]
    StartTwice,
    /// Nobody says how audio lies.
    #[error("`format` is missing in `MEDIA_START`")]
    FormatMissing,
    /// A codec that is not heard here.
    #[error(
        "`format` must be ulaw, alaw or one of slin, got `{got}`\nhint: end the dial string with `/c(ulaw)` or `/c(slin16)`"
    )]
    Format {
        /// What Asterisk calls it.
        got: Shown,
    },
    /// Linear samples, too few or too many of them.
    #[error("`format` must have {} to {} Hz, got `{rate_hz}`", .expected_hz.start(), .expected_hz.end())]
    Rate {
        /// What is allowed.
        expected_hz: RangeInclusive<u32>,
        /// Samples per second.
        rate_hz: u32,
    },
}

impl ChanWebsocketError {
    /// How the connection is to be closed.
    pub const fn close(&self) -> Close {
        match self {
            Self::TooLong { .. } => Close::TooLong,
            Self::TooManyMalformed { .. } => Close::Malformed,
            Self::NoStart { .. }
            | Self::StartTwice
            | Self::FormatMissing
            | Self::Format { .. }
            | Self::Rate { .. } => Close::NotAudio,
        }
    }
}

/// What is not taken. The connection goes on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChanWebsocketWarning {
    /// Another kind of text.
    #[error("text message is neither an event's name nor a JSON object with an `event`")]
    NotAnEvent,
    /// A channel variable that cannot be; the others are taken.
    #[error("channel variable {0}")]
    Variable(QueryError),
    /// What the address said stays.
    #[error("channel variables say something else than the address, which stands")]
    Contradicts,
}
