//! Streaming zipformer2 transducers in plain Rust: encoder, stateless decoder, joiner.
//!
//! The weights come out of the ONNX file that icefall exports and sherpa-onnx ships, in f32 or dynamically quantised
//! to 8 bits; the network is written out here, so that many streams are stepped as one batch although the file's own
//! batch dimension is fixed, and no native library is needed. Quantised weights are widened once, activations stay
//! f32: results are those of the unquantised graph.
//!
//! The network is that of Yao et al., *Zipformer: A faster and better encoder for automatic speech recognition*
//! (ICLR 2024), in its causal form. A graph whose weights are wired in another way than icefall's export is refused
//! with the reason; it can still be run by ONNX Runtime.

mod embed;
mod encoder;
mod joint;
mod kernel;
mod layer;
pub mod onnx;
mod weights;

pub use encoder::{Scratch, StreamState, Zipformer, ZipformerShape};
pub use joint::{Decoder, Joiner};

/// Why a file cannot be run here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ZipformerError(String);

impl ZipformerError {
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self(cause.into())
    }
}
