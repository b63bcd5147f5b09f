//! Packs, hotwords and the configuration read again while calls go on.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value, json};

use crate::bare::desk_with_voice_activity;
use crate::desk::Desk;
use crate::server::{Server, channels, frame, key, said_by};

const CONFIG: &str = "\
insight.packs = ['ours.yaml']
analyze.hotwords = 'words.txt'
live.audiosocket.listen = '127.0.0.1:0'
live.most_ahead_secs = 600
";
/// What the agent of fixture-01 says.
const FIRST: (&str, &str) = ("first", "保证收益");
const SECOND: (&str, &str) = ("second", "产品资料");
/// Bytes of audio up to a pause before the agent says any of it.
const BEFORE_THE_PHRASES: usize = 9 * 16_000;

/// A pack with a rule for each of these phrases.
fn put_pack(desk: &Desk, rules: &[(&str, &str)]) {
    let rules = rules
        .iter()
        .map(|(id, says)| format!("- {{id: {id}, when: {{says: [{says}]}}}}\n"));
    let rules: String = rules.collect();
    let pack = format!("pack: ours\nlanguage: zh\nrules:\n{rules}");
    desk.put("ours.yaml", pack);
}

/// A call of Asterisk that has one leg.
struct Call {
    stream: TcpStream,
    name: String,
}

impl Call {
    fn begin(server: &Server, number: u8) -> Self {
        let address = server.audiosocket.as_ref().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&frame(0x01, &[number; 16])).unwrap();
        let digits = |n: usize| format!("{number:02x}").repeat(n);
        let parts = [4, 2, 2, 2, 6].map(digits);
        Self {
            stream,
            name: parts.join("-"),
        }
    }

    fn speak(&mut self, audio: &[u8]) {
        for piece in audio.chunks(320) {
            self.stream.write_all(&frame(0x10, piece)).unwrap();
        }
    }

    /// Ends it; gives it as it was saved.
    fn end(mut self, server: &Server) -> Value {
        self.stream.write_all(&frame(0x00, &[])).unwrap();
        server.events("after=0", "", &self.name);
        server.json(&format!("/api/v1/calls/{}", self.name))
    }
}

/// A call in which this is said, from beginning to end.
fn heard(server: &Server, number: u8, audio: &[u8]) -> Value {
    let mut call = Call::begin(server, number);
    call.speak(audio);
    call.end(server)
}

fn hits(call: &Value) -> Vec<&str> {
    let hits = call["hits"].as_array().unwrap().iter();
    let mut rules: Vec<&str> = hits.map(|hit| hit["rule"].as_str().unwrap()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn reload(server: &Server) -> (u16, Value) {
    let (status, body) = server.post("/api/v1/reload", "", "");
    (status, serde_json::from_str(&body).unwrap())
}

/// Waits until the figures say this.
fn wait_for_figure(server: &Server, figure: &str) {
    while !server.get("/metrics").1.contains(&format!("\n{figure}\n")) {
        std::thread::yield_now();
    }
}

#[test]
fn rules_that_are_read_again_are_for_calls_that_open_after_that() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    desk.put("words.txt", "");
    put_pack(&desk, &[FIRST]);
    let server = Server::start(&desk, &models, &[]);
    let [agent, _] = channels("fixture-01");
    let mut under_way = Call::begin(&server, 1);
    under_way.speak(&agent[..BEFORE_THE_PHRASES]);
    server.events_until("after=0", "", |event| event["type"] == "final");

    put_pack(&desk, &[FIRST, SECOND]);
    let (status, reloaded) = reload(&server);
    assert_eq!(status, 200, "{reloaded}");
    assert_eq!(reloaded["changed"], json!(["rules"]));
    assert_eq!(reloaded["at_next_start"], json!([]));
    let packs = reloaded["packs"].as_array().unwrap();
    assert!(packs.contains(&json!("ours")), "{reloaded}");
    wait_for_figure(&server, "auricle_live_reloads_total 1");
    wait_for_figure(&server, "auricle_live_in_force_kept 2");

    // The call under way is heard to its end, by what it began with; then that is gone.
    under_way.speak(&agent[BEFORE_THE_PHRASES..]);
    let before = under_way.end(&server);
    assert_eq!(hits(&before), ["first"]);
    wait_for_figure(&server, "auricle_live_in_force_kept 1");
    let after = heard(&server, 2, &agent);
    assert_eq!(hits(&after), ["first", "second"]);
    assert!(said_by(&before, "agent").concat().contains("资料"));

    // What is broken changes nothing, and is named.
    desk.put(
        "ours.yaml",
        "pack: ours\nlanguage: zh\nrules:\n- {id: a, wehn: {}}\n",
    );
    let (status, refused) = reload(&server);
    assert_eq!(status, 422, "{refused}");
    let cause = refused["error"].as_str().unwrap();
    assert!(cause.contains("ours.yaml:4:"), "{refused}");
    assert!(cause.contains("wehn"), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("as it was"));
    wait_for_figure(&server, "auricle_live_reloads_refused_total 1");
    wait_for_figure(&server, "auricle_live_reloads_total 1");
    assert_eq!(hits(&heard(&server, 3, &agent)), ["first", "second"]);
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("reloaded: rules changed;"), "{said}");
    assert!(
        said.contains("not reloaded, all stays as it was: "),
        "{said}"
    );
    assert!(said.contains("ours.yaml:4:"), "{said}");

    // By which rules each was judged is known: only the first is due.
    put_pack(&desk, &[FIRST, SECOND]);
    let due = desk.run(&["rescore", "--dry-run"]);
    let told = format!("{}{}", due.out, due.err);
    assert_eq!(due.code, Some(0), "{told}");
    assert!(
        told.contains(&before["call_id"].as_str().unwrap()[..8]),
        "{told}"
    );
}

#[test]
fn hotwords_and_the_configuration_are_read_again() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    desk.put("words.txt", "# none yet\n");
    put_pack(&desk, &[FIRST]);
    let server = Server::start(&desk, &models, &[]);
    let [agent, _] = channels("fixture-01");
    // Nobody writes the name so; it only sounds like the one in the call.
    let (name, word) = ("恒辛财富", "恒辛财富 heng2 xin4 cai2 fu4 10\n");
    let mut under_way = Call::begin(&server, 1);
    under_way.speak(&agent[..320]);
    server.wait_for("/api/v1/calls", |calls| calls["under_way"] != json!([]));

    desk.put("words.txt", word);
    let hangup = format!("kill -HUP {}", server.child.id());
    let told = Command::new("sh").args(["-c", &hangup]).status();
    assert!(told.unwrap().success());
    wait_for_figure(&server, "auricle_live_reloads_total 1");
    under_way.speak(&agent[320..]);
    let (before, after) = (under_way.end(&server), heard(&server, 2, &agent));
    let text = |call: &Value| said_by(call, "agent").concat();
    assert!(!text(&before).contains(name), "{}", text(&before));
    assert!(text(&after).contains(name), "{}", text(&after));

    let check = |status: u16, words: &[&str]| {
        let (got, answer) = reload(&server);
        assert_eq!(got, status, "{answer}");
        for word in words {
            assert!(answer.to_string().contains(word), "{word} in {answer}");
        }
    };
    desk.put("words.txt", format!("{word}好 hao9\n"));
    check(422, &["words.txt", "line 2", "hao9"]);
    desk.put("words.txt", "");
    desk.put("auricle.toml", format!("{CONFIG}live.idle_ms = 1000\n"));
    check(422, &["auricle.toml", "line 5", "live.idle_ms", "1 to 100"]);
    // Packs and words that are named now count at once, the other keys at the next start.
    desk.put("auricle.toml", "insight.packs = []\nlive.most_calls = 7\n");
    check(
        200,
        &[
            "rules",
            "hearing",
            "live.audiosocket.listen",
            "live.most_calls",
        ],
    );
    assert!(!text(&heard(&server, 3, &agent)).contains(name));
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("reloaded: hearing changed;"), "{said}");
    assert!(said.contains("`live.most_calls` changed, too"), "{said}");
}

#[test]
fn files_that_change_are_read_again_where_that_is_configured() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", format!("{CONFIG}live.reload_secs = 1\n"));
    desk.put("words.txt", "");
    put_pack(&desk, &[FIRST]);
    let server = Server::start(&desk, &models, &[]);
    put_pack(&desk, &[FIRST, SECOND]);
    wait_for_figure(&server, "auricle_live_reloads_total 1");
    desk.put("ours.yaml", "rules: [");
    wait_for_figure(&server, "auricle_live_reloads_refused_total 1");
    put_pack(&desk, &[FIRST]);
    wait_for_figure(&server, "auricle_live_reloads_total 2");
    server.stop();
}

#[test]
fn a_supervisor_may_reload_and_an_inspector_may_not() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    for (role, expected) in [("inspector", 403), ("supervisor", 200)] {
        let key = key(&desk, role);
        let server = Server::start(&desk, &models, &[]);
        let path = format!("/api/v1/reload?key={key}");
        let (status, body) = server.post(&path, "", "");
        assert_eq!(status, expected, "{role}: {body}");
        assert_eq!(server.get(&path).0, 405);
        server.stop();
    }
}
