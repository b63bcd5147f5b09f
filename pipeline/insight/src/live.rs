//! One call under way: what is known of it by now.

use auricle_contracts::{CallMetadata, PiiSpan, Utterance, UtteranceInsight};

use crate::call::Watch;
use crate::rules::RuleEvent;
use crate::{Judge, Spoken};

/// A call under way, watched by the rules of a judge. What it tells goes out as alerts; what is kept of the call is
/// [`CallRun::assess`](crate::CallRun::assess) of its transcript, by the same rules.
///
/// Utterances come by the time of their end, as a call that is over gives them: of two that are over, the one that
/// ended first is given first. Places are those in the order in which they are given.
pub struct LiveRun {
    watch: Watch,
    n_utterances: usize,
}

/// What an utterance made known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Hits raised, confirmed, withdrawn.
    pub events: Vec<RuleEvent>,
    /// Its mood and what it wants.
    pub insight: UtteranceInsight,
    /// Personal data in it, or in utterances before it that only now turned out to have some.
    pub pii: Vec<PiiSpan>,
}

impl LiveRun {
    /// Begins a call.
    pub fn new(judge: &Judge, metadata: &CallMetadata) -> Self {
        Self {
            watch: Watch::new(judge, metadata),
            n_utterances: 0,
        }
    }

    /// This is known of the call from now on: conditions on agent, campaign and region go by it. What fired stays.
    pub fn describe(&mut self, metadata: &CallMetadata) {
        self.watch.describe(metadata);
    }

    /// An utterance as far as it is heard: rules with `partials` fire, provisionally.
    pub fn partial(&mut self, utterance: &Utterance) -> Vec<RuleEvent> {
        let spoken = Spoken::new(utterance, self.n_utterances);
        self.watch.partial(&spoken);
        self.take_events()
    }

    /// An utterance that is over. `heard_until_ms` is what [`Self::time`] takes, but for this utterance.
    pub fn utterance(&mut self, utterance: &Utterance, heard_until_ms: u64) -> Told {
        let spoken = Spoken::new(utterance, self.n_utterances);
        self.n_utterances += 1;
        let seen = self.watch.utterance(&spoken, heard_until_ms);
        let mut pii = seen.observed.pii;
        pii.extend(seen.observed.late);
        Told {
            events: self.take_events(),
            insight: UtteranceInsight {
                emotion: seen.observed.emotion,
                intents: seen.intents,
            },
            pii,
        }
    }

    /// The utterance that goes on in a channel, as far as it was given, turned out to have no words.
    pub fn dismiss(&mut self, channel: u16) -> Vec<RuleEvent> {
        self.watch.dismiss(channel);
        self.take_events()
    }

    /// All that began before `heard_until_ms` (from the start of the call) has been given, as an utterance or as a
    /// partial: what should have been said by then, and was not, is missed.
    pub fn time(&mut self, heard_until_ms: u64) -> Vec<RuleEvent> {
        self.watch.time(heard_until_ms);
        self.take_events()
    }

    /// The end of the call: what is provisional is withdrawn, what waited for the end is decided. Nothing is told after it.
    pub fn finish(&mut self, duration_ms: u64) -> Vec<RuleEvent> {
        self.watch.end(duration_ms).events
    }

    fn take_events(&mut self) -> Vec<RuleEvent> {
        std::mem::take(&mut self.watch.rule_events)
    }
}
