//! `/api/v1/ingest/twilio`: streams of Twilio, whose key may come after the WebSocket is opened.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use auricle_wire::QueryError;
use auricle_wire::twilio::TwilioRequest;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Served;
use super::error::{ApiError, Mistake};
use super::ingest::{Upgrade, room, warnings};
use crate::serve::access::{Asker, Refusal, Role};
use crate::serve::ingest::twilio::{AdmitKey, SOURCE, hear};
use crate::serve::ingest::websocket::{call_id, random_id};

/// Audio of a call over a WebSocket, as Twilio's Media Streams send it: docs/ingest/twilio.md.
///
/// Text messages are Twilio's; nothing is sent back. Twilio drops the query and sends no headers of its own, so a WebSocket may
/// be opened without a key: then the custom parameter `key` of `start` must bring one, and the connection is closed otherwise.
// They are let in here: some of them later.
#[utoipa::path(
    get,
    path = "/api/v1/ingest/twilio",
    operation_id = "stream_twilio",
    tag = "ingest",
    params(
        ("inbound" = Option<String>, Query, description = "`customer`, `agent`: who is on the inbound track [customer]."),
        ("language" = Option<String>, Query, description = "Language tag: that of the configuration."),
        ("call_id" = Option<String>, Query, description = "The call [`callSid`]."),
        ("agent" = Option<String>, Query, description = "Agent."),
        ("campaign" = Option<String>, Query, description = "Campaign or queue."),
        ("region" = Option<String>, Query, description = "Region."),
    ),
    responses(
        (status = 101, description = "WebSocket.",
            headers(("auricle-warning" = String, description = "A parameter that has no effect; one header each."))),
        (status = 400, description = "A parameter cannot be, or this is no WebSocket.", body = Mistake),
        (status = 401, description = "The key is not known, or this is no WebSocket and has none.", body = Mistake),
        (status = 403, description = "The key is not for this.", body = Mistake),
        (status = 503, description = "Too many connections, or the program is about to end.", body = Mistake),
    ),
)]
pub(super) async fn stream(
    State(served): State<Arc<Served>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let query = query.unwrap_or_default();
    let key = match (admit(&served, &headers, &query), &upgrade) {
        (Ok(()), _) => None,
        // Twilio brings it with `start`.
        (Err(Refusal::NoKey), Ok(_)) => Some(key_to_come(Arc::clone(&served))),
        (Err(refusal), _) => {
            served.n_keys_refused.fetch_add(1, Ordering::Relaxed);
            return Err(ApiError::refused(&refusal));
        }
    };
    let upgrade = upgrade.map_err(|cause| ApiError::new(cause.status(), cause.body_text()))?;
    let sockets = Arc::clone(&served.sockets);
    let bad = |message: String| ApiError::from_message(StatusCode::BAD_REQUEST, &message);
    let request = TwilioRequest::parse(&query, &sockets.limits);
    let request = request.map_err(|error: QueryError| bad(error.to_string()))?;
    sockets
        .check_language(request.language.as_deref())
        .map_err(bad)?;
    let place = room(&served)?;
    let id = random_id()?;
    let call = call_id(request.facts.call_id.clone(), SOURCE, id);
    let warnings = warnings(SOURCE, &call, &request.ignored);
    let response = sockets.upgrade(upgrade).on_upgrade(async move |socket| {
        let _place = place;
        hear(&sockets, &request, key, id, socket).await;
    });
    Ok((warnings, response).into_response())
}

/// Whether the request itself brings a key.
fn admit(served: &Served, headers: &HeaderMap, query: &str) -> Result<(), Refusal> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let asker = Asker {
        host: text(header::HOST),
        origin: text(header::ORIGIN),
        authorization: text(header::AUTHORIZATION),
        query,
    };
    served.access.admit(Role::Integrator, asker).map(drop)
}

/// Admits a key that comes later; who is not let in is counted.
fn key_to_come(served: Arc<Served>) -> AdmitKey {
    Box::new(move |key: Option<&str>| {
        let bearer = key.map(|key| format!("Bearer {key}"));
        let asker = Asker {
            authorization: bearer.as_deref(),
            ..Asker::default()
        };
        let admitted = served.access.admit(Role::Integrator, asker);
        admitted.map(drop).inspect_err(|_| {
            served.n_keys_refused.fetch_add(1, Ordering::Relaxed);
        })
    })
}
