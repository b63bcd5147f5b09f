//! Engines that hear speech, and the registry of the models they run.

mod ctc;
mod decoding;
mod emotion;
mod engine;
pub mod native;
pub mod registry;
mod runtime;
mod source;
mod streams;
mod transducer;
mod vad;
#[cfg(feature = "vosk")]
pub mod vosk_engine;
#[cfg(feature = "whisper")]
pub mod whisper_engine;

pub use ctc::{CtcEngine, CtcFiles, CtcModel, CtcRunBy, ModelBytes};
pub use decoding::{TokenTable, TokenTableError};
pub use emotion::{N_EMOTIONS, OrtEmotion};
pub use engine::{
    EngineError, EngineInfo, Hotword, Hypothesis, StepReport, StreamKey, StreamOptions,
    StreamingEngine, Token, TokenKind,
};
pub use runtime::OnnxRuntime;
#[cfg(feature = "tract")]
pub use source::TractSileroSource;
pub use source::{EngineSource, OrtSileroSource, SecondPassEngine, VadSource, digests_of};
pub use transducer::{DecodeSettings, RunBy, TransducerEngine, TransducerModel};
#[cfg(feature = "tract")]
pub use vad::TractSilero;
pub use vad::{
    OrtSilero, PlainSileroSource, VAD_FRAME_SAMPLES, VAD_RATE_HZ, VadState, VoiceActivity,
};
