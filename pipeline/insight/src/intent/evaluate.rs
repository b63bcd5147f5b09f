//! How good a model is.

use std::fmt;

use auricle_contracts::Party;

use super::calibrate::{Scored, calibration_error, with_probabilities};
use super::classes::WordClasses;
use super::model::IntentModel;
use super::rows::{Collections, LabelledText, utterance_of};
use super::train::{TrainError, TrainOptions, TrainProgress, folds, lessons, out_of_fold, settle};
use crate::Spoken;

/// How well labels are given, one line each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// By party, then by label.
    pub labels: Vec<LabelReport>,
}

/// How well one label is given.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelReport {
    /// Whose.
    pub party: Party,
    /// Its name.
    pub label: String,
    /// Rows that have it.
    pub n_rows: usize,
    /// Rows it was given to.
    pub n_given: usize,
    /// Rows it was given to that have it.
    pub n_right: usize,
    /// How far probabilities are from what came true, on average over ten bins, 0 to 1.
    pub calibration_error: f32,
}

impl LabelReport {
    /// Share of what was given that is right; 1 where nothing was given.
    pub fn precision(&self) -> f32 {
        share(self.n_right, self.n_given)
    }

    /// Share of what is there that was given; 1 where nothing is there.
    pub fn recall(&self) -> f32 {
        share(self.n_right, self.n_rows)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> f32 {
        let sum = self.precision() + self.recall();
        if sum == 0.0 {
            return 0.0;
        }
        2.0 * self.precision() * self.recall() / sum
    }
}

fn share(part: usize, whole: usize) -> f32 {
    match whole {
        0 => 1.0,
        _ => part as f32 / whole as f32,
    }
}

impl Report {
    /// All labels as one.
    pub fn in_all(&self) -> LabelReport {
        let sum = |of: fn(&LabelReport) -> usize| self.labels.iter().map(of).sum();
        let errors = self.labels.iter().map(|label| label.calibration_error);
        LabelReport {
            party: Party::Unknown,
            label: "all".to_owned(),
            n_rows: sum(|label| label.n_rows),
            n_given: sum(|label| label.n_given),
            n_right: sum(|label| label.n_right),
            calibration_error: errors.sum::<f32>() / self.labels.len().max(1) as f32,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "party     label                 rows  precision  recall     f1  calibration error"
        )?;
        for line in self.labels.iter().chain([&self.in_all()]) {
            writeln!(
                out,
                "{:<9} {:<20} {:>5} {:>10.3} {:>7.3} {:>6.3} {:>18.3}",
                line.party,
                line.label,
                line.n_rows,
                line.precision(),
                line.recall(),
                line.f1(),
                line.calibration_error
            )?;
        }
        Ok(())
    }
}

/// Trains on all rows but a part and tries that part, in turn. Calibration and thresholds of a part come
/// from the others, too.
///
/// # Errors
/// Rows of which nothing can be learnt.
pub fn cross_validate(
    rows: &[LabelledText],
    classes: &WordClasses,
    options: &TrainOptions,
    mut progress: impl FnMut(TrainProgress),
) -> Result<Report, TrainError> {
    let lessons = lessons(rows, options)?;
    let n_in_all = lessons.len() * folds(options);
    let (mut n_done, mut report) = (0, Report::default());
    for lesson in &lessons {
        let mut bags = lesson.bags(classes, options);
        bags.number();
        let out = out_of_fold(lesson, &bags, options, &mut || {
            n_done += 1;
            progress(TrainProgress { n_done, n_in_all });
        });
        for (label, scored) in lesson.labels.iter().zip(&out) {
            let mut tried = Vec::new();
            for fold in 0..folds(options) as u32 {
                let part = |is_held_out: bool| -> Vec<Scored> {
                    let rows = scored.iter();
                    let rows = rows.filter(|(_, of)| (*of == fold) == is_held_out);
                    rows.map(|(scored, _)| *scored).collect()
                };
                let (calibration, threshold) = settle(label, &part(false), options);
                let probabilities = with_probabilities(&part(true), calibration);
                tried.extend(probabilities.into_iter().map(|scored| (scored, threshold)));
            }
            report.labels.push(line(lesson.party, label, &tried));
        }
    }
    Ok(report)
}

/// Tries `model` on rows that it was not trained on.
pub fn evaluate(model: &IntentModel, rows: &[LabelledText]) -> Report {
    let mut report = Report::default();
    for head in &model.heads {
        let rows: Vec<_> = rows.iter().filter(|row| row.party == head.party).collect();
        let collections = Collections::of(rows.iter().copied());
        let mut tried = vec![Vec::new(); head.labels.len()];
        for row in rows {
            let other = match row.party {
                Party::Agent => Party::Customer,
                _ => Party::Agent,
            };
            let utterance = utterance_of(row.party, &row.text);
            let before = row.previous.as_ref().map(|text| utterance_of(other, text));
            let before = before.as_ref().map(|before| Spoken::new(before, 0));
            let scores = model.scores(&Spoken::new(&utterance, 1), before.as_ref());
            for (tried, score) in tried.iter_mut().zip(scores) {
                if let Some(holds) = collections.holds(row, score.label) {
                    tried.push(((score.probability, holds), score.threshold));
                }
            }
        }
        let labels = head.labels.iter().zip(&tried);
        let lines = labels.map(|(label, tried)| line(head.party, &label.name, tried));
        report.labels.extend(lines);
    }
    report
}

/// From probabilities, whether the label holds, and thresholds.
fn line(party: Party, label: &str, tried: &[(Scored, f32)]) -> LabelReport {
    let given = tried
        .iter()
        .filter(|((probability, _), threshold)| probability >= threshold);
    let scored: Vec<Scored> = tried.iter().map(|(scored, _)| *scored).collect();
    LabelReport {
        party,
        label: label.to_owned(),
        n_rows: scored.iter().filter(|(_, holds)| *holds).count(),
        n_given: given.clone().count(),
        n_right: given.filter(|((_, holds), _)| *holds).count(),
        calibration_error: calibration_error(&scored),
    }
}
