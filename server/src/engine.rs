//! The one place where recognition is put together: models found, loaded, shared by the workers.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use auricle_contracts::{CallMetadata, Party, Utterance};
use auricle_models::native::{self, SearchPath};
use auricle_models::registry::{ModelKind, ModelStore, ModelsConfig, Role, Wanted};
use auricle_speech::lm::LanguageData;
use auricle_speech::{
    CallTranscriber, ChannelPlan, Hotwords, SpeechModel, SpeechParts, SpeechSettings,
};
use serde::Deserialize;

use crate::config::{Config, beside};
use crate::exit::usage;
use crate::language;

/// `[native]`: libraries that are loaded at run time.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NativeConfig {
    /// ONNX Runtime: the file or its folder.
    pub(crate) onnxruntime: Option<PathBuf>,
    /// libvosk: the file or its folder.
    pub(crate) vosk: Option<PathBuf>,
}

/// `[lm]`: what the language model is mixed from, beside what the program carries with it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LmConfig {
    /// ARPA files. Without this key, the language model of the registry, if it is installed.
    pub(crate) arpa: Option<Vec<PathBuf>>,
    /// Texts of one's own, one sentence a line.
    pub(crate) texts: Vec<PathBuf>,
}

/// Where libraries are looked for.
pub(crate) fn search_path(config: &Config) -> SearchPath {
    let mut search = SearchPath::detect(Some(config.data.root()));
    let own = |path: &Option<PathBuf>| path.as_deref().map(|path| beside(config, path));
    search.onnxruntime = search
        .onnxruntime
        .or_else(|| own(&config.native.onnxruntime));
    search.vosk = search.vosk.or_else(|| own(&config.native.vosk));
    search
}

/// The models folders and cards.
pub(crate) fn model_store(config: &Config) -> Result<ModelStore> {
    let own = config
        .models
        .dir
        .as_deref()
        .map(|path| beside(config, path));
    let dirs = ModelStore::search_dirs(own.as_deref(), Some(config.data.root()));
    Ok(ModelStore::open(dirs)?)
}

/// What one `analyze` asks of recognition.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpeechOptions {
    /// A model by name, instead of what region and campaign choose.
    pub(crate) model: Option<String>,
    /// A list of words to lean towards.
    pub(crate) hotwords: Option<PathBuf>,
    /// Paths of the beam; `None` for the configuration's.
    pub(crate) beam: Option<usize>,
}

/// Models by the calls they serve. Loads each at most once.
pub(crate) struct Speech {
    registry: ModelStore,
    models_config: ModelsConfig,
    onnxruntime: PathBuf,
    vad: PathBuf,
    settings: SpeechSettings,
    language: LanguageData,
    language_print: String,
    hotwords: Hotwords,
    loaded: HashMap<String, Arc<SpeechModel>>,
}

impl Speech {
    /// Finds the libraries, the voice activity model and the language, and reads the hotwords.
    pub(crate) fn open(config: &Config, options: &SpeechOptions) -> Result<Self> {
        let registry = model_store(config)?;
        for warning in registry.warnings() {
            tracing::warn!("{warning}");
        }
        let mut models_config = config.models.clone();
        if let Some(name) = &options.model {
            force_model(&registry, &mut models_config, name)?;
        }
        let hotwords = match &options.hotwords {
            Some(path) => Hotwords::read(path)
                .map_err(|cause| usage(format!("hotwords `{}`: {cause}", path.display())))?,
            None => Hotwords::default(),
        };
        let mut settings = config.speech.clone();
        if let Some(beam) = options.beam {
            settings.beam = beam;
        }
        let vad = model_file(&registry, &models_config, Role::Vad, "onnx")?;
        let (language, language_print) = language::load(config, &registry)?;
        Ok(Self {
            onnxruntime: native::onnxruntime(&search_path(config))?,
            registry,
            models_config,
            vad,
            settings,
            language,
            language_print,
            hotwords,
            loaded: HashMap::new(),
        })
    }

    /// The model for a call, loaded now if this is the first call that wants it.
    pub(crate) fn model_for(&mut self, call: &CallMetadata) -> Result<Arc<SpeechModel>> {
        let wanted = wanted(Role::Streaming, call);
        let choice = self.registry.choose(&self.models_config, &wanted)?;
        let name = choice.card.name.clone();
        if let Some(model) = self.loaded.get(&name) {
            return Ok(Arc::clone(model));
        }
        if choice.card.kind != ModelKind::AsrTransducer {
            return Err(usage(format!(
                "model `{name}` (chosen by {}) is of kind {}, which `analyze` does not run",
                choice.because, choice.card.kind
            )));
        }
        let recogniser = self.registry.path(&name)?;
        let (vad, language) = (self.vad.clone(), self.language.clone());
        let mut parts = SpeechParts::on_ort(&self.onnxruntime, &recogniser, vad, &self.settings, language)
            .with_context(|| format!("model `{name}`"))?;
        parts.hotwords = self.hotwords.clone();
        let model = SpeechModel::new(parts, self.settings.clone())
            .with_context(|| format!("model `{name}`"))?;
        let model = Arc::new(model);
        self.loaded.insert(name, Arc::clone(&model));
        Ok(model)
    }

    /// Changes whenever the language model does.
    pub(crate) fn language_print(&self) -> &str {
        &self.language_print
    }
}

/// What a model of this role is wanted for. Mandarin, until a call can say otherwise.
fn wanted(role: Role, call: &CallMetadata) -> Wanted<'_> {
    Wanted {
        role,
        language: "zh",
        region: call.region.as_deref(),
        campaign: call.campaign.as_deref(),
    }
}

/// `--model` goes before everything the configuration says.
fn force_model(registry: &ModelStore, config: &mut ModelsConfig, name: &str) -> Result<()> {
    let is_profile = registry
        .cards()
        .iter()
        .any(|card| card.profiles.iter().any(|profile| profile == name));
    if !is_profile {
        registry
            .card(name)
            .map_err(|cause| usage(format!("--model: {cause}")))?;
    }
    config.campaign.clear();
    config.region.clear();
    config.language.clear();
    config.language.insert("zh".to_owned(), name.to_owned());
    Ok(())
}

/// The file with this ending of the model that the profile has for a role.
pub(crate) fn model_file(
    registry: &ModelStore,
    config: &ModelsConfig,
    role: Role,
    ending: &str,
) -> Result<PathBuf> {
    let nobody = CallMetadata::default();
    let choice = registry.choose(config, &wanted(role, &nobody))?;
    let folder = registry.path(&choice.card.name)?;
    let fits = |path: &&str| path.trim_end_matches(".gz").ends_with(ending);
    let names = choice.card.files.iter().map(|file| file.path.as_str());
    let name = names
        .clone()
        .find(fits)
        .or(names.clone().next())
        .unwrap_or_default();
    Ok(folder.join(name))
}

/// One call on its way through the recogniser.
pub(crate) struct Listener {
    transcriber: CallTranscriber,
}

impl Listener {
    /// Opens a call with these channels, which come at this rate.
    pub(crate) fn new(
        model: Arc<SpeechModel>,
        channels: &[(u16, Party)],
        sample_rate_hz: u32,
    ) -> Result<Self> {
        let plan = channels
            .iter()
            .map(|&(channel, party)| ChannelPlan { channel, party })
            .collect::<Vec<_>>();
        Ok(Self {
            transcriber: CallTranscriber::new(model, &plan, sample_rate_hz)?,
        })
    }

    /// Takes samples of the channel at this place of the plan.
    pub(crate) fn push(&mut self, channel_idx: usize, samples: &[f32]) -> Result<()> {
        Ok(self.transcriber.push(channel_idx, samples)?)
    }

    /// The call is over: everything that was said, by time.
    pub(crate) fn finish(self) -> Result<Vec<Utterance>> {
        Ok(self.transcriber.finish()?)
    }
}
