//! Traces of calls, as a collector gets them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use crate::bare::{checkout, desk_with_voice_activity};
use crate::desk::Run;
use crate::server::{PATIENCE, Server};

/// Takes what a collector is sent: paths and bodies.
fn collect(listener: TcpListener) -> mpsc::Receiver<(String, Vec<u8>)> {
    let (got, all) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if got.send(take(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    all
}

fn take(stream: TcpStream) -> (String, Vec<u8>) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    reader.get_mut().write_all(answer).unwrap();
    let path = first.split(' ').nth(1).unwrap().to_owned();
    (path, body)
}

#[test]
fn a_collector_gets_where_the_time_of_each_utterance_went() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let collector = listener.local_addr().unwrap();
    desk.put(
        "auricle.toml",
        format!("[live.traces]\nendpoint = 'http://{collector}'\n"),
    );
    let got = collect(listener);
    let file = checkout().join("fixtures/audio/calls/fixture-01.wav");
    let args = ["--replay", file.to_str().unwrap(), "--speed", "8"];
    let server = Server::start(&desk, &models, &args);
    server.events("after=0", "", "live-fixture-01");
    let saved = server.json("/api/v1/calls/live-fixture-01");
    server.stop();
    let (paths, bodies): (Vec<String>, Vec<Vec<u8>>) = got.try_iter().unzip();
    assert!(
        !paths.is_empty() && paths.iter().all(|path| path == "/v1/traces"),
        "{paths:?}"
    );
    let body = bodies.concat();
    // Names lie in protobuf as they are.
    let count = |text: &str| {
        body.windows(text.len())
            .filter(|bytes| *bytes == text.as_bytes())
            .count()
    };
    let n_utterances = saved["utterances"].as_array().unwrap().len();
    assert!(n_utterances > 2);
    for name in [
        "utterance",
        "speech",
        "endpoint",
        "recognise",
        "judge",
        "tell",
    ] {
        assert_eq!(count(name), n_utterances, "{name}");
    }
    assert_eq!((count("live-fixture-01"), count("save")), (1, 1));
    assert!(count("auricle") > 0);
    for utterance in saved["utterances"].as_array().unwrap() {
        assert_eq!(
            count(utterance["text"].as_str().unwrap()),
            0,
            "words stay here"
        );
    }
}

#[test]
fn an_endpoint_that_is_none_is_named() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", "[live.traces]\nendpoint = 'no address'\n");
    let run = Run::of(
        desk.command(&["serve", "--listen", "127.0.0.1:0"])
            .env("AURICLE_MODELS", &models)
            .output()
            .unwrap(),
    );
    assert_ne!(run.code, Some(0));
    assert!(run.err.contains("live.traces.endpoint"), "{}", run.err);
}
