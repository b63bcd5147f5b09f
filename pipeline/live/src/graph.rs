//! The stages put together: queues between them, calls into them, threads under them.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use auricle_contracts::{CallId, CallMetadata};
use auricle_progress::LegEnd;
use auricle_speech::{Ear, Feeder, SpeechError, SpeechModel};
use crossbeam::queue::ArrayQueue;
use crossbeam::sync::Parker;
use rtrb::RingBuffer;
use thiserror::Error;

use crate::call::{CallNumber, LegKey, LegProgress, NewCall};
use crate::clock::Clock;
use crate::feed::LegFeed;
use crate::front::{Front, FrontLeg, MARKS_WAITING, SPEECH_WAITING_MS};
use crate::judge::{Described, JudgeCalls, JudgedCall};
use crate::metrics::Metrics;
use crate::outlet::{EVENTS_WAITING, Outlet, Told};
use crate::recognise::{REPORTS_WAITING, Recognise, Report, SpeechLeg};
use crate::stage::{Stage, Turn};

/// Calls that were opened and that a stage has not seen yet: a storm of them in the few milliseconds of a turn.
const ARRIVALS_WAITING: usize = 1_024;
/// More legs than any call has.
const MOST_LEGS: usize = 8;

/// How many threads, and how many calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSettings {
    /// Threads of the front end.
    pub n_front: NonZeroUsize,
    /// Threads of recognition: where the time goes.
    pub n_recognise: NonZeroUsize,
    /// Threads of judgement.
    pub n_judge: NonZeroUsize,
    /// Calls at a time; more are refused.
    pub most_calls: usize,
    /// How long a stage with nothing to do sleeps, milliseconds.
    pub idle_ms: u64,
    /// Whether it is told how long each utterance was on its way.
    pub timings: Timings,
}

/// Whether [`Told::Timed`] is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timings {
    /// Nobody asks.
    #[default]
    Unasked,
    /// For each utterance, before its final.
    Told,
}

impl Default for LiveSettings {
    fn default() -> Self {
        let one = NonZeroUsize::MIN;
        Self {
            n_front: one,
            n_recognise: std::thread::available_parallelism().unwrap_or(one),
            n_judge: one,
            most_calls: 1_000,
            idle_ms: 5,
            timings: Timings::default(),
        }
    }
}

/// A call was not taken in.
#[derive(Debug, Error)]
pub enum OpenError {
    /// As many calls as are allowed are under way.
    #[error(
        "`{n_calls}` calls are under way, which is the most allowed\nhint: raise `live.most_calls`, or add a machine"
    )]
    TooMany {
        /// Calls under way.
        n_calls: usize,
    },
    /// Too many calls in too short a time.
    #[error("calls come faster than they can be opened\nhint: try again in a second")]
    Busy,
    /// No leg, or too many.
    #[error("a call has 1 to {MOST_LEGS} legs, got `{n_legs}`")]
    Legs {
        /// Asked for.
        n_legs: usize,
    },
    /// The rate of a leg.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The pipeline takes no more calls.
    #[error("no call is taken in any more: the program is about to end")]
    Draining,
}

/// The pipeline cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A network cannot be made.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}\nhint: look at the limits of processes and memory")]
    Thread(#[from] std::io::Error),
}

/// Room of the queues that all calls of a stage share; those of a leg are where its legs are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Between recognition and judgement.
    pub(crate) reports: usize,
    /// Out of the pipeline.
    pub(crate) events: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            reports: REPORTS_WAITING,
            events: EVENTS_WAITING,
        }
    }
}

/// The stages, not yet on threads.
pub(crate) struct Graph {
    pub(crate) fronts: Vec<Front>,
    pub(crate) recognisers: Vec<Recognise>,
    pub(crate) judges: Vec<JudgeCalls>,
    pub(crate) doors: Doors,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) parker: Parker,
}

/// Where calls come in.
pub(crate) struct Doors {
    settings: LiveSettings,
    clock: Arc<dyn Clock>,
    fronts: Vec<Arc<ArrayQueue<FrontLeg>>>,
    recognisers: Vec<Arc<ArrayQueue<SpeechLeg>>>,
    judges: Vec<JudgeDoor>,
    next: AtomicU64,
    n_calls: Arc<AtomicU64>,
    is_draining: AtomicBool,
    /// Legs end by themselves.
    hang_up: Arc<AtomicBool>,
    /// One call is opened at a time: room that was seen is still there when it is taken.
    opening: Mutex<()>,
    metrics: Arc<Metrics>,
}

struct JudgeDoor {
    arrivals: Arc<ArrayQueue<JudgedCall>>,
    described: Arc<ArrayQueue<Described>>,
    reports: Arc<ArrayQueue<Report>>,
}

impl Graph {
    /// `model` gives the voice activity networks, which all models share.
    pub(crate) fn new(
        settings: LiveSettings,
        bounds: Bounds,
        model: &SpeechModel,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SpeechError> {
        let metrics = Arc::new(Metrics::default());
        let parker = Parker::new();
        let n_calls = Arc::new(AtomicU64::new(0));
        let hang_up = Arc::new(AtomicBool::new(false));
        let unparker = parker.unparker().clone();
        let outlet = Arc::new(Outlet::new(bounds.events, unparker, Arc::clone(&n_calls)));
        let (mut fronts, mut front_doors) = (Vec::new(), Vec::new());
        for _ in 0..settings.n_front.get() {
            let arrivals = Arc::new(ArrayQueue::new(ARRIVALS_WAITING));
            let vad = model.borrow_vad()?;
            fronts.push(Front::new(
                Arc::clone(&arrivals),
                vad,
                Arc::clone(&hang_up),
                Arc::clone(&clock),
                Arc::clone(&metrics),
            ));
            front_doors.push(arrivals);
        }
        let (mut recognisers, mut speech_doors) = (Vec::new(), Vec::new());
        for _ in 0..settings.n_recognise.get() {
            let arrivals = Arc::new(ArrayQueue::new(ARRIVALS_WAITING));
            recognisers.push(Recognise::new(
                Arc::clone(&arrivals),
                Arc::clone(&clock),
                Arc::clone(&metrics),
            ));
            speech_doors.push(arrivals);
        }
        let (mut judges, mut judge_doors) = (Vec::new(), Vec::new());
        for _ in 0..settings.n_judge.get() {
            let door = JudgeDoor {
                arrivals: Arc::new(ArrayQueue::new(ARRIVALS_WAITING)),
                described: Arc::new(ArrayQueue::new(ARRIVALS_WAITING)),
                reports: Arc::new(ArrayQueue::new(bounds.reports)),
            };
            judges.push(JudgeCalls::new(
                Arc::clone(&door.arrivals),
                Arc::clone(&door.described),
                Arc::clone(&door.reports),
                Arc::clone(&outlet),
                Arc::clone(&clock),
                settings.timings,
                Arc::clone(&metrics),
            ));
            judge_doors.push(door);
        }
        let doors = Doors {
            settings,
            clock,
            fronts: front_doors,
            recognisers: speech_doors,
            judges: judge_doors,
            next: AtomicU64::new(0),
            n_calls,
            is_draining: AtomicBool::new(false),
            hang_up,
            opening: Mutex::new(()),
            metrics,
        };
        Ok(Self {
            fronts,
            recognisers,
            judges,
            doors,
            outlet,
            parker,
        })
    }

    /// One turn of every stage, in order: what threads do, for tests that bring their own clock.
    #[cfg(test)]
    pub(crate) fn turn(&mut self) -> Turn {
        let mut turn = Turn::Idle;
        for front in &mut self.fronts {
            turn = turn.and(front.turn());
        }
        for recognise in &mut self.recognisers {
            turn = turn.and(recognise.turn());
        }
        for judge in &mut self.judges {
            turn = turn.and(judge.turn());
        }
        turn
    }
}

impl Doors {
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn open(&self, new: NewCall) -> Result<Vec<LegFeed>, OpenError> {
        let opened = self.try_open(new);
        match &opened {
            Ok(_) => self.metrics.call_opened(),
            Err(_) => self.metrics.call_refused(),
        }
        opened
    }

    pub(crate) fn describe(&self, id: &CallId, metadata: &CallMetadata) -> Result<(), OpenError> {
        // Only the one that has the call takes it: which that is, its number says, and nobody knows that here.
        for judge in &self.judges {
            let described = Described {
                id: id.clone(),
                metadata: metadata.clone(),
            };
            let put = judge.described.push(described);
            put.map_err(|_| OpenError::Busy)?;
        }
        Ok(())
    }

    /// A call is judged, recognised and heard by one worker each, told by its number.
    fn try_open(&self, new: NewCall) -> Result<Vec<LegFeed>, OpenError> {
        let n_legs = new.legs.len();
        if n_legs == 0 || n_legs > MOST_LEGS {
            return Err(OpenError::Legs { n_legs });
        }
        let parts: Result<Vec<LegParts>, SpeechError> = new
            .legs
            .iter()
            .map(|leg| LegParts::new(leg.rate_hz, &new, &self.clock))
            .collect();
        let parts = parts?;
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_draining.load(Ordering::SeqCst) {
            return Err(OpenError::Draining);
        }
        let n_calls = self.n_calls.load(Ordering::SeqCst) as usize;
        if n_calls >= self.settings.most_calls {
            return Err(OpenError::TooMany { n_calls });
        }
        let number = CallNumber(self.next.fetch_add(1, Ordering::Relaxed));
        let front = of(&self.fronts, number);
        let speech = of(&self.recognisers, number);
        let judge = of(&self.judges, number);
        if judge.arrivals.is_full()
            || speech.len() + n_legs > speech.capacity()
            || front.len() + n_legs > front.capacity()
        {
            return Err(OpenError::Busy);
        }
        self.n_calls.fetch_add(1, Ordering::SeqCst);
        let (party, model) = (
            new.legs.iter().map(|leg| leg.party).collect::<Vec<_>>(),
            Arc::clone(&new.model),
        );
        let pad_after_ms = new.endpoint().pad_after_ms;
        let progress = parts.iter().map(|leg| Arc::clone(&leg.progress)).collect();
        // From the end to the beginning, so that whatever comes finds its call. There is room: only this thread adds.
        let _ = judge.arrivals.push(JudgedCall {
            number,
            new,
            progress,
        });
        let mut feeds = Vec::with_capacity(n_legs);
        for (leg, (parts, party)) in parts.into_iter().zip(party).enumerate() {
            let key = LegKey { call: number, leg };
            let _ = speech.push(SpeechLeg {
                key,
                party,
                model: Arc::clone(&model),
                pad_after_ms,
                rate_hz: parts.ear.speech_rate_hz(),
                feeder: parts.feeder,
                samples: parts.samples.1,
                marks: parts.marks.1,
                progress: Arc::clone(&parts.progress),
                ended: Arc::clone(&parts.ended),
                reports: Arc::clone(&judge.reports),
            });
            let _ = front.push(FrontLeg {
                packets: parts.packets,
                rate_hz: parts.feed.rate_hz(),
                ear: parts.ear,
                samples: parts.samples.0,
                marks: parts.marks.0,
                progress: parts.progress,
                ended: parts.ended,
            });
            feeds.push(parts.feed);
        }
        Ok(feeds)
    }
}

/// Workers are taken in turn: calls are alike.
fn of<T>(workers: &[T], number: CallNumber) -> &T {
    &workers[number.0 as usize % workers.len()]
}

/// What a leg consists of.
struct LegParts {
    feed: LegFeed,
    packets: rtrb::Consumer<crate::packet::Packet>,
    ear: Ear,
    feeder: Feeder,
    samples: (rtrb::Producer<f32>, rtrb::Consumer<f32>),
    marks: (
        rtrb::Producer<crate::front::Mark>,
        rtrb::Consumer<crate::front::Mark>,
    ),
    progress: Arc<LegProgress>,
    ended: Arc<LegEnd>,
}

impl LegParts {
    fn new(rate_hz: u32, call: &NewCall, clock: &Arc<dyn Clock>) -> Result<Self, SpeechError> {
        let model = &call.model;
        let ear = Ear::with_endpoint(rate_hz, model, call.endpoint())?;
        let progress = Arc::new(LegProgress::new());
        let (feed, packets) = LegFeed::new(Arc::clone(clock), Arc::clone(&progress), rate_hz);
        let waiting = ear.speech_rate_hz() as usize * SPEECH_WAITING_MS / 1000;
        Ok(Self {
            feed,
            packets,
            feeder: Feeder::new(ear.speech_rate_hz(), model.rate_hz())?,
            samples: RingBuffer::new(ear.most_speech_samples() + waiting),
            marks: RingBuffer::new(MARKS_WAITING),
            ear,
            progress,
            ended: Arc::new(LegEnd::default()),
        })
    }
}

/// The pipeline at work. Dropped, it ends at once; [`Live::drain`] lets calls under way end first.
pub struct Live {
    doors: Doors,
    outlet: Arc<Outlet>,
    stop: Arc<AtomicBool>,
    has_failed: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Tells when a stage's thread ends by a panic.
struct Alarm(Arc<AtomicBool>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

/// What the pipeline tells, to be read by one thread.
pub struct LiveOutput {
    outlet: Arc<Outlet>,
    parker: Parker,
}

impl Live {
    /// Starts the threads. `model` gives the voice activity networks, which all models share.
    ///
    /// # Errors
    /// When a network cannot be made, or a thread.
    pub fn start(
        settings: LiveSettings,
        model: &SpeechModel,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, LiveOutput), StartError> {
        let graph = Graph::new(settings, Bounds::default(), model, clock)?;
        let mut live = Self {
            doors: graph.doors,
            outlet: Arc::clone(&graph.outlet),
            stop: Arc::new(AtomicBool::new(false)),
            has_failed: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
        };
        let idle = Duration::from_millis(settings.idle_ms);
        for (place, stage) in graph.fronts.into_iter().enumerate() {
            live.spawn(&format!("front-{place}"), stage, idle)?;
        }
        for (place, stage) in graph.recognisers.into_iter().enumerate() {
            live.spawn(&format!("recognise-{place}"), stage, idle)?;
        }
        for (place, stage) in graph.judges.into_iter().enumerate() {
            live.spawn(&format!("judge-{place}"), stage, idle)?;
        }
        let output = LiveOutput {
            outlet: graph.outlet,
            parker: graph.parker,
        };
        Ok((live, output))
    }

    fn spawn(
        &mut self,
        name: &str,
        mut stage: impl Stage + 'static,
        idle: Duration,
    ) -> std::io::Result<()> {
        let stop = Arc::clone(&self.stop);
        let alarm = Alarm(Arc::clone(&self.has_failed));
        let run = move || {
            let _alarm = alarm;
            while !stop.load(Ordering::Relaxed) {
                if stage.turn() == Turn::Idle {
                    std::thread::sleep(idle);
                }
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned());
        self.threads.push(thread.spawn(run)?);
        Ok(())
    }

    /// Takes a call in: a feed for each leg. The call is over when all of them are dropped.
    ///
    /// # Errors
    /// When it cannot be taken in; then nothing of it is told.
    pub fn open(&self, new: NewCall) -> Result<Vec<LegFeed>, OpenError> {
        self.doors.open(new)
    }

    /// This is known of a call under way from now on: events, rules that ask for it and its transcript have it. It goes on
    /// by the packs that it began with. Nothing happens where no such call is under way.
    ///
    /// # Errors
    /// `Busy`, where too much of this comes in too short a time.
    pub fn describe(&self, id: &CallId, metadata: &CallMetadata) -> Result<(), OpenError> {
        self.doors.describe(id, metadata)
    }

    /// Takes no more calls in.
    pub fn drain(&self) {
        self.doors.is_draining.store(true, Ordering::SeqCst);
    }

    /// Ends all calls under way as if their senders had: what came of them is heard to its end and told.
    pub fn hang_up(&self) {
        self.drain();
        self.doors.hang_up.store(true, Ordering::SeqCst);
    }

    /// Whether calls under way were ended by [`Self::hang_up`].
    pub fn is_hung_up(&self) -> bool {
        self.doors.hang_up.load(Ordering::SeqCst)
    }

    /// Whether a stage broke off, by a defect: nothing more can be expected of the calls that it has.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst)
    }

    /// Calls under way, those included that are over and not yet told.
    pub fn n_calls(&self) -> usize {
        self.doors.n_calls.load(Ordering::SeqCst) as usize
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        self.doors.metrics()
    }

    /// Events that wait to be read.
    pub fn n_events_waiting(&self) -> usize {
        self.outlet.len()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl LiveOutput {
    /// The next, waiting for it up to `timeout`.
    pub fn next(&self, timeout: Duration) -> Option<Told> {
        let next = self.outlet.pop();
        if next.is_some() {
            return next;
        }
        self.parker.park_timeout(timeout);
        self.outlet.pop()
    }
}
