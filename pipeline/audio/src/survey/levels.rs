//! Levels of one channel.

use super::{ChannelRole, ChannelSurvey, SILENCE_DB, db};

/// Windows a second.
const WINDOWS_PER_SEC: u32 = 50;
/// A window below is no sound, dBFS.
const ACTIVE_DB: f64 = -50.0;
/// Nor is one this far below the loudest, dB.
const ACTIVE_RANGE_DB: f64 = 35.0;
/// Flat tops of this many equal samples count as clipped, from this magnitude on: the largest value
/// of both G.711 laws lies above it.
const FLAT_RUN: u64 = 3;
const FLAT_LEVEL: f32 = 0.95;
/// Steps of 1 dB below 0 dBFS in which window levels are counted.
const LEVEL_STEPS: usize = 128;

/// Running sums of one channel.
pub(super) struct Levels {
    window_frames: u32,
    n: u64,
    sum: f64,
    sum_squares: f64,
    peak: f32,
    n_clipped: u64,
    last: f32,
    run: u64,
    window: Window,
    n_windows: u64,
    /// Windows by level.
    histogram: [u64; LEVEL_STEPS],
    loudest: f64,
}

#[derive(Default)]
struct Window {
    n: u32,
    sum: f64,
    sum_squares: f64,
}

impl Levels {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self {
            window_frames: (rate_hz / WINDOWS_PER_SEC).max(1),
            n: 0,
            sum: 0.0,
            sum_squares: 0.0,
            peak: 0.0,
            n_clipped: 0,
            last: 0.0,
            run: 0,
            window: Window::default(),
            n_windows: 0,
            histogram: [0; LEVEL_STEPS],
            loudest: 0.0,
        }
    }

    pub(super) fn push(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.peak = self.peak.max(sample.abs());
            self.count_flat(sample);
            let value = f64::from(sample);
            self.window.sum += value;
            self.window.sum_squares += value * value;
            self.window.n += 1;
            if self.window.n == self.window_frames {
                self.close_window();
            }
        }
    }

    fn count_flat(&mut self, sample: f32) {
        self.run = if sample == self.last { self.run + 1 } else { 1 };
        self.last = sample;
        if sample.abs() >= FLAT_LEVEL && self.run >= FLAT_RUN {
            self.n_clipped += if self.run == FLAT_RUN { FLAT_RUN } else { 1 };
        }
    }

    fn close_window(&mut self) {
        let window = std::mem::take(&mut self.window);
        let n = f64::from(window.n);
        let mean = window.sum / n;
        let power = (window.sum_squares / n - mean * mean).max(0.0);
        self.loudest = self.loudest.max(power);
        let step = (-db(power)).clamp(0.0, LEVEL_STEPS as f64 - 1.0);
        self.histogram[step as usize] += 1;
        self.n_windows += 1;
        self.n += u64::from(window.n);
        self.sum += window.sum;
        self.sum_squares += window.sum_squares;
    }

    pub(super) fn finish(&mut self) -> ChannelSurvey {
        if self.window.n > 0 {
            self.close_window();
        }
        let n = self.n.max(1) as f64;
        let dc_offset = self.sum / n;
        let loudest_db = db(self.loudest);
        let least_db = ACTIVE_DB.max(loudest_db - ACTIVE_RANGE_DB);
        let n_active: u64 = self.histogram[..(-least_db).clamp(0.0, 127.0) as usize]
            .iter()
            .sum();
        ChannelSurvey {
            peak: f64::from(self.peak),
            rms: (self.sum_squares / n - dc_offset * dc_offset)
                .max(0.0)
                .sqrt(),
            loudest_db,
            dc_offset,
            clipped_ratio: self.n_clipped as f64 / n,
            active_ratio: n_active as f64 / self.n_windows.max(1) as f64,
            role: match loudest_db < SILENCE_DB {
                true => ChannelRole::Silent,
                false => ChannelRole::Own,
            },
        }
    }
}
