//! `/api/v1/calls`: calls under way, calls that are saved.

use std::sync::Arc;

use auricle_contracts::{
    AssessedCall, Assessment, CallId, CallMetadata, ChannelLayout, Hit, LegAudio, LineQuality,
    Utterance,
};
use auricle_store::{CallFilter, CallKind};
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, Mistake};
use super::{Served, apart};
use crate::known::KnownCall;
use crate::serve::calls::CallUnderWay;

/// Saved calls of one page, usually and at most.
const PAGE_CALLS: u64 = 100;
const MOST_CALLS: u64 = 1_000;
/// Calls under way of one page.
const MOST_UNDER_WAY: usize = 1_000;
/// Utterances and hits of one page, usually and at most.
const PAGE_PARTS: usize = 200;
const MOST_PARTS: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// What `next` said: saved calls after these.
    after: Option<String>,
    /// What `next_under_way` said: calls under way after these.
    after_under_way: Option<String>,
    /// Only of this agent.
    agent: Option<String>,
    /// Only of this campaign.
    campaign: Option<String>,
    /// Saved calls to give, at most 1,000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// Calls, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallList {
    /// Calls that go on, by id; at most 1,000.
    under_way: Vec<CallUnderWay>,
    /// What `after_under_way` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_under_way: Option<CallId>,
    /// Calls that are saved, by id.
    saved: Vec<SavedCall>,
    /// What `after` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<CallId>,
}

/// A call that is saved.
#[derive(Debug, Serialize, ToSchema)]
struct SavedCall {
    /// The call.
    call_id: CallId,
    /// Its length, milliseconds.
    duration_ms: u64,
    /// What is known of it.
    metadata: CallMetadata,
    /// When it was heard, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    analysed_at: Option<String>,
    /// What came of each leg's audio, of calls that were heard live.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    legs: Vec<LegAudio>,
    /// How good each leg's line was, of calls that came in packets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<LineQuality>,
}

/// Calls under way, and saved ones.
#[utoipa::path(
    get,
    path = "/api/v1/calls",
    operation_id = "list_calls",
    tag = "calls",
    params(ListQuery),
    responses((status = 200, description = "A page of each.", body = CallList))
)]
pub(crate) async fn list(
    State(served): State<Arc<Served>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<CallList>, ApiError> {
    let Query(query) = query?;
    let filter = CallFilter {
        kind: CallKind::WithTranscript,
        agent: query.agent.clone(),
        campaign: query.campaign.clone(),
        ..CallFilter::default()
    };
    let after = query.after.map(CallId);
    let limit = query.limit.unwrap_or(PAGE_CALLS).clamp(1, MOST_CALLS);
    let saved = served.store.calls(&filter, after.as_ref(), limit);
    let saved = saved.await?;
    let next = (saved.len() as u64 == limit)
        .then(|| saved.last().map(|call| call.recording.call_id.clone()));
    let is_wanted = |call: &CallUnderWay| {
        let fits =
            |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        let is_behind = |after: &String| call.call_id.0 > *after;
        fits(&query.agent, &call.metadata.agent)
            && fits(&query.campaign, &call.metadata.campaign)
            && query.after_under_way.as_ref().is_none_or(is_behind)
    };
    let under_way = served.calls.all().into_iter().filter(is_wanted);
    let under_way: Vec<CallUnderWay> = under_way.take(MOST_UNDER_WAY).collect();
    let next_under_way = (under_way.len() == MOST_UNDER_WAY)
        .then(|| under_way.last().map(|call| call.call_id.clone()));
    let saved = saved.into_iter().map(|call| SavedCall {
        call_id: call.recording.call_id,
        duration_ms: call.duration_ms,
        metadata: call.recording.metadata,
        legs: call.recording.legs,
        lines: call.recording.lines,
        analysed_at: call.analysed_at,
    });
    Ok(Json(CallList {
        under_way,
        next_under_way: next_under_way.flatten(),
        saved: saved.collect(),
        next: next.flatten(),
    }))
}

/// A saved call as `analyze --out` writes it: transcript, hits, score, personal data masked.
#[utoipa::path(
    get,
    path = "/api/v1/calls/{call_id}",
    operation_id = "get_call",
    tag = "calls",
    params(("call_id" = String, Path, description = "The call.")),
    responses(
        (status = 200, description = "The call.", body = AssessedCall<'static>),
        (status = 404, description = "No such call is saved.", body = Mistake),
    )
)]
pub(crate) async fn one(
    State(served): State<Arc<Served>>,
    call_id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(call_id) = call_id?;
    apart(async move {
        let known = known(&served, call_id).await?;
        let call = served.store.call(&known.transcript.call_id).await?;
        let noted = call.map(|call| (call.recording.lines, call.recording.keys_pressed));
        let (lines, keys_pressed) = noted.unwrap_or_default();
        let known = known.with_noted(lines, keys_pressed);
        Ok(Json(known.assessed()).into_response())
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PartQuery {
    /// What `next` said: those after these.
    #[serde(default)]
    after: usize,
    /// How many to give, at most 1,000.
    #[param(default = 200, minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl PartQuery {
    /// A page of a list, and what stands behind it.
    fn page<Part>(&self, all: Vec<Part>) -> (Vec<Part>, Option<usize>) {
        let limit = self.limit.unwrap_or(PAGE_PARTS).clamp(1, MOST_PARTS);
        let up_to = self.after.saturating_add(limit);
        let next = (up_to < all.len()).then_some(up_to);
        let page = all.into_iter().skip(self.after).take(limit);
        (page.collect(), next)
    }
}

/// What was said in a call, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TranscriptPage {
    /// The call.
    call_id: CallId,
    /// Its length, milliseconds.
    duration_ms: u64,
    /// Engine and model that heard it.
    engine: String,
    /// How parties and channels go together.
    layout: ChannelLayout,
    /// What is known of it.
    metadata: CallMetadata,
    /// Things a reader must know.
    warnings: Vec<String>,
    /// All of the call.
    n_utterances: usize,
    /// Those of this page, by start time, then channel.
    utterances: Vec<Utterance>,
    /// What `after` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<usize>,
}

/// What was said in a saved call, personal data masked.
#[utoipa::path(
    get,
    path = "/api/v1/calls/{call_id}/transcript",
    operation_id = "get_call_transcript",
    tag = "calls",
    params(("call_id" = String, Path, description = "The call."), PartQuery),
    responses(
        (status = 200, description = "A page of utterances.", body = TranscriptPage),
        (status = 404, description = "No such call is saved.", body = Mistake),
    )
)]
pub(crate) async fn transcript(
    State(served): State<Arc<Served>>,
    call_id: Result<Path<String>, PathRejection>,
    query: Result<Query<PartQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(call_id), Query(query)) = (call_id?, query?);
    apart(async move {
        let transcript = known(&served, call_id).await?.transcript;
        let n_utterances = transcript.utterances.len();
        let (utterances, next) = query.page(transcript.utterances);
        let page = TranscriptPage {
            call_id: transcript.call_id,
            duration_ms: transcript.duration_ms,
            engine: transcript.engine,
            layout: transcript.layout,
            metadata: transcript.metadata,
            warnings: transcript.warnings,
            n_utterances,
            utterances,
            next,
        };
        Ok(Json(page).into_response())
    })
    .await
}

/// Rules that fired in a call, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HitPage {
    /// The call.
    call_id: CallId,
    /// All of the call.
    n_hits: usize,
    /// Those of this page, by start time. Their evidence counts utterances from the first of the call.
    hits: Vec<Hit>,
    /// What `after` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<usize>,
}

/// Rules that fired in a saved call, personal data masked.
#[utoipa::path(
    get,
    path = "/api/v1/calls/{call_id}/hits",
    operation_id = "list_call_hits",
    tag = "calls",
    params(("call_id" = String, Path, description = "The call."), PartQuery),
    responses(
        (status = 200, description = "A page of hits.", body = HitPage),
        (status = 404, description = "No such call is saved.", body = Mistake),
    )
)]
pub(crate) async fn hits(
    State(served): State<Arc<Served>>,
    call_id: Result<Path<String>, PathRejection>,
    query: Result<Query<PartQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(call_id), Query(query)) = (call_id?, query?);
    apart(async move {
        let known = known(&served, call_id).await?;
        let n_hits = known.assessment.hits.len();
        let (hits, next) = query.page(known.assessment.hits);
        let page = HitPage {
            call_id: known.transcript.call_id,
            n_hits,
            hits,
            next,
        };
        Ok(Json(page).into_response())
    })
    .await
}

/// A saved call with what was made of it, personal data masked. Takes milliseconds of a long call, so not for workers.
async fn known(served: &Served, call_id: String) -> Result<KnownCall, ApiError> {
    let call_id = CallId(call_id);
    let transcript = served.store.transcript(&call_id).await;
    let transcript = transcript?.ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            format!("no call `{call_id}` is saved"),
        )
        .with_hint("/api/v1/calls lists calls, those under way, too")
    })?;
    let stored = served.store.assessment(&call_id).await;
    let assessment: Assessment = match stored? {
        Some(stored) => stored.assessment,
        None => served.holder.now().judges.assess(&transcript),
    };
    Ok(KnownCall::masked(&transcript, &assessment))
}
