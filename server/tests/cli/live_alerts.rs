//! Alerts of a live call: kept, seen to, told to those who were away.

use std::path::Path;

use serde_json::{Value, json};

use crate::bare::{checkout, desk_with_voice_activity};
use crate::desk::{Desk, Run};
use crate::server::{Server, of_type};

const CALL: &str = "live-fixture-01";

/// Makes a key, and gives it and what the configuration has to say.
fn key(desk: &Desk, name: &str, role: &str) -> (String, String) {
    let mut made = desk.command(&["api-key", name, "--role", role]);
    let made = Run::of(made.output().unwrap());
    let key = made.err.lines().find_map(|line| line.strip_prefix("key: "));
    (key.unwrap().to_owned(), made.out)
}

fn start(desk: &Desk, models: &Path, replays: bool) -> Server {
    let file = checkout().join("fixtures/audio/calls/fixture-01.wav");
    let args = ["--replay", file.to_str().unwrap(), "--speed", "8"];
    Server::start(desk, models, if replays { &args } else { &[] })
}

fn ids(events: &[Value]) -> Vec<u64> {
    let id = |event: &Value| event["id"].as_u64().unwrap();
    events.iter().map(id).collect()
}

fn list(server: &Server, query: &str, key: &str) -> (Vec<Value>, Value) {
    let mut page = server.json(&format!("/api/v1/alerts?{query}&key={key}"));
    let next = page["next"].take();
    (page["alerts"].as_array().unwrap().clone(), next)
}

#[test]
fn alerts_are_listed_seen_to_and_told_after_a_restart() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let (li, first) = key(&desk, "li", "supervisor");
    let (chen, second) = key(&desk, "chen", "supervisor");
    let (inspector, third) = key(&desk, "an inspector", "inspector");
    desk.put("auricle.toml", [first, second, third].join("\n"));
    let server = start(&desk, &models, true);
    let events = server.events(&format!("after=0&key={li}"), "", CALL);

    // Each as it was told last, those told last first.
    let told = of_type(&events, "alert");
    let mut expected: Vec<(&Value, &Value, &Value)> = Vec::new();
    for alert in told {
        let known = expected
            .iter_mut()
            .find(|known| known.0 == &alert["alert_id"]);
        match known {
            Some(known) => (known.1, known.2) = (&alert["state"], &alert["hit"]),
            None => expected.insert(0, (&alert["alert_id"], &alert["state"], &alert["hit"])),
        }
    }
    assert!(expected.len() > 1, "{expected:?}");
    let (all, next) = list(&server, "", &inspector);
    let kept = all
        .iter()
        .map(|alert| (&alert["alert_id"], &alert["state"], &alert["hit"]));
    assert_eq!(kept.collect::<Vec<_>>(), expected);
    assert_eq!(next, Value::Null);
    assert!(all.iter().all(|alert| alert["call_id"] == CALL));

    // Page by page; by what they are.
    let (page, next) = list(&server, "limit=1", &inspector);
    assert_eq!(page, all[..1]);
    let (page, _) = list(&server, &format!("after={next}"), &inspector);
    assert_eq!(page, all[1..]);
    let (promises, _) = list(
        &server,
        &format!("rule=promise_return&call={CALL}"),
        &inspector,
    );
    let promise = &promises[0];
    assert_eq!(promise["hit"]["rule"], "promise_return");
    for nothing in ["acknowledged=true", "call=other", "agent=wang"] {
        assert!(list(&server, nothing, &inspector).0.is_empty(), "{nothing}");
    }

    // Seen to, once.
    let id = promise["alert_id"].as_str().unwrap();
    let acknowledge = |key: &str, body: &Value| {
        let headers = format!("Authorization: Bearer {key}\r\nContent-Type: application/json\r\n");
        let path = format!("/api/v1/alerts/{id}/acknowledge");
        let (status, body) = server.post(&path, &headers, &body.to_string());
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    let note = json!({"note": "called back"});
    assert_eq!(acknowledge(&inspector, &note).0, 403);
    let (status, seen) = acknowledge(&li, &note);
    assert_eq!(status, 200, "{seen}");
    assert_eq!(seen["acknowledged"]["by"], "li");
    assert_eq!(seen["acknowledged"]["note"], "called back");
    assert_eq!(acknowledge(&li, &note), (200, seen.clone()));
    assert_eq!(acknowledge(&li, &json!({})), (200, seen.clone()));
    let (status, refused) = acknowledge(&chen, &note);
    assert_eq!(status, 409, "{refused}");
    assert!(
        refused["error"].as_str().unwrap().contains("`li`"),
        "{refused}"
    );
    assert_eq!(acknowledge(&li, &json!({"note": "x".repeat(2_001)})).0, 400);
    let last = ids(&events).last().copied().unwrap();
    let is_seen = |event: &Value| event["type"] == "acknowledged";
    let told = server.events_until(&format!("after={last}&only=alerts&key={li}"), "", is_seen);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["alert_id"], &told[0]["by"], &told[0]["note"]),
        (&json!(id), &json!("li"), &json!("called back"))
    );
    assert_eq!(
        list(&server, "acknowledged=true", &li).0,
        std::slice::from_ref(&seen)
    );
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");

    // Another run of the program: who was away gets what matters, once.
    let server = start(&desk, &models, false);
    let middle = events.len() / 3;
    let after = events[middle]["id"].as_u64().unwrap();
    let query = format!("after={after}&key={li}");
    let missed = server.events_until(&query, "", is_seen);
    let matters = |event: &&Value| {
        ["alert", "call_ended"]
            .iter()
            .any(|kind| event["type"] == *kind)
    };
    let mut expected: Vec<Value> = events[middle + 1..]
        .iter()
        .filter(matters)
        .cloned()
        .collect();
    expected.extend(told);
    assert_eq!(missed, expected);
    assert!(missed.len() > 2, "{missed:?}");
    let gone = server.events_until(&format!("after=1&key={li}"), "", |_| true);
    assert!(gone[0].as_str().unwrap().contains("are gone"), "{gone:?}");
    assert_eq!(list(&server, "", &li).0.len(), all.len());
    server.stop();

    // The same recording once more is another call: ids go on, and nobody saw to its alerts.
    let server = start(&desk, &models, true);
    let again = server.events(&format!("after=0&key={li}"), "", CALL);
    assert!(ids(&again)[0] > *ids(&missed).last().unwrap());
    assert!(list(&server, "acknowledged=true", &li).0.is_empty());
    server.stop();
    desk.ok(&["delete", CALL]);
    let server = start(&desk, &models, false);
    assert!(list(&server, "", &li).0.is_empty());
    server.stop();
}
