//! The index in its folder: made, opened, written and read.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use auricle_contracts::{Assessment, CallId, Transcript};
use tantivy::indexer::UserOperation;
use tantivy::{Executor, Index, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use crate::document::documents;
use crate::error::IndexError;
use crate::lines::LinesPlugin;
use crate::schema::Fields;

use directory::{DiskFull, WatchedDirectory};
use folder::{TANTIVY_FILE, VERSION_FILE, Version, check_files, check_version, guarded};
use reader::Shared;

mod directory;
mod folder;
mod reader;
#[cfg(test)]
mod tests;

pub use reader::{IndexSize, KnownNames, TranscriptReader};

/// How much of the machine the index may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexOptions {
    /// Threads that build segments.
    pub writer_threads: usize,
    /// Memory those threads may fill together before they write a segment; at least 15 MB each.
    pub writer_memory_bytes: usize,
    /// Threads one search may use.
    pub search_threads: usize,
}

impl Default for IndexOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            writer_threads: cores.min(4),
            writer_memory_bytes: cores.min(4) * 96_000_000,
            search_threads: cores.min(4),
        }
    }
}

/// A full-text index over transcripts in a folder.
///
/// One process writes at a time; any number read, also while it is written: they see what was
/// committed when they opened it. What is added here shows after [`Self::commit`].
pub struct TranscriptIndex {
    shared: Arc<Shared>,
    writing: RwLock<Writing>,
    /// Fingerprints of the calls added since the last commit.
    added: Mutex<HashSet<u64>>,
    options: IndexOptions,
}

/// Tantivy's writer, opened when it is first needed.
#[derive(Default)]
struct Writing {
    writer: Option<IndexWriter>,
    /// Counts the writers that were given up.
    generation: u64,
}

/// What became of a call that was added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Its utterances in the index.
    pub utterances: usize,
    /// What could not be understood and was left out.
    pub warnings: Vec<String>,
}

/// A call ready for [`TranscriptIndex::add_prepared`].
pub struct Prepared {
    call: CallId,
    documents: Vec<TantivyDocument>,
    warnings: Vec<String>,
}

impl Prepared {
    /// The call.
    pub const fn call_id(&self) -> &CallId {
        &self.call
    }
}

/// Does the part of [`TranscriptIndex::add`] that needs no index: on any thread, before there is one.
#[derive(Clone, Debug)]
pub struct Preparer {
    fields: Fields,
}

impl Default for Preparer {
    fn default() -> Self {
        Self {
            fields: Fields::new(),
        }
    }
}

impl Preparer {
    /// Makes a call's documents, see [`TranscriptIndex::add`].
    ///
    /// # Errors
    /// An utterance is too long.
    pub fn prepare(
        &self,
        transcript: &Transcript,
        assessment: &Assessment,
    ) -> Result<Prepared, IndexError> {
        let (documents, warnings) = documents(&self.fields, transcript, assessment)?;
        Ok(Prepared {
            call: transcript.call_id.clone(),
            documents,
            warnings,
        })
    }
}

impl TranscriptIndex {
    /// Makes an index in a folder, which is created where it is missing.
    ///
    /// # Errors
    /// The folder holds an index already, or cannot be written.
    pub fn create(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        if folder.join(TANTIVY_FILE).exists() || folder.join(VERSION_FILE).exists() {
            return Err(IndexError::Exists {
                folder: folder.to_owned(),
            });
        }
        let fail = |source| IndexError::from_io(folder, source);
        fs::create_dir_all(folder).map_err(fail)?;
        // First, so that a folder that was left half made is known for what it is.
        let version = serde_json::to_vec(&Version::now()).map_err(IndexError::Header)?;
        fs::write(folder.join(VERSION_FILE), version).map_err(fail)?;
        let fields = Fields::new();
        let disk_full = DiskFull::default();
        let index = WatchedDirectory::open(folder, disk_full.clone()).and_then(|directory| {
            Index::builder()
                .schema(fields.schema.clone())
                .register_plugin(Arc::new(LinesPlugin))
                .open_or_create(directory)
        });
        let index = index.map_err(|error| IndexError::from_tantivy(folder, &error))?;
        Self::with_index(folder, index, fields, disk_full, options)
    }

    /// Opens the index in a folder and reads enough of every file to know it is whole.
    ///
    /// # Errors
    /// There is none, it was made by another version, or it is damaged; the message says how to
    /// rebuild it.
    pub fn open(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        check_version(folder)?;
        guarded(folder, || {
            let disk_full = DiskFull::default();
            let mut index = WatchedDirectory::open(folder, disk_full.clone())
                .and_then(Index::open)
                .map_err(|error| IndexError::from_tantivy(folder, &error))?;
            index.register_plugin(Arc::new(LinesPlugin));
            let fields = Fields::new();
            if index.schema() != fields.schema {
                let cause = "its fields are not those it was made with".to_owned();
                return Err(IndexError::Damaged {
                    folder: folder.to_owned(),
                    cause,
                });
            }
            check_files(folder, &index)?;
            let opened = Self::with_index(folder, index, fields, disk_full, options)?;
            opened.shared.snapshot()?;
            Ok(opened)
        })
    }

    /// [`Self::open`], or [`Self::create`] where there is no index yet.
    ///
    /// # Errors
    /// As for those two.
    pub fn open_or_create(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        match Self::open(folder, options) {
            Err(IndexError::Missing { .. }) => Self::create(folder, options),
            other => other,
        }
    }

    fn with_index(
        folder: &Path,
        index: Index,
        fields: Fields,
        disk_full: DiskFull,
        options: IndexOptions,
    ) -> Result<Self, IndexError> {
        let fail = |error| IndexError::from_tantivy(folder, &error);
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(fail)?;
        let executor = match options.search_threads {
            0 | 1 => Executor::single_thread(),
            several => Executor::multi_thread(several, "auricle-search-").map_err(fail)?,
        };
        let folder = folder.to_owned();
        let snapshot = Mutex::new(None);
        let shared = Shared {
            folder,
            index,
            reader,
            fields,
            executor,
            snapshot,
            disk_full,
        };
        Ok(Self {
            shared: Arc::new(shared),
            writing: RwLock::new(Writing::default()),
            added: Mutex::new(HashSet::new()),
            options,
        })
    }

    /// Adds a call with what was found in it, in place of what the index holds of it. Several threads may add at
    /// once.
    ///
    /// Texts are kept as they are given: personal data is to be masked before. Where nothing was found in a call,
    /// [`Assessment::default`] says so. A call without utterances leaves nothing to be found.
    ///
    /// # Errors
    /// Another process writes, an utterance is too long, the disk is full. Unless
    /// [`IndexError::is_refusal`] holds, everything since the last commit is taken back, also what other
    /// threads added.
    pub fn add(
        &self,
        transcript: &Transcript,
        assessment: &Assessment,
    ) -> Result<Added, IndexError> {
        let (documents, warnings) = documents(&self.shared.fields, transcript, assessment)?;
        self.add_prepared(Prepared {
            call: transcript.call_id.clone(),
            documents,
            warnings,
        })
    }

    /// [`Self::add`] of a call that was prepared before.
    ///
    /// # Errors
    /// As for [`Self::add`], without refusals.
    pub fn add_prepared(&self, prepared: Prepared) -> Result<Added, IndexError> {
        let Prepared {
            call: call_id,
            documents,
            warnings,
        } = prepared;
        let utterances = documents.len();
        let call = self.call_term(&call_id);
        let adds = documents.into_iter().map(UserOperation::Add);
        self.with_writer(|writer| {
            // Held until the operations are queued: the same call may be added by two threads.
            let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = added.insert(fingerprint(&call_id));
            let searcher = self.shared.reader.searcher();
            // Every deletion is looked up in every segment, so those of new calls are left out.
            let delete =
                (!is_new || searcher.doc_freq(&call)? > 0).then_some(UserOperation::Delete(call));
            let operations: Vec<_> = delete.into_iter().chain(adds).collect();
            writer.run(operations).map(|_| ())
        })?;
        Ok(Added {
            utterances,
            warnings,
        })
    }

    /// Takes a call out. A call that is not there is no error.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn delete_call(&self, call: &CallId) -> Result<(), IndexError> {
        let term = self.call_term(call);
        self.with_writer(|writer| {
            writer.delete_term(term);
            Ok(())
        })
    }

    /// Makes what was added and deleted last, and shows it to this index's readers.
    ///
    /// # Errors
    /// The disk is full or a thread of the writer failed. What was committed before stays; everything
    /// since is taken back and must be added again.
    pub fn commit(&self) -> Result<(), IndexError> {
        let mut writing = self.writing.write().unwrap_or_else(PoisonError::into_inner);
        self.commit_with(&mut writing)
    }

    fn commit_with(&self, writing: &mut Writing) -> Result<(), IndexError> {
        let committed = writing.writer.as_mut().map(IndexWriter::commit);
        if let Some(Err(error)) = committed {
            self.give_up(writing);
            return Err(self.shared.write_error(&error));
        }
        // What a merge in the background met stopped nothing.
        self.shared.disk_full.take();
        // While nobody can add: calls are known by the searcher before they are forgotten here.
        self.shared.reload()?;
        self.forget_added();
        Ok(())
    }

    /// Commits, waits for the merging of segments in the background, then closes the writer; it opens
    /// again when something is added.
    ///
    /// # Errors
    /// As for [`Self::commit`], or a merge failed.
    pub fn finish_merging(&self) -> Result<(), IndexError> {
        let mut writing = self.writing.write().unwrap_or_else(PoisonError::into_inner);
        self.commit_with(&mut writing)?;
        if let Some(writer) = writing.writer.take() {
            writer
                .wait_merging_threads()
                .map_err(|error| self.shared.write_error(&error))?;
        }
        self.shared.reload()
    }

    /// A reader that searches what was committed.
    pub fn reader(&self) -> TranscriptReader {
        TranscriptReader {
            shared: Arc::clone(&self.shared),
        }
    }

    fn call_term(&self, call: &CallId) -> Term {
        Term::from_field_text(self.shared.fields.call, &call.0)
    }

    /// Runs an operation on the writer, which is opened when it is first needed and given up when the
    /// operation fails.
    fn with_writer(
        &self,
        operation: impl FnOnce(&IndexWriter) -> tantivy::Result<()>,
    ) -> Result<(), IndexError> {
        let writing = self.writing.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &writing.writer {
            let (done, generation) = (operation(writer), writing.generation);
            drop(writing);
            return done.map_err(|error| {
                let mut writing = self.writing.write().unwrap_or_else(PoisonError::into_inner);
                // Another thread may have met the same failure and begun anew.
                if writing.generation == generation {
                    self.give_up(&mut writing);
                }
                self.shared.write_error(&error)
            });
        }
        drop(writing);
        let mut writing = self.writing.write().unwrap_or_else(PoisonError::into_inner);
        let opened = match writing.writer.take() {
            Some(opened) => opened,
            None => self.open_writer()?,
        };
        operation(writing.writer.insert(opened)).map_err(|error| {
            self.give_up(&mut writing);
            self.shared.write_error(&error)
        })
    }

    /// Drops a writer that failed, and with it all that was not committed. It cannot be used again: it
    /// may have lost threads, and would wait for them for ever, or documents, and commit without them.
    fn give_up(&self, writing: &mut Writing) {
        writing.writer = None;
        writing.generation += 1;
        self.forget_added();
    }

    fn forget_added(&self) {
        self.added
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn open_writer(&self) -> Result<IndexWriter, IndexError> {
        let threads = self.options.writer_threads.max(1);
        let bytes = self.options.writer_memory_bytes.max(threads * 15_000_001);
        let writer = self
            .shared
            .index
            .writer_with_num_threads::<TantivyDocument>(threads, bytes)
            .map_err(|error| self.shared.write_error(&error))?;
        // From here on no other process commits: what the searcher knows is all there is.
        self.shared.reload()?;
        Ok(writer)
    }
}

/// Two calls with one fingerprint only cost a deletion that finds nothing.
fn fingerprint(call: &CallId) -> u64 {
    let mut hasher = DefaultHasher::new();
    call.hash(&mut hasher);
    hasher.finish()
}
