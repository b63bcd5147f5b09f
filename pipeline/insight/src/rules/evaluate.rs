//! Whether conditions hold at one moment of a call.

use auricle_contracts::{CallMetadata, Evidence, Party, PiiSpan};

use super::format::{Side, TextForm};
use super::lexicon::PhraseId;
use super::limit::Limit;
use super::matches::{Matches, Span, Spans};
use super::past::Memory;
use super::program::{
    GuardWords, Kind, MetadataLeaf, Node, NodeId, Phrase, RegexLeaf, RuleSet, SaysLeaf, View,
    WatchId,
};
use crate::{Facts, Spoken, TalkEvent};

/// What happens now.
#[derive(Clone, Copy)]
pub(super) enum Moment<'a> {
    Utterance(&'a Spoken<'a>, Facts<'a>),
    /// Personal data that only now turned out to have been said.
    Late(&'a PiiSpan, Heard),
    Talk(TalkEvent),
    /// A time at which something must have been said.
    Deadline(u64),
    /// The end of the call.
    Finish(u64),
}

/// Where in the call it was said.
#[derive(Clone, Copy)]
pub(super) struct Heard {
    /// The utterance in which it ended; `None` where that is too long ago to be known.
    pub(super) utterance: Option<usize>,
    /// Utterances before that one.
    pub(super) before: Counts,
}

impl Moment<'_> {
    pub(super) fn start_ms(&self) -> u64 {
        match self {
            Self::Utterance(spoken, _) => spoken.utterance.start_ms,
            Self::Late(span, _) => span.start_ms,
            Self::Talk(TalkEvent::Silence(silence)) => silence.start_ms,
            Self::Talk(TalkEvent::Interruption(talk)) => talk.at_ms,
            Self::Deadline(at_ms) | Self::Finish(at_ms) => *at_ms,
        }
    }

    pub(super) fn end_ms(&self) -> u64 {
        match self {
            Self::Utterance(spoken, _) => spoken.utterance.end_ms.max(spoken.utterance.start_ms),
            Self::Late(span, _) => span.end_ms.max(span.start_ms),
            Self::Talk(TalkEvent::Silence(silence)) => silence.end_ms,
            Self::Talk(TalkEvent::Interruption(talk)) => talk.at_ms.saturating_add(talk.overlap_ms),
            Self::Deadline(at_ms) | Self::Finish(at_ms) => *at_ms,
        }
    }

    /// The utterance that it is about.
    pub(super) fn utterance(&self) -> Option<usize> {
        match self {
            Self::Utterance(spoken, _) => Some(spoken.idx),
            Self::Late(_, heard) => heard.utterance,
            Self::Talk(_) | Self::Deadline(_) | Self::Finish(_) => None,
        }
    }
}

/// How many utterances there were: of all parties, of the agent, of the customer. One of an unknown
/// party counts as either's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts([u32; 3]);

impl Counts {
    pub(super) const fn of(&self, side: Side) -> u32 {
        self.0[side.place()]
    }

    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        self.0.into_iter()
    }

    pub(super) fn add(&mut self, party: Party) {
        self.0[0] += 1;
        self.0[1] += u32::from(party != Party::Customer);
        self.0[2] += u32::from(party != Party::Agent);
    }
}

impl Side {
    /// Its place in lists of three.
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Any => 0,
            Self::Agent => 1,
            Self::Customer => 2,
        }
    }
}

/// A condition holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub(super) start_ms: u64,
    pub(super) end_ms: u64,
    /// The earliest end and the latest start of what was found, to tell what came first.
    pub(super) first_end_ms: u64,
    pub(super) last_start_ms: u64,
    pub(super) limit: Limit,
}

impl Held {
    const fn at(start_ms: u64, end_ms: u64, limit: Limit) -> Self {
        Self {
            start_ms,
            end_ms,
            first_end_ms: end_ms,
            last_start_ms: start_ms,
            limit,
        }
    }

    fn and(self, other: Self) -> Self {
        let limit = self.limit.and(&other.limit);
        self.with(&other, limit)
    }

    /// Both hold, and one of them would do.
    fn or(self, other: Self) -> Self {
        let limit = self.limit.or(&other.limit);
        self.with(&other, limit)
    }

    fn with(&self, other: &Self, limit: Limit) -> Self {
        Self {
            start_ms: self.start_ms.min(other.start_ms),
            end_ms: self.end_ms.max(other.end_ms),
            first_end_ms: self.first_end_ms.min(other.first_end_ms),
            last_start_ms: self.last_start_ms.max(other.last_start_ms),
            limit,
        }
    }
}

/// What a condition rests on: a stretch of the call, and a clause that says what was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proof {
    /// `None` for what was not said, and for what is known of the call.
    pub(super) evidence: Option<Evidence>,
    pub(super) clause: String,
    pub(super) shows: Shows,
}

/// What a piece of evidence is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// What was found.
    What,
    /// What was never said. One such is told: with several, all but the first are what the rule wants to be sure of.
    Absence,
    /// An utterance in which something was not found.
    Lack,
}

/// What is known of the call: what conditions look at beside the moment.
#[derive(Clone, Debug, Default)]
pub(super) struct CallState {
    /// By watch.
    pub(super) memories: Vec<Memory>,
    pub(super) counts: Counts,
    /// Lower-case.
    agent: Option<String>,
    campaign: Option<String>,
    region: Option<String>,
}

impl CallState {
    pub(super) fn new(n_watches: usize, metadata: &CallMetadata) -> Self {
        let mut state = Self {
            memories: vec![Memory::default(); n_watches],
            ..Self::default()
        };
        state.describe(metadata);
        state
    }

    /// This is known of the call from now on.
    pub(super) fn describe(&mut self, metadata: &CallMetadata) {
        let lower =
            |value: &Option<String>| value.as_ref().map(|value| value.trim().to_lowercase());
        self.agent = lower(&metadata.agent);
        self.campaign = lower(&metadata.campaign);
        self.region = lower(&metadata.region);
    }

    fn fits(&self, leaf: &MetadataLeaf) -> bool {
        let fits = |wanted: &Option<Vec<String>>, value: &Option<String>| match (wanted, value) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(value)) => wanted.contains(value),
        };
        fits(&leaf.agent, &self.agent)
            && fits(&leaf.campaign, &self.campaign)
            && fits(&leaf.region, &self.region)
    }
}

/// Conditions that were looked at in this moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Now {
    moment: u32,
    /// By watch: the moment in which it was looked at, and what came out.
    watches: Vec<(u32, Option<Held>)>,
    /// Watches that hold in this moment.
    pub(super) held: Vec<WatchId>,
    /// By [`Node::slot`].
    named: Vec<(u32, Option<Held>)>,
    /// How sure the classifier is at most, by label, below 0 for what it did not tell; of moment `looked_at`.
    confidences: Vec<f32>,
    looked_at: u32,
}

impl Now {
    /// The next moment: nothing was looked at.
    pub(super) fn begin(&mut self, set: &RuleSet) {
        self.watches.resize(set.watches.len(), (0, None));
        self.named.resize(set.n_slots, (0, None));
        if self.moment == u32::MAX {
            self.watches.fill((0, None));
            self.named.fill((0, None));
            (self.moment, self.looked_at) = (0, 0);
        }
        self.moment += 1;
        self.held.clear();
    }

    fn look_at_intents(&mut self, set: &RuleSet, facts: &Facts<'_>) {
        if self.looked_at == self.moment {
            return;
        }
        self.looked_at = self.moment;
        self.confidences.clear();
        self.confidences.resize(set.labels.len(), -1.0);
        for intent in facts.intents {
            if let Ok(label) = set.labels.binary_search(&intent.label) {
                let known = &mut self.confidences[label];
                *known = known.max(intent.confidence);
            }
        }
    }

    pub(super) fn set_watch(&mut self, watch: WatchId, held: Option<Held>) {
        if held.is_some() {
            self.held.push(watch);
        }
        self.watches[watch] = (self.moment, held);
    }

    pub(super) fn watch(&self, watch: WatchId) -> Option<&Held> {
        let (moment, held) = &self.watches[watch];
        held.as_ref().filter(|_| *moment == self.moment)
    }
}

/// Looks at conditions in one moment.
pub(super) struct Evaluator<'a> {
    pub(super) set: &'a RuleSet,
    pub(super) moment: Moment<'a>,
    pub(super) matches: &'a mut Matches,
    pub(super) call: &'a CallState,
    pub(super) now: &'a mut Now,
}

impl<'a> Evaluator<'a> {
    /// Whether a condition holds, and where.
    pub(super) fn holds(&mut self, id: NodeId) -> Option<Held> {
        let set = self.set;
        let node = &set.nodes[id];
        let Some(slot) = node.slot else {
            return self.look(node);
        };
        let (moment, known) = &self.now.named[slot];
        if *moment == self.now.moment {
            return known.clone();
        }
        let held = self.look(node);
        self.now.named[slot] = (self.now.moment, held.clone());
        held
    }

    fn look(&mut self, node: &'a Node) -> Option<Held> {
        match &node.kind {
            Kind::All(nodes) => {
                let mut all: Option<Held> = None;
                for &inner in nodes {
                    let held = self.holds(inner)?;
                    all = Some(match all {
                        Some(all) => all.and(held),
                        None => held,
                    });
                }
                all
            }
            Kind::Any(nodes) => {
                let held = nodes.iter().filter_map(|&inner| self.holds(inner));
                held.reduce(Held::or)
            }
            Kind::AtLeast(n, nodes) => {
                let held: Vec<Held> = nodes
                    .iter()
                    .filter_map(|&inner| self.holds(inner))
                    .collect();
                match held.len() >= *n {
                    true => held.into_iter().reduce(Held::and),
                    false => None,
                }
            }
            Kind::Not { what, watch } => self.not(*what, *watch, &node.view),
            Kind::InCall(watch) => self.in_call(*watch),
            Kind::After { later, link, .. } => self.after(*later, link),
            Kind::Repeated {
                what,
                watch,
                times,
                within,
            } => self.repeated(*what, *watch, *times, *within),
            Kind::NotSaid { watch, by_ms, .. } => self.not_said(*watch, *by_ms, &node.view),
            Kind::Metadata(leaf) => self.call.fits(leaf).then(|| self.here(Limit::NONE)),
            _ => self.leaf(node),
        }
    }

    /// This moment as a whole.
    pub(super) fn here(&self, limit: Limit) -> Held {
        Held::at(self.moment.start_ms(), self.moment.end_ms(), limit)
    }

    /// What was said before this moment.
    pub(super) fn before(&self) -> &Counts {
        match &self.moment {
            Moment::Late(_, heard) => &heard.before,
            _ => &self.call.counts,
        }
    }

    /// Whether a view takes this moment in.
    fn sees(&self, view: &View) -> Option<Limit> {
        let party = match &self.moment {
            Moment::Utterance(spoken, _) => Some(spoken.party()),
            Moment::Late(span, _) => Some(span.party),
            Moment::Talk(_) => None,
            Moment::Deadline(_) | Moment::Finish(_) => return Some(Limit::NONE),
        };
        if party.is_some_and(|party| !view.sees(party)) {
            return None;
        }
        let start_ms = self.moment.start_ms();
        let n_before = self.before().of(view.side);
        if view.first_ms.is_some_and(|first_ms| start_ms >= first_ms)
            || view.first_n.is_some_and(|first_n| n_before >= first_n)
        {
            return None;
        }
        Some(Limit::new(
            view.last_ms.map(|last_ms| start_ms.saturating_add(last_ms)),
            view.last_n
                .map(|last_n| (view.side, n_before.saturating_add(last_n))),
        ))
    }

    /// What is not there is missed where something is said or happens. With personal data that turns out late it is
    /// missed where it held neither then, in the utterance with the data, nor holds now; where that utterance is not
    /// known any more, nobody can tell.
    fn not(&mut self, what: NodeId, watch: Option<WatchId>, view: &View) -> Option<Held> {
        let limit = self.sees(view)?;
        if let Moment::Late(_, heard) = self.moment
            && self.call.memories[watch?].held_in(heard.utterance?)
        {
            return None;
        }
        match self.holds(what) {
            Some(_) => None,
            None => Some(self.here(limit)),
        }
    }

    /// Nothing is missed by a party that never says anything.
    fn not_said(&self, watch: WatchId, by_ms: Option<u64>, view: &View) -> Option<Held> {
        let now_ms = match self.moment {
            Moment::Deadline(at_ms) if by_ms.is_some_and(|by_ms| by_ms <= at_ms) => at_ms,
            Moment::Finish(duration_ms) => duration_ms,
            _ => return None,
        };
        if self.call.counts.of(view.side) == 0 {
            return None;
        }
        let memory = &self.call.memories[watch];
        let until_ms = by_ms.unwrap_or(u64::MAX).min(now_ms);
        let was_said = match (by_ms, &memory.limit) {
            (_, None) => false,
            (Some(_), Some(_)) => memory
                .first_start_ms
                .is_some_and(|start_ms| start_ms <= until_ms),
            (None, Some(limit)) => limit.allows(now_ms, &self.call.counts),
        };
        (!was_said).then(|| Held::at(0, until_ms, Limit::NONE))
    }

    fn leaf(&mut self, node: &'a Node) -> Option<Held> {
        match (&node.kind, self.moment) {
            (Kind::Silence(least_ms), Moment::Talk(TalkEvent::Silence(silence))) => {
                let length_ms = silence.end_ms.saturating_sub(silence.start_ms);
                let limit = self.sees(&node.view).filter(|_| length_ms >= *least_ms)?;
                Some(self.here(limit))
            }
            (Kind::Interruption(least_ms), Moment::Talk(TalkEvent::Interruption(talk))) => {
                let fits = talk.overlap_ms >= *least_ms && node.view.sees(talk.by);
                let limit = self.sees(&node.view).filter(|_| fits)?;
                Some(self.here(limit))
            }
            (Kind::Entity(kinds), Moment::Late(span, _)) if kinds.contains(&span.kind) => {
                let limit = self.sees(&node.view)?;
                Some(self.here(limit))
            }
            (kind, Moment::Utterance(spoken, facts)) => {
                let limit = self.sees(&node.view)?;
                self.in_utterance(kind, spoken, &facts, limit)
            }
            _ => None,
        }
    }

    fn in_utterance(
        &mut self,
        kind: &'a Kind,
        spoken: &Spoken<'_>,
        facts: &Facts<'_>,
        limit: Limit,
    ) -> Option<Held> {
        let holds = match kind {
            Kind::Says(says) => return self.says(&self.set.says[*says], spoken, limit),
            Kind::Regex(leaf) => return regex_held(leaf, spoken, limit),
            Kind::Similar(similarity, least) => {
                !spoken.letters.is_empty() && similarity.score(spoken) >= *least
            }
            Kind::Intent(label, least) => {
                self.now.look_at_intents(self.set, facts);
                self.now.confidences[*label] >= *least
            }
            Kind::Entity(kinds) => facts.pii.iter().any(|span| kinds.contains(&span.kind)),
            Kind::Emotion(label, least) => facts
                .emotion
                .is_some_and(|emotion| emotion.label == *label && emotion.confidence >= *least),
            Kind::SpeechRate { above, below } => facts.rate_per_minute.is_some_and(|rate| {
                above.is_none_or(|above| rate > above) && below.is_none_or(|below| rate < below)
            }),
            Kind::LoudnessRise(db) => facts.loudness_rise_db.is_some_and(|rise| rise >= *db),
            _ => false,
        };
        holds.then(|| self.here(limit))
    }

    fn says(&mut self, leaf: &'a SaysLeaf, spoken: &Spoken<'_>, limit: Limit) -> Option<Held> {
        let mut spans = Spans::new();
        if !leaf.any.is_empty() {
            let first = leaf.any[0].id;
            let (mut next, end) = (first, first + leaf.any.len() as PhraseId);
            while let Some(live) = self.matches.next_live(next, end) {
                self.add_phrase(&leaf.any[(live - first) as usize], leaf, &mut spans);
                next = live + 1;
            }
            if spans.is_empty() {
                return None;
            }
        }
        for phrase in &leaf.all {
            if !self.add_phrase(phrase, leaf, &mut spans) {
                return None;
            }
        }
        if let Some((n, of)) = &leaf.at_least {
            let n_before = spans.len();
            let mut n_found = 0;
            for phrase in of {
                n_found += usize::from(self.add_phrase(phrase, leaf, &mut spans));
            }
            if n_found < *n {
                spans.truncate(n_before);
                return None;
            }
        }
        if self.is_excluded(leaf) {
            return None;
        }
        let held = spans.into_iter().map(|span| {
            let (start_ms, end_ms) = times(spoken, span);
            Held::at(start_ms, end_ms, limit.clone())
        });
        held.reduce(Held::or)
    }

    /// Where a phrase is said and counts.
    pub(super) fn phrase(&mut self, phrase: &Phrase, leaf: &SaysLeaf) -> Spans {
        let mut spans = Spans::new();
        self.add_phrase(phrase, leaf, &mut spans);
        spans
    }

    /// Adds where a phrase is said and counts; whether it is anywhere.
    fn add_phrase(&mut self, phrase: &Phrase, leaf: &SaysLeaf, spans: &mut Spans) -> bool {
        if !self.is_live(phrase) {
            return false;
        }
        let n_before = spans.len();
        self.matches
            .add_phrase(&self.set.lexicon, &phrase.steps, spans);
        let mut n = n_before;
        for place in n_before..spans.len() {
            let span = spans[place];
            if !self.is_guarded(leaf.negation, span) && !self.is_guarded(leaf.reported, span) {
                spans[n] = span;
                n += 1;
            }
        }
        spans.truncate(n);
        n > n_before
    }

    /// Whether what the phrase needs is said.
    fn is_live(&self, phrase: &Phrase) -> bool {
        self.matches.next_live(phrase.id, phrase.id + 1).is_some()
    }

    /// Where a phrase is said, whatever stands before it.
    pub(super) fn said(&mut self, phrase: &Phrase) -> Spans {
        let mut spans = Spans::new();
        if self.is_live(phrase) {
            self.matches
                .add_phrase(&self.set.lexicon, &phrase.steps, &mut spans);
        }
        spans
    }

    pub(super) fn is_excluded(&mut self, leaf: &SaysLeaf) -> bool {
        leaf.unless
            .iter()
            .any(|phrase| !self.said(phrase).is_empty())
    }

    pub(super) fn is_guarded(&mut self, guard: Option<GuardWords>, span: Span) -> bool {
        let Some(guard) = guard else { return false };
        let words = self.matches.group_spans(&self.set.lexicon, guard.words);
        let is_near = |word: &Span| word.to <= span.from && span.from - word.to <= guard.within;
        let near = words.iter().filter(|word| is_near(word));
        let near: Spans = near.copied().collect();
        let Some(except) = guard.except.filter(|_| !near.is_empty()) else {
            return !near.is_empty();
        };
        let except = self.matches.group_spans(&self.set.lexicon, except);
        let holds = |word: &Span| {
            let mut around = except.iter();
            !around.any(|except| except.from <= word.from && word.to <= except.to)
        };
        near.iter().any(holds)
    }
}

/// When letters are said, milliseconds.
pub(super) fn times(spoken: &Spoken<'_>, span: Span) -> (u64, u64) {
    let letters = spoken.letters.get(span.from as usize..span.to as usize);
    match letters {
        Some([one]) => (one.start_ms, one.end_ms.max(one.start_ms)),
        Some([first, .., last]) => (first.start_ms, last.end_ms.max(first.start_ms)),
        _ => (spoken.utterance.start_ms, spoken.utterance.end_ms),
    }
}

/// The form of the utterance a leaf looks at.
pub(super) fn form<'s>(leaf: &RegexLeaf, spoken: &'s Spoken<'_>) -> &'s str {
    let utterance = spoken.utterance;
    match leaf.on {
        TextForm::Spoken if !utterance.spoken.is_empty() => &utterance.spoken,
        _ => &utterance.text,
    }
}

/// Where a regular expression matches, as bytes of its form.
pub(super) fn regex_span(leaf: &RegexLeaf, spoken: &Spoken<'_>) -> Option<(usize, usize)> {
    let text = form(leaf, spoken);
    let found = leaf.pattern.find(text)?;
    if leaf
        .unless
        .as_ref()
        .is_some_and(|unless| unless.is_match(text))
    {
        return None;
    }
    Some((found.start(), found.end()))
}

/// Letters of the spoken form from one byte to before another.
pub(super) fn letters_of(spoken: &Spoken<'_>, text: &str, bytes: (usize, usize)) -> Span {
    let at = |byte: usize| text[..byte].chars().count();
    let (from, to) = (at(bytes.0), at(bytes.1));
    let letters = &spoken.letters;
    Span {
        from: letters.partition_point(|letter| letter.at < from) as u32,
        to: letters.partition_point(|letter| letter.at < to) as u32,
    }
}

fn regex_held(leaf: &RegexLeaf, spoken: &Spoken<'_>, limit: Limit) -> Option<Held> {
    let bytes = regex_span(leaf, spoken)?;
    let (start_ms, end_ms) = match leaf.on {
        TextForm::Spoken => times(spoken, letters_of(spoken, form(leaf, spoken), bytes)),
        TextForm::Written => (spoken.utterance.start_ms, spoken.utterance.end_ms),
    };
    Some(Held::at(start_ms, end_ms, limit))
}
