//! What is written of what is told, and what those who come back get of it.

use auricle_contracts::{Acknowledged, Alert, AlertState, CallMetadata, Hit, Party, Severity};
use auricle_store::AlertFilter;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

use super::*;
use crate::serve::hub::{EventHub, Gone, MOST_KEPT, Missing, Wanted};
use crate::serve::watcher::{Over, Watcher};

/// A hub, and what writes for it.
struct Run {
    hub: Arc<EventHub>,
    archivist: tokio::task::JoinHandle<()>,
}

impl Run {
    async fn begin(store: &Arc<Store>, subscribers: Vec<Subscriber>) -> Self {
        let config = EventsConfig::default();
        let begun = Archivist::begin(Arc::clone(store), &config, subscribers);
        let (archivist, queue, before_first) = begun.await.unwrap();
        let hub = Arc::new(EventHub::new(before_first, queue));
        let archivist = tokio::spawn(archivist.run(hub.news()));
        Self { hub, archivist }
    }

    fn tell(&self, call: &str, happening: Happening) -> u64 {
        self.hub
            .tell(CallId(call.into()), Some("wang".into()), happening)
    }

    /// Ids and kinds of all that comes after this event, as a watcher gets them.
    async fn after(&self, mut after: u64) -> Result<Vec<(u64, EventKind)>, Missing> {
        let mut found = Vec::new();
        loop {
            let events = match self.hub.after(after, 2) {
                Ok(events) if events.is_empty() => return Ok(found),
                Ok(events) => events,
                Err(gone) => {
                    let older = self.hub.older(after, gone, 2).await?;
                    after = older.up_to;
                    found.extend(older.events.iter().map(|event| (event.id, event.kind)));
                    continue;
                }
            };
            after = events.last().unwrap().id;
            found.extend(events.iter().map(|event| (event.id, event.kind)));
        }
    }

    async fn end(self) {
        self.hub.end_archive();
        self.archivist.await.unwrap();
    }
}

async fn store(folder: &tempfile::TempDir) -> Arc<Store> {
    let store = Store::open(&folder.path().join("auricle.db")).await;
    Arc::new(store.unwrap())
}

/// Another program's way to the same database.
async fn other_connection(store: &Store) -> DatabaseConnection {
    let mut options = ConnectOptions::new(format!("sqlite://{}", store.path().display()));
    options.max_connections(1);
    Database::connect(options).await.unwrap()
}

fn started(source: &str) -> Happening {
    Happening::CallStarted {
        metadata: CallMetadata {
            campaign: Some("loans".into()),
            ..CallMetadata::default()
        },
        source: source.into(),
        parties: Vec::new(),
        engine: String::new(),
    }
}

fn partial() -> Happening {
    Happening::Partial {
        party: Party::Agent,
        channel: 0,
        start_ms: 0,
        end_ms: 1,
        text: String::new(),
    }
}

fn alert(alert_id: &str, state: AlertState) -> Happening {
    Happening::Alert(Box::new(Alert {
        alert_id: alert_id.into(),
        state,
        hit: Hit {
            rule: "threat".into(),
            pack: String::new(),
            title: String::new(),
            severity: Severity::Critical,
            party: Party::Agent,
            start_ms: 0,
            end_ms: 1,
            deduct: 0.0,
            auto_fail: false,
            evidence: Vec::new(),
            why: String::new(),
        },
    }))
}

fn acknowledged(alert_id: &str) -> Happening {
    Happening::Acknowledged(Box::new(Acknowledged {
        alert_id: alert_id.into(),
        by: "li".into(),
        note: None,
    }))
}

fn ended() -> Happening {
    Happening::CallEnded(Box::default())
}

#[tokio::test]
async fn alerts_are_written_with_their_call() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let run = Run::begin(&store, Vec::new()).await;
    run.tell("a", started("replay"));
    let first = run.tell("a", alert("a-0", AlertState::Provisional));
    run.tell("a", partial());
    run.tell("a", alert("a-0", AlertState::Confirmed));
    run.tell("a", acknowledged("a-0"));
    run.tell("a", ended());
    run.end().await;
    let kept = store.alert("a-0").await.unwrap().unwrap();
    assert_eq!(kept.first_event, first);
    assert_eq!(kept.alert.state, AlertState::Confirmed);
    assert_eq!(kept.campaign.as_deref(), Some("loans"));
    assert_eq!(kept.agent.as_deref(), Some("wang"));
    assert_eq!(kept.acknowledged.unwrap().by, "li");
}

#[tokio::test]
async fn alerts_are_told_while_the_disk_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let run = Run::begin(&store, Vec::new()).await;
    let other = other_connection(&store).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let before = run.hub.newest();
    for number in 0..600 {
        run.tell("a", alert(&format!("a-{number}"), AlertState::Raised));
    }
    assert_eq!(run.hub.after(before, 1_000).unwrap().len(), 600);
    assert_eq!(store.alert("a-0").await.unwrap(), None);
    other.execute_unprepared("COMMIT").await.unwrap();
    run.end().await;
    let kept = store.alerts(&AlertFilter::default(), None, 1_000).await;
    assert_eq!(kept.unwrap().len(), 600);
}

#[tokio::test]
async fn a_call_that_is_heard_again_keeps_what_was_seen_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let n_alerts = async || {
        let alerts = store.alerts(&AlertFilter::default(), None, 9).await;
        alerts.unwrap().len()
    };
    for (source, is_seen) in [("replay", true), (RECOVERED, true), ("replay", false)] {
        let run = Run::begin(&store, Vec::new()).await;
        run.tell("a", started(source));
        run.tell("a", alert("a-0", AlertState::Raised));
        if source == "replay" && is_seen {
            run.tell("a", acknowledged("a-0"));
        }
        run.end().await;
        let kept = store.alert("a-0").await.unwrap().unwrap();
        assert_eq!(kept.acknowledged.is_some(), is_seen, "{source}");
        assert_eq!(n_alerts().await, 1);
    }
}

#[tokio::test]
async fn who_was_away_over_a_restart_misses_no_alert_and_gets_none_twice() {
    use EventKind::{Acknowledged, Alert, CallEnded, Partial};
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let run = Run::begin(&store, Vec::new()).await;
    let before = run.hub.newest();
    for _ in 0..3 {
        run.tell("a", partial());
        run.tell("a", alert("a-0", AlertState::Raised));
    }
    let middle = before + 2;
    run.tell("a", ended());
    let last = run.hub.newest();
    run.end().await;

    let run = Run::begin(&store, Vec::new()).await;
    assert!(run.hub.newest() >= last);
    let first = run.hub.newest() + 1;
    run.tell("a", acknowledged("a-0"));
    run.tell("b", partial());
    let missed = [
        (middle + 2, Alert),
        (middle + 4, Alert),
        (last, CallEnded),
        (first, Acknowledged),
        (first + 1, Partial),
    ];
    assert_eq!(run.after(middle).await.unwrap(), missed);
    assert_eq!(run.after(last).await.unwrap(), missed[3..]);
    assert_eq!(run.after(before).await.unwrap()[1..], missed);
    // What is older was never kept; what is newer is of another data folder.
    let gone = Err(Missing::Gone(Gone { oldest: first }));
    assert_eq!(run.after(before - 1).await, gone);
    assert_eq!(run.after(first + 2).await, gone);
    run.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_now_is_not_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let run = Run::begin(&store, Vec::new()).await;
    let before = run.hub.newest();
    let id = run.tell("a", alert("a-0", AlertState::Raised));
    run.end().await;

    // The memory of another run does not have it.
    let run = Run::begin(&store, Vec::new()).await;
    let next = async || {
        let mut watcher = Watcher::new(&run.hub, Wanted::default(), before);
        let events = watcher.next().await;
        events.map(|events| events.iter().map(|event| event.id).collect::<Vec<_>>())
    };
    let other = other_connection(&store).await;
    let hide = "ALTER TABLE events RENAME TO hidden";
    other.execute_unprepared(hide).await.unwrap();
    assert_eq!(next().await, Err(Over::Unreadable));
    let show = "ALTER TABLE hidden RENAME TO events";
    other.execute_unprepared(show).await.unwrap();
    assert_eq!(next().await, Ok(vec![id]));
    run.end().await;
}

#[tokio::test]
async fn what_memory_no_longer_has_comes_from_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let run = Run::begin(&store, Vec::new()).await;
    let before = run.hub.newest();
    run.tell("a", alert("a-0", AlertState::Raised));
    for _ in 0..MOST_KEPT {
        run.tell("a", partial());
    }
    let last = run.tell("a", ended());
    let found = run.after(before).await.unwrap();
    assert_eq!(found[0], (before + 1, EventKind::Alert));
    // Of the first partial nothing is left.
    assert_eq!(found.len(), 1 + MOST_KEPT);
    assert_eq!(found[1].0, before + 3);
    assert_eq!(found.last(), Some(&(last, EventKind::CallEnded)));
    run.end().await;
}

#[tokio::test]
async fn subscribers_get_what_they_want_with_the_events() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let news = Arc::new(Notify::new());
    let subscriber = |name: &str, kinds: &[EventKind]| Subscriber {
        name: name.into(),
        kinds: kinds.to_vec(),
        news: Arc::clone(&news),
    };
    let subscribers = vec![
        subscriber("wall", &[EventKind::Alert]),
        subscriber("crm", &[EventKind::CallStarted, EventKind::CallEnded]),
    ];
    let run = Run::begin(&store, subscribers).await;
    for happening in [
        started("replay"),
        partial(),
        alert("a-0", AlertState::Raised),
        ended(),
    ] {
        run.tell("a", happening);
    }
    news.notified().await;
    run.end().await;
    let waiting = async |name: &str| store.delivery_counts(name).await.unwrap().n_waiting;
    assert_eq!((waiting("wall").await, waiting("crm").await), (1, 2));
    let first = store.next_delivery("crm", 0, 0).await.unwrap().unwrap();
    let event: LiveEvent = serde_json::from_str(&first.json).unwrap();
    assert_eq!(
        (event.id, event.happening),
        (first.event_id, started("replay"))
    );
}
