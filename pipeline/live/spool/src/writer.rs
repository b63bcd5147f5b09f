//! Writing one recording.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use crate::buffer::ChunkBuffer;
use crate::chunk::ChunkKind;
use crate::crypto::random;
use crate::error::Doing;
use crate::header::{self, DataKey, HEADER_BYTES, Origin, RecordingId, RecordingInfo, Slot};
use crate::keys::KeyRing;
use crate::record::Record;
use crate::storage::Storage;
use crate::{CryptoError, MAX_CHUNK_BYTES, SpoolError};

const MIN_CHUNK_BYTES: usize = 1024;

/// What one recording may take in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterLimits {
    /// A chunk is sealed before its records grow longer, 1024 to [`MAX_CHUNK_BYTES`]; the memory of a recording
    /// where all goes well is a quarter more. A lost or damaged chunk costs so much, so does a look-up. Best
    /// a little more than comes between two flushes.
    pub chunk_bytes: usize,
    /// Records that wait while the disk is full, sealed or not, at least `chunk_bytes`. Beyond it `append` refuses.
    pub buffered_bytes: usize,
}

impl Default for WriterLimits {
    /// Two legs of 8 kB/s flushed every second, and a minute of them where the disk is full.
    fn default() -> Self {
        Self {
            chunk_bytes: 24 * 1024,
            buffered_bytes: 1024 * 1024,
        }
    }
}

impl WriterLimits {
    pub(crate) fn check(&self) -> Result<(), SpoolError> {
        let limits = [
            (
                "chunk_bytes",
                self.chunk_bytes,
                MIN_CHUNK_BYTES,
                MAX_CHUNK_BYTES,
            ),
            (
                "buffered_bytes",
                self.buffered_bytes,
                self.chunk_bytes,
                usize::MAX,
            ),
        ];
        for (name, got, min, max) in limits {
            if !(min..=max).contains(&got) {
                return Err(SpoolError::Limit {
                    name,
                    min: min as u64,
                    max: max as u64,
                    got: got as u64,
                });
            }
        }
        Ok(())
    }
}

/// How a recording begins.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Now, in milliseconds since 1970 (UTC). Stands in the clear.
    pub created_unix_ms: u64,
    /// The first record, at most [`MAX_NOTE_BYTES`](crate::MAX_NOTE_BYTES).
    pub begin: &'a [u8],
    /// Its memory.
    pub limits: WriterLimits,
}

/// What is random in a recording.
pub(crate) struct Fresh {
    pub(crate) key: DataKey,
    pub(crate) slot: Slot,
}

impl Fresh {
    pub(crate) fn draw(created_unix_ms: u64, keys: &KeyRing) -> Result<Self, CryptoError> {
        let id = RecordingId(random()?);
        let key = DataKey::random(Origin {
            id,
            created_unix_ms,
        })?;
        let slot = Slot::wrap(&key, 1, keys)?;
        Ok(Self { key, slot })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Recording,
    /// The end chunk is sealed, perhaps not yet written.
    Finished,
}

/// Writes one recording. Records wait in memory until [`Self::flush`]; dropped without one they are lost, and
/// without [`Self::finish`] the file reads as cut off.
///
/// After its start it allocates nothing, unless the disk is full or more comes between two flushes than
/// [`WriterLimits::chunk_bytes`].
pub struct RecordingWriter {
    storage: Box<dyn Storage>,
    info: RecordingInfo,
    buffer: ChunkBuffer,
    limits: WriterLimits,
    /// Whole chunks in the file; what is behind them is to be cut away.
    n_file_bytes: u64,
    tail: Tail,
    /// A write failed, and not all that waited was written since.
    is_behind: bool,
    phase: Phase,
}

/// What lies behind the whole chunks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    Clean,
    /// Part of a chunk, from a write that failed.
    Ragged,
}

impl RecordingWriter {
    /// Begins a recording in a new file that only its owner can read: its header and its `Begin` are written, not
    /// synced.
    ///
    /// # Errors
    /// The path exists or cannot be written, limits that make no sense, no randomness. No file stays behind.
    pub fn create(path: &Path, keys: &KeyRing, start: &Start<'_>) -> Result<Self, SpoolError> {
        let fresh = Fresh::draw(start.created_unix_ms, keys)?;
        let file = create_file(path)?;
        let writer = Self::begin(Box::new(file), fresh, start);
        if writer.is_err() {
            let _ = fs::remove_file(path);
        }
        writer
    }

    pub(crate) fn begin(
        storage: Box<dyn Storage>,
        fresh: Fresh,
        start: &Start<'_>,
    ) -> Result<Self, SpoolError> {
        start.limits.check()?;
        let Fresh { key, slot } = fresh;
        let info = RecordingInfo {
            id: key.origin.id,
            created_unix_ms: key.origin.created_unix_ms,
            key: slot.key_id().ok_or(CryptoError::Length)?,
        };
        let mut writer = Self {
            storage,
            info,
            buffer: ChunkBuffer::new(key.chunk_cipher()?, start.limits.chunk_bytes),
            limits: start.limits,
            n_file_bytes: HEADER_BYTES,
            tail: Tail::Clean,
            is_behind: false,
            phase: Phase::Recording,
        };
        let begin = Record::Begin(start.begin);
        begin.check()?;
        writer.buffer.put(&begin)?;
        let header = header::blocks(&slot);
        let written = writer.storage.write_at(0, &header);
        written.doing("write the recording")?;
        writer.flush()?;
        Ok(writer)
    }

    /// Takes a record, in memory only: audio and notes. What was taken will be in the file before anything that
    /// comes later, however often writing fails in between.
    ///
    /// # Errors
    /// Where the record was not taken: it is too long, its leg is not below 16, it is a `Begin` or an `End`, the
    /// recording is finished, [`SpoolError::BufferFull`].
    pub fn append(&mut self, record: Record<'_>) -> Result<(), SpoolError> {
        if self.phase == Phase::Finished {
            return Err(SpoolError::Finished);
        }
        if matches!(record, Record::Begin(_) | Record::End(_)) {
            return Err(SpoolError::Misplaced);
        }
        record.check()?;
        let limit_bytes = self.limits.buffered_bytes;
        if self.buffer.n_bytes() + record.max_bytes() > limit_bytes {
            return Err(SpoolError::BufferFull { limit_bytes });
        }
        self.buffer.put(&record)
    }

    /// Seals what waits into a chunk and writes it; a reader sees it from then on. No sync.
    ///
    /// # Errors
    /// The file system's ([`SpoolError::is_disk_full`]). Nothing is lost: what waits goes on waiting, and the next
    /// flush tries again, after it cut away what was written of a chunk.
    pub fn flush(&mut self) -> Result<(), SpoolError> {
        // What waits from a failure before goes first, so that small chunks do not pile up on a full disk.
        self.write_sealed()?;
        self.buffer.seal(ChunkKind::Records)?;
        self.write_sealed()
    }

    /// Brings what was flushed to the disk (fdatasync).
    ///
    /// # Errors
    /// The file system's. What was flushed may then be lost.
    pub fn sync(&self) -> Result<(), SpoolError> {
        self.storage.sync().doing("sync the recording")
    }

    /// Adds the `End` and writes all that waits. No sync.
    ///
    /// # Errors
    /// As [`Self::flush`]; called again it tries again to write the end that was given first.
    pub fn finish(&mut self, end: &[u8]) -> Result<(), SpoolError> {
        if self.phase == Phase::Recording {
            let end = Record::End(end);
            end.check()?;
            // The end is in a chunk of its own, which is small and which nothing follows.
            self.buffer.seal(ChunkKind::Records)?;
            self.buffer.put(&end)?;
            self.buffer.seal(ChunkKind::End)?;
            self.phase = Phase::Finished;
        }
        self.write_sealed()
    }

    /// Its header.
    pub fn info(&self) -> &RecordingInfo {
        &self.info
    }

    /// Records in memory that no reader sees yet, with what they cost beside.
    pub fn n_buffered_bytes(&self) -> usize {
        self.buffer.n_bytes()
    }

    /// Header and whole chunks in the file.
    pub fn n_file_bytes(&self) -> u64 {
        self.n_file_bytes
    }

    fn write_sealed(&mut self) -> Result<(), SpoolError> {
        let mut n_written = 0;
        let mut outcome = Ok(());
        while let Some(chunk) = self.buffer.sealed_at(n_written) {
            if self.tail == Tail::Ragged {
                outcome = self.storage.set_len(self.n_file_bytes);
            }
            outcome = outcome.and_then(|()| self.storage.write_at(self.n_file_bytes, chunk));
            if outcome.is_err() {
                self.tail = Tail::Ragged;
                break;
            }
            self.tail = Tail::Clean;
            n_written += chunk.len();
            self.n_file_bytes += chunk.len() as u64;
        }
        self.buffer.forget(n_written);
        if outcome.is_err() {
            self.is_behind = true;
            self.cut_ragged();
        } else if self.is_behind {
            self.is_behind = false;
            self.buffer.shrink();
        }
        outcome.doing("write the recording")
    }

    /// Leaves whole chunks, so that the file is good if nothing more comes; a failure is made up for before the
    /// next write.
    fn cut_ragged(&mut self) {
        if self.storage.set_len(self.n_file_bytes).is_ok() {
            self.tail = Tail::Clean;
        }
    }
}

/// A new file that only its owner can read.
pub(crate) fn create_file(path: &Path) -> Result<File, SpoolError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).doing("create the recording")
}
