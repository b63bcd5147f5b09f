//! Webhooks before a receiver that takes events, or does not.

use auricle_contracts::CallId;
use auricle_store::{DeliveryCounts, EventRecord, EventStep};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::sync::mpsc;

use super::config::tests::webhook;
use super::sign::signature;
use super::*;

const SECRET: &str = "0123456789abcdef";

/// What came, and what was answered.
type Got = (u64, StatusCode);

/// Answers in this order, then 200.
struct Receiver {
    answers: Mutex<Vec<StatusCode>>,
    got: mpsc::UnboundedSender<Got>,
}

async fn take(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let timestamp = text("auricle-timestamp").parse().unwrap();
    let expected = signature(SECRET, timestamp, &body).unwrap();
    assert_eq!(text("auricle-signature"), expected);
    assert_eq!(text("content-type"), "application/json");
    let id = text("auricle-event-id");
    assert_eq!(body, format!("{{\"id\":{id}}}"));
    let mut answers = receiver.answers.lock().unwrap();
    let answer = match answers.is_empty() {
        true => StatusCode::OK,
        false => answers.remove(0),
    };
    let _ = receiver.got.send((id.parse().unwrap(), answer));
    // Whoever follows it is taken, and counts no failure.
    (answer, [("location", "/")])
}

/// A receiver, its address, and what it got.
async fn receiver(answers: &[StatusCode]) -> (String, mpsc::UnboundedReceiver<Got>) {
    let (got, all) = mpsc::unbounded_channel();
    let receiver = Receiver {
        answers: Mutex::new(answers.to_vec()),
        got,
    };
    let router = Router::new()
        .route("/", post(take))
        .with_state(Arc::new(receiver));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, all)
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

fn config(name: &str, url: &str, more: &str) -> WebhookConfig {
    webhook(&format!(
        "name = '{name}'\nurl = '{url}'\nsecret = '{SECRET}'\nfirst_retry_ms = 10\n{more}"
    ))
}

async fn put(store: &Store, webhook: &str, ids: std::ops::RangeInclusive<u64>) {
    let step = |id| {
        let event = EventRecord {
            id,
            unix_ms: crate::clock::unix_ms(),
            call_id: CallId("a".into()),
            agent: None,
            kind: "alert".into(),
            json: format!("{{\"id\":{id}}}"),
        };
        EventStep::Deliver(webhook.into(), event)
    };
    let steps: Vec<_> = ids.map(step).collect();
    store.save_events(&steps).await.unwrap();
}

async fn store(folder: &tempfile::TempDir) -> Arc<Store> {
    let store = Store::open(&folder.path().join("auricle.db")).await;
    Arc::new(store.unwrap())
}

fn start(store: &Arc<Store>, configs: &[WebhookConfig]) -> (Webhooks, Couriers) {
    let webhooks = Webhooks::new(configs);
    let runtime = tokio::runtime::Handle::current();
    let couriers = webhooks.start(store, &runtime).unwrap();
    (webhooks, couriers)
}

async fn take_n(got: &mut mpsc::UnboundedReceiver<Got>, n: usize) -> Vec<Got> {
    let mut taken = Vec::new();
    while taken.len() < n {
        taken.push(got.recv().await.unwrap());
    }
    taken
}

#[tokio::test]
async fn an_event_is_sent_until_it_is_taken_and_the_others_wait() {
    const FAILS: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
    const OK: StatusCode = StatusCode::OK;
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let moved = StatusCode::TEMPORARY_REDIRECT;
    let (url, mut got) = receiver(&[OK, FAILS, moved]).await;
    put(&store, "crm", 1..=3).await;
    let (webhooks, couriers) = start(&store, &[config("crm", &url, "")]);
    let expected = [(1, OK), (2, FAILS), (2, moved), (2, OK), (3, OK)];
    assert_eq!(take_n(&mut got, 5).await, expected);
    // One that comes later is sent at once.
    put(&store, "crm", 4..=4).await;
    webhooks.all()[0].wake();
    assert_eq!(take_n(&mut got, 1).await, [(4, OK)]);
    couriers.end().await;
    let crm = webhooks.named("crm").unwrap();
    assert_eq!(
        (crm.n_delivered(), crm.n_failed(), crm.failing()),
        (4, 2, None)
    );
    let counts = store.delivery_counts("crm").await.unwrap();
    assert_eq!(counts, DeliveryCounts::default());
}

#[tokio::test]
async fn one_that_fails_for_long_holds_back_nothing() {
    const FAILS: StatusCode = StatusCode::BAD_REQUEST;
    const OK: StatusCode = StatusCode::OK;
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let (url, mut got) = receiver(&[FAILS]).await;
    put(&store, "crm", 1..=3).await;
    let mut impatient = config("crm", &url, "hold_secs = 0");
    impatient.first_retry_ms = 300;
    let (_webhooks, couriers) = start(&store, &[impatient]);
    let got = take_n(&mut got, 4).await;
    assert_eq!(got, [(1, FAILS), (2, OK), (3, OK), (1, OK)]);
    couriers.end().await;
}

#[tokio::test]
async fn a_dead_webhook_leaves_letters_and_disturbs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let (url, mut got) = receiver(&[]).await;
    for name in ["dead", "crm"] {
        put(&store, name, 1..=2).await;
    }
    let dead = config("dead", &nobody().await, "give_up_secs = 0");
    let (webhooks, couriers) = start(&store, &[dead, config("crm", &url, "")]);
    take_n(&mut got, 2).await;
    while store.delivery_counts("dead").await.unwrap().n_dead < 2 {
        tokio::task::yield_now().await;
    }
    let cause = webhooks.named("dead").unwrap().failing().unwrap();
    assert!(
        cause.contains("refused") && !cause.contains("127.0.0.1"),
        "{cause}"
    );
    let letters = store.dead_letters("dead", 0, 9).await.unwrap();
    assert_eq!(letters[0].last_error.as_deref(), Some(cause.as_str()));
    couriers.end().await;

    // Somebody listens there now, and asks for one of them.
    let (url, mut got) = receiver(&[]).await;
    let (webhooks, couriers) = start(&store, &[config("dead", &url, "")]);
    assert!(store.revive("dead", 2, 0).await.unwrap());
    webhooks.all()[0].wake();
    assert_eq!(take_n(&mut got, 1).await, [(2, StatusCode::OK)]);
    couriers.end().await;
    let counts = DeliveryCounts {
        n_waiting: 0,
        n_dead: 1,
    };
    assert_eq!(store.delivery_counts("dead").await.unwrap(), counts);
}

#[tokio::test]
async fn what_was_not_taken_is_sent_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    put(&store, "crm", 1..=2).await;
    let (webhooks, couriers) = start(&store, &[config("crm", &nobody().await, "")]);
    while webhooks.all()[0].n_failed() == 0 {
        tokio::task::yield_now().await;
    }
    couriers.end().await;
    let (url, mut got) = receiver(&[]).await;
    let (_webhooks, couriers) = start(&store, &[config("crm", &url, "")]);
    let ids: Vec<u64> = take_n(&mut got, 2).await.iter().map(|got| got.0).collect();
    assert_eq!(ids, [1, 2]);
    couriers.end().await;
}
