//! What the packets of a leg tell of its line.

use auricle_contracts::{LineQuality, Party};
use auricle_media::{AudioFormat, Line};
use auricle_rtp::{Codec, Refusal, mos};

use crate::lines::{loss_percent, problems_of, rounded};

/// How long a sound takes from mouth to ear is not in the packets.
const NO_DELAY_MS: f64 = 0.0;

/// How good the line of a leg is, by what came so far; `leg_hz` is the rate of the leg's clock. What is wrong is told as far as
/// the figures of this line tell it: [`merged`](crate::lines::merged) looks at the others, too, and at what was before.
pub(crate) fn line_quality(party: Party, leg_hz: u32, line: &Line) -> LineQuality {
    let stats = &line.stats;
    let duplicates = stats.refused.of(Refusal::Duplicate);
    let not_agreed = stats.refused.of(Refusal::PayloadType);
    let from_elsewhere = stats.refused.of(Refusal::Address);
    let other_sources = from_elsewhere.saturating_add(stats.refused.of(Refusal::Source));
    let told = duplicates
        .saturating_add(not_agreed)
        .saturating_add(other_sources);
    let concealed_ms = line.concealed_samples.saturating_mul(1_000) / u64::from(leg_hz.max(1));
    let opinion = |format| rounded(mos(codec_of(format), stats, NO_DELAY_MS), 100.0);
    let mut quality = LineQuality {
        party,
        codec: line.codec.map(name_of),
        expected: stats.expected,
        received: stats.received,
        lost: stats.lost,
        late: stats.late,
        duplicates,
        not_agreed,
        other_sources,
        refused: stats.refused.total().saturating_sub(told),
        unreadable: line.unreadable,
        unauthentic: line.unauthentic,
        left_out: line.no_room,
        loss_percent: loss_percent(stats.expected, stats.lost, stats.late),
        jitter_ms: rounded(stats.jitter_ms, 10.0),
        max_jitter_ms: rounded(stats.max_jitter_ms, 10.0),
        burst_ratio: rounded(stats.burst_ratio.max(1.0), 100.0),
        mos: line.codec.map(opinion),
        drift_ppm: stats.skew_ppm.map(|ppm| rounded(ppm, 10.0)),
        concealed_ms,
        first_packet_ms: line.first_packet_ms,
        last_packet_ms: line.last_packet_ms,
        loudest_dbfs: line.level_dbfs.map(|dbfs| rounded(f64::from(dbfs), 10.0)),
        problems: Vec::new(),
    };
    quality.problems = problems_of(&quality);
    quality
}

/// How well a codec stands loss, where what is lost is concealed. Linear samples are no worse than G.711; that they may have
/// more than the band of a telephone counts for nothing.
const fn codec_of(format: AudioFormat) -> Codec {
    match format {
        AudioFormat::Pcmu | AudioFormat::Pcma | AudioFormat::L16 { .. } => Codec::G711Concealed,
        AudioFormat::G722 => Codec::G722,
        AudioFormat::Opus => Codec::Opus,
    }
}

/// As SDP names them (RFC 8866, section 6.6), in small letters; rate and channels where the name does not tell them.
fn name_of(format: AudioFormat) -> String {
    match format {
        AudioFormat::Pcmu => "pcmu".to_owned(),
        AudioFormat::Pcma => "pcma".to_owned(),
        AudioFormat::G722 => "g722".to_owned(),
        AudioFormat::Opus => "opus".to_owned(),
        AudioFormat::L16 {
            rate_hz,
            n_channels: 0 | 1,
        } => format!("l16/{rate_hz}"),
        AudioFormat::L16 {
            rate_hz,
            n_channels,
        } => format!("l16/{rate_hz}/{n_channels}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use auricle_contracts::LineProblem;
    use auricle_rtp::{Receiver, ReceiverConfig, RtpHeader, RtpPacket, Stats};

    use super::*;

    fn heard(stats: Stats, codec: AudioFormat) -> Line {
        Line {
            stats,
            codec: Some(codec),
            first_packet_ms: Some(80),
            last_packet_ms: Some(60_060),
            level_dbfs: Some(-17.26),
            ..Line::default()
        }
    }

    /// A minute of packets.
    fn minute() -> Stats {
        Stats {
            expected: 3_000,
            received: 3_000,
            jitter_ms: 1.04,
            max_jitter_ms: 6.26,
            burst_ratio: 1.0,
            skew_ppm: Some(-31.44),
            ..Stats::default()
        }
    }

    #[test]
    fn a_good_line_of_each_codec() {
        for (codec, name, opinion) in [
            (AudioFormat::Pcmu, "pcmu", 4.41),
            (AudioFormat::Pcma, "pcma", 4.41),
            (AudioFormat::G722, "g722", 4.34),
            (
                AudioFormat::L16 {
                    rate_hz: 16_000,
                    n_channels: 1,
                },
                "l16/16000",
                4.41,
            ),
            (
                AudioFormat::L16 {
                    rate_hz: 44_100,
                    n_channels: 2,
                },
                "l16/44100/2",
                4.41,
            ),
        ] {
            let line = line_quality(Party::Agent, 8_000, &heard(minute(), codec));
            assert_eq!(line.codec.as_deref(), Some(name));
            assert_eq!(line.mos, Some(opinion), "{name}");
            assert!(line.problems.is_empty(), "{line:?}");
        }
        let opus = line_quality(Party::Agent, 8_000, &heard(minute(), AudioFormat::Opus));
        assert!(opus.mos.is_some_and(|mos| (4.0..4.5).contains(&mos)));
    }

    #[test]
    fn figures_are_rounded_and_in_their_units() {
        let stats = Stats {
            received: 2_940,
            lost: 60,
            late: 15,
            burst_ratio: 2.004,
            ..minute()
        };
        let line = Line {
            concealed_samples: 9_600,
            ..heard(stats, AudioFormat::Pcma)
        };
        let line_at = |leg_hz| line_quality(Party::Customer, leg_hz, &line);
        let told = line_at(8_000);
        assert_eq!(told.party, Party::Customer);
        assert_eq!((told.loss_percent, told.burst_ratio), (2.5, 2.0));
        assert_eq!((told.jitter_ms, told.max_jitter_ms), (1.0, 6.3));
        assert_eq!(told.drift_ppm, Some(-31.4));
        assert_eq!(told.loudest_dbfs, Some(-17.3));
        assert_eq!(
            (told.concealed_ms, line_at(16_000).concealed_ms),
            (1_200, 600)
        );
        // No rate at all.
        assert_eq!(line_at(0).concealed_ms, 9_600_000);
    }

    #[test]
    fn a_line_of_which_nothing_came_has_no_opinion() {
        let line = line_quality(Party::Agent, 8_000, &Line::default());
        assert_eq!((line.mos, line.codec, line.drift_ppm), (None, None, None));
        assert_eq!((line.loss_percent, line.burst_ratio), (0.0, 1.0));
        assert_eq!(line.problems, [LineProblem::NoAudio]);
    }

    #[test]
    fn bad_lines_say_what_is_wrong() {
        let lossy = Stats {
            received: 2_700,
            lost: 300,
            max_jitter_ms: 180.0,
            skew_ppm: Some(900.0),
            ..minute()
        };
        let line = line_quality(Party::Agent, 8_000, &heard(lossy, AudioFormat::Pcmu));
        let expected = [
            LineProblem::HighLoss,
            LineProblem::HighJitter,
            LineProblem::ClockDrift,
        ];
        assert_eq!(line.problems, expected);
        assert!(line.mos.is_some_and(|mos| mos < 4.0), "{line:?}");
        let locked = Line {
            unauthentic: 500,
            ..Line::default()
        };
        let line = line_quality(Party::Agent, 8_000, &locked);
        let expected = [LineProblem::NoAudio, LineProblem::Unauthentic];
        assert_eq!(line.problems, expected);
    }

    #[test]
    fn another_codec_than_was_agreed_is_no_audio() {
        let mut receiver = Receiver::new(&ReceiverConfig::default(), 0);
        let from: SocketAddr = "192.0.2.1:4000".parse().unwrap();
        for sequence in 0..60_u16 {
            let header = RtpHeader {
                marker: false,
                payload_type: 18,
                sequence,
                timestamp: u32::from(sequence) * 160,
                ssrc: 1,
            };
            let payload = &[0; 20];
            let packet = RtpPacket { header, payload };
            receiver.take(from, &packet, u64::from(sequence) * 20_000);
        }
        let line = Line {
            stats: receiver.stats(),
            ..Line::default()
        };
        let line = line_quality(Party::Customer, 8_000, &line);
        assert_eq!((line.not_agreed, line.refused), (60, 0));
        let expected = [LineProblem::NoAudio, LineProblem::WrongCodec];
        assert_eq!(line.problems, expected);
    }
}
