//! Other ratios than two, by rubato, in chunks.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, Fft, FixedAsync, FixedSync, Indexing, SincInterpolationParameters, WindowFunction,
};

use super::ResampleError;

/// Frames of the lower rate in a chunk, and so in the filter: 20 ms at 16 kHz. The Blackman-Harris
/// window then falls within 0.04 of the lower rate.
const CHUNK_FRAMES: u64 = 320;
/// The FFT works on whole multiples of the reduced rate (441 for 44.1 kHz to 16 kHz). Rates with no
/// common divisor would need a transform of a second, and wait as long: beyond this many frames the
/// sinc interpolator takes over.
const MAX_REDUCED_RATE: u32 = 4096;
/// Taps of that interpolator at the lower of the two rates.
const SINC_TAPS: usize = 256;
/// Its -6 dB point over half of the lower rate: the Blackman-Harris window falls four bins of
/// 2/256 to each side.
const SINC_CUTOFF: f32 = 0.96;

/// One channel through rubato, output delayed by [`Self::delay_frames`].
pub(super) struct Rational {
    inner: Box<dyn rubato::Resampler<f32>>,
    /// Input not yet a whole chunk.
    waiting: Vec<f32>,
    chunk_frames: usize,
    scratch: Vec<f32>,
}

impl Rational {
    pub(super) fn new(from_hz: u32, to_hz: u32) -> Result<Self, ResampleError> {
        let inner = build(from_hz, to_hz).map_err(|error| ResampleError::Ratio {
            from_hz,
            to_hz,
            cause: error.to_string(),
        })?;
        let chunk_frames = inner.input_frames_next();
        Ok(Self {
            waiting: Vec::with_capacity(chunk_frames),
            chunk_frames,
            scratch: vec![0.0; inner.output_frames_max()],
            inner,
        })
    }

    /// Frames of the output before the one that belongs to the first input frame.
    pub(super) fn delay_frames(&self) -> usize {
        self.inner.output_delay()
    }

    /// Input frames of one step.
    pub(super) const fn chunk_frames(&self) -> usize {
        self.chunk_frames
    }

    pub(super) fn restart(&mut self) {
        self.inner.reset();
        self.waiting.clear();
    }

    /// Takes any number of frames; appends what whole chunks give.
    pub(super) fn process(
        &mut self,
        input: &[f32],
        out: &mut Vec<f32>,
    ) -> Result<(), ResampleError> {
        let mut rest = input;
        while !rest.is_empty() {
            let n_missing = self.chunk_frames - self.waiting.len();
            let (now, later) = rest.split_at(rest.len().min(n_missing));
            self.waiting.extend_from_slice(now);
            if self.waiting.len() == self.chunk_frames {
                self.step(out)?;
            }
            rest = later;
        }
        Ok(())
    }

    fn step(&mut self, out: &mut Vec<f32>) -> Result<(), ResampleError> {
        let failed = |error: &dyn std::fmt::Display| ResampleError::Step {
            cause: error.to_string(),
        };
        let n_scratch = self.scratch.len();
        let input = InterleavedSlice::new(&self.waiting[..], 1, self.chunk_frames)
            .map_err(|error| failed(&error))?;
        let mut output = InterleavedSlice::new_mut(&mut self.scratch[..], 1, n_scratch)
            .map_err(|error| failed(&error))?;
        let (_, n_out) = self
            .inner
            .process_into_buffer(&input, &mut output, None::<&Indexing>)
            .map_err(|error| failed(&error))?;
        out.extend_from_slice(&self.scratch[..n_out]);
        self.waiting.clear();
        Ok(())
    }
}

fn build(
    from_hz: u32,
    to_hz: u32,
) -> Result<Box<dyn rubato::Resampler<f32>>, rubato::ResamplerConstructionError> {
    let divisor = greatest_common_divisor(from_hz, to_hz);
    let lower_hz = u64::from(from_hz.min(to_hz));
    let chunk = (CHUNK_FRAMES * u64::from(from_hz)).div_ceil(lower_hz) as usize;
    if (from_hz / divisor).max(to_hz / divisor) <= MAX_REDUCED_RATE {
        // An even number of steps, so that the filter's middle lies on a frame of both rates.
        let step = 2 * (from_hz / divisor) as usize;
        let fft = Fft::new_custom(
            from_hz as usize,
            to_hz as usize,
            chunk.div_ceil(step) * step,
            1,
            1,
            WindowFunction::BlackmanHarris,
            FixedSync::Both,
        )?;
        return Ok(Box::new(fft));
    }
    let ratio = f64::from(to_hz) / f64::from(from_hz);
    // Taps are counted at the input rate: going down, more of them span the same time.
    let n_taps = (SINC_TAPS as f64 / ratio.min(1.0)).ceil() as usize;
    let parameters = SincInterpolationParameters::new(n_taps, WindowFunction::BlackmanHarris)
        .f_cutoff(SINC_CUTOFF);
    let sinc = Async::new_sinc(ratio, 1.0, &parameters, chunk, 1, FixedAsync::Input)?;
    Ok(Box::new(sinc))
}

const fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_divisors() {
        assert_eq!(greatest_common_divisor(44_100, 16_000), 100);
        assert_eq!(greatest_common_divisor(48_000, 16_000), 16_000);
        assert_eq!(greatest_common_divisor(44_101, 16_000), 1);
    }
}
