//! `/api/v1/ingest/stream`: calls as `mod_audio_stream` of FreeSWITCH sends them.

use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::bare::desk_with_voice_activity;
use crate::server::{
    Client, Server, analysed, channels, interleaved, key, n_said, of_type, said_by,
};

const PATH: &str = "/api/v1/ingest/stream";
/// Audio is taken as fast as it comes.
const FAST: &str = "[live]\nmost_ahead_secs = 600\n";

#[test]
fn one_connection_brings_both_legs() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", FAST);
    let server = Server::start(&desk, &models, &[]);
    let query = "channels=2&agent_channel=0&rate=8000&foo=1";
    let mut client = Client::open(&server, &format!("{PATH}?{query}"), &[]);
    let warnings = client.headers.get_all("auricle-warning").iter();
    let warnings: Vec<_> = warnings.map(|value| value.to_str().unwrap()).collect();
    assert_eq!(warnings, ["`foo` has no effect: it is not known here"]);
    client.say(r#"{"uuid": "one-1", "agentId": 1002, "customer": "13800138000"}"#);
    client.say(r#"{"queue": "spring"}"#);
    // Messages cut frames anywhere.
    client.speak(&interleaved(&channels("fixture-01")), 1_001);
    client.say(r#"{"region": "too late"}"#);
    client.leave();
    let events = server.events("after=0", "", "one-1");
    assert_eq!(events[0]["source"], "stream");
    assert_eq!(events[0]["parties"], json!(["agent", "customer"]));
    assert!(!of_type(&events, "alert").is_empty());
    let saved = server.json("/api/v1/calls/one-1");
    let metadata = &saved["metadata"];
    assert_eq!(
        (&metadata["agent"], &metadata["campaign"]),
        (&json!("1002"), &json!("spring"))
    );
    assert_eq!(metadata["region"], json!(null));
    let expected = analysed(&models, "fixture-01");
    assert_eq!(saved["utterances"], expected["utterances"]);
    assert_eq!(saved["hits"], expected["hits"]);
    assert!(!saved.to_string().contains("13800138000"));
    server.stop();
}

#[test]
fn two_connections_are_the_legs_of_one_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", FAST);
    let server = Server::start(&desk, &models, &[]);
    let [agent, customer] = channels("fixture-01");
    let mut first = Client::open(&server, &format!("{PATH}?call_id=two&party=customer"), &[]);
    let mut second = Client::open(&server, &format!("{PATH}?call_id=two"), &[]);
    let mut third = Client::open(&server, &format!("{PATH}?call_id=two&party=customer"), &[]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            first.speak(&customer, 3_200);
            first.leave();
        });
        while server.json("/api/v1/calls")["under_way"] == json!([]) {
            std::thread::yield_now();
        }
        // Another customer is none of this call; the agent may still come.
        third.speak(&customer[..3_200], 3_200);
        let (_, (code, reason)) = third.rest();
        assert_eq!(code, 1008, "{reason}");
        scope.spawn(|| {
            second.speak(&agent, 3_200);
            second.leave();
        });
        server.events("after=0", "", "two");
    });
    let saved = server.json("/api/v1/calls/two");
    let expected = analysed(&models, "fixture-01");
    assert_eq!(said_by(&saved, "customer"), said_by(&expected, "customer"));
    assert_eq!(n_said(&saved), n_said(&expected));
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("auricle_live_connections_refused_total 1\n"),
        "{metrics}"
    );
    server.stop();
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", "[live]\nmost_calls = 1\ndrain_secs = 0\n");
    let server = Server::start(&desk, &models, &[]);
    let refused = |query: &str| {
        let refused = Client::try_open(&server, &format!("{PATH}?{query}"), &[]);
        let refused = refused.err().unwrap();
        (refused.status, refused.body)
    };
    for (query, error) in [
        (
            "rate=11025",
            "`rate` must be 8000, 16000, 8k or 16k, got `11025`",
        ),
        (
            "channels=1&mix=stereo",
            "`channels` must be 2 for `mix=stereo`, got `1`",
        ),
        ("language=en-US", "`language` must be zh, got `en-US`"),
        ("customer=13800138000", "`customer` is not taken"),
    ] {
        let (status, body) = refused(query);
        assert_eq!(status, 400, "{query}");
        assert!(body.contains(error), "{body}");
    }
    let (status, body) = server.get(PATH);
    assert_eq!(status, 400, "{body}");

    // Text that is no metadata, until it is too much.
    let mut chatter = Client::open(&server, PATH, &[]);
    for _ in 0..21 {
        chatter.say("RIFF");
    }
    let (_, close) = chatter.rest();
    assert_eq!(close.0, 1008, "{close:?}");
    // More than is taken, and far more.
    for n_bytes in [262_145, 4 << 20] {
        let mut loud = Client::open(&server, PATH, &[]);
        let _ = loud.socket.send(vec![0; n_bytes].into());
        if n_bytes < 1 << 20 {
            let (_, close) = loud.rest();
            assert_eq!(
                close,
                (1009, "BIG-0000: message is longer than the limit".into())
            );
        }
    }
    // Another call of the same name; more calls than there may be.
    let sound = [0; 320];
    let mut first = Client::open(&server, &format!("{PATH}?channels=2&call_id=same"), &[]);
    first.speak(&sound, 320);
    while server.json("/api/v1/calls")["under_way"] == json!([]) {
        std::thread::yield_now();
    }
    for (query, code) in [
        ("channels=2&call_id=same", 1008),
        ("channels=2&call_id=more", 1013),
    ] {
        let mut other = Client::open(&server, &format!("{PATH}?{query}"), &[]);
        other.speak(&sound, 320);
        let (_, close) = other.rest();
        assert_eq!(close.0, code, "{query}: {close:?}");
    }
    let (_, metrics) = server.get("/metrics");
    let n_refused = "auricle_live_connections_refused_total 10\n";
    assert!(metrics.contains(n_refused), "{metrics}");
    // The program ends: so it says.
    let kill = std::thread::spawn(move || server.stop());
    let (_, close) = first.rest();
    assert_eq!(close.0, 1001, "{close:?}");
    let (code, said) = kill.join().unwrap();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn metadata_that_cannot_be_is_told_once_and_ends_the_connection_in_time() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let mut chatter = Client::open(&server, PATH, &[]);
    for _ in 0..21 {
        chatter.say(r#"{"agent": [], "region": {}, "customer": true}"#);
    }
    let (_, close) = chatter.rest();
    assert_eq!(close.0, 1008, "{close:?}");
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("auricle_live_connections_refused_total 1\n"),
        "{metrics}"
    );
    let (_, said) = server.stop();
    assert_eq!(said.matches("stream: metadata: ").count(), 1, "{said}");
    assert_eq!(said.matches("call.id=stream-").count(), 2, "{said}");
}

#[test]
fn who_closes_is_answered() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    for path in [PATH, "/api/v1/live"] {
        let mut client = Client::open(&server, path, &[]);
        let close = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        client.socket.close(Some(close)).unwrap();
        let (_, (code, reason)) = client.rest();
        assert_eq!(code, 1000, "{path}: {reason}");
    }
    server.stop();
}

#[test]
fn more_connections_than_there_may_be_are_refused() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", "[live.websocket]\nmost_connections = 1\n");
    let server = Server::start(&desk, &models, &[]);
    let _first = Client::open(&server, PATH, &[]);
    let second = Client::try_open(&server, PATH, &[]).err().unwrap();
    assert_eq!(second.status, 503);
    assert!(
        second.body.contains("live.websocket.most_connections"),
        "{}",
        second.body
    );
    let listening = "/v1/listen?encoding=mulaw&sample_rate=8000";
    let third = Client::try_open(&server, listening, &[]).err().unwrap();
    assert_eq!(third.status, 429, "{}", third.body);
    server.stop();
}

#[test]
fn keys_are_for_those_who_bring_audio() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let supervisor = key(&desk, "supervisor");
    let server = Server::start(&desk, &models, &[]);
    let status = |query: &str, headers: &[(&str, &str)]| match Client::try_open(
        &server,
        &format!("{PATH}{query}"),
        headers,
    ) {
        Ok(_) => 101,
        Err(refused) => refused.status,
    };
    assert_eq!(status("", &[]), 401);
    assert_eq!(status("?key=other", &[]), 401);
    assert_eq!(status(&format!("?key={supervisor}"), &[]), 403);
    server.stop();
    let integrator = key(&desk, "integrator");
    let server = Server::start(&desk, &models, &[]);
    let bearer = format!("Bearer {integrator}");
    let client = Client::open(&server, PATH, &[("authorization", &bearer)]);
    client.leave();
    let client = Client::open(&server, &format!("{PATH}?key={integrator}"), &[]);
    // The key is for the door: nobody is told that it had no effect.
    assert!(client.headers.get("auricle-warning").is_none());
    client.leave();
    let (_, said) = server.stop();
    assert!(!said.contains(&integrator), "{said}");
}
