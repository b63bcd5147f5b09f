//! What calls are assessed with: packs, score cards and models, by campaign and language.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use auricle_contracts::{Assessment, CallMetadata, Party, Transcript};
use auricle_insight::intent::{IntentModel, Language};
use auricle_insight::rules::{PackFile, RuleSet};
use auricle_insight::scorecard::Card;
use auricle_insight::{CallRun, Judge, Recipe};
use auricle_store::Store;
use globset::{Glob, GlobMatcher};
use serde::Deserialize;

use crate::commands::intent::read_model;
use crate::config::{Config, beside};
use crate::emotion;
use crate::exit::usage;
use crate::file_name::digits;
use crate::includes::read_pack;
use crate::terminal::{count, say};

/// A pack or card that the program carries with it.
pub(crate) struct BuiltIn {
    pub(crate) name: &'static str,
    pub(crate) language: &'static str,
    pub(crate) text: &'static str,
    /// Its tests; empty for what has none.
    pub(crate) tests: &'static str,
}

macro_rules! pack {
    ($name:literal, $language:literal) => {
        BuiltIn {
            name: $name,
            language: $language,
            text: include_str!(concat!("../../packs/", $name, ".yaml")),
            tests: include_str!(concat!("../../packs/", $name, ".tests.yaml")),
        }
    };
}

macro_rules! card {
    ($name:literal, $language:literal) => {
        BuiltIn {
            name: $name,
            language: $language,
            text: include_str!(concat!("../../packs/cards/", $name, ".yaml")),
            tests: "",
        }
    };
}

/// Rule packs, the first of each language being the one calls get where nothing is configured.
pub(crate) const PACKS: &[BuiltIn] = &[
    pack!("zh-telemarketing", "zh"),
    pack!("zh-finance", "zh"),
    pack!("zh-collection", "zh"),
    pack!("zh-ecommerce-dunning", "zh"),
    pack!("zh-education", "zh"),
    pack!("en-service", "en"),
];

/// Score cards, in the same way.
pub(crate) const CARDS: &[BuiltIn] = &[card!("zh-telemarketing", "zh"), card!("en-service", "en")];

/// `[insight]`: what calls are assessed with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InsightConfig {
    /// Packs, by name or file; none for the one that the call's language has.
    pub(crate) packs: Vec<PathBuf>,
    /// Score card, by name or file.
    pub(crate) card: Option<PathBuf>,
    /// Text classifier that `auricle intent train` wrote, for calls in the language of its texts; none for those the
    /// program carries.
    pub(crate) intents: Option<PathBuf>,
    /// Emotion model, by the name on its card or file (ONNX, or JSON weights); none for the one the program
    /// carries.
    pub(crate) emotion: Option<PathBuf>,
    /// Others for some campaigns: the first whose pattern fits is used.
    pub(crate) campaigns: Vec<CampaignConfig>,
}

/// `[[insight.campaigns]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignConfig {
    /// A campaign's name; `*` and `?` stand for anything.
    pub(crate) campaign: String,
    /// Packs, by name or file.
    #[serde(default)]
    pub(crate) packs: Vec<PathBuf>,
    /// Score card, by name or file.
    #[serde(default)]
    pub(crate) card: Option<PathBuf>,
}

/// Digits of a checksum of rules.
const PRINT_DIGITS: usize = 16;

/// Judges for all calls.
pub(crate) struct Judges {
    campaigns: Vec<(GlobMatcher, Bench)>,
    others: Bench,
    /// The model in place of the built-in one.
    emotions: Option<emotion::Chosen>,
    print: String,
}

/// A judge for each language.
struct Bench {
    mandarin: Seated,
    english: Seated,
}

impl Bench {
    const fn all(&self) -> [&Seated; 2] {
        [&self.mandarin, &self.english]
    }

    const fn of(&self, language: Language) -> &Seated {
        match language {
            Language::Mandarin => &self.mandarin,
            Language::English => &self.english,
        }
    }
}

/// A judge, and what it judges by.
pub(crate) struct Seated {
    pub(crate) judge: Judge,
    /// What the judge's rules were compiled from.
    pub(crate) packs: Vec<PackFile>,
    pub(crate) recipe: Recipe,
    /// Of the recipe: changes whenever a call may be assessed otherwise.
    pub(crate) print: String,
}

impl Judges {
    /// What the configuration says.
    pub(crate) fn load(config: &Config) -> Result<Self> {
        Self::load_with(config, &config.insight)
    }

    /// The same with other packs and cards than those of the configuration.
    pub(crate) fn load_with(config: &Config, insight: &InsightConfig) -> Result<Self> {
        let models = models(config, insight)?;
        let mut campaigns = Vec::new();
        for campaign in &insight.campaigns {
            let pattern = Glob::new(&campaign.campaign)
                .map_err(|cause| usage(format!("`insight.campaigns`: {cause}")))?;
            let wanted = Wanted {
                packs: &campaign.packs,
                card: campaign.card.as_deref(),
                models: &models,
            };
            let bench = bench(config, &wanted)?;
            campaigns.push((pattern.compile_matcher(), bench));
        }
        let wanted = Wanted {
            packs: &insight.packs,
            card: insight.card.as_deref(),
            models: &models,
        };
        let others = bench(config, &wanted)?;
        let mut judges = Self {
            campaigns,
            others,
            emotions: models.emotions,
            print: String::new(),
        };
        let patterns = insight.campaigns.iter().map(|one| one.campaign.as_str());
        let prints = judges.all().map(|seated| seated.print.as_str());
        let parts: Vec<&str> = patterns.chain(prints).collect();
        judges.print = digits(parts.join("\n"), PRINT_DIGITS);
        Ok(judges)
    }

    /// Opens what is opened at its first use only. For commands that save what they find: without it the
    /// built-in model would decide in its place.
    ///
    /// # Errors
    /// When a model cannot be opened.
    pub(crate) fn check_models(&self) -> Result<()> {
        self.emotions
            .as_ref()
            .map_or(Ok(()), emotion::Chosen::check)
    }

    /// Says [`Self::doubts`] before work begins.
    pub(crate) fn say_doubts(&self) {
        for doubt in self.doubts() {
            say!("warning: {doubt}");
        }
    }

    /// What works, and is hardly what was meant: cards that ask about rules of packs that are not loaded, rules that
    /// ask for labels which the text classifier does not tell. A line each.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let models = self.all().map(|one| one.judge.intents.as_ref());
        let known: BTreeSet<&str> = models
            .flat_map(|model| model.labels(Party::Unknown))
            .collect();
        let doubts = self.all().flat_map(|one| doubts(&one.judge, &known));
        let doubts: BTreeSet<String> = doubts.collect();
        doubts.into_iter().collect()
    }

    /// The packs of all campaigns and languages.
    pub(crate) fn packs(&self) -> Vec<&str> {
        let packs = self.all().flat_map(|seated| seated.judge.rules.packs());
        let names: BTreeSet<&str> = packs.map(|pack| pack.id.as_str()).collect();
        names.into_iter().collect()
    }

    /// Has the store know what the fingerprints of assessments stand for. Before any of them is saved.
    ///
    /// # Errors
    /// As the store gives them.
    pub(crate) async fn save_recipes(&self, store: &Store) -> Result<()> {
        let recipes: BTreeMap<&str, &Recipe> =
            self.all().map(|one| (&*one.print, &one.recipe)).collect();
        let recipes = recipes
            .into_iter()
            .map(|(print, recipe)| Ok((print.to_owned(), serde_json::to_string(recipe)?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(store.save_recipes(&recipes).await?)
    }

    fn all(&self) -> impl Iterator<Item = &Seated> {
        let campaigns = self.campaigns.iter().map(|(_, bench)| bench);
        let benches = campaigns.chain([&self.others]);
        benches.flat_map(Bench::all)
    }

    /// Changes whenever any call may be assessed otherwise.
    pub(crate) fn print(&self) -> &str {
        &self.print
    }

    /// Whether a call with this metadata, assessed with this fingerprint, would be assessed alike today. Its language
    /// is not asked for: it follows from the transcript and the code, which the fingerprint has.
    pub(crate) fn is_in_force(&self, metadata: &CallMetadata, print: &str) -> bool {
        let all = self.bench_of(metadata).all();
        all.iter().any(|seated| seated.print == print)
    }

    /// What is made of a call.
    pub(crate) fn assess(&self, transcript: &Transcript) -> Assessment {
        CallRun::assess(&self.of(transcript).judge, transcript)
    }

    /// What this call is assessed with.
    pub(crate) fn of(&self, transcript: &Transcript) -> &Seated {
        let bench = self.bench_of(&transcript.metadata);
        bench.of(language_of(transcript))
    }

    /// The text classifier for a language.
    pub(crate) fn intents(&self, language: Language) -> Arc<IntentModel> {
        Arc::clone(&self.others.of(language).judge.intents)
    }

    fn bench_of(&self, metadata: &CallMetadata) -> &Bench {
        let Some(campaign) = &metadata.campaign else {
            return &self.others;
        };
        let found = self
            .campaigns
            .iter()
            .find(|(pattern, _)| pattern.is_match(campaign));
        found.map_or(&self.others, |(_, bench)| bench)
    }
}

/// `known` are the labels of all text classifiers.
fn doubts(judge: &Judge, known: &BTreeSet<&str>) -> Vec<String> {
    let mut doubts = Vec::new();
    let packs = judge.rules.packs().iter();
    let packs: Vec<&str> = packs.map(|pack| pack.id.as_str()).collect();
    let packs = packs.join(", ");
    if let Some(card) = &judge.card {
        let named = card.rules();
        let lacking: Vec<&str> = named
            .iter()
            .copied()
            .filter(|rule| !judge.rules.has(rule))
            .collect();
        if let Some(first) = lacking.first() {
            doubts.push(format!(
                "the score card asks about {}, {} of them (`{first}`, …) in none of the packs {packs}: what it asks about those does not count\nhint: choose a card that fits the packs: `card` under [insight], or --card",
                count(named.len() as u64, "rule"),
                lacking.len()
            ));
        }
    }
    let asked = judge.rules.labels().iter().map(String::as_str);
    let unknown: Vec<&str> = asked.filter(|label| !known.contains(label)).collect();
    if !unknown.is_empty() {
        doubts.push(format!(
            "rules of the packs {packs} ask for labels that the text classifier does not tell: {}\nhint: check their spelling; a classifier of your own has to know them: `auricle intent train` on text that has them",
            unknown.join(", ")
        ));
    }
    doubts
}

/// The language most is said in.
fn language_of(transcript: &Transcript) -> Language {
    let utterances = transcript.utterances.iter();
    Language::of_texts(utterances.map(|utterance| match utterance.spoken.as_str() {
        "" => utterance.text.as_str(),
        spoken => spoken,
    }))
}

/// What one part of the configuration asks for.
struct Wanted<'a> {
    packs: &'a [PathBuf],
    card: Option<&'a Path>,
    models: &'a Models,
}

/// The models that all campaigns share.
struct Models {
    /// Text classifiers.
    mandarin: Arc<IntentModel>,
    english: Arc<IntentModel>,
    emotions: Option<emotion::Chosen>,
    /// Of all that looks at calls beside the rules.
    print: String,
}

impl Models {
    fn intents(&self, language: Language) -> Arc<IntentModel> {
        Arc::clone(match language {
            Language::Mandarin => &self.mandarin,
            Language::English => &self.english,
        })
    }
}

/// The text classifier for a language: the one that is configured, else the one the program carries.
pub(crate) fn classifier(config: &Config, language: Language) -> Result<Arc<IntentModel>> {
    let models = models(config, &config.insight)?;
    Ok(models.intents(language))
}

fn models(config: &Config, insight: &InsightConfig) -> Result<Models> {
    let mut prints = vec![
        env!("CARGO_PKG_VERSION").to_owned(),
        auricle_insight::FINGERPRINT.to_owned(),
    ];
    let own = match &insight.intents {
        None => None,
        Some(path) => {
            let model = read_model(&beside(config, path))?;
            prints.push(format!("intents {}", digits(model.write(), PRINT_DIGITS)));
            Some(Arc::new(model))
        }
    };
    // The configured one stands in place of the built-in one of its language.
    let intents = |language: Language| match &own {
        Some(own) if own.language() == language => Arc::clone(own),
        _ => Arc::new(language.model().clone()),
    };
    let emotions = match &insight.emotion {
        None => None,
        Some(named) => {
            let chosen = emotion::choose(config, named)?;
            prints.push(format!("emotion {}", chosen.sha256));
            Some(chosen)
        }
    };
    Ok(Models {
        mandarin: intents(Language::Mandarin),
        english: intents(Language::English),
        emotions,
        print: prints.join(", "),
    })
}

fn bench(config: &Config, wanted: &Wanted<'_>) -> Result<Bench> {
    Ok(Bench {
        mandarin: seated(config, wanted, Language::Mandarin)?,
        english: seated(config, wanted, Language::English)?,
    })
}

fn seated(config: &Config, wanted: &Wanted<'_>, language: Language) -> Result<Seated> {
    let texts = match wanted.packs {
        [] => default_of(PACKS, language).into_iter().collect(),
        named => named
            .iter()
            .map(|name| read(config, name, PACKS, "pack"))
            .collect::<Result<Vec<_>>>()?,
    };
    let packs = texts.iter().map(|(name, bytes)| read_pack(name, bytes));
    let packs: Vec<PackFile> = packs.collect();
    let compiled = RuleSet::compile(&packs).map_err(|mistakes| usage(mistakes.to_string()))?;
    // `auricle rules check` tells them; a pack that works should not be complained of at every command.
    for warning in &compiled.warnings {
        tracing::debug!("{warning}");
    }
    let card = match wanted.card {
        Some(name) => Some(read(config, name, CARDS, "card")?),
        None => default_of(CARDS, language),
    };
    let (card, card_print) = match card {
        Some((name, bytes)) => {
            let card = Card::read(&bytes, &name).map_err(|error| usage(error.to_string()))?;
            (Some(Arc::new(card)), digits(bytes, PRINT_DIGITS))
        }
        None => (None, String::new()),
    };
    let recipe = Recipe::new(&wanted.models.print, &card_print, &compiled.rules);
    let mut print = recipe.print();
    print.truncate(PRINT_DIGITS);
    Ok(Seated {
        judge: Judge {
            rules: Arc::new(compiled.rules),
            card,
            intents: wanted.models.intents(language),
            emotions: wanted.models.emotions.as_ref().map(emotion::Chosen::model),
        },
        packs,
        recipe,
        print,
    })
}

fn default_of(all: &[BuiltIn], language: Language) -> Option<(String, Vec<u8>)> {
    let mut all = all.iter();
    let found = all.find(|one| Language::of_tag(one.language) == language)?;
    Some((found.name.to_owned(), found.text.as_bytes().to_vec()))
}

/// A pack or card by the name of one that is built in, or out of a file.
pub(crate) fn read(
    config: &Config,
    name: &Path,
    all: &[BuiltIn],
    kind: &str,
) -> Result<(String, Vec<u8>)> {
    if let Some(found) = all.iter().find(|one| Path::new(one.name) == name) {
        return Ok((found.name.to_owned(), found.text.as_bytes().to_vec()));
    }
    let path = beside(config, name);
    let names = all
        .iter()
        .map(|one| one.name)
        .collect::<Vec<_>>()
        .join(", ");
    let bytes = fs::read(&path).with_context(|| {
        format!(
            "cannot read the {kind} `{}`; built in are {names}",
            path.display()
        )
    })?;
    Ok((path.display().to_string(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn judges(configure: impl Fn(&mut InsightConfig)) -> Judges {
        let folder = tempfile::tempdir().unwrap();
        let mut config = testing::config(folder.path());
        configure(&mut config.insight);
        Judges::load(&config).unwrap()
    }

    #[test]
    fn what_the_program_carries_fits_together() {
        assert_eq!(judges(|_| {}).doubts(), Vec::<String>::new());
    }

    #[test]
    fn campaigns_share_one_classifier_a_language() {
        let judges = judges(|insight| {
            insight.campaigns = vec![CampaignConfig {
                campaign: "loans*".into(),
                packs: Vec::new(),
                card: None,
            }];
        });
        for language in Language::ALL {
            let shared = judges.intents(language);
            let (_, campaign) = &judges.campaigns[0];
            let of_campaign = &campaign.of(language).judge.intents;
            assert!(Arc::ptr_eq(&shared, of_campaign), "{language:?}");
        }
    }

    #[test]
    fn what_is_in_force_is_asked_by_campaign() {
        let judges = judges(|insight| {
            insight.campaigns = vec![CampaignConfig {
                campaign: "loans*".into(),
                packs: vec!["zh-finance".into()],
                card: None,
            }];
        });
        let of = |campaign: Option<&str>| CallMetadata {
            campaign: campaign.map(str::to_owned),
            ..CallMetadata::default()
        };
        let (loans, others) = (of(Some("loans 7")), of(None));
        let said = Transcript {
            metadata: loans.clone(),
            ..testing::transcript("a")
        };
        let by_loans = &judges.of(&said).print;
        let by_others = &judges.of(&testing::transcript("a")).print;
        assert!(judges.is_in_force(&loans, by_loans));
        assert!(!judges.is_in_force(&others, by_loans));
        assert!(judges.is_in_force(&others, by_others));
        assert!(!judges.is_in_force(&loans, by_others));
    }
}
