//! The streaming engine: one trait for every recogniser that hears while people speak.
//!
//! An engine is owned by one thread and holds many streams. Audio goes in with
//! [`StreamingEngine::accept`], [`StreamingEngine::step`] advances every stream that has a whole
//! chunk waiting, together, and [`StreamingEngine::finish`] closes a stream with its n-best list.
//! A worker has an engine of its own, made by an [`crate::EngineSource`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

/// What an engine recognises and how it wants to be fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// Engine and model, for example `native/zh-zipformer-3.3m`.
    pub name: String,
    /// Rate of the samples that [`StreamingEngine::accept`] takes, hertz.
    pub sample_rate_hz: u32,
    /// What one token spells.
    pub token_kind: TokenKind,
    /// Audio that one step consumes, milliseconds: the delay of a partial result.
    pub chunk_ms: u32,
    /// How long after its sound begins a token is told, on average, milliseconds; 0 for engines that know where it
    /// begins and ends.
    pub emission_ms: u32,
}

/// What one token of a recogniser spells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Initials and toned finals; two tokens make a syllable.
    Pinyin,
    /// Hanzi, with Latin pieces among them.
    Hanzi,
    /// Pieces of words; `▁` opens a word.
    Bpe,
    /// Whole words.
    Word,
}

/// One stream of an engine. Never reused: a closed stream's key stays invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamKey {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl StreamKey {
    /// The key of an engine's stream: its place, and how often that place was used before.
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    /// Where its stream stands among the engine's.
    pub(crate) const fn place(self) -> usize {
        self.slot as usize
    }
}

/// A phrase that is expected, as a sequence of the recogniser's own tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Hotword {
    /// Token texts, in order.
    pub tokens: Vec<String>,
    /// Bonus per token, natural log; 1.5 is a strong nudge.
    pub boost: f32,
}

/// How one stream is decoded.
#[derive(Clone, Debug, Default)]
pub struct StreamOptions {
    /// Phrases to lean towards; engines without biasing ignore them. Streams that bring the same list (one `Arc`, not one
    /// like it) share what an engine makes of it.
    pub hotwords: Arc<[Hotword]>,
    /// Further phrases: those of one call. What is said of both lists earns the boosts of both.
    pub own_hotwords: Arc<[Hotword]>,
}

/// One recognised token.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its text as the model's token table spells it.
    pub text: Arc<str>,
    /// Where it was emitted, milliseconds from the stream's first sample.
    pub start_ms: u32,
    /// Where it ends at the latest; equal to `start_ms` for engines that do not know.
    pub end_ms: u32,
    /// Probability among all tokens at the place where it was emitted, 0 to 1.
    pub confidence: f32,
    /// The likeliest tokens at that place with their natural log probabilities, this one included.
    pub alternatives: Vec<(Arc<str>, f32)>,
}

/// One reading of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hypothesis {
    /// In order of time.
    pub tokens: Vec<Token>,
    /// Natural log of how likely the whole path is, by the network and by what the engine knows of the language, biasing
    /// excluded.
    pub log_prob: f32,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Streams that advanced by one chunk; 0 when no stream has a whole chunk waiting.
    pub n_advanced: usize,
}

/// An engine or its model failed.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A file of the model is not there or cannot be read.
    #[error(
        "model file `{path}` cannot be read: {cause}\nhint: `auricle models verify` names what is missing, `auricle models pull` fetches it"
    )]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// A file of the model is not what the engine expects.
    #[error("model file `{path}` does not fit: {cause}\nhint: {hint}")]
    Misfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
        /// What to do.
        hint: String,
    },
    /// The native library that runs the model is missing or foreign.
    #[error("{0}")]
    Library(String),
    /// The stream was closed, or belongs to another engine.
    #[error("no such stream: it was finished, or another engine opened it")]
    NoSuchStream,
    /// The engine failed while running.
    #[error("recognition failed: {0}")]
    Run(String),
}

/// Many streams of audio, recognised together.
pub trait StreamingEngine: Send {
    /// What it recognises.
    fn info(&self) -> &EngineInfo;

    /// Opens a stream.
    ///
    /// # Errors
    /// When the engine cannot hold another stream or a hotword has tokens it does not know.
    fn open_stream(&mut self, options: &StreamOptions) -> Result<StreamKey, EngineError>;

    /// Takes samples in −1 to 1 at [`EngineInfo::sample_rate_hz`], any number of them.
    ///
    /// # Errors
    /// When the stream is not open.
    fn accept(&mut self, stream: StreamKey, samples: &[f32]) -> Result<(), EngineError>;

    /// No more audio will come on this stream: what is left of it is stepped with the others from now on, and
    /// [`StreamingEngine::finish`] has little left to do. Calling it is optional, and so is doing anything about it.
    ///
    /// # Errors
    /// When the stream is not open.
    fn end(&mut self, _stream: StreamKey) -> Result<(), EngineError> {
        Ok(())
    }

    /// Advances every stream that has a whole chunk waiting by that chunk, in one batch where the
    /// model allows. Call until it reports 0.
    ///
    /// # Errors
    /// When the model fails to run.
    fn step(&mut self) -> Result<StepReport, EngineError>;

    /// The best reading so far; it may still change.
    ///
    /// # Errors
    /// When the stream is not open.
    fn partial(&self, stream: StreamKey) -> Result<Hypothesis, EngineError>;

    /// Decodes what is left, closes the stream and gives its readings, best first; never empty.
    ///
    /// # Errors
    /// When the stream is not open or the model fails to run; the stream is closed all the same.
    fn finish(&mut self, stream: StreamKey) -> Result<Vec<Hypothesis>, EngineError>;
}

/// The bytes of a model's file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, EngineError> {
    std::fs::read(path).map_err(|cause| EngineError::ModelFile {
        path: path.into(),
        cause: cause.to_string(),
    })
}
