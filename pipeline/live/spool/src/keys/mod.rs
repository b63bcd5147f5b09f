//! Master keys, by id. Recordings carry the id of theirs in the clear.

mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use crate::crypto::{CryptoError, Secret, random_secret};
pub use text::Existing;

const MAX_ID_BYTES: usize = 32;
/// A new key every week for twenty years.
const MAX_KEYS: usize = 1024;

/// The name of a master key: 1 to 32 letters, digits, `-` and `_`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; MAX_ID_BYTES]);

impl KeyId {
    /// As it lies in a header: zeros behind it.
    pub(crate) fn padded(&self) -> &[u8; MAX_ID_BYTES] {
        &self.0
    }

    pub(crate) fn unpadded(bytes: &[u8; MAX_ID_BYTES]) -> Option<Self> {
        let n_bytes = bytes.iter().position(|byte| *byte == 0);
        let (id, padding) = bytes.split_at(n_bytes.unwrap_or(MAX_ID_BYTES));
        let is_padded = padding.iter().all(|byte| *byte == 0);
        std::str::from_utf8(id)
            .ok()
            .filter(|_| is_padded)?
            .parse()
            .ok()
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(id: &str) -> Result<Self, KeyError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let mut bytes = [0; MAX_ID_BYTES];
        match bytes.get_mut(..id.len()) {
            Some(out) if !id.is_empty() && id.bytes().all(is_allowed) && id != text::ACTIVE => {
                out.copy_from_slice(id.as_bytes());
                Ok(Self(bytes))
            }
            _ => Err(KeyError::Id),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        out.write_str(std::str::from_utf8(id).unwrap_or_default())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Keys that cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Not a name for a key.
    #[error("a key's name must be 1 to 32 letters, digits, `-` and `_`, and not `active`")]
    Id,
    /// A line that is no key. It is not quoted, for it may be one.
    #[error(
        "line {line} of the keys is not `name = \"key\"`\nhint: a key is 32 bytes in base64, 44 characters; `active = \"name\"` names the key of new recordings"
    )]
    Syntax {
        /// From 1.
        line: usize,
    },
    /// Two keys of one name.
    #[error("key `{0}` is there twice")]
    Twice(KeyId),
    /// More than a key ring holds.
    #[error(
        "there are more than 1024 keys\nhint: take keys out that no recording needs; `auricle keys rotate` tells which are needed"
    )]
    TooMany,
    /// Nothing but comments.
    #[error("there is no key\nhint: make a first one with `auricle keys add`")]
    Empty,
    /// Several keys and no word which is for new recordings.
    #[error("no key is named for new recordings\nhint: add a line `active = \"name\"`")]
    NoActive,
    /// The active key is none of the keys.
    #[error("the active key `{0}` is not among the keys")]
    UnknownActive(KeyId),
    /// The key file.
    #[error("cannot {doing} the key file `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Larger than key files are, or not text.
    #[error("`{}` is no key file: it is too long, or not text", .0.display())]
    NotKeys(PathBuf),
    /// Others than its owner may read it or write it.
    #[error("key file `{}` can be read by others than its owner (mode {mode:03o})\nhint: chmod 600 it; if others had access, make a new key and run `auricle keys rotate`", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// See there.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Master keys: one that new recordings get, and all that old ones were given. At least one, at most 1024.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<(KeyId, Secret)>,
    active_idx: usize,
}

impl KeyRing {
    /// A ring with one fresh key.
    ///
    /// # Errors
    /// No randomness.
    pub fn generate(id: KeyId) -> Result<Self, KeyError> {
        let keys = vec![(id, random_secret()?)];
        Ok(Self {
            keys,
            active_idx: 0,
        })
    }

    /// Adds a fresh key and makes it the active one; the old ones stay.
    ///
    /// # Errors
    /// `Twice`, `TooMany`, no randomness.
    pub fn add(&mut self, id: KeyId) -> Result<(), KeyError> {
        self.insert(id, random_secret()?)?;
        self.active_idx = self.keys.len() - 1;
        Ok(())
    }

    /// The id of the key of new recordings.
    pub fn active_id(&self) -> KeyId {
        self.active().0
    }

    /// All ids, in the order of the file.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|(id, _)| *id)
    }

    /// Whether recordings of that key can be read.
    pub fn has(&self, id: KeyId) -> bool {
        self.get(id).is_some()
    }

    pub(crate) fn active(&self) -> (KeyId, &Secret) {
        let (id, key) = &self.keys[self.active_idx];
        (*id, key)
    }

    pub(crate) fn get(&self, id: KeyId) -> Option<&Secret> {
        let key = self.keys.iter().find(|(known, _)| *known == id);
        key.map(|(_, key)| key)
    }

    fn insert(&mut self, id: KeyId, key: Secret) -> Result<(), KeyError> {
        if self.has(id) {
            return Err(KeyError::Twice(id));
        }
        if self.keys.len() >= MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        self.keys.push((id, key));
        Ok(())
    }

    /// Of bytes that a test chose.
    #[cfg(test)]
    pub(crate) fn fixed(keys: &[(&str, [u8; 32])]) -> Self {
        let keys = keys.iter().map(|(id, key)| {
            let id = id.parse::<KeyId>().expect("a test's key has a name");
            (id, (*key).into())
        });
        Self {
            keys: keys.collect(),
            active_idx: 0,
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.ids().collect::<Vec<_>>();
        write!(
            out,
            "KeyRing {{ active {:?}, all {ids:?} }}",
            self.active_id()
        )
    }
}
