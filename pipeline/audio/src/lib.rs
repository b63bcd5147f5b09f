//! Call recordings in, frames of one rate out: containers, G.711, resampling, channel survey, filter banks.

mod block;
mod fbank;
pub mod g711;
pub mod resample;

pub use block::{AudioBlock, MAX_BLOCK_FRAMES};
pub use fbank::{FRAMES_PER_SEC, Fbank, N_BINS};
pub use resample::{ResampleError, Resampler};
