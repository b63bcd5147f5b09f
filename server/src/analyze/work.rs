//! The run itself: workers hear, one writer saves.
//!
//! ```text
//! jobs ─ SegQueue ─▶ worker … worker ─ bounded channel ─▶ writer ─▶ store, index, JSON files
//! ```
//! Workers are plain threads, each with one recording at a time. The writer is the caller's thread:
//! store, index and files have one writer, so nothing there needs a lock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Error, Result, anyhow};
use auricle_contracts::{Assessment, Transcript};
use auricle_models::registry::sha256_of_file;
use auricle_speech::SpeechModel;
use auricle_store::{CallRecord, Fingerprints, Recording, Store};
use crossbeam::channel::{self, Sender};
use crossbeam::queue::SegQueue;
use tokio::runtime::Handle;

use super::channels::ChannelMap;
use super::hear::hear;
use super::progress::{Progress, Told};
use crate::exit::message_of;
use crate::judge::Judges;
use crate::panics::guarded;
use crate::redact::keep_copy;

/// A defect in a decoder must not end a night's run: the recording fails, the others go on.
const DEFECT: &str =
    "this recording makes Auricle fail; please report it, with the recording if possible";

/// One recording to be heard.
pub(crate) struct Job {
    /// What is opened. The recording's own path is text, which not every path is.
    pub(crate) file: PathBuf,
    pub(crate) recording: Recording,
    /// What hears it, or why nothing does.
    pub(crate) model: Result<Arc<SpeechModel>, String>,
    /// Where its JSON goes, if anywhere.
    pub(crate) json_path: Option<PathBuf>,
    /// Length by its header, for the time left; 0 where that is not known.
    pub(crate) probed_ms: u64,
}

/// Whether a call that is done is heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// When audio, model or settings changed.
    WhenChanged,
    /// Always.
    Always,
}

/// What all workers share.
pub(crate) struct Shared<'a> {
    pub(crate) store: &'a Store,
    pub(crate) runtime: &'a Handle,
    pub(crate) progress: &'a Progress,
    pub(crate) stop: &'a AtomicBool,
    pub(crate) channels: ChannelMap,
    pub(crate) settings_print: &'a str,
    pub(crate) again: Again,
    pub(crate) judges: &'a Judges,
    /// Where silenced copies go, if anywhere.
    pub(crate) redacted: Option<&'a Path>,
}

/// A job that is over.
pub(crate) struct Finished {
    pub(crate) job: Job,
    pub(crate) outcome: Outcome,
    /// Why the silenced copy that was asked for is not there.
    pub(crate) no_copy: Option<Error>,
    /// Sound of it that counts as heard already, milliseconds.
    pub(crate) heard_ms: u64,
}

impl Finished {
    /// Sound that counts as done without having been heard.
    pub(crate) const fn left_ms(&self) -> u64 {
        self.job.probed_ms.saturating_sub(self.heard_ms)
    }
}

/// What a worker found.
pub(crate) enum Outcome {
    /// A new transcript.
    Heard {
        prints: Fingerprints,
        transcript: Box<Transcript>,
        assessment: Box<Assessment>,
    },
    /// The store has what hearing it again would give.
    Same(Box<CallRecord>, Kept),
    /// Its transcript was imported, perhaps corrected by hand: hearing would lose that.
    Imported(Box<CallRecord>),
    /// It could not be heard.
    Failed(String),
}

/// Hears all jobs on `n_workers` threads and gives what came of each to `write`, in the order they
/// end. Stops early, between recordings, when `shared.stop` is set; gives the number of jobs left.
pub(crate) fn run_jobs(
    jobs: Vec<Job>,
    n_workers: usize,
    shared: &Shared<'_>,
    mut write: impl FnMut(Finished),
) -> u64 {
    let queue = SegQueue::new();
    for job in jobs {
        queue.push(job);
    }
    // One place for each worker: a slow disk holds the workers back instead of filling the memory.
    let (sender, receiver) = channel::bounded(n_workers);
    thread::scope(|scope| {
        for _ in 0..n_workers {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || work(queue, shared, sender));
        }
        drop(sender);
        for finished in receiver {
            write(finished);
        }
    });
    queue.len() as u64
}

fn work(queue: &SegQueue<Job>, shared: &Shared<'_>, done: Sender<Finished>) {
    while !shared.stop.load(Ordering::Relaxed) {
        let Some(job) = queue.pop() else { return };
        let told = Told::new(shared.progress);
        let outcome = outcome_of(&job, shared, &told);
        let copied = shared
            .redacted
            .map(|folder| guarded(DEFECT, || copy(&job, &outcome, folder, shared)));
        let no_copy = copied.and_then(Result::err);
        let finished = Finished {
            heard_ms: told.ms(),
            job,
            outcome,
            no_copy,
        };
        if done.send(finished).is_err() {
            return;
        }
    }
}

fn outcome_of(job: &Job, shared: &Shared<'_>, told: &Told<'_>) -> Outcome {
    let outcome = guarded(DEFECT, || try_job(job, shared, told));
    outcome.unwrap_or_else(|error| Outcome::Failed(message_of(&error)))
}

/// Sees to the silenced copy. What was heard before, or elsewhere, is not heard again for it.
fn copy(job: &Job, outcome: &Outcome, folder: &Path, shared: &Shared<'_>) -> Result<()> {
    let (known, audio_sha256) = match outcome {
        Outcome::Heard {
            prints,
            transcript,
            assessment,
        } => {
            let audio = &prints.audio_sha256;
            return keep_copy(folder, &job.file, audio, transcript, assessment);
        }
        Outcome::Same(known, _) => (known, known.fingerprints.audio_sha256.clone()),
        Outcome::Imported(known) => {
            let audio = sha256_of_file(&job.file);
            (
                known,
                audio.with_context(|| format!("cannot read `{}`", job.recording.file))?,
            )
        }
        Outcome::Failed(_) => return Ok(()),
    };
    let (store, call_id) = (shared.store, &known.recording.call_id);
    let transcript = shared.runtime.block_on(store.transcript(call_id))?;
    let transcript = transcript.context("the store has lost its transcript")?;
    // What is in force, by whatever rules: that is what readers of the copy hold it against. One that cannot be
    // read any more is made anew.
    let stored = shared.runtime.block_on(store.assessment(call_id)).ok();
    let in_force = stored
        .flatten()
        .filter(|stored| stored.transcript_version == known.version);
    let assessment = match in_force {
        Some(stored) => stored.assessment,
        None => shared.judges.assess(&transcript),
    };
    keep_copy(folder, &job.file, &audio_sha256, &transcript, &assessment)
}

fn try_job(job: &Job, shared: &Shared<'_>, told: &Told<'_>) -> Result<Outcome> {
    let known = match shared.again {
        Again::WhenChanged => {
            let call = shared.store.call(&job.recording.call_id);
            shared.runtime.block_on(call)?
        }
        Again::Always => None,
    };
    // Before all that hearing needs: that may be missing where calls are only imported.
    if let Some(imported) = known.as_ref().filter(|known| known.is_imported()) {
        return Ok(Outcome::Imported(Box::new(imported.clone())));
    }
    let model = job.model.as_ref().map_err(|cause| anyhow!(cause.clone()))?;
    let prints = fingerprints(job, model, shared.settings_print)?;
    if let Some(known) = known
        && let Some(kept) = Kept::of(&known, &prints, model)
    {
        return Ok(Outcome::Same(Box::new(known), kept));
    }
    let transcript = hear(&job.file, &job.recording, model, shared.channels, told)?;
    let assessment = shared.judges.assess(&transcript);
    Ok(Outcome::Heard {
        prints,
        transcript: Box::new(transcript),
        assessment: Box::new(assessment),
    })
}

pub(crate) fn fingerprints(
    job: &Job,
    model: &SpeechModel,
    settings_print: &str,
) -> Result<Fingerprints> {
    let audio_sha256 = sha256_of_file(&job.file)
        .with_context(|| format!("cannot read `{}`", job.recording.file))?;
    Ok(Fingerprints {
        audio_sha256,
        model: model.fingerprint().to_owned(),
        settings: settings_print.to_owned(),
    })
}

/// Why a call is not heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It has a transcript of just this.
    Unchanged,
    /// It has one of this sound by a better model than the one that stands in for it today.
    HeardBetter,
}

impl Kept {
    /// Whether and why. It does not matter whether hearing it failed since then.
    pub(crate) fn of(
        known: &CallRecord,
        prints: &Fingerprints,
        model: &SpeechModel,
    ) -> Option<Self> {
        let before = &known.fingerprints;
        let by_better = || {
            let engine = known.engine.as_deref();
            before.audio_sha256 == prints.audio_sha256
                && engine.is_some_and(|engine| model.must_not_replace(engine))
        };
        match known.has_transcript() {
            true if before == prints => Some(Self::Unchanged),
            true => by_better().then_some(Self::HeardBetter),
            false => None,
        }
    }

    /// For people.
    pub(crate) fn told(self, known: &CallRecord) -> String {
        match (self, &known.engine) {
            (Self::HeardBetter, Some(engine)) => {
                format!("kept as {engine} heard it")
            }
            _ => "unchanged".to_owned(),
        }
    }
}
