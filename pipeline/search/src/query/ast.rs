//! What a query means.

use std::ops::Range;

use auricle_contracts::Party;
use auricle_pinyin::Syllable;

/// A part of a query and where it stands, in bytes of the query's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it asks for.
    pub kind: Kind,
    /// Where it stands.
    pub span: Range<usize>,
}

/// What a part of a query asks for. Except for [`Kind::Then`], which looks across a call, each
/// part is a question about one utterance.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `left THEN/n right`: an utterance that matches `right`, with one that matches `left`
    /// before it in the same call, at most `within` turns earlier. A turn is what one party says
    /// before another does.
    Then {
        /// What is said first.
        left: Box<Node>,
        /// What is said later; these utterances are the hits.
        right: Box<Node>,
        /// The most turns from one to the other; any number where it is not given.
        within: Option<u32>,
    },
    /// Any of the parts.
    Or(Vec<Node>),
    /// All of the parts.
    And(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// `left NEAR/n right`, `left BEFORE/n right`.
    Near {
        /// One side.
        left: Box<Node>,
        /// The other side.
        right: Box<Node>,
        /// The most units that may lie between the two.
        within: u32,
        /// Whether `left` must come first.
        order: Order,
    },
    /// These units side by side, in the spoken or the written form.
    Phrase(String),
    /// A word that begins so.
    Prefix(String),
    /// Whole words of jieba's cut, side by side.
    Words(String),
    /// These syllables, however they are written.
    Sound(Sound),
    /// Who speaks.
    Party(Party),
    /// A text of the utterance or its call.
    Text {
        /// Which one.
        field: TextField,
        /// How `value` must agree.
        comparison: TextComparison,
        /// What it is compared with.
        value: String,
    },
    /// A number of the utterance or its call between two limits.
    Range {
        /// Which one.
        field: NumberField,
        /// The least value.
        low: Option<f64>,
        /// The greatest value.
        high: Option<f64>,
    },
}

/// Whether the sides of a proximity may come in either order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `NEAR`
    Either,
    /// `BEFORE`
    LeftFirst,
}

/// A row of syllables.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Each syllable with all its readings.
    pub syllables: Vec<Vec<Syllable>>,
    /// What a match may cost, in twentieths of an edit.
    pub budget: u16,
}

/// Fields that hold text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// The call's id.
    Call,
    /// The agent's name or number.
    Agent,
    /// Campaign or queue.
    Campaign,
    /// Region or dialect area.
    Region,
    /// Engine and model that heard the call.
    Engine,
    /// Path of the recording.
    File,
    /// How the utterance was said, one of [`auricle_contracts::EmotionLabel`].
    Emotion,
    /// What the customer wants in the utterance.
    Intent,
    /// A rule that fired: the utterance is evidence of it, or it belongs to the whole call.
    Hit,
    /// Personal data that was said, one of [`auricle_contracts::PiiKind`].
    Pii,
    /// Whether the call reached the pass mark of its score card: `yes` or `no`.
    Passed,
    /// The outcome proposed for the call.
    Disposition,
}

/// How a text must agree with the query's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextComparison {
    /// Bare words: the text contains it, whatever the case.
    Contains,
    /// Quoted, and ids of calls: the text is exactly this, case included.
    Is,
    /// Names of rules, intents and outcomes: the text is this, whatever the case.
    IsNamed,
    /// With a star: the text begins with it, whatever the case. A star alone asks for any text.
    Begins,
}

/// Fields that hold numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberField {
    /// When the call began, seconds of the local clock since 1970.
    Date,
    /// Length of the recording, milliseconds.
    Duration,
    /// The call's quality score.
    Score,
    /// Length of a silence of the call, milliseconds; a call has any number of them.
    Silence,
    /// Severity of a rule that fired, as its place in [`auricle_contracts::Severity::ALL`]; of the utterances and calls as
    /// [`TextField::Hit`].
    Severity,
    /// Start of the utterance in the recording, milliseconds.
    Start,
    /// End of the utterance in the recording, milliseconds.
    End,
    /// Length of the utterance, milliseconds.
    Length,
    /// Number of the utterance's turn in its call, from 0.
    Turn,
    /// Number of the utterance in its call, from 0.
    Utterance,
}

/// A field of the query language by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldName {
    Party,
    Sound,
    Word,
    Text(TextField),
    Number(NumberField),
}

/// Every name that may stand before a colon.
pub(crate) const FIELD_NAMES: [(&str, FieldName); 26] = [
    ("party", FieldName::Party),
    ("sound", FieldName::Sound),
    ("word", FieldName::Word),
    ("call", FieldName::Text(TextField::Call)),
    ("agent", FieldName::Text(TextField::Agent)),
    ("campaign", FieldName::Text(TextField::Campaign)),
    ("region", FieldName::Text(TextField::Region)),
    ("engine", FieldName::Text(TextField::Engine)),
    ("file", FieldName::Text(TextField::File)),
    ("emotion", FieldName::Text(TextField::Emotion)),
    ("intent", FieldName::Text(TextField::Intent)),
    ("hit", FieldName::Text(TextField::Hit)),
    ("rule", FieldName::Text(TextField::Hit)),
    ("pii", FieldName::Text(TextField::Pii)),
    ("passed", FieldName::Text(TextField::Passed)),
    ("disposition", FieldName::Text(TextField::Disposition)),
    ("severity", FieldName::Number(NumberField::Severity)),
    ("silence", FieldName::Number(NumberField::Silence)),
    ("date", FieldName::Number(NumberField::Date)),
    ("duration", FieldName::Number(NumberField::Duration)),
    ("score", FieldName::Number(NumberField::Score)),
    ("start", FieldName::Number(NumberField::Start)),
    ("end", FieldName::Number(NumberField::End)),
    ("length", FieldName::Number(NumberField::Length)),
    ("turn", FieldName::Number(NumberField::Turn)),
    ("utterance", FieldName::Number(NumberField::Utterance)),
];

/// What else may stand before a colon: the names that pages in Chinese give these things.
const CHINESE_NAMES: [(&str, &str); 13] = [
    ("情绪", "emotion"),
    ("意图", "intent"),
    ("意向", "intent"),
    ("规则", "rule"),
    ("命中", "hit"),
    ("级别", "severity"),
    ("角色", "party"),
    ("项目", "campaign"),
    ("地区", "region"),
    ("日期", "date"),
    ("时长", "duration"),
    ("得分", "score"),
    ("通话结果", "disposition"),
];

/// The name of the field that is called so in Chinese.
pub(crate) fn field_in_chinese(name: &str) -> Option<&'static str> {
    let found = CHINESE_NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, name)| *name)
}
