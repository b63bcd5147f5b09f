//! What came of each call of a run that may be broken off: noted as calls are done, read when it goes on and when it is over.

use std::collections::HashSet;

use anyhow::{Context, Result};
use auricle_contracts::CallId;
use auricle_report::{Change, Changes};
use auricle_store::{JobCall, Store};
use tokio::runtime::Handle;

/// Calls noted at a time: each time is a write that waits for the disk, and that others wait for.
pub(crate) const CALLS_A_PAGE: usize = 16;

/// The calls that a job is done with.
#[derive(Clone, Copy)]
pub(crate) struct Ledger<'a> {
    pub(crate) store: &'a Store,
    pub(crate) job_id: u64,
}

impl<'a> Ledger<'a> {
    /// Calls that are done with.
    pub(crate) fn calls(&self, runtime: &Handle) -> Result<HashSet<CallId>> {
        Ok(runtime.block_on(self.store.job_call_ids(self.job_id))?)
    }

    /// Notes how many calls the run is about.
    pub(crate) fn begin(&self, runtime: &Handle, n_calls: u64) -> Result<()> {
        Ok(runtime.block_on(self.store.set_job_calls(self.job_id, n_calls))?)
    }

    /// What came of all calls so far.
    pub(crate) fn changes(&self, runtime: &Handle) -> Result<Changes> {
        let calls = runtime.block_on(self.store.job_calls(self.job_id))?;
        let mut changes = Changes::default();
        for call in calls {
            changes.add(change(&call)?);
        }
        Ok(changes)
    }

    /// For calls of which nothing else is saved.
    pub(crate) const fn pages(self) -> Pages<'a> {
        Pages {
            ledger: self,
            waiting: Vec::new(),
        }
    }
}

/// Notes calls some at a time.
pub(crate) struct Pages<'a> {
    ledger: Ledger<'a>,
    waiting: Vec<JobCall>,
}

impl Pages<'_> {
    pub(crate) fn add(&mut self, runtime: &Handle, change: &Change) -> Result<()> {
        self.waiting.push(row(change)?);
        match self.waiting.len() < CALLS_A_PAGE {
            true => Ok(()),
            false => self.write(runtime),
        }
    }

    /// Notes the last ones.
    pub(crate) fn finish(mut self, runtime: &Handle) -> Result<()> {
        self.write(runtime)
    }

    fn write(&mut self, runtime: &Handle) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let Ledger { store, job_id } = self.ledger;
        Ok(runtime.block_on(store.note_job_calls(job_id, &waiting))?)
    }
}

/// What is noted of a call.
pub(crate) fn row(change: &Change) -> Result<JobCall> {
    Ok(JobCall {
        call_id: change.call_id.clone(),
        is_changed: change.is_visible(),
        json: serde_json::to_string(change)?,
    })
}

/// What was noted of a call.
pub(crate) fn change(call: &JobCall) -> Result<Change> {
    let change = serde_json::from_str(&call.json);
    change.with_context(|| format!("what came of call `{}` cannot be read", call.call_id))
}
