//! Models as they lie on the disk to sources of engines, as far as this build knows their kind.

use std::path::Path;

use anyhow::Result;
use auricle_models::native::{self, SearchPath};
use auricle_models::registry::{Engine, ModelCard, ModelKind};
use auricle_models::{
    EngineError, EngineSource, OnnxRuntime, RunBy, SecondPassEngine, TransducerModel,
};
use auricle_speech::SpeechSettings;

use crate::exit::usage;

/// What runs the networks of a transducer and of voice activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Networks {
    /// Auricle itself where it knows the graph, else ONNX Runtime.
    #[default]
    Best,
    /// Auricle itself.
    Native,
    /// ONNX Runtime.
    Ort,
}

impl Networks {
    /// Auricle itself; where it does not know the graph and may go elsewhere, whatever `other` is.
    pub(crate) fn open<T>(
        self,
        native: impl FnOnce() -> Result<T>,
        other: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::Ort => other(),
            Self::Native => native(),
            Self::Best => match native() {
                Err(cause) if is_misfit(&cause) => {
                    tracing::info!("not run natively: {cause}");
                    other().map_err(|other| cause.context(other.to_string()))
                }
                opened => opened,
            },
        }
    }
}

fn is_misfit(cause: &anyhow::Error) -> bool {
    matches!(cause.downcast_ref(), Some(EngineError::Misfit { .. }))
}

/// Whether this build has an engine.
pub(crate) const fn has_engine(engine: Engine) -> bool {
    match engine {
        Engine::Ort | Engine::Arpa => true,
        Engine::Vosk => cfg!(feature = "vosk"),
        Engine::Whisper => cfg!(feature = "whisper"),
    }
}

/// The mistake of asking for an engine that this build lacks.
pub(crate) fn not_built_in(engine: Engine) -> anyhow::Error {
    usage(format!(
        "`{engine}` is not built into this auricle\nhint: `cargo build --release -p auricle --features {engine}` builds one that has it"
    ))
}

/// The recogniser of a card, loaded.
pub(crate) fn recogniser(
    card: &ModelCard,
    folder: &Path,
    search: &SearchPath,
    settings: &SpeechSettings,
    networks: Networks,
) -> Result<Box<dyn EngineSource>> {
    match card.kind {
        ModelKind::AsrTransducer => transducer(folder, networks, search, settings),
        ModelKind::AsrVosk => vosk(folder, search),
        kind => Err(usage(format!(
            "model `{}` is of kind {kind}: it recognises nothing",
            card.name
        ))),
    }
}

/// The graph a transducer's files hold may be wired in a way that Auricle does not know; ONNX Runtime runs any.
fn transducer(
    folder: &Path,
    networks: Networks,
    search: &SearchPath,
    settings: &SpeechSettings,
) -> Result<Box<dyn EngineSource>> {
    let native = || {
        Ok(TransducerModel::open(
            folder,
            RunBy::Auricle,
            settings.decode(),
        )?)
    };
    let on_ort = || -> Result<TransducerModel> {
        let runtime = OnnxRuntime::load(&native::onnxruntime(search)?)?;
        let run_by = RunBy::OnnxRuntime(runtime);
        Ok(TransducerModel::open(folder, run_by, settings.decode())?)
    };
    let model = networks.open(native, on_ort)?;
    Ok(Box::new(model))
}

#[cfg(feature = "vosk")]
fn vosk(folder: &Path, search: &SearchPath) -> Result<Box<dyn EngineSource>> {
    use auricle_models::vosk_engine::{VoskLibrary, VoskModel};
    let library = VoskLibrary::open(search)?;
    Ok(Box::new(std::sync::Arc::new(VoskModel::load(
        &library, folder,
    )?)))
}

#[cfg(not(feature = "vosk"))]
fn vosk(_folder: &Path, _search: &SearchPath) -> Result<Box<dyn EngineSource>> {
    Err(not_built_in(Engine::Vosk))
}

/// The second pass, loaded from its folder.
#[cfg(feature = "whisper")]
pub(crate) fn second_pass(folder: &Path) -> Result<Box<dyn SecondPassEngine>> {
    use auricle_models::whisper_engine::{SecondPass, WhisperSettings};
    Ok(Box::new(SecondPass::load(
        folder,
        WhisperSettings::default(),
    )?))
}

/// The second pass, which this build lacks.
#[cfg(not(feature = "whisper"))]
pub(crate) fn second_pass(_folder: &Path) -> Result<Box<dyn SecondPassEngine>> {
    Err(not_built_in(Engine::Whisper))
}
