//! What can go wrong between Auricle and its database file.

use std::path::{Path, PathBuf};

use auricle_bodies::BodyError;
use auricle_contracts::CallId;
use sea_orm::{DbErr, RuntimeErr, SqlxError};
use thiserror::Error;

/// The store could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no database file.
    #[error("there is no store at `{}`\nhint: analyze or import calls first", .path.display())]
    Missing {
        /// The database file.
        path: PathBuf,
    },
    /// The file or its folder cannot be reached.
    #[error("cannot open the store `{}`: {cause}", .path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The disk is full; nothing of this save was written.
    #[error("the disk is full: nothing more can be saved to `{}`\nhint: free some space and run the same command again, it goes on where it stopped", .path.display())]
    DiskFull {
        /// The database file.
        path: PathBuf,
    },
    /// Another process held the write lock for longer than the waiting time.
    #[error("the store `{}` is locked by another process\nhint: wait for the other run to end, then run the same command again", .path.display())]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// The file, its folder or its file system does not take writes.
    #[error("the store `{}` is read-only\nhint: it needs a folder that this user may write to; name one with `data_dir` or AURICLE_DATA", .path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// The file was written by a version of Auricle that this one does not know.
    #[error("the store `{}` was written by a newer Auricle: it has the change `{change}`\nhint: run the newer version, or use another data folder", .path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// First schema change that is not known here.
        change: String,
    },
    /// The file is no SQLite database, or its pages contradict each other.
    #[error("the store `{}` is damaged: {detail}\nhint: put a copy back, or move the file away and analyze again", .path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The transcript of one call cannot be read.
    #[error(
        "the transcript of call `{call_id}` cannot be read: {cause}\nhint: `auricle analyze --force` hears its recording again"
    )]
    Transcript {
        /// The call.
        call_id: CallId,
        /// What is wrong with its bytes.
        cause: BodyError,
    },
    /// The transcript of one call cannot be written.
    #[error("the transcript of call `{call_id}` cannot be saved: {cause}")]
    NotKept {
        /// The call.
        call_id: CallId,
        /// Why.
        cause: BodyError,
    },
    /// The assessment of one call cannot be read.
    #[error(
        "the assessment of call `{call_id}` cannot be read: {cause}\nhint: `auricle rescore --force {call_id}` makes it anew"
    )]
    Assessment {
        /// The call.
        call_id: CallId,
        /// What is wrong with its bytes.
        cause: BodyError,
    },
    /// The assessment of one call cannot be written.
    #[error("the assessment of call `{call_id}` cannot be saved: {cause}")]
    NotSaved {
        /// The call.
        call_id: CallId,
        /// Why.
        cause: BodyError,
    },
    /// Anything else the database said.
    #[error("the store `{}` failed: {cause}", .path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// The database layer's error.
        cause: DbErr,
    },
}

/// Primary result codes of SQLite: <https://www.sqlite.org/rescode.html>.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
}

impl StoreError {
    /// Sorts an error of the database layer into the kinds above.
    pub(crate) fn from_db(path: &Path, source: DbErr) -> Self {
        let path = path.to_owned();
        let Some((code, detail)) = sqlite_code(&source) else {
            return match source {
                DbErr::ConnectionAcquire(_) => Self::Locked { path },
                cause => Self::Database { path, cause },
            };
        };
        match code & 0xff {
            code::FULL => Self::DiskFull { path },
            code::BUSY | code::LOCKED => Self::Locked { path },
            code::READONLY => Self::ReadOnly { path },
            code::CORRUPT | code::NOTADB => Self::Damaged { path, detail },
            code::CANTOPEN | code::IOERR => Self::Open {
                path,
                cause: detail,
            },
            _ => Self::Database {
                path,
                cause: source,
            },
        }
    }
}

/// SQLite's extended result code and message, where the error came from SQLite.
fn sqlite_code(error: &DbErr) -> Option<(i32, String)> {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return None;
    };
    let SqlxError::Database(cause) = cause.as_ref() else {
        return None;
    };
    let code = cause.code()?.parse().ok()?;
    Some((code, cause.message().to_owned()))
}
