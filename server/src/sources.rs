//! Models as they lie on the disk to sources of engines, as far as this build knows their kind.

use std::path::Path;

use anyhow::Result;
use auricle_models::native::{self, NativeError, SearchPath};
use auricle_models::registry::{Engine, ModelCard, ModelFiles, ModelKind};
use auricle_models::{
    CtcFiles, CtcModel, CtcRunBy, EngineError, EngineSource, OnnxRuntime, RunBy, SecondPassEngine,
    TransducerModel,
};
use auricle_speech::SpeechSettings;

use crate::exit::usage;
use crate::terminal::say;

/// What runs networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Networks {
    /// What is quickest and works: of transducers and voice activity Auricle itself where it knows the graph, else ONNX
    /// Runtime; of CTC networks ONNX Runtime where there is one, else tract.
    #[default]
    Best,
    /// No native library: Auricle itself, or tract.
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

fn is_absence(cause: &anyhow::Error) -> bool {
    matches!(cause.downcast_ref(), Some(error) if NativeError::is_absence(error))
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
    files: &ModelFiles,
    search: &SearchPath,
    settings: &SpeechSettings,
    networks: Networks,
) -> Result<Box<dyn EngineSource>> {
    match (card.kind, files) {
        (ModelKind::AsrCtc, files) => ctc(files, networks, search, settings),
        (ModelKind::AsrTransducer, ModelFiles::Folder(folder)) => {
            transducer(folder, networks, search, settings)
        }
        (ModelKind::AsrVosk, ModelFiles::Folder(folder)) => vosk(folder, search),
        (kind, _) => Err(usage(format!(
            "model `{}` is of kind {kind}: it does not recognise speech as it comes",
            card.name
        ))),
    }
}

/// By ONNX Runtime where it is here and whole, else by tract, which needs nothing.
fn ctc(
    files: &ModelFiles,
    networks: Networks,
    search: &SearchPath,
    settings: &SpeechSettings,
) -> Result<Box<dyn EngineSource>> {
    let files = match files {
        ModelFiles::Folder(folder) => CtcFiles::read(folder)?,
        ModelFiles::Carried(files) => files.clone(),
    };
    let open = |run_by| Ok(CtcModel::open(files.clone(), run_by, settings.decode())?);
    let on_ort = || -> Result<CtcModel> {
        let library = native::onnxruntime(search)?;
        open(CtcRunBy::OnnxRuntime(OnnxRuntime::load(&library)?))
    };
    let on_tract = || open(without_library()?);
    let model = match networks {
        Networks::Native => on_tract()?,
        Networks::Ort => on_ort()?,
        Networks::Best => on_ort().or_else(|cause| {
            let model = on_tract().map_err(|other| other.context(cause.to_string()))?;
            if !is_absence(&cause) {
                say!("warning: {cause}\nnote: tract runs the recogniser");
            }
            Ok::<_, anyhow::Error>(model)
        })?,
    };
    Ok(Box::new(model))
}

/// What runs a CTC network without any library.
#[cfg(feature = "tract")]
const fn without_library() -> Result<CtcRunBy> {
    Ok(CtcRunBy::Tract)
}

/// What runs a CTC network without any library, which this build lacks.
#[cfg(not(feature = "tract"))]
fn without_library() -> Result<CtcRunBy> {
    Err(usage(
        "tract is not built into this auricle\nhint: build it with its default features, or install ONNX Runtime",
    ))
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
