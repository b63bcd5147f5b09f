//! Log mel filter bank features, as Kaldi computes them (`compute-fbank-feats`, `snip-edges=false`).
//!
//! The transducers of icefall are trained on these: 25 ms Povey windows every 10 ms, DC removed,
//! pre-emphasis 0.97, power spectrum of 512 points, 80 triangular mel filters from 20 Hz to 400 Hz
//! below Nyquist, natural log. No dither. Samples are in −1 to 1.
//!
//! Delay: a frame is ready once the sample 12.5 ms after its centre has come; frame `f` is centred
//! on `f · 10 ms + 5 ms`.

use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Mel filters per frame.
pub const N_BINS: usize = 80;
/// Frames per second.
pub const FRAMES_PER_SEC: u32 = 100;

const PRE_EMPHASIS: f32 = 0.97;
const LOW_HZ: f32 = 20.0;
const HIGH_BELOW_NYQUIST_HZ: f32 = 400.0;
/// Kaldi floors the energies at the smallest step of an f32 before the logarithm.
const ENERGY_FLOOR: f32 = f32::EPSILON;

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FbankSettings {
    /// Rate of the samples, hertz (8,000 or 16,000 in practice).
    pub sample_rate_hz: u32,
    /// Mel filters per frame.
    pub n_bins: usize,
    /// Where the first filter begins, hertz.
    pub low_hz: f32,
    /// Where the last one ends, hertz.
    pub high_hz: f32,
}

impl FbankSettings {
    /// As the models of icefall want it: [`N_BINS`] filters from 20 Hz to 400 Hz below Nyquist.
    pub const fn icefall(sample_rate_hz: u32) -> Self {
        Self {
            sample_rate_hz,
            n_bins: N_BINS,
            low_hz: LOW_HZ,
            high_hz: sample_rate_hz as f32 / 2.0 - HIGH_BELOW_NYQUIST_HZ,
        }
    }
}

/// A triangular filter: its first spectrum bin and the weights from there on.
struct MelFilter {
    first_bin: usize,
    weights: Vec<f32>,
}

/// Tables that all streams of one kind share.
pub struct FbankPlan {
    window: Vec<f32>,
    filters: Vec<MelFilter>,
    fft: Arc<dyn RealToComplex<f32>>,
    shift: usize,
}

impl FbankPlan {
    /// For a model that wants these.
    pub fn new(settings: &FbankSettings) -> Self {
        let length = (settings.sample_rate_hz / 40) as usize;
        let n_fft = length.next_power_of_two();
        Self {
            window: povey_window(length),
            filters: mel_filters(settings, n_fft),
            fft: RealFftPlanner::<f32>::new().plan_fft_forward(n_fft),
            shift: (settings.sample_rate_hz / FRAMES_PER_SEC) as usize,
        }
    }

    /// Samples that are let go together: moving the tail costs more than it frees while it is long beside what goes.
    fn drop_samples(&self) -> usize {
        4 * self.window.len()
    }
}

impl fmt::Debug for FbankPlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FbankPlan").finish_non_exhaustive()
    }
}

/// Turns samples into frames of log energies, as they come. About 30 kB.
pub struct Fbank {
    plan: Arc<FbankPlan>,
    /// Samples still needed; the first one is sample `kept_from` of the stream.
    samples: Vec<f32>,
    kept_from: usize,
    n_samples: usize,
    next_frame: usize,
    frame: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Fbank {
    /// A stream that has heard nothing.
    pub fn new(plan: Arc<FbankPlan>) -> Self {
        let fft = &plan.fft;
        Self {
            // What is not let go yet, what the next frame still needs, and a piece.
            samples: Vec::with_capacity(2 * plan.drop_samples() + 2 * plan.window.len()),
            kept_from: 0,
            n_samples: 0,
            next_frame: 0,
            frame: vec![0.0; fft.len()],
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![0.0; fft.len() / 2 + 1],
            plan,
        }
    }

    /// Takes samples and appends every frame that is complete to `out`, one value for each filter.
    pub fn accept(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        // In pieces, so that a long slice does not make the buffer grow.
        for piece in samples.chunks(self.plan.drop_samples()) {
            self.samples.extend_from_slice(piece);
            self.n_samples += piece.len();
            while self.frame_end(self.next_frame) <= self.n_samples as isize {
                self.push_frame(out);
            }
            self.drop_used_samples();
        }
    }

    /// Ends the stream: appends the frames whose windows reach past the last sample (mirrored
    /// there), and starts anew.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let n_frames = (self.n_samples + self.plan.shift / 2) / self.plan.shift;
        while self.n_samples > 0 && self.next_frame < n_frames {
            self.push_frame(out);
        }
        self.samples.clear();
        (self.kept_from, self.n_samples, self.next_frame) = (0, 0, 0);
    }

    fn frame_start(&self, frame: usize) -> isize {
        (frame * self.plan.shift + self.plan.shift / 2) as isize
            - (self.plan.window.len() / 2) as isize
    }

    fn frame_end(&self, frame: usize) -> isize {
        self.frame_start(frame) + self.plan.window.len() as isize
    }

    fn drop_used_samples(&mut self) {
        let needed_from = self.frame_start(self.next_frame).max(0) as usize;
        let unused = needed_from
            .saturating_sub(self.kept_from)
            .min(self.samples.len());
        if unused >= self.plan.drop_samples() || unused == self.samples.len() {
            self.samples.drain(..unused);
            self.kept_from += unused;
        }
    }

    fn push_frame(&mut self, out: &mut Vec<f32>) {
        self.load_frame();
        self.shape_frame();
        if self
            .plan
            .fft
            .process_with_scratch(&mut self.frame, &mut self.spectrum, &mut self.scratch)
            .is_err()
        {
            // Lengths come from the plan itself; a failure would be silence, not a panic.
            self.spectrum.fill(Complex::new(0.0, 0.0));
        }
        for (power, value) in self.power.iter_mut().zip(&self.spectrum) {
            *power = value.norm_sqr();
        }
        out.extend(self.plan.filters.iter().map(|filter| {
            let bins = &self.power[filter.first_bin..][..filter.weights.len()];
            let energy: f32 = filter
                .weights
                .iter()
                .zip(bins)
                .map(|(weight, bin)| weight * bin)
                .sum();
            energy.max(ENERGY_FLOOR).ln()
        }));
        self.next_frame += 1;
    }

    /// Copies the frame's samples, mirrored at the ends of the stream.
    fn load_frame(&mut self) {
        let start = self.frame_start(self.next_frame);
        let length = self.plan.window.len();
        let whole =
            start >= self.kept_from as isize && start + length as isize <= self.n_samples as isize;
        if whole {
            let from = start as usize - self.kept_from;
            self.frame[..length].copy_from_slice(&self.samples[from..from + length]);
            return;
        }
        for offset in 0..length {
            let at = mirror(start + offset as isize, self.n_samples);
            self.frame[offset] = self
                .samples
                .get(at.saturating_sub(self.kept_from))
                .copied()
                .unwrap_or(0.0);
        }
    }

    /// DC removal, pre-emphasis, window, zero padding.
    fn shape_frame(&mut self) {
        let length = self.plan.window.len();
        let (frame, padding) = self.frame.split_at_mut(length);
        let mean = frame.iter().sum::<f32>() / length as f32;
        frame.iter_mut().for_each(|sample| *sample -= mean);
        for at in (1..length).rev() {
            frame[at] -= PRE_EMPHASIS * frame[at - 1];
        }
        frame[0] -= PRE_EMPHASIS * frame[0];
        for (sample, weight) in frame.iter_mut().zip(&self.plan.window) {
            *sample *= weight;
        }
        padding.fill(0.0);
    }
}

/// Index of the sample that stands at `at` when the stream of `n_samples` is mirrored at its ends.
fn mirror(at: isize, n_samples: usize) -> usize {
    let last = n_samples as isize - 1;
    let mut at = at;
    // A stream shorter than a window is mirrored more than once.
    while at < 0 || at > last {
        at = if at < 0 { -at - 1 } else { 2 * last + 1 - at };
    }
    at as usize
}

/// A Hann window to the power 0.85 (Kaldi's `povey`).
fn povey_window(length: usize) -> Vec<f32> {
    let step = std::f64::consts::TAU / (length - 1) as f64;
    (0..length)
        .map(|at| (0.5 - 0.5 * (step * at as f64).cos()).powf(0.85) as f32)
        .collect()
}

fn mel(hz: f32) -> f32 {
    1127.0 * (1.0 + hz / 700.0).ln()
}

fn mel_filters(settings: &FbankSettings, n_fft: usize) -> Vec<MelFilter> {
    let rate_hz = settings.sample_rate_hz as f32;
    let (low, high) = (mel(settings.low_hz), mel(settings.high_hz));
    let step = (high - low) / (settings.n_bins + 1) as f32;
    let weight_at = |filter: usize, bin: usize| {
        let left = low + filter as f32 * step;
        let at = mel(bin as f32 * rate_hz / n_fft as f32);
        ((at - left) / step)
            .min((left + 2.0 * step - at) / step)
            .max(0.0)
    };
    (0..settings.n_bins)
        .map(|filter| {
            let bins: Vec<usize> = (0..n_fft / 2)
                .filter(|&bin| weight_at(filter, bin) > 0.0)
                .collect();
            let first_bin = bins.first().copied().unwrap_or(0);
            let weights = bins.iter().map(|&bin| weight_at(filter, bin)).collect();
            MelFilter { first_bin, weights }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn icefall(rate_hz: u32) -> Fbank {
        Fbank::new(Arc::new(FbankPlan::new(&FbankSettings::icefall(rate_hz))))
    }

    fn noise(n_samples: usize) -> Vec<f32> {
        let mut state = 1_u32;
        (0..n_samples)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect()
    }

    fn frames(samples: &[f32], piece: usize) -> Vec<f32> {
        let (mut fbank, mut out) = (icefall(16_000), Vec::new());
        samples
            .chunks(piece)
            .for_each(|part| fbank.accept(part, &mut out));
        fbank.finish(&mut out);
        out
    }

    #[test]
    fn the_number_of_frames_is_kaldis() {
        for (n_samples, expected) in [(0, 0), (79, 0), (80, 1), (160, 1), (400, 3), (16_000, 100)] {
            assert_eq!(
                frames(&noise(n_samples), 1 << 20).len(),
                expected * N_BINS,
                "{n_samples}"
            );
        }
    }

    #[test]
    fn pieces_do_not_matter() {
        let samples = noise(20_011);
        let whole = frames(&samples, samples.len());
        for piece in [1, 77, 160, 1000] {
            assert_eq!(frames(&samples, piece), whole, "{piece}");
        }
    }

    #[test]
    fn a_tone_is_loudest_in_its_own_filter() {
        let tone: Vec<f32> = (0..16_000)
            .map(|at| (at as f32 * std::f32::consts::TAU * 1000.0 / 16_000.0).sin())
            .collect();
        let middle = &frames(&tone, 1600)[50 * N_BINS..51 * N_BINS];
        let loudest = (0..N_BINS)
            .max_by(|a, b| middle[*a].total_cmp(&middle[*b]))
            .unwrap();
        let step = (mel(7600.0) - mel(20.0)) / 81.0;
        let expected = (mel(1000.0) - mel(20.0)) / step - 1.0;
        assert!(
            (loudest as f32 - expected).abs() <= 1.0,
            "{loudest} beside {expected}"
        );
    }
}
