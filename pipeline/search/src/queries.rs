//! The sets of [`crate::scorers`] as tantivy's queries, so that they join with its own.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tantivy::index::SegmentId;
use tantivy::postings::TermInfo;
use tantivy::query::{ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{
    BitSet, DocId, DocSet, InvertedIndexReader, Score, Searcher, SegmentReader, TantivyError,
};

use crate::calls::{CallNumber, Calls};
use crate::lines::{Lines, open_pairs};
use crate::pairs::Pairs;
use crate::place::Place;
use crate::plan::Plan;
use crate::query::TextComparison;
use crate::scorers::{CallsScorer, DocList, LineScorer, LineTest, PlaceScorer, ThenScorer};

/// A searcher, and the lines and pairs of its segments.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) searcher: Searcher,
    segments: Arc<HashMap<SegmentId, SegmentFiles>>,
}

/// What is kept open of one segment.
#[derive(Clone)]
pub(crate) struct SegmentFiles {
    pub(crate) lines: Arc<Lines>,
    pub(crate) pairs: Arc<Pairs>,
    pub(crate) calls: Arc<Calls>,
}

impl SegmentFiles {
    fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let lines = Lines::open(reader)?;
        Ok(Self {
            calls: Arc::new(Calls::open(reader, &lines)?),
            lines: Arc::new(lines),
            pairs: Arc::new(open_pairs(reader)?),
        })
    }
}

impl Snapshot {
    /// Opens the files of every segment, taking over those that `before` has open.
    pub(crate) fn open(searcher: Searcher, before: Option<&Self>) -> tantivy::Result<Self> {
        let mut segments = HashMap::new();
        for reader in searcher.segment_readers() {
            let id = reader.segment_id();
            let known = before.and_then(|before| before.segments.get(&id));
            let opened = match known {
                Some(known) => known.clone(),
                None => SegmentFiles::open(reader)?,
            };
            segments.insert(id, opened);
        }
        Ok(Self {
            searcher,
            segments: Arc::new(segments),
        })
    }

    pub(crate) fn files(&self, reader: &SegmentReader) -> tantivy::Result<&SegmentFiles> {
        self.segments.get(&reader.segment_id()).ok_or_else(|| {
            TantivyError::InternalError("a segment is not of this searcher".to_owned())
        })
    }

    pub(crate) fn lines(&self, reader: &SegmentReader) -> tantivy::Result<Arc<Lines>> {
        Ok(Arc::clone(&self.files(reader)?.lines))
    }
}

/// One question, asked of every segment.
#[derive(Clone)]
pub(crate) enum Question {
    /// Lines that hold a place.
    Place {
        plan: Plan,
        place: Arc<Place>,
        /// Whether every document of the plan matches.
        exact: bool,
        weight: Score,
    },
    /// Lines whose numbers pass a test.
    Line(LineTest),
    /// Utterances with a text in a field.
    Text(TextTest),
    /// All utterances of calls whose first one has a text in a field.
    CallText(TextTest),
    /// All utterances of calls whose number is within limits.
    CallNumber {
        field: CallNumber,
        low: f64,
        high: f64,
    },
    /// One after the other in a call.
    Then {
        left: Arc<dyn Query>,
        right: Arc<dyn Query>,
        within: u32,
    },
}

/// A field and what its text must be.
#[derive(Clone, Debug)]
pub(crate) struct TextTest {
    pub(crate) field: Field,
    pub(crate) comparison: TextComparison,
    pub(crate) value: String,
}

/// A question that tantivy can ask.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) snapshot: Snapshot,
}

impl fmt::Debug for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.question {
            Question::Place { place, .. } => return write!(out, "{place:?}"),
            Question::Line(test) => return write!(out, "{test:?}"),
            Question::Text(test) | Question::CallText(test) => return write!(out, "{test:?}"),
            Question::CallNumber { field, .. } => return write!(out, "{field:?}"),
            Question::Then { .. } => "then",
        };
        out.write_str(name)
    }
}

impl Query for Asked {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let sides = match &self.question {
            Question::Then { left, right, .. } => {
                Some((left.weight(scoring)?, right.weight(scoring)?))
            }
            _ => None,
        };
        Ok(Box::new(AskedWeight {
            asked: self.clone(),
            sides,
        }))
    }
}

struct AskedWeight {
    asked: Asked,
    sides: Option<(Box<dyn Weight>, Box<dyn Weight>)>,
}

impl Weight for AskedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let lines = self.asked.snapshot.lines(reader)?;
        Ok(match &self.asked.question {
            Question::Place {
                plan,
                place,
                exact,
                weight,
            } => {
                let files = self.asked.snapshot.files(reader)?;
                let candidates = DocList::new(plan.documents(&files.pairs, reader.max_doc()));
                // Checking a few more tells hits on whole words from hits across words.
                let many = candidates.size_hint() > MANY_CANDIDATES;
                let place = (!*exact || !many).then(|| Arc::clone(place));
                Box::new(PlaceScorer::new(candidates, lines, place, weight * boost))
            }
            Question::Line(test) => Box::new(LineScorer::new(lines, *test)),
            Question::Text(test) => match test.documents(reader)? {
                Some(bits) => {
                    let set = tantivy::query::BitSetDocSet::from(bits);
                    Box::new(ConstScorer::new(set, 0.0))
                }
                None => Box::new(EmptyScorer),
            },
            Question::CallText(test) => match test.documents(reader)? {
                Some(bits) => Box::new(CallsScorer::new(&members(&bits), &lines)),
                None => Box::new(EmptyScorer),
            },
            Question::CallNumber { field, low, high } => {
                let files = self.asked.snapshot.files(reader)?;
                let starts = files.calls.within(*field, *low, *high, &lines);
                Box::new(CallsScorer::new(&starts, &lines))
            }
            Question::Then { within, .. } => match &self.sides {
                Some((left, right)) => Box::new(ThenScorer::new(
                    left.scorer(reader, boost)?,
                    right.scorer(reader, boost)?,
                    lines,
                    *within,
                )),
                None => Box::new(EmptyScorer),
            },
        })
    }

    fn explain(&self, _reader: &SegmentReader, _doc: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("auricle", 0.0))
    }
}

/// With more candidates in a segment than this, an exact plan is not looked at again.
const MANY_CANDIDATES: u32 = 20_000;

/// Adds every document of a term.
fn insert_documents(
    inverted: &InvertedIndexReader,
    info: &TermInfo,
    bits: &mut BitSet,
) -> tantivy::Result<()> {
    let mut blocks = inverted.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    loop {
        let docs = blocks.docs();
        if docs.is_empty() {
            return Ok(());
        }
        for &doc in docs {
            bits.insert(doc);
        }
        blocks.advance();
    }
}

impl TextTest {
    /// The documents of one segment with a matching term.
    fn documents(&self, reader: &SegmentReader) -> tantivy::Result<Option<BitSet>> {
        let inverted = reader.inverted_index(self.field)?;
        let mut bits = BitSet::with_max_value(reader.max_doc());
        let wanted = self.value.to_lowercase();
        match self.comparison {
            // As it is written: ids may differ by case alone.
            TextComparison::Is => {
                let term = tantivy::Term::from_field_text(self.field, &self.value);
                if let Some(info) = inverted.get_term_info(&term)? {
                    insert_documents(&inverted, &info, &mut bits)?;
                }
            }
            TextComparison::Contains => {
                insert_agreeing(&inverted, &mut bits, |text| text.contains(&wanted))?;
            }
            TextComparison::Begins => {
                insert_agreeing(&inverted, &mut bits, |text| text.starts_with(&wanted))?;
            }
        }
        Ok((bits.len() > 0).then_some(bits))
    }
}

/// Adds every document of the terms whose lower case agrees.
fn insert_agreeing(
    inverted: &InvertedIndexReader,
    bits: &mut BitSet,
    agrees: impl Fn(&str) -> bool,
) -> tantivy::Result<()> {
    let mut terms = inverted.terms().stream()?;
    while terms.advance() {
        if agrees(&String::from_utf8_lossy(terms.key()).to_lowercase()) {
            insert_documents(inverted, terms.value(), bits)?;
        }
    }
    Ok(())
}

fn members(bits: &BitSet) -> Vec<DocId> {
    (0..bits.max_value())
        .filter(|&doc| bits.contains(doc))
        .collect()
}
