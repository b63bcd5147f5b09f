//! `auricle watch`: what a server tells, in the terminal.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::bare::{checkout, desk_with_voice_activity};
use crate::server::{Server, of_type};

const CALL: &str = "live-fixture-01";

#[test]
fn a_call_is_shown_as_it_is_told() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let file = checkout().join("fixtures/audio/calls/fixture-01.wav");
    let args = ["--replay", file.to_str().unwrap(), "--speed", "8"];
    let server = Server::start(&desk, &models, &args);
    let watch = |more: &[&str]| {
        let args = ["watch", "--server", &server.address, "--from-start"];
        let mut command = desk.command(&[&args[..], more].concat());
        let mut watch = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        (watch, lines.map(Result::unwrap))
    };
    let (mut as_json, mut json) = watch(&["--json"]);
    let mut events: Vec<Value> = Vec::new();
    for line in json.by_ref() {
        events.push(serde_json::from_str(&line).unwrap());
        if events.last().unwrap()["type"] == "call_ended" {
            break;
        }
    }
    assert_eq!(events, server.events("after=0", "", CALL));

    // For people: alerts alone, a line each.
    let alerts = of_type(&events, "alert");
    assert!(alerts.len() > 1, "{alerts:?}");
    let (mut of_alerts, mut shown) = watch(&["--alerts"]);
    for alert in alerts {
        let mark = match alert["state"].as_str().unwrap() {
            "provisional" => "!?",
            "withdrawn" => "- ",
            _ => "! ",
        };
        let line = shown.next().unwrap();
        assert!(line.contains(&format!("{CALL}  {mark} ")), "{line}");
    }

    // When the server ends they do.
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(json.next(), None);
    assert_eq!(shown.next(), None);
    for watch in [&mut as_json, &mut of_alerts] {
        assert_eq!(watch.wait().unwrap().code(), Some(0));
    }
}
