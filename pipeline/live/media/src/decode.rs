//! Payloads to samples.
//!
//! | format | by | samples a second | where a packet is missing |
//! | --- | --- | --- | --- |
//! | G.711 | `auricle_audio` | 8,000 | nothing is known; see [`conceal`](crate::conceal) |
//! | G.722 | `audio-codec`; 1.4 ms late, as its filters are | 16,000 | the same |
//! | linear | big-endian pairs of bytes, the mean of the channels (RFC 3551, section 4.5.11) | as agreed | the same |
//! | Opus | libopus, which mixes to one channel | those of the leg | libopus guesses; the last 20 ms or so it may know, for the next packet may have them again (RFC 6716, section 2.1.7) |

use audio_codec::Decoder as _;
use audio_codec::g722::G722Decoder;
use auricle_audio::g711::Law;
use opus::Channels;

use crate::AudioFormat;

const G711_HZ: u32 = 8_000;
const G722_HZ: u32 = 16_000;
/// Rates of linear samples that RFC 3551, section 4.1, names.
const L16_HZ: [u32; 8] = [
    8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
];
/// The longest packet of Opus holds 120 ms (RFC 6716, section 3.2.5).
const MOST_OPUS_MS: usize = 120;
/// libopus conceals whole pieces of 2.5 ms.
const OPUS_PIECES_PER_SEC: usize = 400;
const FULL_SCALE: f32 = 32_768.0;

/// How long a payload is, samples of the leg. 0: it is no audio of this format, or shorter than a sample.
pub(crate) fn length(format: AudioFormat, payload: &[u8], leg_hz: u32) -> u64 {
    let n_bytes = payload.len() as u64;
    let at_leg = |n: u64, rate_hz: u32| {
        let samples = n.saturating_mul(u64::from(leg_hz));
        samples.checked_div(u64::from(rate_hz)).unwrap_or(0)
    };
    match format {
        // A byte of G.722 is two samples.
        AudioFormat::Pcmu | AudioFormat::Pcma | AudioFormat::G722 => at_leg(n_bytes, G711_HZ),
        AudioFormat::L16 {
            rate_hz,
            n_channels,
        } => match L16_HZ.contains(&rate_hz) {
            true => at_leg(n_bytes / (2 * u64::from(n_channels.max(1))), rate_hz),
            false => 0,
        },
        AudioFormat::Opus => {
            let n_samples = opus::packet::get_nb_samples(payload, leg_hz);
            n_samples.map_or(0, |n| n as u64)
        }
    }
}

/// A payload that its decoder refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Undecodable;

/// Decodes packets of one format, in order. Samples are −1 to 1; but for the buffers it is given, it allocates when it is
/// made and for the longest packet.
pub(crate) struct Decoder {
    rate_hz: u32,
    codec: Codec,
}

enum Codec {
    G711(Law),
    G722 {
        inner: Box<G722Decoder>,
        samples: Vec<i16>,
    },
    L16 {
        n_channels: usize,
    },
    Opus(opus::Decoder),
}

impl Decoder {
    /// `None` where there is none: for linear samples at an odd rate, and for Opus where libopus does not decode to the
    /// leg's rate, which it does for 8,000 and 16,000 Hz.
    pub(crate) fn new(format: AudioFormat, leg_hz: u32) -> Option<Self> {
        let (rate_hz, codec) = match format {
            AudioFormat::Pcmu => (G711_HZ, Codec::G711(Law::Mu)),
            AudioFormat::Pcma => (G711_HZ, Codec::G711(Law::A)),
            AudioFormat::G722 => {
                let inner = Box::new(G722Decoder::new());
                let samples = Vec::new();
                (G722_HZ, Codec::G722 { inner, samples })
            }
            AudioFormat::L16 {
                rate_hz,
                n_channels,
            } => {
                let n_channels = usize::from(n_channels.max(1));
                let rate_hz = L16_HZ.contains(&rate_hz).then_some(rate_hz)?;
                (rate_hz, Codec::L16 { n_channels })
            }
            AudioFormat::Opus => {
                let inner = opus::Decoder::new(leg_hz, Channels::Mono).ok()?;
                (leg_hz, Codec::Opus(inner))
            }
        };
        Some(Self { rate_hz, codec })
    }

    /// Samples a second of what it gives.
    pub(crate) const fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Appends the samples of one packet.
    ///
    /// # Errors
    /// Where it is damaged; nothing is appended then.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut Vec<f32>) -> Result<(), Undecodable> {
        match &mut self.codec {
            Codec::G711(law) => out.extend(payload.iter().map(|code| law.decode_unit(*code))),
            Codec::G722 { inner, samples } => {
                samples.resize(inner.max_decode_samples(payload.len()), 0);
                let n_samples = inner.decode_into(payload, samples);
                let n_samples = n_samples.map_err(|_| Undecodable)?;
                let decoded = samples.iter().take(n_samples);
                out.extend(decoded.map(|sample| f32::from(*sample) / FULL_SCALE));
            }
            Codec::L16 { n_channels } => out.extend(mean_of_channels(payload, *n_channels)),
            Codec::Opus(inner) => decode_opus(inner, payload, self.rate_hz, out)?,
        }
        Ok(())
    }

    /// Appends what the codec itself has for `n` samples that did not come, before the packet `next` (empty: before none).
    /// Says whether it has anything; else nothing is appended.
    pub(crate) fn conceal(&mut self, n: usize, next: &[u8], out: &mut Vec<f32>) -> bool {
        match &mut self.codec {
            Codec::G711(_) | Codec::G722 { .. } | Codec::L16 { .. } => false,
            Codec::Opus(inner) => {
                conceal_opus(inner, n, next, self.rate_hz, out);
                true
            }
        }
    }
}

fn mean_of_channels(payload: &[u8], n_channels: usize) -> impl Iterator<Item = f32> {
    let scale = FULL_SCALE * n_channels as f32;
    let (samples, _) = payload.as_chunks::<2>();
    samples.chunks_exact(n_channels).map(move |frame| {
        let sum: f32 = frame
            .iter()
            .map(|sample| f32::from(i16::from_be_bytes(*sample)))
            .sum();
        sum / scale
    })
}

fn decode_opus(
    decoder: &mut opus::Decoder,
    payload: &[u8],
    rate_hz: u32,
    out: &mut Vec<f32>,
) -> Result<(), Undecodable> {
    let n_before = out.len();
    // Without bytes it would be taken for a packet that is missing.
    if payload.is_empty() {
        return Err(Undecodable);
    }
    out.resize(n_before + rate_hz as usize * MOST_OPUS_MS / 1_000, 0.0);
    let (_, place) = out.split_at_mut(n_before);
    let n_samples = decoder.decode_float(payload, place, false);
    out.truncate(n_before + n_samples.as_ref().map_or(0, |n| *n));
    n_samples.map(|_| ()).map_err(|_| Undecodable)
}

fn conceal_opus(
    decoder: &mut opus::Decoder,
    n: usize,
    next: &[u8],
    rate_hz: u32,
    out: &mut Vec<f32>,
) {
    let n_before = out.len();
    let piece = (rate_hz as usize / OPUS_PIECES_PER_SEC).max(1);
    out.resize(n_before + n.next_multiple_of(piece), 0.0);
    let (_, place) = out.split_at_mut(n_before);
    // Silence stays where libopus has nothing; it never refuses to guess.
    if decoder.decode_float(next, place, true).is_err() {
        let _ = decoder.decode_float(&[], place, true);
    }
    out.truncate(n_before + n);
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use audio_codec::Encoder as _;
    use audio_codec::g722::G722Encoder;
    use proptest::prelude::*;

    use super::*;

    const AMPLITUDE: f32 = 0.3;

    fn sine(rate_hz: u32, n: usize) -> Vec<f32> {
        let step = TAU * 440.0 / rate_hz as f32;
        (0..n)
            .map(|idx| AMPLITUDE * (step * idx as f32).sin())
            .collect()
    }

    fn level_db(samples: &[f32]) -> f32 {
        let sum: f32 = samples.iter().map(|sample| sample * sample).sum();
        10.0 * (sum / samples.len() as f32).max(1e-12).log10()
    }

    /// Half a second of the tone in packets of 20 ms.
    fn opus_packets(rate_hz: u32) -> Vec<Vec<u8>> {
        let mut encoder =
            opus::Encoder::new(rate_hz, Channels::Mono, opus::Application::Voip).unwrap();
        encoder.set_bitrate(opus::Bitrate::Bits(24_000)).unwrap();
        let tone = sine(rate_hz, rate_hz as usize / 2);
        let packets = tone.chunks(rate_hz as usize / 50);
        packets
            .map(|packet| encoder.encode_vec_float(packet, 1_000).unwrap())
            .collect()
    }

    #[test]
    fn lengths_of_payloads() {
        let l16 = |rate_hz, n_channels| AudioFormat::L16 {
            rate_hz,
            n_channels,
        };
        for (format, n_bytes, leg_hz, expected) in [
            (AudioFormat::Pcmu, 160, 8_000, 160),
            (AudioFormat::Pcma, 160, 16_000, 320),
            (AudioFormat::G722, 160, 8_000, 160),
            (AudioFormat::G722, 160, 16_000, 320),
            (l16(8_000, 1), 320, 8_000, 160),
            (l16(8_000, 0), 320, 8_000, 160),
            (l16(48_000, 2), 1_920, 16_000, 160),
            (l16(44_100, 1), 1_764, 8_000, 160),
            (l16(8_000, 1), 3, 8_000, 1),
            (l16(48_000, 1), 2, 8_000, 0),
            (l16(0, 1), 320, 8_000, 0),
            (l16(7_999, 1), 320, 8_000, 0),
            (AudioFormat::Pcmu, 0, 8_000, 0),
            (AudioFormat::Opus, 0, 8_000, 0),
        ] {
            let found = length(format, &vec![0; n_bytes], leg_hz);
            assert_eq!(found, expected, "{format:?} {n_bytes} {leg_hz}");
        }
        for rate_hz in [8_000, 16_000] {
            for packet in opus_packets(rate_hz) {
                assert_eq!(length(AudioFormat::Opus, &packet, 8_000), 160);
                assert_eq!(length(AudioFormat::Opus, &packet, 16_000), 320);
            }
        }
        // Seven frames of 20 ms are longer than may be.
        assert_eq!(length(AudioFormat::Opus, &[0x0b, 7, 0], 8_000), 0);
    }

    #[test]
    fn linear_samples_of_all_channels() {
        let payload = [0x40, 0x00, 0xc0, 0x00, 0x7f, 0xff, 0x80, 0x00, 0x12];
        let cases: &[(u8, &[f32])] = &[
            (1, &[0.5, -0.5, 32_767.0 / 32_768.0, -1.0]),
            (2, &[0.0, -0.5 / 32_768.0]),
            (3, &[32_767.0 / 32_768.0 / 3.0]),
            (5, &[]),
        ];
        for (n_channels, expected) in cases {
            let format = AudioFormat::L16 {
                rate_hz: 8_000,
                n_channels: *n_channels,
            };
            let mut out = Vec::new();
            let mut decoder = Decoder::new(format, 16_000).unwrap();
            decoder.decode(&payload, &mut out).unwrap();
            assert_eq!(out.len(), expected.len());
            let near = |(found, expected): (&f32, &f32)| (found - expected).abs() < 1e-6;
            assert!(out.iter().zip(*expected).all(near), "{out:?}");
        }
    }

    #[test]
    fn g722_keeps_a_tone() {
        let tone = sine(G722_HZ, 8_000);
        let tone: Vec<_> = tone.iter().map(|it| (it * FULL_SCALE) as i16).collect();
        let mut encoder = G722Encoder::new();
        let mut decoder = Decoder::new(AudioFormat::G722, 8_000).unwrap();
        assert_eq!(decoder.rate_hz(), G722_HZ);
        let mut out = Vec::new();
        for packet in tone.chunks(320) {
            decoder.decode(&encoder.encode(packet), &mut out).unwrap();
        }
        assert_eq!(out.len(), tone.len());
        let change_db = level_db(&out[1_600..]) - 20.0 * (AMPLITUDE / 2.0_f32.sqrt()).log10();
        assert!(change_db.abs() < 2.0, "{change_db}");
    }

    #[test]
    fn opus_keeps_a_tone_and_bridges_a_hole() {
        for leg_hz in [8_000, 16_000] {
            let mut decoder = Decoder::new(AudioFormat::Opus, leg_hz).unwrap();
            let mut out = Vec::new();
            let packets = opus_packets(16_000);
            let n_packet = leg_hz as usize / 50;
            for (idx, packet) in packets.iter().enumerate() {
                match packets.get(idx + 1) {
                    Some(next) if idx == 12 => {
                        assert!(decoder.conceal(n_packet, next, &mut out));
                    }
                    _ => decoder.decode(packet, &mut out).unwrap(),
                }
                assert_eq!(out.len(), (idx + 1) * n_packet);
            }
            let expected_db = 20.0 * (AMPLITUDE / 2.0_f32.sqrt()).log10();
            let change_db = level_db(&out[5 * n_packet..12 * n_packet]) - expected_db;
            assert!(change_db.abs() < 2.0, "{leg_hz}: {change_db}");
            let hole_db = level_db(&out[12 * n_packet..13 * n_packet]) - expected_db;
            assert!(hole_db.abs() < 6.0, "{leg_hz}: {hole_db}");
        }
    }

    #[test]
    fn opus_conceals_any_length_and_refuses_damage() {
        let mut decoder = Decoder::new(AudioFormat::Opus, 8_000).unwrap();
        let mut out = Vec::new();
        for n in [0, 1, 19, 20, 21, 160, 333, 800] {
            out.clear();
            assert!(decoder.conceal(n, &[], &mut out));
            assert_eq!(out.len(), n);
            assert!(decoder.conceal(n, &[0x09, 1, 2], &mut out));
            // Two frames of one length cannot have three bytes.
            assert!(decoder.conceal(n, &[0x09, 1, 2, 3], &mut out));
            assert_eq!(out.len(), 3 * n);
        }
        out.clear();
        for damaged in [&[][..], &[0x09, 1, 2, 3], &[0x0b, 0], &[0x0b]] {
            assert_eq!(decoder.decode(damaged, &mut out), Err(Undecodable));
            assert!(out.is_empty());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_are_as_long_as_they_say(
            payloads in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..200), 0..8),
            missing in proptest::collection::vec(0_usize..900, 8),
        ) {
            let l16 = |n_channels| AudioFormat::L16 { rate_hz: 16_000, n_channels };
            for format in [
                AudioFormat::Pcmu, AudioFormat::Pcma, AudioFormat::G722, AudioFormat::Opus,
                l16(1), l16(2), l16(255),
            ] {
                let mut decoder = Decoder::new(format, 16_000).unwrap();
                for (payload, missing) in payloads.iter().zip(&missing) {
                    let mut out = Vec::new();
                    let n_concealed = match decoder.conceal(*missing, payload, &mut out) {
                        true => *missing,
                        false => 0,
                    };
                    prop_assert_eq!(out.len(), n_concealed);
                    out.clear();
                    let is_decoded = decoder.decode(payload, &mut out).is_ok();
                    let n_leg = out.len() as u64 * 16_000 / u64::from(decoder.rate_hz());
                    if is_decoded {
                        prop_assert_eq!(n_leg, length(format, payload, 16_000));
                    } else {
                        prop_assert_eq!(n_leg, 0);
                    }
                    prop_assert!(out.iter().all(|sample| sample.is_finite()));
                }
            }
        }
    }
}
