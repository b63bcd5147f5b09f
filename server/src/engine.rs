//! The one place where recognition is put together: models found, loaded, shared by the workers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use auricle_contracts::{CallMetadata, Party, Utterance};
use auricle_models::VadSource;
use auricle_models::native::SearchPath;
use auricle_models::registry::{
    Engine, ModelCard, ModelStore, ModelsConfig, Role, Wanted, primary_language,
};
use auricle_speech::lm::{Keeping, LanguageData};
use auricle_speech::{
    CallTranscriber, ChannelPlan, Hotwords, Pace, SpeechModel, SpeechParts, SpeechSettings,
};
use serde::Deserialize;

use crate::config::{Config, beside};
use crate::exit::{message_of, usage};
use crate::language;
use crate::sources::{self, Networks};
use crate::text_file::read_text;
use crate::vad::VadChoice;

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
#[derive(Clone, Debug)]
pub(crate) struct SpeechOptions {
    /// A model by name, instead of what region and campaign choose.
    pub(crate) model: Option<String>,
    /// A list of words to lean towards.
    pub(crate) hotwords: Option<PathBuf>,
    /// Paths of the beam; `None` for the configuration's.
    pub(crate) beam: Option<usize>,
    /// Only models of this engine.
    pub(crate) engine: Option<Engine>,
    /// What runs the networks of transducers and of voice activity.
    pub(crate) networks: Networks,
    /// Whether utterances are heard once more.
    pub(crate) passes: Passes,
    /// Whether a language model that has to be made is kept.
    pub(crate) keeping: Keeping,
}

/// How often an utterance is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Passes {
    /// As it comes.
    #[default]
    One,
    /// And once more when it is whole, by Whisper.
    Two,
}

/// Gives calls the models that hear them.
pub(crate) trait Recognition {
    /// The model for a call.
    fn model_for(&mut self, call: &CallMetadata) -> Result<Arc<SpeechModel>>;

    /// Changes whenever the language model does.
    fn language_print(&self) -> &str;
}

/// Models by the calls they serve. Loads each at most once.
pub(crate) struct Speech {
    registry: ModelStore,
    models_config: ModelsConfig,
    search: SearchPath,
    vad: Arc<dyn VadSource>,
    options: SpeechOptions,
    settings: SpeechSettings,
    language: Arc<LanguageData>,
    language_print: String,
    hotwords: Hotwords,
    /// By name; the cause where loading one failed.
    loaded: HashMap<String, Result<Arc<SpeechModel>, String>>,
}

fn read_hotwords(path: &Path) -> Result<Hotwords> {
    let shown = path.display();
    let text = read_text(path).map_err(|cause| usage(format!("hotwords `{shown}`: {cause}")))?;
    Hotwords::parse(&text).map_err(|cause| usage(format!("`{shown}`: {cause}")))
}

impl Speech {
    /// Finds the libraries, the voice activity model and the language, and reads the hotwords.
    pub(crate) fn open(config: &Config, options: &SpeechOptions) -> Result<Self> {
        check_built_in(options)?;
        let registry = model_store(config)?;
        for warning in registry.warnings() {
            tracing::warn!("{warning}");
        }
        let mut models_config = config.models.clone();
        if let Some(name) = &options.model {
            force_model(&registry, &mut models_config, name, &config.speech.language)?;
        }
        let hotwords = match &options.hotwords {
            Some(path) => read_hotwords(path)?,
            None => Hotwords::default(),
        };
        let mut settings = config.speech.clone();
        if let Some(beam) = options.beam {
            settings.beam = beam;
        }
        // What is meant counts, not how it was written: the default's number and no number are one.
        settings.beam = settings.decode().n_paths;
        let vad = VadChoice::open(&registry, config, options.networks)?.source;
        let (language, language_print) = language::load(config, &registry, options.keeping)?;
        Ok(Self {
            search: search_path(config),
            registry,
            models_config,
            vad,
            options: options.clone(),
            settings,
            language: Arc::new(language),
            language_print,
            hotwords,
            loaded: HashMap::new(),
        })
    }

    /// What the configuration chooses; with `--engine` the first model of that engine instead, where
    /// the chosen one is of another.
    fn card_for(&self, call: &CallMetadata) -> Result<&ModelCard> {
        let wanted = wanted(Role::Streaming, &self.settings.language, call);
        let chosen = self.registry.choose(&self.models_config, &wanted)?.card;
        let Some(engine) = self
            .options
            .engine
            .filter(|engine| *engine != chosen.engine)
        else {
            return Ok(chosen);
        };
        if let Some(name) = &self.options.model {
            return Err(usage(format!(
                "--model: `{name}` runs on {}, not on {engine}",
                chosen.engine
            )));
        }
        let language = primary_language(wanted.language);
        let fits = |card: &&ModelCard| card.engine == engine && card.languages.contains(&language);
        self.registry.cards().iter().find(fits).ok_or_else(|| {
            usage(format!(
                "--engine: no model for `{language}` runs on {engine}"
            ))
        })
    }

    fn parts(&self, card: &ModelCard) -> Result<SpeechParts> {
        let folder = self.registry.path(&card.name)?;
        let second_pass = match self.options.passes {
            Passes::One => None,
            Passes::Two => {
                let wanted = wanted(Role::SecondPass, &self.settings.language, &NOBODY);
                let choice = self.registry.choose(&self.models_config, &wanted)?;
                Some(sources::second_pass(
                    &self.registry.path(&choice.card.name)?,
                )?)
            }
        };
        Ok(SpeechParts {
            recogniser: sources::recogniser(
                card,
                &folder,
                &self.search,
                &self.settings,
                self.options.networks,
            )?,
            vad: Arc::clone(&self.vad),
            second_pass,
            language: Arc::clone(&self.language),
            hotwords: self.hotwords.clone(),
        })
    }

    fn load(&self, card: &ModelCard) -> Result<Arc<SpeechModel>> {
        let place = || format!("model `{}`", card.name);
        let parts = self.parts(card).with_context(place)?;
        let model = SpeechModel::new(parts, self.settings.clone()).with_context(place)?;
        Ok(Arc::new(model))
    }
}

impl Recognition for Speech {
    /// Loaded now if this is the first call that wants it. What failed once is not tried again.
    fn model_for(&mut self, call: &CallMetadata) -> Result<Arc<SpeechModel>> {
        let card = self.card_for(call)?.clone();
        match self.loaded.get(&card.name) {
            Some(Ok(model)) => return Ok(Arc::clone(model)),
            Some(Err(cause)) => return Err(anyhow!(cause.clone())),
            None => {}
        }
        let loaded = self.load(&card);
        let kept = loaded.as_ref().map(Arc::clone).map_err(message_of);
        self.loaded.insert(card.name, kept);
        loaded
    }

    fn language_print(&self) -> &str {
        &self.language_print
    }
}

/// Tells at once what this build cannot do, before anything is loaded.
fn check_built_in(options: &SpeechOptions) -> Result<()> {
    let second_pass = (options.passes == Passes::Two).then_some(Engine::Whisper);
    match options
        .engine
        .into_iter()
        .chain(second_pass)
        .find(|engine| !sources::has_engine(*engine))
    {
        Some(engine) => Err(sources::not_built_in(engine)),
        None => Ok(()),
    }
}

/// What a model of this role is wanted for, where the calls are in this language
/// (`speech.language`). The one place that says so.
pub(crate) fn wanted<'a>(role: Role, language: &'a str, call: &'a CallMetadata) -> Wanted<'a> {
    Wanted {
        role,
        language,
        region: call.region.as_deref(),
        campaign: call.campaign.as_deref(),
    }
}

/// A call of which nothing is known.
pub(crate) static NOBODY: CallMetadata = CallMetadata {
    agent: None,
    campaign: None,
    region: None,
    started_at: None,
};

/// `--model` goes before everything the configuration says.
fn force_model(
    registry: &ModelStore,
    config: &mut ModelsConfig,
    name: &str,
    language: &str,
) -> Result<()> {
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
    config.language.insert(language.to_owned(), name.to_owned());
    Ok(())
}

/// The file with this ending of the model that the profile has for a role, where it is installed.
pub(crate) fn installed_file(
    registry: &ModelStore,
    config: &Config,
    role: Role,
    ending: &str,
) -> Result<PathBuf> {
    let choice = registry.choose(
        &config.models,
        &wanted(role, &config.speech.language, &NOBODY),
    )?;
    let folder = registry.path(&choice.card.name)?;
    let fits = |path: &&str| path.trim_end_matches(".gz").ends_with(ending);
    let mut names = choice.card.files.iter().map(|file| file.path.as_str());
    let name = names.find(fits).with_context(|| {
        format!(
            "model `{}` has no file that ends with {ending}",
            choice.card.name
        )
    })?;
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
            transcriber: CallTranscriber::new(model, &plan, sample_rate_hz, Pace::Recorded)?,
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
