//! `auricle analyze`: recordings in, transcripts in store, index and JSON files.

mod channels;
pub(crate) mod hash;
mod hear;
mod inputs;
mod metadata;
mod names;
mod plan;
mod progress;
mod report;
mod save;
mod survey;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use auricle_models::registry::Engine;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::clock;
use crate::engine::{Passes, Speech, SpeechOptions};
use crate::exit::{Exit, usage};
use crate::index::CallIndex;
use crate::sources::Networks;
use channels::{ChannelMap, ChannelName};
use hash::hex;
use inputs::Inputs;
use plan::Plan;
use progress::Progress;
use report::RunReport;
use save::Writer;
use work::{Again, Shared, run_jobs};

const EXAMPLES: &str = "\
Examples:
  auricle analyze recordings/ --out out          every recording of a folder, and a JSON file for each
  auricle analyze 'calls/2026-11-*.wav'          a glob, read by Auricle where the shell did not
  auricle analyze a.wav --channels agent=right   the agent is on the right channel
  auricle analyze calls/ --metadata calls.csv    agent, campaign, region and time from a table
  auricle analyze calls/ --hotwords words.txt    names of products and people to lean towards
  auricle analyze calls/ --dry-run               only say what would be done

Run it again after it was stopped: what is finished stays, and nothing is heard twice unless the
audio, the model or the settings changed (or --force is given). Recordings that failed are tried
again each time.

Parties: one channel, or channels that carry the same sound, are one `unknown` party. Otherwise each
channel is a party; the left one is the agent unless --channels says otherwise.

The metadata table has a head: file,agent,campaign,region,started_at - only `file` must be there. It
is a file's name, its stem or its path.

A call's id is its file's stem. Where two recordings share it, the second gets eight more digits.";

/// `[analyze]` of the configuration: what the options of the same names say when they are not given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AnalyzeConfig {
    /// Recordings heard at the same time; 0 for one on each processor.
    jobs: usize,
    /// `"agent=left"`.
    channels: Option<String>,
    /// A list of words to lean towards; relative to the configuration file's folder.
    hotwords: Option<PathBuf>,
}

/// What recognises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    /// Streaming transducers in Auricle's own forward pass, many utterances at a time.
    Native,
    /// Streaming transducers by ONNX Runtime.
    Ort,
    /// Vosk (Kaldi) models.
    Vosk,
}

/// Options of `auricle analyze`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct AnalyzeArgs {
    /// Recordings, folders or globs.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder for one JSON file for each recording.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Recordings heard at the same time [default: one on each processor].
    #[arg(long, short, value_name = "N")]
    jobs: Option<usize>,
    /// What recognises [default: native where it knows the model, else what the model needs].
    #[arg(long, value_name = "ENGINE")]
    engine: Option<EngineName>,
    /// Model, alias or profile [default: by campaign, region and configuration].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// List of words to lean towards: `WORD`, `WORD 2.5` or `WORD pin1 yin1 2.5` on each line.
    #[arg(long, value_name = "FILE")]
    hotwords: Option<PathBuf>,
    /// Which party is on which channel: left, right or a number from 0.
    #[arg(long, value_name = "agent=CHANNEL[,customer=CHANNEL]")]
    channels: Option<ChannelMap>,
    /// The agent's channel; short for --channels agent=CHANNEL.
    #[arg(long, value_name = "CHANNEL", conflicts_with = "channels")]
    agent_channel: Option<ChannelName>,
    /// Table of what is known of the calls.
    #[arg(long, value_name = "CSV")]
    metadata: Option<PathBuf>,
    /// Agent of all these calls, where the table does not say.
    #[arg(long)]
    agent: Option<String>,
    /// Campaign of all these calls, where the table does not say.
    #[arg(long)]
    campaign: Option<String>,
    /// Region of all these calls, where the table does not say.
    #[arg(long)]
    region: Option<String>,
    /// Hear finished utterances once more with a Whisper model.
    #[arg(long)]
    second_pass: bool,
    /// Paths of the beam search; 1 is greedy.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    beam: Option<u16>,
    /// Hear again what is unchanged.
    #[arg(long)]
    force: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// At the end a summary as JSON on standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(app: &mut App, args: &AnalyzeArgs) -> Result<Exit> {
    let channels = channel_map(app, args)?;
    let inputs = inputs::collect(&args.paths);
    if inputs.files.is_empty() && inputs.failures.is_empty() {
        let endings = inputs::ENDINGS.join(", ");
        return Err(usage(format!(
            "no recordings there\nhint: folders are searched for {endings}"
        )));
    }
    let known = plan::metadata(app, args)?;
    let mut speech = Speech::open(&app.config, &speech_options(app, args))?;
    let _lock = app.config.data.lock()?;
    let store = app.store()?;
    let plan = Plan::make(
        app,
        &store,
        args.out.as_deref(),
        &inputs.files,
        &known,
        &mut speech,
    )?;
    let settings_print = settings_print(channels, &speech);
    let stop = Arc::new(AtomicBool::new(false));
    let progress = Progress::new(
        plan.jobs.len() as u64,
        if args.dry_run { 0 } else { plan.total_ms() },
    );
    let runtime = app.runtime.handle().clone();
    let shared = Shared {
        store: &store,
        runtime: &runtime,
        progress: &progress,
        stop: &stop,
        channels,
        settings_print: &settings_print,
        again: if args.force {
            Again::Always
        } else {
            Again::WhenChanged
        },
    };
    if args.dry_run {
        progress.end();
        return plan.write(app, &inputs.failures, &shared);
    }
    stop_on_signals(app, &stop);
    let report = hear_all(app, args, plan, inputs, &shared)?;
    report.say();
    if args.json {
        report.write_json(&mut app.terminal)?;
    }
    Ok(exit_of(&report))
}

fn hear_all(
    app: &App,
    args: &AnalyzeArgs,
    plan: Plan,
    inputs: Inputs,
    shared: &Shared<'_>,
) -> Result<RunReport> {
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    let store = shared.store;
    let n_files = (plan.jobs.len() + inputs.failures.len()) as u64;
    let run = app
        .runtime
        .block_on(store.begin_run(&clock::now_text(), n_files))?;
    app.runtime
        .block_on(store.save_pending(run, &plan.recordings()))?;
    let mut index = CallIndex::open_to_write(&app.config.data.index())?;
    app.runtime.block_on(index.catch_up(store))?;
    let mut writer = Writer {
        store,
        runtime: shared.runtime,
        index,
        run,
        progress: shared.progress,
        stop: shared.stop,
        report: RunReport::default(),
    };
    for (path, cause) in inputs.failures {
        let path = path.display().to_string();
        shared.progress.note(&format!("failed: {path}: {cause}"));
        writer.report.fail(path, cause);
    }
    for warning in &plan.warnings {
        shared.progress.note(&format!("warning: {warning}"));
    }
    let n_workers = n_workers(app, args).min(plan.jobs.len()).max(1);
    let n_left = run_jobs(plan.jobs, n_workers, shared, |job, outcome| {
        writer.take(&job, outcome)
    });
    shared.progress.end();
    writer.finish(n_left)
}

fn exit_of(report: &RunReport) -> Exit {
    match (report.counts.n_failed, report.n_left) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Stopped,
        _ => Exit::Failed,
    }
}

fn channel_map(app: &App, args: &AnalyzeArgs) -> Result<ChannelMap> {
    if let Some(channel) = args.agent_channel {
        return Ok(ChannelMap::with_agent(channel));
    }
    match (args.channels, &app.config.analyze.channels) {
        (Some(map), _) => Ok(map),
        (None, Some(text)) => text
            .parse()
            .map_err(|cause| usage(format!("`analyze.channels`: {cause}"))),
        (None, None) => Ok(ChannelMap::default()),
    }
}

fn speech_options(app: &App, args: &AnalyzeArgs) -> SpeechOptions {
    let configured = app.config.analyze.hotwords.as_deref();
    let configured = configured.map(|path| crate::config::beside(&app.config, path));
    SpeechOptions {
        model: args.model.clone(),
        hotwords: args.hotwords.clone().or(configured),
        beam: args.beam.map(usize::from),
        engine: args.engine.map(|engine| match engine {
            EngineName::Native | EngineName::Ort => Engine::Ort,
            EngineName::Vosk => Engine::Vosk,
        }),
        networks: match args.engine {
            Some(EngineName::Native) => Networks::Native,
            Some(EngineName::Ort) => Networks::Ort,
            Some(EngineName::Vosk) | None => Networks::Best,
        },
        passes: if args.second_pass {
            Passes::Two
        } else {
            Passes::One
        },
    }
}

fn n_workers(app: &App, args: &AnalyzeArgs) -> usize {
    match args.jobs.unwrap_or(app.config.analyze.jobs) {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n_workers => n_workers,
    }
}

/// Everything beside the model that changes what is heard.
fn settings_print(channels: ChannelMap, speech: &Speech) -> String {
    let text = format!("{channels:?}|{}", speech.language_print());
    hex(&Sha256::digest(text))[..16].to_owned()
}

/// The first Ctrl-C or SIGTERM lets recordings under way end; the second ends the process. That is
/// safe at any time: what is not saved whole is not saved.
fn stop_on_signals(app: &App, stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    app.runtime.spawn(async move {
        if wait_for_signal().await.is_err() {
            return;
        }
        stop.store(true, Ordering::Relaxed);
        crate::terminal::say!("stopping once the recordings under way are heard; again to stop at once\nhint: run the same command again and it goes on where it stopped");
        if wait_for_signal().await.is_ok() {
            std::process::exit(i32::from(Exit::Stopped.code()));
        }
    });
}

#[cfg(unix)]
async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
