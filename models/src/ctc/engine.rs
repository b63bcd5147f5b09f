//! The streaming CTC engine: all streams with a chunk waiting are stepped as one batch.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use auricle_audio::{FRAMES_PER_SEC, Fbank, FbankPlan};
use sha2::{Digest, Sha256};

use super::network::{Batch, CtcNetwork, CtcShape};
use super::prefix::{PrefixBeam, PrefixRules};
use super::syllables::SyllableModel;
use super::with_ort::OrtCtc;
#[cfg(feature = "tract")]
use super::with_tract::{TractCtc, TractGraph};
use crate::decoding::TokenTable;
use crate::decoding::chain::{BLANK, FrameClock};
use crate::decoding::hotwords::Biasing;
use crate::engine::{
    EngineError, EngineInfo, Hypothesis, StepReport, StreamKey, StreamOptions, StreamingEngine,
    read_file,
};
use crate::registry::hex;
use crate::runtime::OnnxRuntime;
use crate::streams::{Streams, Waiting};
use crate::transducer::DecodeSettings;

/// Streams in one batch.
const MAX_BATCH: usize = 256;
/// Silence after the last sample beyond the delay, in frames of features: a token comes out late.
const FLUSH_FRAMES: usize = 15;

/// Tokens are told in the middle of their syllable: so long after it begins, on average.
const HALF_SYLLABLE_MS: u32 = 100;

/// The file of bigrams of syllables.
pub(crate) const SYLLABLES: &str = "syllables.lm";

/// What runs a CTC network.
#[derive(Clone, Copy, Debug)]
pub enum CtcRunBy {
    /// ONNX Runtime.
    OnnxRuntime(&'static OnnxRuntime),
    /// tract: no native library.
    #[cfg(feature = "tract")]
    Tract,
}

/// A file of a model.
#[derive(Clone)]
pub struct ModelBytes {
    /// Where it is, for people.
    pub path: PathBuf,
    /// All of it.
    pub bytes: Cow<'static, [u8]>,
}

impl fmt::Debug for ModelBytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} bytes", self.path.display(), self.bytes.len())
    }
}

/// The files of a CTC recogniser.
#[derive(Clone, Debug)]
pub struct CtcFiles {
    /// What the model is called in reports.
    pub name: String,
    /// The graph, `model.onnx`.
    pub graph: ModelBytes,
    /// The token table, `tokens.txt`.
    pub tokens: ModelBytes,
    /// How likely syllables follow one another, `syllables.lm`, where it has such a file.
    pub syllables: Option<ModelBytes>,
}

impl CtcFiles {
    /// Reads `model.onnx`, `tokens.txt` and, where it is there, `syllables.lm` of `folder`.
    ///
    /// # Errors
    /// When one of the first two is missing, or one cannot be read.
    pub fn read(folder: &Path) -> Result<Self, EngineError> {
        let read = |name: &str| -> Result<ModelBytes, EngineError> {
            let path = folder.join(name);
            let bytes = read_file(&path)?.into();
            Ok(ModelBytes { path, bytes })
        };
        let name = folder.file_name().unwrap_or(folder.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            graph: read("model.onnx")?,
            tokens: read("tokens.txt")?,
            syllables: match folder.join(SYLLABLES).exists() {
                true => Some(read(SYLLABLES)?),
                false => None,
            },
        })
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ModelBytes> {
        [&self.graph, &self.tokens]
            .into_iter()
            .chain(&self.syllables)
    }
}

/// A CTC recogniser, checked; makes engines.
#[derive(Debug)]
pub struct CtcModel {
    name: String,
    files: CtcFiles,
    tokens: Arc<TokenTable>,
    syllables: Option<Arc<SyllableModel>>,
    backend: Backend,
    shape: CtcShape,
    settings: DecodeSettings,
}

enum Backend {
    /// With the session that looking at the graph made, for the first engine.
    Ort(&'static OnnxRuntime, Mutex<Option<OrtCtc>>),
    #[cfg(feature = "tract")]
    Tract(Arc<TractGraph>),
}

impl fmt::Debug for Backend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Ort(..) => "ONNX Runtime",
            #[cfg(feature = "tract")]
            Self::Tract(_) => "tract",
        })
    }
}

impl CtcModel {
    /// Looks at a model.
    ///
    /// # Errors
    /// When a file is not what it should be, or `run_by` cannot run the graph.
    pub fn open(
        files: CtcFiles,
        run_by: CtcRunBy,
        settings: DecodeSettings,
    ) -> Result<Self, EngineError> {
        let tokens = read_tokens(&files.tokens)?;
        let syllables = files.syllables.as_ref();
        let syllables = syllables.map(|file| read_syllables(file, &tokens));
        let syllables = syllables.transpose()?.map(Arc::new);
        let misfit = |cause: String| misfit(&files.graph.path, cause);
        let (prefix, backend, shape) = match run_by {
            CtcRunBy::OnnxRuntime(runtime) => {
                let network = OrtCtc::open(runtime, &files.graph.bytes).map_err(misfit)?;
                let shape = network.shape().clone();
                let first = Mutex::new(Some(network));
                ("ort", Backend::Ort(runtime, first), shape)
            }
            #[cfg(feature = "tract")]
            CtcRunBy::Tract => {
                let graph = TractGraph::read(&files.graph.bytes).map_err(misfit)?;
                let shape = graph.shape().clone();
                ("tract", Backend::Tract(Arc::new(graph)), shape)
            }
        };
        if shape.n_tokens != tokens.len() {
            return Err(misfit(format!(
                "it scores {} tokens, tokens.txt names {}",
                shape.n_tokens,
                tokens.len()
            )));
        }
        Ok(Self {
            name: format!("{prefix}/{}", files.name),
            files,
            tokens: Arc::new(tokens),
            syllables,
            backend,
            shape,
            settings,
        })
    }

    /// The model's token table.
    pub fn tokens(&self) -> &TokenTable {
        &self.tokens
    }

    /// Digests of the files it consists of.
    pub fn digests(&self) -> Vec<String> {
        let files = self.files.all();
        files
            .map(|file| hex(&Sha256::digest(&file.bytes)))
            .collect()
    }

    /// An engine for one worker thread.
    ///
    /// # Errors
    /// When the graph cannot be opened once more.
    pub fn engine(&self) -> Result<CtcEngine, EngineError> {
        let network: Box<dyn CtcNetwork> = match &self.backend {
            Backend::Ort(runtime, first) => {
                let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
                let opened = match first {
                    Some(network) => Ok(network),
                    None => OrtCtc::open(runtime, &self.files.graph.bytes),
                };
                Box::new(opened.map_err(|cause| misfit(&self.files.graph.path, cause))?)
            }
            #[cfg(feature = "tract")]
            Backend::Tract(graph) => Box::new(TractCtc::new(Arc::clone(graph))),
        };
        let shape = self.shape.clone();
        Ok(CtcEngine {
            info: EngineInfo {
                name: self.name.clone(),
                sample_rate_hz: shape.features.sample_rate_hz,
                token_kind: self.tokens.kind(),
                chunk_ms: shape.chunk_ms(),
                emission_ms: HALF_SYLLABLE_MS,
            },
            rules: PrefixRules {
                n_paths: self.settings.n_paths.clamp(1, 64),
                clock: FrameClock {
                    frame_ms: shape.frame_ms(),
                    delay_ms: shape.delay_ms(),
                },
                syllables: self.syllables.clone(),
            },
            tokens: Arc::clone(&self.tokens),
            features: Arc::new(FbankPlan::new(&shape.features)),
            shape,
            network,
            biasing: Biasing::default(),
            streams: Streams::default(),
            batch: Batch::default(),
        })
    }
}

fn read_tokens(file: &ModelBytes) -> Result<TokenTable, EngineError> {
    let tokens = TokenTable::of_file(&file.path, &file.bytes)?;
    match tokens.id("<blk>") == Some(BLANK) {
        true => Ok(tokens),
        false => Err(misfit(
            &file.path,
            "its first token must be `<blk>`".to_owned(),
        )),
    }
}

fn read_syllables(file: &ModelBytes, tokens: &TokenTable) -> Result<SyllableModel, EngineError> {
    let misfit = |cause: String| misfit(&file.path, cause);
    let text = std::str::from_utf8(&file.bytes).map_err(|cause| misfit(cause.to_string()))?;
    SyllableModel::parse(text, tokens).map_err(misfit)
}

fn misfit(path: &Path, cause: String) -> EngineError {
    EngineError::Misfit {
        path: path.into(),
        cause,
        hint: "its files must be as models/train makes them; `auricle models verify` compares checksums".into(),
    }
}

struct Stream {
    fbank: Fbank,
    /// Frames not yet consumed.
    features: Waiting,
    state: Vec<f32>,
    beam: PrefixBeam,
    n_samples: usize,
    is_ended: bool,
}

/// Streams of one CTC recogniser on one thread.
pub struct CtcEngine {
    info: EngineInfo,
    rules: PrefixRules,
    tokens: Arc<TokenTable>,
    features: Arc<FbankPlan>,
    shape: CtcShape,
    network: Box<dyn CtcNetwork>,
    biasing: Biasing,
    streams: Streams<Stream>,
    batch: Batch,
}

impl CtcEngine {
    fn step_places(&mut self, ready: &[usize]) -> Result<(), EngineError> {
        for places in ready.chunks(MAX_BATCH) {
            self.step_batch(places)?;
        }
        Ok(())
    }

    fn step_batch(&mut self, places: &[usize]) -> Result<(), EngineError> {
        let (chunk, n_state) = (self.shape.chunk_values(), self.shape.n_state);
        let mut streams = self.streams.at_places(places);
        let batch = &mut self.batch;
        batch.clear();
        for stream in &streams {
            batch.features.extend_from_slice(&stream.features[..chunk]);
            batch.states.extend_from_slice(&stream.state);
        }
        self.network.step(batch)?;
        let n_rows = self.shape.frames_out() * self.shape.n_tokens;
        let next = batch.states.chunks_exact(n_state);
        let rows = batch.log_probs.chunks_exact(n_rows);
        for ((stream, next), rows) in streams.iter_mut().zip(next).zip(rows) {
            stream.features.pass(chunk);
            stream.state.copy_from_slice(next);
            for row in rows.chunks_exact(self.shape.n_tokens) {
                stream.beam.advance(row, &self.rules);
            }
        }
        Ok(())
    }
}

impl StreamingEngine for CtcEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn open_stream(&mut self, options: &StreamOptions) -> Result<StreamKey, EngineError> {
        let hotwords = self.biasing.leaning(options, &self.tokens)?;
        Ok(self.streams.open(Stream {
            fbank: Fbank::new(Arc::clone(&self.features)),
            features: Waiting::default(),
            state: vec![0.0; self.shape.n_state],
            beam: PrefixBeam::new(hotwords),
            n_samples: 0,
            is_ended: false,
        }))
    }

    fn accept(&mut self, stream: StreamKey, samples: &[f32]) -> Result<(), EngineError> {
        let stream = self.streams.get_mut(stream)?;
        if !stream.is_ended {
            stream.n_samples += samples.len();
            stream.fbank.accept(samples, stream.features.more());
        }
        Ok(())
    }

    /// Adds the silence that brings out the last tokens, in whole chunks.
    fn end(&mut self, key: StreamKey) -> Result<(), EngineError> {
        let (chunk, n_bins) = (self.shape.chunk_frames, self.shape.features.n_bins);
        let samples_per_frame = (self.shape.features.sample_rate_hz / FRAMES_PER_SEC) as usize;
        let flush = self.shape.delay_frames + FLUSH_FRAMES;
        let stream = self.streams.get_mut(key)?;
        if stream.n_samples == 0 || stream.is_ended {
            return Ok(());
        }
        stream.is_ended = true;
        let n_frames = stream.features.len() / n_bins;
        let wanted = (n_frames + flush).div_ceil(chunk) * chunk;
        // Two frames of sound are still in the window of the features.
        let silence = vec![0.0; (wanted - n_frames + 2) * samples_per_frame];
        stream.fbank.accept(&silence, stream.features.more());
        stream.features.truncate(wanted * n_bins);
        Ok(())
    }

    fn step(&mut self) -> Result<StepReport, EngineError> {
        let chunk = self.shape.chunk_values();
        let ready = self
            .streams
            .places_where(|stream| stream.features.len() >= chunk);
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
        let chunk = self.shape.chunk_values();
        let mut stepped = self.end(key);
        while stepped.is_ok() && self.streams.get(key)?.features.len() >= chunk {
            stepped = self.step_places(&[key.place()]);
        }
        let closed = self.streams.close(key)?;
        stepped?;
        Ok(closed.beam.n_best(&self.tokens, &self.rules))
    }
}
