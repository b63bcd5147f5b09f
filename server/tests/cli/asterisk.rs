//! `/api/v1/ingest/asterisk`: legs of calls as Asterisk's `chan_websocket` sends them.

use serde_json::json;

use crate::bare::desk_with_voice_activity;
use crate::server::{Client, Server, analysed, channels, key, n_said, of_type, said_by};

const PATH: &str = "/api/v1/ingest/asterisk";
/// Audio is taken as fast as it comes.
const FAST: &str = "[live]\nmost_ahead_secs = 600\n";
/// As 20.18 writes it, for linear samples at 8 kHz.
const START: &str = "MEDIA_START connection_id:auricle channel:WebSocket/auricle/0x5140001a0040 \
                     channel_id:1761245643.1 format:slin optimal_frame_size:320 ptime:20";

fn open(server: &Server, query: &str) -> Client {
    let media = [("sec-websocket-protocol", "media")];
    let client = Client::open(server, &format!("{PATH}?{query}"), &media);
    assert_eq!(client.headers["sec-websocket-protocol"], "media");
    client
}

#[test]
fn two_connections_are_the_legs_of_one_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", FAST);
    let server = Server::start(&desk, &models, &[]);
    let [agent, customer] = channels("fixture-01");
    let mut first = open(&server, "call_id=two&party=customer&campaign=spring");
    let mut second = open(&server, "call_id=two");
    let mut third = open(&server, "call_id=two&party=customer");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            first.say(&start(
                r#"{"AURICLE_AGENT": "1002", "AURICLE_CUSTOMER": "13800138000"}"#,
            ));
            first.speak(&customer, 320);
            first.leave();
        });
        server.wait_for("/api/v1/calls", |calls| calls["under_way"] != json!([]));
        // Another customer is none of this call; the agent may still come.
        third.say(START);
        let (_, (code, reason)) = third.rest();
        assert_eq!(code, 1008, "{reason}");
        scope.spawn(|| {
            second.say(START);
            second.speak(&agent, 320);
            second.say("DTMF_END digit:7 channel_id:1761245643.2");
            second.leave();
        });
        let events = server.events("after=0", "", "two");
        assert_eq!(events[0]["source"], "asterisk");
        assert_eq!(events[0]["parties"], json!(["agent", "customer"]));
        assert!(!of_type(&events, "final").is_empty());
    });
    let saved = server.json("/api/v1/calls/two");
    let metadata = &saved["metadata"];
    assert_eq!(
        (&metadata["agent"], &metadata["campaign"]),
        (&json!("1002"), &json!("spring"))
    );
    let expected = analysed(&models, "fixture-01");
    assert_eq!(said_by(&saved, "customer"), said_by(&expected, "customer"));
    assert_eq!(n_said(&saved), n_said(&expected));
    assert_eq!(saved["keys_pressed"][0]["party"], "agent");
    let (_, said) = server.stop();
    assert!(!said.contains("13800138000"), "{said}");
}

/// A start in JSON, with channel variables.
fn start(variables: &str) -> String {
    format!(
        r#"{{"event":"MEDIA_START","connection_id":"auricle","channel_id":"17.1","format":"slin",
            "optimal_frame_size":320,"ptime":20,"channel_variables":{variables}}}"#
    )
}

#[test]
fn audio_before_the_start_is_heard() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", FAST);
    let server = Server::start(&desk, &models, &[]);
    let [_, customer] = channels("fixture-01");
    let mut client = open(&server, "call_id=one&party=customer&connections=1");
    let (early, rest) = customer.split_at(32_000);
    client.speak(early, 320);
    client.say(START);
    client.speak(rest, 320);
    client.leave();
    server.events("after=0", "", "one");
    let saved = server.json("/api/v1/calls/one");
    let expected = analysed(&models, "fixture-01");
    assert_eq!(said_by(&saved, "customer"), said_by(&expected, "customer"));
    server.stop();
}

#[test]
fn what_cannot_be_is_refused_while_another_call_goes_on() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", "[live]\ndrain_secs = 0\n");
    let server = Server::start(&desk, &models, &[]);
    let mut other = open(&server, "call_id=same&connections=1");
    other.say(START);
    other.speak(&[0; 320], 320);
    server.wait_for("/api/v1/calls", |calls| calls["under_way"] != json!([]));
    for (query, error) in [
        (
            "party=caller",
            "`party` must be agent, customer or unknown, got `caller`",
        ),
        ("language=en-US", "`language` must be zh, got `en-US`"),
        ("customer=13800138000", "`customer` is not taken"),
    ] {
        let refused = Client::try_open(&server, &format!("{PATH}?{query}"), &[]);
        let refused = refused.err().unwrap();
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.body.contains(error), "{}", refused.body);
    }
    let opus = START.replace("format:slin", "format:opus");
    for (query, messages, code) in [
        ("", vec![opus.as_str()], 1008),
        ("", vec![START, START], 1008),
        ("", vec!["hello"; 21], 1008),
        ("call_id=same&connections=1", vec![START], 1008),
    ] {
        let mut client = open(&server, query);
        for message in &messages {
            client.say(message);
        }
        let (_, close) = client.rest();
        assert_eq!(close.0, code, "{messages:?}: {close:?}");
    }
    // More than is kept before it is known how it lies, and longer than a text may be.
    let mut eager = open(&server, "");
    eager.speak(&[0; 64_160], 64_160);
    let (_, close) = eager.rest();
    assert_eq!(close.0, 1008, "{close:?}");
    let mut long = open(&server, "");
    long.say(&" ".repeat(16_385));
    let (_, close) = long.rest();
    let too_long = "BIG-0000: message is longer than the limit";
    assert_eq!(close, (1009, too_long.to_owned()));
    let (_, metrics) = server.get("/metrics");
    let n_refused = "auricle_live_connections_refused_total 9\n";
    assert!(metrics.contains(n_refused), "{metrics}");
    // The call goes on until the program ends: so it says.
    other.speak(&[0; 320], 320);
    let kill = std::thread::spawn(move || server.stop());
    let (_, close) = other.rest();
    assert_eq!(close.0, 1001, "{close:?}");
    let (code, said) = kill.join().unwrap();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("`MEDIA_START` came twice"), "{said}");
}

#[test]
fn keys_are_for_those_who_bring_audio() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let integrator = key(&desk, "integrator");
    let server = Server::start(&desk, &models, &[]);
    let refused = Client::try_open(&server, PATH, &[]).err().unwrap();
    assert_eq!(refused.status, 401);
    let client = open(&server, &format!("key={integrator}&call_id=keyed"));
    // The key is for the door: nobody is told that it had no effect.
    assert!(client.headers.get("auricle-warning").is_none());
    client.leave();
    let (_, said) = server.stop();
    assert!(!said.contains(&integrator), "{said}");
}
