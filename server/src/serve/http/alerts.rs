//! `/api/v1/alerts`: alerts as they are kept, and who saw to them.

use std::sync::Arc;
use std::time::Duration;

use auricle_contracts::{Acknowledged, AlertRecord, AlertState, CallId, Happening};
use auricle_store::AlertFilter;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Served;
use super::body::JsonOrNothing;
use super::error::{ApiError, Mistake};
use crate::serve::access::Caller;

/// Alerts of one page, usually and at most.
const PAGE_ALERTS: u64 = 100;
const MOST_ALERTS: u64 = 1_000;
/// Characters of a note.
const LONGEST_NOTE: usize = 2_000;
/// How long whoever acknowledges waits for the disk.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertQuery {
    /// Only those that are so.
    #[param(inline)]
    state: Option<AlertState>,
    /// Only of this call.
    call: Option<String>,
    /// Only of this agent.
    agent: Option<String>,
    /// Only of this rule.
    rule: Option<String>,
    /// Whether somebody saw to them.
    acknowledged: Option<bool>,
    /// What `next` said: alerts after these, which are older.
    after: Option<u64>,
    /// Alerts to give, at most 1,000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// Alerts, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertList {
    /// Those told last first.
    alerts: Vec<AlertRecord>,
    /// What `after` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// What may be said of an alert that is seen to.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AcknowledgeBody {
    /// At most 2,000 characters; kept and told as it was written.
    #[schema(max_length = 2000, example = "called back")]
    note: Option<String>,
}

/// Alerts as they are kept, those told last first.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    operation_id = "list_alerts",
    tag = "alerts",
    params(AlertQuery),
    responses((status = 200, description = "A page of them.", body = AlertList))
)]
pub(crate) async fn list(
    State(served): State<Arc<Served>>,
    query: Result<Query<AlertQuery>, QueryRejection>,
) -> Result<Json<AlertList>, ApiError> {
    let Query(query) = query?;
    let filter = AlertFilter {
        state: query.state,
        call: query.call.map(CallId),
        agent: query.agent,
        rule: query.rule,
        is_acknowledged: query.acknowledged,
    };
    let limit = query.limit.unwrap_or(PAGE_ALERTS).clamp(1, MOST_ALERTS);
    let alerts = served.store.alerts(&filter, query.after, limit).await?;
    let next = (alerts.len() as u64 == limit).then(|| alerts.last().map(|last| last.first_event));
    Ok(Json(AlertList {
        alerts,
        next: next.flatten(),
    }))
}

/// One alert, with its last state.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/{alert_id}",
    operation_id = "get_alert",
    tag = "alerts",
    params(("alert_id" = String, Path, description = "The alert.")),
    responses(
        (status = 200, description = "The alert.", body = AlertRecord),
        (status = 404, description = "There is none.", body = Mistake),
    )
)]
pub(crate) async fn one(
    State(served): State<Arc<Served>>,
    alert_id: Result<Path<String>, PathRejection>,
) -> Result<Json<AlertRecord>, ApiError> {
    let Path(alert_id) = alert_id?;
    Ok(Json(find(&served, &alert_id).await?))
}

/// Notes that the caller saw to an alert, and tells it. Saying the same again changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{alert_id}/acknowledge",
    operation_id = "acknowledge_alert",
    tag = "alerts",
    params(("alert_id" = String, Path, description = "The alert.")),
    request_body = Option<AcknowledgeBody>,
    responses(
        (status = 200, description = "The alert, with who saw to it.", body = AlertRecord),
        (status = 404, description = "There is none.", body = Mistake),
        (status = 409, description = "Somebody else saw to it.", body = Mistake),
    )
)]
pub(crate) async fn acknowledge(
    State(served): State<Arc<Served>>,
    Extension(caller): Extension<Caller>,
    alert_id: Result<Path<String>, PathRejection>,
    body: Result<JsonOrNothing<AcknowledgeBody>, JsonRejection>,
) -> Result<Json<AlertRecord>, ApiError> {
    let Path(alert_id) = alert_id?;
    let JsonOrNothing(body) = body?;
    let body = body.unwrap_or_default();
    let note = body.note.map(|note| note.trim().to_owned());
    let note = note.filter(|note| !note.is_empty());
    if note
        .as_ref()
        .is_some_and(|note| note.chars().count() > LONGEST_NOTE)
    {
        let error = format!("`note` must have at most {LONGEST_NOTE} characters");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, error).with_hint("shorten it"));
    }
    // One at a time: the first is told, the second finds it.
    let mut unwritten = served.acknowledging.lock().await;
    let alert = find(&served, &alert_id).await?;
    if let Some(before) = &alert.acknowledged {
        unwritten.remove(&alert_id);
        if before.by == caller.name && (note.is_none() || note == before.note) {
            return Ok(Json(alert));
        }
        return Err(acknowledged_by(&before.by, &alert_id));
    }
    if let Some(before) = unwritten.get(&alert_id) {
        written(&served, before.event_id).await?;
        return match find(&served, &alert_id).await? {
            alert if before.by == caller.name => Ok(Json(alert)),
            _ => Err(acknowledged_by(&before.by, &alert_id)),
        };
    }
    let by = caller.name;
    let acknowledged = Acknowledged {
        alert_id: alert_id.clone(),
        by: by.clone(),
        note,
    };
    let happening = Happening::Acknowledged(Box::new(acknowledged));
    let event_id = served.hub.tell(alert.call_id, alert.agent, happening);
    unwritten.insert(alert_id.clone(), Unwritten { by, event_id });
    written(&served, event_id).await?;
    unwritten.remove(&alert_id);
    Ok(Json(find(&served, &alert_id).await?))
}

/// An acknowledgement that was told, and is not in the store yet.
#[derive(Debug)]
pub(crate) struct Unwritten {
    by: String,
    event_id: u64,
}

fn acknowledged_by(by: &str, alert_id: &str) -> ApiError {
    let error = format!("`{by}` acknowledged alert `{alert_id}` already");
    let hint = format!("/api/v1/alerts/{alert_id} says when, and what was noted");
    ApiError::new(StatusCode::CONFLICT, error).with_hint(&hint)
}

/// An alert that was told; waits until it is written where it was told just now.
async fn find(served: &Served, alert_id: &str) -> Result<AlertRecord, ApiError> {
    if let Some(alert) = served.store.alert(alert_id).await? {
        return Ok(alert);
    }
    written(served, served.hub.queued()).await?;
    let alert = served.store.alert(alert_id).await?;
    alert.ok_or_else(|| {
        let error = format!("there is no alert `{alert_id}`");
        ApiError::new(StatusCode::NOT_FOUND, error).with_hint("/api/v1/alerts lists them")
    })
}

async fn written(served: &Served, id: u64) -> Result<(), ApiError> {
    let written = tokio::time::timeout(WRITTEN_WITHIN, served.archive.written(id)).await;
    written.map_err(|_| {
        let error = "the disk is slow: what was told is not written yet";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error).with_hint("ask again later")
    })
}
