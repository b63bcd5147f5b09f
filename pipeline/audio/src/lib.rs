//! Call recordings in, frames of one rate out: containers, G.711, resampling, channel survey, filter banks.

mod fbank;

pub use fbank::{FRAMES_PER_SEC, Fbank, N_BINS};
