//! The streaming transducer engine: many streams, decoded chunk by chunk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use auricle_audio::{Fbank, N_BINS};

use crate::engine::{
    EngineError, EngineInfo, Hypothesis, StepReport, StreamKey, StreamOptions, StreamingEngine,
};
use crate::ort_engine::beam::{Beam, BeamRules};
use crate::ort_engine::encoder::{Encoder, EncoderState};
use crate::ort_engine::hotwords::HotwordGraph;
use crate::ort_engine::joint::Joint;
use crate::ort_engine::model_files::ModelFiles;
use crate::ort_engine::runtime::OnnxRuntime;
use crate::ort_engine::tokens::TokenTable;

/// Features of icefall models are computed at this rate.
const SAMPLE_RATE_HZ: u32 = 16_000;
const SAMPLES_PER_FRAME: usize = SAMPLE_RATE_HZ as usize / 100;
/// Silence decoded after the last sample, in frames: a transducer emits a token late.
const FLUSH_FRAMES: usize = 25;

/// How a transducer searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeSettings {
    /// Paths kept per stream, 1 to 64: 1 is greedy search, 4 to 8 are usual.
    pub n_paths: usize,
}

impl Default for DecodeSettings {
    fn default() -> Self {
        Self { n_paths: 8 }
    }
}

/// A transducer on disk, checked; makes engines.
#[derive(Clone, Debug)]
pub struct TransducerModel {
    runtime: &'static OnnxRuntime,
    name: String,
    files: ModelFiles,
    tokens: Arc<TokenTable>,
    settings: DecodeSettings,
}

impl TransducerModel {
    /// Looks at the model in `folder` (`encoder*.onnx`, `decoder*.onnx`, `joiner*.onnx`, `tokens.txt`).
    ///
    /// # Errors
    /// When a file is missing or is not what it should be.
    pub fn open(
        runtime: &'static OnnxRuntime,
        folder: &Path,
        settings: DecodeSettings,
    ) -> Result<Self, EngineError> {
        let files = ModelFiles::find(folder)?;
        let tokens = Arc::new(TokenTable::read(&files.tokens)?);
        let name = folder.file_name().map_or_else(
            || "model".into(),
            |name| name.to_string_lossy().into_owned(),
        );
        Ok(Self {
            runtime,
            name,
            files,
            tokens,
            settings,
        })
    }

    /// The model's token table.
    pub fn tokens(&self) -> &TokenTable {
        &self.tokens
    }

    /// The files it consists of.
    pub fn files(&self) -> [&Path; 4] {
        [
            &self.files.encoder,
            &self.files.decoder,
            &self.files.joiner,
            &self.files.tokens,
        ]
        .map(PathBuf::as_path)
    }

    /// An engine for one worker thread.
    ///
    /// # Errors
    /// When a file is damaged, or the files do not belong together.
    pub fn engine(&self) -> Result<TransducerEngine, EngineError> {
        let encoder = Encoder::open(self.runtime, &self.files.encoder)?;
        let joint = Joint::open(self.runtime, &self.files.decoder, &self.files.joiner)?;
        self.check_fit(&encoder, &joint)?;
        let chunk_ms = (encoder.shape().step * 10) as u32;
        Ok(TransducerEngine {
            info: EngineInfo {
                name: format!("ort/{}", self.name),
                sample_rate_hz: SAMPLE_RATE_HZ,
                token_kind: self.tokens.kind(),
                chunk_ms,
            },
            rules: BeamRules {
                n_paths: self.settings.n_paths.clamp(1, 64),
                n_tokens: joint.n_tokens(),
                unknown: self.tokens.id("<unk>"),
            },
            tokens: Arc::clone(&self.tokens),
            encoder,
            joint,
            slots: Vec::new(),
            batch: Batch::default(),
        })
    }

    fn check_fit(&self, encoder: &Encoder, joint: &Joint) -> Result<(), EngineError> {
        let misfit = |path: &Path, cause: String| EngineError::Misfit {
            path: path.into(),
            cause,
            hint: "encoder, decoder, joiner and tokens.txt must come from one model".into(),
        };
        if encoder.shape().dim != joint.dim() {
            let cause = format!(
                "it gives {} values a frame, the joiner takes {}",
                encoder.shape().dim,
                joint.dim()
            );
            return Err(misfit(&self.files.encoder, cause));
        }
        if joint.n_tokens() > self.tokens.len() {
            let cause = format!(
                "it names {} tokens, the joiner scores {}",
                self.tokens.len(),
                joint.n_tokens()
            );
            return Err(misfit(&self.files.tokens, cause));
        }
        Ok(())
    }
}

/// One stream's place; the generation tells its tenants apart.
struct Slot {
    generation: u32,
    stream: Option<Stream>,
}

struct Stream {
    fbank: Fbank,
    /// Frames not yet consumed, [`N_BINS`] values each.
    features: Vec<f32>,
    state: EncoderState,
    beam: Beam,
    n_samples: usize,
}

/// Buffers that live across steps.
#[derive(Default)]
struct Batch {
    encoded: Vec<f32>,
    decoded: Vec<f32>,
    log_probs: Vec<f32>,
}

/// Streams of one transducer on one thread.
pub struct TransducerEngine {
    info: EngineInfo,
    rules: BeamRules,
    tokens: Arc<TokenTable>,
    encoder: Encoder,
    joint: Joint,
    slots: Vec<Slot>,
    batch: Batch,
}

impl TransducerEngine {
    fn stream_mut(&mut self, key: StreamKey) -> Result<&mut Stream, EngineError> {
        self.slots
            .get_mut(key.slot as usize)
            .filter(|slot| slot.generation == key.generation)
            .and_then(|slot| slot.stream.as_mut())
            .ok_or(EngineError::NoSuchStream)
    }

    fn place(&mut self, stream: Stream) -> StreamKey {
        let free = self.slots.iter().position(|slot| slot.stream.is_none());
        let slot = free.unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                stream: None,
            });
            self.slots.len() - 1
        });
        let place = &mut self.slots[slot];
        place.generation += 1;
        place.stream = Some(stream);
        StreamKey {
            slot: slot as u32,
            generation: place.generation,
        }
    }

    /// Encodes one chunk of each listed stream; gives the vectors, stream after stream.
    fn encode(&mut self, ready: &[usize]) -> Result<Vec<Vec<f32>>, EngineError> {
        let (window, step) = (
            self.encoder.shape().window * N_BINS,
            self.encoder.shape().step * N_BINS,
        );
        let mut encoded = Vec::with_capacity(ready.len());
        for slot in ready {
            let Some(stream) = self.slots[*slot].stream.as_mut() else {
                continue;
            };
            encoded.push(
                self.encoder
                    .run(&stream.features[..window], &mut stream.state)?,
            );
            stream.features.drain(..step);
        }
        Ok(encoded)
    }

    /// Searches on through the encoded chunk, frame by frame, all streams together.
    fn search(&mut self, ready: &[usize], encoded: &[Vec<f32>]) -> Result<(), EngineError> {
        let dim = self.joint.dim();
        let n_frames = encoded
            .iter()
            .map(|vectors| vectors.len() / dim)
            .min()
            .unwrap_or(0);
        for frame in 0..n_frames {
            self.batch.encoded.clear();
            self.batch.decoded.clear();
            for (slot, vectors) in ready.iter().zip(encoded) {
                let Some(stream) = self.slots[*slot].stream.as_ref() else {
                    continue;
                };
                for context in stream.beam.contexts() {
                    self.batch
                        .encoded
                        .extend_from_slice(&vectors[frame * dim..][..dim]);
                    self.batch
                        .decoded
                        .extend_from_slice(&self.joint.decode(context)?);
                }
            }
            self.joint.join(
                &self.batch.encoded,
                &self.batch.decoded,
                &mut self.batch.log_probs,
            )?;
            let mut rows = self.batch.log_probs.as_slice();
            for slot in ready {
                let Some(stream) = self.slots[*slot].stream.as_mut() else {
                    continue;
                };
                let (own, rest) = rows.split_at(stream.beam.contexts().len() * self.rules.n_tokens);
                stream.beam.advance(own, &self.rules);
                rows = rest;
            }
        }
        Ok(())
    }

    fn step_slots(&mut self, ready: &[usize]) -> Result<(), EngineError> {
        let encoded = self.encode(ready)?;
        self.search(ready, &encoded)
    }

    /// Feeds the silence that brings out the last tokens, in whole chunks.
    fn flush(&mut self, key: StreamKey) -> Result<(), EngineError> {
        let (window, step) = (self.encoder.shape().window, self.encoder.shape().step);
        let stream = self.stream_mut(key)?;
        if stream.n_samples == 0 {
            return Ok(());
        }
        let n_frames = stream.features.len() / N_BINS;
        let n_steps = (n_frames + FLUSH_FRAMES).div_ceil(step);
        let n_silent = ((n_steps - 1) * step + window + 2).saturating_sub(n_frames);
        stream.fbank.accept(
            &vec![0.0; n_silent * SAMPLES_PER_FRAME],
            &mut stream.features,
        );
        (0..n_steps).try_for_each(|_| self.step_slots(&[key.slot as usize]))
    }
}

impl StreamingEngine for TransducerEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn open_stream(&mut self, options: &StreamOptions) -> Result<StreamKey, EngineError> {
        let hotwords = HotwordGraph::build(&options.hotwords, |token| self.tokens.id(token))
            .map_err(|token| {
                EngineError::Run(format!(
                    "a hotword has the token `{token}`, which the model does not know"
                ))
            })?;
        let stream = Stream {
            fbank: Fbank::new(SAMPLE_RATE_HZ),
            features: Vec::new(),
            state: self.encoder.fresh_state()?,
            beam: Beam::new(self.joint.context_size(), hotwords.map(Arc::new)),
            n_samples: 0,
        };
        Ok(self.place(stream))
    }

    fn accept(&mut self, stream: StreamKey, samples: &[f32]) -> Result<(), EngineError> {
        let stream = self.stream_mut(stream)?;
        stream.n_samples += samples.len();
        stream.fbank.accept(samples, &mut stream.features);
        Ok(())
    }

    fn step(&mut self) -> Result<StepReport, EngineError> {
        let window = self.encoder.shape().window * N_BINS;
        let ready: Vec<usize> = (0..self.slots.len())
            .filter(|slot| {
                self.slots[*slot]
                    .stream
                    .as_ref()
                    .is_some_and(|stream| stream.features.len() >= window)
            })
            .collect();
        self.step_slots(&ready)?;
        Ok(StepReport {
            n_advanced: ready.len(),
        })
    }

    fn partial(&self, stream: StreamKey) -> Result<Hypothesis, EngineError> {
        self.slots
            .get(stream.slot as usize)
            .filter(|slot| slot.generation == stream.generation)
            .and_then(|slot| slot.stream.as_ref())
            .map(|stream| stream.beam.best(&self.tokens))
            .ok_or(EngineError::NoSuchStream)
    }

    fn finish(&mut self, stream: StreamKey) -> Result<Vec<Hypothesis>, EngineError> {
        let flushed = self.flush(stream);
        self.stream_mut(stream)?;
        let closed = self.slots[stream.slot as usize].stream.take();
        flushed?;
        Ok(closed
            .map(|stream| stream.beam.n_best(&self.tokens))
            .unwrap_or_default())
    }
}
