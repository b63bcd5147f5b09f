//! Why something is not done, as the other side and the log are told.

use rsipstack::sip::{Header, StatusCode};

use super::digest::Unproven;
use super::session::NotAnswered;
use super::timer::{LEAST_SECS, TimerRefusal};
use crate::serve::ingest::not_taken::cause_and_hint;

/// Letters of a warning that is told: a line of text.
const LONGEST_WARNING: usize = 200;
/// Who warns (RFC 3261, section 20.43): a name, not an address.
const AGENT: &str = "auricle";
/// When somebody who was refused may try again, seconds.
const RETRY_AFTER_SECS: u32 = 2;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// For the log and the other side: no personal data. Its last line may be a hint.
    pub(super) why: String,
    /// For the figures.
    pub(super) reason: &'static str,
    /// What else the other side is told.
    headers: Vec<Header>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: &'static str, why: impl Into<String>) -> Self {
        Self {
            status,
            why: why.into(),
            reason,
            headers: Vec::new(),
        }
    }

    pub(super) fn with(mut self, header: Header) -> Self {
        self.headers.push(header);
        self
    }

    /// No more calls for now.
    pub(super) fn overloaded(reason: &'static str, why: &str) -> Self {
        Self::new(StatusCode::ServiceUnavailable, reason, why).with(retry_after())
    }

    /// A password is needed: `challenge` is the value of `WWW-Authenticate`.
    pub(super) fn unproven(why: Unproven, challenge: String) -> Self {
        let told = match why {
            Unproven::Missing => "a password is needed",
            Unproven::Stale => "the password was sent for a challenge that counts no more",
            Unproven::Wrong => "user or password are not known",
        };
        Self::new(StatusCode::Unauthorized, why.as_str(), told)
            .with(Header::WwwAuthenticate(challenge.into()))
    }

    /// Whether it only asks for a password, as every call with one begins.
    pub(super) fn is_question(&self) -> bool {
        self.reason == Unproven::Missing.as_str()
    }

    /// All headers that go with the status, a warning among them.
    pub(super) fn headers(&self) -> Vec<Header> {
        let mut headers = self.headers.clone();
        headers.push(warning(&self.why));
        headers
    }
}

impl From<TimerRefusal> for Refusal {
    fn from(refusal: TimerRefusal) -> Self {
        match refusal {
            TimerRefusal::Unreadable(name) => Self::new(
                StatusCode::BadRequest,
                "malformed",
                format!("`{name}` must be a number of seconds"),
            ),
            TimerRefusal::TooShort => Self::new(
                StatusCode::SessionIntervalTooSmall,
                "short_session",
                format!("`Session-Expires` must be at least {LEAST_SECS}"),
            )
            .with(Header::MinSE(LEAST_SECS.to_string().into())),
        }
    }
}

impl From<NotAnswered> for Refusal {
    fn from(refused: NotAnswered) -> Self {
        let reason = refused.reason.as_str();
        let refusal = Self::new(StatusCode::from(refused.status), reason, refused.why);
        match refusal.status {
            StatusCode::ServiceUnavailable => refusal.with(retry_after()),
            _ => refusal,
        }
    }
}

fn retry_after() -> Header {
    Header::RetryAfter(RETRY_AFTER_SECS.to_string().into())
}

/// A warning of no further kind (RFC 3261, section 20.43: 399). A hint is for whoever reads our log.
pub(super) fn warning(why: &str) -> Header {
    let (cause, _) = cause_and_hint(why);
    let visible = |letter: char| match letter {
        '"' | '\\' => '\'',
        ' '..='~' => letter,
        _ => '?',
    };
    let text: String = cause.chars().take(LONGEST_WARNING).map(visible).collect();
    Header::Warning(format!("399 {AGENT} \"{text}\"").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_one_quoted_line() {
        for (why, expected) in [
            ("no offer", "399 auricle \"no offer\""),
            (
                "`m=` \"is\" bad\nhint: mend it",
                "399 auricle \"`m=` 'is' bad\"",
            ),
            ("a\r\nb: c\\ ä", "399 auricle \"a??b: c' ?\""),
        ] {
            assert_eq!(warning(why).value(), expected);
        }
        let long = "x".repeat(1_000);
        assert_eq!(
            warning(&long).value().len(),
            LONGEST_WARNING + "399 auricle \"\"".len()
        );
    }

    #[test]
    fn refusals_say_what_to_do() {
        let told = |refusal: Refusal| {
            let headers = refusal.headers();
            let headers = headers.iter().map(Header::to_string);
            (refusal.status.code(), headers.collect::<Vec<_>>())
        };
        let (status, headers) = told(TimerRefusal::TooShort.into());
        assert_eq!(status, 422);
        assert_eq!(headers[0], "Min-SE: 90");
        let (status, headers) = told(TimerRefusal::Unreadable("Min-SE").into());
        assert_eq!(status, 400);
        assert_eq!(
            headers,
            ["Warning: 399 auricle \"`Min-SE` must be a number of seconds\""]
        );
        let (status, headers) = told(Refusal::overloaded("rate", "too many"));
        assert_eq!(status, 503);
        assert_eq!(headers[0], "Retry-After: 2");
        let challenge = "Digest x".to_owned();
        let (status, headers) = told(Refusal::unproven(Unproven::Wrong, challenge));
        assert_eq!(status, 401);
        assert_eq!(headers[0], "WWW-Authenticate: Digest x");
    }
}
