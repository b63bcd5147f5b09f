//! `auricle serve`: calls of fixtures/audio/calls as calls under way.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::bare::{checkout, desk_with_voice_activity};
use crate::server::{Client, Server, analysed, channels, frame, key, of_type};

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
    // Also who sees none before he is away.
    let newest = ids.last().unwrap().to_string();
    let alerts = "/api/v1/live?only=alerts";
    let stream = server.ask("GET", alerts, "");
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let first = lines.find(|line| line.starts_with("id: "));
    assert_eq!(first, Some(format!("id: {newest}")));
    assert_eq!(lines.next().as_deref(), Some(""));
    let client = Client::open(&server, alerts, &[]);
    assert_eq!(client.headers["auricle-after"], newest);
    client.leave();
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
        "[live]\ndrain_secs = 0\nmost_ahead_secs = 600\n[live.audiosocket]\nlisten = '127.0.0.1:0'\n",
    );
    let server = Server::start(&desk, &models, &[]);
    let mut agent = TcpStream::connect(server.audiosocket.as_ref().unwrap()).unwrap();
    let [audio, _] = channels("fixture-01");
    agent.write_all(&frame(0x01, &[7; 16])).unwrap();
    for piece in audio[..16_000 * 12].chunks(320) {
        agent.write_all(&frame(0x10, piece)).unwrap();
    }
    // It is under way, and some of it is heard.
    server.events_until("after=0", "", |event| event["type"] == "final");
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
    let refused = |(status, body): (u16, String), expected: u16, words: &str| {
        assert_eq!(status, expected, "{body}");
        let told: Value = serde_json::from_str(&body).unwrap();
        assert!(told["error"].as_str().unwrap().contains(words), "{body}");
        assert!(told["hint"].is_string(), "{body}");
    };
    refused(server.get("/api/v1/search"), 400, "missing field `q`");
    refused(
        server.get("/api/v1/alerts?acknowledged=x"),
        400,
        "acknowledged",
    );
    refused(server.get("/api/v1/alerts/none"), 404, "no alert `none`");
    refused(
        server.get("/api/v1/webhooks/none/dead"),
        404,
        "no webhook `none`",
    );
    refused(server.get("/api/v1/calls/%ff"), 400, "UTF-8");
    refused(
        server.post("/api/v1/calls", "", ""),
        405,
        "does not take POST",
    );
    let acknowledge = "/api/v1/alerts/none/acknowledge";
    refused(server.get(acknowledge), 405, "does not take GET");
    let post = |kind: &str, body: &str| server.post(acknowledge, kind, body);
    let json = "Content-Type: application/json\r\n";
    refused(post(json, "{\"note\""), 400, "EOF");
    refused(post(json, "{\"nota\": \"\"}"), 422, "nota");
    refused(
        post("Content-Type: text/plain\r\n", "x"),
        415,
        "application/json",
    );
    refused(post(json, &"x".repeat(100_000)), 413, "limit");
    refused(post("", ""), 404, "no alert `none`");
    refused(post(json, ""), 404, "no alert `none`");
    refused(post("", "{}"), 415, "application/json");
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
    let key = key(&desk, "inspector");
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
