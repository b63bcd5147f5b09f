//! Packets of a call, captured while it goes on.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::agent::Agent;
use super::rtp::{PIECE, Stream};
use super::{CONFIG, SESSION, connect, metadata, offer, open_recording, recording, two_streams};
use crate::bare::desk_with_voice_activity;
use crate::desk::{Desk, Run};
use crate::server::{Server, frame};

const PCMU: u8 = 0;
const PACE: Duration = Duration::from_millis(20);
/// What is sent before the thread that hears knows that it is captured.
const MOST_MISSED: usize = 10;
const AUDIOSOCKET: &str = "[live.audiosocket]\nlisten = '127.0.0.1:0'\nconnections = 1\n";
/// Stands in the place of what must not be in a file.
const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0";

/// A packet of a file.
struct Packet {
    us: u64,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Packet {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| (number << 8) | usize::from(*byte))
}

/// All of a file, which is of IPv4 alone.
fn packets(file: &[u8]) -> Vec<Packet> {
    let (head, mut rest) = file.split_at(24);
    assert_eq!(number(&head[..4]), 0xa1b2_c3d4);
    assert_eq!((number(&head[4..6]), number(&head[6..8])), (2, 4));
    assert_eq!(number(&head[20..]), 101);
    let mut packets: Vec<Packet> = Vec::new();
    while !rest.is_empty() {
        let (record, behind) = rest.split_at(16);
        let length = number(&record[8..12]);
        assert_eq!(length, number(&record[12..]));
        let (packet, behind) = behind.split_at(length);
        rest = behind;
        assert_eq!((packet[0], packet[9]), (0x45, 17));
        let end = |ip: usize, port: usize| {
            let ip: [u8; 4] = packet[ip..ip + 4].try_into().unwrap();
            let port = u16::from_be_bytes([packet[port], packet[port + 1]]);
            SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port)
        };
        let us = 1_000_000 * number(&record[..4]) + number(&record[4..8]);
        packets.push(Packet {
            us: us as u64,
            from: end(12, 20),
            to: end(16, 22),
            bytes: packet[28..].to_vec(),
        });
    }
    assert!(packets.is_sorted_by_key(|packet| packet.us));
    packets
}

/// Sends so many packets of audio at the pace of speech; gives them.
fn send(stream: &mut Stream, n_packets: u8) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    for number in 0..n_packets {
        let piece = [number; PIECE];
        sent.push(stream.packet(PCMU, &piece));
        stream.send_otherwise(PCMU, &piece);
        stream.pause(PACE);
        std::thread::sleep(PACE);
    }
    sent
}

fn address_of(call: &str, secs: u64) -> String {
    format!("/api/v1/calls/{call}/capture?secs={secs}")
}

/// The call that goes on.
fn only_under_way(server: &Server) -> String {
    let calls = server.json("/api/v1/calls");
    calls["under_way"][0]["call_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Begins to capture: when this is back, it is captured.
fn begin(server: &Server, call: &str) -> (TcpStream, Vec<u8>) {
    let mut stream = server.ask("GET", &address_of(call, 600), "");
    let mut read = vec![0; 4_096];
    let n_bytes = stream.read(&mut read).unwrap();
    read.truncate(n_bytes);
    let head = String::from_utf8_lossy(&read);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("application/vnd.tcpdump.pcap"), "{head}");
    (stream, read)
}

/// The file that an answer brings, in chunks (RFC 9112, section 7.1).
fn whole((mut stream, mut answer): (TcpStream, Vec<u8>)) -> Vec<u8> {
    stream.read_to_end(&mut answer).unwrap();
    let place = |bytes: &[u8], end: &[u8]| {
        let mut windows = bytes.windows(end.len());
        windows.position(|window| window == end).unwrap()
    };
    let mut rest = &answer[place(&answer, b"\r\n\r\n") + 4..];
    let mut file = Vec::new();
    loop {
        let (length, behind) = rest.split_at(place(rest, b"\r\n"));
        let length = std::str::from_utf8(length).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return file;
        }
        let (chunk, behind) = behind[2..].split_at(length);
        file.extend_from_slice(chunk);
        rest = &behind[2..];
    }
}

#[test]
fn a_call_is_captured_to_its_end_as_it_came() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", format!("{CONFIG}{AUDIOSOCKET}"));
    let server = Server::start(&desk, &models, &[]);
    let (mut agent, mut streams) = (Agent::over_tcp(&server), two_streams());
    // Keys for streams that are not encrypted are not looked at, nor is a password where none is wanted.
    let crypto = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{SECRET}\r\na=label:1");
    let offer = offer(&streams, 1, "sendonly").replace("a=label:1", &crypto);
    let said = recording(&offer, &metadata(SESSION)).with(&format!(
        "Authorization: Digest username=\"{SECRET}\", response=\"{SECRET}\""
    ));
    connect(&mut streams, &agent.ask("INVITE", &said));
    let call = only_under_way(&server);

    let first = begin(&server, &call);
    let (status, refused) = server.get(&address_of(&call, 60));
    assert_eq!(status, 409, "{refused}");
    assert!(refused.contains("is captured already"), "{refused}");
    let (status, refused) = server.get(&address_of("nobody", 60));
    assert_eq!(status, 404, "{refused}");
    for secs in [0, 601] {
        let (status, refused) = server.get(&address_of(&call, secs));
        assert_eq!(status, 400, "{refused}");
    }
    // Another way in.
    let mut leg = TcpStream::connect(server.audiosocket.as_ref().unwrap()).unwrap();
    leg.write_all(&frame(0x01, &[7; 16])).unwrap();
    leg.write_all(&frame(0x10, &[0; 320])).unwrap();
    let other = "07070707-0707-0707-0707-070707070707";
    server.wait_for("/api/v1/ingest/lines", |page| {
        let calls = page["calls"].as_array().unwrap();
        calls.iter().any(|call| call["call_id"] == other)
    });
    let (status, refused) = server.get(&address_of(other, 60));
    assert_eq!(status, 409, "{refused}");
    assert!(refused.contains("did not come by SIP"), "{refused}");
    drop(leg);

    let sent: Vec<Vec<Vec<u8>>> = streams.iter_mut().map(|stream| send(stream, 50)).collect();
    agent.hang_up();
    let file = whole(first);
    let captured = packets(&file);
    let sip: SocketAddr = server.sip("tcp").parse().unwrap();
    let (invite, answer) = (&captured[0], &captured[1]);
    assert!(
        invite.text().starts_with("INVITE sip:"),
        "{}",
        invite.text()
    );
    assert!(
        invite
            .text()
            .contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 xxxx")
    );
    assert!(invite.text().contains("Authorization: Digest xxxx"));
    assert!(!String::from_utf8_lossy(&file).contains(SECRET));
    assert_eq!(invite.to, sip);
    assert!(
        answer.text().starts_with("SIP/2.0 200 "),
        "{}",
        answer.text()
    );
    assert_eq!((answer.from, answer.to), (sip, invite.from));
    for (stream, sent) in streams.iter().zip(&sent) {
        let of_stream = captured
            .iter()
            .filter(|packet| packet.from.port() == stream.port());
        let of_stream: Vec<&Packet> = of_stream.collect();
        let n_missed = sent.len().checked_sub(of_stream.len()).unwrap();
        assert!(n_missed <= MOST_MISSED, "{n_missed}");
        for (packet, sent) in of_stream.iter().zip(&sent[n_missed..]) {
            assert_eq!(packet.bytes, *sent);
            assert_eq!(packet.to.port(), stream.sends_to());
            assert_eq!(packet.to.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
    }
    let messages = captured.iter().filter(|packet| {
        let ends = [packet.from, packet.to];
        ends.contains(&sip)
    });
    let messages: Vec<String> = messages.map(Packet::text).collect();
    let bye = messages.iter().position(|text| text.starts_with("BYE "));
    let behind = &messages[bye.unwrap() + 1..];
    let is_answer = |text: &String| text.starts_with("SIP/2.0 200 ") && text.contains(" BYE\r\n");
    assert!(behind.iter().any(is_answer), "{behind:?}");

    let (_, said) = server.stop();
    for words in [
        "audit: packets of a call are captured",
        "audit: the capture of a call is over",
        "by=\"local\"",
        "secs=600",
    ] {
        assert!(said.contains(words), "`{words}` in {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_capture_is_written_into_a_file() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let (mut agent, mut streams) = (Agent::over_udp(&server), two_streams());
    open_recording(&mut agent, &mut streams);
    let call = only_under_way(&server);
    let args = [
        "ingest",
        "capture",
        "--server",
        &server.address,
        "-o",
        "a.pcap",
    ];
    let capture = |more: &[&str]| desk.run(&[&args[..], more].concat());
    let written = capture(&[call.as_str(), "--secs", "1"]);
    assert_eq!(written.code, Some(0), "{}", written.err);
    let first = packets(&fs::read(desk.path("a.pcap")).unwrap());
    assert!(first[0].text().starts_with("INVITE sip:"));
    let again = capture(&[call.as_str(), "--secs", "1"]);
    assert_eq!(again.code, Some(1), "{}", again.err);
    assert!(again.err.contains("is there already"), "{}", again.err);
    let unknown = capture(&["nobody", "--force"]);
    assert_eq!(unknown.code, Some(1), "{}", unknown.err);
    assert!(unknown.err.contains("no call `nobody` is under way"));
    // What was there is there still.
    assert_eq!(
        packets(&fs::read(desk.path("a.pcap")).unwrap()).len(),
        first.len()
    );

    // Whoever has seen enough keeps what came.
    let args = [&args[..], &[call.as_str(), "--secs", "600", "--force"]].concat();
    fs::remove_file(desk.path("a.pcap")).unwrap();
    let mut child = desk.command(&args).spawn().unwrap();
    let is_begun = || fs::metadata(desk.path("a.pcap")).is_ok_and(|file| file.len() > 24);
    while !is_begun() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    let kill = format!("kill -INT {}", child.id());
    let killed = Command::new("sh").args(["-c", &kill]).status();
    assert!(killed.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!packets(&fs::read(desk.path("a.pcap")).unwrap()).is_empty());
    agent.hang_up();
    server.stop();
}

/// Keys of these roles, which the configuration knows, behind `more`.
fn keys(desk: &Desk, roles: &[&str], more: &str) -> Vec<String> {
    let (mut config, mut keys) = (more.to_owned(), Vec::new());
    for role in roles {
        let made = desk.command(&["api-key", role, "--role", role]).output();
        let made = Run::of(made.unwrap());
        config += &made.out;
        let key = made.err.lines().find_map(|line| line.strip_prefix("key: "));
        keys.push(key.unwrap().to_owned());
    }
    desk.put("auricle.toml", config);
    keys
}

#[test]
fn only_support_captures() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let roles = ["integrator", "supervisor", "inspector", "support"];
    let keys = keys(&desk, &roles, CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let path = address_of("nobody", 60);
    let status = |path: &str, key: &str| server.send_json("GET", path, key, &Value::Null).0;
    assert_eq!(status(&path, ""), 401);
    for (key, role) in keys.iter().zip(roles) {
        let expected = match role {
            "support" => 404,
            _ => 403,
        };
        assert_eq!(status(&path, key), expected, "{role}");
    }
    assert_eq!(status("/api/v1/ingest/lines", &keys[3]), 200);
    let other = "/api/v1/webhooks";
    assert_eq!(status(other, &keys[3]), 403);
    desk.put("key.txt", &keys[0]);
    let args = ["ingest", "capture", "nobody", "--key-file", "key.txt"];
    let server_at = ["--server", &server.address];
    let refused = desk.run(&[&args[..], &server_at[..]].concat());
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("of the role `support`"),
        "{}",
        refused.err
    );
    assert!(!desk.path("nobody.pcap").exists());
    server.stop();
}
