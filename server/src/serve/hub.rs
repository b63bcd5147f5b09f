//! What happened in live calls, kept for those who watch, so that whoever was away goes on where he stopped.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auricle_contracts::{CallId, EventKind, Happening, LiveEvent};
use tokio::sync::watch;

use super::archive::{Archive, ArchiveQueue};
use super::followers::{Follower, Followers};
use crate::clock::unix_ms;
use crate::exit::message_of;

/// Events kept for those who come back: half an hour of a hundred calls, partials included.
pub(crate) const MOST_KEPT: usize = 50_000;

/// An event as it goes out: written once, however many watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptEvent {
    pub(crate) id: u64,
    pub(crate) unix_ms: u64,
    pub(crate) call_id: CallId,
    pub(crate) agent: Option<String>,
    pub(crate) kind: EventKind,
    /// The event as JSON, one line.
    pub(crate) json: String,
}

/// What a watcher wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) call: Option<String>,
    pub(crate) agent: Option<String>,
    /// Alerts, and who saw to them.
    pub(crate) alerts_only: bool,
}

impl Wanted {
    pub(crate) fn wants(&self, event: &KeptEvent) -> bool {
        let is_call = self
            .call
            .as_ref()
            .is_none_or(|call| *call == event.call_id.0);
        let is_agent = self.agent.is_none() || self.agent == event.agent;
        let is_of_alert = matches!(event.kind, EventKind::Alert | EventKind::Acknowledged);
        is_call && is_agent && (!self.alerts_only || is_of_alert)
    }
}

/// Events between the one a watcher saw last and the oldest that is kept are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    /// The first that is still there.
    pub(crate) oldest: u64,
}

/// Why events that are no longer in memory do not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Gone(Gone),
    /// The store gave an error: they may still be there, and come to who asks again.
    Unreadable,
}

/// Some events that are no longer in memory.
#[derive(Debug, Default)]
pub(crate) struct Older {
    pub(crate) events: Vec<Arc<KeptEvent>>,
    /// How far they reach.
    pub(crate) up_to: u64,
}

/// All events of this program.
pub(crate) struct EventHub {
    kept: Mutex<Kept>,
    newest: watch::Sender<u64>,
    archive: Option<Arc<Archive>>,
    is_closed: AtomicBool,
}

struct Kept {
    events: VecDeque<Arc<KeptEvent>>,
    /// The last event that is no longer kept, or the one before the first.
    gone: u64,
    newest: u64,
    /// The last event that was given to be written.
    queued: u64,
    to_archive: Option<ArchiveQueue>,
    followers: Followers,
}

impl EventHub {
    /// Ids begin behind `before_first`. What is to be written goes into `to_archive`, in the order of ids.
    pub(crate) fn new(before_first: u64, to_archive: ArchiveQueue) -> Self {
        let archive = Some(to_archive.archive());
        Self::from(before_first, archive, Some(to_archive))
    }

    pub(super) fn from(
        before_first: u64,
        archive: Option<Arc<Archive>>,
        to_archive: Option<ArchiveQueue>,
    ) -> Self {
        Self {
            kept: Mutex::new(Kept {
                events: VecDeque::new(),
                gone: before_first,
                newest: before_first,
                queued: before_first,
                to_archive,
                followers: Followers::default(),
            }),
            newest: watch::Sender::new(before_first),
            archive,
            is_closed: AtomicBool::new(false),
        }
    }

    /// Takes what happened; whoever watches, or follows this call, is woken. Gives the id of the event.
    pub(crate) fn tell(&self, call_id: CallId, agent: Option<String>, happening: Happening) -> u64 {
        let kind = happening.kind();
        let mut kept = self.kept();
        let id = kept.newest + 1;
        let event = LiveEvent {
            id,
            unix_ms: unix_ms(),
            call_id,
            agent,
            happening,
        };
        let json = match serde_json::to_string(&event) {
            Ok(json) => json,
            Err(cause) => {
                tracing::error!("an event cannot be written: {cause}");
                return kept.newest;
            }
        };
        let event = Arc::new(KeptEvent {
            id,
            unix_ms: event.unix_ms,
            call_id: event.call_id,
            agent: event.agent,
            kind,
            json,
        });
        // Under the lock, so that events are written in their order; it never waits.
        if let Some(queue) = &kept.to_archive
            && queue.takes(kind)
            && queue.put(&event)
        {
            kept.queued = id;
        }
        kept.newest = id;
        // Under the lock, so that who begins to follow gets it once. It never waits, either.
        kept.followers.tell(&event);
        kept.events.push_back(event);
        while kept.events.len() > MOST_KEPT {
            kept.gone = kept.events.pop_front().map_or(kept.gone, |event| event.id);
        }
        drop(kept);
        self.newest.send_replace(id);
        id
    }

    /// The id of the newest event.
    pub(crate) fn newest(&self) -> u64 {
        self.kept().newest
    }

    /// What `after` takes for all events that are kept.
    pub(crate) fn oldest(&self) -> u64 {
        self.kept().gone
    }

    /// Up to `most` events after `after`, wanted or not, oldest first.
    pub(crate) fn after(&self, after: u64, most: usize) -> Result<Vec<Arc<KeptEvent>>, Gone> {
        let kept = self.kept();
        // What is newer than the newest is of another run of the program, whose clock was ahead.
        if after < kept.gone || after > kept.newest {
            return Err(Gone {
                oldest: kept.gone + 1,
            });
        }
        let first = kept.events.partition_point(|event| event.id <= after);
        Ok(kept.events.range(first..).take(most).cloned().collect())
    }

    /// Follows a call that was opened after the event `after`: what was told of it since comes first.
    pub(crate) fn follow(self: &Arc<Self>, call_id: &CallId, after: u64) -> Follower {
        let (follower, place) = Follower::begin(self, call_id);
        let mut kept = self.kept();
        if after < kept.gone {
            place.miss();
            return follower;
        }
        let first = kept.events.partition_point(|event| event.id <= after);
        let mut told = kept.events.range(first..);
        let is_told = told.all(|event| event.call_id != *call_id || place.put(event));
        // Looked at under the lock: a hub that closes later lets go of it.
        if is_told && !self.is_closed() {
            kept.followers.add(call_id, place);
        }
        follower
    }

    /// Lets go of those who follow this call no longer.
    pub(super) fn unfollow(&self, call_id: &CallId) {
        self.kept().followers.tidy(call_id);
    }

    /// Some events between `after` and those in memory: alerts and calls that ended, as far as they are kept. `gone` is what
    /// [`Self::after`] said. Waits until they are written.
    ///
    /// # Errors
    /// When some are kept no longer, or the store cannot be read.
    pub(crate) async fn older(
        &self,
        after: u64,
        gone: Gone,
        most: usize,
    ) -> Result<Older, Missing> {
        let up_to = gone.oldest - 1;
        let gone = Missing::Gone(gone);
        let archive = self.archive.as_ref().ok_or(gone)?;
        // What is newer than the newest is of another run of the program, whose clock was ahead.
        if after > up_to {
            return Err(gone);
        }
        archive.written(up_to.min(self.queued())).await;
        let events = archive.between(after, up_to, most).await.map_err(|error| {
            tracing::error!("events cannot be read: {}", message_of(&error));
            Missing::Unreadable
        })?;
        let events = events.ok_or(gone)?;
        let up_to = match events.last() {
            Some(last) if events.len() == most => last.id,
            _ => up_to,
        };
        Ok(Older { events, up_to })
    }

    /// Whether everything up to this event is kept for those who are away.
    pub(crate) fn is_written(&self, id: u64) -> bool {
        let archive = self.archive.as_ref();
        archive.is_none_or(|archive| archive.is_written(id))
    }

    /// The last event that was given to be written.
    pub(crate) fn queued(&self) -> u64 {
        self.kept().queued
    }

    /// Told whenever there is a newer event.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// What is told from now on is not written.
    pub(crate) fn end_archive(&self) {
        self.kept().to_archive = None;
    }

    /// Nothing else will be told: whoever watches or follows is woken.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.kept().followers.end();
        self.newest.send_modify(|_| {});
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use auricle_contracts::Party;

    use super::*;

    fn tell(hub: &EventHub, call: &str, text: &str) {
        let partial = Happening::Partial {
            party: Party::Agent,
            channel: 0,
            start_ms: 0,
            end_ms: 100,
            text: text.into(),
        };
        hub.tell(CallId(call.into()), Some("wang".into()), partial);
    }

    #[test]
    fn who_comes_back_gets_what_was_missed_once() {
        let hub = EventHub::from(100, None, None);
        for text in ["a", "b", "c"] {
            tell(&hub, "x", text);
        }
        let ids = |after, most| {
            let events = hub.after(after, most).unwrap();
            events.iter().map(|event| event.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(100, 10), [101, 102, 103]);
        assert_eq!(ids(101, 1), [102]);
        assert_eq!(ids(103, 10), [] as [u64; 0]);
        for other in [50, 104] {
            assert_eq!(hub.after(other, 10).unwrap_err(), Gone { oldest: 101 });
        }
        assert_eq!(hub.newest(), 103);
    }

    #[test]
    fn old_events_go_and_that_is_told() {
        let hub = EventHub::from(0, None, None);
        for _ in 0..MOST_KEPT + 5 {
            tell(&hub, "x", "");
        }
        assert_eq!(hub.after(4, 1).unwrap_err(), Gone { oldest: 6 });
        assert_eq!(hub.after(5, 1).unwrap()[0].id, 6);
    }

    #[test]
    fn watchers_get_what_they_want() {
        let hub = EventHub::from(0, None, None);
        tell(&hub, "x", "");
        let ended = Happening::CallEnded(Box::default());
        hub.tell(CallId("y".into()), None, ended);
        let wanted = |wanted: Wanted| {
            let events = hub.after(0, 10).unwrap();
            let events = events.iter().filter(|event| wanted.wants(event));
            events.map(|event| event.kind.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(wanted(Wanted::default()), ["partial", "call_ended"]);
        let call = Some("y".to_owned());
        assert_eq!(
            wanted(Wanted {
                call,
                ..Wanted::default()
            }),
            ["call_ended"]
        );
        let agent = Some("wang".to_owned());
        assert_eq!(
            wanted(Wanted {
                agent,
                ..Wanted::default()
            }),
            ["partial"]
        );
        assert!(
            wanted(Wanted {
                alerts_only: true,
                ..Wanted::default()
            })
            .is_empty()
        );
        let json: serde_json::Value =
            serde_json::from_str(&hub.after(0, 1).unwrap()[0].json).unwrap();
        assert_eq!((&json["type"], &json["id"]), (&"partial".into(), &1.into()));
    }
}
