//! What is refused, and that other calls go on meanwhile.

use super::agent::{Agent, Said};
use super::rtp::{Stream, speak};
use super::{
    CONFIG, analysed, assert_alike, offer, only_call, open_recording, sdp, short_call, two_streams,
    ulaw,
};
use crate::bare::desk_with_voice_activity;
use crate::server::Server;

const VIDEO: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 4000 RTP/AVP 31\r\n";

/// Requests that are read and not taken, with the answers that fit.
fn refused() -> Vec<(&'static str, Said, Vec<u16>)> {
    let good = || sdp(&offer(&[Stream::new(1)], 1, "sendonly"));
    let multipart = "multipart/mixed";
    vec![
        ("INVITE", Said::default(), vec![488]),
        ("INVITE", sdp("v=0\r\nm=audio some\r\n"), vec![400, 488]),
        ("INVITE", sdp(VIDEO), vec![488]),
        ("INVITE", Said::body("text/plain", "hello"), vec![415]),
        ("INVITE", Said::body(multipart, "x"), vec![400, 415, 488]),
        ("INVITE", good().with("Require: teleport"), vec![420]),
        (
            "INVITE",
            good().with("Supported: timer\r\nSession-Expires: 30"),
            vec![422],
        ),
        ("BYE", Said::default(), vec![481]),
        ("UPDATE", good(), vec![481]),
    ]
}

/// What is no request at all, or one whose parts do not fit together.
fn malformed() -> Vec<Vec<u8>> {
    let head = "INVITE sip:a@127.0.0.1 SIP/2.0\r\n";
    let long = "x".repeat(60_000);
    let texts = [
        "hello\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        format!("{head}\r\n"),
        format!("{head}Via: nonsense\r\nCSeq: x INVITE\r\nCall-ID: \r\n\r\n"),
        format!("{head}Content-Length: -1\r\n\r\n"),
        format!("{head}Content-Length: 99999999999\r\n\r\n"),
        format!("{head}Subject: {long}\r\n\r\n"),
        "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n".to_owned(),
        "\r\n".repeat(1_000),
    ];
    let mut malformed: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    malformed.push(vec![0xff; 2_000]);
    malformed.push(Vec::from(b"INVITE \xff\xfe SIP/2.0\r\n\r\n"));
    malformed
}

fn assert_answers(server: &Server) {
    let options = Agent::over_udp(server).ask("OPTIONS", &Said::default());
    assert_eq!(options.status(), 200, "{options:?}");
}

#[test]
fn what_cannot_be_is_refused_while_another_call_goes_on() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = short_call();
    let codes = audio.each_ref().map(|linear| ulaw(linear));
    let (mut other, mut streams) = (Agent::over_tcp(&server), two_streams());
    open_recording(&mut other, &mut streams);
    std::thread::scope(|scope| {
        scope.spawn(|| speak(&mut streams, &codes.each_ref().map(Vec::as_slice)));
        for make in [Agent::over_udp, Agent::over_tcp] {
            for (method, said, statuses) in refused() {
                let answer = make(&server).ask(method, &said);
                let is_so = statuses.contains(&answer.status());
                assert!(is_so, "{method} {said:?}: {answer:?}");
            }
            for method in ["REGISTER", "MESSAGE", "DANCE"] {
                let mut agent = make(&server);
                let request = agent.request(method, &Said::default());
                agent.send(request.as_bytes());
                let status = agent.status_soon();
                assert!(status == 0 || status >= 400, "{method}: {status}");
            }
            for bytes in malformed() {
                let mut agent = make(&server);
                agent.send(&bytes);
                let status = agent.status_soon();
                let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]);
                assert!(status == 0 || status >= 400, "{shown}: {status}");
            }
            assert_answers(&server);
        }
    });
    let teleport = sdp(&offer(&streams[..1], 1, "sendonly")).with("Require: teleport");
    let answer = Agent::over_udp(&server).ask("INVITE", &teleport);
    assert_eq!(answer.header("Unsupported").as_deref(), Some("teleport"));
    other.hang_up();
    let (_, saved) = only_call(&server);
    assert_alike(&saved, &analysed(&models, &audio));
    let (_, said) = server.stop();
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_length_that_is_wrong_is_no_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let good = sdp(&offer(&[Stream::new(1)], 1, "sendonly"));
    let length = good.body.len();
    // Less than there is, so that the description breaks off; more than there is.
    for told in [20, length + 1_000] {
        let said = good.clone().with(&format!("Content-Length: {told}"));
        for make in [Agent::over_udp, Agent::over_tcp] {
            let mut agent = make(&server);
            let request = agent.request("INVITE", &said);
            agent.send(request.as_bytes());
            let status = agent.status_soon();
            assert!(status == 0 || status >= 400, "{told}: {status}");
        }
    }
    assert_answers(&server);
    server.stop();
}

#[test]
fn who_is_not_let_in_is_told_nothing() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put(
        "auricle.toml",
        format!("{CONFIG}allow = ['192.0.2.0/24']\n"),
    );
    let server = Server::start(&desk, &models, &[]);
    for make in [Agent::over_udp, Agent::over_tcp] {
        let mut agent = make(&server);
        let request = agent.request("OPTIONS", &Said::default());
        agent.send(request.as_bytes());
        assert_eq!(agent.status_soon(), 0);
    }
    server.stop();
}
