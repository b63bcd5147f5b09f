//! Judgement: what recognition heard → words, alerts, and at the end the transcript, many calls on one thread.
//!
//! Utterances are judged in the order in which they ended, as those of a recording are: one waits until every leg has
//! come so far that none that ended before it can still come.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use auricle_contracts::{
    Alert, AlertState, CallId, CallMetadata, ChannelLayout, Happening, Hit, Party, PiiSpan,
    Transcript, Utterance, UtteranceInsight,
};
use auricle_insight::LiveRun;
use auricle_insight::pii::{Mask, Masker, hide_digits};
use auricle_insight::rules::{Change, RuleEvent};
use auricle_models::Hypothesis;
use auricle_progress::Marks;
use auricle_speech::Place;
use crossbeam::queue::ArrayQueue;

use crate::call::{CallNumber, LegProgress, NewCall};
use crate::clock::Clock;
use crate::graph::Timings;
use crate::metrics::{Depth, Metrics};
use crate::outlet::{EndedCall, Outlet, Told, UtteranceTimes};
use crate::recognise::{Report, Said};
use crate::stage::{Stage, Turn};

/// A call as judgement gets it.
pub(crate) struct JudgedCall {
    pub(crate) number: CallNumber,
    pub(crate) new: NewCall,
    /// One for each leg.
    pub(crate) progress: Vec<Arc<LegProgress>>,
}

/// What is known of a call from now on.
#[derive(Clone)]
pub(crate) struct Described {
    pub(crate) id: CallId,
    pub(crate) metadata: CallMetadata,
}

/// Judgement of some calls.
pub(crate) struct JudgeCalls {
    arrivals: Arc<ArrayQueue<JudgedCall>>,
    described: Arc<ArrayQueue<Described>>,
    reports: Arc<ArrayQueue<Report>>,
    calls: HashMap<CallNumber, Call>,
    outlet: Arc<Outlet>,
    /// What the outlet had no room for: nothing else is told before it.
    outbox: VecDeque<Told>,
    clock: Arc<dyn Clock>,
    timings: Timings,
    metrics: Arc<Metrics>,
    depth: Depth,
}

struct Call {
    new: NewCall,
    number: CallNumber,
    legs: Vec<Leg>,
    run: LiveRun,
    /// Over, and not yet judged.
    waiting: Vec<Waiting>,
    /// As far as it is judged, in that order.
    transcript: Transcript,
    spans: Vec<PiiSpan>,
}

/// An utterance that is over, and how long it was on its way.
struct Waiting {
    utterance: Utterance,
    is_cut: bool,
    closed_us: u64,
    recognised_us: u64,
}

struct Leg {
    progress: Arc<LegProgress>,
    reached: Marks,
    /// What it will be when all reports of this turn are taken.
    next: Marks,
    /// Once it is over.
    duration_ms: Option<u64>,
}

impl JudgeCalls {
    pub(crate) fn new(
        arrivals: Arc<ArrayQueue<JudgedCall>>,
        described: Arc<ArrayQueue<Described>>,
        reports: Arc<ArrayQueue<Report>>,
        outlet: Arc<Outlet>,
        clock: Arc<dyn Clock>,
        timings: Timings,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            arrivals,
            described,
            reports,
            calls: HashMap::new(),
            outlet,
            outbox: VecDeque::new(),
            clock,
            timings,
            metrics,
            depth: Depth::default(),
        }
    }

    fn take_arrivals(&mut self) -> Turn {
        let mut turn = Turn::Idle;
        while let Some(arrived) = self.arrivals.pop() {
            turn = Turn::Worked;
            let call = Call::new(arrived);
            self.outbox.push_back(call.started());
            self.calls.insert(call.number, call);
        }
        turn
    }

    /// Takes what became known of calls, and calls that are new.
    fn take_news(&mut self) -> Turn {
        // Taken first: the call that is spoken of has arrived by then.
        let described: Vec<Described> = std::iter::from_fn(|| self.described.pop()).collect();
        let turn = self.take_arrivals();
        for Described { id, metadata } in described {
            // It may be another thread's, or over.
            let call = self.calls.values_mut().find(|call| call.new.id == id);
            self.outbox.extend(call.map(|call| call.describe(metadata)));
        }
        turn
    }

    fn tell_waiting(&mut self) -> bool {
        while let Some(told) = self.outbox.pop_front() {
            if let Err(told) = self.outlet.push(told) {
                self.outbox.push_front(told);
                return false;
            }
        }
        true
    }

    pub(crate) fn take_reports(&mut self) -> Turn {
        // Marks are read first: what they speak of is in the queue by then. They count when nothing of it is left there.
        for call in self.calls.values_mut() {
            for leg in &mut call.legs {
                leg.next = leg.progress.heard.read();
            }
        }
        let n_reports = self.reports.len();
        for _ in 0..n_reports {
            let Some(report) = self.reports.pop() else {
                break;
            };
            if !self.calls.contains_key(&report.leg.call) {
                // It came after arrivals were looked for, and may be over already.
                self.take_arrivals();
            }
            let Some(call) = self.calls.get_mut(&report.leg.call) else {
                continue;
            };
            let mut desk = Desk {
                outlet: &self.outlet,
                outbox: &mut self.outbox,
                metrics: &self.metrics,
                clock: &*self.clock,
                timings: self.timings,
            };
            match report.said {
                Said::Partial(place, hypothesis) => call.partial(place, hypothesis, &mut desk),
                Said::Final(said) => {
                    let written = call.new.model.write(&said.readings, said.place, said.voice);
                    match written {
                        Some(utterance) => call.waiting.push(Waiting {
                            utterance,
                            is_cut: said.place.is_cut,
                            closed_us: said.closed_us,
                            recognised_us: said.recognised_us,
                        }),
                        None => call.dismiss(said.place.channel, &mut desk),
                    }
                }
                Said::Failed { at_ms, cause } => call.failed(report.leg.leg, at_ms, &cause),
                Said::Over { duration_ms } => {
                    if let Some(leg) = call.legs.get_mut(report.leg.leg) {
                        leg.duration_ms = Some(duration_ms);
                    }
                }
            }
        }
        for leg in self.calls.values_mut().flat_map(|call| &mut call.legs) {
            leg.reached = match leg.duration_ms {
                Some(_) => Marks::OVER,
                None => leg.next,
            };
        }
        Turn::worked_if(n_reports > 0)
    }
}

impl Stage for JudgeCalls {
    fn turn(&mut self) -> Turn {
        if !self.tell_waiting() {
            self.metrics.stalled();
            return Turn::Idle;
        }
        let n_waiting = self.reports.len() as u64;
        self.depth.tell(n_waiting, &self.metrics.reports_waiting);
        let mut turn = self.take_news();
        turn = turn.and(self.take_reports());
        let mut over = Vec::new();
        for call in self.calls.values_mut() {
            let mut desk = Desk {
                outlet: &self.outlet,
                outbox: &mut self.outbox,
                metrics: &self.metrics,
                clock: &*self.clock,
                timings: self.timings,
            };
            call.judge(&mut desk);
            if call.legs.iter().all(|leg| leg.duration_ms.is_some()) {
                over.push(call.number);
            }
        }
        for number in over {
            turn = Turn::Worked;
            if let Some(call) = self.calls.remove(&number) {
                let mut desk = Desk {
                    outlet: &self.outlet,
                    outbox: &mut self.outbox,
                    metrics: &self.metrics,
                    clock: &*self.clock,
                    timings: self.timings,
                };
                call.finish(&mut desk);
                self.metrics.call_ended();
            }
        }
        self.tell_waiting();
        turn
    }
}

/// Where what is found goes.
struct Desk<'a> {
    outlet: &'a Outlet,
    outbox: &'a mut VecDeque<Told>,
    metrics: &'a Metrics,
    clock: &'a dyn Clock,
    timings: Timings,
}

impl Call {
    fn new(arrived: JudgedCall) -> Self {
        let JudgedCall {
            number,
            new,
            progress,
        } = arrived;
        let leg = |progress| Leg {
            progress,
            reached: Marks::NONE,
            next: Marks::NONE,
            duration_ms: None,
        };
        Self {
            run: LiveRun::new(&new.judge, &new.metadata),
            legs: progress.into_iter().map(leg).collect(),
            transcript: Transcript {
                call_id: new.id.clone(),
                file: String::new(),
                duration_ms: 0,
                engine: new.model.name().to_owned(),
                layout: match new.legs.as_slice() {
                    [one] if one.party == Party::Unknown => ChannelLayout::Mono,
                    _ => ChannelLayout::PerParty,
                },
                metadata: new.metadata.clone(),
                warnings: Vec::new(),
                utterances: Vec::new(),
            },
            new,
            number,
            waiting: Vec::new(),
            spans: Vec::new(),
        }
    }

    fn started(&self) -> Told {
        self.told(Happening::CallStarted {
            metadata: self.new.metadata.clone(),
            source: self.new.source.to_owned(),
            parties: self.new.legs.iter().map(|leg| leg.party).collect(),
            engine: self.new.model.name().to_owned(),
        })
    }

    /// This is known of it from now on. The packs that it began with stay.
    fn describe(&mut self, metadata: CallMetadata) -> Told {
        self.run.describe(&metadata);
        self.transcript.metadata.clone_from(&metadata);
        self.new.metadata.clone_from(&metadata);
        self.told(Happening::CallDescribed { metadata })
    }

    fn told(&self, happening: Happening) -> Told {
        Told::Happened {
            call_id: self.new.id.clone(),
            agent: self.new.metadata.agent.clone(),
            happening: Box::new(happening),
        }
    }

    fn partial(&mut self, place: Place, hypothesis: Hypothesis, desk: &mut Desk<'_>) {
        let Some(utterance) = self.new.model.write(&[hypothesis], place, None) else {
            return;
        };
        // Rules know one utterance of a channel at a time: one that still waits to be judged goes first.
        let is_first = |waiting: &Waiting| waiting.utterance.channel != place.channel;
        if self.waiting.iter().all(is_first) {
            let events = self.run.partial(&utterance);
            self.tell_events(events, utterance.start_ms, desk);
        }
        if !desk.outlet.is_calm() {
            return desk.metrics.partials_shed(1);
        }
        if let Some(leg) = self.legs.get(usize::from(place.channel)) {
            let age_us = leg.progress.age_us(place.end_ms, desk.clock.now_us());
            desk.metrics.partial_told(age_us);
        }
        let told = self.told(Happening::Partial {
            party: place.party,
            channel: place.channel,
            start_ms: place.start_ms,
            end_ms: place.end_ms,
            text: hide_digits(&utterance.spoken),
        });
        desk.outbox.push_back(told);
    }

    /// An utterance had no words after all.
    fn dismiss(&mut self, channel: u16, desk: &mut Desk<'_>) {
        let events = self.run.dismiss(channel);
        self.tell_events(events, u64::MAX, desk);
    }

    /// Words of a leg may be missing: whoever reads the transcript has to know.
    fn failed(&mut self, leg: usize, at_ms: Option<u64>, cause: &str) {
        let party = self
            .new
            .legs
            .get(leg)
            .map_or(Party::Unknown, |leg| leg.party);
        let party = party.as_str();
        self.transcript.warnings.push(match at_ms {
            Some(at_ms) => format!(
                "recognition failed before {:.1} s of the {party}: words there may be missing: {cause}",
                at_ms as f64 / 1000.0
            ),
            None => format!("nothing of the {party} was heard: {cause}"),
        });
    }

    /// What whoever reads the transcript or a score that rests on it has to know: emotion was left out, a rate is wrong.
    fn warn_of_legs(&mut self, desk: &Desk<'_>) {
        for (leg, new) in self.legs.iter().zip(&self.new.legs) {
            if let Some(percent) = leg.progress.pace_percent() {
                desk.metrics.leg_off_pace();
                self.transcript.warnings.push(format!(
                    "audio of the {party} came {times:.1} times as fast as it lasts: its rate may not be the {rate_hz} Hz that \
                     were said",
                    party = new.party.as_str(),
                    times = f64::from(percent) / 100.0,
                    rate_hz = new.rate_hz,
                ));
            }
            let n_utterances = leg.progress.voices_shed();
            if n_utterances > 0 {
                self.transcript.warnings.push(format!(
                    "too many calls at once: the voice of the {party} was not measured in {n_utterances} utterances, their \
                     emotion is told by words alone",
                    party = new.party.as_str()
                ));
            }
        }
    }

    /// Judges what can be, and what should have been said by now.
    fn judge(&mut self, desk: &mut Desk<'_>) {
        while let Some(place) = self.next_to_judge() {
            let waiting = self.waiting.swap_remove(place);
            let times = self.times(&waiting, desk);
            let utterance = waiting.utterance;
            let heard_until_ms = self.heard_until_ms().min(utterance.start_ms);
            let told = self.run.utterance(&utterance, heard_until_ms);
            let (idx, start_ms) = (self.transcript.utterances.len(), utterance.start_ms);
            self.transcript.utterances.push(utterance);
            self.spans.extend(told.pii);
            self.tell_events(told.events, start_ms, desk);
            if let (Some(times), Timings::Told) = (times, desk.timings) {
                desk.outbox.push_back(Told::Timed(Box::new(times)));
            }
            self.tell_final(idx, told.insight, waiting.is_cut, desk);
        }
        let events = self.run.time(self.heard_until_ms());
        self.tell_events(events, u64::MAX, desk);
    }

    /// When an utterance came to each stage; `None` before anything of its leg came.
    fn times(&self, waiting: &Waiting, desk: &Desk<'_>) -> Option<UtteranceTimes> {
        let Utterance {
            start_ms,
            end_ms,
            party,
            channel,
            ..
        } = waiting.utterance;
        let progress = &self.legs.get(usize::from(channel))?.progress;
        let judged_us = desk.clock.now_us();
        let at_us = |ms: u64| Some(progress.at_us(ms)?.clamp(0, judged_us as i64) as u64);
        Some(UtteranceTimes {
            call_id: self.new.id.clone(),
            party,
            began_us: at_us(start_ms)?,
            ended_us: at_us(end_ms)?,
            closed_us: waiting.closed_us,
            recognised_us: waiting.recognised_us,
            judged_us,
        })
    }

    /// The utterance that ended first, once none that ended before can come.
    fn next_to_judge(&self) -> Option<usize> {
        let settled_ms = self.legs.iter().map(|leg| leg.reached.settled_ms).min()?;
        let order =
            |utterance: &Utterance| (utterance.end_ms, utterance.start_ms, utterance.channel);
        let waiting = self.waiting.iter().map(|waiting| &waiting.utterance);
        let (place, first) = waiting
            .enumerate()
            .min_by_key(|(_, waiting)| order(waiting))?;
        (first.end_ms < settled_ms).then_some(place)
    }

    /// Everything that began before is judged, or under way.
    fn heard_until_ms(&self) -> u64 {
        let begun = self.legs.iter().map(|leg| leg.reached.begun_ms);
        let waiting = self
            .waiting
            .iter()
            .map(|waiting| waiting.utterance.start_ms);
        begun.chain(waiting).min().unwrap_or(0)
    }

    fn tell_final(&self, idx: usize, insight: UtteranceInsight, is_cut: bool, desk: &mut Desk<'_>) {
        let Some(masked) = self.masker().utterance(idx) else {
            return;
        };
        if let Some(leg) = self.legs.get(usize::from(masked.channel)) {
            let trailing_ms = self.new.endpoint().trailing_silence_ms;
            let age_us = leg
                .progress
                .age_us(masked.end_ms + trailing_ms, desk.clock.now_us());
            desk.metrics.final_told(age_us);
        }
        let happening = Happening::Final {
            utterance: Box::new(masked),
            insight,
            is_cut,
        };
        desk.outbox.push_back(self.told(happening));
    }

    fn masker(&self) -> Masker<'_> {
        Masker::new(&self.transcript, &self.spans, Mask::All)
    }

    /// `said_since_ms` is the start of the utterance that they come of.
    fn tell_events(&mut self, events: Vec<RuleEvent>, said_since_ms: u64, desk: &mut Desk<'_>) {
        for event in events {
            let alert = self.alert(event);
            let age_us = self.age_us(&alert.hit, said_since_ms, desk.clock.now_us());
            desk.metrics.alert_told(alert.state, age_us);
            desk.outbox
                .push_back(self.told(Happening::Alert(Box::new(alert))));
        }
    }

    fn alert(&self, event: RuleEvent) -> Alert {
        let state = match event.change {
            Change::Provisional => AlertState::Provisional,
            Change::Raised => AlertState::Raised,
            Change::Confirmed => AlertState::Confirmed,
            Change::Withdrawn => AlertState::Withdrawn,
        };
        let mut hit = event.hit;
        self.masker().hide_hit(&mut hit);
        if matches!(state, AlertState::Provisional | AlertState::Withdrawn) {
            hit.why = hide_digits(&hit.why);
        }
        for evidence in &mut hit.evidence {
            if matches!(state, AlertState::Provisional | AlertState::Withdrawn) {
                evidence.words = hide_digits(&evidence.words);
            }
            evidence.utterance = None;
        }
        Alert {
            alert_id: format!("{}-{}.{}-{}", self.new.id, hit.pack, hit.rule, event.place),
            state,
            hit,
        }
    }

    /// How long ago the last of a hit's words was said; `None` for what was not said, and what later words, or the end of the
    /// call, made a hit of.
    fn age_us(&self, hit: &Hit, said_since_ms: u64, now_us: u64) -> Option<u64> {
        let said = hit.last_evidence()?;
        if said.end_ms < said_since_ms {
            return None;
        }
        let legs = self.new.legs.iter().zip(&self.legs);
        let leg = legs.into_iter().find(|(new, _)| new.party == said.party);
        let (_, leg) = leg?;
        leg.progress.age_us(said.end_ms, now_us)
    }

    fn finish(mut self, desk: &mut Desk<'_>) {
        debug_assert!(self.waiting.is_empty(), "all legs are over: all is judged");
        let durations = self.legs.iter().filter_map(|leg| leg.duration_ms);
        let duration_ms = durations.max().unwrap_or(0);
        let events = self.run.finish(duration_ms);
        self.tell_events(events, u64::MAX, desk);
        self.warn_of_legs(desk);
        let mut transcript = self.transcript;
        transcript.duration_ms = duration_ms;
        transcript
            .utterances
            .sort_by_key(|utterance| (utterance.start_ms, utterance.channel));
        let counts = self.legs.iter().map(|leg| leg.progress.counts());
        desk.outbox.push_back(Told::Ended(Box::new(EndedCall {
            counts: counts.collect(),
            new: self.new,
            transcript,
        })));
    }
}
