//! Conditions into nodes.

mod leaves;

use std::collections::{BTreeSet, HashMap};

use super::format::{AtLeast, Condition, Guard, NotSaid, Order, Pack, Repeated, Scope, Side};
use super::include::is_included;
use super::labels::AskedLabel;
use super::lexicon::{ClassId, LexiconBuilder};
use super::mistake::{Notes, Place, nearest_hint};
use super::program::{
    About, GuardWords, Kind, Link, Look, MetadataLeaf, Node, NodeId, SaysLeaf, View, Watch,
    WatchId, Within, moments,
};
use super::reader::At;
use super::words::{Tangle, Words, find_cycles};
use crate::talk::MIN_SILENCE_EVENT_MS;

/// Conditions in one set of packs.
const MOST_NODES: usize = 1_000_000;
const MOST_TIMES: u32 = 100;
const MOST_SECS: f32 = 1.0e6;
/// Times that are kept, at least, of what is looked back at: people talk at once and personal data turns out late,
/// so that the last one known need not be the last one before it.
const LEAST_KEPT: usize = 16;

/// When a condition may hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    /// The moments it is tied to; `None` for what may hold at any.
    tied: Option<u8>,
    /// Moments at which it is worth looking, where it is not tied.
    loose: u8,
    /// Classes of keywords of which one occurs in any utterance where it holds; `None` where none need.
    pub(super) triggers: Option<Vec<ClassId>>,
}

impl Reach {
    fn tied(moments: u8) -> Self {
        let in_utterances = moments & moments::UTTERANCE != 0;
        Self {
            tied: Some(moments),
            loose: 0,
            triggers: if in_utterances {
                None
            } else {
                Some(Vec::new())
            },
        }
    }

    /// The moments at which to look.
    pub(super) fn moments(&self) -> u8 {
        match (self.tied, self.loose) {
            (Some(tied), _) => tied,
            // What goes on holding is seen at the next moment; what turns out late would be judged as of long ago.
            (None, 0) => moments::ALL & !moments::LATE,
            (None, loose) => loose,
        }
    }

    /// Whether it goes on holding once it does: then a rule fires when it begins to.
    pub(super) fn is_lasting(&self) -> bool {
        match self.tied {
            Some(tied) => tied & !(moments::DEADLINE | moments::FINISH) == 0,
            None => self.loose == 0,
        }
    }
}

/// What conditions of all packs are made into.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) nodes: Vec<Node>,
    reaches: Vec<Reach>,
    pub(super) says: Vec<SaysLeaf>,
    pub(super) watches: Vec<Watch>,
    pub(super) watch_reaches: Vec<Reach>,
    pub(super) deadlines_ms: BTreeSet<u64>,
    /// Of the classifier, as they were asked for.
    pub(super) labels: Vec<String>,
    pub(super) asked_labels: Vec<AskedLabel>,
}

impl Program {
    fn label(&mut self, label: String) -> usize {
        let known = self.labels.iter().position(|known| *known == label);
        known.unwrap_or_else(|| {
            self.labels.push(label);
            self.labels.len() - 1
        })
    }

    /// Puts labels in order, and gives nodes with a name a place to be kept at; the number of those.
    pub(super) fn settle(&mut self) -> usize {
        let mut labels = self.labels.clone();
        labels.sort_unstable();
        let mut n_slots = 0;
        for node in &mut self.nodes {
            if let Kind::Intent(label, _) = &mut node.kind {
                // Each is in the list it was sorted from.
                *label = labels.partition_point(|known| *known < self.labels[*label]);
            }
            if node.name.is_some() {
                node.slot = Some(n_slots);
                n_slots += 1;
            }
        }
        self.labels = labels;
        n_slots
    }
}

/// Makes the conditions of one pack.
pub(super) struct Builder<'a> {
    /// Place of the pack.
    place: usize,
    pack: &'a Pack,
    words: &'a mut Words,
    lexicon: &'a mut LexiconBuilder,
    program: &'a mut Program,
    pub(super) notes: &'a mut Notes,
    negation: Option<GuardWords>,
    reported: Option<GuardWords>,
    /// Named conditions that lead back to themselves.
    tangled: BTreeSet<String>,
    /// Named conditions that were made, by the view they were made for.
    named: HashMap<String, Vec<(View, Option<NodeId>)>>,
    watched: HashMap<NodeId, WatchId>,
}

type Made = (NodeId, Reach);

impl<'a> Builder<'a> {
    pub(super) fn new(
        (place, pack): (usize, &'a Pack),
        words: &'a mut Words,
        lexicon: &'a mut LexiconBuilder,
        program: &'a mut Program,
        notes: &'a mut Notes,
    ) -> Self {
        let mut builder = Self {
            place,
            pack,
            words,
            lexicon,
            program,
            notes,
            negation: None,
            reported: None,
            tangled: BTreeSet::new(),
            named: HashMap::new(),
            watched: HashMap::new(),
        };
        builder.negation = builder.guard(pack.negation.as_ref(), 3);
        builder.reported = builder.guard(pack.reported.as_ref(), 15);
        builder.find_tangles();
        builder
    }

    fn guard(&mut self, written: Option<&At<Guard>>, within: u32) -> Option<GuardWords> {
        let guard = written?.value.as_ref()?;
        let words = self.words.group(&guard.words, self.lexicon, self.notes)?;
        let except = self.words.group(&guard.except, self.lexicon, self.notes);
        Some(GuardWords {
            words,
            except,
            within: guard.within.unwrap_or(within),
        })
    }

    fn find_tangles(&mut self) {
        let conditions = &self.pack.conditions;
        let links: Vec<(String, Vec<String>)> = conditions
            .iter()
            .map(|(name, at)| {
                let mut names = Vec::new();
                names_in(at, &mut names);
                (name.clone(), names)
            })
            .collect();
        for (name, tangle) in find_cycles(&links) {
            let place = conditions
                .get(&name)
                .map_or_else(Place::default, |at| at.place);
            let cause = match tangle {
                Tangle::Cycle(way) => format!("`conditions.{name}` leads back to itself: {way}"),
                Tangle::Deep => format!("`conditions.{name}` names conditions too deep"),
            };
            let hint = "a condition may name only conditions that do without it";
            self.notes.error(place, cause, hint);
            self.tangled.insert(name);
        }
    }

    /// Tells of conditions that no rule uses; they are checked all the same.
    pub(super) fn tell_unused(&mut self) {
        let pack = self.pack;
        for (name, at) in &pack.conditions {
            if self.named.contains_key(name) || is_included(at.place) {
                continue;
            }
            let cause = format!("`conditions.{name}` is not used");
            let hint = format!("use it as `is: {name}`, or take it out");
            self.notes.warning(at.place, cause, hint);
            self.condition(at, View::everything());
        }
    }

    /// A view narrowed by `scope`.
    pub(super) fn narrow(&mut self, view: View, scope: Scope, place: Place) -> View {
        let mut ms = |name: &str, secs: Option<f32>| {
            let secs = secs?;
            if !(secs > 0.0 && secs <= MOST_SECS) {
                let cause = format!("`{name}` must be above 0, got `{secs}`");
                self.notes.error(place, cause, "");
            }
            Some(to_ms(secs))
        };
        let (first, last) = (
            ms("first_secs", scope.first_secs),
            ms("last_secs", scope.last_secs),
        );
        let least = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
        let fewest = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        for (name, n) in [
            ("first_utterances", scope.first_utterances),
            ("last_utterances", scope.last_utterances),
        ] {
            if n == Some(0) {
                self.notes
                    .error(place, format!("`{name}` must be 1 or more, got `0`"), "");
            }
        }
        View {
            first_ms: least(view.first_ms, first),
            last_ms: least(view.last_ms, last),
            first_n: fewest(view.first_n, scope.first_utterances),
            last_n: fewest(view.last_n, scope.last_utterances),
            ..view
        }
    }

    fn above_zero(&mut self, name: &str, value: Option<f32>, place: Place) {
        if let Some(value) = value.filter(|value| *value <= 0.0) {
            let cause = format!("`{name}` must be above 0, got `{value}`");
            self.notes.error(place, cause, "");
        }
    }

    fn sided(view: View, party: Option<&At<Side>>) -> View {
        match party.and_then(|at| at.value) {
            Some(side) => View { side, ..view },
            None => view,
        }
    }

    fn add(&mut self, kind: Kind, view: View, reach: Reach) -> Option<Made> {
        if self.program.nodes.len() >= MOST_NODES {
            let cause = format!("more than `{MOST_NODES}` conditions");
            self.notes.error(Place::default(), cause, "use fewer rules");
            return None;
        }
        self.program.nodes.push(Node {
            kind,
            view,
            name: None,
            slot: None,
        });
        self.program.reaches.push(reach.clone());
        Some((self.program.nodes.len() - 1, reach))
    }

    fn leaf(&mut self, kind: Kind, view: View) -> Option<Made> {
        self.add(kind, view, Reach::tied(moments::UTTERANCE))
    }

    /// The node of a condition; `None`, with the cause told, where there is none.
    pub(super) fn condition(&mut self, at: &At<Condition>, view: View) -> Option<Made> {
        match at.value.as_ref()? {
            Condition::Says(says) => self.says(says, view),
            Condition::Regex(regex) => self.regex(regex.value.as_ref()?, view),
            Condition::Similar(similar) => {
                self.similar(similar.value.as_ref()?, similar.place, view)
            }
            Condition::Intent(at) => {
                let intent = at.value.as_ref()?;
                let least = self.probability(intent.at_least.as_ref(), 0.5);
                let view = Self::sided(view, intent.party.as_ref());
                let label = intent.label.value.clone()?;
                self.program.asked_labels.push(AskedLabel {
                    pack: self.place,
                    place: intent.label.place,
                    label: label.clone(),
                    side: view.side,
                });
                let kind = Kind::Intent(self.program.label(label), least);
                self.leaf(kind, view)
            }
            Condition::Entity(at) => {
                let kinds = at.value.as_ref()?.as_slice();
                let kinds = kinds.iter().map(|&entity| entity.into()).collect();
                let reach = Reach::tied(moments::UTTERANCE | moments::LATE);
                self.add(Kind::Entity(kinds), view, reach)
            }
            Condition::Emotion(at) => {
                let emotion = at.value.as_ref()?;
                let least = self.probability(emotion.at_least.as_ref(), 0.5);
                let kind = Kind::Emotion(emotion.label.value?.into(), least);
                self.leaf(kind, Self::sided(view, emotion.party.as_ref()))
            }
            Condition::SpeechRate(at) => {
                let rate = at.value.as_ref()?;
                if rate.above.is_none() && rate.below.is_none() {
                    self.notes
                        .error(at.place, "`speech_rate` needs `above` or `below`", "");
                }
                let (above, below) = (rate.above, rate.below);
                self.above_zero("above", above, at.place);
                self.above_zero("below", below, at.place);
                let view = Self::sided(view, rate.party.as_ref());
                self.leaf(Kind::SpeechRate { above, below }, view)
            }
            Condition::LoudnessRise(at) => {
                let rise = at.value.as_ref()?;
                self.above_zero("db", Some(rise.db), at.place);
                let view = Self::sided(view, rise.party.as_ref());
                self.leaf(Kind::LoudnessRise(rise.db), view)
            }
            Condition::Silence(at) => {
                let least_ms = at.value.as_ref()?.at_least_ms;
                if least_ms < MIN_SILENCE_EVENT_MS {
                    let cause = format!(
                        "silences under {MIN_SILENCE_EVENT_MS} ms are pauses and told to no rule: `at_least_ms: {least_ms}` holds from {MIN_SILENCE_EVENT_MS} ms on"
                    );
                    let hint = format!("write `at_least_ms: {MIN_SILENCE_EVENT_MS}`, or more");
                    self.notes.warning(at.place, cause, hint);
                }
                let view = View {
                    side: Side::Any,
                    ..view
                };
                self.add(Kind::Silence(least_ms), view, Reach::tied(moments::SILENCE))
            }
            Condition::Interruption(at) => {
                let talk = at.value.as_ref()?;
                let view = Self::sided(view, talk.by.as_ref());
                let reach = Reach::tied(moments::INTERRUPTION);
                self.add(Kind::Interruption(talk.at_least_ms), view, reach)
            }
            Condition::Metadata(at) => {
                let written = at.value.as_ref()?;
                let lower = |list: &Option<Vec<String>>| {
                    let list = list.as_ref()?;
                    Some(
                        list.iter()
                            .map(|value| value.trim().to_lowercase())
                            .collect(),
                    )
                };
                let leaf = MetadataLeaf {
                    agent: lower(&written.agent),
                    campaign: lower(&written.campaign),
                    region: lower(&written.region),
                };
                self.add(Kind::Metadata(leaf), view, Reach::default())
            }
            Condition::All(list) => self.all(list, at.place, view),
            Condition::Any(list) => {
                let (nodes, reach) = self.one_of(list, at.place, view)?;
                self.add(Kind::Any(nodes), view, reach)
            }
            Condition::AtLeast(written) => self.at_least(written, at.place, view),
            Condition::Not(inner) => self.not(inner, view),
            Condition::InCall(inner) => {
                let (node, _) = self.condition(inner, view)?;
                let watch = self.watch(node, 1);
                self.add(Kind::InCall(watch), view, Reach::default())
            }
            Condition::After(order) => {
                self.order(order, (About::Later, Look::Back), at.place, view)
            }
            Condition::Before(order) => {
                self.order(order, (About::Earlier, Look::Back), at.place, view)
            }
            Condition::Near(order) => {
                let later = self.order(order, (About::Later, Look::BothWays), at.place, view);
                let earlier = self.order(order, (About::Earlier, Look::BothWays), at.place, view);
                let ((later, one), (earlier, other)) = (later?, earlier?);
                let reach = either(&[one, other]);
                self.add(Kind::Any(vec![later, earlier]), view, reach)
            }
            Condition::Repeated(written) => {
                self.repeated(written.value.as_ref()?, written.place, view)
            }
            Condition::NotSaid(written) => self.not_said(written.value.as_ref()?, view),
            Condition::Scoped(scoped) => {
                let view = Self::sided(view, scoped.party.as_ref());
                let view = self.narrow(view, scoped.scope(), at.place);
                self.condition(&scoped.what, view)
            }
            Condition::Is(name) => self.named(name, view),
        }
    }

    fn list(&mut self, list: &[At<Condition>], place: Place, view: View) -> Option<Vec<Made>> {
        if list.is_empty() {
            self.notes.error(
                place,
                "a list of conditions is empty",
                "give it at least one",
            );
            return None;
        }
        // All are made before any is missed, so that the mistakes of each are told.
        let made: Vec<Option<Made>> = list.iter().map(|at| self.condition(at, view)).collect();
        made.into_iter().collect()
    }

    fn all(&mut self, list: &[At<Condition>], place: Place, view: View) -> Option<Made> {
        let made = self.list(list, place, view)?;
        let tied = made
            .iter()
            .filter_map(|(_, reach)| reach.tied)
            .reduce(|one, other| one & other);
        if tied == Some(0) {
            let hint = "what happens at different moments is joined by `after`, `before`, `near` or `in_call`";
            self.notes.error(
                place,
                "these conditions never hold at the same moment",
                hint,
            );
        }
        let triggers = made.iter().filter_map(|(_, reach)| reach.triggers.as_ref());
        let reach = Reach {
            tied,
            loose: made.iter().fold(0, |loose, (_, reach)| loose | reach.loose),
            triggers: triggers
                .max_by_key(|classes| self.lexicon.rarity(classes))
                .cloned(),
        };
        let nodes: Vec<NodeId> = made.into_iter().map(|(node, _)| node).collect();
        if reach.moments() & moments::LATE != 0 {
            self.watch_what_lacks(&nodes);
        }
        self.add(Kind::All(nodes), view, reach)
    }

    fn one_of(
        &mut self,
        list: &[At<Condition>],
        place: Place,
        view: View,
    ) -> Option<(Vec<NodeId>, Reach)> {
        let made = self.list(list, place, view)?;
        let (nodes, reaches): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        Some((nodes, either(&reaches)))
    }

    fn at_least(&mut self, written: &AtLeast, place: Place, view: View) -> Option<Made> {
        let n = self.count(&written.n, written.of.len())?;
        let (nodes, reach) = self.one_of(&written.of, place, view)?;
        if reach.moments() & moments::LATE != 0 {
            self.watch_what_lacks(&nodes);
        }
        self.add(Kind::AtLeast(n, nodes), view, reach)
    }

    fn not(&mut self, inner: &At<Condition>, view: View) -> Option<Made> {
        let (node, reach) = self.condition(inner, view)?;
        let waits = |moments: u8| moments & (moments::DEADLINE | moments::FINISH) != 0;
        if reach.tied.is_some_and(waits) {
            let hint = "use `in_call` or `scoped` with what should have been said";
            self.notes
                .error(inner.place, "`not` cannot hold a `not_said`", hint);
        }
        let own = self.program.nodes[node].view;
        if own.is_at_the_end() && !view.is_at_the_end() {
            let hint = "use `not_said`, or put `not` into `scoped`";
            let cause = "`not` cannot hold what is decided at the end of the call";
            self.notes.error(inner.place, cause, hint);
        }
        // What is not there is looked for where what is there would be.
        let reach = Reach {
            tied: None,
            loose: if reach.tied.is_some() || reach.loose != 0 {
                reach.moments() & !moments::LATE
            } else {
                0
            },
            triggers: None,
        };
        let kind = Kind::Not {
            what: node,
            watch: None,
        };
        self.add(kind, own, reach)
    }

    /// Has what is lacking beside personal data remembered: by when the data turns out, its utterance is gone.
    fn watch_what_lacks(&mut self, nodes: &[NodeId]) {
        for &node in nodes {
            match &self.program.nodes[node].kind {
                &Kind::Not { what, watch: None } => {
                    let known = Some(self.watch(what, 0));
                    if let Kind::Not { watch, .. } = &mut self.program.nodes[node].kind {
                        *watch = known;
                    }
                }
                Kind::All(inner) | Kind::Any(inner) | Kind::AtLeast(_, inner) => {
                    let inner = inner.clone();
                    self.watch_what_lacks(&inner);
                }
                _ => {}
            }
        }
    }

    fn watch(&mut self, node: NodeId, n_kept: usize) -> WatchId {
        if let Some(&known) = self.watched.get(&node) {
            let watch = &mut self.program.watches[known];
            watch.n_kept = watch.n_kept.max(n_kept);
            return known;
        }
        let watch = self.program.watches.len();
        self.program.watches.push(Watch {
            pack: self.place,
            node,
            n_kept,
        });
        let reach = self.program.reaches[node].clone();
        self.program.watch_reaches.push(reach);
        self.watched.insert(node, watch);
        watch
    }

    fn within(&mut self, utterances: Option<u32>, secs: Option<f32>, place: Place) -> Within {
        if let Some(secs) = secs.filter(|secs| !(0.0..=MOST_SECS).contains(secs)) {
            let cause = format!("`within_secs` must be 0 to {MOST_SECS}, got `{secs}`");
            self.notes.error(place, cause, "");
        }
        Within {
            utterances,
            ms: secs.map(to_ms),
        }
    }

    fn order(
        &mut self,
        order: &Order,
        (about, look): (About, Look),
        place: Place,
        view: View,
    ) -> Option<Made> {
        let what = self.condition(&order.what, view);
        let anchor = self.condition(&order.anchor, view);
        let ((what, what_reach), (anchor, anchor_reach)) = (what?, anchor?);
        let (later, reach, earlier) = match about {
            About::Later => (what, what_reach, anchor),
            About::Earlier => (anchor, anchor_reach, what),
        };
        let link = Link {
            watch: self.watch(earlier, LEAST_KEPT),
            look,
            within: self.within(order.within_utterances, order.within_secs, place),
        };
        self.add(Kind::After { later, link, about }, view, reach)
    }

    fn repeated(&mut self, written: &Repeated, place: Place, view: View) -> Option<Made> {
        let (what, reach) = self.condition(&written.what, view)?;
        let times = written.times.value?;
        if !(2..=MOST_TIMES).contains(&times) {
            let cause = format!("`times` must be 2 to {MOST_TIMES}, got `{times}`");
            self.notes.error(written.times.place, cause, "");
        }
        let times = times.clamp(2, MOST_TIMES) as usize;
        let kind = Kind::Repeated {
            what,
            watch: self.watch(what, LEAST_KEPT.max(times - 1)),
            times,
            within: self.within(written.within_utterances, written.within_secs, place),
        };
        self.add(kind, view, reach)
    }

    fn not_said(&mut self, written: &NotSaid, view: View) -> Option<Made> {
        let (what, reach) = self.condition(&written.what, view)?;
        if reach
            .tied
            .is_some_and(|tied| tied & (moments::DEADLINE | moments::FINISH) != 0)
        {
            let hint = "a `not_said` cannot hold another";
            self.notes
                .error(written.what.place, "this is never said", hint);
        }
        let by_ms = match &written.by_secs {
            None => view.first_ms,
            Some(at) => {
                let secs = at.value?;
                if !(secs > 0.0 && secs <= MOST_SECS) {
                    let cause = format!("`by_secs` must be above 0, got `{secs}`");
                    self.notes.error(at.place, cause, "");
                }
                Some(to_ms(secs))
            }
        };
        self.program.deadlines_ms.extend(by_ms);
        let tied = match by_ms {
            Some(_) => moments::DEADLINE | moments::FINISH,
            None => moments::FINISH,
        };
        let watch = self.watch(what, 1);
        self.add(
            Kind::NotSaid { watch, what, by_ms },
            view,
            Reach::tied(tied),
        )
    }

    fn named(&mut self, at: &At<String>, view: View) -> Option<Made> {
        let name = at.value.as_ref()?;
        let pack = self.pack;
        let Some(condition) = pack.conditions.get(name) else {
            let known = pack.conditions.keys().map(String::as_str);
            let hint = match pack.conditions.is_empty() {
                true => "the pack has no `conditions`".to_owned(),
                false => nearest_hint(name, known),
            };
            self.notes
                .error(at.place, format!("unknown condition `{name}`"), hint);
            return None;
        };
        let made = self.named.entry(name.clone()).or_default();
        if let Some((_, node)) = made.iter().find(|(known, _)| *known == view) {
            return node.map(|node| (node, self.program.reaches[node].clone()));
        }
        if self.tangled.contains(name) {
            return None;
        }
        let node = self.condition(condition, view).map(|(node, _)| node);
        if let Some(node) = node {
            self.program.nodes[node]
                .name
                .get_or_insert_with(|| name.clone());
        }
        self.named
            .entry(name.clone())
            .or_default()
            .push((view, node));
        node.map(|node| (node, self.program.reaches[node].clone()))
    }
}

impl View {
    /// The whole call, whoever talks.
    pub(super) fn everything() -> Self {
        Self {
            side: Side::Any,
            unknown: super::format::UnknownParty::Look,
            first_ms: None,
            last_ms: None,
            first_n: None,
            last_n: None,
        }
    }
}

fn to_ms(secs: f32) -> u64 {
    (f64::from(secs.clamp(0.0, MOST_SECS)) * 1000.0).round() as u64
}

/// The reach of what holds where one of these does.
fn either(reaches: &[Reach]) -> Reach {
    let tied: Option<Vec<u8>> = reaches.iter().map(|reach| reach.tied).collect();
    let lasting = reaches
        .iter()
        .all(|reach| reach.tied.is_none() && reach.loose == 0);
    let loose = match lasting {
        true => 0,
        false => reaches.iter().fold(0, |loose, reach| {
            loose | reach.tied.unwrap_or(0) | reach.loose
        }),
    };
    let triggers: Option<Vec<&Vec<ClassId>>> = reaches
        .iter()
        .map(|reach| reach.triggers.as_ref())
        .collect();
    let union = |classes: Vec<&Vec<ClassId>>| -> Vec<ClassId> {
        let all: BTreeSet<ClassId> = classes.into_iter().flatten().copied().collect();
        all.into_iter().collect()
    };
    Reach {
        tied: tied.map(|tied| tied.into_iter().fold(0, |all, one| all | one)),
        loose,
        triggers: triggers.map(union),
    }
}

fn names_in(at: &At<Condition>, names: &mut Vec<String>) {
    let Some(condition) = &at.value else { return };
    match condition {
        Condition::Is(name) => names.extend(name.value.clone()),
        Condition::All(list) | Condition::Any(list) => {
            list.iter().for_each(|inner| names_in(inner, names));
        }
        Condition::AtLeast(written) => written.of.iter().for_each(|inner| names_in(inner, names)),
        Condition::Not(inner) | Condition::InCall(inner) => names_in(inner, names),
        Condition::After(order) | Condition::Before(order) | Condition::Near(order) => {
            names_in(&order.what, names);
            names_in(&order.anchor, names);
        }
        Condition::Repeated(written) => {
            written
                .value
                .iter()
                .for_each(|inner| names_in(&inner.what, names));
        }
        Condition::NotSaid(written) => {
            written
                .value
                .iter()
                .for_each(|inner| names_in(&inner.what, names));
        }
        Condition::Scoped(scoped) => names_in(&scoped.what, names),
        _ => {}
    }
}
