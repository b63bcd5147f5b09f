//! What a recording says of its call: the JSON of its first and its last record.

use std::fmt;

use auricle_contracts::{CallId, CallMetadata, Party};
use serde::{Deserialize, Serialize};

/// The first record: what hearing the call again needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeginFacts {
    /// The call.
    pub call_id: CallId,
    /// What was known of it.
    pub metadata: CallMetadata,
    /// How its audio came: `audiosocket`.
    pub source: String,
    /// Its legs, from channel 0.
    pub legs: Vec<LegFacts>,
    /// How it is heard.
    #[serde(default)]
    pub settings: CallSettings,
}

/// What was asked for, for this call alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallSettings {
    /// Words to lean towards.
    pub keyterms: Vec<Keyterm>,
    /// Silence that ends its utterances, milliseconds; `None`: as it is configured.
    pub trailing_silence_ms: Option<u64>,
}

/// A word to lean towards. `Debug` shows only how long it is, for it may be somebody's name.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Keyterm {
    /// As a line of a hotword list.
    pub text: String,
    /// How much more than usual it is expected; 1: as a word of a list without weight.
    pub boost: f32,
}

impl fmt::Debug for Keyterm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_chars = self.text.chars().count();
        write!(out, "Keyterm({n_chars} characters, boost {})", self.boost)
    }
}

/// A record in the midst: what became known of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteFacts {
    /// What is known of it from here on.
    pub metadata: CallMetadata,
}

/// A leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegFacts {
    /// Who speaks.
    pub party: Party,
    /// Samples a second.
    pub rate_hz: u32,
}

/// The last record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndFacts {
    /// What became of each leg's audio.
    pub legs: Vec<LegTaken>,
}

/// What became of a leg's audio, samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegTaken {
    /// Up to the last one.
    pub expected: u64,
    /// That came.
    pub received: u64,
    /// That nobody sent: silence for time in which nothing came. Older recordings count it as received.
    #[serde(default)]
    pub filled: u64,
    /// Of both, those that found no room in the recording, as the disk was full.
    pub unrecorded: u64,
}
