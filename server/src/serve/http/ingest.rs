//! `/api/v1/ingest/stream` and `/v1/listen`: audio of calls over WebSockets.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use auricle_wire::listen::{ApiKey, ListenRequest, Refusal};
use auricle_wire::stream::StreamRequest;
use auricle_wire::{Ignored, QueryError};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::Served;
use super::error::ApiError;
use crate::serve::access::{self, Asker, Role};
use crate::serve::ingest::listen::{self, Listening};
use crate::serve::ingest::stream::hear;
use crate::serve::ingest::websocket::random_id;

/// Tells of parameters that have no effect, one each.
const WARNING: HeaderName = HeaderName::from_static("auricle-warning");
/// The request, as Deepgram's clients look for it.
const REQUEST_ID: HeaderName = HeaderName::from_static("dg-request-id");

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Counts connections that are refused before they are one.
pub(super) async fn count_refused(
    State(served): State<Arc<Served>>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        served.calls.live().metrics().connection_refused();
    }
    response
}

/// `mod_audio_stream`.
pub(super) async fn stream(
    State(served): State<Arc<Served>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|cause| ApiError::new(cause.status(), cause.body_text()))?;
    let sockets = Arc::clone(&served.sockets);
    let bad = |message: String| ApiError::from_message(StatusCode::BAD_REQUEST, &message);
    let request = StreamRequest::parse(&query.unwrap_or_default(), &sockets.limits);
    let request = request.map_err(|error: QueryError| bad(error.to_string()))?;
    sockets
        .check_language(request.language.as_deref())
        .map_err(bad)?;
    if served.is_draining.load(Ordering::Relaxed) {
        let error = "no call is taken in any more: the program is about to end";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error));
    }
    let place = sockets.place().ok_or_else(|| {
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "as many connections as may be bring audio",
        )
        .with_hint("raise `live.websocket.most_connections`, or add a machine")
    })?;
    let id = random_id()?;
    let warnings = warnings("stream", &request.ignored);
    let response = sockets.upgrade(upgrade).on_upgrade(async move |socket| {
        let _place = place;
        hear(&sockets, request, id, socket).await;
    });
    Ok((warnings, response).into_response())
}

/// Clients of Deepgram's API. They are let in here: how they are refused is theirs, too.
pub(super) async fn listen(
    State(served): State<Arc<Served>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let id = random_id()?;
    let query = query.unwrap_or_default();
    Ok(match accept(&served, &query, &headers, upgrade, id) {
        Ok(response) => ([(REQUEST_ID, id.to_string())], response).into_response(),
        Err(refusal) => refuse(&refusal, id),
    })
}

fn accept(
    served: &Arc<Served>,
    query: &str,
    headers: &HeaderMap,
    upgrade: Upgrade,
    id: Uuid,
) -> Result<Response, Refusal> {
    admit(served, query, headers)?;
    let mut upgrade = upgrade.map_err(|cause| Refusal {
        status: cause.status().as_u16(),
        code: "INVALID_REQUEST",
        message: cause.body_text(),
    })?;
    let sockets = Arc::clone(&served.sockets);
    let request = ListenRequest::parse(query, &sockets.limits)?;
    sockets
        .check_language(request.language.as_deref())
        .and_then(|()| listen::check_model(&request, &sockets))
        .map_err(Refusal::invalid_parameter)?;
    let place = sockets.place().ok_or_else(Refusal::too_many_requests)?;
    let warnings = warnings("listen", &listen::ignored(&request, &sockets));
    // It writes the beginning of a recording.
    let open = || Listening::open(&sockets, request, id);
    let listening = tokio::task::block_in_place(open)?;
    if let Some(protocol) = scheme(headers) {
        upgrade.set_selected_protocol(protocol);
    }
    let response = sockets.upgrade(upgrade).on_upgrade(async move |socket| {
        let _place = place;
        listening.hear(socket).await;
    });
    Ok((warnings, response).into_response())
}

fn admit(served: &Served, query: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let key = ApiKey::from_headers(
        text(header::AUTHORIZATION),
        text(header::SEC_WEBSOCKET_PROTOCOL),
    );
    let authorization = key.map(|key| format!("Token {}", key.reveal()));
    let asker = Asker {
        host: text(header::HOST),
        origin: text(header::ORIGIN),
        authorization: authorization.as_deref(),
        query,
    };
    let admitted = served.access.admit(Role::Integrator, asker);
    admitted.map(drop).map_err(|refusal| match refusal {
        access::Refusal::NoKey | access::Refusal::WrongKey => Refusal::invalid_credentials(),
        access::Refusal::WrongRole { .. } | access::Refusal::WrongHost => {
            Refusal::not_permitted(refusal.to_string())
        }
    })
}

/// The protocol to be selected: `token`, as the client wrote it, where the key came behind it.
fn scheme(headers: &HeaderMap) -> Option<HeaderValue> {
    if headers.contains_key(header::AUTHORIZATION) {
        return None;
    }
    let protocols = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let (scheme, _) = protocols.split_once(',')?;
    HeaderValue::from_str(scheme.trim()).ok()
}

fn refuse(refusal: &Refusal, id: Uuid) -> Response {
    let id = id.to_string();
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, refusal.body(&id)).into_response();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    for (name, value) in refusal.headers(&id) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Tells of parameters that have no effect, in the log and to the client.
fn warnings(source: &str, ignored: &[Ignored]) -> HeaderMap {
    // The key is for the door.
    let told = ignored.iter().filter(|ignored| ignored.name != "key");
    let told: Vec<String> = told.map(ToString::to_string).collect();
    if !told.is_empty() {
        tracing::warn!("{source}: {}", told.join("; "));
    }
    let values = told
        .iter()
        .filter_map(|told| HeaderValue::from_str(told).ok());
    values.map(|value| (WARNING, value)).collect()
}
