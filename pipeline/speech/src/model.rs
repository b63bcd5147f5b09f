//! Everything that hearing needs, loaded once and shared by all workers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use auricle_models::{
    DecodeSettings, EngineError, OnnxRuntime, OrtSilero, StreamingEngine, TokenKind, TransducerModel, VoiceActivity,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::hotwords::{Hotwords, HotwordsError};
use crate::lattice::LatticeSettings;
use crate::lm::LanguageData;
use crate::segment::EndpointSettings;

/// How speech is turned into text; part of a transcript's fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechSettings {
    /// Paths of the beam search: 1 is greedy; 0 means the default of 8.
    pub beam: usize,
    /// When utterances open and close.
    pub endpoint: EndpointSettings,
    /// How sounds and words are weighed.
    pub lattice: LatticeSettings,
}

impl SpeechSettings {
    fn decode(&self) -> DecodeSettings {
        if self.beam == 0 { DecodeSettings::default() } else { DecodeSettings { n_paths: self.beam } }
    }
}

/// Where the parts lie.
#[derive(Clone, Debug)]
pub struct SpeechFiles {
    /// The ONNX Runtime library.
    pub onnxruntime: PathBuf,
    /// Folder of the recogniser.
    pub recogniser: PathBuf,
    /// `silero_vad.onnx`.
    pub vad: PathBuf,
}

/// Speech cannot be recognised.
#[derive(Debug, Error)]
pub enum SpeechError {
    /// An engine or its model.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The sample rate of a call.
    #[error(transparent)]
    Rate(#[from] auricle_audio::ResampleError),
    /// The hotword list.
    #[error(transparent)]
    Hotwords(#[from] HotwordsError),
    /// The caller named a channel that the call does not have.
    #[error("channel `{channel_idx}` was not opened: the call has `{n_channels}`")]
    NoSuchChannel {
        /// Asked for.
        channel_idx: usize,
        /// Opened.
        n_channels: usize,
    },
}

type Pool<T> = Mutex<Vec<Box<T>>>;

/// Recogniser, voice activity and language, loaded; workers borrow engines from it.
pub struct SpeechModel {
    transducer: TransducerModel,
    runtime: &'static OnnxRuntime,
    files: SpeechFiles,
    settings: SpeechSettings,
    language: Arc<LanguageData>,
    hotwords: Hotwords,
    engines: Pool<dyn StreamingEngine>,
    vads: Pool<dyn VoiceActivity>,
    fingerprint: String,
    name: String,
    rate_hz: u32,
    kind: TokenKind,
}

impl SpeechModel {
    /// Loads the models in `files`. `language` reads syllables; hotwords are already in it.
    ///
    /// # Errors
    /// When a file is missing, damaged or foreign.
    pub fn load(
        files: SpeechFiles,
        settings: SpeechSettings,
        mut language: LanguageData,
        hotwords: Hotwords,
    ) -> Result<Self, SpeechError> {
        let runtime = OnnxRuntime::load(&files.onnxruntime)?;
        let transducer = TransducerModel::open(runtime, &files.recogniser)?;
        let hotwords = hotwords.fit(transducer.tokens());
        hotwords.add_to(&mut language);
        let engine = transducer.engine(settings.decode())?;
        let vad = OrtSilero::open(runtime, &files.vad)?;
        let info = engine.info().clone();
        let fingerprint = fingerprint(&transducer, &files.vad, &settings, &hotwords)?;
        Ok(Self {
            transducer,
            runtime,
            files,
            settings,
            language: Arc::new(language),
            hotwords,
            engines: Mutex::new(vec![Box::new(engine)]),
            vads: Mutex::new(vec![Box::new(vad)]),
            fingerprint,
            name: info.name,
            rate_hz: info.sample_rate_hz,
            kind: info.token_kind,
        })
    }

    /// Engine and model, for example `ort/zh-zipformer-3.3m`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Changes whenever transcripts may: model files, settings, hotwords, this program's version.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What it was set to.
    pub fn settings(&self) -> &SpeechSettings {
        &self.settings
    }

    /// Words and their probabilities.
    pub fn language(&self) -> &LanguageData {
        &self.language
    }

    pub(crate) fn hotwords(&self) -> &Hotwords {
        &self.hotwords
    }

    pub(crate) fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub(crate) fn token_kind(&self) -> TokenKind {
        self.kind
    }

    /// An engine that no call uses; a new one when all are busy.
    pub(crate) fn borrow_engine(&self) -> Result<Box<dyn StreamingEngine>, SpeechError> {
        match pop(&self.engines) {
            Some(engine) => Ok(engine),
            None => Ok(Box::new(self.transducer.engine(self.settings.decode())?)),
        }
    }

    pub(crate) fn borrow_vad(&self) -> Result<Box<dyn VoiceActivity>, SpeechError> {
        match pop(&self.vads) {
            Some(vad) => Ok(vad),
            None => Ok(Box::new(OrtSilero::open(self.runtime, &self.files.vad)?)),
        }
    }

    /// Gives back what a call that ended well no longer uses.
    pub(crate) fn give_back(&self, engine: Box<dyn StreamingEngine>, vad: Box<dyn VoiceActivity>) {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner).push(engine);
        self.vads.lock().unwrap_or_else(PoisonError::into_inner).push(vad);
    }
}

fn pop<T: ?Sized>(pool: &Pool<T>) -> Option<Box<T>> {
    pool.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn fingerprint(
    transducer: &TransducerModel,
    vad: &Path,
    settings: &SpeechSettings,
    hotwords: &Hotwords,
) -> Result<String, EngineError> {
    let mut hash = Sha256::new();
    for path in transducer.files().into_iter().chain([vad]) {
        let bytes = std::fs::read(path)
            .map_err(|cause| EngineError::ModelFile { path: path.into(), cause: cause.to_string() })?;
        hash.update(Sha256::digest(&bytes));
    }
    hash.update(format!("{settings:?}|{hotwords:?}|{}", env!("CARGO_PKG_VERSION")));
    Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}
