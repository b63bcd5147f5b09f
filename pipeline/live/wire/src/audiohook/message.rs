//! Messages as they are written.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Any message of the client.
#[derive(Deserialize)]
pub(super) struct Written {
    pub(super) version: String,
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) seq: u64,
    #[serde(default)]
    pub(super) serverseq: u64,
    #[serde(default)]
    pub(super) position: String,
    #[serde(default)]
    pub(super) parameters: Map<String, Value>,
}

impl Written {
    /// A parameter that is a text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.parameters.get(key).and_then(Value::as_str)
    }
}

/// `parameters` of `open`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WrittenOpen {
    pub(super) organization_id: String,
    pub(super) conversation_id: String,
    pub(super) participant: WrittenParticipant,
    pub(super) media: Vec<Value>,
    pub(super) language: Option<String>,
    pub(super) custom_config: Option<Map<String, Value>>,
}

/// `participant` of `open`. Its name is not read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WrittenParticipant {
    pub(super) id: String,
    pub(super) ani: Option<String>,
    pub(super) dnis: Option<String>,
}
