//! What went wrong, as programs read it.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::exit::{Exit, exit_of, message_of};
use crate::serve::access::Refusal;

/// An answer that is none.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Serialize)]
struct Body {
    /// What is wrong.
    error: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            body: Body {
                error: error.into(),
                hint: None,
            },
        }
    }

    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        self.body.hint = Some(hint.to_owned());
        self
    }

    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let status = match refusal {
            Refusal::NoKey | Refusal::WrongKey => StatusCode::UNAUTHORIZED,
            Refusal::WrongRole { .. } | Refusal::WrongHost => StatusCode::FORBIDDEN,
        };
        Self::from_message(status, &refusal.to_string())
    }

    /// The last line may be a hint.
    pub(super) fn from_message(status: StatusCode, message: &str) -> Self {
        match message.split_once("\nhint: ") {
            Some((error, hint)) => Self::new(status, error).with_hint(hint),
            None => Self::new(status, message),
        }
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        let status = match exit_of(&error) {
            Exit::Usage => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::from_message(status, &message_of(&error))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}
