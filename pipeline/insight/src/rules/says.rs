//! `says`: one phrase, a list of phrases, or a map.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::format::Side;
use super::mistake::Place;
use super::reader::At;

/// Phrases that are said. A phrase, or a list of phrases, stands for `any` of them; where several of
/// `any`, `all` and `at_least` are given, each must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Says(pub SaysFields);

/// The long form of `says`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaysFields {
    /// One of these phrases.
    #[serde(default)]
    pub any: Vec<At<String>>,
    /// All of these, in any order.
    #[serde(default)]
    pub all: Vec<At<String>>,
    /// So many of these.
    #[serde(default)]
    pub at_least: Option<SaysAtLeast>,
    /// None of these in the same utterance.
    #[serde(default)]
    pub unless: Vec<At<String>>,
    /// Whose utterances.
    #[serde(default)]
    pub party: Option<At<Side>>,
    /// How far sounds count.
    #[serde(default)]
    pub sound: At<Sound>,
    /// Counts matches that the pack's `negation` or `reported` would take away.
    #[serde(default)]
    pub even_if: Vec<At<EvenIf>>,
}

/// So many of some phrases.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaysAtLeast {
    /// How many.
    pub n: At<u32>,
    /// Of which.
    pub of: Vec<At<String>>,
}

/// How far sounds count, beside a keyword's letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// By the keyword's length: 1 syllable by letters alone, 2 as `toned`, 3 as `toneless`, 4 and 5 as `near`, more as
    /// `loose`.
    #[default]
    Auto,
    /// Letters alone.
    Exact,
    /// The same syllables with the same tones.
    Toned,
    /// The same syllables, whatever their tones.
    Toneless,
    /// The same syllables, one of which may sound a little different.
    Near,
    /// As `near`; or, of 4 syllables and more, one within them may be missing or be one too many.
    Loose,
}

/// What a match may stand behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvenIf {
    /// One of the pack's words of negation.
    Negated,
    /// One of the pack's words of quotation, warning or condition.
    Reported,
}

impl Says {
    fn any(any: Vec<At<String>>) -> Self {
        Self(SaysFields {
            any,
            ..SaysFields::default()
        })
    }
}

impl<'de> Deserialize<'de> for Says {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SaysVisitor)
    }
}

struct SaysVisitor;

impl<'de> Visitor<'de> for SaysVisitor {
    type Value = Says;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a phrase, a list of phrases or a map")
    }

    fn visit_str<E>(self, phrase: &str) -> Result<Says, E> {
        Ok(Says::any(vec![At {
            value: Some(phrase.to_owned()),
            place: Place::default(),
        }]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Says, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(access)).map(Says::any)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Says, A::Error> {
        SaysFields::deserialize(MapAccessDeserializer::new(access)).map(Says)
    }
}

/// The three forms, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum SaysForms {
    /// A phrase.
    Phrase(String),
    /// Any of these phrases.
    Phrases(Vec<String>),
    /// The long form.
    Fields(Box<SaysFields>),
}

impl JsonSchema for Says {
    fn schema_name() -> Cow<'static, str> {
        "Says".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        SaysForms::json_schema(generator)
    }
}
