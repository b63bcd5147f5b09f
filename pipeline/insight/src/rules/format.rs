//! What may stand in a pack: the types that packs are read into and that the published schema is made of.
//! `docs/rules.md` explains them to who writes packs.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, IntoDeserializer, SeqAccess, Visitor};

use super::include::{Find, find_nothing, include};
use super::mistake::Notes;
use super::print::Prints;
use super::reader::{At, read};
use super::says::Says;
use super::{Mistake, node};
use crate::intent::Language;

/// One pack as it was written. Holes stand where something could not be read.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The pack's id.
    pub pack: At<String>,
    /// Its title, for people.
    #[serde(default)]
    pub title: String,
    /// Language of the calls that the pack is for, `zh`, `en`, …; all calls, where nothing is said. Reasons are given
    /// in Chinese for `zh`, in English otherwise.
    #[serde(default)]
    pub language: String,
    /// Counted up by who edits the pack.
    #[serde(default)]
    pub version: u32,
    /// Files of words and conditions that become the pack's: by their way from this file, or those that the program
    /// carries.
    #[serde(default)]
    pub include: Vec<At<String>>,
    /// Named lists of phrases; `<name>` in a phrase stands for any of them.
    #[serde(default)]
    pub words: BTreeMap<String, At<Vec<At<String>>>>,
    /// A match of `says` does not count where one of these stands shortly before it. Default `within`: 3.
    #[serde(default)]
    pub negation: Option<At<Guard>>,
    /// The same for quotations, warnings and conditions. Default `within`: 15.
    #[serde(default)]
    pub reported: Option<At<Guard>>,
    /// Named conditions, for `is: name`.
    #[serde(default)]
    pub conditions: BTreeMap<String, At<Condition>>,
    /// The rules.
    pub rules: At<Vec<At<Rule>>>,
    /// Texts with the rules that fire on them.
    #[serde(default)]
    pub tests: Vec<At<Test>>,
}

/// What several packs share, in a file of its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedFile {
    /// Further files.
    #[serde(default)]
    pub include: Vec<At<String>>,
    /// As in a pack.
    #[serde(default)]
    pub words: BTreeMap<String, At<Vec<At<String>>>>,
    /// As in a pack.
    #[serde(default)]
    pub conditions: BTreeMap<String, At<Condition>>,
}

/// Words that take the force out of what follows them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Phrases.
    pub words: Vec<At<String>>,
    /// Letters that may stand between the word's end and the match's start.
    #[serde(default)]
    pub within: Option<u32>,
    /// Phrases in which such a word means something else, as 不 in 不但.
    #[serde(default)]
    pub except: Vec<At<String>>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id, one of its kind in the pack.
    pub id: At<String>,
    /// Its title, for people.
    #[serde(default)]
    pub title: String,
    /// How bad a hit is.
    #[serde(default)]
    pub severity: At<Severity>,
    /// Whose utterances `when` looks at.
    #[serde(default)]
    pub party: At<Side>,
    /// What is done with utterances of which nobody knows who said them.
    #[serde(default)]
    pub unknown_party: At<UnknownParty>,
    /// Points a hit takes off.
    #[serde(default)]
    pub deduct: At<f32>,
    /// Whether a hit fails the call.
    #[serde(default)]
    pub auto_fail: bool,
    /// Whether the rule may fire before an utterance is over.
    #[serde(default)]
    pub partials: bool,
    /// At most one hit a call.
    #[serde(default)]
    pub once: bool,
    /// Where in the call `when` looks.
    #[serde(default)]
    pub scope: Option<At<Scope>>,
    /// What makes it fire.
    pub when: At<Condition>,
}

/// How bad a hit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; no fault.
    #[default]
    Info,
    /// A fault that costs points.
    Minor,
    /// A fault that somebody must look at.
    Major,
    /// Somebody must act now.
    Critical,
}

impl From<Severity> for auricle_contracts::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Minor => Self::Minor,
            Severity::Major => Self::Major,
            Severity::Critical => Self::Critical,
        }
    }
}

/// Whose utterances are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Everybody's.
    #[default]
    Any,
    /// The call centre's.
    Agent,
    /// The other side's.
    Customer,
}

/// What is done with utterances of an unknown party, as mono recordings have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownParty {
    /// They may be anybody's: the rule looks at them.
    #[default]
    Look,
    /// The rule looks at known parties alone.
    Skip,
}

/// Where in the call a condition looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What begins in the first seconds of the recording.
    #[serde(default)]
    pub first_secs: Option<f32>,
    /// What begins in the last seconds; decided at the end of the call.
    #[serde(default)]
    pub last_secs: Option<f32>,
    /// The first utterances of the party looked at.
    #[serde(default)]
    pub first_utterances: Option<u32>,
    /// The last utterances of the party looked at; decided at the end of the call.
    #[serde(default)]
    pub last_utterances: Option<u32>,
}

/// What makes a rule fire: a map with one operator as its key.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Phrases are said.
    Says(At<Says>),
    /// A regular expression matches.
    Regex(At<RegexCondition>),
    /// An utterance is like examples.
    Similar(At<SimilarCondition>),
    /// The text classifier gives a label.
    Intent(At<IntentCondition>),
    /// Personal data is said.
    Entity(At<OneOrMany<Entity>>),
    /// An utterance is said in a mood.
    Emotion(At<EmotionCondition>),
    /// Somebody talks fast or slowly.
    SpeechRate(At<SpeechRate>),
    /// Somebody is louder than before.
    LoudnessRise(At<LoudnessRise>),
    /// Nobody talks.
    Silence(At<SilenceCondition>),
    /// One party begins while the other talks.
    Interruption(At<InterruptionCondition>),
    /// What is known of the call beside its sound.
    Metadata(At<MetadataCondition>),
    /// All hold at once: in the same utterance or event.
    All(Vec<At<Condition>>),
    /// One of them holds.
    Any(Vec<At<Condition>>),
    /// It does not hold.
    Not(Box<At<Condition>>),
    /// So many of them hold at once.
    AtLeast(AtLeast),
    /// It has held somewhere in the call up to now.
    InCall(Box<At<Condition>>),
    /// `what` comes after `anchor`.
    After(Box<Order>),
    /// `what` comes before `anchor`; fires when `anchor` comes.
    Before(Box<Order>),
    /// `what` comes before or after `anchor`.
    Near(Box<Order>),
    /// It holds again and again.
    Repeated(Box<At<Repeated>>),
    /// It has not held by some second, or in the whole call.
    NotSaid(Box<At<NotSaid>>),
    /// It holds in a part of the call.
    Scoped(Box<Scoped>),
    /// A named condition.
    Is(At<String>),
}

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Any of these.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// As a slice.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name or a list of names")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<OneOrMany<T>, E> {
        let name: StrDeserializer<'_, E> = name.into_deserializer();
        T::deserialize(name).map(OneOrMany::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<OneOrMany<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(access)).map(OneOrMany::Many)
    }
}

/// A regular expression (syntax of the Rust crate `regex`: no back-references, linear time).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegexCondition {
    /// The expression.
    pub pattern: At<String>,
    /// Does not hold where this matches, too.
    #[serde(default)]
    pub unless: Option<At<String>>,
    /// Which form of the utterance it looks at.
    #[serde(default)]
    pub on: At<TextForm>,
    /// Whose utterances.
    #[serde(default)]
    pub party: Option<At<Side>>,
}

/// A form of an utterance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextForm {
    /// As it was said: numbers in words, no punctuation.
    #[default]
    Spoken,
    /// As it is written: numbers in digits, punctuation.
    Written,
}

/// Likeness to examples, by their letters and sounds.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimilarCondition {
    /// Examples of what is meant.
    pub to: Vec<At<String>>,
    /// Examples of what is like them and not meant.
    #[serde(default)]
    pub not_to: Vec<At<String>>,
    /// 0 to 1; default 0.6.
    #[serde(default)]
    pub at_least: Option<At<f32>>,
    /// Whose utterances.
    #[serde(default)]
    pub party: Option<At<Side>>,
}

/// A label of the text classifier: customers' intents, agents' acts.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntentCondition {
    /// The label.
    pub label: At<String>,
    /// Its probability, 0 to 1; default 0.5.
    #[serde(default)]
    pub at_least: Option<At<f32>>,
    /// Whose utterances.
    #[serde(default)]
    pub party: Option<At<Side>>,
}

/// A kind of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// Mainland identity card.
    IdCard,
    /// Bank card.
    BankCard,
    /// Mobile phone.
    Phone,
    /// Landline.
    Landline,
    /// E-mail address.
    Email,
    /// Number plate.
    Plate,
    /// Passport.
    Passport,
    /// Social security number of the United States.
    Ssn,
}

impl From<Entity> for auricle_contracts::PiiKind {
    fn from(entity: Entity) -> Self {
        match entity {
            Entity::IdCard => Self::IdCard,
            Entity::BankCard => Self::BankCard,
            Entity::Phone => Self::Phone,
            Entity::Landline => Self::Landline,
            Entity::Email => Self::Email,
            Entity::Plate => Self::Plate,
            Entity::Passport => Self::Passport,
            Entity::Ssn => Self::Ssn,
        }
    }
}

/// A mood.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmotionCondition {
    /// Which.
    pub label: At<Mood>,
    /// Its probability, 0 to 1; default 0.5.
    #[serde(default)]
    pub at_least: Option<At<f32>>,
    /// Whose utterances.
    #[serde(default)]
    pub party: Option<At<Side>>,
}

/// Kinds of emotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// None of the others.
    Neutral,
    /// Pleased.
    Happy,
    /// Angry.
    Angry,
    /// Sad, worried.
    Sad,
}

impl From<Mood> for auricle_contracts::EmotionLabel {
    fn from(mood: Mood) -> Self {
        match mood {
            Mood::Neutral => Self::Neutral,
            Mood::Happy => Self::Happy,
            Mood::Angry => Self::Angry,
            Mood::Sad => Self::Sad,
        }
    }
}

/// Syllables (words, in languages without them) a minute; one of the two, or both.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpeechRate {
    /// Faster than this.
    #[serde(default)]
    pub above: Option<f32>,
    /// Slower than this.
    #[serde(default)]
    pub below: Option<f32>,
    /// Whose utterances.
    #[serde(default)]
    pub party: Option<At<Side>>,
}

/// Louder than this party's median so far.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoudnessRise {
    /// By so many dB at least.
    pub db: f32,
    /// Whose utterances.
    #[serde(default)]
    pub party: Option<At<Side>>,
}

/// A time in which nobody talks.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceCondition {
    /// Its length; silences under 1000 ms are pauses, and told to no rule.
    pub at_least_ms: u64,
}

/// One party begins while the other talks.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InterruptionCondition {
    /// Who begins; default the rule's party.
    #[serde(default)]
    pub by: Option<At<Side>>,
    /// How long both talk at least; default 0.
    #[serde(default)]
    pub at_least_ms: u64,
}

/// What is known of the call; each list: any of these, letter case ignored. All that are given must fit.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataCondition {
    /// Agent's name or number.
    #[serde(default)]
    pub agent: Option<Vec<String>>,
    /// Campaign or queue.
    #[serde(default)]
    pub campaign: Option<Vec<String>>,
    /// Region or dialect area.
    #[serde(default)]
    pub region: Option<Vec<String>>,
}

/// So many of some conditions.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtLeast {
    /// How many.
    pub n: At<u32>,
    /// Of which.
    pub of: Vec<At<Condition>>,
}

/// One thing in relation to another.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What the hit is about.
    pub what: At<Condition>,
    /// What it stands beside.
    pub anchor: At<Condition>,
    /// Utterances from one to the other at most, whoever says them.
    #[serde(default)]
    pub within_utterances: Option<u32>,
    /// Seconds from the end of the earlier to the start of the later at most.
    #[serde(default)]
    pub within_secs: Option<f32>,
}

/// Again and again.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    /// What.
    pub what: At<Condition>,
    /// How often, 2 to 100.
    pub times: At<u32>,
    /// From the first to the last at most, whoever says them; default the whole call.
    #[serde(default)]
    pub within_utterances: Option<u32>,
    /// Seconds from the first to the last at most.
    #[serde(default)]
    pub within_secs: Option<f32>,
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotSaid {
    /// What should have been said.
    pub what: At<Condition>,
    /// By which second of the recording; default the end of the call.
    #[serde(default)]
    pub by_secs: Option<At<f32>>,
}

/// A condition for a part of the call.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scoped {
    /// The condition.
    pub what: At<Condition>,
    /// Whose utterances.
    #[serde(default)]
    pub party: Option<At<Side>>,
    /// What begins in the first seconds of the recording.
    #[serde(default)]
    pub first_secs: Option<f32>,
    /// What begins in the last seconds; decided at the end of the call.
    #[serde(default)]
    pub last_secs: Option<f32>,
    /// The first utterances of the party looked at.
    #[serde(default)]
    pub first_utterances: Option<u32>,
    /// The last utterances of the party looked at; decided at the end of the call.
    #[serde(default)]
    pub last_utterances: Option<u32>,
}

impl Scoped {
    /// Its part of the call.
    pub(super) const fn scope(&self) -> Scope {
        Scope {
            first_secs: self.first_secs,
            last_secs: self.last_secs,
            first_utterances: self.first_utterances,
            last_utterances: self.last_utterances,
        }
    }
}

/// One test: a text or a call, and the rules that fire on it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// One utterance in a call that goes on: what the whole call lacks does not fire.
    #[serde(default)]
    pub text: Option<String>,
    /// Who says `text`; default the party of the first rule of `fires`, else the agent.
    #[serde(default)]
    pub party: Option<At<Speaker>>,
    /// A whole call.
    #[serde(default)]
    pub call: Vec<At<Turn>>,
    /// Length of the call; default the end of its last turn.
    #[serde(default)]
    pub duration_secs: Option<f32>,
    /// What is known of the call beside its sound.
    #[serde(default)]
    pub metadata: TestMetadata,
    /// The rules that fire: these and no others.
    #[serde(default)]
    pub fires: Vec<At<String>>,
    /// Looks at these rules alone; default all.
    #[serde(default)]
    pub only: Option<Vec<At<String>>>,
    /// What the test is for.
    #[serde(default)]
    pub note: String,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The call centre's side.
    Agent,
    /// The other side.
    Customer,
    /// Not known which.
    Unknown,
}

impl From<Speaker> for auricle_contracts::Party {
    fn from(speaker: Speaker) -> Self {
        match speaker {
            Speaker::Agent => Self::Agent,
            Speaker::Customer => Self::Customer,
            Speaker::Unknown => Self::Unknown,
        }
    }
}

/// One thing that happens in a test's call: somebody says something, or there is a silence, or one party
/// interrupts the other.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// What the agent says.
    #[serde(default)]
    pub agent: Option<String>,
    /// What the customer says.
    #[serde(default)]
    pub customer: Option<String>,
    /// What somebody says.
    #[serde(default)]
    pub unknown: Option<String>,
    /// Nobody talks for so long.
    #[serde(default)]
    pub silence_ms: Option<u64>,
    /// This party begins while the other talks, …
    #[serde(default)]
    pub interruption_by: Option<At<Speaker>>,
    /// … and both talk for so long; default 500.
    #[serde(default)]
    pub interruption_ms: Option<u64>,
    /// When it begins, seconds from the start of the recording; default half a second after the last.
    #[serde(default)]
    pub at_secs: Option<f32>,
    /// The mood of what is said.
    #[serde(default)]
    pub emotion: Option<At<Mood>>,
    /// Labels of what is said.
    #[serde(default)]
    pub intents: Vec<String>,
    /// Personal data in what is said.
    #[serde(default)]
    pub entities: Vec<Entity>,
    /// Syllables a minute.
    #[serde(default)]
    pub speech_rate: Option<f32>,
    /// How much louder than before.
    #[serde(default)]
    pub loudness_rise_db: Option<f32>,
}

/// What is known of a test's call.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestMetadata {
    /// Agent's name or number.
    #[serde(default)]
    pub agent: Option<String>,
    /// Campaign or queue.
    #[serde(default)]
    pub campaign: Option<String>,
    /// Region or dialect area.
    #[serde(default)]
    pub region: Option<String>,
}

/// A file of tests beside a pack, `NAME.tests.yaml`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    /// The tests.
    pub tests: Vec<At<Test>>,
}

/// A pack that was read, and what is wrong with it so far; [`super::RuleSet::compile`] finds the rest.
#[derive(Clone, Debug)]
pub struct PackFile {
    /// The file's name, for messages.
    pub file: String,
    /// Those it includes, in the order they were found.
    pub included: Vec<String>,
    /// `None` where there was nothing to be had. Has what its files have.
    pub pack: Option<Pack>,
    /// By place.
    pub mistakes: Vec<Mistake>,
}

impl PackFile {
    /// Reads a pack that includes nothing, see [`Self::read_with`].
    pub fn read(file: &str, bytes: &[u8]) -> Self {
        Self::read_with(file, bytes, &mut find_nothing)
    }

    /// Reads a pack from the bytes of a YAML file; `find` finds what it includes. Never fails: what is wrong is told in
    /// `mistakes`.
    pub fn read_with(file: &str, bytes: &[u8], find: &mut Find<'_>) -> Self {
        let mut notes = Notes::new(file);
        let tree = node::read_tree(bytes, &mut notes);
        let mut pack = tree.and_then(|tree| read::<Pack>(&tree, &mut notes));
        if let Some(pack) = &mut pack {
            include(pack, find, &mut notes);
        }
        Self {
            file: file.to_owned(),
            included: notes.files()[1..].to_vec(),
            pack,
            mistakes: notes.into_list(),
        }
    }

    /// The language of the calls that the pack is for; Mandarin where it says none.
    pub fn language(&self) -> Language {
        self.said_language().unwrap_or_default()
    }

    /// The language of the calls that the pack is for; `None` where it says none, and is for all.
    pub fn said_language(&self) -> Option<Language> {
        let pack = self.pack.as_ref()?;
        (!pack.language.is_empty()).then(|| Language::of_tag(&pack.language))
    }
}

impl PackFile {
    /// The pack with no other rules than those with these ids, and nothing that they do not need; `None` where it has
    /// none of them.
    pub(crate) fn only(&self, is_wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let mut pack = self.pack.clone()?;
        pack.tests.clear();
        let prints = Prints::new(&pack);
        let rules = pack.rules.value.as_mut()?;
        rules.retain(|rule| {
            let id = rule
                .value
                .as_ref()
                .and_then(|rule| rule.id.value.as_deref());
            id.is_some_and(&is_wanted)
        });
        let has_rules = !rules.is_empty();
        let (conditions, lists) = prints.needs(rules.iter().filter_map(|rule| rule.value.as_ref()));
        pack.conditions.retain(|name, _| conditions.contains(name));
        pack.words.retain(|name, _| lists.contains(name));
        has_rules.then(|| Self {
            file: self.file.clone(),
            included: self.included.clone(),
            pack: Some(pack),
            mistakes: Vec::new(),
        })
    }
}

/// Reads a file of tests; what is wrong comes back beside what could be read.
pub fn read_tests(file: &str, bytes: &[u8]) -> (Vec<At<Test>>, Vec<Mistake>) {
    let mut notes = Notes::new(file);
    let tree = node::read_tree(bytes, &mut notes);
    let tests = tree.and_then(|tree| read::<TestFile>(&tree, &mut notes));
    (
        tests.map_or_else(Vec::new, |file| file.tests),
        notes.into_list(),
    )
}

/// The JSON schema of a pack, as `docs/rules.schema.json` publishes it.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Pack).to_value()
}
