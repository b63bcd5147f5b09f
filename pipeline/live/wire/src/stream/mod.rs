//! Call audio over a WebSocket, as FreeSWITCH's `mod_audio_stream` sends it.
//!
//! Binary messages are signed 16-bit samples, little-endian: one channel for the mix types `mono` (what the leg says)
//! and `mixed` (both legs), two interleaved ones for `stereo` (what the leg says, then what it hears: the read and the
//! write stream of the media bug, `switch_core_media_bug.c`). Text messages are what the `uuid_audio_stream` commands
//! `start`, `send_text` and `stop` are given: metadata. The protocol does not say how the audio lies, so the address
//! that is streamed to does, in its query. Source: README and `mod_audio_stream.c` of `amigniter/mod_audio_stream`.

mod request;
mod session;

#[cfg(test)]
mod tests;

pub use request::StreamRequest;
pub use session::{StreamSession, StreamText};
