use super::*;
use proptest::prelude::*;

/// A voice of a glottal pulse train, `hz` at each second, through two formants; amplitude 1 at most.
fn voice(secs: f32, hz: impl Fn(f32) -> f32) -> Vec<f32> {
    let rate_hz = VOICE_RATE_HZ as f32;
    let mut phase = 0.0_f32;
    let mut out: Vec<f32> = (0..(secs * rate_hz) as usize)
        .map(|at| {
            let pitch = hz(at as f32 / rate_hz);
            phase += pitch / rate_hz;
            // Harmonics of a telephone's band only: a low voice has no fundamental there.
            let harmonics = 1..=(3_400.0 / pitch) as usize;
            let audible = harmonics.filter(|n| *n as f32 * pitch > 300.0);
            let part = |n: usize| {
                let tone = (std::f32::consts::TAU * (phase * n as f32).fract()).sin();
                tone * formants(n as f32 * pitch) / n as f32
            };
            audible.map(part).sum::<f32>()
        })
        .collect();
    let most = out
        .iter()
        .fold(1e-9_f32, |most, sample| most.max(sample.abs()));
    out.iter_mut().for_each(|sample| *sample /= most);
    out
}

fn formants(hz: f32) -> f32 {
    let bump = |centre: f32, width: f32| 1.0 / (1.0 + ((hz - centre) / width).powi(2));
    bump(600.0, 120.0) + 0.4 * bump(1_700.0, 200.0)
}

fn noise(n_samples: usize) -> Vec<f32> {
    let mut state = 7_u32;
    (0..n_samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        })
        .collect()
}

fn measure(samples: &[f32]) -> VoiceMeasures {
    let mut meter = VoiceMeter::new();
    meter.accept(samples, &mut VoiceBench::new());
    meter.finish().unwrap()
}

fn scaled(samples: &[f32], by: f32) -> Vec<f32> {
    samples.iter().map(|sample| sample * by).collect()
}

#[test]
fn pitch_is_found_without_its_fundamental() {
    for hz in [75.0_f32, 110.0, 150.0, 210.0, 290.0, 400.0, 480.0] {
        let heard = measure(&scaled(&voice(1.5, |_| hz), 0.1));
        assert!((heard.pitch_hz / hz - 1.0).abs() < 0.01, "{hz}: {heard:?}");
        assert!(heard.voiced_ratio > 0.95, "{hz}: {heard:?}");
        assert!(heard.jitter_ratio < 0.005, "{hz}: {heard:?}");
        assert!(heard.harmonicity_db > 15.0, "{hz}: {heard:?}");
    }
}

#[test]
fn pitch_survives_noise() {
    let clean = scaled(&voice(2.0, |secs| 140.0 + 30.0 * secs), 0.1);
    let hiss = scaled(&noise(clean.len()), 0.04);
    let noisy: Vec<f32> = clean
        .iter()
        .zip(&hiss)
        .map(|(one, other)| one + other)
        .collect();
    let (clean, noisy) = (measure(&clean), measure(&noisy));
    assert!(
        (noisy.pitch_hz / clean.pitch_hz - 1.0).abs() < 0.02,
        "{noisy:?}"
    );
    assert!(
        noisy.harmonicity_db < clean.harmonicity_db - 3.0,
        "{noisy:?}"
    );
}

#[test]
fn pitch_that_moves_is_followed() {
    let heard = measure(&scaled(
        &voice(2.0, |secs| 120.0 * (secs / 4.0).exp2()),
        0.2,
    ));
    assert!((heard.pitch_slope_semitones - 3.0).abs() < 0.2, "{heard:?}");
    assert!(
        (heard.pitch_motion_semitones - 3.0).abs() < 0.6,
        "{heard:?}"
    );
    assert!(heard.pitch_low_hz < heard.pitch_hz && heard.pitch_hz < heard.pitch_high_hz);
}

#[test]
fn noise_and_silence_have_no_pitch() {
    let hiss = measure(&scaled(&noise(16_000), 0.1));
    assert!(hiss.voiced_ratio < 0.1, "{hiss:?}");
    let mut meter = VoiceMeter::new();
    meter.accept(&[0.0; 16_000], &mut VoiceBench::new());
    assert_eq!(meter.finish(), None);
    meter.accept(&[f32::NAN, f32::INFINITY, 3.0], &mut VoiceBench::new());
    assert_eq!(meter.finish(), None, "less than one frame");
}

#[test]
fn louder_is_louder_and_nothing_else() {
    let said = voice(1.0, |secs| 150.0 + 40.0 * (secs * 9.0).sin());
    let (quiet, loud) = (measure(&scaled(&said, 0.02)), measure(&scaled(&said, 0.2)));
    assert!((loud.loudness_db - quiet.loudness_db - 20.0).abs() < 0.05);
    let same = VoiceMeasures {
        loudness_db: quiet.loudness_db,
        loudness_peak_db: quiet.loudness_peak_db,
        ..loud
    };
    assert!((same.pitch_hz - quiet.pitch_hz).abs() < 0.01);
    assert!((same.alpha_ratio_db - quiet.alpha_ratio_db).abs() < 0.01);
    assert!((same.shimmer_db - quiet.shimmer_db).abs() < 0.01);
}

#[test]
fn a_brighter_voice_has_a_flatter_spectrum() {
    let said = voice(1.0, |_| 160.0);
    let brighter: Vec<f32> = said
        .windows(2)
        .map(|pair| pair[1] - 0.9 * pair[0])
        .collect();
    let (dull, bright) = (
        measure(&scaled(&said, 0.1)),
        measure(&scaled(&brighter, 0.1)),
    );
    assert!(bright.alpha_ratio_db > dull.alpha_ratio_db + 3.0);
    assert!(bright.hammarberg_db < dull.hammarberg_db - 3.0);
    assert!(bright.tilt_db > dull.tilt_db + 3.0);
    assert!(bright.centroid_hz > dull.centroid_hz);
}

#[test]
fn uneven_periods_are_jitter() {
    // Each period is up to 4 % longer or shorter than 50 samples, as chance has it.
    let chance = noise(400);
    let mut samples = vec![0.0; 16_000];
    let (mut at, mut n_periods) = (0.0_f32, 0);
    while at < 15_800.0 {
        for (offset, sample) in samples[at as usize..][..40].iter_mut().enumerate() {
            let time = offset as f32 - at.fract();
            *sample += 0.3 * (-time.max(0.0) / 8.0).exp() * (time * 0.9).sin();
        }
        at += 50.0 + 4.0 * chance[n_periods];
        n_periods += 1;
    }
    let heard = measure(&samples);
    assert!((0.015..0.06).contains(&heard.jitter_ratio), "{heard:?}");
}

#[test]
fn pauses_and_peaks_are_counted() {
    let syllable = scaled(&voice(0.25, |_| 130.0), 0.1);
    let mut said = Vec::new();
    for gap in [0.15, 0.15, 1.0, 0.15] {
        said.extend_from_slice(&syllable);
        said.extend(std::iter::repeat_n(0.0, (gap * 8_000.0) as usize));
    }
    let heard = measure(&said);
    assert!((heard.pause_longest_secs - 1.0).abs() < 0.1, "{heard:?}");
    assert!((heard.pause_ratio - 0.56).abs() < 0.1, "{heard:?}");
    assert!((heard.voiced_per_sec * 2.3 - 4.0).abs() < 0.5, "{heard:?}");
}

#[test]
fn an_utterance_knows_nothing_of_the_one_before() {
    let (one, other) = (voice(1.0, |_| 100.0), scaled(&voice(0.7, |_| 300.0), 0.01));
    let (mut meter, mut bench) = (VoiceMeter::new(), VoiceBench::new());
    meter.accept(&one, &mut bench);
    meter.finish();
    meter.accept(&one[..5_000], &mut bench);
    meter.forget();
    meter.accept(&other, &mut bench);
    assert_eq!(meter.finish(), Some(measure(&other)));
}

#[test]
fn meters_that_share_a_bench_know_nothing_of_each_other() {
    let (one, other) = (voice(1.0, |_| 100.0), scaled(&voice(1.0, |_| 300.0), 0.01));
    let mut bench = VoiceBench::new();
    let mut meters = [VoiceMeter::new(), VoiceMeter::new()];
    for (ours, theirs) in one.chunks(160).zip(other.chunks(160)) {
        meters[0].accept(ours, &mut bench);
        meters[1].accept(theirs, &mut bench);
    }
    let heard = meters.map(|mut meter| meter.finish());
    assert_eq!(heard, [Some(measure(&one)), Some(measure(&other))]);
}

#[test]
fn an_endless_utterance_is_measured_to_a_limit() {
    let said = voice(1.0, |_| 200.0);
    let (mut meter, mut bench) = (VoiceMeter::new(), VoiceBench::new());
    for _ in 0..400 {
        meter.accept(&said, &mut bench);
    }
    assert!(meter.tally_frames() <= MOST_FRAMES);
    assert!(meter.samples.capacity() < 100_000);
    assert!((meter.finish().unwrap().pitch_hz - 200.0).abs() < 2.0);
}

impl VoiceMeter {
    fn tally_frames(&self) -> usize {
        self.n_settled + self.waiting.len()
    }
}

proptest! {
    #[test]
    fn pieces_do_not_matter(piece in 1_usize..5_000, hz in 80.0_f32..400.0) {
        let said = scaled(&voice(0.6, |secs| hz * (1.0 + 0.2 * secs)), 0.1);
        let (mut meter, mut bench) = (VoiceMeter::new(), VoiceBench::new());
        said.chunks(piece).for_each(|part| meter.accept(part, &mut bench));
        prop_assert_eq!(meter.finish(), Some(measure(&said)));
    }

    #[test]
    fn any_samples_give_numbers(samples in proptest::collection::vec(proptest::num::f32::ANY, 0..6_000)) {
        let mut meter = VoiceMeter::new();
        meter.accept(&samples, &mut VoiceBench::new());
        if let Some(heard) = meter.finish() {
            prop_assert_eq!(heard, heard.rounded());
            prop_assert!(heard.loudness_db.is_finite() && heard.jitter_ratio >= 0.0);
        }
    }
}
