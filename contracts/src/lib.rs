//! What the rooms of Auricle say to each other: identifiers, the transcript of a call, what is made of it, and
//! what happens while it goes on.
//!
//! Everything here is data. The JSON shapes of [`Transcript`] and [`AssessedCall`] are public interfaces:
//! other programs read the files that `auricle analyze --out` writes, so fields are added and never renamed.

mod assessment;
mod job;
mod labels;
mod leg;
mod line;
mod live;
mod pressed;
mod transcript;
mod voice;

pub use assessment::{
    Answer, AssessedCall, Assessment, Emotion, EmotionLabel, Evidence, Hit, Intent, Interruption,
    Mood, PartyMood, PartyTalk, PiiKind, PiiSpan, Quote, ScoreItem, Scorecard, Severity, Stretch,
    Summary, TalkMetrics, TextPlace, UtteranceInsight,
};
pub use job::JobState;
pub use labels::{LABELS, label_in_chinese, names_of_label};
pub use leg::LegAudio;
pub use line::{LineProblem, LineQuality};
pub use live::{
    Acknowledged, Acknowledgement, Alert, AlertRecord, AlertState, CallEnded, EventKind, Happening,
    LiveEvent,
};
pub use pressed::{PhoneKey, PressedKey};
pub use transcript::{
    CallId, CallMetadata, ChannelLayout, Party, Syllable, SyllableAlternative, Transcript,
    Utterance, Word,
};
pub use voice::{N_CEPSTRA, Voice};
