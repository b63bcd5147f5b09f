//! `[[live.webhooks]]`.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use anyhow::Result;
use auricle_contracts::EventKind;
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::usual_events;
use crate::exit::usage;

/// A name stands in addresses and in figures.
const LONGEST_NAME: usize = 64;
/// Shorter ones can be guessed.
const SHORTEST_SECRET: usize = 16;
/// Seconds of a week.
const WEEK_SECS: u64 = 604_800;

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookConfig {
    /// Letters, digits, `-`, `_` and `.`; what waits for it is kept under this name.
    #[schemars(length(min = 1, max = LONGEST_NAME), example = &"crm")]
    pub(crate) name: String,
    /// Where events are sent.
    #[schemars(with = "String", example = &"https://crm.example/auricle", extend("writeOnly" = true))]
    url: Address,
    /// What they are signed with.
    #[schemars(with = "Option<String>", length(min = SHORTEST_SECRET), extend("writeOnly" = true))]
    #[schemars(example = &"0123456789abcdef0123456789abcdef")]
    secret: Option<Secret>,
    /// The environment variable that holds it, in the place of `secret`.
    #[schemars(example = &"AURICLE_CRM_SECRET")]
    secret_env: Option<String>,
    /// What is sent; `partial` cannot be.
    #[serde(default = "usual_events")]
    pub(crate) events: Vec<EventKind>,
    /// How long an answer may take.
    #[serde(default = "usual::timeout_ms")]
    #[schemars(range(min = 100, max = 60_000))]
    pub(crate) timeout_ms: u64,
    /// How long after the first failure it is tried again; each time twice as long.
    #[serde(default = "usual::first_retry_ms")]
    #[schemars(range(min = 10, max = 3_600_000))]
    pub(crate) first_retry_ms: u64,
    /// The longest pause between tries.
    #[serde(default = "usual::longest_retry_ms")]
    #[schemars(range(min = 10, max = 86_400_000))]
    pub(crate) longest_retry_ms: u64,
    /// How long an event is tried before it is a dead letter.
    #[serde(default = "usual::give_up_secs")]
    #[schemars(range(min = 0, max = WEEK_SECS))]
    pub(crate) give_up_secs: u64,
    /// How long an event that fails holds back those after it.
    #[serde(default = "usual::hold_secs")]
    #[schemars(range(min = 0, max = WEEK_SECS))]
    pub(crate) hold_secs: u64,
}

mod usual {
    pub(super) const fn timeout_ms() -> u64 {
        10_000
    }
    pub(super) const fn first_retry_ms() -> u64 {
        1_000
    }
    pub(super) const fn longest_retry_ms() -> u64 {
        3_600_000
    }
    pub(super) const fn give_up_secs() -> u64 {
        86_400
    }
    pub(super) const fn hold_secs() -> u64 {
        300
    }
}

/// What is signed with; no message shows it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

/// An address; its path may be a secret, too, and no message shows it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Address(String);

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Address(…)")
    }
}

impl WebhookConfig {
    /// Scheme, host and port: what may be shown of the address.
    pub(crate) fn site(&self) -> String {
        let url = self.parsed_url().ok();
        url.map_or_else(String::new, |url| url.origin().ascii_serialization())
    }

    /// Where events are sent.
    ///
    /// # Errors
    /// When it is no address.
    pub(super) fn parsed_url(&self) -> Result<Url> {
        let url = Url::parse(&self.url.0).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.ok_or_else(|| self.wrong("`url` must begin with https:// or http://"))
    }

    /// What events are signed with.
    ///
    /// # Errors
    /// When there is none, or it is too short.
    pub(super) fn secret(&self) -> Result<Zeroizing<String>> {
        let secret = match (&self.secret, &self.secret_env) {
            (Some(secret), None) => secret.0.clone(),
            (None, Some(variable)) => std::env::var(variable).map_err(|_| {
                self.wrong(&format!(
                    "the environment variable `{variable}` is not set\nhint: `secret_env` names it"
                ))
            })?,
            (None, None) => {
                return Err(
                    self.wrong("there is no `secret`\nhint: `openssl rand -hex 32` makes one")
                );
            }
            (Some(_), Some(_)) => {
                return Err(self.wrong("there are `secret` and `secret_env`\nhint: leave one out"));
            }
        };
        match secret.len() >= SHORTEST_SECRET {
            true => Ok(Zeroizing::new(secret)),
            false => Err(self.wrong(&format!(
                "the secret must have {SHORTEST_SECRET} characters and more\nhint: `openssl rand -hex 32` makes one"
            ))),
        }
    }

    /// Whether what is sent can be read between here and there.
    pub(super) fn is_readable_on_the_way(&self) -> bool {
        let is_here = |host: &str| {
            let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
            ip.is_ok_and(|ip| ip.is_loopback()) || host == "localhost"
        };
        let url = self.parsed_url().ok();
        url.is_some_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_here))
    }

    fn wrong(&self, what: &str) -> anyhow::Error {
        usage(format!("`live.webhooks`, `{}`: {what}", self.name))
    }

    fn check(&self) -> Result<()> {
        let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.name.is_empty() || self.name.len() > LONGEST_NAME || !self.name.bytes().all(is_fit)
        {
            return Err(self.wrong(&format!(
                "`name` must have 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`"
            )));
        }
        if self.events.is_empty() {
            return Err(
                self.wrong("`events` is empty\nhint: without it alert and call_ended are sent")
            );
        }
        if self.events.contains(&EventKind::Partial) {
            return Err(self.wrong("partials are not sent\nhint: /api/v1/live has them"));
        }
        self.parsed_url().map(drop)
    }
}

/// What can be told before anything is started, beside the ranges of numbers, which are held where the configuration is
/// read.
///
/// # Errors
/// Names the webhook and what is wrong with it.
pub(crate) fn check(webhooks: &[WebhookConfig]) -> Result<()> {
    let mut names = HashSet::new();
    for webhook in webhooks {
        webhook.check()?;
        webhook.secret()?;
        if !names.insert(webhook.name.as_str()) {
            return Err(webhook.wrong("another one has this name"));
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn webhook(text: &str) -> WebhookConfig {
        toml::from_str(text).unwrap()
    }

    const GOOD: &str = "name = 'crm'\nurl = 'https://crm.example/hook?token=abc'\n";
    const SECRET: &str = "secret = '0123456789abcdef'\n";

    #[test]
    fn what_is_not_said_is_usual() {
        let config = webhook(&format!("{GOOD}{SECRET}"));
        check(std::slice::from_ref(&config)).unwrap();
        assert_eq!(config.events, [EventKind::Alert, EventKind::CallEnded]);
        assert_eq!((config.timeout_ms, config.hold_secs), (10_000, 300));
        assert_eq!(config.site(), "https://crm.example");
        assert!(!config.is_readable_on_the_way());
    }

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, expected: &str| {
            let error = super::check(&[webhook(text)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("abc"), "{error}");
        };
        check(GOOD, "there is no `secret`");
        check(&format!("{GOOD}secret = 'abc'"), "16 characters");
        check(&format!("{GOOD}{SECRET}secret_env = 'X'"), "leave one out");
        check(
            &format!("{GOOD}secret_env = 'AURICLE_NOT_SET'"),
            "`AURICLE_NOT_SET` is not set",
        );
        check(
            &format!("{GOOD}{SECRET}events = ['partial']"),
            "partials are not sent",
        );
        check(&format!("{GOOD}{SECRET}events = []"), "`events` is empty");
        for url in ["ftp://crm.example/abc", "crm.example/abc", ""] {
            check(
                &format!("name = 'crm'\nurl = '{url}'\n{SECRET}"),
                "`url` must begin with",
            );
        }
        for name in ["", "a b", "a/b", &"a".repeat(65)] {
            check(
                &format!("name = '{name}'\nurl = 'http://x'\n{SECRET}"),
                "`name` must have",
            );
        }
        let twice = webhook(&format!("{GOOD}{SECRET}"));
        let error = super::check(&[twice.clone(), twice])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`crm`: another one has this name"),
            "{error}"
        );
    }

    #[test]
    fn nothing_shows_secrets() {
        let config = webhook(&format!("{GOOD}{SECRET}"));
        let shown = format!("{config:?}");
        for secret in ["0123456789abcdef", "token", "abc"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn addresses_without_tls_are_known() {
        let config = |url: &str| webhook(&format!("name = 'x'\nurl = '{url}'\n{SECRET}"));
        for here in ["http://127.0.0.1:1/", "http://[::1]/", "http://localhost/x"] {
            assert!(!config(here).is_readable_on_the_way(), "{here}");
        }
        assert!(config("http://10.0.0.1/").is_readable_on_the_way());
    }
}
