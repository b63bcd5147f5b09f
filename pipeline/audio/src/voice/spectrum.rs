//! The power spectrum of one frame, and the autocorrelation that follows from it.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::VOICE_RATE_HZ;

/// 50 ms: three periods of the lowest pitch.
pub(super) const WINDOW_SAMPLES: usize = 400;
/// 10 ms.
pub(super) const HOP_SAMPLES: usize = 80;
/// Frames a second.
pub(super) const FRAMES_PER_SEC: f32 = 100.0;
/// Twice the window and more, so that its ends do not meet in the autocorrelation.
const N_FFT: usize = 1024;
/// Lags are found to half a sample: the way back is twice as long as the way there.
const N_BACK: usize = 2 * N_FFT;
/// Lags a sample.
pub(super) const LAGS_PER_SAMPLE: usize = N_BACK / N_FFT;
/// What the telephone passes, and half its slopes.
const BAND_HZ: (f32, f32) = (200.0, 3_500.0);
/// −120 dB: below the smallest step of any telephone codec.
const POWER_FLOOR: f32 = 1e-12;

/// Spectrum and autocorrelation of the frame that was looked at last.
pub(super) struct Spectrum {
    window: Vec<f32>,
    /// Autocorrelation of the window itself, 1 at lag 0.
    window_correlation: Vec<f32>,
    there: Arc<dyn RealToComplex<f32>>,
    back: Arc<dyn ComplexToReal<f32>>,
    frame: Vec<f32>,
    bins: Vec<Complex<f32>>,
    there_scratch: Vec<Complex<f32>>,
    padded: Vec<Complex<f32>>,
    back_scratch: Vec<Complex<f32>>,
    /// Power by bin, scaled so that its sum over all bins is the frame's mean square.
    power: Vec<f32>,
    correlation: Vec<f32>,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::<f32>::new();
        let (there, back) = (
            planner.plan_fft_forward(N_FFT),
            planner.plan_fft_inverse(N_BACK),
        );
        Self {
            window: (0..WINDOW_SAMPLES)
                .map(|at| hann(at as f32 + 0.5))
                .collect(),
            window_correlation: window_correlation(),
            frame: vec![0.0; N_FFT],
            bins: there.make_output_vec(),
            there_scratch: there.make_scratch_vec(),
            padded: back.make_input_vec(),
            back_scratch: back.make_scratch_vec(),
            power: vec![0.0; N_FFT / 2 + 1],
            correlation: vec![0.0; N_BACK],
            there,
            back,
        }
    }

    /// Takes a frame of [`WINDOW_SAMPLES`].
    pub(super) fn look_at(&mut self, samples: &[f32]) {
        let mean = samples.iter().sum::<f32>() / samples.len().max(1) as f32;
        self.frame.fill(0.0);
        for ((to, sample), weight) in self.frame.iter_mut().zip(samples).zip(&self.window) {
            *to = (sample - mean) * weight;
        }
        self.transform();
    }

    fn transform(&mut self) {
        let scratch = &mut self.there_scratch;
        let done = self
            .there
            .process_with_scratch(&mut self.frame, &mut self.bins, scratch);
        if done.is_err() {
            // Lengths come from the plan itself; a failure would be silence, not a panic.
            self.bins.fill(Complex::new(0.0, 0.0));
        }
        // Both halves of the spectrum, the mean over the frame, and what a Hann window takes away (3/8).
        let scale = 2.0 / (N_FFT as f32 * WINDOW_SAMPLES as f32 * 0.375);
        for (power, bin) in self.power.iter_mut().zip(&self.bins) {
            *power = bin.norm_sqr() * scale;
        }
        let (low, high) = (bin_at(BAND_HZ.0), bin_at(BAND_HZ.1));
        self.power[..low].fill(0.0);
        self.power[high..].fill(0.0);
    }

    fn correlate(&mut self) {
        self.padded.fill(Complex::new(0.0, 0.0));
        for (to, &power) in self.padded.iter_mut().zip(&self.power) {
            *to = Complex::new(power, 0.0);
        }
        let scratch = &mut self.back_scratch;
        let done = self
            .back
            .process_with_scratch(&mut self.padded, &mut self.correlation, scratch);
        if done.is_err() {
            self.correlation.fill(0.0);
        }
    }

    /// How alike the frame is to itself by lag, in steps of 1 / [`LAGS_PER_SAMPLE`] sample: 1 where it repeats
    /// itself wholly, whatever the window took away. Up to `most_lags`.
    pub(super) fn likeness(&mut self, most_lags: usize, out: &mut Vec<f32>) {
        self.correlate();
        let whole = self.correlation[0].max(f32::MIN_POSITIVE);
        let lags = self.correlation.iter().zip(&self.window_correlation);
        out.clear();
        out.extend(
            lags.take(most_lags)
                .map(|(value, window)| value / whole / window.max(0.05)),
        );
    }

    /// Power by bin of the telephone's band, 0 outside.
    pub(super) fn power(&self) -> &[f32] {
        &self.power
    }

    /// Level of the frame within the band, dB relative to full scale.
    pub(super) fn level_db(&self) -> f32 {
        decibel(self.power.iter().sum())
    }
}

fn hann(at: f32) -> f32 {
    0.5 - 0.5 * (at * std::f32::consts::TAU / WINDOW_SAMPLES as f32).cos()
}

fn window_correlation() -> Vec<f32> {
    let at_lag = |lag: usize| {
        let shift = lag as f32 / LAGS_PER_SAMPLE as f32;
        let n_both = WINDOW_SAMPLES.saturating_sub(shift.ceil() as usize);
        let places = (0..n_both).map(|at| at as f32 + 0.5);
        places.map(|at| hann(at) * hann(at + shift)).sum::<f32>()
    };
    let whole = at_lag(0);
    (0..LAGS_PER_SAMPLE * WINDOW_SAMPLES)
        .map(|lag| at_lag(lag) / whole)
        .collect()
}

/// The first bin at or above a frequency.
pub(super) fn bin_at(hz: f32) -> usize {
    ((hz * N_FFT as f32 / VOICE_RATE_HZ as f32).ceil() as usize).min(N_FFT / 2)
}

/// The frequency of a bin.
pub(super) fn hz_of(bin: usize) -> f32 {
    bin as f32 * VOICE_RATE_HZ as f32 / N_FFT as f32
}

pub(super) fn decibel(power: f32) -> f32 {
    10.0 * power.max(POWER_FLOOR).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tones_level_is_its_mean_square() {
        let mut spectrum = Spectrum::new();
        for (amplitude, hz) in [(0.1_f32, 440.0_f32), (0.5, 1_234.0), (1.0, 3_000.0)] {
            let tone: Vec<f32> = (0..WINDOW_SAMPLES)
                .map(|at| amplitude * (at as f32 * hz * std::f32::consts::TAU / 8_000.0).sin())
                .collect();
            spectrum.look_at(&tone);
            let expected = 20.0 * amplitude.log10() - 3.01;
            assert!(
                (spectrum.level_db() - expected).abs() < 0.1,
                "{hz} Hz: {}",
                spectrum.level_db()
            );
        }
        spectrum.look_at(&[0.25; WINDOW_SAMPLES]);
        assert!(spectrum.level_db() < -100.0, "an offset is no sound");
    }
}
