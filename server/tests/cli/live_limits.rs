//! Connections of the HTTP interface: too many, too much.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::bare::desk_with_voice_activity;
use crate::server::{Client, PATIENCE, Server};

#[test]
fn more_connections_than_there_may_be_are_told_so() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", "[live]\nmost_connections = 10\n");
    let server = Server::start(&desk, &models, &[]);
    let address = server.address.trim_start_matches("http://").to_owned();
    // They never come to the end of their request.
    let slow: Vec<TcpStream> = (0..10)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
            stream
        })
        .collect();
    let mut refused = TcpStream::connect(&address).unwrap();
    refused.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = String::new();
    refused.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("live.most_connections"), "{answer}");
    drop(slow);
    // There is place again as soon as they are seen to be gone; until then whoever asks is refused, too.
    let mut n_refused = 1;
    let metrics = loop {
        match server.get("/metrics") {
            (200, metrics) => break metrics,
            (status, body) => assert_eq!(status, 503, "{body}"),
        }
        n_refused += 1;
    };
    let counted = format!("auricle_live_connections_refused_total {n_refused}\n");
    assert!(metrics.contains(&counted), "{counted}: {metrics}");
    server.stop();
}

#[test]
fn a_watcher_who_sends_too_much_is_let_go() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let mut client = Client::open(&server, "/api/v1/live", &[]);
    // The head of a masked frame of 4,097 bytes, and nothing of them (RFC 6455, 5.2).
    let head = [0x82, 0x80 | 126, 0x10, 0x01, 0, 0, 0, 0];
    client.socket.get_mut().write_all(&head).unwrap();
    // There may be one ping before: the next one would come after 15 s.
    let is_let_go = (0..2).any(|_| client.socket.read().is_err());
    assert!(is_let_go);
    server.stop();
}
