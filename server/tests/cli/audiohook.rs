//! `/api/v1/ingest/audiohook`: calls as AudioHook Monitor of Genesys Cloud sends them.

use std::time::{SystemTime, UNIX_EPOCH};

use auricle_audio::g711::Law;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::bare::desk_with_voice_activity;
use crate::desk::Desk;
use crate::server::{Client, Refused, Server, analysed, channels, n_said, of_type, said_by};

const PATH: &str = "/api/v1/ingest/audiohook";
const ORGANIZATION: &str = "3c1f7a52-9be0-4d0c-8f53-7a1c2e5b9d10";
const CONVERSATION: &str = "c47e1b90-2d6f-4b3a-a8e1-6f5d4c3b2a44";
const OTHER_CONVERSATION: &str = "d58f2ca1-3e70-4c4b-b9f2-706e5d4c3b55";
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
const SECRET: &str = "QXVyaWNsZVRlc3RTZWNyZXRPZjMyQnl0ZXNMb25nISE=";
const OTHER_SECRET: &str = "T3RoZXJUZXN0U2VjcmV0T2YzMkJ5dGVzTG9uZyEhISE=";
/// Audio is taken as fast as it comes.
const FAST: &str = "[live]\nmost_ahead_secs = 600\n";

/// Has the configuration know a client.
fn configure(desk: &Desk, more: &str) {
    desk.put("audiohook-secret", SECRET);
    let client =
        "[[live.audiohook.clients]]\nkey = \"auricle\"\nsecret_file = \"audiohook-secret\"\n";
    desk.put("auricle.toml", format!("{more}{client}"));
}

/// The headers of a handshake, signed with a secret; the name makes session and nonce.
fn signed(server: &Server, key: &str, secret: &str, name: u8) -> Vec<(&'static str, String)> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let created = since.as_secs();
    let nonce = BASE64_STANDARD.encode([name; 24]);
    let headers = vec![
        ("audiohook-organization-id", ORGANIZATION.to_owned()),
        ("audiohook-session-id", session(name)),
        ("audiohook-correlation-id", session(name)),
        ("x-api-key", key.to_owned()),
    ];
    let names = headers.iter().map(|(name, _)| format!(" \"{name}\""));
    let description = format!(
        "(\"@request-target\" \"@authority\"{});keyid=\"{key}\";nonce=\"{nonce}\";alg=\"hmac-sha256\";created={created}",
        names.collect::<String>()
    );
    let address = &server.address;
    let mut base = format!("\"@request-target\": {PATH}\n\"@authority\": {address}\n");
    for (name, value) in &headers {
        base += &format!("\"{name}\": {value}\n");
    }
    base += &format!("\"@signature-params\": {description}");
    let secret = BASE64_STANDARD.decode(secret).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(base.as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    let signature = [
        ("signature", format!("sig1=:{signature}:")),
        ("signature-input", format!("sig1={description}")),
    ];
    headers.into_iter().chain(signature).collect()
}

fn session(name: u8) -> String {
    format!("8f0b6d3e-51c7-4a6e-b2f4-0d9e7c6a1b{name:02x}")
}

fn connect(server: &Server, headers: &[(&str, String)]) -> Result<Client, Box<Refused>> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
    Client::try_open(server, PATH, &headers.collect::<Vec<_>>())
}

/// One session of Genesys Cloud.
struct Session {
    client: Client,
    name: u8,
    seq: u64,
    /// Of the last message of the server.
    serverseq: u64,
}

impl Session {
    fn connect(server: &Server, name: u8) -> Self {
        let headers = signed(server, "auricle", SECRET, name);
        Self {
            client: connect(server, &headers).unwrap(),
            name,
            seq: 0,
            serverseq: 0,
        }
    }

    /// With its call open; `more` stands beside what must be said.
    fn open(server: &Server, name: u8, conversation: &str, more: &Value) -> Self {
        let mut session = Self::connect(server, name);
        session.say_open(conversation, more);
        let opened = session.next();
        assert_eq!(opened["type"], "opened", "{opened}");
        session
    }

    fn say_open(&mut self, conversation: &str, more: &Value) {
        let offer = |channels: &[&str]| json!({"type": "audio", "format": "PCMU", "channels": channels, "rate": 8000});
        let mut parameters = json!({
            "organizationId": ORGANIZATION,
            "conversationId": conversation,
            "participant": {"id": conversation, "ani": "tel:+8613800138000", "aniName": "Li Wei", "dnis": ""},
            "media": [offer(&["external", "internal"]), offer(&["external"])],
        });
        for (key, value) in more.as_object().unwrap() {
            parameters[key] = value.clone();
        }
        self.say("open", &parameters);
    }

    fn say(&mut self, kind: &str, parameters: &Value) {
        self.seq += 1;
        let message = json!({
            "version": "2",
            "id": session(self.name),
            "type": kind,
            "seq": self.seq,
            "serverseq": self.serverseq,
            "position": "PT0S",
            "parameters": parameters,
        });
        self.client.say(&message.to_string());
    }

    /// Audio is silent from one place to another, seconds.
    fn say_missing(&mut self, kind: &str, from_secs: f64, n_secs: f64) {
        let parameters =
            json!({"start": format!("PT{from_secs:.6}S"), "discarded": format!("PT{n_secs:.6}S")});
        self.say(kind, &parameters);
    }

    fn next(&mut self) -> Value {
        let message = self.client.next().unwrap();
        self.serverseq = message["seq"].as_u64().unwrap();
        message
    }

    /// Ends the session, as Genesys Cloud does at the end of a call.
    fn end(mut self) {
        self.say("close", &json!({"reason": "end"}));
        let closed = self.next();
        assert_eq!(closed["type"], "closed", "{closed}");
        self.client.leave();
    }

    /// What it is told when it is given up, and how the connection is closed where it does not heed that.
    fn given_up(mut self) -> (String, u16) {
        let (messages, (code, _)) = self.client.rest();
        let last = messages.last().unwrap();
        assert_eq!(last["type"], "disconnect", "{last}");
        assert_eq!(last["parameters"]["reason"], "error");
        let info = last["parameters"]["info"].as_str().unwrap();
        (info.to_owned(), code)
    }
}

/// A recording as it is sent: µ-law, the customer first.
fn ulaw(name: &str) -> Vec<u8> {
    let [agent, customer] = channels(name).map(|channel| {
        let (samples, _) = channel.as_chunks::<2>();
        let codes = samples
            .iter()
            .map(|bytes| Law::Mu.encode(i16::from_le_bytes(*bytes)));
        codes.collect::<Vec<u8>>()
    });
    let pairs = customer.into_iter().zip(agent);
    pairs
        .flat_map(|(customer, agent)| [customer, agent])
        .collect()
}

/// Seconds of audio of two channels.
fn secs(audio: &[u8]) -> f64 {
    audio.len() as f64 / 16_000.0
}

#[test]
fn a_session_is_a_call_with_both_parties() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    configure(&desk, FAST);
    let server = Server::start(&desk, &models, &[]);
    let more = json!({"language": "zh-CN", "customConfig": {"agent": "1002", "queue": "spring", "call_id": "another"}});
    let mut session = Session::connect(&server, 1);
    session.say_open(CONVERSATION, &more);
    let opened = session.next();
    assert_eq!(opened["type"], "opened", "{opened}");
    let media = &opened["parameters"]["media"][0];
    assert_eq!(media["channels"], json!(["external", "internal"]));
    // Messages cut frames anywhere.
    session.client.speak(&ulaw("fixture-01"), 1_001);
    session.say("ping", &json!({"rtt": "PT0.05S"}));
    let pong = session.next();
    assert_eq!(
        (&pong["type"], &pong["clientseq"]),
        (&json!("pong"), &json!(2))
    );
    session.say("dtmf", &json!({"digit": "7"}));
    session.end();
    let events = server.events("after=0", "", CONVERSATION);
    assert_eq!(events[0]["source"], "audiohook");
    assert_eq!(events[0]["parties"], json!(["customer", "agent"]));
    assert!(!of_type(&events, "final").is_empty());
    let saved = server.json(&format!("/api/v1/calls/{CONVERSATION}"));
    let metadata = &saved["metadata"];
    assert_eq!(
        (&metadata["agent"], &metadata["campaign"]),
        (&json!("1002"), &json!("spring"))
    );
    let expected = analysed(&models, "fixture-01");
    for party in ["agent", "customer"] {
        assert_eq!(said_by(&saved, party), said_by(&expected, party));
    }
    assert_eq!(n_said(&saved), n_said(&expected));
    assert_eq!(saved["keys_pressed"][0]["party"], "customer");
    assert!(!saved.to_string().contains("13800138000"));
    let (_, said) = server.stop();
    let contradicts = "`customConfig` says something else than the conversation, which stands";
    assert!(said.contains(contradicts), "{said}");
    for secret in ["13800138000", "Li Wei", SECRET] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn pauses_and_what_was_lost_are_silence_of_their_length() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    configure(&desk, FAST);
    let server = Server::start(&desk, &models, &[]);
    let audio = ulaw("fixture-01");
    let expected = analysed(&models, "fixture-01");
    let utterances = expected["utterances"].as_array().unwrap();
    let first_ends_ms = utterances[0]["end_ms"].as_u64().unwrap();
    let (first, rest) = audio.split_at(first_ends_ms as usize * 16);
    let mut session = Session::open(&server, 1, CONVERSATION, &json!({}));
    session.client.speak(first, 1_600);
    // The silence of the pause ends what was said before it, though nothing comes.
    session.say("paused", &json!({}));
    let is_final = |event: &Value| event["type"] == "final";
    let events = server.events_until("after=0", "", is_final);
    assert!(events.iter().any(is_final));
    // However much of it is there already.
    session.say_missing("resumed", secs(first), 20.0);
    session.client.speak(rest, 1_600);
    session.say_missing("discarded", secs(&audio) + 20.0, 5.0);
    // Told again, and farther before the clock than can be.
    session.say_missing("discarded", secs(&audio) + 20.0, 5.0);
    session.say_missing("discarded", secs(&audio), 3_600.0);
    session.end();
    server.events("after=0", "", CONVERSATION);
    let saved = server.json(&format!("/api/v1/calls/{CONVERSATION}"));
    let lasts_ms = saved["duration_ms"].as_f64().unwrap();
    let expected_ms = 1_000.0 * (secs(&audio) + 25.0);
    assert!((lasts_ms - expected_ms).abs() < 100.0, "{lasts_ms}");
    // Both parties are where they spoke.
    for party in ["agent", "customer"] {
        let last_ms = |call: &Value| {
            let mut utterances = call["utterances"].as_array().unwrap().iter();
            let last = utterances.rfind(|utterance| utterance["party"] == party);
            last.unwrap()["end_ms"].as_f64().unwrap()
        };
        let shifted_ms = last_ms(&saved) - last_ms(&expected);
        assert!(
            (shifted_ms - 20_000.0).abs() < 500.0,
            "{party} {shifted_ms}"
        );
    }
    let (_, said) = server.stop();
    assert!(said.contains("before the clock"), "{said}");
}

#[test]
fn who_tries_the_connection_opens_no_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    configure(&desk, "");
    let server = Server::start(&desk, &models, &[]);
    let mut probe = Session::open(&server, 1, NOBODY, &json!({"media": []}));
    probe.say("ping", &json!({}));
    assert_eq!(probe.next()["type"], "pong");
    assert_eq!(server.json("/api/v1/calls")["under_way"], json!([]));
    probe.end();
    let (_, metrics) = server.get("/metrics");
    let none = "auricle_live_connections_refused_total 0\n";
    assert!(metrics.contains(none), "{metrics}");
    server.stop();
}

#[test]
fn handshakes_are_signed_by_clients_and_taken_once() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    configure(&desk, "[live.websocket]\nmost_connections = 1\n");
    let server = Server::start(&desk, &models, &[]);
    let status = |headers: &[(&str, String)]| match connect(&server, headers) {
        Ok(_) => 101,
        Err(refused) => refused.status,
    };
    let wrong = signed(&server, "auricle", OTHER_SECRET, 1);
    let refused = connect(&server, &wrong).err().unwrap();
    assert_eq!(refused.status, 401);
    // Whoever has no secret is not told what is wrong.
    assert!(!refused.body.contains("wrong"), "{}", refused.body);
    assert_eq!(status(&signed(&server, "nobody", SECRET, 1)), 401);
    assert_eq!(status(&[]), 401);
    let mut elsewhere = signed(&server, "auricle", SECRET, 1);
    elsewhere[1].1 = session(2);
    assert_eq!(status(&elsewhere), 401);
    let good = signed(&server, "auricle", SECRET, 1);
    let client = connect(&server, &good).unwrap();
    assert_eq!(status(&good), 401);
    // Signed, and no WebSocket; signed, and one too many.
    let more = signed(&server, "auricle", SECRET, 2);
    let more = more
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let plain = server.ask("GET", PATH, &more.collect::<String>());
    let line = std::io::BufRead::lines(std::io::BufReader::new(plain)).next();
    assert!(line.unwrap().unwrap().contains(" 400 "));
    let refused = connect(&server, &signed(&server, "auricle", SECRET, 3));
    assert_eq!(refused.err().unwrap().status, 503);
    client.leave();
    let (_, metrics) = server.get("/metrics");
    for figure in [
        "auricle_http_keys_refused_total 5\n",
        "auricle_live_connections_refused_total 7\n",
    ] {
        assert!(metrics.contains(figure), "{metrics}");
    }
    let (_, said) = server.stop();
    let told = "audiohook: a handshake is refused: signature is wrong";
    assert!(said.contains(told), "{said}");
}

#[test]
fn what_cannot_be_is_given_up_while_others_go_on() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    configure(
        &desk,
        "[live]\nmost_calls = 1\ndrain_secs = 0\nmost_ahead_secs = 600\n",
    );
    let server = Server::start(&desk, &models, &[]);
    let audio = ulaw("fixture-01");
    let nothing = json!({});
    let mut first = Session::open(&server, 1, CONVERSATION, &nothing);
    first.client.speak(&audio[..160_000], 1_600);

    let mut chatter = Session::connect(&server, 2);
    chatter.client.say("hello");
    let (info, code) = chatter.given_up();
    assert_eq!(info, "message is not a JSON object as AudioHook has it");
    assert_eq!(code, 1008);
    let mut hasty = Session::connect(&server, 3);
    hasty.client.speak(&[0xff; 320], 320);
    assert_eq!(
        hasty.given_up(),
        ("audio came before `opened`".to_owned(), 1008)
    );
    let mut lossy = Session::connect(&server, 4);
    lossy.seq = 1;
    lossy.say_open(OTHER_CONVERSATION, &nothing);
    assert_eq!(
        lossy.given_up(),
        ("`seq` must be 1, got `2`".to_owned(), 1008)
    );
    let mut wordy = Session::connect(&server, 5);
    wordy.client.say(&"a".repeat(20_000));
    let told = "message has 20000 bytes, more than 16384";
    assert_eq!(wordy.given_up(), (told.to_owned(), 1009));
    let mut english = Session::connect(&server, 6);
    english.say_open(OTHER_CONVERSATION, &json!({"language": "en-US"}));
    let told = "`language` must be zh, got `en-US`";
    assert_eq!(english.given_up(), (told.to_owned(), 1008));
    let mut again = Session::connect(&server, 7);
    again.say_open(CONVERSATION, &nothing);
    let told = format!("call `{CONVERSATION}` is under way already");
    assert_eq!(again.given_up(), (told, 1008));
    let mut more = Session::connect(&server, 8);
    more.say_open(OTHER_CONVERSATION, &nothing);
    assert_eq!(more.given_up().1, 1013);
    // Who heeds it ends his session.
    let mut heeding = Session::connect(&server, 9);
    heeding.say("open", &nothing);
    assert_eq!(heeding.next()["type"], "disconnect");
    heeding.end();
    let (_, metrics) = server.get("/metrics");
    let n_refused = "auricle_live_connections_refused_total 8\n";
    assert!(metrics.contains(n_refused), "{metrics}");

    first.client.speak(&audio[160_000..], 1_600);
    first.end();
    server.events("after=0", "", CONVERSATION);
    let saved = server.json(&format!("/api/v1/calls/{CONVERSATION}"));
    assert_eq!(n_said(&saved), n_said(&analysed(&models, "fixture-01")));
    // The program ends: so it says.
    server.wait_for("/api/v1/calls", |calls| calls["under_way"] == json!([]));
    let last = Session::open(&server, 10, OTHER_CONVERSATION, &nothing);
    let stopping = std::thread::spawn(move || server.stop());
    assert_eq!(last.given_up().1, 1001);
    let (code, said) = stopping.join().unwrap();
    assert_eq!(code, Some(0), "{said}");
    let named = format!("call.id={CONVERSATION}");
    assert!(said.contains(&named), "{said}");
}

#[test]
fn a_secret_that_cannot_be_read_is_told_before_anything_begins() {
    let desk = Desk::new();
    configure(&desk, "");
    desk.put("audiohook-secret", "too short");
    let words = [
        "`live.audiohook.clients`, `auricle`",
        "openssl rand -base64 32",
    ];
    desk.fails(&["config", "check"], 2, &words);
    desk.fails(&["serve"], 2, &words);
}
