//! `auricle rescore`: what past calls are worth by the rules of today.
//!
//! ```text
//! calls ─▶ due ─┬▶ text: work (assess) ─▶ save (store, index) ─┬▶ changes ─▶ terminal, CSV, HTML
//!               └▶ audio: analyze (hear, assess, save) ────────┘
//! ```

mod args;
mod due;
pub(crate) mod ledger;
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
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result};
use auricle_contracts::CallId;
use auricle_report::{Change, Changes, Outline};
use auricle_store::CallRecord;
use indicatif::{ProgressBar, ProgressStyle};

use crate::analyze::{self, HearAgain, RunReport};
use crate::app::App;
use crate::data::WriteLock;
use crate::exit::Exit;
use crate::index::{self, CallIndex, SharedIndex};
use crate::judge::{Asked, Judges};
use crate::selection::Selection;
use crate::terminal::{count, say};
pub(crate) use args::{AudioChoice, RescoreArgs};
use due::Due;
use ledger::{CALLS_A_PAGE, Ledger};
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
    lock: Option<Arc<WriteLock>>,
    /// What goes on meanwhile.
    beside: Option<Beside<'a>>,
    /// Of the whole run: whoever stops the first phase does not want the second.
    stop: Arc<AtomicBool>,
    /// Calls to assess.
    n_due: u64,
    /// What became of those that were looked at and did not fail.
    changes: Changes,
    n_failed: u64,
    is_disk_full: bool,
}

/// A program that goes on while it has calls assessed anew: live calls come first.
#[derive(Clone)]
pub(crate) struct Beside<'a> {
    /// The program's.
    pub(crate) lock: Arc<WriteLock>,
    /// The program's, which writes to it too.
    pub(crate) index: SharedIndex,
    /// Calls that are done with, before a restart too.
    pub(crate) ledger: Ledger<'a>,
    /// A rest after every page of the ledger.
    pub(crate) pause: Duration,
}

/// How often whoever rests looks whether to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Beside<'_> {
    /// Leaves others their turn.
    fn rest(&self, stop: &AtomicBool) {
        let until = Instant::now() + self.pause;
        while !stop.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }
}

/// How a run beside others ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) n_failed: u64,
    /// Calls that nobody looked at: the run was stopped.
    pub(crate) n_left: u64,
    pub(crate) is_disk_full: bool,
}

/// Recordings that are heard between two looks at what came of them.
const RECORDINGS_A_TURN: usize = 8;

/// Does the work of `auricle rescore` beside other work. What came of each call stands in the ledger: calls that stand there
/// are left alone, so that a run that broke off goes on where it was.
pub(crate) fn run_beside(
    app: &App,
    args: &RescoreArgs,
    stop: &Arc<AtomicBool>,
    beside: &Beside<'_>,
) -> Result<Ended> {
    let asked = Asked {
        packs: args.rules.clone(),
        card: args.card.clone(),
    };
    let judges = Judges::load_with(&app.config, &app.config.insight, &asked)?;
    let selection = Selection::read(app, &args.selection)?;
    let mut due = Due::find(app, args, &selection, &judges)?;
    let runtime = app.runtime.handle();
    let done = beside.ledger.calls(runtime)?;
    due.leave_out(&done);
    beside
        .ledger
        .begin(runtime, done.len() as u64 + due.n_calls())?;
    if due.n_calls() > 0 {
        judges.check_models()?;
    }
    let mut run = Run {
        app,
        args,
        selection: &selection,
        judges: &judges,
        lock: (!args.dry_run).then(|| Arc::clone(&beside.lock)),
        beside: Some(beside.clone()),
        stop: Arc::clone(stop),
        n_due: due.n_calls(),
        changes: Changes::default(),
        n_failed: 0,
        is_disk_full: false,
    };
    run.all(due)?;
    Ok(Ended {
        n_failed: run.n_failed,
        n_left: run.n_left(),
        is_disk_full: run.is_disk_full,
    })
}

pub(crate) fn run(app: &mut App, args: &RescoreArgs) -> Result<Exit> {
    let judges = judges(app, args)?;
    let selection = Selection::read(app, &args.selection)?;
    // Before it is known what is due: another run must not change that meanwhile.
    let lock = match args.dry_run {
        true => None,
        false => Some(Arc::new(app.config.data.lock()?)),
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
        beside: None,
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
            if !audio.is_empty() && self.beside.is_none() {
                say!(
                    "of the calls due by their recording only the texts of before are looked at: --dry-run"
                );
            }
            text.extend(audio);
            return self.text(text);
        }
        self.text(text)?;
        match self.beside {
            None => self.audio(&audio),
            Some(_) => {
                let mut turns = audio.chunks(RECORDINGS_A_TURN);
                turns.try_for_each(|some| self.audio(some))
            }
        }
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
                Some(match &self.beside {
                    None => {
                        let index = runtime.block_on(CallIndex::open_to_write(&folder, store))?;
                        Saver::new(store, runtime, SharedIndex::new(index))
                    }
                    Some(beside) => Saver::beside(store, runtime, beside),
                })
            }
        };
        let bar = match self.beside {
            None => bar(calls.len() as u64),
            Some(_) => ProgressBar::hidden(),
        };
        let mut looked_at = self.beside.as_ref().map(|beside| beside.ledger.pages());
        let n_workers = match self.args.jobs {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            jobs => jobs,
        };
        let mut failure = None::<Error>;
        let mut n_taken = 0_usize;
        let mut done = Done {
            changes: &mut self.changes,
            n_failed: &mut self.n_failed,
            bar: &bar,
        };
        rescore_all(calls, n_workers, &shared, |result| {
            // Whoever ends a job does not wait for what is judged and not saved: it is left.
            let is_ended = self.beside.is_some() && self.stop.load(Ordering::Relaxed);
            if failure.is_some() || is_ended {
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
                    let noted = match &mut looked_at {
                        None => Ok(()),
                        Some(pages) => pages.add(runtime, &rescored.change),
                    };
                    done.saved(rescored.change);
                    noted
                }
                (Ok(rescored), Some(saver)) => saver.take(rescored, &mut done),
            };
            n_taken += 1;
            if let Some(beside) = &self.beside
                && n_taken.is_multiple_of(CALLS_A_PAGE)
            {
                beside.rest(&self.stop);
            }
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
        if let Some(pages) = looked_at {
            failure = failure.or(pages.finish(runtime).err());
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
        let asked = HearAgain {
            files,
            judges: self.judges,
            stop: &self.stop,
            lock,
            n_workers: match self.beside {
                None => 0,
                Some(_) => self.args.jobs,
            },
            index: self.beside.as_ref().map(|beside| beside.index.clone()),
        };
        let report = analyze::hear_again(self.app, asked)?;
        report.say();
        self.heard(calls, before, &report)
    }

    /// Takes what became of calls that were to be heard. Those that a stop left alone are neither assessed nor failed.
    fn heard(
        &mut self,
        calls: &[CallRecord],
        before: Vec<Option<Outline>>,
        report: &RunReport,
    ) -> Result<()> {
        let mut looked_at = self.beside.as_ref().map(|beside| beside.ledger.pages());
        let runtime = self.app.runtime.handle();
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
            let change = Change {
                call_id: call_id.clone(),
                metadata: call.recording.metadata.clone(),
                before,
                after,
            };
            if let Some(pages) = &mut looked_at {
                pages.add(runtime, &change)?;
            }
            self.changes.add(change);
        }
        looked_at.map_or(Ok(()), |pages| pages.finish(runtime))
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
