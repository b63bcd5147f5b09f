//! Answers to requests that do not become a WebSocket.

use serde::Serialize;
use utoipa::ToSchema;

use crate::query::QueryError;

/// A request that is refused, as Deepgram refuses ("Errors", `developers.deepgram.com/docs/errors`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Status of the HTTP answer.
    pub status: u16,
    /// `err_code` of its body.
    pub code: &'static str,
    /// `err_msg` of its body.
    pub message: String,
}

/// The body of the answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListenRefusal)]
pub struct RefusalBody {
    /// What is wrong, for programs.
    #[schema(example = "INVALID_QUERY_PARAMETER")]
    err_code: String,
    /// What is wrong, for people.
    err_msg: String,
    /// The request, as the header `dg-request-id` has it.
    request_id: String,
}

impl Refusal {
    /// 400: a parameter cannot be.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_QUERY_PARAMETER", message)
    }

    /// 401: no key, or one that is not known.
    pub fn invalid_credentials() -> Self {
        Self::new(401, "INVALID_AUTH", "Invalid credentials.")
    }

    /// 403: the key is not for this.
    pub fn not_permitted(message: impl Into<String>) -> Self {
        Self::new(403, "INSUFFICIENT_PERMISSIONS", message)
    }

    /// 429: more streams than there may be.
    pub fn too_many_requests() -> Self {
        let message = "Too many requests. Please try again later";
        Self::new(429, "TOO_MANY_REQUESTS", message)
    }

    /// 503: no stream can be heard now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "SERVICE_UNAVAILABLE", message)
    }

    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            message,
        }
    }

    /// The body, JSON.
    pub fn body(&self, request_id: &str) -> String {
        let body = RefusalBody {
            err_code: self.code.to_owned(),
            err_msg: self.message.clone(),
            request_id: request_id.to_owned(),
        };
        // Three texts can always be written.
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// The headers that Deepgram's clients look at, with their values: visible ASCII, one line.
    pub fn headers(&self, request_id: &str) -> [(&'static str, String); 2] {
        [
            ("dg-request-id", header_value(request_id)),
            ("dg-error", header_value(&self.message)),
        ]
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::invalid_parameter(error.to_string())
    }
}

fn header_value(text: &str) -> String {
    let visible = |ch: char| match ch {
        '\n' => ' ',
        ' '..='~' => ch,
        _ => '?',
    };
    text.chars().map(visible).collect()
}
