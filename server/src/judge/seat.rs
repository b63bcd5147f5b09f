//! Who judges calls of a language: its packs, its card, its models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use auricle_insight::intent::{IntentModel, Language};
use auricle_insight::rules::{MOST_PACK_BYTES, PackFile, RuleSet};
use auricle_insight::scorecard::Card;
use auricle_insight::{Judge, Recipe};

use super::built_in::{BuiltIn, CARDS, PACKS};
use super::{Bench, Choice, InsightConfig, PRINT_DIGITS, Seated};
use crate::commands::intent::read_model;
use crate::config::{Config, beside};
use crate::emotion;
use crate::exit::usage;
use crate::file_name::digits;
use crate::includes::read_pack;
use crate::text_file::read_at_most;

/// What one part of the configuration asks for.
pub(super) struct Wanted<'a> {
    /// For each language the first of these that has packs for it counts.
    pub(super) packs: [&'a [PathBuf]; 3],
    /// The first that fits counts.
    pub(super) cards: [Option<&'a Path>; 3],
    pub(super) models: &'a Models,
}

/// The models that all campaigns share.
pub(super) struct Models {
    /// Text classifiers.
    mandarin: Arc<IntentModel>,
    english: Arc<IntentModel>,
    pub(super) emotions: Option<emotion::Chosen>,
    /// Of all that looks at calls beside the rules.
    print: String,
}

/// A card, and where it came from.
#[derive(Clone)]
pub(super) struct NamedCard {
    /// Its file, or its name where the program carries it.
    pub(super) name: String,
    pub(super) card: Arc<Card>,
    /// Fingerprint of its text.
    print: String,
}

impl Models {
    pub(super) fn load(config: &Config, insight: &InsightConfig) -> Result<Self> {
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
        Ok(Self {
            mandarin: intents(Language::Mandarin),
            english: intents(Language::English),
            emotions,
            print: prints.join(", "),
        })
    }

    fn intents(&self, language: Language) -> Arc<IntentModel> {
        Arc::clone(match language {
            Language::Mandarin => &self.mandarin,
            Language::English => &self.english,
        })
    }
}

/// The text classifier for a language: the one that is configured, else the one the program carries.
pub(crate) fn classifier(config: &Config, language: Language) -> Result<Arc<IntentModel>> {
    let models = Models::load(config, &config.insight)?;
    Ok(models.intents(language))
}

pub(super) fn bench(config: &Config, wanted: &Wanted<'_>) -> Result<Bench> {
    let packs = wanted.packs.iter().map(|names| {
        let packs = names.iter().map(|name| {
            let (name, bytes) = read(config, name, PACKS, "pack")?;
            Ok(read_pack(&name, &bytes))
        });
        packs.collect::<Result<Vec<PackFile>>>()
    });
    let packs = packs.collect::<Result<Vec<_>>>()?;
    let cards = wanted.cards.iter().flatten();
    let cards = cards.map(|name| NamedCard::new(read(config, name, CARDS, "card")?));
    let cards = cards.collect::<Result<Vec<_>>>()?;
    let seated = |language| seated(language, &packs, &cards, wanted.models);
    Ok(Bench {
        mandarin: seated(Language::Mandarin)?,
        english: seated(Language::English)?,
        card: cards.into_iter().next(),
    })
}

/// The first packs that there are for a language, else the one that the program carries.
fn packs_for(language: Language, configured: &[Vec<PackFile>]) -> (Choice, Vec<PackFile>) {
    let is_for = |pack: &&PackFile| pack.said_language().is_none_or(|said| said == language);
    let own = configured.iter().map(|packs| packs.iter().filter(is_for));
    let mut own = own.map(|packs| packs.cloned().collect::<Vec<_>>());
    if let Some(own) = own.find(|packs| !packs.is_empty()) {
        return (Choice::Configured, own);
    }
    let built_in = default_of(PACKS, language).map(|(name, bytes)| read_pack(&name, &bytes));
    (Choice::BuiltIn, built_in.into_iter().collect())
}

fn seated(
    language: Language,
    configured: &[Vec<PackFile>],
    cards: &[NamedCard],
    models: &Models,
) -> Result<Seated> {
    let (choice, packs) = packs_for(language, configured);
    let compiled = RuleSet::compile(&packs).map_err(|mistakes| usage(mistakes.to_string()))?;
    // `auricle rules check` tells them; a pack that works should not be complained of at every command.
    for warning in &compiled.warnings {
        tracing::debug!("{warning}");
    }
    let default = default_of(CARDS, language)
        .map(NamedCard::new)
        .transpose()?;
    let cards = cards.iter().chain(&default);
    let mut cards = cards.filter(|card| card.fits(&compiled.rules));
    let card = cards.next().cloned();
    let card_print = card.as_ref().map_or("", |card| &card.print);
    // No two languages have one fingerprint: with other packs for the one, calls of the other are not due.
    let models_print = format!("{}, {language:?}", models.print);
    let recipe = Recipe::new(&models_print, card_print, &compiled.rules);
    let mut print = recipe.print();
    print.truncate(PRINT_DIGITS);
    Ok(Seated {
        language,
        judge: Judge {
            rules: Arc::new(compiled.rules),
            card: card.as_ref().map(|card| Arc::clone(&card.card)),
            intents: models.intents(language),
            emotions: models.emotions.as_ref().map(emotion::Chosen::model),
        },
        card,
        choice,
        packs,
        recipe,
        print,
    })
}

impl NamedCard {
    fn new((name, bytes): (String, Vec<u8>)) -> Result<Self> {
        let card = Card::read(&bytes, &name).map_err(|error| usage(error.to_string()))?;
        Ok(Self {
            name,
            card: Arc::new(card),
            print: digits(bytes, PRINT_DIGITS),
        })
    }

    /// Whether one of the rules that it names is among these. A card that names none goes by measures: it fits all.
    fn fits(&self, rules: &RuleSet) -> bool {
        let named = self.card.rules();
        named.is_empty() || named.iter().any(|rule| rules.has(rule))
    }
}

/// The pack or card that calls of a language get where nothing is configured.
pub(super) fn default_of(all: &[BuiltIn], language: Language) -> Option<(String, Vec<u8>)> {
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
    // Who reads it says that it is too long: one byte more is enough for that.
    let bytes = read_at_most(&path, MOST_PACK_BYTES + 1).map_err(|cause| {
        anyhow::anyhow!(
            "cannot read the {kind} `{}`: {cause}\nhint: name a file, or one that the program carries: {names}",
            path.display()
        )
    })?;
    Ok((path.display().to_string(), bytes))
}
