//! What a new score changed: old and new side by side.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use auricle_contracts::{Assessment, CallId, CallMetadata, Hit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What of an assessment is compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Outline {
    /// Points of 100; `None` without a score card.
    pub total: Option<f32>,
    /// Whether the pass mark is reached and nothing fails the call.
    pub passed: Option<bool>,
    /// Rule, as `PACK/ID`, and how often it fired.
    pub hits: BTreeMap<String, u64>,
}

impl Outline {
    /// What is compared of an assessment.
    pub fn of(assessment: &Assessment) -> Self {
        let mut hits = BTreeMap::new();
        for hit in &assessment.hits {
            *hits.entry(name_of(hit)).or_default() += 1;
        }
        let card = assessment.scorecard.as_ref();
        Self {
            total: card.map(|card| card.total),
            passed: card.map(|card| card.passed),
            hits,
        }
    }
}

/// `PACK/ID`; the id alone in assessments that do not tell packs.
pub(crate) fn name_of(hit: &Hit) -> String {
    match hit.pack.as_str() {
        "" => hit.rule.clone(),
        pack => format!("{pack}/{}", hit.rule),
    }
}

fn id_of(rule: &str) -> &str {
    rule.split_once('/').map_or(rule, |(_, id)| id)
}

/// What rules are called before people: by their id alone, but `PACK/ID` where several packs have a rule of that id.
#[derive(Clone, Debug, Default)]
pub struct RuleNames<'a> {
    /// Ids that stand in several packs.
    shared: BTreeSet<&'a str>,
}

impl<'a> RuleNames<'a> {
    /// Of all the rules that are to be shown together, each once and named as in [`Outline::hits`].
    pub fn of(rules: impl IntoIterator<Item = &'a str>) -> Self {
        let mut seen = BTreeSet::new();
        let ids = rules.into_iter().map(id_of);
        Self {
            shared: ids.filter(|id| !seen.insert(*id)).collect(),
        }
    }

    /// How one of them is shown.
    pub fn shown<'r>(&self, rule: &'r str) -> &'r str {
        let id = id_of(rule);
        match self.shared.contains(id) {
            true => rule,
            false => id,
        }
    }
}

/// One call, before and after. `before` is `None` where it was never assessed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// The call.
    pub call_id: CallId,
    /// What is known beside the sound.
    #[serde(flatten)]
    pub metadata: CallMetadata,
    /// What it was worth before.
    pub before: Option<Outline>,
    /// What it is worth now.
    pub after: Outline,
}

impl Change {
    /// Whether anything differs that a person would see.
    pub fn is_visible(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }
}

/// How often a rule fired, in calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleTally {
    /// Calls with a hit before.
    pub n_before: u64,
    /// Calls with a hit now.
    pub n_after: u64,
    /// Calls that have a hit now and had none.
    pub n_added: u64,
    /// Calls that had a hit and have none now.
    pub n_removed: u64,
}

/// Scores of one agent's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct AgentTally {
    /// Calls looked at.
    pub n_calls: u64,
    /// Calls in which anything changed.
    pub n_changed: u64,
    sum_before: f64,
    n_before: u64,
    sum_after: f64,
    n_after: u64,
    /// Calls that passed before.
    pub n_passed_before: u64,
    /// Calls that pass now.
    pub n_passed_after: u64,
}

impl AgentTally {
    /// Mean points before.
    pub fn mean_before(&self) -> Option<f64> {
        (self.n_before > 0).then(|| self.sum_before / self.n_before as f64)
    }

    /// Calls that had a score before.
    pub fn n_scored_before(&self) -> u64 {
        self.n_before
    }

    /// Calls that have a score now.
    pub fn n_scored_after(&self) -> u64 {
        self.n_after
    }

    /// Mean points now.
    pub fn mean_after(&self) -> Option<f64> {
        (self.n_after > 0).then(|| self.sum_after / self.n_after as f64)
    }
}

/// What a run changed, added up. Written out are only calls that changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Changes {
    /// Calls that were not looked at: the run was stopped.
    pub n_left: u64,
    /// Calls looked at.
    pub n_calls: u64,
    /// Calls that had no score before.
    pub n_new: u64,
    /// Points before and after, by how many calls: ten-point bins, 0–9 to 90–100.
    pub bins_before: [u64; 10],
    /// The same, now.
    pub bins_after: [u64; 10],
    /// By rule, named as in [`Outline::hits`].
    pub rules: BTreeMap<String, RuleTally>,
    /// By agent; the empty name where none is known.
    pub agents: BTreeMap<String, AgentTally>,
    /// Calls in which anything changed.
    pub calls: Vec<Change>,
    /// The others.
    #[serde(skip)]
    unchanged: Vec<Change>,
}

impl Changes {
    /// Counts one call in.
    pub fn add(&mut self, change: Change) {
        self.n_calls += 1;
        self.n_new += u64::from(change.before.is_none());
        let before = change.before.as_ref();
        count_bin(
            &mut self.bins_before,
            before.and_then(|outline| outline.total),
        );
        count_bin(&mut self.bins_after, change.after.total);
        self.count_rules(&change);
        let agent = change.metadata.agent.clone().unwrap_or_default();
        count_agent(self.agents.entry(agent).or_default(), &change);
        match change.is_visible() {
            true => self.calls.push(change),
            false => self.unchanged.push(change),
        }
    }

    /// Adds calls that an earlier run looked at, but for those that were looked at again; gives how many it adds.
    pub fn absorb(&mut self, earlier: Vec<Change>) -> u64 {
        let own = self.calls.iter().chain(&self.unchanged);
        let own: HashSet<CallId> = own.map(|change| change.call_id.clone()).collect();
        let n_own = self.n_calls;
        for change in earlier {
            if !own.contains(&change.call_id) {
                self.add(change);
            }
        }
        self.calls
            .sort_by(|one, other| one.call_id.cmp(&other.call_id));
        self.n_calls - n_own
    }

    /// Every call that was looked at, for [`Self::absorb`] of a later run.
    pub fn into_looked_at(self) -> Vec<Change> {
        let mut all = self.calls;
        all.extend(self.unchanged);
        all
    }

    /// What the rules of these calls are called.
    pub fn rule_names(&self) -> RuleNames<'_> {
        RuleNames::of(self.rules.keys().map(String::as_str))
    }

    fn count_rules(&mut self, change: &Change) {
        let none = BTreeMap::new();
        let before = change
            .before
            .as_ref()
            .map_or(&none, |outline| &outline.hits);
        let after = &change.after.hits;
        let rules: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for rule in rules {
            let (was, is) = (before.contains_key(rule), after.contains_key(rule));
            let tally = self.rules.entry(rule.clone()).or_default();
            tally.n_before += u64::from(was);
            tally.n_after += u64::from(is);
            tally.n_added += u64::from(is && !was);
            tally.n_removed += u64::from(was && !is);
        }
    }
}

fn count_bin(bins: &mut [u64; 10], total: Option<f32>) {
    if let Some(total) = total {
        bins[((total / 10.0) as usize).min(9)] += 1;
    }
}

fn count_agent(tally: &mut AgentTally, change: &Change) {
    tally.n_calls += 1;
    tally.n_changed += u64::from(change.is_visible());
    if let Some(before) = &change.before {
        if let Some(total) = before.total {
            tally.sum_before += f64::from(total);
            tally.n_before += 1;
        }
        tally.n_passed_before += u64::from(before.passed == Some(true));
    }
    if let Some(total) = change.after.total {
        tally.sum_after += f64::from(total);
        tally.n_after += 1;
    }
    tally.n_passed_after += u64::from(change.after.passed == Some(true));
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle_contracts::{Party, Severity};

    fn outline(total: f32, rules: &[&str]) -> Outline {
        Outline {
            total: Some(total),
            passed: Some(total >= 80.0),
            hits: rules.iter().map(|rule| ((*rule).to_owned(), 1)).collect(),
        }
    }

    fn change(id: &str, before: Option<Outline>, after: Outline) -> Change {
        Change {
            call_id: CallId(id.into()),
            metadata: CallMetadata {
                agent: Some("A".into()),
                ..CallMetadata::default()
            },
            before,
            after,
        }
    }

    #[test]
    fn rules_and_agents_are_added_up_and_only_changes_kept() {
        let mut changes = Changes::default();
        let same = outline(100.0, &["x"]);
        changes.add(change("a", Some(same.clone()), same));
        changes.add(change(
            "b",
            Some(outline(90.0, &["x"])),
            outline(60.0, &["x", "y"]),
        ));
        changes.add(change("c", None, outline(100.0, &[])));
        assert_eq!((changes.n_calls, changes.n_new), (3, 1));
        let kept: Vec<_> = changes
            .calls
            .iter()
            .map(|call| call.call_id.0.as_str())
            .collect();
        assert_eq!(kept, ["b", "c"]);
        let y = changes.rules["y"];
        assert_eq!(
            (y.n_before, y.n_after, y.n_added, y.n_removed),
            (0, 1, 1, 0)
        );
        let agent = changes.agents["A"];
        assert_eq!(agent.mean_before(), Some(95.0));
        assert_eq!((agent.n_passed_before, agent.n_passed_after), (2, 2));
        assert_eq!((changes.bins_before[9], changes.bins_after[6]), (2, 1));
    }

    #[test]
    fn rules_of_one_id_in_two_packs_are_told_apart() {
        let hit = |pack: &str, rule: &str| Hit {
            rule: rule.into(),
            pack: pack.into(),
            title: String::new(),
            severity: Severity::Minor,
            party: Party::Agent,
            start_ms: 0,
            end_ms: 0,
            deduct: 0.0,
            auto_fail: false,
            evidence: Vec::new(),
            why: String::new(),
        };
        let of = |hits: Vec<Hit>| {
            Outline::of(&Assessment {
                hits,
                ..Assessment::default()
            })
        };
        let mut changes = Changes::default();
        changes.add(change(
            "a",
            Some(of(vec![hit("p", "x"), hit("p", "y")])),
            of(vec![hit("q", "x"), hit("p", "y"), hit("", "z")]),
        ));
        let tallied: Vec<_> = changes
            .rules
            .iter()
            .map(|(rule, tally)| (rule.as_str(), tally.n_added, tally.n_removed))
            .collect();
        let expected = [("p/x", 0, 1), ("p/y", 0, 0), ("q/x", 1, 0), ("z", 1, 0)];
        assert_eq!(tallied, expected);
        let names = changes.rule_names();
        let shown: Vec<_> = changes.rules.keys().map(|rule| names.shown(rule)).collect();
        assert_eq!(shown, ["p/x", "y", "q/x", "z"]);
    }

    /// Also by way of a file, and where calls are looked at twice.
    #[test]
    fn parts_of_a_run_add_up_to_the_whole() {
        let same = outline(70.0, &["x"]);
        let all = [
            change("a", Some(outline(90.0, &["x"])), outline(60.0, &["y"])),
            change("b", None, outline(100.0, &[])),
            change("c", Some(outline(50.0, &[])), outline(40.0, &["x"])),
            change("d", Some(same.clone()), same),
        ];
        let of = |calls: &[Change]| {
            let mut changes = Changes::default();
            calls.iter().for_each(|call| changes.add(call.clone()));
            changes
        };
        let whole = of(&all);
        for n_first in 0..=all.len() {
            let first = of(&all[..n_first]).into_looked_at();
            let text = serde_json::to_string(&first).unwrap();
            for n_before in 0..=n_first {
                let mut both = of(&all[n_before..]);
                let n_added = both.absorb(serde_json::from_str(&text).unwrap());
                assert_eq!(n_added, n_before as u64);
                assert_eq!(both, whole);
            }
        }
    }
}
