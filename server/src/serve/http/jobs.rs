//! `/api/v1/jobs`: work beside live calls.

use std::sync::Arc;

use auricle_contracts::{CallId, JobState};
use auricle_report::Change;
use auricle_store::JobRecord;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::Served;
use super::body::JsonOrNothing;
use super::error::{ApiError, Mistake, WHAT_IS_TAKEN};
use crate::rescore::ledger::change;
use crate::serve::access::Caller;
use crate::serve::jobs::{Cancelled, RescoreReport, RescoreRequest};

/// Jobs and calls of one page, usually and at most.
const PAGE: u64 = 100;
const MOST: u64 = 1_000;

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Job {
    /// Counts jobs; never given again.
    id: u64,
    /// What kind it is: `rescore`.
    kind: String,
    /// What became of it.
    state: JobState,
    /// Who asked for it: the name of the key.
    by: String,
    /// What is asked for.
    #[schema(value_type = RescoreRequest)]
    request: Box<RawValue>,
    /// When it was asked for, milliseconds since 1970.
    queued_unix_ms: u64,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    began_unix_ms: Option<u64>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_unix_ms: Option<u64>,
    /// Calls it is about; 0 before that is known.
    n_calls: u64,
    /// Calls it is done with.
    n_done: u64,
    /// Those in which something changed.
    n_changed: u64,
    /// Calls that failed; known when it is over.
    n_failed: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What it changed, when it is over.
    #[schema(value_type = Option<RescoreReport>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Box<RawValue>>,
}

impl TryFrom<JobRecord> for Job {
    type Error = anyhow::Error;

    fn try_from(job: JobRecord) -> Result<Self, anyhow::Error> {
        Ok(Self {
            id: job.id,
            kind: job.kind,
            state: job.state,
            by: job.asked_by,
            request: RawValue::from_string(job.request)?,
            queued_unix_ms: job.queued_unix_ms,
            began_unix_ms: job.began_unix_ms,
            ended_unix_ms: job.ended_unix_ms,
            n_calls: job.n_calls,
            n_done: job.n_done,
            n_changed: job.n_changed,
            n_failed: job.n_failed,
            error: job.error,
            report: job.report.map(RawValue::from_string).transpose()?,
        })
    }
}

/// Has past calls assessed anew, as `auricle rescore` does, beside live calls: one job after the other, and never in their way.
///
/// After a restart of the program a job goes on where it was.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/rescore",
    operation_id = "start_rescore",
    tag = "jobs",
    request_body(content = Option<RescoreRequest>, example = json!({"selection": {"campaign": "spring_loans", "since": "2026-11-01"}, "audio": "never"})),
    responses(
        (status = 202, description = "The job, which waits for those before it.", body = Job,
            headers(("Location" = String, description = "Its address."))),
        (status = 400, description = "The selection or an option cannot be.", body = Mistake),
        (status = 429, description = "As many jobs wait as may.", body = Mistake),
    )
)]
pub(crate) async fn rescore(
    State(served): State<Arc<Served>>,
    Extension(caller): Extension<Caller>,
    body: Result<JsonOrNothing<Map<String, Value>>, JsonRejection>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Job>), ApiError> {
    let JsonOrNothing(body) = body.map_err(|cause| {
        let mistake = ApiError::from(cause);
        mistake.or_status(StatusCode::UNPROCESSABLE_ENTITY, StatusCode::BAD_REQUEST)
    })?;
    let body = body.unwrap_or_default();
    // A list would be taken for an object with nothing in it, which means every call.
    if body.get("selection").is_some_and(Value::is_array) {
        return Err(bad("`selection` must be an object"));
    }
    let request = serde_json::from_value(Value::Object(body));
    let request: RescoreRequest = request.map_err(|cause| bad(&cause.to_string()))?;
    request.check(&served.config, &served.store).await?;
    let added = served.jobs.add(&request, caller.name).await?;
    let id = added.ok_or_else(|| {
        let error = format!(
            "`{}` jobs are not over, which is the most allowed",
            served.jobs.most()
        );
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, error)
            .with_hint("wait until one is over, cancel one, or raise `live.jobs.most`")
    })?;
    let job = find(&served, id).await?;
    let location = [(header::LOCATION, format!("/api/v1/jobs/{id}"))];
    Ok((StatusCode::ACCEPTED, location, Json(job)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobQuery {
    /// Only those that are so.
    #[param(inline)]
    state: Option<JobState>,
    /// What `next` said: jobs after these, which are older.
    after: Option<u64>,
    /// Jobs to give, at most 1,000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// Jobs, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// Those asked for last first.
    jobs: Vec<Job>,
    /// What `after` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// Jobs, those asked for last first.
#[utoipa::path(
    get,
    path = "/api/v1/jobs",
    operation_id = "list_jobs",
    tag = "jobs",
    params(JobQuery),
    responses((status = 200, description = "A page of them.", body = JobList))
)]
pub(crate) async fn list(
    State(served): State<Arc<Served>>,
    query: Result<Query<JobQuery>, QueryRejection>,
) -> Result<Json<JobList>, ApiError> {
    let Query(query) = query?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, MOST);
    let jobs = served.store.jobs(query.state, query.after, limit).await?;
    let next = (jobs.len() as u64 == limit).then(|| jobs.last().map(|last| last.id));
    let jobs = jobs.into_iter().map(Job::try_from);
    Ok(Json(JobList {
        jobs: jobs.collect::<Result<_, _>>()?,
        next: next.flatten(),
    }))
}

/// One job: how far it is, and what came of it.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}",
    operation_id = "get_job",
    tag = "jobs",
    params(("id" = u64, Path, description = "The job.")),
    responses(
        (status = 200, description = "The job.", body = Job),
        (status = 404, description = "There is none.", body = Mistake),
    )
)]
pub(crate) async fn one(
    State(served): State<Arc<Served>>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Json<Job>, ApiError> {
    let Path(id) = id?;
    Ok(Json(find(&served, id).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangedQuery {
    /// What `next` said: calls after these.
    after: Option<String>,
    /// Calls to give, at most 1,000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// Calls in which a job changed something, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedCalls {
    /// By id: what they were worth before, and are worth now.
    calls: Vec<Change>,
    /// What `after` takes to get the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<CallId>,
}

/// Calls in which a job changed something so far.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/calls",
    operation_id = "list_changed_calls",
    tag = "jobs",
    params(("id" = u64, Path, description = "The job."), ChangedQuery),
    responses(
        (status = 200, description = "A page of them.", body = ChangedCalls),
        (status = 404, description = "There is no such job.", body = Mistake),
    )
)]
pub(crate) async fn calls(
    State(served): State<Arc<Served>>,
    id: Result<Path<u64>, PathRejection>,
    query: Result<Query<ChangedQuery>, QueryRejection>,
) -> Result<Json<ChangedCalls>, ApiError> {
    let (Path(id), Query(query)) = (id?, query?);
    find(&served, id).await?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, MOST);
    let after = query.after.map(CallId);
    let changed = served.store.changed_job_calls(id, after.as_ref(), limit);
    let changed = changed.await?;
    let next =
        (changed.len() as u64 == limit).then(|| changed.last().map(|last| last.call_id.clone()));
    let calls = changed.iter().map(change);
    Ok(Json(ChangedCalls {
        calls: calls.collect::<Result<_, _>>()?,
        next: next.flatten(),
    }))
}

/// Cancels a job: what it did until then stays.
///
/// One at work ends in a moment; its state says when.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/cancel",
    operation_id = "cancel_job",
    tag = "jobs",
    params(("id" = u64, Path, description = "The job.")),
    responses(
        (status = 202, description = "The job.", body = Job),
        (status = 404, description = "There is none.", body = Mistake),
        (status = 409, description = "It is over.", body = Mistake),
    )
)]
pub(crate) async fn cancel(
    State(served): State<Arc<Served>>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let Path(id) = id?;
    let job = find(&served, id).await?;
    if job.state.is_over() || served.jobs.cancel(id).await? == Cancelled::Over {
        let state = find(&served, id).await?.state.as_str();
        let error = format!("job `{id}` is {state} already");
        let hint = format!("/api/v1/jobs/{id} says what came of it");
        return Err(ApiError::new(StatusCode::CONFLICT, error).with_hint(&hint));
    }
    Ok((StatusCode::ACCEPTED, Json(find(&served, id).await?)))
}

fn bad(message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, message).with_hint(WHAT_IS_TAKEN)
}

async fn find(served: &Served, id: u64) -> Result<Job, ApiError> {
    let job = served.store.job(id).await?;
    let job = job.ok_or_else(|| {
        let error = format!("there is no job `{id}`");
        ApiError::new(StatusCode::NOT_FOUND, error).with_hint("/api/v1/jobs lists them")
    })?;
    Ok(job.try_into()?)
}
