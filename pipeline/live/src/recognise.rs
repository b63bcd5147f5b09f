//! Recognition: speech of many legs → what was said, in batches on one thread.
//!
//! ```text
//! samples, marks ─▶ feed ─▶ engine: one step of all streams ─▶ Partial, Final, Over
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use auricle_contracts::{Party, Voice};
use auricle_models::{EngineError, Hypothesis, StreamKey, StreamingEngine};
use auricle_progress::{LegEnd, Marks};
use auricle_speech::{Engines, Feeder, Place, SpeechError, SpeechModel};
use crossbeam::queue::ArrayQueue;
use rtrb::Consumer;

use crate::call::{LegKey, LegProgress};
use crate::clock::Clock;
use crate::front::{Mark, MarkKind};
use crate::metrics::{Depth, Metrics};
use crate::stage::{Stage, Turn};

/// Reports between recognition and judgement: some for each of a thousand calls. From a [`PARTIALS_SHARE`]th of it on partials
/// are left out; when it is full recognition waits, and its own queues fill.
pub(crate) const REPORTS_WAITING: usize = 4_096;
/// Share of that queue that partials may fill.
const PARTIALS_SHARE: usize = 4;
/// Speech that a leg gives its engine in one turn, milliseconds: one leg that is behind does not hold up the others.
const SPEECH_A_TURN_MS: usize = 1_000;

/// A turn that takes longer is behind, and leaves its partials out.
pub(crate) const PARTIALS_WITHIN_MS: u64 = 500;
/// After a turn that took longer, and for as long again, the voices of utterances that open are not measured.
pub(crate) const VOICES_WITHIN_MS: u64 = 1_000;

/// What recognition tells of a leg.
pub(crate) struct Report {
    pub(crate) leg: LegKey,
    pub(crate) said: Said,
}

pub(crate) enum Said {
    /// An utterance that goes on, as far as it is heard.
    Partial(Place, Hypothesis),
    /// One that is over: its readings, best first.
    Final(Box<Utterance>),
    /// The engine failed: words said before this, milliseconds of the call, may be missing; without it, all of the leg's.
    Failed { at_ms: Option<u64>, cause: Arc<str> },
    /// The leg is over.
    Over { duration_ms: u64 },
}

pub(crate) struct Utterance {
    pub(crate) place: Place,
    pub(crate) readings: Vec<Hypothesis>,
    pub(crate) voice: Option<Voice>,
    /// When the front end knew its end, and when it was recognised, by the pipeline's clock.
    pub(crate) closed_us: u64,
    pub(crate) recognised_us: u64,
}

/// A leg as recognition gets it.
pub(crate) struct SpeechLeg {
    pub(crate) key: LegKey,
    pub(crate) party: Party,
    pub(crate) model: Arc<SpeechModel>,
    /// Audio that is heard behind the last speech of an utterance.
    pub(crate) pad_after_ms: u64,
    /// Of its speech.
    pub(crate) rate_hz: u32,
    pub(crate) feeder: Feeder,
    pub(crate) samples: Consumer<f32>,
    pub(crate) marks: Consumer<Mark>,
    pub(crate) progress: Arc<LegProgress>,
    pub(crate) ended: Arc<LegEnd>,
    /// To where its call is judged.
    pub(crate) reports: Arc<ArrayQueue<Report>>,
}

/// Recognition of some calls.
pub(crate) struct Recognise {
    arrivals: Arc<ArrayQueue<SpeechLeg>>,
    engines: Vec<Loaded>,
    legs: Vec<Leg>,
    /// What a full queue did not take: nothing else is told before it.
    outbox: VecDeque<(Arc<ArrayQueue<Report>>, Report)>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    depth: Depth,
}

struct Loaded {
    /// Whose it is: models that differ in their words alone have one engine, and one step.
    engines: Arc<Engines>,
    engine: Box<dyn StreamingEngine>,
}

struct Leg {
    from: SpeechLeg,
    /// Of [`Recognise::engines`].
    engine: usize,
    open: Option<Open>,
    closed: Vec<Closed>,
    /// Where an utterance was broken off that is to go on, milliseconds of the call.
    went_on: Option<u64>,
    n_taken: u64,
    reached: Marks,
    duration_ms: Option<u64>,
}

/// An utterance in the making.
struct Open {
    stream: StreamKey,
    start_ms: u64,
    audio_from_ms: u64,
    n_fed: u64,
    n_fed_at_partial: u64,
    /// Tokens of the partial before.
    told: Vec<Arc<str>>,
    /// That partial was not told, for want of time or room.
    is_owed: bool,
}

impl Open {
    fn new(stream: StreamKey, start_ms: u64, audio_from_ms: u64) -> Self {
        Self {
            stream,
            start_ms,
            audio_from_ms,
            n_fed: 0,
            n_fed_at_partial: 0,
            told: Vec::new(),
            is_owed: false,
        }
    }

    /// Whether a reading has other words than the one before: people pause and drawl.
    fn is_news(&mut self, hypothesis: &Hypothesis) -> bool {
        let tokens = || hypothesis.tokens.iter().map(|token| &token.text);
        if tokens().eq(self.told.iter()) {
            return false;
        }
        self.told.clear();
        self.told.extend(tokens().cloned());
        true
    }
}

struct Closed {
    stream: StreamKey,
    place: Place,
    voice: Option<Voice>,
    closed_us: u64,
    /// Its last partial was not told.
    owes_partial: bool,
}

impl Recognise {
    pub(crate) fn new(
        arrivals: Arc<ArrayQueue<SpeechLeg>>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            arrivals,
            engines: Vec::new(),
            legs: Vec::new(),
            outbox: VecDeque::new(),
            clock,
            metrics,
            depth: Depth::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn n_engines(&self) -> usize {
        self.engines.len()
    }

    fn take_arrivals(&mut self) -> Turn {
        let mut turn = Turn::Idle;
        while let Some(from) = self.arrivals.pop() {
            turn = Turn::Worked;
            match self.engine_of(&from.model) {
                Ok(engine) => self.legs.push(Leg {
                    from,
                    engine,
                    open: None,
                    closed: Vec::new(),
                    went_on: None,
                    n_taken: 0,
                    reached: Marks::NONE,
                    duration_ms: None,
                }),
                Err(cause) => {
                    self.metrics.leg_failed(&cause);
                    let failed = Said::Failed {
                        at_ms: None,
                        cause: cause.to_string().into(),
                    };
                    for said in [failed, Said::Over { duration_ms: 0 }] {
                        let leg = from.key;
                        let report = Report { leg, said };
                        self.outbox.push_back((Arc::clone(&from.reports), report));
                    }
                }
            }
        }
        turn
    }

    fn engine_of(&mut self, model: &Arc<SpeechModel>) -> Result<usize, SpeechError> {
        let known = self
            .engines
            .iter()
            .position(|loaded| Arc::ptr_eq(&loaded.engines, model.engines()));
        if let Some(known) = known {
            return Ok(known);
        }
        self.engines.push(Loaded {
            engine: model.borrow_engine()?,
            engines: Arc::clone(model.engines()),
        });
        Ok(self.engines.len() - 1)
    }

    /// Whether everything that waited is told.
    fn tell_waiting(&mut self) -> bool {
        while let Some((queue, report)) = self.outbox.pop_front() {
            if let Err(report) = queue.push(report) {
                self.outbox.push_front((queue, report));
                return false;
            }
        }
        true
    }

    fn step(&mut self) {
        for place in 0..self.engines.len() {
            loop {
                match self.engines[place].engine.step() {
                    Ok(report) if report.n_advanced > 0 => self.metrics.stepped(report.n_advanced),
                    Ok(_) => break,
                    Err(cause) => {
                        self.replace(place, &cause);
                        break;
                    }
                }
            }
        }
    }

    /// An engine failed: another one takes its place. What it had heard of each utterance stays, and those under way go on as
    /// new ones.
    fn replace(&mut self, place: usize, cause: &EngineError) {
        self.metrics.leg_failed(cause);
        let cause: Arc<str> = cause.to_string().into();
        let loaded = &mut self.engines[place];
        for leg in self.legs.iter_mut().filter(|leg| leg.engine == place) {
            let reports = leg.what_was_heard(&*loaded.engine, &cause, self.clock.now_us());
            let queue = &leg.from.reports;
            let reports = reports.into_iter();
            self.outbox
                .extend(reports.map(|report| (Arc::clone(queue), report)));
        }
        match loaded.engines.borrow_engine() {
            Ok(engine) => loaded.engine = engine,
            Err(cause) => return self.metrics.leg_failed(&cause),
        }
        for leg in self.legs.iter_mut().filter(|leg| leg.engine == place) {
            if let Err(cause) = leg.go_on(&mut *loaded.engine) {
                self.metrics.leg_failed(&cause);
            }
        }
    }

    fn tell_finals(&mut self) -> Turn {
        let mut turn = Turn::Idle;
        for leg in &mut self.legs {
            let engine = &mut self.engines[leg.engine].engine;
            for closed in leg.closed.drain(..) {
                turn = Turn::Worked;
                self.metrics.partials_shed(u64::from(closed.owes_partial));
                let readings = engine.finish(closed.stream).unwrap_or_else(|cause| {
                    self.metrics.leg_failed(&cause);
                    let failed = Said::Failed {
                        at_ms: Some(closed.place.end_ms),
                        cause: cause.to_string().into(),
                    };
                    let report = Report {
                        leg: leg.from.key,
                        said: failed,
                    };
                    self.outbox
                        .push_back((Arc::clone(&leg.from.reports), report));
                    Vec::new()
                });
                let said = Said::Final(Box::new(Utterance {
                    place: closed.place,
                    readings,
                    voice: closed.voice,
                    closed_us: closed.closed_us,
                    recognised_us: self.clock.now_us(),
                }));
                let report = Report {
                    leg: leg.from.key,
                    said,
                };
                self.outbox
                    .push_back((Arc::clone(&leg.from.reports), report));
            }
        }
        turn
    }

    /// Partials of utterances in which words came or changed, where there is room and time for what must not be left out. One
    /// that is left out is told with the next chunk of speech, unless other words take its place.
    fn tell_partials(&mut self, took_ms: u64) {
        let now_us = self.clock.now_us();
        for leg in &mut self.legs {
            let loaded = &self.engines[leg.engine];
            let chunk_ms = u64::from(loaded.engine.info().chunk_ms);
            let chunk = chunk_ms * u64::from(leg.from.rate_hz) / 1000;
            let Some(open) = leg.open.as_mut() else {
                continue;
            };
            if open.n_fed < open.n_fed_at_partial + chunk {
                continue;
            }
            open.n_fed_at_partial = open.n_fed;
            let hypothesis = match loaded.engine.partial(open.stream) {
                Ok(hypothesis) => hypothesis,
                Err(cause) => {
                    self.metrics.leg_failed(&cause);
                    continue;
                }
            };
            match open.is_news(&hypothesis) {
                true => self.metrics.partials_shed(u64::from(open.is_owed)),
                false if open.is_owed => {}
                false => continue,
            }
            open.is_owed = true;
            let reports = Arc::clone(&leg.from.reports);
            let Some(place) = leg.place_of_open(chunk) else {
                continue;
            };
            // Whoever has no time for voices has none for partials.
            let has_room = took_ms <= PARTIALS_WITHIN_MS
                && !leg.from.progress.is_hurried(now_us)
                && reports.len() < reports.capacity() / PARTIALS_SHARE;
            let report = Report {
                leg: leg.from.key,
                said: Said::Partial(place, hypothesis),
            };
            if has_room
                && reports.push(report).is_ok()
                && let Some(open) = &mut leg.open
            {
                open.is_owed = false;
            }
        }
    }

    /// Tells how far each leg is, and which are over. Only when all that was said before is told.
    fn settle(&mut self, took_ms: u64) {
        if took_ms > VOICES_WITHIN_MS {
            let until_us = self.clock.now_us() + took_ms * 1000;
            for leg in &self.legs {
                leg.from.progress.hurry(until_us);
            }
        }
        for leg in &self.legs {
            leg.from.progress.heard.tell(leg.reached);
        }
        for leg in &self.legs {
            if let Some(duration_ms) = leg.duration_ms {
                let report = Report {
                    leg: leg.from.key,
                    said: Said::Over { duration_ms },
                };
                self.outbox
                    .push_back((Arc::clone(&leg.from.reports), report));
            }
        }
        self.legs.retain(|leg| leg.duration_ms.is_none());
    }
}

impl Stage for Recognise {
    fn turn(&mut self) -> Turn {
        let mut turn = self.take_arrivals();
        if !self.tell_waiting() {
            self.metrics.stalled();
            return Turn::Idle;
        }
        let now_us = self.clock.now_us();
        let waiting = self.legs.iter();
        let waiting_ms = waiting.map(Leg::waiting_ms).sum();
        self.depth.tell(waiting_ms, &self.metrics.speech_waiting_ms);
        for leg in &mut self.legs {
            let engine = &mut *self.engines[leg.engine].engine;
            match leg.feed(engine, now_us) {
                Ok(fed) => turn = turn.and(fed),
                Err(cause) => {
                    self.metrics.leg_failed(&cause);
                    let reports = leg.give_up(engine, &cause, now_us);
                    let queue = &leg.from.reports;
                    let reports = reports.into_iter();
                    self.outbox
                        .extend(reports.map(|report| (Arc::clone(queue), report)));
                }
            }
        }
        self.step();
        turn = turn.and(self.tell_finals());
        let took_ms = self.clock.now_us().saturating_sub(now_us) / 1000;
        if self.tell_waiting() {
            self.tell_partials(took_ms);
            self.settle(took_ms);
            self.tell_waiting();
        }
        turn
    }
}

impl Leg {
    /// Speech that waits.
    fn waiting_ms(&self) -> u64 {
        self.from.samples.slots() as u64 * 1000 / u64::from(self.from.rate_hz)
    }

    /// Gives the engine what is there, up to a second of it.
    fn feed(&mut self, engine: &mut dyn StreamingEngine, now_us: u64) -> Result<Turn, SpeechError> {
        // Read first: what these speak of is in the rings by then, and a sample's mark is there before the sample.
        let ended = self.from.ended.read();
        let front = self.from.progress.front.read();
        let n_there = self.n_taken + self.from.samples.slots() as u64;
        let rate_hz = self.from.rate_hz as usize;
        let mut budget = (rate_hz * SPEECH_A_TURN_MS / 1000) as u64;
        let mut turn = Turn::Idle;
        let next = loop {
            let mark = self.from.marks.peek().ok().copied();
            let mark = mark.filter(|mark| mark.at_sample <= n_there);
            let until = mark.map_or(n_there, |mark| mark.at_sample);
            let n_fed = budget.min(until - self.n_taken);
            self.feed_samples(n_fed, engine)?;
            budget -= n_fed;
            if n_fed > 0 {
                turn = Turn::Worked;
            }
            match mark {
                Some(mark) if mark.at_sample == self.n_taken => {
                    turn = Turn::Worked;
                    let _ = self.from.marks.pop();
                    self.follow(mark, engine)?;
                }
                left => break left,
            }
        };
        let is_drained = next.is_none() && self.n_taken == n_there;
        self.reached = self.reached(is_drained, front, next);
        if is_drained && ended.is_some() {
            if let Some(open) = self.open.take() {
                // The front end failed in the middle of it: what was heard stays.
                let end_ms = self.fed_to_ms(&open).max(open.start_ms);
                let place = self.place(&open, end_ms);
                self.close(&open, (place, None, now_us), engine)?;
            }
            self.duration_ms = ended;
        }
        Ok(turn)
    }

    /// Finals of what a failed engine had heard, and that it failed. Its streams are gone.
    fn what_was_heard(
        &mut self,
        engine: &dyn StreamingEngine,
        cause: &Arc<str>,
        now_us: u64,
    ) -> Vec<Report> {
        let mut streams: Vec<Closed> = self.closed.drain(..).collect();
        self.went_on = None;
        if let Some(open) = self.open.take() {
            let end_ms = self.fed_to_ms(&open).max(open.start_ms);
            streams.push(Closed {
                stream: open.stream,
                place: Place {
                    is_cut: true,
                    ..self.place(&open, end_ms)
                },
                voice: None,
                closed_us: now_us,
                owes_partial: open.is_owed,
            });
            self.went_on = Some(end_ms);
        }
        let Some(at_ms) = streams.iter().map(|closed| closed.place.end_ms).max() else {
            return Vec::new();
        };
        let finals = streams.into_iter().map(|closed| {
            let reading = engine.partial(closed.stream);
            Said::Final(Box::new(Utterance {
                place: closed.place,
                readings: reading.into_iter().collect(),
                voice: closed.voice,
                closed_us: closed.closed_us,
                recognised_us: now_us,
            }))
        });
        let failed = Said::Failed {
            at_ms: Some(at_ms),
            cause: Arc::clone(cause),
        };
        let leg = self.from.key;
        let said = finals.chain([failed]);
        said.map(|said| Report { leg, said }).collect()
    }

    /// The utterance that a failed engine broke off goes on as a new one.
    fn go_on(&mut self, engine: &mut dyn StreamingEngine) -> Result<(), EngineError> {
        match self.went_on.take() {
            Some(from_ms) => self.open(engine, from_ms, from_ms),
            None => Ok(()),
        }
    }

    fn open(
        &mut self,
        engine: &mut dyn StreamingEngine,
        start_ms: u64,
        audio_from_ms: u64,
    ) -> Result<(), EngineError> {
        let stream = self.from.model.open_stream(engine)?;
        self.from.feeder.restart();
        self.open = Some(Open::new(stream, start_ms, audio_from_ms));
        Ok(())
    }

    /// The engine failed on the utterance: what it had heard of it stays, and the leg goes on with the next.
    fn give_up(
        &mut self,
        engine: &mut dyn StreamingEngine,
        cause: &SpeechError,
        now_us: u64,
    ) -> Vec<Report> {
        let cause: Arc<str> = cause.to_string().into();
        let Some(stream) = self.open.as_ref().map(|open| open.stream) else {
            // It did not even begin.
            let at_ms = Some(self.reached.begun_ms);
            let leg = self.from.key;
            let said = Said::Failed { at_ms, cause };
            return vec![Report { leg, said }];
        };
        // Those before it are well.
        let closed = std::mem::take(&mut self.closed);
        let reports = self.what_was_heard(engine, &cause, now_us);
        self.closed = closed;
        self.went_on = None;
        let _ = engine.finish(stream);
        reports
    }

    /// Where it lies, the voice in it, and when that was known.
    fn close(
        &mut self,
        open: &Open,
        (place, voice, closed_us): (Place, Option<Voice>, u64),
        engine: &mut dyn StreamingEngine,
    ) -> Result<(), SpeechError> {
        self.closed.push(Closed {
            stream: open.stream,
            place,
            voice,
            closed_us,
            owes_partial: open.is_owed,
        });
        self.from.feeder.end(engine, open.stream)
    }

    fn feed_samples(
        &mut self,
        n_samples: u64,
        engine: &mut dyn StreamingEngine,
    ) -> Result<(), SpeechError> {
        let Ok(chunk) = self.from.samples.read_chunk(n_samples as usize) else {
            return Ok(());
        };
        let mut fed = Ok(());
        if let Some(open) = &mut self.open {
            let (first, second) = chunk.as_slices();
            let feeder = &mut self.from.feeder;
            fed = feeder
                .accept(engine, open.stream, first)
                .and_then(|()| feeder.accept(engine, open.stream, second));
            open.n_fed += n_samples;
        }
        chunk.commit_all();
        self.n_taken += n_samples;
        fed
    }

    fn follow(&mut self, mark: Mark, engine: &mut dyn StreamingEngine) -> Result<(), SpeechError> {
        match mark.kind {
            MarkKind::Open {
                start_ms,
                audio_from_ms,
            } => self.open(engine, start_ms, audio_from_ms)?,
            MarkKind::Close {
                end_ms,
                is_cut,
                voice,
            } => {
                if let Some(open) = self.open.take() {
                    let place = Place {
                        is_cut,
                        ..self.place(&open, end_ms.max(open.start_ms))
                    };
                    self.close(&open, (place, voice, mark.known_us), engine)?;
                }
            }
        }
        Ok(())
    }

    /// How far the leg is when all that closed is told.
    fn reached(&self, is_drained: bool, front: Marks, next: Option<Mark>) -> Marks {
        let fed_to_ms = self.open.as_ref().map(|open| self.fed_to_ms(open));
        let opens_at = self.open.as_ref().map(|open| open.start_ms);
        let next_start = match next.map(|mark| mark.kind) {
            Some(MarkKind::Open { start_ms, .. }) => Some(start_ms),
            _ => None,
        };
        let within = |limits: [Option<u64>; 2], reached: u64| {
            limits.into_iter().flatten().fold(reached, u64::min)
        };
        let heard_to = fed_to_ms.map(|fed_to_ms| fed_to_ms.saturating_sub(self.from.pad_after_ms));
        Marks {
            settled_ms: match is_drained {
                true => front.settled_ms,
                false => within([heard_to, next_start], front.settled_ms),
            },
            begun_ms: within([opens_at, next_start], front.begun_ms),
        }
    }

    fn fed_to_ms(&self, open: &Open) -> u64 {
        open.audio_from_ms + open.n_fed * 1000 / u64::from(self.from.rate_hz)
    }

    /// The open utterance as far as it is heard: by whole chunks.
    fn place_of_open(&self, chunk: u64) -> Option<Place> {
        let open = self.open.as_ref()?;
        let n_heard = open.n_fed - open.n_fed % chunk.max(1);
        let heard_ms = n_heard * 1000 / u64::from(self.from.rate_hz);
        let end_ms = (open.audio_from_ms + heard_ms).max(open.start_ms);
        Some(self.place(open, end_ms))
    }

    fn place(&self, open: &Open, end_ms: u64) -> Place {
        Place {
            party: self.from.party,
            channel: self.from.key.leg as u16,
            start_ms: open.start_ms,
            end_ms,
            audio_from_ms: open.audio_from_ms,
            is_cut: false,
        }
    }
}
