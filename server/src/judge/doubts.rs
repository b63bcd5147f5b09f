//! What works, and is hardly what was meant.

use std::collections::BTreeSet;

use auricle_contracts::Party;
use auricle_insight::intent::Language;
use auricle_insight::rules::{RuleSet, nearest};
use auricle_insight::scorecard::Card;

use super::built_in::CARDS;
use super::seat::default_of;
use super::{Bench, Choice, Seated};
use crate::terminal::count;

/// Rules that a doubt names.
const MOST_NAMED: usize = 3;

const FITTING_CARD: &str = "choose a card that fits the packs: `card` under [insight], or --card";

/// Doubts about what calls of a campaign are judged by, with a hint each.
pub(super) fn of(bench: &Bench) -> Vec<String> {
    let mut doubts: Vec<String> = unused_card(bench).into_iter().collect();
    let is_card_unused = !doubts.is_empty();
    for seated in bench.all() {
        doubts.extend(card(seated, is_card_unused));
        doubts.extend(labels(seated, bench));
    }
    doubts
}

const fn name_of(language: Language) -> &'static str {
    match language {
        Language::Mandarin => "Mandarin",
        Language::English => "English",
    }
}

fn packs(seated: &Seated) -> String {
    let packs = seated.judge.rules.packs().iter();
    let packs: Vec<&str> = packs.map(|pack| pack.id.as_str()).collect();
    packs.join(", ")
}

/// `the packs ours, for Mandarin calls`
fn place(seated: &Seated) -> String {
    let language = name_of(seated.language);
    format!("the packs {}, for {language} calls", packs(seated))
}

/// A card that is configured and has no rule of any packs.
fn unused_card(bench: &Bench) -> Option<String> {
    let own = bench.card.as_ref()?;
    let is_used = |seated: &&Seated| {
        seated
            .card
            .as_ref()
            .is_some_and(|card| card.name == own.name)
    };
    if bench.all().iter().any(is_used) {
        return None;
    }
    let is_configured = |seated: &&&Seated| seated.choice == Choice::Configured;
    let all = bench.all();
    let mut about: Vec<&Seated> = all.iter().filter(is_configured).copied().collect();
    if about.is_empty() {
        about.extend(all);
    }
    let places: Vec<String> = about.iter().map(|seated| place(seated)).collect();
    let sets: Vec<&RuleSet> = about.iter().map(|seated| &*seated.judge.rules).collect();
    let lacking: Vec<&str> = own.card.rules().into_iter().collect();
    Some(format!(
        "the score card `{}` is used for no call: it asks about {}, all of them ({}) in none of {}\nhint: {FITTING_CARD}",
        own.name,
        count(lacking.len() as u64, "rule"),
        named(&lacking, &sets),
        places.join(" and "),
    ))
}

/// Rules that the card of a language asks about and no pack of it has; or no card at all for packs that are
/// configured. Of a card that is configured and unused more was said.
fn card(seated: &Seated, is_card_unused: bool) -> Option<String> {
    let rules = &*seated.judge.rules;
    let Some(card) = &seated.card else {
        let (name, bytes) = default_of(CARDS, seated.language)?;
        if seated.choice == Choice::BuiltIn || is_card_unused {
            return None;
        }
        let n_rules = Card::read(&bytes, &name).map_or(0, |card| card.rules().len());
        return Some(format!(
            "{} calls get no score: the score card `{name}` that the program carries asks about {}, all of them in none of the packs {}\nhint: {FITTING_CARD}",
            name_of(seated.language),
            count(n_rules as u64, "rule"),
            packs(seated),
        ));
    };
    let asked = card.card.rules();
    let lacking: Vec<&str> = asked
        .iter()
        .copied()
        .filter(|rule| !rules.has(rule))
        .collect();
    if lacking.is_empty() {
        return None;
    }
    Some(format!(
        "the score card `{}` asks about {}, {} of them ({}) in none of {}: what it asks about those does not count\nhint: {FITTING_CARD}",
        card.name,
        count(asked.len() as u64, "rule"),
        lacking.len(),
        named(&lacking, &[rules]),
        place(seated),
    ))
}

/// The first of some rules, each with the one that is likely meant.
fn named(lacking: &[&str], sets: &[&RuleSet]) -> String {
    let known = || {
        sets.iter()
            .flat_map(|rules| rules.rules())
            .map(|rule| &*rule.id)
    };
    let name = |rule: &&str| match nearest(rule, known()) {
        Some(near) => format!("`{rule}` (did you mean `{near}`?)"),
        None => format!("`{rule}`"),
    };
    // Those that were misspelt first.
    let mut lacking = lacking.to_vec();
    lacking.sort_by_key(|rule| nearest(rule, known()).is_none());
    let mut names: Vec<String> = lacking.iter().take(MOST_NAMED).map(name).collect();
    if lacking.len() > MOST_NAMED {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// Labels that the text classifier of the language does not tell; packs for all languages may ask for those of any.
fn labels(seated: &Seated, bench: &Bench) -> Option<String> {
    let is_for_all = seated
        .packs
        .iter()
        .any(|pack| pack.said_language().is_none());
    let models = match is_for_all {
        true => bench.all().map(|one| &one.judge.intents).to_vec(),
        false => vec![&seated.judge.intents],
    };
    let known: BTreeSet<&str> = models
        .iter()
        .flat_map(|model| model.labels(Party::Unknown))
        .collect();
    let asked = seated.judge.rules.labels().iter().map(String::as_str);
    let unknown: Vec<&str> = asked.filter(|label| !known.contains(label)).collect();
    if unknown.is_empty() {
        return None;
    }
    Some(format!(
        "rules of {} ask for labels that the text classifier does not tell: {}\nhint: check their spelling; a classifier of your own has to know them: `auricle intent train` on text that has them",
        place(seated),
        unknown.join(", ")
    ))
}
