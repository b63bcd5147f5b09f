//! Why a rule fired on a call, or did not: each of its conditions, and where it held or nearly did.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use auricle_contracts::{CallMetadata, Hit, Utterance};

use super::evaluate::{Evaluator, Moment, times};
use super::format::Side;
use super::matches::Span;
use super::program::{
    About, GuardWords, Kind, Look, NodeId, Phrase, RuleSet, SaysLeaf, View, Within,
};
use super::run::{Change, RuleEvent, RuleRun};
use super::trials::Observe;
use super::why::{Tongue, Witness, quote};
use crate::call::{all_spoken, turns};
use crate::{Spoken, TalkEvent};

/// A call that is over.
#[derive(Clone, Copy, Debug)]
pub struct PastCall<'a> {
    /// By start time.
    pub utterances: &'a [Utterance],
    /// By time.
    pub talk: &'a [TalkEvent],
    /// What is known of it beside its sound.
    pub metadata: &'a CallMetadata,
    /// Its length, milliseconds.
    pub duration_ms: u64,
}

/// What a rule found in a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The rule's id.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Its hits; none where it did not fire.
    pub hits: Vec<Hit>,
    /// Its condition.
    pub condition: Branch,
}

/// One condition with those it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The condition, in words.
    pub condition: String,
    /// Moments of the call (utterances, events of the talk, deadlines, its end) at which it held.
    pub n_held: usize,
    /// The first of those, with what was found.
    pub found: Vec<String>,
    /// Where it nearly held, and why it did not.
    pub missed: Vec<String>,
    /// What it is made of.
    pub parts: Vec<Branch>,
}

/// As a tree, `+` before what held and `-` before what did not.
impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fired = match self.hits.len() {
            0 => "did not fire".to_owned(),
            1 => "fired once".to_owned(),
            n => format!("fired {n} times"),
        };
        writeln!(out, "{} ({}) {fired}", self.rule, self.title)?;
        for hit in &self.hits {
            writeln!(out, "  {}  {}", clock(hit.start_ms), hit.why)?;
        }
        self.condition.show(out, 0)
    }
}

impl Branch {
    fn show(&self, out: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = "  ".repeat(depth);
        let sign = if self.n_held > 0 { '+' } else { '-' };
        writeln!(out, "{indent}{sign} {}", self.condition)?;
        for found in &self.found {
            writeln!(out, "{indent}    held at {found}")?;
        }
        if self.n_held > self.found.len() {
            writeln!(out, "{indent}    held {} times in all", self.n_held)?;
        }
        for missed in &self.missed {
            writeln!(out, "{indent}    nearly at {missed}")?;
        }
        self.parts
            .iter()
            .try_for_each(|part| part.show(out, depth + 1))
    }
}

fn clock(ms: u64) -> String {
    format!("{}:{:04.1}", ms / 60_000, (ms % 60_000) as f64 / 1000.0)
}

/// Looks at the conditions of the rule at `rule` of [`RuleSet::rules`]; `None` where there is no such rule.
pub(crate) fn trace(set: &RuleSet, rule: usize) -> Option<Trace> {
    let info = set.rules.get(rule)?;
    Some(Trace::new(set, info.root, set.tongue(info.pack)))
}

/// What `trace` saw of the rule at `rule`, and its hits out of those of the call.
pub(crate) fn explanation(
    set: &RuleSet,
    rule: usize,
    trace: &Trace,
    hits: &[Hit],
) -> Option<Explanation> {
    let info = set.rules.get(rule)?;
    let pack = &set.packs[info.pack].id;
    let own = hits
        .iter()
        .filter(|hit| hit.rule == info.id && hit.pack == *pack);
    Some(Explanation {
        rule: info.id.clone(),
        title: info.title.clone(),
        hits: own.cloned().collect(),
        condition: trace.branch(set, info.root, 0),
    })
}

/// All hits of a call that is over, by start time.
pub fn judge(set: &Arc<RuleSet>, call: &PastCall<'_>, observe: &mut dyn Observe) -> Vec<Hit> {
    let mut run = RuleRun::new(Arc::clone(set), call.metadata);
    let events = play(&mut run, call, observe);
    let stays = |event: &RuleEvent| matches!(event.change, Change::Raised | Change::Confirmed);
    let mut hits: Vec<Hit> = events
        .into_iter()
        .filter(stays)
        .map(|event| event.hit)
        .collect();
    hits.sort_by_key(|hit| (hit.start_ms, hit.end_ms));
    hits
}

/// Gives a call to its rules: events of the talk before the utterance that begins after them.
fn play(run: &mut RuleRun, call: &PastCall<'_>, observe: &mut dyn Observe) -> Vec<RuleEvent> {
    let mut events = Vec::new();
    observe.begin();
    let mut talk = call.talk.iter().peekable();
    let spoken = all_spoken(call.utterances);
    for turn in turns(&spoken) {
        let start_ms = turn.spoken.utterance.start_ms;
        let is_before = |event: &&TalkEvent| match event {
            TalkEvent::Silence(silence) => silence.end_ms <= start_ms,
            TalkEvent::Interruption(talk) => talk.at_ms < start_ms,
        };
        while let Some(event) = talk.next_if(is_before) {
            run.talk(event, &mut events);
        }
        let observed = observe.observe(turn.spoken);
        run.time(turn.heard_until_ms, &mut events);
        for span in &observed.late {
            run.late(span, &mut events);
        }
        run.utterance(turn.spoken, &observed.facts(), &mut events);
    }
    for event in talk {
        run.talk(event, &mut events);
    }
    for span in observe.finish() {
        run.late(&span, &mut events);
    }
    run.end(call.duration_ms, &mut events);
    events
}

/// Examples of one condition that are kept.
const MOST_EXAMPLES: usize = 3;
/// Conditions are shown so deep.
const MOST_DEPTH: usize = 24;
/// Phrases of one condition are shown so far.
const MOST_SHOWN: usize = 60;

/// What conditions of one rule did over a call.
#[derive(Debug)]
pub(crate) struct Trace {
    tongue: Tongue,
    nodes: BTreeMap<NodeId, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    n_held: usize,
    found: Vec<String>,
    missed: Vec<String>,
}

impl Trace {
    fn new(set: &RuleSet, root: NodeId, tongue: Tongue) -> Self {
        let mut nodes = BTreeMap::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if nodes.insert(id, Seen::default()).is_none() {
                open.extend(parts(set, id));
            }
        }
        Self { tongue, nodes }
    }

    /// Looks at all conditions in one moment.
    pub(super) fn look(&mut self, evaluator: &mut Evaluator<'_>) {
        for (&id, seen) in &mut self.nodes {
            match evaluator.holds(id) {
                Some(held) => {
                    seen.n_held += 1;
                    if seen.found.len() < MOST_EXAMPLES {
                        let tongue = self.tongue;
                        let proofs = Witness { evaluator, tongue }.proofs(id);
                        let clauses: Vec<String> =
                            proofs.into_iter().map(|proof| proof.clause).collect();
                        let when = clock(held.start_ms);
                        seen.found
                            .push(format!("{when}  {}", tongue.joined(&clauses)));
                    }
                }
                None if seen.missed.len() < MOST_EXAMPLES => {
                    seen.missed.extend(missed(evaluator, id));
                }
                None => {}
            }
        }
    }

    fn branch(&self, set: &RuleSet, id: NodeId, depth: usize) -> Branch {
        let seen = self.nodes.get(&id);
        let (n_held, found, missed) = seen.map_or_else(Default::default, |seen| {
            (seen.n_held, seen.found.clone(), seen.missed.clone())
        });
        let parts = match depth < MOST_DEPTH {
            true => parts(set, id),
            false => Vec::new(),
        };
        Branch {
            condition: in_words(set, id),
            n_held,
            found,
            missed,
            parts: parts
                .into_iter()
                .map(|part| self.branch(set, part, depth + 1))
                .collect(),
        }
    }
}

/// The conditions a condition is made of.
fn parts(set: &RuleSet, id: NodeId) -> Vec<NodeId> {
    let watched = |watch: usize| set.watches[watch].node;
    match &set.nodes[id].kind {
        Kind::All(nodes) | Kind::Any(nodes) | Kind::AtLeast(_, nodes) => nodes.clone(),
        Kind::Not { what, .. } => vec![*what],
        Kind::InCall(watch) => vec![watched(*watch)],
        Kind::After { later, link, about } => match about {
            About::Later => vec![*later, watched(link.watch)],
            About::Earlier => vec![watched(link.watch), *later],
        },
        Kind::Repeated { what, .. } | Kind::NotSaid { what, .. } => vec![*what],
        _ => Vec::new(),
    }
}

fn in_words(set: &RuleSet, id: NodeId) -> String {
    let node = &set.nodes[id];
    let words = match &node.kind {
        Kind::Says(says) => format!("says {}", phrases_in_words(&set.says[*says])),
        Kind::Regex(leaf) => format!("regex {}", leaf.pattern.as_str()),
        Kind::Similar(_, least) => format!("similar to its examples, at least {least}"),
        Kind::Intent(label, least) => {
            format!("intent {}, at least {least}", set.labels[*label])
        }
        Kind::Entity(kinds) => {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            format!("entity {}", names.join(" or "))
        }
        Kind::Emotion(label, least) => format!("emotion {}, at least {least}", label.as_str()),
        Kind::SpeechRate { above, below } => {
            let above = above.map(|rate| format!(" above {rate}"));
            let below = below.map(|rate| format!(" below {rate}"));
            format!(
                "speech rate{}{}",
                above.unwrap_or_default(),
                below.unwrap_or_default()
            )
        }
        Kind::LoudnessRise(db) => format!("at least {db} dB louder"),
        Kind::Silence(ms) => format!("silence of at least {ms} ms"),
        Kind::Interruption(ms) => format!("interruption of at least {ms} ms"),
        Kind::Metadata(_) => "metadata".to_owned(),
        Kind::All(_) => "all of".to_owned(),
        Kind::Any(_) => "any of".to_owned(),
        Kind::AtLeast(n, _) => format!("at least {n} of"),
        Kind::Not { .. } => "not".to_owned(),
        Kind::InCall(_) => "somewhere in the call so far".to_owned(),
        Kind::After { link, about, .. } => {
            let order = match (link.look, about) {
                (Look::BothWays, _) => "the first near the second",
                (Look::Back, About::Later) => "the first after the second",
                (Look::Back, About::Earlier) => "the first before the second",
            };
            format!("{order}{}", within_in_words(link.within))
        }
        Kind::Repeated { times, within, .. } => {
            format!("{times} times{}", within_in_words(*within))
        }
        Kind::NotSaid { by_ms: None, .. } => "not said in the whole call".to_owned(),
        Kind::NotSaid {
            by_ms: Some(by_ms), ..
        } => format!("not said by {}", clock(*by_ms)),
    };
    let name = node.name.as_ref().map(|name| format!("{name}: "));
    let view = match &node.kind {
        Kind::Metadata(_) | Kind::All(_) | Kind::Any(_) | Kind::AtLeast(..) => String::new(),
        Kind::After { .. } | Kind::InCall(_) | Kind::Repeated { .. } => String::new(),
        _ => view_in_words(&node.view),
    };
    format!("{}{words}{view}", name.unwrap_or_default())
}

fn phrases_in_words(leaf: &SaysLeaf) -> String {
    let list = |phrases: &[Phrase]| {
        let texts: Vec<&str> = phrases.iter().map(|phrase| phrase.text.as_str()).collect();
        let text = texts.join(" | ");
        match text.chars().count() > MOST_SHOWN {
            true => {
                let short: String = text.chars().take(MOST_SHOWN).collect();
                format!("{short}… ({} phrases)", phrases.len())
            }
            false => text,
        }
    };
    let mut pieces = Vec::new();
    if !leaf.any.is_empty() {
        pieces.push(list(&leaf.any));
    }
    if !leaf.all.is_empty() {
        pieces.push(format!("all of {}", list(&leaf.all)));
    }
    if let Some((n, of)) = &leaf.at_least {
        pieces.push(format!("at least {n} of {}", list(of)));
    }
    if !leaf.unless.is_empty() {
        pieces.push(format!("unless {}", list(&leaf.unless)));
    }
    pieces.join(", ")
}

fn within_in_words(within: Within) -> String {
    let utterances = within
        .utterances
        .map(|n| format!(", within {n} utterances"));
    let secs = within
        .ms
        .map(|ms| format!(", within {} s", ms as f64 / 1000.0));
    format!(
        "{}{}",
        utterances.unwrap_or_default(),
        secs.unwrap_or_default()
    )
}

fn view_in_words(view: &View) -> String {
    let side = match view.side {
        Side::Any => "",
        Side::Agent => " (agent)",
        Side::Customer => " (customer)",
    };
    let secs = |name: &str, ms: Option<u64>| {
        ms.map_or_else(String::new, |ms| {
            format!(", {name} {} s", ms as f64 / 1000.0)
        })
    };
    let utterances = |name: &str, n: Option<u32>| {
        n.map_or_else(String::new, |n| format!(", {name} {n} utterances"))
    };
    format!(
        "{side}{}{}{}{}",
        secs("first", view.first_ms),
        secs("last", view.last_ms),
        utterances("first", view.first_n),
        utterances("last", view.last_n)
    )
}

/// Why a condition nearly held.
fn missed(evaluator: &mut Evaluator<'_>, id: NodeId) -> Option<String> {
    let set = evaluator.set;
    let node = &set.nodes[id];
    let Moment::Utterance(spoken, facts) = evaluator.moment else {
        return None;
    };
    match &node.kind {
        Kind::Says(says) => missed_phrase(evaluator, &set.says[*says], &node.view, spoken),
        Kind::Similar(similarity, least) => {
            let score = similarity.score(spoken);
            let text = &spoken.utterance.spoken;
            (score > least * 0.7).then(|| {
                format!(
                    "{}  {text}: only {score:.2} alike",
                    clock(spoken.utterance.start_ms)
                )
            })
        }
        Kind::Intent(label, _) => {
            let label = &set.labels[*label];
            let known = facts.intents.iter().find(|intent| intent.label == *label)?;
            let when = clock(spoken.utterance.start_ms);
            Some(format!(
                "{when}  {}: only {:.2} sure",
                spoken.utterance.spoken, known.confidence
            ))
        }
        _ => None,
    }
}

fn missed_phrase(
    evaluator: &mut Evaluator<'_>,
    leaf: &SaysLeaf,
    view: &View,
    spoken: &Spoken<'_>,
) -> Option<String> {
    let of = leaf.at_least.iter().flat_map(|(_, of)| of);
    for phrase in leaf.any.iter().chain(&leaf.all).chain(of) {
        let Some(&span) = evaluator.said(phrase).first() else {
            continue;
        };
        let when = clock(times(spoken, span).0);
        let words = quote(spoken, span);
        let cause = cause(evaluator, leaf, view, spoken, span);
        return Some(format!("{when}  \"{words}\", but {cause}"));
    }
    None
}

fn cause(
    evaluator: &mut Evaluator<'_>,
    leaf: &SaysLeaf,
    view: &View,
    spoken: &Spoken<'_>,
    span: Span,
) -> String {
    if !view.sees(spoken.party()) {
        return format!("by {}", spoken.party());
    }
    let guards: [(&str, Option<GuardWords>); 2] =
        [("negation", leaf.negation), ("reported", leaf.reported)];
    for (name, guard) in guards {
        if evaluator.is_guarded(guard, span) {
            return format!("a word of `{name}` stands before it");
        }
    }
    let excluding = leaf
        .unless
        .iter()
        .find(|phrase| !evaluator.said(phrase).is_empty());
    match excluding {
        Some(phrase) => format!("so is \"{}\" of `unless`", phrase.text),
        None if view.first_ms.is_some() || view.first_n.is_some() => {
            "outside of the part of the call that is looked at".to_owned()
        }
        None => "not all that is asked for".to_owned(),
    }
}
