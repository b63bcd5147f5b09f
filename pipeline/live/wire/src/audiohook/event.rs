//! What messages mean.

use auricle_contracts::PhoneKey;

use super::{AudioHookGap, AudioHookOpen, AudioHookWarning};

/// What a message means. Whatever is called `reply` is to be sent at once, as a text message.
#[derive(Clone, Debug, PartialEq)]
pub enum AudioHookEvent {
    /// A call begins: what [`AudioHookSession::opened`] writes is to be sent once the call is taken in, before
    /// [`AudioHookSession::open_deadline_ms`].
    ///
    /// [`AudioHookSession::opened`]: super::AudioHookSession::opened
    /// [`AudioHookSession::open_deadline_ms`]: super::AudioHookSession::open_deadline_ms
    Open(Box<AudioHookOpen>),
    /// Whoever sets the integration up tries the connection: there is no call and no audio.
    Probe {
        /// `opened`, without media.
        reply: String,
    },
    /// The other side asks whether anybody is there.
    Ping {
        /// `pong`.
        reply: String,
        /// How long the answer before was on its way and back, milliseconds, where that is said.
        rtt_ms: Option<u64>,
    },
    /// Audio pauses, until [`AudioHookEvent::Resumed`] or audio.
    Paused,
    /// A pause is over: it was this long.
    Resumed(AudioHookGap),
    /// Audio was lost.
    Gap(AudioHookGap),
    /// Another language is spoken.
    Language(String),
    /// A key was pressed by the participant, who is the customer.
    Digit(PhoneKey),
    /// The other side has an error, and ends the session with `close` where it cannot go on.
    Error {
        /// What it is, most of them as HTTP has them; 0 where it is not said.
        code: u64,
    },
    /// The session is over; the connection is closed by the other side once it has the reply.
    Closed {
        /// `closed`.
        reply: String,
        /// Why.
        reason: CloseReason,
    },
    /// The message, or what it brings, is left out.
    NotTaken(AudioHookWarning),
    /// Nothing is to be done.
    Nothing,
}

/// Why the other side ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The call is over.
    End,
    /// Something is wrong there, or with what was sent to it.
    Error,
    /// It was asked to, by `disconnect`.
    Disconnect,
    /// Another reason.
    Other,
}

impl CloseReason {
    pub(super) fn of_name(name: Option<&str>) -> Self {
        match name {
            Some("end") => Self::End,
            Some("error") => Self::Error,
            Some("disconnect") => Self::Disconnect,
            _ => Self::Other,
        }
    }
}

/// Why a session is ended here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// Nothing more is to be heard.
    Completed,
    /// The handshake was refused.
    Unauthorized,
    /// Something is wrong.
    Error,
}

impl DisconnectReason {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Unauthorized => "unauthorized",
            Self::Error => "error",
        }
    }
}
