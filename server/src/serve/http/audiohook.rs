//! `/api/v1/ingest/audiohook`: audio of calls in Genesys Cloud.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use auricle_wire::audiohook::{AudioHookHandshake, AudioHookRequest};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;

use super::Served;
use super::error::{ApiError, Mistake};
use super::ingest::{Upgrade, room};
use crate::serve::ingest::audiohook::hear;

/// Audio of a call over a WebSocket, as AudioHook Monitor of Genesys Cloud sends it: docs/ingest/audiohook.md.
///
/// Who connects is a client of the configuration (`live.audiohook.clients`), and signs the request (RFC 9421, `hmac-sha256`).
/// Messages are AudioHook's in both directions.
#[utoipa::path(
    get,
    path = "/api/v1/ingest/audiohook",
    operation_id = "audiohook_audio",
    tag = "ingest",
    params(
        ("Audiohook-Organization-Id" = String, Header, description = "The organisation, a UUID."),
        ("Audiohook-Session-Id" = String, Header, description = "The session, a UUID, which every message names."),
        ("Audiohook-Correlation-Id" = String, Header, description = "The request, a UUID."),
        ("Signature-Input" = String, Header, description = "What is signed."),
        ("Signature" = String, Header, description = "The signature."),
    ),
    responses(
        (status = 101, description = "WebSocket."),
        (status = 400, description = "This is no WebSocket.", body = Mistake),
        (status = 401, description = "It is not signed by a client that is known: the log says why.", body = Mistake),
        (status = 503, description = "Too many connections, or the program is about to end.", body = Mistake),
    ),
)]
pub(super) async fn audiohook(
    State(served): State<Arc<Served>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let request = admit(&served, &uri, &headers)?;
    let upgrade = upgrade.map_err(|cause| ApiError::new(cause.status(), cause.body_text()))?;
    let place = room(&served)?;
    let sockets = Arc::clone(&served.sockets);
    let response = sockets.upgrade(upgrade).on_upgrade(async move |socket| {
        let _place = place;
        hear(&sockets, request, socket).await;
    });
    Ok(response)
}

/// Who asks, if he signed what he asks for. Why not is for the log: whoever has no secret is told nothing.
fn admit(served: &Served, uri: &Uri, headers: &HeaderMap) -> Result<AudioHookRequest, ApiError> {
    let all = headers.iter();
    let texts = all.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let texts: Vec<(&str, &str)> = texts.collect();
    let host = headers.get(header::HOST);
    let handshake = AudioHookHandshake {
        headers: &texts,
        request_target: uri.path_and_query().map_or("/", |target| target.as_str()),
        authority: host.and_then(|host| host.to_str().ok()).unwrap_or_default(),
    };
    served.audiohook.admit(&handshake).map_err(|refusal| {
        served.n_keys_refused.fetch_add(1, Ordering::Relaxed);
        served.audiohook.tell(&refusal);
        ApiError::new(
            StatusCode::UNAUTHORIZED,
            "the request is not signed by a client that is known",
        )
        .with_hint("the log of the server says why; `live.audiohook.clients` names clients")
    })
}
