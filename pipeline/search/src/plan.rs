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

use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, InvertedIndexReader, SegmentReader, Term};

use crate::keys::{
    END, is_exact, second_syllable, syllable_pair, syllable_range, unit_id, unit_pair, unit_range,
    units_of,
};
use crate::pairs::{List, Pairs};
use crate::queries::Snapshot;
use crate::schema::Fields;
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
    /// One hanzi as a word, or as the beginning of one.
    Word {
        field: Field,
        hanzi: String,
        whole: Whole,
    },
    /// Any of these.
    AnyOf(Vec<Plan>),
    /// All of these.
    AllOf(Vec<Plan>),
}

/// How a hanzi must stand in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    Word,
    Beginning,
}

/// Groups that are intersected at most; the rest is checked on the lines.
const MOST_GROUPS: usize = 4;
/// Reading this many entries of a list costs about as much as checking one line.
const ENTRIES_A_LINE: usize = 40;

impl Plan {
    /// Documents that can hold the units of a normal form side by side.
    pub(crate) fn phrase(_fields: &Fields, codes: &[u16]) -> Self {
        let ids: Vec<u16> = units_of(codes).map(unit_id).collect();
        match ids.as_slice() {
            [single] => Self::Ranges(vec![unit_range(*single)]),
            _ => Self::Groups(pair_groups(&ids)),
        }
    }

    /// Whether every document of [`Self::phrase`] holds the phrase: it is one unit or one pair,
    /// and no word of letters.
    pub(crate) fn decides_phrase(codes: &[u16]) -> bool {
        units_of(codes).count() <= 2 && units_of(codes).all(is_exact)
    }

    /// Documents that can hold a word that begins with the units of a normal form.
    pub(crate) fn prefix(fields: &Fields, codes: &[u16]) -> Self {
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
            ([_], [hanzi]) if letters.is_none() && is_hanzi(hanzi) => {
                Some(Self::word(fields, hanzi, Whole::Beginning))
            }
            ([single], _) => Some(Self::Ranges(vec![unit_range(*single)])),
            _ => Some(Self::Groups(pair_groups(&ids))),
        };
        Self::AllOf(before.into_iter().chain(letters).collect())
    }

    /// Documents that can hold the units of a normal form as whole words.
    pub(crate) fn words(fields: &Fields, codes: &[u16]) -> Self {
        let mut all = units_of(codes);
        match (all.next(), all.next()) {
            (Some(hanzi), None) if is_hanzi(hanzi) => Self::word(fields, hanzi, Whole::Word),
            _ => Self::phrase(fields, codes),
        }
    }

    fn word(fields: &Fields, hanzi: &[u16], whole: Whole) -> Self {
        Self::Word {
            field: fields.words,
            hanzi: String::from_utf16_lossy(hanzi),
            whole,
        }
    }

    /// Documents that can hold a sound.
    pub(crate) fn sound(pattern: &SoundPattern) -> Self {
        let n = pattern.len();
        let rows: Vec<Vec<u16>> = (0..n).map(|index| pattern.rows(index)).collect();
        let pairs = |range: Range<usize>| {
            let rows = &rows[range];
            Self::Groups(
                rows.windows(2)
                    .map(|pair| syllable_pairs(&pair[0], &pair[1]))
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

    /// About how many documents can match, for weights.
    pub(crate) fn doc_freq(&self, snapshot: &Snapshot) -> tantivy::Result<usize> {
        let mut sum = 0;
        for reader in snapshot.searcher.segment_readers() {
            sum += self.size_in(reader, &snapshot.files(reader)?.pairs)?;
        }
        Ok(sum)
    }

    fn size_in(&self, reader: &SegmentReader, pairs: &Pairs) -> tantivy::Result<usize> {
        Ok(match self {
            Self::Groups(groups) => groups
                .iter()
                .map(|group| {
                    group_lists(pairs, group)
                        .iter()
                        .map(|list| list.size())
                        .sum()
                })
                .min()
                .unwrap_or(0),
            Self::Ranges(ranges) => ranges
                .iter()
                .flat_map(|range| pairs.lists(range.clone()))
                .map(|(_, list)| list.size())
                .sum(),
            Self::Around { .. } => 0,
            Self::Word { .. } => reader.max_doc() as usize / 50,
            Self::AnyOf(parts) => {
                let mut sum = 0;
                for part in parts {
                    sum += part.size_in(reader, pairs)?;
                }
                sum
            }
            Self::AllOf(parts) => {
                let mut least = reader.max_doc() as usize;
                for part in parts {
                    least = least.min(part.size_in(reader, pairs)?);
                }
                least
            }
        })
    }

    /// The documents of one segment, in order.
    pub(crate) fn documents(
        &self,
        reader: &SegmentReader,
        pairs: &Pairs,
    ) -> tantivy::Result<Vec<DocId>> {
        Ok(match self {
            Self::Groups(groups) => intersect_groups(pairs, groups, reader.max_doc()),
            Self::Ranges(ranges) => {
                let lists = ranges.iter().flat_map(|range| pairs.lists(range.clone()));
                union(
                    &lists.map(|(_, list)| list).collect::<Vec<_>>(),
                    reader.max_doc(),
                )
            }
            Self::Around { firsts, lasts } => around(pairs, firsts, lasts, reader.max_doc()),
            Self::Word {
                field,
                hanzi,
                whole,
            } => word_documents(reader, *field, hanzi, *whole)?,
            Self::AnyOf(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.push(part.documents(reader, pairs)?);
                }
                merged(all, reader.max_doc())
            }
            Self::AllOf(parts) => {
                let mut common: Option<Vec<DocId>> = None;
                for part in parts {
                    let docs = part.documents(reader, pairs)?;
                    common = Some(match common {
                        Some(before) => shared(before, docs),
                        None => docs,
                    });
                }
                common.unwrap_or_default()
            }
        })
    }
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
        let size = |lists: &[List<'_>]| lists.iter().map(|list| list.size()).sum::<usize>();
        let (rarer, other) = match size(&befores) <= size(&afters) {
            true => (befores, afters),
            false => (afters, befores),
        };
        let mut docs = union(&rarer, n_docs);
        if size(&other) <= docs.len() * ENTRIES_A_LINE {
            keep_listed(&mut docs, &other);
        }
        all.push(docs);
    }
    merged(all, n_docs)
}

fn word_documents(
    reader: &SegmentReader,
    field: Field,
    hanzi: &str,
    whole: Whole,
) -> tantivy::Result<Vec<DocId>> {
    let inverted = reader.inverted_index(field)?;
    let mut bits = Bits::new(reader.max_doc());
    match whole {
        Whole::Word => {
            if let Some(info) = inverted.get_term_info(&Term::from_field_text(field, hanzi))? {
                each_document(&inverted, &info, |doc| bits.insert(doc))?;
            }
        }
        Whole::Beginning => {
            let mut terms = inverted.terms().range().ge(hanzi.as_bytes());
            if let Some(after) = after_prefix(hanzi.as_bytes()) {
                terms = terms.lt(after);
            }
            let mut terms = terms.into_stream()?;
            while terms.advance() {
                each_document(&inverted, terms.value(), |doc| bits.insert(doc))?;
            }
        }
    }
    Ok(bits.members(1024))
}

/// Adds every document of a term.
pub(crate) fn insert_documents(
    inverted: &InvertedIndexReader,
    info: &TermInfo,
    bits: &mut BitSet,
) -> tantivy::Result<()> {
    each_document(inverted, info, |doc| {
        bits.insert(doc);
    })
}

fn each_document(
    inverted: &InvertedIndexReader,
    info: &TermInfo,
    mut each: impl FnMut(DocId),
) -> tantivy::Result<()> {
    let mut blocks = inverted.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    loop {
        let docs = blocks.docs();
        if docs.is_empty() {
            return Ok(());
        }
        docs.iter().for_each(|&doc| each(doc));
        blocks.advance();
    }
}

/// The first key after all keys that begin with `prefix`; none where there is no such key.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut after = prefix.to_vec();
    while let Some(last) = after.pop() {
        if last < u8::MAX {
            after.push(last + 1);
            return Some(after);
        }
    }
    None
}
