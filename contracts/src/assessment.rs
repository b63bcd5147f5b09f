//! What insight makes of one call: hits, personal data, emotion, intents, talk metrics, summary, score card.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::line::LineQuality;
use crate::pressed::PressedKey;
use crate::transcript::{CallId, CallMetadata, ChannelLayout, Party, Transcript, Utterance};

/// Everything insight found in one call. It follows from the transcript and the rules alone, so it can
/// be made anew without the sound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Assessment {
    /// One for each utterance of the transcript, in its order.
    pub utterances: Vec<UtteranceInsight>,
    /// Rules that fired, by start time.
    pub hits: Vec<Hit>,
    /// Personal data that was said, by start time.
    pub pii: Vec<PiiSpan>,
    /// Who talked how much, how fast, over whom.
    pub metrics: TalkMetrics,
    /// How each party's mood went.
    #[serde(default)]
    pub mood: Mood,
    /// What the call was about and how it ended, in the call's own words.
    pub summary: Summary,
    /// `None` where no card is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scorecard: Option<Scorecard>,
}

/// What belongs to one utterance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UtteranceInsight {
    /// `None` where there was too little to tell from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emotion: Option<Emotion>,
    /// What the customer wants, likeliest first; empty for other parties.
    #[serde(default)]
    pub intents: Vec<Intent>,
}

/// How bad a hit is.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; no fault.
    #[default]
    Info,
    /// A fault that costs points.
    Minor,
    /// A fault that somebody must look at.
    Major,
    /// Somebody must act now.
    Critical,
}

impl Severity {
    /// From the mildest to the worst.
    pub const ALL: [Self; 4] = [Self::Info, Self::Minor, Self::Major, Self::Critical];

    /// The name used in JSON, packs and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == name)
            .ok_or_else(|| format!("severity must be info, minor, major or critical, got `{name}`"))
    }
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// The rule's id.
    pub rule: String,
    /// The pack it stands in.
    #[serde(default)]
    pub pack: String,
    /// The rule's title, for people.
    #[serde(default)]
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whose fault or sign it is; `unknown` where it belongs to the call.
    pub party: Party,
    /// Start of its evidence, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End of its evidence.
    pub end_ms: u64,
    /// Points it takes off.
    #[serde(default)]
    pub deduct: f32,
    /// Whether it fails the whole call.
    #[serde(default)]
    pub auto_fail: bool,
    /// What was said or measured; empty for what was not said.
    pub evidence: Vec<Evidence>,
    /// Why the rule fired, in one sentence.
    pub why: String,
}

impl Hit {
    /// Whether `rule` names its rule: `ID` is the rule of this id in any pack, `PACK/ID` that of one pack.
    pub fn is_of(&self, rule: &str) -> bool {
        match rule.split_once('/') {
            None => self.rule == rule,
            Some((pack, id)) => self.pack == pack && self.rule == id,
        }
    }

    /// What ended last of its evidence: conditions that hold together give theirs in the rule's order, not in that of time.
    pub fn last_evidence(&self) -> Option<&Evidence> {
        self.evidence.iter().max_by_key(|said| said.end_ms)
    }
}

/// One stretch of the call that a hit rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Place in the transcript's list of utterances; `None` for silence and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utterance: Option<usize>,
    /// Who said it.
    pub party: Party,
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End.
    pub end_ms: u64,
    /// The words as they were heard, or what was measured (`5.2 s of silence`).
    pub words: String,
}

/// Kinds of personal data.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PiiKind {
    /// Mainland identity card, 18 digits (GB 11643).
    IdCard,
    /// Bank card, 12 to 19 digits (ISO/IEC 7812).
    BankCard,
    /// Mobile phone.
    Phone,
    /// Landline, with or without area code.
    Landline,
    /// E-mail address.
    Email,
    /// Number plate.
    Plate,
    /// Passport.
    Passport,
    /// Social security number of the United States, 9 digits (20 CFR 422.103).
    Ssn,
}

impl PiiKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::IdCard,
        Self::BankCard,
        Self::Phone,
        Self::Landline,
        Self::Email,
        Self::Plate,
        Self::Passport,
        Self::Ssn,
    ];

    /// The name used in JSON and packs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdCard => "id_card",
            Self::BankCard => "bank_card",
            Self::Phone => "phone",
            Self::Landline => "landline",
            Self::Email => "email",
            Self::Plate => "plate",
            Self::Passport => "passport",
            Self::Ssn => "ssn",
        }
    }
}

/// Personal data that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PiiSpan {
    /// What it is.
    pub kind: PiiKind,
    /// Who said it.
    pub party: Party,
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End.
    pub end_ms: u64,
    /// Where it stands in the text; more than one place where it was said in parts.
    #[serde(default)]
    pub places: Vec<TextPlace>,
}

/// Characters of one utterance's spoken form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct TextPlace {
    /// Place in the transcript's list of utterances.
    pub utterance: usize,
    /// First character of `spoken`, counted in characters.
    pub from: usize,
    /// One past the last.
    pub to: usize,
}

/// Kinds of emotion that are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EmotionLabel {
    /// None of the others.
    #[default]
    Neutral,
    /// Pleased.
    Happy,
    /// Angry.
    Angry,
    /// Sad, worried.
    Sad,
}

impl EmotionLabel {
    /// All labels, in the order of models' outputs.
    pub const ALL: [Self; 4] = [Self::Neutral, Self::Happy, Self::Angry, Self::Sad];

    /// The name used in JSON, packs and queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Happy => "happy",
            Self::Angry => "angry",
            Self::Sad => "sad",
        }
    }

    /// What a reader of Chinese calls it; English has [`as_str`](Self::as_str).
    pub const fn in_chinese(self) -> &'static str {
        match self {
            Self::Neutral => "中性",
            Self::Happy => "愉快",
            Self::Angry => "愤怒",
            Self::Sad => "低落",
        }
    }
}

/// How one utterance was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Emotion {
    /// The likeliest.
    pub label: EmotionLabel,
    /// Its probability, 0 to 1.
    pub confidence: f32,
    /// Calm −1 to excited 1, relative to the speaker's own way in this call.
    pub arousal: f32,
    /// Unpleasant −1 to pleasant 1.
    pub valence: f32,
}

/// How moods went over the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Mood {
    /// By party, for those who spoke.
    pub parties: Vec<PartyMood>,
    /// How content the customer is likely to be, 0 to 100; an estimate from words and voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<f32>,
}

/// One party's mood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartyMood {
    /// Whose.
    pub party: Party,
    /// Mean valence, −1 to 1.
    pub valence: f32,
    /// Mean arousal, −1 to 1.
    pub arousal: f32,
    /// Valence of the last third less that of the first: below zero where it got worse.
    pub trend: f32,
    /// Utterances that were said angrily.
    pub n_angry: u32,
}

/// What a customer wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Intent {
    /// Its name: `interested`, `refuses`, `opt_out`, …
    pub label: String,
    /// 0 to 1.
    pub confidence: f32,
    /// The time that was asked for, where one was: local time without offset, `2026-11-21T15:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// End of that time, where a span was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Who talked how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TalkMetrics {
    /// By party, for those who spoke.
    pub parties: Vec<PartyTalk>,
    /// Time in which both talk, milliseconds.
    pub overlap_ms: u64,
    /// Time in which nobody talks.
    pub silence_ms: u64,
    /// Longest time in which nobody talks.
    pub longest_silence_ms: u64,
    /// Stretches of 2 s and more in which nobody talks.
    pub silences: Vec<Stretch>,
    /// Who talked over whom.
    pub interruptions: Vec<Interruption>,
}

/// One party's talk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartyTalk {
    /// Whose.
    pub party: Party,
    /// Speech, milliseconds.
    pub talk_ms: u64,
    /// Share of all speech, 0 to 1.
    pub talk_ratio: f32,
    /// Utterances.
    pub n_utterances: u32,
    /// Syllables (words, where there are no syllables) a minute of speech.
    pub rate_per_minute: f32,
    /// Mean loudness, dBFS; `None` where the sound was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness_db: Option<f32>,
    /// Times this party began to talk while the other went on.
    pub n_interruptions: u32,
    /// Longest stretch of talk without the other, milliseconds.
    pub longest_monologue_ms: u64,
    /// Median time to answer the other party, milliseconds; negative where it comes in early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_ms: Option<i64>,
}

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stretch {
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End.
    pub end_ms: u64,
}

/// One party began while the other talked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Interruption {
    /// Who began.
    pub by: Party,
    /// When, milliseconds from the start of the recording.
    pub at_ms: u64,
    /// For how long both talked.
    pub overlap_ms: u64,
}

/// What the call was about, in its own words: every text is a piece of an utterance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// Why there was a call.
    pub reason: Vec<Quote>,
    /// How it ended.
    pub outcome: Vec<Quote>,
    /// What was promised, by whom and until when.
    pub promises: Vec<Quote>,
    /// Amounts, rates, dates, times, counts.
    pub numbers: Vec<Quote>,
    /// Outcome proposed for the call: `interested`, `refused`, `callback`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
}

/// A piece of an utterance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// The utterance it is taken from.
    pub utterance: usize,
    /// Who said it.
    pub party: Party,
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// The words, as they stand in the utterance's written form.
    pub text: String,
}

/// A score card, filled in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scorecard {
    /// The card's name.
    pub card: String,
    /// Points of 100.
    pub total: f32,
    /// The pass mark is reached and nothing fails the call.
    pub passed: bool,
    /// Something fails the call whatever its points.
    pub auto_fail: bool,
    /// Points by question.
    pub items: Vec<ScoreItem>,
}

/// One question of a score card, answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreItem {
    /// Section it stands in.
    pub section: String,
    /// The question's id.
    pub id: String,
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Answer,
    /// Points got; 0 where it does not apply.
    pub points: f32,
    /// Points to be had; 0 where it does not apply.
    pub out_of: f32,
    /// Whether this answer fails the call.
    pub auto_fail: bool,
    /// Places in [`Assessment::hits`] that decided it.
    pub hits: Vec<usize>,
    /// Why, in one sentence.
    pub why: String,
}

/// An answer on a score card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// As it should be.
    Yes,
    /// Not as it should be.
    No,
    /// The question does not apply to this call.
    NotApplicable,
}

/// A call with all that is known of it: the JSON that `analyze --out` writes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AssessedCall<'a> {
    /// The call.
    call_id: &'a CallId,
    /// The recording's path as it was given; how its audio came, for a live call.
    file: &'a str,
    /// Length of the recording, milliseconds.
    duration_ms: u64,
    /// Engine and model that heard it.
    engine: &'a str,
    /// How parties and channels go together.
    layout: ChannelLayout,
    /// What is known of it.
    metadata: &'a CallMetadata,
    /// Things a reader must know.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    /// How good each leg's line was, of calls that came in packets.
    #[serde(skip_serializing_if = "<[LineQuality]>::is_empty")]
    lines: &'a [LineQuality],
    /// Keys of telephones that were pressed, by time.
    #[serde(skip_serializing_if = "<[PressedKey]>::is_empty")]
    keys_pressed: &'a [PressedKey],
    /// By start time, then channel.
    utterances: Vec<AssessedUtterance<'a>>,
    /// Rules that fired, by start time.
    hits: &'a [Hit],
    /// Personal data that was said, by start time.
    pii: &'a [PiiSpan],
    /// Who talked how much, how fast, over whom.
    metrics: &'a TalkMetrics,
    /// How each party's mood went.
    mood: &'a Mood,
    /// What the call was about and how it ended.
    summary: &'a Summary,
    /// `null` where it got no score.
    scorecard: &'a Option<Scorecard>,
}

/// An utterance, and what was made of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct AssessedUtterance<'a> {
    #[serde(flatten)]
    utterance: &'a Utterance,
    /// How it was said.
    emotion: Option<Emotion>,
    /// What the customer wants, likeliest first.
    intents: &'a [Intent],
}

impl<'a> AssessedCall<'a> {
    /// Puts the two together. Utterances beyond the assessment's have no emotion and no intents.
    pub fn new(transcript: &'a Transcript, assessment: &'a Assessment) -> Self {
        let utterances = transcript.utterances.iter().enumerate();
        let utterances = utterances.map(|(idx, utterance)| {
            let insight = assessment.utterances.get(idx);
            AssessedUtterance {
                utterance,
                emotion: insight.and_then(|insight| insight.emotion),
                intents: insight.map_or(&[], |insight| &insight.intents),
            }
        });
        Self {
            call_id: &transcript.call_id,
            file: &transcript.file,
            duration_ms: transcript.duration_ms,
            engine: &transcript.engine,
            layout: transcript.layout,
            metadata: &transcript.metadata,
            warnings: &transcript.warnings,
            lines: &[],
            keys_pressed: &[],
            utterances: utterances.collect(),
            hits: &assessment.hits,
            pii: &assessment.pii,
            metrics: &assessment.metrics,
            mood: &assessment.mood,
            summary: &assessment.summary,
            scorecard: &assessment.scorecard,
        }
    }

    /// The same call with how good its lines were.
    #[must_use]
    pub fn with_lines(self, lines: &'a [LineQuality]) -> Self {
        Self { lines, ..self }
    }

    /// The same call with keys that were pressed.
    #[must_use]
    pub fn with_keys_pressed(self, keys_pressed: &'a [PressedKey]) -> Self {
        Self {
            keys_pressed,
            ..self
        }
    }
}
