//! `/api/v1/calls/{id}/audio`: what a live call sounded like, personal data silenced.

use std::io::Cursor;
use std::sync::Arc;

use anyhow::anyhow;
use auricle_contracts::CallId;
use auricle_spool::RecordingName;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Served;
use super::error::{ApiError, Mistake};
use crate::serve::recordings::{self, Span, write_audio};

/// Audio of one answer at most, which is made in memory: 29 MB at 8 kHz.
const MOST_MS: u64 = 15 * 60 * 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AudioQuery {
    /// Milliseconds from the start of the call.
    #[serde(default)]
    from_ms: u64,
    /// Its end, or 15 minutes behind `from_ms`, if it is not given.
    to_ms: Option<u64>,
}

/// What a live call sounded like, personal data silenced: 16-bit WAVE, a channel for each leg.
#[utoipa::path(
    get,
    path = "/api/v1/calls/{call_id}/audio",
    operation_id = "get_call_audio",
    tag = "calls",
    params(("call_id" = String, Path, description = "The call."), AudioQuery),
    responses(
        (status = 200, description = "WAVE.", body = Vec<u8>, content_type = "audio/wav"),
        (status = 404, description = "No such call is saved, or it has no recording here.", body = Mistake),
    )
)]
pub(crate) async fn audio(
    State(served): State<Arc<Served>>,
    call_id: Result<Path<String>, PathRejection>,
    query: Result<Query<AudioQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(call_id), Query(query)) = (call_id?, query?);
    let most = query.from_ms.saturating_add(MOST_MS);
    let span = Span {
        from_ms: query.from_ms,
        to_ms: query.to_ms.unwrap_or(most),
    };
    if span.from_ms >= span.to_ms || span.to_ms > most {
        let error = format!(
            "`to_ms` must be {} to {most}",
            span.from_ms.saturating_add(1)
        );
        return Err(ApiError::new(StatusCode::BAD_REQUEST, error)
            .with_hint("at most 15 minutes at a time: ask for the rest by `from_ms`"));
    }
    let call_id = CallId(call_id);
    let name = recording_of(&served, &call_id).await?;
    let silences = recordings::silences(&served.store, &call_id).await?;
    let config = served.config.clone();
    let write = move || -> anyhow::Result<Vec<u8>> {
        let reader = recordings::open_reader(&config, &name)?;
        let mut sink = Cursor::new(Vec::new());
        write_audio(reader, span, &silences, &mut sink)?;
        Ok(sink.into_inner())
    };
    let written = tokio::task::spawn_blocking(write).await;
    let wave = written.map_err(|_| anyhow!("reading the recording broke off"))??;
    let headers = [
        (header::CONTENT_TYPE, "audio/wav"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, wave).into_response())
}

async fn recording_of(served: &Served, call_id: &CallId) -> Result<RecordingName, ApiError> {
    let call = served.store.call(call_id).await;
    let call = call.map_err(anyhow::Error::from)?.ok_or_else(|| {
        let error = format!("no call `{call_id}` is saved");
        ApiError::new(StatusCode::NOT_FOUND, error).with_hint("/api/v1/calls lists calls")
    })?;
    call.recording.path.parse().map_err(|_| {
        let error = format!("call `{call_id}` has no recording here");
        ApiError::new(StatusCode::NOT_FOUND, error)
            .with_hint("calls that were played or analysed from files are not recorded again")
    })
}
