//! Reading one recording: finished, cut off, or still being written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::ReadError;
use crate::chunk::{ChunkHead, ChunkKind, HeadRead, MAX_HEAD_BYTES, Reached};
use crate::crypto::{Cipher, SALT_BYTES};
use crate::header::{self, DataKey, HEADER_BYTES, RecordingInfo, SLOT_BYTES, SLOT_PITCH, Slot};
use crate::keys::KeyRing;
use crate::record::{self, Formats, Record};
use crate::recover::Seal;
use crate::storage::read_at;

/// How a recording ends. All records before it are as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By [`finish`](crate::RecordingWriter::finish): it is complete, its `End` was the last record.
    Finished,
    /// It was cut off, and [`recover`](crate::Spool::recover) sealed it: it will not grow, and nothing was cut later.
    Sealed {
        /// What was left of a chunk and taken away.
        n_bytes_dropped: u64,
        /// When, in milliseconds since 1970 (UTC).
        sealed_unix_ms: u64,
    },
    /// There is no end: it is being written, or its writer was killed, or somebody cut it.
    CutOff {
        /// Part of a chunk, which cannot be read.
        n_bytes_dropped: u64,
    },
    /// Bytes that the writer did not write; nothing behind them is read.
    Damaged {
        /// Where their chunk begins, in bytes.
        at: u64,
    },
}

/// Reads one recording, in memory of one chunk ([`MAX_CHUNK_BYTES`](crate::MAX_CHUNK_BYTES)).
///
/// Records come until there is no further whole chunk; then [`Self::ending`] says why. A file that is
/// [`Ending::CutOff`] may be asked again later, and goes on with what was flushed since.
pub struct RecordingReader<S = File> {
    source: S,
    info: RecordingInfo,
    key: DataKey,
    cipher: Cipher,
    place: Place,
    /// The chunk that is being read, decrypted; its records begin at the cursor.
    body: Vec<u8>,
    cursor: usize,
    chunk_at: u64,
    formats: Formats,
    /// Said by a chunk that nothing may follow.
    last: Option<Ending>,
    ending: Option<Ending>,
}

/// Between two chunks.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    /// Of the next chunk.
    pub(crate) number: u32,
    pub(crate) reached: Reached,
}

impl Place {
    const FIRST: Self = Self {
        offset: HEADER_BYTES,
        number: 0,
        reached: Reached::NONE,
    };
}

/// A head as it was read and as it lies there; or why there is none.
type HeadAt = Result<(ChunkHead, [u8; MAX_HEAD_BYTES]), Ending>;

impl RecordingReader<File> {
    /// Opens a file, also one that is being written.
    ///
    /// # Errors
    /// It is no recording, its header is damaged, its key is missing or another, the file system.
    pub fn open(path: &Path, keys: &KeyRing) -> Result<Self, ReadError> {
        Self::new(File::open(path)?, keys)
    }
}

impl<S: Read + Seek> RecordingReader<S> {
    /// Of anything that can be read by position.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn new(mut source: S, keys: &KeyRing) -> Result<Self, ReadError> {
        let slots = read_slots(&mut source)?;
        let opened = header::open(slots, keys)?;
        Ok(Self {
            source,
            info: opened.info().ok_or(ReadError::Header)?,
            cipher: opened.key.chunk_cipher()?,
            key: opened.key,
            place: Place::FIRST,
            body: Vec::new(),
            cursor: 0,
            chunk_at: HEADER_BYTES,
            formats: Formats::default(),
            last: None,
            ending: None,
        })
    }

    /// Its header.
    pub fn info(&self) -> &RecordingInfo {
        &self.info
    }

    /// The next record. `None`: no further chunk is whole, see [`Self::ending`].
    ///
    /// # Errors
    /// The file system's.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        // A seal has no records.
        while self.cursor >= self.body.len() {
            if !self.load()? {
                return Ok(None);
            }
        }
        let Ok(record) = record::locate(&self.body, &mut self.cursor, &mut self.formats) else {
            self.spoil();
            return Ok(None);
        };
        Ok(Some(record.within(&self.body)))
    }

    /// Why there are no more records. `None`: there may be more.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Goes back to the first record.
    pub fn rewind(&mut self) {
        self.go_to(Place::FIRST);
    }

    /// Goes to where the first leg comes to `at`: the next records are those from the chunk with that position on; all
    /// audio before them ends at it or before. Where no leg has come so far, they are those that come later.
    ///
    /// Reads the clear heads of the chunks before, and decrypts one, which proves that no leg was there yet.
    ///
    /// # Errors
    /// The file system's.
    pub fn records_from(&mut self, at: u64) -> Result<(), ReadError> {
        let mut place = Place::FIRST;
        let mut before = None;
        while let Ok((head, _)) = self.head_at(&place)? {
            let is_there = head.reached.furthest() > at;
            if is_there || head.kind != ChunkKind::Records {
                break;
            }
            before = Some(place);
            place = Place {
                offset: place.offset + head.n_bytes() as u64,
                number: head.number.wrapping_add(1),
                reached: head.reached,
            };
        }
        self.go_to(before.unwrap_or(place));
        if before.is_some() && self.load()? {
            self.cursor = self.body.len();
        }
        Ok(())
    }

    /// Reads to the end, so that every chunk is proved and every record is whole, and says how it ends.
    ///
    /// # Errors
    /// The file system's.
    pub fn verify(&mut self) -> Result<Ending, ReadError> {
        while self.next_record()?.is_some() {}
        let offset = self.place.offset;
        Ok(self.ending.unwrap_or(Ending::Damaged { at: offset }))
    }

    /// Behind the last chunk that was read.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn key(&self) -> &DataKey {
        &self.key
    }

    #[cfg(test)]
    pub(crate) fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    pub(crate) fn into_source(self) -> S {
        self.source
    }

    fn go_to(&mut self, place: Place) {
        self.place = place;
        self.body.clear();
        self.cursor = 0;
        self.last = None;
        self.ending = None;
    }

    /// Authentic bytes that are no records: nothing of ours writes them.
    fn spoil(&mut self) {
        let at = self.chunk_at;
        self.body.clear();
        self.cursor = 0;
        self.last = Some(Ending::Damaged { at });
        self.ending = self.last;
    }

    /// Decrypts the next chunk. False: there is none, and `ending` says why.
    fn load(&mut self) -> Result<bool, ReadError> {
        self.body.clear();
        self.cursor = 0;
        self.ending = None;
        if let Some(last) = self.last {
            self.ending = Some(self.unless_followed(last)?);
            return Ok(false);
        }
        let place = self.place;
        let ending = match self.head_at(&place)? {
            Err(ending) => ending,
            Ok((head, bytes)) => {
                let decrypted = self.decrypt(&head, &bytes);
                if !matches!(decrypted, Ok(Ok(()))) {
                    // What is not proved is never taken for records, after a read that failed neither.
                    self.body.clear();
                }
                match decrypted? {
                    Ok(()) => return Ok(true),
                    Err(ending) => ending,
                }
            }
        };
        self.ending = Some(ending);
        Ok(false)
    }

    /// The head of the chunk at a place, where its number is right.
    fn head_at(&mut self, place: &Place) -> io::Result<HeadAt> {
        let mut bytes = [0; MAX_HEAD_BYTES];
        let n_bytes = read_at(&mut self.source, place.offset, &mut bytes)?;
        let ending = match ChunkHead::read(&bytes[..n_bytes]) {
            HeadRead::Whole(head) if head.number == place.number => {
                return Ok(Ok((head, bytes)));
            }
            HeadRead::Short => Ending::CutOff {
                n_bytes_dropped: self.n_bytes_from(place.offset)?,
            },
            HeadRead::Whole(_) | HeadRead::Damaged => self.damaged_or_empty(place.offset)?,
        };
        Ok(Err(ending))
    }

    /// Reads the body behind a head, and goes behind it if it is authentic.
    fn decrypt(
        &mut self,
        head: &ChunkHead,
        head_bytes: &[u8; MAX_HEAD_BYTES],
    ) -> Result<Result<(), Ending>, ReadError> {
        let offset = self.place.offset;
        let n_head_bytes = head.n_head_bytes();
        self.body.resize(head.n_body_bytes, 0);
        let body_at = offset + n_head_bytes as u64;
        let n_bytes = read_at(&mut self.source, body_at, &mut self.body)?;
        if n_bytes < head.n_body_bytes {
            let n_bytes_dropped = self.n_bytes_from(offset)?;
            return Ok(Err(Ending::CutOff { n_bytes_dropped }));
        }
        let bound = &head_bytes[..n_head_bytes];
        let is_authentic = match head.kind {
            ChunkKind::Records | ChunkKind::End => self.open_records(head, bound),
            ChunkKind::Seal => self.open_seal(head, bound)?,
        };
        if !is_authentic {
            return Ok(Err(Ending::Damaged { at: offset }));
        }
        self.chunk_at = offset;
        self.formats = Formats::default();
        self.place = Place {
            offset: offset + head.n_bytes() as u64,
            // No writer comes to the last number; what claims it has none behind it.
            number: head.number.wrapping_add(1),
            reached: head.reached,
        };
        Ok(Ok(()))
    }

    fn open_records(&mut self, head: &ChunkHead, bound: &[u8]) -> bool {
        let opened = self.cipher.open(head.number, bound, &mut self.body);
        let Some(n_bytes) = opened.map(|records| records.len()) else {
            return false;
        };
        self.body.truncate(n_bytes);
        if head.kind == ChunkKind::End {
            self.last = Some(Ending::Finished);
        }
        true
    }

    fn open_seal(&mut self, head: &ChunkHead, bound: &[u8]) -> Result<bool, ReadError> {
        let seal = match self.body.split_first_chunk_mut::<SALT_BYTES>() {
            Some((salt, sealed)) => {
                let opened = self.key.seal_cipher(salt)?.open(head.number, bound, sealed);
                opened.and_then(|seal| Seal::read(seal))
            }
            None => None,
        };
        self.body.clear();
        self.last = seal.map(Seal::ending);
        Ok(self.last.is_some())
    }

    /// Nothing comes behind an end; what does was not written by us.
    fn unless_followed(&mut self, last: Ending) -> io::Result<Ending> {
        let at = self.place.offset;
        let is_followed = self.n_bytes_from(at)? > 0;
        Ok(match last {
            Ending::Finished | Ending::Sealed { .. } if is_followed => Ending::Damaged { at },
            last => last,
        })
    }

    /// A crash of the system may leave a tail of zeros that were never written.
    fn damaged_or_empty(&mut self, offset: u64) -> io::Result<Ending> {
        let mut block = [0; 8192];
        let mut at = offset;
        loop {
            let n_bytes = read_at(&mut self.source, at, &mut block)?;
            if block[..n_bytes].iter().any(|byte| *byte != 0) {
                return Ok(Ending::Damaged { at: offset });
            }
            at += n_bytes as u64;
            if n_bytes < block.len() {
                let n_bytes_dropped = at - offset;
                return Ok(Ending::CutOff { n_bytes_dropped });
            }
        }
    }

    fn n_bytes_from(&mut self, offset: u64) -> io::Result<u64> {
        let n_bytes = self.source.seek(SeekFrom::End(0))?;
        Ok(n_bytes.saturating_sub(offset))
    }
}

/// Both slots of a header.
pub(crate) fn read_slots(
    source: &mut (impl Read + Seek),
) -> io::Result<[Result<Slot, header::SlotFault>; 2]> {
    let mut slot_at = |offset| {
        let mut bytes = [0; SLOT_BYTES];
        let n_bytes = read_at(source, offset, &mut bytes)?;
        io::Result::Ok(Slot::read(&bytes[..n_bytes]))
    };
    Ok([slot_at(0)?, slot_at(SLOT_PITCH)?])
}
