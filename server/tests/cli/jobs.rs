//! `/api/v1/jobs`: past calls assessed anew beside live ones.

use std::path::Path;

use serde_json::{Value, json};

use crate::bare::{checkout, desk_with_voice_activity};
use crate::desk::{Desk, Run, loan_call};
use crate::server::Server;

/// Fires in every call of these tests, and in none before.
const PACK: &str = "pack: ours\nlanguage: zh\nrules:\n- {id: said_anything, title: Said anything, severity: minor, when: {says: [保证, 您, 好, 我, 这]}}\n";
const CONFIG: &str = "[insight]\npacks = ['ours.yaml']\n";

/// Makes a key, and gives it and what the configuration has to say.
fn key(desk: &Desk, name: &str, role: &str) -> (String, String) {
    let mut made = desk.command(&["api-key", name, "--role", role]);
    let made = Run::of(made.output().unwrap());
    let key = made.err.lines().find_map(|line| line.strip_prefix("key: "));
    (key.unwrap().to_owned(), made.out)
}

fn start(server: &Server, key: &str, body: &Value) -> u64 {
    let (status, job) = server.send_json("POST", "/api/v1/jobs/rescore", key, body);
    assert_eq!(status, 202, "{job}");
    job["id"].as_u64().unwrap()
}

fn job(server: &Server, id: u64, key: &str) -> Value {
    server.json(&format!("/api/v1/jobs/{id}?key={key}"))
}

fn is_over(job: &Value) -> bool {
    !["queued", "running"].contains(&job["state"].as_str().unwrap())
}

/// The job once it is over.
fn over(server: &Server, id: u64, key: &str) -> Value {
    server.wait_for(&format!("/api/v1/jobs/{id}?key={key}"), is_over);
    job(server, id, key)
}

/// Puts so many calls into the store.
fn import(desk: &Desk, n_calls: usize) {
    for number in 0..n_calls {
        let mut call = loan_call();
        call.call_id.0 = format!("call-{number:03}");
        call.file = format!("recordings/{number:03}.wav");
        let text = serde_json::to_string(&call).unwrap();
        desk.put(&format!("in/{number:03}.json"), text);
    }
    desk.ok(&["import", "in"]);
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let place = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(&place).unwrap(),
            false => drop(std::fs::copy(entry.path(), &place).unwrap()),
        }
    }
}

#[test]
fn a_job_makes_of_calls_what_the_command_makes_of_them() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let call = checkout().join("fixtures/audio/calls/fixture-01.wav");
    let mut analyze = desk.command(&["analyze", call.to_str().unwrap()]);
    let heard = Run::of(analyze.env("AURICLE_MODELS", &models).output().unwrap());
    assert_eq!(heard.code, Some(0), "{}", heard.err);
    desk.import_samples();
    let (supervisor, first) = key(&desk, "li", "supervisor");
    let (inspector, second) = key(&desk, "an inspector", "inspector");
    desk.put("ours.yaml", PACK);
    desk.put("auricle.toml", [CONFIG, &first, &second].join("\n"));

    // By the command, on a copy.
    copy(&desk.path("data"), &desk.path("copy"));
    let told = |args: &[&str]| -> String {
        let args = [&["--data", "copy"], args].concat();
        let mut command = desk.command(&args);
        let run = Run::of(command.env("AURICLE_MODELS", &models).output().unwrap());
        assert_eq!(run.code, Some(0), "{}", run.err);
        run.out
    };
    let changes: Value = serde_json::from_str(&told(&["rescore", "--json"])).unwrap();
    assert_eq!(changes["n_calls"], 3);

    let server = Server::start(&desk, &models, &[]);
    let before = server.json(&format!("/api/v1/calls/fixture-01?key={inspector}"));
    let id = start(&server, &supervisor, &json!({}));
    let done = over(&server, id, &inspector);
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(
        (
            &done["kind"],
            &done["by"],
            &done["n_calls"],
            &done["n_done"],
            &done["n_failed"]
        ),
        (
            &json!("rescore"),
            &json!("li"),
            &json!(3),
            &json!(3),
            &json!(0)
        )
    );
    assert!(
        done["began_unix_ms"].as_u64() <= done["ended_unix_ms"].as_u64(),
        "{done}"
    );
    let report = &done["report"];
    for part in [
        "n_calls",
        "n_new",
        "n_left",
        "bins_before",
        "bins_after",
        "rules",
        "agents",
    ] {
        assert_eq!(report[part], changes[part], "{part}");
    }
    let changed = changes["calls"].as_array().unwrap();
    assert_eq!(report["n_changed"], changed.len());
    assert_eq!(done["n_changed"], changed.len());

    // The calls, page by page.
    let address = format!("/api/v1/jobs/{id}/calls?key={inspector}");
    let page = server.json(&format!("{address}&limit=2"));
    assert_eq!(page["calls"].as_array().unwrap()[..], changed[..2]);
    let next = page["next"].as_str().unwrap();
    let page = server.json(&format!("{address}&after={next}"));
    assert_eq!(page["calls"].as_array().unwrap()[..], changed[2..]);

    // Cards and hits are those of the command.
    let after = server.json(&format!("/api/v1/calls/fixture-01?key={inspector}"));
    assert_ne!(before["hits"], after["hits"]);
    told(&[
        "export",
        "fixture-01",
        "--format",
        "jsonl",
        "--out",
        "by-command.jsonl",
    ]);
    let exported = std::fs::read_to_string(desk.path("by-command.jsonl")).unwrap();
    let exported: Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    for part in ["hits", "scorecard"] {
        assert_eq!(after[part], exported[part], "{part}");
    }
    // And they are found.
    let found = server.json(&format!(
        "/api/v1/search?q=hit:said_anything&key={inspector}"
    ));
    assert_eq!(found["total_calls"], 3);

    // Parts of a call can be had alone.
    let page = server.json(&format!(
        "/api/v1/calls/fixture-01/hits?limit=1&key={inspector}"
    ));
    assert_eq!(page["hits"][0], after["hits"][0]);
    assert_eq!(page["n_hits"], after["hits"].as_array().unwrap().len());
    let n_utterances = after["utterances"].as_array().unwrap().len();
    let page = server.json(&format!(
        "/api/v1/calls/fixture-01/transcript?after=1&limit=2&key={inspector}"
    ));
    assert_eq!(
        (&page["n_utterances"], &page["next"]),
        (&json!(n_utterances), &json!(3))
    );
    let second = &page["utterances"][0];
    assert_eq!(second["text"], after["utterances"][1]["text"]);
    assert_eq!(page["utterances"].as_array().unwrap().len(), 2);

    // A second one finds nothing to do.
    let id = start(&server, &supervisor, &json!({}));
    let done = over(&server, id, &inspector);
    assert_eq!(
        (&done["state"], &done["n_calls"]),
        (&json!("done"), &json!(0)),
        "{done}"
    );
    // One that only tries changes nothing.
    let all = json!({"selection": {"campaign": "loans"}, "rules": ["zh-finance"], "force": true, "dry_run": true});
    let id = start(&server, &supervisor, &all);
    let done = over(&server, id, &inspector);
    assert_eq!(
        (&done["n_done"], &done["n_changed"]),
        (&json!(1), &json!(1)),
        "{done}"
    );
    assert_eq!(done["request"]["rules"], json!(["zh-finance"]));
    let found = server.json(&format!(
        "/api/v1/search?q=hit:said_anything&key={inspector}"
    ));
    assert_eq!(found["total_calls"], 3);
    let listed = server.json(&format!("/api/v1/jobs?limit=2&key={inspector}"));
    assert_eq!(
        (&listed["jobs"][0]["id"], &listed["next"]),
        (&json!(id), &json!(id - 1))
    );
    server.stop();
}

#[test]
fn who_may_not_and_what_cannot_be_is_refused() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.import_samples();
    let (supervisor, first) = key(&desk, "li", "supervisor");
    let (inspector, second) = key(&desk, "an inspector", "inspector");
    desk.put("auricle.toml", [first, second].join("\n"));
    let server = Server::start(&desk, &models, &[]);
    let post = |path: &str, key: &str, body: &Value| server.send_json("POST", path, key, body);
    let (status, _) = post("/api/v1/jobs/rescore", &inspector, &json!({}));
    assert_eq!(status, 403);
    let (status, _) = post("/api/v1/jobs/1/cancel", &inspector, &json!({}));
    assert_eq!(status, 403);
    for wrong in [
        json!({"selektion": {}}),
        json!({"selection": {"agents": "li"}}),
        json!({"selection": {"since": "yesterday"}}),
        json!({"selection": {"calls": ["nobody"]}}),
        json!({"rules": ["/etc/passwd"]}),
        json!({"card": "../card.yaml"}),
        json!({"audio": "sometimes"}),
        json!([]),
        json!({"selection": []}),
    ] {
        let (status, answer) = post("/api/v1/jobs/rescore", &supervisor, &wrong);
        assert_eq!(status, 400, "{wrong}: {answer}");
        assert!(answer["hint"].is_string(), "{answer}");
    }
    let headers =
        format!("Authorization: Bearer {supervisor}\r\nContent-Type: application/json\r\n");
    let (status, answer) = server.post("/api/v1/jobs/rescore", &headers, "{");
    assert_eq!(status, 400, "{answer}");
    let unkind = format!("Authorization: Bearer {supervisor}\r\n");
    let (status, answer) = server.post("/api/v1/jobs/rescore", &unkind, "{}");
    assert_eq!(status, 415, "{answer}");
    let (status, _) = post("/api/v1/jobs/1/cancel", &supervisor, &json!({}));
    assert_eq!(status, 404);
    let listed = server.json(&format!("/api/v1/jobs?key={inspector}"));
    assert_eq!(listed, json!({"jobs": []}));
    server.stop();
}

#[test]
fn who_asks_for_nothing_in_particular_need_not_write_it() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.import_samples();
    let server = Server::start(&desk, &models, &[]);
    for kind in ["", "Content-Type: application/json\r\n"] {
        let (status, answer) = server.post("/api/v1/jobs/rescore", kind, "");
        assert_eq!(status, 202, "{kind}: {answer}");
    }
    server.stop();
}

/// So slow that there is time to look.
fn slow(most: u64) -> String {
    format!("{CONFIG}\n[live.jobs]\npause_ms = 10000\nmost = {most}\n")
}

/// Waits until a job is done with some calls.
fn begun(server: &Server, id: u64) {
    server.wait_for(&format!("/api/v1/jobs/{id}"), |job| {
        assert!(!is_over(job), "{job}");
        job["n_done"].as_u64() > Some(0)
    });
}

#[test]
fn jobs_wait_for_each_other_and_are_cancelled() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    import(&desk, 40);
    desk.put("ours.yaml", PACK);
    desk.put("auricle.toml", slow(2));
    let server = Server::start(&desk, &models, &[]);
    let cancel =
        |id: u64| server.send_json("POST", &format!("/api/v1/jobs/{id}/cancel"), "", &json!({}));
    let text = json!({"audio": "never"});
    let first = start(&server, "", &text);
    begun(&server, first);
    let second = start(&server, "", &text);
    assert_eq!(job(&server, second, "")["state"], "queued");
    let (status, answer) = server.send_json("POST", "/api/v1/jobs/rescore", "", &text);
    assert_eq!(
        (status, answer["hint"].is_string()),
        (429, true),
        "{answer}"
    );

    let (status, cancelled) = cancel(second);
    assert_eq!(
        (status, &cancelled["state"]),
        (202, &json!("cancelled")),
        "{cancelled}"
    );
    assert_eq!(cancel(first).0, 202);
    let done = over(&server, first, "");
    assert_eq!(done["state"], "cancelled");
    // What was done stays, the rest is left.
    let n_done = done["n_done"].as_u64().unwrap();
    assert!(n_done > 0, "{done}");
    let report = &done["report"];
    assert_eq!(report["n_calls"], n_done);
    assert_eq!(report["n_left"], 40 - n_done);
    let found = server.json("/api/v1/search?q=hit:said_anything");
    assert_eq!(found["total_calls"], n_done);
    assert_eq!(cancel(first).0, 409);
    let cancelled = server.json("/api/v1/jobs?state=cancelled");
    assert_eq!(cancelled["jobs"].as_array().unwrap().len(), 2);
    server.stop();
}

#[test]
fn a_job_goes_on_where_it_was_after_a_restart() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    import(&desk, 40);
    desk.put("ours.yaml", PACK);
    desk.put("auricle.toml", slow(16));
    let server = Server::start(&desk, &models, &[]);
    let id = start(&server, "", &json!({"audio": "never", "force": true}));
    let behind = start(&server, "", &json!({"audio": "never"}));
    begun(&server, id);
    server.kill();
    // Once more, this time told to end.
    let server = Server::start(&desk, &models, &[]);
    begun(&server, id);
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");

    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let done = over(&server, id, "");
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(
        (&done["n_calls"], &done["n_done"], &done["n_changed"]),
        (&json!(40), &json!(40), &json!(40))
    );
    // Its report is about all of it.
    let report = &done["report"];
    assert_eq!(
        (&report["n_calls"], &report["n_left"]),
        (&json!(40), &json!(0))
    );
    assert_eq!(report["rules"]["ours/said_anything"]["n_added"], 40);
    let changed = server.json(&format!("/api/v1/jobs/{id}/calls"));
    assert_eq!(changed["calls"].as_array().unwrap().len(), 40);
    let found = server.json("/api/v1/search?q=hit:said_anything");
    assert_eq!(found["total_calls"], 40);
    let next = over(&server, behind, "");
    assert_eq!(
        (&next["state"], &next["n_calls"]),
        (&json!("done"), &json!(0)),
        "{next}"
    );
    server.stop();

    // Nothing of a call that is forgotten stays.
    desk.ok(&["delete", "call-007"]);
    let server = Server::start(&desk, &models, &[]);
    let changed = server.json(&format!("/api/v1/jobs/{id}/calls"));
    assert_eq!(changed["calls"].as_array().unwrap().len(), 39);
    server.stop();
}
