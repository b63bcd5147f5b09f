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

use crate::emotion::EmotionTracker;
use crate::intent::IntentModel;
use crate::pii::{PiiFinder, settle};
use crate::rules::{Change, RuleEvent, RuleRun, RuleSet};
use crate::scorecard::{CallView, Card};
use crate::summary::{CallText, summarize};
use crate::talk::{Edges, TalkTracker};
use crate::{Facts, Spoken, TalkEvent};

/// Probability below which a label is not even told to rules.
const LEAST_PROBABILITY: f32 = 0.05;

/// Everything that assessments are made with. Shared by all calls.
#[derive(Clone, Debug)]
pub struct Judge {
    /// The rules of all packs.
    pub rules: Arc<RuleSet>,
    /// The score card; `None` for no score.
    pub card: Option<Arc<Card>>,
    /// The text classifier.
    pub intents: Arc<IntentModel>,
}

/// One call under way. Utterances come by the time of their end, as they do while people talk.
pub struct CallRun<'a> {
    judge: &'a Judge,
    metadata: &'a CallMetadata,
    pii: PiiFinder,
    talk: TalkTracker,
    emotion: EmotionTracker,
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
        Self {
            judge,
            metadata,
            pii: PiiFinder::new(),
            talk: TalkTracker::new(Edges::BetweenTalk),
            emotion: EmotionTracker::new(),
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
            let side = usize::from(spoken.party() == Party::Customer);
            run.utterance(spoken, last[1 - side]);
            last[side] = Some(spoken);
        }
        run.finish(&spoken, transcript.duration_ms)
    }

    /// Takes an utterance that is over. `previous` is the last one of the other party.
    pub fn utterance(&mut self, spoken: &Spoken<'_>, previous: Option<&Spoken<'_>>) {
        let spans = self.pii.utterance(spoken);
        let talk = self.talk.utterance(spoken, &mut self.talk_events);
        let intents = self.intents(spoken, previous);
        let emotion = self.emotion.utterance(spoken, &intents.all).emotion;
        // What happened in the talk ended before this utterance did.
        self.tell_talk();
        let facts = Facts {
            emotion,
            intents: &intents.all,
            pii: &spans,
            rate_per_minute: talk.rate_per_minute,
            loudness_rise_db: talk.loudness_rise_db,
        };
        self.rules.utterance(spoken, &facts, &mut self.rule_events);
        self.take_hits();
        self.found.spans.extend(spans);
        if self.found.utterances.len() <= spoken.idx {
            let n = spoken.idx + 1;
            self.found
                .utterances
                .resize_with(n, UtteranceInsight::default);
        }
        self.found.utterances[spoken.idx] = UtteranceInsight {
            emotion,
            intents: intents.given,
        };
    }

    /// Ends the call: `all` are its utterances in the order of the transcript.
    pub fn finish(mut self, all: &[Spoken<'_>], duration_ms: u64) -> Assessment {
        let metrics = self.talk.finish(duration_ms, &mut self.talk_events);
        self.tell_talk();
        self.take_hits();
        let Self {
            judge,
            metadata,
            mut pii,
            emotion,
            rules,
            mut found,
            mut rule_events,
            ..
        } = self;
        found.spans.extend(pii.finish());
        rules.finish(duration_ms, &mut rule_events);
        found.hits.extend(raised(rule_events));
        found.hits.sort_by_key(|hit| (hit.start_ms, hit.end_ms));
        found
            .utterances
            .resize_with(all.len(), UtteranceInsight::default);
        let mut assessment = Assessment {
            utterances: found.utterances,
            hits: found.hits,
            pii: settle(found.spans),
            metrics,
            mood: emotion.mood(),
            ..Assessment::default()
        };
        assessment.summary = summarize(&CallText {
            spoken: all,
            utterances: &assessment.utterances,
            hits: &assessment.hits,
            pii: &assessment.pii,
        });
        let card = judge.card.as_ref();
        assessment.scorecard =
            card.and_then(|card| card.score(&CallView::new(&assessment, metadata)));
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

    fn intents(&self, spoken: &Spoken<'_>, previous: Option<&Spoken<'_>>) -> Intents {
        let scores = self.judge.intents.scores(spoken, previous);
        let mut intents = Intents::default();
        for score in scores {
            if score.probability < LEAST_PROBABILITY {
                continue;
            }
            let intent = Intent {
                label: score.label.to_owned(),
                confidence: score.probability,
                at: None,
                until: None,
            };
            if score.party == Party::Customer && score.probability >= score.threshold {
                intents.given.push(intent.clone());
            }
            intents.all.push(intent);
        }
        let by_confidence = |a: &Intent, b: &Intent| b.confidence.total_cmp(&a.confidence);
        intents.given.sort_by(by_confidence);
        intents.all.sort_by(by_confidence);
        intents
    }
}

/// What the classifier says of one utterance.
#[derive(Debug, Default)]
struct Intents {
    /// What the customer wants.
    given: Vec<Intent>,
    /// Every label with a probability worth telling rules: agents' acts, too.
    all: Vec<Intent>,
}

/// Hits that stay.
fn raised(events: impl IntoIterator<Item = RuleEvent>) -> impl Iterator<Item = Hit> {
    let stays = |event: &RuleEvent| matches!(event.change, Change::Raised | Change::Confirmed);
    events.into_iter().filter(stays).map(|event| event.hit)
}
