//! `/api/v1/ingest/stream` and `/v1/listen`: audio of calls over WebSockets.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use auricle_contracts::CallId;
use auricle_wire::listen::{ApiKey, ListenRequest, Refusal, RefusalBody, ServerMessage};
use auricle_wire::stream::StreamRequest;
use auricle_wire::{Ignored, QueryError};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::Served;
use super::error::{ApiError, Mistake};
use crate::serve::access::{self, Asker, Role};
use crate::serve::ingest::listen::{self, Listening};
use crate::serve::ingest::stream::hear;
use crate::serve::ingest::websocket::{call_id, random_id};

/// Tells of parameters that have no effect, one each.
const WARNING: HeaderName = HeaderName::from_static("auricle-warning");
/// For calls that come too fast, as their message says; seconds.
const RETRY_AFTER: &str = "1";
/// The request, as Deepgram's clients look for it.
const REQUEST_ID: HeaderName = HeaderName::from_static("dg-request-id");

pub(super) type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

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

/// Audio of a call over a WebSocket, as FreeSWITCH's `mod_audio_stream` sends it: docs/ingest/mod_audio_stream.md.
///
/// Binary messages are audio, signed 16-bit samples, low byte first, two channels interleaved. Text messages are metadata, a
/// `CallDescription`. Nothing is sent back; how the connection closes is in the docs.
#[utoipa::path(
    get,
    path = "/api/v1/ingest/stream",
    operation_id = "stream_audio",
    tag = "ingest",
    params(
        ("rate" = Option<String>, Query, description = "Samples a second: `8000`, `16000`, `8k`, `16k` [8000]."),
        ("channels" = Option<u16>, Query, description = "1 or 2 [by `mix`, else 1]."),
        ("mix" = Option<String>, Query, description = "`mono`, `mixed`, `stereo`: the mix type of the command."),
        ("agent_channel" = Option<u16>, Query, description = "Of `stereo`: 0 or 1 [0]."),
        ("party" = Option<String>, Query, description = "Of `mono`: `agent`, `customer`, `unknown`, who is heard."),
        ("connections" = Option<u16>, Query, description = "Of `mono`: 1 or 2, how many bring the call."),
        ("language" = Option<String>, Query, description = "Language tag: that of the configuration."),
        ("call_id" = Option<String>, Query, description = "The call; two `mono` connections with the same one are its legs."),
        ("agent" = Option<String>, Query, description = "Agent."),
        ("campaign" = Option<String>, Query, description = "Campaign or queue."),
        ("region" = Option<String>, Query, description = "Region."),
    ),
    responses(
        (status = 101, description = "WebSocket.",
            headers(("auricle-warning" = String, description = "A parameter that has no effect; one header each."))),
        (status = 400, description = "A parameter cannot be, or this is no WebSocket.", body = Mistake),
        (status = 503, description = "Too many connections, or the program is about to end.", body = Mistake),
    ),
    extensions(("x-client-messages" = json!({"$ref": "#/components/schemas/CallDescription"}))),
)]
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
    let place = room(&served)?;
    let id = random_id()?;
    let call = call_id(request.facts.call_id.clone(), "stream", id);
    let warnings = warnings("stream", &call, &request.ignored);
    let response = sockets.upgrade(upgrade).on_upgrade(async move |socket| {
        let _place = place;
        hear(&sockets, request, id, socket).await;
    });
    Ok((warnings, response).into_response())
}

/// Room for a connection that brings audio, to be held as long as it lasts.
///
/// # Errors
/// When there is none, or the program is about to end.
pub(super) fn room(served: &Served) -> Result<OwnedSemaphorePermit, ApiError> {
    if served.is_draining.load(Ordering::Relaxed) {
        let error = "no call is taken in any more: the program is about to end";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error));
    }
    served.sockets.place().ok_or_else(|| {
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "as many connections as may be bring audio",
        )
        .with_hint("raise `live.websocket.most_connections`, or add a machine")
    })
}

/// Audio in, results out, over a WebSocket, as clients of Deepgram's API know it: docs/ingest/deepgram.md.
///
/// Binary messages are audio; text messages of the client are a `ListenClientMessage`, those of the server a `ListenMessage`.
/// The key may also be sent as `Authorization: Token KEY`, or with `Sec-WebSocket-Protocol: token, KEY`.
// They are let in here: how they are refused is theirs, too.
#[utoipa::path(
    get,
    path = "/v1/listen",
    operation_id = "listen",
    tag = "ingest",
    params(
        ("encoding" = String, Query, description = "`linear16`, `mulaw`, `alaw`; must be there."),
        ("sample_rate" = u32, Query, description = "8000 to 48000; must be there."),
        ("channels" = Option<u16>, Query, description = "1 or 2 [1]."),
        ("multichannel" = Option<bool>, Query, description = "With two channels: each is a party."),
        ("model" = Option<String>, Query, description = "The model that hears all live calls, or one of Deepgram's names."),
        ("language" = Option<String>, Query, description = "The language that is configured."),
        ("interim_results" = Option<bool>, Query, description = "Sends results that may still change."),
        ("endpointing" = Option<String>, Query, description = "Milliseconds of silence that end an utterance; `false`: 10 s. Without it, as the server is set."),
        ("utterance_end_ms" = Option<u32>, Query, description = "1000 to 5000: sends `UtteranceEnd` after such a silence."),
        ("vad_events" = Option<bool>, Query, description = "Sends `SpeechStarted`."),
        ("punctuate" = Option<bool>, Query, description = "Writes digits and punctuation."),
        ("smart_format" = Option<bool>, Query, description = "The same."),
        ("numerals" = Option<bool>, Query, description = "The same."),
        ("redact" = Option<String>, Query, description = "No effect: personal data is always hidden."),
        ("keyterm" = Option<String>, Query, description = "Words to lean towards; may be repeated."),
        ("keywords" = Option<String>, Query, description = "The same."),
        ("extra" = Option<String>, Query, description = "`KEY:VALUE`, may be repeated: `call_id`, `agent`, `campaign`, `region`, `customer`, `agent_channel`, `party`."),
    ),
    responses(
        (status = 101, description = "WebSocket: each text message of the server.", body = ServerMessage,
            headers(
                ("dg-request-id" = String, description = "The request."),
                ("auricle-warning" = String, description = "A parameter that has no effect; one header each."),
            )),
        (status = 400, description = "A parameter cannot be.", body = RefusalBody),
        (status = 401, description = "No key, or one that is not known.", body = RefusalBody),
        (status = 403, description = "The key is not for this.", body = RefusalBody),
        (status = 429, description = "As many streams, or calls, as may be are under way.", body = RefusalBody),
        (status = 503, description = "Calls come too fast, or the program is about to end.", body = RefusalBody,
            headers(("retry-after" = String, description = "Seconds."))),
    ),
    extensions(("x-client-messages" = json!({"$ref": "#/components/schemas/ListenClientMessage"}))),
)]
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
    let call = call_id(request.facts.call_id.clone(), "listen", id);
    let warnings = warnings("listen", &call, &listen::ignored(&request));
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
    admitted.map(drop).map_err(|refusal| {
        served.n_keys_refused.fetch_add(1, Ordering::Relaxed);
        match refusal {
            access::Refusal::NoKey | access::Refusal::WrongKey => Refusal::invalid_credentials(),
            access::Refusal::WrongRole { .. } | access::Refusal::WrongHost => {
                Refusal::not_permitted(refusal.to_string())
            }
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
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
    }
    for (name, value) in refusal.headers(&id) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Tells of parameters that have no effect, in the log and to the client.
pub(super) fn warnings(source: &str, call: &CallId, ignored: &[Ignored]) -> HeaderMap {
    // The key is for the door.
    let told = ignored.iter().filter(|ignored| ignored.name != "key");
    let told: Vec<String> = told.map(ToString::to_string).collect();
    if !told.is_empty() {
        tracing::warn!(call.id = %call, "{source}: {}", told.join("; "));
    }
    let values = told
        .iter()
        .filter_map(|told| HeaderValue::from_str(told).ok());
    values.map(|value| (WARNING, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_too_soon_is_told_when_to_come_again() {
        let check = |refusal: &Refusal, status: u16, after: Option<&str>| {
            let response = refuse(refusal, Uuid::nil());
            let told = response.headers().get(header::RETRY_AFTER);
            let told = told.map(|value| value.to_str().unwrap());
            assert_eq!((response.status().as_u16(), told), (status, after));
        };
        check(&Refusal::unavailable("calls come too fast"), 503, Some("1"));
        check(&Refusal::too_many_requests(), 429, None);
    }
}
