//! Sounds with full edits: which documents hold enough of their pairs and syllables.

use tantivy::DocId;

use super::sets::{Bits, group_lists, size_of};
use super::sound_pairs;
use crate::keys::syllable_range;
use crate::pairs::Pairs;
use crate::query::MAX_EDITS;
use crate::sound::{FULL_COST, SoundPattern};

/// A row of syllables of which some may be changed by full edits.
#[derive(Clone, Debug)]
pub(crate) struct Edited {
    /// What is heard in a match with the most full edits.
    same: Heard,
    /// What is heard only in a match with fewer.
    near: Heard,
    /// The most full edits.
    edits: usize,
}

/// What may be heard for each syllable, and for each two neighbouring ones.
#[derive(Clone, Debug)]
struct Heard {
    rows: Vec<Vec<u16>>,
    pairs: Vec<Vec<u32>>,
}

/// The most full edits, and none.
const LEVELS: usize = MAX_EDITS as usize + 1;
/// Where more than one document in so many holds enough pairs, their syllables are looked at too.
const MANY: usize = 32;

impl Edited {
    /// A sound with full edits, longer than they can change as a whole.
    pub(super) fn new(pattern: &SoundPattern) -> Self {
        // Beside the most full edits only this is left for near sounds.
        let same = Heard::new(pattern, pattern.budget() % FULL_COST);
        let mut near = Heard::new(pattern, pattern.budget());
        near.leave_out(&same);
        let edits = pattern.full_edits().min(LEVELS - 1);
        Self { same, near, edits }
    }

    /// About how many documents there are: of the rarest pairs, as many as must stand.
    pub(super) fn size_in(&self, pairs: &Pairs) -> usize {
        let size = |(same, near): (&Vec<u32>, &Vec<u32>)| {
            size_of(&group_lists(pairs, same)) + size_of(&group_lists(pairs, near))
        };
        let groups = self.same.pairs.iter().zip(&self.near.pairs);
        let mut sizes: Vec<usize> = groups.map(size).collect();
        sizes.sort_unstable();
        sizes.iter().take(self.edits + 1).sum()
    }

    /// The documents of a segment of `n_docs` documents, in order.
    pub(super) fn documents(&self, pairs: &Pairs, n_docs: u32) -> Vec<DocId> {
        let n_pairs = self.same.pairs.len();
        let mut held = Held {
            pairs: (0..n_pairs).map(|_| Bits::new(n_docs)).collect(),
            syllables: Vec::new(),
        };
        held.add_pairs(&self.same, pairs);
        let mut same = held.standing(self.edits);
        // Where nothing is near, fewer edits find nothing more.
        let fewer = (!self.near.is_empty()).then(|| self.edits.saturating_sub(1));
        let mut near = fewer.map(|fewer| {
            let mut held = held.clone();
            held.add_pairs(&self.near, pairs);
            let found = held.standing(fewer);
            (held, fewer, found)
        });
        let n_near = near.as_ref().map_or(0, |(.., found)| n_set(found));
        if n_set(&same).max(n_near) > n_docs as usize / MANY {
            held.syllables = (0..=n_pairs).map(|_| Bits::new(n_docs)).collect();
            held.add_syllables(&self.same, pairs);
            same = held.standing(self.edits);
            if let Some((near_held, fewer, found)) = &mut near {
                near_held.syllables = held.syllables;
                near_held.add_syllables(&self.near, pairs);
                *found = near_held.standing(*fewer);
            }
        }
        for (word, more) in same
            .iter_mut()
            .zip(near.iter().flat_map(|(.., found)| found))
        {
            *word |= more;
        }
        let expected = n_set(&same);
        Bits::from_words(same).members(expected)
    }
}

fn n_set(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

impl Heard {
    fn new(pattern: &SoundPattern, most: u16) -> Self {
        let n = pattern.len();
        Self {
            rows: (0..n).map(|index| pattern.rows(index, most)).collect(),
            pairs: (1..n)
                .map(|second| sound_pairs(pattern, second - 1, most))
                .collect(),
        }
    }

    fn leave_out(&mut self, other: &Self) {
        for (rows, known) in self.rows.iter_mut().zip(&other.rows) {
            rows.retain(|row| !known.contains(row));
        }
        for (pairs, known) in self.pairs.iter_mut().zip(&other.pairs) {
            pairs.retain(|pair| !known.contains(pair));
        }
    }

    fn is_empty(&self) -> bool {
        self.rows.iter().all(Vec::is_empty) && self.pairs.iter().all(Vec::is_empty)
    }
}

/// The documents that hold each pair and each syllable; every one may hold a syllable while that is not
/// looked at.
#[derive(Clone)]
struct Held {
    pairs: Vec<Bits>,
    syllables: Vec<Bits>,
}

impl Held {
    fn add_pairs(&mut self, heard: &Heard, pairs: &Pairs) {
        for (bits, group) in self.pairs.iter_mut().zip(&heard.pairs) {
            bits.insert_all(group_lists(pairs, group));
        }
    }

    fn add_syllables(&mut self, heard: &Heard, pairs: &Pairs) {
        for (bits, rows) in self.syllables.iter_mut().zip(&heard.rows) {
            for &row in rows {
                bits.insert_all(pairs.lists(syllable_range(row)).map(|(_, list)| list));
            }
        }
    }

    /// The documents in which all stands but what `edits` edits may change, 64 a word.
    fn standing(&self, edits: usize) -> Vec<u64> {
        let pairs: Vec<&[u64]> = self.pairs.iter().map(Bits::words).collect();
        let syllables: Vec<&[u64]> = self.syllables.iter().map(Bits::words).collect();
        let n_words = pairs.iter().map(|words| words.len()).min().unwrap_or(0);
        let held = |all: &[&[u64]], index: usize, at: usize| {
            let word = all.get(index).and_then(|words| words.get(at));
            word.copied().unwrap_or(u64::MAX)
        };
        (0..n_words)
            .map(|at| {
                let steps = (0..pairs.len())
                    .map(|index| (held(&pairs, index, at), held(&syllables, index + 1, at)));
                standing_word(held(&syllables, 0, at), steps, edits)
            })
            .collect()
    }
}

/// For 64 documents: in which of them all stands but what `edits` edits may change. `steps` are the
/// documents that hold the pair of a syllable with the next one, and that hold the next one.
///
/// A syllable that stands, next to one that stands, makes a pair that stands, unless an edit put something
/// between the two.
fn standing_word(first: u64, steps: impl Iterator<Item = (u64, u64)>, edits: usize) -> u64 {
    // By number of edits: the present syllable stands, or is changed.
    let mut stands = [first; LEVELS];
    let mut changed = [u64::MAX; LEVELS];
    changed[0] = 0;
    for (pair, syllable) in steps {
        let (before_stands, before_changed) = (stands, changed);
        stands[0] = syllable & pair & before_stands[0];
        for level in 1..LEVELS {
            let beside = before_stands[level] & pair | before_changed[level];
            stands[level] = syllable & (beside | before_stands[level - 1]);
            changed[level] = before_stands[level - 1] | before_changed[level - 1];
        }
    }
    let last = edits.min(LEVELS - 1);
    stands[last] | changed[last]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The documents in which all stands but what is changed, and the pairs with something between.
    fn left(pairs: &[u64], syllables: &[u64], changed: u32, between: u32) -> u64 {
        let keeps = |at: usize| changed >> at & 1 == 0;
        let mut left = u64::MAX;
        for (at, syllable) in syllables.iter().enumerate().filter(|(at, _)| keeps(*at)) {
            left &= syllable;
            let is_beside = at > 0 && keeps(at - 1) && between >> (at - 1) & 1 == 0;
            if is_beside {
                left &= pairs[at - 1];
            }
        }
        left
    }

    proptest! {
        #[test]
        fn what_stands_is_what_some_edits_leave(
            steps in prop::collection::vec((any::<u64>(), any::<u64>()), 1..6),
            first in any::<u64>(), edits in 0usize..4,
        ) {
            let (pairs, mut syllables): (Vec<u64>, Vec<u64>) = steps.iter().copied().unzip();
            syllables.insert(0, first);
            let mut expected = 0;
            for changed in 0u32..1 << syllables.len() {
                for between in 0u32..1 << pairs.len() {
                    if (changed.count_ones() + between.count_ones()) as usize <= edits {
                        expected |= left(&pairs, &syllables, changed, between);
                    }
                }
            }
            prop_assert_eq!(standing_word(first, steps.into_iter(), edits), expected);
        }
    }
}
