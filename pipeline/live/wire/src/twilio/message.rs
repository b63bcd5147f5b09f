//! Messages as they are written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::{Map, Value};

/// Any message. Texts without escapes are borrowed from it, so that audio is read without an allocation.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written<'a> {
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    #[serde(default)]
    pub(super) sequence_number: Number,
    #[serde(borrow, default)]
    pub(super) stream_sid: Cow<'a, str>,
    pub(super) start: Option<WrittenStart>,
    #[serde(borrow)]
    pub(super) media: Option<WrittenMedia<'a>>,
    #[serde(borrow)]
    pub(super) dtmf: Option<WrittenDtmf<'a>>,
}

/// `start`.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WrittenStart {
    pub(super) stream_sid: String,
    pub(super) call_sid: String,
    pub(super) tracks: Vec<String>,
    pub(super) custom_parameters: Option<Map<String, Value>>,
    pub(super) media_format: Option<WrittenFormat>,
}

/// `start.mediaFormat`.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WrittenFormat {
    pub(super) encoding: String,
    pub(super) sample_rate: Number,
    pub(super) channels: Number,
}

/// `media`.
#[derive(serde::Deserialize)]
pub(super) struct WrittenMedia<'a> {
    #[serde(borrow)]
    pub(super) track: Cow<'a, str>,
    #[serde(default)]
    pub(super) timestamp: Number,
    #[serde(borrow)]
    pub(super) payload: Cow<'a, str>,
}

/// `dtmf`.
#[derive(serde::Deserialize)]
pub(super) struct WrittenDtmf<'a> {
    #[serde(borrow, default)]
    pub(super) track: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) digit: Cow<'a, str>,
}

/// A whole number, which Twilio writes as a text in some places and as a number in others; `None` where it is left out, or
/// is a text that is no number.
#[derive(Clone, Copy, Default)]
pub(super) struct Number(pub(super) Option<u64>);

impl Number {
    /// As it is shown; empty where there is none.
    pub(super) fn text(self) -> String {
        self.0.map(|number| number.to_string()).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a whole number, or a text of one")
    }

    fn visit_str<E>(self, text: &str) -> Result<Number, E> {
        Ok(Number(text.parse().ok()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(Some(number)))
    }
}
