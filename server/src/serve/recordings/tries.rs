//! How often each recording was begun to be heard again, and not heard to its end: one that ends the program whenever it is
//! heard does not do so for ever.
//!
//! Beside the count stands the furthest place to which any try came, noted every [`STEP_SECS`] of audio. A try that comes
//! further by such a step is the first one again, and no other counts that came before it: what ended the program elsewhere
//! was not what lies here, or a long call would be given up after a few kills from outside. So only a recording over which the
//! program breaks off [`MOST_TRIES`] times in the same place is put aside. The furthest place never falls, and audio is read
//! ahead of what is heard by what queues hold: that does not make tries without end.
//!
//! ```text
//! {"20261123T080000.000Z-…": {"count": 2, "furthest_secs": 340}}      tries since one came to 340 s, that one included
//! {"20261123T080000.000Z-…": 2}                                       the same of older releases, which knew no places
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use auricle_spool::RecordingName;
use serde::{Deserialize, Serialize};

use crate::atomic::AtomicFile;
use crate::exit::message_of;

/// Then it is put aside.
pub(super) const MOST_TRIES: u32 = 5;
/// How much further a try comes that counts anew, seconds of audio of all legs.
pub(super) const STEP_SECS: u64 = 10;

/// Tries in a file, which is there only while there are any.
#[derive(Debug)]
pub(super) struct Tries {
    file: PathBuf,
    tried: BTreeMap<String, Tried>,
}

/// How one recording was tried.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Written")]
struct Tried {
    /// Tries since one came to the furthest place, that one included.
    count: u32,
    furthest_secs: u64,
}

/// What stands in the file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Count(u32),
    Tried { count: u32, furthest_secs: u64 },
}

impl From<Written> for Tried {
    fn from(written: Written) -> Self {
        let (count, furthest_secs) = match written {
            Written::Count(count) => (count, 0),
            Written::Tried {
                count,
                furthest_secs,
            } => (count, furthest_secs),
        };
        Self {
            count,
            furthest_secs,
        }
    }
}

impl Tries {
    /// What the runs before left. A file that cannot be read is none.
    pub(super) fn read(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let tried = serde_json::from_str(&text).unwrap_or_default();
        Self { file, tried }
    }

    /// It is begun once more.
    pub(super) fn begin(&mut self, name: &RecordingName) {
        let tried = self.tried.entry(name.to_string()).or_default();
        tried.count = tried.count.saturating_add(1);
        self.write();
    }

    /// How often it was begun, and broken off in the same place.
    pub(super) fn count(&self, name: &RecordingName) -> u32 {
        let tried = self.tried.get(&name.to_string());
        tried.map_or(0, |tried| tried.count)
    }

    /// This try has come so far, seconds of audio of all legs.
    pub(super) fn came(&mut self, name: &RecordingName, secs: u64) {
        let Some(tried) = self.tried.get_mut(&name.to_string()) else {
            return;
        };
        if secs < tried.furthest_secs.saturating_add(STEP_SECS) {
            return;
        }
        *tried = Tried {
            count: 1,
            furthest_secs: secs,
        };
        if let Err(error) = self.try_note() {
            tracing::warn!("{}", message_of(&error));
        }
    }

    /// The program did not break off over it.
    pub(super) fn end(&mut self, name: &RecordingName) {
        if self.tried.remove(&name.to_string()).is_some() {
            self.write();
        }
    }

    fn write(&self) {
        if let Err(error) = self.try_write() {
            tracing::warn!("{}", message_of(&error));
        }
    }

    /// Outlives the machine, too.
    fn try_write(&self) -> Result<()> {
        if self.tried.is_empty() {
            let removed = fs::remove_file(&self.file);
            return removed.with_context(|| format!("cannot remove `{}`", self.file.display()));
        }
        let mut file = AtomicFile::create(&self.file)?;
        file.write(&serde_json::to_vec(&self.tried)?)?;
        file.commit()
    }

    /// Outlives the program, and costs no sync: places come often.
    fn try_note(&self) -> Result<()> {
        let unfinished = self.file.with_extension("part");
        let json = serde_json::to_vec(&self.tried)?;
        let written = fs::write(&unfinished, json);
        let written = written.and_then(|()| fs::rename(&unfinished, &self.file));
        written.with_context(|| format!("cannot write `{}`", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn name(id: u32) -> RecordingName {
        let name = format!("20261123T080000.000Z-{id:032x}");
        name.parse().unwrap()
    }

    /// Each try in a run of its own, which breaks off there; gives the count that each finds.
    fn counts(file: &Path, broke_off_secs: &[u64]) -> Vec<u32> {
        let counts = broke_off_secs.iter().map(|secs| {
            let mut tries = Tries::read(file.to_owned());
            let count = tries.count(&name(1));
            tries.begin(&name(1));
            for step in 1..=secs / STEP_SECS {
                tries.came(&name(1), step * STEP_SECS);
            }
            count
        });
        counts.collect()
    }

    #[test]
    fn what_broke_off_is_counted_over_runs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tries.json");
        for before in 0..3 {
            let mut tries = Tries::read(file.clone());
            assert_eq!(tries.count(&name(1)), before);
            tries.begin(&name(1));
            tries.begin(&name(2));
            tries.end(&name(2));
        }
        let mut tries = Tries::read(file.clone());
        assert_eq!((tries.count(&name(1)), tries.count(&name(2))), (3, 0));
        tries.end(&name(1));
        assert!(!file.exists());
        assert_eq!(Tries::read(file.clone()).count(&name(1)), 0);
        fs::write(&file, "{").unwrap();
        assert_eq!(Tries::read(file).count(&name(1)), 0);
    }

    #[test]
    fn tries_in_the_same_place_are_counted_and_one_that_comes_further_is_the_first_again() {
        let cases: [(&[u64], &[u32]); 5] = [
            // Over and over in one place, at its beginning or later.
            (&[0, 9, 0, 3, 0, 0], &[0, 1, 2, 3, 4, 5]),
            (&[340, 340, 347, 340, 340, 340], &[0, 1, 2, 3, 4, 5]),
            // Killed from outside, further each time.
            (&[20, 40, 60, 80, 100, 120, 140], &[0, 1, 1, 1, 1, 1, 1]),
            // Not so far is no place of its own.
            (&[100, 50, 70, 60, 110, 110], &[0, 1, 2, 3, 4, 1]),
            (&[100, 109, 109, 109], &[0, 1, 2, 3]),
        ];
        for (broke_off_secs, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("tries.json");
            assert_eq!(
                counts(&file, broke_off_secs),
                expected,
                "{broke_off_secs:?}"
            );
            let left = fs::read_dir(folder.path()).unwrap();
            assert_eq!(left.count(), 1, "{broke_off_secs:?}");
        }
    }

    #[test]
    fn counts_of_older_releases_hold() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tries.json");
        fs::write(&file, format!("{{\"{}\": 4}}", name(1))).unwrap();
        assert_eq!(counts(&file, &[0, 20, 0]), [4, 5, 1]);
        let written = fs::read_to_string(&file).unwrap();
        let expected = format!("{{\"{}\":{{\"count\":2,\"furthest_secs\":20}}}}", name(1));
        assert_eq!(written, expected);
    }

    #[test]
    fn what_is_not_tried_has_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tries.json");
        Tries::read(file.clone()).came(&name(1), 100);
        assert!(!file.exists());
    }
}
