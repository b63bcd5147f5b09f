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
    /// Audio of one connection of `chan_websocket` that is kept before it is known how it lies. Default: 64,000, two
    /// seconds of linear samples at 16 kHz, eight of µ-law.
    pub early_audio_bytes: usize,
    /// How far the silences that AudioHook tells of may bring a stream before the clock, milliseconds. Default: 60,000.
    pub audiohook_ahead_ms: u64,
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
    /// One session description, bytes. Default: 65,536, the longest a UDP datagram could bring.
    pub sdp_bytes: usize,
    /// Lines of one session description, attributes and empty ones included. Default: 1,000.
    pub sdp_lines: usize,
    /// Media lines of one session description. Default: 16; a recorded call has two.
    pub sdp_media: usize,
    /// Formats of one media line. Default: 64, twice the dynamic payload types there are.
    pub sdp_formats: usize,
    /// Parts of one multipart body, those of a nested one counted each. Default: 16; a recording session has two.
    pub body_parts: usize,
    /// Headers of one part together, and the `Content-Type` of the whole, bytes. Default: 4,096.
    pub part_header_bytes: usize,
    /// One document of recording metadata, bytes. Default: 131,072.
    pub metadata_bytes: usize,
    /// Elements and attributes of recording metadata together, and entries of one kind over all updates. Default: 2,000;
    /// a call of two parties has some fifty.
    pub metadata_elements: usize,
    /// How deep elements of recording metadata may lie. Default: 16; RFC 7865 has three levels, and extensions more.
    pub metadata_depth: usize,
    /// One text or attribute value of recording metadata, bytes; longer ones are left out. Default: 8,192.
    pub metadata_value_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            audiosocket_payload_bytes: 32_768,
            unknown_frames: 1000,
            query_bytes: 16_384,
            query_parameters: 256,
            audio_message_bytes: 262_144,
            early_audio_bytes: 64_000,
            audiohook_ahead_ms: 60_000,
            text_message_bytes: 16_384,
            malformed_messages: 20,
            id_bytes: 128,
            keyterms: 100,
            keyterm_tokens: 500,
            channels: 2,
            sample_rates_hz: 8000..=48_000,
            endpointing_ms: 60_000,
            quiet_ms: 10_000,
            sdp_bytes: 65_536,
            sdp_lines: 1000,
            sdp_media: 16,
            sdp_formats: 64,
            body_parts: 16,
            part_header_bytes: 4096,
            metadata_bytes: 131_072,
            metadata_elements: 2000,
            metadata_depth: 16,
            metadata_value_bytes: 8192,
        }
    }
}
