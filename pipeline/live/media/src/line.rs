//! How good a leg's line is.

use auricle_rtp::Stats;

use crate::counts::Tally;
use crate::format::AudioFormat;

/// How good a leg's line is, as of the last second, or at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    /// What became of its packets.
    pub stats: Stats,
    /// Samples on the leg's clock that were made up for lost packets.
    pub concealed_samples: u64,
    /// Datagrams that are neither RTP nor RTCP.
    pub unreadable: u64,
    /// Datagrams that SRTP refused.
    pub unauthentic: u64,
    /// Packets that were left out, as the reader was too slow.
    pub no_room: u64,
    /// When the first packet came that was heard, after the call was opened.
    pub first_packet_ms: Option<u64>,
    /// When the last one came.
    pub last_packet_ms: Option<u64>,
    /// How the audio was coded that came last.
    pub codec: Option<AudioFormat>,
    /// The loudest 20 ms of the last second, relative to full scale. `None`: no audio.
    pub level_dbfs: Option<f32>,
}

/// What the worker knows of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeardLine {
    pub(crate) stats: Stats,
    pub(crate) tally: Tally,
    pub(crate) first_packet_ms: Option<u64>,
    pub(crate) last_packet_ms: Option<u64>,
}

/// What the reader knows of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ToldLine {
    pub(crate) concealed_samples: u64,
    pub(crate) codec: Option<AudioFormat>,
    pub(crate) level_dbfs: Option<f32>,
}

impl Line {
    pub(crate) const fn new(heard: &HeardLine, told: &ToldLine) -> Self {
        Self {
            stats: heard.stats,
            concealed_samples: told.concealed_samples,
            unreadable: heard.tally.unreadable,
            unauthentic: heard.tally.unauthentic,
            no_room: heard.tally.no_room,
            first_packet_ms: heard.first_packet_ms,
            last_packet_ms: heard.last_packet_ms,
            codec: told.codec,
            level_dbfs: told.level_dbfs,
        }
    }
}
