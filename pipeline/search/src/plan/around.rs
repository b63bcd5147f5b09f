//! Two syllables with any one between them.

use super::sets::{Bits, ENTRIES_A_LINE, group_lists, keep_listed, size_of, union};
use crate::keys::{second_syllable, syllable_pair, syllable_range};
use crate::pairs::{List, Pairs};

/// A first syllable, any one, and a last syllable, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub(super) firsts: Vec<u16>,
    pub(super) lasts: Vec<u16>,
    /// What is not looked for between them.
    pub(super) but: Vec<u16>,
}

impl Around {
    /// Adds the documents of a segment.
    pub(super) fn insert_into(&self, found: &mut Bits, pairs: &Pairs, n_docs: u32) {
        for (middle, befores) in self.middles(pairs) {
            let keys: Vec<u32> = self
                .lasts
                .iter()
                .map(|&last| syllable_pair(middle, last))
                .collect();
            let afters = group_lists(pairs, &keys);
            if afters.is_empty() {
                continue;
            }
            let (rarer, other) = match size_of(&befores) <= size_of(&afters) {
                true => (befores, afters),
                false => (afters, befores),
            };
            let mut docs = union(&rarer, n_docs);
            if size_of(&other) <= docs.len() * ENTRIES_A_LINE {
                keep_listed(&mut docs, &other, n_docs);
            }
            docs.into_iter().for_each(|doc| found.insert(doc));
        }
    }

    /// What comes after a first syllable, with the documents in which it does.
    fn middles<'a>(&self, pairs: &'a Pairs) -> Vec<(u16, Vec<List<'a>>)> {
        let mut middles: Vec<(u16, Vec<List<'_>>)> = Vec::new();
        for &first in &self.firsts {
            for (key, list) in pairs.lists(syllable_range(first)) {
                let middle = second_syllable(key);
                match middles.binary_search_by_key(&middle, |(middle, _)| *middle) {
                    Ok(at) => middles[at].1.push(list),
                    Err(at) => middles.insert(at, (middle, vec![list])),
                }
            }
        }
        middles.retain(|(middle, _)| !self.but.contains(middle));
        middles
    }
}
