//! Sealing what a crash cut off: `FORMAT.md`, "Seal". Not one byte is appended under the key of the chunks: what a
//! torn write left on the disk may have used any nonce. A seal has a key of its own, derived with a fresh salt.

use std::fs::File;

use crate::Ending;
use crate::chunk::{ChunkHead, ChunkKind};
use crate::crypto::{SALT_BYTES, TAG_BYTES, random};
use crate::error::Doing;
use crate::header::DataKey;
use crate::keys::KeyRing;
use crate::reader::{Place, RecordingReader};
use crate::storage::Storage;
use crate::{ReadError, RecordingId, SpoolError};

const SEAL_BYTES: usize = 16;

/// What a seal says.
#[derive(Clone, Copy)]
pub(crate) struct Seal {
    n_bytes_dropped: u64,
    sealed_unix_ms: u64,
}

impl Seal {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (dropped, rest) = bytes.split_first_chunk()?;
        Some(Self {
            n_bytes_dropped: u64::from_le_bytes(*dropped),
            sealed_unix_ms: u64::from_le_bytes(rest.try_into().ok()?),
        })
    }

    pub(crate) fn ending(self) -> Ending {
        Ending::Sealed {
            n_bytes_dropped: self.n_bytes_dropped,
            sealed_unix_ms: self.sealed_unix_ms,
        }
    }

    fn bytes(self) -> [u8; SEAL_BYTES] {
        let mut bytes = [0; SEAL_BYTES];
        bytes[..8].copy_from_slice(&self.n_bytes_dropped.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sealed_unix_ms.to_le_bytes());
        bytes
    }

    /// The chunk that goes to `place`.
    fn chunk(self, key: &DataKey, place: &Place) -> Result<Vec<u8>, SpoolError> {
        let salt = random::<SALT_BYTES>()?;
        let head = ChunkHead {
            n_body_bytes: SALT_BYTES + SEAL_BYTES + TAG_BYTES,
            number: place.number,
            kind: ChunkKind::Seal,
            reached: place.reached,
        };
        let mut chunk = vec![0; head.n_head_bytes()];
        head.write(&mut chunk);
        let mut sealed = self.bytes();
        let tag = key
            .seal_cipher(&salt)?
            .seal(head.number, &chunk, &mut sealed)?;
        chunk.extend_from_slice(&salt);
        chunk.extend_from_slice(&sealed);
        chunk.extend_from_slice(&tag);
        Ok(chunk)
    }
}

/// Reads a file that nobody writes to any more, proves it, and seals it behind its last whole chunk where it was
/// cut off; the rest is cut away, for no part of a chunk can be read. What is damaged stays as it is. Can be
/// done again after a kill at any moment.
pub(crate) fn seal(
    file: File,
    id: RecordingId,
    keys: &KeyRing,
    sealed_unix_ms: u64,
) -> Result<Ending, SpoolError> {
    let mut reader = RecordingReader::new(file, keys)?;
    if reader.info().id != id {
        return Err(ReadError::Another.into());
    }
    let ending = reader.verify()?;
    let Ending::CutOff { n_bytes_dropped } = ending else {
        return Ok(ending);
    };
    let seal = Seal {
        n_bytes_dropped,
        sealed_unix_ms,
    };
    let place = *reader.place();
    let chunk = seal.chunk(reader.key(), &place)?;
    let mut file = reader.into_source();
    write(&mut file, place.offset, &chunk).doing("seal the recording")?;
    Ok(seal.ending())
}

fn write(storage: &mut impl Storage, offset: u64, chunk: &[u8]) -> std::io::Result<()> {
    storage.set_len(offset)?;
    storage.write_at(offset, chunk)?;
    storage.sync()
}

/// Whether nobody will ever read a file: its header was not written to the end, or is no header.
pub(crate) fn is_hopeless(error: &SpoolError) -> bool {
    matches!(
        error,
        SpoolError::Read(ReadError::NotARecording | ReadError::Header)
    )
}
