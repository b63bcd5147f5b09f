//! `PUT /api/v1/calls/{id}`: calls of AudioSocket get the metadata that their protocol does not bring.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::bare::desk_with_voice_activity;
use crate::server::{Server, channels, frame, of_type, speak};

/// Audio is taken as fast as it comes.
const CONFIG: &str = "[live]\nmost_ahead_secs = 600\n[live.audiosocket]\nlisten = '127.0.0.1:0'\n";
const CALL: &str = "07070707-0707-0707-0707-070707070707";
const OTHER: &str = "08080808-0808-0808-0808-080808080808";

fn put(server: &Server, call: &str, body: &Value) -> (u16, Value) {
    server.send_json("PUT", &format!("/api/v1/calls/{call}"), "", body)
}

#[test]
fn a_call_gets_what_was_announced_when_it_begins() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let told = json!({"agent": "1002", "queue": "spring_loans", "customer": "+8613800138000"});
    let (status, answer) = put(&server, CALL, &told);
    assert_eq!(status, 202, "{answer}");
    assert_eq!(answer["state"], "announced");
    let metadata = json!({"agent": "1002", "campaign": "spring_loans"});
    assert_eq!(answer["metadata"], metadata);
    assert!(answer["until_unix_ms"].is_u64(), "{answer}");
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("auricle_live_announcements 1\n"),
        "{metrics}"
    );

    let [agent, customer] = channels("fixture-01");
    let address = server.audiosocket.clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| speak(&address, [7; 16], &agent));
        // The first is the agent's.
        server.wait_for("/api/v1/calls", |calls| calls["under_way"] != json!([]));
        scope.spawn(|| speak(&address, [7; 16], &customer));
        let events = server.events("after=0", "", CALL);
        assert_eq!(events[0]["metadata"]["agent"], "1002");
        // Those who watch this agent see all of it.
        assert!(events.iter().all(|event| event["agent"] == "1002"));
    });
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    assert_eq!(saved["metadata"]["campaign"], "spring_loans");
    let calls = server.json("/api/v1/calls?campaign=spring_loans");
    assert_eq!(calls["saved"][0]["call_id"], CALL);

    // It is too late then; and what cannot be is refused.
    let (status, answer) = put(&server, CALL, &told);
    assert_eq!(
        (status, answer["hint"].is_string()),
        (409, true),
        "{answer}"
    );
    for wrong in [
        json!({"agnet": "1002"}),
        json!({"agent": ["1002"]}),
        json!({"agent": "x".repeat(129)}),
        json!({"call_id": CALL}),
        json!("1002"),
    ] {
        let (status, answer) = put(&server, OTHER, &wrong);
        assert_eq!(
            (status, answer["hint"].is_string()),
            (400, true),
            "{answer}"
        );
    }
    let (_, answer) = put(
        &server,
        OTHER,
        &json!({"agnet": "1002", "agent": "1002", "qeue": 1}),
    );
    let named = answer["error"].as_str().unwrap();
    assert!(named.contains("`agnet`, `qeue`"), "{answer}");
    let (status, answer) = put(&server, "..%2Fx", &told);
    assert_eq!(status, 400, "{answer}");
    server.stop();
}

#[test]
fn a_call_under_way_is_described_and_keeps_that_over_a_crash() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put(
        "auricle.toml",
        format!("{CONFIG}\n[live.announcements]\nmost = 1\n"),
    );
    let server = Server::start(&desk, &models, &[]);
    let [agent, _] = channels("fixture-01");
    let mut leg = TcpStream::connect(server.audiosocket.as_ref().unwrap()).unwrap();
    leg.write_all(&frame(0x01, &[7; 16])).unwrap();
    let mut say = |audio: &[u8]| {
        for piece in audio.chunks(320) {
            leg.write_all(&frame(0x10, piece)).unwrap();
        }
    };
    let (first, rest) = agent.split_at(16_000);
    say(first);
    server.wait_for("/api/v1/calls", |calls| calls["under_way"] != json!([]));
    let (status, answer) = put(&server, CALL, &json!({"agent": "1002"}));
    assert_eq!(
        (status, &answer["state"]),
        (200, &json!("under_way")),
        "{answer}"
    );
    // What is not said again stays.
    let (_, answer) = put(&server, CALL, &json!({"campaign": "loans"}));
    assert_eq!(answer["metadata"]["agent"], "1002", "{answer}");
    let calls = server.json("/api/v1/calls?agent=1002");
    assert_eq!(calls["under_way"][0]["metadata"]["campaign"], "loans");
    let events = server.events_until("after=0", "", |event| {
        event["metadata"]["campaign"] == "loans"
    });
    let described = of_type(&events, "call_described");
    assert_eq!(described.len(), 2, "{events:?}");
    assert_eq!(described[1]["agent"], "1002");

    // One more may be announced than is under way.
    let (status, _) = put(&server, OTHER, &json!({"agent": "1003"}));
    assert_eq!(status, 202);
    let (status, answer) = put(&server, "third", &json!({"agent": "1003"}));
    assert_eq!(
        (status, answer["hint"].is_string()),
        (429, true),
        "{answer}"
    );

    // It is known behind a crash, too.
    say(rest);
    let recorded = || {
        let files = walkdir::WalkDir::new(desk.path("data/recordings/open")).into_iter();
        let files = files
            .filter_map(Result::ok)
            .filter(|file| file.file_type().is_file());
        files
            .map(|file| fs::metadata(file.path()).unwrap().len())
            .sum::<u64>()
    };
    while recorded() < agent.len() as u64 {
        std::thread::yield_now();
    }
    server.kill();
    let server = Server::start(&desk, &models, &[]);
    let events = server.events("after=0", "", CALL);
    assert_eq!(events[0]["source"], "recovered");
    let known = &events[0]["metadata"];
    assert_eq!(
        (&known["agent"], &known["campaign"]),
        (&json!("1002"), &json!("loans"))
    );
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    assert_eq!(saved["metadata"]["agent"], "1002");
    server.stop();
}
