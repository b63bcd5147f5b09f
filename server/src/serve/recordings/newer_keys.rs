//! A key file that is changed while calls go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use auricle_spool::{KeyRing, Spool};

/// The key file, and what it was when a spool got its keys.
pub(super) struct NewerKeys {
    file: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// As it was before it was read; `None`: not read yet.
    read: Option<Look>,
    /// It was logged that it cannot be read.
    is_told: bool,
}

/// A file from outside: one that is changed looks otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    modified: SystemTime,
    n_bytes: u64,
}

impl Look {
    /// `None`: it is not there, or the system does not tell.
    fn at(file: &Path) -> Option<Self> {
        let found = fs::metadata(file).ok()?;
        Some(Self {
            modified: found.modified().ok()?,
            n_bytes: found.len(),
        })
    }
}

impl NewerKeys {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            state: Mutex::default(),
        }
    }

    /// Gives the spool the keys of the file where that was changed. One that cannot be read leaves it the keys that it has,
    /// and is logged once.
    pub(super) fn give_to(&self, spool: &Spool) {
        let state = self.state.lock();
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        // Before it is read: what is changed meanwhile is found by the next look.
        let look = Look::at(&self.file);
        if look.is_some() && look == state.read {
            state.is_told = false;
            return;
        }
        match KeyRing::load(&self.file) {
            Ok(keys) => {
                spool.replace_keys(keys);
                *state = State {
                    read: look,
                    is_told: false,
                };
            }
            Err(cause) if !state.is_told => {
                state.is_told = true;
                let file = self.file.display();
                tracing::warn!("recordings go on under the keys they had: `{file}`: {cause}");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use auricle_spool::{Existing, SpoolOptions};

    use super::*;

    #[test]
    fn a_file_that_is_changed_gives_its_keys_and_one_that_cannot_be_read_leaves_those_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let mut keys = KeyRing::generate("first".parse().unwrap()).unwrap();
        keys.save(&file, Existing::Keep).unwrap();
        let recordings = folder.path().join("recordings");
        let spool = Spool::open(&recordings, keys.clone(), SpoolOptions::default()).unwrap();
        let newer = NewerKeys::new(file.clone());
        let next_is_under = || {
            newer.give_to(&spool);
            let recording = spool.create(1_000, b"{}").unwrap();
            let reader = spool.reader(recording.name()).unwrap();
            reader.info().key.to_string()
        };
        assert_eq!(next_is_under(), "first");
        keys.add("second".parse().unwrap()).unwrap();
        assert_eq!(next_is_under(), "first");
        keys.save(&file, Existing::Replace).unwrap();
        assert_eq!(next_is_under(), "second");
        for bad in ["", "third = \"is no key\""] {
            fs::write(&file, bad).unwrap();
            assert_eq!(next_is_under(), "second", "{bad}");
        }
        keys.add("third".parse().unwrap()).unwrap();
        keys.save(&file, Existing::Replace).unwrap();
        assert_eq!(next_is_under(), "third");
        fs::remove_file(&file).unwrap();
        assert_eq!(next_is_under(), "third");
    }
}
