//! Models as they lie on the disk to sources of engines, as far as this build knows their kind.

use std::path::Path;

use anyhow::Result;
use auricle_models::native::{self, SearchPath};
use auricle_models::registry::{Engine, ModelCard, ModelKind};
use auricle_models::{EngineSource, OnnxRuntime, SecondPassEngine, TransducerModel};
use auricle_speech::SpeechSettings;

use crate::exit::usage;

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
) -> Result<Box<dyn EngineSource>> {
    match card.kind {
        ModelKind::AsrTransducer => {
            let runtime = OnnxRuntime::load(&native::onnxruntime(search)?)?;
            Ok(Box::new(TransducerModel::open(
                runtime,
                folder,
                settings.decode(),
            )?))
        }
        ModelKind::AsrVosk => vosk(folder, search),
        kind => Err(usage(format!(
            "model `{}` is of kind {kind}: it recognises nothing",
            card.name
        ))),
    }
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
