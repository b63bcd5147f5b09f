//! Resampling measured with tones: pass band, stop band, times, lengths, independence of cuts.

#![expect(
    clippy::unwrap_used,
    reason = "tests, their helpers included, stop at what they do not expect"
)]

use std::f64::consts::PI;

use auricle_audio::Resampler;
use proptest::prelude::*;

fn tone(frequency_hz: f64, rate_hz: u32, n_frames: usize) -> Vec<f32> {
    (0..n_frames)
        .map(|frame| (2.0 * PI * frequency_hz * frame as f64 / f64::from(rate_hz)).cos() as f32)
        .collect()
}

fn convert(from_hz: u32, to_hz: u32, input: &[f32]) -> Vec<f32> {
    let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
    let mut out = Vec::new();
    resampler.process(input, &mut out).unwrap();
    resampler.finish(&mut out).unwrap();
    out
}

/// Amplitude and phase (radians) of one frequency over the middle of a signal, Hann weighted.
fn measure(samples: &[f32], rate_hz: u32, frequency_hz: f64) -> (f64, f64) {
    let edge = samples.len() / 8;
    let middle = &samples[edge..samples.len() - edge];
    let (mut re, mut im, mut weights) = (0.0, 0.0, 0.0);
    for (idx, &sample) in middle.iter().enumerate() {
        let hann = 0.5 - 0.5 * (2.0 * PI * (idx as f64 + 0.5) / middle.len() as f64).cos();
        let angle = 2.0 * PI * frequency_hz * (idx + edge) as f64 / f64::from(rate_hz);
        re += hann * f64::from(sample) * angle.cos();
        im -= hann * f64::from(sample) * angle.sin();
        weights += hann;
    }
    (2.0 * re.hypot(im) / weights, im.atan2(re))
}

fn db(amplitude: f64) -> f64 {
    20.0 * amplitude.max(1e-12).log10()
}

/// Gain of tones up to `edge` times the lower rate, and the delay left, in output frames.
fn check_pass_band(from_hz: u32, to_hz: u32, edge: f64, late_limit: f64) {
    let lower_hz = f64::from(from_hz.min(to_hz));
    for step in 1..=24 {
        let frequency_hz = lower_hz * edge * f64::from(step) / 24.0;
        let out = convert(
            from_hz,
            to_hz,
            &tone(frequency_hz, from_hz, from_hz as usize),
        );
        let (amplitude, phase) = measure(&out, to_hz, frequency_hz);
        let gain_db = db(amplitude);
        assert!(
            gain_db.abs() < 0.01,
            "{from_hz} to {to_hz}: {frequency_hz} Hz {gain_db} dB"
        );
        let late_frames = -phase / (2.0 * PI * frequency_hz) * f64::from(to_hz);
        assert!(
            late_frames.abs() < late_limit,
            "{from_hz} to {to_hz}: {late_frames} frames late"
        );
    }
}

#[test]
fn doubling_passes_speech_unchanged() {
    check_pass_band(8_000, 16_000, 0.46, 0.01);
    check_pass_band(22_050, 44_100, 0.46, 0.01);
}

#[test]
fn halving_passes_speech_unchanged() {
    check_pass_band(16_000, 8_000, 0.46, 0.01);
}

#[test]
fn other_ratios_pass_speech_unchanged() {
    check_pass_band(44_100, 16_000, 0.46, 0.01);
    check_pass_band(48_000, 16_000, 0.46, 0.01);
    check_pass_band(11_025, 16_000, 0.46, 0.01);
    check_pass_band(6_000, 16_000, 0.46, 0.01);
    check_pass_band(192_000, 16_000, 0.46, 0.01);
}

#[test]
fn rates_without_a_common_divisor_pass_speech() {
    check_pass_band(44_101, 16_000, 0.46, 1.0);
    check_pass_band(8_009, 16_000, 0.46, 1.0);
}

#[test]
fn doubling_rejects_images() {
    for frequency_hz in [100.0, 1_000.0, 2_500.0, 3_400.0, 3_600.0, 3_680.0] {
        let out = convert(8_000, 16_000, &tone(frequency_hz, 8_000, 16_000));
        let (image, _) = measure(&out, 16_000, 8_000.0 - frequency_hz);
        assert!(
            db(image) < -80.0,
            "{frequency_hz} Hz: image at {} dB",
            db(image)
        );
    }
}

#[test]
fn going_down_rejects_aliases() {
    // (from, to, lowest frequency of the stop band)
    for (from_hz, to_hz, edge_hz) in [
        (16_000, 8_000, 4_320.0),
        (44_100, 16_000, 8_000.0),
        (48_000, 16_000, 8_000.0),
        (48_000, 8_000, 4_000.0),
        (44_101, 16_000, 8_000.0),
    ] {
        let highest_hz = f64::from(from_hz) / 2.0 - 50.0;
        for step in 0..=12 {
            let frequency_hz = edge_hz + (highest_hz - edge_hz) * f64::from(step) / 12.0;
            let out = convert(
                from_hz,
                to_hz,
                &tone(frequency_hz, from_hz, 2 * from_hz as usize),
            );
            let edge = out.len() / 8;
            let loudest = out[edge..out.len() - edge]
                .iter()
                .fold(0.0_f32, |max, s| max.max(s.abs()));
            let loudest_db = db(f64::from(loudest));
            assert!(
                loudest_db < -80.0,
                "{from_hz} to {to_hz}: {frequency_hz} Hz {loudest_db} dB"
            );
        }
    }
}

#[test]
fn doubling_keeps_every_input_sample() {
    let input = tone(1_234.5, 8_000, 5_000);
    let out = convert(8_000, 16_000, &input);
    assert!(out.iter().step_by(2).eq(&input));
}

#[test]
fn a_click_stays_where_it_was() {
    for (from_hz, to_hz) in [
        (8_000, 16_000),
        (16_000, 8_000),
        (48_000, 16_000),
        (44_100, 16_000),
    ] {
        let mut input = vec![0.0; from_hz as usize];
        // 1/10 s is a whole frame at all of these rates.
        input[from_hz as usize / 10] = 1.0;
        let out = convert(from_hz, to_hz, &input);
        let loudest = (0..out.len()).max_by(|&a, &b| out[a].abs().total_cmp(&out[b].abs()));
        assert_eq!(loudest, Some(to_hz as usize / 10), "{from_hz} to {to_hz}");
    }
}

#[test]
fn one_rate_is_a_copy() {
    let input = tone(440.0, 16_000, 1_000);
    assert_eq!(convert(16_000, 16_000, &input), input);
}

#[test]
fn output_waits_no_longer_than_it_says() {
    for (from_hz, to_hz) in [
        (8_000, 16_000),
        (16_000, 8_000),
        (44_100, 16_000),
        (44_101, 16_000),
    ] {
        let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
        let mut out = Vec::new();
        for n_in in 1..=from_hz as usize / 4 {
            resampler.process(&[0.0], &mut out).unwrap();
            let settled = n_in.saturating_sub(resampler.latency_frames()) as u64;
            let due = resampler.n_output_frames(settled).saturating_sub(1);
            assert!(
                out.len() as u64 >= due,
                "{from_hz} to {to_hz}: {} of {due} after {n_in}",
                out.len()
            );
        }
        assert!(
            resampler.latency_secs() < 0.06,
            "{}",
            resampler.latency_secs()
        );
    }
}

#[test]
fn absurd_rates_are_refused() {
    for (from_hz, to_hz) in [
        (0, 16_000),
        (8_000, 0),
        (u32::MAX, 16_000),
        (8_000, u32::MAX),
    ] {
        assert!(Resampler::new(from_hz, to_hz).is_err());
    }
}

#[test]
fn a_finished_resampler_starts_anew() {
    let input = tone(700.0, 8_000, 3_001);
    let mut resampler = Resampler::new(8_000, 16_000).unwrap();
    let mut twice = Vec::new();
    for _ in 0..2 {
        resampler.process(&input, &mut twice).unwrap();
        resampler.finish(&mut twice).unwrap();
    }
    assert_eq!(twice[..6_002], twice[6_002..]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cuts_do_not_matter(
        rates in prop::sample::select(vec![
            (8_000, 16_000), (16_000, 8_000), (44_100, 16_000), (48_000, 16_000),
            (11_025, 16_000), (44_101, 16_000), (16_000, 16_000),
        ]),
        seed in any::<u32>(),
        n_frames in 0..6_000_usize,
        cuts in prop::collection::vec(0..6_000_usize, 0..12),
    ) {
        let input: Vec<f32> = (0..n_frames as u32)
            .map(|frame| (frame.wrapping_mul(2_654_435_761) ^ seed) as f32 / u32::MAX as f32 - 0.5)
            .collect();
        let whole = convert(rates.0, rates.1, &input);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(n_frames)).collect();
        cuts.sort_unstable();
        cuts.push(n_frames);
        let mut resampler = Resampler::new(rates.0, rates.1).unwrap();
        let (mut pieces, mut start) = (Vec::new(), 0);
        for cut in cuts {
            resampler.process(&input[start..cut], &mut pieces).unwrap();
            start = cut;
        }
        resampler.finish(&mut pieces).unwrap();
        prop_assert_eq!(&pieces, &whole);
        let expected = (n_frames as f64 * f64::from(rates.1) / f64::from(rates.0)).round();
        prop_assert_eq!(whole.len() as f64, expected);
    }
}
