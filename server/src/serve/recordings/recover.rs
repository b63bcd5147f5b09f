//! Hearing again what a program that broke off left.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use auricle_live::{Encoding, NewLeg};
use auricle_record::{BeginFacts, NoteFacts};
use auricle_speech::Hotwords;
use auricle_spool::{Ending, Record, RecordingName, RecordingReader};
use auricle_store::Store;
use smallvec::SmallVec;

use super::Recordings;
use crate::clock;
use crate::exit::message_of;
use crate::serve::calls::{CallToOpen, Calls, WhereAudioLies};
use crate::serve::ingest::leg::{live_encoding, swap_bytes};
use crate::serve::ingest::{CallLeg, Ingest, Patience, Piece, carry};
use crate::terminal::{count, say};

/// How a call that is heard again says how its audio comes.
pub(crate) const RECOVERED: &str = "recovered";
/// Recordings are read as fast as they can be heard.
const PATIENCE: Patience = Patience {
    open_within: Duration::from_secs(60),
    quiet_within: Duration::from_secs(60),
    silent_after: None,
};

impl Recordings {
    /// Hears again what a program that broke off left, one after the other, in the midst of other calls. Gives how many
    /// failed.
    pub(crate) async fn recover(
        &self,
        calls: &Calls,
        store: &Store,
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
        let mut n_failed = 0;
        for name in names {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            if let Err(error) = self.recover_one(name, calls, store).await {
                let file = self.recorder.spool().done_path(&name);
                let file = file.file_name().unwrap_or_default().to_string_lossy();
                say!("failed: {file}: {}", message_of(&error));
                n_failed += 1;
            }
        }
        Ok(n_failed)
    }

    async fn recover_one(&self, name: RecordingName, calls: &Calls, store: &Store) -> Result<()> {
        let spool = self.recorder.spool();
        let reader = match spool.reader(&name) {
            Ok(reader) => reader,
            Err(cause) => {
                // A file that has no header yet holds nothing; it is put aside. Others stay for a better key ring.
                return match spool.recover(&name, clock::unix_ms()) {
                    Ok(_) => Ok(()),
                    Err(_) => Err(cause.into()),
                };
            }
        };
        let Some(found) = Found::read(reader)? else {
            // Begun, and nothing of it came to the disk.
            spool.recover(&name, clock::unix_ms())?;
            return Ok(());
        };
        let saved = store.call(&found.facts.call_id).await?;
        if saved.is_some_and(|call| call.recording.path == name.to_string()) {
            // The program broke off between saving the call and saying so.
            spool.recover(&name, clock::unix_ms())?;
            return Ok(());
        }
        carry(&mut found.play(name, calls)?, PATIENCE).await
    }
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
        let Some(Record::Begin(begin)) = reader.next_record()? else {
            return Ok(None);
        };
        let mut facts: BeginFacts =
            serde_json::from_slice(begin).context("the recording says nothing of its call")?;
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

    /// Opens its call.
    fn play(self, name: RecordingName, calls: &Calls) -> Result<Playing> {
        let legs = self.facts.legs.iter().map(|leg| NewLeg {
            party: leg.party,
            rate_hz: leg.rate_hz,
        });
        let legs: Vec<NewLeg> = legs.collect();
        let n_legs = legs.len();
        let opened = calls.open(CallToOpen {
            id: self.facts.call_id,
            metadata: self.facts.metadata,
            source: RECOVERED,
            legs,
            hotwords: Hotwords::default(),
            trailing_silence_ms: None,
            audio: WhereAudioLies::Recovered {
                name,
                warning: self.warning.to_owned(),
            },
        })?;
        Ok(Playing {
            reader: self.reader,
            opened: Some(opened.legs),
            n_legs,
            leg: 0,
            audio: Vec::new(),
        })
    }
}

/// A recording that is heard again.
struct Playing {
    reader: RecordingReader,
    opened: Option<Vec<CallLeg>>,
    n_legs: usize,
    /// The audio that was read last.
    leg: usize,
    audio: Vec<u8>,
}

impl Playing {
    /// Reads on to the next audio, and says how it is written and where it lies; `None` at the end.
    fn read(&mut self) -> Result<Option<(Encoding, u64)>> {
        while let Some(record) = self.reader.next_record()? {
            let Record::Audio(audio) = record else {
                continue;
            };
            let leg = usize::from(audio.leg);
            if leg >= self.n_legs || audio.payload.is_empty() {
                continue;
            }
            self.leg = leg;
            let (encoding, at) = (live_encoding(audio.encoding), audio.at);
            self.audio.clear();
            self.audio.extend_from_slice(audio.payload);
            if encoding == Encoding::L16 {
                swap_bytes(&mut self.audio);
            }
            return Ok(Some((encoding, at)));
        }
        Ok(None)
    }
}

impl Ingest for Playing {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if let Some(legs) = self.opened.take() {
            return Ok(Some(Piece::Opened(legs)));
        }
        let read = tokio::task::block_in_place(|| self.read())?;
        Ok(read.map(|(encoding, at)| {
            let mut channels: SmallVec<[&[u8]; 2]> = SmallVec::from_elem(&[][..], self.n_legs);
            channels[self.leg] = &self.audio;
            Piece::Audio {
                encoding,
                at: Some(at),
                channels,
            }
        }))
    }
}
