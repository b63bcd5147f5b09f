//! Values of some words, of which clones share those that were there before them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::vocabulary::WordId;

/// Values by word. A clone shares those that were there at [`Self::settle`] and copies those that came after it.
#[derive(Clone, Debug, Default)]
pub(super) struct ByWord<V> {
    settled: Arc<BTreeMap<WordId, V>>,
    /// Where a word is in both, this is its value.
    added: BTreeMap<WordId, V>,
}

impl<V: Clone> ByWord<V> {
    pub(super) fn get(&self, word: WordId) -> Option<&V> {
        self.added.get(&word).or_else(|| self.settled.get(&word))
    }

    /// Gives a word a value, in place of the one that it has.
    pub(super) fn insert(&mut self, word: WordId, value: V) {
        self.added.insert(word, value);
    }

    /// All words with their values, by their number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&WordId, &V)> {
        let mut all: BTreeMap<&WordId, &V> = self.settled.iter().collect();
        all.extend(self.added.iter());
        all.into_iter()
    }

    /// Has clones that are made from now on share what is there.
    pub(super) fn settle(&mut self) {
        let added = std::mem::take(&mut self.added);
        Arc::make_mut(&mut self.settled).extend(added);
    }
}

impl<V: Clone + PartialEq> PartialEq for ByWord<V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<V> FromIterator<(WordId, V)> for ByWord<V> {
    fn from_iter<I: IntoIterator<Item = (WordId, V)>>(values: I) -> Self {
        Self {
            settled: Arc::new(values.into_iter().collect()),
            added: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_is_settled_and_have_their_own_beside_it() {
        let mut values: ByWord<f32> = [(7, 1.0), (3, 2.0)].into_iter().collect();
        values.insert(5, 3.0);
        values.settle();
        let mut own = values.clone();
        own.insert(4, 4.0);
        own.insert(7, 5.0);
        assert!(Arc::ptr_eq(&own.settled, &values.settled));
        let shown = |values: &ByWord<f32>| -> Vec<(WordId, f32)> {
            values.iter().map(|(word, value)| (*word, *value)).collect()
        };
        assert_eq!(shown(&values), [(3, 2.0), (5, 3.0), (7, 1.0)]);
        assert_eq!(shown(&own), [(3, 2.0), (4, 4.0), (5, 3.0), (7, 5.0)]);
        assert_eq!(
            (own.get(7), own.get(5), own.get(6)),
            (Some(&5.0), Some(&3.0), None)
        );
        assert_eq!((values.get(7), values.get(4)), (Some(&1.0), None));
        let before = own.clone();
        own.settle();
        assert_eq!(own, before, "settled or not is the same");
    }
}
