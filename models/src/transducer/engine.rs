//! The streaming transducer engine: many streams, decoded chunk by chunk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auricle_audio::{FRAMES_PER_SEC, Fbank, FbankPlan, FbankSettings, N_BINS};
use auricle_networks::{Decoder, Joiner, NetworkError, Zipformer};

use crate::decoding::TokenTable;
use crate::decoding::chain::FrameClock;
use crate::decoding::hotwords::Biasing;
use crate::engine::{
    EngineError, EngineInfo, Hypothesis, StepReport, StreamKey, StreamOptions, StreamingEngine,
    read_file,
};
use crate::runtime::OnnxRuntime;
use crate::streams::{Streams, Waiting};
use crate::transducer::beam::{Beam, BeamRules};
use crate::transducer::encoder::Encoder;
use crate::transducer::joint::Joint;
use crate::transducer::model_files::ModelFiles;
use crate::transducer::network::{
    EncoderState, GraphNetwork, Network, NetworkShape, PlainNetwork, PlainWeights,
};

/// Features of icefall models are computed at this rate.
const SAMPLE_RATE_HZ: u32 = 16_000;
const SAMPLES_PER_FRAME: usize = (SAMPLE_RATE_HZ / FRAMES_PER_SEC) as usize;
/// One frame of features.
const FEATURE_MS: u32 = 1000 / FRAMES_PER_SEC;
/// A transducer tells a token so long after its sound began, on average.
const EMISSION_MS: u32 = 200;
/// Silence decoded after the last sample, in frames: a transducer emits a token late.
const FLUSH_FRAMES: usize = 25;
/// Streams in one batch: more gain nothing, their rows leave the cache.
const MAX_BATCH: usize = 16;
/// Decoder vectors kept, 8 MB where one has 512 values: a context is a pair of tokens, and few pairs are most of what is said.
/// When it is full it is begun anew.
const MAX_CACHED_CONTEXTS: usize = 1 << 12;

/// Time of one output frame until the network has given some: four frames of features.
const USUAL_FRAME_MS: u32 = 40;

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

/// What runs a transducer's networks.
#[derive(Clone, Copy, Debug)]
pub enum RunBy {
    /// Auricle's own forward pass: batches of streams, weights shared by all workers, no native library.
    Auricle,
    /// ONNX Runtime: any graph, one stream at a time, a copy of the weights for each worker.
    OnnxRuntime(&'static OnnxRuntime),
}

/// A transducer on disk, checked; makes engines.
#[derive(Clone, Debug)]
pub struct TransducerModel {
    backend: Backend,
    name: String,
    files: ModelFiles,
    tokens: Arc<TokenTable>,
    settings: DecodeSettings,
}

#[derive(Clone, Debug)]
enum Backend {
    Plain(Arc<PlainWeights>),
    Graph(&'static OnnxRuntime),
}

impl TransducerModel {
    /// Looks at the model in `folder` (`encoder*.onnx`, `decoder*.onnx`, `joiner*.onnx`, `tokens.txt`).
    ///
    /// # Errors
    /// When a file is missing or is not what it should be; [`EngineError::Misfit`] also when the networks are not
    /// those that [`RunBy::Auricle`] knows.
    pub fn open(
        folder: &Path,
        run_by: RunBy,
        settings: DecodeSettings,
    ) -> Result<Self, EngineError> {
        let files = ModelFiles::find(folder)?;
        let tokens = Arc::new(TokenTable::read(&files.tokens)?);
        let name = folder.file_name().map_or_else(
            || "model".into(),
            |name| name.to_string_lossy().into_owned(),
        );
        let (prefix, backend) = match run_by {
            RunBy::Auricle => ("native", Backend::Plain(Arc::new(read_weights(&files)?))),
            RunBy::OnnxRuntime(runtime) => ("ort", Backend::Graph(runtime)),
        };
        Ok(Self {
            backend,
            name: format!("{prefix}/{name}"),
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
        let network: Box<dyn Network> = match &self.backend {
            Backend::Plain(weights) => Box::new(PlainNetwork::new(Arc::clone(weights))),
            Backend::Graph(runtime) => Box::new(GraphNetwork {
                encoder: Encoder::open(runtime, &self.files.encoder)?,
                joint: Joint::open(runtime, &self.files.decoder, &self.files.joiner)?,
            }),
        };
        let shape = network.shape();
        self.check_fit(shape)?;
        Ok(TransducerEngine {
            info: EngineInfo {
                name: self.name.clone(),
                sample_rate_hz: SAMPLE_RATE_HZ,
                token_kind: self.tokens.kind(),
                chunk_ms: shape.step as u32 * FEATURE_MS,
                emission_ms: EMISSION_MS,
            },
            rules: BeamRules {
                n_paths: self.settings.n_paths.clamp(1, 64),
                n_tokens: shape.n_tokens,
                unknown: self.tokens.id("<unk>"),
                clock: FrameClock {
                    frame_ms: USUAL_FRAME_MS,
                    delay_ms: 0,
                },
            },
            tokens: Arc::clone(&self.tokens),
            features: Arc::new(FbankPlan::new(&FbankSettings::icefall(SAMPLE_RATE_HZ))),
            shape,
            network,
            decoded: HashMap::new(),
            biasing: Biasing::default(),
            streams: Streams::default(),
            batch: Batch::default(),
        })
    }

    fn check_fit(&self, shape: NetworkShape) -> Result<(), EngineError> {
        let misfit = |path: &Path, cause: String| EngineError::Misfit {
            path: path.into(),
            cause,
            hint: "encoder, decoder, joiner and tokens.txt must come from one model".into(),
        };
        let meeting = [
            (&self.files.encoder, shape.encoder_dim),
            (&self.files.decoder, shape.decoder_dim),
        ];
        if let Some((path, dim)) = meeting.into_iter().find(|(_, dim)| *dim != shape.dim) {
            let cause = format!(
                "it gives {dim} values a frame, the joiner takes {}",
                shape.dim
            );
            return Err(misfit(path, cause));
        }
        if shape.n_tokens > self.tokens.len() {
            let cause = format!(
                "it names {} tokens, the joiner scores {}",
                self.tokens.len(),
                shape.n_tokens
            );
            return Err(misfit(&self.files.tokens, cause));
        }
        Ok(())
    }
}

fn read_weights(files: &ModelFiles) -> Result<PlainWeights, EngineError> {
    let misfit = |path: &Path, cause: NetworkError| {
        EngineError::Misfit {
        path: path.into(),
        cause: cause.to_string(),
        hint: "it must come from an icefall streaming zipformer2 transducer; `auricle models verify` compares checksums"
            .into(),
    }
    };
    let (encoder, decoder, joiner) = (&files.encoder, &files.decoder, &files.joiner);
    Ok(PlainWeights {
        encoder: Zipformer::read(&read_file(encoder)?).map_err(|cause| misfit(encoder, cause))?,
        decoder: Decoder::read(&read_file(decoder)?).map_err(|cause| misfit(decoder, cause))?,
        joiner: Joiner::read(&read_file(joiner)?).map_err(|cause| misfit(joiner, cause))?,
    })
}

struct Stream {
    fbank: Fbank,
    /// Frames not yet consumed, [`N_BINS`] values each.
    features: Waiting,
    state: EncoderState,
    beam: Beam,
    n_samples: usize,
    ending: Ending,
}

/// Whether a stream still takes audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Open,
    /// The silence that brings out the last tokens is in.
    Flushed,
}

/// Buffers that live across steps.
#[derive(Default)]
struct Batch {
    vectors: Vec<f32>,
    encoded: Vec<f32>,
    decoded: Vec<f32>,
    log_probs: Vec<f32>,
}

/// Streams of one transducer on one thread.
pub struct TransducerEngine {
    info: EngineInfo,
    rules: BeamRules,
    tokens: Arc<TokenTable>,
    features: Arc<FbankPlan>,
    shape: NetworkShape,
    network: Box<dyn Network>,
    /// Decoder vectors by context.
    decoded: HashMap<Box<[i64]>, Box<[f32]>>,
    biasing: Biasing,
    streams: Streams<Stream>,
    batch: Batch,
}

impl TransducerEngine {
    /// Streams with a whole window waiting.
    fn ready(&self) -> Vec<usize> {
        let window = self.shape.window * N_BINS;
        self.streams
            .places_where(|stream| stream.features.len() >= window)
    }

    /// Encodes one chunk of each listed stream, in ascending order; the vectors lie one stream after the other.
    fn encode(&mut self, ready: &[usize]) -> Result<(), EngineError> {
        let (window, step) = (self.shape.window * N_BINS, self.shape.step * N_BINS);
        let mut listed = self.streams.at_places(ready);
        let (windows, mut states): (Vec<&[f32]>, Vec<&mut EncoderState>) = listed
            .iter_mut()
            .map(|stream| (&stream.features[..window], &mut stream.state))
            .unzip();
        self.network
            .encode(&windows, &mut states, &mut self.batch.vectors)?;
        for stream in listed {
            stream.features.pass(step);
        }
        Ok(())
    }

    /// Searches on through the encoded chunk, frame by frame, all streams together.
    fn search(&mut self, ready: &[usize]) -> Result<(), EngineError> {
        let dim = self.shape.dim;
        let n_values = self.batch.vectors.len() / ready.len();
        let n_frames = n_values / dim;
        if let Some(frame_ms) = (self.shape.step as u32 * FEATURE_MS).checked_div(n_frames as u32) {
            self.rules.clock.frame_ms = frame_ms;
        }
        for frame in 0..n_frames {
            self.batch.encoded.clear();
            self.batch.decoded.clear();
            let mut listed = self.streams.at_places(ready);
            for (index, stream) in listed.iter().enumerate() {
                let vector = &self.batch.vectors[index * n_values + frame * dim..][..dim];
                for context in stream.beam.contexts() {
                    self.batch.encoded.extend_from_slice(vector);
                    let decoded = decode(&mut *self.network, &mut self.decoded, context)?;
                    self.batch.decoded.extend_from_slice(decoded);
                }
            }
            self.network.join(
                &self.batch.encoded,
                &self.batch.decoded,
                &mut self.batch.log_probs,
            )?;
            let mut rows = self.batch.log_probs.as_slice();
            for stream in &mut listed {
                let (own, rest) = rows.split_at(stream.beam.contexts().len() * self.rules.n_tokens);
                stream.beam.advance(own, &self.rules);
                rows = rest;
            }
        }
        Ok(())
    }

    fn step_places(&mut self, ready: &[usize]) -> Result<(), EngineError> {
        for batch in ready.chunks(MAX_BATCH) {
            self.encode(batch)?;
            self.search(batch)?;
        }
        Ok(())
    }
}

/// The decoder's vector for a context, computed once.
fn decode<'a>(
    network: &mut dyn Network,
    known: &'a mut HashMap<Box<[i64]>, Box<[f32]>>,
    context: &[i64],
) -> Result<&'a [f32], EngineError> {
    if !known.contains_key(context) {
        if known.len() >= MAX_CACHED_CONTEXTS {
            known.clear();
        }
        let mut vector = Vec::new();
        network.decode(context, &mut vector)?;
        known.insert(context.into(), vector.into());
    }
    known
        .get(context)
        .map(|vector| &**vector)
        .ok_or_else(|| EngineError::Run("a decoder vector was lost".into()))
}

impl StreamingEngine for TransducerEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn open_stream(&mut self, options: &StreamOptions) -> Result<StreamKey, EngineError> {
        let hotwords = self.biasing.leaning(options, &self.tokens)?;
        let stream = Stream {
            fbank: Fbank::new(Arc::clone(&self.features)),
            features: Waiting::default(),
            state: self.network.fresh_state()?,
            beam: Beam::new(self.shape.context_size, hotwords),
            n_samples: 0,
            ending: Ending::Open,
        };
        Ok(self.streams.open(stream))
    }

    fn accept(&mut self, stream: StreamKey, samples: &[f32]) -> Result<(), EngineError> {
        let stream = self.streams.get_mut(stream)?;
        if stream.ending == Ending::Open {
            stream.n_samples += samples.len();
            stream.fbank.accept(samples, stream.features.more());
        }
        Ok(())
    }

    /// Adds the silence that brings out the last tokens, in whole chunks.
    fn end(&mut self, key: StreamKey) -> Result<(), EngineError> {
        let (window, step) = (self.shape.window, self.shape.step);
        let stream = self.streams.get_mut(key)?;
        if stream.n_samples == 0 || stream.ending == Ending::Flushed {
            return Ok(());
        }
        stream.ending = Ending::Flushed;
        let n_frames = stream.features.len() / N_BINS;
        let n_steps = (n_frames + FLUSH_FRAMES).div_ceil(step);
        let n_silent = ((n_steps - 1) * step + window + 2).saturating_sub(n_frames);
        stream.fbank.accept(
            &vec![0.0; n_silent * SAMPLES_PER_FRAME],
            stream.features.more(),
        );
        // The frames of the last step are all that is wanted: one more whole window would be one step more.
        let wanted = ((n_steps - 1) * step + window) * N_BINS;
        stream.features.truncate(wanted);
        Ok(())
    }

    fn step(&mut self) -> Result<StepReport, EngineError> {
        let ready = self.ready();
        self.step_places(&ready)?;
        Ok(StepReport {
            n_advanced: ready.len(),
        })
    }

    fn partial(&self, stream: StreamKey) -> Result<Hypothesis, EngineError> {
        let stream = self.streams.get(stream)?;
        Ok(stream.beam.best(&self.tokens, &self.rules))
    }

    fn finish(&mut self, key: StreamKey) -> Result<Vec<Hypothesis>, EngineError> {
        let window = self.shape.window * N_BINS;
        let mut stepped = self.end(key);
        while stepped.is_ok() && self.streams.get(key)?.features.len() >= window {
            stepped = self.step_places(&[key.place()]);
        }
        let closed = self.streams.close(key)?;
        stepped?;
        Ok(closed.beam.n_best(&self.tokens, &self.rules))
    }
}
