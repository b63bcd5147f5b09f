//! Sums and distributions over the calls of a batch.

use std::collections::BTreeMap;

use auricle_contracts::{Answer, EmotionLabel, Party, PiiKind, ScoreItem, Severity};

/// Counts of values in ten bins of one width; the first and the last take all beyond them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Distribution {
    pub(crate) first: f64,
    pub(crate) width: f64,
    pub(crate) bins: [u64; 10],
    pub(crate) n: u64,
    sum: f64,
}

impl Distribution {
    pub(crate) const fn new(first: f64, width: f64) -> Self {
        Self {
            first,
            width,
            bins: [0; 10],
            n: 0,
            sum: 0.0,
        }
    }

    /// Counts one value; what is no number is left out.
    pub(crate) fn add(&mut self, value: f64) {
        if value.is_finite() {
            let bin = ((value - self.first) / self.width).floor().clamp(0.0, 9.0);
            self.bins[bin as usize] += 1;
            self.n += 1;
            self.sum += value;
        }
    }

    pub(crate) fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }
}

/// Calls and their scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Quality {
    pub(crate) n_calls: u64,
    pub(crate) n_scored: u64,
    pub(crate) sum_scores: f64,
    pub(crate) n_passed: u64,
    pub(crate) n_auto_failed: u64,
    /// Violations by severity.
    pub(crate) n_hits: [u64; 4],
    /// Calls with a violation.
    pub(crate) n_faulty: u64,
    /// Calls in which the customer spoke angrily.
    pub(crate) n_angry: u64,
}

impl Quality {
    pub(crate) fn mean_score(&self) -> Option<f64> {
        (self.n_scored > 0).then(|| self.sum_scores / self.n_scored as f64)
    }

    pub(crate) fn pass_percent(&self) -> Option<f64> {
        (self.n_scored > 0).then(|| 100.0 * self.n_passed as f64 / self.n_scored as f64)
    }

    /// Hits of minor severity and worse.
    pub(crate) fn n_violations(&self) -> u64 {
        self.n_hits[1..].iter().sum()
    }

    pub(crate) fn violations_per_100(&self) -> Option<f64> {
        (self.n_calls > 0).then(|| 100.0 * self.n_violations() as f64 / self.n_calls as f64)
    }

    /// Adds another's counts.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.n_calls += other.n_calls;
        self.n_scored += other.n_scored;
        self.sum_scores += other.sum_scores;
        self.n_passed += other.n_passed;
        self.n_auto_failed += other.n_auto_failed;
        self.n_faulty += other.n_faulty;
        self.n_angry += other.n_angry;
        for (sum, n) in self.n_hits.iter_mut().zip(other.n_hits) {
            *sum += n;
        }
    }
}

/// One agent or one campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Group {
    pub(crate) quality: Quality,
    /// Violations by the rule's place in the list of names.
    pub(crate) rules: BTreeMap<usize, u64>,
}

impl Group {
    /// The rule broken most often, and how often.
    pub(crate) fn most_often(&self) -> Option<(usize, u64)> {
        let most = self
            .rules
            .iter()
            .max_by_key(|(rule, n)| (**n, std::cmp::Reverse(**rule)));
        most.map(|(rule, n)| (*rule, *n))
    }
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RuleTotal {
    /// Its id in its pack.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) auto_fail: bool,
    pub(crate) n_hits: u64,
    pub(crate) n_calls: u64,
}

/// How one party's utterances were said, by label, and those that could not be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EmotionTotal {
    pub(crate) labels: [u64; 4],
    pub(crate) n_untold: u64,
}

impl EmotionTotal {
    pub(crate) fn of(&self, label: EmotionLabel) -> u64 {
        let place = EmotionLabel::ALL.iter().position(|one| *one == label);
        place.map_or(0, |place| self.labels[place])
    }

    pub(crate) fn add(&mut self, label: Option<EmotionLabel>) {
        match label.and_then(|label| EmotionLabel::ALL.iter().position(|one| *one == label)) {
            Some(place) => self.labels[place] += 1,
            None => self.n_untold += 1,
        }
    }
}

/// One kind of personal data or one intent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentions {
    pub(crate) n: u64,
    pub(crate) n_calls: u64,
}

/// One question of a score card.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct QuestionTotal {
    pub(crate) section: String,
    pub(crate) question: String,
    pub(crate) n_yes: u64,
    pub(crate) n_no: u64,
    pub(crate) n_not_applicable: u64,
    pub(crate) points_lost: f64,
    pub(crate) n_auto_failed: u64,
}

impl QuestionTotal {
    pub(crate) fn add(&mut self, item: &ScoreItem) {
        if self.question.is_empty() {
            self.question.clone_from(&item.question);
            self.section.clone_from(&item.section);
        }
        match item.answer {
            Answer::Yes => self.n_yes += 1,
            Answer::No => self.n_no += 1,
            Answer::NotApplicable => self.n_not_applicable += 1,
        }
        let lost = f64::from(item.out_of) - f64::from(item.points);
        if lost.is_finite() {
            self.points_lost += lost.max(0.0);
        }
        self.n_auto_failed += u64::from(item.auto_fail);
    }

    pub(crate) fn n_asked(&self) -> u64 {
        self.n_yes + self.n_no
    }
}

/// Distributions of how people talked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TalkTotals {
    /// Percent of all talk.
    pub(crate) agent_share: Distribution,
    /// Percent of the call in which nobody talks.
    pub(crate) silence_share: Distribution,
    /// Seconds.
    pub(crate) longest_silence: Distribution,
    /// The agent's, a call.
    pub(crate) interruptions: Distribution,
    /// Syllables or words a minute.
    pub(crate) agent_rate: Distribution,
    /// The same, the customer's.
    pub(crate) customer_rate: Distribution,
    /// Seconds until the agent answers.
    pub(crate) response: Distribution,
}

impl Default for TalkTotals {
    fn default() -> Self {
        Self {
            agent_share: Distribution::new(0.0, 10.0),
            silence_share: Distribution::new(0.0, 10.0),
            longest_silence: Distribution::new(0.0, 2.0),
            interruptions: Distribution::new(0.0, 1.0),
            agent_rate: Distribution::new(60.0, 40.0),
            customer_rate: Distribution::new(60.0, 40.0),
            response: Distribution::new(-0.5, 0.5),
        }
    }
}

/// The place of a party in a table of three.
pub(crate) const fn party_place(party: Party) -> usize {
    match party {
        Party::Agent => 0,
        Party::Customer => 1,
        Party::Unknown => 2,
    }
}

/// The place of a severity, mildest first.
pub(crate) const fn severity_place(severity: Severity) -> usize {
    match severity {
        Severity::Info => 0,
        Severity::Minor => 1,
        Severity::Major => 2,
        Severity::Critical => 3,
    }
}

/// Personal data by kind.
pub(crate) type PiiTotals = BTreeMap<PiiKind, Mentions>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_bins_go_to_the_ends_and_no_numbers_nowhere() {
        let mut scores = Distribution::new(0.0, 10.0);
        for value in [-5.0, 0.0, 9.99, 10.0, 100.0, 1e300, f64::NAN, f64::INFINITY] {
            scores.add(value);
        }
        assert_eq!(scores.bins, [3, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(scores.n, 6);
    }
}
