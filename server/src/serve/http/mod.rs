//! The HTTP interface: live events, calls, search, health, figures.

mod calls;
mod error;
mod health;
mod ingest;
mod live;
mod microphone;
mod search;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use auricle_store::Store;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::get;

use self::error::ApiError;
use super::access::{Access, Asker, Refusal, Role};
use super::calls::Calls;
use super::hub::EventHub;
use super::ingest::websocket::WebSockets;
use crate::config::Config;
use crate::judge::Judges;

/// What every request may need.
pub(crate) struct Served {
    pub(crate) calls: Arc<Calls>,
    pub(crate) hub: Arc<EventHub>,
    pub(crate) store: Arc<Store>,
    pub(crate) judges: Arc<Judges>,
    pub(crate) config: Config,
    pub(crate) access: Access,
    pub(crate) sockets: Arc<WebSockets>,
    /// Whether the program is about to end: no more calls.
    pub(crate) is_draining: AtomicBool,
}

/// All pages and what they answer.
pub(crate) fn router(served: Arc<Served>) -> Router {
    let needs = |role: Role| {
        let served = Arc::clone(&served);
        middleware::from_fn(move |request: Request, next: Next| {
            let served = Arc::clone(&served);
            async move {
                match admitted(&served, role, &request) {
                    Ok(()) => next.run(request).await,
                    Err(refusal) => ApiError::refused(&refusal).into_response(),
                }
            }
        })
    };
    let watching = Router::new()
        .route("/api/v1/live", get(live::live))
        .layer(needs(Role::Supervisor));
    let reading = Router::new()
        .route("/api/v1/calls", get(calls::list))
        .route("/api/v1/calls/{call_id}", get(calls::one))
        .route("/api/v1/search", get(search::search))
        .layer(needs(Role::Inspector));
    let counting = Router::new()
        .route("/metrics", get(health::metrics))
        .layer(needs(Role::Integrator));
    let speaking = Router::new()
        .route("/api/v1/ingest/stream", get(ingest::stream))
        .layer(needs(Role::Integrator))
        .route("/v1/listen", get(ingest::listen))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&served),
            ingest::count_refused,
        ));
    Router::new()
        .merge(watching)
        .merge(reading)
        .merge(counting)
        .merge(speaking)
        .route("/microphone", get(microphone::page))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(nothing_there)
        .with_state(served)
}

/// Whether a request may do what `role` may.
fn admitted(served: &Served, role: Role, request: &Request) -> Result<(), Refusal> {
    let text = |name: header::HeaderName| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok())
    };
    let asker = Asker {
        host: text(header::HOST),
        origin: text(header::ORIGIN),
        authorization: text(header::AUTHORIZATION),
        query: request.uri().query().unwrap_or_default(),
    };
    served.access.admit(role, asker)
}

async fn nothing_there(State(_): State<Arc<Served>>, request: Request) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        format!("there is no page `{}`", request.uri().path()),
    )
    .with_hint("docs/live.md lists them")
}
