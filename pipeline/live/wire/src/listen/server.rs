//! Messages to clients.
//!
//! Field for field what `deepgram-sdk` 7.17 reads (its `listen.v1.types`): fields without `Option` there are always
//! written here. Times are seconds from the beginning of the stream.

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// Digits behind the point of times and confidences, as a factor.
const PRECISION: f64 = 1e6;

/// A message to a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
#[schema(as = ListenMessage)]
pub enum ServerMessage {
    /// The stream is over, and this is what it was: the last message.
    Metadata(ListenMetadata),
    /// What was heard on one channel.
    Results(Box<Results>),
    /// Somebody began to speak.
    SpeechStarted(SpeechStarted),
    /// Nobody spoke for the time that was asked for.
    UtteranceEnd(UtteranceEnd),
    /// A text message was not understood.
    Error(ListenError),
    /// A change is in force.
    ConfigureSuccess(ConfigureSuccess),
    /// A change is not in force.
    ConfigureFailure(ConfigureFailure),
}

impl ServerMessage {
    /// The message as text.
    pub fn to_json(&self) -> String {
        // Texts, finite numbers and lists can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Summary of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListenMetadata {
    /// Always `deprecated`, as Deepgram writes it.
    pub transaction_key: String,
    /// The request, as `dg-request-id` said it.
    pub request_id: String,
    /// SHA-256 of the audio as it came, hexadecimal.
    pub sha256: String,
    /// When the stream began, RFC 3339.
    pub created: String,
    /// Length of the audio.
    #[serde(serialize_with = "number")]
    pub duration: f64,
    /// Its channels.
    pub channels: u16,
}

/// What was heard on one channel in one stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenResults)]
pub struct Results {
    /// The channel, from 0, and how many there are.
    pub channel_index: [u16; 2],
    /// Length of the stretch.
    #[serde(serialize_with = "number")]
    pub duration: f64,
    /// Where it begins.
    #[serde(serialize_with = "number")]
    pub start: f64,
    /// Whether it will not change any more.
    pub is_final: bool,
    /// Whether the speaker is done.
    pub speech_final: bool,
    /// What was said.
    pub channel: Channel,
    /// What heard it.
    pub metadata: ResultsMetadata,
    /// Whether a `Finalize` of the client brought it.
    pub from_finalize: bool,
}

/// Readings of a stretch, the best first. Auricle gives one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenChannel)]
pub struct Channel {
    /// The readings.
    pub alternatives: Vec<Alternative>,
}

/// One reading. Where nothing was said, it is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenAlternative)]
pub struct Alternative {
    /// The text.
    pub transcript: String,
    /// Mean confidence of its words, 0 to 1.
    #[serde(serialize_with = "number")]
    pub confidence: f64,
    /// Its words.
    pub words: Vec<Word>,
}

/// One word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenWord)]
pub struct Word {
    /// As it is spoken.
    pub word: String,
    /// Where it begins.
    #[serde(serialize_with = "number")]
    pub start: f64,
    /// Where it ends.
    #[serde(serialize_with = "number")]
    pub end: f64,
    /// 0 to 1.
    #[serde(serialize_with = "number")]
    pub confidence: f64,
    /// As it is written, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub punctuated_word: Option<String>,
}

/// What heard a stretch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenResultsMetadata)]
pub struct ResultsMetadata {
    /// The request.
    pub request_id: String,
    /// The model.
    pub model_info: ModelInfo,
    /// The model's id: any text that is the same for the same model.
    pub model_uuid: String,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenModel)]
pub struct ModelInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What kind it is.
    pub arch: String,
}

/// Somebody began to speak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenSpeechStarted)]
pub struct SpeechStarted {
    /// The channel, from 0, and how many there are.
    pub channel: [u16; 2],
    /// When.
    #[serde(serialize_with = "number")]
    pub timestamp: f64,
}

/// Nobody spoke for the time that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenUtteranceEnd)]
pub struct UtteranceEnd {
    /// The channel, from 0, and how many there are.
    pub channel: [u16; 2],
    /// End of the last word.
    #[serde(serialize_with = "number")]
    pub last_word_end: f64,
}

/// A text message was not understood. The message is not sent back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListenError {
    /// `SchemaError`.
    pub variant: String,
    /// What is wrong.
    pub description: String,
}

/// A change is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenConfigureSuccess)]
pub struct ConfigureSuccess {
    /// The request.
    pub request_id: String,
    /// The keyterms that are in force now, where they were changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyterms: Option<Vec<String>>,
}

/// A change is not in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenConfigureFailure)]
pub struct ConfigureFailure {
    /// The request.
    pub request_id: String,
    /// Why, for programs.
    pub code: ConfigureFailureCode,
    /// Why, for people.
    pub description: String,
}

/// Why a change is not in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ListenConfigureFailureCode)]
pub enum ConfigureFailureCode {
    /// The model cannot take other keyterms on its way.
    #[serde(rename = "CONFIGURE_KEYTERMS_NOT_SUPPORTED")]
    NotSupported,
    /// More than there may be.
    #[serde(rename = "CONFIGURE_KEYTERM_LIMIT_EXCEEDED")]
    LimitExceeded,
    /// A change before this one is not in force yet.
    #[serde(rename = "CONFIGURE_ALREADY_PENDING")]
    AlreadyPending,
    /// Something broke.
    #[serde(rename = "CONFIGURE_INTERNAL_ERROR")]
    Internal,
}

/// Milliseconds of the contracts as seconds.
pub fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// A number with six digits behind its point; what is no number is 0, for JSON has no name for it.
fn number<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    let rounded = (value * PRECISION).round() / PRECISION;
    to.serialize_f64(if rounded.is_finite() { rounded } else { 0.0 })
}
