//! Calls that ended: assessed as their recordings would be, saved, put into the index, told.

use std::sync::Arc;

use anyhow::Result;
use auricle_contracts::{Assessment, CallEnded, Happening, Transcript};
use auricle_live::EndedCall;
use auricle_store::{AssessmentRecord, Fingerprints, Recording, Store};
use tokio::runtime::Handle;

use super::calls::{Calls, Recorded};
use super::hub::EventHub;
use crate::clock;
use crate::disk_full::not_in_index;
use crate::exit::message_of;
use crate::index::SharedIndex;
use crate::judge::Judges;
use crate::known::KnownCall;

/// Writes calls into the data folder, beside jobs.
pub(crate) struct Keeper {
    pub(crate) store: Arc<Store>,
    pub(crate) runtime: Handle,
    pub(crate) index: SharedIndex,
    pub(crate) judges: Arc<Judges>,
    pub(crate) hub: Arc<EventHub>,
    pub(crate) calls: Arc<Calls>,
    /// Calls that could not be saved.
    pub(crate) n_failed: u64,
}

impl Keeper {
    /// Saves a call and tells that it ended. What cannot be saved is told, too.
    pub(crate) fn keep(&mut self, call: EndedCall, recorded: &Recorded) {
        let EndedCall {
            new,
            mut transcript,
            counts,
            ..
        } = call;
        let lost: u64 = counts.iter().map(|leg| leg.lost).sum();
        let received: u64 = counts.iter().map(|leg| leg.received).sum();
        if lost > 0 {
            let percent = 100.0 * lost as f64 / (lost + received) as f64;
            transcript.warnings.push(format!(
                "{percent:.1} % of the audio never came: silence stands in its place"
            ));
        }
        match recorded {
            Recorded::Before { warning, .. } => transcript.warnings.push(warning.clone()),
            Recorded::Failed(cause) => transcript.warnings.push(format!("not recorded: {cause}")),
            Recorded::HeardInPart => return self.calls.saved(&new.id),
            Recorded::No | Recorded::Here(_) => {}
        }
        transcript.file = format!("live:{}", new.source);
        let assessment = self.judges.assess(&transcript);
        let saved = self.save(&transcript, &assessment, recorded);
        if let Err(error) = saved.and_then(|()| self.settle(recorded)) {
            self.n_failed += 1;
            let cause = message_of(&error);
            tracing::error!(call.id = %transcript.call_id, "a call cannot be saved: {cause}");
            transcript.warnings.push(format!("not saved: {cause}"));
        }
        self.calls.saved(&new.id);
        let card = assessment.scorecard.as_ref();
        let ended = CallEnded {
            duration_ms: transcript.duration_ms,
            n_utterances: transcript.utterances.len(),
            n_hits: assessment.hits.len(),
            score: card.map(|card| card.total),
            passed: card.map(|card| card.passed),
            warnings: transcript.warnings,
        };
        let ended = Happening::CallEnded(Box::new(ended));
        self.hub.tell(new.id, new.metadata.agent, ended);
    }

    /// The next start need not hear the call again.
    fn settle(&self, recorded: &Recorded) -> Result<()> {
        match self.calls.recordings() {
            Some(recordings) => recordings.settle(recorded),
            None => Ok(()),
        }
    }

    fn save(
        &mut self,
        transcript: &Transcript,
        assessment: &Assessment,
        recorded: &Recorded,
    ) -> Result<()> {
        let path = match recorded {
            Recorded::Here(name) | Recorded::Before { name, .. } => name.to_string(),
            Recorded::No | Recorded::HeardInPart | Recorded::Failed(_) => transcript.file.clone(),
        };
        let recording = Recording {
            call_id: transcript.call_id.clone(),
            file: transcript.file.clone(),
            path,
            size_bytes: 0,
            metadata: transcript.metadata.clone(),
        };
        let now = clock::now_text();
        let prints = Fingerprints::default();
        let save = self
            .store
            .save_done(None, &recording, &prints, transcript, &now);
        let version = self.runtime.block_on(save)?;
        let record = AssessmentRecord {
            call_id: transcript.call_id.clone(),
            transcript_version: version,
            rules_fingerprint: self.judges.of(transcript).print.clone(),
            made_at: now,
            assessment: assessment.clone(),
        };
        let save = self.store.save_assessments(std::slice::from_ref(&record));
        self.runtime.block_on(save)?;
        let known = KnownCall::masked(transcript, assessment);
        let mut index = self.index.lock();
        let added = index.add(&known, version).and_then(|()| {
            let commit = index.commit(&self.store);
            self.runtime.block_on(commit).map(drop)
        });
        // The store knows what the index lacks: the next start adds it.
        added.or_else(|error| not_in_index(&transcript.call_id, error))
    }
}
