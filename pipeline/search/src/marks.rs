//! Rules and intents of the utterances of a segment, in memory: facets and results look at them hit by hit.
//!
//! Few utterances have any, so these are lists of documents. Emotions, which most have, are in the lines.

use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, InvertedIndexReader, SegmentReader};

use crate::schema::Fields;

/// The findings of one segment.
#[derive(Debug)]
pub(crate) struct Marks {
    /// Rules by the utterances that are their evidence.
    pub(crate) rules: Named,
    /// Rules by the calls they belong to as a whole.
    pub(crate) call_rules: Named,
    pub(crate) intents: Named,
}

/// Which documents have which of some names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// In order.
    pub(crate) names: Vec<String>,
    /// Documents in order, each with the place of one of its names. Documents with several come several times.
    pub(crate) pairs: Vec<(DocId, u32)>,
}

impl Marks {
    pub(crate) fn open(reader: &SegmentReader, fields: &Fields) -> tantivy::Result<Self> {
        Ok(Self {
            rules: Named::open(reader, fields.hit)?,
            call_rules: Named::open(reader, fields.call_hit)?,
            intents: Named::open(reader, fields.intent)?,
        })
    }
}

impl Named {
    fn open(reader: &SegmentReader, field: Field) -> tantivy::Result<Self> {
        let inverted = reader.inverted_index(field)?;
        let mut found = Self::default();
        let mut terms = inverted.terms().stream()?;
        while terms.advance() {
            let name = found.names.len() as u32;
            found
                .names
                .push(String::from_utf8_lossy(terms.key()).into_owned());
            let pairs = &mut found.pairs;
            each_document(&inverted, terms.value(), |doc| pairs.push((doc, name)))?;
        }
        found.pairs.sort_unstable();
        Ok(found)
    }

    /// The names of a document.
    pub(crate) fn of(&self, doc: DocId) -> impl Iterator<Item = &str> {
        let first = self.pairs.partition_point(|&(other, _)| other < doc);
        let pairs = self.pairs.get(first..).unwrap_or(&[]).iter();
        pairs
            .take_while(move |&&(other, _)| other == doc)
            .filter_map(|&(_, name)| self.names.get(name as usize).map(String::as_str))
    }
}

/// The terms of a field, in order.
pub(crate) fn names_of(reader: &SegmentReader, field: Field) -> tantivy::Result<Vec<String>> {
    let inverted = reader.inverted_index(field)?;
    let mut terms = inverted.terms().stream()?;
    let mut names = Vec::new();
    while terms.advance() {
        names.push(String::from_utf8_lossy(terms.key()).into_owned());
    }
    Ok(names)
}

/// Goes through the names of documents in the documents' order.
pub(crate) struct NamesInOrder<'a> {
    rest: &'a [(DocId, u32)],
}

impl<'a> NamesInOrder<'a> {
    pub(crate) fn new(named: &'a Named) -> Self {
        Self { rest: &named.pairs }
    }

    /// The documents from `first` to `last` that have names, with the places of these; of documents before `first`
    /// nothing is known any more.
    #[inline]
    pub(crate) fn of(&mut self, first: DocId, last: DocId) -> &'a [(DocId, u32)] {
        match self.rest.first() {
            Some(&(next, _)) if next <= last => self.take(first, last),
            _ => &[],
        }
    }

    fn take(&mut self, first: DocId, last: DocId) -> &'a [(DocId, u32)] {
        // Double the step, then halve it: what lies between two calls may be little or much.
        let mut step = 1;
        while self.rest.get(step).is_some_and(|&(next, _)| next < first) {
            step *= 2;
        }
        let near = self.rest.get(..(step + 1).min(self.rest.len()));
        let near = near.unwrap_or(&[]);
        let before = near.partition_point(|&(next, _)| next < first);
        let (_, rest) = self.rest.split_at(before);
        let n_names = rest.iter().take_while(|&&(next, _)| next <= last).count();
        let (names, rest) = rest.split_at(n_names);
        self.rest = rest;
        names
    }
}

/// Calls `found` with every document of a term, deleted ones too.
pub(crate) fn each_document(
    inverted: &InvertedIndexReader,
    info: &tantivy::postings::TermInfo,
    mut found: impl FnMut(DocId),
) -> tantivy::Result<()> {
    let mut blocks = inverted.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    loop {
        let docs = blocks.docs();
        if docs.is_empty() {
            return Ok(());
        }
        docs.iter().copied().for_each(&mut found);
        blocks.advance();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_in_order_are_those_of_the_documents(
            pairs in prop::collection::btree_set((0u32..60, 0u32..3), 0..80),
            ends in prop::collection::btree_set(0u32..70, 0..40),
        ) {
            let named = Named {
                names: ["a", "b", "c"].map(str::to_owned).to_vec(),
                pairs: pairs.into_iter().collect(),
            };
            let mut in_order = NamesInOrder::new(&named);
            let ends: Vec<u32> = ends.into_iter().collect();
            for span in ends.chunks_exact(2) {
                let (first, last) = (span[0], span[1]);
                let expected = named.pairs.iter().copied();
                let expected = expected.filter(|pair| (first..=last).contains(&pair.0));
                prop_assert_eq!(in_order.of(first, last), expected.collect::<Vec<_>>());
                let names = named.pairs.iter().filter(|pair| pair.0 == first);
                let names: Vec<&str> =
                    names.map(|pair| named.names[pair.1 as usize].as_str()).collect();
                prop_assert_eq!(named.of(first).collect::<Vec<_>>(), names);
            }
        }
    }
}
