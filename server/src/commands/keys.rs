//! `auricle keys`: the keys of recordings of live calls.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use auricle_spool::{Existing, KeyId, KeyRing, Rewrapped, Rotation, rotate};
use clap::{Args, Subcommand};

use crate::app::App;
use crate::exit::Exit;
use crate::serve::recordings;
use crate::terminal::{count, say};

/// Keys of recordings.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Say which keys there are, and which one new recordings get.
    List,
    /// Make another key for new recordings; old recordings keep theirs until `rotate`.
    Add(AddKeyArgs),
    /// Put all recordings under the key of new ones, those of calls under way too, so that older keys can be thrown away.
    Rotate,
}

/// Options of `auricle keys add`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A yearly change of keys:
  auricle keys add key-2027      a running `auricle serve` takes it for the next call
  auricle keys rotate            when it says which keys are needed no more, take their lines out of the file")]
pub(crate) struct AddKeyArgs {
    /// Its name, for example `key-2027`; `key-` and the day if it is not given.
    #[arg(value_name = "NAME")]
    name: Option<KeyId>,
}

pub(crate) fn run(app: &mut App, command: &KeysCommand) -> Result<Exit> {
    match command {
        KeysCommand::List => list(app),
        KeysCommand::Add(args) => add(app, args),
        KeysCommand::Rotate => rotate_all(app),
    }
}

fn list(app: &mut App) -> Result<Exit> {
    let keys = recordings::keys(&app.config)?;
    for id in keys.ids() {
        let is_active = id == keys.active_id();
        let word = if is_active {
            "  for new recordings"
        } else {
            ""
        };
        writeln!(app.terminal, "{id}{word}")?;
    }
    Ok(Exit::Done)
}

fn add(app: &App, args: &AddKeyArgs) -> Result<Exit> {
    let file = recordings::own_key_file(&app.config)?;
    let id = match args.name {
        Some(id) => id,
        None => recordings::key_of_today()?,
    };
    let existing = file.exists();
    let keys = match existing {
        true => {
            let mut keys = KeyRing::load(&file)?;
            keys.add(id)?;
            keys
        }
        false => KeyRing::generate(id)?,
    };
    let save = if existing {
        Existing::Replace
    } else {
        Existing::Keep
    };
    keys.save(&file, save)?;
    say!(
        "key `{id}` in {}: for new recordings\nhint: keep a copy of the file elsewhere; `auricle keys rotate` puts old recordings under this key",
        file.display()
    );
    Ok(Exit::Done)
}

fn rotate_all(app: &App) -> Result<Exit> {
    let keys = recordings::keys(&app.config)?;
    let folder = recordings::folder(&app.config);
    let mut told = |path: &Path, outcome: &Rewrapped, _: &Rotation| {
        if let Rewrapped::Failed(cause) = outcome {
            say!("failed: {}: {cause}", path.display());
        }
    };
    let rotation = rotate(&folder, &keys, &mut told)?;
    say!(
        "{} put under `{}`, {} under it already",
        count(rotation.n_done, "recording"),
        keys.active_id(),
        rotation.n_already
    );
    for (id, n) in &rotation.missing {
        say!(
            "failed: {} under key `{id}`, which is not there",
            count(*n, "recording")
        );
    }
    if !rotation.is_complete() {
        let n_left = rotation.n_missing + rotation.n_failed;
        say!(
            "failed: {} not under `{}`\nhint: run it again before older keys are thrown away; a recording that is just being begun goes with the next run",
            count(n_left, "recording"),
            keys.active_id()
        );
        return Ok(Exit::Failed);
    }
    say_needed_no_more(&keys);
    Ok(Exit::Done)
}

fn say_needed_no_more(keys: &KeyRing) {
    let older = keys.ids().filter(|id| *id != keys.active_id());
    let older: Vec<String> = older.map(|id| format!("`{id}`")).collect();
    if older.is_empty() {
        return;
    }
    say!("needed no more: {}", older.join(", "));
    if recordings::keys_come_from_outside() {
        say!(
            "hint: an `auricle serve` that began with other keys goes on with those: start it anew, then run this again, before they are thrown away"
        );
    }
}
