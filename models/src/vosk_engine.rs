//! Vosk (Kaldi) models as a streaming engine; feature `vosk`.
//!
//! The crate `vosk` drives the C library; the library itself is opened at run time, see
//! [`VoskLibrary`]. Vosk hears words with confidences and ends its own segments at silence; a stream's
//! reading is the segments so far and the one in work. It takes no hotwords and gives one hypothesis.

mod library;
mod model;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use vosk::{CompleteResult, DecodingState, Recognizer};

pub use library::VoskLibrary;
pub use model::VoskModel;

use crate::engine::{
    EngineError, EngineInfo, Hypothesis, StepReport, StreamKey, StreamOptions, StreamingEngine,
    Token,
};
use crate::streams::Streams;
use words::{hypothesis, tokens};

/// Audio per step, milliseconds: Kaldi's chunks are 0.2 to 0.5 s, smaller ones only cost calls.
const CHUNK_MS: u32 = 200;

/// Streams of one Vosk model.
pub struct VoskEngine {
    model: Arc<VoskModel>,
    info: EngineInfo,
    chunk_samples: usize,
    streams: Streams<Stream>,
}

/// One open stream.
struct Stream {
    recognizer: Recognizer,
    /// Not yet given to the recogniser.
    waiting: Vec<i16>,
    /// Words of segments that ended.
    ended: Vec<Token>,
    /// Words of the segment in work.
    current: Vec<Token>,
}

impl VoskEngine {
    /// An engine of its own streams over shared weights.
    pub fn new(model: Arc<VoskModel>) -> Self {
        let info = model.info(CHUNK_MS);
        let chunk_samples = (info.sample_rate_hz * CHUNK_MS / 1000) as usize;
        Self {
            model,
            info,
            chunk_samples,
            streams: Streams::default(),
        }
    }
}

impl StreamingEngine for VoskEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn open_stream(&mut self, _options: &StreamOptions) -> Result<StreamKey, EngineError> {
        let stream = Stream {
            recognizer: self.model.recognizer()?,
            waiting: Vec::with_capacity(2 * self.chunk_samples),
            ended: Vec::new(),
            current: Vec::new(),
        };
        Ok(self.streams.open(stream))
    }

    fn accept(&mut self, stream: StreamKey, samples: &[f32]) -> Result<(), EngineError> {
        let stream = self.streams.get_mut(stream)?;
        stream.waiting.extend(samples.iter().copied().map(to_i16));
        Ok(())
    }

    fn step(&mut self) -> Result<StepReport, EngineError> {
        let chunk_samples = self.chunk_samples;
        let ready = self
            .streams
            .places_where(|stream| stream.waiting.len() >= chunk_samples);
        for stream in self.streams.at_places(&ready) {
            stream.advance(chunk_samples)?;
        }
        Ok(StepReport {
            n_advanced: ready.len(),
        })
    }

    fn partial(&self, stream: StreamKey) -> Result<Hypothesis, EngineError> {
        let open = self.streams.get(stream)?;
        Ok(hypothesis([open.ended.as_slice(), &open.current].concat()))
    }

    fn finish(&mut self, stream: StreamKey) -> Result<Vec<Hypothesis>, EngineError> {
        let mut open = self.streams.close(stream)?;
        let left = open.waiting.len();
        if left > 0 {
            open.advance(left)?;
        }
        let last = guarded(|| read_complete(&open.recognizer.final_result()))?;
        open.ended.extend(last);
        Ok(vec![hypothesis(open.ended)])
    }
}

impl Stream {
    /// Gives the first `n_samples` waiting to the recogniser and reads what it heard.
    fn advance(&mut self, n_samples: usize) -> Result<(), EngineError> {
        let recognizer = &mut self.recognizer;
        let samples = &self.waiting[..n_samples];
        let state = guarded(|| recognizer.accept_waveform(samples))?
            .map_err(|cause| EngineError::Run(cause.to_string()))?;
        match state {
            DecodingState::Running => {
                self.current = guarded(|| tokens(&recognizer.partial_result().partial_result))?;
            }
            DecodingState::Finalized => {
                let segment = guarded(|| read_complete(&recognizer.result()))?;
                self.ended.extend(segment);
                self.current.clear();
            }
            DecodingState::Failed => {
                return Err(EngineError::Run("vosk refused the audio".to_owned()));
            }
        }
        self.waiting.drain(..n_samples);
        Ok(())
    }
}

fn read_complete(result: &CompleteResult<'_>) -> Vec<Token> {
    match result {
        CompleteResult::Single(single) => tokens(&single.result),
        CompleteResult::Multiple(_) => Vec::new(),
    }
}

/// The crate panics where the library's JSON is not what it expects; here that is an error.
fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|_| EngineError::Run("vosk gave a result that cannot be read".to_owned()))
}

/// −1 to 1 → 16 bits; what lies beyond is clipped, no number is silence.
fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests;
