//! Records on their way into chunks. One buffer holds it all: sealed chunks that wait to be written, then the
//! open chunk, which is encrypted where it lies.

use crate::SpoolError;
use crate::chunk::{ChunkHead, ChunkKind, HeadRead, Reached, head_bytes};
use crate::crypto::{Cipher, TAG_BYTES};
use crate::record::{self, Formats, Record};

/// Sealed chunks and an open one.
pub(crate) struct ChunkBuffer {
    bytes: Vec<u8>,
    /// The sealed chunks; behind them the open one, if there is one: room for its head, then records.
    n_sealed_bytes: usize,
    /// An open chunk is sealed before it grows longer.
    n_chunk_bytes: usize,
    /// What the buffer takes from the start.
    n_usual_bytes: usize,
    cipher: Cipher,
    /// Of the open chunk. `None`: there are no more.
    number: Option<u32>,
    formats: Formats,
    reached: Reached,
}

impl ChunkBuffer {
    pub(crate) fn new(cipher: Cipher, n_chunk_bytes: usize) -> Self {
        // A flush may find one chunk that was just sealed, and one just begun.
        let n_usual_bytes = n_chunk_bytes + n_chunk_bytes / 4 + 1024;
        Self {
            bytes: Vec::with_capacity(n_usual_bytes),
            n_sealed_bytes: 0,
            n_chunk_bytes,
            n_usual_bytes,
            cipher,
            number: Some(0),
            formats: Formats::default(),
            reached: Reached::default(),
        }
    }

    /// All that waits.
    pub(crate) fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a record to the open chunk.
    pub(crate) fn put(&mut self, record: &Record<'_>) -> Result<(), SpoolError> {
        let n_records_bytes = self.n_records_bytes();
        if n_records_bytes > 0 && n_records_bytes + record.max_bytes() > self.n_chunk_bytes {
            self.seal(ChunkKind::Records)?;
        }
        if self.number.is_none() {
            return Err(SpoolError::TooManyChunks);
        }
        if !self.is_open() {
            let n_head_bytes = head_bytes(self.reached.n_legs());
            self.bytes.resize(self.n_sealed_bytes + n_head_bytes, 0);
        }
        if let Record::Audio(audio) = record {
            let n_legs = self.reached.n_legs();
            self.reached.note(audio.leg, audio.end());
            self.widen(n_legs);
        }
        record::encode(&mut self.bytes, &mut self.formats, record);
        Ok(())
    }

    /// Makes room for a leg that the head of the open chunk did not know.
    fn widen(&mut self, n_legs_before: usize) {
        let (before, now) = (head_bytes(n_legs_before), head_bytes(self.reached.n_legs()));
        let records = self.n_sealed_bytes + before..self.bytes.len();
        if now > before {
            self.bytes.resize(records.end + now - before, 0);
            self.bytes.copy_within(records, self.n_sealed_bytes + now);
        }
    }

    /// Seals the open chunk, if there is one. It gets its number here, and never another content.
    pub(crate) fn seal(&mut self, kind: ChunkKind) -> Result<(), SpoolError> {
        if !self.is_open() {
            return Ok(());
        }
        let number = self.number.ok_or(SpoolError::TooManyChunks)?;
        let head = ChunkHead {
            n_body_bytes: self.n_records_bytes() + TAG_BYTES,
            number,
            kind,
            reached: self.reached,
        };
        let (head_out, records) =
            self.bytes[self.n_sealed_bytes..].split_at_mut(head.n_head_bytes());
        head.write(head_out);
        self.number = number.checked_add(1);
        let tag = self.cipher.seal(number, head_out, records)?;
        self.bytes.extend_from_slice(&tag);
        self.n_sealed_bytes = self.bytes.len();
        self.formats = Formats::default();
        Ok(())
    }

    /// The sealed chunk that begins `n_bytes` into the buffer.
    pub(crate) fn sealed_at(&self, n_bytes: usize) -> Option<&[u8]> {
        let sealed = self.bytes.get(n_bytes..self.n_sealed_bytes)?;
        match ChunkHead::read(sealed) {
            HeadRead::Whole(head) => sealed.get(..head.n_bytes()),
            HeadRead::Short | HeadRead::Damaged => None,
        }
    }

    /// Forgets sealed chunks that were written.
    pub(crate) fn forget(&mut self, n_bytes: usize) {
        if n_bytes >= self.bytes.len() {
            self.bytes.clear();
        } else {
            self.bytes.drain(..n_bytes);
        }
        self.n_sealed_bytes = self.n_sealed_bytes.saturating_sub(n_bytes);
    }

    /// Gives back what a disk that was full made it take.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to(self.n_usual_bytes);
    }

    fn is_open(&self) -> bool {
        self.bytes.len() > self.n_sealed_bytes
    }

    fn n_records_bytes(&self) -> usize {
        let n_open_bytes = self.bytes.len() - self.n_sealed_bytes;
        n_open_bytes.saturating_sub(head_bytes(self.reached.n_legs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{DataKey, Origin, RecordingId};

    #[test]
    fn no_number_is_given_twice_even_after_the_last() {
        let origin = Origin {
            id: RecordingId([1; 16]),
            created_unix_ms: 0,
        };
        let cipher = DataKey::fixed(origin, [2; 32]).chunk_cipher().unwrap();
        let mut buffer = ChunkBuffer::new(cipher, 1024);
        buffer.number = Some(u32::MAX);
        buffer.put(&Record::Note(b"the last")).unwrap();
        buffer.seal(ChunkKind::Records).unwrap();
        let n_bytes = buffer.n_bytes();
        let refused = buffer.put(&Record::Note(b"one more")).unwrap_err();
        assert!(matches!(refused, SpoolError::TooManyChunks));
        assert_eq!(buffer.n_bytes(), n_bytes);
        assert_eq!(buffer.sealed_at(0).map(<[u8]>::len), Some(n_bytes));
    }
}
