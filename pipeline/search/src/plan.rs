//! Which documents can match a place: the pairs narrow them down, the lines decide.
//!
//! **No match is lost**, whatever jieba makes of a phrase in its context:
//!
//! - a phrase of n ≥ 2 units occurs only where each of its n − 1 pairs of neighbouring units
//!   occurs, and every pair of neighbours of every utterance is listed. A single unit begins some
//!   pair (the last pair of an utterance is the last unit and an end mark);
//! - a sound without a full edit occurs only where each of its pairs occurs with some of the
//!   syllables that the budget allows for;
//! - a sound with k full edits, cut into k + 1 pieces, has a piece that no full edit touches
//!   (pigeonhole), and the pairs within that piece occur. Three syllables with one edit are fewer than
//!   two pieces of two; there every case is listed: the first pair stands, or the last, or the middle
//!   syllable is missing or another.

use std::ops::{Range, RangeInclusive};

use tantivy::DocId;

use crate::keys::{
    END, WHOLE_WORD, WORD_START, is_exact, second_syllable, syllable_pair, syllable_range, unit_id,
    unit_pair, unit_range, units_of,
};
use crate::pairs::{List, Pairs};
use crate::place::Edges;
use crate::queries::Snapshot;
use crate::sound::SoundPattern;
use crate::units;

/// Documents that can match.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// For each group at least one of its keys.
    Groups(Vec<Vec<u32>>),
    /// A key within one of the ranges.
    Ranges(Vec<RangeInclusive<u32>>),
    /// Two syllables with any one between them.
    Around { firsts: Vec<u16>, lasts: Vec<u16> },
    /// Any of these.
    AnyOf(Vec<Plan>),
    /// All of these.
    AllOf(Vec<Plan>),
}

/// Groups that are intersected at most; the rest is checked on the lines.
const MOST_GROUPS: usize = 4;
/// Reading this many entries of a list costs about as much as checking one line.
const ENTRIES_A_LINE: usize = 40;

impl Plan {
    /// Documents that can hold the units of a normal form side by side.
    pub(crate) fn phrase(codes: &[u16]) -> Self {
        let ids: Vec<u16> = units_of(codes).map(unit_id).collect();
        match ids.as_slice() {
            [single] => Self::Ranges(vec![unit_range(*single)]),
            _ => Self::Groups(pair_groups(&ids)),
        }
    }

    /// Whether every document of [`Self::phrase`], [`Self::prefix`] or [`Self::words`] matches: no unit is
    /// a word of letters, and there is one unit or one pair; of words, one hanzi.
    pub(crate) fn decides_phrase(codes: &[u16], edges: Edges) -> bool {
        let all_exact = units_of(codes).all(is_exact);
        all_exact
            && match edges {
                Edges::Units => units_of(codes).count() <= 2,
                Edges::BeginsWord | Edges::WholeWords => {
                    matches!(codes, [hanzi] if units::is_hanzi(*hanzi))
                }
            }
    }

    /// Documents that can hold a word that begins with the units of a normal form.
    pub(crate) fn prefix(codes: &[u16]) -> Self {
        let all: Vec<&[u16]> = units_of(codes).collect();
        // The last unit may be the beginning of a word of letters: its pairs are not known.
        let (letters, whole) = match all.split_last() {
            Some((last, before)) if last.first().is_some_and(|&code| units::is_letter(code)) => {
                (Some(*last), before)
            }
            _ => (None, all.as_slice()),
        };
        let letters = letters.map(|letters| match letters {
            [first, second, ..] => Self::Groups(vec![vec![unit_pair(*first, *second)]]),
            _ => Self::Ranges(vec![unit_range(letters.first().copied().unwrap_or(END))]),
        });
        let ids: Vec<u16> = whole.iter().copied().map(unit_id).collect();
        let before = match (ids.as_slice(), whole) {
            ([], _) => None,
            ([_], [hanzi]) if letters.is_none() && is_hanzi(hanzi) => Some(Self::Groups(vec![
                [WHOLE_WORD, WORD_START]
                    .map(|how| unit_pair(unit_id(hanzi), how))
                    .to_vec(),
            ])),
            ([single], _) => Some(Self::Ranges(vec![unit_range(*single)])),
            _ => Some(Self::Groups(pair_groups(&ids))),
        };
        Self::all_of(before.into_iter().chain(letters).collect())
    }

    /// Documents that can hold the units of a normal form as whole words.
    pub(crate) fn words(codes: &[u16]) -> Self {
        let mut all = units_of(codes);
        match (all.next(), all.next()) {
            (Some(hanzi), None) if is_hanzi(hanzi) => {
                Self::Groups(vec![vec![unit_pair(unit_id(hanzi), WHOLE_WORD)]])
            }
            _ => Self::phrase(codes),
        }
    }

    /// Documents that can hold a sound.
    pub(crate) fn sound(pattern: &SoundPattern) -> Self {
        let n = pattern.len();
        let rows: Vec<Vec<u16>> = (0..n).map(|index| pattern.rows(index)).collect();
        let pairs = |range: Range<usize>| {
            let firsts = range.start..range.end.saturating_sub(1);
            Self::Groups(
                firsts
                    .map(|index| near_pairs(pattern, index, &rows))
                    .collect(),
            )
        };
        let edits = pattern.full_edits();
        if n == 1 {
            return Self::Ranges(rows.concat().into_iter().map(syllable_range).collect());
        }
        if edits == 0 {
            return pairs(0..n);
        }
        if n < 2 * (edits + 1) {
            let (firsts, lasts) = (rows[0].clone(), rows[2].clone());
            let missing = Self::Groups(vec![syllable_pairs(&firsts, &lasts)]);
            let other = Self::Around { firsts, lasts };
            return Self::AnyOf(vec![pairs(0..2), pairs(1..3), missing, other]);
        }
        let pieces = edits + 1;
        Self::AnyOf(
            (0..pieces)
                .map(|i| pairs(i * n / pieces..(i + 1) * n / pieces))
                .collect(),
        )
    }

    /// Documents that can hold all of several things.
    pub(crate) fn all_of(parts: Vec<Self>) -> Self {
        let (mut groups, mut others) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                // Intersected together, the rarest first.
                Self::Groups(more) => groups.extend(more),
                other => others.push(other),
            }
        }
        if !groups.is_empty() {
            others.push(Self::Groups(groups));
        }
        match others.len() {
            1 => others.pop().unwrap_or(Self::AllOf(Vec::new())),
            _ => Self::AllOf(others),
        }
    }

    /// About how many documents can match, for weights.
    pub(crate) fn doc_freq(&self, snapshot: &Snapshot) -> tantivy::Result<usize> {
        let mut sum = 0;
        for reader in snapshot.searcher.segment_readers() {
            sum += self.size_in(&snapshot.files(reader)?.pairs);
        }
        Ok(sum)
    }

    fn size_in(&self, pairs: &Pairs) -> usize {
        match self {
            Self::Groups(groups) => {
                let sizes = groups
                    .iter()
                    .map(|group| size_of(&group_lists(pairs, group)));
                sizes.min().unwrap_or(0)
            }
            Self::Ranges(ranges) => {
                let lists = ranges.iter().flat_map(|range| pairs.lists(range.clone()));
                lists.map(|(_, list)| list.size()).sum()
            }
            Self::Around { .. } => 0,
            Self::AnyOf(parts) => parts.iter().map(|part| part.size_in(pairs)).sum(),
            Self::AllOf(parts) => parts
                .iter()
                .map(|part| part.size_in(pairs))
                .min()
                .unwrap_or(0),
        }
    }

    /// The documents of a segment of `n_docs` documents, in order.
    pub(crate) fn documents(&self, pairs: &Pairs, n_docs: u32) -> Vec<DocId> {
        match self {
            Self::Groups(groups) => intersect_groups(pairs, groups, n_docs),
            Self::Ranges(ranges) => {
                let lists = ranges.iter().flat_map(|range| pairs.lists(range.clone()));
                union(&lists.map(|(_, list)| list).collect::<Vec<_>>(), n_docs)
            }
            Self::Around { firsts, lasts } => around(pairs, firsts, lasts, n_docs),
            Self::AnyOf(parts) => merged(
                parts
                    .iter()
                    .map(|part| part.documents(pairs, n_docs))
                    .collect(),
                n_docs,
            ),
            Self::AllOf(parts) => {
                let all = parts.iter().map(|part| part.documents(pairs, n_docs));
                all.reduce(shared).unwrap_or_default()
            }
        }
    }
}

fn size_of(lists: &[List<'_>]) -> usize {
    lists.iter().map(|list| list.size()).sum()
}

fn is_hanzi(unit: &[u16]) -> bool {
    unit.first().is_some_and(|&code| units::is_hanzi(code))
}

fn pair_groups(ids: &[u16]) -> Vec<Vec<u32>> {
    ids.windows(2)
        .map(|pair| vec![unit_pair(pair[0], pair[1])])
        .collect()
}

fn syllable_pairs(firsts: &[u16], seconds: &[u16]) -> Vec<u32> {
    let mut keys = Vec::with_capacity(firsts.len() * seconds.len());
    for &first in firsts {
        keys.extend(seconds.iter().map(|&second| syllable_pair(first, second)));
    }
    keys
}

/// The pairs that can be heard for two neighbouring syllables of a sound without a full edit and within
/// the budget.
fn near_pairs(pattern: &SoundPattern, index: usize, rows: &[Vec<u16>]) -> Vec<u32> {
    let (firsts, seconds) = (&rows[index], &rows[index + 1]);
    let mut keys = Vec::with_capacity(firsts.len() * seconds.len());
    for &first in firsts {
        let within = |second: &&u16| {
            let cost = pattern.cost_of(index, first) + pattern.cost_of(index + 1, **second);
            cost <= pattern.budget()
        };
        let seconds = seconds.iter().filter(within);
        keys.extend(seconds.map(|&second| syllable_pair(first, second)));
    }
    keys
}

fn group_lists<'a>(pairs: &'a Pairs, group: &[u32]) -> Vec<List<'a>> {
    group.iter().filter_map(|&key| pairs.list(key)).collect()
}

/// The documents that have a key of every group.
fn intersect_groups(pairs: &Pairs, groups: &[Vec<u32>], n_docs: u32) -> Vec<DocId> {
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
        keep_listed(&mut docs, &lists);
    }
    docs
}

/// Keeps the documents that are in any of the lists.
fn keep_listed(docs: &mut Vec<DocId>, lists: &[List<'_>]) {
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
fn union(lists: &[List<'_>], n_docs: u32) -> Vec<DocId> {
    let size: usize = lists.iter().map(|list| list.size()).sum();
    if let [single] = lists {
        let mut docs = Vec::with_capacity(size);
        single.for_each(|doc| docs.push(doc));
        return docs;
    }
    if size > n_docs as usize / DENSE {
        let mut bits = Bits::new(n_docs);
        lists
            .iter()
            .for_each(|list| list.for_each(|doc| bits.insert(doc)));
        return bits.members(size);
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
struct Bits(Vec<u64>);

impl Bits {
    fn new(n_docs: u32) -> Self {
        Self(vec![0; n_docs as usize / 64 + 1])
    }

    fn insert(&mut self, doc: DocId) {
        if let Some(word) = self.0.get_mut(doc as usize / 64) {
            *word |= 1 << (doc % 64);
        }
    }

    fn members(&self, expected: usize) -> Vec<DocId> {
        let mut docs = Vec::with_capacity(expected);
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

fn merged(mut parts: Vec<Vec<DocId>>, n_docs: u32) -> Vec<DocId> {
    parts.retain(|part| !part.is_empty());
    if parts.len() < 2 {
        return parts.pop().unwrap_or_default();
    }
    let mut bits = Bits::new(n_docs);
    let expected = parts.iter().map(Vec::len).sum();
    for doc in parts.into_iter().flatten() {
        bits.insert(doc);
    }
    bits.members(expected)
}

fn shared(mut one: Vec<DocId>, other: Vec<DocId>) -> Vec<DocId> {
    let mut at = 0;
    one.retain(|&doc| {
        while other.get(at).is_some_and(|&next| next < doc) {
            at += 1;
        }
        other.get(at) == Some(&doc)
    });
    one
}

/// Documents with a first syllable, any other one, and a last syllable, one after the other.
fn around(pairs: &Pairs, firsts: &[u16], lasts: &[u16], n_docs: u32) -> Vec<DocId> {
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
            keep_listed(&mut docs, &other);
        }
        all.push(docs);
    }
    merged(all, n_docs)
}
