//! A pack's own tests: texts and calls, and the rules that fire on them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use auricle_contracts::{
    CallMetadata, Emotion, Hit, Intent, Interruption, Party, PiiSpan, Stretch, TextPlace, Utterance,
};

use super::compile::check_tests;
use super::format::{Side, Speaker, Test, Turn};
use super::mistake::{Mistake, Notes, Place};
use super::numbers::as_said;
use super::phrase::{is_wordy, joins_words};
use super::program::RuleSet;
use super::reader::At;
use super::run::{Change, RuleEvent, RuleRun};
use crate::intent::Language;
use crate::talk::MIN_SILENCE_EVENT_MS;
use crate::{Facts, Spoken, TalkEvent};

/// What the other parts of insight find in an utterance; see [`Facts`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// How it was said.
    pub emotion: Option<Emotion>,
    /// What it wants or does.
    pub intents: Vec<Intent>,
    /// Personal data of its party that ends in it.
    pub pii: Vec<PiiSpan>,
    /// Personal data that with it turned out to have been said before, or by another party.
    pub late: Vec<PiiSpan>,
    /// Syllables a minute.
    pub rate_per_minute: Option<f32>,
    /// How much louder than before, dB.
    pub loudness_rise_db: Option<f32>,
}

impl Observed {
    /// As rules take it.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            emotion: self.emotion,
            intents: &self.intents,
            pii: &self.pii,
            rate_per_minute: self.rate_per_minute,
            loudness_rise_db: self.loudness_rise_db,
        }
    }
}

/// Finds the facts of a test's utterances: the program gives its recognisers of intents and personal
/// data, so that rules are tested with them.
pub trait Observe {
    /// A new call begins.
    fn begin(&mut self) {}
    /// What is in `spoken`. What the test says itself is put on top.
    fn observe(&mut self, spoken: &Spoken<'_>) -> Observed;
    /// The call ends: personal data that waited for more.
    fn finish(&mut self) -> Vec<PiiSpan> {
        Vec::new()
    }
}

/// Finds nothing: what a test does not say is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFacts;

impl Observe for NoFacts {
    fn observe(&mut self, _: &Spoken<'_>) -> Observed {
        Observed::default()
    }
}

/// What came out of one test.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Where the test stands.
    pub place: Place,
    /// Its text, or its call, a turn a line.
    pub shown: String,
    /// What it is for.
    pub note: String,
    /// Rules that should fire, by name.
    pub expected: Vec<String>,
    /// Rules that fired, by name.
    pub got: Vec<String>,
    /// The hits of `got`.
    pub hits: Vec<Hit>,
}

impl Verdict {
    /// Whether what fired is what should.
    pub fn passed(&self) -> bool {
        self.expected == self.got
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &[String]| match names.is_empty() {
            true => "nothing".to_owned(),
            false => names.join(", "),
        };
        let Place { line, column, .. } = self.place;
        write!(out, "{line}:{column}: {}", self.shown)?;
        if !self.note.is_empty() {
            write!(out, "\n  note:     {}", self.note)?;
        }
        write!(out, "\n  expected: {}", names(&self.expected))?;
        write!(out, "\n  got:      {}", names(&self.got))?;
        for hit in &self.hits {
            if !self.expected.contains(&hit.rule) {
                write!(out, "\n  why {}: {}", hit.rule, hit.why)?;
            }
        }
        let missing = self.expected.iter().filter(|name| !self.got.contains(name));
        for name in missing {
            write!(out, "\n  did not fire: {name}")?;
        }
        Ok(())
    }
}

/// What came out of a pack's tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestReport {
    /// One for each test, in their order.
    pub verdicts: Vec<Verdict>,
    /// Rules of the pack that no test expects.
    pub untested: Vec<String>,
}

impl TestReport {
    /// How many tests came out as they should.
    pub fn n_passed(&self) -> usize {
        self.verdicts
            .iter()
            .filter(|verdict| verdict.passed())
            .count()
    }

    /// Whether all did.
    pub fn passed(&self) -> bool {
        self.n_passed() == self.verdicts.len()
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for verdict in self.verdicts.iter().filter(|verdict| !verdict.passed()) {
            writeln!(out, "{verdict}")?;
        }
        write!(
            out,
            "{} of {} tests passed",
            self.n_passed(),
            self.verdicts.len()
        )?;
        if !self.untested.is_empty() {
            write!(out, "; no test expects {}", self.untested.join(", "))?;
        }
        Ok(())
    }
}

/// Runs tests on the rules of one pack (its place in [`RuleSet::packs`]), each on a call of its own.
/// Tests with mistakes are left out; [`RuleSet::compile`] and [`check_test_file`] tell of those.
pub fn run_tests(
    set: &Arc<RuleSet>,
    pack: usize,
    tests: &[At<Test>],
    observe: &mut dyn Observe,
) -> TestReport {
    let mut report = TestReport::default();
    let mut expected: BTreeSet<&str> = BTreeSet::new();
    for at in tests {
        let Some(test) = &at.value else { continue };
        expected.extend(test.fires.iter().filter_map(|name| name.value.as_deref()));
        report
            .verdicts
            .push(run_test(set, pack, test, at.place, observe));
    }
    let of_pack = set.rules.iter().filter(|rule| rule.pack == pack);
    let untested = of_pack.filter(|rule| !expected.contains(rule.id.as_str()));
    report.untested = untested.map(|rule| rule.id.clone()).collect();
    report
}

/// What is wrong with tests of a file beside the pack at `pack` of `set`.
pub fn check_test_file(set: &RuleSet, pack: usize, file: &str, tests: &[At<Test>]) -> Vec<Mistake> {
    let mut notes = Notes::new(file);
    let of_pack = set.rules.iter().filter(|rule| rule.pack == pack);
    let known: BTreeSet<&str> = of_pack.map(|rule| rule.id.as_str()).collect();
    check_tests(tests, &known, &mut notes);
    notes.into_list()
}

fn run_test(
    set: &Arc<RuleSet>,
    pack: usize,
    test: &Test,
    place: Place,
    observe: &mut dyn Observe,
) -> Verdict {
    let names = |list: &[At<String>]| -> BTreeSet<String> {
        list.iter().filter_map(|name| name.value.clone()).collect()
    };
    let expected = names(&test.fires);
    let only = test.only.as_deref().map(names);
    let metadata = CallMetadata {
        agent: test.metadata.agent.clone(),
        campaign: test.metadata.campaign.clone(),
        region: test.metadata.region.clone(),
        started_at: None,
    };
    observe.begin();
    let mut stage = Stage {
        run: RuleRun::new(Arc::clone(set), &metadata),
        observe,
        language: match set.packs[pack].language.as_str() {
            "" => None,
            tag => Some(Language::of_tag(tag)),
        },
        events: Vec::new(),
        now_ms: 0,
        n_utterances: 0,
    };
    match &test.text {
        Some(text) => stage.say(party_of(set, pack, test), text, &Turn::default()),
        None => test
            .call
            .iter()
            .filter_map(|at| at.value.as_ref())
            .for_each(|turn| stage.turn(turn)),
    }
    let events = match &test.text {
        Some(_) => stage.events,
        None => stage.finish(test.duration_secs),
    };
    let of_interest = |event: &RuleEvent| {
        set.rules[event.rule].pack == pack
            && matches!(event.change, Change::Raised | Change::Confirmed)
            && only
                .as_ref()
                .is_none_or(|only| only.contains(&event.hit.rule))
    };
    let hits: Vec<Hit> = events
        .into_iter()
        .filter(of_interest)
        .map(|event| event.hit)
        .collect();
    let got: BTreeSet<String> = hits.iter().map(|hit| hit.rule.clone()).collect();
    Verdict {
        place,
        shown: shown(test),
        note: test.note.clone(),
        expected: expected.into_iter().collect(),
        got: got.into_iter().collect(),
        hits,
    }
}

/// Who says a test's text: as it says, else the party of the first rule that should fire, else the agent.
fn party_of(set: &RuleSet, pack: usize, test: &Test) -> Party {
    if let Some(speaker) = test.party.as_ref().and_then(|at| at.value) {
        return speaker.into();
    }
    let first = test.fires.first().and_then(|name| name.value.as_deref());
    let mut rules = set.rules.iter();
    let rule = rules.find(|rule| rule.pack == pack && Some(rule.id.as_str()) == first);
    match rule.map(|rule| rule.party) {
        Some(Side::Customer) => Party::Customer,
        _ => Party::Agent,
    }
}

fn shown(test: &Test) -> String {
    if let Some(text) = &test.text {
        return text.clone();
    }
    let turns = test.call.iter().filter_map(|at| at.value.as_ref());
    let shown = turns.map(|turn| match said(turn) {
        Some((party, text)) => format!("{party}: {text}"),
        None => match (turn.silence_ms, &turn.interruption_by) {
            (Some(ms), _) => format!("silence: {ms} ms"),
            _ => "interruption".to_owned(),
        },
    });
    shown.collect::<Vec<_>>().join("\n    ")
}

fn said(turn: &Turn) -> Option<(Party, &str)> {
    let by = |text: &'_ Option<String>| text.is_some();
    let (party, text) = match turn {
        turn if by(&turn.agent) => (Party::Agent, &turn.agent),
        turn if by(&turn.customer) => (Party::Customer, &turn.customer),
        turn => (Party::Unknown, &turn.unknown),
    };
    text.as_deref().map(|text| (party, text))
}

/// A test's call under way.
struct Stage<'a> {
    run: RuleRun,
    observe: &'a mut dyn Observe,
    /// That the pack says.
    language: Option<Language>,
    events: Vec<RuleEvent>,
    now_ms: u64,
    n_utterances: usize,
}

/// Between two turns of a test, milliseconds.
const PAUSE_MS: u64 = 500;
/// How long an interruption of a test lasts that does not say so.
const INTERRUPTION_MS: u64 = 500;

impl Stage<'_> {
    fn turn(&mut self, turn: &Turn) {
        if let Some(at_secs) = turn.at_secs {
            self.now_ms = (f64::from(at_secs.clamp(0.0, 1.0e6)) * 1000.0) as u64;
        }
        if let Some((party, text)) = said(turn) {
            self.say(party, text, turn);
            return;
        }
        let start_ms = self.now_ms;
        let event = match (turn.silence_ms, &turn.interruption_by) {
            (Some(silence_ms), _) => {
                self.now_ms = start_ms.saturating_add(silence_ms);
                // As in calls.
                if silence_ms < MIN_SILENCE_EVENT_MS {
                    return;
                }
                TalkEvent::Silence(Stretch {
                    start_ms,
                    end_ms: self.now_ms,
                })
            }
            (None, Some(by)) => TalkEvent::Interruption(Interruption {
                by: by.value.unwrap_or(Speaker::Unknown).into(),
                at_ms: start_ms,
                overlap_ms: turn.interruption_ms.unwrap_or(INTERRUPTION_MS),
            }),
            (None, None) => return,
        };
        self.run.talk(&event, &mut self.events);
    }

    fn say(&mut self, party: Party, text: &str, turn: &Turn) {
        // As it is heard: recognisers write numbers in words.
        let language = self.language;
        let said = match language.unwrap_or_else(|| Language::of_texts([text])) {
            Language::Mandarin => utterance_of_text(party, self.now_ms, &as_said(text)),
            Language::English => utterance_of_text(party, self.now_ms, text),
        };
        let utterance = Utterance {
            text: text.to_owned(),
            ..said
        };
        let spoken = Spoken::new(&utterance, self.n_utterances);
        let mut observed = self.observe.observe(&spoken);
        add_stated(&mut observed, turn, &spoken);
        self.run.time(self.now_ms, &mut self.events);
        for span in &observed.late {
            self.run.late(span, &mut self.events);
        }
        self.run
            .utterance(&spoken, &observed.facts(), &mut self.events);
        self.n_utterances += 1;
        self.now_ms = utterance.end_ms.saturating_add(PAUSE_MS);
    }

    fn finish(mut self, duration_secs: Option<f32>) -> Vec<RuleEvent> {
        let last_ms = self.now_ms.saturating_sub(PAUSE_MS);
        let duration_ms = match duration_secs {
            Some(secs) => (f64::from(secs.clamp(0.0, 1.0e6)) * 1000.0) as u64,
            None => last_ms,
        };
        for span in self.observe.finish() {
            self.run.late(&span, &mut self.events);
        }
        self.run.finish(duration_ms, &mut self.events);
        self.events
    }
}

/// What the test says of an utterance itself.
fn add_stated(observed: &mut Observed, turn: &Turn, spoken: &Spoken<'_>) {
    if let Some(mood) = turn.emotion.as_ref().and_then(|at| at.value) {
        observed.emotion = Some(Emotion {
            label: mood.into(),
            confidence: 1.0,
            ..Emotion::default()
        });
    }
    observed
        .intents
        .extend(turn.intents.iter().map(|label| Intent {
            label: label.clone(),
            confidence: 1.0,
            at: None,
            until: None,
        }));
    let utterance = spoken.utterance;
    observed
        .pii
        .extend(turn.entities.iter().map(|&entity| PiiSpan {
            kind: entity.into(),
            party: utterance.party,
            start_ms: utterance.start_ms,
            end_ms: utterance.end_ms,
            places: vec![TextPlace {
                utterance: spoken.idx,
                from: 0,
                to: utterance.spoken.chars().count(),
            }],
        }));
    observed.rate_per_minute = turn.speech_rate.or(observed.rate_per_minute);
    observed.loudness_rise_db = turn.loudness_rise_db.or(observed.loudness_rise_db);
}

/// Milliseconds a letter takes in a text that has no times.
const LETTER_MS: u64 = 250;

/// An utterance of a text alone: punctuation taken off, words apart, four letters a second.
pub fn utterance_of_text(party: Party, start_ms: u64, text: &str) -> Utterance {
    let mut spoken = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_alphanumeric() || joins_words(letter) {
            if spoken.ends_with(' ') && !needs_space(&spoken, letter) {
                spoken.pop();
            }
            spoken.push(letter);
        } else if !spoken.is_empty() && !spoken.ends_with(' ') {
            spoken.push(' ');
        }
    }
    let n_letters = spoken
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .count() as u64;
    Utterance {
        party,
        channel: u16::from(party == Party::Customer),
        start_ms,
        end_ms: start_ms.saturating_add(n_letters * LETTER_MS),
        text: text.to_owned(),
        spoken: spoken.trim_end().to_owned(),
        confidence: 1.0,
        syllables: Vec::new(),
        words: Vec::new(),
        voice: None,
    }
}

/// Whether a space stands between what ends in a space and `next`: between words it does.
fn needs_space(before: &str, next: char) -> bool {
    before.trim_end().chars().next_back().is_some_and(is_wordy) && is_wordy(next)
}
