//! `auricle ingest check`: calls of a running server, line by line.

use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::bare::desk_with_voice_activity;
use crate::desk::{Desk, Run};
use crate::server::{Server, channels, frame, key};

const CALL: &str = "07070707-0707-0707-0707-070707070707";
const LINES: &str = "/api/v1/ingest/lines";

fn check(desk: &Desk, server: &Server, more: &[&str]) -> Run {
    let args = ["ingest", "check", "--server", &server.address];
    desk.run(&[&args[..], more].concat())
}

#[test]
fn a_call_over_a_connection_has_no_packets_to_judge_by() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put(
        "auricle.toml",
        "[live.audiosocket]\nlisten = '127.0.0.1:0'\nconnections = 1\n",
    );
    let server = Server::start(&desk, &models, &[]);
    let none = check(&desk, &server, &[]);
    assert_eq!(none.code, Some(0), "{}", none.err);
    assert!(
        none.out.starts_with("no calls are under way\nhint: "),
        "{}",
        none.out
    );

    let [agent, _] = channels("fixture-01");
    let mut leg = TcpStream::connect(server.audiosocket.as_ref().unwrap()).unwrap();
    leg.write_all(&frame(0x01, &[7; 16])).unwrap();
    leg.write_all(&frame(0x10, &agent[..320])).unwrap();
    server.wait_for(LINES, |page| page["calls"] != json!([]));
    let page = server.json(LINES);
    let call = &page["calls"][0];
    assert_eq!(
        (&call["call_id"], &call["source"]),
        (&CALL.into(), &"audiosocket".into())
    );
    assert_eq!(
        (&call["lines"], &call["noted_ms"]),
        (&json!([]), &Value::Null)
    );
    let after = server.json(&format!("{LINES}?after={CALL}"));
    assert_eq!(after, json!({"calls": []}));

    let shown = check(&desk, &server, &[]);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let words = [
        format!("{CALL}  audiosocket, "),
        "no packets to judge by\n".to_owned(),
        "1 call, nothing is wrong\n".to_owned(),
    ];
    for words in words {
        assert!(shown.out.contains(&words), "`{words}` in {}", shown.out);
    }
    let found = check(&desk, &server, &["--json"]);
    let found: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(found["n_wrong"], 0);
    assert_eq!(found["calls"][0]["state"], "not_measured");

    // It ends while it is watched.
    let watched = std::thread::scope(|scope| {
        let watched = scope.spawn(|| check(&desk, &server, &["--secs", "5", "--json"]));
        leg.write_all(&frame(0x00, &[])).unwrap();
        drop(leg);
        watched.join().unwrap()
    });
    assert_eq!(watched.code, Some(0), "{}", watched.err);
    // Or it has ended before the first look.
    let watched: Value = serde_json::from_str(&watched.out).unwrap();
    let calls = watched["calls"].as_array().unwrap();
    assert!(
        calls.iter().all(|call| call["has_ended"] == true),
        "{watched}"
    );

    // Its document has none, either, and figures count none.
    server.events("after=0", "", CALL);
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    assert_eq!(saved["lines"], Value::Null);
    let (_, metrics) = server.get("/metrics");
    for figure in [
        "auricle_live_line_mos_count 0\n",
        "auricle_live_line_loss_ratio_bucket{le=\"0.05\"} 0\n",
        "auricle_live_line_problems_total{problem=\"one_way\"} 0\n",
    ] {
        assert!(metrics.contains(figure), "{figure}");
    }
    server.stop();
}

#[test]
fn a_server_wants_a_key_and_one_that_is_not_there_is_told() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let supervisor = key(&desk, "supervisor");
    desk.put("key.txt", &supervisor);
    let server = Server::start(&desk, &models, &[]);
    let (status, _) = server.get(LINES);
    assert_eq!(status, 401);
    let refused = check(&desk, &server, &[]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("--key-file names a file"),
        "{}",
        refused.err
    );
    let taken = check(&desk, &server, &["--key-file", "key.txt"]);
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    let address = server.address.clone();
    server.stop();
    desk.fails(
        &["ingest", "check", "--server", &address],
        1,
        &["cannot ask", "`auricle serve` listens there"],
    );
}
