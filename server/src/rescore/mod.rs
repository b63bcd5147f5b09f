//! `auricle rescore`: what past calls are worth by the rules of today.
//!
//! ```text
//! calls ─▶ due ─┬▶ text: work (assess) ─▶ save (store, index) ─┬▶ changes ─▶ terminal, CSV, HTML
//!               └▶ audio: analyze (hear, assess, save) ────────┘
//! ```

mod args;
mod due;
mod report;
mod reviser;
mod save;
#[cfg(test)]
mod tests;
mod work;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Error, Result};
use auricle_contracts::CallId;
use auricle_report::{Change, Changes, Outline};
use auricle_store::CallRecord;
use indicatif::{ProgressBar, ProgressStyle};

use crate::analyze::{self, RunReport};
use crate::app::App;
use crate::data::WriteLock;
use crate::exit::Exit;
use crate::index::{self, CallIndex};
use crate::judge::{Asked, Judges};
use crate::selection::Selection;
use crate::terminal::{count, say};
pub(crate) use args::RescoreArgs;
use due::Due;
use reviser::Reviser;
use save::Saver;
use work::{Refused, Shared, rescore_all};

/// One run: what it works with, and what has come of it so far.
struct Run<'a> {
    app: &'a App,
    args: &'a RescoreArgs,
    selection: &'a Selection,
    judges: &'a Judges,
    /// `None` where nothing is saved.
    lock: Option<WriteLock>,
    /// Of the whole run: whoever stops the first phase does not want the second.
    stop: Arc<AtomicBool>,
    /// Calls to assess.
    n_due: u64,
    /// What became of those that were looked at and did not fail.
    changes: Changes,
    n_failed: u64,
    is_disk_full: bool,
}

pub(crate) fn run(app: &mut App, args: &RescoreArgs) -> Result<Exit> {
    let judges = judges(app, args)?;
    let selection = Selection::read(app, &args.selection)?;
    // Before it is known what is due: another run must not change that meanwhile.
    let lock = match args.dry_run {
        true => None,
        false => Some(app.config.data.lock()?),
    };
    let due = Due::find(app, args, &selection, &judges)?;
    say!("{}", due.text());
    if due.n_calls() > 0 {
        judges.check_models()?;
        judges.say_doubts();
    }
    let mut run = Run {
        app,
        args,
        selection: &selection,
        judges: &judges,
        lock,
        stop: Arc::new(AtomicBool::new(false)),
        n_due: due.n_calls(),
        changes: Changes::default(),
        n_failed: 0,
        is_disk_full: false,
    };
    analyze::stop_on_signals(app, &run.stop);
    let ended = run.all(due);
    let (exit, n_left, mut changes) = (run.exit(), run.n_left(), run.changes);
    // Workers end when they end; people look for ids.
    changes
        .calls
        .sort_by(|one, other| one.call_id.cmp(&other.call_id));
    changes.n_left = n_left;
    // Also after a failure: what was saved before it was changed.
    report::write(app, args, judges.print(), &changes)?;
    if n_left > 0 {
        say!("{} left", count(n_left, "call"));
    }
    ended.map(|()| exit)
}

/// The configured packs and cards, those of the command line in their place. What the command line names is
/// meant for all campaigns, and lies where the command was given; what it does not name stays as configured.
fn judges(app: &App, args: &RescoreArgs) -> Result<Judges> {
    let here = std::env::current_dir().context("there is no current folder")?;
    let named = |path: &PathBuf| match here.join(path).exists() {
        true => here.join(path),
        false => path.clone(),
    };
    let asked = Asked {
        packs: args.rules.iter().map(named).collect(),
        card: args.card.as_ref().map(named),
    };
    Judges::load_with(&app.config, &app.config.insight, &asked)
}

impl Run<'_> {
    /// Calls that were due and nobody looked at, or whose new score is not saved.
    const fn n_left(&self) -> u64 {
        let n_seen = self.changes.n_calls + self.n_failed;
        self.n_due.saturating_sub(n_seen)
    }

    const fn exit(&self) -> Exit {
        match (self.n_failed, self.n_left()) {
            _ if self.is_disk_full => Exit::Failed,
            (0, 0) => Exit::Done,
            (0, _) => Exit::Stopped,
            _ => Exit::Failed,
        }
    }

    fn all(&mut self, due: Due) -> Result<()> {
        let Due {
            mut text, audio, ..
        } = due;
        if self.lock.is_none() {
            if !audio.is_empty() {
                say!(
                    "of the calls due by their recording only the texts of before are looked at: --dry-run"
                );
            }
            text.extend(audio);
            return self.text(text);
        }
        self.text(text)?;
        self.audio(&audio)
    }

    fn text(&mut self, calls: Vec<CallRecord>) -> Result<()> {
        let store = &self.selection.store;
        let runtime = self.app.runtime.handle();
        let folder = self.app.config.data.index();
        if calls.is_empty() {
            // A run that was killed may have left the index behind, or it may be lost: then there is that to do.
            let is_behind = match self.lock {
                None => false,
                Some(_) => runtime.block_on(index::is_behind(&folder, store))?,
            };
            if !is_behind {
                return Ok(());
            }
        }
        let reviser = Reviser::load(self.judges, store, runtime, self.args.force)?;
        let shared = Shared {
            store,
            runtime,
            judge: &|transcript, current| reviser.judge(transcript, current),
            stop: &self.stop,
        };
        let mut saver = match self.lock {
            None => None,
            Some(_) => {
                runtime.block_on(self.judges.save_recipes(store))?;
                let index = runtime.block_on(CallIndex::open_to_write(&folder, store))?;
                Some(Saver::new(store, runtime, index))
            }
        };
        let bar = bar(calls.len() as u64);
        let n_workers = match self.args.jobs {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            jobs => jobs,
        };
        let mut failure = None::<Error>;
        let mut done = Done {
            changes: &mut self.changes,
            n_failed: &mut self.n_failed,
            bar: &bar,
        };
        rescore_all(calls, n_workers, &shared, |result| {
            if failure.is_some() {
                return;
            }
            let taken = match (result, saver.as_mut()) {
                (Err(refused), _) => {
                    done.refused(&refused);
                    Ok(())
                }
                (Ok(rescored), None) => {
                    if let Some(cause) = &rescored.damage {
                        done.damaged(cause);
                    }
                    done.saved(rescored.change);
                    Ok(())
                }
                (Ok(rescored), Some(saver)) => saver.take(rescored, &mut done),
            };
            if let Err(error) = taken {
                self.stop.store(true, Ordering::Relaxed);
                failure = Some(error);
            }
        });
        if let Some(saver) = saver {
            let finished = match failure {
                None => saver.finish(self.judges, &self.stop, &mut done),
                Some(_) => Ok(()),
            };
            failure = failure.or(finished.err());
        }
        bar.finish_and_clear();
        failure.map_or(Ok(()), Err)
    }

    /// The recordings are heard by `analyze` itself, which saves what it makes of them.
    fn audio(&mut self, calls: &[CallRecord]) -> Result<()> {
        let Some(lock) = self.lock.as_ref().filter(|_| !calls.is_empty()) else {
            return Ok(());
        };
        if self.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let before: Vec<_> = calls.iter().map(|call| self.outline(call)).collect();
        let files = calls.iter().map(|call| call.recording.path.clone().into());
        let files = files.collect();
        let report = analyze::hear_again(self.app, files, self.judges, &self.stop, lock)?;
        report.say();
        self.heard(calls, before, &report);
        Ok(())
    }

    /// Takes what became of calls that were to be heard. Those that a stop left alone are neither assessed nor failed.
    fn heard(&mut self, calls: &[CallRecord], before: Vec<Option<Outline>>, report: &RunReport) {
        self.n_failed += report.counts.n_failed;
        self.is_disk_full |= report.is_disk_full;
        let finished: HashSet<&CallId> = report.finished.iter().collect();
        for (call, before) in calls.iter().zip(before) {
            let call_id = &call.recording.call_id;
            if !finished.contains(call_id) {
                continue;
            }
            let Some(after) = self.outline(call) else {
                self.n_failed += 1;
                say!("failed: `{call_id}`: its assessment cannot be read");
                continue;
            };
            self.changes.add(Change {
                call_id: call_id.clone(),
                metadata: call.recording.metadata.clone(),
                before,
                after,
            });
        }
    }

    /// What is in force for a call; `None` where that cannot be read.
    fn outline(&self, call: &CallRecord) -> Option<Outline> {
        let stored = self.selection.store.assessment(&call.recording.call_id);
        let stored = self.app.runtime.block_on(stored).ok().flatten()?;
        Some(Outline::of(&stored.assessment))
    }
}

/// What became of calls, as the writer learns it.
struct Done<'a> {
    changes: &'a mut Changes,
    n_failed: &'a mut u64,
    bar: &'a ProgressBar,
}

impl Done<'_> {
    fn saved(&mut self, change: Change) {
        self.bar.inc(1);
        self.changes.add(change);
    }

    /// Says that nobody can tell what changed in a call.
    fn damaged(&self, cause: &str) {
        let cause = cause.lines().next().unwrap_or_default();
        let line =
            format!("warning: {cause}; it was made anew, and is told as if it were the first");
        self.bar.suspend(|| say!("{line}"));
    }

    fn refused(&mut self, refused: &Refused) {
        self.bar.inc(1);
        *self.n_failed += 1;
        let line = format!("failed: `{}`: {}", refused.call_id, refused.cause);
        self.bar.suspend(|| say!("{line}"));
    }
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
