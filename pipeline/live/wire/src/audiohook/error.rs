//! What ends a session, and what only a part of a message is lost by.

use thiserror::Error;

use super::media::FORMAT;
use super::span::Span;
use crate::close::Close;
use crate::facts::MetadataError;
use crate::query::{QueryError, Shown};

/// Why a session is given up. No audio, id or number of it is in the messages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AudioHookError {
    /// A message that is longer than it may be.
    #[error("message has {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Its length.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Another kind of text.
    #[error("message is not a JSON object as AudioHook has it")]
    NotAMessage,
    /// Something that cannot be.
    #[error("`{key}` must be {expected}, got `{got}`")]
    Invalid {
        /// Where it stands.
        key: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        got: Shown,
    },
    /// An id of another kind; it is not shown.
    #[error("`{key}` must be a UUID")]
    NotAUuid {
        /// Where it stands.
        key: &'static str,
    },
    /// A message that is missing, or came twice.
    #[error("`seq` must be {expected}, got `{got}`")]
    Sequence {
        /// That of the message before, and one more.
        expected: u64,
        /// What it is.
        got: u64,
    },
    /// The other side had a message that was never sent.
    #[error("`serverseq` must be at most {sent}, got `{got}`")]
    NeverSent {
        /// Of our last message.
        sent: u64,
        /// What it is.
        got: u64,
    },
    /// Another session's message.
    #[error("`id` is not that of the handshake")]
    OtherSession,
    /// Another organisation's session.
    #[error("`organizationId` is not that of the handshake")]
    OtherOrganization,
    /// A second session.
    #[error("`open` came twice; a connection is one session")]
    OpenTwice,
    /// Nothing that is offered can be heard.
    #[error("`media` must offer {}", FORMAT)]
    NoMedia,
    /// Too many that a [`AudioHookWarning`] was told for.
    #[error("more than {limit} messages that are not taken")]
    TooManyNotTaken {
        /// How many are let pass.
        limit: u32,
    },
    /// Audio before it was asked for.
    #[error("audio came before `opened`")]
    UnexpectedAudio,
}

impl AudioHookError {
    /// How the connection is to be closed, where `disconnect` cannot be sent or is not heeded.
    pub const fn close(&self) -> Close {
        match self {
            Self::TooLong { .. } => Close::TooLong,
            Self::NotAMessage
            | Self::Invalid { .. }
            | Self::NotAUuid { .. }
            | Self::Sequence { .. }
            | Self::NeverSent { .. }
            | Self::TooManyNotTaken { .. } => Close::Malformed,
            Self::OtherSession | Self::OtherOrganization | Self::OpenTwice => Close::NotAccepted,
            Self::NoMedia | Self::UnexpectedAudio => Close::NotAudio,
        }
    }
}

/// Why something in a message is not taken. The session goes on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AudioHookWarning {
    /// Facts that cannot be.
    #[error("`customConfig`: {0}")]
    CustomConfig(MetadataError),
    /// A field of it that cannot be; the others are taken.
    #[error("`customConfig`: {0}")]
    Field(QueryError),
    /// What Genesys says of the call stays.
    #[error("`customConfig` says something else than the conversation, which stands")]
    Contradicts,
    /// The participant's number is none.
    #[error("number of `participant` is not taken: {0}")]
    Number(QueryError),
    /// No language.
    #[error("{0}")]
    Language(QueryError),
    /// Lengths of time that are none.
    #[error("`start` and `discarded` must be {}", Span::EXPECTED)]
    NotASpan,
    /// A silence longer than the session: nothing is put in its place.
    #[error("silence ends {n_ms} ms before the clock, more than {limit_ms}")]
    Ahead {
        /// How far the stream would be before the clock.
        n_ms: u64,
        /// What is allowed.
        limit_ms: u64,
    },
}
