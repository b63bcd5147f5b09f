//! What can go wrong with a recording. No message quotes what is in it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::crypto::CryptoError;
use crate::keys::KeyId;

/// A recording that cannot be read at all. Damage behind its header is no error but an [`Ending`](crate::Ending).
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file system.
    #[error("cannot read the recording: {0}")]
    Io(#[from] io::Error),
    /// It does not begin as recordings do.
    #[error("it is no recording")]
    NotARecording,
    /// Written by a later version of the program.
    #[error(
        "its format version is `{0}`, this program reads 1\nhint: use the version that wrote it, or a later one"
    )]
    Version(u16),
    /// Neither copy of its header is whole.
    #[error("both copies of its header are damaged")]
    Header,
    /// Nobody gave the master key.
    #[error(
        "its key `{0}` is not in the key ring\nhint: add the key to the key file; old keys stay there until `auricle keys rotate` has been through"
    )]
    MissingKey(KeyId),
    /// There is a key of that name, but not the one that was used.
    #[error(
        "its key `{0}` is another than the one in the key ring\nhint: never give a new key the name of an old one"
    )]
    WrongKey(KeyId),
    /// Somebody renamed it.
    #[error("it is another recording than its name says")]
    Another,
    /// See there.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A recording that cannot be written, or a folder of them that cannot be used.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The file system. See [`Self::is_disk_full`].
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Too much waits to be written; the record was not taken.
    #[error(
        "more than `{limit_bytes}` bytes of the recording wait to be written\nhint: free space, or raise the limit"
    )]
    BufferFull {
        /// [`WriterLimits::buffered_bytes`](crate::WriterLimits::buffered_bytes).
        limit_bytes: usize,
    },
    /// A record longer than the format takes.
    #[error("a record of `{n_bytes}` bytes is longer than `{max_bytes}`")]
    TooLong {
        /// Its payload.
        n_bytes: usize,
        /// The most.
        max_bytes: usize,
    },
    /// A leg that the format has no place for.
    #[error("leg must be 0 to 15, got `{0}`")]
    Leg(u8),
    /// `Begin` and `End` are written by `create` and `finish`.
    #[error("a recording begins once and ends once")]
    Misplaced,
    /// It was finished before.
    #[error("the recording is finished")]
    Finished,
    /// After 2³² chunks no nonce is left.
    #[error("the recording has as many chunks as there can be\nhint: begin another")]
    TooManyChunks,
    /// Outside of what the format or the memory takes.
    #[error("`{name}` must be {min} to {max}, got `{got}`")]
    Limit {
        /// The limit.
        name: &'static str,
        /// At least.
        min: u64,
        /// At most.
        max: u64,
        /// What it was.
        got: u64,
    },
    /// Another program writes there.
    #[error("another program uses `{}`\nhint: stop it, or give this one a folder of its own", .0.display())]
    Busy(PathBuf),
    /// See there.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// See there.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl SpoolError {
    /// Whether it would work if there were space: the disk or the quota is full.
    pub fn is_disk_full(&self) -> bool {
        let source = match self {
            Self::Io { source, .. } | Self::Read(ReadError::Io(source)) => source,
            _ => return false,
        };
        matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// Says what was tried when the file system refused.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, SpoolError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, SpoolError> {
        self.map_err(|source| SpoolError::Io { doing, source })
    }
}
