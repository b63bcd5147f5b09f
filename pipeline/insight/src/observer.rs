//! What is in an utterance beside its words, found for rules and for the assessment alike.

use std::sync::Arc;

use auricle_contracts::{Intent, Mood, Party, PiiSpan, TalkMetrics};
use time::PrimitiveDateTime;

use crate::call::Turn;
use crate::emotion::{EmotionModel, EmotionTracker, Manner};
use crate::intent::{IntentModel, LabelScore, Seen, add_callback_times};
use crate::pii::PiiFinder;
use crate::rules::{Observe, Observed};
use crate::talk::{Edges, TalkTracker};
use crate::{Spoken, TalkEvent};

/// Probability below which a label is not even told to rules.
const LEAST_PROBABILITY: f32 = 0.05;
/// Utterances that go on mean nothing yet before they have so many letters: anything may follow 我 or 给.
const LEAST_LETTERS: usize = 3;

/// What is to be looked for: what nobody asks for is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wants {
    pub(crate) intents: bool,
    pub(crate) pii: bool,
    /// Silences, interruptions, rates.
    pub(crate) talk: bool,
    pub(crate) emotion: bool,
}

impl Wants {
    pub(crate) const ALL: Self = Self {
        intents: true,
        pii: true,
        talk: true,
        emotion: true,
    };
    pub(crate) const NONE: Self = Self {
        intents: false,
        pii: false,
        talk: false,
        emotion: false,
    };
}

/// Looks at the utterances of one call, in the order in which they ended.
pub struct Observer {
    wants: Wants,
    intents: Arc<IntentModel>,
    began: Option<PrimitiveDateTime>,
    pii: PiiFinder,
    talk: TalkTracker,
    emotion: EmotionTracker,
    /// The last utterance of others, and of the customer.
    last: [Option<Seen>; 2],
}

/// One utterance, looked at.
pub(crate) struct Insight {
    /// What rules are told.
    pub(crate) observed: Observed,
    /// What the customer wants.
    pub(crate) intents: Vec<Intent>,
}

impl Insight {
    fn new(
        spoken: &Spoken<'_>,
        rate_per_minute: Option<f32>,
        (told, intents): (Vec<Intent>, Vec<Intent>),
        manner: Manner,
        found: Vec<PiiSpan>,
    ) -> Self {
        let (pii, late) = found.into_iter().partition(|span| ends_in(span, spoken));
        Self {
            observed: Observed {
                emotion: manner.emotion,
                intents: told,
                pii,
                late,
                rate_per_minute,
                loudness_rise_db: manner.loudness_rise_db,
            },
            intents,
        }
    }
}

impl Observer {
    /// For one call, which began at this local time. Without an emotion model the built-in one serves.
    pub fn new(
        intents: Arc<IntentModel>,
        emotions: Option<Arc<dyn EmotionModel>>,
        began: Option<PrimitiveDateTime>,
    ) -> Self {
        Self {
            wants: Wants::ALL,
            intents,
            began,
            pii: PiiFinder::new(),
            talk: TalkTracker::new(Edges::BetweenTalk),
            emotion: EmotionTracker::with_model(emotions),
            last: [None, None],
        }
    }

    /// Looks for nothing but what is wanted: the rest is found nowhere.
    pub(crate) fn wanting(self, wants: Wants) -> Self {
        Self { wants, ..self }
    }

    /// Looks at the next utterance. Adds to `events` what became certain of the talk.
    pub(crate) fn utterance(
        &mut self,
        spoken: &Spoken<'_>,
        events: &mut Vec<TalkEvent>,
    ) -> Insight {
        let rate_per_minute = self.talk(spoken, events);
        let intents = self.intents(spoken);
        let manner = self.manner(spoken, &intents.0);
        let found = self.pii(spoken);
        Insight::new(spoken, rate_per_minute, intents, manner, found)
    }

    /// Looks at all utterances of a call, in order, with what became certain of the talk at each: as
    /// [`Self::utterance`] one by one, and faster, since each part goes through the call with its own data at hand.
    pub(crate) fn utterances(&mut self, turns: &[Turn<'_, '_>]) -> Vec<(Insight, Vec<TalkEvent>)> {
        let spoken = || turns.iter().map(|turn| turn.spoken);
        let talk = spoken().map(|spoken| {
            let mut events = Vec::new();
            (self.talk(spoken, &mut events), events)
        });
        let talk: Vec<_> = talk.collect();
        let intents: Vec<_> = spoken().map(|spoken| self.intents(spoken)).collect();
        let manners = spoken().zip(&intents);
        let manners = manners.map(|(spoken, (told, _))| self.manner(spoken, told));
        let manners: Vec<_> = manners.collect();
        let found: Vec<_> = spoken().map(|spoken| self.pii(spoken)).collect();
        let parts = talk.into_iter().zip(intents).zip(manners).zip(found);
        let insights = spoken().zip(parts);
        insights
            .map(|(spoken, ((((rate, events), intents), manner), found))| {
                (Insight::new(spoken, rate, intents, manner, found), events)
            })
            .collect()
    }

    /// Ends the call: what still waited of the talk goes into `events`.
    pub(crate) fn finish(
        &mut self,
        duration_ms: u64,
        events: &mut Vec<TalkEvent>,
    ) -> (TalkMetrics, Vec<PiiSpan>, Mood) {
        let metrics = self.talk.finish(duration_ms, events);
        (metrics, self.pii.finish(), self.emotion.mood())
    }

    fn talk(&mut self, spoken: &Spoken<'_>, events: &mut Vec<TalkEvent>) -> Option<f32> {
        match self.wants.talk {
            true => self.talk.utterance(spoken, events),
            false => None,
        }
    }

    fn manner(&mut self, spoken: &Spoken<'_>, told: &[Intent]) -> Manner {
        match self.wants.emotion {
            true => self.emotion.utterance(spoken, told),
            false => Manner::default(),
        }
    }

    fn pii(&mut self, spoken: &Spoken<'_>) -> Vec<PiiSpan> {
        match self.wants.pii {
            true => self.pii.utterance(spoken),
            false => Vec::new(),
        }
    }

    /// What an utterance that goes on wants or does, as far as it is heard; nothing is remembered of it.
    pub(crate) fn intents_so_far(&self, spoken: &Spoken<'_>) -> Vec<Intent> {
        if spoken.letters.len() < LEAST_LETTERS {
            return Vec::new();
        }
        let seen = self.intents.see(spoken);
        let previous = self.last[1 - side_of(spoken.party())].as_ref();
        let scores = self.intents.scores_seen(spoken.party(), &seen, previous);
        let likely = scores.filter(|score| score.probability >= LEAST_PROBABILITY);
        likely.map(|score| intent(&score)).collect()
    }

    /// Every label with a probability worth telling rules, agents' acts too; and what the customer wants.
    fn intents(&mut self, spoken: &Spoken<'_>) -> (Vec<Intent>, Vec<Intent>) {
        let (mut told, mut given) = (Vec::new(), Vec::new());
        if !self.wants.intents {
            return (told, given);
        }
        let seen = self.intents.see(spoken);
        let side = side_of(spoken.party());
        let previous = self.last[1 - side].as_ref();
        for score in self.intents.scores_seen(spoken.party(), &seen, previous) {
            if score.probability < LEAST_PROBABILITY {
                continue;
            }
            let intent = intent(&score);
            if score.party == Party::Customer && score.is_given() {
                given.push(intent.clone());
            }
            told.push(intent);
        }
        let by_confidence = |a: &Intent, b: &Intent| b.confidence.total_cmp(&a.confidence);
        told.sort_by(by_confidence);
        given.sort_by(by_confidence);
        add_callback_times(&mut given, spoken, self.began);
        self.last[side] = Some(seen);
        (told, given)
    }
}

fn intent(score: &LabelScore<'_>) -> Intent {
    Intent {
        label: score.label.to_owned(),
        confidence: score.probability,
        at: None,
        until: None,
    }
}

fn ends_in(span: &PiiSpan, spoken: &Spoken<'_>) -> bool {
    let last = span.places.last().map(|place| place.utterance);
    span.party == spoken.party() && last == Some(spoken.idx)
}

/// Gives the tests of rules what a real call would give them.
pub struct TrialObserver {
    intents: Arc<IntentModel>,
    observer: Observer,
}

impl TrialObserver {
    /// With this text classifier.
    pub fn new(intents: Arc<IntentModel>) -> Self {
        Self {
            observer: Observer::new(Arc::clone(&intents), None, None),
            intents,
        }
    }
}

impl Observe for TrialObserver {
    fn begin(&mut self) {
        *self = Self::new(Arc::clone(&self.intents));
    }

    fn observe(&mut self, spoken: &Spoken<'_>) -> Observed {
        self.observer.utterance(spoken, &mut Vec::new()).observed
    }

    fn finish(&mut self) -> Vec<PiiSpan> {
        self.observer.pii.finish()
    }
}

/// Customers on one side, everybody else on the other.
fn side_of(party: Party) -> usize {
    usize::from(party == Party::Customer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::Language;
    use crate::testing::utterance;

    #[test]
    fn what_is_not_certain_is_told_to_rules_alone() {
        let model = Arc::new(Language::Mandarin.model().clone());
        let check = |text: &str, label: &str, is_told: bool, is_given: bool| {
            let said = utterance(Party::Customer, 0, text);
            let spoken = Spoken::new(&said, 0);
            let mut observer = Observer::new(Arc::clone(&model), None, None);
            let seen = observer.utterance(&spoken, &mut Vec::new());
            let has = |intents: &[Intent]| intents.iter().any(|intent| intent.label == label);
            assert_eq!(has(&seen.observed.intents), is_told, "{text}");
            assert_eq!(has(&seen.intents), is_given, "{text}");
        };
        check("我要投诉你们", "complaint", true, true);
        check("那好吧我也不是要投诉你", "complaint", true, false);
        check("那要怎么办理", "interested", true, false);
        check("我不需要", "refuses", true, true);
        check("我不需要", "interested", false, false);
        check("需要带什么", "unclear_answer", true, false);
    }
}
