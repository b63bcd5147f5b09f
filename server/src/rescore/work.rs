//! Text only: transcripts out of the store, assessments made anew, made ready for store and index.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use auricle_contracts::{Assessment, CallId, Transcript};
use auricle_report::{Change, Outline};
use auricle_search::{Prepared, Preparer};
use auricle_store::{
    AssessmentRecord, CallRecord, Effect, EncodedAssessment, Store, StoredAssessment,
    StoredTranscript,
};
use crossbeam::channel::{self, Sender};
use crossbeam::queue::SegQueue;
use tokio::runtime::Handle;

use super::reviser::{Judged, Made};
use crate::clock;
use crate::exit::message_of;
use crate::known::KnownCall;
use crate::panics::guarded;

/// What all workers share.
pub(crate) struct Shared<'a> {
    pub(crate) store: &'a Store,
    pub(crate) runtime: &'a Handle,
    /// Judges a call, from what is in force for its transcript where that helps.
    pub(crate) judge: &'a Judging<'a>,
    pub(crate) stop: &'a AtomicBool,
}

pub(crate) type Judging<'a> =
    dyn Fn(&Transcript, Option<&StoredAssessment>) -> Judged<'a> + Sync + 'a;

/// One call, assessed anew. The writer has nothing left to do with it but to write.
pub(crate) struct Rescored {
    pub(crate) encoded: EncodedAssessment,
    /// For the search index, where what it has is out of date; else why there is none.
    pub(crate) prepared: Option<Result<Prepared, String>>,
    pub(crate) transcript_version: i64,
    pub(crate) change: Change,
}

/// A call that could not be assessed or saved, and why.
pub(crate) struct Refused {
    pub(crate) call_id: CallId,
    pub(crate) cause: String,
}

/// A panic over one call is that call's failure.
const DEFECT: &str =
    "this call makes Auricle fail; please report it, with its transcript if possible";
/// For each worker a few results may wait for the writer; more would only fill the memory.
const RESULTS_A_WORKER: usize = 32;
/// One question to the store for so many calls: each costs as much as reading a call or two. A stop waits
/// for these.
const CALLS_A_READ: usize = 16;

/// Assesses all calls on `n_workers` threads and gives what came of each to `write`. Stops early,
/// between some calls and the next, when `shared.stop` is set.
pub(crate) fn rescore_all(
    calls: Vec<CallRecord>,
    n_workers: usize,
    shared: &Shared<'_>,
    mut write: impl FnMut(Result<Rescored, Refused>),
) {
    let queue = SegQueue::new();
    let mut calls = calls.into_iter();
    loop {
        let some: Vec<CallRecord> = calls.by_ref().take(CALLS_A_READ).collect();
        if some.is_empty() {
            break;
        }
        queue.push(some);
    }
    let n_workers = n_workers.min(queue.len()).max(1);
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
}

fn work(
    queue: &SegQueue<Vec<CallRecord>>,
    shared: &Shared<'_>,
    done: &Sender<Result<Rescored, Refused>>,
) {
    let preparer = Preparer::default();
    while !shared.stop.load(Ordering::Relaxed) {
        let Some(calls) = queue.pop() else { return };
        // Where one row of several cannot be read the others are read without it.
        let together = read(&calls, shared).ok();
        let mut together = together.into_iter().flatten();
        for call in &calls {
            let stored = match together.next() {
                Some(stored) => Ok(stored),
                None => read(std::slice::from_ref(call), shared)
                    .and_then(|mut one| one.pop().context("the store gave nothing")),
            };
            let result = stored
                .and_then(|stored| guarded(DEFECT, || rescore(call, &stored, &preparer, shared)));
            let result = result.map_err(|error| Refused {
                call_id: call.recording.call_id.clone(),
                cause: message_of(&error),
            });
            if done.send(result).is_err() {
                return;
            }
        }
    }
}

/// What the store has of a call, not decoded yet.
type Stored = (Option<StoredTranscript>, Option<StoredAssessment>);

/// One for each call, in their order.
fn read(calls: &[CallRecord], shared: &Shared<'_>) -> Result<Vec<Stored>> {
    let ids: Vec<CallId> = calls
        .iter()
        .map(|call| call.recording.call_id.clone())
        .collect();
    let store = shared.store;
    let (mut transcripts, mut assessments) = shared.runtime.block_on(async {
        let transcripts = store.stored_transcripts(&ids).await?;
        anyhow::Ok((transcripts, store.stored_assessments(&ids).await?))
    })?;
    let of = |call_id| (transcripts.remove(call_id), assessments.remove(call_id));
    Ok(ids.iter().map(of).collect())
}

fn rescore(
    call: &CallRecord,
    (transcript, current): &Stored,
    preparer: &Preparer,
    shared: &Shared<'_>,
) -> Result<Rescored> {
    let call_id = &call.recording.call_id;
    let transcript = transcript.as_ref();
    let transcript = transcript.context("the store has lost its transcript")?;
    let mut transcript = transcript.decode()?;
    // What is known of the call may be newer than its transcript.
    transcript.metadata.clone_from(&call.recording.metadata);
    let current = current.as_ref();
    let same_text = current.filter(|current| current.transcript_version() == call.version);
    let Judged { print, made } = (shared.judge)(&transcript, same_text);
    let (encoded, before, assessment) = match (made, same_text) {
        (Made::Same(assessment), Some(current)) => {
            let outline = Outline::of(&assessment);
            (current.confirmed(print), Some(outline), assessment)
        }
        (Made::Same(assessment), None) => new_version(call, current, (assessment, None), print)?,
        (Made::New { after, before }, _) => new_version(call, current, (after, before), print)?,
    };
    let is_found = call.is_indexed && encoded.effect() != Effect::Findings;
    let prepared = (!is_found).then(|| {
        let known = KnownCall::masked(&transcript, &assessment);
        let prepared = preparer.prepare(&known.transcript, &known.assessment);
        prepared.map_err(|error| error.to_string())
    });
    Ok(Rescored {
        change: Change {
            call_id: call_id.clone(),
            metadata: call.recording.metadata.clone(),
            before,
            after: Outline::of(&assessment),
        },
        encoded,
        prepared,
        transcript_version: call.version,
    })
}

/// Ready to be saved beside what is in force, with what that was.
fn new_version(
    call: &CallRecord,
    current: Option<&StoredAssessment>,
    (assessment, before): (Assessment, Option<Outline>),
    print: &str,
) -> Result<(EncodedAssessment, Option<Outline>, Assessment)> {
    let record = AssessmentRecord {
        call_id: call.recording.call_id.clone(),
        transcript_version: call.version,
        rules_fingerprint: print.to_owned(),
        made_at: clock::now_text(),
        assessment,
    };
    let encoded = record.encode(current)?;
    let before = match encoded.effect() {
        // What cannot be read any more must not keep the new score out.
        Effect::Findings => before.or_else(|| {
            let decoded = current.and_then(|current| current.decode().ok());
            decoded.map(|before| Outline::of(&before.assessment))
        }),
        _ => Some(Outline::of(&record.assessment)),
    };
    Ok((encoded, before, record.assessment))
}
