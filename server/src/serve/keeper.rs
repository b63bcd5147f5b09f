//! Calls that ended: assessed as their recordings would be, saved, put into the index, told.

use std::sync::Arc;

use anyhow::Result;
use auricle_contracts::{Assessment, CallEnded, Happening, LegAudio, Transcript};
use auricle_live::{EndedCall, LegCounts, NewLeg};
use auricle_store::{AssessmentRecord, Fingerprints, Recording, Store};
use tokio::runtime::Handle;

use super::calls::{CallOver, Calls, Recorded};
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
    pub(crate) hub: Arc<EventHub>,
    pub(crate) calls: Arc<Calls>,
    /// Calls that could not be saved.
    pub(crate) n_failed: u64,
}

impl Keeper {
    /// Saves a call and tells that it ended. What cannot be saved is told, too.
    pub(crate) fn keep(&mut self, call: EndedCall, over: &CallOver) {
        let (recorded, judges) = (&over.recorded, &*over.by.judges);
        let EndedCall {
            new,
            mut transcript,
            counts,
            ..
        } = call;
        let legs: Vec<LegAudio> = new.legs.iter().zip(&counts).map(leg_audio).collect();
        let lost_ms: u64 = legs.iter().map(|leg| leg.lost_ms).sum();
        if lost_ms > 0 {
            let expected_ms: u64 = legs.iter().map(|leg| leg.expected_ms).sum();
            let percent = 100.0 * lost_ms as f64 / expected_ms as f64;
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
        let assessment = judges.assess(&transcript);
        let saved = self.save(&transcript, &assessment, (judges, &legs), recorded);
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
        (judges, legs): (&Judges, &[LegAudio]),
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
            legs: legs.to_vec(),
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
            rules_fingerprint: judges.of(transcript).print.clone(),
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

fn leg_audio((leg, counts): (&NewLeg, &LegCounts)) -> LegAudio {
    let ms = |n_samples: u64| n_samples * 1000 / u64::from(leg.rate_hz).max(1);
    let in_time = counts.received.saturating_sub(counts.late);
    LegAudio {
        party: leg.party,
        rate_hz: leg.rate_hz,
        expected_ms: ms(in_time + counts.lost),
        received_ms: ms(in_time.saturating_sub(counts.filled)),
        lost_ms: ms(counts.lost),
        filled_ms: ms(counts.filled),
        late_ms: ms(counts.late),
        clock_jumps: counts.jumps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle_contracts::Party;

    #[test]
    fn what_was_expected_came_or_was_lost_or_filled() {
        let leg = NewLeg {
            party: Party::Agent,
            rate_hz: 8_000,
        };
        let counts = LegCounts {
            received: 80_000,
            lost: 8_000,
            late: 1_600,
            filled: 4_000,
            jumps: 1,
        };
        let told = leg_audio((&leg, &counts));
        assert_eq!(
            (
                told.expected_ms,
                told.received_ms,
                told.lost_ms,
                told.filled_ms,
                told.late_ms
            ),
            (10_800, 9_300, 1_000, 500, 200)
        );
        assert_eq!(told.clock_jumps, 1);
    }
}
