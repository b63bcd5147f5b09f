//! How often each recording was begun to be heard again, and not heard to its end: one that ends the program whenever it is
//! heard does not do so for ever.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use auricle_spool::RecordingName;

use crate::atomic::AtomicFile;
use crate::exit::message_of;

/// Then it is put aside.
pub(super) const MOST_TRIES: u32 = 5;

/// Counts in a file, which is there only while there are any.
#[derive(Debug)]
pub(super) struct Tries {
    file: PathBuf,
    counts: BTreeMap<String, u32>,
}

impl Tries {
    /// What the runs before left. A file that cannot be read is none.
    pub(super) fn read(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let counts = serde_json::from_str(&text).unwrap_or_default();
        Self { file, counts }
    }

    /// It is begun once more; tells how often it was before.
    pub(super) fn begin(&mut self, name: &RecordingName) -> u32 {
        let count = self.counts.entry(name.to_string()).or_default();
        *count += 1;
        let before = *count - 1;
        self.write();
        before
    }

    /// How often it was begun.
    pub(super) fn count(&self, name: &RecordingName) -> u32 {
        self.counts.get(&name.to_string()).copied().unwrap_or(0)
    }

    /// The program did not break off over it.
    pub(super) fn end(&mut self, name: &RecordingName) {
        if self.counts.remove(&name.to_string()).is_some() {
            self.write();
        }
    }

    fn write(&self) {
        if let Err(error) = self.try_write() {
            tracing::warn!("{}", message_of(&error));
        }
    }

    fn try_write(&self) -> Result<()> {
        if self.counts.is_empty() {
            let removed = fs::remove_file(&self.file);
            return removed.with_context(|| format!("cannot remove `{}`", self.file.display()));
        }
        let mut file = AtomicFile::create(&self.file)?;
        file.write(&serde_json::to_vec(&self.counts)?)?;
        file.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_broke_off_is_counted_over_runs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tries.json");
        let name = |id: u32| format!("20261123T080000.000Z-{id:032x}").parse::<RecordingName>();
        let (one, other) = (name(1).unwrap(), name(2).unwrap());
        for before in 0..3 {
            let mut tries = Tries::read(file.clone());
            assert_eq!(tries.count(&one), before);
            assert_eq!(tries.begin(&one), before);
            assert_eq!(tries.begin(&other), 0);
            tries.end(&other);
        }
        let mut tries = Tries::read(file.clone());
        tries.end(&one);
        assert!(!file.exists());
        assert_eq!(Tries::read(file.clone()).begin(&one), 0);
        fs::write(&file, "{").unwrap();
        assert_eq!(Tries::read(file).begin(&one), 0);
    }
}
