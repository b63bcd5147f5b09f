//! `/api/v1/reload`: packs, cards, hotwords and texts of the language model read again.

use std::sync::Arc;

use anyhow::anyhow;
use auricle_store::StoreError;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Served;
use super::error::{ApiError, Mistake};
use crate::exit::message_of;
use crate::serve::reload::Reloaded;

/// What was put into force, or what is wrong with the files.
#[utoipa::path(
    post,
    path = "/api/v1/reload",
    operation_id = "reload",
    tag = "configuration",
    responses(
        (status = 200, description = "All files are right: what is in force for calls that begin from now on.", body = Reloaded),
        (status = 422, description = "A file is wrong: all stays as it was.", body = Mistake),
    )
)]
pub(crate) async fn reload(State(served): State<Arc<Served>>) -> Result<Json<Reloaded>, ApiError> {
    let reloader = Arc::clone(&served.reloader);
    let reloaded = tokio::task::spawn_blocking(move || reloader.reload()).await;
    let reloaded = reloaded.map_err(|_| ApiError::from(anyhow!("reading the files broke off")))?;
    reloaded.map(Json).map_err(|error| match error.is::<StoreError>() {
        true => ApiError::from(error),
        false => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, message_of(&error)).with_hint(
            "all stays as it was; mend the files and ask again (`auricle config check` says the same)",
        ),
    })
}
