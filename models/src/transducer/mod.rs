//! Streaming transducers: beam search over networks that ONNX Runtime or Auricle itself runs.

mod beam;
mod encoder;
mod engine;
mod joint;
mod model_files;
mod network;

pub use engine::{DecodeSettings, RunBy, TransducerEngine, TransducerModel};
