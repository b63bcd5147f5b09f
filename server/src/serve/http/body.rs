//! Bodies that may be left out.

use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::response::Json;
use serde::de::DeserializeOwned;

/// The JSON of a request; `None` where its body is empty, whatever kind that is said to be.
pub(super) struct JsonOrNothing<T>(pub(super) Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonOrNothing<T> {
    type Rejection = JsonRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, JsonRejection> {
        let (head, body) = request.into_parts();
        let whole = Request::from_parts(head.clone(), body);
        let bytes = Bytes::from_request(whole, state).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        let read = Request::from_parts(head, Body::from(bytes));
        let Json(json) = Json::<T>::from_request(read, state).await?;
        Ok(Self(Some(json)))
    }
}
