//! Rules over one call, as it goes on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use auricle_contracts::{CallMetadata, Hit, Party, PiiSpan};

use super::evaluate::{CallState, Counts, Evaluator, Heard, Held, Moment, Now, Proof};
use super::explain::Trace;
use super::format::Side;
use super::hit_place::HitPlace;
use super::matches::Matches;
use super::past::{MOST_RECENT, Past};
use super::program::{RuleInfo, RuleSet, UnitId, WatchId};
use super::why::{Tongue, Witness};
use crate::{Facts, Spoken, TalkEvent};

/// What became of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there and stays.
    Raised,
    /// It was found in an utterance that goes on; it will be confirmed or withdrawn.
    Provisional,
    /// A provisional hit stays; its times and words are now those of the whole utterance.
    Confirmed,
    /// A provisional hit is none.
    Withdrawn,
}

/// A hit that was found, confirmed or withdrawn.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleEvent {
    /// What became of it.
    pub change: Change,
    /// Where it fired: a provisional hit keeps its place when it is confirmed or withdrawn.
    pub place: HitPlace,
    /// Place of the rule in [`RuleSet::rules`].
    pub rule: usize,
    /// The hit.
    pub hit: Hit,
}

/// The rules at work on one call. Give it what happens in the order in which it becomes known; it asks
/// for no clock. Memory grows with the rules and with the hits that no utterance made, not with the call.
#[derive(Debug)]
pub struct RuleRun {
    set: Arc<RuleSet>,
    call: CallState,
    matches: Matches,
    now: Now,
    /// Whether a rule fired, by rule.
    fired: Vec<bool>,
    /// Whether a lasting condition held before, by rule.
    held_before: Vec<bool>,
    /// Deadlines of [`super::program::Schedule`] that have passed.
    n_deadlines: usize,
    /// Utterances under way: channel and start.
    open: Vec<(u16, u64)>,
    /// The last utterances, and what was said before each.
    recent: VecDeque<(usize, Counts)>,
    provisional: Vec<Provisional>,
    /// Hits of rules that look at the end of the call, which may turn out to be in it, by rule.
    waiting: BTreeMap<usize, VecDeque<Waiting>>,
    units: Vec<UnitId>,
    /// A bit for each unit, clear between moments.
    marks: Vec<u64>,
    /// Hits that no utterance made, by rule and time.
    n_hits_at: BTreeMap<(usize, u64), u32>,
    trace: Option<Box<Trace>>,
}

#[derive(Debug)]
struct Provisional {
    place: HitPlace,
    rule: usize,
    channel: u16,
    hit: Hit,
}

#[derive(Debug)]
struct Waiting {
    held: Held,
    place: HitPlace,
    hit: Hit,
}

/// Whether an utterance goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Partial,
    Whole,
}

/// A partial this much longer than a deadline holds it up no more, milliseconds: no utterance is longer.
const LONGEST_UTTERANCE_MS: u64 = 60_000;
/// Hits of a rule that wait for the end of the call, at most; the oldest go first.
const MOST_WAITING: usize = 1000;

impl RuleRun {
    /// Begins a call.
    pub fn new(set: Arc<RuleSet>, metadata: &CallMetadata) -> Self {
        Self {
            call: CallState::new(set.watches.len(), metadata),
            matches: Matches::default(),
            now: Now::default(),
            fired: vec![false; set.rules.len()],
            held_before: vec![false; set.rules.len()],
            n_deadlines: 0,
            open: Vec::new(),
            recent: VecDeque::new(),
            provisional: Vec::new(),
            waiting: BTreeMap::new(),
            units: Vec::new(),
            marks: Vec::new(),
            n_hits_at: BTreeMap::new(),
            trace: None,
            set,
        }
    }

    /// This is known of the call from now on; what fired stays.
    pub(crate) fn describe(&mut self, metadata: &CallMetadata) {
        self.call.describe(metadata);
    }

    /// Looks at the conditions of `trace` in every moment, too.
    pub(crate) fn traced(self, trace: Trace) -> Self {
        Self {
            trace: Some(Box::new(trace)),
            ..self
        }
    }

    pub(crate) fn take_trace(&mut self) -> Option<Box<Trace>> {
        self.trace.take()
    }

    /// Whether any rule looks at utterances that go on.
    pub(crate) fn follows_partials(&self) -> bool {
        self.set.rules.iter().any(|rule| rule.partials)
    }

    /// An utterance as it is heard so far. Only rules with `partials` fire, provisionally, at most once
    /// for each utterance. `spoken.idx` is the place the utterance will have.
    pub fn partial(&mut self, spoken: &Spoken<'_>, facts: &Facts<'_>, events: &mut Vec<RuleEvent>) {
        let channel = spoken.utterance.channel;
        if !self.open.iter().any(|(known, _)| *known == channel) {
            self.open.push((channel, spoken.utterance.start_ms));
        }
        let set = Arc::clone(&self.set);
        if self.follows_partials() {
            self.matches.find(&set.lexicon, spoken);
            self.step(
                &set,
                Moment::Utterance(spoken, *facts),
                Stage::Partial,
                events,
            );
        }
    }

    /// An utterance, whole. Provisional hits of its channel are confirmed or withdrawn. What should have been
    /// said before it is missed by [`Self::time`] alone.
    pub fn utterance(
        &mut self,
        spoken: &Spoken<'_>,
        facts: &Facts<'_>,
        events: &mut Vec<RuleEvent>,
    ) {
        let (channel, start_ms) = (spoken.utterance.channel, spoken.utterance.start_ms);
        self.open.retain(|(known, _)| *known != channel);
        let set = Arc::clone(&self.set);
        self.matches.find(&set.lexicon, spoken);
        self.step(
            &set,
            Moment::Utterance(spoken, *facts),
            Stage::Whole,
            events,
        );
        self.withdraw(Some(channel), events);
        if self.recent.len() >= MOST_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((spoken.idx, self.call.counts));
        self.call.counts.add(spoken.party());
        self.forget_waiting(start_ms);
    }

    /// The utterance that goes on in a channel turned out to have no words: its provisional hits are withdrawn.
    pub fn dismiss(&mut self, channel: u16, events: &mut Vec<RuleEvent>) {
        self.open.retain(|(known, _)| *known != channel);
        self.withdraw(Some(channel), events);
    }

    /// Personal data that only now turned out to have been said: in an utterance that was given before, or by
    /// another party than the one that speaks. It is looked at where and when it was said; of what was said with it,
    /// only what `not` asks for is known still.
    pub fn late(&mut self, span: &PiiSpan, events: &mut Vec<RuleEvent>) {
        let last = span.places.last().map(|place| place.utterance);
        let known = self.recent.iter().find(|(idx, _)| Some(*idx) == last);
        let heard = Heard {
            utterance: known.map(|(idx, _)| *idx),
            before: known.map_or(self.call.counts, |(_, counts)| *counts),
        };
        let set = Arc::clone(&self.set);
        self.matches.forget();
        self.step(&set, Moment::Late(span, heard), Stage::Whole, events);
    }

    /// Something in the talk itself.
    pub fn talk(&mut self, event: &TalkEvent, events: &mut Vec<RuleEvent>) {
        let set = Arc::clone(&self.set);
        self.matches.forget();
        self.step(&set, Moment::Talk(*event), Stage::Whole, events);
    }

    /// The call has come to `now_ms` (from the start of the recording), and everything that began
    /// before has been given, as an utterance or as a partial: what should have been said by now is
    /// missing. To be told before the utterance that makes it so, in calls of the past, too.
    pub fn time(&mut self, now_ms: u64, events: &mut Vec<RuleEvent>) {
        let set = Arc::clone(&self.set);
        while let Some(&deadline_ms) = set.schedule.deadlines_ms.get(self.n_deadlines) {
            let is_held_up = self.open.iter().any(|&(_, start_ms)| {
                start_ms < deadline_ms && now_ms < start_ms.saturating_add(LONGEST_UTTERANCE_MS)
            });
            if now_ms < deadline_ms || is_held_up {
                break;
            }
            self.n_deadlines += 1;
            self.matches.forget();
            self.step(&set, Moment::Deadline(deadline_ms), Stage::Whole, events);
        }
    }

    /// The end of the call, `duration_ms` from the start of the recording. What was provisional is
    /// withdrawn; what waited for the end is decided.
    pub fn finish(mut self, duration_ms: u64, events: &mut Vec<RuleEvent>) {
        self.end(duration_ms, events);
    }

    pub(crate) fn end(&mut self, duration_ms: u64, events: &mut Vec<RuleEvent>) {
        self.open.clear();
        self.time(duration_ms, events);
        self.withdraw(None, events);
        let set = Arc::clone(&self.set);
        for (rule, waiting) in std::mem::take(&mut self.waiting) {
            for Waiting { held, place, hit } in waiting {
                let is_known = set.rules[rule].once && self.fired[rule];
                if !is_known && held.limit.allows(duration_ms, &self.call.counts) {
                    self.raise(rule, place, hit, events);
                }
            }
        }
        self.matches.forget();
        self.step(&set, Moment::Finish(duration_ms), Stage::Whole, events);
    }

    /// Looks at the watches and rules that may hold now.
    fn step(
        &mut self,
        set: &RuleSet,
        moment: Moment<'_>,
        stage: Stage,
        events: &mut Vec<RuleEvent>,
    ) {
        self.now.begin(set);
        let mut units = std::mem::take(&mut self.units);
        self.choose(set, moment, &mut units);
        let mut found: Vec<(usize, Held, Hit)> = Vec::new();
        let mut evaluator = Evaluator {
            set,
            moment,
            matches: &mut self.matches,
            call: &self.call,
            now: &mut self.now,
        };
        for &unit in &units {
            let unit = unit as usize;
            match unit.checked_sub(set.watches.len()) {
                None => {
                    let held = evaluator.holds(set.watches[unit].node);
                    evaluator.now.set_watch(unit, held);
                }
                Some(rule) => {
                    let info = &set.rules[rule];
                    if (stage == Stage::Partial && !info.partials)
                        || (info.once && self.fired[rule])
                    {
                        continue;
                    }
                    let held = evaluator.holds(info.root);
                    let before = self.held_before[rule];
                    if info.on_edge && stage == Stage::Whole {
                        self.held_before[rule] = held.is_some();
                    }
                    if let Some(held) = held.filter(|_| !(info.on_edge && before)) {
                        let hit = hit(&mut evaluator, info, &held);
                        found.push((rule, held, hit));
                    }
                }
            }
        }
        if let Some(trace) = &mut self.trace {
            trace.look(&mut evaluator);
        }
        if stage == Stage::Whole {
            self.remember(set, moment);
        }
        self.units = units;
        for (rule, held, hit) in found {
            self.report(set, rule, held, hit, (moment, stage), events);
        }
    }

    /// Watches before rules, each once.
    fn choose(&mut self, set: &RuleSet, moment: Moment<'_>, units: &mut Vec<UnitId>) {
        units.clear();
        let schedule = &set.schedule;
        units.extend(match moment {
            Moment::Utterance(..) => &schedule.every_utterance,
            Moment::Late(..) => &schedule.late,
            Moment::Talk(TalkEvent::Silence(_)) => &schedule.silence,
            Moment::Talk(TalkEvent::Interruption(_)) => &schedule.interruption,
            Moment::Deadline(_) => &schedule.deadline,
            Moment::Finish(_) => &schedule.finish,
        });
        if let Moment::Utterance(..) = moment {
            let n_units = set.watches.len() + set.rules.len();
            self.marks.resize(n_units.div_ceil(64), 0);
            let touched = self.matches.touched.iter();
            let by_class = touched.flat_map(|&class| &schedule.by_class[class as usize]);
            for &unit in by_class.chain(units.iter()) {
                self.marks[unit as usize / 64] |= 1 << (unit % 64);
            }
            units.clear();
            for (word, bits) in (0..).zip(&mut self.marks) {
                while *bits != 0 {
                    units.push(word * 64 + bits.trailing_zeros());
                    *bits &= *bits - 1;
                }
            }
        }
    }

    /// Writes down what watches held; what each rests on is told before any of it is.
    fn remember(&mut self, set: &RuleSet, moment: Moment<'_>) {
        let mut evaluator = Evaluator {
            set,
            moment,
            matches: &mut self.matches,
            call: &self.call,
            now: &mut self.now,
        };
        let n_before = evaluator.before().of(Side::Any);
        let mut times: Vec<(WatchId, Past)> = Vec::new();
        let held = std::mem::take(&mut evaluator.now.held);
        for &watch in &held {
            let Some(state) = evaluator.now.watch(watch).cloned() else {
                continue;
            };
            let proofs = match set.watches[watch].n_kept {
                0 => Vec::new(),
                _ => Witness {
                    evaluator: &mut evaluator,
                    tongue: set.watch_tongue(watch),
                }
                .proofs(set.watches[watch].node),
            };
            let past = Past {
                held: state,
                n_before,
                proofs,
            };
            times.push((watch, past));
        }
        evaluator.now.held = held;
        for (watch, past) in times {
            let memory = &mut self.call.memories[watch];
            memory.remember(past, moment.utterance(), set.watches[watch].n_kept);
        }
    }

    fn report(
        &mut self,
        set: &RuleSet,
        rule: usize,
        held: Held,
        hit: Hit,
        (moment, stage): (Moment<'_>, Stage),
        events: &mut Vec<RuleEvent>,
    ) {
        let channel = match moment {
            Moment::Utterance(spoken, _) => Some(spoken.utterance.channel),
            _ => None,
        };
        let place = HitPlace::of(moment);
        let known = self
            .provisional
            .iter()
            .position(|known| known.rule == rule && Some(known.channel) == channel);
        match (stage, known, channel) {
            (Stage::Partial, None, Some(channel)) if held.limit.is_none() => {
                let event_hit = hit.clone();
                self.provisional.push(Provisional {
                    place,
                    rule,
                    channel,
                    hit,
                });
                events.push(RuleEvent {
                    change: Change::Provisional,
                    place,
                    rule,
                    hit: event_hit,
                });
            }
            (Stage::Partial, ..) => {}
            (Stage::Whole, Some(known), _) => {
                let known = self.provisional.remove(known);
                self.fired[rule] = true;
                events.push(RuleEvent {
                    change: Change::Confirmed,
                    place: known.place,
                    rule,
                    hit,
                });
            }
            (Stage::Whole, None, _) if !held.limit.is_none() => {
                if matches!(moment, Moment::Finish(end_ms) if held.limit.allows(end_ms, &self.call.counts))
                {
                    self.raise(rule, place, hit, events);
                } else if !matches!(moment, Moment::Finish(_)) {
                    self.wait(rule, Waiting { held, place, hit });
                }
            }
            (Stage::Whole, None, _) => {
                if !(set.rules[rule].once && self.fired[rule]) {
                    self.raise(rule, place, hit, events);
                }
            }
        }
    }

    fn wait(&mut self, rule: usize, one: Waiting) {
        let waiting = self.waiting.entry(rule).or_default();
        if waiting.len() >= MOST_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(one);
    }

    /// Lets go of hits that cannot be at the end of the call any more.
    fn forget_waiting(&mut self, now_ms: u64) {
        let counts = self.call.counts;
        self.waiting.retain(|_, waiting| {
            waiting.retain(|one| one.held.limit.allows(now_ms, &counts));
            !waiting.is_empty()
        });
    }

    fn raise(&mut self, rule: usize, place: HitPlace, hit: Hit, events: &mut Vec<RuleEvent>) {
        self.fired[rule] = true;
        let mut place = place;
        // A rule fires once for an utterance.
        if place.channel.is_none() {
            let n_hits = self.n_hits_at.entry((rule, place.at_ms)).or_default();
            place.n_before = *n_hits;
            *n_hits += 1;
        }
        events.push(RuleEvent {
            change: Change::Raised,
            place,
            rule,
            hit,
        });
    }

    fn withdraw(&mut self, channel: Option<u16>, events: &mut Vec<RuleEvent>) {
        let is_over = |known: &Provisional| channel.is_none_or(|channel| known.channel == channel);
        let (over, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.provisional)
            .into_iter()
            .partition(is_over);
        self.provisional = rest;
        for known in over {
            events.push(RuleEvent {
                change: Change::Withdrawn,
                place: known.place,
                rule: known.rule,
                hit: known.hit,
            });
        }
    }
}

impl RuleSet {
    fn watch_tongue(&self, watch: usize) -> Tongue {
        self.tongue(self.watches[watch].pack)
    }

    pub(super) fn tongue(&self, pack: usize) -> Tongue {
        match self
            .packs
            .get(pack)
            .is_none_or(|pack| pack.speaks_chinese())
        {
            true => Tongue::Chinese,
            false => Tongue::English,
        }
    }
}

/// The hit of a rule that holds now.
fn hit(evaluator: &mut Evaluator<'_>, rule: &RuleInfo, held: &Held) -> Hit {
    let tongue = evaluator.set.tongue(rule.pack);
    let moment = evaluator.moment;
    let set = evaluator.set;
    let proofs = Witness { evaluator, tongue }.proofs(rule.root);
    let (start_ms, end_ms) = span(&proofs, held);
    let mut clauses: Vec<String> = Vec::new();
    for proof in &proofs {
        if !clauses.contains(&proof.clause) {
            clauses.push(proof.clause.clone());
        }
    }
    if clauses.is_empty() {
        clauses.push(rule.title.clone());
    }
    Hit {
        rule: rule.id.clone(),
        pack: set.packs[rule.pack].id.clone(),
        title: rule.title.clone(),
        severity: rule.severity,
        party: blamed(rule.party, moment, &proofs),
        start_ms,
        end_ms,
        deduct: rule.deduct,
        auto_fail: rule.auto_fail,
        why: tongue.sentence(&clauses),
        evidence: proofs
            .into_iter()
            .filter_map(|proof| proof.evidence)
            .collect(),
    }
}

/// The stretch of the first piece of evidence, with others of the same utterance.
fn span(proofs: &[Proof], held: &Held) -> (u64, u64) {
    let mut evidence = proofs.iter().filter_map(|proof| proof.evidence.as_ref());
    let Some(first) = evidence.next() else {
        return (held.start_ms, held.end_ms);
    };
    let same =
        evidence.filter(|other| other.utterance.is_some() && other.utterance == first.utterance);
    same.fold(
        (first.start_ms, first.end_ms),
        |(start_ms, end_ms), other| (start_ms.min(other.start_ms), end_ms.max(other.end_ms)),
    )
}

/// Whose hit it is: the rule's party, unless nobody knows who spoke; for rules about anybody, who spoke.
fn blamed(side: Side, moment: Moment<'_>, proofs: &[Proof]) -> Party {
    let first = proofs.iter().find_map(|proof| proof.evidence.as_ref());
    let spoke = match (first, moment) {
        (Some(evidence), _) => evidence.party,
        (None, Moment::Utterance(spoken, _)) => spoken.party(),
        (None, _) => Party::Unknown,
    };
    let by_voice = first.is_some_and(|evidence| evidence.utterance.is_some());
    match side {
        Side::Any => spoke,
        _ if by_voice && spoke == Party::Unknown => Party::Unknown,
        Side::Agent => Party::Agent,
        Side::Customer => Party::Customer,
    }
}
