//! Recognition and voice activity through ONNX Runtime, loaded at run time.

mod beam;
mod encoder;
mod engine;
mod hotwords;
mod joint;
mod model_files;
mod runtime;
mod tokens;

pub use engine::{DecodeSettings, TransducerEngine, TransducerModel};
pub use runtime::OnnxRuntime;
pub use tokens::{TokenTable, TokenTableError};

pub(crate) use runtime::run_error;
