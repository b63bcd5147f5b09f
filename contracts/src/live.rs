//! What happens in calls under way, as it is told to everybody who watches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::assessment::{Hit, UtteranceInsight};
use crate::transcript::{CallId, CallMetadata, Party, Utterance};

/// Something that happened in a call under way. Personal data in it is masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LiveEvent {
    /// Counts all events of all calls, without gaps while the program runs; higher than all before when it starts again.
    pub id: u64,
    /// When it was told, milliseconds since 1970.
    pub unix_ms: u64,
    /// The call.
    pub call_id: CallId,
    /// Agent of the call, where one is known: what subscribers ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What may happen in a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Happening {
    /// Its first audio is there.
    CallStarted {
        /// What is known of it.
        metadata: CallMetadata,
        /// How its audio comes: `replay`, `audiosocket`, `stream`, `listen`, `twilio`, `asterisk`, `audiohook`.
        source: String,
        /// Who speaks on each channel, from channel 0.
        parties: Vec<Party>,
        /// Engine and model that hear it.
        engine: String,
    },
    /// More became known of it, or something else: this is what is known now.
    CallDescribed {
        /// What is known of it.
        metadata: CallMetadata,
    },
    /// What an utterance reads like so far; the next partial or final of the channel takes its place.
    Partial {
        /// Who speaks.
        party: Party,
        /// Channel, from 0.
        channel: u16,
        /// First speech, milliseconds from the start of the call.
        start_ms: u64,
        /// How far it is heard.
        end_ms: u64,
        /// Spoken form.
        text: String,
    },
    /// An utterance that is over.
    Final {
        /// The utterance.
        utterance: Box<Utterance>,
        /// Its mood, and what the customer wants.
        insight: UtteranceInsight,
        /// It was cut, for it had grown too long or recognition failed in it: its speaker may go on, and the next one of the
        /// channel may be of the same speech. Left out where a pause, or the end of the call, ended it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_cut: bool,
    },
    /// A rule fired, or what became of it.
    Alert(Box<Alert>),
    /// The call is over and saved.
    CallEnded(Box<CallEnded>),
    /// Somebody saw to an alert.
    Acknowledged(Box<Acknowledged>),
}

impl Happening {
    /// What it is.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::CallStarted { .. } => EventKind::CallStarted,
            Self::CallDescribed { .. } => EventKind::CallDescribed,
            Self::Partial { .. } => EventKind::Partial,
            Self::Final { .. } => EventKind::Final,
            Self::Alert(_) => EventKind::Alert,
            Self::CallEnded(_) => EventKind::CallEnded,
            Self::Acknowledged(_) => EventKind::Acknowledged,
        }
    }
}

/// What an event tells, by its `type` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// [`Happening::CallStarted`].
    CallStarted,
    /// [`Happening::CallDescribed`].
    CallDescribed,
    /// [`Happening::Partial`].
    Partial,
    /// [`Happening::Final`].
    Final,
    /// [`Happening::Alert`].
    Alert,
    /// [`Happening::CallEnded`].
    CallEnded,
    /// [`Happening::Acknowledged`].
    Acknowledged,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::CallStarted,
        Self::CallDescribed,
        Self::Partial,
        Self::Final,
        Self::Alert,
        Self::CallEnded,
        Self::Acknowledged,
    ];

    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallStarted => "call_started",
            Self::CallDescribed => "call_described",
            Self::Partial => "partial",
            Self::Final => "final",
            Self::Alert => "alert",
            Self::CallEnded => "call_ended",
            Self::Acknowledged => "acknowledged",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A hit that is pushed while the call goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// The same through all its states; no other alert has it.
    pub alert_id: String,
    /// What became of it.
    pub state: AlertState,
    /// The hit. Its evidence names no utterances: their places are known when the call is over.
    pub hit: Hit,
}

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Heard in an utterance that goes on; it will be confirmed or withdrawn.
    Provisional,
    /// Heard in an utterance that is over, or in what was not said.
    Raised,
    /// A provisional one stays.
    Confirmed,
    /// The rest of the utterance made it none.
    Withdrawn,
}

impl AlertState {
    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Raised => "raised",
            Self::Confirmed => "confirmed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of this name.
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::Provisional,
            Self::Raised,
            Self::Confirmed,
            Self::Withdrawn,
        ]
        .into_iter()
        .find(|state| state.as_str() == name)
    }
}

/// An alert that somebody saw to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledged {
    /// The alert.
    pub alert_id: String,
    /// Name of the key that was used.
    pub by: String,
    /// What was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An alert as it is kept: its last state, and who saw to it. Personal data in it is masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertRecord {
    /// The alert, as it was told last.
    #[serde(flatten)]
    pub alert: Alert,
    /// The call.
    pub call_id: CallId,
    /// Agent of the call, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Campaign of the call, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// The event that told it first: later alerts have higher ones.
    pub first_event: u64,
    /// When it was told first, milliseconds since 1970.
    pub told_unix_ms: u64,
    /// When it was told last.
    pub changed_unix_ms: u64,
    /// Who saw to it; `None` while nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
}

/// Who saw to an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledgement {
    /// Name of the key that was used.
    pub by: String,
    /// When, milliseconds since 1970.
    pub unix_ms: u64,
    /// What was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How a call ended, and what it is worth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallEnded {
    /// Length of its audio, milliseconds.
    pub duration_ms: u64,
    /// Utterances in its transcript.
    pub n_utterances: usize,
    /// Rules that fired.
    pub n_hits: usize,
    /// Points of its score card, 0 to 100; `None` where it got none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// Whether the card's mark was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Things a reader must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_the_types_of_events() {
        for kind in EventKind::ALL {
            let name = serde_json::to_value(kind).unwrap();
            assert_eq!(name, kind.as_str());
            assert_eq!(EventKind::named(kind.as_str()), Some(kind));
        }
        let acknowledged = Happening::Acknowledged(Box::new(Acknowledged {
            alert_id: "a-0".into(),
            by: "li".into(),
            note: None,
        }));
        let told = serde_json::to_value(&acknowledged).unwrap();
        assert_eq!(
            told,
            serde_json::json!({"type": acknowledged.kind(), "alert_id": "a-0", "by": "li"})
        );
    }

    #[test]
    fn finals_say_that_they_were_cut_where_they_were() {
        let told = |is_cut: bool| {
            let utterance = Utterance {
                party: Party::Agent,
                channel: 0,
                start_ms: 0,
                end_ms: 900,
                text: "您好。".into(),
                spoken: "您好".into(),
                confidence: 0.9,
                syllables: Vec::new(),
                words: Vec::new(),
                voice: None,
            };
            let happening = Happening::Final {
                utterance: Box::new(utterance),
                insight: UtteranceInsight::default(),
                is_cut,
            };
            let told = serde_json::to_value(&happening).unwrap();
            assert_eq!(
                serde_json::from_value::<Happening>(told.clone()).unwrap(),
                happening
            );
            told
        };
        assert_eq!(told(true)["is_cut"], true);
        assert_eq!(told(false).get("is_cut"), None);
    }
}
