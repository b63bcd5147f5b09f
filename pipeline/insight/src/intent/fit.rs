//! Logistic regression for many labels at once.

use super::bags::{Bag, Bags};
use super::model::logistic;
use super::random::Chance;
use super::table::{Row, Table};
use super::train::TrainOptions;

/// One weight for each feature and label, and one bias for each label.
pub(super) struct Weights {
    n_labels: usize,
    /// `[feature][label]`; the biases are the last row.
    weights: Vec<f32>,
}

/// Fits weights to the bags that `is_used` by AdaGrad (Duchi, Hazan, Singer, 2011) and gives the mean of the
/// weights after each of the last half of the epochs.
pub(super) fn fit(
    bags: &Bags,
    n_labels: usize,
    options: &TrainOptions,
    is_used: impl Fn(&Bag) -> bool,
) -> Weights {
    let mut order: Vec<usize> = (0..bags.bags.len())
        .filter(|&place| is_used(&bags.bags[place]))
        .collect();
    let mut chance = Chance::new(options.seed);
    let mut descent = Descent::new(bags.buckets.len() + 1, n_labels, options);
    let mut mean = vec![0.0; descent.weights.len()];
    let n_averaged = options.n_epochs.div_ceil(2).max(1);
    for epoch in 0..options.n_epochs {
        chance.shuffle(&mut order);
        for &place in &order {
            descent.step(bags, place);
        }
        if epoch + n_averaged >= options.n_epochs {
            for (mean, weight) in mean.iter_mut().zip(&descent.weights) {
                *mean += weight / n_averaged as f32;
            }
        }
    }
    Weights {
        n_labels,
        weights: mean,
    }
}

struct Descent {
    n_labels: usize,
    learning_rate: f32,
    l2: f32,
    weights: Vec<f32>,
    squares: Vec<f32>,
    scores: Vec<f32>,
}

/// Start of the sums of squares: the first steps are not endless.
const FIRST_SQUARE: f32 = 1e-4;

impl Descent {
    fn new(n_rows: usize, n_labels: usize, options: &TrainOptions) -> Self {
        Self {
            n_labels,
            learning_rate: options.learning_rate,
            l2: options.l2,
            weights: vec![0.0; n_rows * n_labels],
            squares: vec![FIRST_SQUARE; n_rows * n_labels],
            scores: vec![0.0; n_labels],
        }
    }

    fn step(&mut self, bags: &Bags, place: usize) {
        let n = self.n_labels;
        let bias = bags.buckets.len();
        let features = || bags.features(place).chain([(bias, 1.0)]);
        self.scores.fill(0.0);
        for (feature, amount) in features() {
            let row = &self.weights[feature * n..][..n];
            for (score, weight) in self.scores.iter_mut().zip(row) {
                *score += weight * amount;
            }
        }
        let labels = bags.bags[place].labels;
        for (label, score) in self.scores.iter_mut().enumerate() {
            // The error; nothing is learnt where it is not known what is right.
            *score = match labels.get(label) {
                None => 0.0,
                Some(holds) => logistic(*score) - f32::from(u8::from(holds)),
            };
        }
        for (feature, amount) in features() {
            let weights = &mut self.weights[feature * n..][..n];
            let squares = &mut self.squares[feature * n..][..n];
            let rows = weights.iter_mut().zip(squares).zip(&self.scores);
            for ((weight, square), error) in rows {
                let slope = error * amount + self.l2 * *weight;
                *square += slope * slope;
                *weight -= self.learning_rate * slope / square.sqrt();
            }
        }
    }
}

impl Weights {
    pub(super) fn bias(&self, label: usize) -> f32 {
        self.weights[self.weights.len() - self.n_labels + label]
    }

    /// The score of each label.
    pub(super) fn scores(&self, features: impl Iterator<Item = (usize, f32)>) -> Vec<f32> {
        let mut scores: Vec<f32> = (0..self.n_labels).map(|label| self.bias(label)).collect();
        for (feature, amount) in features {
            let row = &self.weights[feature * self.n_labels..][..self.n_labels];
            for (score, weight) in scores.iter_mut().zip(row) {
                *score += weight * amount;
            }
        }
        scores
    }

    /// The weights in steps of 1/127 of each label's largest, without those below `prune_ratio` of it.
    pub(super) fn table(&self, bags: &Bags, prune_ratio: f32) -> Table {
        let rows = self.weights.chunks_exact(self.n_labels.max(1));
        let rows = rows.take(bags.buckets.len());
        let mut largest = vec![0.0f32; self.n_labels];
        for row in rows.clone() {
            for (largest, weight) in largest.iter_mut().zip(row) {
                *largest = largest.max(weight.abs());
            }
        }
        let step_sizes: Vec<f32> = largest
            .iter()
            .map(|size| size.max(1e-9) / f32::from(i8::MAX))
            .collect();
        let least = prune_ratio * f32::from(i8::MAX);
        let kept = bags.buckets.iter().zip(rows).map(|(&bucket, row)| {
            let steps = row.iter().zip(&step_sizes).zip(0u8..);
            let steps = steps.map(|((weight, size), label)| (label, weight / size));
            let steps = steps.filter(|(_, steps)| steps.abs() >= least.max(0.5));
            let steps = steps.map(|(label, steps)| (label, steps.round() as i8));
            (bucket, steps.collect::<Row>())
        });
        let kept: Vec<(u32, Row)> = kept.filter(|(_, row)| !row.is_empty()).collect();
        Table::of_rising(&kept, step_sizes)
    }
}
