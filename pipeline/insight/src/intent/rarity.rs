//! How rare features are.

use super::features::N_BUCKETS;

/// Inverse document frequencies, coarsely.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rarity {
    /// For each feature the steps below [`RAREST`]; no entries where nothing is known.
    steps: Vec<u8>,
}

/// Weight of a feature that is not known.
const RAREST: f32 = 6.0;
/// What one step below it is worth.
const STEP: f32 = 0.25;

impl Rarity {
    /// From how many texts of `n_texts` have each feature.
    pub(super) fn of_counts(counts: &[u32], n_texts: usize) -> Self {
        let rarity = |count: u32| (n_texts as f32 / count.max(1) as f32).ln();
        let most = (RAREST / STEP) as u8 - 1;
        let steps = counts.iter().map(|&count| match count {
            0..3 => 0,
            _ => (((RAREST - rarity(count)) / STEP).round() as u8).min(most),
        });
        Self {
            steps: steps.collect(),
        }
    }

    /// Of features with their steps below the rarest; those beyond what there is do not count.
    pub(super) fn of_steps(rows: &[(u32, u8)]) -> Self {
        let mut steps = vec![0; N_BUCKETS];
        for &(bucket, below) in rows {
            if let Some(step) = steps.get_mut(bucket as usize) {
                *step = below.min((RAREST / STEP) as u8 - 1);
            }
        }
        Self { steps }
    }

    /// The features that are not of the rarest, rising, with their steps.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u32, u8)> {
        let steps = self.steps.iter().zip(0u32..);
        let known = steps.filter(|(below, _)| **below > 0);
        known.map(|(&below, bucket)| (bucket, below))
    }

    /// The weight of a feature, above 0.
    pub(super) fn of(&self, bucket: u32) -> f32 {
        let below = self.steps.get(bucket as usize).copied().unwrap_or(0);
        RAREST - f32::from(below) * STEP
    }
}
