//! What can go wrong with the index.

use std::io;
use std::path::{Path, PathBuf};

use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenWriteError};
use thiserror::Error;

use crate::query::QueryError;

/// The index cannot be opened, changed or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IndexError {
    /// There is no index in the folder.
    #[error(
        "there is no transcript index in `{folder}`\nhint: it is made when calls are analysed, or anew by `auricle index rebuild`"
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder already holds an index.
    #[error("`{folder}` already holds a transcript index\nhint: open it, or name an empty folder")]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder cannot be used.
    #[error("the folder `{folder}` of the transcript index cannot be used: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The index was made by another version.
    #[error(
        "the transcript index in `{folder}` has schema `{found}`, this version reads `{wanted}`\n\
         hint: {REBUILD}"
    )]
    Version {
        /// The folder.
        folder: PathBuf,
        /// What the folder says.
        found: String,
        /// What this version writes.
        wanted: String,
    },
    /// Files of the index are missing or not as written.
    #[error("the transcript index in `{folder}` is damaged: {cause}\nhint: {REBUILD}")]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What was found.
        cause: String,
    },
    /// Another process writes to the index.
    #[error(
        "the transcript index in `{folder}` is being written by another process\n\
         hint: wait until it has finished; searching is possible meanwhile"
    )]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// An utterance is longer than a line can be.
    #[error(
        "utterance `{utterance}` of call `{call}` has `{characters}` characters, at most `{most}` \
         can be indexed\nhint: lower the longest utterance that endpointing allows"
    )]
    UtteranceTooLong {
        /// The call.
        call: String,
        /// The utterance's number.
        utterance: usize,
        /// Its length.
        characters: usize,
        /// The most there may be.
        most: usize,
    },
    /// The call's metadata cannot be stored.
    #[error("the metadata of a call cannot be stored: {0}")]
    Header(serde_json::Error),
    /// There is no room left to write.
    #[error(
        "the disk is full: the transcript index in `{folder}` cannot be written\n\
         hint: make room and run the command again"
    )]
    DiskFull {
        /// The folder.
        folder: PathBuf,
    },
    /// The memory gave out, or something unforeseen happened.
    #[error("the transcript index in `{folder}` failed: {cause}")]
    Failed {
        /// The folder.
        folder: PathBuf,
        /// What happened.
        cause: String,
    },
}

const REBUILD: &str = "the index holds nothing that the transcripts do not: remove the folder and \
                       add the transcripts again";

/// A search failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The query has a mistake.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl IndexError {
    /// Whether only the call at hand was refused. After any other error of
    /// [`TranscriptIndex::add`](crate::TranscriptIndex::add) all that was added since the last commit must
    /// be added again.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::UtteranceTooLong { .. } | Self::Header(_))
    }

    /// Of the folder itself.
    pub(crate) fn from_io(folder: &Path, source: io::Error) -> Self {
        let folder = folder.to_owned();
        match is_disk_full(&source) {
            true => Self::DiskFull { folder },
            false => Self::Folder { folder, source },
        }
    }

    /// Sorts what tantivy reports into what a person can do about it.
    pub(crate) fn from_tantivy(folder: &Path, error: &TantivyError) -> Self {
        let folder = folder.to_owned();
        let cause = error.to_string();
        match error {
            _ if io_of(error).is_some_and(is_disk_full) => Self::DiskFull { folder },
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::Locked { folder },
            TantivyError::OpenDirectoryError(OpenDirectoryError::DoesNotExist(_)) => {
                Self::Missing { folder }
            }
            TantivyError::DataCorruption(_)
            | TantivyError::OpenReadError(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::FieldNotFound(_)
            | TantivyError::SchemaError(_)
            | TantivyError::DeserializeError(_) => Self::Damaged { folder, cause },
            // A short or torn file shows as an end that comes too early.
            TantivyError::IoError(io) if reads_as_damage(io.kind()) => {
                Self::Damaged { folder, cause }
            }
            _ => Self::Failed { folder, cause },
        }
    }

    /// Tantivy asserts what it reads: a panic while reading means damaged files.
    pub(crate) fn from_panic(folder: &Path, panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unreadable".into());
        let first_line = text
            .lines()
            .next()
            .unwrap_or("")
            .chars()
            .take(200)
            .collect();
        Self::Damaged {
            folder: folder.to_owned(),
            cause: first_line,
        }
    }
}

/// The system's error beneath tantivy's.
fn io_of(error: &TantivyError) -> Option<&io::Error> {
    match error {
        TantivyError::IoError(io)
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: io, .. })
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: io, .. })
        | TantivyError::LockFailure(LockError::IoError(io), _) => Some(io.as_ref()),
        _ => None,
    }
}

/// Whether the system says that there is no room, or none for this user.
pub(crate) fn is_disk_full(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::StorageFull | Kind::QuotaExceeded)
}

const fn reads_as_damage(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(
        kind,
        Kind::UnexpectedEof | Kind::InvalidData | Kind::InvalidInput | Kind::NotFound
    )
}
