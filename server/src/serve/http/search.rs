//! `/api/v1/search`: the query language over the saved calls.

use std::sync::Arc;

use anyhow::anyhow;
use auricle_search::{FacetMode, SearchRequest, SearchResults};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::Served;
use super::error::ApiError;
use crate::index::CallSearch;

/// Calls of one page at most.
const MOST_CALLS: usize = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct SearchQuery {
    /// As docs/query-language.md says.
    q: String,
    /// Calls to leave out at the beginning.
    #[serde(default)]
    offset: usize,
    /// Calls to give, at most 100.
    #[serde(default = "usual_limit")]
    limit: usize,
    /// Whether hits are counted by party, agent, campaign and day.
    #[serde(default)]
    facets: bool,
}

const fn usual_limit() -> usize {
    10
}

pub(crate) async fn search(
    State(served): State<Arc<Served>>,
    query: Result<Query<SearchQuery>, QueryRejection>,
) -> Result<Json<SearchResults>, ApiError> {
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
    let find = move || CallSearch::open(&folder)?.search(&request);
    let found = tokio::task::spawn_blocking(find).await;
    let found = found.map_err(|_| anyhow!("the search broke off"))?;
    Ok(Json(found?))
}
