//! Streaming CTC recognisers at 8 kHz in one graph: features and a packed state in, log probabilities and the next state out.
//!
//! The graph's batch is free, so that all streams with a chunk waiting are stepped together. ONNX Runtime runs it, or
//! tract, which needs no native library. `models/train` makes such graphs; the one in `models/telephony-8k` is part of
//! the program.

mod engine;
mod network;
mod prefix;
mod syllables;
mod with_ort;
#[cfg(feature = "tract")]
mod with_tract;

pub use engine::{CtcEngine, CtcFiles, CtcModel, CtcRunBy, ModelBytes};
