//! One call that is over: from its utterances to its assessment.
//!
//! ```text
//! utterance ─┬▶ pii ──────┐
//!            ├▶ talk ─────┤
//!            ├▶ intent ─┬─┴▶ rules ─▶ hits ─┐
//!            └▶ emotion ┘                   ├▶ summary, score card ─▶ Assessment
//!                  └▶ mood ─────────────────┘
//! ```

use std::sync::Arc;

use auricle_contracts::{
    Assessment, CallMetadata, Hit, Intent, Mood, Party, PiiSpan, Scorecard, TalkMetrics,
    Transcript, Utterance, UtteranceInsight,
};

use crate::emotion::EmotionModel;
use crate::intent::{IntentModel, disposition, local_time};
use crate::observer::{Insight, Observer, Wants};
use crate::pii::settle;
use crate::rules::{self, Change, Explanation, RuleEvent, RuleRun, RuleSet, Trace};
use crate::scorecard::{CallView, Card};
use crate::summary::{CallText, summarize};
use crate::{Facts, Hearing, Spoken, TalkEvent};

/// Everything that assessments are made with. Shared by all calls.
#[derive(Clone, Debug)]
pub struct Judge {
    /// The rules of all packs.
    pub rules: Arc<RuleSet>,
    /// The score card; `None` for no score.
    pub card: Option<Arc<Card>>,
    /// The text classifier.
    pub intents: Arc<IntentModel>,
    /// The emotion model; `None` for the built-in one.
    pub emotions: Option<Arc<dyn EmotionModel>>,
}

/// One call that is over. Its utterances come by the time of their end, as they did while people talked.
pub struct CallRun<'a> {
    judge: &'a Judge,
    metadata: &'a CallMetadata,
    engine: &'a str,
    watch: Watch,
    found: Found,
}

/// Observers and rules at work on one call, under way or over.
pub(crate) struct Watch {
    observer: Observer,
    rules: RuleRun,
    talk_events: Vec<TalkEvent>,
    /// What the rules said since somebody took it.
    pub(crate) rule_events: Vec<RuleEvent>,
}

impl Watch {
    pub(crate) fn new(judge: &Judge, metadata: &CallMetadata) -> Self {
        let began = metadata.started_at.as_deref();
        let began = began.and_then(|started_at| local_time(started_at, 0));
        Self {
            observer: Observer::new(Arc::clone(&judge.intents), judge.emotions.clone(), began),
            rules: RuleRun::new(Arc::clone(&judge.rules), metadata),
            talk_events: Vec::new(),
            rule_events: Vec::new(),
        }
    }

    /// This is known of the call from now on.
    pub(crate) fn describe(&mut self, metadata: &CallMetadata) {
        self.rules.describe(metadata);
    }

    /// An utterance that is over. All that began before `heard_until_ms` (from the start of the recording) has been
    /// given, this utterance aside: no more than the start of any utterance that is still to come or goes on, this
    /// one's included. What should have been said by then, and was not, is missed.
    pub(crate) fn utterance(&mut self, spoken: &Spoken<'_>, heard_until_ms: u64) -> Insight {
        let seen = self.observer.utterance(spoken, &mut self.talk_events);
        self.tell(spoken, &seen, heard_until_ms);
        seen
    }

    /// An utterance as far as it is heard.
    pub(crate) fn partial(&mut self, spoken: &Spoken<'_>) {
        let intents = match self.rules.follows_partials() {
            true => self.observer.intents_so_far(spoken),
            false => Vec::new(),
        };
        let facts = Facts {
            intents: &intents,
            ..Facts::default()
        };
        self.rules.partial(spoken, &facts, &mut self.rule_events);
    }

    /// What goes on in a channel turned out to be nothing.
    pub(crate) fn dismiss(&mut self, channel: u16) {
        self.rules.dismiss(channel, &mut self.rule_events);
    }

    /// All that began before has been given, as an utterance or in part.
    pub(crate) fn time(&mut self, heard_until_ms: u64) {
        self.rules.time(heard_until_ms, &mut self.rule_events);
    }

    /// Tells the rules what was found in an utterance.
    fn tell(&mut self, spoken: &Spoken<'_>, seen: &Insight, heard_until_ms: u64) {
        // What happened in the talk ended before this utterance did.
        for event in self.talk_events.drain(..) {
            self.rules.talk(&event, &mut self.rule_events);
        }
        self.rules.time(heard_until_ms, &mut self.rule_events);
        for span in &seen.observed.late {
            self.rules.late(span, &mut self.rule_events);
        }
        let facts = seen.observed.facts();
        self.rules.utterance(spoken, &facts, &mut self.rule_events);
    }

    /// What becomes known at the end of the call.
    pub(crate) fn end(&mut self, duration_ms: u64) -> Ended {
        let (metrics, spans, mood) = self.observer.finish(duration_ms, &mut self.talk_events);
        for event in &self.talk_events {
            self.rules.talk(event, &mut self.rule_events);
        }
        for span in &spans {
            self.rules.late(span, &mut self.rule_events);
        }
        self.rules.end(duration_ms, &mut self.rule_events);
        Ended {
            metrics,
            mood,
            spans,
            events: std::mem::take(&mut self.rule_events),
            trace: self.rules.take_trace(),
        }
    }
}

/// What becomes known at the end of a call.
pub(crate) struct Ended {
    metrics: TalkMetrics,
    mood: Mood,
    spans: Vec<PiiSpan>,
    pub(crate) events: Vec<RuleEvent>,
    trace: Option<Box<Trace>>,
}

/// An utterance of a call that is over, as it comes.
pub(crate) struct Turn<'s, 'u> {
    pub(crate) spoken: &'s Spoken<'u>,
    /// Up to when everything that began has been given, this utterance aside.
    pub(crate) heard_until_ms: u64,
}

/// Utterances, ready for matching.
pub(crate) fn all_spoken(utterances: &[Utterance]) -> Vec<Spoken<'_>> {
    let utterances = utterances.iter().enumerate();
    utterances
        .map(|(idx, utterance)| Spoken::new(utterance, idx))
        .collect()
}

/// A call that is over as it came: utterances by the time of their end.
pub(crate) fn turns<'s, 'u>(spoken: &'s [Spoken<'u>]) -> Vec<Turn<'s, 'u>> {
    let mut by_end: Vec<&Spoken<'u>> = spoken.iter().collect();
    by_end.sort_by_key(|spoken| (spoken.utterance.end_ms, spoken.idx));
    let turn = |spoken: &'s Spoken<'u>| Turn {
        spoken,
        heard_until_ms: spoken.utterance.start_ms,
    };
    let mut turns: Vec<Turn<'s, 'u>> = by_end.into_iter().map(turn).collect();
    let mut heard_until_ms = u64::MAX;
    for turn in turns.iter_mut().rev() {
        heard_until_ms = heard_until_ms.min(turn.heard_until_ms);
        turn.heard_until_ms = heard_until_ms;
    }
    turns
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    utterances: Vec<UtteranceInsight>,
    spans: Vec<PiiSpan>,
    /// With the place of the rule.
    hits: Vec<(usize, Hit)>,
}

impl<'a> CallRun<'a> {
    /// Begins a call.
    fn new(judge: &'a Judge, metadata: &'a CallMetadata) -> Self {
        Self {
            judge,
            metadata,
            engine: "",
            watch: Watch::new(judge, metadata),
            found: Found::default(),
        }
    }

    /// What heard the call, as its transcript names it: its confidences tell whether anything was understood.
    const fn heard_by(mut self, engine: &'a str) -> Self {
        self.engine = engine;
        self
    }

    /// What is made of a call that is over.
    pub fn assess(judge: &'a Judge, transcript: &'a Transcript) -> Assessment {
        let run = Self::new(judge, &transcript.metadata);
        run.heard_by(&transcript.engine).whole(transcript).0
    }

    /// Why the rule at `rule` of the judge's [`RuleSet::rules`] fired on a call that is over, or did not; `None`
    /// where there is no such rule.
    pub fn explain(
        judge: &'a Judge,
        rule: usize,
        transcript: &'a Transcript,
    ) -> Option<Explanation> {
        let trace = rules::trace(&judge.rules, rule)?;
        let mut run = Self::new(judge, &transcript.metadata).heard_by(&transcript.engine);
        run.watch.rules = run.watch.rules.traced(trace);
        let (assessment, trace) = run.whole(transcript);
        rules::explanation(&judge.rules, rule, &*trace?, &assessment.hits)
    }

    fn whole(mut self, transcript: &Transcript) -> (Assessment, Option<Box<Trace>>) {
        let spoken = all_spoken(&transcript.utterances);
        self.hear(&spoken);
        self.close(&spoken, transcript.duration_ms)
    }

    /// The hits of `rules` alone, by the rule's place and in the order in which they were found.
    pub(crate) fn hits_of(
        judge: &'a Judge,
        rules: &Arc<RuleSet>,
        wants: Wants,
        (metadata, all, duration_ms): (&'a CallMetadata, &[Spoken<'_>], u64),
    ) -> Vec<(usize, Hit)> {
        let mut run = Self::new(judge, metadata);
        run.watch.rules = RuleRun::new(Arc::clone(rules), metadata);
        run.watch.observer = run.watch.observer.wanting(wants);
        run.hear(all);
        run.end(duration_ms).0.hits
    }

    /// All utterances of a call that is over.
    fn hear(&mut self, all: &[Spoken<'_>]) {
        let turns = turns(all);
        let insights = self.watch.observer.utterances(&turns);
        for (turn, (insight, events)) in turns.iter().zip(insights) {
            self.watch.talk_events = events;
            self.watch.tell(turn.spoken, &insight, turn.heard_until_ms);
            self.found.take(turn.spoken.idx, insight);
            self.found
                .hits
                .extend(raised(self.watch.rule_events.drain(..)));
        }
    }

    /// Ends the call: `all` are its utterances in the order of the transcript.
    fn close(self, all: &[Spoken<'_>], duration_ms: u64) -> (Assessment, Option<Box<Trace>>) {
        let (judge, metadata) = (self.judge, self.metadata);
        let hearing = Hearing::of(self.engine, all.iter().map(|spoken| spoken.utterance));
        let (mut found, (metrics, mood), trace) = self.end(duration_ms);
        found
            .utterances
            .resize_with(all.len(), UtteranceInsight::default);
        let assessment = Assessment {
            utterances: found.utterances,
            hits: in_order(found.hits),
            pii: settle(found.spans),
            metrics,
            mood,
            ..Assessment::default()
        };
        (concluded(judge, metadata, hearing, all, assessment), trace)
    }

    fn end(mut self, duration_ms: u64) -> (Found, (TalkMetrics, Mood), Option<Box<Trace>>) {
        let mut found = self.found;
        let ended = self.watch.end(duration_ms);
        found.hits.extend(raised(ended.events));
        found.spans.extend(ended.spans);
        (found, (ended.metrics, ended.mood), ended.trace)
    }
}

impl Found {
    fn take(&mut self, idx: usize, seen: Insight) {
        self.spans.extend(seen.observed.pii);
        self.spans.extend(seen.observed.late);
        let insight = UtteranceInsight {
            emotion: seen.observed.emotion,
            intents: seen.intents,
        };
        self.set(idx, insight);
    }

    fn set(&mut self, idx: usize, insight: UtteranceInsight) {
        if self.utterances.len() <= idx {
            self.utterances
                .resize_with(idx + 1, UtteranceInsight::default);
        }
        self.utterances[idx] = insight;
    }
}

/// By time; where they are about the same time, in the order of the rules.
pub(crate) fn in_order(mut hits: Vec<(usize, Hit)>) -> Vec<Hit> {
    hits.sort_by_key(|(rule, hit)| (hit.start_ms, hit.end_ms, *rule));
    hits.into_iter().map(|(_, hit)| hit).collect()
}

/// What follows from everything else in an assessment: summary, disposition, score card.
pub(crate) fn concluded(
    judge: &Judge,
    metadata: &CallMetadata,
    hearing: Hearing,
    all: &[Spoken<'_>],
    mut assessment: Assessment,
) -> Assessment {
    assessment.summary = summarize(&CallText {
        spoken: all,
        utterances: &assessment.utterances,
        hits: &assessment.hits,
        pii: &assessment.pii,
    });
    assessment.summary.disposition = proposed(all, &assessment);
    assessment.scorecard = scored(judge, metadata, hearing, &assessment);
    assessment
}

/// The judge's card, filled in; nobody is judged by what was hardly understood.
pub(crate) fn scored(
    judge: &Judge,
    metadata: &CallMetadata,
    hearing: Hearing,
    assessment: &Assessment,
) -> Option<Scorecard> {
    let view = CallView::new(assessment, metadata).with_rules(&judge.rules);
    let card = judge.card.as_ref().filter(|_| !hearing.is_poor());
    card.and_then(|card| card.score(&view))
}

fn proposed(all: &[Spoken<'_>], assessment: &Assessment) -> Option<String> {
    let insights = all.iter().zip(&assessment.utterances);
    let utterances: Vec<(Party, &[Intent])> = insights
        .map(|(spoken, insight)| (spoken.party(), insight.intents.as_slice()))
        .collect();
    disposition(&utterances, &assessment.hits)
}

/// Hits that stay.
fn raised(events: impl IntoIterator<Item = RuleEvent>) -> impl Iterator<Item = (usize, Hit)> {
    let stays = |event: &RuleEvent| matches!(event.change, Change::Raised | Change::Confirmed);
    let stay = events.into_iter().filter(stays);
    stay.map(|event| (event.rule, event.hit))
}
