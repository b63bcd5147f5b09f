//! Sounds with full edits: which documents hold enough of their pairs and syllables.

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
/// Reading this many entries of many short lists costs about as much as checking one line.
const ENTRIES_A_LINE: usize = 32;

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

    /// The documents of a segment of `n_docs` documents.
    pub(super) fn documents(&self, pairs: &Pairs, n_docs: u32) -> Bits {
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
        if self.syllables_are_worth(pairs, &held, &same) {
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
        Bits::from_words(same)
    }

    /// Whether reading all documents of the syllables costs less than checking the lines of those that they
    /// may turn away: all that were `found` but those whose pairs alone hold enough syllables.
    fn syllables_are_worth(&self, pairs: &Pairs, held: &Held, found: &[u64]) -> bool {
        let n_unsure = n_set(found).saturating_sub(n_set(&held.surely_standing(self.edits)));
        let rows = self.same.rows.iter().chain(&self.near.rows).flatten();
        let lists = rows.flat_map(|&row| pairs.lists(syllable_range(row)));
        let n_entries: usize = lists.map(|(_, list)| list.size()).sum();
        n_unsure * ENTRIES_A_LINE > n_entries
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
        self.standing_with(edits, |index, at| word_of(&self.syllables, index, at))
    }

    /// Those of [`Self::standing`] in which every syllable that stands is part of a pair that is held.
    fn surely_standing(&self, edits: usize) -> Vec<u64> {
        self.standing_with(edits, |index, at| {
            let before = index
                .checked_sub(1)
                .and_then(|before| self.pairs.get(before));
            let pairs = before.into_iter().chain(self.pairs.get(index));
            let words = pairs.filter_map(|bits| bits.words().get(at));
            words.fold(0, |all, word| all | word)
        })
    }

    /// `syllable` gives word `at` of the documents that hold a syllable.
    fn standing_with(&self, edits: usize, syllable: impl Fn(usize, usize) -> u64) -> Vec<u64> {
        let n_words = self.pairs.iter().map(|bits| bits.words().len()).min();
        let steps = |at| {
            (0..self.pairs.len()).map(move |index| (word_of(&self.pairs, index, at), index + 1))
        };
        (0..n_words.unwrap_or(0))
            .map(|at| {
                let steps = steps(at).map(|(pair, next)| (pair, syllable(next, at)));
                standing_word(syllable(0, at), steps, edits)
            })
            .collect()
    }
}

fn word_of(all: &[Bits], index: usize, at: usize) -> u64 {
    let word = all.get(index).and_then(|bits| bits.words().get(at));
    word.copied().unwrap_or(u64::MAX)
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
