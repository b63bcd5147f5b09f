//! Engines that hear speech, and the registry of the models they run.

mod engine;

pub use engine::{
    EngineError, EngineInfo, Hotword, Hypothesis, StepReport, StreamKey, StreamOptions,
    StreamingEngine, Token, TokenKind,
};
