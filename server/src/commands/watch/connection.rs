//! A connection to a server that tells what happens.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error as WsError;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::WatchArgs;
use crate::serve::{BEGINS_AFTER, GONE};
use crate::text_file::read_text;

/// How long a server may take to let somebody in.
const OPEN_WITHIN: Duration = Duration::from_secs(60);

/// What comes of a server.
#[derive(Debug)]
pub(super) enum Told {
    /// An event, as JSON.
    Event(Utf8Bytes),
    /// What was missed is gone; why, as the server says it.
    Gone(String),
    /// The server ends.
    Ending,
}

/// To a server, by its events.
pub(super) struct Connection {
    server: String,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Events come after this one, if the server says so.
    pub(super) begins_after: Option<u64>,
}

impl Connection {
    /// To be told what happens after the event `after`, or from now on.
    ///
    /// # Errors
    /// When there is no server, or it lets nobody in.
    pub(super) async fn open(
        args: &WatchArgs,
        key: Option<&HeaderValue>,
        after: Option<u64>,
    ) -> Result<Self> {
        let server = args.server.clone();
        let mut request = url(args, after)?
            .as_str()
            .into_client_request()
            .with_context(|| format!("`{server}` is no address of a server"))?;
        if let Some(key) = key {
            request.headers_mut().insert("Authorization", key.clone());
        }
        let connected = tokio::time::timeout(OPEN_WITHIN, connect_async(request)).await;
        let connected = connected.map_err(|_| {
            let secs = OPEN_WITHIN.as_secs();
            anyhow!("`{server}` did not answer within {secs} s")
        })?;
        let (socket, response) = connected.map_err(|cause| refused(&server, cause))?;
        Ok(Self {
            server,
            socket,
            begins_after: begins_after(&response),
        })
    }

    /// What comes next, waiting for it. A server on which nothing else happens gives signs of life: one that gives none
    /// for so long is taken for gone.
    ///
    /// # Errors
    /// When the connection breaks off, or is closed with another reason than that events are gone.
    pub(super) async fn next(&mut self, silent_within: Duration) -> Result<Told> {
        loop {
            let message = tokio::time::timeout(silent_within, self.socket.next()).await;
            let message = message.map_err(|_| {
                let secs = silent_within.as_secs();
                anyhow!("nothing came from `{}` for {secs} s", self.server)
            })?;
            match message {
                Some(Ok(Message::Text(text))) => return Ok(Told::Event(text)),
                Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == GONE => {
                    return Ok(Told::Gone(frame.reason.to_string()));
                }
                Some(Ok(Message::Close(Some(frame)))) if !frame.reason.is_empty() => {
                    bail!("the server ended: {}", frame.reason)
                }
                None | Some(Ok(Message::Close(_)) | Err(WsError::ConnectionClosed)) => {
                    return Ok(Told::Ending);
                }
                Some(Ok(_)) => {}
                Some(Err(cause)) => {
                    bail!("the connection to `{}` broke off: {cause}", self.server)
                }
            }
        }
    }
}

/// The key in a file, as a server wants it (RFC 6750, 2.1).
///
/// # Errors
/// The file cannot be read, or there is something else in it.
pub(in crate::commands) fn bearer_of(file: &Path) -> Result<HeaderValue> {
    let text = read_text(file);
    let text = text.map_err(|cause| anyhow!("--key-file: `{}` {cause}", file.display()))?;
    let key = text.trim();
    let is_word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    let bearer = HeaderValue::from_str(&format!("Bearer {key}")).ok();
    bearer.filter(|_| is_word).with_context(|| {
        format!(
            "--key-file: `{}` holds no key\nhint: `auricle api-key NAME --role supervisor >> auricle.toml` prints `key: …`; write what stands behind that into the file, in one line",
            file.display()
        )
    })
}

fn begins_after(response: &Response) -> Option<u64> {
    let id = response.headers().get(BEGINS_AFTER)?;
    id.to_str().ok()?.parse().ok()
}

fn refused(server: &str, cause: WsError) -> anyhow::Error {
    match cause {
        WsError::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            let told: Option<serde_json::Value> = serde_json::from_slice(body).ok();
            let told = told.and_then(|told| Some(told.get("error")?.as_str()?.to_owned()));
            let told = told.unwrap_or_else(|| response.status().to_string());
            anyhow!("`{server}` refuses: {told}\nhint: --key-file names a file with a key for it")
        }
        cause => {
            anyhow!("cannot connect to `{server}`: {cause}\nhint: `auricle serve` listens there")
        }
    }
}

fn url(args: &WatchArgs, after: Option<u64>) -> Result<String> {
    let server = args.server.trim_end_matches('/');
    let base = match server.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        Some(("ws" | "wss", _)) => server.to_owned(),
        None => format!("ws://{server}"),
        Some((scheme, _)) => bail!("--server: `{scheme}` is not known\nhint: http or https"),
    };
    let mut query = Vec::new();
    query.extend(
        args.call
            .as_ref()
            .map(|call| format!("call={}", escaped(call))),
    );
    query.extend(
        args.agent
            .as_ref()
            .map(|agent| format!("agent={}", escaped(agent))),
    );
    query.extend(args.alerts.then(|| "only=alerts".to_owned()));
    query.extend(after.map(|after| format!("after={after}")));
    Ok(format!("{base}/api/v1/live?{}", query.join("&")))
}

/// For a query of a URL (RFC 3986, 2.1).
fn escaped(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_say_what_is_wanted() {
        let args = |server: &str| WatchArgs {
            server: server.into(),
            call: Some("a b".into()),
            agent: Some("王".into()),
            alerts: true,
            from_start: false,
            key_file: None,
            json: false,
            stay: false,
        };
        assert_eq!(
            url(&args("http://host:1/"), Some(7)).unwrap(),
            "ws://host:1/api/v1/live?call=a%20b&agent=%E7%8E%8B&only=alerts&after=7"
        );
        assert!(
            url(&args("https://host"), None)
                .unwrap()
                .starts_with("wss://host/api")
        );
        assert!(
            url(&args("host:80"), None)
                .unwrap()
                .starts_with("ws://host:80/api")
        );
        assert!(url(&args("ftp://host"), None).is_err());
    }

    #[test]
    fn a_key_file_is_a_key_and_mistakes_name_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.txt");
        let bearer = || bearer_of(&file).map_err(|error| error.to_string());
        let missing = bearer().unwrap_err();
        let words = format!("--key-file: `{}` cannot be read: ", file.display());
        assert!(missing.starts_with(&words), "{missing}");
        for wrong in ["", "\n", "key: auricle_1", "auricle_1\nauricle_2\n", "钥匙"] {
            std::fs::write(&file, wrong).unwrap();
            let said = bearer().unwrap_err();
            let words = format!("--key-file: `{}` holds no key\nhint: ", file.display());
            assert!(said.starts_with(&words), "{wrong}: {said}");
        }
        std::fs::write(&file, "auricle_1\n").unwrap();
        assert_eq!(bearer().unwrap(), "Bearer auricle_1");
    }
}
