//! The index in its folder: made, opened, written and read.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use auricle_contracts::{CallId, Transcript};
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::index::SegmentComponent;
use tantivy::indexer::UserOperation;
use tantivy::{
    Directory, Executor, Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term,
};

use crate::document::{Annotations, documents};
use crate::error::{IndexError, SearchError};
use crate::lines::{self, LinesPlugin};
use crate::queries::Snapshot;
use crate::query::parse;
use crate::results::{SearchRequest, SearchResults};
use crate::schema::{Fields, SCHEMA_VERSION};
use crate::search::search;
use crate::sound::syllables_fingerprint;

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

/// What is written beside tantivy's files, to know an index of another version.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    schema: u32,
    syllables: u32,
}

const VERSION_FILE: &str = "auricle-index.json";
/// The file tantivy writes last when an index is made.
const TANTIVY_FILE: &str = "meta.json";

impl Version {
    fn now() -> Self {
        Self {
            schema: SCHEMA_VERSION,
            syllables: syllables_fingerprint(),
        }
    }

    fn name(&self) -> String {
        format!("{}/{:08x}", self.schema, self.syllables)
    }
}

/// A full-text index over transcripts in a folder.
///
/// One process writes at a time; any number read, also while it is written. What is added shows
/// after [`Self::commit`].
pub struct TranscriptIndex {
    shared: Arc<Shared>,
    writer: RwLock<Option<IndexWriter>>,
    /// Fingerprints of the calls added since the last commit.
    added: Mutex<HashSet<u64>>,
    options: IndexOptions,
}

/// Searches an index. Clones share everything.
#[derive(Clone)]
pub struct TranscriptReader {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    executor: Executor,
    snapshot: Mutex<Option<Snapshot>>,
}

/// What became of a call that was added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Its utterances in the index.
    pub utterances: usize,
    /// What could not be understood and was left out.
    pub warnings: Vec<String>,
}

/// What an index holds, and the room it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IndexSize {
    /// Utterances that can be found.
    pub utterances: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Segments the index is in.
    pub segments: usize,
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
        let fail = |source| IndexError::Folder {
            folder: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(fail)?;
        // First, so that a folder that was left half made is known for what it is.
        let version = serde_json::to_vec(&Version::now()).map_err(IndexError::Header)?;
        fs::write(folder.join(VERSION_FILE), version).map_err(fail)?;
        let fields = Fields::new();
        let index = Index::builder()
            .schema(fields.schema.clone())
            .register_plugin(Arc::new(LinesPlugin))
            .create_in_dir(folder)
            .map_err(|error| IndexError::from_tantivy(folder, &error))?;
        Self::with_index(folder, index, fields, options)
    }

    /// Opens the index in a folder and reads enough of every file to know it is whole.
    ///
    /// # Errors
    /// There is none, it was made by another version, or it is damaged; the message says how to
    /// rebuild it.
    pub fn open(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        check_version(folder)?;
        guarded(folder, || {
            let directory = MmapDirectory::open(folder)
                .map_err(|error| IndexError::from_tantivy(folder, &error.into()))?;
            let mut index =
                Index::open(directory).map_err(|error| IndexError::from_tantivy(folder, &error))?;
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
            let opened = Self::with_index(folder, index, fields, options)?;
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
        };
        Ok(Self {
            shared: Arc::new(shared),
            writer: RwLock::new(None),
            added: Mutex::new(HashSet::new()),
            options,
        })
    }

    /// Adds a call, in place of what the index holds of it. Several threads may add at once.
    ///
    /// # Errors
    /// Another process writes, an utterance is too long, the disk is full.
    pub fn add(&self, transcript: &Transcript) -> Result<Added, IndexError> {
        self.add_annotated(transcript, &Annotations::default())
    }

    /// Adds a call with what later stages know of it.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn add_annotated(
        &self,
        transcript: &Transcript,
        annotations: &Annotations,
    ) -> Result<Added, IndexError> {
        let (documents, warnings) = documents(&self.shared.fields, transcript, annotations)?;
        let utterances = documents.len();
        let call = self.call_term(&transcript.call_id);
        let adds = documents.into_iter().map(UserOperation::Add);
        self.with_writer(|writer| {
            // Held until the operations are queued: the same call may be added by two threads.
            let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = added.insert(fingerprint(&transcript.call_id));
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
    /// Another process writes, the disk is full.
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
    /// The disk is full or a thread of the writer failed. What was committed before stays.
    pub fn commit(&self) -> Result<(), IndexError> {
        let mut writer = self.writer.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writer.as_mut() {
            writer.commit().map_err(|error| self.shared.error(&error))?;
        }
        // While nobody can add: calls are known by the searcher before they are forgotten here.
        self.shared.reload()?;
        self.added
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(())
    }

    /// Waits for the merging of segments in the background, then closes the writer; it opens
    /// again when something is added.
    ///
    /// # Errors
    /// A merge failed.
    pub fn finish_merging(&self) -> Result<(), IndexError> {
        let mut writer = self.writer.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writer.take() {
            writer
                .wait_merging_threads()
                .map_err(|error| self.shared.error(&error))?;
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

    /// Runs an operation on the writer, which is opened when it is first needed.
    fn with_writer(
        &self,
        operation: impl FnOnce(&IndexWriter) -> tantivy::Result<()>,
    ) -> Result<(), IndexError> {
        let opened = self.writer.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = opened.as_ref() {
            return operation(writer).map_err(|error| self.shared.error(&error));
        }
        drop(opened);
        let mut writer = self.writer.write().unwrap_or_else(PoisonError::into_inner);
        let opened = match writer.take() {
            Some(opened) => opened,
            None => self.open_writer()?,
        };
        operation(writer.insert(opened)).map_err(|error| self.shared.error(&error))
    }

    fn open_writer(&self) -> Result<IndexWriter, IndexError> {
        let threads = self.options.writer_threads.max(1);
        let bytes = self.options.writer_memory_bytes.max(threads * 15_000_001);
        let writer = self
            .shared
            .index
            .writer_with_num_threads::<TantivyDocument>(threads, bytes)
            .map_err(|error| self.shared.error(&error))?;
        // From here on no other process commits: what the searcher knows is all there is.
        self.shared.reload()?;
        Ok(writer)
    }
}

impl TranscriptReader {
    /// Reads a query and runs it.
    ///
    /// # Errors
    /// The query has a mistake, or the index cannot be read.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResults, SearchError> {
        let node = parse(&request.query)?;
        let Shared {
            folder,
            fields,
            executor,
            ..
        } = self.shared.as_ref();
        let results = guarded(folder, || {
            let snapshot = self.shared.snapshot()?;
            search(fields, &snapshot, executor, &node, request)
                .map_err(|error| self.shared.error(&error))
        })?;
        Ok(results)
    }

    /// Shows what other processes have committed since.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn refresh(&self) -> Result<(), IndexError> {
        guarded(&self.shared.folder, || self.shared.reload())
    }

    /// What the index holds, and the room it takes.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn size(&self) -> Result<IndexSize, IndexError> {
        let snapshot = self.shared.snapshot()?;
        let usage = snapshot
            .searcher
            .space_usage()
            .map_err(|error| self.shared.error(&error.into()))?;
        Ok(IndexSize {
            utterances: snapshot.searcher.num_docs(),
            bytes: usage.total().get_bytes(),
            segments: snapshot.searcher.segment_readers().len(),
        })
    }

    /// Compares every file with its checksum. Takes as long as reading the index once.
    ///
    /// # Errors
    /// Names the damaged files, and says how to rebuild the index.
    pub fn verify(&self) -> Result<(), IndexError> {
        let folder = &self.shared.folder;
        guarded(folder, || {
            let damaged = self
                .shared
                .index
                .validate_checksum()
                .map_err(|error| self.shared.error(&error))?;
            let mut names: Vec<String> = damaged
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            names.sort();
            match names.is_empty() {
                true => Ok(()),
                false => Err(IndexError::Damaged {
                    folder: folder.clone(),
                    cause: format!("files not as written: {}", names.join(", ")),
                }),
            }
        })
    }
}

impl Shared {
    fn error(&self, error: &tantivy::TantivyError) -> IndexError {
        IndexError::from_tantivy(&self.folder, error)
    }

    fn reload(&self) -> Result<(), IndexError> {
        self.reader.reload().map_err(|error| self.error(&error))?;
        self.snapshot().map(|_| ())
    }

    /// The present searcher with its lines.
    fn snapshot(&self) -> Result<Snapshot, IndexError> {
        let searcher = self.reader.searcher();
        let mut known = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = searcher.generation().generation_id();
        if let Some(known) = known.as_ref()
            && known.searcher.generation().generation_id() == generation
        {
            return Ok(known.clone());
        }
        let opened =
            Snapshot::open(searcher, known.as_ref()).map_err(|error| self.error(&error))?;
        *known = Some(opened.clone());
        Ok(opened)
    }
}

fn check_version(folder: &Path) -> Result<(), IndexError> {
    let path = folder.join(VERSION_FILE);
    let folder = folder.to_owned();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !folder.join(TANTIVY_FILE).exists() {
                return Err(IndexError::Missing { folder });
            }
            return Err(IndexError::Version {
                folder,
                found: "none".to_owned(),
                wanted: Version::now().name(),
            });
        }
        Err(source) => return Err(IndexError::Folder { folder, source }),
    };
    let wanted = Version::now();
    match serde_json::from_str::<Version>(&text) {
        Ok(found) if found == wanted => Ok(()),
        Ok(found) => Err(IndexError::Version {
            folder,
            found: found.name(),
            wanted: wanted.name(),
        }),
        Err(error) => Err(IndexError::Damaged {
            folder,
            cause: format!("`{VERSION_FILE}`: {error}"),
        }),
    }
}

/// Two calls with one fingerprint only cost a deletion that finds nothing.
fn fingerprint(call: &CallId) -> u64 {
    let mut hasher = DefaultHasher::new();
    call.hash(&mut hasher);
    hasher.finish()
}

/// Opens every file of every segment once: tantivy opens some only when a query needs them.
fn check_files(folder: &Path, index: &Index) -> Result<(), IndexError> {
    let damaged = |path: &Path, cause: String| IndexError::Damaged {
        folder: folder.to_owned(),
        cause: format!("`{}`: {cause}", path.display()),
    };
    let segments = index
        .searchable_segment_metas()
        .map_err(|error| IndexError::from_tantivy(folder, &error))?;
    for meta in segments {
        let deletes = meta.has_deletes().then_some(SegmentComponent::Delete);
        let written = [
            SegmentComponent::Postings,
            SegmentComponent::Positions,
            SegmentComponent::Terms,
            SegmentComponent::Store,
            SegmentComponent::FastFields,
            SegmentComponent::FieldNorms,
            SegmentComponent::Custom(lines::EXTENSION.to_owned()),
            SegmentComponent::Custom(lines::PAIRS_EXTENSION.to_owned()),
        ];
        for component in written.into_iter().chain(deletes) {
            let path = meta.relative_path(component);
            index
                .directory()
                .open_read(&path)
                .map_err(|error| damaged(&path, error.to_string()))?;
        }
    }
    Ok(())
}

/// Tantivy asserts what it reads from disk; such a panic becomes an error here.
fn guarded<T>(
    folder: &Path,
    read: impl FnOnce() -> Result<T, IndexError>,
) -> Result<T, IndexError> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Err(IndexError::from_panic(folder, panic.as_ref())))
}
