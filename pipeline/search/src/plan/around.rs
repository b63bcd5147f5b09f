//! Two syllables with any one between them.

use tantivy::DocId;

use super::sets::{ENTRIES_A_LINE, group_lists, keep_listed, merged, size_of, union};
use crate::keys::{second_syllable, syllable_pair, syllable_range};
use crate::pairs::{List, Pairs};

/// Documents with a first syllable, any other one, and a last syllable, one after the other.
pub(super) fn documents(pairs: &Pairs, firsts: &[u16], lasts: &[u16], n_docs: u32) -> Vec<DocId> {
    let mut middles: Vec<(u16, Vec<List<'_>>)> = Vec::new();
    for &first in firsts {
        for (key, list) in pairs.lists(syllable_range(first)) {
            let middle = second_syllable(key);
            match middles.binary_search_by_key(&middle, |(middle, _)| *middle) {
                Ok(at) => middles[at].1.push(list),
                Err(at) => middles.insert(at, (middle, vec![list])),
            }
        }
    }
    let mut all = Vec::new();
    for (middle, befores) in middles {
        let keys: Vec<u32> = lasts
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
        all.push(docs);
    }
    merged(all, n_docs)
}
