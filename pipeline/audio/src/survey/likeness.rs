//! Whether two channels carry the same sound.
//!
//! Two things are measured over windows of about 130 ms in which either channel sounds:
//! - **coherence**: cross spectra are summed up, each window weighted to count the same. Scaling,
//!   inversion and a delay much shorter than the window leave a fixed phase and keep the sum whole;
//!   different sounds cancel. (Magnitude squared coherence after G. C. Carter, "Coherence and time
//!   delay estimation", 1987.)
//! - **level ratio**: between two copies it is constant. Where each party leaks into the other's
//!   channel the sounds are alike while one speaks, but the ratio turns when the other does.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use super::ChannelRole;
use crate::block::AudioBlock;

/// The band compared: what a telephone carries.
const BAND_HZ: [f32; 2] = [100.0, 3_700.0];
/// Windows in which neither channel reaches this are left out, mean square (-50 dBFS).
const LEAST_POWER: f32 = 1e-5;
/// Nor do those far below the loudest so far count (-30 dB): there noise has its say.
const LEAST_SHARE: f32 = 1e-3;
/// Coherence of copies: 1 less what two different codecs add (0.83 at 10 dB of noise on each).
const LEAST_COHERENCE: f64 = 0.7;
/// Ratios this far from the median are another party's, dB.
const RATIO_TOLERANCE_DB: i32 = 6;
/// Share of windows that may be so in copies.
const OUTLIERS: f64 = 0.03;
/// Windows needed to say anything, but for copies that are alike bit for bit.
const LEAST_WINDOWS: u64 = 4;
/// Copies differ less than this; beyond, one is the leak of the other, dB.
const LEAK_DB: i32 = 15;
/// Ratios are counted from -60 to 60 dB.
const RATIO_RANGE_DB: i32 = 60;

/// All pairs of some channels.
pub(super) struct Likeness {
    fft: Arc<dyn RealToComplex<f32>>,
    taper: Vec<f32>,
    band: std::ops::Range<usize>,
    /// Samples of the window being filled.
    windows: Vec<Vec<f32>>,
    spectra: Vec<Vec<Complex32>>,
    scratch: Vec<f32>,
    pairs: Vec<Pair>,
    loudest: f32,
}

struct Pair {
    channels: [usize; 2],
    cross: Vec<Complex32>,
    powers: [Vec<f32>; 2],
    n_windows: u64,
    ratios: Vec<u64>,
    is_identical: bool,
}

impl Likeness {
    pub(super) fn new(rate_hz: u32, n_channels: usize) -> Self {
        let n_window = ((rate_hz as usize).max(1_000) / 10).next_power_of_two();
        let fft = RealFftPlanner::new().plan_fft_forward(n_window);
        let [low, high] = BAND_HZ.map(|hz| (hz * n_window as f32 / rate_hz.max(1) as f32) as usize);
        let band = low.max(1)..high.min(n_window / 2);
        let step = std::f32::consts::PI / n_window as f32;
        let pairs = (0..n_channels)
            .flat_map(|later| (0..later).map(move |earlier| [earlier, later]))
            .map(|channels| Pair::new(channels, band.len()))
            .collect();
        Self {
            taper: (0..n_window)
                .map(|idx| ((idx as f32 + 0.5) * step).sin())
                .collect(),
            windows: vec![Vec::with_capacity(n_window); n_channels],
            spectra: vec![fft.make_output_vec(); n_channels],
            scratch: fft.make_input_vec(),
            fft,
            band,
            pairs,
            loudest: 0.0,
        }
    }

    pub(super) fn push(&mut self, block: &AudioBlock) {
        if self.pairs.is_empty() {
            return;
        }
        let n_window = self.taper.len();
        let mut start = 0;
        while start < block.n_frames() {
            let n_missing = n_window - self.windows[0].len();
            let end = block.n_frames().min(start + n_missing);
            for (channel_idx, window) in self.windows.iter_mut().enumerate() {
                match block.channel(channel_idx).get(start..end) {
                    Some(samples) => window.extend_from_slice(samples),
                    None => window.resize(window.len() + end - start, 0.0),
                }
            }
            if self.windows[0].len() == n_window {
                self.close_window();
            }
            start = end;
        }
    }

    fn close_window(&mut self) {
        let mut powers = Vec::with_capacity(self.windows.len());
        for (window, spectrum) in self.windows.iter().zip(&mut self.spectra) {
            let mean = window.iter().sum::<f32>() / window.len() as f32;
            for ((out, &sample), &taper) in self.scratch.iter_mut().zip(window).zip(&self.taper) {
                *out = (sample - mean) * taper;
            }
            let power = self.scratch.iter().map(|x| x * x).sum::<f32>() / window.len() as f32;
            powers.push(power);
            // Lengths are those of the plan.
            if self.fft.process(&mut self.scratch, spectrum).is_err() {
                return;
            }
        }
        self.loudest = powers.iter().copied().fold(self.loudest, f32::max);
        let least = LEAST_POWER.max(self.loudest * LEAST_SHARE);
        for pair in &mut self.pairs {
            let [a, b] = pair.channels;
            pair.is_identical &= self.windows[a] == self.windows[b];
            if powers[a].max(powers[b]) >= least {
                let spectra = [a, b].map(|idx| &self.spectra[idx][self.band.clone()]);
                pair.add(spectra, [powers[a], powers[b]]);
            }
        }
        self.windows.iter_mut().for_each(Vec::clear);
    }

    /// What the later of two channels is to the earlier; `None` for a sound of its own.
    pub(super) fn role(&self, earlier: usize, later: usize) -> Option<ChannelRole> {
        let pair = self
            .pairs
            .iter()
            .find(|pair| pair.channels == [earlier, later])?;
        let rest = |idx: usize| &self.windows[idx];
        if pair.is_identical && rest(earlier) == rest(later) {
            return Some(ChannelRole::SameAs {
                channel_idx: earlier,
            });
        }
        pair.role()
    }
}

impl Pair {
    fn new(channels: [usize; 2], n_bins: usize) -> Self {
        Self {
            channels,
            cross: vec![Complex32::ZERO; n_bins],
            powers: [vec![0.0; n_bins], vec![0.0; n_bins]],
            n_windows: 0,
            ratios: vec![0; 2 * RATIO_RANGE_DB as usize + 1],
            is_identical: true,
        }
    }

    fn add(&mut self, spectra: [&[Complex32]; 2], powers: [f32; 2]) {
        let [a, b] = powers.map(|power| power.max(1e-10));
        let weights = [1.0 / a, 1.0 / b];
        let cross_weight = (weights[0] * weights[1]).sqrt();
        for (bin, (&x, &y)) in spectra[0].iter().zip(spectra[1]).enumerate() {
            self.cross[bin] += x * y.conj() * cross_weight;
            self.powers[0][bin] += x.norm_sqr() * weights[0];
            self.powers[1][bin] += y.norm_sqr() * weights[1];
        }
        self.n_windows += 1;
        let ratio_db = (10.0 * (b / a).log10()).round() as i32;
        let step = ratio_db.clamp(-RATIO_RANGE_DB, RATIO_RANGE_DB) + RATIO_RANGE_DB;
        self.ratios[step as usize] += 1;
    }

    fn role(&self) -> Option<ChannelRole> {
        if self.n_windows < LEAST_WINDOWS || self.coherence() < LEAST_COHERENCE {
            return None;
        }
        let median = self.median_ratio();
        let steps = self.ratios.iter().enumerate();
        let n_outliers: u64 = steps
            .filter(|(step, _)| (*step as i32 - median).abs() > RATIO_TOLERANCE_DB)
            .map(|(_, n)| n)
            .sum();
        if n_outliers as f64 > OUTLIERS * self.n_windows as f64 {
            return None;
        }
        let channel_idx = self.channels[0];
        Some(match (median - RATIO_RANGE_DB).abs() > LEAK_DB {
            true => ChannelRole::LeakOf { channel_idx },
            false => ChannelRole::SameAs { channel_idx },
        })
    }

    /// Over the band, by what the channels have there.
    fn coherence(&self) -> f64 {
        let (mut cross, mut powers) = (0.0, 0.0);
        for (bin, value) in self.cross.iter().enumerate() {
            cross += f64::from(value.norm_sqr());
            powers += f64::from(self.powers[0][bin]) * f64::from(self.powers[1][bin]);
        }
        cross / powers.max(f64::MIN_POSITIVE)
    }

    /// As a step of the histogram.
    fn median_ratio(&self) -> i32 {
        let mut n_left = self.n_windows / 2;
        for (step, &n) in self.ratios.iter().enumerate() {
            if n > n_left {
                return step as i32;
            }
            n_left -= n;
        }
        RATIO_RANGE_DB
    }
}
