//! A score card as it is written.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::metric::Metric;

/// A score card: sections of questions, and when a call passes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its id.
    pub card: String,
    /// Its title, for people.
    #[serde(default)]
    pub title: String,
    /// Language of its questions and reasons: `zh`, `en`, ….
    #[serde(default = "english")]
    pub language: String,
    /// Counts up with each change that matters.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Points of 100 from which on a call passes.
    #[serde(default = "pass_mark")]
    #[schemars(range(min = 0, max = 100))]
    pub pass_mark: f32,
    /// What becomes of rules that hit and that no question names.
    #[serde(default)]
    pub other_rules: OtherRules,
    /// Calls that the card is for; all, where nothing is said.
    #[serde(default)]
    pub applies_when: Option<AppliesWhen>,
    /// At least one.
    pub sections: Vec<Section>,
}

/// What becomes of rules that hit and that no question names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherRules {
    /// Nothing.
    #[default]
    Ignore,
    /// Those with `auto_fail` fail the call.
    AutoFail,
    /// Each hit takes off its rule's `deduct`, too.
    Deduct,
}

/// Questions that share a part of the points.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its title.
    #[schemars(with = "String")]
    pub title: Spanned<String>,
    /// Its part of the points, beside the other sections'.
    #[serde(default = "one")]
    #[schemars(range(min = 0))]
    pub weight: f32,
    /// At least one.
    pub questions: Vec<Question>,
}

/// One question. The answer is yes unless one of `unless_rules`, `needs_rules` and `metric` says no.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its id, the only one of its name on the card.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// What is asked; "yes" is good.
    pub question: String,
    /// Its part of the section's points, beside the other questions'.
    #[serde(default = "one")]
    #[schemars(range(min = 0))]
    pub weight: f32,
    /// The answer is no where any of these rules hit.
    #[serde(default)]
    pub unless_rules: Vec<String>,
    /// The answer is no where one of these rules did not hit.
    #[serde(default)]
    pub needs_rules: Vec<String>,
    /// The answer is no where this measure is out of its range.
    #[serde(default)]
    pub metric: Option<MetricRange>,
    /// Calls that the question applies to; all, where nothing is said.
    #[serde(default)]
    pub applies_when: Option<AppliesWhen>,
    /// "No" fails the call, whatever its points.
    #[serde(default)]
    pub auto_fail: bool,
    /// Each hit of `unless_rules` takes this much off the question's weight, not all of it at once.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub deduct_per_hit: Option<f32>,
    /// Who answers.
    #[serde(default)]
    pub answer: AnsweredBy,
}

impl Question {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id.value
    }

    /// Line and column of its id, from 1.
    pub fn place(&self) -> (u64, u64) {
        let at = self.id.referenced;
        (at.line(), at.column())
    }
}

/// Who answers a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// Rules and measures; people may answer otherwise later.
    #[default]
    Auto,
    /// A person; until then the question does not apply.
    Manual,
}

/// A measure of the call and its range.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricRange {
    /// The measure.
    pub name: Metric,
    /// Least value for "yes".
    #[serde(default)]
    pub min: Option<f32>,
    /// Greatest value for "yes".
    #[serde(default)]
    pub max: Option<f32>,
}

/// Calls that something applies to: all that is said here holds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliesWhen {
    /// One of these rules hit.
    #[serde(default)]
    pub rules: Vec<String>,
    /// None of these rules hit.
    #[serde(default)]
    pub no_rules: Vec<String>,
    /// The customer had one of these intents.
    #[serde(default)]
    pub intents: Vec<String>,
    /// Least confidence of an intent that counts, 0 to 1.
    #[serde(default = "sure")]
    #[schemars(range(min = 0, max = 1))]
    pub at_least: f32,
    /// This party spoke.
    #[serde(default)]
    pub party: Option<Speaker>,
    /// What is known of the call beside its sound.
    #[serde(default)]
    pub metadata: Option<MetadataIs>,
}

/// A party that speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The call centre's side.
    Agent,
    /// The other side.
    Customer,
}

/// One of the values listed, for each key that is given.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataIs {
    /// Agents.
    #[serde(default)]
    pub agent: Vec<String>,
    /// Campaigns or queues.
    #[serde(default)]
    pub campaign: Vec<String>,
    /// Regions.
    #[serde(default)]
    pub region: Vec<String>,
}

impl fmt::Display for MetricRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(out, "{min}–{max}"),
            (Some(min), None) => write!(out, "≥ {min}"),
            (None, Some(max)) => write!(out, "≤ {max}"),
            (None, None) => Ok(()),
        }
    }
}

fn english() -> String {
    "en".into()
}

const fn first_version() -> u32 {
    1
}

const fn pass_mark() -> f32 {
    80.0
}

const fn one() -> f32 {
    1.0
}

const fn sure() -> f32 {
    0.6
}
