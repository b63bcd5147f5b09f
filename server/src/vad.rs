//! Voice activity: what runs it here, and which file of its model that can run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use auricle_models::native::{self, SearchPath};
use auricle_models::registry::{ModelCard, ModelStore, Role};
use auricle_models::{OnnxRuntime, OrtSileroSource, PlainSileroSource, VadSource};

use crate::config::Config;
use crate::engine::{NOBODY, search_path, wanted};
#[cfg(not(feature = "tract"))]
use crate::exit::usage;
use crate::sources::Networks;

/// The voice activity network, opened, and what runs it.
pub(crate) struct VadChoice {
    pub(crate) runtime: VadRuntime,
    pub(crate) source: Arc<dyn VadSource>,
}

impl VadChoice {
    /// The first way of running it that is here and knows the network.
    pub(crate) fn open(registry: &ModelStore, config: &Config, networks: Networks) -> Result<Self> {
        let wanted = wanted(Role::Vad, &config.speech.language, &NOBODY);
        let card = registry.choose(&config.models, &wanted)?.card;
        let folder = registry.path(&card.name)?;
        let run_by = |runtime: VadRuntime| {
            let source = runtime.open(&runtime.installed(card, &folder)?)?;
            Ok(Self { runtime, source })
        };
        networks.open(
            || run_by(VadRuntime::Auricle),
            || run_by(VadRuntime::find(&search_path(config))?),
        )
    }
}

/// What runs voice activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VadRuntime {
    /// Auricle itself.
    Auricle,
    /// ONNX Runtime: the library.
    Onnx(PathBuf),
    /// tract, which runs only networks without branches.
    Tract,
}

/// Variants of Silero VAD without branches have this in their names.
const BRANCHLESS: &str = "ifless";

impl VadRuntime {
    /// For networks that Auricle does not know: ONNX Runtime where it is, else tract where that is built in.
    fn find(search: &SearchPath) -> Result<Self> {
        match native::onnxruntime(search) {
            Ok(library) => Ok(Self::Onnx(library)),
            Err(_) if cfg!(feature = "tract") => Ok(Self::Tract),
            Err(cause) => Err(cause).context("voice activity"),
        }
    }

    /// For people.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Auricle => "auricle",
            Self::Onnx(_) => "ONNX Runtime",
            Self::Tract => "tract",
        }
    }

    /// The file of a model that it can run, as far as names tell.
    fn file_of<'a>(&self, card: &'a ModelCard) -> Option<&'a str> {
        let names = card.files.iter().map(|file| file.path.as_str());
        let mut networks = names.filter(|name| name.ends_with(".onnx"));
        match self {
            Self::Auricle | Self::Onnx(_) => networks.next(),
            Self::Tract => networks
                .clone()
                .find(|name| name.contains(BRANCHLESS))
                .or(networks.next()),
        }
    }

    /// That file in the model's folder.
    fn installed(&self, card: &ModelCard, folder: &Path) -> Result<PathBuf> {
        let name = self
            .file_of(card)
            .with_context(|| format!("model `{}` has no network for {}", card.name, self.name()))?;
        let file = folder.join(name);
        if !file.is_file() {
            bail!(
                "voice activity by {} needs `{}`, which is not there\nhint: `auricle models pull {}` fetches it",
                self.name(),
                file.display(),
                card.name
            );
        }
        Ok(file)
    }

    /// The network in this file.
    fn open(&self, file: &Path) -> Result<Arc<dyn VadSource>> {
        match self {
            Self::Auricle => Ok(Arc::new(PlainSileroSource::open(file)?)),
            Self::Onnx(library) => Ok(Arc::new(OrtSileroSource {
                runtime: OnnxRuntime::load(library)?,
                path: file.to_owned(),
            })),
            Self::Tract => tract_vad(file),
        }
    }
}

#[cfg(feature = "tract")]
fn tract_vad(file: &Path) -> Result<Arc<dyn VadSource>> {
    Ok(Arc::new(auricle_models::TractSileroSource {
        path: file.to_owned(),
    }))
}

#[cfg(not(feature = "tract"))]
fn tract_vad(_file: &Path) -> Result<Arc<dyn VadSource>> {
    Err(usage("tract is not built into this auricle"))
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
