//! `/api/v1/ingest/asterisk`: legs of calls as Asterisk's `chan_websocket` sends them.

use std::sync::Arc;

use auricle_wire::QueryError;
use auricle_wire::chan_websocket::ChanWebsocketRequest;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Served;
use super::error::{ApiError, Mistake};
use super::ingest::{Upgrade, room, warnings};
use crate::serve::ingest::asterisk::{SOURCE, hear};
use crate::serve::ingest::websocket::{call_id, random_id};

/// The subprotocol that Asterisk's page on this driver names.
const PROTOCOL: &str = "media";

/// Audio of one leg of a call over a WebSocket, as Asterisk's `chan_websocket` sends it: docs/ingest/chan_websocket.md.
///
/// Binary messages are audio in the format that the event `MEDIA_START` names. Nothing is sent back; how the connection closes
/// is in the docs.
#[utoipa::path(
    get,
    path = "/api/v1/ingest/asterisk",
    operation_id = "stream_asterisk",
    tag = "ingest",
    params(
        ("party" = Option<String>, Query, description = "`agent`, `customer`, `unknown`, who is heard."),
        ("connections" = Option<u16>, Query, description = "1 or 2, how many bring the call."),
        ("language" = Option<String>, Query, description = "Language tag: that of the configuration."),
        ("call_id" = Option<String>, Query, description = "The call; two connections with the same one are its legs."),
        ("agent" = Option<String>, Query, description = "Agent."),
        ("campaign" = Option<String>, Query, description = "Campaign or queue."),
        ("region" = Option<String>, Query, description = "Region."),
    ),
    responses(
        (status = 101, description = "WebSocket; of the subprotocol `media` where that is asked for.",
            headers(("auricle-warning" = String, description = "A parameter that has no effect; one header each."))),
        (status = 400, description = "A parameter cannot be, or this is no WebSocket.", body = Mistake),
        (status = 503, description = "Too many connections, or the program is about to end.", body = Mistake),
    ),
)]
pub(super) async fn stream(
    State(served): State<Arc<Served>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|cause| ApiError::new(cause.status(), cause.body_text()))?;
    let sockets = Arc::clone(&served.sockets);
    let bad = |message: String| ApiError::from_message(StatusCode::BAD_REQUEST, &message);
    let request = ChanWebsocketRequest::parse(&query.unwrap_or_default(), &sockets.limits);
    let request = request.map_err(|error: QueryError| bad(error.to_string()))?;
    sockets
        .check_language(request.language.as_deref())
        .map_err(bad)?;
    let place = room(&served)?;
    let id = random_id()?;
    let call = call_id(request.facts.call_id.clone(), SOURCE, id);
    let warnings = warnings(SOURCE, &call, &request.ignored);
    let upgrade = sockets.upgrade(upgrade.protocols([PROTOCOL]));
    let response = upgrade.on_upgrade(async move |socket| {
        let _place = place;
        hear(&sockets, &request, id, socket).await;
    });
    Ok((warnings, response).into_response())
}
