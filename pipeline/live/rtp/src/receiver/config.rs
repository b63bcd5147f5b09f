//! What a leg is told before its first packet comes.

use std::net::IpAddr;

use smallvec::{SmallVec, smallvec};

/// What one leg takes, and how patient it is. [`ReceiverConfig::default`] is G.711 at 8 kHz from anywhere.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// Who may send.
    pub source: Source,
    /// Payload types with what they are; others are refused. Default: the ones of RFC 3551 that are G.711 and comfort
    /// noise, 0, 8 and 13. Events have none of their own: it is agreed for each call.
    pub payloads: SmallVec<[(u8, Payload); 8]>,
    /// Ticks of timestamps in a second. For G.722 it is 8,000, though it has 16,000 samples (RFC 3551, section 4.5.2); for
    /// Opus 48,000 (RFC 7587, section 4.1). Default: 8,000.
    pub clock_hz: u32,
    /// Samples of the leg's clock in a second: what places are told in. Default: 8,000.
    pub leg_hz: u32,
    /// Packets that come in a second, for audio of 20 ms each. Default: 50.
    pub packets_per_sec: u32,
    /// So many times as many are a flood. Default: 10.
    pub flood_factor: u32,
    /// A source that sends nothing for so long is silent: another may take its place at once. Default: 200.
    pub silent_ms: u32,
    /// Packets of a source that must come from another address, and none from its own, until it is believed to have moved.
    /// Default: 5.
    pub rebind_packets: u32,
    /// After a gap, timestamps that are farther from arrival are not believed. Default: 500.
    pub tolerance_ms: u32,
    /// A leg that is farther ahead of the clock or behind it is corrected. Default: 40, two packets.
    pub skew_ms: u32,
    /// A pause is waited for so long; after that a packet of silence is put in, or one left out. Default: 10,000.
    pub correct_within_ms: u32,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            source: Source::AnyThenLock,
            payloads: smallvec![
                (0, Payload::Audio(Length::SAMPLE_BYTES)),
                (8, Payload::Audio(Length::SAMPLE_BYTES)),
                (13, Payload::ComfortNoise),
            ],
            clock_hz: 8_000,
            leg_hz: 8_000,
            packets_per_sec: 50,
            flood_factor: 10,
            silent_ms: 200,
            rebind_packets: 5,
            tolerance_ms: 500,
            skew_ms: 40,
            correct_within_ms: 10_000,
        }
    }
}

/// Which addresses a leg hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The first from which two packets in a row come; after that only that one, until it moves. For senders behind NAT, and
    /// for those who do not send from where they receive (RFC 4961 asks them to).
    AnyThenLock,
    /// The same, but this one is heard from its first packet on, and instead of any other: it was agreed, though what it sends
    /// may come from another where there is NAT.
    Likely(IpAddr),
    /// This one, from any port, which is kept in the same way. What was agreed is believed: the first packet is heard.
    Given(IpAddr),
    /// All: who is heard is told by the SSRC alone.
    Any,
}

/// What a payload type stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Audio.
    Audio(Length),
    /// Comfort noise (RFC 3389).
    ComfortNoise,
    /// Digits and the like (RFC 4733).
    Event,
}

/// How long the audio of a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Each block of bytes is so many ticks of the clock of timestamps; what is less than a block is not counted.
    Blocks {
        /// Length of a block.
        block_bytes: u16,
        /// How long it lasts.
        block_ticks: u16,
    },
    /// Every packet is as long, whatever its bytes.
    Packet {
        /// How long it lasts.
        ticks: u16,
    },
}

impl Length {
    /// A byte for each tick: G.711, and G.722 with its clock of 8,000.
    pub const SAMPLE_BYTES: Self = Self::Blocks {
        block_bytes: 1,
        block_ticks: 1,
    };
    /// Two bytes for each tick: 16-bit linear samples.
    pub const SAMPLE_PAIRS: Self = Self::Blocks {
        block_bytes: 2,
        block_ticks: 1,
    };

    /// Ticks of a payload. At most 65,535 × 65,535, for no datagram has more bytes.
    pub(super) fn ticks(self, payload: &[u8]) -> i64 {
        match self {
            _ if payload.is_empty() => 0,
            Self::Blocks {
                block_bytes,
                block_ticks,
            } => {
                let n_bytes = u16::try_from(payload.len()).unwrap_or(u16::MAX);
                let n_blocks = n_bytes / block_bytes.max(1);
                i64::from(n_blocks) * i64::from(block_ticks)
            }
            Self::Packet { ticks } => i64::from(ticks),
        }
    }
}
