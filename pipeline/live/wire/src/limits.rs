//! What the other side may ask of memory and patience.

use std::ops::RangeInclusive;

/// Limits on everything that comes from outside. [`Limits::default`] is for telephone calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Payload of one AudioSocket frame, bytes. The protocol allows 65,535; the default 32,768 holds 85 ms at
    /// 192 kHz, the highest rate it has.
    pub audiosocket_payload_bytes: usize,
    /// AudioSocket frames of unknown kinds that are skipped in one connection. Default: 1,000.
    pub unknown_frames: u64,
    /// Query of an address, bytes as they are sent. Default: 16,384.
    pub query_bytes: usize,
    /// Parameters of a query, repeated ones counted each time. Default: 256.
    pub query_parameters: usize,
    /// One binary WebSocket message. Default: 262,144, eight seconds of two linear channels at 8 kHz.
    pub audio_message_bytes: usize,
    /// One text WebSocket message. Default: 16,384, twice what `mod_audio_stream` can send.
    pub text_message_bytes: usize,
    /// Text messages of one connection that could not be understood. Default: 20.
    pub malformed_messages: u32,
    /// Call id, agent, campaign and the like, bytes of UTF-8. Default: 128.
    pub id_bytes: usize,
    /// Keyterms and keywords together. Default: 100, as Deepgram has it.
    pub keyterms: usize,
    /// Tokens of all keyterms and keywords. A token is one CJK character, or up to four others of a word without
    /// a space. Default: 500, as Deepgram has it.
    pub keyterm_tokens: usize,
    /// Channels of one connection. Default: 2, the parties of a call.
    pub channels: u16,
    /// Samples per second and channel, where the other side chooses. Default: 8,000 to 48,000.
    pub sample_rates_hz: RangeInclusive<u32>,
    /// Largest `endpointing`, milliseconds. Default: 60,000.
    pub endpointing_ms: u32,
    /// Time without any message after which `/v1/listen` closes, milliseconds. Default: 10,000, as Deepgram has
    /// it.
    pub quiet_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            audiosocket_payload_bytes: 32_768,
            unknown_frames: 1000,
            query_bytes: 16_384,
            query_parameters: 256,
            audio_message_bytes: 262_144,
            text_message_bytes: 16_384,
            malformed_messages: 20,
            id_bytes: 128,
            keyterms: 100,
            keyterm_tokens: 500,
            channels: 2,
            sample_rates_hz: 8000..=48_000,
            endpointing_ms: 60_000,
            quiet_ms: 10_000,
        }
    }
}
