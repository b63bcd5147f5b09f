//! Sounds with full edits: which documents hold enough of their pairs.

use tantivy::DocId;

use super::sets::{Bits, group_lists, size_of};
use crate::pairs::Pairs;
use crate::query::MAX_EDITS;

/// A row of pairs of which some may be changed by full edits.
#[derive(Clone, Debug)]
pub(crate) struct Edited {
    /// For each two neighbouring syllables the pairs that are heard for them in a match with the most
    /// full edits.
    same: Vec<Vec<u32>>,
    /// Those that are heard for them only in a match with fewer.
    near: Vec<Vec<u32>>,
    /// The most full edits.
    edits: usize,
}

/// The most full edits, and none.
const LEVELS: usize = MAX_EDITS as usize + 1;

impl Edited {
    /// `near` and `same`: for each two neighbouring syllables the pairs that are heard for them in any match,
    /// and in one with `edits` full edits.
    pub(super) fn new(mut near: Vec<Vec<u32>>, same: Vec<Vec<u32>>, edits: usize) -> Self {
        for (near, same) in near.iter_mut().zip(&same) {
            near.retain(|key| !same.contains(key));
        }
        let edits = edits.min(LEVELS - 1);
        Self { same, near, edits }
    }

    /// About how many documents there are: of the rarest pairs, as many as must stand.
    pub(super) fn size_in(&self, pairs: &Pairs) -> usize {
        let size = |(same, near): (&Vec<u32>, &Vec<u32>)| {
            size_of(&group_lists(pairs, same)) + size_of(&group_lists(pairs, near))
        };
        let mut sizes: Vec<usize> = self.same.iter().zip(&self.near).map(size).collect();
        sizes.sort_unstable();
        sizes.iter().take(self.edits + 1).sum()
    }

    /// The documents of a segment of `n_docs` documents, in order.
    pub(super) fn documents(&self, pairs: &Pairs, n_docs: u32) -> Vec<DocId> {
        let bits = |group: &Vec<u32>| Bits::of(&group_lists(pairs, group), n_docs);
        let mut held: Vec<Bits> = self.same.iter().map(bits).collect();
        let mut found = standing(&held, self.edits);
        let has_near = self.near.iter().any(|group| !group.is_empty());
        if let Some(fewer) = self.edits.checked_sub(1).filter(|_| has_near) {
            for (held, group) in held.iter_mut().zip(&self.near) {
                held.insert_all(&group_lists(pairs, group));
            }
            let more = standing(&held, fewer);
            for (word, more) in found.iter_mut().zip(more) {
                *word |= more;
            }
        }
        let n_found: u32 = found.iter().map(|word| word.count_ones()).sum();
        Bits::from_words(found).members(n_found as usize)
    }
}

/// The documents in which all pairs stand but those that `edits` edits may change, 64 a word.
fn standing(held: &[Bits], edits: usize) -> Vec<u64> {
    let rows: Vec<&[u64]> = held.iter().map(Bits::words).collect();
    let n_words = rows.iter().map(|row| row.len()).min().unwrap_or(0);
    (0..n_words)
        .map(|at| {
            let pairs = rows.iter().map(|row| row.get(at).copied().unwrap_or(0));
            standing_word(pairs, edits)
        })
        .collect()
}

/// [`standing`] for 64 documents, given which of them hold each pair.
///
/// `now[e]` are the documents in which the pairs so far stand but for `e` edits. An edit changes two
/// neighbouring pairs at most: then those before them stood with one edit fewer.
fn standing_word(pairs: impl Iterator<Item = u64>, edits: usize) -> u64 {
    let mut before = [u64::MAX; LEVELS];
    let mut now = before;
    for held in pairs {
        let mut next = [now[0] & held; LEVELS];
        for level in 1..LEVELS {
            next[level] = now[level] & held | before[level - 1];
        }
        (before, now) = (now, next);
    }
    now.get(edits).copied().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Every way of changing syllables and of putting some between them, one after the other.
        #[test]
        fn pairs_stand_where_some_edits_leave_them(
            held in prop::collection::vec(any::<u64>(), 1..7), edits in 0usize..3,
        ) {
            let n = held.len();
            // A change of syllable s touches pairs s - 1 and s; what comes between touches one.
            let mut touched: Vec<u64> = vec![0];
            for _ in 0..edits {
                let one = (0..=n).map(|s| if s == 0 { 1 } else { 0b11 << (s - 1) });
                let all: Vec<u64> = one.collect();
                touched = touched.iter().flat_map(|&t| all.iter().map(move |&one| t | one)).collect();
            }
            let mut expected = 0;
            for changed in touched {
                let stands = |(at, held): (usize, &u64)| if changed >> at & 1 == 1 { u64::MAX } else { *held };
                expected |= held.iter().enumerate().map(stands).fold(u64::MAX, |all, held| all & held);
            }
            prop_assert_eq!(standing_word(held.into_iter(), edits), expected);
        }
    }
}
