//! `auricle config`: what is configured, and what can be.

use std::io::Write;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::app::App;
use crate::config::{self, Config, beside, page, schema, tables_in_force, template};
use crate::engine::model_store;
use crate::exit::{Exit, message_of};
use crate::judge::Judges;
use crate::language;
use crate::serve::{AudioHookClients, SipSecrets};
use crate::terminal::{printable, say};
use crate::words::read_hotwords;

const EXAMPLES: &str = "\
Examples:
  auricle config check                        is the configuration right, and every file that it names?
  auricle config show                         every value in force, and who said it
  auricle config template > auricle.toml      a file to begin from: every key with its words and its default
  auricle config reference                    every key as a page: docs/configuration-reference.md
  auricle config schema                       the JSON schema, for editors: docs/configuration.schema.json";

/// `auricle config …`.
#[derive(Debug, Subcommand)]
#[command(after_long_help = EXAMPLES)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with the configuration and with the packs, cards, words and models that it names.
    Check,
    /// Write every value in force, and who said it.
    Show,
    /// Write a configuration that says what is so without one, with words for every key.
    Template,
    /// Write what every key means, takes and is by default, as a page.
    Reference,
    /// Write the JSON schema of the configuration.
    Schema,
}

pub(crate) fn run(app: &mut App, command: &ConfigCommand) -> Result<Exit> {
    match command {
        ConfigCommand::Check => return check(app),
        ConfigCommand::Show => show(app)?,
        ConfigCommand::Template => write!(app.terminal, "{}", template())?,
        ConfigCommand::Reference => write!(app.terminal, "{}", page())?,
        ConfigCommand::Schema => {
            serde_json::to_writer_pretty(&mut app.terminal, schema())?;
            writeln!(app.terminal)?;
        }
    }
    Ok(Exit::Done)
}

/// What the file itself has wrong was told before any command began.
fn check(app: &mut App) -> Result<Exit> {
    let config = &app.config;
    let mut mistakes = Vec::new();
    let mut note = |checked: Result<()>| mistakes.extend(checked.err());
    note(config.live.check());
    note(AudioHookClients::read(config).map(drop));
    note(SipSecrets::read(config).map(drop));
    let judges = Judges::load(config);
    let doubts = judges.as_ref().map(Judges::doubts).unwrap_or_default();
    note(judges.and_then(|judges| {
        judges.check_models()?;
        config.live.digits.check(&judges)
    }));
    note(hotwords(config));
    note(language_files(config));
    for mistake in &mistakes {
        say!("{}", message_of(mistake));
    }
    for doubt in &doubts {
        say!("warning: {doubt}");
    }
    if !mistakes.is_empty() {
        return Ok(Exit::Usage);
    }
    match &app.config.file {
        Some(path) => writeln!(
            app.terminal,
            "{}: good",
            printable(&path.display().to_string())
        )?,
        None => writeln!(
            app.terminal,
            "there is no configuration file: all is as `auricle config show` says"
        )?,
    }
    Ok(Exit::Done)
}

fn hotwords(config: &Config) -> Result<()> {
    let path = config.analyze.hotwords();
    let read = path.map(|path| read_hotwords(&beside(config, path)));
    read.transpose().map(drop)
}

fn language_files(config: &Config) -> Result<()> {
    let registry = model_store(config)?;
    let files = language::options(config, &registry).fingerprint();
    files.map(drop).context("`lm`")
}

fn show(app: &mut App) -> Result<()> {
    match &app.config.file {
        Some(path) => writeln!(app.terminal, "# {}", printable(&path.display().to_string()))?,
        None => writeln!(app.terminal, "# no configuration file")?,
    }
    for table in tables_in_force(&app.config) {
        writeln!(app.terminal)?;
        if !table.head.is_empty() {
            writeln!(app.terminal, "{}", printable(&table.head))?;
        }
        for config::KeyInForce { name, value, from } in table.keys {
            let line = match value {
                Some(value) => format!("{name} = {value}  # {from}"),
                None => format!("# {name} is not set"),
            };
            writeln!(app.terminal, "{}", printable(&line))?;
        }
    }
    Ok(())
}
