//! `/api/v1/ingest/twilio`: calls as Twilio's Media Streams send them.

use std::fs;
use std::path::Path;

use auricle_audio::g711::Law;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bare::desk_with_voice_activity;
use crate::server::{Client, Server, analysed, channels, key, of_type, said_by};

const PATH: &str = "/api/v1/ingest/twilio";
/// Audio is taken as fast as it comes.
const FAST: &str = "[live]\nmost_ahead_secs = 600\n";
/// Samples of a message: 20 ms.
const PIECE: usize = 160;
const NOT_AUDIO: &str = "DATA-0000: the payload is not raw audio in the encoding of the query";
const NOT_LET_IN: &str = "the key is missing, is not known, or is not for audio";

fn start(call: &str, parameters: &Value) -> Value {
    let format = json!({"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1});
    let start = json!({
        "accountSid": "AC1", "streamSid": "MZ1", "callSid": call,
        "tracks": ["inbound", "outbound"], "customParameters": parameters, "mediaFormat": format,
    });
    json!({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": start})
}

fn media(number: usize, track: &str, at_ms: usize, ulaw: &[u8]) -> String {
    let payload = STANDARD.encode(ulaw);
    let media = json!({"track": track, "timestamp": at_ms.to_string(), "payload": payload});
    json!({
        "event": "media", "sequenceNumber": number.to_string(), "streamSid": "MZ1", "media": media,
    })
    .to_string()
}

fn ulaw(linear: &[u8]) -> Vec<u8> {
    let (samples, _) = linear.as_chunks::<2>();
    let samples = samples.iter().map(|sample| i16::from_le_bytes(*sample));
    samples.map(|sample| Law::Mu.encode(sample)).collect()
}

/// A stream that has begun.
fn open(server: &Server, call: &str, parameters: &Value) -> Client {
    let mut client = Client::open(server, PATH, &[]);
    client.say(r#"{"event": "connected", "protocol": "Call", "version": "1.0.0"}"#);
    client.say(&start(call, parameters).to_string());
    client
}

/// Sends both tracks from their beginning, 20 ms of each by turns, and ends the stream.
fn speak(client: &mut Client, legs: [&[u8]; 2]) {
    speak_and_press(client, legs, &[]);
}

/// The same, with keys that whoever is on the inbound track presses behind these pieces.
fn speak_and_press(client: &mut Client, [inbound, outbound]: [&[u8]; 2], keys: &[(usize, char)]) {
    let pieces = inbound.chunks(PIECE).zip(outbound.chunks(PIECE));
    for (place, (inbound, outbound)) in pieces.enumerate() {
        let number = 2 * place + 2;
        client.say(&media(number, "inbound", 20 * place, inbound));
        client.say(&media(number + 1, "outbound", 20 * place, outbound));
        for (_, digit) in keys.iter().filter(|(behind, _)| *behind == place) {
            let dtmf = json!({"track": "inbound_track", "digit": digit.to_string()});
            client.say(&json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": dtmf}).to_string());
        }
    }
    client.say(r#"{"event": "stop", "streamSid": "MZ1", "stop": {"callSid": "CA1"}}"#);
}

#[test]
fn a_stream_brings_both_legs_and_what_is_known_of_the_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", FAST);
    let server = Server::start(&desk, &models, &[]);
    let [agent, customer] = channels("fixture-01");
    let parameters =
        json!({"agent": "1002", "queue": "spring", "customer": "13800138000", "foo": 1});
    let mut client = open(&server, "CA1", &parameters);
    client.say(r#"{"event": "dtmf", "streamSid": "MZ1", "dtmf": {"digit": "7"}}"#);
    speak(&mut client, [&ulaw(&customer), &ulaw(&agent)]);
    let (said, close) = client.rest();
    assert_eq!((said, close), (Vec::new(), (1000, String::new())));
    let events = server.events("after=0", "", "CA1");
    assert_eq!(events[0]["source"], "twilio");
    assert_eq!(events[0]["parties"], json!(["customer", "agent"]));
    assert!(!of_type(&events, "final").is_empty());
    let saved = server.json("/api/v1/calls/CA1");
    let metadata = &saved["metadata"];
    assert_eq!(
        (&metadata["agent"], &metadata["campaign"]),
        (&json!("1002"), &json!("spring"))
    );
    assert!(!saved.to_string().contains("13800138000"));
    let pressed = json!([{"party": "customer", "at_ms": 0}]);
    assert_eq!(saved["keys_pressed"], pressed, "masked");
    let expected = analysed(&models, "fixture-01");
    for party in ["agent", "customer"] {
        assert_eq!(said_by(&saved, party), said_by(&expected, party));
    }
    let (_, said) = server.stop();
    assert!(!said.contains("13800138000"), "{said}");
}

/// Whether any file of a folder has these words.
fn is_on_disk(folder: &Path, words: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => is_on_disk(&path, words),
            false => {
                let bytes = fs::read(path).unwrap();
                let mut places = bytes.windows(words.len());
                places.any(|place| place == words.as_bytes())
            }
        }
    })
}

#[test]
fn keys_are_kept_as_the_configuration_says() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let sound = [0; 50 * PIECE];
    for (call, digits, expected) in [
        ("CA10", "", json!([{"party": "customer", "at_ms": 220}])),
        (
            "CA11",
            "keep = 'clear'",
            json!([{"party": "customer", "at_ms": 220, "key": "#"}]),
        ),
        ("CA12", "keep = 'none'", Value::Null),
    ] {
        desk.put("auricle.toml", format!("{FAST}[live.digits]\n{digits}\n"));
        let server = Server::start(&desk, &models, &[]);
        let mut client = open(&server, call, &json!({}));
        speak_and_press(&mut client, [&sound, &sound], &[(10, '#')]);
        client.rest();
        let events = server.events("after=0", "", call);
        assert!(!json!(events).to_string().contains("keys_pressed"));
        let saved = server.json(&format!("/api/v1/calls/{call}"));
        assert_eq!(saved["keys_pressed"], expected, "{digits}");
        server.stop();
    }
    let shown = desk.ok(&["show", "CA10"]);
    assert!(shown.contains("keys: customer 0:00 •\n"), "{shown}");
    let shown = desk.ok(&["show", "CA11"]);
    assert!(shown.contains("keys: customer 0:00 #\n"), "{shown}");
    assert!(!desk.ok(&["show", "CA12"]).contains("keys:"));
}

#[test]
fn keys_near_what_a_rule_finds_are_never_on_the_disk() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let digits = "[live.digits]\nkeep = 'clear'\nmask_by_rules = ['secret_request']\n";
    desk.put("auricle.toml", format!("{FAST}{digits}"));
    let server = Server::start(&desk, &models, &[]);
    // In the midst of it the agent asks for the code of a text message.
    let [agent, customer] = channels("fixture-06").map(|channel| ulaw(&channel));
    let mut client = open(&server, "CA20", &json!({}));
    let keys = [(10, '1'), (1_200, '7')];
    speak_and_press(&mut client, [&customer, &agent], &keys);
    client.rest();
    server.events("after=0", "", "CA20");
    let saved = server.json("/api/v1/calls/CA20");
    let expected = json!([
        {"party": "customer", "at_ms": 220, "key": "1"},
        {"party": "customer", "at_ms": 24_020},
    ]);
    assert_eq!(saved["keys_pressed"], expected, "{}", saved["hits"]);
    let (_, said) = server.stop();
    assert!(!said.contains("keys_pressed"), "{said}");
    let data = desk.path("data");
    assert!(is_on_disk(&data, r#""key":"1""#));
    assert!(!is_on_disk(&data, r#""key":"7""#));

    // A rule that nobody has would mask nothing.
    let digits = digits.replace("secret_request", "secret_requests");
    desk.put("auricle.toml", digits);
    desk.fails(&["config", "check"], 2, &["the rule `secret_requests`"]);
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    desk.fails(&serve, 2, &["the rule `secret_requests`"]);
}

#[test]
fn places_without_audio_are_silence_of_their_length() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", FAST);
    let server = Server::start(&desk, &models, &[]);
    let mut client = open(&server, "CA2", &json!({}));
    // A second, three that Twilio discarded, and a second; nothing of the other track. It is loud.
    let places = (0..50).chain(200..250);
    for (number, place) in places.enumerate() {
        client.say(&media(number + 2, "inbound", 20 * place, &[0; PIECE]));
    }
    client.say(r#"{"event": "stop", "streamSid": "MZ1"}"#);
    client.rest();
    server.events("after=0", "", "CA2");
    let listed = server.json("/api/v1/calls");
    let legs = listed["saved"][0]["legs"].as_array().unwrap();
    let ms = |leg: usize, what: &str| legs[leg][what].as_u64().unwrap();
    let lengths = ["expected_ms", "received_ms", "filled_ms", "lost_ms"];
    assert_eq!(
        lengths.map(|what| ms(0, what)),
        [5_000, 2_000, 3_000, 0],
        "{listed}"
    );
    // A second behind the place of the last piece.
    assert_eq!(
        lengths.map(|what| ms(1, what)),
        [3_980, 0, 3_980, 0],
        "{listed}"
    );
    server.stop();
}

#[test]
fn a_key_may_come_with_the_stream() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let supervisor = key(&desk, "supervisor");
    let server = Server::start(&desk, &models, &[]);
    let refused = |query: &str| Client::try_open(&server, &format!("{PATH}{query}"), &[]);
    assert_eq!(refused("?key=other").err().unwrap().status, 401);
    let of_other = refused(&format!("?key={supervisor}"));
    assert_eq!(of_other.err().unwrap().status, 403);
    // Nobody could bring one later without a WebSocket.
    assert_eq!(server.get(PATH).0, 401);
    for parameters in [
        json!({}),
        json!({"key": "other"}),
        json!({"key": supervisor}),
    ] {
        let (_, close) = open(&server, "CA3", &parameters).rest();
        assert_eq!(close, (1008, NOT_LET_IN.to_owned()));
    }
    let (_, said) = server.stop();
    assert!(!said.contains(&supervisor), "{said}");

    let integrator = key(&desk, "integrator");
    let server = Server::start(&desk, &models, &[]);
    let sound = [0; PIECE];
    let mut client = open(&server, "CA3", &json!({"key": integrator}));
    speak(&mut client, [&sound, &sound]);
    let (_, close) = client.rest();
    assert_eq!(close, (1000, String::new()));
    let bearer = format!("Bearer {integrator}");
    let mut client = Client::open(&server, PATH, &[("authorization", &bearer)]);
    client.say(&start("CA4", &json!({})).to_string());
    speak(&mut client, [&sound, &sound]);
    let (_, close) = client.rest();
    assert_eq!(close, (1000, String::new()));
    let (_, said) = server.stop();
    assert!(!said.contains(&integrator), "{said}");
}

#[test]
fn what_cannot_be_is_refused_while_another_call_goes_on() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let sound = [0; PIECE];
    let mut other = open(&server, "CA5", &json!({}));
    other.say(&media(2, "inbound", 0, &sound));
    server.wait_for("/api/v1/calls", |calls| calls["under_way"] != json!([]));
    for (query, error) in [
        (
            "inbound=both",
            "`inbound` must be customer or agent, got `both`",
        ),
        ("language=en-US", "`language` must be zh, got `en-US`"),
        ("customer=13800138000", "`customer` is not taken"),
    ] {
        let refused = Client::try_open(&server, &format!("{PATH}?{query}"), &[]);
        let refused = refused.err().unwrap();
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.body.contains(error), "{}", refused.body);
    }
    let mut linear = start("CA6", &json!({}));
    linear["start"]["mediaFormat"]["encoding"] = json!("audio/l16");
    let begun = start("CA6", &json!({})).to_string();
    let early = media(1, "inbound", 0, &sound);
    let not_audio = (1008, NOT_AUDIO);
    let too_many = (
        1008,
        "DATA-0000: too many text messages that are not understood",
    );
    let same = (
        1008,
        "call not accepted: its id is under way, or its connections do not fit together",
    );
    let too_long = (1009, "BIG-0000: message is longer than the limit");
    for (messages, (code, reason)) in [
        (vec![early], not_audio),
        (vec![begun.clone(), begun], not_audio),
        (vec![linear.to_string()], not_audio),
        (vec!["hello".to_owned(); 21], too_many),
        (vec![" ".repeat(16_385)], too_long),
        (vec![start("CA5", &json!({})).to_string()], same),
    ] {
        let mut client = Client::open(&server, PATH, &[]);
        for message in &messages {
            client.say(message);
        }
        let (_, close) = client.rest();
        assert_eq!(close, (code, reason.to_owned()), "{messages:?}");
    }
    // Who never says which stream it is does not keep its place, whatever it says.
    let mut silent = Client::open(&server, PATH, &[]);
    silent.say(r#"{"event": "connected"}"#);
    let (_, close) = silent.rest();
    assert_eq!(close.0, 1011, "{close:?}");
    let (_, metrics) = server.get("/metrics");
    let n_refused = "auricle_live_connections_refused_total 10\n";
    assert!(metrics.contains(n_refused), "{metrics}");
    other.say(&media(3, "inbound", 20, &sound));
    other.say(r#"{"event": "stop", "streamSid": "MZ1"}"#);
    let (_, close) = other.rest();
    assert_eq!(close, (1000, String::new()));
    let (_, said) = server.stop();
    assert!(said.contains("`media` came before `start`"), "{said}");
    assert_eq!(said.matches("is not a JSON object").count(), 1, "{said}");
}
