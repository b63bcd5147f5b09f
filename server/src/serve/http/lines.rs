//! `/api/v1/ingest/lines`: how good the lines of calls under way are.

use std::sync::Arc;

use auricle_contracts::{CallId, LineQuality, Party};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Served;
use super::error::ApiError;
use crate::serve::calls::CallUnderWay;

/// Calls of one page.
const MOST_CALLS: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LinesQuery {
    /// What `next` said: calls after these.
    after: Option<String>,
}

/// Calls under way with their lines, page by page.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct LinesPage {
    /// By id; at most 1,000.
    pub(crate) calls: Vec<CallLines>,
    /// What `after` takes to get the next ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<CallId>,
}

/// A call under way, and how good its lines are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CallLines {
    /// The call.
    pub(crate) call_id: CallId,
    /// How its audio comes.
    pub(crate) source: String,
    /// Who speaks on each channel, from channel 0.
    pub(crate) parties: Vec<Party>,
    /// How long ago it began.
    pub(crate) age_ms: u64,
    /// It is over, and not saved yet.
    pub(crate) is_over: bool,
    /// When its lines were noted last, from its beginning: every few seconds. Left out where none was, as of calls that do not
    /// come in packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) noted_ms: Option<u64>,
    /// A line each, by party.
    pub(crate) lines: Vec<LineQuality>,
    /// What is known of it beside that.
    pub(crate) warnings: Vec<String>,
}

/// How good the lines of calls under way are, by what came of their packets.
#[utoipa::path(
    get,
    path = "/api/v1/ingest/lines",
    operation_id = "list_lines",
    tag = "ingest",
    params(LinesQuery),
    responses((status = 200, description = "A page of calls.", body = LinesPage))
)]
pub(crate) async fn list(
    State(served): State<Arc<Served>>,
    query: Result<Query<LinesQuery>, QueryRejection>,
) -> Result<Json<LinesPage>, ApiError> {
    let Query(query) = query?;
    let is_behind = |call: &CallUnderWay| {
        let after = query.after.as_ref();
        after.is_none_or(|after| call.call_id.0 > *after)
    };
    let under_way = served.calls.all().into_iter().filter(is_behind);
    let calls: Vec<CallLines> = under_way.take(MOST_CALLS).map(lines_of).collect();
    let is_full = calls.len() == MOST_CALLS;
    let next = calls.last().map(|call| call.call_id.clone());
    Ok(Json(LinesPage {
        next: next.filter(|_| is_full),
        calls,
    }))
}

fn lines_of(call: CallUnderWay) -> CallLines {
    CallLines {
        age_ms: call.began.elapsed().as_millis() as u64,
        noted_ms: call.lines_noted.map(|noted| noted.as_millis() as u64),
        call_id: call.call_id,
        source: call.source.to_owned(),
        parties: call.parties,
        is_over: call.is_over,
        lines: call.lines,
        warnings: call.warnings,
    }
}
