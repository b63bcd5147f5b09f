//! Alerts, events and deliveries as their users meet them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use auricle_contracts::{
    Acknowledgement, Alert, AlertRecord, AlertState, CallId, Hit, Party, Severity,
};
use auricle_store::{
    AlertFilter, Delivery, DeliveryCounts, EventRecord, EventStep, Failure, Store,
};

fn call(name: &str) -> CallId {
    CallId(name.to_owned())
}

fn event(id: u64, call_id: &str) -> EventRecord {
    EventRecord {
        id,
        unix_ms: id * 1_000,
        call_id: call(call_id),
        agent: Some("wang".into()),
        kind: "alert".into(),
        json: format!("{{\"id\":{id}}}"),
    }
}

fn alert(id: u64, call_id: &str, rule: &str, state: AlertState) -> AlertRecord {
    AlertRecord {
        alert: Alert {
            alert_id: format!("{call_id}-{rule}"),
            state,
            hit: Hit {
                rule: rule.into(),
                pack: "zh".into(),
                title: String::new(),
                severity: Severity::Major,
                party: Party::Agent,
                start_ms: 1,
                end_ms: 2,
                deduct: 0.0,
                auto_fail: false,
                evidence: Vec::new(),
                why: "because".into(),
            },
        },
        call_id: call(call_id),
        agent: Some("wang".into()),
        campaign: None,
        first_event: id,
        told_unix_ms: id * 1_000,
        changed_unix_ms: id * 1_000,
        acknowledged: None,
    }
}

fn seen_by(by: &str) -> Acknowledgement {
    Acknowledgement {
        by: by.into(),
        unix_ms: 9_000,
        note: Some("called back".into()),
    }
}

async fn opened(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("auricle.db"))
        .await
        .unwrap()
}

async fn ids_of(store: &Store, filter: AlertFilter, before: Option<u64>, limit: u64) -> Vec<u64> {
    let found = store.alerts(&filter, before, limit).await.unwrap();
    found.iter().map(|alert| alert.first_event).collect()
}

#[tokio::test]
async fn an_alert_has_its_last_state_and_its_first_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let provisional = alert(1, "a", "threat", AlertState::Provisional);
    let withdrawn = alert(2, "a", "threat", AlertState::Withdrawn);
    let id = provisional.alert.alert_id.clone();
    let steps = [
        EventStep::Alert(provisional),
        EventStep::Acknowledged(id.clone(), seen_by("li")),
        EventStep::Acknowledged(id.clone(), seen_by("chen")),
        EventStep::Alert(withdrawn.clone()),
    ];
    // Twice is as once: what fails half way is done anew.
    for _ in 0..2 {
        store.save_events(&steps).await.unwrap();
    }
    store.close().await.unwrap();
    let store = opened(&folder).await;
    let expected = AlertRecord {
        first_event: 1,
        told_unix_ms: 1_000,
        acknowledged: Some(seen_by("li")),
        ..withdrawn
    };
    assert_eq!(store.alert(&id).await.unwrap(), Some(expected));
    assert_eq!(store.alert("other").await.unwrap(), None);

    // What was provisional when a call was over is none.
    let provisional = alert(3, "a", "promise", AlertState::Provisional);
    let promise = provisional.alert.alert_id.clone();
    let steps = [
        EventStep::Alert(provisional),
        EventStep::Alert(alert(4, "a", "insult", AlertState::Confirmed)),
        EventStep::Ended {
            call_id: call("a"),
            unix_ms: 5_000,
        },
    ];
    store.save_events(&steps).await.unwrap();
    let state = async |id: &str| store.alert(id).await.unwrap().unwrap().alert.state;
    assert_eq!(state(&promise).await, AlertState::Withdrawn);
    assert_eq!(state("a-insult").await, AlertState::Confirmed);

    // Another call of this name.
    let began = EventStep::Began(call("a"));
    store.save_events(&[began]).await.unwrap();
    assert_eq!(store.alert(&id).await.unwrap(), None);
}

#[tokio::test]
async fn alerts_are_listed_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let steps = [
        EventStep::Alert(alert(1, "a", "threat", AlertState::Raised)),
        EventStep::Alert(alert(2, "a", "promise", AlertState::Provisional)),
        EventStep::Alert(alert(3, "b", "threat", AlertState::Confirmed)),
        EventStep::Acknowledged("b-threat".into(), seen_by("li")),
    ];
    store.save_events(&steps).await.unwrap();
    let all = AlertFilter::default;
    assert_eq!(ids_of(&store, all(), None, 10).await, [3, 2, 1]);
    assert_eq!(ids_of(&store, all(), None, 2).await, [3, 2]);
    assert_eq!(ids_of(&store, all(), Some(2), 2).await, [1]);
    let check = async |filter: AlertFilter, expected: &[u64]| {
        assert_eq!(
            ids_of(&store, filter.clone(), None, 10).await,
            expected,
            "{filter:?}"
        );
    };
    let state = Some(AlertState::Raised);
    check(AlertFilter { state, ..all() }, &[1]).await;
    let of_call = Some(call("a"));
    check(
        AlertFilter {
            call: of_call,
            ..all()
        },
        &[2, 1],
    )
    .await;
    let rule = Some("threat".into());
    check(AlertFilter { rule, ..all() }, &[3, 1]).await;
    let agent = Some("li".into());
    check(AlertFilter { agent, ..all() }, &[]).await;
    for (is_acknowledged, expected) in [(true, &[3][..]), (false, &[2, 1])] {
        let is_acknowledged = Some(is_acknowledged);
        check(
            AlertFilter {
                is_acknowledged,
                ..all()
            },
            expected,
        )
        .await;
    }
}

#[tokio::test]
async fn ids_of_events_never_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    assert_eq!(store.begin_event_ids(1_000, 50).await.unwrap(), 1_000);
    assert_eq!(store.events_pruned().await.unwrap(), 1_000);
    store.close().await.unwrap();
    // The clock went back; the program was killed.
    let store = opened(&folder).await;
    assert_eq!(store.begin_event_ids(900, 50).await.unwrap(), 1_050);
    store.reserve_event_ids(1_060).await.unwrap();
    assert_eq!(store.begin_event_ids(1_055, 50).await.unwrap(), 1_060);
    assert_eq!(store.begin_event_ids(2_000, 50).await.unwrap(), 2_000);
    assert_eq!(store.events_pruned().await.unwrap(), 1_000);
}

#[tokio::test]
async fn events_are_kept_until_they_are_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    store.begin_event_ids(0, 50).await.unwrap();
    let steps: Vec<_> = (1..=5).map(|id| EventStep::Kept(event(id, "a"))).collect();
    for _ in 0..2 {
        store.save_events(&steps).await.unwrap();
    }
    let ids = async |after, up_to, limit| {
        let events = store.events_between(after, up_to, limit).await.unwrap();
        events.iter().map(|event| event.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, 9, 9).await, [1, 2, 3, 4, 5]);
    assert_eq!(ids(1, 4, 2).await, [2, 3]);
    assert_eq!(
        store.events_between(4, 5, 9).await.unwrap(),
        [event(5, "a")]
    );
    assert_eq!(store.prune_events(3_000).await.unwrap(), 2);
    assert_eq!(store.events_pruned().await.unwrap(), 2);
    assert_eq!(ids(0, 9, 9).await, [3, 4, 5]);
}

#[tokio::test]
async fn nothing_is_left_of_what_was_told_of_a_deleted_call() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let of_call = |id, name: &str| {
        let deliver = EventStep::Deliver("crm".into(), event(id, name));
        let alert = EventStep::Alert(alert(id, name, "threat", AlertState::Raised));
        [EventStep::Kept(event(id, name)), alert, deliver]
    };
    let steps = [of_call(1, "a"), of_call(2, "b")].concat();
    store.save_events(&steps).await.unwrap();
    store.delete(&[call("a")]).await.unwrap();
    assert_eq!(
        store.events_between(0, 9, 9).await.unwrap(),
        [event(2, "b")]
    );
    assert_eq!(ids_of(&store, AlertFilter::default(), None, 9).await, [2]);
    let next = store.next_delivery("crm", 0, 0).await.unwrap();
    assert_eq!(next.unwrap().event_id, 2);
}

async fn with_deliveries(folder: &tempfile::TempDir) -> Store {
    let store = opened(folder).await;
    let deliver = |id, webhook: &str| EventStep::Deliver(webhook.into(), event(id, "a"));
    let steps = [deliver(1, "crm"), deliver(2, "crm"), deliver(2, "wall")];
    for _ in 0..2 {
        store.save_events(&steps).await.unwrap();
    }
    store
}

async fn next(store: &Store, now: u64, long: u64) -> Option<Delivery> {
    store.next_delivery("crm", now, long).await.unwrap()
}

fn failure(unix_ms: u64, next_unix_ms: Option<u64>) -> Failure {
    Failure {
        unix_ms,
        next_unix_ms,
        error: "answered 500".into(),
    }
}

#[tokio::test]
async fn deliveries_go_out_in_order_until_one_fails_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_deliveries(&folder).await;
    let first = next(&store, 100, 0).await.unwrap();
    assert_eq!((first.event_id, first.n_attempts), (1, 0));
    assert_eq!(
        (first.json.as_str(), first.since_unix_ms),
        ("{\"id\":1}", 1_000)
    );
    for unix_ms in [100, 200] {
        let failure = failure(unix_ms, Some(unix_ms + 500));
        store.not_delivered("crm", 1, &failure).await.unwrap();
    }
    // It holds back what comes after it.
    let held = next(&store, 300, 50).await.unwrap();
    assert_eq!(
        (held.event_id, held.n_attempts, held.next_unix_ms),
        (1, 2, 700)
    );
    assert_eq!(held.failing_since_unix_ms, Some(100));
    assert_eq!(held.last_error.as_deref(), Some("answered 500"));
    // It failed for long, and stands aside until it is to be tried again.
    assert_eq!(next(&store, 300, 100).await.unwrap().event_id, 2);
    assert_eq!(next(&store, 700, 100).await.unwrap().event_id, 1);
    store.delivered("crm", 2).await.unwrap();
    assert_eq!(next(&store, 300, 100).await.unwrap().event_id, 1);
    store.delivered("crm", 1).await.unwrap();
    assert_eq!(next(&store, 300, 100).await, None);
    let wall = store.next_delivery("wall", 0, 0).await.unwrap();
    assert_eq!(wall.unwrap().event_id, 2);
}

#[tokio::test]
async fn dead_letters_are_listed_and_tried_again_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_deliveries(&folder).await;
    let died = failure(5_000, None);
    store.not_delivered("crm", 1, &died).await.unwrap();
    let counts = |n_waiting, n_dead| DeliveryCounts { n_waiting, n_dead };
    assert_eq!(store.delivery_counts("crm").await.unwrap(), counts(1, 1));
    assert_eq!(next(&store, 9_000, 0).await.unwrap().event_id, 2);
    let dead = store.dead_letters("crm", 0, 9).await.unwrap();
    assert_eq!((dead.len(), dead[0].event_id), (1, 1));
    assert!(store.dead_letters("crm", 1, 9).await.unwrap().is_empty());

    assert!(!store.revive("crm", 2, 9_000).await.unwrap());
    assert!(store.revive("crm", 1, 9_000).await.unwrap());
    assert!(!store.revive("crm", 1, 9_000).await.unwrap());
    let again = next(&store, 9_000, 1).await.unwrap();
    assert_eq!(
        (again.event_id, again.since_unix_ms, again.n_attempts),
        (1, 9_000, 0)
    );
    // Where it fails once more it holds back no others.
    let failed = failure(9_100, Some(9_900));
    store.not_delivered("crm", 1, &failed).await.unwrap();
    assert_eq!(next(&store, 9_200, 1).await.unwrap().event_id, 2);
}

#[tokio::test]
async fn old_letters_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_deliveries(&folder).await;
    store
        .not_delivered("crm", 1, &failure(5_000, None))
        .await
        .unwrap();
    assert_eq!(
        store
            .prune_deliveries(1_000, &["crm", "wall"])
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .prune_deliveries(9_000, &["crm", "wall"])
            .await
            .unwrap(),
        1
    );
    // Nobody is called `wall` any more.
    assert_eq!(store.prune_deliveries(9_000, &["crm"]).await.unwrap(), 1);
    assert_eq!(next(&store, 0, 0).await.unwrap().event_id, 2);
}

#[tokio::test]
async fn it_is_known_whether_an_event_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let step = EventStep::Kept(event(5, "a"));
    store.save_events(&[step]).await.unwrap();
    let was_told = async |call_id: &str, kind: &str, since: u64| {
        store.was_told(&call(call_id), kind, since).await.unwrap()
    };
    assert!(was_told("a", "alert", 5_000).await);
    assert!(!was_told("a", "alert", 5_001).await);
    assert!(!was_told("a", "call_ended", 0).await);
    assert!(!was_told("b", "alert", 0).await);
}
