//! `auricle serve`: calls of fixtures/audio/calls as calls under way.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use auricle_audio::{AudioBlock, AudioReader};
use serde_json::Value;

use crate::bare::{checkout, desk_with_voice_activity};
use crate::desk::{Desk, Run};

/// Longer than any answer takes, so that a test that waits in vain ends.
const PATIENCE: Duration = Duration::from_secs(300);

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
    pub(crate) fn start(desk: &Desk, models: &PathBuf, args: &[&str]) -> Self {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let mut command = desk.command(&args);
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
        let (status, body) = self.get_bytes(path);
        (status, String::from_utf8(body).unwrap())
    }

    pub(crate) fn get_bytes(&self, path: &str) -> (u16, Vec<u8>) {
        let mut stream = self.ask(path, "");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer[end + 4..].to_vec())
    }

    /// Asks again until the answer is so.
    pub(crate) fn wait_for(&self, path: &str, mut is_so: impl FnMut(&Value) -> bool) {
        while !is_so(&self.json(path)) {
            std::thread::yield_now();
        }
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    fn ask(&self, path: &str, more: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = &self.address;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Events after this one until this call is over.
    pub(crate) fn events(&self, query: &str, more: &str, call: &str) -> Vec<Value> {
        let stream = self.ask(&format!("/api/v1/live?{query}"), more);
        let mut events = Vec::new();
        for line in BufReader::new(stream).lines() {
            let line = line.unwrap();
            let Some(json) = line.strip_prefix("data: ") else {
                continue;
            };
            let event: Value = serde_json::from_str(json).unwrap();
            let is_last = event["type"] == "call_ended" && event["call_id"] == call;
            events.push(event);
            if is_last {
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

fn of_type<'e>(events: &'e [Value], kind: &str) -> Vec<&'e Value> {
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

#[test]
fn a_call_that_is_played_is_told_saved_and_found() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let file = checkout().join("fixtures/audio/calls/fixture-01.wav");
    let args = ["--replay", file.to_str().unwrap(), "--speed", "8"];
    let server = Server::start(&desk, &models, &args);
    let events = server.events("after=0", "", "live-fixture-01");
    assert_eq!(events[0]["type"], "call_started");
    assert_eq!(
        events[0]["parties"],
        serde_json::json!(["agent", "customer"])
    );
    let ids: Vec<u64> = events
        .iter()
        .map(|event| event["id"].as_u64().unwrap())
        .collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
    assert!(!of_type(&events, "partial").is_empty());

    // The same as hearing the recording gives.
    let expected = analysed(&models, "fixture-01");
    let saved = server.json("/api/v1/calls/live-fixture-01");
    for part in [
        "utterances",
        "hits",
        "pii",
        "scorecard",
        "summary",
        "metrics",
    ] {
        assert_eq!(saved[part], expected[part], "{part}");
    }
    let finals = of_type(&events, "final").len();
    assert_eq!(finals, expected["utterances"].as_array().unwrap().len());
    let alerts = of_type(&events, "alert");
    let state = |alert: &Value| alert["state"].as_str().unwrap().to_owned();
    assert!(
        alerts.iter().any(|alert| state(alert) == "provisional"),
        "{alerts:?}"
    );
    let promise = alerts
        .iter()
        .find(|alert| alert["hit"]["rule"] == "promise_return");
    let id = &promise.unwrap()["alert_id"];
    let of_this = alerts.iter().filter(|alert| alert["alert_id"] == *id);
    let states: Vec<String> = of_this.map(|alert| state(alert)).collect();
    assert!(
        [vec!["raised"], vec!["provisional", "confirmed"]]
            .contains(&states.iter().map(String::as_str).collect()),
        "{states:?}"
    );

    // Whoever was away goes on where he stopped; alerts alone.
    let middle = ids[ids.len() / 2];
    let rest = server.events(
        "",
        &format!("Last-Event-ID: {middle}\r\n"),
        "live-fixture-01",
    );
    assert_eq!(rest, events[ids.len() / 2 + 1..]);
    let search = server.json("/api/v1/search?q=hit:promise_return");
    assert_eq!(search["calls"][0]["call_id"], "live-fixture-01");
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("calls: 1"), "{said}");
}

#[test]
fn a_call_that_the_program_ends_is_saved_as_far_as_it_is_heard() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put(
        "auricle.toml",
        "[live]\ndrain_secs = 0\n[live.audiosocket]\nlisten = '127.0.0.1:0'\n",
    );
    let server = Server::start(&desk, &models, &[]);
    let mut agent = TcpStream::connect(server.audiosocket.as_ref().unwrap()).unwrap();
    let [audio, _] = channels("fixture-01");
    agent.write_all(&frame(0x01, &[7; 16])).unwrap();
    for piece in audio[..16_000 * 12].chunks(320) {
        agent.write_all(&frame(0x10, piece)).unwrap();
    }
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("warning: 1 call ended by the program"),
        "{said}"
    );
    let shown = desk.ok(&["show", "07070707", "--json"]);
    let call: Value = serde_json::from_str(&shown).unwrap();
    assert!(
        !call["utterances"].as_array().unwrap().is_empty(),
        "{shown}"
    );
}

#[test]
fn pages_say_what_is_there_and_what_is_not() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    assert_eq!(server.get("/healthz"), (200, "alive\n".into()));
    assert_eq!(server.get("/readyz"), (200, "ready\n".into()));
    let calls = server.json("/api/v1/calls");
    assert_eq!(calls, serde_json::json!({"under_way": [], "saved": []}));
    let (status, body) = server.get("/api/v1/calls/none");
    assert_eq!(status, 404, "{body}");
    assert!(body.contains("no call `none` is saved"), "{body}");
    let (status, body) = server.get("/api/v1/search?q=%22");
    assert_eq!(status, 400, "{body}");
    assert_eq!(server.get("/nowhere").0, 404);
    assert_eq!(server.get("/api/v1/live?only=nothing").0, 400);
    let (_, metrics) = server.get("/metrics");
    assert!(metrics.contains("auricle_live_calls 0\n"), "{metrics}");
    assert!(metrics.contains("auricle_live_word_to_alert_seconds_count 0\n"));
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("calls: 0; word to alert: 95 % within none"),
        "{said}"
    );
}

#[test]
fn keys_let_in_who_has_one() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let mut made = desk.command(&["api-key", "wall \"board\"", "--role", "inspector"]);
    let made = Run::of(made.output().unwrap());
    let key = made
        .err
        .lines()
        .find_map(|line| line.strip_prefix("key: "))
        .unwrap()
        .to_owned();
    desk.put("auricle.toml", &made.out);
    let server = Server::start(&desk, &models, &[]);
    let (status, body) = server.get("/api/v1/calls");
    assert_eq!(status, 401, "{body}");
    assert_eq!(server.get(&format!("/api/v1/calls?key={key}")).0, 200);
    assert_eq!(server.get("/api/v1/calls?key=other").0, 401);
    let (status, body) = server.get(&format!("/api/v1/live?key={key}"));
    assert_eq!(status, 403, "{body}");
    assert_eq!(server.get("/healthz").0, 200);
    let refused = desk.fails(&["serve", "--listen", "not an address"], 2, &["--listen"]);
    assert!(refused.out.is_empty());
    server.stop();
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

/// A frame of AudioSocket.
pub(crate) fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    [&[kind], &length[..], payload].concat()
}

/// One leg, as Asterisk sends it, as fast as it is taken.
fn speak(address: &str, id: [u8; 16], audio: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&frame(0x01, &id)).unwrap();
    for piece in audio.chunks(320) {
        stream.write_all(&frame(0x10, piece)).unwrap();
    }
    stream.write_all(&frame(0x00, &[])).unwrap();
}

#[test]
fn two_connections_of_asterisk_are_one_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put(
        "auricle.toml",
        "[live.audiosocket]\nlisten = '127.0.0.1:0'\n",
    );
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let [agent, customer] = channels("fixture-01");
    let id = [7; 16];
    let call = "07070707-0707-0707-0707-070707070707";
    std::thread::scope(|scope| {
        scope.spawn(|| speak(&address, id, &agent));
        // The first is the agent's.
        server.wait_for("/api/v1/calls", |calls| {
            calls["under_way"] != serde_json::json!([])
        });
        scope.spawn(|| speak(&address, id, &customer));
        let events = server.events("after=0", "", call);
        assert_eq!(events[0]["source"], "audiosocket");
    });
    let saved = server.json(&format!("/api/v1/calls/{call}"));
    let expected = analysed(&models, "fixture-01");
    let said_by_agent = |call: &Value| -> Vec<String> {
        let utterances = call["utterances"].as_array().unwrap().iter();
        let agents = utterances.filter(|utterance| utterance["party"] == "agent");
        agents
            .map(|utterance| utterance["text"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(said_by_agent(&saved), said_by_agent(&expected));
    let n_said = |call: &Value| call["utterances"].as_array().unwrap().len();
    assert_eq!(n_said(&saved), n_said(&expected));

    // What is no AudioSocket is told so, and counted.
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(answer, [0xff, 0, 1, 0x10]);
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("auricle_live_connections_refused_total 1\n"),
        "{metrics}"
    );
    server.stop();
}
