//! The writer's side: batches into the store, then into the index.

use std::sync::atomic::AtomicBool;

use anyhow::{Error, Result};
use auricle_store::{EncodedAssessment, Store, StoreError};
use tokio::runtime::Handle;

use super::ledger::{CALLS_A_PAGE, Ledger, row};
use super::work::{Refused, Rescored};
use super::{Beside, Done};
use crate::disk_full::not_in_index;
use crate::index::SharedIndex;
use crate::judge::Judges;

/// One transaction for so many calls: each costs a write that waits for the disk.
const CALLS_A_BATCH: usize = 256;
/// One commit of the index for so many: each makes files, which are merged again later.
const CALLS_A_COMMIT: usize = 4096;
/// The same while live calls go on, which wait for a commit when they are saved.
const CALLS_A_COMMIT_BESIDE: usize = 128;

/// Saves assessments and brings the index up to them.
pub(crate) struct Saver<'a> {
    store: &'a Store,
    runtime: &'a Handle,
    index: SharedIndex,
    waiting: Vec<Rescored>,
    /// Where calls are noted in the same step as they are saved.
    ledger: Option<Ledger<'a>>,
    calls_a_batch: usize,
    calls_a_commit: usize,
}

impl<'a> Saver<'a> {
    pub(crate) const fn new(store: &'a Store, runtime: &'a Handle, index: SharedIndex) -> Self {
        Self {
            store,
            runtime,
            index,
            waiting: Vec::new(),
            ledger: None,
            calls_a_batch: CALLS_A_BATCH,
            calls_a_commit: CALLS_A_COMMIT,
        }
    }

    /// In small steps: others write to store and index, too.
    pub(crate) fn beside(store: &'a Store, runtime: &'a Handle, beside: &Beside<'a>) -> Self {
        Self {
            ledger: Some(beside.ledger),
            calls_a_batch: CALLS_A_PAGE,
            calls_a_commit: CALLS_A_COMMIT_BESIDE,
            ..Self::new(store, runtime, beside.index.clone())
        }
    }

    /// Takes one call; a full batch is written at once.
    pub(crate) fn take(&mut self, rescored: Rescored, done: &mut Done<'_>) -> Result<()> {
        self.waiting.push(rescored);
        match self.waiting.len() < self.calls_a_batch {
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
        let mut index = self.index.lock();
        self.runtime.block_on(index.commit(self.store))?;
        let behind = index.catch_up(self.store, judges, stop);
        self.runtime.block_on(behind)?;
        Ok(())
    }

    /// Store first: the index can be made anew from it, and the store knows what the index lacks.
    fn write(&mut self, done: &mut Done<'_>) -> Result<()> {
        let mut batch = std::mem::take(&mut self.waiting);
        if let Err(error) = self.save(&batch)? {
            if !is_of_one_call(&error) {
                return Err(error.into());
            }
            batch = self.save_one_by_one(batch, done)?;
        }
        let mut indexed = Ok(());
        let mut index = self.index.lock();
        for rescored in batch {
            if let Some(prepared) = rescored.prepared {
                let added = prepared
                    .map_err(Error::msg)
                    .and_then(|call| index.add_prepared(call, rescored.transcript_version));
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
        if index.n_waiting() >= self.calls_a_commit {
            self.runtime.block_on(index.commit(self.store))?;
        }
        Ok(())
    }

    /// Within: what the store says.
    fn save(&self, batch: &[Rescored]) -> Result<Result<(), StoreError>> {
        let encoded: Vec<&EncodedAssessment> = batch.iter().map(|one| &one.encoded).collect();
        let Some(ledger) = &self.ledger else {
            return Ok(self.runtime.block_on(self.store.save_encoded(&encoded)));
        };
        let rows = batch.iter().map(|one| row(&one.change));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let save = self.store.save_encoded_for(&encoded, ledger.job_id, &rows);
        Ok(self.runtime.block_on(save))
    }

    /// One that cannot be saved must not keep the others out. Gives those that were saved.
    fn save_one_by_one(&self, batch: Vec<Rescored>, done: &mut Done<'_>) -> Result<Vec<Rescored>> {
        let mut saved = Vec::new();
        for one in batch {
            match self.save(std::slice::from_ref(&one))? {
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
