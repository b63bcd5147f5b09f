//! Forward passes in plain Rust: streaming zipformer2 transducers and Silero voice activity.
//!
//! The weights come out of the ONNX files that others train and ship, in f32 or dynamically quantised to 8 bits; the
//! networks are written out here, so that many streams are stepped as one batch, one copy of the weights serves all
//! threads, and no native library is needed. Quantised weights are multiplied as bytes where the machine has instructions for
//! it, with rows quantised each by itself, and are widened once where it has not: results are those of the unquantised graph
//! then. A stream's result does not depend on who else is in its batch.
//!
//! A graph whose weights are wired in another way is refused with the reason; ONNX Runtime can still run it.

mod bytes;
mod kernel;
pub mod onnx;
mod silero;
mod weights;
mod zipformer;

pub use silero::{Silero, SileroScratch};
pub use zipformer::{Decoder, Joiner, Scratch, StreamState, Zipformer, ZipformerShape};

/// Why a file cannot be run here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NetworkError(String);

impl NetworkError {
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self(cause.into())
    }
}
