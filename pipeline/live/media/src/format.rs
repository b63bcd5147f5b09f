//! How audio is coded: as it comes, and as it is told.

use auricle_rtp::Length;

/// How the audio of a payload type is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioFormat {
    /// G.711 µ-law, 8,000 Hz (RFC 3551, section 4.5.14).
    Pcmu,
    /// G.711 A-law, 8,000 Hz (RFC 3551, section 4.5.14).
    Pcma,
    /// G.722 at 64 kbit/s: 16,000 Hz, with timestamps at 8,000 (RFC 3551, section 4.5.2).
    G722,
    /// 16-bit samples, high byte first, channels in turn (RFC 3551, section 4.5.11).
    L16 {
        /// Samples of a channel in a second, and ticks of timestamps.
        rate_hz: u32,
        /// Channels; 0 is taken for 1.
        n_channels: u8,
    },
    /// Opus, with timestamps at 48,000 (RFC 7587, section 4.1).
    Opus,
}

impl AudioFormat {
    /// Of one channel.
    const SAMPLE_BYTES: u16 = 2;
    /// The packets of Opus that telephones send, 20 ms (RFC 7587, section 4.2). Longer ones lie where their timestamps say.
    const OPUS_TICKS: u16 = 960;

    /// How long a payload is, in ticks of timestamps.
    pub(crate) fn length(self) -> Length {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => Length::SAMPLE_BYTES,
            Self::L16 { n_channels, .. } => Length::Blocks {
                block_bytes: Self::SAMPLE_BYTES.saturating_mul(u16::from(n_channels.max(1))),
                block_ticks: 1,
            },
            Self::Opus => Length::Packet {
                ticks: Self::OPUS_TICKS,
            },
        }
    }
}

/// How audio is coded that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// G.711 µ-law, a byte for each sample.
    Ulaw,
    /// G.711 A-law, a byte for each sample.
    Alaw,
    /// 16-bit samples, low byte first.
    L16,
}
