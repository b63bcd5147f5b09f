//! The command line of Auricle: what to do is decided here, how to do it in the other rooms.
//!
//! ```text
//! args ─▶ config ─▶ app ─▶ commands::{show, search, export, import, delete, doctor, config, models, lm, index, rules, intent, report}
//!                        ├▶ analyze: inputs ─▶ plan ─▶ work (hear, assess) ─▶ save
//!                        ├▶ rescore: due ─▶ work (assess) ─▶ save ─▶ report
//!                        └▶ serve: calls ─▶ live pipeline ─▶ hub, keeper ─▶ http
//! ```
//!
//! **Invariant**: answers go to standard output, everything else to standard error.
//! **Invariant**: what people said never enters a log.

mod analyze;
mod app;
mod args;
mod atomic;
mod clock;
mod commands;
mod config;
mod data;
mod disk_full;
mod emotion;
mod engine;
mod exit;
mod export;
mod file_name;
mod includes;
mod index;
mod judge;
mod known;
mod language;
mod lines;
mod logs;
mod panics;
mod plainly;
mod recogniser;
mod redact;
mod rescore;
mod selection;
mod serve;
mod sources;
mod spreadsheet;
mod terminal;
#[cfg(test)]
mod testing;
mod text_file;
mod vad;
mod words;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use app::App;
use args::{AuricleArgs, Command};
use config::Config;
use exit::{Exit, exit_of, message_of};

/// Runs the command that the process was started with.
///
/// Exit codes: 0 done; 1 some recordings failed, or what was asked for could not be done; 2 the
/// command line, the configuration or a query is wrong; 130 stopped by Ctrl-C or SIGTERM.
pub fn main() -> ExitCode {
    panics::tell_quietly();
    // Mistakes in the command line end the process here, with clap's message and code 2.
    let args = AuricleArgs::parse();
    let ended = panics::guarded(panics::DEFECT, || run(&args));
    let exit = ended.unwrap_or_else(|error| {
        let exit = exit_of(&error);
        if exit != Exit::Done {
            terminal::say!("auricle: {}", message_of(&error));
        }
        exit
    });
    exit.into()
}

fn run(args: &AuricleArgs) -> Result<Exit> {
    let config = Config::load(&args.global.overrides())?;
    logs::start(&config.log_filter)?;
    let mut app = App::new(config, args.global.color)?;
    let exit = dispatch(&mut app, &args.command)?;
    app.terminal.flush()?;
    Ok(exit)
}

fn dispatch(app: &mut App, command: &Command) -> Result<Exit> {
    match command {
        Command::Analyze(args) => analyze::run(app, args),
        Command::Show(args) => commands::show::run(app, args),
        Command::Search(args) => commands::search::run(app, args),
        Command::Export(args) => commands::export::run(app, args),
        Command::Import(args) => commands::import::run(app, args),
        Command::Delete(args) => commands::delete::run(app, args),
        Command::Doctor(args) => commands::doctor::run(app, args),
        Command::Config(command) => commands::config::run(app, command),
        Command::Models(command) => commands::models::run(app, command),
        Command::Lm(command) => commands::lm::run(app, command),
        Command::Intent(command) => commands::intent::run(app, command),
        Command::Report(args) => commands::report::run(app, args),
        Command::Rules(command) => commands::rules::run(app, command),
        Command::Rescore(args) => rescore::run(app, args),
        Command::Index(command) => commands::index::run(app, command),
        Command::Serve(args) => serve::run(app, args),
        Command::Watch(args) => commands::watch::run(app, args),
        Command::Ingest(command) => commands::ingest::run(app, command),
        Command::Recordings(command) => commands::recordings::run(app, command),
        Command::Keys(command) => commands::keys::run(app, command),
        Command::ApiKey(args) => commands::api_key::run(app, args),
        Command::Openapi => commands::openapi::run(app),
    }
}
