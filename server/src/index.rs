//! The search index beside the store: what was saved last is what is found.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, anyhow};
use auricle_contracts::CallId;
use auricle_search::{
    Added, FacetMode, IndexError, IndexOptions, KnownNames, Prepared, SearchError, SearchRequest,
    SearchResults, TranscriptIndex, TranscriptReader,
};
use auricle_store::{CallFilter, CallKind, Store, StoreError};

use crate::data::DataFolder;
use crate::disk_full::not_in_index;
use crate::exit::usage;
use crate::judge::Judges;
use crate::known::KnownCall;

/// Calls given to the index before a commit, when many are added.
const CALLS_A_COMMIT: u64 = 500;
/// The most calls of one page that the index gives.
const PAGE_CALLS: usize = 1000;

/// The index of a program with several who write to it, one at a time.
#[derive(Clone)]
pub(crate) struct SharedIndex(Arc<Mutex<CallIndex>>);

impl SharedIndex {
    pub(crate) fn new(index: CallIndex) -> Self {
        Self(Arc::new(Mutex::new(index)))
    }

    /// Waits for the others.
    pub(crate) fn lock(&self) -> MutexGuard<'_, CallIndex> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The index, open to write.
pub(crate) struct CallIndex {
    index: TranscriptIndex,
    /// Added and not committed.
    waiting: Vec<(CallId, i64)>,
}

impl CallIndex {
    /// Opens the index, or makes one where there is none: then the store knows that it lacks every call.
    pub(crate) async fn open_to_write(folder: &Path, store: &Store) -> Result<Self> {
        let index = match TranscriptIndex::open(folder, IndexOptions::default()) {
            Err(IndexError::Missing { .. }) => {
                // First: a stop between the two must not leave an empty index that is taken for a full one.
                store.forget_index().await?;
                TranscriptIndex::create(folder, IndexOptions::default())
            }
            opened => opened,
        };
        Ok(Self {
            index: index.map_err(with_rebuild_hint)?,
            waiting: Vec::new(),
        })
    }

    /// Adds a call in this version; it is found after [`Self::commit`]. After an error that took back
    /// others too, those stay unmarked in the store: [`Self::catch_up`] adds them.
    pub(crate) fn add(&mut self, known: &KnownCall, version: i64) -> Result<()> {
        let added = self.index.add(&known.transcript, &known.assessment);
        self.note(&known.transcript.call_id, version, added)
    }

    /// The same of a call that was prepared before.
    pub(crate) fn add_prepared(&mut self, prepared: Prepared, version: i64) -> Result<()> {
        let call_id = prepared.call_id().clone();
        let added = self.index.add_prepared(prepared);
        self.note(&call_id, version, added)
    }

    fn note(
        &mut self,
        call_id: &CallId,
        version: i64,
        added: Result<Added, IndexError>,
    ) -> Result<()> {
        if added.as_ref().is_err_and(|error| !error.is_refusal()) {
            self.waiting.clear();
        }
        let added = added?;
        for warning in added.warnings {
            tracing::warn!(call.id = %call_id, "{warning}");
        }
        self.waiting.push((call_id.clone(), version));
        Ok(())
    }

    /// Takes calls out, at once.
    pub(crate) fn delete(&mut self, calls: &[CallId]) -> Result<()> {
        for call_id in calls {
            self.index.delete_call(call_id)?;
        }
        Ok(self.index.commit()?)
    }

    /// Calls added since the last commit.
    pub(crate) fn n_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Makes what was added last, then tells the store; gives the number of calls. A stop between the
    /// two only means that these calls are added once more.
    pub(crate) async fn commit(&mut self, store: &Store) -> Result<u64> {
        // Taken first: what a failed commit loses is not marked by the next one.
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(0);
        }
        self.index.commit()?;
        store.mark_indexed(&waiting).await?;
        Ok(waiting.len() as u64)
    }

    /// Adds what the store has and the index lacks, until `stop` is set; gives the number of calls.
    pub(crate) async fn catch_up(
        &mut self,
        store: &Store,
        judges: &Judges,
        stop: &AtomicBool,
    ) -> Result<u64> {
        let mut n_added = 0;
        let mut refused = BTreeSet::new();
        while !stop.load(Ordering::Relaxed) {
            let limit = CALLS_A_COMMIT + refused.len() as u64;
            let missing = store.unindexed(limit).await?;
            let missing = missing
                .into_iter()
                .filter(|(call_id, _)| !refused.contains(call_id));
            let missing = missing.collect::<Vec<_>>();
            if missing.is_empty() {
                break;
            }
            for (call_id, version) in missing {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let added = match known_call(store, judges, &call_id, version).await {
                    Ok(Some(known)) => self.add(&known, version),
                    Ok(None) => Err(anyhow!("the store has lost its transcript")),
                    // One call that cannot be read must not keep the others out.
                    Err(error @ (StoreError::Transcript { .. } | StoreError::Damaged { .. })) => {
                        Err(error.into())
                    }
                    Err(error) => return Err(error.into()),
                };
                if let Err(error) = added {
                    not_in_index(&call_id, error)?;
                    refused.insert(call_id);
                }
            }
            n_added += self.commit(store).await?;
        }
        Ok(n_added)
    }

    /// The number of its utterances.
    pub(crate) fn n_utterances(&self) -> Result<u64> {
        Ok(self.index.reader().size()?.utterances)
    }
}

/// What goes into the index of a call. One without an assessment that can be read is assessed now.
async fn known_call(
    store: &Store,
    judges: &Judges,
    call_id: &CallId,
    version: i64,
) -> Result<Option<KnownCall>, StoreError> {
    let Some(transcript) = store.transcript(call_id).await? else {
        return Ok(None);
    };
    let stored = match store.assessment(call_id).await {
        Err(StoreError::Assessment { .. }) => None,
        stored => stored?.filter(|stored| stored.transcript_version == version),
    };
    let assessment = match stored {
        Some(stored) => stored.assessment,
        None => judges.assess(&transcript),
    };
    Ok(Some(KnownCall::masked(&transcript, &assessment)))
}

/// Takes the index away. The store still has everything that was in it.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(cause).with_context(|| format!("cannot remove the index `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}

/// For commands that Ctrl-C ends at once: nothing is lost, the store knows what the index lacks.
pub(crate) static NEVER_STOP: AtomicBool = AtomicBool::new(false);

/// Whether the folder of the index is gone, or empty.
fn is_lost(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut files) => files.next().is_none(),
        Err(cause) => cause.kind() == ErrorKind::NotFound,
    }
}

/// Whether the index lacks calls that the store has: where the index was lost, all of them.
pub(crate) async fn is_behind(folder: &Path, store: &Store) -> Result<bool, StoreError> {
    if !is_lost(folder) {
        return Ok(!store.unindexed(1).await?.is_empty());
    }
    let heard = CallFilter {
        kind: CallKind::WithTranscript,
        ..CallFilter::default()
    };
    Ok(!store.calls(&heard, None, 1).await?.is_empty())
}

/// Calls that were heard and no search finds now: all, where the index was lost. `None` where no store can be read.
pub(crate) async fn n_not_found(data: &DataFolder) -> Option<u64> {
    let store = Store::open_to_read(&data.database()).await.ok()?;
    let counts = store.counts().await.ok()?;
    Some(match is_lost(&data.index()) {
        true => counts.n_done,
        false => counts.n_unindexed,
    })
}

/// The index, open to search.
pub(crate) struct CallSearch {
    reader: TranscriptReader,
}

impl CallSearch {
    /// Opens an index that is there.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let index = TranscriptIndex::open(folder, IndexOptions::default());
        Ok(Self {
            reader: index.map_err(with_rebuild_hint)?.reader(),
        })
    }

    /// One page of hits. A mistake in the query is the user's: it shows where it is.
    pub(crate) fn search(&self, request: &SearchRequest) -> Result<SearchResults> {
        self.reader.search(request).map_err(|error| match error {
            SearchError::Query(mistake) => usage(mistake.to_string()),
            other => other.into(),
        })
    }

    /// All calls with a hit.
    pub(crate) fn calls_with(&self, query: &str) -> Result<BTreeSet<CallId>> {
        let mut found = BTreeSet::new();
        let mut request = SearchRequest {
            limit: PAGE_CALLS,
            hits_per_call: 1,
            context: 0,
            facets: FacetMode::Skip,
            ..SearchRequest::new(query)
        };
        loop {
            let page = self.search(&request)?;
            if page.calls.is_empty() {
                return Ok(found);
            }
            request.offset += page.calls.len();
            found.extend(page.calls.into_iter().map(|call| CallId(call.call_id)));
        }
    }

    /// The rules, intents and dispositions that any call has.
    pub(crate) fn known_names(&self) -> Result<KnownNames> {
        Ok(self.reader.known_names()?)
    }

    /// Compares every file with its checksum.
    pub(crate) fn verify(&self) -> Result<()> {
        Ok(self.reader.verify()?)
    }

    /// The number of utterances that can be found.
    pub(crate) fn n_utterances(&self) -> Result<u64> {
        Ok(self.reader.size()?.utterances)
    }
}

fn with_rebuild_hint(error: IndexError) -> anyhow::Error {
    match error {
        IndexError::Version { .. } | IndexError::Damaged { .. } => {
            let first_line = error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            anyhow!("{first_line}\nhint: `auricle index rebuild` makes it anew from the store")
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{config, save, transcript};
    use auricle_contracts::Assessment;

    fn known(name: &str) -> KnownCall {
        KnownCall::masked(&transcript(name), &Assessment::default())
    }

    fn judges(data: &tempfile::TempDir) -> Judges {
        Judges::load(&config(data.path())).unwrap()
    }

    /// A folder that is away for a while stands for a full disk: files cannot be written.
    #[tokio::test]
    async fn calls_a_failed_commit_lost_are_indexed_by_the_next_catch_up() {
        let data = tempfile::TempDir::new().unwrap();
        let (folder, away) = (data.path().join("index"), data.path().join("away"));
        let store = Store::open(&data.path().join("auricle.db")).await.unwrap();
        let mut index = CallIndex::open_to_write(&folder, &store).await.unwrap();

        let version = save(&store, "lost").await;
        index.add(&known("lost"), version).unwrap();
        fs::rename(&folder, &away).unwrap();
        index.commit(&store).await.unwrap_err();
        fs::rename(&away, &folder).unwrap();

        let version = save(&store, "next").await;
        index.add(&known("next"), version).unwrap();
        assert_eq!(index.commit(&store).await.unwrap(), 1);
        let missing = store.unindexed(10).await.unwrap();
        assert_eq!(missing, [(CallId("lost".into()), 1)]);

        let caught_up = index.catch_up(&store, &judges(&data), &NEVER_STOP).await;
        assert_eq!(caught_up.unwrap(), 1);
        assert_eq!(store.unindexed(10).await.unwrap(), []);
        let found = CallSearch::open(&folder).unwrap().calls_with("保证收益");
        assert_eq!(found.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn who_stops_does_not_wait_for_the_index_to_catch_up() {
        let data = tempfile::TempDir::new().unwrap();
        let folder = data.path().join("index");
        let store = Store::open(&data.path().join("auricle.db")).await.unwrap();
        let mut index = CallIndex::open_to_write(&folder, &store).await.unwrap();
        save(&store, "a").await;
        let judges = judges(&data);
        let stop = AtomicBool::new(true);
        let stopped = index.catch_up(&store, &judges, &stop).await;
        assert_eq!(stopped.unwrap(), 0);
        assert_eq!(store.unindexed(10).await.unwrap().len(), 1);
        let caught_up = index.catch_up(&store, &judges, &NEVER_STOP).await;
        assert_eq!(caught_up.unwrap(), 1);
    }

    #[tokio::test]
    async fn an_index_is_behind_where_it_lacks_calls_or_is_lost() {
        let data = tempfile::TempDir::new().unwrap();
        let folder = data.path().join("index");
        let store = Store::open(&data.path().join("auricle.db")).await.unwrap();
        let is_behind = async || is_behind(&folder, &store).await.unwrap();
        assert!(!is_behind().await, "there is nothing to find");
        save(&store, "a").await;
        assert!(is_behind().await, "there is no index");
        let mut index = CallIndex::open_to_write(&folder, &store).await.unwrap();
        assert!(is_behind().await, "it lacks a call");
        let caught_up = index.catch_up(&store, &judges(&data), &NEVER_STOP).await;
        assert_eq!(caught_up.unwrap(), 1);
        assert!(!is_behind().await);
        drop(index);
        remove(&folder).unwrap();
        assert!(is_behind().await, "it was lost");
        fs::create_dir(&folder).unwrap();
        assert!(is_behind().await, "and only its folder is back");
    }
}
