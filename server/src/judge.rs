//! What calls are assessed with: packs, score cards and models, by campaign and language.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use auricle_contracts::{Assessment, CallMetadata, Party, Transcript};
use auricle_insight::intent::IntentModel;
use auricle_insight::rules::RuleSet;
use auricle_insight::scorecard::Card;
use auricle_insight::{CallRun, Judge};
use globset::{Glob, GlobMatcher};
use serde::Deserialize;

use crate::commands::intent::read_model;
use crate::config::{Config, beside};
use crate::emotion;
use crate::exit::usage;
use crate::file_name::digits;
use crate::includes::WholePack;
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
    /// Text classifier that `auricle intent train` wrote; none for the one the program carries.
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
    mandarin: Judge,
    english: Judge,
}

/// Everything that decides over assessments, on its way into their fingerprint.
#[derive(Default)]
struct Print(String);

impl Print {
    fn add(&mut self, what: &str, text: &str) {
        self.0 += &format!("{what} {}\n{text}\n", text.len());
    }
}

impl Judges {
    /// What the configuration says.
    pub(crate) fn load(config: &Config) -> Result<Self> {
        Self::load_with(config, &config.insight)
    }

    /// The same with other packs and cards than those of the configuration.
    pub(crate) fn load_with(config: &Config, insight: &InsightConfig) -> Result<Self> {
        let mut print = Print::default();
        print.add("version", env!("CARGO_PKG_VERSION"));
        print.add("insight", auricle_insight::FINGERPRINT);
        let models = models(config, insight, &mut print)?;
        let mut campaigns = Vec::new();
        for campaign in &insight.campaigns {
            let pattern = Glob::new(&campaign.campaign)
                .map_err(|cause| usage(format!("`insight.campaigns`: {cause}")))?;
            print.add("campaign", &campaign.campaign);
            let wanted = Wanted {
                packs: &campaign.packs,
                card: campaign.card.as_deref(),
                models: &models,
            };
            let bench = bench(config, &wanted, &mut print)?;
            campaigns.push((pattern.compile_matcher(), bench));
        }
        let wanted = Wanted {
            packs: &insight.packs,
            card: insight.card.as_deref(),
            models: &models,
        };
        let others = bench(config, &wanted, &mut print)?;
        Ok(Self {
            campaigns,
            others,
            emotions: models.emotions,
            print: digits(&print.0, PRINT_DIGITS),
        })
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
        let doubts: BTreeSet<String> = self.all().flat_map(doubts).collect();
        doubts.into_iter().collect()
    }

    /// The packs of all campaigns and languages.
    pub(crate) fn packs(&self) -> Vec<&str> {
        let packs = self.all().flat_map(|judge| judge.rules.packs());
        let names: BTreeSet<&str> = packs.map(|pack| pack.id.as_str()).collect();
        names.into_iter().collect()
    }

    fn all(&self) -> impl Iterator<Item = &Judge> {
        let campaigns = self.campaigns.iter().map(|(_, bench)| bench);
        let benches = campaigns.chain([&self.others]);
        benches.flat_map(|bench| [&bench.mandarin, &bench.english])
    }

    /// Changes whenever a call may be assessed otherwise.
    pub(crate) fn print(&self) -> &str {
        &self.print
    }

    /// What is made of a call.
    pub(crate) fn assess(&self, transcript: &Transcript) -> Assessment {
        CallRun::assess(self.judge_of(transcript), transcript)
    }

    /// What this call is assessed with.
    pub(crate) fn judge_of(&self, transcript: &Transcript) -> &Judge {
        let bench = self.bench_of(&transcript.metadata);
        match is_english(transcript) {
            true => &bench.english,
            false => &bench.mandarin,
        }
    }

    /// The text classifier.
    pub(crate) fn intents(&self) -> Arc<IntentModel> {
        Arc::clone(&self.others.mandarin.intents)
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

fn doubts(judge: &Judge) -> Vec<String> {
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
    let known: BTreeSet<&str> = judge.intents.labels(Party::Unknown).collect();
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

/// Whether more is said in Latin letters than in hanzi.
fn is_english(transcript: &Transcript) -> bool {
    let texts = transcript
        .utterances
        .iter()
        .map(|utterance| match utterance.spoken.is_empty() {
            true => &utterance.text,
            false => &utterance.spoken,
        });
    let (mut n_latin, mut n_hanzi) = (0_usize, 0_usize);
    for letter in texts.flat_map(|text| text.chars()) {
        n_latin += usize::from(letter.is_ascii_alphabetic());
        n_hanzi += usize::from(('\u{4e00}'..='\u{9fff}').contains(&letter));
    }
    // A hanzi says about as much as three letters.
    n_latin > 3 * n_hanzi
}

/// What one part of the configuration asks for.
struct Wanted<'a> {
    packs: &'a [PathBuf],
    card: Option<&'a Path>,
    models: &'a Models,
}

/// The models that all campaigns share.
struct Models {
    intents: Arc<IntentModel>,
    emotions: Option<emotion::Chosen>,
}

/// The text classifier: the one that is configured, else the one the program carries.
pub(crate) fn classifier(config: &Config, insight: &InsightConfig) -> Result<IntentModel> {
    match &insight.intents {
        None => Ok(IntentModel::default_zh().clone()),
        Some(path) => read_model(&beside(config, path)),
    }
}

fn models(config: &Config, insight: &InsightConfig, print: &mut Print) -> Result<Models> {
    let intents = classifier(config, insight)?;
    if insight.intents.is_some() {
        print.add("intents", &digits(intents.write(), PRINT_DIGITS));
    }
    let emotions = match &insight.emotion {
        None => None,
        Some(named) => {
            let chosen = emotion::choose(config, named)?;
            print.add("emotion", &chosen.sha256);
            Some(chosen)
        }
    };
    Ok(Models {
        intents: Arc::new(intents),
        emotions,
    })
}

fn bench(config: &Config, wanted: &Wanted<'_>, print: &mut Print) -> Result<Bench> {
    Ok(Bench {
        mandarin: judge(config, wanted, "zh", print)?,
        english: judge(config, wanted, "en", print)?,
    })
}

fn judge(config: &Config, wanted: &Wanted<'_>, language: &str, print: &mut Print) -> Result<Judge> {
    let texts = match wanted.packs {
        [] => default_of(PACKS, language).into_iter().collect(),
        named => named
            .iter()
            .map(|name| read(config, name, PACKS, "pack"))
            .collect::<Result<Vec<_>>>()?,
    };
    let mut packs = Vec::new();
    for (name, bytes) in &texts {
        print.add(name, &String::from_utf8_lossy(bytes));
        let whole = WholePack::read(name, bytes);
        for shared in &whole.included {
            print.add(&shared.file, &String::from_utf8_lossy(&shared.bytes));
        }
        packs.push(whole.file);
    }
    let compiled = RuleSet::compile(&packs).map_err(|mistakes| usage(mistakes.to_string()))?;
    // `auricle rules check` tells them; a pack that works should not be complained of at every command.
    for warning in &compiled.warnings {
        tracing::debug!("{warning}");
    }
    let card = match wanted.card {
        Some(name) => Some(read(config, name, CARDS, "card")?),
        None => default_of(CARDS, language),
    };
    let card = match card {
        Some((name, bytes)) => {
            print.add(&name, &String::from_utf8_lossy(&bytes));
            let card = Card::read(&bytes, &name).map_err(|error| usage(error.to_string()))?;
            Some(Arc::new(card))
        }
        None => None,
    };
    Ok(Judge {
        rules: Arc::new(compiled.rules),
        card,
        intents: Arc::clone(&wanted.models.intents),
        emotions: wanted.models.emotions.as_ref().map(emotion::Chosen::model),
    })
}

fn default_of(all: &[BuiltIn], language: &str) -> Option<(String, Vec<u8>)> {
    let found = all.iter().find(|one| one.language == language)?;
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
