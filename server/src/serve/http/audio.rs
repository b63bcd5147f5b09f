//! `/api/v1/calls/{id}/audio`: what a live call sounded like, personal data silenced.

use std::io::Cursor;
use std::path::Path as FolderPath;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auricle_contracts::CallId;
use auricle_spool::RecordingName;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::{ApiError, Mistake};
use super::{Served, apart};
use crate::serve::recordings::{self, Span, write_audio};

/// Audio of one answer at most.
const MOST_MS: u64 = 15 * 60 * 1000;
/// Its bytes at most, as it is made in memory: two legs of 15 minutes at 8 kHz have 29 MB.
const MOST_BYTES: u64 = 32 << 20;

/// A call is saved before its recording is finished, which this long is waited for: after a full disk the event that the call
/// ended is written first, which is tried every five seconds.
const FINISHED_WITHIN: Duration = Duration::from_secs(10);
/// Between looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AudioQuery {
    /// Milliseconds from the start of the call.
    #[serde(default)]
    from_ms: u64,
    /// Its end, or 15 minutes behind `from_ms`, if it is not given; less where legs have more than 8,000 samples a second.
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
        (status = 503, description = "Its recording is not written to its end yet, as the disk is slow or full.", body = Mistake),
    )
)]
pub(crate) async fn audio(
    State(served): State<Arc<Served>>,
    call_id: Result<Path<String>, PathRejection>,
    query: Result<Query<AudioQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(call_id), Query(query)) = (call_id?, query?);
    let call_id = CallId(call_id);
    let (name, bytes_a_second) = recording_of(&served, &call_id).await?;
    let most_ms = MOST_MS.min(MOST_BYTES * 1000 / bytes_a_second.max(1));
    let most = query.from_ms.saturating_add(most_ms);
    let span = Span {
        from_ms: query.from_ms,
        to_ms: query.to_ms.unwrap_or(most),
    };
    if span.from_ms >= span.to_ms || span.to_ms > most {
        let error = format!(
            "`to_ms` must be {} to {most}",
            span.from_ms.saturating_add(1)
        );
        return Err(
            ApiError::new(StatusCode::BAD_REQUEST, error).with_hint(&format!(
                "at most {} s of this call at a time: ask for the rest by `from_ms`",
                most_ms / 1000
            )),
        );
    }
    let folder = recordings::folder(&served.config);
    let is_there = name.path_in(&folder).exists();
    if !is_there {
        let error = format!("the recording of call `{call_id}` is not kept any more");
        return Err(ApiError::new(StatusCode::NOT_FOUND, error)
            .with_hint("`live.recordings.keep_days` says how long recordings are kept"));
    }
    if !finishes(&name, &folder).await {
        let error = format!("the recording of call `{call_id}` is not written to its end yet");
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error)
            .with_hint("the disk is slow or full; ask again when it is not"));
    }
    apart(async move {
        let silences = recordings::silences(&served.store, &call_id).await?;
        let reader = recordings::open_reader(&served.config, &name)?;
        let mut sink = Cursor::new(Vec::new());
        write_audio(reader, span, &silences, &mut sink)?;
        let headers = [
            (header::CONTENT_TYPE, "audio/wav"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        Ok((headers, sink.into_inner()).into_response())
    })
    .await
}

/// Whether nothing more of it is to be written, now or soon.
async fn finishes(name: &RecordingName, folder: &FolderPath) -> bool {
    let since = Instant::now();
    while name.is_open_in(folder) {
        if since.elapsed() >= FINISHED_WITHIN {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    true
}

/// Its name, and how many bytes a second of it has as 16-bit samples.
async fn recording_of(served: &Served, call_id: &CallId) -> Result<(RecordingName, u64), ApiError> {
    let call = served.store.call(call_id).await;
    let call = call.map_err(anyhow::Error::from)?.ok_or_else(|| {
        let error = format!("no call `{call_id}` is saved");
        ApiError::new(StatusCode::NOT_FOUND, error).with_hint("/api/v1/calls lists calls")
    })?;
    let legs = &call.recording.legs;
    let bytes_a_second = legs.iter().map(|leg| 2 * u64::from(leg.rate_hz)).sum();
    let name = call.recording.path.parse().map_err(|_| {
        let error = format!("call `{call_id}` has no recording here");
        ApiError::new(StatusCode::NOT_FOUND, error)
            .with_hint("calls that were played or analysed from files are not recorded again")
    })?;
    Ok((name, bytes_a_second))
}
