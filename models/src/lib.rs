//! Engines that hear speech, and the registry of the models they run.

mod emotion;
mod engine;
pub mod native;
pub mod registry;
mod source;
mod transducer;
mod vad;
#[cfg(feature = "vosk")]
pub mod vosk_engine;
#[cfg(feature = "whisper")]
pub mod whisper_engine;

pub use emotion::{N_EMOTIONS, OrtEmotion};
pub use engine::{
    EngineError, EngineInfo, Hotword, Hypothesis, StepReport, StreamKey, StreamOptions,
    StreamingEngine, Token, TokenKind,
};
#[cfg(feature = "tract")]
pub use source::TractSileroSource;
pub use source::{EngineSource, OrtSileroSource, SecondPassEngine, VadSource};
pub use transducer::{
    DecodeSettings, OnnxRuntime, RunBy, TokenTable, TokenTableError, TransducerEngine,
    TransducerModel,
};
#[cfg(feature = "tract")]
pub use vad::TractSilero;
pub use vad::{
    OrtSilero, PlainSileroSource, VAD_FRAME_SAMPLES, VAD_RATE_HZ, VadState, VoiceActivity,
};
