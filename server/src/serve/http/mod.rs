//! The HTTP interface: live events, alerts, calls, search, webhooks, health, figures.

mod accept;
mod alerts;
mod audio;
mod calls;
mod error;
mod health;
mod ingest;
mod live;
mod microphone;
mod reload;
mod search;
mod webhooks;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use auricle_store::Store;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};

pub(crate) use self::accept::accept;
use self::error::ApiError;
use super::access::{Access, Asker, Caller, Refusal, Role};
use super::archive::Archive;
use super::calls::Calls;
use super::hub::EventHub;
use super::in_force::Holder;
use super::ingest::websocket::WebSockets;
use super::reload::Reloader;
use super::webhooks::Webhooks;
use crate::config::Config;

/// Bodies of requests, bytes: notes.
const LONGEST_BODY: usize = 64 << 10;

/// What every request may need.
pub(crate) struct Served {
    pub(crate) calls: Arc<Calls>,
    pub(crate) hub: Arc<EventHub>,
    pub(crate) store: Arc<Store>,
    pub(crate) holder: Arc<Holder>,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) config: Config,
    pub(crate) access: Access,
    pub(crate) archive: Arc<Archive>,
    pub(crate) webhooks: Arc<Webhooks>,
    /// Held by the one who acknowledges an alert.
    pub(crate) acknowledging: tokio::sync::Mutex<()>,
    pub(crate) sockets: Arc<WebSockets>,
    /// Whether the program is about to end: no more calls.
    pub(crate) is_draining: AtomicBool,
}

/// All pages and what they answer.
pub(crate) fn router(served: Arc<Served>) -> Router {
    let needs = |role: Role| {
        let served = Arc::clone(&served);
        middleware::from_fn(move |mut request: Request, next: Next| {
            let served = Arc::clone(&served);
            async move {
                match admitted(&served, role, &request) {
                    Ok(caller) => {
                        request.extensions_mut().insert(caller);
                        next.run(request).await
                    }
                    Err(refusal) => ApiError::refused(&refusal).into_response(),
                }
            }
        })
    };
    let watching = Router::new()
        .route("/api/v1/live", get(live::live))
        .route(
            "/api/v1/alerts/{alert_id}/acknowledge",
            post(alerts::acknowledge),
        )
        .route("/api/v1/reload", post(reload::reload))
        .layer(needs(Role::Supervisor));
    let reading = Router::new()
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/alerts/{alert_id}", get(alerts::one))
        .route("/api/v1/calls", get(calls::list))
        .route("/api/v1/calls/{call_id}", get(calls::one))
        .route("/api/v1/calls/{call_id}/audio", get(audio::audio))
        .route("/api/v1/search", get(search::search))
        .layer(needs(Role::Inspector));
    let integrating = Router::new()
        .route("/metrics", get(health::metrics))
        .route("/api/v1/webhooks", get(webhooks::list))
        .route("/api/v1/webhooks/{name}/dead", get(webhooks::dead))
        .route(
            "/api/v1/webhooks/{name}/dead/{event_id}/retry",
            post(webhooks::retry),
        )
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
        .merge(integrating)
        .merge(speaking)
        .route("/microphone", get(microphone::page))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(nothing_there)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn(accept::in_time))
        .with_state(served)
}

/// Who asks, if he may do what `role` may.
fn admitted(served: &Served, role: Role, request: &Request) -> Result<Caller, Refusal> {
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

async fn not_so(request: Request) -> ApiError {
    let (method, path) = (request.method(), request.uri().path());
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("`{path}` does not take {method}"),
    )
    .with_hint("the header `Allow` says what it takes")
}
