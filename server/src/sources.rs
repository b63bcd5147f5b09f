//! Models as they lie on the disk to sources of engines, as far as this build knows their kind.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use auricle_models::native::{self, SearchPath};
use auricle_models::registry::{Engine, ModelCard, ModelKind};
use auricle_models::{
    EngineError, EngineSource, OnnxRuntime, OrtSileroSource, RunBy, SecondPassEngine,
    TransducerModel, VadSource,
};
use auricle_speech::SpeechSettings;

use crate::exit::usage;

/// What runs the networks of a transducer.
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
    let native = || TransducerModel::open(folder, RunBy::Auricle, settings.decode());
    let on_ort = || -> Result<TransducerModel> {
        let runtime = OnnxRuntime::load(&native::onnxruntime(search)?)?;
        let run_by = RunBy::OnnxRuntime(runtime);
        Ok(TransducerModel::open(folder, run_by, settings.decode())?)
    };
    let model = match networks {
        Networks::Native => native()?,
        Networks::Ort => on_ort()?,
        Networks::Best => match native() {
            Err(cause @ EngineError::Misfit { .. }) => {
                tracing::info!("not run natively: {cause}");
                on_ort().map_err(|other| anyhow::Error::new(cause).context(other.to_string()))?
            }
            opened => opened?,
        },
    };
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

/// What runs voice activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VadRuntime {
    /// ONNX Runtime: the library.
    Onnx(PathBuf),
    /// tract, which runs only networks without branches.
    Tract,
}

/// Variants of Silero VAD without branches have this in their names.
const BRANCHLESS: &str = "ifless";

impl VadRuntime {
    /// ONNX Runtime where it is, else tract where that is built in.
    pub(crate) fn find(search: &SearchPath) -> Result<Self> {
        match native::onnxruntime(search) {
            Ok(library) => Ok(Self::Onnx(library)),
            Err(_) if cfg!(feature = "tract") => Ok(Self::Tract),
            Err(cause) => Err(cause).context("voice activity"),
        }
    }

    /// For people.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Onnx(_) => "ONNX Runtime",
            Self::Tract => "tract",
        }
    }

    /// The file of a model that it can run, as far as names tell.
    pub(crate) fn file_of<'a>(&self, card: &'a ModelCard) -> Option<&'a str> {
        let names = card.files.iter().map(|file| file.path.as_str());
        let mut networks = names.filter(|name| name.ends_with(".onnx"));
        match self {
            Self::Onnx(_) => networks.next(),
            Self::Tract => networks
                .clone()
                .find(|name| name.contains(BRANCHLESS))
                .or(networks.next()),
        }
    }

    /// The network in this file.
    pub(crate) fn open(&self, file: &Path) -> Result<Box<dyn VadSource>> {
        match self {
            Self::Onnx(library) => Ok(Box::new(OrtSileroSource {
                runtime: OnnxRuntime::load(library)?,
                path: file.to_owned(),
            })),
            Self::Tract => tract_vad(file),
        }
    }
}

#[cfg(feature = "tract")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the build without tract fails here"
)]
fn tract_vad(file: &Path) -> Result<Box<dyn VadSource>> {
    Ok(Box::new(auricle_models::TractSileroSource {
        path: file.to_owned(),
    }))
}

#[cfg(not(feature = "tract"))]
fn tract_vad(_file: &Path) -> Result<Box<dyn VadSource>> {
    Err(usage("tract is not built into this auricle"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runtime_gets_the_network_it_can_run() {
        let cards = ModelCard::built_in().unwrap();
        let silero = cards.iter().find(|card| card.name == "silero-vad").unwrap();
        let onnx = VadRuntime::Onnx(PathBuf::new());
        assert_eq!(onnx.file_of(silero), Some("silero_vad.onnx"));
        assert_eq!(
            VadRuntime::Tract.file_of(silero),
            Some("silero_vad_op18_ifless.onnx")
        );
        let mut own = silero.clone();
        own.files.truncate(1);
        own.files[0].path = "own.onnx".into();
        assert_eq!(VadRuntime::Tract.file_of(&own), Some("own.onnx"));
        own.files[0].path = "own.bin".into();
        assert_eq!(onnx.file_of(&own), None);
    }
}
