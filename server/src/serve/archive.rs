//! What is told and must outlive the program: alerts, calls that ended, and what webhooks are to get. Written by a task of its
//! own, so that telling never waits for the disk.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use auricle_contracts::{Acknowledgement, AlertRecord, CallId, EventKind, Happening, LiveEvent};
use auricle_store::{EventRecord, EventStep, Store};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::{Notify, mpsc, watch};

use super::hub::KeptEvent;
use super::recordings::RECOVERED;
use crate::clock::{DAY_MS, unix_ms};

/// Events that may wait for the disk: hours of a disk that takes nothing, in a place with a thousand calls. Then alerts are
/// told all the same, and not kept.
const MOST_WAITING: usize = 100_000;
/// Written in one transaction.
const EVENTS_A_TIME: usize = 256;
/// Ids that are reserved ahead: more than are told between two looks. A program that is killed leaves no more out.
const RESERVED: u64 = 10_000_000;
/// Between looks at how many reserved ids are left.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Between looks for what is too old.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);
/// Before the disk is tried again, and at most.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// `[live.events]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EventsConfig {
    /// How long alerts and ended calls are kept for watchers who were away, and dead letters of webhooks.
    #[schemars(range(min = 1, max = 3_650))]
    pub(crate) keep_days: u64,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self { keep_days: 30 }
    }
}

/// Who else is to get events of these kinds.
#[derive(Clone, Debug)]
pub(crate) struct Subscriber {
    pub(crate) name: String,
    pub(crate) kinds: Vec<EventKind>,
    /// Told when there is something.
    pub(crate) news: Arc<Notify>,
}

/// What was written, and how far.
pub(crate) struct Archive {
    store: Arc<Store>,
    /// Every event up to this one that is to be written is.
    written: watch::Sender<u64>,
    n_waiting: AtomicU64,
    n_lost: AtomicU64,
}

impl Archive {
    /// Events that wait to be written.
    pub(crate) fn n_waiting(&self) -> u64 {
        self.n_waiting.load(Ordering::Relaxed)
    }

    /// Events that were told and could not be kept.
    pub(crate) fn n_lost(&self) -> u64 {
        self.n_lost.load(Ordering::Relaxed)
    }

    /// Whether everything up to this event is written.
    pub(crate) fn is_written(&self, id: u64) -> bool {
        *self.written.borrow() >= id
    }

    /// Waits until everything up to this event is written.
    pub(crate) async fn written(&self, id: u64) {
        let mut written = self.written.subscribe();
        // It cannot fail: the sender is here.
        let _ = written.wait_for(|written| *written >= id).await;
    }

    /// Kept events after `after` up to `up_to`, oldest first; `None` where some are kept no longer.
    ///
    /// # Errors
    /// As the store gives them: the events may still be there.
    pub(crate) async fn between(
        &self,
        after: u64,
        up_to: u64,
        most: usize,
    ) -> Result<Option<Vec<Arc<KeptEvent>>>> {
        let events = self.store.events_between(after, up_to, most as u64).await?;
        // Looked at last: what goes meanwhile is missed, too.
        let pruned = self.store.events_pruned().await?;
        let events = events.into_iter().filter_map(kept_event).map(Arc::new);
        Ok((after >= pruned).then(|| events.collect()))
    }
}

/// `None` for what a newer version of the program tells.
fn kept_event(event: EventRecord) -> Option<KeptEvent> {
    Some(KeptEvent {
        id: event.id,
        unix_ms: event.unix_ms,
        call_id: event.call_id,
        agent: event.agent,
        kind: EventKind::named(&event.kind)?,
        json: event.json,
    })
}

fn record_of(event: &KeptEvent) -> EventRecord {
    EventRecord {
        id: event.id,
        unix_ms: event.unix_ms,
        call_id: event.call_id.clone(),
        agent: event.agent.clone(),
        kind: event.kind.as_str().to_owned(),
        json: event.json.clone(),
    }
}

/// Whether an event is kept for watchers who are away.
const fn is_kept(kind: EventKind) -> bool {
    match kind {
        EventKind::Alert | EventKind::CallEnded | EventKind::Acknowledged => true,
        EventKind::CallStarted
        | EventKind::CallDescribed
        | EventKind::Partial
        | EventKind::Final => false,
    }
}

/// The way into the archive.
pub(crate) struct ArchiveQueue {
    events: mpsc::Sender<Arc<KeptEvent>>,
    /// `call_started` always: it says what campaign the alerts of a call are of.
    kinds: Vec<EventKind>,
    archive: Arc<Archive>,
}

impl ArchiveQueue {
    pub(crate) fn archive(&self) -> Arc<Archive> {
        Arc::clone(&self.archive)
    }

    /// Whether events of this kind are written.
    pub(crate) fn takes(&self, kind: EventKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Never waits. `false`: the disk took nothing for so long that there is no place, and the event is lost to those who
    /// are away.
    pub(crate) fn put(&self, event: &Arc<KeptEvent>) -> bool {
        // Counted first: it may be written before this goes on.
        self.archive.n_waiting.fetch_add(1, Ordering::Relaxed);
        let is_put = self.events.try_send(Arc::clone(event)).is_ok();
        if !is_put {
            self.archive.n_waiting.fetch_sub(1, Ordering::Relaxed);
            if self.archive.n_lost.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::error!("the disk is too slow: events are told and not kept");
            }
        }
        is_put
    }
}

/// Writes what comes by the queue.
pub(crate) struct Archivist {
    archive: Arc<Archive>,
    events: mpsc::Receiver<Arc<KeptEvent>>,
    subscribers: Vec<Subscriber>,
    /// Of calls under way.
    campaigns: HashMap<CallId, String>,
    keep_days: u64,
    reserved: u64,
}

impl Archivist {
    /// Gives what writes, the way to it, and the id before the first event of this run of the program.
    ///
    /// # Errors
    /// As the store gives them.
    pub(crate) async fn begin(
        store: Arc<Store>,
        config: &EventsConfig,
        subscribers: Vec<Subscriber>,
    ) -> Result<(Self, ArchiveQueue, u64)> {
        // From the clock, so that ids of a data folder that was lost are older, too.
        let now = unix_ms().saturating_mul(1_000);
        let before_first = store.begin_event_ids(now, RESERVED).await?;
        let archive = Arc::new(Archive {
            store,
            written: watch::Sender::new(before_first),
            n_waiting: AtomicU64::new(0),
            n_lost: AtomicU64::new(0),
        });
        let is_wanted = |kind: &EventKind| {
            let mut kinds = subscribers.iter().flat_map(|one| &one.kinds);
            let tells_campaign = matches!(kind, EventKind::CallStarted | EventKind::CallDescribed);
            is_kept(*kind) || tells_campaign || kinds.any(|wanted| wanted == kind)
        };
        let kinds = EventKind::ALL.into_iter().filter(is_wanted).collect();
        let (sender, events) = mpsc::channel(MOST_WAITING);
        let queue = ArchiveQueue {
            events: sender,
            kinds,
            archive: Arc::clone(&archive),
        };
        let archivist = Self {
            archive,
            events,
            subscribers,
            campaigns: HashMap::new(),
            keep_days: config.keep_days,
            reserved: before_first + RESERVED,
        };
        Ok((archivist, queue, before_first))
    }

    /// Writes until the queue is closed and empty. `newest` is the last event that was told.
    pub(crate) async fn run(mut self, newest: watch::Receiver<u64>) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut prune = tokio::time::interval(PRUNE_EVERY);
        let mut events = Vec::with_capacity(EVENTS_A_TIME);
        loop {
            tokio::select! {
                n_events = self.events.recv_many(&mut events, EVENTS_A_TIME) => {
                    if n_events == 0 {
                        return;
                    }
                    self.write(&events).await;
                    events.clear();
                }
                _ = look.tick() => {
                    let newest = *newest.borrow();
                    self.reserve(newest).await;
                }
                _ = prune.tick() => self.prune().await,
            }
        }
    }

    /// Tries again until the disk takes them; once more where the program ends.
    async fn write(&mut self, events: &[Arc<KeptEvent>]) {
        let steps: Vec<_> = events.iter().flat_map(|event| self.steps(event)).collect();
        let mut pause = FIRST_RETRY;
        loop {
            let is_ending = self.events.is_closed();
            let Err(cause) = self.archive.store.save_events(&steps).await else {
                break;
            };
            if is_ending {
                let n_lost = events.len() as u64;
                self.archive.n_lost.fetch_add(n_lost, Ordering::Relaxed);
                tracing::error!("{n_lost} events cannot be kept: {cause}");
                break;
            }
            tracing::error!("events cannot be kept yet: {cause}");
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LONGEST_RETRY);
        }
        let n_events = events.len() as u64;
        self.archive
            .n_waiting
            .fetch_sub(n_events, Ordering::Relaxed);
        if let Some(last) = events.last() {
            self.archive.written.send_replace(last.id);
        }
        for subscriber in &self.subscribers {
            if events
                .iter()
                .any(|event| subscriber.kinds.contains(&event.kind))
            {
                subscriber.news.notify_one();
            }
        }
    }

    /// What an event changes in the store.
    fn steps(&mut self, event: &KeptEvent) -> Vec<EventStep> {
        let mut steps = Vec::new();
        match serde_json::from_str::<LiveEvent>(&event.json) {
            Ok(told) => steps.extend(self.step_of(told)),
            Err(cause) => tracing::error!("event {} cannot be read: {cause}", event.id),
        }
        if is_kept(event.kind) {
            steps.push(EventStep::Kept(record_of(event)));
        }
        let wants = |subscriber: &&Subscriber| subscriber.kinds.contains(&event.kind);
        let subscribers = self.subscribers.iter().filter(wants);
        steps.extend(
            subscribers
                .map(|subscriber| EventStep::Deliver(subscriber.name.clone(), record_of(event))),
        );
        steps
    }

    fn step_of(&mut self, told: LiveEvent) -> Option<EventStep> {
        let (call_id, unix_ms) = (told.call_id, told.unix_ms);
        match told.happening {
            Happening::CallStarted {
                metadata, source, ..
            } => {
                if let Some(campaign) = metadata.campaign {
                    self.campaigns.insert(call_id.clone(), campaign);
                }
                // One that is heard again tells the same alerts again.
                (source != RECOVERED).then_some(EventStep::Began(call_id))
            }
            Happening::CallDescribed { metadata } => {
                if let Some(campaign) = metadata.campaign {
                    self.campaigns.insert(call_id, campaign);
                }
                None
            }
            Happening::Alert(alert) => Some(EventStep::Alert(AlertRecord {
                alert: *alert,
                campaign: self.campaigns.get(&call_id).cloned(),
                call_id,
                agent: told.agent,
                first_event: told.id,
                told_unix_ms: unix_ms,
                changed_unix_ms: unix_ms,
                acknowledged: None,
            })),
            Happening::Acknowledged(acknowledged) => {
                let by = Acknowledgement {
                    by: acknowledged.by,
                    unix_ms,
                    note: acknowledged.note,
                };
                Some(EventStep::Acknowledged(acknowledged.alert_id, by))
            }
            Happening::CallEnded(_) => {
                self.campaigns.remove(&call_id);
                Some(EventStep::Ended { call_id, unix_ms })
            }
            Happening::Partial { .. } | Happening::Final { .. } => None,
        }
    }

    async fn reserve(&mut self, newest: u64) {
        if newest + RESERVED / 2 < self.reserved {
            return;
        }
        let up_to = newest + RESERVED;
        match self.archive.store.reserve_event_ids(up_to).await {
            Ok(()) => self.reserved = up_to,
            Err(cause) => tracing::error!("ids of events cannot be reserved: {cause}"),
        }
    }

    async fn prune(&self) {
        let before = unix_ms().saturating_sub(self.keep_days * DAY_MS);
        let names: Vec<&str> = self
            .subscribers
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        let prune = async {
            self.archive.store.prune_events(before).await?;
            self.archive.store.prune_deliveries(before, &names).await
        };
        if let Err(cause) = prune.await {
            tracing::error!("old events cannot be taken out: {cause}");
        }
    }
}

#[cfg(test)]
mod tests;
