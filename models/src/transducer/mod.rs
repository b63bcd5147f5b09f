//! Streaming transducers: beam search over networks that ONNX Runtime or Auricle itself runs.

mod beam;
mod encoder;
mod engine;
mod hotwords;
mod joint;
mod model_files;
mod network;
mod runtime;
mod tokens;

pub use engine::{DecodeSettings, RunBy, TransducerEngine, TransducerModel};
pub use runtime::OnnxRuntime;
pub use tokens::{TokenTable, TokenTableError};

pub(crate) use runtime::run_error;
