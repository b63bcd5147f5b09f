//! Fake stereo told from two parties, on signals made for it and on real calls.

use auricle_audio::g711::Law;
use auricle_audio::{AudioBlock, ChannelRole, Layout, Survey, SurveyReport, SurveyWarning};
use proptest::prelude::*;

const RATE_HZ: u32 = 8_000;

/// Noise from a seed, in [-1, 1].
fn noise(seed: u64, n_frames: usize) -> impl Iterator<Item = f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..n_frames).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    })
}

/// Something like speech: low-passed noise in syllables of about 200 ms, in turns given as
/// (start, end) seconds.
fn voice(seed: u64, secs: f64, turns: &[(f64, f64)]) -> Vec<f32> {
    let n_frames = (secs * f64::from(RATE_HZ)) as usize;
    let mut smooth = 0.0_f32;
    let sounds = noise(seed, n_frames).enumerate().map(|(frame, white)| {
        smooth = 0.7 * smooth + 0.3 * white;
        let t = frame as f64 / f64::from(RATE_HZ);
        let speaks = turns.iter().any(|&(start, end)| (start..end).contains(&t));
        let syllable = (t * 5.0 * std::f64::consts::PI).sin().abs() as f32;
        if speaks { 0.5 * smooth * syllable } else { 0.0 }
    });
    sounds.collect()
}

fn mix(a: &[f32], a_gain: f32, b: &[f32], b_gain: f32) -> Vec<f32> {
    a.iter()
        .zip(b)
        .map(|(a, b)| a_gain * a + b_gain * b)
        .collect()
}

fn delay(samples: &[f32], n_frames: usize) -> Vec<f32> {
    let silence = std::iter::repeat_n(0.0, n_frames);
    silence
        .chain(samples.iter().copied())
        .take(samples.len())
        .collect()
}

/// Through G.711, as each leg of a call is coded by itself.
fn coded(samples: &[f32], law: Law) -> Vec<f32> {
    let code = |&sample: &f32| law.decode_unit(law.encode((sample * 32_768.0) as i16));
    samples.iter().map(code).collect()
}

fn survey(planes: Vec<Vec<f32>>) -> SurveyReport {
    let mut survey = Survey::new(RATE_HZ, planes.len());
    survey.push(&AudioBlock::from_planes(planes));
    survey.finish()
}

/// Ten seconds of two parties taking turns.
fn parties() -> [Vec<f32>; 2] {
    [
        voice(1, 10.0, &[(0.5, 3.0), (5.0, 7.5)]),
        voice(2, 10.0, &[(3.2, 4.8), (7.7, 9.5)]),
    ]
}

#[test]
fn copies_are_found_whatever_was_done_to_them() {
    let [agent, customer] = parties();
    let both = mix(&agent, 1.0, &customer, 0.6);
    let scaled: Vec<f32> = both.iter().map(|sample| 0.3 * sample).collect();
    let inverted: Vec<f32> = both.iter().map(|sample| -0.8 * sample).collect();
    let hiss: Vec<f32> = noise(9, both.len()).map(|white| 0.003 * white).collect();
    for (what, copy) in [
        ("same", both.clone()),
        ("scaled", scaled),
        ("inverted", inverted),
        ("1 frame", delay(&both, 1)),
        ("5 ms", delay(&both, 40)),
        ("10 ms", delay(&both, 80)),
        ("other law", coded(&both, Law::A)),
        ("hiss", mix(&both, 1.0, &hiss, 1.0)),
    ] {
        let report = survey(vec![coded(&both, Law::Mu), copy]);
        assert_eq!(report.layout, Layout::FakeStereo, "{what}: {report:#?}");
        assert!(
            report.warnings.contains(&SurveyWarning::FakeStereo),
            "{what}"
        );
    }
}

#[test]
fn two_parties_stay_two_whatever_leaks() {
    let [agent, customer] = parties();
    for leak in [0.0, 0.01, 0.1, 0.3] {
        let left = mix(&agent, 1.0, &customer, leak);
        let right = mix(&customer, 1.0, &delay(&agent, 20), leak);
        let report = survey(vec![coded(&left, Law::A), coded(&right, Law::A)]);
        assert_eq!(report.layout, Layout::PerParty, "leak {leak}: {report:#?}");
        assert_eq!(report.warnings, [], "leak {leak}");
    }
}

#[test]
fn a_customer_of_few_words_is_still_a_party() {
    let agent = voice(1, 60.0, &[(0.5, 30.0), (32.5, 59.0)]);
    let customer = voice(2, 60.0, &[(30.2, 32.3)]);
    let left = mix(&agent, 1.0, &customer, 0.1);
    let right = mix(&customer, 0.5, &agent, 0.1);
    let report = survey(vec![left, right]);
    assert_eq!(report.layout, Layout::PerParty, "{report:#?}");
    assert_eq!(report.channels[1].role, ChannelRole::Own);
}

#[test]
fn a_channel_with_only_the_other_sides_leak_is_named() {
    let [agent, _] = parties();
    let faint: Vec<f32> = agent.iter().map(|sample| 0.1 * sample).collect();
    for (planes, channel_idx, of_channel_idx) in [
        (vec![agent.clone(), faint.clone()], 1, 0),
        (vec![faint, agent], 0, 1),
    ] {
        let report = survey(planes);
        assert_eq!(report.layout, Layout::PerParty);
        let expected = SurveyWarning::LeakOnly {
            channel_idx,
            of_channel_idx,
        };
        assert_eq!(report.warnings, [expected]);
    }
}

#[test]
fn a_silent_channel_is_no_copy() {
    let [agent, _] = parties();
    let silence = vec![0.0; agent.len()];
    let report = survey(vec![agent, silence]);
    assert_eq!(report.layout, Layout::PerParty);
    assert_eq!(
        report.warnings,
        [SurveyWarning::SilentChannel { channel_idx: 1 }]
    );
    let both_silent = survey(vec![vec![0.0; 8_000]; 2]);
    assert_eq!(both_silent.warnings, [SurveyWarning::AllSilent]);
    assert_eq!(both_silent.layout, Layout::PerParty);
}

#[test]
fn levels_are_those_of_the_signal() {
    let tone = |t: f64| 0.5 * (2.0 * std::f64::consts::PI * 400.0 * t).sin();
    let sounds = |frame| frame < 8_000;
    let samples = (0..16_000)
        .map(|frame| {
            if sounds(frame) {
                tone(f64::from(frame) / 8_000.0) as f32
            } else {
                0.0
            }
        })
        .map(|sample| sample + 0.1)
        .collect();
    let report = survey(vec![samples]);
    let channel = &report.channels[0];
    assert_eq!((report.n_frames, report.duration_secs), (16_000, 2.0));
    assert_eq!(report.layout, Layout::Mono);
    assert!((channel.peak - 0.6).abs() < 1e-3, "{channel:?}");
    assert!((channel.dc_offset - 0.1).abs() < 1e-4, "{channel:?}");
    assert!((channel.rms - 0.25).abs() < 1e-3, "{channel:?}");
    assert!((channel.loudest_db + 9.03).abs() < 0.1, "{channel:?}");
    assert!((channel.active_ratio - 0.5).abs() < 0.02, "{channel:?}");
    assert_eq!(channel.clipped_ratio, 0.0);
}

#[test]
fn real_calls_have_two_parties() {
    let shared = std::env::var_os("AURICLE_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        Into::into,
    );
    let folder = shared.join("audio/zh-calls-dev");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: no recordings in {}", folder.display());
        return;
    };
    let mut n_calls = 0;
    for file in files {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "wav") {
            continue;
        }
        let mut reader = auricle_audio::AudioReader::open(&path).unwrap();
        let info = reader.info().clone();
        assert_eq!(
            (info.sample_rate_hz, info.n_channels),
            (8_000, 2),
            "{path:?}"
        );
        let mut survey = Survey::new(info.sample_rate_hz, info.n_channels);
        let mut mixed = Survey::new(info.sample_rate_hz, 2);
        let mut block = AudioBlock::new();
        while reader.next_block(&mut block).unwrap() > 0 {
            survey.push(&block);
            let mix = mix(block.channel(0), 0.7, block.channel(1), 0.7);
            mixed.push(&AudioBlock::from_planes(vec![
                coded(&mix, Law::Mu),
                coded(&mix, Law::A),
            ]));
        }
        assert_eq!(reader.warnings(), [], "{path:?}");
        assert_eq!(Some(reader.n_frames_read()), info.n_frames, "{path:?}");
        assert_eq!(survey.finish().layout, Layout::PerParty, "{path:?}");
        assert_eq!(mixed.finish().layout, Layout::FakeStereo, "{path:?}");
        n_calls += 1;
    }
    assert!(n_calls > 0, "{}", folder.display());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn cuts_do_not_matter(cuts in prop::collection::vec(1..9_000_usize, 0..8)) {
        let [agent, customer] = parties();
        let whole = survey(vec![agent.clone(), customer.clone()]);
        let mut pieces = Survey::new(RATE_HZ, 2);
        let mut start = 0;
        for cut in cuts.into_iter().chain([agent.len()]) {
            let end = agent.len().min(start + cut);
            let planes = [&agent, &customer].map(|plane| plane[start..end].to_vec());
            pieces.push(&AudioBlock::from_planes(planes.into()));
            start = end;
        }
        prop_assert_eq!(pieces.finish(), whole);
    }
}
