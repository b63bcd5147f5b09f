//! The data folder: everything Auricle keeps.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Where the data folder is named from outside.
pub(crate) const DATA_VARIABLE: &str = "AURICLE_DATA";

/// The data folder and the places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataFolder {
    root: PathBuf,
}

impl DataFolder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder that the desktop's rules give: `$XDG_DATA_HOME/auricle`, else
    /// `~/.local/share/auricle`. `None` where neither variable is set.
    /// Source: XDG Base Directory Specification 0.8.
    pub(crate) fn default_root() -> Option<PathBuf> {
        let absolute = |name: &str| {
            let path = PathBuf::from(env::var_os(name)?);
            path.is_absolute().then_some(path)
        };
        let base = absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))?;
        Some(base.join("auricle"))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Calls, runs and transcripts.
    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("auricle.db")
    }

    /// The search index.
    pub(crate) fn index(&self) -> PathBuf {
        self.root.join("index")
    }

    /// What can be made anew at any time.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// Takes the folder for a command that writes. The lock falls with the process, whatever ends it.
    pub(crate) fn lock(&self) -> Result<WriteLock> {
        fs::create_dir_all(&self.root)
            .with_context(|| format!("cannot make the data folder `{}`", self.root.display()))?;
        let path = self.root.join("write.lock");
        let file = File::create(&path)
            .with_context(|| format!("cannot write to the data folder: `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(WriteLock { _file: file }),
            Err(TryLockError::WouldBlock) => bail!(
                "another auricle is writing to `{}`\nhint: wait until it ends, or give this run its own folder with --data",
                self.root.display()
            ),
            Err(TryLockError::Error(cause)) => {
                Err(cause).with_context(|| format!("cannot lock `{}`", path.display()))
            }
        }
    }
}

/// Held while a command writes to the data folder.
#[derive(Debug)]
pub(crate) struct WriteLock {
    _file: File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::new(folder.path().join("data"));
        let held = data.lock().unwrap();
        let error = data.lock().unwrap_err().to_string();
        assert!(error.contains("another auricle"), "{error}");
        drop(held);
        data.lock().unwrap();
    }
}
