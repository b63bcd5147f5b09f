//! Learning from labelled text.

use std::collections::BTreeMap;

use auricle_contracts::Party;
use thiserror::Error;

use super::augment::{Corpus, Spoiling};
use super::bags::{Bag, Bags, Labels};
use super::calibrate::{Scored, calibrate, threshold, with_probabilities};
use super::classes::WordClasses;
use super::features::N_BUCKETS;
use super::file::MAX_LABELS;
use super::fit::{Weights, fit};
use super::model::{Calibration, Head, IntentModel, Label};
use super::random::{Chance, digest};
use super::rarity::Rarity;
use super::rows::{Collections, LabelledText};

/// How a model is trained. The same rows and options give the same model, byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// Where chance starts.
    pub seed: u64,
    /// Times every row is gone through.
    pub n_epochs: usize,
    /// Size of the first steps (AdaGrad makes them smaller).
    pub learning_rate: f32,
    /// How strongly weights are pulled to zero.
    pub l2: f32,
    /// Copies of each row as a recogniser might have heard it.
    pub n_spoilt_copies: usize,
    /// Share of hanzi, or of words, that such a copy gets wrong.
    pub spoilt_ratio: f32,
    /// Share of copies that are joined with another row of the same party, as endpointing joins sentences.
    pub joined_ratio: f32,
    /// Parts of the rows that are held out in turn to find probabilities and thresholds, at least 2.
    pub n_folds: usize,
    /// Precision that thresholds keep where they can.
    pub least_precision: f32,
    /// Labels that are to be given from this probability on at the earliest ([`parse_thresholds`]).
    pub least_thresholds: BTreeMap<String, f32>,
    /// Labels with fewer rows are not learnt.
    pub least_rows: usize,
    /// Weights below this share of a label's largest are left out of the model.
    pub prune_ratio: f32,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            n_epochs: 12,
            learning_rate: 0.5,
            l2: 1e-5,
            n_spoilt_copies: 3,
            spoilt_ratio: 0.12,
            joined_ratio: 0.1,
            n_folds: 5,
            least_precision: 0.9,
            least_thresholds: BTreeMap::new(),
            least_rows: 8,
            prune_ratio: 0.12,
        }
    }
}

/// Nothing can be learnt from these rows.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TrainError {
    /// No label has rows enough.
    #[error(
        "no label has `{least_rows}` rows, there are `{n_rows}` rows in all\nhint: write more rows of `party<TAB>labels<TAB>text`"
    )]
    TooFewRows {
        /// Rows there are.
        n_rows: usize,
        /// Wanted for one label.
        least_rows: usize,
    },
    /// More labels than a model can tell apart.
    #[error(
        "party `{party}` has `{n_labels}` labels, at most {MAX_LABELS} can be told apart\nhint: look for misspelt labels, or join some"
    )]
    TooManyLabels {
        /// Whose.
        party: Party,
        /// How many.
        n_labels: usize,
    },
}

/// A line of least thresholds cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "line {line}: `{text}`\nhint: write a label and a probability from 0 to 1: `complaint 0.85`"
)]
pub struct ParseThresholdsError {
    /// From 1.
    line: usize,
    /// What stands there.
    text: String,
}

/// Reads lines of `label probability`, for [`TrainOptions::least_thresholds`]; empty lines and those that start with
/// `#` do not count.
///
/// # Errors
/// The first line that is written otherwise.
pub fn parse_thresholds(text: &str) -> Result<BTreeMap<String, f32>, ParseThresholdsError> {
    let lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
    let read = lines.map(|(written, line)| {
        let mut parts = written.split_whitespace();
        let probability = |text: &str| text.parse().ok().filter(|p| (0.0..=1.0).contains(p));
        match (
            parts.next(),
            parts.next().and_then(probability),
            parts.next(),
        ) {
            (Some(label), Some(probability), None) => Ok((label.to_owned(), probability)),
            _ => Err(ParseThresholdsError {
                line,
                text: written.chars().take(80).collect(),
            }),
        }
    });
    read.collect()
}

/// A label of which too few rows tell: it is not learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RareLabel {
    /// Whose.
    pub party: Party,
    /// Its name.
    pub label: String,
    /// Rows that have it.
    pub n_rows: usize,
}

/// The labels that training and cross-validation leave out, by party and name.
pub fn rare_labels(rows: &[LabelledText], options: &TrainOptions) -> Vec<RareLabel> {
    let of_party = |party| {
        let counts = label_counts(rows.iter().filter(move |row| row.party == party));
        counts.into_iter().map(move |(label, n_rows)| RareLabel {
            party,
            label: label.to_owned(),
            n_rows,
        })
    };
    let all = PARTIES.into_iter().flat_map(of_party);
    all.filter(|label| !is_learnt(label.n_rows, options))
        .collect()
}

/// Who has labels.
const PARTIES: [Party; 2] = [Party::Agent, Party::Customer];

/// How many rows have each label, by name.
fn label_counts<'a>(rows: impl Iterator<Item = &'a LabelledText>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for label in rows.flat_map(|row| &row.labels) {
        *counts.entry(label.as_str()).or_default() += 1;
    }
    counts
}

fn is_learnt(n_rows: usize, options: &TrainOptions) -> bool {
    n_rows >= options.least_rows.max(2)
}

/// How far training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainProgress {
    /// Fits that are done.
    pub n_done: usize,
    /// Fits in all.
    pub n_in_all: usize,
}

/// Learns from `rows` in the language of `classes`, which become the model's; `progress` is told after every fit.
/// Takes some seconds for ten thousand rows.
///
/// # Errors
/// Rows of which nothing can be learnt.
pub fn train(
    rows: &[LabelledText],
    classes: &WordClasses,
    options: &TrainOptions,
    mut progress: impl FnMut(TrainProgress),
) -> Result<IntentModel, TrainError> {
    let lessons = lessons(rows, options)?;
    let n_in_all = lessons.len() * (folds(options) + 1);
    let mut n_done = 0;
    let mut step = || {
        n_done += 1;
        progress(TrainProgress { n_done, n_in_all });
    };
    let (mut counts, mut n_texts) = (vec![0; N_BUCKETS], 0);
    let heads = lessons.iter().map(|lesson| {
        let mut bags = lesson.bags(classes, options);
        n_texts += bags.count(&mut counts);
        bags.number();
        let scored = out_of_fold(lesson, &bags, options, &mut step);
        let weights = fit(&bags, lesson.labels.len(), options, |_| true);
        step();
        head(lesson, &bags, &weights, &scored, options)
    });
    let heads = heads.collect();
    Ok(IntentModel {
        classes: classes.clone(),
        heads,
        rarity: Rarity::of_counts(&counts, n_texts),
    })
}

pub(super) fn folds(options: &TrainOptions) -> usize {
    options.n_folds.max(2)
}

/// What one party's head learns from.
pub(super) struct Lesson<'a> {
    pub(super) party: Party,
    pub(super) labels: Vec<&'a str>,
    pub(super) rows: Vec<&'a LabelledText>,
    collections: Collections<'a>,
}

/// One for each party that has a label with rows enough.
pub(super) fn lessons<'a>(
    rows: &'a [LabelledText],
    options: &TrainOptions,
) -> Result<Vec<Lesson<'a>>, TrainError> {
    let mut lessons = Vec::new();
    for party in PARTIES {
        let rows: Vec<_> = rows.iter().filter(|row| row.party == party).collect();
        let counts = label_counts(rows.iter().copied()).into_iter();
        let frequent = counts.filter(|(_, n_rows)| is_learnt(*n_rows, options));
        let labels: Vec<&str> = frequent.map(|(label, _)| label).collect();
        if labels.len() > MAX_LABELS {
            let n_labels = labels.len();
            return Err(TrainError::TooManyLabels { party, n_labels });
        }
        if !labels.is_empty() {
            lessons.push(Lesson {
                party,
                labels,
                collections: Collections::of(rows.iter().copied()),
                rows,
            });
        }
    }
    match lessons.is_empty() {
        false => Ok(lessons),
        true => Err(TrainError::TooFewRows {
            n_rows: rows.len(),
            least_rows: options.least_rows,
        }),
    }
}

impl Lesson<'_> {
    /// Features of every row, and of its copies.
    pub(super) fn bags(&self, classes: &WordClasses, options: &TrainOptions) -> Bags {
        let mut chance = Chance::new(options.seed ^ digest(self.party.as_str().as_bytes()));
        let texts = self.rows.iter().map(|row| row.text.as_str());
        let corpus = Corpus::of(classes.language(), texts);
        let plain: Vec<usize> = (0..self.rows.len())
            .filter(|&place| self.rows[place].labels.is_empty())
            .collect();
        let spoiling = Spoiling {
            homophone_ratio: options.spoilt_ratio * 0.45,
            near_ratio: options.spoilt_ratio * 0.4,
            drop_ratio: options.spoilt_ratio * 0.15,
        };
        let mut bags = Bags::default();
        for (place, row) in self.rows.iter().enumerate() {
            let fold = fold_of(row, options);
            let bag = |is_copy| Bag {
                row: place as u32,
                fold,
                is_copy,
                labels: self.labels_of(row),
            };
            let previous = row.previous.as_deref();
            bags.push(bag(false), self.party, &row.text, previous, classes);
            for _ in 0..options.n_spoilt_copies {
                let mut text = corpus.spoil(&row.text, spoiling, &mut chance);
                let mut copy = bag(true);
                if chance.share() < options.joined_ratio
                    && let Some(other) = self.partner(&plain, fold, options, &mut chance)
                {
                    let spoilt = corpus.spoil(&other.text, spoiling, &mut chance);
                    copy.labels = copy.labels.joined(self.labels_of(other));
                    text = match chance.below(2) {
                        0 => format!("{spoilt} {text}"),
                        _ => format!("{text} {spoilt}"),
                    };
                }
                if text.chars().any(char::is_alphanumeric) {
                    bags.push(copy, self.party, &text, previous, classes);
                }
            }
        }
        bags
    }

    /// A row to be joined with one of part `fold`, of the same part; mostly one without labels.
    fn partner(
        &self,
        plain: &[usize],
        fold: u32,
        options: &TrainOptions,
        chance: &mut Chance,
    ) -> Option<&LabelledText> {
        const PLAIN_RATIO: f32 = 0.7;
        // Some draws, so that almost every row finds one of its part.
        (0..8)
            .filter_map(|_| match chance.share() < PLAIN_RATIO {
                true => plain.get(chance.below(plain.len())).copied(),
                false => Some(chance.below(self.rows.len())),
            })
            .map(|place| self.rows[place])
            .find(|row| fold_of(row, options) == fold)
    }

    fn labels_of(&self, row: &LabelledText) -> Labels {
        let mut found = Labels::default();
        for (place, label) in self.labels.iter().enumerate() {
            let holds = self.collections.holds(row, label);
            found.known |= u64::from(holds.is_some()) << place;
            found.held |= u64::from(holds == Some(true)) << place;
        }
        found
    }
}

/// The part a row belongs to; the same text is always in the same.
fn fold_of(row: &LabelledText, options: &TrainOptions) -> u32 {
    let letters: String = row.text.chars().filter(|c| c.is_alphanumeric()).collect();
    let hash = super::random::scramble(digest(letters.as_bytes()) ^ options.seed);
    (hash % folds(options) as u64) as u32
}

/// By label, each row's score by weights that did not see it, and the row's part, where it is known whether the
/// label holds.
pub(super) type OutOfFold = Vec<Vec<(Scored, u32)>>;

pub(super) fn out_of_fold(
    lesson: &Lesson<'_>,
    bags: &Bags,
    options: &TrainOptions,
    step: &mut impl FnMut(),
) -> OutOfFold {
    let mut out = vec![Vec::new(); lesson.labels.len()];
    for fold in 0..folds(options) as u32 {
        let weights = fit(bags, lesson.labels.len(), options, |bag| bag.fold != fold);
        let held_out = bags
            .bags
            .iter()
            .enumerate()
            .filter(|(_, bag)| bag.fold == fold && !bag.is_copy);
        for (place, bag) in held_out {
            for (label, score) in weights.scores(bags.features(place)).into_iter().enumerate() {
                if let Some(holds) = bag.labels.get(label) {
                    out[label].push(((score, holds), fold));
                }
            }
        }
        step();
    }
    out
}

fn head(
    lesson: &Lesson<'_>,
    bags: &Bags,
    weights: &Weights,
    out: &[Vec<(Scored, u32)>],
    options: &TrainOptions,
) -> Head {
    let labels = lesson.labels.iter().zip(out).enumerate();
    let labels = labels.map(|(place, (name, scored))| {
        let scored: Vec<Scored> = scored.iter().map(|(scored, _)| *scored).collect();
        let (calibration, threshold) = settle(name, &scored, options);
        Label {
            name: (*name).to_owned(),
            bias: weights.bias(place),
            calibration,
            threshold,
        }
    });
    Head {
        party: lesson.party,
        labels: labels.collect(),
        table: weights.table(bags, options.prune_ratio),
    }
}

/// Calibration and threshold of a label from scores of rows that were not trained on.
pub(super) fn settle(label: &str, scored: &[Scored], options: &TrainOptions) -> (Calibration, f32) {
    let calibration = calibrate(scored);
    let probabilities = with_probabilities(scored, calibration);
    let found = threshold(&probabilities, options.least_precision);
    let least = options.least_thresholds.get(label).copied();
    (calibration, found.max(least.unwrap_or(0.0)))
}
