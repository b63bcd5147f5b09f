//! Recordings of calls under way: their folder, their keys.

mod audio;
mod newer_keys;
mod playing;
mod recover;
mod tries;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use auricle_audio::RedactedSpan;
use auricle_contracts::{CallId, CallMetadata};
use auricle_record::{BeginFacts, LegFacts, NoteFacts, RecordStats, Recorder, Tape};
use auricle_spool::{
    Existing, KeyId, KeyRing, RecordingName, RecordingReader, Recovered, Spool, SpoolOptions,
};
use auricle_store::Store;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

pub(crate) use self::audio::{Span, write_audio};
use self::newer_keys::NewerKeys;
pub(crate) use self::recover::RECOVERED;
use self::tries::Tries;
use super::calls::{CallToOpen, Recorded};
use crate::clock;
use crate::config::Config;
use crate::terminal::say;

/// Keys, as in a key file, given from outside.
const KEYS_VARIABLE: &str = "AURICLE_RECORDING_KEYS";

/// How often old recordings are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(3600);

/// `[live.recordings]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RecordingsConfig {
    /// Whether calls under way are recorded. Without it, calls are lost when the program is killed.
    pub(crate) keep: bool,
    /// Where recordings lie; `recordings` in the data folder if it is not given.
    #[schemars(example = &"/srv/recordings")]
    pub(crate) folder: Option<PathBuf>,
    /// Their keys; `recording-keys` in the data folder if it is not given, made where it is missing. The environment variable
    /// AURICLE_RECORDING_KEYS, with the text of a key file, goes before.
    #[schemars(example = &"/etc/auricle/recording-keys")]
    pub(crate) key_file: Option<PathBuf>,
    /// Days that recordings of saved calls, and those put aside, are kept, from when they were begun; 0: for ever.
    #[schemars(range(max = 36_500))]
    pub(crate) keep_days: u64,
}

impl Default for RecordingsConfig {
    fn default() -> Self {
        Self {
            keep: true,
            folder: None,
            key_file: None,
            keep_days: 0,
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
    if keys_come_from_outside() || file.exists() || !is_own {
        return keys(config);
    }
    let keys = KeyRing::generate(key_of_today()?)?;
    keys.save(&file, Existing::Keep)?;
    say!(
        "recordings: new key in {} (without it nobody hears them again: keep a copy elsewhere)",
        file.display()
    );
    Ok(keys)
}

/// A name for a key that is made today.
pub(crate) fn key_of_today() -> Result<KeyId> {
    let today = clock::now_text();
    let day = today.get(..10).unwrap_or("today");
    Ok(format!("key-{day}").parse()?)
}

/// Whether keys come from the environment: a program that runs keeps those it began with.
pub(crate) fn keys_come_from_outside() -> bool {
    std::env::var_os(KEYS_VARIABLE).is_some()
}

/// The file that keys can be added to.
///
/// # Errors
/// Keys come from the environment.
pub(crate) fn own_key_file(config: &Config) -> Result<PathBuf> {
    if keys_come_from_outside() {
        bail!(
            "keys come from {KEYS_VARIABLE}\nhint: unset it to use a key file, or change it where it is set"
        );
    }
    Ok(key_file(config))
}

/// Opens a recording, whether it is under way or done.
///
/// # Errors
/// It is not there, or its key is not.
pub(crate) fn open_reader(config: &Config, name: &RecordingName) -> Result<RecordingReader> {
    let path = name.path_in(&folder(config));
    let cannot = || format!("cannot read the recording `{}`", path.display());
    RecordingReader::open(&path, &keys(config)?).with_context(cannot)
}

/// Where a saved call is to be silent.
///
/// # Errors
/// There is personal data of which nobody knows when it was said; the store's.
pub(crate) async fn silences(store: &Store, call_id: &CallId) -> Result<Vec<RedactedSpan>> {
    let transcript = store.transcript(call_id).await?;
    let stored = store.assessment(call_id).await?;
    let (Some(transcript), Some(stored)) = (transcript, stored) else {
        bail!(
            "call `{call_id}` is not assessed\nhint: `auricle rescore` assesses what the store knows"
        );
    };
    crate::redact::silences(&transcript, &stored.assessment)
}

/// The recordings of this data folder.
pub(crate) struct Recordings {
    recorder: Recorder,
    /// `None`: nothing can change them while the program runs.
    newer_keys: Option<NewerKeys>,
    keep_days: u64,
    /// Calls under way at a time.
    most_calls: usize,
    tries: Mutex<Tries>,
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
        let folder = folder(config);
        let spool = Spool::open(&folder, keys_or_first(config)?, SpoolOptions::default());
        let spool = spool.context("recordings")?;
        let recorder = Recorder::start(spool).context("cannot start a thread")?;
        Ok(Some(Self {
            recorder,
            newer_keys: (!keys_come_from_outside()).then(|| NewerKeys::new(key_file(config))),
            keep_days: config.live.recordings.keep_days,
            most_calls: config.live.most_calls,
            tries: Mutex::new(Tries::read(folder.join("tries.json"))),
        }))
    }

    /// The folder, with the keys that are in the key file now.
    fn spool(&self) -> &Spool {
        self.renew_keys();
        self.recorder.spool()
    }

    fn renew_keys(&self) {
        if let Some(keys) = &self.newer_keys {
            keys.give_to(self.recorder.spool());
        }
    }

    /// Under the key that is active in the key file now.
    pub(crate) fn begin(&self, call: &CallToOpen) -> Result<(RecordingName, Vec<Tape>)> {
        self.renew_keys();
        let legs = call.legs.iter().map(|leg| LegFacts {
            party: leg.party,
            rate_hz: leg.rate_hz,
        });
        let facts = BeginFacts {
            call_id: call.id.clone(),
            metadata: call.metadata.clone(),
            source: call.source.to_owned(),
            legs: legs.collect(),
            settings: call.settings.clone(),
        };
        Ok(self.recorder.begin(clock::unix_ms(), &facts)?)
    }

    /// This is known of a call from now on.
    pub(crate) fn note(&self, name: RecordingName, metadata: &CallMetadata) -> Result<()> {
        let metadata = metadata.clone();
        Ok(self.recorder.note(name, &NoteFacts { metadata })?)
    }

    /// The call is saved: its recording is finished, and not heard again by the next start.
    pub(crate) fn settle(&self, recorded: &Recorded) -> Result<()> {
        match recorded {
            Recorded::No | Recorded::HeardInPart(_) | Recorded::Failed(_) => {}
            Recorded::Here(name) => self.recorder.settle(*name),
            Recorded::Before { name, .. } => {
                self.tries().end(name);
                let spool = self.spool();
                if let Recovered::Broken { path } = spool.recover(name, clock::unix_ms())? {
                    bail!("`{}` cannot be read any more", path.display());
                }
            }
        }
        Ok(())
    }

    /// The program ends before a recording is heard again to its end; the next start does that.
    pub(crate) fn heard_in_part(&self, name: &RecordingName) {
        self.tries().end(name);
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what has been kept for long enough; tells how many recordings went.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn expire(&self) -> Result<u64> {
        if self.keep_days == 0 {
            return Ok(0);
        }
        let before_unix_ms = clock::unix_ms().saturating_sub(self.keep_days * clock::DAY_MS);
        Ok(self.recorder.spool().expire(before_unix_ms)?)
    }

    /// [`Self::expire`] now and every hour.
    pub(crate) fn expire_from_now_on(self: &Arc<Self>, runtime: &Handle) {
        if self.keep_days == 0 {
            return;
        }
        let recordings = Arc::clone(self);
        runtime.spawn(async move {
            loop {
                let recordings = Arc::clone(&recordings);
                let expired = tokio::task::spawn_blocking(move || recordings.expire()).await;
                match expired {
                    Ok(Ok(0)) => {}
                    Ok(Ok(n_removed)) => {
                        say!("recordings: {n_removed} kept for long enough and removed")
                    }
                    Ok(Err(cause)) => say!("warning: old recordings cannot be removed: {cause:#}"),
                    Err(_) => return,
                }
                tokio::time::sleep(EXPIRE_EVERY).await;
            }
        });
    }

    pub(crate) fn stats(&self) -> RecordStats {
        self.recorder.stats()
    }

    /// Writes what waits, and takes no more.
    pub(crate) fn end(&self) {
        self.recorder.end();
    }
}
