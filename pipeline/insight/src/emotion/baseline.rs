//! How a party usually speaks: medians of what was measured so far.

use std::collections::VecDeque;

use super::features::Feature;

/// Utterances that are remembered. A voice tires and lines change; five minutes of one's own speech are enough.
const MOST_UTTERANCES: usize = 64;
/// Utterances that half of the trust in a baseline takes: the first is often no more than a greeting.
const HALF_TRUST: f32 = 1.0;
/// How far a difference to everybody's usual way is believed: telephones and lines colour voices, too.
const PRIOR_TRUST: f32 = 0.5;

/// Medians of one party's utterances.
#[derive(Clone, Debug, Default)]
pub(super) struct Baseline {
    medians: Vec<Median>,
    n_utterances: usize,
}

impl Baseline {
    /// Utterances it rests on.
    pub(super) fn n_utterances(&self) -> usize {
        self.n_utterances.min(MOST_UTTERANCES)
    }

    /// The usual value; `None` before the first.
    pub(super) fn median(&self, feature: Feature) -> Option<f32> {
        self.medians.get(feature.place())?.get()
    }

    /// How far `value` is from the usual one. The fewer utterances there are, the less it is believed, and the
    /// more `prior`, everybody's usual value, counts, where there is one.
    pub(super) fn difference(&self, feature: Feature, value: f32, prior: Option<f32>) -> f32 {
        let median = self.medians.get(feature.place());
        let n = median.map_or(0, Median::n) as f32;
        let trust = n / (n + HALF_TRUST);
        let own = median
            .and_then(Median::get)
            .map_or(0.0, |usual| value - usual);
        let others = prior.map_or(0.0, |usual| PRIOR_TRUST * (value - usual));
        trust * own + (1.0 - trust) * others
    }

    /// Remembers an utterance: the features that are known of it.
    pub(super) fn learn(&mut self, values: impl Iterator<Item = (Feature, f32)>) {
        self.medians.resize(Feature::COUNT, Median::default());
        for (feature, value) in values {
            self.medians[feature.place()].push(value);
        }
        self.n_utterances += 1;
    }
}

/// Median of the last values.
#[derive(Clone, Debug, Default)]
struct Median {
    sorted: Vec<f32>,
    in_order: VecDeque<f32>,
}

impl Median {
    fn n(&self) -> usize {
        self.sorted.len()
    }

    fn get(&self) -> Option<f32> {
        let n = self.sorted.len();
        let above = *self.sorted.get(n / 2)?;
        Some(match n % 2 {
            0 => (self.sorted[n / 2 - 1] + above) / 2.0,
            _ => above,
        })
    }

    fn push(&mut self, value: f32) {
        if self.sorted.len() >= MOST_UTTERANCES
            && let Some(oldest) = self.in_order.pop_front()
        {
            let place = self.place(oldest).min(self.sorted.len() - 1);
            self.sorted.remove(place);
        }
        self.sorted.insert(self.place(value), value);
        self.in_order.push_back(value);
    }

    fn place(&self, value: f32) -> usize {
        self.sorted
            .partition_point(|known| known.total_cmp(&value).is_lt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_median_is_that_of_the_last_values(values in prop::collection::vec(-100.0_f32..100.0, 1..200)) {
            let mut median = Median::default();
            values.iter().for_each(|value| median.push(*value));
            let mut last = values[values.len().saturating_sub(MOST_UTTERANCES)..].to_vec();
            last.sort_by(f32::total_cmp);
            let n = last.len();
            let expected = (last[(n - 1) / 2] + last[n / 2]) / 2.0;
            prop_assert!((median.get().unwrap() - expected).abs() < 1e-4);
            prop_assert_eq!(median.n(), n);
        }
    }

    #[test]
    fn trust_grows_with_utterances() {
        let mut baseline = Baseline::default();
        let feature = Feature::LOUDNESS;
        assert_eq!(baseline.difference(feature, -20.0, None), 0.0);
        assert_eq!(baseline.difference(feature, -20.0, Some(-26.0)), 3.0);
        let mut last = 0.0;
        for n in 1..20 {
            baseline.learn([(feature, -30.0)].into_iter());
            let difference = baseline.difference(feature, -20.0, None);
            assert!(difference > last && difference < 10.0, "{n}: {difference}");
            last = difference;
        }
        assert_eq!(baseline.n_utterances(), 19);
        assert_eq!(baseline.median(feature), Some(-30.0));
    }
}
