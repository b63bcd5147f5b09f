//! Assessments made anew where only rules or cards changed: what did not change is not looked at again.
//!
//! A rule's hits follow from the call, from the models and from the rule: other rules have no say in them (but in an
//! utterance with more keywords, of all packs, than are looked at: some ten thousand). So a call
//! that was assessed by nearly the same rules keeps the hits of those that are the same, and only the others run, on
//! a program of their own. What comes out equals what [`CallRun::assess`] gives.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use auricle_contracts::{Assessment, Hit, Transcript};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Hearing;
use crate::call::{CallRun, Judge, all_spoken, concluded, in_order, scored};
use crate::observer::Wants;
use crate::rules::{Mistakes, PackFile, RuleSet};

/// What an assessment was made with, part by part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Fingerprint of everything that looks at calls beside the rules: code and models.
    pub models: String,
    /// Fingerprint of the score card; empty for none.
    pub card: String,
    /// The rules, in their order.
    pub rules: Vec<RulePrint>,
}

/// One rule of a [`Recipe`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulePrint {
    /// Id of its pack.
    pub pack: String,
    /// Its id.
    pub rule: String,
    /// Its fingerprint.
    pub print: String,
}

impl Recipe {
    /// Of these rules, beside a card and models with these fingerprints.
    pub fn new(models: &str, card: &str, rules: &RuleSet) -> Self {
        let prints = rules.rules().iter().map(|rule| RulePrint {
            pack: rules.packs()[rule.pack].id.clone(),
            rule: rule.id.clone(),
            print: rule.print().to_owned(),
        });
        Self {
            models: models.to_owned(),
            card: card.to_owned(),
            rules: prints.collect(),
        }
    }

    /// Changes with any part of it: 64 hexadecimal digits.
    pub fn print(&self) -> String {
        let mut hasher = Sha256::new();
        let rules = self.rules.iter();
        let rules = rules.flat_map(|rule| [&rule.pack, &rule.rule, &rule.print]);
        for part in [&self.models, &self.card].into_iter().chain(rules) {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let print = hasher.finalize();
        print.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The way from one recipe to another; shared by all calls that go it.
#[derive(Debug)]
pub struct Revision {
    /// The rules that are new or changed; `None` where there are none.
    changed: Option<Arc<RuleSet>>,
    wants: Wants,
    /// The new recipe's rules, by pack and id.
    seats: HashMap<String, HashMap<String, Seat>>,
    /// Whether a card is to be filled in anew although the hits stay.
    is_new_card: bool,
}

/// A rule's place in the new recipe.
#[derive(Clone, Copy, Debug)]
struct Seat {
    place: usize,
    /// Whether it is as it was.
    is_same: bool,
}

/// What became of an assessment.
#[derive(Clone, Debug, PartialEq)]
pub enum Revised {
    /// It stays as it is.
    Same,
    /// This one takes its place.
    New(Box<Assessment>),
}

impl Revision {
    /// From `old` to `new`, the recipe of the rules that `packs` compile to. `None` where code or models differ: then
    /// everything is to be looked at again.
    ///
    /// # Errors
    /// As [`RuleSet::compile`]; none where `packs` compile.
    pub fn new(old: &Recipe, new: &Recipe, packs: &[PackFile]) -> Result<Option<Self>, Mistakes> {
        if old.models != new.models {
            return Ok(None);
        }
        let was = old.rules.iter();
        let was: HashMap<(&str, &str), &str> = was
            .map(|rule| ((&*rule.pack, &*rule.rule), &*rule.print))
            .collect();
        let mut seats: HashMap<String, HashMap<String, Seat>> = HashMap::new();
        for (place, rule) in new.rules.iter().enumerate() {
            let print = was.get(&(&*rule.pack, &*rule.rule));
            let is_same = print == Some(&&*rule.print);
            let pack = seats.entry(rule.pack.clone()).or_default();
            pack.insert(rule.rule.clone(), Seat { place, is_same });
        }
        let mut others = Vec::new();
        for file in packs {
            let id = file.pack.as_ref().and_then(|pack| pack.pack.value.as_ref());
            let Some(pack) = id.and_then(|id| seats.get(id)) else {
                continue;
            };
            let is_other = |rule: &str| pack.get(rule).is_some_and(|seat| !seat.is_same);
            others.extend(file.only(is_other));
        }
        let changed = match others.is_empty() {
            true => None,
            false => Some(Arc::new(RuleSet::compile(&others)?.rules)),
        };
        let names = |recipe: &Recipe| -> BTreeSet<(String, String)> {
            let rules = recipe.rules.iter();
            rules
                .map(|rule| (rule.pack.clone(), rule.rule.clone()))
                .collect()
        };
        Ok(Some(Self {
            wants: changed.as_ref().map_or(Wants::NONE, |rules| rules.wants()),
            changed,
            seats,
            // Questions about rules that are not there do not apply.
            is_new_card: old.card != new.card || names(old) != names(new),
        }))
    }

    /// How many rules run.
    pub fn n_rules(&self) -> usize {
        self.changed.as_ref().map_or(0, |rules| rules.rules().len())
    }

    /// Makes an assessment anew that was made by the old recipe from this transcript. `judge` is what the new recipe
    /// is of.
    pub fn revise(&self, judge: &Judge, transcript: &Transcript, current: &Assessment) -> Revised {
        let metadata = &transcript.metadata;
        let mut spoken = None;
        let mut hits = Vec::new();
        for hit in &current.hits {
            let seat = self.seat(hit).filter(|seat| seat.is_same);
            hits.extend(seat.map(|seat| (seat.place, hit.clone())));
        }
        if let Some(rules) = &self.changed {
            let all = spoken.insert(all_spoken(&transcript.utterances));
            let call = (metadata, all.as_slice(), transcript.duration_ms);
            let found = CallRun::hits_of(judge, rules, self.wants, call).into_iter();
            hits.extend(found.filter_map(|(_, hit)| Some((self.seat(&hit)?.place, hit))));
        }
        let hits = in_order(hits);
        let stay = hits == current.hits;
        if stay && !self.is_new_card {
            return Revised::Same;
        }
        let mut revised = current.clone();
        let hearing = Hearing::of(&transcript.engine, &transcript.utterances);
        if stay {
            revised.scorecard = scored(judge, metadata, hearing, &revised);
        } else {
            revised.hits = hits;
            let all = spoken.unwrap_or_else(|| all_spoken(&transcript.utterances));
            revised = concluded(judge, metadata, hearing, &all, revised);
        }
        match revised == *current {
            true => Revised::Same,
            false => Revised::New(Box::new(revised)),
        }
    }

    fn seat(&self, hit: &Hit) -> Option<Seat> {
        self.seats.get(&hit.pack)?.get(&hit.rule).copied()
    }
}
