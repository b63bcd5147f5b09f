//! The classifier of what one utterance wants or does.

use std::sync::LazyLock;

use auricle_contracts::{Intent, Party};
use time::{Duration, PrimitiveDateTime};

use super::callback_time::callback_time;
use super::classes::WordClasses;
use super::features::{Seen, Sink, extract_seen};
use super::language::Language;
use super::rarity::Rarity;
use super::table::Table;
use crate::Spoken;

/// Trained on the labelled text of `packs/intents`.
const ZH: &[u8] = include_bytes!("../../../../packs/intents/zh/model.bin");
const EN: &[u8] = include_bytes!("../../../../packs/intents/en/model.bin");

static DEFAULT_ZH: LazyLock<IntentModel> =
    LazyLock::new(|| IntentModel::read(ZH).unwrap_or_default());
static DEFAULT_EN: LazyLock<IntentModel> =
    LazyLock::new(|| IntentModel::read(EN).unwrap_or_default());

/// Tells what utterances want (customers) or do (agents): one logistic output for each label, over features
/// of letters and sounds, or of words. One head for each party.
///
/// Holds no state between utterances; scoring takes some microseconds and allocates a few short lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntentModel {
    pub(super) classes: WordClasses,
    pub(super) heads: Vec<Head>,
    /// Of features in the text it was trained on.
    pub(super) rarity: Rarity,
}

/// What is told apart in one party's utterances.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) party: Party,
    pub(super) labels: Vec<Label>,
    pub(super) table: Table,
}

/// One output of a head.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) bias: f32,
    pub(super) calibration: Calibration,
    /// Probability from which on the label is given.
    pub(super) threshold: f32,
}

/// From scores to probabilities (Platt, "Probabilistic outputs for support vector machines", 1999).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Calibration {
    pub(super) slope: f32,
    pub(super) offset: f32,
}

impl Calibration {
    pub(super) const NONE: Self = Self {
        slope: 1.0,
        offset: 0.0,
    };

    pub(super) fn probability(self, score: f32) -> f32 {
        logistic(self.slope * score + self.offset)
    }
}

pub(super) fn logistic(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

/// How much one label holds of one utterance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelScore<'a> {
    /// Whose label it is.
    pub party: Party,
    /// Its name.
    pub label: &'a str,
    /// Calibrated, 0 to 1.
    pub probability: f32,
    /// From which probability on it is given.
    pub threshold: f32,
}

impl IntentModel {
    pub(super) fn default_of(language: Language) -> &'static Self {
        match language {
            Language::Mandarin => &DEFAULT_ZH,
            Language::English => &DEFAULT_EN,
        }
    }

    /// The language whose utterances it understands.
    pub const fn language(&self) -> Language {
        self.classes.language()
    }

    /// Names of the labels of `party`, in the order of [`Self::scores`]; all for an unknown party.
    pub fn labels(&self, party: Party) -> impl Iterator<Item = &str> {
        let labels = self.heads_of(party).flat_map(|head| &head.labels);
        labels.map(|label| label.name.as_str())
    }

    /// The probability of every label of the utterance's party, whatever the thresholds.
    pub fn scores(
        &self,
        spoken: &Spoken<'_>,
        previous_of_other_party: Option<&Spoken<'_>>,
    ) -> Vec<LabelScore<'_>> {
        let previous = previous_of_other_party.map(|previous| self.see(previous));
        let seen = self.see(spoken);
        let scores = self.scores_seen(spoken.party(), &seen, previous.as_ref());
        scores.collect()
    }

    /// What is looked at of an utterance: once for itself and for what answers it.
    pub(crate) fn see(&self, spoken: &Spoken<'_>) -> Seen {
        Seen::new(spoken, &self.classes)
    }

    /// As [`Self::scores`], of utterances that were seen.
    pub(crate) fn scores_seen(
        &self,
        party: Party,
        seen: &Seen,
        previous_of_other_party: Option<&Seen>,
    ) -> impl Iterator<Item = LabelScore<'_>> {
        let heads = self.heads_of(party).filter(|_| !seen.is_empty());
        heads.flat_map(move |head| {
            let mut sum = Sum::new(head);
            extract_seen(seen, previous_of_other_party, &self.classes, &mut sum);
            sum.finish()
        })
    }

    fn heads_of(&self, party: Party) -> impl Iterator<Item = &Head> {
        let is_meant = move |head: &&Head| party == Party::Unknown || head.party == party;
        self.heads.iter().filter(is_meant)
    }
}

/// Puts the time asked for into the callback requests among `intents` of `spoken`. `call_began` is the local
/// time at which the recording began ([`super::local_time`]); without it no time is put in.
pub fn add_callback_times(
    intents: &mut [Intent],
    spoken: &Spoken<'_>,
    call_began: Option<PrimitiveDateTime>,
) {
    let Some(began) = call_began else { return };
    let utterance = spoken.utterance;
    let text = match utterance.text.is_empty() {
        true => &utterance.spoken,
        false => &utterance.text,
    };
    let since = i64::try_from(utterance.start_ms).unwrap_or(i64::MAX);
    let now = began.saturating_add(Duration::milliseconds(since));
    for intent in intents {
        if intent.label == CALLBACK_LABEL
            && let Some(time) = callback_time(text, Some(now))
        {
            (intent.at, intent.until) = time.written();
        }
    }
}

/// The label whose intents carry a time.
const CALLBACK_LABEL: &str = "callback_request";

impl LabelScore<'_> {
    /// Whether it is likely enough to be given.
    pub fn is_given(&self) -> bool {
        self.probability >= self.threshold
    }
}

/// Adds up the weights of an utterance's features.
struct Sum<'a> {
    head: &'a Head,
    features: Vec<(u32, f32)>,
    squares: f32,
}

/// Features of a usual utterance: more make the list grow.
const USUAL_FEATURES: usize = 256;

impl<'a> Sum<'a> {
    fn new(head: &'a Head) -> Self {
        Self {
            head,
            features: Vec::with_capacity(USUAL_FEATURES),
            squares: 0.0,
        }
    }

    fn finish(self) -> impl Iterator<Item = LabelScore<'a>> {
        let per_feature = length_factor(self.squares);
        let mut scores = vec![0.0; self.head.labels.len()];
        self.head.table.add_all(&mut scores, &self.features);
        let labels = self.head.labels.iter().zip(scores);
        labels.map(move |(label, sum)| LabelScore {
            party: self.head.party,
            label: &label.name,
            probability: label
                .calibration
                .probability(label.bias + sum * per_feature),
            threshold: label.threshold,
        })
    }
}

impl Sink for Sum<'_> {
    fn take(&mut self, bucket: u32, amount: f32) {
        self.squares += amount * amount;
        self.features.push((bucket, amount));
    }
}

/// Makes long and short utterances comparable, from the sum of the squares of their features.
pub(super) fn length_factor(squares: f32) -> f32 {
    1.0 / squares.max(1.0).sqrt()
}
