//! One channel from one rate to another, streaming, times kept.
//!
//! The output is **time-aligned**: output frame `k` belongs to the time `k / to_hz` of the input,
//! whatever the filter's delay, and a whole stream of `n` frames gives exactly
//! `round(n * to_hz / from_hz)`. What a filter's delay costs is waiting, not shift:
//! [`Resampler::latency_secs`] is how far the output runs behind the input until
//! [`Resampler::finish`] flushes it.
//!
//! | ratio | by | pass band (within 0.01 dB) | stop band | latency |
//! | --- | --- | --- | --- | --- |
//! | 1 | copy | all | | 0 |
//! | 2 | own half-band FIR, 127 taps, Kaiser | 0 to 0.46 of the lower rate (3.68 of 8 kHz) | -80 dB from 0.54 of it (4.32 kHz) | 32 frames of the lower rate: 4 ms at 8 kHz |
//! | 1/2 | the same | the same | the same | 32 frames of the lower rate |
//! | other | rubato, FFT in chunks of 320 frames of the lower rate or a little more | 0 to 0.46 of the lower rate | -80 dB from 0.5 of it | 1.5 chunks: 30 ms at 48 to 16 kHz |
//! | other, rates without a common divisor | rubato, 256-tap sinc | the same | the same | 1.4 chunks; times true to one output frame |
//!
//! At ratio 2 the response is -6 dB at half of the lower rate, and symmetrical about it.
//! Results do not depend on how the input is cut into calls.

mod design;
mod halfband;
mod rational;

use thiserror::Error;

use halfband::{Doubler, HALF, Halver};
use rational::Rational;

/// Rates outside of this are taken for a damaged header rather than sound.
pub const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// A rate cannot be converted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ResampleError {
    /// A rate that no recording has.
    #[error(
        "sample rate must be 1000 to 768000 Hz, got `{rate_hz}`\nhint: check the header of the recording"
    )]
    Rate {
        /// The rate refused.
        rate_hz: u32,
    },
    /// The converter for this ratio cannot be built.
    #[error("cannot convert `{from_hz}` Hz to `{to_hz}` Hz: {cause}")]
    Ratio {
        /// Rate of the input.
        from_hz: u32,
        /// Rate asked for.
        to_hz: u32,
        /// What the converter says.
        cause: String,
    },
    /// The converter refused a chunk.
    #[error("resampling stopped: {cause}")]
    Step {
        /// What the converter says.
        cause: String,
    },
}

enum Method {
    Identity,
    Double(Doubler),
    Halve(Halver),
    Rational(Rational),
}

/// Converts one channel. Allocates at construction; later only `out` grows.
pub struct Resampler {
    method: Method,
    from_hz: u32,
    to_hz: u32,
    /// Output frames still to be dropped, so that the first one kept belongs to input frame 0.
    n_to_drop: usize,
    n_in: u64,
    n_out: u64,
}

impl Resampler {
    /// A converter from `from_hz` to `to_hz`; both must lie within [`RATES_HZ`].
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, ResampleError> {
        for rate_hz in [from_hz, to_hz] {
            if !RATES_HZ.contains(&rate_hz) {
                return Err(ResampleError::Rate { rate_hz });
            }
        }
        let method = if from_hz == to_hz {
            Method::Identity
        } else if from_hz * 2 == to_hz {
            Method::Double(Doubler::new())
        } else if from_hz == to_hz * 2 {
            Method::Halve(Halver::new())
        } else {
            Method::Rational(Rational::new(from_hz, to_hz)?)
        };
        let mut resampler = Self {
            method,
            from_hz,
            to_hz,
            n_to_drop: 0,
            n_in: 0,
            n_out: 0,
        };
        resampler.restart();
        Ok(resampler)
    }

    /// Rate of the input.
    pub const fn from_hz(&self) -> u32 {
        self.from_hz
    }

    /// Rate of the output.
    pub const fn to_hz(&self) -> u32 {
        self.to_hz
    }

    /// Input frames that must follow a moment before its output appears, at most.
    pub fn latency_frames(&self) -> usize {
        match &self.method {
            Method::Identity => 0,
            Method::Double(_) => HALF,
            Method::Halve(_) => 2 * HALF,
            Method::Rational(inner) => {
                let delay = inner.delay_frames() as u64 * u64::from(self.from_hz);
                inner.chunk_frames() + delay.div_ceil(u64::from(self.to_hz)) as usize
            }
        }
    }

    /// [`Self::latency_frames`] in seconds.
    pub fn latency_secs(&self) -> f64 {
        self.latency_frames() as f64 / f64::from(self.from_hz)
    }

    /// Output frames of a whole stream of `n_frames` input frames.
    pub fn n_output_frames(&self, n_frames: u64) -> u64 {
        let (from_hz, to_hz) = (u128::from(self.from_hz), u128::from(self.to_hz));
        ((u128::from(n_frames) * to_hz + from_hz / 2) / from_hz) as u64
    }

    /// Takes the next frames of the channel and appends to `out` what can be computed by now.
    pub fn process(&mut self, input: &[f32], out: &mut Vec<f32>) -> Result<(), ResampleError> {
        self.n_in += input.len() as u64;
        self.feed(input, out)
    }

    /// Appends the rest, so that the stream's output has [`Self::n_output_frames`] frames in all,
    /// and makes ready for another stream.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), ResampleError> {
        let n_missing = |this: &Self| this.n_output_frames(this.n_in).saturating_sub(this.n_out);
        let silence = [0.0; 256];
        let n_tries = 2 + 2 * self.latency_frames() / silence.len();
        for _ in 0..n_tries {
            if n_missing(self) == 0 {
                break;
            }
            self.feed(&silence, out)?;
        }
        self.restart();
        Ok(())
    }

    /// Forgets the stream so far.
    pub fn restart(&mut self) {
        self.n_in = 0;
        self.n_out = 0;
        self.n_to_drop = match &mut self.method {
            Method::Identity => 0,
            Method::Double(inner) => {
                inner.restart();
                0
            }
            Method::Halve(inner) => {
                inner.restart();
                0
            }
            Method::Rational(inner) => {
                inner.restart();
                inner.delay_frames()
            }
        };
    }

    fn feed(&mut self, input: &[f32], out: &mut Vec<f32>) -> Result<(), ResampleError> {
        let n_before = out.len();
        match &mut self.method {
            Method::Identity => out.extend_from_slice(input),
            Method::Double(inner) => inner.process(input, out),
            Method::Halve(inner) => inner.process(input, out),
            Method::Rational(inner) => inner.process(input, out)?,
        }
        if self.n_to_drop > 0 {
            let n_dropped = self.n_to_drop.min(out.len() - n_before);
            out.drain(n_before..n_before + n_dropped);
            self.n_to_drop -= n_dropped;
        }
        // Flushing gives more than belongs to the stream.
        let n_allowed = self.n_output_frames(self.n_in).saturating_sub(self.n_out);
        let n_new = ((out.len() - n_before) as u64).min(n_allowed);
        out.truncate(n_before + n_new as usize);
        self.n_out += n_new;
        Ok(())
    }
}
