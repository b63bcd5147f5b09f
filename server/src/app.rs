//! What every command has at hand.

use anyhow::{Context, Result, anyhow, bail};
use auricle_contracts::Transcript;
use auricle_store::{CallRecord, Store};
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::terminal::{ColorChoice, Terminal};

/// The process's configuration, its output and the runtime of everything asynchronous.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) terminal: Terminal,
    pub(crate) runtime: Runtime,
}

impl App {
    pub(crate) fn new(config: Config, color: ColorChoice) -> Result<Self> {
        // Disk and network only; speech runs on plain threads of its own.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        Ok(Self {
            config,
            terminal: Terminal::stdout(color),
            runtime,
        })
    }

    /// For work that goes on beside what the process does: nothing is answered by it.
    pub(crate) fn beside(config: Config) -> Result<Self> {
        // It waits for the database, and that is all.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        Ok(Self {
            config,
            terminal: Terminal::nowhere(),
            runtime,
        })
    }

    /// The store, made where it is missing.
    pub(crate) fn store(&self) -> Result<Store> {
        Ok(self
            .runtime
            .block_on(Store::open(&self.config.data.database()))?)
    }

    /// The store, if calls were saved before.
    pub(crate) fn existing_store(&self) -> Result<Store> {
        Ok(self
            .runtime
            .block_on(Store::open_existing(&self.config.data.database()))?)
    }

    /// The one call that `text` means: an id, the beginning of one, or a file's name.
    pub(crate) fn one_call(&self, store: &Store, text: &str) -> Result<CallRecord> {
        only_one(text, self.runtime.block_on(store.find(text))?)
    }

    /// The transcript of a call that the store knows.
    pub(crate) fn transcript(&self, store: &Store, call: &CallRecord) -> Result<Transcript> {
        let call_id = &call.recording.call_id;
        match self.runtime.block_on(store.transcript(call_id))? {
            Some(transcript) => Ok(transcript),
            None => Err(self.no_transcript(call)),
        }
    }

    /// Why a call has no transcript.
    pub(crate) fn no_transcript(&self, call: &CallRecord) -> anyhow::Error {
        no_transcript(call)
    }
}

/// Why a call has no transcript.
pub(crate) fn no_transcript(call: &CallRecord) -> anyhow::Error {
    let call_id = &call.recording.call_id;
    match &call.error {
        Some(cause) => anyhow!("call `{call_id}` has no transcript: {cause}"),
        None => anyhow!(
            "call `{call_id}` was not heard yet\nhint: run `auricle analyze` on its recording"
        ),
    }
}

/// The one call of those that were found for `text`.
pub(crate) fn only_one(text: &str, mut found: Vec<CallRecord>) -> Result<CallRecord> {
    match found.len() {
        0 => bail!(
            "no call `{text}`\nhint: `auricle search` and `auricle export --format csv` give the ids"
        ),
        1 => Ok(found.remove(0)),
        _ => {
            let ids = found
                .iter()
                .take(5)
                .map(|call| call.recording.call_id.to_string());
            let ids = ids.collect::<Vec<_>>().join(", ");
            bail!(
                "`{text}` may mean several calls: {ids}{}",
                if found.len() > 5 { ", …" } else { "" }
            )
        }
    }
}
