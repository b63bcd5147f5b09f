//! Streaming zipformer2 transducers: encoder, stateless decoder, joiner.
//!
//! The network is that of Yao et al., *Zipformer: A faster and better encoder for automatic speech recognition*
//! (ICLR 2024), in its causal form. The file's own batch dimension is fixed; here many streams are stepped as one
//! batch.

mod embed;
mod encoder;
mod joint;
mod layer;

pub use encoder::{Scratch, StreamState, Zipformer, ZipformerShape};
pub use joint::{Decoder, Joiner};
