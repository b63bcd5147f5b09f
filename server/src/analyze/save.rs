//! The writer's side of a run: store, index, JSON files.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Error, Result, anyhow};
use auricle_contracts::{Assessment, Transcript};
use auricle_store::{
    AssessmentRecord, CallRecord, CallState, Fingerprints, Recording, RunId, Store,
};
use tokio::runtime::Handle;

use super::progress::Progress;
use super::report::RunReport;
use super::work::{Finished, Job, Outcome};
use crate::atomic::write_atomically;
use crate::clock;
use crate::disk_full::{is_disk_full, not_in_index};
use crate::exit::message_of;
use crate::index::SharedIndex;
use crate::judge::Judges;
use crate::known::KnownCall;
use crate::terminal::{count, duration_text, printable};

/// Calls are put into the index together: a commit of its own for each would cost more than hearing it.
const CALLS_A_COMMIT: usize = 32;

/// Saves what workers found.
pub(crate) struct Writer<'a> {
    pub(crate) store: &'a Store,
    pub(crate) runtime: &'a Handle,
    pub(crate) index: SharedIndex,
    pub(crate) run: RunId,
    pub(crate) progress: &'a Progress,
    pub(crate) stop: &'a AtomicBool,
    pub(crate) judges: &'a Judges,
    pub(crate) report: RunReport,
}

impl Writer<'_> {
    /// Takes one outcome. A failure to save is the recording's failure; a full disk ends the run.
    pub(crate) fn take(&mut self, finished: Finished) {
        let left_ms = finished.left_ms();
        let Finished {
            job,
            outcome,
            no_copy,
            ..
        } = finished;
        let name = &job.recording.file;
        let saved = match &outcome {
            Outcome::Heard {
                prints,
                transcript,
                assessment,
            } => self.save_heard(&job, prints, transcript, assessment),
            Outcome::Same(known, kept) => self
                .keep(&job, known, &job.recording)
                .map(|()| kept.told(known)),
            Outcome::Imported(known) => self.keep_imported(&job, known),
            Outcome::Failed(cause) => self
                .save_failure(&job, cause)
                .and_then(|()| Err(anyhow!(cause.clone()))),
        };
        // What was heard is saved all the same.
        let saved = saved.and_then(|text| match no_copy {
            Some(cause) => Err(cause.context("no silenced copy")),
            None => Ok(text),
        });
        let text = match saved {
            Ok(text) => {
                self.report.count(&job.recording.call_id, &outcome);
                text
            }
            Err(error) => self.fail(name, &error),
        };
        self.progress.finished(name, &text, left_ms);
    }

    fn fail(&mut self, name: &str, error: &Error) -> String {
        self.stop_if_full(error);
        let cause = message_of(error);
        let first_line = cause.lines().next().unwrap_or_default().to_owned();
        self.report.fail(name, cause);
        format!("failed: {first_line}")
    }

    /// Puts the last calls into the index and closes the run.
    pub(crate) fn finish(mut self, n_left: u64) -> RunReport {
        self.report.n_left = n_left;
        self.report.heard_ms = self.progress.heard_ms();
        self.report.elapsed = self.progress.elapsed();
        let committed = self.runtime.block_on(self.index.lock().commit(self.store));
        if let Err(error) = committed {
            self.stop_if_full(&error);
            self.progress.note(&format!(
                "the search index lacks some calls: {}\nhint: the next run adds them; `auricle index rebuild` makes it anew",
                message_of(&error)
            ));
        }
        let now = clock::now_text();
        let end = self.store.finish_run(self.run, self.report.counts, &now);
        if let Err(error) = self.runtime.block_on(end) {
            // What was heard is saved; only the run's own counts are not.
            tracing::warn!("the end of the run is not noted: {error}");
        }
        self.report
    }

    fn save_heard(
        &mut self,
        job: &Job,
        prints: &Fingerprints,
        transcript: &Transcript,
        assessment: &Assessment,
    ) -> Result<String> {
        let known = self.save(&job.recording, prints, transcript, assessment)?;
        if let Some(path) = &job.json_path {
            write_json(path, &known)?;
        }
        self.progress
            .hits(&job.recording.call_id, &known.assessment.hits);
        let (utterances, length) = (
            count(transcript.utterances.len() as u64, "utterance"),
            duration_text(transcript.duration_ms),
        );
        let mut text = format!("{length} of audio, {utterances}");
        for warning in &known.transcript.warnings {
            text += &format!("; {warning}");
        }
        Ok(text)
    }

    /// A call that was imported keeps its own path; only what is known beside the sound may be new.
    fn keep_imported(&mut self, job: &Job, known: &CallRecord) -> Result<String> {
        let recording = Recording {
            metadata: job.recording.metadata.clone(),
            ..known.recording.clone()
        };
        self.keep(job, known, &recording)?;
        let call_id = printable(&recording.call_id.0);
        let text = format!("`{call_id}` was imported; --force hears it again");
        if self.progress.is_bar() {
            self.progress.note(&text);
        }
        Ok(text)
    }

    /// A call that need not be heard: its metadata and its JSON file may still be behind, and hearing
    /// it may have failed since. What was found in it stays, by whatever rules: `auricle rescore` changes that.
    fn keep(&mut self, job: &Job, known: &CallRecord, recording: &Recording) -> Result<()> {
        let is_behind =
            known.state != CallState::Done || !is_same_recording(&known.recording, recording);
        let rules = self.assessed_with(known)?;
        if rules.is_some() && !is_behind {
            let metadata = &known.recording.metadata;
            if rules.is_some_and(|print| !self.judges.is_in_force(metadata, &print)) {
                self.report.n_by_other_rules += 1;
            }
            return match &job.json_path {
                None => Ok(()),
                Some(path) => self.write_kept(job, path),
            };
        }
        let mut transcript = self.stored_transcript(job)?;
        if is_behind {
            transcript.file = recording.file.clone();
        }
        let assessment = self.judges.assess(&transcript);
        let known = if is_behind {
            self.save(recording, &known.fingerprints, &transcript, &assessment)?
        } else {
            self.save_assessment(&transcript, &assessment, known.version)?
        };
        match &job.json_path {
            None => Ok(()),
            Some(path) => write_json(path, &known),
        }
    }

    /// The JSON file of a call of which nothing is new.
    fn write_kept(&self, job: &Job, path: &Path) -> Result<()> {
        let transcript = self.stored_transcript(job)?;
        let stored = self.store.assessment(&job.recording.call_id);
        let stored = self.runtime.block_on(stored)?;
        let stored = stored.context("the store has lost its assessment")?;
        write_json(path, &KnownCall::masked(&transcript, &stored.assessment))
    }

    /// What is known beside the sound may be newer than what the store has: the recording says it.
    fn stored_transcript(&self, job: &Job) -> Result<Transcript> {
        let read = self.store.transcript(&job.recording.call_id);
        let read = self.runtime.block_on(read)?;
        let mut transcript = read.context("the store has lost its transcript")?;
        transcript.metadata.clone_from(&job.recording.metadata);
        Ok(transcript)
    }

    /// The fingerprint of the rules behind what is in force, if that was made from this transcript.
    fn assessed_with(&self, known: &CallRecord) -> Result<Option<String>> {
        let assessed = self.store.assessed_with(&known.recording.call_id);
        let assessed = self.runtime.block_on(assessed)?;
        let of_this = |(version, print): (i64, String)| (version == known.version).then_some(print);
        Ok(assessed.and_then(of_this))
    }

    /// The transcript, then what was made of it: a stop between the two leaves a call that the next run
    /// assesses.
    fn save(
        &mut self,
        recording: &Recording,
        prints: &Fingerprints,
        transcript: &Transcript,
        assessment: &Assessment,
    ) -> Result<KnownCall> {
        let now = clock::now_text();
        let save = self
            .store
            .save_done(Some(self.run), recording, prints, transcript, &now);
        let version = self.runtime.block_on(save)?;
        self.save_assessment(transcript, assessment, version)
    }

    fn save_assessment(
        &mut self,
        transcript: &Transcript,
        assessment: &Assessment,
        version: i64,
    ) -> Result<KnownCall> {
        let record = AssessmentRecord {
            call_id: transcript.call_id.clone(),
            transcript_version: version,
            rules_fingerprint: self.judges.of(transcript).print.clone(),
            made_at: clock::now_text(),
            assessment: assessment.clone(),
        };
        let save = self.store.save_assessments(std::slice::from_ref(&record));
        self.runtime.block_on(save)?;
        let known = KnownCall::masked(transcript, assessment);
        self.add_to_index(&known, version);
        Ok(known)
    }

    fn add_to_index(&mut self, known: &KnownCall, version: i64) {
        let added = {
            let mut index = self.index.lock();
            index.add(known, version).and_then(|()| {
                if index.n_waiting() < CALLS_A_COMMIT {
                    return Ok(());
                }
                self.runtime.block_on(index.commit(self.store)).map(drop)
            })
        };
        let call_id = &known.transcript.call_id;
        if let Err(error) = added.or_else(|error| not_in_index(call_id, error)) {
            self.stop_if_full(&error);
        }
    }

    fn save_failure(&self, job: &Job, cause: &str) -> Result<()> {
        let now = clock::now_text();
        let save = self
            .store
            .save_failed(Some(self.run), &job.recording, cause, &now);
        Ok(self.runtime.block_on(save)?)
    }

    /// Every further recording would fail in the same way.
    fn stop_if_full(&mut self, error: &Error) {
        if is_disk_full(error) {
            self.stop.store(true, Ordering::Relaxed);
            self.report.is_disk_full = true;
        }
    }
}

/// Whether nothing of a recording changed that the store keeps. How its path was typed does not count.
fn is_same_recording(known: &Recording, now: &Recording) -> bool {
    (&known.path, known.size_bytes, &known.metadata) == (&now.path, now.size_bytes, &now.metadata)
}

/// Leaves a file alone that holds the same already.
fn write_json(path: &Path, known: &KnownCall) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(&known.assessed())?;
    text.push(b'\n');
    if fs::read(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    write_atomically(path, &text)
}
