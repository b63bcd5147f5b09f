//! Text only: transcripts out of the store, assessments made anew, batches back into it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use auricle_contracts::{CallId, Transcript};
use auricle_report::{Change, Outline};
use auricle_store::{AssessmentRecord, CallRecord, Store};
use crossbeam::channel::{self, Sender};
use crossbeam::queue::SegQueue;
use tokio::runtime::Handle;

use crate::clock;
use crate::exit::message_of;
use crate::judge::Judges;

/// What all workers share.
pub(crate) struct Shared<'a> {
    pub(crate) store: &'a Store,
    pub(crate) runtime: &'a Handle,
    pub(crate) judges: &'a Judges,
    pub(crate) stop: &'a AtomicBool,
}

/// One call, assessed anew.
pub(crate) struct Rescored {
    pub(crate) record: AssessmentRecord,
    pub(crate) transcript: Transcript,
    pub(crate) change: Change,
}

/// A call that could not be assessed, and why.
pub(crate) struct Refused {
    pub(crate) call_id: CallId,
    pub(crate) cause: String,
}

/// For each worker a few results may wait for the writer; more would only fill the memory.
const RESULTS_A_WORKER: usize = 16;

/// Assesses all calls on `n_workers` threads and gives what came of each to `write`. Stops early,
/// between calls, when `shared.stop` is set; gives the number of calls left.
pub(crate) fn rescore_all(
    calls: Vec<CallRecord>,
    n_workers: usize,
    shared: &Shared<'_>,
    mut write: impl FnMut(Result<Rescored, Refused>),
) -> u64 {
    let queue = SegQueue::new();
    for call in calls {
        queue.push(call);
    }
    let (sender, receiver) = channel::bounded(n_workers * RESULTS_A_WORKER);
    thread::scope(|scope| {
        for _ in 0..n_workers {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || work(queue, shared, &sender));
        }
        drop(sender);
        for result in receiver {
            write(result);
        }
    });
    queue.len() as u64
}

fn work(
    queue: &SegQueue<CallRecord>,
    shared: &Shared<'_>,
    done: &Sender<Result<Rescored, Refused>>,
) {
    while !shared.stop.load(Ordering::Relaxed) {
        let Some(call) = queue.pop() else { return };
        let result = rescore(&call, shared).map_err(|error| Refused {
            call_id: call.recording.call_id.clone(),
            cause: message_of(&error),
        });
        if done.send(result).is_err() {
            return;
        }
    }
}

fn rescore(call: &CallRecord, shared: &Shared<'_>) -> Result<Rescored> {
    let call_id = &call.recording.call_id;
    let transcript = shared.runtime.block_on(shared.store.transcript(call_id))?;
    let transcript = transcript.context("the store has lost its transcript")?;
    // What cannot be read any more must not keep the new score out.
    let before = shared.runtime.block_on(shared.store.assessment(call_id));
    let before = before.ok().flatten();
    let assessment = shared.judges.assess(&transcript);
    Ok(Rescored {
        change: Change {
            call_id: call_id.clone(),
            metadata: call.recording.metadata.clone(),
            before: before.map(|record| Outline::of(&record.assessment)),
            after: Outline::of(&assessment),
        },
        record: AssessmentRecord {
            call_id: call_id.clone(),
            transcript_version: call.version,
            rules_fingerprint: shared.judges.print().to_owned(),
            made_at: clock::now_text(),
            assessment,
        },
        transcript,
    })
}
