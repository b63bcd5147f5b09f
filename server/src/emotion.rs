//! The emotion model that `[insight] emotion` names, in the place of the one the program carries.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use auricle_insight::emotion::{EmotionModel, Feature, N_LABELS, WeightedModel};
use auricle_models::native;
use auricle_models::registry::{ModelKind, sha256_of_file};
use auricle_models::{OnnxRuntime, OrtEmotion};

use crate::config::{Config, beside};
use crate::engine::{model_store, search_path};
use crate::exit::usage;

/// A file of weights has this ending; anything else is a network.
const WEIGHTS: &str = "json";
const NETWORK: &str = "onnx";

/// An emotion model, and the checksum of its file.
pub(crate) struct Opened {
    pub(crate) model: Arc<dyn EmotionModel>,
    pub(crate) sha256: String,
}

/// Opens a model of kind `emotion` by the name on its card, or a file.
///
/// # Errors
/// When there is neither, or the file is no emotion model.
pub(crate) fn open(config: &Config, named: &Path) -> Result<Opened> {
    let path = match on_card(config, named)? {
        Some(path) => path,
        None => beside(config, named),
    };
    let shown = path.display();
    let sha256 = sha256_of_file(&path).with_context(|| {
        format!("`insight.emotion`: no model has this name, and `{shown}` cannot be read")
    })?;
    let model: Arc<dyn EmotionModel> = match path.extension() {
        Some(ending) if ending == WEIGHTS => Arc::new(weights(&path)?),
        _ => Arc::new(Network::open(config, &path)?),
    };
    Ok(Opened { model, sha256 })
}

/// The file of a model of the registry; `None` where no card has the name.
fn on_card(config: &Config, named: &Path) -> Result<Option<PathBuf>> {
    let registry = model_store(config)?;
    let Some(card) = named.to_str().and_then(|name| registry.card(name).ok()) else {
        return Ok(None);
    };
    if card.kind != ModelKind::Emotion {
        return Err(usage(format!(
            "`insight.emotion`: model `{}` is of kind {}\nhint: name a model of kind {}, or a file",
            card.name,
            card.kind,
            ModelKind::Emotion
        )));
    }
    let folder = registry.path(&card.name)?;
    let file = card.files.iter().find(|file| {
        let ending = Path::new(&file.path).extension();
        ending.is_some_and(|ending| ending == NETWORK || ending == WEIGHTS)
    });
    let file = file.ok_or_else(|| {
        usage(format!(
            "model `{}` has neither a network (.{NETWORK}) nor weights (.{WEIGHTS})",
            card.name
        ))
    })?;
    Ok(Some(folder.join(&file.path)))
}

fn weights(path: &Path) -> Result<WeightedModel> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
    WeightedModel::from_json(&text).map_err(|cause| usage(format!("`{shown}`: {cause}")))
}

/// A network behind the trait of the insight room.
#[derive(Debug)]
struct Network {
    name: String,
    wants: Vec<Feature>,
    network: Mutex<OrtEmotion>,
    /// Whether it was said that it fails.
    complained: AtomicBool,
}

impl Network {
    fn open(config: &Config, path: &Path) -> Result<Self> {
        let runtime = OnnxRuntime::load(&native::onnxruntime(&search_path(config))?)?;
        let network = OrtEmotion::open(runtime, path)?;
        let feature = |name: &String| {
            Feature::named(name).ok_or_else(|| {
                usage(format!(
                    "`{}` wants the feature `{name}`, which is not measured\nhint: models/emotion/README.md lists the features",
                    path.display()
                ))
            })
        };
        let wants = network.features().iter().map(feature);
        Ok(Self {
            name: path.display().to_string(),
            wants: wants.collect::<Result<_>>()?,
            network: Mutex::new(network),
            complained: AtomicBool::new(false),
        })
    }
}

impl EmotionModel for Network {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self) -> &[Feature] {
        &self.wants
    }

    fn probabilities(&self, values: &[f32]) -> Option<[f32; N_LABELS]> {
        // A network that panicked once is as good as before: it keeps nothing from one utterance to the next.
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        let told = network.probabilities(values);
        if let Err(cause) = &told
            && !self.complained.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(model = %self.name, %cause, "the emotion model fails; the built-in one decides");
        }
        told.ok()
    }
}
