//! What is asked of a server, and what is shown of its answers.

use std::sync::{Arc, Mutex};

use auricle_contracts::Party;
use axum::extract::{RawQuery, State as Held};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use super::looks::tests::call;
use super::*;
use crate::lines::tests::{dead, good};
use crate::serve::{CallLines, LinesPage};

/// The queries that a server got.
type Asked = Arc<Mutex<Vec<Option<String>>>>;

/// A server that gives these answers, one after the other, the last again and again; gives its address, and what it is asked.
async fn server(answers: Vec<LinesPage>) -> (String, Asked) {
    let asked = Asked::default();
    let router = Router::new()
        .route("/api/v1/ingest/lines", get(answer))
        .with_state((answers, Arc::clone(&asked)));
    (listen(router).await, asked)
}

async fn answer(
    Held((answers, asked)): Held<(Vec<LinesPage>, Asked)>,
    RawQuery(query): RawQuery,
) -> Json<LinesPage> {
    let mut asked = asked.lock().unwrap();
    let place = asked.len().min(answers.len() - 1);
    asked.push(query);
    Json(answers[place].clone())
}

async fn listen(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

fn page(calls: Vec<CallLines>) -> LinesPage {
    LinesPage { calls, next: None }
}

fn one_way(name: &str) -> CallLines {
    CallLines {
        noted_ms: Some(60_000),
        lines: vec![good(Party::Agent), dead(Party::Customer)],
        warnings: vec!["the codec\u{1b} changed".into()],
        ..call(name, 61_000)
    }
}

/// What people read of these calls.
fn shown(calls: Vec<CallLines>) -> String {
    let mut looks = Looks::default();
    looks.add(calls);
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut out = Terminal::plain(Box::new(file.reopen().unwrap()));
    Found::of(&looks).write(&mut out).unwrap();
    out.flush().unwrap();
    std::fs::read_to_string(file.path()).unwrap()
}

#[tokio::test]
async fn all_pages_are_asked_for_and_looks_go_on_for_as_long_as_they_should() {
    let first = LinesPage {
        next: Some(call("a b", 0).call_id),
        ..page(vec![call("a b", 9_000)])
    };
    let (address, asked) = server(vec![first, page(vec![call("c", 9_000)]), page(vec![])]).await;
    let client = Client::new(&address, None).unwrap();
    let looks = look(&client, Duration::ZERO, LOOK_EVERY).await.unwrap();
    let names: Vec<&str> = looks
        .calls()
        .map(|looked| looked.last.call_id.0.as_str())
        .collect();
    assert_eq!(names, ["a b", "c"]);
    assert_eq!(*asked.lock().unwrap(), [None, Some("after=a+b".to_owned())]);

    let (address, asked) = server(vec![page(vec![call("a", 9_000)]), page(vec![])]).await;
    let client = Client::new(&format!("http://{address}/"), None).unwrap();
    let within = Duration::from_millis(20);
    let looks = look(&client, within, Duration::from_millis(1)).await;
    let looks = looks.unwrap();
    assert!(looks.calls().all(|looked| looked.has_ended));
    assert!(asked.lock().unwrap().len() > 1);
}

#[tokio::test]
async fn servers_that_refuse_or_are_not_there_are_told() {
    let refusal = serde_json::json!({"error": "a key is needed"});
    let router = Router::new().fallback(get((StatusCode::UNAUTHORIZED, Json(refusal))));
    let address = listen(router).await;
    let said = Client::new(&address, None).unwrap().calls().await;
    assert_eq!(
        said.unwrap_err().to_string(),
        format!(
            "`{address}` refuses: a key is needed\nhint: --key-file names a file with a key for it, of a supervisor or an integrator"
        )
    );
    let router = Router::new().fallback(get("lines"));
    let address = listen(router).await;
    let said = Client::new(&address, None).unwrap().calls().await;
    let said = said.unwrap_err().to_string();
    assert!(said.contains("let both be of one version"), "{said}");
    // Nobody listens on what was just let go.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let said = Client::new(&address, None).unwrap().calls().await;
    let said = said.unwrap_err().to_string();
    let words = format!("cannot ask `{address}`: ");
    assert!(said.starts_with(&words), "{said}");
    assert!(
        said.ends_with("hint: `auricle serve` listens there"),
        "{said}"
    );
}

#[tokio::test]
async fn packets_are_asked_for_by_the_name_of_the_call() {
    let router = Router::new().fallback(|uri: Uri| async move { uri.to_string() });
    let address = listen(router).await;
    let client = Client::new(&format!("http://{address}/below"), None).unwrap();
    let answer = client.capture("a/b c", 7).await.unwrap();
    let expected = "/below/api/v1/calls/a%2Fb%20c/capture?secs=7";
    assert_eq!(answer.text().await.unwrap(), expected);
    let refusal = serde_json::json!({"error": "it is captured", "hint": "wait"});
    let router = Router::new().fallback(get((StatusCode::CONFLICT, Json(refusal))));
    let address = listen(router).await;
    let client = Client::new(&address, None).unwrap();
    let said = client.capture("a", 7).await.err().unwrap().to_string();
    assert_eq!(
        said,
        format!("`{address}` refuses: it is captured\nhint: wait")
    );
}

#[test]
fn what_is_wrong_is_read_at_a_glance() {
    let socket = CallLines {
        source: "audiosocket".into(),
        ..call("b", 200_000)
    };
    let text = shown(vec![one_way("a"), socket]);
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "  line      codec  packets  lost   jitter  MOS",
        "a  siprec, 1 min 01 s",
        "  agent     pcma   3000     0.0 %  2 ms    4.41  good",
        "  customer  –      0        –      –       –     one-way: no audio, and the other party is heard",
        "  note: the codec\u{fffd} changed",
    ];
    assert_eq!(lines[..5], expected);
    assert!(lines[5].starts_with("  hint: one-way: "), "{text}");
    assert_eq!(lines[6], "b  audiosocket, 3 min 20 s");
    assert!(
        lines[7].starts_with("  note: its audio comes over "),
        "{text}"
    );
    assert_eq!(lines[8..], ["2 calls, something is wrong with 1"]);

    let good = CallLines {
        lines: vec![good(Party::Agent), good(Party::Customer)],
        ..one_way("a")
    };
    assert!(shown(vec![good]).ends_with("1 call, nothing is wrong\n"));
    let begun = CallLines {
        age_ms: 2_000,
        lines: vec![dead(Party::Agent)],
        ..call("a", 0)
    };
    assert!(shown(vec![begun]).contains("too early to tell\n"));
    assert!(shown(vec![]).starts_with("no calls are under way\nhint: "));
}
