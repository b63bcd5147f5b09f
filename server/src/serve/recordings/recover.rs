//! Hearing again what a program that broke off left.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use auricle_contracts::{CallId, EventKind, Happening};
use auricle_live::NewLeg;
use auricle_record::{BeginFacts, NoteFacts};
use auricle_spool::{Ending, Record, RecordingName, RecordingReader, Recovered};
use auricle_store::Store;
use futures_util::{StreamExt, stream};

use super::Recordings;
use super::playing::Playing;
use super::tries::MOST_TRIES;
use crate::clock;
use crate::exit::message_of;
use crate::serve::calls::{CallToOpen, Calls, Opened, WhereAudioLies};
use crate::serve::hub::EventHub;
use crate::serve::ingest::{NotTaken, Patience, carry};
use crate::serve::keeper::call_ended;
use crate::terminal::{count, say};

/// How a call that is heard again says how its audio comes.
pub(crate) const RECOVERED: &str = "recovered";
/// Recordings are read as fast as they can be heard.
const PATIENCE: Patience = Patience {
    open_within: Duration::from_secs(60),
    quiet_within: Duration::from_secs(60),
    wall: None,
};

/// Calls that are heard again at a time: recognition takes many streams together, and calls under way go before them by no
/// more than that.
const AT_ONCE: usize = 4;
/// Between looks whether the program is to end.
const STOP_LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between looks whether there is room for another call.
const ROOM_LOOK_EVERY: Duration = Duration::from_millis(200);

/// What calls are heard again with.
#[derive(Clone, Copy)]
struct Recovery<'r> {
    calls: &'r Calls,
    store: &'r Store,
    hub: &'r EventHub,
}

impl Recordings {
    /// Hears again what a program that broke off left, a few at a time, in the midst of other calls. Gives how many failed.
    pub(crate) async fn recover(
        &self,
        calls: &Calls,
        store: &Store,
        hub: &EventHub,
        stop: &AtomicBool,
    ) -> Result<usize> {
        let names = self.recorder.spool().unfinished()?;
        if names.is_empty() {
            return Ok(0);
        }
        say!(
            "recovering: {} that an earlier run broke off",
            count(names.len() as u64, "call")
        );
        // One that the program broke off over may end it again: alone, so that no other is taken for it.
        let (suspects, others): (Vec<_>, Vec<_>) = names
            .into_iter()
            .partition(|name| self.tries().count(name) > 0);
        let to = Recovery { calls, store, hub };
        let recover = async |name| {
            if stop.load(Ordering::Relaxed) {
                return 0;
            }
            let Err(error) = self.recover_one(name, to, stop).await else {
                return 0;
            };
            let file = self.recorder.spool().done_path(&name);
            let file = file.file_name().unwrap_or_default().to_string_lossy();
            say!("failed: {file}: {}", message_of(&error));
            1
        };
        let mut n_failed = 0;
        let mut recovered = stream::iter(others).map(&recover).buffer_unordered(AT_ONCE);
        while let Some(failed) = recovered.next().await {
            n_failed += failed;
        }
        for name in suspects {
            n_failed += recover(name).await;
        }
        Ok(n_failed)
    }

    /// The calls that [`Self::recover`] hears again.
    pub(crate) fn calls_to_recover(&self) -> Vec<CallId> {
        let spool = self.spool();
        let names = spool.unfinished().unwrap_or_default();
        let call_of = |name: &RecordingName| {
            let mut reader = spool.reader(name).ok()?;
            let facts = begin_facts(&mut reader).ok()??;
            Some(facts.call_id)
        };
        names.iter().filter_map(call_of).collect()
    }

    async fn recover_one(
        &self,
        name: RecordingName,
        Recovery { calls, store, hub }: Recovery<'_>,
        stop: &AtomicBool,
    ) -> Result<()> {
        let spool = self.spool();
        let reader = match spool.reader(&name) {
            Ok(reader) => reader,
            // A file whose header is not there yet, or damaged, is put aside. Others stay for a better key ring.
            Err(cause) => match spool.recover(&name, clock::unix_ms()) {
                Ok(Recovered::Broken { path })
                    if path.metadata().is_ok_and(|file| file.len() > 0) =>
                {
                    bail!("{cause}: it lies in `{}` now", path.display())
                }
                Ok(_) => return Ok(()),
                Err(_) => return Err(cause.into()),
            },
        };
        let Some(found) = Found::read(reader)? else {
            // Begun, and nothing of it came to the disk.
            spool.recover(&name, clock::unix_ms())?;
            return Ok(());
        };
        let id = &found.facts.call_id;
        let saved = store.call(id).await?;
        if saved.is_some_and(|call| call.recording.path == name.to_string()) {
            // The program broke off between saving the call and saying so.
            let began_unix_ms = found.reader.info().created_unix_ms;
            let kind = EventKind::CallEnded.as_str();
            if !store.was_told(id, kind, began_unix_ms).await?
                && let Some(transcript) = store.transcript(id).await?
                && let Some(made) = store.assessment(id).await?
            {
                let ended = call_ended(&transcript, &made.assessment);
                let ended = Happening::CallEnded(Box::new(ended));
                let told = hub.tell(id.clone(), transcript.metadata.agent, ended);
                while !hub.is_written(told) {
                    if stop.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                    tokio::time::sleep(STOP_LOOK_EVERY).await;
                }
            }
            spool.recover(&name, clock::unix_ms())?;
            return Ok(());
        }
        if self.tries().count(&name) >= MOST_TRIES {
            let path = spool.put_aside(&name)?;
            self.tries().end(&name);
            bail!(
                "the program broke off {MOST_TRIES} times while it heard this again, in the same place: it lies in `{}` now\nhint: please report it with the log of such a run",
                path.display()
            );
        }
        self.hear_again(name, found, calls, stop).await
    }

    /// Hears a recording to its end, or until the program is to end.
    async fn hear_again(
        &self,
        name: RecordingName,
        found: Found,
        calls: &Calls,
        stop: &AtomicBool,
    ) -> Result<()> {
        let (call, reader) = found.into_call(name);
        let opened = self.open_when_there_is_room(call, calls, stop).await?;
        let Some(Opened { id, legs, .. }) = opened else {
            return Ok(());
        };
        // Not before: whoever waits for room, or is not taken in, ends no program.
        self.tries().begin(&name);
        let mut playing = Playing::new(self, name, reader, legs);
        // Dropped after that is said: the call is over then.
        let mut carrying = pin!(carry(&mut playing, PATIENCE));
        tokio::select! {
            carried = &mut carrying => carried,
            () = stopped(stop) => {
                calls.break_off(&id);
                Ok(())
            }
        }
    }

    /// Waits for room among the calls under way; `None`: the program is to end.
    async fn open_when_there_is_room(
        &self,
        call: CallToOpen,
        calls: &Calls,
        stop: &AtomicBool,
    ) -> Result<Option<Opened>> {
        let live = calls.live();
        while !stop.load(Ordering::Relaxed) && !live.has_failed() {
            // Looked at first: a call that is refused is counted.
            if live.n_calls() < self.most_calls {
                match calls.open(call.clone()) {
                    Err(error) if has_no_room(&error) => {}
                    opened => return opened.map(Some),
                }
            }
            tokio::time::sleep(ROOM_LOOK_EVERY).await;
        }
        Ok(None)
    }
}

/// Whether a call may be taken in a little later.
fn has_no_room(error: &anyhow::Error) -> bool {
    let cause = NotTaken::of(error);
    matches!(cause, Some(NotTaken::Overloaded | NotTaken::Busy))
}

/// Waits until the program is to end.
async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_LOOK_EVERY).await;
    }
}

/// What a recording says of its call; `None` where it is empty.
fn begin_facts(reader: &mut RecordingReader) -> Result<Option<BeginFacts>> {
    let Some(Record::Begin(begin)) = reader.next_record()? else {
        return Ok(None);
    };
    let facts = serde_json::from_slice(begin);
    facts
        .context("the recording says nothing of its call")
        .map(Some)
}

/// A recording that nobody finished.
struct Found {
    reader: RecordingReader,
    facts: BeginFacts,
    warning: &'static str,
}

impl Found {
    /// `None`: there is nothing in it.
    fn read(mut reader: RecordingReader) -> Result<Option<Self>> {
        let Some(mut facts) = begin_facts(&mut reader)? else {
            return Ok(None);
        };
        let warning = match reader.verify()? {
            Ending::Damaged { .. } => {
                "the program broke off while this call went on: it was recovered from its recording, which is damaged behind what stands here"
            }
            Ending::Finished | Ending::Sealed { .. } | Ending::CutOff { .. } => {
                "the program broke off while this call went on: it was recovered from its recording, up to where that was written"
            }
        };
        reader.rewind();
        while let Some(record) = reader.next_record()? {
            // A note of another release may say something else.
            if let Record::Note(note) = record
                && let Ok(note) = serde_json::from_slice::<NoteFacts>(note)
            {
                facts.metadata = note.metadata;
            }
        }
        reader.rewind();
        Ok(Some(Self {
            reader,
            facts,
            warning,
        }))
    }

    /// The call that it is to be, and what is heard in it.
    fn into_call(self, name: RecordingName) -> (CallToOpen, RecordingReader) {
        let legs = self.facts.legs.iter().map(|leg| NewLeg {
            party: leg.party,
            rate_hz: leg.rate_hz,
        });
        let call = CallToOpen {
            legs: legs.collect(),
            id: self.facts.call_id,
            metadata: self.facts.metadata,
            source: RECOVERED,
            settings: self.facts.settings,
            audio: WhereAudioLies::Recovered {
                name,
                warning: self.warning.to_owned(),
            },
        };
        (call, self.reader)
    }
}
