//! `PUT /api/v1/calls/{id}`: what is known of a call that is to begin, or goes on.

use std::sync::Arc;

use auricle_contracts::{CallId, CallMetadata};
use auricle_wire::{CallDescription, CallFacts, Metadata, QueryError};
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Served;
use super::error::{ApiError, Mistake};
use crate::clock::unix_ms;
use crate::serve::announced::TooManyAnnounced;
use crate::serve::calls::Announced;

/// What may be said, for whoever said something else.
const KNOWN: &str = "`agent`, `campaign` (or `queue`), `region`, `customer`: texts or numbers";

/// A call that something was said of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnnouncedCall {
    call_id: CallId,
    state: AnnouncedState,
    /// What is known of it.
    metadata: CallMetadata,
    /// Until when it must begin, milliseconds since 1970; then this is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_unix_ms: Option<u64>,
}

/// Whether it has begun.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AnnouncedState {
    /// Not yet.
    Announced,
    /// Yes.
    UnderWay,
}

/// Says what is known of a call before its audio comes, or while it does.
///
/// For ways in that bring an id and no more, as AudioSocket does. It goes before what comes with the audio; of a call under
/// way, what is not said stays. What is said again of a call that did not begin takes the place of what was said before. The
/// customer's number is not kept.
#[utoipa::path(
    put,
    path = "/api/v1/calls/{call_id}",
    operation_id = "announce_call",
    tag = "calls",
    params(("call_id" = String, Path, description = "Its id, as its audio brings it: AudioSocket's UUID with small letters and hyphens.")),
    request_body(content = CallDescription, example = json!({"agent": "1002", "queue": "spring_loans"})),
    responses(
        (status = 200, description = "It is under way, and has it now.", body = AnnouncedCall),
        (status = 202, description = "It gets it when it begins.", body = AnnouncedCall),
        (status = 409, description = "It is over, and saved.", body = Mistake),
        (status = 429, description = "Too many calls are announced and did not begin.", body = Mistake),
    )
)]
pub(crate) async fn announce(
    State(served): State<Arc<Served>>,
    call_id: Result<Path<String>, PathRejection>,
    body: Result<Json<Box<RawValue>>, JsonRejection>,
) -> Result<(StatusCode, Json<AnnouncedCall>), ApiError> {
    let (Path(call_id), Json(body)) = (call_id?, body?);
    let limits = &served.sockets.limits;
    let call_id = CallFacts::read_id(&call_id, limits).map_err(refused)?;
    let said = Metadata::read(body.get(), limits);
    let said = said.map_err(|cause| bad(&cause.to_string()))?;
    if let Some(cause) = said.refused.into_iter().next() {
        return Err(refused(cause));
    }
    if !said.other.is_empty() {
        let names = said.other.join("`, `");
        return Err(bad(&format!("fields that are not known: `{names}`")));
    }
    if said.facts.call_id.is_some_and(|other| other != call_id) {
        return Err(bad("`call_id` is not the one of the address"));
    }
    let metadata = said.facts.metadata;
    let is_over =
        !served.calls.is_under_way(&call_id) && served.store.call(&call_id).await?.is_some();
    if is_over {
        let error = format!("call `{call_id}` is over");
        let hint = format!(
            "/api/v1/calls/{call_id} has it; `auricle analyze --metadata` changes what is known of recordings"
        );
        return Err(ApiError::new(StatusCode::CONFLICT, error).with_hint(&hint));
    }
    // Calls are opened under the same lock.
    let announced =
        tokio::task::block_in_place(|| served.calls.announce(&call_id, metadata.clone()));
    let announced = announced.map_err(|error| {
        let status = match error.is::<TooManyAnnounced>() {
            true => StatusCode::TOO_MANY_REQUESTS,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        ApiError::from_message(status, &error.to_string())
    })?;
    let (status, state, metadata, within) = match announced {
        Announced::UnderWay(known) => (StatusCode::OK, AnnouncedState::UnderWay, known, None),
        Announced::ToCome(within) => {
            let state = AnnouncedState::Announced;
            (StatusCode::ACCEPTED, state, metadata, Some(within))
        }
    };
    let announced = AnnouncedCall {
        call_id,
        state,
        metadata,
        until_unix_ms: within.map(|within| unix_ms() + within.as_millis() as u64),
    };
    Ok((status, Json(announced)))
}

fn refused(cause: QueryError) -> ApiError {
    bad(&cause.to_string())
}

fn bad(message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, message).with_hint(KNOWN)
}
