//! Genesys AudioHook Monitor: call audio of Genesys Cloud over a WebSocket.
//!
//! The other side is the client: it connects, signs its handshake, says in `open` what audio it offers, and sends audio once
//! `opened` has chosen some. Text messages are JSON, numbered on both sides; binary ones are audio: µ-law, 8 kHz, the channels
//! interleaved, `external` the customer and `internal` the agent. The client ends a session with `close`, which is answered
//! with `closed`; who wants it to end sends `disconnect`. Sources: Genesys Cloud's developer documentation of AudioHook,
//! pages "Protocol reference", "Session walkthrough", "Patterns and practices" and "Security"; the repository
//! `purecloudlabs/audiohook-reference-implementation`; RFC 9421 for signatures.
//!
//! | message | what it brings |
//! | --- | --- |
//! | `open` | organisation, conversation, participant, media that are offered, language, `customConfig` |
//! | `ping` | a question that `pong` answers, at times with the round-trip time |
//! | `paused`, `resumed` | a pause, and how long it was |
//! | `discarded` | audio that was lost, and how much |
//! | `update` | another language |
//! | `dtmf` | a key that was pressed: `digit` |
//! | `error` | a code |
//! | `close` | the end |
//!
//! **Invariant**: places of audio are frames since the stream began, counted from audio and from what `discarded` and `resumed`
//! tell; they never run back.
//! **Invariant**: a nonce is noted only once its signature is known to be right.

mod error;
mod event;
mod fields;
mod handshake;
mod media;
mod message;
mod nonces;
mod open;
mod refusal;
mod session;
mod signature;
mod span;
mod stream;

#[cfg(test)]
mod tests;

pub use error::{AudioHookError, AudioHookWarning};
pub use event::{AudioHookEvent, CloseReason, DisconnectReason};
pub use handshake::{AudioHookHandshake, AudioHookKey, AudioHookRequest};
pub use nonces::AudioHookNonces;
pub use open::AudioHookOpen;
pub use refusal::AudioHookRefusal;
pub use session::AudioHookSession;
pub use signature::AudioHookSecret;
pub use stream::{AudioHookAudio, AudioHookGap};
