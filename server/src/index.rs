//! The search index beside the store: what was saved last is what is found.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use auricle_contracts::{CallId, Transcript};
use auricle_search::{
    FacetMode, IndexError, IndexOptions, SearchError, SearchRequest, SearchResults,
    TranscriptIndex, TranscriptReader,
};
use auricle_store::{Store, StoreError};

use crate::exit::{message_of, usage};

/// Calls given to the index before a commit, when many are added.
const CALLS_A_COMMIT: u64 = 500;
/// The most calls of one page that the index gives.
const PAGE_CALLS: usize = 1000;

/// The index, open to write.
pub(crate) struct CallIndex {
    index: TranscriptIndex,
    /// Added and not committed.
    waiting: Vec<(CallId, i64)>,
}

impl CallIndex {
    /// Opens the index, or makes one where there is none.
    pub(crate) fn open_to_write(folder: &Path) -> Result<Self> {
        let index = TranscriptIndex::open_or_create(folder, IndexOptions::default());
        let index = index.map_err(with_rebuild_hint)?;
        Ok(Self {
            index,
            waiting: Vec::new(),
        })
    }

    /// Adds a call in this version; it is found after [`Self::commit`].
    pub(crate) fn add(&mut self, transcript: &Transcript, version: i64) -> Result<()> {
        let added = self.index.add(transcript)?;
        for warning in added.warnings {
            tracing::warn!(call.id = %transcript.call_id, "{warning}");
        }
        self.waiting.push((transcript.call_id.clone(), version));
        Ok(())
    }

    /// Calls added since the last commit.
    pub(crate) fn n_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Makes what was added last, then tells the store. A stop between the two only means that these
    /// calls are added once more.
    pub(crate) async fn commit(&mut self, store: &Store) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.index.commit()?;
        store
            .mark_indexed(&std::mem::take(&mut self.waiting))
            .await?;
        Ok(())
    }

    /// Adds what the store has and the index lacks; gives the number of calls.
    pub(crate) async fn catch_up(&mut self, store: &Store) -> Result<u64> {
        let mut n_added = 0;
        let mut refused = BTreeSet::new();
        loop {
            let limit = CALLS_A_COMMIT + refused.len() as u64;
            let missing = store.unindexed(limit).await?;
            let missing = missing
                .into_iter()
                .filter(|(call_id, _)| !refused.contains(call_id));
            let missing = missing.collect::<Vec<_>>();
            if missing.is_empty() {
                return Ok(n_added);
            }
            for (call_id, version) in missing {
                let added = match store.transcript(&call_id).await {
                    Ok(Some(transcript)) => self.add(&transcript, version),
                    Ok(None) => Err(anyhow!("the store has lost its transcript")),
                    // One call that cannot be read must not keep the others out.
                    Err(error @ StoreError::Damaged { .. }) => Err(error.into()),
                    Err(error) => return Err(error.into()),
                };
                match added {
                    Ok(()) => n_added += 1,
                    Err(error) => {
                        let cause = message_of(&error);
                        tracing::warn!(call.id = %call_id, "not in the search index: {cause}");
                        refused.insert(call_id);
                    }
                }
            }
            self.commit(store).await?;
        }
    }

    /// The number of its utterances.
    pub(crate) fn n_utterances(&self) -> Result<u64> {
        Ok(self.index.reader().size()?.utterances)
    }
}

/// Takes the index away. The store still has everything that was in it.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(cause).with_context(|| format!("cannot remove the index `{}`", folder.display()))
        }
        _ => Ok(()),
    }
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
