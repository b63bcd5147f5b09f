//! The lines file: what every match is checked against.
//!
//! Beside tantivy's own files each segment has one with the extension `lines` (and one with the
//! pairs, see [`crate::pairs`]). It holds, in the
//! order of the documents, what a query must look at once the inverted index has named the
//! candidates: the codes of the spoken form, where jieba's words begin, the syllables with their
//! alternatives, the written form where it differs, and the utterance's place and time. Reading
//! one line is a slice of mapped memory.
//!
//! ```text
//! lines…            per document: four counts, then the codes (all numbers 16 bit, little endian)
//! offsets           n + 1 numbers of 32 bits, in units of two bytes
//! places            n numbers of 32 bits: number of the utterance × 32 + emotion × 4 + party
//! starts, lengths   n + n numbers of 32 bits, milliseconds
//! n, magic          two numbers of 32 bits
//! ```
//!
//! All utterances of a call are added as one group, so they lie side by side in one segment, in
//! the order in which they were said, and stay so when segments are merged. Hence `document - number`
//! names the call within its segment, and no text is read to compare calls.

use std::any::Any;
use std::io::Write;

use auricle_contracts::{EmotionLabel, Party};
use tantivy::directory::{OwnedBytes, TerminatingWrite};
use tantivy::error::DataCorruption;
use tantivy::index::{Segment, SegmentComponent, SegmentReader};
use tantivy::schema::document::{ErasedDocument, Value};
use tantivy::schema::{Field, Schema};
use tantivy::{
    DocId, PluginMergeContext, PluginWriter, PluginWriterContext, SegmentPlugin, TantivyDocument,
    TantivyError,
};

use crate::cut::Cutter;
use crate::pairs::{self, MergeSource, Pairs, PairsBuilder};

/// The extension of the lines file, and the name of the field that carries a line to it.
pub(crate) const EXTENSION: &str = "lines";
/// The extension of the pairs file.
pub(crate) const PAIRS_EXTENSION: &str = "pairs";
/// Name of the type of the field that carries a line into the plugin.
pub(crate) const FIELD_TYPE: &str = "auricle_line";

const MAGIC: u32 = 0x324E_4C41;
/// Number and party, start, length: what goes before the line on its way to the writer.
const PLACE_BYTES: usize = 12;
/// The most codes one part of a line can hold.
pub(crate) const MAX_CODES: usize = u16::MAX as usize;

/// One utterance on its way into the file.
#[derive(Debug)]
pub(crate) struct NewLine<'a> {
    /// The utterance's number in its call.
    pub(crate) number: u32,
    pub(crate) party: Party,
    pub(crate) emotion: Option<EmotionLabel>,
    pub(crate) start_ms: u32,
    pub(crate) length_ms: u32,
    /// The spoken form.
    pub(crate) spoken: &'a [u16],
    /// Syllables as [`crate::sound::encode`] gives them.
    pub(crate) syllables: &'a [u16],
    /// The code of the spoken form each syllable belongs to; empty where the syllables are those
    /// of the hanzi, in order.
    pub(crate) syllable_codes: &'a [u16],
    /// The written form; empty where it is as spoken.
    pub(crate) written: &'a [u16],
}

impl NewLine<'_> {
    /// Writes the bytes the plugin takes, which adds where words begin.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        let number = self.number.min(MAX_NUMBER);
        let place = number << 5 | emotion_number(self.emotion) << 2 | party_number(self.party);
        for number in [place, self.start_ms, self.length_ms] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for part in [
            self.spoken,
            self.syllables,
            self.syllable_codes,
            self.written,
        ] {
            out.extend_from_slice(&(part.len() as u16).to_le_bytes());
        }
        for part in [
            self.spoken,
            self.syllables,
            self.syllable_codes,
            self.written,
        ] {
            for code in part {
                out.extend_from_slice(&code.to_le_bytes());
            }
        }
    }
}

/// The largest number of an utterance.
const MAX_NUMBER: u32 = u32::MAX >> 5;

/// The three bits an emotion takes: 0 for none, then as [`EmotionLabel::ALL`].
pub(crate) fn emotion_number(emotion: Option<EmotionLabel>) -> u32 {
    let place = EmotionLabel::ALL
        .iter()
        .position(|label| Some(*label) == emotion);
    place.map_or(0, |place| place as u32 + 1)
}

/// The emotion of three bits.
pub(crate) fn emotion_of(number: u32) -> Option<EmotionLabel> {
    let place = (number & 7).checked_sub(1)?;
    EmotionLabel::ALL.get(place as usize).copied()
}

/// The two bits a party takes.
pub(crate) const fn party_number(party: Party) -> u32 {
    match party {
        Party::Agent => 0,
        Party::Customer => 1,
        Party::Unknown => 2,
    }
}

/// The party of two bits.
pub(crate) const fn party_of(number: u32) -> Party {
    match number & 3 {
        0 => Party::Agent,
        1 => Party::Customer,
        _ => Party::Unknown,
    }
}

/// One utterance read back. Reused from line to line, so that reading allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) spoken: Vec<u16>,
    pub(crate) syllables: Vec<u16>,
    pub(crate) syllable_codes: Vec<u16>,
    pub(crate) written: Vec<u16>,
    word_bits: Vec<u16>,
}

impl Line {
    /// Whether a word begins at a code of the spoken form; the end counts as a beginning.
    pub(crate) fn word_starts_at(&self, code: usize) -> bool {
        code >= self.spoken.len()
            || self
                .word_bits
                .get(code / 16)
                .is_some_and(|bits| bits >> (code % 16) & 1 == 1)
    }
}

/// The lines of one segment.
#[derive(Debug)]
pub(crate) struct Lines {
    bytes: OwnedBytes,
    n_docs: usize,
    offsets_at: usize,
    /// The first document of every call, in order.
    call_starts: Vec<DocId>,
    turns: Turns,
    mean_size: f32,
}

impl Lines {
    /// Opens the file of a segment and checks that its parts fit together.
    pub(crate) fn open(reader: &SegmentReader) -> tantivy::Result<Self> {
        let file = reader.open_read(component(EXTENSION))?;
        Self::from_bytes(file.read_bytes()?, reader.max_doc() as usize)
    }

    fn from_bytes(bytes: OwnedBytes, n_docs: usize) -> tantivy::Result<Self> {
        let damaged = |what: &str| {
            TantivyError::from(DataCorruption::comment_only(format!("lines file: {what}")))
        };
        let tables = (n_docs * 4 + 1 + 2) * 4;
        let offsets_at = bytes
            .len()
            .checked_sub(tables)
            .ok_or_else(|| damaged("too short"))?;
        let mut lines = Self {
            bytes,
            n_docs,
            offsets_at,
            call_starts: Vec::new(),
            turns: Turns::default(),
            mean_size: 0.0,
        };
        let n_words = n_docs * 4 + 1;
        if lines.table(n_words) as usize != n_docs || lines.table(n_words + 1) != MAGIC {
            return Err(damaged("its end is not as written"));
        }
        if lines.table(n_docs) as usize * 2 != offsets_at {
            return Err(damaged("its table does not fit its lines"));
        }
        lines.call_starts = (0..n_docs as DocId)
            .filter(|&doc| lines.number(doc) == 0)
            .collect();
        lines.turns = Turns::of(&lines);
        lines.mean_size = lines.table(n_docs) as f32 / n_docs.max(1) as f32;
        Ok(lines)
    }

    /// The `index`-th number of the tables at the end; 0 beyond it.
    #[inline]
    fn table(&self, index: usize) -> u32 {
        let at = self.offsets_at + index * 4;
        match self.bytes.get(at..at + 4) {
            Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
            _ => 0,
        }
    }

    #[inline]
    fn place(&self, doc: DocId) -> u32 {
        self.table(self.n_docs + 1 + doc as usize)
    }

    /// Number of documents, deleted ones too.
    pub(crate) const fn n_docs(&self) -> u32 {
        self.n_docs as u32
    }

    /// The utterance's number in its call.
    #[inline]
    pub(crate) fn number(&self, doc: DocId) -> u32 {
        self.place(doc) >> 5
    }

    /// The number of the utterance's turn in its call.
    pub(crate) fn turn(&self, doc: DocId) -> u32 {
        let first = self.turns.number(self.call_start(doc));
        self.turns.number(doc).saturating_sub(first)
    }

    /// The first document of the call that is at most `most` turns before `doc`.
    pub(crate) fn turns_before(&self, doc: DocId, most: u32) -> DocId {
        let turn = self.turns.number(doc).saturating_sub(most) as usize;
        let start = self.turns.starts.get(turn).copied().unwrap_or(0);
        start.max(self.call_start(doc))
    }

    /// Who speaks, as two bits.
    #[inline]
    pub(crate) fn party(&self, doc: DocId) -> u32 {
        self.place(doc) & 3
    }

    /// How it was said, as three bits.
    #[inline]
    pub(crate) fn emotion(&self, doc: DocId) -> u32 {
        self.place(doc) >> 2 & 7
    }

    /// [`Self::party`] and [`Self::emotion`].
    #[inline]
    pub(crate) fn voice(&self, doc: DocId) -> (u32, u32) {
        let place = self.place(doc);
        (place & 3, place >> 2 & 7)
    }

    /// The first document of the document's call.
    #[inline]
    pub(crate) fn call_start(&self, doc: DocId) -> DocId {
        doc.saturating_sub(self.number(doc))
    }

    /// The first document of every call.
    pub(crate) fn call_starts(&self) -> &[DocId] {
        &self.call_starts
    }

    /// The place of a call among [`Self::call_starts`], looked for from an earlier call's place on.
    pub(crate) fn call_place(&self, call_start: DocId, from: usize) -> usize {
        let mut low = from;
        let mut step = 1;
        while self
            .call_starts
            .get(low + step)
            .is_some_and(|&start| start <= call_start)
        {
            low += step;
            step *= 2;
        }
        let end = (low + step).min(self.call_starts.len());
        let rest = self.call_starts.get(low..end).unwrap_or(&[]);
        low + rest
            .partition_point(|&start| start <= call_start)
            .saturating_sub(1)
    }

    /// One past the last document of the call that starts at `call_start`.
    pub(crate) fn call_end(&self, call_start: DocId) -> DocId {
        let next = self
            .call_starts
            .partition_point(|&start| start <= call_start);
        self.call_starts
            .get(next)
            .copied()
            .unwrap_or(self.n_docs as DocId)
    }

    #[inline]
    pub(crate) fn start_ms(&self, doc: DocId) -> u32 {
        self.table(self.n_docs * 2 + 1 + doc as usize)
    }

    #[inline]
    pub(crate) fn length_ms(&self, doc: DocId) -> u32 {
        self.table(self.n_docs * 3 + 1 + doc as usize)
    }

    /// A measure of how much was said: the line's size in codes.
    #[inline]
    pub(crate) fn size(&self, doc: DocId) -> u32 {
        let index = doc as usize;
        self.table(index + 1).saturating_sub(self.table(index))
    }

    /// Mean of [`Self::size`].
    pub(crate) const fn mean_size(&self) -> f32 {
        self.mean_size
    }

    fn raw(&self, doc: DocId) -> &[u8] {
        let index = doc as usize;
        let range = self.table(index) as usize * 2..self.table(index + 1) as usize * 2;
        self.bytes.get(range).unwrap_or(&[])
    }

    /// Brings lines into the processor's cache, all together.
    pub(crate) fn fetch(&self, docs: &[DocId]) {
        let bytes_of = |&doc: &DocId| {
            let start = self.table(doc as usize) as usize * 2;
            let at = |offset: usize| self.bytes.get(start + offset).copied().unwrap_or(0);
            at(0) ^ at(64)
        };
        let sum = docs.iter().map(bytes_of).fold(0, |sum, byte| sum ^ byte);
        std::hint::black_box(sum);
    }

    /// The parts of a line as they lie in memory. Those of a damaged line are empty.
    #[inline]
    pub(crate) fn parts(&self, doc: DocId) -> LineParts<'_> {
        LineParts::of(self.raw(doc))
    }
}

/// The parts of a line, two bytes a code.
#[derive(Clone, Copy)]
pub(crate) struct LineParts<'a> {
    pub(crate) spoken: &'a [u8],
    pub(crate) syllables: &'a [u8],
    syllable_codes: &'a [u8],
    pub(crate) written: &'a [u8],
    word_bits: &'a [u8],
}

impl<'a> LineParts<'a> {
    fn of(raw: &'a [u8]) -> Self {
        let (counts, rest) = raw.split_at(raw.len().min(8));
        let count = |index: usize| {
            counts
                .get(index * 2..index * 2 + 2)
                .map_or(0, |pair| usize::from(code_of(pair)) * 2)
        };
        let (spoken, rest) = rest.split_at(count(0).min(rest.len()));
        let (syllables, rest) = rest.split_at(count(1).min(rest.len()));
        let (syllable_codes, rest) = rest.split_at(count(2).min(rest.len()));
        let (written, word_bits) = rest.split_at(count(3).min(rest.len()));
        Self {
            spoken,
            syllables,
            syllable_codes,
            written,
            word_bits,
        }
    }

    /// Whether a word begins at a code of the spoken form; the end counts as a beginning.
    pub(crate) fn word_starts_at(&self, code: usize) -> bool {
        let bits = self.word_bits.get(code / 8);
        code * 2 >= self.spoken.len() || bits.is_some_and(|bits| bits >> (code % 8) & 1 == 1)
    }
}

/// A turn is what one party says before another does. Where it is not known who speaks, every utterance
/// is a turn of its own.
#[derive(Debug, Default)]
struct Turns {
    /// For each document the number of its turn in the segment.
    numbers: Vec<u32>,
    /// The first document of each turn.
    starts: Vec<DocId>,
}

impl Turns {
    fn of(lines: &Lines) -> Self {
        let mut turns = Self::default();
        let mut before = UNKNOWN;
        for doc in 0..lines.n_docs() {
            let party = lines.party(doc);
            if party != before || party == UNKNOWN || lines.number(doc) == 0 {
                turns.starts.push(doc);
            }
            turns.numbers.push(turns.starts.len() as u32 - 1);
            before = party;
        }
        turns
    }

    #[inline]
    fn number(&self, doc: DocId) -> u32 {
        self.numbers.get(doc as usize).copied().unwrap_or(0)
    }
}

const UNKNOWN: u32 = party_number(Party::Unknown);

impl LineParts<'_> {
    /// Copies what is wanted into `line`; what is not wanted keeps what it held.
    pub(crate) fn read(&self, line: &mut Line, wanted: Wanted) {
        if wanted != Wanted::Sounds {
            copy_codes(self.spoken, &mut line.spoken);
            copy_codes(self.written, &mut line.written);
            copy_codes(self.word_bits, &mut line.word_bits);
        }
        if wanted != Wanted::Forms {
            copy_codes(self.syllables, &mut line.syllables);
            copy_codes(self.syllable_codes, &mut line.syllable_codes);
        }
    }
}

/// Parts of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The spoken and the written form.
    Forms,
    /// The syllables.
    Sounds,
    Everything,
}

fn copy_codes(bytes: &[u8], codes: &mut Vec<u16>) {
    codes.clear();
    codes.extend(bytes.chunks_exact(2).map(code_of));
}

#[inline]
pub(crate) fn code_of(pair: &[u8]) -> u16 {
    match pair {
        &[low, high] => u16::from_le_bytes([low, high]),
        _ => 0,
    }
}

/// Adds the lines and the pairs to every segment.
pub(crate) struct LinesPlugin;

impl SegmentPlugin for LinesPlugin {
    fn extensions(&self) -> &[&str] {
        &[EXTENSION, PAIRS_EXTENSION]
    }

    fn create_writer(&self, ctx: &PluginWriterContext) -> tantivy::Result<Box<dyn PluginWriter>> {
        let field = ctx.segment.schema().get_field(EXTENSION)?;
        Ok(Box::new(LinesWriter {
            field,
            tables: Tables::default(),
            lines: Vec::new(),
            pairs: PairsBuilder::default(),
            cutter: Cutter::default(),
        }))
    }

    fn merge(&self, ctx: PluginMergeContext) -> tantivy::Result<()> {
        let mut out = ctx.target_segment.open_write(component(EXTENSION))?;
        let mut tables = Tables::default();
        let mut sources = Vec::with_capacity(ctx.readers.len());
        // Documents keep their order: the segments one after the other, deleted ones left out.
        for reader in ctx.readers {
            let lines = Lines::open(reader)?;
            for doc in reader.doc_ids_alive() {
                let raw = lines.raw(doc);
                let place = [lines.place(doc), lines.start_ms(doc), lines.length_ms(doc)];
                tables.push(place, raw.len())?;
                out.write_all(raw)?;
            }
            let (alive, n_docs) = (reader.alive_bitset(), reader.max_doc());
            sources.push(MergeSource {
                pairs: open_pairs(reader)?,
                alive,
                n_docs,
            });
        }
        tables.write(&mut out)?;
        out.terminate()?;
        let mut out = ctx.target_segment.open_write(component(PAIRS_EXTENSION))?;
        pairs::merge(&sources, &mut out)?;
        out.terminate()?;
        Ok(())
    }
}

/// Opens the pairs of a segment.
pub(crate) fn open_pairs(reader: &SegmentReader) -> tantivy::Result<Pairs> {
    Pairs::open(reader.open_read(component(PAIRS_EXTENSION))?.read_bytes()?)
}

fn component(extension: &str) -> SegmentComponent {
    SegmentComponent::Custom(extension.to_owned())
}

#[derive(Default)]
struct Tables {
    /// Ends of lines, in units of two bytes.
    ends: Vec<u32>,
    places: Vec<u32>,
    starts: Vec<u32>,
    lengths: Vec<u32>,
}

impl Tables {
    fn push(&mut self, place: [u32; 3], line_bytes: usize) -> tantivy::Result<()> {
        let end = self.ends.last().copied().unwrap_or(0) as usize + line_bytes / 2;
        self.ends.push(u32::try_from(end).map_err(|_| {
            TantivyError::InvalidArgument("a segment holds more than 8 GiB of text".into())
        })?);
        self.places.push(place[0]);
        self.starts.push(place[1]);
        self.lengths.push(place[2]);
        Ok(())
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let n_docs = self.ends.len() as u32;
        let mut bytes = Vec::with_capacity((self.ends.len() * 4 + 3) * 4);
        let tables = [&self.ends, &self.places, &self.starts, &self.lengths];
        for number in std::iter::once(&0)
            .chain(tables.into_iter().flatten())
            .chain([&n_docs, &MAGIC])
        {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        out.write_all(&bytes)
    }
}

struct LinesWriter {
    field: Field,
    tables: Tables,
    lines: Vec<u8>,
    pairs: PairsBuilder,
    cutter: Cutter,
}

impl LinesWriter {
    fn line_of<'a>(&self, doc: &'a dyn ErasedDocument) -> Option<&'a [u8]> {
        let doc = doc.as_any().downcast_ref::<TantivyDocument>()?;
        doc.get_first(self.field)
            .and_then(|value| value.as_custom())
    }
}

impl PluginWriter for LinesWriter {
    fn add_document(
        &mut self,
        doc_id: DocId,
        doc: &dyn ErasedDocument,
        _schema: &Schema,
    ) -> tantivy::Result<()> {
        let bytes = self.line_of(doc).unwrap_or(&[]);
        let (place, line) = bytes.split_at(bytes.len().min(PLACE_BYTES));
        let mut numbers = [0; 3];
        for (number, raw) in numbers.iter_mut().zip(place.chunks_exact(4)) {
            *number = raw
                .iter()
                .rev()
                .fold(0, |sum, &byte| sum << 8 | u32::from(byte));
        }
        self.cutter.read(&LineParts::of(line));
        self.pairs.add(doc_id, self.cutter.keys());
        let before = self.lines.len();
        self.lines.extend_from_slice(line);
        for bits in self.cutter.word_bits() {
            self.lines.extend_from_slice(&bits.to_le_bytes());
        }
        self.tables.push(numbers, self.lines.len() - before)
    }

    fn serialize(
        self: Box<Self>,
        segment: &Segment,
        _doc_id_map: Option<&tantivy::indexer::doc_id_mapping::DocIdMapping>,
    ) -> tantivy::Result<()> {
        let mut out = segment.open_write(component(EXTENSION))?;
        out.write_all(&self.lines)?;
        self.tables.write(&mut out)?;
        out.terminate()?;
        let mut out = segment.open_write(component(PAIRS_EXTENSION))?;
        self.pairs.write(&mut out)?;
        out.terminate()?;
        Ok(())
    }

    fn mem_usage(&self) -> usize {
        self.lines.len() + self.tables.ends.len() * 16 + self.pairs.mem_usage()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
