//! `auricle serve` at work, and what it answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::desk::Desk;

/// Longer than any answer takes, so that a test that waits in vain ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// `auricle serve` at work.
pub(crate) struct Server {
    child: Child,
    address: String,
    /// What it said, after it ended.
    said: JoinHandle<Vec<String>>,
    /// Where it listens for AudioSocket.
    pub(crate) audiosocket: Option<String>,
}

impl Server {
    pub(crate) fn start(desk: &Desk, models: &Path, args: &[&str]) -> Self {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let mut command = desk.command(&args);
        // What is on this machine is asked without a proxy.
        command.env("NO_PROXY", "127.0.0.1");
        command.env("AURICLE_MODELS", models).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut before, mut audiosocket) = (Vec::new(), None);
        let address = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("{before:?}"))
                .unwrap();
            if let Some(address) = line.strip_prefix("listening: AudioSocket on ") {
                audiosocket = Some(address.to_owned());
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
            said,
            audiosocket,
        }
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
        let length = body.len();
        let more = format!("Content-Length: {length}\r\n{more}");
        let mut stream = self.ask("POST", path, &more);
        stream.write_all(body.as_bytes()).unwrap();
        text_answer(stream)
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    fn ask(&self, method: &str, path: &str, more: &str) -> TcpStream {
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
        (code, self.said.join().unwrap().join("\n"))
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
