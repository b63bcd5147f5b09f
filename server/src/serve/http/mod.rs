//! The HTTP interface: live events, alerts, calls, search, webhooks, health, figures.

mod accept;
mod alerts;
mod announce;
mod asterisk;
mod audio;
mod audiohook;
mod body;
mod calls;
mod capture;
mod error;
mod health;
mod ingest;
mod jobs;
mod lines;
mod live;
mod microphone;
mod openapi;
mod reload;
mod search;
#[cfg(test)]
mod tests;
mod twilio;
mod webhooks;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, anyhow};
use auricle_store::Store;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use utoipa_axum::routes;

pub(crate) use self::accept::accept;
use self::alerts::Unwritten;
use self::error::ApiError;
pub(crate) use self::lines::{CallLines, LinesPage};
use self::openapi::{Door, Group};
use super::access::{Access, Asker, Caller, Refusal, Role};
use super::archive::Archive;
use super::calls::Calls;
use super::hub::EventHub;
use super::in_force::Holder;
use super::ingest::audiohook::Clients;
use super::ingest::sip::Sip;
use super::ingest::websocket::WebSockets;
use super::jobs::Jobs;
use super::reload::Reloader;
use super::webhooks::Webhooks;
use crate::config::Config;
pub(crate) use openapi::document;

/// Bodies of requests, bytes: notes, selections of calls.
const LONGEST_BODY: usize = 64 << 10;
/// Answers that take long and are made at a time; others wait. As many as a small machine has cores, and in memory each
/// may take tens of megabytes.
static MAKING: Semaphore = Semaphore::const_new(2);

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
    pub(crate) jobs: Arc<Jobs>,
    /// Held by the one who acknowledges an alert: what the disk has not taken yet, by alert.
    pub(crate) acknowledging: tokio::sync::Mutex<HashMap<String, Unwritten>>,
    pub(crate) sockets: Arc<WebSockets>,
    /// Who may bring audio of Genesys Cloud.
    pub(crate) audiohook: Clients,
    /// Serves SIP, where that is on.
    pub(crate) sip: Option<Arc<Sip>>,
    /// Requests that were not let in: no key, a wrong one, one for something else.
    pub(crate) n_keys_refused: AtomicU64,
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
                    Err(refusal) => {
                        served.n_keys_refused.fetch_add(1, Ordering::Relaxed);
                        ApiError::refused(&refusal).into_response()
                    }
                }
            }
        })
    };
    let mut router = Router::new();
    for group in groups() {
        let (door, counts_refused) = (group.door, group.counts_refused);
        let mut routes = group.into_router();
        if let Door::Key(role) = door {
            routes = routes.layer(needs(role));
        }
        if counts_refused {
            let served = Arc::clone(&served);
            routes = routes.layer(middleware::from_fn_with_state(
                served,
                ingest::count_refused,
            ));
        }
        router = router.merge(routes);
    }
    router
        .fallback(nothing_there)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn(accept::in_time))
        .with_state(served)
}

/// All pages, with their descriptions and who is let in.
fn groups() -> Vec<Group> {
    use Role::{Inspector, Integrator, Supervisor, Support};
    let watching = Group::new(Door::Key(Supervisor))
        .with(routes!(live::live))
        .with(routes!(lines::list))
        .with(routes!(alerts::acknowledge))
        .with(routes!(jobs::rescore))
        .with(routes!(jobs::cancel))
        .with(routes!(reload::reload));
    let reading = Group::new(Door::Key(Inspector))
        .with(routes!(alerts::list))
        .with(routes!(alerts::one))
        .with(routes!(calls::list))
        .with(routes!(calls::one))
        .with(routes!(calls::transcript))
        .with(routes!(calls::hits))
        .with(routes!(audio::audio))
        .with(routes!(search::search))
        .with(routes!(jobs::list))
        .with(routes!(jobs::one))
        .with(routes!(jobs::calls));
    let supporting = Group::new(Door::Key(Support)).with(routes!(capture::capture));
    let integrating = Group::new(Door::Key(Integrator))
        .with(routes!(announce::announce))
        .with(routes!(health::metrics))
        .with(routes!(webhooks::list))
        .with(routes!(webhooks::dead))
        .with(routes!(webhooks::retry));
    let speaking = Group::new(Door::Key(Integrator))
        .with(routes!(ingest::stream))
        .with(routes!(asterisk::stream))
        .counting_refused();
    let listening = Group::new(Door::Own(Integrator))
        .with(routes!(ingest::listen))
        .with(routes!(twilio::stream))
        .counting_refused();
    let signing = Group::new(Door::Signed)
        .with(routes!(audiohook::audiohook))
        .counting_refused();
    let open = Group::new(Door::Open)
        .with(routes!(openapi::openapi))
        .with(routes!(microphone::page))
        .with(routes!(health::alive))
        .with(routes!(health::ready));
    vec![
        watching,
        reading,
        supporting,
        integrating,
        speaking,
        listening,
        signing,
        open,
    ]
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

/// Makes an answer that takes long on a thread of its own, for a worker has other things to do. It keeps its place until
/// it is made, also where nobody waits for it any more.
async fn apart(
    making: impl Future<Output = Result<Response, ApiError>> + Send + 'static,
) -> Result<Response, ApiError> {
    let place = MAKING.acquire().await.context("answers are made no more")?;
    let runtime = Handle::current();
    let made = tokio::task::spawn_blocking(move || {
        let _place = place;
        runtime.block_on(making)
    });
    made.await
        .map_err(|_| anyhow!("making the answer broke off"))?
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
