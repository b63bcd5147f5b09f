//! Points, from hits: score cards in YAML, filled in by rules, measures and people.
//!
//! ```text
//! card.yaml ─ Card::read ─▶ Card ─ score(CallView) ─▶ Scorecard: an answer, points, evidence and a reason for
//!                                └ score_with(…, what people answered)                       each question
//! ```
//! A card's sections share 100 points by their weights, and each section's questions share the section's; what
//! does not apply to a call gives its points to the others. `docs/scorecards.md` describes the format.

mod format;
mod judge;
mod metric;
mod read;
mod reason;
mod score;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use auricle_contracts::{
    Answer, Assessment, CallMetadata, Hit, Mood, Scorecard, TalkMetrics, UtteranceInsight,
};
use serde::{Deserialize, Serialize};

use crate::rules::RuleSet;

pub use format::{
    AnsweredBy, AppliesWhen, Card, MetadataIs, MetricRange, OtherRules, Question, Section, Speaker,
};
pub use metric::Metric;
pub use read::CardError;
pub(crate) use reason::note_of;

/// What a card looks at.
#[derive(Clone, Copy, Debug)]
pub struct CallView<'a> {
    /// Rules that fired.
    pub hits: &'a [Hit],
    /// Customers' intents, by utterance.
    pub utterances: &'a [UtteranceInsight],
    /// Who talked how.
    pub metrics: &'a TalkMetrics,
    /// How each party's mood went.
    pub mood: &'a Mood,
    /// Campaign, agent, region.
    pub metadata: &'a CallMetadata,
    /// The rules that were looked for; `None` where every rule that the card names was.
    pub rules: Option<&'a RuleSet>,
}

impl<'a> CallView<'a> {
    /// What `assessment` knows of a call.
    pub const fn new(assessment: &'a Assessment, metadata: &'a CallMetadata) -> Self {
        Self {
            hits: assessment.hits.as_slice(),
            utterances: assessment.utterances.as_slice(),
            metrics: &assessment.metrics,
            mood: &assessment.mood,
            metadata,
            rules: None,
        }
    }

    /// The same where `rules` were looked for: what a card asks of others does not apply.
    #[must_use]
    pub const fn with_rules(self, rules: &'a RuleSet) -> Self {
        Self {
            rules: Some(rules),
            ..self
        }
    }

    fn looks_for(&self, rule: &str) -> bool {
        self.rules.is_none_or(|rules| rules.has(rule))
    }

    /// What a rule is called, where that is known.
    fn title_of(&self, rule: &str) -> &'a str {
        let title = self.rules.and_then(|rules| rules.title(rule));
        title.unwrap_or_default()
    }
}

/// What a person answered to a question, in the place of the card's own answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonAnswer {
    /// The answer.
    pub answer: Answer,
    /// Why, in the person's words; may be empty.
    #[serde(default)]
    pub note: String,
}

/// What people answered, by the id of the item: a question's, or `rule:PACK/ID` for a rule that stands on no question.
pub type PersonAnswers = BTreeMap<String, PersonAnswer>;

/// Something that a card names.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The question that names it; `None` for the card as a whole.
    pub question: Option<&'a Question>,
    /// What it is a name of.
    pub kind: NamedKind,
    /// The name.
    pub name: &'a str,
}

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedKind {
    /// A rule, `ID` or `PACK/ID`.
    Rule,
    /// A label of the text classifier.
    Intent,
}

impl Card {
    /// Reads a card; `file` is the name that errors give.
    ///
    /// # Errors
    ///
    /// What is wrong with the card, and in which line.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self, CardError> {
        read::read(bytes, file)
    }

    /// The card's format as a JSON schema.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    /// Fills the card in for a call. `None` where the card, or each of its questions, does not apply to the call.
    pub fn score(&self, call: &CallView<'_>) -> Option<Scorecard> {
        self.score_with(call, &PersonAnswers::new())
    }

    /// As [`Card::score`], with people's answers in the place of the card's own; the reason given then says so.
    /// Answers to what the card does not ask change nothing: see [`Card::strays`].
    pub fn score_with(&self, call: &CallView<'_>, answers: &PersonAnswers) -> Option<Scorecard> {
        score::score(self, call, answers)
    }

    /// Ids in `answers` that the card has no question for, so that people can be told.
    pub fn strays<'a>(&self, answers: &'a PersonAnswers) -> Vec<&'a str> {
        let known: BTreeSet<&str> = self.questions().map(Question::id).collect();
        let ids = answers.keys().map(String::as_str);
        ids.filter(|id| !known.contains(id) && !id.starts_with(score::RULE_ITEM))
            .collect()
    }

    /// All questions, in order.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.sections.iter().flat_map(|section| &section.questions)
    }

    /// Whether a YAML file is meant as a score card rather than as a pack, by the keys it begins lines with.
    pub fn is_meant(bytes: &[u8]) -> bool {
        let has = |key: &[u8]| {
            bytes
                .split(|&byte| byte == b'\n')
                .any(|line| line.starts_with(key))
        };
        (has(b"sections:") || has(b"card:")) && !has(b"rules:") && !has(b"pack:")
    }

    /// What the card names of what others find, in its order.
    pub fn names(&self) -> Vec<Named<'_>> {
        let mut names = Vec::new();
        let whens = |question| (question, self.applies_when.as_ref());
        let whole = std::iter::once(whens(None));
        let questions = self.questions();
        let each = questions.map(|question| (Some(question), question.applies_when.as_ref()));
        for (question, when) in whole.chain(each) {
            let judged = question.into_iter();
            let judged = judged.flat_map(|q| q.unless_rules.iter().chain(&q.needs_rules));
            let asked = when.into_iter();
            let asked = asked.flat_map(|when| when.rules.iter().chain(&when.no_rules));
            names.extend(judged.chain(asked).map(|rule| Named {
                question,
                kind: NamedKind::Rule,
                name: rule,
            }));
            let intents = when.into_iter().flat_map(|when| &when.intents);
            names.extend(intents.map(|label| Named {
                question,
                kind: NamedKind::Intent,
                name: label,
            }));
        }
        names
    }

    /// Rules that the card names: a rule that no pack has can never hit, and people should be told.
    pub fn rules(&self) -> BTreeSet<&str> {
        let names = self.names().into_iter();
        let rules = names.filter(|named| named.kind == NamedKind::Rule);
        rules.map(|named| named.name).collect()
    }

    /// Rules that questions are answered by.
    pub(crate) fn judged_rules(&self) -> BTreeSet<&str> {
        let named = self
            .questions()
            .flat_map(|q| q.unless_rules.iter().chain(&q.needs_rules));
        named.map(String::as_str).collect()
    }
}
