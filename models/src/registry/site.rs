//! The sites models come from: the HTTP client, and why one did not answer.

use std::env;
use std::error::Error;
use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use rustls::crypto::ring;

use super::pull::{Proxy, PullOptions};

/// Environment variable with mirrors, separated by white space.
const MIRROR_VARIABLE: &str = "AURICLE_MODEL_MIRROR";

/// Mirrors named in the environment.
pub(super) fn mirrors_of_environment() -> Vec<String> {
    let value = env::var(MIRROR_VARIABLE).unwrap_or_default();
    value.split_whitespace().map(str::to_owned).collect()
}

/// A client with the options' proxy and timeouts.
pub(super) fn client(options: &PullOptions) -> Result<Client, String> {
    // Another part of the process may have installed one already; either serves.
    let _ = ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("auricle/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout);
    match &options.proxy {
        Proxy::Environment => {}
        Proxy::Direct => builder = builder.no_proxy(),
        Proxy::At(proxy) => {
            let parsed = reqwest::Proxy::all(proxy)
                .map_err(|cause| format!("`{proxy}` is no proxy: {}", innermost(&cause)))?;
            builder = builder.proxy(parsed);
        }
    }
    builder.build().map_err(|cause| innermost(&cause))
}

/// Why an address gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SiteFailure {
    /// In words.
    pub(super) cause: String,
    /// Whether trying the same address again may help.
    pub(super) retry: Retry,
}

/// Whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// It may.
    Soon,
    /// It will not.
    Never,
}

impl SiteFailure {
    pub(super) fn never(cause: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            retry: Retry::Never,
        }
    }

    pub(super) fn soon(cause: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            retry: Retry::Soon,
        }
    }

    /// An error of the client.
    pub(super) fn of_error(error: &reqwest::Error) -> Self {
        let innermost = innermost(error);
        if error.is_timeout() {
            return Self::soon("no answer in time");
        }
        if error.is_connect() {
            // A name that does not resolve and a refused connection stay so within seconds.
            return Self::never(format!("cannot connect: {innermost}"));
        }
        if error.is_builder() || error.is_redirect() {
            return Self::never(innermost);
        }
        Self::soon(format!("the connection broke: {innermost}"))
    }

    /// An answer that is no success.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let cause = format!("answered {status}");
        let is_passing = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::REQUEST_TIMEOUT;
        if is_passing {
            Self::soon(cause)
        } else {
            Self::never(cause)
        }
    }
}

/// The cause at the bottom of an error's chain: the one that tells.
fn innermost(error: &dyn Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// Host of an address, for messages; credentials and query stay out of them.
pub(super) fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    parsed
        .and_then(|url| {
            let host = url.host_str()?.to_owned();
            Some(
                url.port()
                    .map_or_else(|| host.clone(), |port| format!("{host}:{port}")),
            )
        })
        .unwrap_or_else(|| url.to_owned())
}

/// `path` below a mirror's address.
pub(super) fn below(mirror: &str, path: &str) -> String {
    format!("{}/{path}", mirror.trim_end_matches('/'))
}

/// Pause before attempt `attempt` (from 1) at the same address.
pub(super) fn pause(options: &PullOptions, attempt: u32) -> Duration {
    options.retry_pause.saturating_mul(attempt)
}
