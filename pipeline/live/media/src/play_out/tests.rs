//! Packets in, pieces out.

use std::f32::consts::TAU;

use audio_codec::Encoder as _;
use audio_codec::g722::G722Encoder;
use auricle_audio::g711::Law;
use proptest::prelude::*;

use super::*;

const CLOCK_HZ: u32 = 8_000;
const PCMU: u8 = 0;
const PCMA: u8 = 8;
const OPUS: u8 = 111;
const FORMATS: [(u8, AudioFormat); 7] = [
    (PCMU, AudioFormat::Pcmu),
    (PCMA, AudioFormat::Pcma),
    (9, AudioFormat::G722),
    (OPUS, AudioFormat::Opus),
    (96, l16(8_000, 1)),
    (97, l16(16_000, 2)),
    (98, l16(44_100, 1)),
];
const AMPLITUDE: f32 = 0.3;
const PACKETS_PER_SEC: usize = 50;
const N_PACKETS: usize = 25;

const fn l16(rate_hz: u32, n_channels: u8) -> AudioFormat {
    AudioFormat::L16 {
        rate_hz,
        n_channels,
    }
}

/// A piece, kept.
struct Told {
    at: u64,
    coding: Coding,
    bytes: Vec<u8>,
}

impl Told {
    fn end(&self) -> u64 {
        let n_samples = match self.coding {
            Coding::Ulaw | Coding::Alaw => self.bytes.len(),
            Coding::L16 => self.bytes.len() / 2,
        };
        self.at.saturating_add(n_samples as u64)
    }

    fn samples(&self) -> Vec<f32> {
        let law = |law: Law| self.bytes.iter().map(move |code| law.decode_unit(*code));
        match self.coding {
            Coding::Ulaw => law(Law::Mu).collect(),
            Coding::Alaw => law(Law::A).collect(),
            Coding::L16 => {
                let (samples, _) = self.bytes.as_chunks::<2>();
                let samples = samples.iter();
                samples
                    .map(|sample| f32::from(i16::from_le_bytes(*sample)) / 32_768.0)
                    .collect()
            }
        }
    }
}

fn leg(leg_hz: u32) -> PlayOut {
    let mut leg = PlayOut::new(leg_hz);
    leg.agree(&FORMATS, CLOCK_HZ);
    leg
}

fn told(leg: &mut PlayOut) -> Vec<Told> {
    let mut told = Vec::new();
    while let Some(ready) = leg.next() {
        assert!(!ready.bytes.is_empty());
        told.push(Told {
            at: ready.at,
            coding: ready.coding,
            bytes: ready.bytes.to_vec(),
        });
    }
    told
}

fn flushed(leg: &mut PlayOut) -> Vec<Told> {
    leg.flush();
    let told = told(leg);
    assert!(!leg.is_waiting());
    told
}

/// From where to where something was told; pieces that meet are one.
fn spans(told: &[Told]) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for piece in told {
        match spans.last_mut() {
            Some((_, end)) if *end == piece.at => *end = piece.end(),
            _ => spans.push((piece.at, piece.end())),
        }
    }
    spans
}

fn samples(told: &[Told]) -> Vec<f32> {
    told.iter().flat_map(Told::samples).collect()
}

fn level_db(samples: &[f32]) -> f32 {
    let sum: f32 = samples.iter().map(|sample| sample * sample).sum();
    10.0 * (sum / samples.len() as f32).max(1e-12).log10()
}

fn tone_db() -> f32 {
    20.0 * (AMPLITUDE / 2.0_f32.sqrt()).log10()
}

fn tone(rate_hz: u32) -> Vec<i16> {
    let step = TAU * 440.0 / rate_hz as f32;
    let n = rate_hz as usize / PACKETS_PER_SEC * N_PACKETS;
    (0..n)
        .map(|idx| (AMPLITUDE * 32_768.0 * (step * idx as f32).sin()) as i16)
        .collect()
}

/// The tone in packets of 20 ms.
fn packets(format: AudioFormat) -> Vec<Vec<u8>> {
    let cut = |rate_hz: u32| {
        let tone = tone(rate_hz);
        let packets = tone.chunks(rate_hz as usize / PACKETS_PER_SEC);
        packets.map(<[i16]>::to_vec).collect::<Vec<_>>()
    };
    let with_law = |law: Law| {
        let code =
            |packet: &Vec<i16>| -> Vec<u8> { packet.iter().map(|it| law.encode(*it)).collect() };
        cut(8_000).iter().map(code).collect::<Vec<_>>()
    };
    match format {
        AudioFormat::Pcmu => with_law(Law::Mu),
        AudioFormat::Pcma => with_law(Law::A),
        AudioFormat::G722 => {
            let mut encoder = G722Encoder::new();
            let packets = cut(16_000);
            packets.iter().map(|it| encoder.encode(it)).collect()
        }
        AudioFormat::L16 {
            rate_hz,
            n_channels,
        } => {
            let frame = |sample: &i16| sample.to_be_bytes().repeat(usize::from(n_channels));
            let packet = |packet: &Vec<i16>| -> Vec<u8> { packet.iter().flat_map(frame).collect() };
            cut(rate_hz).iter().map(packet).collect()
        }
        AudioFormat::Opus => {
            let application = opus::Application::Voip;
            let mut encoder =
                opus::Encoder::new(16_000, opus::Channels::Mono, application).unwrap();
            let packets = cut(16_000);
            packets
                .iter()
                .map(|it| encoder.encode_vec(it, 1_000).unwrap())
                .collect()
        }
    }
}

#[test]
fn places_and_what_is_told_of_them() {
    type Case<'c> = (&'c [u64], &'c [(u64, u64)], u64);
    let cases: &[Case<'_>] = &[
        (&[], &[], 0),
        (&[0, 160, 320], &[(0, 480)], 0),
        (&[1_000, 1_160], &[(1_000, 1_320)], 0),
        (&[0, 320, 160], &[(0, 480)], 0),
        // Before the first, and twice.
        (&[1_000, 160, 1_000, 1_000], &[(1_000, 1_160)], 0),
        (&[0, 160, 0, 160, 20], &[(0, 320)], 0),
        // Holes: one packet, 100 ms, more.
        (&[0, 320], &[(0, 480)], 160),
        (&[0, 960], &[(0, 1_120)], 800),
        (&[0, 961], &[(0, 160), (961, 1_121)], 0),
        (&[0, 100_000], &[(0, 160), (100_000, 100_160)], 0),
        // Rounding, either way.
        (&[0, 167], &[(0, 320)], 0),
        (&[0, 153], &[(0, 320)], 0),
        (&[0, 168], &[(0, 328)], 8),
        (&[0, 152], &[(0, 312)], 0),
        // Overlaps.
        (&[0, 100], &[(0, 260)], 0),
        (&[0, 7], &[(0, 160)], 0),
    ];
    for (places, expected, n_concealed) in cases {
        let mut leg = leg(8_000);
        let mut all = Vec::new();
        for at in *places {
            leg.take(*at, PCMU, &[0x31; 160]);
            all.extend(told(&mut leg));
        }
        all.extend(flushed(&mut leg));
        assert_eq!(spans(&all), *expected, "{places:?}");
        assert_eq!(leg.concealed_samples(), *n_concealed, "{places:?}");
        assert!(told(&mut leg).is_empty() && flushed(&mut leg).is_empty());
    }
}

#[test]
fn g711_stays_byte_for_byte() {
    for (payload_type, coding) in [(PCMU, Coding::Ulaw), (PCMA, Coding::Alaw)] {
        let sent: Vec<u8> = (0..=255).cycle().take(160 * 20).collect();
        let packet = |idx: usize| &sent[160 * idx..160 * (idx + 1)];
        let mut leg = leg(8_000);
        let mut all = Vec::new();
        for pair in 0..10 {
            for idx in [0, 2 * pair + 1, 2 * pair, 2 * pair + 1] {
                leg.take(160 * idx as u64, payload_type, packet(idx));
                all.extend(told(&mut leg));
            }
        }
        assert!(!leg.is_waiting());
        assert!(all.iter().all(|piece| piece.coding == coding));
        let bytes: Vec<u8> = all.iter().flat_map(|piece| piece.bytes.clone()).collect();
        assert_eq!(bytes, sent);
        assert_eq!(leg.concealed_samples(), 0);
    }
}

#[test]
fn a_hole_of_g711_is_told_in_its_law() {
    for (payload_type, format) in [(PCMU, AudioFormat::Pcmu), (PCMA, AudioFormat::Pcma)] {
        let sent = packets(format);
        let mut leg = leg(8_000);
        let mut all = Vec::new();
        for (idx, packet) in sent.iter().enumerate().filter(|(idx, _)| *idx != 10) {
            leg.take(160 * idx as u64, payload_type, packet);
            all.extend(told(&mut leg));
        }
        all.extend(flushed(&mut leg));
        assert_eq!(spans(&all), [(0, 160 * N_PACKETS as u64)]);
        assert_eq!(leg.concealed_samples(), 160);
        for (idx, piece) in all.iter().enumerate() {
            match idx {
                10 => {
                    let change_db = level_db(&piece.samples()) - tone_db();
                    assert!(change_db.abs() < 2.0, "{change_db}");
                }
                _ => assert_eq!(piece.bytes, sent[idx]),
            }
        }
    }
}

#[test]
fn eight_wait_and_the_ninth_gives_the_hole_up() {
    let mut leg = leg(8_000);
    leg.take(0, PCMU, &[0x31; 160]);
    assert_eq!(spans(&told(&mut leg)), [(0, 160)]);
    for idx in 2..10 {
        leg.take(160 * idx, PCMU, &[0x31; 160]);
        assert!(told(&mut leg).is_empty());
        assert!(leg.is_waiting());
    }
    leg.take(1_600, PCMU, &[0x31; 160]);
    assert_eq!(spans(&told(&mut leg)), [(160, 1_760)]);
    assert!(!leg.is_waiting());
    // Too late.
    leg.take(160, PCMU, &[0x31; 160]);
    assert!(told(&mut leg).is_empty());
    assert_eq!(leg.concealed_samples(), 160);
}

#[test]
fn comfort_noise_leaves_silence() {
    let mut leg = leg(8_000);
    let packet = [0x31; 160];
    leg.take(0, PCMU, &packet);
    leg.take_silence(320);
    assert_eq!(spans(&told(&mut leg)), [(0, 160)]);
    assert!(leg.is_waiting(), "a packet before the silence is missing");
    leg.take(160, PCMU, &packet);
    assert_eq!(spans(&told(&mut leg)), [(160, 320)]);
    leg.take(480, PCMU, &packet);
    assert_eq!(spans(&told(&mut leg)), [(480, 640)]);
    // Again and again, and after it holes are holes.
    leg.take_silence(640);
    leg.take_silence(800);
    assert!(told(&mut leg).is_empty());
    leg.take(1_600, PCMU, &packet);
    leg.take(1_920, PCMU, &packet);
    assert_eq!(spans(&told(&mut leg)), [(1_600, 1_760)]);
    assert_eq!(spans(&flushed(&mut leg)), [(1_760, 2_080)]);
    assert_eq!(leg.concealed_samples(), 160);
}

#[test]
fn a_call_may_begin_with_silence() {
    let mut leg = leg(8_000);
    leg.take_silence(100);
    assert!(told(&mut leg).is_empty());
    leg.take(400, PCMU, &[0x31; 160]);
    assert_eq!(spans(&told(&mut leg)), [(400, 560)]);
}

#[test]
fn every_format_keeps_its_level_and_its_length() {
    for leg_hz in [8_000, 16_000] {
        for (payload_type, format) in FORMATS {
            let mut leg = leg(leg_hz);
            let n_packet = u64::from(leg_hz) / PACKETS_PER_SEC as u64;
            let mut all = Vec::new();
            for (idx, packet) in packets(format).iter().enumerate() {
                leg.take(1_000 + n_packet * idx as u64, payload_type, packet);
                all.extend(told(&mut leg));
            }
            all.extend(flushed(&mut leg));
            let what = format!("{format:?} {leg_hz}");
            let end = 1_000 + n_packet * N_PACKETS as u64;
            assert_eq!(spans(&all), [(1_000, end)], "{what}");
            let heard = samples(&all);
            let change_db = level_db(&heard[heard.len() / 4..]) - tone_db();
            assert!(change_db.abs() < 2.0, "{what}: {change_db}");
            let loudest_db = leg.level_dbfs().unwrap() - tone_db();
            // Codecs overshoot where a tone begins.
            assert!(loudest_db.abs() < 3.0, "{what}: {loudest_db}");
            assert_eq!(leg.level_dbfs(), None);
            assert_eq!(leg.codec(), Some(format));
            assert_eq!(leg.concealed_samples(), 0);
        }
    }
}

#[test]
fn nothing_moves_where_the_rate_is_doubled() {
    let mut leg = leg(16_000);
    let sent: Vec<i16> = (0..1_600).map(|idx| (idx * 37 % 4_001) as i16).collect();
    let mut all = Vec::new();
    for (idx, packet) in sent.chunks(160).enumerate() {
        let payload: Vec<u8> = packet.iter().flat_map(|it| it.to_be_bytes()).collect();
        leg.take(320 * idx as u64, 96, &payload);
        all.extend(told(&mut leg));
    }
    assert!(leg.is_waiting(), "the filter waits for what comes next");
    all.extend(flushed(&mut leg));
    let heard = samples(&all);
    let heard = heard.iter().step_by(2).map(|it| (it * 32_768.0) as i16);
    assert_eq!(heard.collect::<Vec<_>>(), sent);
}

#[test]
fn damage_is_concealed() {
    let mut leg = leg(16_000);
    let mut sent = packets(AudioFormat::Opus);
    // 20 ms that say of themselves that they are padded with more bytes than there are.
    sent[10] = vec![0x4b, 0x41, 200];
    // No frames at all: as if it had not come.
    sent[15] = vec![0x4b, 0];
    let mut all = Vec::new();
    for (idx, packet) in sent.iter().enumerate() {
        leg.take(320 * idx as u64, OPUS, packet);
        all.extend(told(&mut leg));
    }
    all.extend(flushed(&mut leg));
    assert_eq!(spans(&all), [(0, 320 * N_PACKETS as u64)]);
    assert_eq!(leg.concealed_samples(), 640);
}

#[test]
fn what_was_agreed_goes_for_what_comes_after() {
    let mut leg = leg(8_000);
    leg.take(0, PCMU, &[1; 160]);
    leg.take(320, PCMU, &[3; 160]);
    assert_eq!(told(&mut leg).len(), 1);
    leg.agree(&[(PCMU, AudioFormat::Pcma)], CLOCK_HZ);
    leg.take(160, PCMU, &[2; 160]);
    leg.take(480, OPUS, &[4; 160]);
    leg.take(480, PCMU, &[]);
    let told = told(&mut leg);
    let codings: Vec<_> = told.iter().map(|it| (it.at, it.coding)).collect();
    assert_eq!(codings, [(160, Coding::Alaw), (320, Coding::Ulaw)]);
    assert_eq!(leg.codec(), Some(AudioFormat::Pcmu));
    assert!(!leg.is_waiting());
}

#[test]
fn another_format_goes_on_where_the_one_before_ends() {
    let mut leg = leg(16_000);
    let mut all = Vec::new();
    for (idx, (payload_type, format)) in FORMATS.iter().cycle().take(20).enumerate() {
        // Each second one is missing.
        let at = 640 * idx as u64;
        leg.take(at, *payload_type, &packets(*format)[0]);
        all.extend(told(&mut leg));
    }
    all.extend(flushed(&mut leg));
    assert_eq!(spans(&all), [(0, 640 * 20 - 320)]);
    assert_eq!(leg.concealed_samples(), 19 * 320);
}

#[test]
fn a_warm_leg_allocates_nothing() {
    for leg_hz in [8_000, 16_000] {
        for (payload_type, format) in FORMATS {
            let sent = packets(format);
            let n_packet = u64::from(leg_hz) / PACKETS_PER_SEC as u64;
            let mut leg = leg(leg_hz);
            let mut at = 0;
            let mut n_samples = 0;
            let mut hear_all = || {
                for (idx, packet) in sent.iter().enumerate() {
                    // A hole and a swap.
                    let place = match idx {
                        5 => 6,
                        6 => 5,
                        10.. => idx as u64 + 1,
                        _ => idx as u64,
                    };
                    leg.take(at + n_packet * place, payload_type, packet);
                    while let Some(ready) = leg.next() {
                        n_samples += ready.bytes.len();
                    }
                }
                at += n_packet * (N_PACKETS as u64 + 1);
            };
            hear_all();
            hear_all();
            let allocated = allocation_counter::measure(&mut hear_all);
            assert_eq!(allocated.count_total, 0, "{format:?} {leg_hz}");
            assert!(n_samples > 0);
        }
    }
}

/// What a leg is told to do.
#[derive(Clone, Debug)]
enum Act {
    Take(u64, u8, Vec<u8>),
    Silence(u64),
    Flush,
    Agree(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let place = prop_oneof![9 => 0_u64..6_000, 1 => any::<u64>()];
    let payload_type = prop_oneof![
        9 => (0..FORMATS.len()).prop_map(|idx| FORMATS[idx].0),
        1 => any::<u8>(),
    ];
    let payload = proptest::collection::vec(any::<u8>(), 0..400);
    let act = prop_oneof![
        12 => (place.clone(), payload_type, payload)
            .prop_map(|(at, payload_type, payload)| Act::Take(at, payload_type, payload)),
        2 => place.prop_map(Act::Silence),
        1 => Just(Act::Flush),
        1 => (0..=FORMATS.len()).prop_map(Act::Agree),
    ];
    proptest::collection::vec(act, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_line_of_time_is_exact(
        is_heard in proptest::collection::vec(proptest::bool::weighted(0.7), N_PACKETS),
        format_idx in 0..FORMATS.len(),
        leg_hz in prop_oneof![Just(8_000_u32), Just(16_000)],
    ) {
        let (payload_type, format) = FORMATS[format_idx];
        let n_packet = u64::from(leg_hz) / PACKETS_PER_SEC as u64;
        let most = u64::from(leg_hz) / 10;
        let mut leg = leg(leg_hz);
        let mut all = Vec::new();
        let mut expected: Vec<(u64, u64)> = Vec::new();
        let mut n_concealed = 0;
        for (idx, packet) in packets(format).iter().enumerate().filter(|(idx, _)| is_heard[*idx]) {
            let at = n_packet * idx as u64;
            match expected.last_mut() {
                Some((_, end)) if at - *end <= most => {
                    n_concealed += at - *end;
                    *end = at + n_packet;
                }
                _ => expected.push((at, at + n_packet)),
            }
            leg.take(at, payload_type, packet);
            all.extend(told(&mut leg));
        }
        all.extend(flushed(&mut leg));
        prop_assert_eq!(spans(&all), expected);
        prop_assert_eq!(leg.concealed_samples(), n_concealed);
    }

    #[test]
    fn order_on_the_way_changes_nothing(
        order in Just((1..9).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let sent: Vec<Vec<u8>> = (0..9_u8).map(|idx| vec![idx; 160]).collect();
        let mut leg = leg(8_000);
        leg.take(0, PCMU, &sent[0]);
        let mut all = told(&mut leg);
        for idx in order {
            leg.take(160 * idx as u64, PCMU, &sent[idx]);
            all.extend(told(&mut leg));
        }
        prop_assert!(!leg.is_waiting());
        let bytes: Vec<u8> = all.iter().flat_map(|piece| piece.bytes.clone()).collect();
        prop_assert_eq!(bytes, sent.concat());
    }

    #[test]
    fn anything_gives_pieces_one_after_the_other(
        row in acts(),
        leg_hz in prop_oneof![Just(8_000_u32), Just(16_000)],
    ) {
        let mut leg = leg(leg_hz);
        let mut end = 0;
        for act in row {
            match act {
                Act::Take(at, payload_type, payload) => leg.take(at, payload_type, &payload),
                Act::Silence(at) => leg.take_silence(at),
                Act::Flush => leg.flush(),
                Act::Agree(n) => leg.agree(&FORMATS[..n], CLOCK_HZ),
            }
            for piece in told(&mut leg) {
                prop_assert!(piece.at >= end);
                end = piece.end();
            }
        }
        for piece in flushed(&mut leg) {
            prop_assert!(piece.at >= end);
            end = piece.end();
        }
        prop_assert!(leg.level_dbfs().is_none_or(f32::is_finite));
    }
}
