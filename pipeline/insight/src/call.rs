//! One call from its first utterance to its assessment.
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
    Assessment, CallMetadata, Hit, Intent, Party, PiiSpan, Transcript, UtteranceInsight,
};

use crate::emotion::EmotionModel;
use crate::intent::{IntentModel, disposition, local_time};
use crate::observer::{Observer, side_of};
use crate::pii::settle;
use crate::rules::{Change, RuleEvent, RuleRun, RuleSet};
use crate::scorecard::{CallView, Card};
use crate::summary::{CallText, summarize};
use crate::{Spoken, TalkEvent};

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

/// One call under way. Utterances come by the time of their end, as they do while people talk.
pub struct CallRun<'a> {
    judge: &'a Judge,
    metadata: &'a CallMetadata,
    observer: Observer,
    rules: RuleRun,
    found: Found,
    talk_events: Vec<TalkEvent>,
    rule_events: Vec<RuleEvent>,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    utterances: Vec<UtteranceInsight>,
    spans: Vec<PiiSpan>,
    hits: Vec<Hit>,
}

impl<'a> CallRun<'a> {
    /// Begins a call.
    pub fn new(judge: &'a Judge, metadata: &'a CallMetadata) -> Self {
        let began = metadata.started_at.as_deref();
        let began = began.and_then(|started_at| local_time(started_at, 0));
        Self {
            judge,
            metadata,
            observer: Observer::new(Arc::clone(&judge.intents), judge.emotions.clone(), began),
            rules: RuleRun::new(Arc::clone(&judge.rules), metadata),
            found: Found::default(),
            talk_events: Vec::new(),
            rule_events: Vec::new(),
        }
    }

    /// What is made of a call that is over.
    pub fn assess(judge: &'a Judge, transcript: &'a Transcript) -> Assessment {
        let utterances = transcript.utterances.iter().enumerate();
        let spoken: Vec<_> = utterances
            .map(|(idx, utterance)| Spoken::new(utterance, idx))
            .collect();
        let mut by_end: Vec<&Spoken<'_>> = spoken.iter().collect();
        by_end.sort_by_key(|spoken| (spoken.utterance.end_ms, spoken.idx));
        let mut run = CallRun::new(judge, &transcript.metadata);
        let mut last: [Option<&Spoken<'_>>; 2] = [None, None];
        for spoken in by_end {
            let side = side_of(spoken.party());
            run.utterance(spoken, last[1 - side]);
            last[side] = Some(spoken);
        }
        run.finish(&spoken, transcript.duration_ms)
    }

    /// Takes an utterance that is over. `previous` is the last one of the other party.
    pub fn utterance(&mut self, spoken: &Spoken<'_>, previous: Option<&Spoken<'_>>) {
        let seen = self
            .observer
            .utterance(spoken, previous, &mut self.talk_events);
        // What happened in the talk ended before this utterance did.
        self.tell_talk();
        let facts = seen.observed.facts();
        self.rules.utterance(spoken, &facts, &mut self.rule_events);
        self.take_hits();
        let insight = UtteranceInsight {
            emotion: seen.observed.emotion,
            intents: seen.intents,
        };
        self.found.spans.extend(seen.observed.pii);
        self.found.set(spoken.idx, insight);
    }

    /// Ends the call: `all` are its utterances in the order of the transcript.
    pub fn finish(mut self, all: &[Spoken<'_>], duration_ms: u64) -> Assessment {
        let (metrics, spans, mood) = self.observer.finish(duration_ms, &mut self.talk_events);
        for event in &self.talk_events {
            self.rules.talk(event, &mut self.rule_events);
        }
        self.rules.finish(duration_ms, &mut self.rule_events);
        let mut found = self.found;
        found.hits.extend(raised(self.rule_events));
        found.hits.sort_by_key(|hit| (hit.start_ms, hit.end_ms));
        found.spans.extend(spans);
        found
            .utterances
            .resize_with(all.len(), UtteranceInsight::default);
        let mut assessment = Assessment {
            utterances: found.utterances,
            hits: found.hits,
            pii: settle(found.spans),
            metrics,
            mood,
            ..Assessment::default()
        };
        assessment.summary = summarize(&CallText {
            spoken: all,
            utterances: &assessment.utterances,
            hits: &assessment.hits,
            pii: &assessment.pii,
        });
        assessment.summary.disposition = proposed(all, &assessment);
        let view = CallView::new(&assessment, self.metadata);
        let card = self.judge.card.as_ref();
        assessment.scorecard = card.and_then(|card| card.score(&view));
        assessment
    }

    fn tell_talk(&mut self) {
        for event in self.talk_events.drain(..) {
            self.rules.talk(&event, &mut self.rule_events);
        }
    }

    fn take_hits(&mut self) {
        self.found.hits.extend(raised(self.rule_events.drain(..)));
    }
}

impl Found {
    fn set(&mut self, idx: usize, insight: UtteranceInsight) {
        if self.utterances.len() <= idx {
            self.utterances
                .resize_with(idx + 1, UtteranceInsight::default);
        }
        self.utterances[idx] = insight;
    }
}

fn proposed(all: &[Spoken<'_>], assessment: &Assessment) -> Option<String> {
    let insights = all.iter().zip(&assessment.utterances);
    let utterances: Vec<(Party, &[Intent])> = insights
        .map(|(spoken, insight)| (spoken.party(), insight.intents.as_slice()))
        .collect();
    disposition(&utterances, &assessment.hits)
}

/// Hits that stay.
fn raised(events: impl IntoIterator<Item = RuleEvent>) -> impl Iterator<Item = Hit> {
    let stays = |event: &RuleEvent| matches!(event.change, Change::Raised | Change::Confirmed);
    events.into_iter().filter(stays).map(|event| event.hit)
}
