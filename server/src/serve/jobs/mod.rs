//! Work that goes on beside live calls, one job after the other, on a thread of its own that gives way to theirs.
//!
//! ```text
//! asked for ─▶ store (queued) ─▶ thread (running) ─▶ store (done, failed, cancelled)
//!                                   └─ after a restart: goes on where it was
//! ```

mod rescore;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, bail};
use auricle_contracts::JobState;
use auricle_store::{JobEnd, JobRecord, NewJob, Store};
use crossbeam::channel::{self, Receiver, RecvTimeoutError, Sender};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use self::rescore::{RescoreReport, RescoreRequest};
use crate::app::App;
use crate::clock::unix_ms;
use crate::config::Config;
use crate::data::WriteLock;
use crate::exit::message_of;
use crate::index::SharedIndex;
use crate::panics::guarded;

/// The kind of job that [`RescoreRequest`] asks for.
pub(crate) const RESCORE: &str = "rescore";
/// A panic in a job is that job's failure.
const DEFECT: &str = "this job makes Auricle fail; please report it, with the log at level debug";
/// How long the thread waits where the store says nothing.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// Live calls have ten times the share of a processor that both want (`setpriority(2)`: a tenth less for each step).
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// `[live.jobs]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JobsConfig {
    /// Jobs that wait or are at work; more are refused.
    #[schemars(range(min = 1, max = 1_000))]
    pub(crate) most: u64,
    /// How long a job rests after every 16 calls.
    #[schemars(range(min = 0, max = 10_000))]
    pub(crate) pause_ms: u64,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            most: 16,
            pause_ms: 20,
        }
    }
}

/// What jobs work with.
pub(crate) struct Workplace {
    pub(crate) config: Config,
    pub(crate) lock: Arc<WriteLock>,
    pub(crate) store: Arc<Store>,
    pub(crate) index: SharedIndex,
}

/// Takes jobs, and knows the one at work.
pub(crate) struct Jobs {
    store: Arc<Store>,
    config: JobsConfig,
    at_work: Mutex<Option<AtWork>>,
    is_ending: AtomicBool,
    wake: Sender<()>,
}

struct AtWork {
    id: u64,
    stop: Arc<AtomicBool>,
    is_cancelled: bool,
}

/// What a job may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// It is, or will be in a moment.
    Yes,
    /// It was over before.
    Over,
}

impl Jobs {
    /// Starts the thread, which goes on with what an earlier run of the program left.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(workplace: Workplace) -> Result<(Arc<Self>, JoinHandle<()>)> {
        // One place: whoever is woken looks for all there is.
        let (wake, woken) = channel::bounded(1);
        let jobs = Arc::new(Self {
            store: Arc::clone(&workplace.store),
            config: workplace.config.live.jobs.clone(),
            at_work: Mutex::new(None),
            is_ending: AtomicBool::new(false),
            wake,
        });
        let of_thread = Arc::clone(&jobs);
        let thread = std::thread::Builder::new().name("jobs".to_owned());
        let thread = thread.spawn(move || {
            give_way();
            of_thread.work(&workplace, &woken);
        })?;
        Ok((jobs, thread))
    }

    /// Adds a job behind the others; `None` where as many are open as may.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn add(
        &self,
        request: &RescoreRequest,
        asked_by: String,
    ) -> Result<Option<u64>> {
        let new = NewJob {
            kind: RESCORE.to_owned(),
            request: serde_json::to_string(request)?,
            asked_by,
            unix_ms: unix_ms(),
        };
        let id = self.store.add_job(&new, self.config.most).await?;
        // Where there is one already it is enough.
        let _ = self.wake.try_send(());
        Ok(id)
    }

    /// Jobs that may be open.
    pub(crate) const fn most(&self) -> u64 {
        self.config.most
    }

    /// Cancels a job that waits, and has the one at work end: what it did until then stays.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn cancel(&self, id: u64) -> Result<Cancelled> {
        if self.store.cancel_queued_job(id, unix_ms()).await? {
            return Ok(Cancelled::Yes);
        }
        let mut at_work = self.at_work();
        Ok(match at_work.as_mut().filter(|at_work| at_work.id == id) {
            Some(at_work) => {
                at_work.is_cancelled = true;
                at_work.stop.store(true, Ordering::SeqCst);
                Cancelled::Yes
            }
            None => Cancelled::Over,
        })
    }

    /// The program ends: the job at work stops where it is, and the next start goes on with it.
    pub(crate) fn end(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
        if let Some(at_work) = &*self.at_work() {
            at_work.stop.store(true, Ordering::SeqCst);
        }
        let _ = self.wake.try_send(());
    }

    fn work(&self, workplace: &Workplace, woken: &Receiver<()>) {
        let app = match App::beside(workplace.config.clone()) {
            Ok(app) => app,
            Err(error) => return tracing::error!("no jobs are done: {}", message_of(&error)),
        };
        while !self.is_ending.load(Ordering::SeqCst) {
            let done = self.next(&app, workplace).inspect_err(|error| {
                tracing::error!("jobs: {}", message_of(error));
            });
            let waited = match done {
                Ok(true) => Ok(()),
                Ok(false) => woken.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Err(_) => woken.recv_timeout(TRY_AGAIN_AFTER),
            };
            if waited == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
    }

    /// Does the next job, or goes on with it; `false` where there is none.
    fn next(&self, app: &App, workplace: &Workplace) -> Result<bool> {
        let Some(job) = app.runtime.block_on(self.store.next_job())? else {
            return Ok(false);
        };
        let stop = Arc::new(AtomicBool::new(false));
        *self.at_work() = Some(AtWork {
            id: job.id,
            stop: Arc::clone(&stop),
            is_cancelled: false,
        });
        // Told before it was known that there is a job to be stopped.
        if self.is_ending.load(Ordering::SeqCst) {
            return Ok(true);
        }
        let begun = app
            .runtime
            .block_on(self.store.begin_job(job.id, unix_ms()));
        let ended = match begun {
            Ok(true) => guarded(DEFECT, || self.one(app, workplace, &job, &stop)),
            // It was cancelled meanwhile.
            Ok(false) => Ok(None),
            Err(error) => Err(error.into()),
        };
        let end = match ended {
            Ok(end) => end,
            Err(error) => Some(JobEnd {
                state: JobState::Failed,
                unix_ms: unix_ms(),
                n_failed: 0,
                error: Some(message_of(&error)),
                report: None,
            }),
        };
        let ended = match end {
            Some(end) => app.runtime.block_on(self.store.end_job(job.id, &end)),
            None => Ok(()),
        };
        *self.at_work() = None;
        ended?;
        Ok(true)
    }

    /// How it ended; `None` where the next start goes on with it.
    fn one(
        &self,
        app: &App,
        workplace: &Workplace,
        job: &JobRecord,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<JobEnd>> {
        if job.kind != RESCORE {
            bail!("there are no jobs of kind `{}`", job.kind);
        }
        let request: RescoreRequest = serde_json::from_str(&job.request)?;
        let done = rescore::run(app, workplace, job.id, &request, stop)?;
        let is_cancelled = self.at_work().as_ref().is_some_and(|job| job.is_cancelled);
        let (state, error) = match done.ended.n_left {
            _ if done.ended.is_disk_full => (JobState::Failed, Some("the disk is full".to_owned())),
            0 => (JobState::Done, None),
            _ if is_cancelled => (JobState::Cancelled, None),
            _ if self.is_ending.load(Ordering::SeqCst) => return Ok(None),
            n_left => {
                let error = format!("`{n_left}` calls are left: the log says why");
                (JobState::Failed, Some(error))
            }
        };
        Ok(Some(JobEnd {
            state,
            unix_ms: unix_ms(),
            n_failed: done.ended.n_failed,
            error,
            report: Some(serde_json::to_string(&done.report)?),
        }))
    }

    fn at_work(&self) -> MutexGuard<'_, Option<AtWork>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This thread, and those that it starts, come after the others where processors are short.
fn give_way() {
    // Elsewhere than on Linux it would be the whole process.
    #[cfg(target_os = "linux")]
    if let Err(cause) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!("jobs do not give way to live calls: {cause}");
    }
}
