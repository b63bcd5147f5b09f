//! `auricle analyze`: recordings in, transcripts in store, index and JSON files.

mod args;
pub(crate) mod channels;
mod foresee;
mod glob;
pub(crate) mod hear;
pub(crate) mod inputs;
mod metadata;
mod names;
mod plan;
mod progress;
mod report;
mod save;
mod signals;
pub(crate) mod survey;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use auricle_contracts::CallMetadata;
use auricle_models::registry::Engine;
use auricle_speech::lm::Keeping;

use crate::app::App;
use crate::clock;
use crate::config::{Config, beside};
use crate::data::WriteLock;
use crate::engine::{Passes, Recognition, Speech, SpeechOptions};
use crate::exit::{Exit, usage};
use crate::file_name::digits;
use crate::index::{CallIndex, SharedIndex};
use crate::judge::Judges;
use crate::sources::Networks;
use args::EngineName;
pub(crate) use args::{AnalyzeArgs, AnalyzeConfig};
use channels::ChannelMap;
use inputs::{Inputs, absolute};
use metadata::MetadataTable;
use plan::Plan;
use progress::Progress;
pub(crate) use report::RunReport;
use save::Writer;
pub(crate) use signals::{stop_on_signals, stop_on_signals_saying, wait_for_signal};
use work::{Again, Shared, run_jobs};

/// Digits of a checksum of settings.
const PRINT_DIGITS: usize = 16;

/// What is asked for, before anything is loaded.
struct Request {
    inputs: Inputs,
    channels: ChannelMap,
    said: MetadataTable,
    again: Again,
    out: Option<PathBuf>,
    redacted: Option<PathBuf>,
    n_workers: usize,
    /// One that is open already.
    index: Option<SharedIndex>,
}

/// Recordings that were heard before, to be heard once more.
pub(crate) struct HearAgain<'a> {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) judges: &'a Judges,
    pub(crate) stop: &'a AtomicBool,
    /// Whoever calls holds it: nobody else writes meanwhile, but by the index below.
    pub(crate) lock: &'a WriteLock,
    /// Recordings at a time; 0 for what is configured.
    pub(crate) n_workers: usize,
    /// The search index, where it is open already.
    pub(crate) index: Option<SharedIndex>,
}

pub(crate) fn run(app: &mut App, args: &AnalyzeArgs) -> Result<Exit> {
    let request = Request::read(app, args)?;
    let mut speech = Speech::open(&app.config, &speech_options(app, args))?;
    if args.dry_run {
        return dry_run(app, &request, &mut speech);
    }
    let lock = app.config.data.lock()?;
    let judges = Judges::load(&app.config)?;
    judges.check_models()?;
    judges.say_doubts();
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_signals(app, &stop);
    let report = analyze(app, request, &mut speech, &judges, &stop, &lock)?;
    report.say();
    if args.json {
        report.write_json(&mut app.terminal)?;
    }
    Ok(report.exit())
}

/// Hears recordings that were heard before once more, each with the metadata and the names it has.
pub(crate) fn hear_again(app: &App, asked: HearAgain<'_>) -> Result<RunReport> {
    let n_workers = match asked.n_workers {
        0 => app.config.analyze.jobs,
        n_workers => n_workers,
    };
    let request = Request {
        inputs: Inputs {
            files: asked.files,
            failures: Vec::new(),
        },
        channels: configured_channels(app)?,
        said: MetadataTable::new(CallMetadata::default()),
        again: Again::WhenChanged,
        out: None,
        redacted: None,
        n_workers: workers(n_workers),
        index: asked.index,
    };
    let mut speech = Speech::open(&app.config, &default_speech_options(&app.config))?;
    let (judges, stop, lock) = (asked.judges, asked.stop, asked.lock);
    analyze(app, request, &mut speech, judges, stop, lock)
}

impl Request {
    fn read(app: &App, args: &AnalyzeArgs) -> Result<Self> {
        let channels = channel_map(app, args)?;
        let inputs = inputs::collect(&args.paths);
        if inputs.files.is_empty() && inputs.failures.is_empty() {
            let given = args.paths.iter().map(|path| path.display().to_string());
            let given = given.collect::<Vec<_>>().join("`, `");
            let endings = inputs::ENDINGS.join(", ");
            return Err(usage(format!(
                "no recordings in `{given}`\nhint: folders are searched for {endings}"
            )));
        }
        if let Some(folder) = &args.redact_audio {
            check_apart(folder, &inputs.files)?;
        }
        Ok(Self {
            inputs,
            channels,
            said: plan::metadata(app, args)?,
            again: if args.force {
                Again::Always
            } else {
                Again::WhenChanged
            },
            out: args.out.clone(),
            redacted: args.redact_audio.clone(),
            n_workers: workers(args.jobs.unwrap_or(app.config.analyze.jobs)),
            index: None,
        })
    }
}

/// Copies among recordings would be heard as further calls, and take the place of recordings of their names.
fn check_apart(copies: &Path, recordings: &[PathBuf]) -> Result<()> {
    let copies = absolute(copies);
    let folders: BTreeSet<_> = recordings.iter().filter_map(|file| file.parent()).collect();
    let is_in_copies = |folder: &&Path| absolute(&Path::new(".").join(folder)) == copies;
    match folders.into_iter().find(is_in_copies) {
        None => Ok(()),
        Some(_) => Err(usage(format!(
            "--redact-audio: `{}` holds recordings of this run\nhint: name another folder for copies, outside of what is searched for recordings",
            copies.display()
        ))),
    }
}

/// Only reads.
fn dry_run(app: &mut App, request: &Request, speech: &mut dyn Recognition) -> Result<Exit> {
    let store = foresee::store_to_read(app)?;
    let (files, out) = (&request.inputs.files, request.out.as_deref());
    let plan = Plan::make(app, store.as_ref(), out, files, &request.said, speech)?;
    let known = foresee::Known {
        store: store.as_ref(),
        settings_print: &settings_print(request.channels, speech),
        again: request.again,
    };
    foresee::write(app, &plan, &request.inputs.failures, &known)
}

/// Whoever calls holds the lock: nobody else writes meanwhile.
fn analyze(
    app: &App,
    request: Request,
    speech: &mut dyn Recognition,
    judges: &Judges,
    stop: &AtomicBool,
    _lock: &WriteLock,
) -> Result<RunReport> {
    let store = app.store()?;
    app.runtime.block_on(judges.save_recipes(&store))?;
    let (files, out) = (&request.inputs.files, request.out.as_deref());
    let plan = Plan::make(app, Some(&store), out, files, &request.said, speech)?;
    let shared = Shared {
        store: &store,
        runtime: app.runtime.handle(),
        progress: &Progress::new(plan.jobs.len() as u64, plan.total_ms()),
        stop,
        channels: request.channels,
        settings_print: &settings_print(request.channels, speech),
        again: request.again,
        judges,
        redacted: request.redacted.as_deref(),
    };
    hear_all(app, &request, plan, &shared)
}

fn hear_all(app: &App, request: &Request, plan: Plan, shared: &Shared<'_>) -> Result<RunReport> {
    for folder in request.out.iter().chain(&request.redacted) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    let mut writer = begin(app, request, &plan, shared)?;
    for (path, cause) in &request.inputs.failures {
        let path = path.display().to_string();
        shared.progress.note(&format!("failed: {path}: {cause}"));
        writer.report.fail(path, cause);
    }
    for warning in &plan.warnings {
        shared.progress.note(&format!("warning: {warning}"));
    }
    let n_workers = request.n_workers.min(plan.jobs.len()).max(1);
    let n_left = run_jobs(plan.jobs, n_workers, shared, |finished| {
        writer.take(finished);
    });
    shared.progress.end();
    Ok(writer.finish(n_left))
}

/// Notes the run and its calls in the store, and brings the index up to date.
fn begin<'a>(app: &App, request: &Request, plan: &Plan, shared: &Shared<'a>) -> Result<Writer<'a>> {
    let store = shared.store;
    let n_files = (plan.jobs.len() + request.inputs.failures.len()) as u64;
    let run = app
        .runtime
        .block_on(store.begin_run(&clock::now_text(), n_files))?;
    app.runtime
        .block_on(store.save_pending(run, &plan.recordings()))?;
    let index = match &request.index {
        Some(index) => index.clone(),
        None => {
            let folder = app.config.data.index();
            let index = CallIndex::open_to_write(&folder, store);
            SharedIndex::new(app.runtime.block_on(index)?)
        }
    };
    {
        let mut index = index.lock();
        let caught_up = index.catch_up(store, shared.judges, shared.stop);
        app.runtime.block_on(caught_up)?;
    }
    Ok(Writer {
        store,
        runtime: shared.runtime,
        index,
        run,
        progress: shared.progress,
        stop: shared.stop,
        judges: shared.judges,
        report: RunReport::default(),
    })
}

fn channel_map(app: &App, args: &AnalyzeArgs) -> Result<ChannelMap> {
    if let Some(channel) = args.agent_channel {
        return Ok(ChannelMap::with_agent(channel));
    }
    match args.channels {
        Some(map) => Ok(map),
        None => configured_channels(app),
    }
}

pub(crate) fn configured_channels(app: &App) -> Result<ChannelMap> {
    match &app.config.analyze.channels {
        Some(text) => text
            .parse()
            .map_err(|cause| usage(format!("`analyze.channels`: {cause}"))),
        None => Ok(ChannelMap::default()),
    }
}

fn speech_options(app: &App, args: &AnalyzeArgs) -> SpeechOptions {
    let default = default_speech_options(&app.config);
    SpeechOptions {
        model: args.model.clone(),
        hotwords: args.hotwords.clone().or(default.hotwords),
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
        keeping: if args.dry_run {
            Keeping::Nothing
        } else {
            Keeping::InFolder
        },
    }
}

/// What is asked of recognition where no option says otherwise.
pub(crate) fn default_speech_options(config: &Config) -> SpeechOptions {
    let hotwords = config.analyze.hotwords();
    SpeechOptions {
        model: None,
        hotwords: hotwords.map(|path| beside(config, path)),
        beam: None,
        engine: None,
        networks: Networks::Best,
        passes: Passes::One,
        keeping: Keeping::InFolder,
    }
}

fn workers(jobs: usize) -> usize {
    match jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n_workers => n_workers,
    }
}

/// Everything beside the model that changes what is heard.
fn settings_print(channels: ChannelMap, speech: &dyn Recognition) -> String {
    let text = format!("{}|{}", channels.print(), speech.language_print());
    digits(&text, PRINT_DIGITS)
}
