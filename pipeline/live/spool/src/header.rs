//! The clear header, twice: `FORMAT.md`, "Header". Its two slots lie in blocks of their own, so that one can be
//! written anew while the other stays whole.

use std::fmt;

use crate::crypto::{self, Cipher, CryptoError, KEY_BYTES, SALT_BYTES, Secret, TAG_BYTES};
use crate::keys::{KeyId, KeyRing};
use crate::{ReadError, crypto::random};

/// Chunks begin behind both slots.
pub(crate) const HEADER_BYTES: u64 = 2 * SLOT_PITCH;
/// Disks write blocks of up to 4096 bytes as one.
pub(crate) const SLOT_PITCH: u64 = 4096;
/// What of a slot is used; the rest of its block is zero.
pub(crate) const SLOT_BYTES: usize = CRC_AT + 4;

const MAGIC: [u8; 8] = *b"AURIAREC";
const VERSION: u16 = 1;
const WRAPPED_BYTES: usize = KEY_BYTES + TAG_BYTES;
const WRAPPED_AT: usize = 104;
const CRC_AT: usize = WRAPPED_AT + WRAPPED_BYTES;

const FOR_WRAP: &[u8] = b"auricle-spool 1 wrap";
const FOR_CHUNKS: &[u8] = b"auricle-spool 1 chunks";
const FOR_SEAL: &[u8] = b"auricle-spool 1 seal";

/// What a recording is called: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId(pub [u8; 16]);

impl fmt::Display for RecordingId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordingId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// What a recording's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordingInfo {
    /// Its own.
    pub id: RecordingId,
    /// When it was begun, in milliseconds since 1970 (UTC).
    pub created_unix_ms: u64,
    /// The master key that its data key lies under.
    pub key: KeyId,
}

/// What never changes in a header, and what chunks are bound to.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) id: RecordingId,
    pub(crate) created_unix_ms: u64,
}

impl Origin {
    /// Magic, version, creation, id.
    fn bound(&self) -> [u8; 34] {
        let mut bound = [0; 34];
        bound[..8].copy_from_slice(&MAGIC);
        bound[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bound[10..18].copy_from_slice(&self.created_unix_ms.to_le_bytes());
        bound[18..].copy_from_slice(&self.id.0);
        bound
    }
}

/// The key of one recording, with what it is bound to.
pub(crate) struct DataKey {
    pub(crate) origin: Origin,
    secret: Secret,
}

impl DataKey {
    pub(crate) fn random(origin: Origin) -> Result<Self, CryptoError> {
        let secret = crypto::random_secret()?;
        Ok(Self { origin, secret })
    }

    /// Of chunks: the writer that drew this key is the only one to seal with it.
    pub(crate) fn chunk_cipher(&self) -> Result<Cipher, CryptoError> {
        let bound = self.origin.bound();
        Cipher::derive(&self.secret, &self.origin.id.0, &[FOR_CHUNKS, &bound])
    }

    /// Of one seal: with a fresh salt it is a key that nothing else was sealed with.
    pub(crate) fn seal_cipher(&self, salt: &[u8; SALT_BYTES]) -> Result<Cipher, CryptoError> {
        let bound = self.origin.bound();
        Cipher::derive(&self.secret, salt, &[FOR_SEAL, &bound])
    }

    #[cfg(test)]
    pub(crate) fn fixed(origin: Origin, secret: [u8; KEY_BYTES]) -> Self {
        let secret = secret.into();
        Self { origin, secret }
    }
}

/// One copy of the header.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Slot([u8; SLOT_BYTES]);

/// Why bytes are no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotFault {
    Foreign,
    Version(u16),
    Damaged,
}

impl Slot {
    /// Wraps a data key under the ring's active master key.
    pub(crate) fn wrap(
        key: &DataKey,
        generation: u32,
        keys: &KeyRing,
    ) -> Result<Self, CryptoError> {
        Self::wrap_salted(key, generation, keys, random()?)
    }

    pub(crate) fn wrap_salted(
        key: &DataKey,
        generation: u32,
        keys: &KeyRing,
        salt: [u8; SALT_BYTES],
    ) -> Result<Self, CryptoError> {
        let (key_id, master) = keys.active();
        let mut bytes = [0; SLOT_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&generation.to_le_bytes());
        bytes[16..24].copy_from_slice(&key.origin.created_unix_ms.to_le_bytes());
        bytes[24..40].copy_from_slice(&key.origin.id.0);
        bytes[40..72].copy_from_slice(key_id.padded());
        bytes[72..WRAPPED_AT].copy_from_slice(&salt);
        let cipher = Cipher::derive(master, &salt, &[FOR_WRAP])?;
        let (clear, rest) = bytes.split_at_mut(WRAPPED_AT);
        rest[..KEY_BYTES].copy_from_slice(key.secret.as_ref());
        let tag = cipher.seal(0, clear, &mut rest[..KEY_BYTES])?;
        rest[KEY_BYTES..WRAPPED_BYTES].copy_from_slice(&tag);
        let crc = crc32fast::hash(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        Ok(Self(bytes))
    }

    /// Of a block's first bytes.
    pub(crate) fn read(block: &[u8]) -> Result<Self, SlotFault> {
        if !block.starts_with(&MAGIC) {
            return Err(SlotFault::Foreign);
        }
        let Some((bytes, _)) = block.split_first_chunk::<SLOT_BYTES>() else {
            return Err(SlotFault::Damaged);
        };
        let slot = Self(*bytes);
        let crc = u32::from_le_bytes(slot.field(CRC_AT));
        if crc32fast::hash(&bytes[..CRC_AT]) != crc || slot.key_id().is_none() {
            return Err(SlotFault::Damaged);
        }
        match u16::from_le_bytes(slot.field(8)) {
            VERSION => Ok(slot),
            version => Err(SlotFault::Version(version)),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; SLOT_BYTES] {
        &self.0
    }

    /// The higher one was written later.
    pub(crate) fn generation(&self) -> u32 {
        u32::from_le_bytes(self.field(12))
    }

    pub(crate) fn key_id(&self) -> Option<KeyId> {
        KeyId::unpadded(&self.field(40))
    }

    fn origin(&self) -> Origin {
        Origin {
            id: RecordingId(self.field(24)),
            created_unix_ms: u64::from_le_bytes(self.field(16)),
        }
    }

    /// Takes the data key out. `None`: `master` is not the key, or somebody changed the slot.
    fn unwrap(&self, master: &Secret) -> Result<Option<DataKey>, CryptoError> {
        let cipher = Cipher::derive(master, &self.field::<SALT_BYTES>(72), &[FOR_WRAP])?;
        let mut wrapped = zeroize::Zeroizing::new(self.field::<WRAPPED_BYTES>(WRAPPED_AT));
        let opened = cipher.open(0, &self.0[..WRAPPED_AT], wrapped.as_mut());
        let secret = opened.and_then(|secret| <[u8; KEY_BYTES]>::try_from(&*secret).ok());
        let origin = self.origin();
        Ok(secret.map(|secret| DataKey {
            origin,
            secret: secret.into(),
        }))
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.0[at..at + N]);
        field
    }
}

/// Both slots of a new file, with the zeros between and behind them.
pub(crate) fn blocks(slot: &Slot) -> Vec<u8> {
    let mut blocks = vec![0; HEADER_BYTES as usize];
    for block in blocks.chunks_exact_mut(SLOT_PITCH as usize) {
        block[..SLOT_BYTES].copy_from_slice(slot.bytes());
    }
    blocks
}

/// A header that opened.
pub(crate) struct Opened {
    /// Which of the two slots it was, the newer that opens.
    pub(crate) slot_idx: usize,
    pub(crate) slot: Slot,
    pub(crate) key: DataKey,
}

impl Opened {
    pub(crate) fn info(&self) -> Option<RecordingInfo> {
        Some(RecordingInfo {
            id: self.key.origin.id,
            created_unix_ms: self.key.origin.created_unix_ms,
            key: self.slot.key_id()?,
        })
    }
}

/// Opens a header by the newest slot that is whole and whose key is there.
pub(crate) fn open(
    slots: [Result<Slot, SlotFault>; 2],
    keys: &KeyRing,
) -> Result<Opened, ReadError> {
    let mut refusal = None;
    let mut faults = Vec::new();
    let mut whole = Vec::new();
    for (slot_idx, slot) in slots.into_iter().enumerate() {
        match slot {
            Ok(slot) => whole.push((slot_idx, slot)),
            Err(fault) => faults.push(fault),
        }
    }
    whole.sort_by_key(|(_, slot)| std::cmp::Reverse(slot.generation()));
    for (slot_idx, slot) in whole {
        let Some(key_id) = slot.key_id() else {
            continue;
        };
        let Some(master) = keys.get(key_id) else {
            refusal.get_or_insert(ReadError::MissingKey(key_id));
            continue;
        };
        match slot.unwrap(master)? {
            None => refusal.get_or_insert(ReadError::WrongKey(key_id)),
            Some(key) => {
                return Ok(Opened {
                    slot_idx,
                    slot,
                    key,
                });
            }
        };
    }
    Err(refusal.unwrap_or_else(|| unreadable(&faults)))
}

fn unreadable(faults: &[SlotFault]) -> ReadError {
    let version = faults.iter().find_map(|fault| match fault {
        SlotFault::Version(version) => Some(*version),
        _ => None,
    });
    match version {
        Some(version) => ReadError::Version(version),
        None if faults.iter().all(|fault| *fault == SlotFault::Foreign) => ReadError::NotARecording,
        None => ReadError::Header,
    }
}
