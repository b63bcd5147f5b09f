//! The one place where recognition is put together: models found, loaded, shared by the workers.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use auricle_contracts::{CallMetadata, Party, Utterance};
use auricle_models::VadSource;
use auricle_models::native::SearchPath;
use auricle_models::registry::{Engine, ModelStore, Role, Wanted};
use auricle_speech::lm::Keeping;
use auricle_speech::{CallTranscriber, ChannelPlan, Pace, SpeechModel, SpeechParts};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Config, beside};
use crate::exit::{message_of, usage};
use crate::recogniser::{Chosen, Recogniser, Recognisers};
use crate::sources::{self, Networks};
use crate::terminal::say;
use crate::vad::VadChoice;
use crate::words::{Words, with_hotwords};

/// `[native]`: libraries that are loaded at run time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NativeConfig {
    /// ONNX Runtime: the file or its folder.
    #[schemars(example = &"/opt/onnxruntime/lib")]
    pub(crate) onnxruntime: Option<PathBuf>,
    /// libvosk: the file or its folder.
    #[schemars(example = &"/opt/vosk/libvosk.so")]
    pub(crate) vosk: Option<PathBuf>,
}

/// `[lm]`: what the language model is mixed from, beside what the program carries with it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LmConfig {
    /// ARPA files, up to five. Without this key, the language model of the registry, if it is installed.
    #[schemars(example = [&"ours.arpa.gz"])]
    pub(crate) arpa: Option<Vec<PathBuf>>,
    /// Texts of one's own, one sentence a line; relative to the configuration file's folder.
    #[schemars(example = [&"ours.txt"])]
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
    /// What runs networks.
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
    recognisers: Recognisers,
    vad: Arc<dyn VadSource>,
    options: SpeechOptions,
    words: Words,
    /// By campaign and region.
    chosen: HashMap<(Option<String>, Option<String>), Chosen>,
    /// By name, and whether it stands in for another; the cause where loading one failed.
    loaded: HashMap<(String, bool), Result<Arc<SpeechModel>, String>>,
}

impl Speech {
    /// Finds the libraries, the voice activity model and the language, and reads the hotwords.
    pub(crate) fn open(config: &Config, options: &SpeechOptions) -> Result<Self> {
        check_built_in(options)?;
        let registry = model_store(config)?;
        for warning in registry.warnings() {
            tracing::warn!("{warning}");
        }
        let mut models = config.models.clone();
        models.model.clone_from(&options.model);
        if models.model.is_some() {
            // A mistake in the option is told before anything is loaded.
            let wanted = wanted(Role::Streaming, &config.speech.language, &NOBODY);
            registry
                .choose(&models, &wanted)
                .map_err(|cause| usage(cause.to_string()))?;
        }
        let hotwords = options.hotwords.as_deref().map(with_hotwords).transpose()?;
        let mut settings = config.speech.clone();
        if let Some(beam) = options.beam {
            settings.beam = beam;
        }
        // What is meant counts, not how it was written: the default's number and no number are one.
        settings.beam = settings.decode().n_paths;
        let vad = VadChoice::open(&registry, config, options.networks)?.source;
        let words = Words::load(config, &registry, hotwords, options.keeping, None)?;
        Ok(Self {
            recognisers: Recognisers {
                registry,
                config: models,
                search: search_path(config),
                settings,
                networks: options.networks,
            },
            vad,
            options: options.clone(),
            words,
            chosen: HashMap::new(),
            loaded: HashMap::new(),
        })
    }

    /// What the configuration chooses; with `--engine` the first model of that engine instead, where
    /// the chosen one is of another.
    fn choose(&self, call: &CallMetadata) -> Result<Chosen> {
        let chosen = self.recognisers.choose(call)?;
        match self.options.engine {
            Some(engine) if engine != chosen.card.engine => match &self.options.model {
                Some(name) => Err(usage(format!(
                    "--model: `{name}` runs on {}, not on {engine}",
                    chosen.card.engine
                ))),
                None => self.recognisers.choose_engine(engine),
            },
            _ => Ok(chosen),
        }
    }

    /// The same as it was first found: calls of a campaign and a region are alike.
    fn chosen_for(&mut self, call: &CallMetadata) -> Result<Chosen> {
        let key = (call.campaign.clone(), call.region.clone());
        if let Some(chosen) = self.chosen.get(&key) {
            return Ok(chosen.clone());
        }
        let chosen = self.choose(call)?;
        self.chosen.insert(key, chosen.clone());
        Ok(chosen)
    }

    /// What models are given to hear with.
    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    fn parts(&self, recogniser: Recogniser) -> Result<SpeechParts> {
        let second_pass = match self.options.passes {
            Passes::One => None,
            Passes::Two => {
                let from = &self.recognisers;
                let wanted = wanted(Role::SecondPass, &from.settings.language, &NOBODY);
                let choice = from.registry.choose(&from.config, &wanted)?;
                Some(sources::second_pass(
                    &from.registry.path(&choice.card.name)?,
                )?)
            }
        };
        Ok(SpeechParts {
            recogniser: recogniser.source,
            vad: Arc::clone(&self.vad),
            second_pass,
            language: Arc::clone(self.words.language()),
            hotwords: self.words.hotwords().clone(),
            stands_in: recogniser.chosen.stands_in,
        })
    }

    /// Says which model runs, and why.
    fn load(&self, chosen: &Chosen) -> Result<Arc<SpeechModel>> {
        let recogniser = self.recognisers.load(chosen)?;
        if let Some(cause) = &recogniser.refused {
            say!("warning: {cause}");
        }
        let chosen = recogniser.chosen.clone();
        let place = || format!("model `{}`", chosen.card.name);
        let parts = self.parts(recogniser).with_context(place)?;
        let model =
            SpeechModel::new(parts, self.recognisers.settings.clone()).with_context(place)?;
        let hint = chosen.hint.map(|hint| format!("; {hint}"));
        let hint = hint.unwrap_or_default();
        say!("model: {}, {}{hint}", model.name(), chosen.because);
        Ok(Arc::new(model))
    }
}

impl Recognition for Speech {
    /// Loaded now if this is the first call that wants it. What failed once is not tried again.
    fn model_for(&mut self, call: &CallMetadata) -> Result<Arc<SpeechModel>> {
        let chosen = self.chosen_for(call)?;
        let key = (chosen.card.name.clone(), chosen.stands_in);
        match self.loaded.get(&key) {
            Some(Ok(model)) => return Ok(Arc::clone(model)),
            Some(Err(cause)) => return Err(anyhow!(cause.clone())),
            None => {}
        }
        let loaded = self.load(&chosen);
        let kept = loaded.as_ref().map(Arc::clone).map_err(message_of);
        self.loaded.insert(key, kept);
        loaded
    }

    fn language_print(&self) -> &str {
        self.words.language_print()
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
