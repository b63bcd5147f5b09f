//! `/api/v1/calls`: calls under way, calls that are saved.

use std::sync::Arc;

use auricle_contracts::{Assessment, CallId, CallMetadata, LegAudio};
use auricle_store::{CallFilter, CallKind};
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::Served;
use super::error::ApiError;
use crate::known::KnownCall;
use crate::serve::calls::CallUnderWay;

/// Calls of one page.
const PAGE_CALLS: u64 = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    /// Calls after this one, in the order of the list.
    after: Option<String>,
    agent: Option<String>,
    campaign: Option<String>,
}

#[derive(Debug, Serialize)]
struct CallList {
    /// Calls that go on.
    under_way: Vec<CallUnderWay>,
    /// Calls that are saved, by id; at most 100.
    saved: Vec<SavedCall>,
    /// What `after` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<CallId>,
}

#[derive(Debug, Serialize)]
struct SavedCall {
    call_id: CallId,
    duration_ms: u64,
    metadata: CallMetadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    analysed_at: Option<String>,
    /// What came of each leg's audio, of calls that were heard live.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    legs: Vec<LegAudio>,
}

pub(crate) async fn list(
    State(served): State<Arc<Served>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let filter = CallFilter {
        kind: CallKind::WithTranscript,
        agent: query.agent.clone(),
        campaign: query.campaign.clone(),
        ..CallFilter::default()
    };
    let after = query.after.map(CallId);
    let saved = served.store.calls(&filter, after.as_ref(), PAGE_CALLS);
    let saved = saved.await?;
    let next = (saved.len() as u64 == PAGE_CALLS)
        .then(|| saved.last().map(|call| call.recording.call_id.clone()));
    let is_wanted = |call: &CallUnderWay| {
        let fits =
            |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        fits(&query.agent, &call.metadata.agent) && fits(&query.campaign, &call.metadata.campaign)
    };
    let saved = saved.into_iter().map(|call| SavedCall {
        call_id: call.recording.call_id,
        duration_ms: call.duration_ms,
        metadata: call.recording.metadata,
        legs: call.recording.legs,
        analysed_at: call.analysed_at,
    });
    let list = CallList {
        under_way: served.calls.all().into_iter().filter(is_wanted).collect(),
        saved: saved.collect(),
        next: next.flatten(),
    };
    Ok(Json(list).into_response())
}

/// A saved call as `analyze --out` writes it: personal data masked.
pub(crate) async fn one(
    State(served): State<Arc<Served>>,
    call_id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(call_id) = call_id?;
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
    let known = KnownCall::masked(&transcript, &assessment);
    let json = serde_json::to_string(&known.assessed()).map_err(anyhow::Error::from)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}
