//! Score cards, held against the packs that they are for.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use auricle_contracts::Party;
use auricle_insight::intent::Language;
use auricle_insight::rules::{Mistake, Place, RuleSet, Weight, nearest};
use auricle_insight::scorecard::{Card, Named, NamedKind, Question};

use super::rules_of;
use crate::app::App;
use crate::exit::Exit;
use crate::judge::{PACKS, classifier};
use crate::terminal::{count, say};

/// Rules that cards may name: of the packs that are `named`, else of those `beside` them, else of those that are
/// configured, else of all that the program carries.
pub(super) fn packs_for(
    app: &App,
    named: &[PathBuf],
    beside: Vec<Arc<RuleSet>>,
) -> Result<Vec<Arc<RuleSet>>> {
    if named.is_empty() && !beside.is_empty() {
        return Ok(beside);
    }
    let insight = &app.config.insight;
    let of_campaigns = insight.campaigns.iter().flat_map(|one| &one.packs);
    let configured: Vec<&PathBuf> = insight.packs.iter().chain(of_campaigns).collect();
    let names: Vec<&Path> = match (named.is_empty(), configured.is_empty()) {
        (false, _) => named.iter().map(PathBuf::as_path).collect(),
        (true, false) => configured.into_iter().map(PathBuf::as_path).collect(),
        (true, true) => PACKS.iter().map(|pack| Path::new(pack.name)).collect(),
    };
    let sets = names.into_iter().map(|name| {
        let set = rules_of(app, &[name.to_owned()])?;
        Ok(Arc::new(set))
    });
    sets.collect()
}

/// Says what is wrong with a card.
pub(super) fn check(
    app: &mut App,
    file: &str,
    bytes: &[u8],
    sets: &[Arc<RuleSet>],
) -> Result<Exit> {
    let card = match Card::read(bytes, file) {
        Ok(card) => card,
        Err(error) => {
            say!("{error}");
            return Ok(Exit::Failed);
        }
    };
    let packs = sets.iter().flat_map(|set| set.packs());
    let packs: Vec<&str> = packs.map(|pack| pack.id.as_str()).collect();
    let packs = packs.join(", ");
    let mut labels = None;
    for named in card.names() {
        let unknown = match named.kind {
            NamedKind::Rule => unknown_rule(named.name, sets, &packs),
            NamedKind::Intent => {
                if labels.is_none() {
                    labels = Some(all_labels(app)?);
                }
                unknown_label(named.name, labels.as_deref().unwrap_or_default())
            }
        };
        if let Some((cause, hint)) = unknown {
            say!("{}", warning(file, &named, &cause, hint));
        }
    }
    writeln!(
        app.terminal,
        "{file}: {} in {}, {} of the packs {packs}",
        count(card.questions().count() as u64, "question"),
        count(card.sections.len() as u64, "section"),
        count(
            card.rules()
                .iter()
                .filter(|rule| sets.iter().any(|set| set.has(rule)))
                .count() as u64,
            "rule"
        ),
    )?;
    Ok(Exit::Done)
}

fn warning(file: &str, named: &Named<'_>, cause: &str, hint: String) -> Mistake {
    let (line, column) = named.question.map_or((0, 0), Question::place);
    let who = match named.question {
        Some(question) => format!("question `{}`", question.id()),
        None => "`applies_when` of the card".to_owned(),
    };
    Mistake {
        file: file.to_owned(),
        place: Place {
            file: 0,
            line: line as u32,
            column: column as u32,
        },
        weight: Weight::Warning,
        cause: format!("{who} {cause}"),
        hint,
    }
}

fn unknown_rule(rule: &str, sets: &[Arc<RuleSet>], packs: &str) -> Option<(String, String)> {
    if sets.iter().any(|set| set.has(rule)) {
        return None;
    }
    let known = sets.iter().flat_map(|set| set.rules());
    let hint = match nearest(rule, known.map(|rule| rule.id.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "--rules names the packs that the card is for".to_owned(),
    };
    let cause = format!("names the rule `{rule}`, which is in none of the packs {packs}");
    Some((cause, hint))
}

/// Labels of customers' words, in all languages.
fn all_labels(app: &App) -> Result<Vec<String>> {
    let mut labels = Vec::new();
    for language in Language::ALL {
        let model = classifier(&app.config, language)?;
        labels.extend(model.labels(Party::Customer).map(str::to_owned));
    }
    Ok(labels)
}

fn unknown_label(label: &str, known: &[String]) -> Option<(String, String)> {
    if known.iter().any(|one| one == label) {
        return None;
    }
    let hint = match nearest(label, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`auricle intent train` teaches it, on text that has it".to_owned(),
    };
    let cause =
        format!("names the intent `{label}`, which the text classifier does not tell of customers");
    Some((cause, hint))
}
