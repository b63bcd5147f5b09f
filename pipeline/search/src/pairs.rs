//! The pairs file: which documents hold two neighbours.
//!
//! Every pair of neighbouring units of an utterance, in its spoken form and in its written one, and
//! every pair of neighbouring syllables, in all their hearings, is a key of 32 bits. For each key
//! the file lists the documents that have it. It is an inverted index that knows only this one
//! kind of term, which makes it several times quicker to fill than a general one: a pair costs eight
//! bytes in a list and one radix sort, no hashing.
//!
//! ```text
//! lists…     per key: documents as differences, seven bits a byte, low bits first
//! keys       k numbers of 32 bits, little endian, ascending
//! ends       k numbers of 32 bits: where each key's list ends
//! k, magic   two numbers of 32 bits
//! ```

use std::io::Write;
use std::ops::{Range, RangeInclusive};

use tantivy::directory::OwnedBytes;
use tantivy::error::DataCorruption;
use tantivy::fastfield::AliveBitSet;
use tantivy::{DocId, TantivyError};

use crate::keys::FIRST_UNIT_KEY;

const MAGIC: u32 = 0x3150_4C41;

/// Collects the pairs of one segment, document by document.
#[derive(Default)]
pub(crate) struct PairsBuilder {
    /// Key in the high half, document in the low one.
    units: Vec<u64>,
    /// Keys below [`FIRST_UNIT_KEY`], in the same way.
    syllables: Vec<u64>,
}

impl PairsBuilder {
    /// Adds the keys of the next document. Repeats do no harm.
    pub(crate) fn add(&mut self, doc: DocId, keys: &[u32]) {
        let doc = u64::from(doc);
        for &key in keys {
            let entry = u64::from(key) << 32 | doc;
            if key < FIRST_UNIT_KEY {
                self.syllables.push(entry);
            } else {
                self.units.push(entry);
            }
        }
    }

    pub(crate) fn mem_usage(&self) -> usize {
        (self.units.len() + self.syllables.len()) * 8
    }

    /// Writes the file.
    pub(crate) fn write(self, out: &mut impl Write) -> tantivy::Result<()> {
        let Self {
            mut units,
            syllables,
        } = self;
        let mut writer = PairsWriter::new(out);
        write_syllables(syllables, &mut writer)?;
        sort_by_key(&mut units);
        for list in units.chunk_by(|one, next| one >> 32 == next >> 32) {
            let Some(first) = list.first() else { continue };
            for entry in list {
                writer.push_new(*entry as u32);
            }
            writer.finish_list((first >> 32) as u32)?;
        }
        writer.finish()
    }
}

/// Syllables are few enough to have a place for every pair of them: one pass puts all in order.
fn write_syllables<W: Write>(
    entries: Vec<u64>,
    writer: &mut PairsWriter<'_, W>,
) -> tantivy::Result<()> {
    let mut ends = vec![0u32; FIRST_UNIT_KEY as usize + 1];
    for entry in &entries {
        ends[(entry >> 32) as usize + 1] += 1;
    }
    for key in 1..ends.len() {
        ends[key] += ends[key - 1];
    }
    let mut docs = vec![0u32; entries.len()];
    // While documents are put down, `ends[key]` runs from where a list begins to where it ends.
    for entry in &entries {
        let end = &mut ends[(entry >> 32) as usize];
        docs[*end as usize] = *entry as u32;
        *end += 1;
    }
    drop(entries);
    let mut start = 0;
    for (key, &end) in (0..FIRST_UNIT_KEY).zip(&ends) {
        for &doc in &docs[start as usize..end as usize] {
            writer.push_new(doc);
        }
        writer.finish_list(key)?;
        start = end;
    }
    Ok(())
}

const RADIX_BITS: u32 = 11;

/// Sorts by the high half; documents were added in order and stay so.
fn sort_by_key(entries: &mut Vec<u64>) {
    let mut other = vec![0; entries.len()];
    for shift in [32, 32 + RADIX_BITS, 32 + 2 * RADIX_BITS] {
        let digit = |entry: u64| (entry >> shift) as usize & ((1 << RADIX_BITS) - 1);
        let mut places = [0usize; 1 << RADIX_BITS];
        for &entry in entries.iter() {
            places[digit(entry)] += 1;
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for &entry in entries.iter() {
            let place = &mut places[digit(entry)];
            other[*place] = entry;
            *place += 1;
        }
        std::mem::swap(entries, &mut other);
    }
}

struct PairsWriter<'a, W: Write> {
    out: &'a mut W,
    list: Vec<u8>,
    last: Option<DocId>,
    written: usize,
    keys: Vec<u32>,
    ends: Vec<u32>,
}

impl<'a, W: Write> PairsWriter<'a, W> {
    const fn new(out: &'a mut W) -> Self {
        Self {
            out,
            list: Vec::new(),
            last: None,
            written: 0,
            keys: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// As [`Self::push`]; a document that was added just before is passed over.
    fn push_new(&mut self, doc: DocId) {
        if self.last != Some(doc) {
            self.push(doc);
        }
    }

    /// Adds a document, greater than the last one, to the present list.
    fn push(&mut self, doc: DocId) {
        let mut rest = doc - self.last.map_or(0, |last| last + 1);
        while rest >= 0x80 {
            self.list.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.list.push(rest as u8);
        self.last = Some(doc);
    }

    /// Adds documents already written as differences, the last of them `last`.
    fn extend(&mut self, differences: &[u8], last: DocId) {
        self.list.extend_from_slice(differences);
        self.last = Some(last);
    }

    fn finish_list(&mut self, key: u32) -> tantivy::Result<()> {
        if self.last.take().is_none() {
            return Ok(());
        }
        self.out.write_all(&self.list)?;
        self.written += self.list.len();
        self.list.clear();
        self.keys.push(key);
        self.ends.push(u32::try_from(self.written).map_err(|_| {
            TantivyError::InvalidArgument("a segment holds more than 4 GiB of pairs".into())
        })?);
        Ok(())
    }

    fn finish(self) -> tantivy::Result<()> {
        let mut bytes = Vec::with_capacity(self.keys.len() * 8 + 8);
        let n_keys = self.keys.len() as u32;
        for number in self.keys.iter().chain(&self.ends).chain([&n_keys, &MAGIC]) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Ok(self.out.write_all(&bytes)?)
    }
}

/// The pairs of one segment.
#[derive(Debug)]
pub(crate) struct Pairs {
    bytes: OwnedBytes,
    n_keys: usize,
    keys_at: usize,
}

impl Pairs {
    /// Checks that the parts of a file fit together.
    pub(crate) fn open(bytes: OwnedBytes) -> tantivy::Result<Self> {
        let damaged = |what: &str| DataCorruption::comment_only(format!("pairs file: {what}"));
        let tail_at = bytes
            .len()
            .checked_sub(8)
            .ok_or_else(|| damaged("too short"))?;
        if number(&bytes[tail_at + 4..]) != MAGIC {
            return Err(damaged("its end is not as written").into());
        }
        let n_keys = number(&bytes[tail_at..tail_at + 4]) as usize;
        let keys_at = n_keys
            .checked_mul(8)
            .and_then(|tables| tail_at.checked_sub(tables))
            .ok_or_else(|| damaged("its tables do not fit"))?;
        let pairs = Self {
            bytes,
            n_keys,
            keys_at,
        };
        if n_keys > 0 && pairs.list_at(n_keys - 1).end != keys_at {
            return Err(damaged("its lists do not fit").into());
        }
        Ok(pairs)
    }

    fn key_at(&self, index: usize) -> u32 {
        let at = self.keys_at + index * 4;
        self.bytes.get(at..at + 4).map_or(0, number)
    }

    fn list_at(&self, index: usize) -> Range<usize> {
        let end_of = |index: usize| {
            let at = self.keys_at + (self.n_keys + index) * 4;
            self.bytes.get(at..at + 4).map_or(0, number) as usize
        };
        index.checked_sub(1).map_or(0, end_of)..end_of(index)
    }

    /// The number of keys below `key`.
    fn rank(&self, key: u32) -> usize {
        let (mut low, mut high) = (0, self.n_keys);
        while low < high {
            let middle = low.midpoint(high);
            if self.key_at(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The documents of one key.
    pub(crate) fn list(&self, key: u32) -> Option<List<'_>> {
        let index = self.rank(key);
        (index < self.n_keys && self.key_at(index) == key).then(|| self.nth(index))
    }

    /// The keys within limits and their documents, in order of the keys.
    pub(crate) fn lists(&self, keys: RangeInclusive<u32>) -> impl Iterator<Item = (u32, List<'_>)> {
        (self.rank(*keys.start())..self.n_keys)
            .map(|index| (self.key_at(index), self.nth(index)))
            .take_while(move |(key, _)| key <= keys.end())
    }

    fn nth(&self, index: usize) -> List<'_> {
        List {
            bytes: self.bytes.get(self.list_at(index)).unwrap_or(&[]),
        }
    }
}

/// The documents of one key, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    bytes: &'a [u8],
}

impl List<'_> {
    /// Its size in bytes: at least the number of documents, seldom twice as much.
    pub(crate) const fn size(self) -> usize {
        self.bytes.len()
    }

    /// Calls `each` with every document.
    #[inline]
    pub(crate) fn for_each(self, mut each: impl FnMut(DocId)) {
        let mut next = 0u32;
        let mut shift = 0;
        let mut difference = 0u32;
        for &byte in self.bytes {
            difference |= u32::from(byte & 0x7F) << (shift & 31);
            if byte & 0x80 != 0 {
                shift += 7;
                continue;
            }
            let doc = next.wrapping_add(difference);
            each(doc);
            next = doc.wrapping_add(1);
            (shift, difference) = (0, 0);
        }
    }
}

/// One segment to be merged.
pub(crate) struct MergeSource<'a> {
    pub(crate) pairs: Pairs,
    pub(crate) alive: Option<&'a AliveBitSet>,
    pub(crate) n_docs: u32,
}

/// Writes the pairs of several segments, one after the other, without deleted documents.
pub(crate) fn merge(sources: &[MergeSource<'_>], out: &mut impl Write) -> tantivy::Result<()> {
    let mut renumbered = Vec::with_capacity(sources.len());
    let mut first = 0;
    for source in sources {
        let numbers = Renumbered::new(source, first);
        first += numbers.n_alive;
        renumbered.push(numbers);
    }
    let mut order: Vec<(u32, u32, u32)> = Vec::new();
    for (place, source) in sources.iter().enumerate() {
        let keys = (0..source.pairs.n_keys)
            .map(|index| (source.pairs.key_at(index), place as u32, index as u32));
        order.extend(keys);
    }
    // Runs that are sorted already: a merging sort takes them as they are.
    order.sort();
    let mut writer = PairsWriter::new(out);
    for lists in order.chunk_by(|one, next| one.0 == next.0) {
        for &(_, place, index) in lists {
            let list = sources[place as usize].pairs.nth(index as usize);
            renumbered[place as usize].copy(list, &mut writer);
        }
        if let Some((key, ..)) = lists.first() {
            writer.finish_list(*key)?;
        }
    }
    writer.finish()
}

/// What the documents of a segment are called after a merge.
struct Renumbered {
    first: DocId,
    n_alive: u32,
    /// The new number of each document, where some are deleted.
    numbers: Option<Vec<Option<DocId>>>,
}

impl Renumbered {
    fn new(source: &MergeSource<'_>, first: DocId) -> Self {
        let Some(alive) = source.alive else {
            return Self {
                first,
                n_alive: source.n_docs,
                numbers: None,
            };
        };
        let mut next = first;
        let numbers = (0..source.n_docs)
            .map(|doc| {
                alive.is_alive(doc).then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        Self {
            first,
            n_alive: next - first,
            numbers: Some(numbers),
        }
    }

    fn copy<W: Write>(&self, list: List<'_>, writer: &mut PairsWriter<'_, W>) {
        match &self.numbers {
            Some(numbers) => list.for_each(|doc| {
                if let Some(Some(new)) = numbers.get(doc as usize) {
                    writer.push(*new);
                }
            }),
            None => {
                // Only the first difference changes.
                let head = list.bytes.iter().position(|byte| byte & 0x80 == 0);
                let (head, rest) = list.bytes.split_at(head.map_or(0, |last| last + 1));
                List { bytes: head }.for_each(|doc| writer.push(self.first + doc));
                if !rest.is_empty() {
                    let mut last = 0;
                    list.for_each(|doc| last = doc);
                    writer.extend(rest, self.first + last);
                }
            }
        }
    }
}

fn number(bytes: &[u8]) -> u32 {
    match bytes {
        &[a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn open(docs: &[Vec<u32>]) -> Pairs {
        let mut builder = PairsBuilder::default();
        for (doc, keys) in docs.iter().enumerate() {
            builder.add(doc as u32, keys);
        }
        let mut out = Vec::new();
        builder.write(&mut out).unwrap();
        Pairs::open(OwnedBytes::new(out)).unwrap()
    }

    fn all(pairs: &Pairs) -> BTreeMap<u32, Vec<u32>> {
        pairs
            .lists(0..=u32::MAX)
            .map(|(key, list)| {
                let mut docs = Vec::new();
                list.for_each(|doc| docs.push(doc));
                (key, docs)
            })
            .collect()
    }

    fn expected(docs: &[Vec<u32>]) -> BTreeMap<u32, Vec<u32>> {
        let mut lists: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (doc, keys) in docs.iter().enumerate() {
            for &key in keys {
                lists.entry(key).or_default().insert(doc as u32);
            }
        }
        lists
            .into_iter()
            .map(|(key, docs)| (key, docs.into_iter().collect()))
            .collect()
    }

    fn documents() -> impl Strategy<Value = Vec<Vec<u32>>> {
        let key = prop_oneof![0u32..6, any::<u32>(), Just(u32::MAX)];
        prop::collection::vec(prop::collection::vec(key, 0..6), 0..300)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(docs in documents()) {
            let pairs = open(&docs);
            let lists = expected(&docs);
            prop_assert_eq!(all(&pairs), lists.clone());
            for key in [0, 3, 7, u32::MAX] {
                prop_assert_eq!(pairs.list(key).is_some(), lists.contains_key(&key));
            }
        }

        #[test]
        fn merging_stacks_segments(one in documents(), two in documents()) {
            let source = |docs: &[Vec<u32>]| MergeSource {
                pairs: open(docs), alive: None, n_docs: docs.len() as u32,
            };
            let mut out = Vec::new();
            merge(&[source(&one), source(&two)], &mut out).unwrap();
            let merged = Pairs::open(OwnedBytes::new(out)).unwrap();
            let both: Vec<Vec<u32>> = one.into_iter().chain(two).collect();
            prop_assert_eq!(all(&merged), expected(&both));
        }

        #[test]
        fn damaged_files_are_told_or_do_no_harm(
            docs in documents(), at in any::<prop::sample::Index>(), with in any::<u8>(), cut in 0usize..40,
        ) {
            let mut bytes = open(&docs).bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] = with;
            bytes.truncate(bytes.len().saturating_sub(cut));
            if let Ok(pairs) = Pairs::open(OwnedBytes::new(bytes)) {
                for (_, list) in pairs.lists(0..=u32::MAX).take(100) {
                    list.for_each(|_| {});
                }
            }
        }
    }
}
