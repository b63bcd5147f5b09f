//! What is known of each call of a segment, in memory: a search looks at it once per call with hits.

use std::collections::{BTreeSet, HashMap};

use tantivy::columnar::Column;
use tantivy::{DocId, SegmentReader};

use crate::date::{day_name, day_of};
use crate::lines::Lines;

/// A facet of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallFacet {
    Agent,
    Campaign,
    Region,
    Day,
}

/// Every facet, in the order of [`Calls::facets`].
pub(crate) const CALL_FACETS: [CallFacet; 4] = [
    CallFacet::Agent,
    CallFacet::Campaign,
    CallFacet::Region,
    CallFacet::Day,
];

/// A number of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallNumber {
    Started,
    Duration,
    Score,
    /// Any of the call's silences.
    Silence,
}

/// The calls of one segment, by their place in [`Lines::call_starts`].
#[derive(Debug)]
pub(crate) struct Calls {
    facets: [Values; CALL_FACETS.len()],
    started: Vec<Option<i64>>,
    durations: Vec<f64>,
    scores: Vec<f64>,
    silences: Silences,
}

/// Lengths of the silences of calls.
#[derive(Debug, Default)]
struct Silences {
    /// By call the end of its lengths.
    ends: Vec<usize>,
    /// Milliseconds.
    lengths: Vec<f64>,
}

impl Silences {
    fn open(column: Option<&Column<u64>>, starts: &[DocId]) -> Self {
        let mut silences = Self::default();
        let Some(column) = column else {
            return silences;
        };
        for &doc in starts {
            let lengths = column.values_for_doc(doc).map(|length| length as f64);
            silences.lengths.extend(lengths);
            silences.ends.push(silences.lengths.len());
        }
        silences
    }

    fn of(&self, call: usize) -> &[f64] {
        let end = |call: usize| self.ends.get(call).copied().unwrap_or(0);
        let start = call.checked_sub(1).map_or(0, end);
        self.lengths.get(start..end(call)).unwrap_or(&[])
    }
}

/// One value for each call, out of few.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// By call; [`NO_VALUE`] where there is none.
    pub(crate) by_call: Vec<u32>,
    pub(crate) names: Vec<String>,
}

/// Stands for a value that is missing.
pub(crate) const NO_VALUE: u32 = u32::MAX;

impl Calls {
    pub(crate) fn open(reader: &SegmentReader, lines: &Lines) -> tantivy::Result<Self> {
        let fast = reader.fast_fields();
        let starts = lines.call_starts();
        let started = fast.column_opt::<i64>("started")?;
        let started: Vec<Option<i64>> = starts
            .iter()
            .map(|&doc| started.as_ref().and_then(|column| column.first(doc)))
            .collect();
        let durations = fast.column_opt::<u64>("duration")?;
        let scores = fast.column_opt::<f64>("score")?;
        let silences = fast.column_opt::<u64>("silence")?;
        Ok(Self {
            facets: [
                text_values(reader, "agent", starts)?,
                text_values(reader, "campaign", starts)?,
                text_values(reader, "region", starts)?,
                days(&started),
            ],
            started,
            durations: numbers(durations.as_ref(), starts, |number| number as f64),
            scores: numbers(scores.as_ref(), starts, |number| number),
            silences: Silences::open(silences.as_ref(), starts),
        })
    }

    /// When a call began, in seconds of the local clock.
    pub(crate) fn started(&self, call: usize) -> Option<i64> {
        self.started.get(call).copied().flatten()
    }

    /// A call's quality score; not a number where it has none.
    pub(crate) fn score(&self, call: usize) -> f64 {
        self.scores.get(call).copied().unwrap_or(f64::NAN)
    }

    /// The values of a facet.
    pub(crate) fn values(&self, facet: CallFacet) -> &Values {
        &self.facets[facet as usize]
    }

    /// The first documents of the calls with a number within limits.
    pub(crate) fn within(
        &self,
        number: CallNumber,
        low: f64,
        high: f64,
        lines: &Lines,
    ) -> Vec<DocId> {
        let holds = |call: usize| {
            let value = match number {
                CallNumber::Silence => {
                    let mut silences = self.silences.of(call).iter();
                    return silences.any(|length| (low..=high).contains(length));
                }
                CallNumber::Started => self.started(call).map_or(f64::NAN, |time| time as f64),
                CallNumber::Duration => self.durations.get(call).copied().unwrap_or(f64::NAN),
                CallNumber::Score => self.score(call),
            };
            (low..=high).contains(&value)
        };
        let starts = lines.call_starts().iter().enumerate();
        starts
            .filter(|(call, _)| holds(*call))
            .map(|(_, &start)| start)
            .collect()
    }
}

/// The column's number for each call; not a number where there is none.
fn numbers<T: Copy + PartialOrd + std::fmt::Debug + Send + Sync + 'static>(
    column: Option<&Column<T>>,
    starts: &[DocId],
    to_f64: fn(T) -> f64,
) -> Vec<f64> {
    let Some(column) = column else {
        return Vec::new();
    };
    starts
        .iter()
        .map(|&doc| column.first(doc).map_or(f64::NAN, to_f64))
        .collect()
}

fn text_values(reader: &SegmentReader, name: &str, starts: &[DocId]) -> tantivy::Result<Values> {
    let Some(column) = reader.fast_fields().str(name)? else {
        return Ok(Values::default());
    };
    let mut names = Vec::with_capacity(column.num_terms());
    let mut terms = column.dictionary().stream()?;
    while terms.advance() {
        names.push(String::from_utf8_lossy(terms.key()).into_owned());
    }
    let by_call = starts
        .iter()
        .map(|&doc| {
            column
                .term_ords(doc)
                .next()
                .map_or(NO_VALUE, |value| value as u32)
        })
        .collect();
    Ok(Values { by_call, names })
}

fn days(started: &[Option<i64>]) -> Values {
    let all: BTreeSet<i64> = started.iter().flatten().map(|&time| day_of(time)).collect();
    let numbers: HashMap<i64, u32> = all.iter().copied().zip(0..).collect();
    let by_call = started
        .iter()
        .map(|time| {
            time.and_then(|time| numbers.get(&day_of(time)).copied())
                .unwrap_or(NO_VALUE)
        })
        .collect();
    Values {
        by_call,
        names: all.into_iter().map(day_name).collect(),
    }
}
