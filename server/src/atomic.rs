//! Files that are there whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::file_name::digits;

/// Digits that tell apart what is written at the same time.
const NAME_DIGITS: usize = 16;

/// A file that is being written beside its place. Readers see the old content or, after
/// [`Self::commit`], the new; a crash leaves at most a hidden `.part` file, a dropped one nothing.
pub(crate) struct AtomicFile {
    out: Option<BufWriter<File>>,
    unfinished: PathBuf,
    path: PathBuf,
}

impl AtomicFile {
    /// Begins a file that will lie at `path`.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let unfinished = path.with_file_name(unfinished_name(path));
        let file = File::create(&unfinished);
        let file = file.with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self {
            out: Some(BufWriter::new(file)),
            unfinished,
            path: path.to_owned(),
        })
    }

    /// Adds to it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.out.as_mut().map_or(Ok(()), |out| out.write_all(bytes));
        written.with_context(|| format!("cannot write `{}`", self.path.display()))
    }

    /// Brings it to the disk and renames it into its place.
    pub(crate) fn commit(mut self) -> Result<()> {
        let finished = self.out.take().map_or(Ok(()), |out| {
            let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            fs::rename(&self.unfinished, &self.path)
        });
        if finished.is_err() {
            let _ = fs::remove_file(&self.unfinished);
        }
        finished.with_context(|| format!("cannot write `{}`", self.path.display()))
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // The disk may be full: leave it the space.
        if self.out.take().is_some() {
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}

/// Short, whatever the length of the file's own name.
fn unfinished_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(OsStr::new("")).to_string_lossy();
    format!(".{}.part", digits(name.as_ref(), NAME_DIGITS))
}

/// Writes a whole file, see [`AtomicFile`].
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write(bytes)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_whole_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("客户 一.json");
        write_atomically(&path, b"a long first content").unwrap();
        write_atomically(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_given_up_leaves_the_old_content_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_atomically(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write(b"half of the n").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_longest_name_a_file_may_have_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{}.json", "字".repeat(83)));
        write_atomically(&path, b"x").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomically(&folder.path().join("no/a.json"), b"x").unwrap_err();
        assert!(error.to_string().contains("a.json"), "{error}");
    }
}
