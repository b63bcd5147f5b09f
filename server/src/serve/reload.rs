//! Packs, cards, hotwords and texts of the language model read again while calls go on: all of them or none.
//!
//! ```text
//! SIGHUP, POST /api/v1/reload, files that changed ─▶ read ─▶ check ─▶ in force, for calls that open from now on
//!                                                      └───────└────▶ told what is wrong; all stays as it was
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use auricle_store::Store;
use serde::Serialize;
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::in_force::{Holder, InForce};
use crate::config::{Config, keys_said};
use crate::exit::message_of;
use crate::judge::Judges;
use crate::terminal::say;
use crate::words::Words;

/// Keys, and tables of them, that count at once; the others count at the next start.
const AT_ONCE: [&str; 3] = ["insight", "lm", "analyze.hotwords"];

/// Reads again what calls are heard and judged by.
pub(crate) struct Reloader {
    /// What the program was started with.
    config: Config,
    holder: Arc<Holder>,
    store: Arc<Store>,
    /// One at a time.
    reading: Mutex<()>,
    n_good: AtomicU64,
    n_refused: AtomicU64,
}

/// What was put into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Reloaded {
    /// Fingerprint of packs, cards and what else calls are assessed with.
    rules: String,
    /// Fingerprint of recogniser, language model and hotwords.
    hearing: String,
    /// Names of all packs.
    packs: Vec<String>,
    /// Which of the two fingerprints are others than before: `rules`, `hearing`.
    changed: Vec<&'static str>,
    /// What works, and is hardly what was meant.
    warnings: Vec<String>,
    /// Keys of auricle.toml that changed since the program was started and that count at its next start only.
    at_next_start: Vec<String>,
}

impl Reloader {
    pub(crate) fn new(config: Config, holder: Arc<Holder>, store: Arc<Store>) -> Self {
        Self {
            config,
            holder,
            store,
            reading: Mutex::new(()),
            n_good: AtomicU64::new(0),
            n_refused: AtomicU64::new(0),
        }
    }

    /// Reads and checks everything, and puts it into force; says what came of it. Takes as long as that takes: for a
    /// thread of its own, in a runtime.
    ///
    /// # Errors
    /// What is wrong, with its file and line; then all is as it was.
    pub(crate) fn reload(&self) -> Result<Reloaded> {
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let reloaded = self.read();
        match &reloaded {
            Ok(reloaded) => {
                self.n_good.fetch_add(1, Ordering::Relaxed);
                reloaded.say();
            }
            Err(error) => {
                self.n_refused.fetch_add(1, Ordering::Relaxed);
                say!("not reloaded, all stays as it was: {}", message_of(error));
            }
        }
        reloaded
    }

    fn read(&self) -> Result<Reloaded> {
        let said = Config::load(&self.config.overrides)?;
        let at_next_start = self.at_next_start(&said);
        let config = Config {
            file: said.file,
            analyze: said.analyze,
            lm: said.lm,
            insight: said.insight,
            ..self.config.clone()
        };
        let before = self.holder.now();
        let judges = Judges::load(&config)?;
        judges.check_models()?;
        self.config.live.digits.check(&judges)?;
        let words = Words::load_again(&config, &before.words)?;
        let model = match words.are_those(&before.words) {
            true => Arc::clone(&before.model),
            false => Arc::new(words.given_to(&before.model)),
        };
        // Before any call can be saved with their fingerprints.
        Handle::current().block_on(judges.save_recipes(&self.store))?;
        let next = InForce::new(&config, judges, model, words);
        let is_other = [
            ("rules", next.judges.print() != before.judges.print()),
            ("hearing", next.hearing_print() != before.hearing_print()),
        ];
        let changed = is_other.into_iter().filter(|(_, is_other)| *is_other);
        let packs = next.judges.packs().into_iter();
        let reloaded = Reloaded {
            rules: next.judges.print().to_owned(),
            hearing: next.hearing_print(),
            packs: packs.map(str::to_owned).collect(),
            changed: changed.map(|(name, _)| name).collect(),
            warnings: next.judges.doubts(),
            at_next_start,
        };
        self.holder.put(next);
        Ok(reloaded)
    }

    fn at_next_start(&self, said: &Config) -> Vec<String> {
        let (then, now) = (keys_said(&self.config), keys_said(said));
        let all: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        let counts_now = |key: &str| {
            let is_of = |part: &&str| {
                let rest = key.strip_prefix(part);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            AT_ONCE.iter().any(is_of)
        };
        let others = all
            .into_iter()
            .filter(|key| then.get(*key) != now.get(*key) && !counts_now(key));
        others.cloned().collect()
    }

    /// Times that all was read and put into force.
    pub(crate) fn n_good(&self) -> u64 {
        self.n_good.load(Ordering::Relaxed)
    }

    /// Times that something was wrong.
    pub(crate) fn n_refused(&self) -> u64 {
        self.n_refused.load(Ordering::Relaxed)
    }

    /// Reloads at every SIGHUP, and when files that were read are others than before, looked at every `reload_secs`.
    ///
    /// # Errors
    /// When the system tells of no signals.
    pub(crate) fn begin(self: &Arc<Self>, runtime: &Handle) -> Result<()> {
        reload_at_hangups(self, runtime)?;
        let every = Duration::from_secs(self.config.live.reload_secs);
        if every.is_zero() {
            return Ok(());
        }
        let reloader = Arc::clone(self);
        let mut watched = Watched::new(&reloader.holder.now().files);
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                if watched.look(&reloader.holder.now().files) == Look::Changed {
                    reload_aside(&reloader).await;
                }
            }
        });
        Ok(())
    }
}

impl Reloaded {
    fn say(&self) {
        let changed = match self.changed.as_slice() {
            [] => "nothing changed".to_owned(),
            changed => format!("{} changed", changed.join(" and ")),
        };
        say!(
            "reloaded: {changed}; rules {}, hearing {}",
            self.rules,
            self.hearing
        );
        for warning in &self.warnings {
            say!("warning: {warning}");
        }
        if !self.at_next_start.is_empty() {
            let keys = self.at_next_start.join("`, `");
            say!("note: `{keys}` changed, too, and counts at the next start");
        }
    }
}

/// What came of it is said.
async fn reload_aside(reloader: &Arc<Reloader>) {
    let reloader = Arc::clone(reloader);
    let _ = tokio::task::spawn_blocking(move || reloader.reload().map(drop)).await;
}

/// From now on; without it the signal ends the program.
#[cfg(unix)]
fn reload_at_hangups(reloader: &Arc<Reloader>, runtime: &Handle) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let _in_runtime = runtime.enter();
    let mut hangups = signal(SignalKind::hangup())?;
    let reloader = Arc::clone(reloader);
    runtime.spawn(async move {
        while hangups.recv().await.is_some() {
            reload_aside(&reloader).await;
        }
    });
    Ok(())
}

/// There is no such signal.
#[cfg(not(unix))]
fn reload_at_hangups(_: &Arc<Reloader>, _: &Handle) -> Result<()> {
    Ok(())
}

/// When a file was changed, and its length; `None` where it is not there.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// Files as they were when they were read last.
struct Watched {
    read: BTreeMap<PathBuf, Stamp>,
    /// As they were at the last look, if they were others by then.
    others: Option<BTreeMap<PathBuf, Stamp>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// They are as they were, or are being written.
    Same,
    /// They are others, and were so at the last look: whoever wrote them is done.
    Changed,
}

impl Watched {
    fn new(files: &[PathBuf]) -> Self {
        Self {
            read: stamps(files),
            others: None,
        }
    }

    fn look(&mut self, files: &[PathBuf]) -> Look {
        let now = stamps(files);
        // A file that was not looked at before was read since.
        let is_other = |(path, stamp): (&PathBuf, &Stamp)| {
            let before = self.read.get(path);
            before.is_some_and(|before| before != stamp)
        };
        if !now.iter().any(is_other) {
            self.read = now;
            self.others = None;
            return Look::Same;
        }
        if self.others.as_ref() == Some(&now) {
            self.read = now;
            self.others = None;
            return Look::Changed;
        }
        self.others = Some(now);
        Look::Same
    }
}

fn stamps(files: &[PathBuf]) -> BTreeMap<PathBuf, Stamp> {
    let files = files.iter();
    files.map(|path| (path.clone(), stamp(path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_again_when_they_stay_as_they_were_changed() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["a", "b"].map(|name| folder.path().join(name));
        fs::write(&one, "1").unwrap();
        let files = [one.clone(), other.clone()];
        let mut watched = Watched::new(&files);
        assert_eq!(watched.look(&files), Look::Same);
        fs::write(&one, "12").unwrap();
        assert_eq!(watched.look(&files), Look::Same, "it may be written still");
        fs::write(&one, "123").unwrap();
        assert_eq!(watched.look(&files), Look::Same, "it was");
        assert_eq!(watched.look(&files), Look::Changed);
        assert_eq!(watched.look(&files), Look::Same);
        fs::write(&other, "").unwrap();
        assert_eq!(watched.look(&files), Look::Same);
        assert_eq!(watched.look(&files), Look::Changed, "it is there now");
        // One that was read for the first time is none that changed.
        let more = [one, other, folder.path().join("c")];
        assert_eq!(watched.look(&more), Look::Same);
        fs::write(&more[2], "").unwrap();
        assert_eq!(watched.look(&more), Look::Same);
        assert_eq!(watched.look(&more), Look::Changed);
    }
}
