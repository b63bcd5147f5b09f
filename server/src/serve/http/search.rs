//! `/api/v1/search`: the query language over the saved calls.

use std::sync::Arc;

use auricle_search::{FacetMode, SearchRequest, SearchResults};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::{ApiError, Mistake};
use super::{Served, apart};
use crate::index::CallSearch;

/// Calls of one page at most.
const MOST_CALLS: usize = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// As docs/query-language.md says.
    #[param(example = "sound:保证收益 party:agent")]
    q: String,
    /// Calls to leave out at the beginning.
    #[serde(default)]
    offset: usize,
    /// Calls to give, at most 100.
    #[serde(default = "usual_limit")]
    #[param(default = 10, maximum = 100)]
    limit: usize,
    /// Whether hits are counted by party, agent, campaign and day.
    #[serde(default)]
    facets: bool,
}

const fn usual_limit() -> usize {
    10
}

/// Hits of a query, by call, best first.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    operation_id = "search",
    tag = "search",
    params(SearchQuery),
    responses(
        (status = 200, description = "A page of calls.", body = SearchResults),
        (status = 400, description = "A mistake in the query, with its place.", body = Mistake),
    )
)]
pub(crate) async fn search(
    State(served): State<Arc<Served>>,
    query: Result<Query<SearchQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let request = SearchRequest {
        offset: query.offset,
        limit: query.limit.min(MOST_CALLS),
        facets: match query.facets {
            true => FacetMode::Count,
            false => FacetMode::Skip,
        },
        ..SearchRequest::new(query.q)
    };
    let folder = served.config.data.index();
    apart(async move {
        let found = CallSearch::open(&folder)?.search(&request)?;
        Ok(Json(found).into_response())
    })
    .await
}
