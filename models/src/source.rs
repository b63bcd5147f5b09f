//! Loaded models that hand out engines: one engine per worker, weights shared where the library can.

use std::path::{Path, PathBuf};

use crate::ctc::CtcModel;
use crate::decoding::TokenTable;
use crate::engine::{EngineError, Hypothesis, StreamingEngine};
use crate::registry::sha256_of_file;
use crate::runtime::OnnxRuntime;
use crate::transducer::TransducerModel;
use crate::vad::{OrtSilero, VoiceActivity};

/// A model that makes streaming engines.
pub trait EngineSource: Send + Sync {
    /// An engine for one worker thread.
    ///
    /// # Errors
    /// When a file of the model is damaged or memory is short.
    fn engine(&self) -> Result<Box<dyn StreamingEngine>, EngineError>;

    /// The tokens that hotwords are spelled in; `None` for engines without biasing.
    fn tokens(&self) -> Option<&TokenTable>;

    /// Digests of all that what it recognises depends on.
    ///
    /// # Errors
    /// When a file can no longer be read.
    fn digests(&self) -> Result<Vec<String>, EngineError>;
}

/// The digest of each file.
///
/// # Errors
/// When one cannot be read.
pub fn digests_of<'a>(
    files: impl IntoIterator<Item = &'a Path>,
) -> Result<Vec<String>, EngineError> {
    let digest = |path: &Path| {
        sha256_of_file(path).map_err(|cause| EngineError::ModelFile {
            path: path.into(),
            cause: cause.to_string(),
        })
    };
    files.into_iter().map(digest).collect()
}

/// A model that makes voice activity networks.
pub trait VadSource: Send + Sync {
    /// A network for one worker thread.
    ///
    /// # Errors
    /// When its file is missing or damaged.
    fn vad(&self) -> Result<Box<dyn VoiceActivity>, EngineError>;

    /// The file that what it hears depends on.
    fn file(&self) -> &Path;
}

/// A recogniser of whole utterances that reads what a streaming engine heard a second time.
pub trait SecondPassEngine: Send + Sync {
    /// Engine and model, for example `whisper/ggml-base`.
    fn name(&self) -> &str;

    /// The files that what it recognises depends on.
    fn files(&self) -> Vec<PathBuf>;

    /// Rate of the samples it takes, hertz.
    fn sample_rate_hz(&self) -> u32;

    /// Hears one utterance: samples in −1 to 1, `language` like `zh` or `en`. Token times count from
    /// the first sample.
    ///
    /// # Errors
    /// When the pass fails.
    fn transcribe(&self, samples: &[f32], language: &str) -> Result<Hypothesis, EngineError>;
}

impl EngineSource for TransducerModel {
    fn engine(&self) -> Result<Box<dyn StreamingEngine>, EngineError> {
        Ok(Box::new(Self::engine(self)?))
    }

    fn tokens(&self) -> Option<&TokenTable> {
        Some(Self::tokens(self))
    }

    fn digests(&self) -> Result<Vec<String>, EngineError> {
        digests_of(Self::files(self))
    }
}

impl EngineSource for CtcModel {
    fn engine(&self) -> Result<Box<dyn StreamingEngine>, EngineError> {
        Ok(Box::new(Self::engine(self)?))
    }

    fn tokens(&self) -> Option<&TokenTable> {
        Some(Self::tokens(self))
    }

    fn digests(&self) -> Result<Vec<String>, EngineError> {
        Ok(Self::digests(self))
    }
}

/// `silero_vad.onnx` on ONNX Runtime.
#[derive(Clone, Debug)]
pub struct OrtSileroSource {
    /// The library.
    pub runtime: &'static OnnxRuntime,
    /// The model.
    pub path: PathBuf,
}

impl VadSource for OrtSileroSource {
    fn vad(&self) -> Result<Box<dyn VoiceActivity>, EngineError> {
        Ok(Box::new(OrtSilero::open(self.runtime, &self.path)?))
    }

    fn file(&self) -> &Path {
        &self.path
    }
}

/// A branchless Silero VAD in pure Rust.
#[cfg(feature = "tract")]
#[derive(Clone, Debug)]
pub struct TractSileroSource {
    /// The model.
    pub path: PathBuf,
}

#[cfg(feature = "tract")]
impl VadSource for TractSileroSource {
    fn vad(&self) -> Result<Box<dyn VoiceActivity>, EngineError> {
        Ok(Box::new(crate::vad::TractSilero::open(&self.path)?))
    }

    fn file(&self) -> &Path {
        &self.path
    }
}

#[cfg(feature = "vosk")]
mod vosk_source {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::{EngineSource, digests_of};
    use crate::decoding::TokenTable;
    use crate::engine::{EngineError, StreamingEngine};
    use crate::vosk_engine::{VoskEngine, VoskModel};

    impl EngineSource for Arc<VoskModel> {
        fn engine(&self) -> Result<Box<dyn StreamingEngine>, EngineError> {
            Ok(Box::new(VoskEngine::new(Self::clone(self))))
        }

        fn tokens(&self) -> Option<&TokenTable> {
            None
        }

        fn digests(&self) -> Result<Vec<String>, EngineError> {
            digests_of(VoskModel::files(self).iter().map(PathBuf::as_path))
        }
    }
}

#[cfg(feature = "whisper")]
mod whisper_source {
    use std::path::PathBuf;

    use super::SecondPassEngine;
    use crate::engine::{EngineError, Hypothesis};
    use crate::whisper_engine::{SecondPass, WHISPER_RATE_HZ};

    impl SecondPassEngine for SecondPass {
        fn name(&self) -> &str {
            Self::name(self)
        }

        fn files(&self) -> Vec<PathBuf> {
            vec![Self::file(self).to_owned()]
        }

        fn sample_rate_hz(&self) -> u32 {
            WHISPER_RATE_HZ
        }

        fn transcribe(&self, samples: &[f32], language: &str) -> Result<Hypothesis, EngineError> {
            Self::transcribe(self, samples, WHISPER_RATE_HZ, language)
        }
    }
}
