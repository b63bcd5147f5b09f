//! Why a model could not be fetched, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::store::StoreError;
use super::verify::VerifyReport;

/// A model could not be fetched.
#[derive(Debug, Error)]
pub enum PullError {
    /// No such model, or no folder to put it in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No models folder is configured.
    #[error(
        "no models folder is configured\nhint: name one with `models.dir` in the configuration or AURICLE_MODELS"
    )]
    NoFolder,
    /// Every address failed.
    #[error(
        "`{file}` of model `{name}` could not be fetched{}\n{by_hand}",
        list(failures)
    )]
    Unreachable {
        /// The model.
        name: String,
        /// The file or archive.
        file: String,
        /// Address's host and cause, in the order tried; empty where the card has no address.
        failures: Vec<(String, String)>,
        /// What to do.
        by_hand: Box<ByHand>,
    },
    /// The HTTP client could not be set up.
    #[error("downloads cannot be set up: {0}\nhint: check the proxy settings")]
    Client(String),
    /// The disk is full.
    #[error("the disk is full: `{}` cannot be written{}\nhint: free space, or name another folder with AURICLE_MODELS; the download continues where it stopped", path.display(), needs(*needed_bytes))]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// Length of the file where it is known.
        needed_bytes: Option<u64>,
    },
    /// A file cannot be written.
    #[error("`{}` cannot be written: {cause}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Another pull of the model runs.
    #[error("another `auricle models pull` works on `{}`\nhint: wait for it to end", .0.display())]
    Busy(PathBuf),
    /// What came is not what the card says.
    #[error("the model is not whole after the download: {0}")]
    NotWhole(VerifyReport),
}

/// What a person can do where no download works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// The model.
    pub name: String,
    /// Folder the files belong in.
    pub folder: PathBuf,
    /// Files that are expected there.
    pub files: Vec<String>,
    /// Page where the model is published.
    pub source: String,
    /// The card's own words.
    pub note: Option<String>,
}

impl fmt::Display for ByHand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            folder,
            files,
            source,
            note,
        } = self;
        let note = note
            .as_ref()
            .map(|note| format!("\nhint: {note}"))
            .unwrap_or_default();
        write!(
            out,
            "hint: behind a proxy set HTTPS_PROXY; from a mirror: `models.mirror` in the configuration, or AURICLE_MODEL_MIRROR\n\
             hint: by hand: put these files into `{}`, then run `auricle models verify {name}`: {}\n\
             hint: they are published at {source}{note}",
            folder.display(),
            files.join(", ")
        )
    }
}

fn list(failures: &[(String, String)]) -> String {
    if failures.is_empty() {
        return ": its card has no address to fetch it from".to_owned();
    }
    failures
        .iter()
        .map(|(host, cause)| format!("\n  {host}: {cause}"))
        .collect()
}

fn needs(needed_bytes: Option<u64>) -> String {
    needed_bytes
        .map(|bytes| format!(", it needs {bytes} bytes"))
        .unwrap_or_default()
}

/// An error of the file system; a full disk is its own case.
pub(super) fn disk_error(path: &Path, cause: io::Error, needed_bytes: Option<u64>) -> PullError {
    let path = path.to_path_buf();
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            PullError::DiskFull { path, needed_bytes }
        }
        _ => PullError::Disk { path, cause },
    }
}
