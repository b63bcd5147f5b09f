//! What the store takes and gives.

use std::fmt;
use std::str::FromStr;

use auricle_contracts::{CallId, CallMetadata, ChannelLayout, LegAudio, LineQuality, PressedKey};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Number of one run of `analyze` or `import`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// How far a call got.
///
/// `Pending => Done or Failed`, `Failed => Pending`, `Done => Done (again) or Failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// Seen, not heard yet: queued, or its run was stopped.
    Pending,
    /// Its transcript is in the store.
    Done,
    /// The last attempt failed; the error says why. An older transcript may still be there.
    Failed,
}

impl CallState {
    /// The word in the database and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for CallState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for CallState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Pending, Self::Done, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("state must be pending, done or failed, got `{word}`"))
    }
}

/// What a transcript follows from. Two equal ones mean that hearing again would change nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprints {
    /// SHA-256 of the recording's bytes, in hexadecimal digits.
    pub audio_sha256: String,
    /// Of the recogniser and everything it reads.
    pub model: String,
    /// Of the settings that change what is heard.
    pub settings: String,
}

/// A recording on its way into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The call.
    pub call_id: CallId,
    /// The path as it was given.
    pub file: String,
    /// The absolute path: what tells two recordings of one name apart.
    pub path: String,
    /// Length of the file.
    pub size_bytes: u64,
    /// What came of each leg's audio, from channel 0; empty where the call was not heard live.
    pub legs: Vec<LegAudio>,
    /// How good each leg's line was; empty where the call did not come in packets.
    pub lines: Vec<LineQuality>,
    /// Keys of telephones that were pressed, by time; empty where the call was not heard live.
    pub keys_pressed: Vec<PressedKey>,
    /// What is known beside the sound.
    pub metadata: CallMetadata,
}

/// One call as the store knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// The recording.
    pub recording: Recording,
    /// What its transcript follows from; empty while there is none.
    pub fingerprints: Fingerprints,
    /// Length of the sound, milliseconds; 0 while it is not known.
    pub duration_ms: u64,
    /// How parties and channels go together, once heard.
    pub layout: Option<ChannelLayout>,
    /// Engine and model, once heard.
    pub engine: Option<String>,
    /// How far it got.
    pub state: CallState,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// What a reader of the transcript must know.
    pub warnings: Vec<String>,
    /// When the last attempt ended, RFC 3339.
    pub analysed_at: Option<String>,
    /// Counts the transcripts saved for this call: 0 before the first.
    pub version: i64,
    /// Whether the search index holds this version.
    pub is_indexed: bool,
}

impl CallRecord {
    /// Whether the store has a transcript of it, be it an older one.
    pub const fn has_transcript(&self) -> bool {
        self.version > 0
    }

    /// Whether its transcript was not heard here but handed over: nothing says what it was heard from.
    pub const fn is_imported(&self) -> bool {
        self.has_transcript() && self.fingerprints.audio_sha256.is_empty()
    }
}

/// Calls by what there is of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallKind {
    /// All that the store knows.
    #[default]
    Any,
    /// Those with a transcript, also where hearing the call again failed since.
    WithTranscript,
}

/// Which calls to list. Fields that are `None` ask for nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallFilter {
    /// Whether calls without a transcript count.
    pub kind: CallKind,
    /// Only this agent's; names are the same in capitals and small letters.
    pub agent: Option<String>,
    /// Only of this campaign.
    pub campaign: Option<String>,
    /// Only of this region.
    pub region: Option<String>,
    /// Begun at this time or later, milliseconds since 1970-01-01 UTC. Leaves out calls without a time.
    pub since_ms: Option<i64>,
    /// Begun before this time. Leaves out calls without a time.
    pub until_ms: Option<i64>,
}

/// How one run went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Heard and saved.
    pub n_done: u64,
    /// Already there, nothing changed.
    pub n_skipped: u64,
    /// Not heard; each call says why.
    pub n_failed: u64,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// Its number.
    pub id: RunId,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When it ended; `None` if it is under way or was killed.
    pub finished_at: Option<String>,
    /// Recordings it was asked for.
    pub n_files: u64,
    /// What became of them.
    pub counts: RunCounts,
}

/// How many calls there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Queued or stopped.
    pub n_pending: u64,
    /// With a transcript.
    pub n_done: u64,
    /// Failed.
    pub n_failed: u64,
    /// Calls whose newest transcript is not in the search index.
    pub n_unindexed: u64,
}

/// Milliseconds since 1970-01-01 UTC of a time written as RFC 3339 asks; `None` for anything else.
pub fn parse_time_ms(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}
