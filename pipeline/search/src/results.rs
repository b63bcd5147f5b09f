//! What a search asks and what it gives back.

use auricle_contracts::{CallMetadata, Party, Severity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A query and how its hits are to be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// In the language of `docs/query-language.md`.
    pub query: String,
    /// Order of the calls.
    #[serde(default)]
    pub sort: Sort,
    /// Calls to leave out at the beginning.
    #[serde(default)]
    pub offset: usize,
    /// Calls to show, at most [`MAX_LIMIT`].
    #[serde(default = "default_limit")]
    pub limit: usize,
    /// The most hits to show of one call, from 1 to [`MAX_HITS_PER_CALL`]; the best are taken.
    #[serde(default = "default_hits_per_call")]
    pub hits_per_call: usize,
    /// Utterances to show before and after each hit, at most [`MAX_CONTEXT`].
    #[serde(default = "default_context")]
    pub context: u32,
    /// Whether to count hits by what [`Facets`] names.
    #[serde(default)]
    pub facets: FacetMode,
}

/// The most calls of one page.
pub const MAX_LIMIT: usize = 1000;
/// The most hits shown of one call.
pub const MAX_HITS_PER_CALL: usize = 1000;
/// The most utterances shown before a hit, and after it.
pub const MAX_CONTEXT: u32 = 100;

const fn default_limit() -> usize {
    10
}

const fn default_hits_per_call() -> usize {
    5
}

const fn default_context() -> u32 {
    1
}

impl SearchRequest {
    /// The first ten calls, best first, with facets.
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            sort: Sort::default(),
            offset: 0,
            limit: default_limit(),
            hits_per_call: default_hits_per_call(),
            context: default_context(),
            facets: FacetMode::default(),
        }
    }
}

/// Order of the calls. Equal calls: the newer first, then as they were added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// By the call's best hit, raised a little by the number of hits.
    #[default]
    Relevance,
    /// By when the call began, latest first; calls without a time last.
    Newest,
    /// By when the call began, earliest first; calls without a time last.
    Oldest,
}

/// Whether facets are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FacetMode {
    /// Count them.
    #[default]
    Count,
    /// Leave them out.
    Skip,
}

/// One page of hits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchResults {
    /// Utterances that match.
    pub total_hits: u64,
    /// Calls with at least one of them.
    pub total_calls: u64,
    /// The page.
    pub calls: Vec<CallHits>,
    /// Counts over all hits, not only those of the page.
    pub facets: Facets,
}

/// The hits of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallHits {
    /// The call.
    pub call_id: String,
    /// The recording's path as it was given.
    pub file: String,
    /// Engine and model that heard the call.
    pub engine: String,
    /// Length of the recording.
    pub duration_ms: u64,
    /// What is known of the call; its fields stand beside the others in JSON.
    #[serde(flatten)]
    pub metadata: CallMetadata,
    /// The call's quality score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Whether the call reached the pass mark of its score card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// The outcome proposed for the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// How well the call matches; comparable within one search only.
    pub relevance: f32,
    /// All hits of the call, also those not shown.
    pub total_hits: u32,
    /// The best hits, in the order of the call.
    pub hits: Vec<Hit>,
    /// What the query asked for and belongs to no utterance of the call: silences, hits of what was not said. In the
    /// order of the call, the first [`SearchRequest::hits_per_call`] of [`Self::total_moments`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moments: Vec<Moment>,
    /// All such moments of the call, also those not shown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub total_moments: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Something that belongs to a call and to no utterance of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// What it is.
    pub kind: MomentKind,
    /// The rule or the kind of personal data; empty for a silence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Of a hit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Start, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End.
    pub end_ms: u64,
    /// Where to play from: a little before.
    pub play_from_ms: u64,
    /// Why the rule fired, in one sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Kinds of [`Moment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MomentKind {
    /// A rule fired, and no utterance is its evidence.
    Hit,
    /// Personal data whose place in the text is not known.
    Pii,
    /// Nobody talks.
    Silence,
}

/// One utterance that matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SearchHit)]
pub struct Hit {
    /// Number of the utterance in its call, from 0.
    pub utterance: u32,
    /// Number of the turn it belongs to, from 0: a turn is what one party says before the other does.
    pub turn: u32,
    /// Who spoke.
    pub party: Party,
    /// Channel of the recording.
    pub channel: u16,
    /// Start of the utterance, milliseconds from the start of the recording.
    pub start_ms: u64,
    /// End of the utterance.
    pub end_ms: u64,
    /// Where to play from: a little before the first word that matched.
    pub play_from_ms: u64,
    /// Written form.
    pub text: String,
    /// What matched, within `text`.
    pub highlights: Vec<Highlight>,
    /// The part of a long text around the first highlight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
    /// Hanzi as they were said.
    pub spoken: String,
    /// What matched, within `spoken`.
    pub spoken_highlights: Vec<Highlight>,
    /// Rules that the utterance is evidence of, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// How it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emotion: Option<String>,
    /// What the customer wants, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<String>,
    /// How well the utterance matches.
    pub relevance: f32,
    /// For `THEN`: what was said earlier, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub led_by: Vec<ContextLine>,
    /// The utterances just before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<ContextLine>,
    /// The utterances just after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<ContextLine>,
}

/// A part of a text, in characters (Unicode code points), end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Highlight {
    /// The first character.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

/// A part of a long text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snippet {
    /// The part, with `…` where something is left out.
    pub text: String,
    /// What matched, within this part.
    pub highlights: Vec<Highlight>,
}

/// An utterance near a hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContextLine {
    /// Number of the utterance in its call, from 0.
    pub utterance: u32,
    /// Number of the turn it belongs to, from 0.
    pub turn: u32,
    /// Who spoke.
    pub party: Party,
    /// Start of the utterance.
    pub start_ms: u64,
    /// End of the utterance.
    pub end_ms: u64,
    /// Written form.
    pub text: String,
    /// What matched, within `text`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<Highlight>,
}

/// How the hits are spread. Each list holds the values with the most hits first; months and days
/// are in order of time, score bands from low to high.
///
/// For every count, the query joined with `name:value` finds as many utterances in as many calls, `name` being the
/// facet's (`date` for months and days), and the value in quotes where it is a text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Facets {
    /// By who spoke.
    pub party: Vec<FacetCount>,
    /// By agent.
    pub agent: Vec<FacetCount>,
    /// By campaign.
    pub campaign: Vec<FacetCount>,
    /// By region.
    pub region: Vec<FacetCount>,
    /// By rule: utterances that are evidence of it, and all hits of calls it belongs to as a whole.
    #[serde(default)]
    pub rule: Vec<FacetCount>,
    /// By emotion.
    #[serde(default)]
    pub emotion: Vec<FacetCount>,
    /// By intent.
    #[serde(default)]
    pub intent: Vec<FacetCount>,
    /// By the call's score: `<60`, `[60 TO 70}`, `[70 TO 80}`, `[80 TO 90}`, `>=90`.
    #[serde(default)]
    pub score: Vec<FacetCount>,
    /// By month, `2026-01`.
    pub month: Vec<FacetCount>,
    /// By day, `2026-01-31`.
    pub day: Vec<FacetCount>,
}

/// The most values of one facet; days are not cut.
pub const MAX_FACET_VALUES: usize = 50;

/// Hits with one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacetCount {
    /// The value.
    pub value: String,
    /// Utterances.
    pub hits: u64,
    /// Calls.
    pub calls: u64,
}

/// Writes `text` with `open` and `close` around what is highlighted.
pub fn mark(text: &str, highlights: &[Highlight], open: &str, close: &str) -> String {
    let mut out = String::with_capacity(text.len() + highlights.len() * 8);
    let mut next = highlights.iter().peekable();
    let mut inside = None;
    for (at, letter) in text.chars().enumerate() {
        if inside == Some(at) {
            out.push_str(close);
            inside = None;
        }
        if inside.is_none()
            && let Some(highlight) = next.next_if(|highlight| highlight.start <= at)
            && highlight.end > at
        {
            out.push_str(open);
            inside = Some(highlight.end);
        }
        out.push(letter);
    }
    if inside.is_some() {
        out.push_str(close);
    }
    out
}
