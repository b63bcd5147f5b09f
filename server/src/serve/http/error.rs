//! What went wrong, as programs read it.

use auricle_store::StoreError;
use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::exit::{Exit, exit_of, message_of};
use crate::serve::access::Refusal;

/// Where addresses and what they take are written down.
pub(super) const WHAT_IS_TAKEN: &str = "docs/live.md says what it takes";

/// An answer that is none.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Mistake,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mistake {
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
            body: Mistake {
                error: error.into(),
                hint: None,
            },
        }
    }

    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        self.body.hint = Some(hint.to_owned());
        self
    }

    /// With another status, where it has this one.
    pub(super) fn or_status(mut self, known: StatusCode, other: StatusCode) -> Self {
        if self.status == known {
            self.status = other;
        }
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

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<QueryRejection> for ApiError {
    fn from(cause: QueryRejection) -> Self {
        Self::new(cause.status(), in_one_line(&cause.body_text())).with_hint(WHAT_IS_TAKEN)
    }
}

impl From<PathRejection> for ApiError {
    fn from(cause: PathRejection) -> Self {
        Self::new(cause.status(), in_one_line(&cause.body_text())).with_hint(WHAT_IS_TAKEN)
    }
}

impl From<JsonRejection> for ApiError {
    fn from(cause: JsonRejection) -> Self {
        let hint = match &cause {
            JsonRejection::MissingJsonContentType(_) => "send `Content-Type: application/json`",
            _ => WHAT_IS_TAKEN,
        };
        Self::new(cause.status(), in_one_line(&cause.body_text())).with_hint(hint)
    }
}

/// The causes below, each in its place: axum writes them behind one another.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
