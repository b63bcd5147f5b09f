//! Calls that ended: assessed as their recordings would be, saved, put into the index, told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use auricle_contracts::{Assessment, CallEnded, CallId, Happening, LegAudio, Transcript};
use auricle_insight::Hearing;
use auricle_live::{EndedCall, LegCounts, NewLeg};
use auricle_store::{Recording, Store};
use tokio::runtime::Handle;

use super::calls::{CallOver, Calls, Recorded};
use super::digits::{Heard, masked};
use super::hub::EventHub;
use crate::clock;
use crate::disk_full::{may_pass, not_in_index};
use crate::exit::message_of;
use crate::index::SharedIndex;
use crate::known::KnownCall;
use crate::terminal::{count, say};

/// Calls that wait for room on the disk. What is beyond that is heard again from its recording, at the next start.
const MOST_UNSAVED: usize = 1_024;
/// How long the end of the program waits for the last `call_ended` to be written. Without it the next start tells it again.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// Between looks whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Writes calls into the data folder, beside jobs. What the disk has no room for waits, and is tried again.
pub(crate) struct Keeper {
    store: Arc<Store>,
    runtime: Handle,
    index: SharedIndex,
    hub: Arc<EventHub>,
    calls: Arc<Calls>,
    unsaved: VecDeque<Kept>,
    /// Recordings of calls that are saved, and the event that says that they ended. Until it is written the next start would
    /// have to tell it.
    to_settle: VecDeque<(u64, Recorded)>,
    /// Calls that could not be saved.
    n_failed: u64,
}

/// A call that is over, as it is to be saved.
struct Kept {
    transcript: Transcript,
    assessment: Assessment,
    legs: Vec<LegAudio>,
    over: CallOver,
    /// The event that says that it ended.
    told: u64,
}

impl Keeper {
    pub(crate) fn new(
        store: Arc<Store>,
        runtime: Handle,
        index: SharedIndex,
        hub: Arc<EventHub>,
        calls: Arc<Calls>,
    ) -> Self {
        Self {
            store,
            runtime,
            index,
            hub,
            calls,
            unsaved: VecDeque::new(),
            to_settle: VecDeque::new(),
            n_failed: 0,
        }
    }

    /// Saves a call and tells that it ended. What cannot be saved is told, too.
    pub(crate) fn keep(&mut self, call: EndedCall, mut over: CallOver) {
        let EndedCall {
            new,
            mut transcript,
            counts,
            ..
        } = call;
        let legs: Vec<LegAudio> = new.legs.iter().zip(&counts).map(leg_audio).collect();
        transcript.warnings.extend(lost_audio(&legs));
        transcript.warnings.extend(over.cut_off.clone());
        transcript.warnings.extend(over.warnings.iter().cloned());
        match &over.recorded {
            Recorded::Before { warning, .. } => transcript.warnings.push(warning.clone()),
            Recorded::Failed(cause) => transcript.warnings.push(format!("not recorded: {cause}")),
            Recorded::HeardInPart(name) => {
                if let Some(recordings) = self.calls.recordings() {
                    recordings.heard_in_part(name);
                }
                return self.calls.saved(&new.id);
            }
            Recorded::No | Recorded::Here(_) => {}
        }
        transcript.warnings.extend(missing_legs(&legs));
        transcript.file = format!("live:{}", new.source);
        let assessment = over.by.judges.assess(&transcript);
        self.mask_keys(&mut over, &transcript, &assessment, &legs);
        let mut call = Kept {
            assessment,
            transcript,
            legs,
            over,
            told: 0,
        };
        let mut ended = call_ended(&call.transcript, &call.assessment);
        let saved = self.save(&call);
        let waits = saved.as_ref().is_err_and(may_pass) && self.unsaved.len() < MOST_UNSAVED;
        let is_saved = saved.is_ok();
        match saved {
            Err(error) if waits => {
                let cause = message_of(&error);
                tracing::error!(call.id = %new.id, "a call is not saved yet: {cause}");
                ended.warnings.push(format!("not saved yet: {cause}"));
            }
            saved => {
                if let Err(error) = saved {
                    let cause = self.failed(&new.id, &error);
                    ended.warnings.push(format!("not saved: {cause}"));
                }
                self.calls.saved(&new.id);
            }
        }
        let ended = Happening::CallEnded(Box::new(ended));
        call.told = self.hub.tell(new.id, new.metadata.agent, ended);
        if waits {
            self.unsaved.push_back(call);
        } else if is_saved {
            self.to_settle.push_back((call.told, call.over.recorded));
        }
    }

    /// Hides keys that were pressed where rules say so: what is saved, now or later, has them no more.
    fn mask_keys(
        &self,
        over: &mut CallOver,
        transcript: &Transcript,
        assessment: &Assessment,
        legs: &[LegAudio],
    ) {
        let rules = &self.calls.digits().mask_by_rules;
        let looked_for = &over.by.judges.of(transcript).judge.rules;
        let is_looked_for = rules.iter().any(|rule| looked_for.has(rule));
        let heard = match is_looked_for && is_understood(transcript, legs) {
            true => Heard::Hits(&assessment.hits),
            false => Heard::Nothing,
        };
        let keys = std::mem::take(&mut over.keys_pressed);
        over.keys_pressed = masked(keys, rules, heard);
    }

    /// Saves what there was no room for, as far as there is now, and settles what is saved and told.
    pub(crate) fn try_again(&mut self) {
        self.settle();
        while let Some(call) = self.unsaved.pop_front() {
            let id = &call.transcript.call_id;
            match self.save(&call) {
                Ok(()) => {
                    tracing::info!(call.id = %id, "the call is saved now");
                    let recorded = call.over.recorded.clone();
                    self.to_settle.push_back((call.told, recorded));
                }
                Err(error) if may_pass(&error) => {
                    tracing::debug!(call.id = %id, "still not saved: {}", message_of(&error));
                    return self.unsaved.push_front(call);
                }
                Err(error) => drop(self.failed(id, &error)),
            }
            self.calls.saved(id);
        }
    }

    /// Tries for the last time; gives the number of calls that are not saved.
    pub(crate) fn end(mut self) -> u64 {
        self.try_again();
        let until = Instant::now() + TOLD_WITHIN;
        while !self.to_settle.is_empty() && Instant::now() < until {
            std::thread::sleep(LOOK_EVERY);
            self.settle();
        }
        let n_unsaved = self.n_failed + self.unsaved.len() as u64;
        if n_unsaved > 0 {
            say!(
                "warning: {} not saved\nhint: free some space on the disk; the next start hears those that were recorded again",
                count(n_unsaved, "call")
            );
        }
        n_unsaved
    }

    fn failed(&mut self, id: &CallId, error: &Error) -> String {
        self.n_failed += 1;
        let cause = message_of(error);
        tracing::error!(call.id = %id, "a call cannot be saved: {cause}");
        cause
    }

    /// The next start need not look at calls that are saved and told.
    fn settle(&mut self) {
        while let Some((told, recorded)) = self.to_settle.front()
            && self.hub.is_written(*told)
        {
            if let Some(recordings) = self.calls.recordings()
                && let Err(error) = recordings.settle(recorded)
            {
                let cause = message_of(&error);
                tracing::error!("the recording of a call that is saved stays open: {cause}");
            }
            self.to_settle.pop_front();
        }
    }

    fn save(&self, call: &Kept) -> Result<()> {
        let Kept {
            transcript,
            assessment,
            legs,
            over,
            ..
        } = call;
        let path = match &over.recorded {
            Recorded::Here(name) | Recorded::Before { name, .. } => name.to_string(),
            Recorded::No | Recorded::HeardInPart(_) | Recorded::Failed(_) => {
                transcript.file.clone()
            }
        };
        let recording = Recording {
            call_id: transcript.call_id.clone(),
            file: transcript.file.clone(),
            path,
            size_bytes: 0,
            legs: legs.clone(),
            lines: over.lines.clone(),
            keys_pressed: over.keys_pressed.clone(),
            metadata: transcript.metadata.clone(),
        };
        let now = clock::now_text();
        let made = (assessment, &*over.by.judges.of(transcript).print);
        let save = self.store.save_assessed(&recording, transcript, made, &now);
        let version = self.runtime.block_on(save)?;
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

/// Whether rules could know what was said: something was heard, in a language that the recogniser knows, and of all parties.
fn is_understood(transcript: &Transcript, legs: &[LegAudio]) -> bool {
    let said = &transcript.utterances;
    let is_poor = Hearing::of(&transcript.engine, said).is_poor();
    !said.is_empty() && !is_poor && missing_legs(legs).next().is_none()
}

/// What is told of a call that is over.
pub(crate) fn call_ended(transcript: &Transcript, assessment: &Assessment) -> CallEnded {
    let card = assessment.scorecard.as_ref();
    CallEnded {
        duration_ms: transcript.duration_ms,
        n_utterances: transcript.utterances.len(),
        n_hits: assessment.hits.len(),
        score: card.map(|card| card.total),
        passed: card.map(|card| card.passed),
        warnings: transcript.warnings.clone(),
    }
}

/// What is said of audio that never came.
fn lost_audio(legs: &[LegAudio]) -> Option<String> {
    let lost_ms: u64 = legs.iter().map(|leg| leg.lost_ms).sum();
    let expected_ms: u64 = legs.iter().map(|leg| leg.expected_ms).sum();
    (lost_ms > 0).then(|| {
        let percent = 100.0 * lost_ms as f64 / expected_ms as f64;
        format!("{percent:.1} % of the audio never came: silence stands in its place")
    })
}

/// What is said of the parties of a call whose audio did not come at all.
fn missing_legs(legs: &[LegAudio]) -> impl Iterator<Item = String> {
    let is_of_two = legs.len() > 1;
    let missing = legs
        .iter()
        .filter(move |leg| is_of_two && leg.received_ms == 0);
    missing.map(|leg| {
        let party = leg.party.as_str();
        format!("no audio of the {party} came: hits and scores know nothing of what was said there")
    })
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
    use crate::testing;
    use auricle_contracts::Party;

    #[test]
    fn a_party_that_was_never_there_is_told() {
        let leg = |party, received, filled| {
            let rate_hz = 8_000;
            let counts = LegCounts {
                received,
                lost: 0,
                late: 0,
                filled,
                jumps: 0,
            };
            leg_audio((&NewLeg { party, rate_hz }, &counts))
        };
        let told = |legs: &[LegAudio]| missing_legs(legs).collect::<Vec<_>>();
        let agent = leg(Party::Agent, 80_000, 0);
        let warning =
            "no audio of the customer came: hits and scores know nothing of what was said there";
        // Nothing at all, and silence that was filled in.
        for customer in [leg(Party::Customer, 0, 0), leg(Party::Customer, 800, 800)] {
            assert_eq!(told(&[agent, customer]), [warning]);
        }
        let customer = leg(Party::Customer, 808, 800);
        assert_eq!(told(&[agent, customer]), [""; 0]);
        // Everybody is on one channel.
        assert_eq!(told(&[leg(Party::Unknown, 0, 0)]), [""; 0]);
    }

    #[test]
    fn rules_know_nothing_of_what_was_not_heard() {
        let leg = |party, received_ms| LegAudio {
            party,
            rate_hz: 8_000,
            expected_ms: 10_000,
            received_ms,
            lost_ms: 0,
            filled_ms: 0,
            late_ms: 0,
            clock_jumps: 0,
        };
        let both = [leg(Party::Agent, 10_000), leg(Party::Customer, 10_000)];
        let one = [leg(Party::Agent, 10_000), leg(Party::Customer, 0)];
        let heard = testing::transcript("a");
        let silent = testing::transcript_of("a", 1_000, Vec::new());
        assert!(is_understood(&heard, &both));
        assert!(!is_understood(&heard, &one));
        assert!(!is_understood(&silent, &both));
    }

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
