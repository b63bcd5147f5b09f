//! What tests of `auricle serve` share: the program at work, and those who connect to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use auricle_audio::{AudioBlock, AudioReader};
use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::HandshakeError;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};

use crate::bare::checkout;
use crate::desk::{Desk, Run};

/// Longer than any answer takes, so that a test that waits in vain ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// `auricle serve` at work.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// What it said, after it ended.
    said: Option<JoinHandle<Vec<String>>>,
    /// Where it listens for AudioSocket.
    pub(crate) audiosocket: Option<String>,
    /// What it said of listening for SIP.
    sip: Vec<String>,
}

impl Server {
    pub(crate) fn start(desk: &Desk, models: &Path, args: &[&str]) -> Self {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        Self::start_by(desk.command(&args), models)
    }

    /// By a command that becomes the program.
    pub(crate) fn start_by(mut command: Command, models: &Path) -> Self {
        // What is on this machine is asked without a proxy.
        command.env("NO_PROXY", "127.0.0.1");
        command.env("AURICLE_MODELS", models).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut before, mut audiosocket) = (Vec::new(), None);
        let mut sip = Vec::new();
        let address = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("{before:?}"))
                .unwrap();
            if let Some(address) = line.strip_prefix("listening: AudioSocket on ") {
                audiosocket = Some(address.to_owned());
            }
            if let Some(addresses) = line.strip_prefix("listening: SIP on ") {
                sip.extend(addresses.split([' ', ',']).map(str::to_owned));
            }
            if let Some(rest) = line.strip_prefix("listening: http://") {
                break rest.split(' ').next().unwrap().to_owned();
            }
            before.push(line);
        };
        let said = std::thread::spawn(move || lines.map_while(Result::ok).collect());
        Self {
            child,
            address,
            said: Some(said),
            audiosocket,
            sip,
        }
    }

    /// Where it listens for SIP over `udp`, `tcp` or `tls`.
    pub(crate) fn sip(&self, transport: &str) -> String {
        let prefix = format!("{transport}:");
        let mut addresses = self.sip.iter();
        let address = addresses.find_map(|address| address.strip_prefix(&prefix));
        address
            .unwrap_or_else(|| panic!("{transport}: {:?}", self.sip))
            .to_owned()
    }

    /// Status and body of a page.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        text_answer(self.ask("GET", path, ""))
    }

    /// The same for one that is no text.
    pub(crate) fn get_bytes(&self, path: &str) -> (u16, Vec<u8>) {
        answer(self.ask("GET", path, ""))
    }

    /// Asks again until the answer is so.
    pub(crate) fn wait_for(&self, path: &str, mut is_so: impl FnMut(&Value) -> bool) {
        while !is_so(&self.json(path)) {
            std::thread::yield_now();
        }
    }

    /// The same for one that changes something; `more` are headers.
    pub(crate) fn post(&self, path: &str, more: &str, body: &str) -> (u16, String) {
        self.send("POST", path, more, body)
    }

    fn send(&self, method: &str, path: &str, more: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let more = format!("Content-Length: {length}\r\n{more}");
        let mut stream = self.ask(method, path, &more);
        stream.write_all(body.as_bytes()).unwrap();
        text_answer(stream)
    }

    /// Sends JSON, with this key where it is not empty; gives status and JSON.
    pub(crate) fn send_json(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> (u16, Value) {
        let mut more = "Content-Type: application/json\r\n".to_owned();
        if !key.is_empty() {
            more += &format!("Authorization: Bearer {key}\r\n");
        }
        let (status, body) = self.send(method, path, &more, &body.to_string());
        (status, serde_json::from_str(&body).unwrap())
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn ask(&self, method: &str, path: &str, more: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = &self.address;
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Events after this one until this call is over.
    pub(crate) fn events(&self, query: &str, more: &str, call: &str) -> Vec<Value> {
        self.events_until(query, more, |event| {
            event["type"] == "call_ended" && event["call_id"] == call
        })
    }

    /// Events up to one of which this holds; or that they are gone.
    pub(crate) fn events_until(
        &self,
        query: &str,
        more: &str,
        is_last: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let stream = self.ask("GET", &format!("/api/v1/live?{query}"), more);
        let mut events = Vec::new();
        for line in BufReader::new(stream).lines() {
            let line = line.unwrap();
            let Some(json) = line.strip_prefix("data: ") else {
                continue;
            };
            // What says that events are gone is no JSON.
            let event: Value = serde_json::from_str(json).unwrap_or_else(|_| json.into());
            events.push(event);
            if events.last().is_some_and(&is_last) {
                break;
            }
        }
        events
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end; gives its exit code and what it said.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        // The shell has it built in; not every system has the program.
        let kill = format!("kill -TERM {}", self.child.id());
        let killed = std::process::Command::new("sh")
            .args(["-c", &kill])
            .status();
        assert!(killed.unwrap().success());
        let code = self.child.wait().unwrap().code();
        (code, self.said.take().unwrap().join().unwrap().join("\n"))
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body of an answer.
fn answer(mut stream: TcpStream) -> (u16, Vec<u8>) {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let body = answer.split_off(head.unwrap() + 4);
    let head = String::from_utf8(answer).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body)
}

fn text_answer(stream: TcpStream) -> (u16, String) {
    let (status, body) = answer(stream);
    (status, String::from_utf8(body).unwrap())
}

/// Those of this type.
pub(crate) fn of_type<'e>(events: &'e [Value], kind: &str) -> Vec<&'e Value> {
    events
        .iter()
        .filter(|event| event["type"] == kind)
        .collect()
}

/// What `analyze` makes of the recording.
pub(crate) fn analysed(models: &PathBuf, name: &str) -> Value {
    let desk = Desk::new();
    let call = checkout().join(format!("fixtures/audio/calls/{name}.wav"));
    let mut command = desk.command(&["analyze", call.to_str().unwrap(), "--out", "json"]);
    let run = Run::of(command.env("AURICLE_MODELS", models).output().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let text = fs::read_to_string(desk.path(&format!("json/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Channels of a recording, 16-bit linear, low byte first.
pub(crate) fn channels(name: &str) -> [Vec<u8>; 2] {
    let path = checkout().join(format!("fixtures/audio/calls/{name}.wav"));
    let mut reader = AudioReader::open(path).unwrap();
    let (mut block, mut channels) = (AudioBlock::new(), [Vec::new(), Vec::new()]);
    while reader.next_block(&mut block).unwrap() > 0 {
        for (channel, samples) in channels.iter_mut().zip(block.channels()) {
            let samples = samples.iter().map(|sample| (sample * 32768.0) as i16);
            channel.extend(samples.flat_map(i16::to_le_bytes));
        }
    }
    channels
}

/// What one party says in a transcript.
pub(crate) fn said_by(call: &Value, party: &str) -> Vec<String> {
    let utterances = call["utterances"].as_array().unwrap().iter();
    let of_party = utterances.filter(|utterance| utterance["party"] == party);
    of_party
        .map(|utterance| utterance["text"].as_str().unwrap().to_owned())
        .collect()
}

pub(crate) fn n_said(call: &Value) -> usize {
    call["utterances"].as_array().unwrap().len()
}

/// Makes a key of this role, and has the configuration know it.
pub(crate) fn key(desk: &Desk, role: &str) -> String {
    let mut made = desk.command(&["api-key", "wall \"board\"", "--role", role]);
    let made = Run::of(made.output().unwrap());
    desk.put("auricle.toml", &made.out);
    let key = made.err.lines().find_map(|line| line.strip_prefix("key: "));
    key.unwrap().to_owned()
}

/// Samples of two channels, one by one.
pub(crate) fn interleaved([left, right]: &[Vec<u8>; 2]) -> Vec<u8> {
    let pairs = left.chunks(2).zip(right.chunks(2));
    pairs
        .flat_map(|(left, right)| [left, right].concat())
        .collect()
}

/// A WebSocket that was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A client's WebSocket.
pub(crate) struct Client {
    pub(crate) socket: WebSocket<TcpStream>,
    /// Of the answer that opened it.
    pub(crate) headers: HeaderMap,
}

impl Client {
    pub(crate) fn open(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        match Self::try_open(server, path, headers) {
            Ok(client) => client,
            Err(refused) => panic!("{refused:?}"),
        }
    }

    pub(crate) fn try_open(
        server: &Server,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Box<Refused>> {
        let address = format!("ws://{}{path}", server.address);
        let mut request = address.into_client_request().unwrap();
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            let value = HeaderValue::try_from(*value).unwrap();
            request.headers_mut().insert(name, value);
        }
        let stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match client(request, stream) {
            Ok((socket, response)) => Ok(Self {
                socket,
                headers: response.headers().clone(),
            }),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(Box::new(Refused {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: String::from_utf8(response.body().clone().unwrap_or_default()).unwrap(),
            })),
            Err(other) => panic!("{other}"),
        }
    }

    /// Sends audio in pieces of this length, as fast as it is taken.
    pub(crate) fn speak(&mut self, audio: &[u8], piece_bytes: usize) {
        for piece in audio.chunks(piece_bytes) {
            self.socket.send(Message::binary(piece.to_vec())).unwrap();
        }
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// The next text message, read; `None` when the server closed.
    pub(crate) fn next(&mut self) -> Result<Value, (u16, String)> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(Some(frame))) => {
                    // The answer goes out with the next read.
                    let _ = self.socket.read();
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Ok(Message::Close(None)) => return Err((1005, String::new())),
                Ok(_) => {}
                Err(cause) => panic!("{cause}"),
            }
        }
    }

    /// All messages until the server closes, and how it does.
    pub(crate) fn rest(&mut self) -> (Vec<Value>, (u16, String)) {
        let mut messages = Vec::new();
        loop {
            match self.next() {
                Ok(message) => messages.push(message),
                Err(close) => return (messages, close),
            }
        }
    }

    /// Closes, as somebody who wants no answer.
    pub(crate) fn leave(mut self) {
        self.socket.close(None).unwrap();
        while self.socket.read().is_ok() {}
    }
}

/// One leg, as Asterisk sends it, as fast as it is taken.
pub(crate) fn speak(address: &str, id: [u8; 16], audio: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&frame(0x01, &id)).unwrap();
    for piece in audio.chunks(320) {
        stream.write_all(&frame(0x10, piece)).unwrap();
    }
    stream.write_all(&frame(0x00, &[])).unwrap();
}

/// A Python that has this module, which scripts/test.sh installs.
pub(crate) fn python(module: &str) -> Option<Command> {
    let make = || {
        let own = checkout().join(".native/python");
        let given = std::env::var_os("PYTHONPATH").unwrap_or_default();
        let folders = std::env::split_paths(&given).chain([own]);
        let mut python =
            Command::new(std::env::var_os("AURICLE_PYTHON").unwrap_or("python3".into()));
        python.env("PYTHONPATH", std::env::join_paths(folders).unwrap());
        python
    };
    let tried = make().args(["-c", &format!("import {module}")]).output();
    if tried.is_ok_and(|tried| tried.status.success()) {
        return Some(make());
    }
    println!("skipped: no Python with {module} (scripts/test-requirements.txt)");
    None
}

/// A frame of AudioSocket.
pub(crate) fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    [&[kind], &length[..], payload].concat()
}
