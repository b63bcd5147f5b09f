//! Payload types and what they hold.

use super::error::{Oddity, odd};
use super::text::Text;
use crate::limits::Limits;

/// Payload types have seven bits (RFC 3550, section 5.1).
const PAYLOAD_TYPES: std::ops::RangeInclusive<u8> = 0..=127;
/// Longest name of an encoding with its rate and channels.
const ENCODING_BYTES: usize = 64;

/// Payload types of audio that need no `a=rtpmap` (RFC 3551, table 4).
const ASSIGNED: [(u8, &str); 17] = [
    (0, "PCMU/8000"),
    (3, "GSM/8000"),
    (4, "G723/8000"),
    (5, "DVI4/8000"),
    (6, "DVI4/16000"),
    (7, "LPC/8000"),
    (8, "PCMA/8000"),
    (9, "G722/8000"),
    (10, "L16/44100/2"),
    (11, "L16/44100"),
    (12, "QCELP/8000"),
    (13, "CN/8000"),
    (14, "MPA/90000"),
    (15, "G728/8000"),
    (16, "DVI4/11025"),
    (17, "DVI4/22050"),
    (18, "G729/8000"),
];

/// What packets of a payload type hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// µ-law at 8 kHz (RFC 3551, section 4.5.14).
    Pcmu,
    /// A-law at 8 kHz (RFC 3551, section 4.5.14).
    Pcma,
    /// G.722: 16,000 samples a second, though its RTP clock has 8,000 ticks (RFC 3551, section 4.5.2).
    G722,
    /// Signed 16 bits in network order (RFC 3551, section 4.5.11), within [`Limits`].
    L16 {
        /// Samples per second and channel.
        rate_hz: u32,
        /// Interleaved channels.
        channels: u16,
    },
    /// Opus, whose RTP clock has 48,000 ticks whatever it holds (RFC 7587, section 4.1).
    Opus,
    /// Keys that were pressed (RFC 4733).
    TelephoneEvent,
    /// Comfort noise (RFC 3389).
    ComfortNoise,
    /// Something else, or one of these in a shape that is not heard.
    Other,
}

/// Codecs of speech that can be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodecKind {
    /// [`Codec::Pcmu`].
    Pcmu,
    /// [`Codec::Pcma`].
    Pcma,
    /// [`Codec::G722`].
    G722,
    /// [`Codec::L16`] of any rate and channels within [`Limits`].
    L16,
    /// [`Codec::Opus`].
    Opus,
}

impl Codec {
    /// The kind of speech codec it is; `None` for events, noise and what is not known.
    pub const fn kind(self) -> Option<CodecKind> {
        match self {
            Self::Pcmu => Some(CodecKind::Pcmu),
            Self::Pcma => Some(CodecKind::Pcma),
            Self::G722 => Some(CodecKind::G722),
            Self::L16 { .. } => Some(CodecKind::L16),
            Self::Opus => Some(CodecKind::Opus),
            Self::TelephoneEvent | Self::ComfortNoise | Self::Other => None,
        }
    }

    /// Names are the same in capitals (RFC 8866, section 6.6). Opus is said with two channels whatever it holds, and
    /// some leave them out.
    fn named(name: &str, clock_rate_hz: u32, channels: u16, limits: &Limits) -> Self {
        let name = name.to_ascii_lowercase();
        match (name.as_str(), clock_rate_hz, channels) {
            ("pcmu", 8000, 1) => Self::Pcmu,
            ("pcma", 8000, 1) => Self::Pcma,
            ("g722", 8000, 1) => Self::G722,
            ("opus", 48_000, _) => Self::Opus,
            ("telephone-event", _, _) => Self::TelephoneEvent,
            ("cn", _, _) => Self::ComfortNoise,
            ("l16", rate_hz, channels)
                if limits.sample_rates_hz.contains(&rate_hz) && channels <= limits.channels =>
            {
                Self::L16 { rate_hz, channels }
            }
            _ => Self::Other,
        }
    }
}

/// A payload type of a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// What it holds.
    pub codec: Codec,
    /// Ticks of RTP timestamps in a second.
    pub clock_rate_hz: u32,
    /// Parameters of `a=fmtp`, as they stand there.
    pub fmtp: Option<Text>,
    /// Name, rate and channels as they were offered.
    pub(super) encoding: Text,
}

impl Format {
    /// Reads the value of `a=rtpmap`: payload type, then name, rate and perhaps channels with `/` between them. It has
    /// no parameters yet.
    pub(super) fn parse(value: &str, limits: &Limits) -> Result<Self, Oddity> {
        let mut words = value.split_ascii_whitespace();
        let payload_type = words.next().and_then(read_payload_type);
        let format = payload_type
            .zip(words.next())
            .and_then(|(payload_type, encoding)| Self::new(payload_type, encoding, limits));
        format.ok_or_else(|| odd("a=rtpmap", "a payload type and `name/rate`", value))
    }

    /// What a payload type holds that is assigned.
    pub(super) fn assigned(payload_type: u8, limits: &Limits) -> Option<Self> {
        let found = ASSIGNED.iter().find(|(known, _)| *known == payload_type);
        found.and_then(|(_, encoding)| Self::new(payload_type, encoding, limits))
    }

    fn new(payload_type: u8, encoding: &str, limits: &Limits) -> Option<Self> {
        let mut parts = encoding.split('/');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let clock_rate_hz = parts.next()?.parse::<u32>().ok()?;
        let channels = parts.next().unwrap_or("1").parse::<u16>().ok()?;
        if clock_rate_hz == 0 || channels == 0 {
            return None;
        }
        Some(Self {
            payload_type,
            codec: Codec::named(name, clock_rate_hz, channels, limits),
            clock_rate_hz,
            fmtp: None,
            encoding: Text::word(encoding, ENCODING_BYTES)?,
        })
    }
}

/// A payload type in digits.
pub(super) fn read_payload_type(word: &str) -> Option<u8> {
    let payload_type = word.parse::<u8>().ok();
    payload_type.filter(|payload_type| PAYLOAD_TYPES.contains(payload_type))
}

/// Reads the value of `a=fmtp`: payload type and parameters.
pub(super) fn read_fmtp(value: &str) -> Result<(u8, Text), Oddity> {
    let parts = value.split_once(char::is_whitespace);
    let fmtp = parts.and_then(|(payload_type, parameters)| {
        read_payload_type(payload_type).zip(Text::words(parameters.trim()))
    });
    fmtp.ok_or_else(|| odd("a=fmtp", "a payload type and parameters", value))
}
