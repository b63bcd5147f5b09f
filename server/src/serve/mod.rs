//! `auricle serve`: calls under way, heard and judged while people talk.
//!
//! ```text
//! ingest ─▶ calls ─┬▶ auricle_live ─┬▶ hub ─┬▶ http (WebSocket, Server-Sent Events)
//!                  │                │       └▶ archive ─▶ store ─▶ webhooks
//!                  │                └▶ keeper ─▶ store, index
//!                  └▶ recordings ─▶ spool: heard again after a crash
//! http ─▶ jobs ─▶ store, index
//! ```

mod access;
mod announced;
mod archive;
mod args;
mod calls;
mod config;
mod digits;
mod followers;
mod http;
mod hub;
mod in_force;
mod ingest;
mod jobs;
mod keeper;
mod line_figures;
mod open_files;
pub(crate) mod recordings;
mod reload;
mod tcp;
mod tls;
mod traces;
mod watcher;
mod webhooks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use auricle_contracts::CallMetadata;
use auricle_insight::intent::Language;
use auricle_live::{EndedCall, Live, LiveOutput, MachineClock, Timings, Told};
use crossbeam::channel::{self, Receiver, RecvTimeoutError, Sender};
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::access::Access;
pub(crate) use self::access::Role;
use self::archive::Archivist;
pub(crate) use self::args::ServeArgs;
use self::calls::{CallOver, Calls};
pub(crate) use self::config::LiveConfig;
pub(crate) use self::http::{CallLines, LinesPage, document};
use self::http::{Served, accept, router};
use self::hub::EventHub;
use self::in_force::{Holder, InForce};
pub(crate) use self::ingest::audiohook::Clients as AudioHookClients;
use self::ingest::audiosocket::AudioSocket;
use self::ingest::replay::Replay;
pub(crate) use self::ingest::sip::SipSecrets;
use self::ingest::sip::{Sip, SipDoors};
use self::ingest::websocket::WebSockets;
use self::jobs::{Jobs, Workplace};
use self::keeper::Keeper;
use self::recordings::Recordings;
use self::reload::Reloader;
pub(crate) use self::tls::install as install_tls;
use self::traces::Traces;
pub(crate) use self::watcher::{BEGINS_AFTER, GONE};
use self::webhooks::{Couriers, Webhooks};
use crate::analyze::{configured_channels, default_speech_options, inputs, stop_on_signals_saying};
use crate::app::App;
use crate::engine::{Recognition, Speech, SpeechOptions};
use crate::exit::{Exit, message_of, usage};
use crate::index::{CallIndex, NEVER_STOP, SharedIndex};
use crate::judge::Judges;
use crate::terminal::{count, say};

/// Calls that are over and wait to be saved; then telling waits for the disk, too.
const CALLS_TO_SAVE: usize = 1_024;
/// How often calls that the disk had no room for are tried again.
const SAVE_AGAIN_EVERY: Duration = Duration::from_secs(2);
/// How long calls that the program ends may take to be heard to their end.
const HANG_UP_WITHIN: Duration = Duration::from_secs(60);
/// How long the figures of recordings that were played wait for the last of their calls, and others.
const PLAYED_WITHIN: Duration = Duration::from_secs(10);
/// How long events that were told may take to be written when the program ends.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);
/// How long those who watch and those who send may take to see that the program ends.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked whether the program is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(crate) fn run(app: &mut App, args: &ServeArgs) -> Result<Exit> {
    webhooks::check(&app.config.live.webhooks)?;
    app.config.live.sip.check()?;
    let audiohook = AudioHookClients::read(&app.config)?;
    let mut settings = app.config.live.settings();
    let replay = replay(app, args)?;
    let lock = Arc::new(app.config.data.lock()?);
    open_files::allow_many();
    let address = args.listen.unwrap_or(app.config.live.listen);
    let access = Access::new(&app.config.live.keys, address.ip())?;
    let listener = bind(app, address, "--listen names another port")?;
    let address = listener.local_addr()?;
    let audiosocket = app.config.live.audiosocket.listen;
    let audiosocket = audiosocket
        .map(|address| bind(app, address, "`live.audiosocket.listen` says where"))
        .transpose()?;
    let mut sip_doors = SipDoors::open(&app.config, app.runtime.handle())?;
    let judges = Judges::load(&app.config)?;
    judges.check_models()?;
    app.config.live.digits.check(&judges)?;
    judges.say_doubts();
    let options = SpeechOptions {
        model: args.model.clone(),
        ..default_speech_options(&app.config)
    };
    let mut speech = Speech::open(&app.config, &options)?;
    let model = speech.model_for(&CallMetadata::default())?;
    let store = Arc::new(app.store()?);
    app.runtime.block_on(judges.save_recipes(&store))?;
    let index = app.config.data.index();
    let mut index = app
        .runtime
        .block_on(CallIndex::open_to_write(&index, &store))?;
    let caught_up = index.catch_up(&store, &judges, &NEVER_STOP);
    app.runtime.block_on(caught_up)?;

    let recordings = Recordings::open(&app.config)?.map(Arc::new);
    if let Some(recordings) = &recordings {
        recordings.expire_from_now_on(app.runtime.handle());
    }
    let clock = MachineClock::new();
    let traces = Traces::begin(&app.config.live.traces, &clock)?.map(Arc::new);
    if traces.is_some() {
        settings.timings = Timings::Told;
    }
    let (live, output) = Live::start(settings, &model, Arc::new(clock))?;
    let webhooks = Arc::new(Webhooks::new(&app.config.live.webhooks));
    let archiving = Archivist::begin(
        Arc::clone(&store),
        &app.config.live.events,
        webhooks.subscribers(),
    );
    let (archivist, queue, before_first) = app.runtime.block_on(archiving)?;
    let archive = queue.archive();
    let hub = Arc::new(EventHub::new(before_first, queue));
    let couriers = webhooks.start(&store, app.runtime.handle())?;
    let language = match app.config.speech.language.as_str() {
        "en" => Language::English,
        _ => Language::Mandarin,
    };
    let first = InForce::new(&app.config, judges, model, speech.words().clone());
    // What it loaded is the calls', and ends with them.
    drop(speech);
    let holder = Arc::new(Holder::new(first));
    let reloader = Reloader::new(app.config.clone(), Arc::clone(&holder), Arc::clone(&store));
    let reloader = Arc::new(reloader);
    let calls = Calls::new(
        live,
        Arc::clone(&holder),
        language,
        recordings.clone(),
        Arc::clone(&store),
        &app.config.live.announcements,
        &app.config.live.digits,
    );
    let calls = Arc::new(calls);
    let wall_time = app.config.live.wall_time();
    let sip = sip_doors
        .as_mut()
        .map(|doors| Sip::new(doors, &calls, wall_time, app.runtime.handle()))
        .transpose()?;
    let index = SharedIndex::new(index);
    let (jobs, job_thread) = Jobs::start(Workplace {
        config: app.config.clone(),
        lock: Arc::clone(&lock),
        store: Arc::clone(&store),
        index: index.clone(),
    })?;
    let served = Arc::new(Served {
        calls: Arc::clone(&calls),
        hub: Arc::clone(&hub),
        store: Arc::clone(&store),
        holder,
        reloader: Arc::clone(&reloader),
        config: app.config.clone(),
        access,
        archive,
        webhooks,
        jobs,
        acknowledging: tokio::sync::Mutex::default(),
        n_keys_refused: AtomicU64::new(0),
        sockets: WebSockets::new(
            &calls,
            &hub,
            &app.config.live.websocket,
            app.config.live.wall_time(),
            &app.config.speech.language,
        ),
        audiohook,
        sip,
        is_draining: AtomicBool::new(false),
    });
    let of_keeper = app.runtime.handle().clone();
    let keeper = Keeper::new(store, of_keeper, index, hub, Arc::clone(&calls));
    let stop = Arc::new(AtomicBool::new(false));
    let words = format!(
        "stopping: no more calls are taken; those under way go on for up to {} s and are saved; again to stop at once",
        app.config.live.drain_secs
    );
    stop_on_signals_saying(app, &stop, words);
    let after = After {
        traces,
        archivist: app.runtime.spawn(archivist.run(served.hub.news())),
        couriers,
    };
    if let Some(recordings) = calls.recordings() {
        calls.keep_names(recordings.calls_to_recover());
    }
    let serving = Serving::begin(app, listener, &served, output, keeper, after)?;
    if let Some(listener) = audiosocket {
        say!("listening: AudioSocket on {}", listener.local_addr()?);
        let config = app.config.live.audiosocket.clone();
        let audiosocket = AudioSocket::new(Arc::clone(&calls), config, app.config.live.wall_time());
        app.runtime.spawn(audiosocket.listen(listener));
    }
    if let (Some(sip), Some(doors)) = (&served.sip, sip_doors) {
        app.runtime.block_on(sip.listen(doors))?;
    }
    reloader.begin(app.runtime.handle())?;
    say!("microphone: http://{address}/microphone");
    say!("listening: http://{address} (events: /api/v1/live; stop with Ctrl-C)");
    let n_failed = serving.until_over(&served, replay.as_ref(), args.once, &stop);
    served.jobs.end();
    drain(app, &served);
    let n_unsaved = serving.end(&served)?;
    if job_thread.join().is_err() {
        say!("warning: jobs broke off; the next start goes on with them");
    }
    if let Some(recordings) = &recordings {
        recordings.end();
    }
    if calls.live().has_failed() {
        bail!(
            "a part of the program broke off: calls under way are lost\nhint: start it again, and please report this with the log at level debug"
        );
    }
    say_figures(calls.live(), pace_of(args.speed));
    drop(lock);
    Ok(match n_failed as u64 + n_unsaved {
        0 => Exit::Done,
        _ => Exit::Failed,
    })
}

fn bind(app: &App, address: SocketAddr, hint: &str) -> Result<TcpListener> {
    let listener = app.runtime.block_on(TcpListener::bind(address));
    listener.with_context(|| {
        format!("cannot listen on `{address}`\nhint: another program may listen there; {hint}")
    })
}

fn replay(app: &App, args: &ServeArgs) -> Result<Option<Replay>> {
    if args.replay.is_empty() {
        return Ok(None);
    }
    let found = inputs::collect(&args.replay);
    for (path, cause) in &found.failures {
        say!("failed: {}: {cause}", path.display());
    }
    if found.files.is_empty() {
        return Err(usage("--replay: there are no recordings"));
    }
    Ok(Some(Replay {
        files: found.files,
        channels: configured_channels(app)?,
        speed: args.speed,
        n_calls: args.at_once.max(1),
    }))
}

/// A call that is over and waits to be saved.
struct ToKeep {
    call: EndedCall,
    over: CallOver,
    since: SystemTime,
}

/// What goes on until everything that was told is written.
struct After {
    traces: Option<Arc<Traces>>,
    archivist: tokio::task::JoinHandle<()>,
    couriers: Couriers,
}

/// Everything that runs beside the caller's thread.
struct Serving {
    /// Gives the number of calls that could not be saved.
    keeper: JoinHandle<u64>,
    teller: JoinHandle<()>,
    web: tokio::task::JoinHandle<()>,
    after: After,
    is_over: Arc<AtomicBool>,
    close: watch::Sender<bool>,
    runtime: tokio::runtime::Handle,
}

impl Serving {
    fn begin(
        app: &App,
        listener: TcpListener,
        served: &Arc<Served>,
        output: LiveOutput,
        keeper: Keeper,
        after: After,
    ) -> Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let (close, mut closed) = watch::channel(false);
        let (router, of_web) = (router(Arc::clone(served)), Arc::clone(served));
        let web = app.runtime.spawn(async move {
            let closed = async move {
                let _ = closed.wait_for(|closed| *closed).await;
            };
            accept(listener, router, of_web, closed).await;
        });
        let (ended, to_keep) = channel::bounded(CALLS_TO_SAVE);
        let of_keeper = after.traces.clone();
        let keep = move || keep_all(keeper, &to_keep, of_keeper.as_deref());
        let (of_teller, over) = (Arc::clone(served), Arc::clone(&is_over));
        let traces = after.traces.clone();
        let tell = move || tell(&output, &of_teller, &ended, traces.as_deref(), &over);
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        Ok(Self {
            keeper: thread("keeper").spawn(keep)?,
            teller: thread("teller").spawn(tell)?,
            web,
            after,
            is_over,
            close,
            runtime: app.runtime.handle().clone(),
        })
    }

    /// Plays what is to be played, and waits for a signal unless `once`; gives the number of recordings that failed.
    fn until_over(
        &self,
        served: &Arc<Served>,
        replay: Option<&Replay>,
        once: bool,
        stop: &AtomicBool,
    ) -> usize {
        let calls = &served.calls;
        let recover = async {
            match calls.recordings() {
                Some(recordings) => {
                    recordings
                        .recover(calls, &served.store, &served.hub, stop)
                        .await
                }
                None => Ok(0),
            }
        };
        let play = async {
            match replay {
                Some(replay) => replay.play(calls, stop).await,
                None => 0,
            }
        };
        let broken = async {
            while !self.has_failed() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let (recovered, n_failed) = self.runtime.block_on(async {
            tokio::select! {
                done = async { futures_util::join!(recover, play) } => done,
                () = broken => (Ok(0), 0),
            }
        });
        let n_failed = n_failed
            + recovered.unwrap_or_else(|error| {
                say!("warning: calls are not recovered: {}", message_of(&error));
                1
            });
        let is_over = || {
            let has_failed = served.calls.live().has_failed() || self.has_failed();
            once || has_failed || stop.load(Ordering::Relaxed)
        };
        if let Some(replay) = replay
            && !is_over()
        {
            let until = Instant::now() + PLAYED_WITHIN;
            while calls.live().n_calls() > 0 && Instant::now() < until && !is_over() {
                std::thread::sleep(LOOK_EVERY);
            }
            say_figures(calls.live(), pace_of(replay.speed));
        }
        while !is_over() {
            std::thread::sleep(LOOK_EVERY);
        }
        n_failed
    }

    /// Whether what tells and saves broke off.
    fn has_failed(&self) -> bool {
        let threads = self.keeper.is_finished() || self.teller.is_finished();
        threads || self.after.archivist.is_finished()
    }

    /// Ends the threads; gives the number of calls that could not be saved.
    fn end(self, served: &Served) -> Result<u64> {
        self.is_over.store(true, Ordering::SeqCst);
        let told = self.teller.join();
        told.map_err(|_| anyhow!("telling events broke off"))?;
        let kept = self.keeper.join();
        let n_failed = kept.map_err(|_| anyhow!("saving calls broke off"))?;
        served.hub.end_archive();
        served.hub.close();
        self.close.send_replace(true);
        let After {
            traces,
            archivist,
            couriers,
        } = self.after;
        let archived = async { tokio::time::timeout(WRITTEN_WITHIN, archivist).await };
        match self.runtime.block_on(archived) {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(anyhow!("keeping events broke off")),
            Err(_) => say!("warning: the disk is slow: some events are not kept"),
        }
        self.runtime.block_on(couriers.end());
        if let Some(traces) = traces {
            traces.end();
        }
        // Watchers and senders that never close do not hold the program up.
        let closed = async {
            served.sockets.all_closed().await;
            self.web.await
        };
        let closing = async { tokio::time::timeout(CLOSE_WITHIN, closed).await };
        match self.runtime.block_on(closing) {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(_)) => return Err(anyhow!("the HTTP interface broke off")),
        }
        Ok(n_failed)
    }
}

/// Saves calls as they end; gives the number of those that could not be saved.
fn keep_all(mut keeper: Keeper, ended: &Receiver<ToKeep>, traces: Option<&Traces>) -> u64 {
    loop {
        match ended.recv_timeout(SAVE_AGAIN_EVERY) {
            Ok(ToKeep { call, over, since }) => {
                let id = call.new.id.clone();
                keeper.keep(call, over);
                if let Some(traces) = traces {
                    traces.saved(&id, since);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return keeper.end(),
        }
        keeper.try_again();
    }
}

/// Tells what comes out of the pipeline, until it is over and all is told. Saving is for another thread: it waits for the
/// disk, and alerts do not.
fn tell(
    output: &LiveOutput,
    served: &Served,
    ended: &Sender<ToKeep>,
    traces: Option<&Traces>,
    is_over: &AtomicBool,
) {
    loop {
        // Read first: what came before is there after.
        let was_over = is_over.load(Ordering::SeqCst);
        match output.next(LOOK_EVERY) {
            Some(Told::Happened {
                call_id,
                agent,
                happening,
            }) => {
                if let Some(traces) = traces {
                    traces.happened(&call_id, &happening);
                }
                served.hub.tell(call_id, agent, *happening);
            }
            Some(Told::Timed(times)) => {
                if let Some(traces) = traces {
                    traces.utterance(&times);
                }
            }
            Some(Told::Ended(call)) => {
                let over = served.calls.over(&call.new.id);
                // The keeper is there as long as this is.
                let _ = ended.send(ToKeep {
                    call: *call,
                    over,
                    since: SystemTime::now(),
                });
            }
            None if was_over => return,
            None => {}
        }
    }
}

/// Takes no more calls, waits for those under way, and ends those that go on for too long: what was said in them is kept.
fn drain(app: &App, served: &Served) {
    let live = served.calls.live();
    served.is_draining.store(true, Ordering::SeqCst);
    live.drain();
    if let Some(sip) = &served.sip {
        sip.drain();
    }
    wait_for_calls(live, Duration::from_secs(app.config.live.drain_secs));
    let n_left = live.n_calls();
    // The other sides are told, and what is known of the lines is kept.
    if let Some(sip) = &served.sip {
        app.runtime.block_on(sip.end());
    }
    if n_left > 0 {
        say!(
            "warning: {} ended by the program",
            count(n_left as u64, "call")
        );
        live.hang_up();
        wait_for_calls(live, HANG_UP_WITHIN);
    }
}

fn wait_for_calls(live: &Live, longest: Duration) {
    let until = Instant::now() + longest;
    while live.n_calls() > 0 && !live.has_failed() && Instant::now() < until {
        std::thread::sleep(LOOK_EVERY);
    }
}

const fn pace_of(speed: f64) -> Pace {
    match speed == 1.0 {
        true => Pace::Speech,
        false => Pace::Other,
    }
}

/// Whether sound came as fast as it is spoken: else nobody can say how late a word was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Speech,
    Other,
}

fn say_figures(live: &Live, pace: Pace) {
    let metrics = live.metrics();
    let n_calls = metrics.counts().calls_ended;
    if pace == Pace::Other {
        say!("calls: {n_calls}");
        return;
    }
    let within = |share: f64, histogram: &auricle_live::Histogram| {
        let measured = histogram.read();
        match (measured.count(), measured.within_ms(share)) {
            (0, _) => "none".to_owned(),
            (_, Some(ms)) => format!("{ms} ms"),
            (_, None) => "over 10 s".to_owned(),
        }
    };
    say!(
        "calls: {n_calls}; word to alert: 95 % within {}, where it takes the whole utterance {}; end of silence to final: 99 % within {}; packet to partial: half within {}",
        within(0.95, &metrics.word_to_alert),
        within(0.95, &metrics.word_to_alert_at_end),
        within(0.99, &metrics.end_to_final),
        within(0.5, &metrics.packet_to_partial),
    );
}
