//! The transcript of one call.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::voice::Voice;

/// Identifies one call in the store, the index and every report.
///
/// For recordings it is the stem of the file's name, unless two recordings share it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct CallId(pub String);

impl fmt::Display for CallId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Who speaks on a channel.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// The call centre's side.
    Agent,
    /// The other side.
    Customer,
    /// Both on one channel, or not known which.
    Unknown,
}

impl Party {
    /// The name used in JSON, queries and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Customer => "customer",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Party {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Agent, Self::Customer, Self::Unknown]
            .into_iter()
            .find(|party| party.as_str() == name)
            .ok_or_else(|| format!("party must be agent, customer or unknown, got `{name}`"))
    }
}

/// How the parties lie on the channels of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelLayout {
    /// One channel, both parties on it.
    Mono,
    /// Two or more channels with one party each; what a transcript means that does not say.
    #[default]
    PerParty,
    /// Several channels that carry the same sound: one unknown party.
    FakeStereo,
}

/// One recording, heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transcript {
    /// The call.
    pub call_id: CallId,
    /// The recording's path as it was given.
    pub file: String,
    /// Length of the recording, milliseconds.
    pub duration_ms: u64,
    /// Engine and model that heard it, for example `native/zh-zipformer-3.3m`.
    pub engine: String,
    /// How parties and channels go together.
    #[serde(default)]
    pub layout: ChannelLayout,
    /// What the recording's metadata or its folder say of the call.
    #[serde(default)]
    pub metadata: CallMetadata,
    /// Things a reader of this transcript must know: truncated file, fake stereo, clipping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// By start time, then channel.
    pub utterances: Vec<Utterance>,
}

/// What is known of a call beside its sound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallMetadata {
    /// Agent's name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Campaign or queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Region or dialect area, used to pick a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// When the call began, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
}

impl CallMetadata {
    /// Takes over what is said here; what is not said stays.
    pub fn update(&mut self, said: Self) {
        let fields = [
            (&mut self.agent, said.agent),
            (&mut self.campaign, said.campaign),
            (&mut self.region, said.region),
            (&mut self.started_at, said.started_at),
        ];
        for (known, said) in fields {
            if said.is_some() {
                *known = said;
            }
        }
    }
}

/// What one party said between two endpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Utterance {
    /// Who said it.
    pub party: Party,
    /// Channel of the recording, from 0.
    pub channel: u16,
    /// First speech, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End of speech.
    pub end_ms: u64,
    /// Written form: numbers in digits, punctuation.
    pub text: String,
    /// Hanzi (and foreign words) as they were said, no punctuation.
    pub spoken: String,
    /// Mean confidence of the words, 0 to 1.
    #[serde(default)]
    pub confidence: f32,
    /// Toned syllables; empty for languages without them.
    #[serde(default)]
    pub syllables: Vec<Syllable>,
    /// Words of `spoken` with their times.
    pub words: Vec<Word>,
    /// How the voice sounded; `None` where the sound was not there to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Voice>,
}

/// One syllable as it was heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Syllable {
    /// Numbered pinyin: `bao3`, `lv4`, `de5`.
    pub s: String,
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End.
    pub end_ms: u64,
    /// Probability that the syllable, with its tone, was said; 0 to 1.
    pub conf: f32,
    /// What else it may have been, likeliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<SyllableAlternative>,
}

/// Another reading of a stretch of sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyllableAlternative {
    /// Numbered pinyin.
    pub s: String,
    /// Probability, 0 to 1.
    pub conf: f32,
}

/// One word of the spoken form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Word {
    /// The word.
    pub w: String,
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End.
    pub end_ms: u64,
}
