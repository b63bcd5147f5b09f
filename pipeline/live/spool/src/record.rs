//! Records, and how they lie in a chunk: `FORMAT.md`, "Records".

use std::fmt;
use std::ops::Range;

use thiserror::Error;

use crate::varint;
use crate::{MAX_LEGS, MAX_NOTE_BYTES, MAX_PAYLOAD_BYTES, SpoolError};

/// Tag, encoding, rate, position, length.
pub(crate) const MAX_HEAD_BYTES: usize = 1 + 1 + 5 + 10 + 3;

/// The tag's high half says what follows; for audio the low half is the leg.
const SAME: u8 = 0x00;
const RESIZED: u8 = 0x10;
const MOVED: u8 = 0x20;
const FULL: u8 = 0x30;
const BEGIN: u8 = 0x40;
const NOTE: u8 = 0x41;
const END: u8 = 0x42;

/// How samples are coded, as they were received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// µ-law (ITU-T G.711), a byte a sample.
    Ulaw,
    /// A-law (ITU-T G.711), a byte a sample.
    Alaw,
    /// Linear, 16 bits, high byte first (RFC 3551, 4.5.11).
    L16,
}

impl Encoding {
    /// Samples in so many bytes; half a sample counts for nothing.
    pub fn n_samples(self, n_bytes: usize) -> u64 {
        let bytes_per_sample = match self {
            Self::Ulaw | Self::Alaw => 1,
            Self::L16 => 2,
        };
        n_bytes as u64 / bytes_per_sample
    }

    fn code(self) -> u8 {
        match self {
            Self::Ulaw => 0,
            Self::Alaw => 1,
            Self::L16 => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Ulaw,
            1 => Self::Alaw,
            2 => Self::L16,
            _ => return None,
        })
    }
}

/// One packet of a leg.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Audio<'a> {
    /// Below [`MAX_LEGS`].
    pub leg: u8,
    /// Position of its first sample on the leg's clock, in samples.
    pub at: u64,
    /// What the payload is.
    pub encoding: Encoding,
    /// Samples a second.
    pub rate_hz: u32,
    /// As it was received; at most [`MAX_PAYLOAD_BYTES`].
    pub payload: &'a [u8],
}

impl Audio<'_> {
    /// Position behind its last sample.
    pub fn end(&self) -> u64 {
        self.at
            .saturating_add(self.encoding.n_samples(self.payload.len()))
    }
}

impl fmt::Debug for Audio<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            leg,
            at,
            encoding,
            rate_hz,
            payload,
        } = self;
        let n_bytes = payload.len();
        write!(
            out,
            "Audio {{ leg {leg}, at {at}, {encoding:?} {rate_hz} Hz, {n_bytes} bytes }}"
        )
    }
}

/// What a recording consists of. Metadata is opaque here; by custom it is JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// The first: the call, its legs, their encodings and rates. At most [`MAX_NOTE_BYTES`].
    Begin(&'a [u8]),
    /// A packet.
    Audio(Audio<'a>),
    /// What was known later: hold, pause, metadata. At most [`MAX_NOTE_BYTES`].
    Note(&'a [u8]),
    /// The last: reason, samples expected and received. At most [`MAX_NOTE_BYTES`].
    End(&'a [u8]),
}

impl Record<'_> {
    /// Whether the format takes it.
    pub(crate) fn check(&self) -> Result<(), SpoolError> {
        let (n_bytes, max_bytes) = match self {
            Self::Audio(audio) if audio.leg >= MAX_LEGS => return Err(SpoolError::Leg(audio.leg)),
            Self::Audio(audio) => (audio.payload.len(), MAX_PAYLOAD_BYTES),
            Self::Begin(note) | Self::Note(note) | Self::End(note) => (note.len(), MAX_NOTE_BYTES),
        };
        match n_bytes > max_bytes {
            true => Err(SpoolError::TooLong { n_bytes, max_bytes }),
            false => Ok(()),
        }
    }

    /// The most bytes it takes in a chunk.
    pub(crate) fn max_bytes(&self) -> usize {
        let (Self::Begin(bytes)
        | Self::Note(bytes)
        | Self::End(bytes)
        | Self::Audio(Audio { payload: bytes, .. })) = self;
        MAX_HEAD_BYTES + bytes.len()
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin(note) => write!(out, "Begin {{ {} bytes }}", note.len()),
            Self::Audio(audio) => audio.fmt(out),
            Self::Note(note) => write!(out, "Note {{ {} bytes }}", note.len()),
            Self::End(note) => write!(out, "End {{ {} bytes }}", note.len()),
        }
    }
}

/// Bytes that are no records, though they may be authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the bytes are no records")]
pub struct Malformed;

/// What the next packet of a leg is likely to be: writer and reader go through the same states.
#[derive(Clone, Copy)]
struct Format {
    encoding: Encoding,
    rate_hz: u32,
    /// Where it continues.
    next: u64,
    n_bytes: usize,
}

/// The legs' formats within a chunk; at its beginning there are none, so that it can be read alone.
#[derive(Clone, Default)]
pub(crate) struct Formats([Option<Format>; MAX_LEGS as usize]);

/// Adds a record that [`Record::check`] let through.
pub(crate) fn encode(out: &mut Vec<u8>, formats: &mut Formats, record: &Record<'_>) {
    let (tag, note) = match record {
        Record::Audio(audio) => return encode_audio(out, formats, audio),
        Record::Begin(note) => (BEGIN, note),
        Record::Note(note) => (NOTE, note),
        Record::End(note) => (END, note),
    };
    out.push(tag);
    varint::put(out, note.len() as u64);
    out.extend_from_slice(note);
}

fn encode_audio(out: &mut Vec<u8>, formats: &mut Formats, audio: &Audio<'_>) {
    let n_bytes = audio.payload.len();
    let Some(known) = formats.0.get_mut(usize::from(audio.leg)) else {
        return;
    };
    let same =
        known.filter(|format| format.encoding == audio.encoding && format.rate_hz == audio.rate_hz);
    match same {
        None => {
            out.extend_from_slice(&[FULL | audio.leg, audio.encoding.code()]);
            varint::put(out, u64::from(audio.rate_hz));
            varint::put(out, audio.at);
            varint::put(out, n_bytes as u64);
        }
        Some(format) if format.next != audio.at => {
            out.push(MOVED | audio.leg);
            let moved_by = audio.at.wrapping_sub(format.next) as i64;
            varint::put(out, varint::fold(moved_by));
            varint::put(out, n_bytes as u64);
        }
        Some(format) if format.n_bytes != n_bytes => {
            out.push(RESIZED | audio.leg);
            varint::put(out, n_bytes as u64);
        }
        Some(_) => out.push(SAME | audio.leg),
    }
    out.extend_from_slice(audio.payload);
    *known = Some(Format {
        encoding: audio.encoding,
        rate_hz: audio.rate_hz,
        next: audio.at.wrapping_add(audio.encoding.n_samples(n_bytes)),
        n_bytes,
    });
}

/// A record by where it lies, so that its chunk is not borrowed.
#[derive(Clone)]
pub(crate) enum Located {
    Begin(Range<usize>),
    Audio {
        leg: u8,
        at: u64,
        encoding: Encoding,
        rate_hz: u32,
        payload: Range<usize>,
    },
    Note(Range<usize>),
    End(Range<usize>),
}

impl Located {
    /// The record, from the bytes that it was located in.
    pub(crate) fn within(self, bytes: &[u8]) -> Record<'_> {
        let part = |range: Range<usize>| bytes.get(range).unwrap_or_default();
        match self {
            Self::Begin(note) => Record::Begin(part(note)),
            Self::Note(note) => Record::Note(part(note)),
            Self::End(note) => Record::End(part(note)),
            Self::Audio {
                leg,
                at,
                encoding,
                rate_hz,
                payload,
            } => Record::Audio(Audio {
                leg,
                at,
                encoding,
                rate_hz,
                payload: part(payload),
            }),
        }
    }
}

/// The record that begins at `cursor`, which moves behind it.
pub(crate) fn locate(
    bytes: &[u8],
    cursor: &mut usize,
    formats: &mut Formats,
) -> Result<Located, Malformed> {
    let mut rest = Rest { bytes, cursor };
    let tag = rest.byte()?;
    match tag {
        BEGIN => rest.note().map(Located::Begin),
        NOTE => rest.note().map(Located::Note),
        END => rest.note().map(Located::End),
        _ if tag & 0xf0 <= FULL => rest.audio(tag, formats),
        _ => Err(Malformed),
    }
}

/// What is left of a chunk.
struct Rest<'a, 'c> {
    bytes: &'a [u8],
    cursor: &'c mut usize,
}

impl Rest<'_, '_> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = self.bytes.get(*self.cursor).ok_or(Malformed)?;
        *self.cursor += 1;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        varint::take(self.bytes, self.cursor).ok_or(Malformed)
    }

    fn length(&mut self, max_bytes: usize) -> Result<usize, Malformed> {
        let n_bytes = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        match n_bytes > max_bytes {
            true => Err(Malformed),
            false => Ok(n_bytes),
        }
    }

    fn take(&mut self, n_bytes: usize) -> Result<Range<usize>, Malformed> {
        let start = *self.cursor;
        let end = start.checked_add(n_bytes).ok_or(Malformed)?;
        if end > self.bytes.len() {
            return Err(Malformed);
        }
        *self.cursor = end;
        Ok(start..end)
    }

    fn note(&mut self) -> Result<Range<usize>, Malformed> {
        let n_bytes = self.length(MAX_NOTE_BYTES)?;
        self.take(n_bytes)
    }

    fn audio(&mut self, tag: u8, formats: &mut Formats) -> Result<Located, Malformed> {
        let leg = tag & 0x0f;
        let known = formats.0.get_mut(usize::from(leg)).ok_or(Malformed)?;
        let mut format = match tag & 0xf0 {
            FULL => self.full()?,
            _ => known.ok_or(Malformed)?,
        };
        if tag & 0xf0 == MOVED {
            let moved_by = varint::unfold(self.number()?);
            format.next = format.next.wrapping_add_signed(moved_by);
        }
        if tag & 0xf0 != SAME {
            format.n_bytes = self.length(MAX_PAYLOAD_BYTES)?;
        }
        let at = format.next;
        let payload = self.take(format.n_bytes)?;
        let n_samples = format.encoding.n_samples(format.n_bytes);
        format.next = at.wrapping_add(n_samples);
        *known = Some(format);
        Ok(Located::Audio {
            leg,
            at,
            encoding: format.encoding,
            rate_hz: format.rate_hz,
            payload,
        })
    }

    fn full(&mut self) -> Result<Format, Malformed> {
        Ok(Format {
            encoding: Encoding::of(self.byte()?).ok_or(Malformed)?,
            rate_hz: u32::try_from(self.number()?).map_err(|_| Malformed)?,
            next: self.number()?,
            n_bytes: 0,
        })
    }
}

/// The records of one chunk, decrypted. After an error there are no more.
#[derive(Clone)]
pub struct ChunkRecords<'a> {
    bytes: &'a [u8],
    cursor: usize,
    formats: Formats,
}

impl<'a> ChunkRecords<'a> {
    /// Of any bytes.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            cursor: 0,
            formats: Formats::default(),
        }
    }
}

impl<'a> Iterator for ChunkRecords<'a> {
    type Item = Result<Record<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cursor >= self.bytes.len() {
            return None;
        }
        let located = locate(self.bytes, &mut self.cursor, &mut self.formats);
        if located.is_err() {
            self.cursor = self.bytes.len();
        }
        Some(located.map(|record| record.within(self.bytes)))
    }
}
