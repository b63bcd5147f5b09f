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
use crossbeam::channel::{self, Receiver, Sender};
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
    /// Why what was in force cannot be read: nobody knows any more what changed.
    pub(crate) damage: Option<String>,
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
/// One question to the store for so many calls: each costs as much as reading a call or two.
const CALLS_A_READ: usize = 32;
/// For each worker so many calls may have been read ahead: who judges does not wait for the store. Long ones take some
/// hundred kilobytes each.
const CALLS_AHEAD_A_WORKER: usize = 64;

/// Assesses all calls on `n_workers` threads and gives what came of each to `write`. Stops early,
/// between some calls and the next, when `shared.stop` is set.
pub(crate) fn rescore_all(
    calls: Vec<CallRecord>,
    n_workers: usize,
    shared: &Shared<'_>,
    mut write: impl FnMut(Result<Rescored, Refused>),
) {
    let n_workers = n_workers.min(calls.len()).max(1);
    let (ahead, to_judge) = channel::bounded(n_workers * CALLS_AHEAD_A_WORKER);
    let (sender, receiver) = channel::bounded(n_workers * RESULTS_A_WORKER);
    thread::scope(|scope| {
        for _ in 0..n_workers {
            let (to_judge, sender) = (to_judge.clone(), sender.clone());
            scope.spawn(move || work(&to_judge, shared, &sender));
        }
        drop((sender, to_judge));
        scope.spawn(move || read_ahead(calls, shared, &ahead));
        for result in receiver {
            write(result);
        }
    });
}

/// A call, with what the store has of it.
type Read = (CallRecord, Result<Stored>);

fn read_ahead(calls: Vec<CallRecord>, shared: &Shared<'_>, ahead: &Sender<Read>) {
    let mut calls = calls.into_iter();
    while !shared.stop.load(Ordering::Relaxed) {
        let some: Vec<CallRecord> = calls.by_ref().take(CALLS_A_READ).collect();
        if some.is_empty() {
            return;
        }
        let one_by_one = |_| {
            // Where one row of several cannot be read the others are read without it.
            let alone = some.iter().map(|call| {
                let mut one = read(std::slice::from_ref(call), shared)?;
                one.pop().context("the store gave nothing")
            });
            alone.collect()
        };
        let together = read(&some, shared).map(|all| all.into_iter().map(Ok).collect());
        let stored: Vec<Result<Stored>> = together.unwrap_or_else(one_by_one);
        for read in some.into_iter().zip(stored) {
            if ahead.send(read).is_err() {
                return;
            }
        }
    }
}

fn work(to_judge: &Receiver<Read>, shared: &Shared<'_>, done: &Sender<Result<Rescored, Refused>>) {
    let preparer = Preparer::default();
    for (call, stored) in to_judge {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let result = stored
            .and_then(|stored| guarded(DEFECT, || rescore(&call, &stored, &preparer, shared)));
        let result = result.map_err(|error| Refused {
            call_id: call.recording.call_id.clone(),
            cause: message_of(&error),
        });
        if done.send(result).is_err() {
            return;
        }
    }
}

/// A transcript and what is in force, not decoded yet.
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
    let transcript = transcript.decode(&call.recording.metadata)?;
    let current = current.as_ref();
    let same_text = current.filter(|current| current.transcript_version() == call.version);
    let Judged { print, made } = (shared.judge)(&transcript, same_text);
    let (encoded, assessment, known) = match (made, same_text) {
        (Made::Same(assessment), Some(current)) => {
            let outline = Outline::of(&assessment);
            (current.confirmed(print), assessment, Some(outline))
        }
        (Made::Same(assessment), None) => {
            let (encoded, assessment) = new_version(call, current, assessment, print)?;
            (encoded, assessment, None)
        }
        (Made::New { after, before }, _) => {
            let (encoded, assessment) = new_version(call, current, after, print)?;
            (encoded, assessment, before)
        }
    };
    // What cannot be read any more must not keep the new score out.
    let (before, damage) = match (known, encoded.effect()) {
        (Some(known), _) => (Some(known), None),
        (None, Effect::Findings) => match current.map(StoredAssessment::decode) {
            None => (None, None),
            Some(Ok(before)) => (Some(Outline::of(&before.assessment)), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        },
        (None, _) => (Some(Outline::of(&assessment)), None),
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
        damage,
    })
}

/// Ready to be saved beside what is in force.
fn new_version(
    call: &CallRecord,
    current: Option<&StoredAssessment>,
    assessment: Assessment,
    print: &str,
) -> Result<(EncodedAssessment, Assessment)> {
    let record = AssessmentRecord {
        call_id: call.recording.call_id.clone(),
        transcript_version: call.version,
        rules_fingerprint: print.to_owned(),
        made_at: clock::now_text(),
        assessment,
    };
    Ok((record.encode(current)?, record.assessment))
}
