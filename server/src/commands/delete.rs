//! `auricle delete`: calls forgotten.

use anyhow::Result;
use auricle_contracts::CallId;
use auricle_store::{CallRecord, Store};
use clap::Args;

use crate::app::App;
use crate::exit::{Exit, message_of};
use crate::index::{CallIndex, NEVER_STOP};
use crate::judge::Judges;
use crate::terminal::{count, say};

const EXAMPLES: &str = "\
Takes calls out of the store and the search index:
  auricle delete dev-01
  auricle delete dev-01 '客户 投诉 01'

A call is named by its whole id here, so that none goes by mistake. What is left is yours to remove: the
recording, and the JSON files and exports that were written. A recording that is still there is heard anew
by the next `analyze`.

Words of a deleted call may lie in the files of the index, found by nobody, until those are merged;
`auricle index rebuild` leaves nothing of them.";

/// Options of `auricle delete`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DeleteArgs {
    /// Ids of calls.
    #[arg(required = true, value_name = "CALL")]
    calls: Vec<String>,
}

pub(crate) fn run(app: &mut App, args: &DeleteArgs) -> Result<Exit> {
    let _lock = app.config.data.lock()?;
    let store = app.existing_store()?;
    let mut found = Vec::new();
    let mut exit = Exit::Done;
    for name in &args.calls {
        match call_of_id(app, &store, name) {
            Ok(call) => found.push(call),
            Err(cause) => {
                say!("failed: {}", message_of(&cause));
                exit = Exit::Failed;
            }
        }
    }
    let ids = found
        .iter()
        .map(|call| call.recording.call_id.clone())
        .collect::<Vec<_>>();
    // The index first: a stop between the two leaves calls that can be named and deleted once more.
    let folder = app.config.data.index();
    let index = CallIndex::open_to_write(&folder, &store);
    let mut index = app.runtime.block_on(index)?;
    index.delete(&ids)?;
    let n_deleted = app.runtime.block_on(store.delete(&ids))?;
    let judges = Judges::load(&app.config)?;
    app.runtime
        .block_on(index.catch_up(&store, &judges, &NEVER_STOP))?;
    for call in &found {
        let recording = &call.recording;
        say!(
            "deleted `{}`; its recording was `{}`",
            recording.call_id,
            recording.path
        );
    }
    say!("deleted {}", count(n_deleted, "call"));
    Ok(exit)
}

/// The call of just this id; the beginning of one, or a file's name, only tells which may be meant.
fn call_of_id(app: &App, store: &Store, name: &str) -> Result<CallRecord> {
    let call_id = CallId(name.to_owned());
    if let Some(call) = app.runtime.block_on(store.call(&call_id))? {
        return Ok(call);
    }
    let meant = app.one_call(store, name)?;
    anyhow::bail!(
        "no call has the id `{name}`\nhint: `{}` may be meant",
        meant.recording.call_id
    )
}
