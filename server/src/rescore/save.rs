//! The writer's side: batches into the store, then into the index.

use std::sync::atomic::AtomicBool;

use anyhow::{Error, Result};
use auricle_store::{EncodedAssessment, Store, StoreError};
use tokio::runtime::Handle;

use super::Done;
use super::work::{Refused, Rescored};
use crate::disk_full::not_in_index;
use crate::index::CallIndex;
use crate::judge::Judges;

/// One transaction for so many calls: each costs a write that waits for the disk.
const CALLS_A_BATCH: usize = 256;
/// One commit of the index for so many: each makes files, which are merged again later.
const CALLS_A_COMMIT: usize = 4096;

/// Saves assessments and brings the index up to them.
pub(crate) struct Saver<'a> {
    store: &'a Store,
    runtime: &'a Handle,
    index: CallIndex,
    waiting: Vec<Rescored>,
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
    pub(crate) fn take(&mut self, rescored: Rescored, done: &mut Done<'_>) -> Result<()> {
        self.waiting.push(rescored);
        match self.waiting.len() < CALLS_A_BATCH {
            true => Ok(()),
            false => self.write(done),
        }
    }

    /// Writes the last batch, and adds to the index whatever else the store has and it lacks; who stopped the
    /// run does not wait for that.
    pub(crate) fn finish(
        mut self,
        judges: &Judges,
        stop: &AtomicBool,
        done: &mut Done<'_>,
    ) -> Result<()> {
        self.write(done)?;
        self.runtime.block_on(self.index.commit(self.store))?;
        let behind = self.index.catch_up(self.store, judges, stop);
        self.runtime.block_on(behind)?;
        Ok(())
    }

    /// Store first: the index can be made anew from it, and the store knows what the index lacks.
    fn write(&mut self, done: &mut Done<'_>) -> Result<()> {
        let mut batch = std::mem::take(&mut self.waiting);
        let encoded: Vec<&EncodedAssessment> = batch.iter().map(|one| &one.encoded).collect();
        if let Err(error) = self.runtime.block_on(self.store.save_encoded(&encoded)) {
            if !is_of_one_call(&error) {
                return Err(error.into());
            }
            batch = self.save_one_by_one(batch, done)?;
        }
        let mut indexed = Ok(());
        for rescored in batch {
            if let Some(prepared) = rescored.prepared {
                let added = prepared
                    .map_err(Error::msg)
                    .and_then(|call| self.index.add_prepared(call, rescored.transcript_version));
                let added = added.or_else(|error| not_in_index(&rescored.change.call_id, error));
                // What is in the store is changed, whatever becomes of the index.
                indexed = indexed.and(added);
            }
            if let Some(cause) = &rescored.damage {
                done.damaged(cause);
            }
            done.saved(rescored.change);
        }
        indexed?;
        if self.index.n_waiting() >= CALLS_A_COMMIT {
            self.runtime.block_on(self.index.commit(self.store))?;
        }
        Ok(())
    }

    /// One that cannot be saved must not keep the others out. Gives those that were saved.
    fn save_one_by_one(&self, batch: Vec<Rescored>, done: &mut Done<'_>) -> Result<Vec<Rescored>> {
        let mut saved = Vec::new();
        for one in batch {
            let encoded = [&one.encoded];
            let save = self.store.save_encoded(&encoded);
            match self.runtime.block_on(save) {
                Ok(()) => saved.push(one),
                Err(error) if is_of_one_call(&error) => done.refused(&Refused {
                    call_id: one.change.call_id,
                    cause: error.to_string(),
                }),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(saved)
    }
}

/// Whether other calls can be saved all the same: what the database itself lacks ends everything.
const fn is_of_one_call(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Database { .. } | StoreError::NotSaved { .. } | StoreError::Assessment { .. }
    )
}
