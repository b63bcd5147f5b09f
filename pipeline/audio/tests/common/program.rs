//! The sound of the fixtures, as formulas of time.

use std::f64::consts::PI;

/// The tone of the left channel, its level, and when it surely sounds.
pub(crate) const TONE_HZ: f64 = 1_000.0;
/// Amplitude of the tone.
pub(crate) const TONE_LEVEL: f64 = 0.5;

/// A sound within `[start, end)` with raised-cosine edges of 10 ms.
fn gate(t: f64, start: f64, end: f64) -> f64 {
    let inside = (t - start).min(end - t);
    let edge = (inside / 0.01).clamp(0.0, 1.0);
    0.5 - 0.5 * (PI * edge).cos()
}

/// A tone that glides from one frequency to another.
fn chirp(t: f64, start: f64, secs: f64, from_hz: f64, to_hz: f64) -> f64 {
    let t = t - start;
    (2.0 * PI * (from_hz * t + (to_hz - from_hz) * t * t / (2.0 * secs))).sin()
}

/// First channel: a tone at 1 kHz, then a glide up.
pub(crate) fn left(t: f64) -> f64 {
    let tone = TONE_LEVEL * (2.0 * PI * TONE_HZ * t).sin() * gate(t, 0.1, 0.5);
    tone + 0.4 * chirp(t, 0.6, 0.4, 300.0, 3_000.0) * gate(t, 0.6, 1.0)
}

/// Second channel: a lower tone, then a glide down.
pub(crate) fn right(t: f64) -> f64 {
    let tone = 0.25 * (2.0 * PI * 600.0 * t).sin() * gate(t, 0.2, 0.4);
    tone + 0.3 * chirp(t, 0.8, 0.4, 3_000.0, 300.0) * gate(t, 0.8, 1.2)
}

/// Any channel of the fixtures with many: tones of their own.
pub(crate) fn channel(channel_idx: usize, t: f64) -> f64 {
    match channel_idx {
        0 => left(t),
        1 => right(t),
        idx => 0.2 * (2.0 * PI * 250.0 * idx as f64 * t).sin() * gate(t, 0.1, 1.1),
    }
}

/// Samples of one channel at a rate.
pub(crate) fn samples(channel_idx: usize, rate_hz: u32, n_frames: usize) -> Vec<f32> {
    (0..n_frames)
        .map(|frame| channel(channel_idx, frame as f64 / f64::from(rate_hz)) as f32)
        .collect()
}
