//! The writer's side: batches into the store, then into the index.

use anyhow::Result;
use auricle_store::{AssessmentRecord, Store};
use tokio::runtime::Handle;

use super::work::Rescored;
use crate::exit::message_of;
use crate::index::CallIndex;
use crate::known::KnownCall;

/// One transaction for so many calls: each costs a write that waits for the disk.
const CALLS_A_BATCH: usize = 128;

/// Saves assessments and brings the index up to them.
pub(crate) struct Saver<'a> {
    store: &'a Store,
    runtime: &'a Handle,
    index: CallIndex,
    waiting: Vec<AssessmentRecord>,
}

impl<'a> Saver<'a> {
    pub(crate) const fn new(store: &'a Store, runtime: &'a Handle, index: CallIndex) -> Self {
        Self {
            store,
            runtime,
            index,
            waiting: Vec::new(),
        }
    }

    /// Takes one call; a full batch is written at once.
    pub(crate) fn take(&mut self, rescored: &Rescored) -> Result<()> {
        let record = &rescored.record;
        let known = KnownCall::masked(&rescored.transcript, &record.assessment);
        if let Err(error) = self.index.add(&known, record.transcript_version) {
            tracing::warn!(call.id = %record.call_id, "not in the search index: {}", message_of(&error));
        }
        self.waiting.push(record.clone());
        match self.waiting.len() < CALLS_A_BATCH {
            true => Ok(()),
            false => self.write(),
        }
    }

    /// Writes the last batch.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.write()
    }

    /// Store first: the index can be made anew from it.
    fn write(&mut self) -> Result<()> {
        let save = self.store.save_assessments(&self.waiting);
        self.runtime.block_on(save)?;
        self.waiting.clear();
        self.runtime.block_on(self.index.commit(self.store))?;
        Ok(())
    }
}
