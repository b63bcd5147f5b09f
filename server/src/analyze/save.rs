//! The writer's side of a run: store, index, JSON files.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, anyhow};
use auricle_contracts::Transcript;
use auricle_store::{CallRecord, Fingerprints, RunId, Store, StoreError};
use tokio::runtime::Handle;

use super::progress::Progress;
use super::report::RunReport;
use super::work::{Job, Outcome};
use crate::atomic::write_atomically;
use crate::clock;
use crate::exit::message_of;
use crate::index::CallIndex;
use crate::terminal::{count, duration_text};

/// Calls are put into the index together: a commit of its own for each would cost more than hearing it.
const CALLS_A_COMMIT: usize = 32;

/// Saves what workers found.
pub(crate) struct Writer<'a> {
    pub(crate) store: &'a Store,
    pub(crate) runtime: &'a Handle,
    pub(crate) index: CallIndex,
    pub(crate) run: RunId,
    pub(crate) progress: &'a Progress,
    pub(crate) stop: &'a AtomicBool,
    pub(crate) report: RunReport,
}

impl Writer<'_> {
    /// Takes one outcome. A failure to save is the recording's failure; a full disk ends the run.
    pub(crate) fn take(&mut self, job: &Job, outcome: Outcome) {
        let name = &job.recording.file;
        let saved = match outcome {
            Outcome::Heard { prints, transcript } => self.save_heard(job, &prints, &transcript),
            Outcome::Same(known) => self.keep(job, &known),
            Outcome::Failed(cause) => self.save_failure(job, &cause).and(Err(anyhow!(cause))),
        };
        match saved {
            Ok(what) => self.progress.finished(name, &what.text, what.left_ms),
            Err(error) => {
                if is_disk_full(&error) {
                    self.stop.store(true, Ordering::Relaxed);
                }
                let cause = message_of(&error);
                let first_line = cause.lines().next().unwrap_or_default();
                self.progress
                    .finished(name, &format!("failed: {first_line}"), job.probed_ms);
                self.report.fail(name, cause);
            }
        }
    }

    /// Puts the last calls into the index and closes the run.
    pub(crate) fn finish(mut self, n_left: u64) -> Result<RunReport> {
        self.report.n_left = n_left;
        self.report.heard_ms = self.progress.heard_ms();
        self.report.elapsed = self.progress.elapsed();
        let (store, index) = (self.store, &mut self.index);
        if let Err(error) = self.runtime.block_on(index.commit(store)) {
            self.progress.note(&format!(
                "the search index lacks some calls: {}\nhint: the next run adds them; `auricle index rebuild` makes it anew",
                message_of(&error)
            ));
        }
        let now = clock::now_text();
        let end = self.store.finish_run(self.run, self.report.counts, &now);
        self.runtime.block_on(end)?;
        Ok(self.report)
    }

    fn save_heard(
        &mut self,
        job: &Job,
        prints: &Fingerprints,
        transcript: &Transcript,
    ) -> Result<Finished> {
        self.save(job, prints, transcript)?;
        self.report.counts.n_done += 1;
        if let Some(path) = &job.json_path {
            write_json(path, transcript).inspect_err(|_| self.report.counts.n_done -= 1)?;
        }
        let (utterances, length) = (
            count(transcript.utterances.len() as u64, "utterance"),
            duration_text(transcript.duration_ms),
        );
        let mut text = format!("{length} of audio, {utterances}");
        for warning in &transcript.warnings {
            text += &format!("; {warning}");
        }
        Ok(Finished { text, left_ms: 0 })
    }

    /// A call that need not be heard: its metadata and its JSON file may still be behind.
    fn keep(&mut self, job: &Job, known: &CallRecord) -> Result<Finished> {
        let call_id = &job.recording.call_id;
        let has_moved = known.recording != job.recording;
        if has_moved || job.json_path.is_some() {
            let transcript = self.runtime.block_on(self.store.transcript(call_id))?;
            let mut transcript = transcript.context("the store has lost its transcript")?;
            if has_moved {
                transcript.metadata = job.recording.metadata.clone();
                transcript.file = job.recording.file.clone();
                self.save(job, &known.fingerprints, &transcript)?;
            }
            if let Some(path) = &job.json_path {
                write_json(path, &transcript)?;
            }
        }
        self.report.counts.n_skipped += 1;
        Ok(Finished {
            text: "unchanged".to_owned(),
            left_ms: job.probed_ms,
        })
    }

    fn save(&mut self, job: &Job, prints: &Fingerprints, transcript: &Transcript) -> Result<()> {
        let now = clock::now_text();
        let save = self
            .store
            .save_done(Some(self.run), &job.recording, prints, transcript, &now);
        let version = self.runtime.block_on(save)?;
        let added = self.index.add(transcript, version).and_then(|()| {
            if self.index.n_waiting() < CALLS_A_COMMIT {
                return Ok(());
            }
            self.runtime
                .block_on(self.index.commit(self.store))
                .map(drop)
        });
        if let Err(error) = added {
            // The call is safe in the store, which knows that the index lacks it.
            tracing::warn!(call.id = %transcript.call_id, "not in the search index: {}", message_of(&error));
        }
        Ok(())
    }

    fn save_failure(&self, job: &Job, cause: &str) -> Result<Finished> {
        let now = clock::now_text();
        let save = self
            .store
            .save_failed(Some(self.run), &job.recording, cause, &now);
        self.runtime.block_on(save)?;
        Ok(Finished {
            text: String::new(),
            left_ms: job.probed_ms,
        })
    }
}

/// What to say of a recording that is finished.
struct Finished {
    text: String,
    /// Sound that counts as done without having been heard.
    left_ms: u64,
}

/// Leaves a file alone that holds the same already.
fn write_json(path: &Path, transcript: &Transcript) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(transcript)?;
    text.push(b'\n');
    if fs::read(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    write_atomically(path, &text)
}

fn is_disk_full(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<StoreError>(),
        Some(StoreError::DiskFull { .. })
    )
}
