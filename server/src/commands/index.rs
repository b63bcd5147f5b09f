//! `auricle index`: the search index made anew from the store.

use anyhow::Result;
use clap::Subcommand;

use crate::app::App;
use crate::exit::Exit;
use crate::index::{self, CallIndex, NEVER_STOP};
use crate::judge::Judges;
use crate::terminal::{count, say};

/// `auricle index …`.
#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Make the index anew from the store: after damage, or when a new version asks for it.
    Rebuild,
}

pub(crate) fn run(app: &mut App, command: &IndexCommand) -> Result<Exit> {
    match command {
        IndexCommand::Rebuild => rebuild(app),
    }
}

/// A stop in the middle leaves an index that lacks calls, and a store that knows which.
fn rebuild(app: &mut App) -> Result<Exit> {
    let _lock = app.config.data.lock()?;
    let store = app.existing_store()?;
    let folder = app.config.data.index();
    index::remove(&folder)?;
    let opened = CallIndex::open_to_write(&folder, &store);
    let mut index = app.runtime.block_on(opened)?;
    let judges = Judges::load(&app.config)?;
    let caught_up = index.catch_up(&store, &judges, &NEVER_STOP);
    let n_calls = app.runtime.block_on(caught_up)?;
    let counts = app.runtime.block_on(store.counts())?;
    let n_utterances = index.n_utterances()?;
    let (calls, utterances) = (count(n_calls, "call"), count(n_utterances, "utterance"));
    say!("indexed {calls}, {utterances}");
    if counts.n_unindexed > 0 {
        say!(
            "{} could not be indexed; the warnings above say why",
            count(counts.n_unindexed, "call")
        );
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}
