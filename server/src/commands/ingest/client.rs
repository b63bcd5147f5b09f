//! Asks a running server for the lines of its calls, and for packets of one.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode, Url};

use crate::commands::watch::bearer_of;
use crate::exit::message_of;
use crate::serve::{CallLines, LinesPage, install_tls};

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Pages of 1,000 calls: more than any server has.
const MOST_PAGES: usize = 64;

/// Who may look at lines, and who may capture packets.
const WHO_SEES_LINES: &str = "a supervisor or an integrator";
const WHO_CAPTURES: &str = "the role `support`";

/// To one server.
pub(super) struct Client {
    client: reqwest::Client,
    /// As it was given.
    server: String,
    lines: Url,
    key: Option<HeaderValue>,
}

impl Client {
    /// To the server at an address, with the key in a file where there is one.
    ///
    /// # Errors
    /// The address is none, or the file holds no key.
    pub(super) fn new(server: &str, key_file: Option<&Path>) -> Result<Self> {
        let key = key_file.map(bearer_of).transpose()?;
        install_tls();
        let client = reqwest::Client::builder()
            .user_agent(concat!("auricle/", env!("CARGO_PKG_VERSION")))
            .timeout(ANSWER_WITHIN)
            // The key is for this server and no other.
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .context("asking servers")?;
        Ok(Self {
            client,
            server: server.to_owned(),
            lines: lines_of(server)?,
            key,
        })
    }

    /// All calls under way.
    ///
    /// # Errors
    /// When there is no server, or it lets nobody in.
    pub(super) async fn calls(&self) -> Result<Vec<CallLines>> {
        let mut calls = Vec::new();
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = self.page(after).await?;
            calls.extend(page.calls);
            after = page.next.map(|next| next.0);
            if after.is_none() {
                break;
            }
        }
        Ok(calls)
    }

    async fn page(&self, after: Option<String>) -> Result<LinesPage> {
        let mut url = self.lines.clone();
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", &after);
        }
        let answer = self.ask(self.client.get(url), WHO_SEES_LINES).await?;
        let text = answer.text().await;
        let text = text.map_err(|error| self.unanswered(error))?;
        serde_json::from_str(&text).context(
            "the server tells what this program does not know\nhint: let both be of one version",
        )
    }

    /// Packets of a call from now on, as they come, for so many seconds at most.
    ///
    /// # Errors
    /// When there is no server, or it refuses.
    pub(super) async fn capture(&self, call: &str, secs: u64) -> Result<Response> {
        let mut url = self.lines.clone();
        // Beside `ingest/lines`.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop().pop().extend(["calls", call, "capture"]);
        }
        url.query_pairs_mut().append_pair("secs", &secs.to_string());
        let within = Duration::from_secs(secs).saturating_add(ANSWER_WITHIN);
        let request = self.client.get(url).timeout(within);
        self.ask(request, WHO_CAPTURES).await
    }

    /// Asks with the key; `who` may.
    async fn ask(&self, mut request: RequestBuilder, who: &str) -> Result<Response> {
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.clone());
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.unanswered(error))?;
        let status = answer.status();
        if status == StatusCode::OK {
            return Ok(answer);
        }
        let text = answer.text().await;
        let text = text.map_err(|error| self.unanswered(error))?;
        bail!(self.refused(status, &text, who))
    }

    fn unanswered(&self, error: reqwest::Error) -> anyhow::Error {
        let cause = message_of(&error.without_url().into());
        anyhow!(
            "cannot ask `{}`: {cause}\nhint: `auricle serve` listens there",
            self.server
        )
    }

    fn refused(&self, status: StatusCode, text: &str, who: &str) -> String {
        let told: Option<serde_json::Value> = serde_json::from_str(text).ok();
        let told = |key: &str| Some(told.as_ref()?.get(key)?.as_str()?.to_owned());
        let hint = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                format!("--key-file names a file with a key for it, of {who}")
            }
            _ => told("hint").unwrap_or_else(|| "the server may be of an older version".to_owned()),
        };
        let told = told("error").unwrap_or_else(|| status.to_string());
        format!("`{}` refuses: {told}\nhint: {hint}", self.server)
    }
}

/// Where a server tells of lines.
fn lines_of(server: &str) -> Result<Url> {
    let base = server.trim_end_matches('/');
    let base = match base.split_once("://") {
        Some(("http" | "https", _)) => base.to_owned(),
        Some((scheme, _)) => bail!("--server: `{scheme}` is not known\nhint: http or https"),
        None => format!("http://{base}"),
    };
    let url = Url::parse(&format!("{base}/api/v1/ingest/lines"));
    url.map_err(|cause| anyhow!("--server: `{server}` is no address of a server: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        let of = |server: &str| lines_of(server).map(String::from);
        let lines = "http://10.0.0.5:8020/api/v1/ingest/lines";
        for server in [
            "http://10.0.0.5:8020",
            "http://10.0.0.5:8020/",
            "10.0.0.5:8020",
        ] {
            assert_eq!(of(server).unwrap(), lines);
        }
        let behind_proxy = of("https://example.com/auricle").unwrap();
        assert_eq!(
            behind_proxy,
            "https://example.com/auricle/api/v1/ingest/lines"
        );
        for (server, words) in [
            ("ftp://host", "`ftp` is not known"),
            ("a b", "is no address of a server"),
        ] {
            let said = of(server).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }
}
