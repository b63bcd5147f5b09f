//! A small HTTP/1.1 server for tests: fixed resources, ranges, cut connections.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Something served.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resource {
    pub(crate) body: Vec<u8>,
    /// Answers `Range` when set.
    pub(crate) ranges: Option<Ranges>,
    /// Bytes of the body sent to the first, second, … request before the connection is closed.
    pub(crate) cuts: Vec<usize>,
    /// Status of the first, second, … request in place of an answer.
    pub(crate) statuses: Vec<u16>,
}

/// How ranges are answered.
#[derive(Clone, Debug)]
pub(crate) struct Ranges {
    pub(crate) etag: &'static str,
}

impl Resource {
    pub(crate) fn plain(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::default()
        }
    }

    pub(crate) fn ranged(body: impl Into<Vec<u8>>, etag: &'static str) -> Self {
        Self {
            ranges: Some(Ranges { etag }),
            ..Self::plain(body)
        }
    }

    pub(crate) fn cut(mut self, cuts: &[usize]) -> Self {
        self.cuts = cuts.to_vec();
        self
    }

    pub(crate) fn statuses(mut self, statuses: &[u16]) -> Self {
        self.statuses = statuses.to_vec();
        self
    }
}

#[derive(Default)]
struct State {
    resources: HashMap<String, Resource>,
    requests: Vec<String>,
}

/// The server; it ends with the test's runtime.
pub(crate) struct TestServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl TestServer {
    /// Serves on a free port of the loopback interface.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn put(&self, path: &str, resource: Resource) {
        let mut state = self.state.lock().unwrap();
        state.resources.insert(path.to_owned(), resource);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `PATH` or `PATH RANGE-HEADER`, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }
}

async fn answer(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let path = head
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .map(str::to_owned)
    };
    let (range, if_range) = (header("range"), header("if-range"));
    let reply = {
        let mut state = state.lock().unwrap();
        let line = range
            .iter()
            .fold(path.clone(), |line, range| format!("{line} {range}"));
        state.requests.push(line);
        reply(
            state.resources.get_mut(&path),
            range.as_deref(),
            if_range.as_deref(),
        )
    };
    let _ = stream.write_all(&reply).await;
    let _ = stream.shutdown().await;
}

fn reply(resource: Option<&mut Resource>, range: Option<&str>, if_range: Option<&str>) -> Vec<u8> {
    let empty = |status: u16| {
        format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .into_bytes()
    };
    let Some(resource) = resource else {
        return empty(404);
    };
    if !resource.statuses.is_empty() {
        return empty(resource.statuses.remove(0));
    }
    let whole = resource.body.len();
    let start = range
        .filter(|_| resource.ranges.is_some())
        .filter(|_| match (if_range, &resource.ranges) {
            (Some(tag), Some(ranges)) => tag == ranges.etag,
            _ => true,
        })
        .and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse::<usize>()
                .ok()
        });
    if start.is_some_and(|start| start >= whole) {
        return empty(416);
    }
    let from = start.unwrap_or(0);
    let mut reply = match start {
        Some(from) => format!(
            "HTTP/1.1 206 X\r\ncontent-range: bytes {from}-{}/{whole}\r\n",
            whole - 1
        ),
        None => "HTTP/1.1 200 X\r\n".to_owned(),
    };
    if let Some(ranges) = &resource.ranges {
        reply += &format!("etag: {}\r\n", ranges.etag);
    }
    reply += &format!(
        "content-length: {}\r\nconnection: close\r\n\r\n",
        whole - from
    );
    let sent = if resource.cuts.is_empty() {
        whole
    } else {
        resource.cuts.remove(0)
    };
    let body = &resource.body[from..];
    [reply.as_bytes(), &body[..sent.min(body.len())]].concat()
}
