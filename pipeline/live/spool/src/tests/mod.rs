//! Recordings on a disk that is a vector, which fails and fills up as it is told.

mod damage;
mod disk_full;
mod format;
mod live;
mod rotation;
mod round_trip;
mod spool;

use std::io::{self, Cursor};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::header::{DataKey, Origin, Slot};
use crate::storage::Storage;
use crate::writer::Fresh;
use crate::{
    Audio, Encoding, Ending, KeyRing, ReadError, Record, RecordingId, RecordingReader,
    RecordingWriter, Start, WriterLimits,
};

pub(super) const CREATED_UNIX_MS: u64 = 1_795_166_000_250;

pub(super) fn ring() -> KeyRing {
    KeyRing::fixed(&[("2026-11", [7; 32])])
}

/// A record that owns what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owned {
    Begin(Vec<u8>),
    Audio(u8, u64, Encoding, u32, Vec<u8>),
    Note(Vec<u8>),
    End(Vec<u8>),
}

impl Owned {
    pub(super) fn of(record: Record<'_>) -> Self {
        match record {
            Record::Begin(note) => Self::Begin(note.to_vec()),
            Record::Note(note) => Self::Note(note.to_vec()),
            Record::End(note) => Self::End(note.to_vec()),
            Record::Audio(Audio {
                leg,
                at,
                encoding,
                rate_hz,
                payload,
            }) => Self::Audio(leg, at, encoding, rate_hz, payload.to_vec()),
        }
    }

    pub(super) fn record(&self) -> Record<'_> {
        match self {
            Self::Begin(note) => Record::Begin(note),
            Self::Note(note) => Record::Note(note),
            Self::End(note) => Record::End(note),
            Self::Audio(leg, at, encoding, rate_hz, payload) => Record::Audio(Audio {
                leg: *leg,
                at: *at,
                encoding: *encoding,
                rate_hz: *rate_hz,
                payload,
            }),
        }
    }
}

/// 20 ms of a leg, told apart by its content.
pub(super) fn packet(leg: u8, n: u64) -> Owned {
    let payload = (0..160).map(|at| (n as u8).wrapping_mul(31) ^ at ^ (leg << 6));
    Owned::Audio(leg, n * 160, Encoding::Ulaw, 8000, payload.collect())
}

/// A disk with one file. Clones are the same disk.
#[derive(Clone, Default)]
pub(super) struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
pub(super) struct DiskState {
    pub(super) bytes: Vec<u8>,
    /// Beyond it the disk is full.
    pub(super) quota_bytes: Option<usize>,
    /// Cutting fails, too.
    pub(super) is_stuck: bool,
    pub(super) n_cuts: usize,
}

impl Disk {
    pub(super) fn state(&self) -> MutexGuard<'_, DiskState> {
        self.0.lock().unwrap()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }
}

impl Storage for Disk {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let offset = usize::try_from(offset).unwrap();
        let end = offset + bytes.len();
        let fitting_end = end.min(state.quota_bytes.unwrap_or(end)).max(offset);
        let n_bytes = state.bytes.len().max(fitting_end);
        state.bytes.resize(n_bytes, 0);
        state.bytes[offset..fitting_end].copy_from_slice(&bytes[..fitting_end - offset]);
        match fitting_end < end {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    fn set_len(&mut self, n_bytes: u64) -> io::Result<()> {
        let mut state = self.state();
        if state.is_stuck {
            return Err(io::ErrorKind::Other.into());
        }
        state.n_cuts += 1;
        state.bytes.resize(usize::try_from(n_bytes).unwrap(), 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The same keys each time, which only tests may have.
pub(super) fn fixed(id: u8, keys: &KeyRing) -> Fresh {
    let origin = Origin {
        id: RecordingId([id; 16]),
        created_unix_ms: CREATED_UNIX_MS,
    };
    let key = DataKey::fixed(origin, [id ^ 0x5a; 32]);
    let slot = Slot::wrap_salted(&key, 1, keys, [id ^ 0x33; 32]).unwrap();
    Fresh { key, slot }
}

pub(super) fn writer_on(disk: &Disk, id: u8, limits: WriterLimits) -> RecordingWriter {
    let start = Start {
        created_unix_ms: CREATED_UNIX_MS,
        begin: br#"{"call":"a"}"#,
        limits,
    };
    RecordingWriter::begin(Box::new(disk.clone()), fixed(id, &ring()), &start).unwrap()
}

pub(super) fn begin() -> Owned {
    Owned::Begin(br#"{"call":"a"}"#.to_vec())
}

/// A finished recording in memory: its bytes, where its chunks begin, and how many records lie before each.
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Owned>,
    /// End of each chunk, and how many records end there.
    pub(super) chunks: Vec<(usize, usize)>,
}

impl Sample {
    /// Where the last whole chunk ends if the file is cut off at `n_bytes`, and how many records there are.
    pub(super) fn whole(&self, n_bytes: usize) -> (usize, usize) {
        let mut whole = self.chunks.iter().filter(|(end, _)| *end <= n_bytes);
        *whole.next_back().unwrap_or(&(8192, 0))
    }
}

/// Five chunks of two legs, a note and an end. Small, for tests that go through it byte by byte.
pub(super) fn sample(id: u8) -> Sample {
    let disk = Disk::default();
    let mut writer = writer_on(&disk, id, WriterLimits::default());
    let mut sample = Sample {
        bytes: Vec::new(),
        records: vec![begin()],
        chunks: vec![(disk.bytes().len(), 1)],
    };
    for second in 0..3 {
        for leg in 0..2 {
            sample.records.push(packet(leg, second));
        }
        if second == 1 {
            sample
                .records
                .push(Owned::Note(b"{\"hold\":true}".to_vec()));
        }
        let from = sample.chunks[sample.chunks.len() - 1].1;
        for record in &sample.records[from..] {
            writer.append(record.record()).unwrap();
        }
        writer.flush().unwrap();
        let chunk = (disk.bytes().len(), sample.records.len());
        sample.chunks.push(chunk);
    }
    writer.finish(b"{\"reason\":\"bye\"}").unwrap();
    let end = Owned::End(b"{\"reason\":\"bye\"}".to_vec());
    sample.records.push(end);
    sample.bytes = disk.bytes();
    sample
        .chunks
        .push((sample.bytes.len(), sample.records.len()));
    sample
}

/// All that a reader gives, and how it ends.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Owned>, Ending), ReadError> {
    let mut reader = RecordingReader::new(Cursor::new(bytes), &ring())?;
    let records = rest_of(&mut reader);
    Ok((records, reader.ending().unwrap()))
}

pub(super) fn rest_of<S: io::Read + io::Seek>(reader: &mut RecordingReader<S>) -> Vec<Owned> {
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        records.push(Owned::of(record));
    }
    records
}
