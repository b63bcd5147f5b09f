//! A folder of recordings.
//!
//! ```text
//! FOLDER/lock                          held by the program that writes
//! FOLDER/open/NAME.arec                under way, or cut off by a crash
//! FOLDER/done/YYYY-MM-DD/NAME.arec     finished or sealed, by the day (UTC) on which it was begun
//! FOLDER/broken/NAME.arec              put aside: whole, as somebody asked for it, or without a header, so nothing in it
//! ```

mod durability;
mod folder;
mod name;
mod recording;
mod report;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::error::Doing;
use crate::keys::KeyRing;
use crate::recover;
use crate::writer::{Fresh, RecordingWriter, create_file};
use crate::{ReadError, RecordingReader, SpoolError, Start, WriterLimits};

pub use durability::Durability;
pub(crate) use durability::sync_all;
pub(crate) use folder::{days_done, entries, lock};
use folder::{expire_in, make_folder, sync_folder, usage_of};
pub use name::RecordingName;
use recording::Handle;
pub use recording::SpoolRecording;
pub use report::{Barrier, Recovered, SpoolStats, SpoolUsage};

pub(crate) const OPEN: &str = "open";
pub(crate) const DONE: &str = "done";
pub(crate) const BROKEN: &str = "broken";
pub(crate) const ENDING: &str = "arec";
const LOCK: &str = "lock";

/// How a spool writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpoolOptions {
    /// Of each recording.
    pub limits: WriterLimits,
    /// How a barrier syncs.
    pub durability: Durability,
}

/// A folder of recordings that one program writes to. To be shared between threads.
pub struct Spool {
    shared: Arc<Shared>,
}

/// What a spool and its recordings have in common.
struct Shared {
    folder: PathBuf,
    /// Kept open: a sync of the file system tells of failures since it was opened.
    folder_file: File,
    keys: RwLock<Arc<KeyRing>>,
    options: SpoolOptions,
    state: Mutex<State>,
    /// One barrier at a time.
    barrier: Mutex<()>,
    counters: Counters,
    _lock: File,
}

#[derive(Default)]
struct State {
    /// Being written by this program.
    under_way: HashSet<RecordingName>,
    /// Written to since the last barrier.
    dirty: Vec<Arc<Handle>>,
    /// Finished, to be moved once they are on the disk.
    finished: Vec<RecordingName>,
}

#[derive(Default)]
struct Counters {
    n_created: AtomicU64,
    n_finished: AtomicU64,
    n_written_bytes: AtomicU64,
    n_flushes: AtomicU64,
    n_failures: AtomicU64,
    n_barriers: AtomicU64,
}

impl Spool {
    /// Opens a folder, making what is missing, readable by its owner only. Each recording under way holds a file
    /// open: thousands of them need a higher limit than many systems give (`ulimit -n`).
    ///
    /// # Errors
    /// Another program has it open; limits that make no sense; the file system's.
    pub fn open(folder: &Path, keys: KeyRing, options: SpoolOptions) -> Result<Self, SpoolError> {
        options.limits.check()?;
        for name in [OPEN, DONE, BROKEN] {
            make_folder(&folder.join(name)).doing("make the folder")?;
        }
        let lock = lock(&folder.join(LOCK))?;
        let shared = Shared {
            folder: folder.to_owned(),
            folder_file: File::open(folder).doing("open the folder")?,
            keys: RwLock::new(Arc::new(keys)),
            options,
            state: Mutex::default(),
            barrier: Mutex::new(()),
            counters: Counters::default(),
            _lock: lock,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Other keys from now on, for what is begun and for what is read. Recordings under way are written on as they began.
    pub fn replace_keys(&self, keys: KeyRing) {
        let now = self.shared.keys.write();
        *now.unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Begins a recording in `open`. Its header and `begin` are written, not yet durable.
    ///
    /// # Errors
    /// As [`RecordingWriter::create`]; a time beyond the year 9999.
    pub fn create(&self, created_unix_ms: u64, begin: &[u8]) -> Result<SpoolRecording, SpoolError> {
        let shared = &self.shared;
        let fresh = Fresh::draw(created_unix_ms, &shared.keys())?;
        let name = RecordingName::new(created_unix_ms, fresh.key.origin.id)?;
        let start = Start {
            created_unix_ms,
            begin,
            limits: shared.options.limits,
        };
        // Ours before it is there, so that nobody takes it for one that a crash left.
        shared.state().under_way.insert(name);
        let begun = shared.begin(&name, fresh, &start);
        let (file, writer) = begun.inspect_err(|_| {
            shared.counters.n_failures.fetch_add(1, Ordering::Relaxed);
            shared.state().under_way.remove(&name);
        })?;
        shared.counters.n_created.fetch_add(1, Ordering::Relaxed);
        Ok(SpoolRecording::new(Arc::clone(shared), name, file, writer))
    }

    /// Recordings in `open` that nobody writes: a crash left them, or they were dropped unfinished. Oldest first.
    ///
    /// # Errors
    /// The file system's.
    pub fn unfinished(&self) -> Result<Vec<RecordingName>, SpoolError> {
        let state = self.shared.state();
        let mut names = Vec::new();
        for entry in fs::read_dir(self.shared.folder.join(OPEN)).doing("list recordings")? {
            let path = entry.doing("list recordings")?.path();
            let name = RecordingName::of(&path);
            names.extend(name.filter(|name| !state.is_ours(name)));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Proves a recording of [`Self::unfinished`], seals it where it was cut off, and moves it to `done`; durable when it
    /// returns. What was received stays: only part of a chunk, which nobody could read, is cut away. A kill
    /// meanwhile does no harm: the next start finds it again.
    ///
    /// # Errors
    /// Its key is missing or another, it is another than its name says, it is being written, or the file system's; it
    /// stays where it is.
    pub fn recover(
        &self,
        name: &RecordingName,
        sealed_unix_ms: u64,
    ) -> Result<Recovered, SpoolError> {
        let shared = &self.shared;
        if shared.state().is_ours(name) {
            return Err(SpoolError::Busy(shared.open_path(name)));
        }
        let path = shared.open_path(name);
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.doing("open the recording")?;
        match recover::seal(file, name.id(), &shared.keys(), sealed_unix_ms) {
            Ok(ending) => {
                let path = shared.move_to_done(name)?;
                shared.sync_folders(&[*name])?;
                Ok(Recovered::Done { path, ending })
            }
            Err(error) if recover::is_hopeless(&error) => {
                let path = self.put_aside(name)?;
                Ok(Recovered::Broken { path })
            }
            Err(error) => Err(error),
        }
    }

    /// Moves a recording of [`Self::unfinished`] to `broken`, as it is; tells where it lies now. There it is counted, put
    /// under other keys and removed when it is old, as what is done is.
    ///
    /// # Errors
    /// The file system's.
    pub fn put_aside(&self, name: &RecordingName) -> Result<PathBuf, SpoolError> {
        let shared = &self.shared;
        let aside = shared.folder.join(BROKEN).join(name.file_name());
        fs::rename(shared.open_path(name), &aside).doing("put the recording aside")?;
        Ok(aside)
    }

    /// Makes everything that was flushed before the call durable, with one sync for all recordings, and then moves
    /// what was finished to `done`.
    ///
    /// # Errors
    /// The file system's: nothing is known to be durable then, and the next barrier syncs it all again. A disk that
    /// failed to write may have dropped what it was given.
    pub fn barrier(&self) -> Result<Barrier, SpoolError> {
        let shared = &self.shared;
        let _one = shared
            .barrier
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (dirty, finished) = shared.take_pending();
        let files = dirty.iter().map(|handle| handle.file.as_ref());
        let synced = sync_all(shared.options.durability, &shared.folder_file, files);
        // The entries of new files are in a folder, which a sync of each file leaves out.
        let synced = synced.and_then(|()| match shared.options.durability {
            Durability::FileSystem => Ok(()),
            Durability::EachFile => sync_folder(&shared.folder.join(OPEN)),
        });
        if let Err(source) = synced {
            shared.put_back(dirty, finished);
            shared.counters.n_failures.fetch_add(1, Ordering::Relaxed);
            return Err(source).doing("sync the recordings");
        }
        let n_moved = shared.move_finished(finished)?;
        shared.counters.n_barriers.fetch_add(1, Ordering::Relaxed);
        Ok(Barrier {
            n_synced: dirty.len(),
            n_moved,
        })
    }

    /// Opens a recording wherever it lies, also one that is being written.
    ///
    /// # Errors
    /// As [`RecordingReader::open`]; it is another than its name says.
    pub fn reader(&self, name: &RecordingName) -> Result<RecordingReader, ReadError> {
        let (shared, keys) = (&self.shared, self.shared.keys());
        let opened = RecordingReader::open(&shared.open_path(name), &keys);
        let reader = match opened {
            // It may just have been moved.
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                RecordingReader::open(&shared.done_path(name), &keys)
            }
            opened => opened,
        }?;
        match reader.info().id == name.id() {
            true => Ok(reader),
            false => Err(ReadError::Another),
        }
    }

    /// Where a recording lies once it is done.
    pub fn done_path(&self, name: &RecordingName) -> PathBuf {
        self.shared.done_path(name)
    }

    /// Removes what is done or was put aside and was begun before a moment; tells how many recordings went. Those under way,
    /// or cut off by a crash, stay.
    ///
    /// # Errors
    /// The file system's: what is left goes the next time.
    pub fn expire(&self, before_unix_ms: u64) -> Result<u64, SpoolError> {
        let folder = &self.shared.folder;
        let mut n_removed = expire_in(&folder.join(BROKEN), before_unix_ms)?;
        for day in days_done(folder)? {
            n_removed += expire_in(&day, before_unix_ms)?;
            // A day that still has something in it stays.
            let _ = fs::remove_dir(&day);
        }
        Ok(n_removed)
    }

    /// Counts since it was opened.
    pub fn stats(&self) -> SpoolStats {
        let shared = &self.shared;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SpoolStats {
            n_open: shared.state().under_way.len() as u64,
            n_created: count(&shared.counters.n_created),
            n_finished: count(&shared.counters.n_finished),
            n_written_bytes: count(&shared.counters.n_written_bytes),
            n_flushes: count(&shared.counters.n_flushes),
            n_failures: count(&shared.counters.n_failures),
            n_barriers: count(&shared.counters.n_barriers),
        }
    }

    /// Looks through the folder: a call for every file, so not for inner loops.
    ///
    /// # Errors
    /// The file system's.
    pub fn usage(&self) -> Result<SpoolUsage, SpoolError> {
        let folder = &self.shared.folder;
        let (n_open, open_bytes) = usage_of(&folder.join(OPEN))?;
        let (n_broken, broken_bytes) = usage_of(&folder.join(BROKEN))?;
        let mut usage = SpoolUsage {
            n_open,
            open_bytes,
            n_broken,
            broken_bytes,
            ..SpoolUsage::default()
        };
        for day in days_done(folder)? {
            let (n_files, n_bytes) = usage_of(&day)?;
            usage.n_done += n_files;
            usage.done_bytes += n_bytes;
        }
        Ok(usage)
    }
}

impl State {
    /// Being written, or waiting for the barrier that moves it.
    fn is_ours(&self, name: &RecordingName) -> bool {
        self.under_way.contains(name) || self.finished.contains(name)
    }
}

impl Shared {
    fn keys(&self) -> Arc<KeyRing> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&keys)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(
        &self,
        name: &RecordingName,
        fresh: Fresh,
        start: &Start<'_>,
    ) -> Result<(Arc<File>, RecordingWriter), SpoolError> {
        let path = self.open_path(name);
        let file = Arc::new(create_file(&path)?);
        let writer = RecordingWriter::begin(Box::new(Arc::clone(&file)), fresh, start);
        let writer = writer.inspect_err(|_| {
            let _ = fs::remove_file(&path);
        })?;
        Ok((file, writer))
    }

    fn open_path(&self, name: &RecordingName) -> PathBuf {
        name.open_path(&self.folder)
    }

    fn done_path(&self, name: &RecordingName) -> PathBuf {
        name.done_path(&self.folder)
    }

    /// What a barrier has to do. Who writes from now on is for the next one.
    fn take_pending(&self) -> (Vec<Arc<Handle>>, Vec<RecordingName>) {
        let mut state = self.state();
        let finished = std::mem::take(&mut state.finished);
        let dirty = std::mem::take(&mut state.dirty);
        for handle in &dirty {
            handle.is_dirty.store(false, Ordering::Release);
        }
        // Still ours, though not waiting any more.
        state.under_way.extend(&finished);
        (dirty, finished)
    }

    fn put_back(&self, dirty: Vec<Arc<Handle>>, finished: Vec<RecordingName>) {
        let mut state = self.state();
        for handle in dirty {
            if !handle.is_dirty.swap(true, Ordering::AcqRel) {
                state.dirty.push(handle);
            }
        }
        for name in finished {
            state.under_way.remove(&name);
            state.finished.push(name);
        }
    }

    /// Moves all that can be moved, and tells of the first that cannot.
    fn move_finished(&self, finished: Vec<RecordingName>) -> Result<usize, SpoolError> {
        let mut outcome = Ok(());
        let mut moved = Vec::with_capacity(finished.len());
        let mut stayed = Vec::new();
        for name in finished {
            match self.move_to_done(&name) {
                Ok(_) => moved.push(name),
                Err(error) => {
                    stayed.push(name);
                    outcome = outcome.and(Err(error));
                }
            }
        }
        let synced = self.sync_folders(&moved);
        let n_moved = moved.len();
        let mut state = self.state();
        for name in moved {
            state.under_way.remove(&name);
        }
        drop(state);
        self.put_back(Vec::new(), stayed);
        outcome.and(synced).map(|()| n_moved)
    }

    fn move_to_done(&self, name: &RecordingName) -> Result<PathBuf, SpoolError> {
        let path = self.done_path(name);
        let from = self.open_path(name);
        let moved = fs::rename(&from, &path).or_else(|_| {
            make_folder(&self.folder.join(DONE).join(name.day()))?;
            fs::rename(&from, &path)
        });
        moved.doing("move the recording")?;
        Ok(path)
    }

    /// Makes moves durable: the folders that they went to, then the one that they left.
    fn sync_folders(&self, moved: &[RecordingName]) -> Result<(), SpoolError> {
        if moved.is_empty() {
            return Ok(());
        }
        let done = self.folder.join(DONE);
        let mut days = moved.iter().map(RecordingName::day).collect::<Vec<_>>();
        days.sort_unstable();
        days.dedup();
        let days = days.iter().map(|day| done.join(day));
        for folder in days.chain([done.clone(), self.folder.join(OPEN)]) {
            sync_folder(&folder).doing("sync the folder")?;
        }
        Ok(())
    }
}
