//! Which model a call gets: by campaign, by region, by language, by profile.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::card::{ModelCard, ModelKind, primary_language};
use super::store::{Listed, ModelState, ModelStore, StoreError};

/// The profile used where none is configured: telephone calls at 8 kHz.
const TELEPHONY_8K: &str = "telephony_8k";

/// The section `models` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelsConfig {
    /// Models folder, before `AURICLE_MODELS` and the data folder's `models/`.
    #[schemars(example = &"models")]
    pub dir: Option<PathBuf>,
    /// Address of a copy of the models, asked before the cards' own addresses.
    #[schemars(example = &"https://models.example/auricle")]
    pub mirror: Option<String>,
    /// Profile whose models are used where nothing below names one.
    pub profile: String,
    /// Model, alias or profile for calls in a language.
    #[schemars(extend("examples" = [{"zh": "zh-zipformer-3.3m"}]))]
    pub language: BTreeMap<String, String>,
    /// Model, alias or profile for calls of a region; goes before the language. A call's region is looked for as it is
    /// written, then in small letters.
    #[schemars(extend("examples" = [{"guangdong": "our-cantonese-model"}]))]
    pub region: BTreeMap<String, String>,
    /// Model, alias or profile for calls of a campaign; goes before the region.
    #[schemars(extend("examples" = [{"spring_loans": "our-loans-model"}]))]
    pub campaign: BTreeMap<String, String>,
    /// Model, alias or profile of every call, before all of these; only the option `--model` says it.
    #[serde(skip)]
    pub model: Option<String>,
}

impl Default for ModelsConfig {
    fn default() -> Self {
        Self {
            dir: None,
            mirror: None,
            profile: TELEPHONY_8K.to_owned(),
            language: BTreeMap::new(),
            region: BTreeMap::new(),
            campaign: BTreeMap::new(),
            model: None,
        }
    }
}

/// What a model is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Recognition as the audio comes. Only here do campaign, region and language maps count.
    Streaming,
    /// A second look at finished utterances.
    SecondPass,
    /// Voice activity.
    Vad,
    /// A language model.
    LanguageModel,
}

impl Role {
    const fn fits(self, kind: ModelKind) -> bool {
        match self {
            Self::Streaming => matches!(
                kind,
                ModelKind::AsrTransducer | ModelKind::AsrCtc | ModelKind::AsrVosk
            ),
            Self::SecondPass => matches!(kind, ModelKind::AsrWhisper),
            Self::Vad => matches!(kind, ModelKind::Vad),
            Self::LanguageModel => matches!(kind, ModelKind::Lm),
        }
    }
}

/// What is known of a call when its model is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What the model is for.
    pub role: Role,
    /// Language, with or without region: `zh`, `zh-CN`, `cmn`.
    pub language: &'a str,
    /// Region of the call.
    pub region: Option<&'a str>,
    /// Campaign of the call.
    pub campaign: Option<&'a str>,
}

/// A chosen model.
#[derive(Clone, Debug)]
pub struct ModelChoice<'a> {
    /// The model.
    pub card: &'a ModelCard,
    /// The setting that named it, for example `` `models.region.guangdong` ``.
    pub because: String,
    /// Whether that setting names just this model, not a profile: whoever does that wants no other.
    pub is_named: bool,
    /// The model that would have been chosen if it were here.
    pub instead_of: Option<Listed<'a>>,
}

/// No model fits.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ChooseError {
    /// A setting names something unknown.
    #[error("`{key}`: {cause}")]
    Unknown {
        /// The setting.
        key: String,
        /// What is wrong.
        cause: Box<StoreError>,
    },
    /// A setting names a model that cannot do it.
    #[error(
        "`{key}`: model `{name}` ({kind}) cannot be used here\nhint: name a model of kind {wanted}"
    )]
    WrongKind {
        /// The setting.
        key: String,
        /// The model.
        name: String,
        /// What it is.
        kind: ModelKind,
        /// What is needed.
        wanted: &'static str,
    },
    /// The profile has no model for the language.
    #[error(
        "profile `{profile}` has no {wanted} model for language `{language}`\nhint: add a card with `profiles = [\"{profile}\"]` to the models folder's `cards`, or name a model in `models.language.{language}`"
    )]
    NoneInProfile {
        /// The profile.
        profile: String,
        /// What is needed.
        wanted: &'static str,
        /// The language asked for.
        language: String,
    },
}

const fn wanted_kinds(role: Role) -> &'static str {
    match role {
        Role::Streaming => "asr-transducer, asr-ctc or asr-vosk",
        Role::SecondPass => "asr-whisper",
        Role::Vad => "vad",
        Role::LanguageModel => "lm",
    }
}

impl ModelStore {
    /// Picks the model of a call. The option goes before campaign, campaign before region, region before
    /// language, language before profile; inside a profile a model made for the call's region goes first, one
    /// made for any region second, one for another region third, and what the program carries last: the
    /// first that is here.
    ///
    /// # Errors
    /// When a setting names an unknown model or one that cannot do it, or the profile has none.
    pub fn choose(
        &self,
        config: &ModelsConfig,
        wanted: &Wanted<'_>,
    ) -> Result<ModelChoice<'_>, ChooseError> {
        if let Some((key, value)) = named(config, wanted) {
            return self.by_setting(&key, value, wanted);
        }
        let because = format!("`models.profile` = `{}`", config.profile);
        self.here_by_profile(&config.profile, wanted, because)
    }

    /// Picks as [`Self::choose`] does, whether the model is here or not: what should be fetched.
    ///
    /// # Errors
    /// As [`Self::choose`].
    pub fn choose_any(
        &self,
        config: &ModelsConfig,
        wanted: &Wanted<'_>,
    ) -> Result<&ModelCard, ChooseError> {
        let choice = self.choose(config, wanted)?;
        Ok(choice.instead_of.map_or(choice.card, |better| better.card))
    }

    fn by_setting(
        &self,
        key: &str,
        value: &str,
        wanted: &Wanted<'_>,
    ) -> Result<ModelChoice<'_>, ChooseError> {
        let because = format!("`{key}`");
        let is_profile = self
            .cards()
            .iter()
            .any(|card| card.profiles.iter().any(|own| own == value));
        if is_profile && self.card(value).is_err() {
            return self.here_by_profile(value, wanted, because);
        }
        let card = self.card(value).map_err(|cause| ChooseError::Unknown {
            key: key.to_owned(),
            cause: Box::new(cause),
        })?;
        if !wanted.role.fits(card.kind) {
            return Err(ChooseError::WrongKind {
                key: key.to_owned(),
                name: card.name.clone(),
                kind: card.kind,
                wanted: wanted_kinds(wanted.role),
            });
        }
        Ok(ModelChoice {
            card,
            because,
            is_named: true,
            instead_of: None,
        })
    }

    fn here_by_profile(
        &self,
        profile: &str,
        wanted: &Wanted<'_>,
        because: String,
    ) -> Result<ModelChoice<'_>, ChooseError> {
        let fitting = self.by_profile(profile, wanted)?;
        let best = self.look(fitting[0]);
        let first_here = fitting
            .into_iter()
            .find(|card| self.look(card).state.is_here());
        let card = first_here.or_else(|| self.carried(wanted));
        let card = card.unwrap_or(best.card);
        Ok(ModelChoice {
            card,
            because,
            is_named: false,
            instead_of: (card.name != best.card.name).then_some(best),
        })
    }

    /// What the program carries for such calls.
    pub fn carried(&self, wanted: &Wanted<'_>) -> Option<&ModelCard> {
        let mut cards = self.cards().iter();
        cards.find(|card| {
            wanted.role.fits(card.kind)
                && card.speaks(wanted.language)
                && self.look(card).state == ModelState::Carried
        })
    }

    /// All of a profile that fit, the best first; at least one.
    fn by_profile(
        &self,
        profile: &str,
        wanted: &Wanted<'_>,
    ) -> Result<Vec<&ModelCard>, ChooseError> {
        let region = wanted.region.map(str::to_lowercase);
        let rank = |card: &ModelCard| match &region {
            _ if card.is_carried() => 3,
            Some(region) if card.regions.contains(region) => 0,
            _ if card.regions.is_empty() => 1,
            _ => 2,
        };
        let cards = self.cards().iter();
        let fitting = cards
            .filter(|card| wanted.role.fits(card.kind))
            .filter(|card| {
                // A second pass is asked for by name or not at all: the only profile is the role.
                wanted.role == Role::SecondPass || card.profiles.iter().any(|own| own == profile)
            })
            .filter(|card| card.languages.is_empty() || card.speaks(wanted.language));
        let mut fitting: Vec<&ModelCard> = fitting.collect();
        fitting.sort_by_key(|card| rank(card));
        match fitting.is_empty() {
            false => Ok(fitting),
            true => Err(ChooseError::NoneInProfile {
                profile: profile.to_owned(),
                wanted: wanted_kinds(wanted.role),
                language: primary_language(wanted.language),
            }),
        }
    }
}

/// The setting that applies and its key.
fn named<'c>(config: &'c ModelsConfig, wanted: &Wanted<'_>) -> Option<(String, &'c str)> {
    if wanted.role != Role::Streaming {
        return None;
    }
    if let Some(model) = &config.model {
        return Some(("--model".to_owned(), model));
    }
    let language = primary_language(wanted.language);
    let region = wanted.region.map(str::to_lowercase);
    let maps = [
        ("campaign", &config.campaign, wanted.campaign),
        ("region", &config.region, wanted.region),
        ("region", &config.region, region.as_deref()),
        ("language", &config.language, Some(wanted.language)),
        ("language", &config.language, Some(language.as_str())),
    ];
    maps.into_iter().find_map(|(name, map, key)| {
        let (key, value) = map.get_key_value(key?)?;
        Some((format!("models.{name}.{key}"), value.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(region: Option<&'a str>, campaign: Option<&'a str>) -> Wanted<'a> {
        Wanted {
            role: Role::Streaming,
            language: "zh-CN",
            region,
            campaign,
        }
    }

    fn store_with(cards: &[(&str, &str)]) -> (tempfile::TempDir, ModelStore) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("cards")).unwrap();
        for (name, more) in cards {
            let text = format!(
                "name = '{name}'\nkind = 'asr-transducer'\nengine = 'ort'\nlanguages = ['zh']\n\
                 description = ''\nlicence = ''\nsource = ''\n{more}\n[[file]]\npath = 'x'\n"
            );
            std::fs::write(dir.path().join(format!("cards/{name}.toml")), text).unwrap();
        }
        let store = ModelStore::open(vec![dir.path().to_path_buf()]).unwrap();
        (dir, store)
    }

    fn check(store: &ModelStore, config: &str, wanted: Wanted<'_>, expected: &str) {
        let config: ModelsConfig = toml::from_str(config).unwrap();
        let choice = match store.choose(&config, &wanted) {
            Ok(choice) => {
                let best = choice.instead_of.map_or(choice.card, |best| best.card);
                format!("{} by {}", best.name, choice.because)
            }
            Err(error) => error.to_string(),
        };
        assert!(choice.contains(expected), "{choice}");
    }

    #[test]
    fn campaign_before_region_before_language_before_profile() {
        let (_dir, store) = store_with(&[("canton", "regions = ['guangdong']"), ("bank", "")]);
        let maps = "[language]\nzh = 'zh-small'\n[region]\nguangdong = 'canton'\n[campaign]\nloans = 'bank'";
        check(
            &store,
            maps,
            call(Some("guangdong"), Some("loans")),
            "bank by `models.campaign.loans`",
        );
        check(
            &store,
            maps,
            call(Some("guangdong"), None),
            "canton by `models.region.guangdong`",
        );
        check(
            &store,
            maps,
            call(Some("Guangdong"), None),
            "canton by `models.region.guangdong`",
        );
        check(
            &store,
            maps,
            call(Some("hebei"), Some("cards")),
            "zh-zipformer-3.3m by `models.language.zh`",
        );
        check(
            &store,
            "",
            call(None, None),
            "zh-zipformer-3.3m by `models.profile` = `telephony_8k`",
        );
    }

    #[test]
    fn a_profile_prefers_the_region() {
        let (_dir, store) = store_with(&[
            ("any", "profiles = ['branch']"),
            ("canton", "profiles = ['branch']\nregions = ['guangdong']"),
        ]);
        let config = "profile = 'branch'";
        check(&store, config, call(Some("Guangdong"), None), "canton by");
        check(&store, config, call(Some("hebei"), None), "any by");
        check(
            &store,
            "[campaign]\nx = 'branch'",
            call(None, Some("x")),
            "any by `models.campaign.x`",
        );
    }

    #[test]
    fn what_is_carried_takes_the_place_of_what_is_not_here() {
        let (dir, store) = store_with(&[("any", "profiles = ['branch']")]);
        let config = ModelsConfig {
            profile: "branch".to_owned(),
            ..ModelsConfig::default()
        };
        let wanted = call(None, None);
        let choice = store.choose(&config, &wanted).unwrap();
        let better = choice.instead_of.unwrap();
        assert_eq!(choice.card.name, "telephony-8k");
        assert_eq!(
            (better.card.name.as_str(), better.state),
            ("any", ModelState::Missing)
        );

        std::fs::create_dir(dir.path().join("any")).unwrap();
        std::fs::write(dir.path().join("any/x"), "x").unwrap();
        let choice = store.choose(&config, &wanted).unwrap();
        assert_eq!(
            (choice.card.name.as_str(), choice.instead_of.is_none()),
            ("any", true)
        );

        // The better of two that are here, though the best is not.
        let (dir, store) = store_with(&[
            ("canton", "profiles = ['branch']\nregions = ['guangdong']"),
            ("any", "profiles = ['branch']"),
        ]);
        std::fs::create_dir(dir.path().join("any")).unwrap();
        std::fs::write(dir.path().join("any/x"), "x").unwrap();
        let there = call(Some("guangdong"), None);
        let choice = store.choose(&config, &there).unwrap();
        let better = choice.instead_of.unwrap().card;
        assert_eq!(
            (choice.card.name.as_str(), better.name.as_str()),
            ("any", "canton")
        );
        // Regions do not bring forward what is carried.
        let at_home = call(Some("cn"), None);
        assert_eq!(store.choose(&config, &at_home).unwrap().card.name, "any");

        // Whoever names a model means it.
        let named: ModelsConfig = toml::from_str("[language]\nzh = 'zh-small'").unwrap();
        let choice = store.choose(&named, &wanted).unwrap();
        assert_eq!(choice.card.name, "zh-zipformer-3.3m");
    }

    #[test]
    fn every_role_has_a_model_for_mandarin() {
        let (_dir, store) = store_with(&[]);
        let roles = [
            (Role::Vad, "silero-vad"),
            (Role::LanguageModel, "zh-gigatdt-lm"),
            (Role::SecondPass, "whisper-base"),
        ];
        for (role, expected) in roles {
            check(
                &store,
                "",
                Wanted {
                    role,
                    ..call(None, None)
                },
                expected,
            );
        }
    }

    #[test]
    fn wrong_settings_name_themselves() {
        let (_dir, store) = store_with(&[]);
        let loans = call(None, Some("loans"));
        check(
            &store,
            "[campaign]\nloans = 'zh-big'",
            loans,
            "`models.campaign.loans`: no model is called `zh-big`",
        );
        check(
            &store,
            "[campaign]\nloans = 'silero-vad'",
            loans,
            "`silero-vad` (vad) cannot be used here",
        );
        check(
            &store,
            "profile = 'studio'",
            loans,
            "profile `studio` has no asr-transducer",
        );
        let french = Wanted {
            language: "fr",
            ..loans
        };
        check(
            &store,
            "",
            french,
            "no asr-transducer, asr-ctc or asr-vosk model for language `fr`",
        );
        assert!(toml::from_str::<ModelsConfig>("regions = 3").is_err());
    }
}
