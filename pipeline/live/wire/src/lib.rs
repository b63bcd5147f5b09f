//! Parsers and writers for the protocols that bring live call audio to Auricle.
//!
//! Bytes and messages go in, audio and facts come out; state machines say what is allowed next. What is here knows
//! neither sockets nor clocks nor threads: who has a connection reads from it, gives the bytes to a reader or session,
//! and does what that says. For those who connect there is a page for each protocol in `docs/ingest`.
//!
//! | module | other side | transport |
//! | --- | --- | --- |
//! | [`audiosocket`] | Asterisk | TCP |
//! | [`chan_websocket`] | Asterisk | WebSocket |
//! | [`stream`] | FreeSWITCH with `mod_audio_stream` | WebSocket |
//! | [`listen`] | clients of Deepgram's streaming API | WebSocket |
//! | [`twilio`] | Twilio Media Streams | WebSocket |
//! | [`audiohook`] | Genesys AudioHook | WebSocket |
//! | [`siprec`], [`sdp`] | session border controllers, PBXs | SIP |
//!
//! What they have in common: [`Encoding`]s, a [`ChannelSplitter`] for interleaved audio, the [`Layout`] of parties on
//! channels, [`CallFacts`], [`Close`] frames and [`Limits`].
//!
//! **Invariant**: no sockets, no clock, no threads; time comes in as an argument.
//! **Invariant**: bytes of any kind give messages or an error, within [`Limits`]; how they were cut into pieces changes
//! nothing.
//! **Invariant**: samples are taken apart and never decoded; that is for `pipeline/audio`.
//! **Invariant**: no error, warning or `Debug` of what comes in shows audio, a customer's number, an agent's name, a
//! digit that was pressed, a word to lean towards or a key.

pub mod audiohook;
pub mod audiosocket;
pub mod chan_websocket;
pub mod listen;
pub mod sdp;
pub mod siprec;
pub mod stream;
pub mod twilio;

mod channels;
mod close;
mod encoding;
mod facts;
mod layout;
mod limits;
mod query;

#[cfg(test)]
mod tests;

pub use channels::{ChannelSplitter, Frames};
pub use close::Close;
pub use encoding::Encoding;
pub use facts::{Agreement, CallDescription, CallFacts, CustomerNumber, Metadata, MetadataError};
pub use layout::Layout;
pub use limits::Limits;
pub use query::{Ignored, QueryError, Shown};
