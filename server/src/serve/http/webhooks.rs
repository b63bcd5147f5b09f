//! `/api/v1/webhooks`: how webhooks do, and what they never got.

use std::sync::Arc;

use auricle_contracts::{EventKind, LiveEvent};
use auricle_store::Delivery;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::Served;
use super::error::{ApiError, Mistake};
use crate::clock::unix_ms;
use crate::serve::webhooks::Webhook;

/// Dead letters of one page, usually and at most.
const PAGE_LETTERS: u64 = 100;
const MOST_LETTERS: u64 = 1_000;

/// All webhooks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookList {
    /// As they are configured.
    webhooks: Vec<WebhookState>,
}

/// How a webhook does.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookState {
    /// Its name.
    name: String,
    /// Scheme, host and port; the rest may be a secret.
    site: String,
    /// What it gets.
    events: Vec<EventKind>,
    /// `working`, or `failing` where the last attempt failed.
    state: &'static str,
    /// Events that wait.
    waiting: u64,
    /// Events that were given up.
    dead: u64,
    /// Events that were taken since the program began.
    delivered: u64,
    /// Attempts that failed since the program began.
    failed: u64,
    /// Why the last attempt failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

/// How webhooks do.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks",
    operation_id = "list_webhooks",
    tag = "webhooks",
    responses((status = 200, description = "All of them.", body = WebhookList))
)]
pub(crate) async fn list(State(served): State<Arc<Served>>) -> Result<Json<WebhookList>, ApiError> {
    let mut webhooks = Vec::new();
    for webhook in served.webhooks.all() {
        let name = webhook.config.name.clone();
        let counts = served.store.delivery_counts(&name).await?;
        let last_error = webhook.failing();
        webhooks.push(WebhookState {
            name,
            site: webhook.config.site(),
            events: webhook.config.events.clone(),
            state: match last_error {
                Some(_) => "failing",
                None => "working",
            },
            waiting: counts.n_waiting,
            dead: counts.n_dead,
            delivered: webhook.n_delivered(),
            failed: webhook.n_failed(),
            last_error,
        });
    }
    Ok(Json(WebhookList { webhooks }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadQuery {
    /// What `next` said: dead letters after these.
    #[serde(default)]
    after: u64,
    /// Dead letters to give, at most 1,000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// Dead letters, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadList {
    /// Oldest first.
    dead: Vec<DeadLetter>,
    /// What `after` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// An event that a webhook never took.
#[derive(Debug, Serialize, ToSchema)]
struct DeadLetter {
    /// The event.
    event_id: u64,
    /// How often it was tried.
    attempts: u64,
    /// Why the last try failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// What was sent.
    #[schema(value_type = LiveEvent)]
    event: Box<RawValue>,
}

impl TryFrom<Delivery> for DeadLetter {
    type Error = anyhow::Error;

    fn try_from(delivery: Delivery) -> Result<Self, anyhow::Error> {
        Ok(Self {
            event_id: delivery.event_id,
            attempts: delivery.n_attempts,
            last_error: delivery.last_error,
            event: RawValue::from_string(delivery.json)?,
        })
    }
}

/// What a webhook never took, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks/{name}/dead",
    operation_id = "list_dead_letters",
    tag = "webhooks",
    params(("name" = String, Path, description = "The webhook."), DeadQuery),
    responses(
        (status = 200, description = "A page of them.", body = DeadList),
        (status = 404, description = "There is no such webhook.", body = Mistake),
    )
)]
pub(crate) async fn dead(
    State(served): State<Arc<Served>>,
    name: Result<Path<String>, PathRejection>,
    query: Result<Query<DeadQuery>, QueryRejection>,
) -> Result<Json<DeadList>, ApiError> {
    let (Path(name), Query(query)) = (name?, query?);
    let webhook = named(&served, &name)?;
    let limit = query.limit.unwrap_or(PAGE_LETTERS).clamp(1, MOST_LETTERS);
    let name = &webhook.config.name;
    let letters = served.store.dead_letters(name, query.after, limit).await?;
    let next = (letters.len() as u64 == limit).then(|| letters.last().map(|last| last.event_id));
    let dead = letters.into_iter().map(DeadLetter::try_from);
    Ok(Json(DeadList {
        dead: dead.collect::<Result<_, _>>()?,
        next: next.flatten(),
    }))
}

/// An event that waits once more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revived {
    /// The event.
    event_id: u64,
    /// `waiting`.
    state: &'static str,
}

/// Lets a dead letter be tried once more, from the beginning.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{name}/dead/{event_id}/retry",
    operation_id = "retry_dead_letter",
    tag = "webhooks",
    params(
        ("name" = String, Path, description = "The webhook."),
        ("event_id" = u64, Path, description = "The event."),
    ),
    responses(
        (status = 200, description = "It waits.", body = Revived),
        (status = 404, description = "There is no such webhook, or it has no such dead letter.", body = Mistake),
    )
)]
pub(crate) async fn retry(
    State(served): State<Arc<Served>>,
    place: Result<Path<(String, u64)>, PathRejection>,
) -> Result<Json<Revived>, ApiError> {
    let Path((name, event_id)) = place?;
    let webhook = named(&served, &name)?;
    if !served.store.revive(&name, event_id, unix_ms()).await? {
        let error = format!("webhook `{name}` has no dead letter `{event_id}`");
        let hint = format!("/api/v1/webhooks/{name}/dead lists them");
        return Err(ApiError::new(StatusCode::NOT_FOUND, error).with_hint(&hint));
    }
    webhook.wake();
    Ok(Json(Revived {
        event_id,
        state: "waiting",
    }))
}

fn named<'s>(served: &'s Served, name: &str) -> Result<&'s Webhook, ApiError> {
    served.webhooks.named(name).ok_or_else(|| {
        let error = format!("there is no webhook `{name}`");
        ApiError::new(StatusCode::NOT_FOUND, error).with_hint("/api/v1/webhooks lists them")
    })
}
