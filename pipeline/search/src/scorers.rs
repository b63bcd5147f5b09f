//! Sets of documents that tantivy does not have.

use std::sync::Arc;

use tantivy::query::Scorer;
use tantivy::{DocId, DocSet, Score, SeekDangerResult, TERMINATED};

use crate::lines::{Line, Lines};
use crate::place::Place;

/// Documents in order.
pub(crate) struct DocList {
    docs: Vec<DocId>,
    at: usize,
}

impl DocList {
    /// `docs` in order, without repeats.
    pub(crate) const fn new(docs: Vec<DocId>) -> Self {
        Self { docs, at: 0 }
    }
}

impl DocSet for DocList {
    #[inline]
    fn advance(&mut self) -> DocId {
        self.at = (self.at + 1).min(self.docs.len());
        self.doc()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        // Targets are near more often than far: double the step, then halve it.
        let mut step = 1;
        while self
            .docs
            .get(self.at + step)
            .is_some_and(|&doc| doc < target)
        {
            self.at += step;
            step *= 2;
        }
        let end = (self.at + step + 1).min(self.docs.len());
        self.at += self.docs[self.at..end].partition_point(|&doc| doc < target);
        self.doc()
    }

    #[inline]
    fn doc(&self) -> DocId {
        self.docs.get(self.at).copied().unwrap_or(TERMINATED)
    }

    fn size_hint(&self) -> u32 {
        self.docs.len() as u32
    }
}

/// Candidates that hold a place.
pub(crate) struct PlaceScorer {
    candidates: DocList,
    lines: Arc<Lines>,
    /// `None` where every candidate matches.
    place: Option<Arc<Place>>,
    line: Line,
    weight: Score,
    quality: f32,
}

impl PlaceScorer {
    pub(crate) fn new(
        candidates: DocList,
        lines: Arc<Lines>,
        place: Option<Arc<Place>>,
        weight: Score,
    ) -> Self {
        let line = Line::default();
        let mut scorer = Self {
            candidates,
            lines,
            place,
            line,
            weight,
            quality: 1.0,
        };
        scorer.settle();
        scorer
    }

    fn matches(&mut self, doc: DocId) -> bool {
        let Some(place) = &self.place else {
            return true;
        };
        let found = place.quality(&self.lines.parts(doc), &mut self.line);
        self.quality = found.unwrap_or(0.0);
        found.is_some()
    }

    /// Goes on to the next candidate that matches.
    fn settle(&mut self) -> DocId {
        let mut doc = self.candidates.doc();
        while doc != TERMINATED && !self.matches(doc) {
            doc = self.next_candidate();
        }
        doc
    }

    /// Goes on by one. Lines are fetched from memory some at a time: one after the other each would be
    /// waited for.
    fn next_candidate(&mut self) -> DocId {
        if self.place.is_some() && self.candidates.at.is_multiple_of(FETCHED_TOGETHER) {
            let next = self.candidates.at..self.candidates.at + FETCHED_TOGETHER + 1;
            let end = next.end.min(self.candidates.docs.len());
            let docs = self.candidates.docs.get(next.start..end).unwrap_or(&[]);
            self.lines.fetch(docs);
        }
        self.candidates.advance()
    }
}

/// Lines whose memory is asked for at once.
const FETCHED_TOGETHER: usize = 16;

impl DocSet for PlaceScorer {
    fn advance(&mut self) -> DocId {
        self.next_candidate();
        self.settle()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.candidates.seek(target);
        self.settle()
    }

    fn seek_danger(&mut self, target: DocId) -> SeekDangerResult {
        let doc = self.candidates.seek(target);
        if doc != target {
            return SeekDangerResult::SeekLowerBound(doc);
        }
        match target == TERMINATED || !self.matches(target) {
            true => SeekDangerResult::SeekLowerBound((target + 1).min(TERMINATED)),
            false => SeekDangerResult::Found,
        }
    }

    fn doc(&self) -> DocId {
        self.candidates.doc()
    }

    fn size_hint(&self) -> u32 {
        self.candidates.size_hint()
    }

    fn cost(&self) -> u64 {
        // Reading a line costs about as much as some documents of a posting list.
        self.candidates.cost() * if self.place.is_some() { 4 } else { 1 }
    }
}

/// How much the length of an utterance weighs, as in BM25.
const LENGTH_WEIGHT: f32 = 0.5;

impl Scorer for PlaceScorer {
    fn score(&mut self) -> Score {
        let size = self.lines.size(self.candidates.doc()) as f32;
        let length = 1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * size / self.lines.mean_size().max(1.0);
        self.weight * self.quality * 2.2 / (1.0 + 1.2 * length)
    }
}

/// A question about the numbers of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LineTest {
    Every,
    Party(u32),
    /// Any of the emotions whose numbers are the bits that are set.
    Emotions(u32),
    Start(f64, f64),
    End(f64, f64),
    Length(f64, f64),
    Turn(f64, f64),
    Utterance(f64, f64),
}

impl LineTest {
    #[inline]
    fn holds(self, lines: &Lines, doc: DocId) -> bool {
        let within = |number: u32, low: f64, high: f64| (low..=high).contains(&f64::from(number));
        match self {
            Self::Every => true,
            Self::Party(party) => lines.party(doc) == party,
            Self::Emotions(wanted) => wanted >> lines.emotion(doc) & 1 == 1,
            Self::Start(low, high) => within(lines.start_ms(doc), low, high),
            Self::End(low, high) => {
                let end = lines.start_ms(doc).saturating_add(lines.length_ms(doc));
                within(end, low, high)
            }
            Self::Length(low, high) => within(lines.length_ms(doc), low, high),
            Self::Turn(low, high) => within(lines.turn(doc), low, high),
            Self::Utterance(low, high) => within(lines.number(doc), low, high),
        }
    }
}

/// Every document whose line passes a test.
pub(crate) struct LineScorer {
    lines: Arc<Lines>,
    test: LineTest,
    doc: DocId,
}

impl LineScorer {
    pub(crate) fn new(lines: Arc<Lines>, test: LineTest) -> Self {
        let mut scorer = Self {
            lines,
            test,
            doc: 0,
        };
        scorer.settle(0);
        scorer
    }

    fn settle(&mut self, from: DocId) -> DocId {
        let end = self.lines.n_docs();
        self.doc = (from..end)
            .find(|&doc| self.test.holds(&self.lines, doc))
            .unwrap_or(TERMINATED);
        self.doc
    }
}

impl DocSet for LineScorer {
    fn advance(&mut self) -> DocId {
        match self.doc {
            TERMINATED => TERMINATED,
            doc => self.settle(doc + 1),
        }
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.settle(target)
    }

    fn seek_danger(&mut self, target: DocId) -> SeekDangerResult {
        if target >= self.lines.n_docs() {
            self.doc = TERMINATED;
            return SeekDangerResult::SeekLowerBound(TERMINATED);
        }
        self.doc = target;
        match self.test.holds(&self.lines, target) {
            true => SeekDangerResult::Found,
            false => SeekDangerResult::SeekLowerBound(target + 1),
        }
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.lines.n_docs()
    }
}

impl Scorer for LineScorer {
    fn score(&mut self) -> Score {
        0.0
    }
}

/// All documents of some calls.
pub(crate) struct CallsScorer {
    /// Starts and ends, in order.
    calls: Vec<(DocId, DocId)>,
    at: usize,
    doc: DocId,
}

impl CallsScorer {
    /// `starts` in order, without repeats.
    pub(crate) fn new(starts: &[DocId], lines: &Lines) -> Self {
        let calls: Vec<_> = starts
            .iter()
            .map(|&start| (start, lines.call_end(start)))
            .collect();
        let doc = calls.first().map_or(TERMINATED, |&(start, _)| start);
        Self { calls, at: 0, doc }
    }
}

impl DocSet for CallsScorer {
    fn advance(&mut self) -> DocId {
        match self.doc {
            TERMINATED => TERMINATED,
            doc => self.seek(doc + 1),
        }
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.at += self.calls[self.at..].partition_point(|&(_, end)| end <= target);
        self.doc = match self.calls.get(self.at) {
            Some(&(start, _)) => target.max(start),
            None => TERMINATED,
        };
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        let first = self.calls.iter().take(64);
        let whole: u64 = first.map(|&(start, end)| u64::from(end - start)).sum();
        let sampled = self.calls.len().clamp(1, 64) as u64;
        let last = self.calls.last().map_or(0, |&(_, end)| end);
        let guess = whole / sampled * self.calls.len() as u64;
        guess.min(u64::from(last)) as u32
    }
}

impl Scorer for CallsScorer {
    fn score(&mut self) -> Score {
        0.0
    }
}

/// `left THEN/n right`: documents of `right` that come after one of `left` in the same call, at most n
/// turns later.
///
/// Both sides are read once, in step. Of the documents of `left` before one of `right` only the
/// last matters: if it is too far, so are all others.
pub(crate) struct ThenScorer {
    left: Box<dyn Scorer>,
    right: Box<dyn Scorer>,
    lines: Arc<Lines>,
    within: u32,
    /// The last document of `left` before the present one of `right`, and its score.
    last: Option<(DocId, Score)>,
}

impl ThenScorer {
    pub(crate) fn new(
        left: Box<dyn Scorer>,
        right: Box<dyn Scorer>,
        lines: Arc<Lines>,
        within: u32,
    ) -> Self {
        let mut scorer = Self {
            left,
            right,
            lines,
            within,
            last: None,
        };
        scorer.settle();
        scorer
    }

    fn settle(&mut self) -> DocId {
        loop {
            let doc = self.right.doc();
            if doc == TERMINATED {
                return TERMINATED;
            }
            let earliest = self.lines.turns_before(doc, self.within);
            let mut left = self.left.doc();
            if left < earliest {
                left = self.left.seek(earliest);
            }
            while left < doc {
                self.last = Some((left, self.left.score()));
                left = self.left.advance();
            }
            match self.last {
                Some((last, _)) if last >= earliest && last < doc => return doc,
                _ if left == TERMINATED => return self.right.seek(TERMINATED),
                _ => self.right.seek(left + 1),
            };
        }
    }
}

impl DocSet for ThenScorer {
    fn advance(&mut self) -> DocId {
        self.right.advance();
        self.settle()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.right.seek(target);
        self.settle()
    }

    fn doc(&self) -> DocId {
        self.right.doc()
    }

    fn size_hint(&self) -> u32 {
        self.right.size_hint().min(self.left.size_hint())
    }

    fn cost(&self) -> u64 {
        self.right.cost() + self.left.cost()
    }
}

impl Scorer for ThenScorer {
    fn score(&mut self) -> Score {
        self.right.score() + self.last.map_or(0.0, |(_, score)| score)
    }
}
