//! What was found in each utterance of a segment, in memory: facets and results look at it hit by hit.
//!
//! Few utterances have a rule or an intent, so these are lists of documents; an emotion takes a byte of each.

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
    pub(crate) emotions: Named,
    /// By document the place in the names of [`Self::emotions`], from 1; 0 where there is none.
    emotion_of: Vec<u8>,
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
        let emotions = Named::open(reader, fields.emotion)?;
        let mut emotion_of = vec![0; reader.max_doc() as usize];
        for &(doc, name) in &emotions.pairs {
            if let (Some(emotion), Ok(number)) =
                (emotion_of.get_mut(doc as usize), u8::try_from(name + 1))
            {
                *emotion = number;
            }
        }
        Ok(Self {
            rules: Named::open(reader, fields.hit)?,
            call_rules: Named::open(reader, fields.call_hit)?,
            intents: Named::open(reader, fields.intent)?,
            emotions: Named {
                names: emotions.names,
                pairs: Vec::new(),
            },
            emotion_of,
        })
    }

    /// The place of an utterance's emotion in the names of [`Self::emotions`].
    #[inline]
    pub(crate) fn emotion(&self, doc: DocId) -> Option<usize> {
        let number = self.emotion_of.get(doc as usize).copied().unwrap_or(0);
        usize::from(number).checked_sub(1)
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

/// Goes through the names of documents in the documents' order.
pub(crate) struct NamesInOrder<'a> {
    rest: &'a [(DocId, u32)],
}

impl<'a> NamesInOrder<'a> {
    pub(crate) fn new(named: &'a Named) -> Self {
        Self { rest: &named.pairs }
    }

    /// The places of a document's names; of documents before one that was asked for nothing is known any more.
    #[inline]
    pub(crate) fn of(&mut self, doc: DocId) -> &'a [(DocId, u32)] {
        match self.rest.first() {
            Some(&(next, _)) if next <= doc => self.take(doc),
            _ => &[],
        }
    }

    fn take(&mut self, doc: DocId) -> &'a [(DocId, u32)] {
        // Double the step, then halve it: what lies between two hits may be little or much.
        let mut step = 1;
        while self.rest.get(step).is_some_and(|&(next, _)| next < doc) {
            step *= 2;
        }
        let near = self.rest.get(..(step + 1).min(self.rest.len()));
        let before = near.unwrap_or(&[]).partition_point(|&(next, _)| next < doc);
        let (_, rest) = self.rest.split_at(before);
        let n_names = rest.iter().take_while(|&&(next, _)| next == doc).count();
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
        fn names_in_order_are_those_of_each_document(
            pairs in prop::collection::btree_set((0u32..60, 0u32..3), 0..80),
            docs in prop::collection::btree_set(0u32..70, 0..40),
        ) {
            let named = Named {
                names: ["a", "b", "c"].map(str::to_owned).to_vec(),
                pairs: pairs.into_iter().collect(),
            };
            let mut in_order = NamesInOrder::new(&named);
            for doc in docs {
                let names = in_order.of(doc).iter().map(|&(_, name)| named.names[name as usize].as_str());
                let expected = named.pairs.iter().filter(|pair| pair.0 == doc);
                let expected: Vec<&str> =
                    expected.map(|pair| named.names[pair.1 as usize].as_str()).collect();
                prop_assert_eq!(names.collect::<Vec<_>>(), expected.clone());
                prop_assert_eq!(named.of(doc).collect::<Vec<_>>(), expected);
            }
        }
    }
}
