//! Searching an index.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tantivy::{Executor, Index, IndexReader};

use super::directory::DiskFull;
use super::folder::guarded;
use crate::error::{IndexError, SearchError};
use crate::marks::names_of;
use crate::queries::Snapshot;
use crate::query::parse;
use crate::results::{SearchRequest, SearchResults};
use crate::schema::Fields;
use crate::search::search;

/// Searches an index. Clones share everything.
#[derive(Clone)]
pub struct TranscriptReader {
    pub(super) shared: Arc<Shared>,
}

/// What an index and its readers have in common.
pub(super) struct Shared {
    pub(super) folder: PathBuf,
    pub(super) index: Index,
    pub(super) reader: IndexReader,
    pub(super) fields: Fields,
    pub(super) executor: Executor,
    pub(super) snapshot: Mutex<Option<Snapshot>>,
    pub(super) disk_full: DiskFull,
}

/// Names that occur in an index, each list in order. Those of calls taken out may stay for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KnownNames {
    /// Rules that fired, for `hit:`.
    pub rules: Vec<String>,
    /// For `intent:`.
    pub intents: Vec<String>,
    /// Outcomes of calls, for `disposition:`.
    pub dispositions: Vec<String>,
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

    /// The names that can be asked for, to tell a name that nobody uses from one that has no hit here.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn known_names(&self) -> Result<KnownNames, IndexError> {
        guarded(&self.shared.folder, || {
            let snapshot = self.shared.snapshot()?;
            known_names(&snapshot, &self.shared.fields).map_err(|error| self.shared.error(&error))
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

fn known_names(snapshot: &Snapshot, fields: &Fields) -> tantivy::Result<KnownNames> {
    let (mut rules, mut intents, mut outcomes) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for reader in snapshot.searcher.segment_readers() {
        let marks = &snapshot.files(reader)?.marks;
        rules.extend(marks.rules.names.iter().chain(&marks.call_rules.names));
        intents.extend(&marks.intents.names);
        outcomes.extend(names_of(reader, fields.disposition)?);
    }
    Ok(KnownNames {
        rules: rules.into_iter().cloned().collect(),
        intents: intents.into_iter().cloned().collect(),
        dispositions: outcomes.into_iter().collect(),
    })
}

impl Shared {
    pub(super) fn error(&self, error: &tantivy::TantivyError) -> IndexError {
        IndexError::from_tantivy(&self.folder, error)
    }

    /// Of an error met in writing, which may come from a thread that did not say why.
    pub(super) fn write_error(&self, error: &tantivy::TantivyError) -> IndexError {
        match self.disk_full.take() {
            true => IndexError::DiskFull {
                folder: self.folder.clone(),
            },
            false => self.error(error),
        }
    }

    /// Shows what was committed last.
    pub(super) fn reload(&self) -> Result<(), IndexError> {
        self.reader.reload().map_err(|error| self.error(&error))?;
        self.snapshot().map(|_| ())
    }

    /// The present searcher with its lines.
    pub(super) fn snapshot(&self) -> Result<Snapshot, IndexError> {
        let searcher = self.reader.searcher();
        let mut known = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = searcher.generation().generation_id();
        if let Some(known) = known.as_ref()
            && known.searcher.generation().generation_id() == generation
        {
            return Ok(known.clone());
        }
        let opened = Snapshot::open(searcher, &self.fields, known.as_ref())
            .map_err(|error| self.error(&error))?;
        *known = Some(opened.clone());
        Ok(opened)
    }
}
