//! `/api/v1/calls/{id}/capture`: packets of a call, for who looks for what is wrong with it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use auricle_contracts::CallId;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Served;
use super::error::{ApiError, Mistake};
use crate::logs::AUDIT;
use crate::serve::access::Caller;
use crate::serve::ingest::sip::{CallCapture, NotCaptured};

/// How long a capture is, usually and at most: what happens again happens within minutes.
const USUAL_SECS: u64 = 60;
const MOST_SECS: u64 = 600;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaptureQuery {
    /// Seconds after which it ends, if the call does not end before; at most 600.
    #[param(default = 60, minimum = 1, maximum = 600)]
    secs: Option<u64>,
}

/// Packets of a call that comes by SIP, from now on until it ends, the time is over, or who asked leaves. Nothing is masked.
#[utoipa::path(
    get,
    path = "/api/v1/calls/{call_id}/capture",
    operation_id = "capture_call",
    tag = "calls",
    params(("call_id" = String, Path, description = "The call."), CaptureQuery),
    responses(
        (status = 200, description = "A file of libpcap, version 2.4, of raw IP, as packets come: RTP and RTCP as they passed the network, reports of ours, and messages of SIP as datagrams, first the request and the answer that the call began with. Credentials and keys in messages are crossed out.", body = Vec<u8>, content_type = "application/vnd.tcpdump.pcap"),
        (status = 400, description = "`secs` is out of its range.", body = Mistake),
        (status = 404, description = "No such call is under way.", body = Mistake),
        (status = 409, description = "It did not come by SIP, or it is captured already.", body = Mistake),
        (status = 503, description = "As many calls are captured as may be at a time.", body = Mistake),
    )
)]
pub(crate) async fn capture(
    State(served): State<Arc<Served>>,
    Extension(caller): Extension<Caller>,
    call_id: Result<Path<String>, PathRejection>,
    query: Result<Query<CaptureQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let (Path(call_id), Query(query)) = (call_id?, query?);
    let call = CallId(call_id);
    let secs = query.secs.unwrap_or(USUAL_SECS);
    if !(1..=MOST_SECS).contains(&secs) {
        let error = format!("`secs` must be 1 to {MOST_SECS}, got `{secs}`");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, error)
            .with_hint("ask again when one is over, for as long as it is needed"));
    }
    if !served.calls.is_under_way(&call) {
        let error = format!("no call `{call}` is under way");
        return Err(ApiError::new(StatusCode::NOT_FOUND, error)
            .with_hint("/api/v1/ingest/lines lists those that are"));
    }
    let length = Duration::from_secs(secs);
    let capture = match &served.sip {
        Some(sip) => sip.capture(&call, length),
        None => Err(NotCaptured::NotSip { call }),
    };
    let download = Download::begin(capture.map_err(refused)?, caller, secs);
    let parts = stream::unfold(download, async |mut download| {
        let part = download.capture.next().await?;
        Some((Ok::<_, Infallible>(part), download))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/vnd.tcpdump.pcap"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"call.pcap\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

fn refused(why: NotCaptured) -> ApiError {
    let status = match why {
        NotCaptured::NotSip { .. } | NotCaptured::Already { .. } => StatusCode::CONFLICT,
        NotCaptured::TooMany => StatusCode::SERVICE_UNAVAILABLE,
    };
    ApiError::from_message(status, &why.to_string())
}

/// A capture on its way to who asked. It is audited when it begins, and, however it ends, when it is dropped.
struct Download {
    capture: CallCapture,
    by: Caller,
}

impl Download {
    fn begin(capture: CallCapture, by: Caller, secs: u64) -> Self {
        let (call, name) = (capture.call(), &by.name);
        tracing::info!(
            target: AUDIT,
            { call.id = %call, by = ?name, secs },
            "audit: packets of a call are captured"
        );
        Self { capture, by }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        let (call, name) = (self.capture.call(), &self.by.name);
        let captured = self.capture.captured();
        tracing::info!(
            target: AUDIT,
            {
                call.id = %call,
                by = ?name,
                packets = captured.n_packets,
                bytes = captured.n_bytes,
                left_out = captured.n_left_out
            },
            "audit: the capture of a call is over"
        );
    }
}
