//! Putting recordings under another master key: only the data key in the header is wrapped anew.
//!
//! A header has two slots. `rewrap` plans at most two writes: first the slot that is not in force, then, once that is
//! on the disk, the other. A kill at any moment leaves one that is whole; run again it goes on from there.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Doing;
use crate::header::{self, SLOT_PITCH, Slot, SlotFault};
use crate::keys::{KeyId, KeyRing};
use crate::reader::read_slots;
use crate::recover::is_hopeless;
use crate::spool::{BROKEN, Durability, ENDING, OPEN, days_done, entries, lock, sync_all};
use crate::storage::Storage;
use crate::{ReadError, SpoolError};

/// Files that are synced together.
const BATCH: usize = 256;
/// Ids in headers are what anybody wrote there.
const MAX_MISSING_IDS: usize = 64;
const LOCK: &str = "rotate.lock";

/// What became of one recording.
#[derive(Debug)]
pub enum Rewrapped {
    /// Its data key lies under the active master key now.
    Done,
    /// It did before.
    Already,
    /// It needs a key that is not there; nothing was changed.
    Missing(KeyId),
    /// It could not be read or written, see there. Its old slot is whole.
    Failed(SpoolError),
}

/// A rotation so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Put under the active key.
    pub n_done: u64,
    /// Lay under it before.
    pub n_already: u64,
    /// Recordings by the key that they need and that is not there; the first 64 such keys.
    pub missing: BTreeMap<KeyId, u64>,
    /// All that need a key that is not there.
    pub n_missing: u64,
    /// Could not be read or written.
    pub n_failed: u64,
}

impl Rotation {
    /// Whether every recording lies under the active key, so that the others can be thrown away.
    pub fn is_complete(&self) -> bool {
        self.n_missing == 0 && self.n_failed == 0
    }

    fn count(&mut self, outcome: &Rewrapped) {
        match outcome {
            Rewrapped::Done => self.n_done += 1,
            Rewrapped::Already => self.n_already += 1,
            Rewrapped::Failed(_) => self.n_failed += 1,
            Rewrapped::Missing(id) => {
                self.n_missing += 1;
                if self.missing.len() < MAX_MISSING_IDS || self.missing.contains_key(id) {
                    *self.missing.entry(*id).or_default() += 1;
                }
            }
        }
    }
}

/// Puts all recordings of a spool's folder under the ring's active key, those being written and those put aside too: a
/// writer never looks at its header again. A program that writes there should have the new active key first, or what it
/// begins meanwhile is found by the next rotation, as is a file that was being made and had no header yet (counted as
/// failed).
///
/// `progress` hears of every recording; a file that was put aside and has no header is none. Copies of the old header on
/// other media stay readable by the old key, and so does audio to whoever took a data key.
///
/// # Errors
/// Another rotation runs, or the folder cannot be read. What one recording fails by goes to `progress`.
pub fn rotate(
    folder: &Path,
    keys: &KeyRing,
    progress: &mut dyn FnMut(&Path, &Rewrapped, &Rotation),
) -> Result<Rotation, SpoolError> {
    // A folder that is no spool's gets no lock file either.
    fs::read_dir(folder.join(OPEN)).doing("list recordings")?;
    let _lock = lock(&folder.join(LOCK))?;
    let mut run = Run {
        folder: File::open(folder).doing("open the folder")?,
        keys,
        progress,
        batch: Vec::new(),
        rotation: Rotation::default(),
    };
    // What is finished or put aside meanwhile moves from the first to the others.
    run.files_of(&folder.join(OPEN), Headless::Failed)?;
    for day in days_done(folder)? {
        run.files_of(&day, Headless::Failed)?;
    }
    run.files_of(&folder.join(BROKEN), Headless::Empty)?;
    run.write_batch();
    Ok(run.rotation)
}

/// What a file without a header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Headless {
    /// A recording that could not be read.
    Failed,
    /// No recording: nothing is in it, and it needs no key.
    Empty,
}

struct Run<'a> {
    folder: File,
    keys: &'a KeyRing,
    progress: &'a mut dyn FnMut(&Path, &Rewrapped, &Rotation),
    batch: Vec<Planned>,
    rotation: Rotation,
}

/// A file and what is to be written.
struct Planned {
    path: PathBuf,
    file: File,
    plan: Plan,
}

impl Run<'_> {
    fn files_of(&mut self, folder: &Path, headless: Headless) -> Result<(), SpoolError> {
        for entry in entries(folder)? {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                self.file(path, headless);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, headless: Headless) {
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let planned = match opened {
            Ok(mut file) => Plan::of(&mut file, self.keys).map(|plan| (file, plan)),
            // It was finished and moved; it comes again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => Err(error).doing("open the recording"),
        };
        match planned {
            Err(SpoolError::Read(ReadError::MissingKey(id))) => {
                self.tell(&path, &Rewrapped::Missing(id));
            }
            Err(error) if headless == Headless::Empty && is_hopeless(&error) => {}
            Err(error) => self.tell(&path, &Rewrapped::Failed(error)),
            Ok((_, plan)) if plan.0.is_empty() => self.tell(&path, &Rewrapped::Already),
            Ok((file, plan)) => self.batch.push(Planned { path, file, plan }),
        }
        if self.batch.len() >= BATCH {
            self.write_batch();
        }
    }

    /// First writes of all files, one sync, second writes, one sync.
    fn write_batch(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        for round in 0..2 {
            let mut written = Vec::with_capacity(batch.len());
            for mut planned in batch {
                let outcome = planned.plan.write(&mut planned.file, round);
                match outcome.doing("write the header") {
                    Ok(()) => written.push(planned),
                    Err(error) => self.tell(&planned.path, &Rewrapped::Failed(error)),
                }
            }
            batch = self.synced(written);
        }
        for planned in batch {
            self.tell(&planned.path, &Rewrapped::Done);
        }
    }

    /// Those whose writes are on the disk.
    fn synced(&mut self, batch: Vec<Planned>) -> Vec<Planned> {
        let files = batch.iter().map(|planned| &planned.file);
        if sync_all(Durability::for_this_system(), &self.folder, files).is_ok() {
            return batch;
        }
        let mut synced = Vec::new();
        for planned in batch {
            match planned.file.sync_data().doing("sync the header") {
                Ok(()) => synced.push(planned),
                Err(error) => self.tell(&planned.path, &Rewrapped::Failed(error)),
            }
        }
        synced
    }

    fn tell(&mut self, path: &Path, outcome: &Rewrapped) {
        self.rotation.count(outcome);
        (self.progress)(path, outcome, &self.rotation);
    }
}

/// Slots to be written, one after the other, with a sync in between and after.
#[derive(Clone)]
pub(crate) struct Plan(pub(crate) Vec<(usize, Slot)>);

impl Plan {
    fn of(file: &mut File, keys: &KeyRing) -> Result<Self, SpoolError> {
        let slots = read_slots(file).doing("read the header")?;
        Ok(rewrap(slots, keys)?)
    }

    fn write(&self, storage: &mut dyn Storage, round: usize) -> io::Result<()> {
        match self.0.get(round) {
            None => Ok(()),
            Some((slot_idx, slot)) => storage.write_at(*slot_idx as u64 * SLOT_PITCH, slot.bytes()),
        }
    }
}

/// What is to be written so that both slots lie under the active key; the slot in force is never written first,
/// unless it is right already.
pub(crate) fn rewrap(
    slots: [Result<Slot, SlotFault>; 2],
    keys: &KeyRing,
) -> Result<Plan, ReadError> {
    // A later version of the program may mean more by a slot than we know.
    for slot in &slots {
        if let Err(SlotFault::Version(version)) = slot {
            return Err(ReadError::Version(*version));
        }
    }
    let opened = header::open(slots.clone(), keys)?;
    let (in_force, other) = (opened.slot_idx, 1 - opened.slot_idx);
    if opened.slot.key_id() != Some(keys.active_id()) {
        let generation = newest(&slots).saturating_add(1);
        let slot = Slot::wrap(&opened.key, generation, keys)?;
        return Ok(Plan(vec![(other, slot.clone()), (in_force, slot)]));
    }
    let is_same = slots
        .get(other)
        .is_some_and(|slot| slot.as_ref() == Ok(&opened.slot));
    Ok(Plan(match is_same {
        true => Vec::new(),
        false => vec![(other, opened.slot)],
    }))
}

fn newest(slots: &[Result<Slot, SlotFault>; 2]) -> u32 {
    let generations = slots.iter().flatten().map(Slot::generation);
    generations.max().unwrap_or_default()
}
