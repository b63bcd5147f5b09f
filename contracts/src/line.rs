//! How good the line of a call's leg was, by its packets.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Party;

/// What became of the packets of one leg, and what a listener would think of it. Numbers are of the whole leg; numbers with a
/// unit say it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineQuality {
    /// Who speaks.
    pub party: Party,
    /// How the audio that came last was coded: `pcmu`, `pcma`, `g722`, `opus`, `l16/16000`. Left out where none was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// Packets that were sent, by their sequence numbers (RFC 3550, section A.3).
    pub expected: u64,
    /// Of those, the ones that came, however late.
    pub received: u64,
    /// Of those, the ones that did not.
    pub lost: u64,
    /// That came, and too late to be heard in order.
    pub late: u64,
    /// That came twice.
    pub duplicates: u64,
    /// Coded otherwise than was agreed: not heard.
    pub not_agreed: u64,
    /// From another address, or another source, than the leg's: not heard.
    pub other_sources: u64,
    /// Not heard for any other reason.
    pub refused: u64,
    /// Datagrams that were no packets of audio at all.
    pub unreadable: u64,
    /// That did not prove to be the sender's, or came again (SRTP): not heard.
    pub unauthentic: u64,
    /// That came, and for which this machine had no room.
    pub left_out: u64,
    /// Lost or late, of those that were sent, percent.
    pub loss_percent: f64,
    /// How much arrival varies, as it was last (RFC 3550, section 6.4.1).
    pub jitter_ms: f64,
    /// The same at its worst.
    pub max_jitter_ms: f64,
    /// Mean length of a row of lost packets, relative to that of as much random loss; at least 1 (ITU-T G.107, `BurstR`).
    pub burst_ratio: f64,
    /// Mean opinion of whoever listens, estimated (E-model, ITU-T G.107): 1, bad, to 4.5. Left out where nothing was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mos: Option<f64>,
    /// How much faster the sender's clock is than ours, millionths. Left out where too little was heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_ppm: Option<f64>,
    /// Sound that stands for what was lost.
    pub concealed_ms: u64,
    /// When the first packet came, after the call was opened. Left out where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_packet_ms: Option<u64>,
    /// When the last one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_packet_ms: Option<u64>,
    /// Loudest 20 ms of the seconds that were looked at, relative to full scale: one in five. Left out where none had audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudest_dbfs: Option<f64>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<LineProblem>,
}

/// What may be wrong with a leg's line.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LineProblem {
    /// No audio of it came.
    NoAudio,
    /// No audio of it came, and the other party's did.
    OneWay,
    /// What came is coded otherwise than was agreed.
    WrongCodec,
    /// What came is from elsewhere than was agreed.
    WrongSource,
    /// What came is no audio.
    Unreadable,
    /// Packets did not prove to be the sender's.
    Unauthentic,
    /// Audio came, and all of it was silence.
    Silent,
    /// So many packets were lost or late that words are.
    HighLoss,
    /// Packets came so irregularly that others had to wait for them.
    HighJitter,
    /// The sender's clock is not as fast as ours.
    ClockDrift,
    /// This machine did not keep up, and left packets out.
    LeftOut,
    /// The codec was another one in the middle of the call.
    CodecChanged,
    /// The call ended, and nobody said so.
    NoGoodbye,
}

impl LineProblem {
    /// All of them, the worst first; each stands at its own place.
    pub const ALL: [Self; 13] = [
        Self::NoAudio,
        Self::OneWay,
        Self::WrongCodec,
        Self::WrongSource,
        Self::Unreadable,
        Self::Unauthentic,
        Self::Silent,
        Self::HighLoss,
        Self::HighJitter,
        Self::ClockDrift,
        Self::LeftOut,
        Self::CodecChanged,
        Self::NoGoodbye,
    ];

    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAudio => "no_audio",
            Self::OneWay => "one_way",
            Self::WrongCodec => "wrong_codec",
            Self::WrongSource => "wrong_source",
            Self::Unreadable => "unreadable",
            Self::Unauthentic => "unauthentic",
            Self::Silent => "silent",
            Self::HighLoss => "high_loss",
            Self::HighJitter => "high_jitter",
            Self::ClockDrift => "clock_drift",
            Self::LeftOut => "left_out",
            Self::CodecChanged => "codec_changed",
            Self::NoGoodbye => "no_goodbye",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_one_name_and_one_place() {
        for (place, problem) in LineProblem::ALL.into_iter().enumerate() {
            assert_eq!(problem as usize, place, "{problem:?}");
            let name = serde_json::to_value(problem).unwrap();
            assert_eq!(name, problem.as_str());
        }
    }
}
