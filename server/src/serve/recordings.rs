//! Recordings of calls under way, and hearing again what a crash left.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use auricle_live::{Encoding, NewLeg};
use auricle_record::{BeginFacts, LegFacts, RecordStats, Recorder, Tape};
use auricle_spool::{
    Ending, Existing, KeyId, KeyRing, Record, RecordingName, RecordingReader, Recovered, Spool,
    SpoolOptions,
};
use auricle_store::{CallRecord, Store};
use serde::Deserialize;
use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::calls::{CallToOpen, Calls, Recorded, WhereAudioLies};
use super::ingest::leg::{live_encoding, swap_bytes};
use super::ingest::{CallLeg, Ingest, Patience, Piece, carry};
use crate::clock;
use crate::config::Config;
use crate::exit::message_of;
use crate::terminal::{count, say};

/// Keys, as in a key file, given from outside.
const KEYS_VARIABLE: &str = "AURICLE_RECORDING_KEYS";
/// How a call that is heard again says how its audio comes.
pub(crate) const RECOVERED: &str = "recovered";
/// Recordings are read as fast as they can be heard.
const PATIENCE: Patience = Patience {
    open_within: Duration::from_secs(60),
    quiet_within: Duration::from_secs(60),
    silent_after: None,
};

/// `[live.recordings]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RecordingsConfig {
    /// Whether calls under way are recorded. Without it, calls are lost when the program is killed.
    pub(crate) keep: bool,
    /// Where recordings lie; `recordings` in the data folder if it is not given.
    pub(crate) folder: Option<PathBuf>,
    /// Their keys; `recording-keys` in the data folder if it is not given, made where it is missing. The environment variable
    /// AURICLE_RECORDING_KEYS, with the text of a key file, goes before.
    pub(crate) key_file: Option<PathBuf>,
}

impl Default for RecordingsConfig {
    fn default() -> Self {
        Self {
            keep: true,
            folder: None,
            key_file: None,
        }
    }
}

/// Where recordings and their keys lie.
pub(crate) fn folder(config: &Config) -> PathBuf {
    let folder = &config.live.recordings.folder;
    folder
        .clone()
        .unwrap_or_else(|| config.data.root().join("recordings"))
}

/// Where the keys lie.
pub(crate) fn key_file(config: &Config) -> PathBuf {
    let file = &config.live.recordings.key_file;
    file.clone()
        .unwrap_or_else(|| config.data.root().join("recording-keys"))
}

/// The keys of recordings.
///
/// # Errors
/// What is wrong with them; there are none.
pub(crate) fn keys(config: &Config) -> Result<KeyRing> {
    if let Some(text) = std::env::var_os(KEYS_VARIABLE) {
        let text = Zeroizing::new(text.into_encoded_bytes());
        let text = std::str::from_utf8(&text);
        let text = text.map_err(|_| anyhow!("{KEYS_VARIABLE} is not text"))?;
        return KeyRing::parse(text).with_context(|| format!("in {KEYS_VARIABLE}"));
    }
    Ok(KeyRing::load(&key_file(config))?)
}

/// The keys, and a first one where there is none and none is asked for by name.
fn keys_or_first(config: &Config) -> Result<KeyRing> {
    let file = key_file(config);
    let is_own = config.live.recordings.key_file.is_none();
    if std::env::var_os(KEYS_VARIABLE).is_some() || file.exists() || !is_own {
        return keys(config);
    }
    let keys = KeyRing::generate(first_id()?)?;
    keys.save(&file, Existing::Keep)?;
    say!(
        "recordings: new key in {} (without it nobody hears them again: keep a copy elsewhere)",
        file.display()
    );
    Ok(keys)
}

/// A name for a key of today.
pub(crate) fn first_id() -> Result<KeyId> {
    let day = clock::now_text();
    let day = day.get(..10).unwrap_or("key");
    Ok(format!("key-{day}").parse()?)
}

/// The recordings of this data folder.
pub(crate) struct Recordings {
    recorder: Recorder,
}

impl Recordings {
    /// Opens the folder and starts recording into it; `None` where calls are not recorded.
    ///
    /// # Errors
    /// Keys or folder cannot be used.
    pub(crate) fn open(config: &Config) -> Result<Option<Self>> {
        if !config.live.recordings.keep {
            return Ok(None);
        }
        let spool = Spool::open(
            &folder(config),
            keys_or_first(config)?,
            SpoolOptions::default(),
        );
        let spool = spool.context("recordings")?;
        let recorder = Recorder::start(spool).context("cannot start a thread")?;
        Ok(Some(Self { recorder }))
    }

    pub(crate) fn begin(&self, call: &CallToOpen) -> Result<(RecordingName, Vec<Tape>)> {
        let legs = call.legs.iter().map(|leg| LegFacts {
            party: leg.party,
            rate_hz: leg.rate_hz,
        });
        let facts = BeginFacts {
            call_id: call.id.clone(),
            metadata: call.metadata.clone(),
            source: call.source.to_owned(),
            legs: legs.collect(),
        };
        Ok(self.recorder.begin(clock::unix_ms(), &facts)?)
    }

    /// The call is saved: its recording is finished, and not heard again by the next start.
    pub(crate) fn settle(&self, recorded: &Recorded) -> Result<()> {
        match recorded {
            Recorded::No | Recorded::HeardInPart | Recorded::Failed(_) => {}
            Recorded::Here(name) => self.recorder.settle(*name),
            Recorded::Before { name, .. } => {
                let spool = self.recorder.spool();
                if let Recovered::Broken { path } = spool.recover(name, clock::unix_ms())? {
                    bail!("`{}` cannot be read any more", path.display());
                }
            }
        }
        Ok(())
    }

    pub(crate) fn stats(&self) -> RecordStats {
        self.recorder.stats()
    }

    /// Writes what waits, and takes no more.
    pub(crate) fn end(&self) {
        self.recorder.end();
    }

    pub(crate) fn spool(&self) -> &Spool {
        self.recorder.spool()
    }

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
        let saved = store.find(&found.facts.call_id.0).await?;
        let is_this = |call: &CallRecord| {
            call.recording.call_id == found.facts.call_id && call.recording.path == name.to_string()
        };
        if saved.iter().any(is_this) {
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
        let facts =
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
        let legs = calls.open(CallToOpen {
            id: self.facts.call_id,
            metadata: self.facts.metadata,
            source: RECOVERED,
            legs,
            audio: WhereAudioLies::Recovered {
                name,
                warning: self.warning.to_owned(),
            },
        })?;
        Ok(Playing {
            reader: self.reader,
            opened: Some(legs),
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
