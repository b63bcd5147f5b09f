//! The emotion model that `[insight] emotion` names, in the place of the one the program carries.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Error, Result};
use auricle_insight::emotion::{EmotionModel, Feature, N_LABELS, WeightedModel};
use auricle_models::native;
use auricle_models::registry::{ModelKind, sha256_of_file};
use auricle_models::{EngineError, OnnxRuntime, OrtEmotion};
use crossbeam::queue::SegQueue;

use crate::config::{Config, beside};
use crate::engine::{model_store, search_path};
use crate::exit::{message_of, usage};

/// A file of weights has this ending; anything else is a network.
const WEIGHTS: &str = "json";
const NETWORK: &str = "onnx";

/// An emotion model, and the checksum of its file.
pub(crate) struct Chosen {
    kind: Kind,
    pub(crate) sha256: String,
}

enum Kind {
    Weights(Arc<WeightedModel>),
    Network(Arc<Network<OrtEmotion>>),
}

impl Chosen {
    /// The model as calls are assessed with it.
    pub(crate) fn model(&self) -> Arc<dyn EmotionModel> {
        match &self.kind {
            Kind::Weights(weights) => Arc::<WeightedModel>::clone(weights),
            Kind::Network(network) => Arc::<Network<OrtEmotion>>::clone(network),
        }
    }

    /// Opens a network now, for commands that must not go on without it.
    ///
    /// # Errors
    /// When it cannot be opened, or wants what is not measured.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.kind {
            Kind::Weights(_) => Ok(()),
            Kind::Network(network) => network.check(),
        }
    }
}

/// Finds a model of kind `emotion` by the name on its card, or a file. A network is opened when it is first used:
/// most commands assess nothing.
///
/// # Errors
/// When there is neither, or the file cannot be read or holds no weights.
pub(crate) fn choose(config: &Config, named: &Path) -> Result<Chosen> {
    let path = match on_card(config, named)? {
        Some(path) => path,
        None => beside(config, named),
    };
    let shown = path.display();
    let sha256 = sha256_of_file(&path).with_context(|| {
        format!("`insight.emotion`: no model has this name, and `{shown}` cannot be read")
    })?;
    let kind = match path.extension() {
        Some(ending) if ending == WEIGHTS => Kind::Weights(Arc::new(weights(&path)?)),
        _ => {
            let (name, search) = (shown.to_string(), search_path(config));
            Kind::Network(Arc::new(Network::new(name, move || {
                let runtime = OnnxRuntime::load(&native::onnxruntime(&search)?)?;
                Ok(OrtEmotion::open(runtime, &path)?)
            })))
        }
    };
    Ok(Chosen { kind, sha256 })
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

/// A network that was opened: it runs one utterance at a time.
trait Session: Send {
    /// Names of what it wants to know.
    fn names(&self) -> &[String];

    /// Probabilities of the labels.
    fn run(&mut self, values: &[f32]) -> Result<[f32; N_LABELS], EngineError>;
}

impl Session for OrtEmotion {
    fn names(&self) -> &[String] {
        self.features()
    }

    fn run(&mut self, values: &[f32]) -> Result<[f32; N_LABELS], EngineError> {
        self.probabilities(values)
    }
}

/// A network behind the trait of the insight room: as many sessions of it as workers use at the same time.
struct Network<Opened> {
    name: String,
    open: Box<dyn Fn() -> Result<Opened> + Send + Sync>,
    /// Opened, and in use by nobody now.
    idle: SegQueue<Opened>,
    /// Empty where it could not be opened; not set before its first use.
    wants: OnceLock<Vec<Feature>>,
    /// Whether it was said that it fails.
    complained: AtomicBool,
}

impl<Opened: Session> Network<Opened> {
    fn new(name: String, open: impl Fn() -> Result<Opened> + Send + Sync + 'static) -> Self {
        Self {
            name,
            open: Box::new(open),
            idle: SegQueue::new(),
            wants: OnceLock::new(),
            complained: AtomicBool::new(false),
        }
    }

    fn check(&self) -> Result<()> {
        if self.wants.get().is_none_or(Vec::is_empty) {
            // Where another thread was faster it has read the same.
            let _ = self.wants.set(self.read_wants()?);
        }
        Ok(())
    }

    /// Opens the first session, which stays for whoever comes first.
    fn read_wants(&self) -> Result<Vec<Feature>> {
        let session = (self.open)()?;
        let feature = |name: &String| {
            Feature::named(name).ok_or_else(|| {
                usage(format!(
                    "`{}` wants the feature `{name}`, which is not measured\nhint: models/emotion/README.md lists the features",
                    self.name
                ))
            })
        };
        let wants = session.names().iter().map(feature).collect::<Result<_>>()?;
        self.idle.push(session);
        Ok(wants)
    }

    fn run(&self, values: &[f32]) -> Result<[f32; N_LABELS]> {
        let mut session = match self.idle.pop() {
            Some(session) => session,
            None => (self.open)()?,
        };
        let told = session.run(values);
        // It keeps nothing from one utterance to the next. One that panicked never comes here.
        self.idle.push(session);
        Ok(told?)
    }

    fn complain(&self, cause: &Error) {
        if !self.complained.swap(true, Ordering::Relaxed) {
            let cause = message_of(cause);
            tracing::warn!(model = %self.name, %cause, "the emotion model fails; the built-in one decides");
        }
    }
}

impl<Opened> fmt::Debug for Network<Opened> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("Network");
        shown.field("name", &self.name).finish_non_exhaustive()
    }
}

impl<Opened: Session> EmotionModel for Network<Opened> {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self) -> &[Feature] {
        self.wants.get_or_init(|| {
            let wants = self.read_wants();
            wants.unwrap_or_else(|cause| {
                self.complain(&cause);
                Vec::new()
            })
        })
    }

    fn probabilities(&self, values: &[f32]) -> Option<[f32; N_LABELS]> {
        if self.wants().is_empty() {
            return None;
        }
        let told = self.run(values);
        told.inspect_err(|cause| self.complain(cause)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;
    use std::sync::Weak;
    use std::sync::atomic::AtomicUsize;

    const SURE: [f32; N_LABELS] = [0.0, 0.0, 0.0, 1.0];

    /// Asks its own network once more while it runs, as often as its input says: a second worker's question.
    struct Asking {
        names: Vec<String>,
        network: Weak<Network<Self>>,
    }

    impl Session for Asking {
        fn names(&self) -> &[String] {
            &self.names
        }

        fn run(&mut self, values: &[f32]) -> Result<[f32; N_LABELS], EngineError> {
            if values[0] > 0.0 {
                let network = self.network.upgrade().unwrap();
                assert_eq!(network.probabilities(&[values[0] - 1.0]), Some(SURE));
            }
            Ok(SURE)
        }
    }

    /// A network that wants `feature`, and how often it was opened.
    fn network(feature: &'static str) -> (Arc<Network<Asking>>, Arc<AtomicUsize>) {
        let n_opened = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&n_opened);
        let network = Arc::new_cyclic(|network: &Weak<Network<Asking>>| {
            let network = Weak::clone(network);
            Network::new("asking".into(), move || {
                counter.fetch_add(1, Ordering::Relaxed);
                Ok(Asking {
                    names: vec![feature.into()],
                    network: Weak::clone(&network),
                })
            })
        });
        (network, n_opened)
    }

    #[test]
    fn a_network_is_opened_when_it_is_used_and_for_each_worker_one() {
        let (network, n_opened) = network("secs");
        let n_opened = || n_opened.load(Ordering::Relaxed);
        assert_eq!(n_opened(), 0, "nobody has asked");
        assert_eq!(network.wants().len(), 1);
        assert_eq!(network.probabilities(&[0.0]), Some(SURE));
        assert_eq!(n_opened(), 1);
        assert_eq!(network.probabilities(&[2.0]), Some(SURE));
        assert_eq!(n_opened(), 3, "three at the same time");
        assert_eq!(network.probabilities(&[1.0]), Some(SURE));
        network.check().unwrap();
        assert_eq!(n_opened(), 3, "they are there");
    }

    #[test]
    fn a_network_that_cannot_be_used_says_why_or_leaves_it_to_the_built_in_model() {
        let (unknown, _) = network("shoe_size");
        let cause = unknown.check().unwrap_err().to_string();
        assert!(cause.contains("shoe_size"), "{cause}");
        assert_eq!(unknown.probabilities(&[0.0]), None);
        let missing = Network::<Asking>::new("missing".into(), || bail!("no such file"));
        assert_eq!(missing.probabilities(&[]), None);
        assert!(missing.wants().is_empty());
    }
}
