//! Lists of documents put together: any of several, all of several.

use tantivy::DocId;

use crate::pairs::{List, Pairs};

/// Groups that are intersected at most; the rest is checked on the lines.
const MOST_GROUPS: usize = 4;
/// Reading this many entries of a list costs about as much as checking one line.
pub(super) const ENTRIES_A_LINE: usize = 40;

pub(super) fn size_of(lists: &[List<'_>]) -> usize {
    lists.iter().map(|list| list.size()).sum()
}

pub(super) fn group_lists<'a>(pairs: &'a Pairs, group: &[u32]) -> Vec<List<'a>> {
    group.iter().filter_map(|&key| pairs.list(key)).collect()
}

/// The documents that have a key of every group.
pub(super) fn intersect_groups(pairs: &Pairs, groups: &[Vec<u32>], n_docs: u32) -> Vec<DocId> {
    let mut found: Vec<(usize, Vec<List<'_>>)> = Vec::with_capacity(groups.len());
    for group in groups {
        let lists = group_lists(pairs, group);
        if lists.is_empty() {
            return Vec::new();
        }
        found.push((lists.iter().map(|list| list.size()).sum(), lists));
    }
    found.sort_by_key(|(size, _)| *size);
    let mut found = found.into_iter();
    let Some((_, rarest)) = found.next() else {
        return Vec::new();
    };
    let mut docs = union(&rarest, n_docs);
    for (size, lists) in found.take(MOST_GROUPS - 1) {
        if size > docs.len() * ENTRIES_A_LINE {
            break;
        }
        keep_listed(&mut docs, &lists, n_docs);
    }
    docs
}

/// Keeps the documents that are in any of the lists.
pub(super) fn keep_listed(docs: &mut Vec<DocId>, lists: &[List<'_>], n_docs: u32) {
    if size_of(lists) > n_docs as usize / DENSE {
        let listed = Bits::of(lists, n_docs);
        docs.retain(|&doc| listed.contains(doc));
        return;
    }
    let mut kept = vec![false; docs.len()];
    for list in lists {
        let mut at = 0;
        list.for_each(|doc| {
            while docs.get(at).is_some_and(|&kept| kept < doc) {
                at += 1;
            }
            if docs.get(at) == Some(&doc) {
                kept[at] = true;
            }
        });
    }
    let mut kept = kept.into_iter();
    docs.retain(|_| kept.next().unwrap_or(false));
}

/// The documents of several lists.
pub(super) fn union(lists: &[List<'_>], n_docs: u32) -> Vec<DocId> {
    let size: usize = lists.iter().map(|list| list.size()).sum();
    if let [single] = lists {
        let mut docs = Vec::with_capacity(size);
        single.for_each(|doc| docs.push(doc));
        return docs;
    }
    if size > n_docs as usize / DENSE {
        return Bits::of(lists, n_docs).members();
    }
    let mut docs = Vec::with_capacity(size);
    lists
        .iter()
        .for_each(|list| list.for_each(|doc| docs.push(doc)));
    docs.sort_unstable();
    docs.dedup();
    docs
}

/// From one document in so many on, a set of bits is quicker than sorting.
const DENSE: usize = 64;

/// A set of documents.
#[derive(Clone)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn new(n_docs: u32) -> Self {
        Self(vec![0; n_docs as usize / 64 + 1])
    }

    /// The documents of several lists.
    pub(super) fn of(lists: &[List<'_>], n_docs: u32) -> Self {
        let mut bits = Self::new(n_docs);
        bits.insert_all(lists.iter().copied());
        bits
    }

    pub(super) fn insert_all<'a>(&mut self, lists: impl IntoIterator<Item = List<'a>>) {
        for list in lists {
            list.for_each(|doc| self.insert(doc));
        }
    }

    /// 64 documents a word, the first ones lowest.
    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }

    pub(super) const fn from_words(words: Vec<u64>) -> Self {
        Self(words)
    }

    fn contains(&self, doc: DocId) -> bool {
        let word = self.0.get(doc as usize / 64);
        word.is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    #[inline]
    pub(super) fn insert(&mut self, doc: DocId) {
        if let Some(word) = self.0.get_mut(doc as usize / 64) {
            *word |= 1 << (doc % 64);
        }
    }

    /// In order.
    pub(super) fn members(&self) -> Vec<DocId> {
        let n_docs: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let mut docs = Vec::with_capacity(n_docs as usize);
        for (index, &word) in self.0.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                docs.push(index as u32 * 64 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        docs
    }
}

pub(super) fn shared(mut one: Vec<DocId>, other: Vec<DocId>) -> Vec<DocId> {
    let mut at = 0;
    one.retain(|&doc| {
        while other.get(at).is_some_and(|&next| next < doc) {
            at += 1;
        }
        other.get(at) == Some(&doc)
    });
    one
}
