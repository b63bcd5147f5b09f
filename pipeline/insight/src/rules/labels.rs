//! Labels that rules ask for, held against what the text classifier tells.

use std::collections::BTreeSet;

use auricle_contracts::Party;

use super::format::Side;
use super::mistake::{Mistake, Notes, Place, nearest_hint};
use super::program::RuleSet;
use crate::intent::IntentModel;

/// A label where a condition asks for it.
#[derive(Debug)]
pub(super) struct AskedLabel {
    /// Place of the pack in [`RuleSet::packs`].
    pub(super) pack: usize,
    pub(super) place: Place,
    pub(super) label: String,
    /// Whose utterances are looked at.
    pub(super) side: Side,
}

/// Conditions of `set` that never hold, since `model` does not tell their label, or not of that party: warnings by pack
/// and place.
pub fn check_labels(set: &RuleSet, model: &IntentModel) -> Vec<Mistake> {
    let mut all = Vec::new();
    for (place, pack) in set.packs.iter().enumerate() {
        let mut notes = Notes::of_files(&pack.file, &pack.included);
        let asked = set.asked_labels.iter();
        for asked in asked.filter(|asked| asked.pack == place) {
            check_label(asked, model, &mut notes);
        }
        all.extend(notes.into_list());
    }
    all
}

fn check_label(asked: &AskedLabel, model: &IntentModel, notes: &mut Notes) {
    let party = match asked.side {
        Side::Agent => Party::Agent,
        Side::Customer => Party::Customer,
        Side::Any => Party::Unknown,
    };
    let label = &asked.label;
    let is_told = |party| model.labels(party).any(|known| known == label);
    let known: BTreeSet<&str> = model.labels(party).collect();
    let (cause, hint) = match (is_told(party), is_told(Party::Unknown)) {
        (true, _) => return,
        (false, true) => (
            format!("the text classifier does not tell `{label}` of the {party}: this never holds"),
            "say with `party` whose utterances are meant".to_owned(),
        ),
        (false, false) => (
            format!("the text classifier does not tell the label `{label}`: this never holds"),
            match nearest_hint(label, known) {
                near if near.ends_with('?') => near,
                _ => "`auricle intent train` teaches it, on text that has it".to_owned(),
            },
        ),
    };
    notes.warning(asked.place, cause, hint);
}
