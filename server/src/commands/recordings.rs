//! `auricle recordings`: recordings of live calls.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail, ensure};
use auricle_contracts::CallId;
use auricle_spool::{RecordingName, RecordingReader};
use clap::{Args, Subcommand};

use crate::app::App;
use crate::exit::Exit;
use crate::serve::recordings::{self, Span, write_audio};
use crate::terminal::{count, say};

/// Recordings of live calls.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordingsCommand {
    /// Write the audio of a live call as WAVE, personal data silenced.
    Export(ExportAudioArgs),
}

/// Options of `auricle recordings export`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  auricle recordings export 4f1c --out call.wav                       the whole call, personal data silenced
  auricle recordings export 4f1c --out part.wav --from 61.5 --to 80   a stretch of it, seconds")]
pub(crate) struct ExportAudioArgs {
    /// Its id, or the beginning of it.
    #[arg(value_name = "CALL")]
    call: String,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Seconds from the start of the call.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = seconds)]
    from: f64,
    /// Seconds from the start of the call; its end if it is not given.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    to: Option<f64>,
    /// Leave personal data audible.
    #[arg(long)]
    unredacted: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    match (0.0..=1e6).contains(&seconds) {
        true => Ok(seconds),
        false => Err("it must be 0 or more".to_owned()),
    }
}

pub(crate) fn run(app: &App, command: &RecordingsCommand) -> Result<Exit> {
    match command {
        RecordingsCommand::Export(args) => export(app, args),
    }
}

fn export(app: &App, args: &ExportAudioArgs) -> Result<Exit> {
    let store = app.existing_store()?;
    let call = app.one_call(&store, &args.call)?;
    let call_id = &call.recording.call_id;
    let reader = open(app, call_id, &call.recording.path)?;
    let silences = match args.unredacted {
        true => Vec::new(),
        false => app
            .runtime
            .block_on(recordings::silences(&store, call_id))?,
    };
    let ms = |seconds: f64| (seconds * 1000.0) as u64;
    let span = Span {
        from_ms: ms(args.from),
        to_ms: args.to.map_or(u64::MAX, ms),
    };
    ensure!(
        span.from_ms < span.to_ms,
        "--to must lie behind --from\nhint: both are seconds from the start of the call"
    );
    let unfinished = args.out.with_extension("part");
    let place = || format!("cannot write `{}`", args.out.display());
    let file = File::create(&unfinished).with_context(place)?;
    let written = write_audio(reader, span, &silences, BufWriter::new(file));
    let is_any = written.as_ref().is_ok_and(|written| written.n_frames > 0);
    if !is_any {
        let _ = fs::remove_file(&unfinished);
    }
    let written = written?;
    if !is_any {
        let to = args.to.map_or_else(String::new, |to| format!(" to {to} s"));
        bail!(
            "nothing of call `{call_id}` is recorded from {} s{to}: it is {} long",
            args.from,
            seconds_text(call.duration_ms)
        );
    }
    fs::rename(&unfinished, &args.out).with_context(place)?;
    say!(
        "{}: {} of call `{call_id}`{}",
        args.out.display(),
        seconds_text(written.ms()),
        match silences.len() as u64 {
            0 => String::new(),
            n => format!(", {} silenced", count(n, "stretch")),
        }
    );
    Ok(Exit::Done)
}

/// `69.8 s`.
fn seconds_text(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

fn open(app: &App, call_id: &CallId, path: &str) -> Result<RecordingReader> {
    let name = path.parse::<RecordingName>().map_err(|_| {
        anyhow!("call `{call_id}` has no recording here\nhint: calls heard by `auricle serve` have one, unless `live.recordings.keep` is false")
    })?;
    recordings::open_reader(&app.config, &name)
}
