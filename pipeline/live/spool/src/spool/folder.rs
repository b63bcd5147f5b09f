//! Folders: made, synced, locked, looked through.

use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{DONE, RecordingName};
use crate::SpoolError;
use crate::error::Doing;

/// What lies in a folder; nothing in one that is gone, as the folder of a day goes with its last recording.
pub(crate) fn entries(folder: &Path) -> Result<Vec<DirEntry>, SpoolError> {
    let listed = fs::read_dir(folder).and_then(Iterator::collect);
    match listed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.doing("list recordings"),
    }
}

/// Files and bytes of one folder.
pub(super) fn usage_of(folder: &Path) -> Result<(u64, u64), SpoolError> {
    let (mut n_files, mut n_bytes) = (0, 0);
    for entry in entries(folder)? {
        if RecordingName::of(&entry.path()).is_none() {
            continue;
        }
        match entry.metadata() {
            Ok(metadata) => {
                n_files += 1;
                n_bytes += metadata.len();
            }
            // Moved meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).doing("list recordings"),
        }
    }
    Ok((n_files, n_bytes))
}

/// Removes recordings of one folder that were begun before a moment; tells how many.
pub(super) fn expire_in(folder: &Path, before_unix_ms: u64) -> Result<u64, SpoolError> {
    let mut n_removed = 0;
    for entry in entries(folder)? {
        let path = entry.path();
        let is_old = |name: RecordingName| name.created_unix_ms() < before_unix_ms;
        if RecordingName::of(&path).is_some_and(is_old) {
            fs::remove_file(&path).doing("remove the recording")?;
            n_removed += 1;
        }
    }
    Ok(n_removed)
}

/// The folders of days in which recordings of a spool lie that are done.
pub(crate) fn days_done(folder: &Path) -> Result<Vec<PathBuf>, SpoolError> {
    let mut days = Vec::new();
    for day in entries(&folder.join(DONE))? {
        if day.file_type().doing("list recordings")?.is_dir() {
            days.push(day.path());
        }
    }
    Ok(days)
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Holds a lock until the file is dropped, or the process ends in whatever way.
pub(crate) fn lock(path: &Path) -> Result<File, SpoolError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = options.open(path).doing("lock the folder")?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let folder = path.parent().unwrap_or(path);
            Err(SpoolError::Busy(folder.to_owned()))
        }
        Err(TryLockError::Error(source)) => Err(source).doing("lock the folder"),
    }
}
