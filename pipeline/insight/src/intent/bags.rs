//! Texts as lists of numbered features.

use auricle_contracts::Party;

use super::classes::WordClasses;
use super::features::{N_BUCKETS, Sink, extract};
use super::model::length_factor;
use super::rows::utterance_of;
use crate::Spoken;

/// One text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bag {
    /// The row it comes from.
    pub(super) row: u32,
    /// Part of the rows it belongs to.
    pub(super) fold: u32,
    /// A copy made for training alone.
    pub(super) is_copy: bool,
    pub(super) labels: Labels,
}

/// What is known of a text's labels, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    /// Those that hold.
    pub(super) held: u64,
    /// Those of which it is known whether they hold.
    pub(super) known: u64,
}

impl Labels {
    /// Of two texts that were said as one.
    pub(super) const fn joined(self, other: Self) -> Self {
        let held = self.held | other.held;
        Self {
            held,
            known: self.known & other.known | held,
        }
    }

    /// Whether a label holds; `None` where it is not known.
    pub(super) const fn get(self, label: usize) -> Option<bool> {
        match self.known >> label & 1 {
            0 => None,
            _ => Some(self.held >> label & 1 == 1),
        }
    }
}

/// Many texts, their features one after the other.
#[derive(Default)]
pub(super) struct Bags {
    pub(super) bags: Vec<Bag>,
    starts: Vec<usize>,
    /// Buckets first, places in `buckets` after [`Self::number`].
    features: Vec<u32>,
    amounts: Vec<f32>,
    /// Buckets that count, rising.
    pub(super) buckets: Vec<u32>,
}

/// Feature that stands in one row only, and so tells nothing of others.
const NO_FEATURE: u32 = u32::MAX;

impl Sink for Bags {
    fn take(&mut self, bucket: u32, amount: f32) {
        self.features.push(bucket);
        self.amounts.push(amount);
    }
}

impl Bags {
    pub(super) fn push(
        &mut self,
        bag: Bag,
        party: Party,
        text: &str,
        previous: Option<&str>,
        classes: &WordClasses,
    ) {
        let start = self.features.len();
        self.starts.push(start);
        self.bags.push(bag);
        let other = match party {
            Party::Agent => Party::Customer,
            _ => Party::Agent,
        };
        let utterance = utterance_of(party, text);
        let spoken = Spoken::new(&utterance, 1);
        let previous = previous.map(|text| utterance_of(other, text));
        let previous = previous.as_ref().map(|before| Spoken::new(before, 0));
        extract(&spoken, previous.as_ref(), classes, self);
        let squares = self.amounts[start..].iter().map(|amount| amount * amount);
        let factor = length_factor(squares.sum());
        for amount in &mut self.amounts[start..] {
            *amount *= factor;
        }
    }

    /// Numbers the features that stand in two rows or more; to be called once, after the last text.
    pub(super) fn number(&mut self) {
        const NONE: u32 = u32::MAX;
        const MANY: u32 = u32::MAX - 1;
        let mut seen_in = vec![NONE; N_BUCKETS];
        for (place, bag) in self.bags.iter().enumerate() {
            for &bucket in &self.features[self.range(place)] {
                let row = &mut seen_in[bucket as usize];
                *row = match *row {
                    NONE => bag.row,
                    known if known == bag.row => known,
                    _ => MANY,
                };
            }
        }
        let counting = seen_in.iter().zip(0..).filter(|(row, _)| **row == MANY);
        self.buckets = counting.map(|(_, bucket)| bucket).collect();
        let mut numbers = vec![NO_FEATURE; N_BUCKETS];
        for (&bucket, number) in self.buckets.iter().zip(0..) {
            numbers[bucket as usize] = number;
        }
        for feature in &mut self.features {
            *feature = numbers[*feature as usize];
        }
    }

    /// Number and amount of each feature that counts.
    pub(super) fn features(&self, place: usize) -> impl Iterator<Item = (usize, f32)> + Clone {
        let range = self.range(place);
        let features = self.features[range.clone()].iter();
        let features = features.zip(&self.amounts[range]);
        features
            .filter(|(feature, _)| **feature != NO_FEATURE)
            .map(|(&feature, &amount)| (feature as usize, amount))
    }

    /// Adds to `counts` of each bucket the texts (copies left out) that have it; the number of texts.
    /// To be called before [`Self::number`].
    pub(super) fn count(&self, counts: &mut [u32]) -> usize {
        let mut n_texts = 0;
        for (place, _) in self.bags.iter().enumerate().filter(|(_, bag)| !bag.is_copy) {
            let mut buckets = self.features[self.range(place)].to_vec();
            buckets.sort_unstable();
            buckets.dedup();
            for bucket in buckets {
                counts[bucket as usize] += 1;
            }
            n_texts += 1;
        }
        n_texts
    }

    fn range(&self, place: usize) -> std::ops::Range<usize> {
        let end = self.starts.get(place + 1);
        self.starts[place]..end.copied().unwrap_or(self.features.len())
    }
}
