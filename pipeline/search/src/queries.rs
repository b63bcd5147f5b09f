//! The sets of [`crate::scorers`] as tantivy's queries, so that they join with its own.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tantivy::index::SegmentId;
use tantivy::query::{ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::Field;
use tantivy::{BitSet, DocId, DocSet, Score, Searcher, SegmentReader, TantivyError};

use crate::calls::{CallNumber, Calls};
use crate::lines::{Lines, open_pairs};
use crate::marks::{Marks, each_document};
use crate::pairs::Pairs;
use crate::place::Place;
use crate::plan::Plan;
use crate::query::TextComparison;
use crate::schema::Fields;
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
    pub(crate) marks: Arc<Marks>,
}

impl SegmentFiles {
    fn open(reader: &SegmentReader, fields: &Fields) -> tantivy::Result<Self> {
        let lines = Lines::open(reader)?;
        Ok(Self {
            calls: Arc::new(Calls::open(reader, &lines)?),
            marks: Arc::new(Marks::open(reader, fields)?),
            lines: Arc::new(lines),
            pairs: Arc::new(open_pairs(reader)?),
        })
    }
}

impl Snapshot {
    /// Opens the files of every segment, taking over those that `before` has open.
    pub(crate) fn open(
        searcher: Searcher,
        fields: &Fields,
        before: Option<&Self>,
    ) -> tantivy::Result<Self> {
        let mut segments = HashMap::new();
        for reader in searcher.segment_readers() {
            let id = reader.segment_id();
            let known = before.and_then(|before| before.segments.get(&id));
            let opened = match known {
                Some(known) => known.clone(),
                None => SegmentFiles::open(reader, fields)?,
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
    /// Utterances with a text in the first field, and all utterances of calls whose first one has it in the second.
    EitherText(TextTest, TextTest),
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
    pub(crate) wanted: TextWanted,
}

/// What a text must be.
#[derive(Clone, Debug)]
pub(crate) struct TextWanted {
    comparison: TextComparison,
    /// Any of these; in lower case, unless they must be as they are written.
    values: Vec<String>,
}

impl TextWanted {
    pub(crate) fn new(comparison: TextComparison, value: &str) -> Self {
        let value = match comparison {
            TextComparison::Is => value.to_owned(),
            _ => value.to_lowercase(),
        };
        Self {
            comparison,
            values: vec![value],
        }
    }

    /// Any of some names, as they are written.
    pub(crate) fn one_of(names: impl Iterator<Item = &'static str>) -> Self {
        Self {
            comparison: TextComparison::Is,
            values: names.map(str::to_owned).collect(),
        }
    }

    /// Whether a rule of one pack is wanted, `PACK/ID`.
    pub(crate) fn names_pack(&self) -> bool {
        self.values.iter().any(|value| value.contains('/'))
    }

    /// Whether a text is what is wanted.
    pub(crate) fn agrees(&self, text: &str) -> bool {
        let lower = || text.to_lowercase();
        let mut values = self.values.iter();
        match self.comparison {
            TextComparison::Is => values.any(|value| value == text),
            TextComparison::IsNamed => values.any(|value| *value == lower()),
            TextComparison::Contains => values.any(|value| lower().contains(value)),
            TextComparison::Begins => values.any(|value| lower().starts_with(value)),
        }
    }
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
            Question::Text(test) | Question::CallText(test) | Question::EitherText(test, _) => {
                return write!(out, "{test:?}");
            }
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
            Question::Text(test) => bit_scorer(test.documents(reader)?),
            Question::CallText(test) => match test.documents(reader)? {
                Some(bits) => Box::new(CallsScorer::new(&members(&bits), &lines)),
                None => Box::new(EmptyScorer),
            },
            Question::EitherText(of_utterance, of_call) => {
                let mut bits = of_utterance.documents(reader)?;
                if let Some(starts) = of_call.documents(reader)? {
                    let bits = bits.get_or_insert_with(|| BitSet::with_max_value(reader.max_doc()));
                    for start in members(&starts) {
                        (start..lines.call_end(start)).for_each(|doc| insert(bits, doc));
                    }
                }
                bit_scorer(bits)
            }
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

fn bit_scorer(bits: Option<BitSet>) -> Box<dyn Scorer> {
    match bits {
        Some(bits) => {
            let set = tantivy::query::BitSetDocSet::from(bits);
            Box::new(ConstScorer::new(set, 0.0))
        }
        None => Box::new(EmptyScorer),
    }
}

impl TextTest {
    /// The documents of one segment with a matching term.
    fn documents(&self, reader: &SegmentReader) -> tantivy::Result<Option<BitSet>> {
        let inverted = reader.inverted_index(self.field)?;
        let mut bits = BitSet::with_max_value(reader.max_doc());
        if self.wanted.comparison == TextComparison::Is {
            for value in &self.wanted.values {
                let term = tantivy::Term::from_field_text(self.field, value);
                if let Some(info) = inverted.get_term_info(&term)? {
                    each_document(&inverted, &info, |doc| insert(&mut bits, doc))?;
                }
            }
        } else {
            let mut terms = inverted.terms().stream()?;
            while terms.advance() {
                if self.wanted.agrees(&String::from_utf8_lossy(terms.key())) {
                    each_document(&inverted, terms.value(), |doc| insert(&mut bits, doc))?;
                }
            }
        }
        Ok((bits.len() > 0).then_some(bits))
    }
}

fn insert(bits: &mut BitSet, doc: DocId) {
    bits.insert(doc);
}

fn members(bits: &BitSet) -> Vec<DocId> {
    (0..bits.max_value())
        .filter(|&doc| bits.contains(doc))
        .collect()
}
