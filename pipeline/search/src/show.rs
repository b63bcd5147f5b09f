//! From a document to a hit that can be shown and played.

use std::ops::Range;
use std::sync::Arc;

use tantivy::schema::Value;
use tantivy::{DocAddress, DocId, TantivyDocument};

use crate::align::align;
use crate::document::Header;
use crate::findings::Placed;
use crate::lines::{Line, Lines, Wanted, emotion_of, party_of};
use crate::marks::{Marks, Named};
use crate::place::{Form, Place};
use crate::queries::Snapshot;
use crate::results::{ContextLine, Highlight, Hit, Snippet};
use crate::schema::Fields;
use crate::stored::StoredUtterance;
use crate::units::{self, locate};

/// How long before the first word that matched playing starts.
const LEAD_IN_MS: u64 = 500;

/// Where to play from to hear what begins at a time.
pub(crate) const fn play_from(start_ms: u64) -> u64 {
    start_ms.saturating_sub(LEAD_IN_MS)
}

/// Texts longer than this get a snippet.
const LONG_TEXT: usize = 80;
/// Characters of a snippet before the first highlight.
const SNIPPET_LEAD: usize = 20;

/// Reads the documents of one segment for results.
pub(crate) struct Shower<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) segment: u32,
    pub(crate) lines: Arc<Lines>,
    pub(crate) marks: Arc<Marks>,
}

impl Shower<'_> {
    fn bytes(&self, doc: DocId, field: tantivy::schema::Field) -> tantivy::Result<Vec<u8>> {
        let address = DocAddress::new(self.segment, doc);
        let document: TantivyDocument = self.snapshot.searcher.doc(address)?;
        let bytes = document.get_first(field).and_then(|value| value.as_bytes());
        Ok(bytes.unwrap_or(&[]).to_vec())
    }

    /// The header of the call that starts at a document.
    pub(crate) fn header(&self, call_start: DocId) -> tantivy::Result<Header> {
        let bytes = self.bytes(call_start, self.fields.header)?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let comment = format!("the header of a call cannot be read: {error}");
            tantivy::error::DataCorruption::comment_only(comment).into()
        })
    }

    /// What of the call that starts at a document has a time and belongs to none of its utterances.
    pub(crate) fn placed(&self, call_start: DocId) -> tantivy::Result<Placed> {
        let bytes = self.bytes(call_start, self.fields.placed)?;
        if bytes.is_empty() {
            return Ok(Placed::default());
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            let comment = format!("the moments of a call cannot be read: {error}");
            tantivy::error::DataCorruption::comment_only(comment).into()
        })
    }

    fn utterance(&self, doc: DocId) -> tantivy::Result<StoredUtterance> {
        Ok(StoredUtterance::from_bytes(
            &self.bytes(doc, self.fields.stored)?,
        ))
    }

    /// A hit with what is highlighted in it; what surrounds it is left empty.
    pub(crate) fn hit(
        &self,
        doc: DocId,
        places: &[Arc<Place>],
        relevance: f32,
    ) -> tantivy::Result<Hit> {
        let stored = self.utterance(doc)?;
        let found = self.found(doc, places, &stored);
        let start_ms = u64::from(self.lines.start_ms(doc));
        let first_ms = found
            .first_unit
            .and_then(|unit| stored.times.get(unit))
            .map(|time| time.0);
        let snippet = snippet(&stored.text, &found.text);
        let names = |named: &Named| named.of(doc).map(str::to_owned).collect();
        let emotion = emotion_of(self.lines.emotion(doc));
        Ok(Hit {
            utterance: self.lines.number(doc),
            turn: self.lines.turn(doc),
            party: party_of(self.lines.party(doc)),
            channel: stored.channel,
            start_ms,
            end_ms: start_ms + u64::from(self.lines.length_ms(doc)),
            play_from_ms: play_from(first_ms.unwrap_or(start_ms)),
            text: stored.text,
            highlights: found.text,
            snippet,
            spoken: stored.spoken,
            spoken_highlights: found.spoken,
            rules: names(&self.marks.rules),
            emotion: emotion.map(|label| label.as_str().to_owned()),
            intents: names(&self.marks.intents),
            relevance,
            led_by: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        })
    }

    /// An utterance near a hit.
    pub(crate) fn context(
        &self,
        doc: DocId,
        places: &[Arc<Place>],
    ) -> tantivy::Result<ContextLine> {
        let stored = self.utterance(doc)?;
        let highlights = match places.is_empty() {
            true => Vec::new(),
            false => self.found(doc, places, &stored).text,
        };
        let start_ms = u64::from(self.lines.start_ms(doc));
        Ok(ContextLine {
            utterance: self.lines.number(doc),
            turn: self.lines.turn(doc),
            party: party_of(self.lines.party(doc)),
            start_ms,
            end_ms: start_ms + u64::from(self.lines.length_ms(doc)),
            text: stored.text,
            highlights,
        })
    }

    fn found(&self, doc: DocId, places: &[Arc<Place>], stored: &StoredUtterance) -> Found {
        let mut line = Line::default();
        self.lines.parts(doc).read(&mut line, Wanted::Everything);
        let ranges = |form| -> Vec<Range<usize>> {
            places
                .iter()
                .flat_map(|place| place.highlights(&line, form))
                .map(|span| span.start..span.end)
                .collect()
        };
        let mut spoken = ranges(Form::Spoken);
        let mut written = Vec::new();
        if line.written.is_empty() {
            written.clone_from(&spoken);
        } else {
            let to_written = align(&line.spoken, &line.written);
            let to_spoken = align(&line.written, &line.spoken);
            let in_written = ranges(Form::Written);
            written.extend(spoken.iter().filter_map(|range| mapped(range, &to_written)));
            spoken.extend(
                in_written
                    .iter()
                    .filter_map(|range| mapped(range, &to_spoken)),
            );
            written.extend(in_written);
        }
        let numbers = units::unit_numbers(&line.spoken);
        let first_code = spoken.iter().map(|range| range.start).min();
        Found {
            first_unit: first_code
                .and_then(|code| numbers.get(code))
                .map(|&unit| unit as usize),
            spoken: highlights(&stored.spoken, &spoken),
            text: highlights(&stored.text, &written),
        }
    }
}

struct Found {
    first_unit: Option<usize>,
    spoken: Vec<Highlight>,
    text: Vec<Highlight>,
}

/// A range of one form in the other; none where nothing stands for it.
fn mapped(range: &Range<usize>, map: &[Range<usize>]) -> Option<Range<usize>> {
    let parts = map.get(range.clone())?;
    let start = parts.iter().map(|part| part.start).min()?;
    let end = parts.iter().map(|part| part.end).max()?;
    (start < end).then_some(start..end)
}

/// Ranges of codes as ranges of a text's characters, in order, joined where they touch.
fn highlights(text: &str, ranges: &[Range<usize>]) -> Vec<Highlight> {
    if ranges.is_empty() {
        return Vec::new();
    }
    let located = locate(text);
    let starts: Vec<usize> = text.char_indices().map(|(start, _)| start).collect();
    let character = |byte: usize| starts.partition_point(|&start| start < byte);
    let mut found: Vec<Highlight> = ranges
        .iter()
        .filter_map(|range| {
            let (start, _) = *located.bytes.get(range.start)?;
            let (_, end) = *located.bytes.get(range.end.checked_sub(1)?)?;
            Some(Highlight {
                start: character(start),
                end: character(end),
            })
        })
        .collect();
    joined(&mut found);
    found
}

/// Puts highlights in order and joins those that touch.
pub(crate) fn joined(highlights: &mut Vec<Highlight>) {
    highlights.sort_by_key(|highlight| (highlight.start, highlight.end));
    highlights.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
}

fn snippet(text: &str, highlights: &[Highlight]) -> Option<Snippet> {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= LONG_TEXT {
        return None;
    }
    let first = highlights.first().map_or(0, |highlight| highlight.start);
    let start = first
        .saturating_sub(SNIPPET_LEAD)
        .min(letters.len() - LONG_TEXT);
    let end = start + LONG_TEXT;
    let lead = if start > 0 { "…" } else { "" };
    let tail = if end < letters.len() { "…" } else { "" };
    let shift = lead.chars().count();
    let within = highlights
        .iter()
        .filter(|highlight| highlight.start < end && highlight.end > start)
        .map(|highlight| Highlight {
            start: highlight.start.max(start) - start + shift,
            end: highlight.end.min(end) - start + shift,
        })
        .collect();
    let part: String = letters[start..end].iter().collect();
    Some(Snippet {
        text: format!("{lead}{part}{tail}"),
        highlights: within,
    })
}
