//! Connections of the HTTP interface: too many, too slow.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::bare::desk_with_voice_activity;
use crate::server::{PATIENCE, Server};

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
    // There is place again as soon as they are seen to be gone.
    while server.get("/healthz").0 != 200 {
        std::thread::yield_now();
    }
    let (_, metrics) = server.get("/metrics");
    assert!(metrics.contains("auricle_live_connections_refused_total"));
    server.stop();
}
