//! Rules as they are run: conditions as nodes, phrases as steps over classes of keywords.

use std::collections::HashSet;

use auricle_contracts::{EmotionLabel, Party, PiiKind, Severity};
use regex::Regex;

use super::format::{Side, TextForm, UnknownParty};
use super::labels::AskedLabel;
use super::lexicon::{ClassId, GroupId, Lexicon, PhraseId, Steps};
use crate::intent::Similarity;
use crate::observer::Wants;

/// Places in the lists of a [`RuleSet`].
pub(super) type NodeId = usize;
pub(super) type WatchId = usize;
/// A watch (below the number of watches) or a rule (from there on).
pub(super) type UnitId = u32;

/// Packs compiled into one program: one automaton for the keywords of all rules.
///
/// Made by [`RuleSet::compile`]; shared by all calls, each of which has a [`super::RuleRun`] of its own.
#[derive(Debug)]
pub struct RuleSet {
    pub(super) packs: Vec<PackInfo>,
    pub(super) rules: Vec<RuleInfo>,
    /// Of the rules: `ID` and `PACK/ID`.
    pub(super) ids: HashSet<String>,
    pub(super) lexicon: Lexicon,
    pub(super) nodes: Vec<Node>,
    pub(super) says: Vec<SaysLeaf>,
    pub(super) watches: Vec<Watch>,
    pub(super) schedule: Schedule,
    /// Of the classifier, those that conditions ask for, rising.
    pub(super) labels: Vec<String>,
    pub(super) asked_labels: Vec<AskedLabel>,
    /// Nodes whose outcome is kept for the moment.
    pub(super) n_slots: usize,
}

impl RuleSet {
    /// The rules, in the order of packs and files.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.rules
    }

    /// Whether there is a rule called `name`: an id, or `PACK/ID`.
    pub fn has(&self, name: &str) -> bool {
        self.ids.contains(name)
    }

    /// The title of the first rule that is called `name` (an id, or `PACK/ID`), where it has one beside its id.
    pub fn title(&self, name: &str) -> Option<&str> {
        let rule = &self.rules[*self.find(name).first()?];
        let title = rule.title.trim();
        (title != rule.id).then_some(title)
    }

    /// The packs, in the order they were given.
    pub fn packs(&self) -> &[PackInfo] {
        &self.packs
    }

    /// Labels of the text classifier that rules ask for, in order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Keywords of all packs, each counted once.
    pub fn n_keywords(&self) -> usize {
        self.lexicon.terms.len()
    }

    /// What the rules ask other parts of insight for.
    pub(crate) fn wants(&self) -> Wants {
        let asks = |is_asked: fn(&Kind) -> bool| {
            let mut nodes = self.nodes.iter();
            nodes.any(|node| is_asked(&node.kind))
        };
        let emotion = asks(|kind| matches!(kind, Kind::Emotion(..) | Kind::LoudnessRise(_)));
        Wants {
            // Moods follow from words, too.
            intents: emotion || asks(|kind| matches!(kind, Kind::Intent(..))),
            pii: asks(|kind| matches!(kind, Kind::Entity(_))),
            talk: asks(|kind| {
                matches!(
                    kind,
                    Kind::SpeechRate { .. } | Kind::Silence(_) | Kind::Interruption(_)
                )
            }),
            emotion,
        }
    }

    /// The places of the rules called `name`: an id, or `PACK/ID`.
    pub fn find(&self, name: &str) -> Vec<usize> {
        let fits = |rule: &RuleInfo| {
            let pack = &self.packs[rule.pack].id;
            rule.id == name || name.strip_prefix(pack.as_str()) == Some(&format!("/{}", rule.id))
        };
        let rules = self.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| fits(rule))
            .map(|(place, _)| place)
            .collect()
    }
}

/// A pack of a [`RuleSet`].
#[derive(Clone, Debug, PartialEq)]
pub struct PackInfo {
    /// Its id.
    pub id: String,
    /// The file it was read from.
    pub file: String,
    /// The files that it includes.
    pub included: Vec<String>,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: u32,
    /// Language of its calls and, for `zh`, of its reasons.
    pub language: String,
}

impl PackInfo {
    /// Whether reasons are given in Chinese.
    pub(super) fn speaks_chinese(&self) -> bool {
        self.language.is_empty() || self.language.starts_with("zh")
    }
}

/// A rule of a [`RuleSet`].
#[derive(Clone, Debug, PartialEq)]
pub struct RuleInfo {
    /// Its id.
    pub id: String,
    /// Place of its pack in [`RuleSet::packs`].
    pub pack: usize,
    /// Its title; the id where it has none.
    pub title: String,
    /// How bad a hit is.
    pub severity: Severity,
    /// Whose utterances it looks at.
    pub party: Side,
    /// Points a hit takes off.
    pub deduct: f32,
    /// Whether a hit fails the call.
    pub auto_fail: bool,
    pub(super) partials: bool,
    pub(super) once: bool,
    /// Whether it fires when its condition begins to hold, rather than each time it holds.
    pub(super) on_edge: bool,
    pub(super) root: NodeId,
    pub(super) print: String,
}

impl RuleInfo {
    /// Changes whenever the rule may fire otherwise, or its hits say something else, in whatever way: with what it
    /// says, with everything it names, and with what its pack says for all rules.
    pub fn print(&self) -> &str {
        &self.print
    }
}

/// Kinds of moments, as bits.
pub(super) mod moments {
    pub(in super::super) const UTTERANCE: u8 = 1;
    pub(in super::super) const SILENCE: u8 = 2;
    pub(in super::super) const INTERRUPTION: u8 = 4;
    pub(in super::super) const DEADLINE: u8 = 8;
    pub(in super::super) const FINISH: u8 = 16;
    /// Personal data turned out to have been said before.
    pub(in super::super) const LATE: u8 = 32;
    pub(in super::super) const ALL: u8 = 63;
}

/// Which watches and rules are looked at when.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// By class of keywords that occurs in an utterance.
    pub(super) by_class: Vec<Vec<UnitId>>,
    /// At every utterance.
    pub(super) every_utterance: Vec<UnitId>,
    pub(super) late: Vec<UnitId>,
    pub(super) silence: Vec<UnitId>,
    pub(super) interruption: Vec<UnitId>,
    pub(super) deadline: Vec<UnitId>,
    pub(super) finish: Vec<UnitId>,
    /// Times at which something must have been said, milliseconds, rising.
    pub(super) deadlines_ms: Vec<u64>,
}

/// Something whose past other conditions ask for.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// Place of its pack.
    pub(super) pack: usize,
    pub(super) node: NodeId,
    /// How many of the last times it held are kept with what they rest on; 0 where only utterances are asked for.
    pub(super) n_kept: usize,
}

/// Where a leaf looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    pub(super) side: Side,
    pub(super) unknown: UnknownParty,
    pub(super) first_ms: Option<u64>,
    pub(super) last_ms: Option<u64>,
    pub(super) first_n: Option<u32>,
    pub(super) last_n: Option<u32>,
}

impl View {
    pub(super) fn sees(&self, party: Party) -> bool {
        match (self.side, party) {
            (Side::Any, _) => true,
            (_, Party::Unknown) => self.unknown == UnknownParty::Look,
            (Side::Agent, party) => party == Party::Agent,
            (Side::Customer, party) => party == Party::Customer,
        }
    }

    pub(super) const fn is_at_the_end(&self) -> bool {
        self.last_ms.is_some() || self.last_n.is_some()
    }
}

/// One condition.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) view: View,
    /// As it is called in the pack: `is: name`.
    pub(super) name: Option<String>,
    /// Where its outcome is kept for the moment, if others ask for it, too.
    pub(super) slot: Option<usize>,
}

/// What it asks for.
#[derive(Debug)]
pub(super) enum Kind {
    /// Place in [`RuleSet::says`].
    Says(usize),
    Regex(Box<RegexLeaf>),
    Similar(Box<Similarity>, f32),
    /// Place in [`RuleSet::labels`].
    Intent(usize, f32),
    Entity(Vec<PiiKind>),
    Emotion(EmotionLabel, f32),
    SpeechRate {
        above: Option<f32>,
        below: Option<f32>,
    },
    LoudnessRise(f32),
    Silence(u64),
    /// At least so long.
    Interruption(u64),
    Metadata(MetadataLeaf),
    All(Vec<NodeId>),
    Any(Vec<NodeId>),
    AtLeast(usize, Vec<NodeId>),
    Not {
        what: NodeId,
        /// Tells whether it held when something was said that turns out late; `None` where nothing asks for that.
        watch: Option<WatchId>,
    },
    InCall(WatchId),
    /// The node comes later than the watch.
    After {
        later: NodeId,
        link: Link,
        /// Which of the two the hit is about.
        about: About,
    },
    Repeated {
        what: NodeId,
        watch: WatchId,
        times: usize,
        within: Within,
    },
    NotSaid {
        watch: WatchId,
        what: NodeId,
        by_ms: Option<u64>,
    },
}

/// What something goes together with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) watch: WatchId,
    pub(super) look: Look,
    pub(super) within: Within,
}

/// Where in the call the other of two things is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It must have come first.
    Back,
    BothWays,
}

/// Which of two things a hit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Later,
    Earlier,
}

/// How far apart two things may be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Within {
    pub(super) utterances: Option<u32>,
    pub(super) ms: Option<u64>,
}

#[derive(Debug)]
pub(super) struct RegexLeaf {
    pub(super) pattern: Regex,
    pub(super) unless: Option<Regex>,
    pub(super) on: TextForm,
}

/// Lower-case values; any of each that is given.
#[derive(Clone, Debug, Default)]
pub(super) struct MetadataLeaf {
    pub(super) agent: Option<Vec<String>>,
    pub(super) campaign: Option<Vec<String>>,
    pub(super) region: Option<Vec<String>>,
}

/// A phrase.
#[derive(Debug)]
pub(super) struct Phrase {
    /// As it stands in the pack.
    pub(super) text: String,
    /// One way of saying it, `…` for other letters between.
    pub(super) sample: String,
    /// Those of one list are numbered one after the other.
    pub(super) id: PhraseId,
    pub(super) steps: Steps,
    /// One of these classes occurs wherever the phrase does.
    pub(super) triggers: Vec<ClassId>,
    /// All classes it is made of, rising.
    pub(super) classes: Vec<ClassId>,
}

impl SaysLeaf {
    pub(super) fn phrases_mut(&mut self) -> impl Iterator<Item = &mut Phrase> {
        let of = self.at_least.iter_mut().flat_map(|(_, of)| of);
        let listed = self.any.iter_mut().chain(&mut self.all).chain(of);
        listed.chain(&mut self.unless)
    }
}

/// Phrases that are said.
#[derive(Debug, Default)]
pub(super) struct SaysLeaf {
    pub(super) any: Vec<Phrase>,
    pub(super) all: Vec<Phrase>,
    pub(super) at_least: Option<(usize, Vec<Phrase>)>,
    pub(super) unless: Vec<Phrase>,
    pub(super) negation: Option<GuardWords>,
    pub(super) reported: Option<GuardWords>,
}

/// Words that take the force out of what follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct GuardWords {
    pub(super) words: GroupId,
    pub(super) except: Option<GroupId>,
    pub(super) within: u32,
}
