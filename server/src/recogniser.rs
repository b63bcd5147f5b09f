//! Which recogniser a call gets, and what is loaded where that one is not here or does not work.

use anyhow::{Context, Result};
use auricle_contracts::CallMetadata;
use auricle_models::EngineSource;
use auricle_models::native::SearchPath;
use auricle_models::registry::{Engine, ModelCard, ModelStore, ModelsConfig, Role};
use auricle_speech::SpeechSettings;

use crate::config::Config;
use crate::engine::{NOBODY, search_path, wanted};
use crate::exit::{message_of, usage};
use crate::sources::{self, Networks};

/// What recognisers are chosen from, and how they are loaded.
pub(crate) struct Recognisers {
    pub(crate) registry: ModelStore,
    pub(crate) config: ModelsConfig,
    pub(crate) search: SearchPath,
    pub(crate) settings: SpeechSettings,
    pub(crate) networks: Networks,
}

/// The recogniser that a call should get.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) card: ModelCard,
    /// For people.
    pub(crate) because: String,
    /// How the best one is had, where this is not it.
    pub(crate) hint: Option<String>,
    /// Only the program's own is here, which must not replace what a better one heard.
    pub(crate) stands_in: bool,
    /// Somebody wants just this one.
    is_named: bool,
}

/// A recogniser, loaded.
pub(crate) struct Recogniser {
    pub(crate) chosen: Chosen,
    pub(crate) source: Box<dyn EngineSource>,
    /// Why it is not the one that was chosen first.
    pub(crate) refused: Option<String>,
}

impl Recognisers {
    /// Those that the configuration alone speaks of.
    pub(crate) fn of(config: &Config, registry: ModelStore) -> Self {
        Self {
            registry,
            config: config.models.clone(),
            search: search_path(config),
            settings: config.speech.clone(),
            networks: Networks::Best,
        }
    }

    /// What the registry chooses for a call.
    ///
    /// # Errors
    /// When nothing fits.
    pub(crate) fn choose(&self, call: &CallMetadata) -> Result<Chosen> {
        let wanted = wanted(Role::Streaming, &self.settings.language, call);
        let choice = self.registry.choose(&self.config, &wanted)?;
        if let Some(better) = choice.instead_of {
            let cause = format!("is {}", better.state);
            return Ok(self.in_place_of(better.card, &cause, choice.card));
        }
        Ok(Chosen {
            because: format!("{}by {}", grade(choice.card), choice.because),
            card: choice.card.clone(),
            hint: None,
            stands_in: false,
            is_named: choice.is_named,
        })
    }

    /// The first model of an engine for the language.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn choose_engine(&self, engine: Engine) -> Result<Chosen> {
        let language = &self.settings.language;
        let fits = |card: &&ModelCard| card.engine == engine && card.speaks(language);
        let card = self.registry.cards().iter().find(fits).ok_or_else(|| {
            usage(format!(
                "--engine: no model for `{language}` runs on {engine}"
            ))
        })?;
        Ok(Chosen {
            because: format!("{}by `--engine`", grade(card)),
            card: card.clone(),
            hint: None,
            stands_in: false,
            is_named: true,
        })
    }

    /// Loads what was chosen. Where that turns out to be damaged and nobody named just this one, what the
    /// program carries takes its place.
    ///
    /// # Errors
    /// When it cannot be loaded, nor anything in its place.
    pub(crate) fn load(&self, chosen: &Chosen) -> Result<Recogniser> {
        let cause = match self.source(&chosen.card) {
            Ok(source) => {
                return Ok(Recogniser {
                    chosen: chosen.clone(),
                    source,
                    refused: None,
                });
            }
            Err(cause) => cause,
        };
        let wanted = wanted(Role::Streaming, &self.settings.language, &NOBODY);
        let carried = self.registry.carried(&wanted);
        match carried.filter(|card| !chosen.is_named && card.name != chosen.card.name) {
            None => Err(cause),
            Some(card) => Ok(Recogniser {
                chosen: self.in_place_of(&chosen.card, "cannot be loaded", card),
                source: self.source(card)?,
                refused: Some(message_of(&cause)),
            }),
        }
    }

    fn source(&self, card: &ModelCard) -> Result<Box<dyn EngineSource>> {
        let load = || {
            let files = self.registry.files(&card.name)?;
            sources::recogniser(card, &files, &self.search, &self.settings, self.networks)
        };
        load().with_context(|| format!("model `{}`", card.name))
    }

    fn in_place_of(&self, better: &ModelCard, cause: &str, card: &ModelCard) -> Chosen {
        let pull = |name: &str| format!("`auricle models pull {name}` for production");
        let mut languages = better.languages.iter();
        let language = languages.find(|language| self.pulled_by(language) == Some(better));
        Chosen {
            because: format!("{}as {} {cause}", grade(card), better.name),
            card: card.clone(),
            hint: match language {
                Some(language) => Some(pull(language)),
                None => better.has_address().then(|| pull(&better.name)),
            },
            stands_in: card.is_carried(),
            is_named: false,
        }
    }

    /// The recogniser that `models pull LANGUAGE` fetches.
    fn pulled_by(&self, language: &str) -> Option<&ModelCard> {
        let wanted = wanted(Role::Streaming, language, &NOBODY);
        self.registry.choose_any(&self.config, &wanted).ok()
    }
}

/// What people should know of a model before its name says anything to them.
fn grade(card: &ModelCard) -> &'static str {
    match card.is_carried() {
        true => "bundled, demo grade, ",
        false => "",
    }
}
