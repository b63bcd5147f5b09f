//! `auricle rescore`: what past calls are worth by the rules of today.
//!
//! ```text
//! calls ─▶ due ─┬▶ text: work (assess) ─▶ save (store, index) ─┬▶ changes ─▶ terminal, CSV, HTML
//!               └▶ audio: analyze (hear, assess, save) ────────┘
//! ```

mod args;
mod due;
mod report;
mod save;
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use auricle_report::{Change, Changes, Outline};
use auricle_store::CallRecord;
use indicatif::{ProgressBar, ProgressStyle};

use crate::analyze;
use crate::app::App;
use crate::exit::Exit;
use crate::index::CallIndex;
use crate::judge::{InsightConfig, Judges};
use crate::selection::Selection;
use crate::terminal::{count, say};
pub(crate) use args::RescoreArgs;
use due::Due;
use save::Saver;
use work::{Shared, rescore_all};

/// How a run ended.
#[derive(Default)]
struct Ended {
    n_failed: u64,
    n_left: u64,
}

pub(crate) fn run(app: &mut App, args: &RescoreArgs) -> Result<Exit> {
    let judges = judges(app, args)?;
    let selection = Selection::read(app, &args.selection)?;
    let due = Due::find(app, args, &selection, &judges)?;
    say!("{}", due.text());
    let mut changes = Changes::default();
    let mut ended = Ended::default();
    let Due { text, audio, .. } = due;
    rescore_text(
        app,
        args,
        &selection,
        &judges,
        text,
        &mut changes,
        &mut ended,
    )?;
    if !args.dry_run {
        rescore_audio(app, &selection, &audio, &mut changes, &mut ended)?;
    }
    // Workers end when they end; people look for ids.
    changes
        .calls
        .sort_by(|one, other| one.call_id.cmp(&other.call_id));
    report::write(app, args, &changes)?;
    Ok(match (ended.n_failed, ended.n_left) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Stopped,
        _ => Exit::Failed,
    })
}

fn judges(app: &App, args: &RescoreArgs) -> Result<Judges> {
    if args.rules.is_empty() && args.card.is_none() {
        return Judges::load(&app.config);
    }
    // What the command line names is meant for all campaigns, and lies where the command was given.
    let here = std::env::current_dir().context("there is no current folder")?;
    let mut insight = InsightConfig {
        campaigns: Vec::new(),
        ..app.config.insight.clone()
    };
    if !args.rules.is_empty() {
        let is_file = |path: &std::path::PathBuf| path.exists();
        let paths = args.rules.iter();
        insight.packs = paths
            .map(|path| {
                if is_file(path) {
                    here.join(path)
                } else {
                    path.clone()
                }
            })
            .collect();
    }
    if let Some(card) = &args.card {
        insight.card = Some(if card.exists() {
            here.join(card)
        } else {
            card.clone()
        });
    }
    Judges::load_with(&app.config, &insight)
}

fn rescore_text(
    app: &App,
    args: &RescoreArgs,
    selection: &Selection,
    judges: &Judges,
    calls: Vec<CallRecord>,
    changes: &mut Changes,
    ended: &mut Ended,
) -> Result<()> {
    if calls.is_empty() {
        return Ok(());
    }
    // Not for longer: `analyze` takes it for what it hears again.
    let _lock = match args.dry_run {
        true => None,
        false => Some(app.config.data.lock()?),
    };
    let stop = Arc::new(AtomicBool::new(false));
    analyze::stop_on_signals(app, &stop);
    let shared = Shared {
        store: &selection.store,
        runtime: app.runtime.handle(),
        judges,
        stop: &stop,
    };
    let mut saver = match args.dry_run {
        true => None,
        false => {
            let folder = app.config.data.index();
            let index = CallIndex::open_to_write(&folder, &selection.store);
            let index = app.runtime.block_on(index)?;
            Some(Saver::new(&selection.store, app.runtime.handle(), index))
        }
    };
    let bar = bar(calls.len() as u64);
    let n_workers = match args.jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    };
    let mut failure = None;
    let n_workers = n_workers.min(calls.len());
    ended.n_left += rescore_all(calls, n_workers, &shared, |result| {
        bar.inc(1);
        match result {
            Ok(rescored) => {
                let saved = saver.as_mut().map_or(Ok(()), |saver| saver.take(&rescored));
                match saved {
                    Ok(()) => changes.add(rescored.change),
                    Err(error) => {
                        stop.store(true, std::sync::atomic::Ordering::Relaxed);
                        failure.get_or_insert(error);
                    }
                }
            }
            Err(refused) => {
                ended.n_failed += 1;
                let line = format!("failed: `{}`: {}", refused.call_id, refused.cause);
                bar.suspend(|| say!("{line}"));
            }
        }
    });
    bar.finish_and_clear();
    if let Some(error) = failure {
        return Err(error);
    }
    saver.map_or(Ok(()), Saver::finish)
}

/// The recordings are heard by `analyze` itself, which saves what it makes of them.
fn rescore_audio(
    app: &App,
    selection: &Selection,
    calls: &[CallRecord],
    changes: &mut Changes,
    ended: &mut Ended,
) -> Result<()> {
    if calls.is_empty() {
        return Ok(());
    }
    let outline = |call: &CallRecord| -> Option<Outline> {
        let stored = selection.store.assessment(&call.recording.call_id);
        let stored = app.runtime.block_on(stored).ok().flatten()?;
        Some(Outline::of(&stored.assessment))
    };
    let before: Vec<_> = calls.iter().map(outline).collect();
    let files = calls.iter().map(|call| call.recording.path.clone().into());
    let report = analyze::hear_again(app, files.collect())?;
    report.say();
    ended.n_failed += report.counts.n_failed;
    ended.n_left += report.n_left;
    for (call, before) in calls.iter().zip(before) {
        if let Some(after) = outline(call) {
            changes.add(Change {
                call_id: call.recording.call_id.clone(),
                metadata: call.recording.metadata.clone(),
                before,
                after,
            });
        }
    }
    Ok(())
}

fn bar(n_calls: u64) -> ProgressBar {
    // Hidden by itself where standard error is no terminal.
    let bar = ProgressBar::new(n_calls);
    let template = "{bar:30} {percent:>3}%  {pos}/{len} calls  {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// The line before the work.
impl Due {
    fn text(&self) -> String {
        let mut parts = vec![format!(
            "{} by their text",
            count(self.text.len() as u64, "call")
        )];
        if !self.audio.is_empty() {
            let n_audio = count(self.audio.len() as u64, "call");
            parts.push(format!("{n_audio} by their recording"));
        }
        if self.n_up_to_date > 0 {
            parts.push(format!("{} up to date", self.n_up_to_date));
        }
        format!("to assess: {}", parts.join(", "))
    }
}
