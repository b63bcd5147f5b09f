//! Those who follow one call each: what happens in others does not wake them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auricle_contracts::CallId;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::hub::{EventHub, KeptEvent};

/// Events that wait for a follower: minutes of one call, partials included.
const MOST_WAITING: usize = 4_096;

/// Who follows which call.
#[derive(Default)]
pub(super) struct Followers {
    by_call: HashMap<CallId, Vec<Place>>,
}

impl Followers {
    pub(super) fn add(&mut self, call_id: &CallId, place: Place) {
        let places = self.by_call.entry(call_id.clone()).or_default();
        places.push(place);
    }

    /// Tells those who follow the event's call. Never waits: who has no room is told nothing else.
    pub(super) fn tell(&mut self, event: &Arc<KeptEvent>) {
        if let Some(places) = self.by_call.get_mut(&event.call_id) {
            places.retain(|place| place.put(event));
        }
    }

    /// Lets go of those who follow this call no longer.
    pub(super) fn tidy(&mut self, call_id: &CallId) {
        if let Some(places) = self.by_call.get_mut(call_id) {
            places.retain(|place| !place.events.is_closed());
            if places.is_empty() {
                self.by_call.remove(call_id);
            }
        }
    }

    /// Nothing else will be told.
    pub(super) fn end(&mut self) {
        self.by_call.clear();
    }
}

/// Where a follower is told. Dropped, it tells that nothing else comes.
pub(super) struct Place {
    events: mpsc::Sender<Arc<KeptEvent>>,
    is_late: Arc<AtomicBool>,
}

impl Place {
    /// Never waits. `false`: nothing else is to be told here.
    pub(super) fn put(&self, event: &Arc<KeptEvent>) -> bool {
        let put = self.events.try_send(Arc::clone(event));
        if matches!(put, Err(TrySendError::Full(_))) {
            self.miss();
        }
        put.is_ok()
    }

    /// An event is missed: nothing else may be told here.
    pub(super) fn miss(&self) {
        self.is_late.store(true, Ordering::SeqCst);
    }
}

/// Is told of one call, until it is dropped.
pub(crate) struct Follower {
    hub: Arc<EventHub>,
    call_id: CallId,
    events: mpsc::Receiver<Arc<KeptEvent>>,
    /// It missed an event.
    is_late: Arc<AtomicBool>,
}

/// Why a follower is told nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfollowed {
    /// It took too little: an event is gone.
    Late,
    /// The server ends.
    Ending,
}

impl Follower {
    /// A follower, and where it is told.
    pub(super) fn begin(hub: &Arc<EventHub>, call_id: &CallId) -> (Self, Place) {
        let (sender, events) = mpsc::channel(MOST_WAITING);
        let is_late = Arc::new(AtomicBool::new(false));
        let place = Place {
            events: sender,
            is_late: Arc::clone(&is_late),
        };
        let follower = Self {
            hub: Arc::clone(hub),
            call_id: call_id.clone(),
            events,
            is_late,
        };
        (follower, place)
    }

    /// The next event, waiting for it. A call that is dropped while it waits loses nothing.
    ///
    /// # Errors
    /// When nothing else comes.
    pub(crate) async fn next(&mut self) -> Result<Arc<KeptEvent>, Unfollowed> {
        match self.events.recv().await {
            Some(event) => Ok(event),
            None if self.is_late.load(Ordering::SeqCst) => Err(Unfollowed::Late),
            None => Err(Unfollowed::Ending),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // So the hub knows whom to let go.
        self.events.close();
        self.hub.unfollow(&self.call_id);
    }
}

#[cfg(test)]
mod tests {
    use auricle_contracts::{Happening, Party};

    use super::*;
    use crate::serve::hub::MOST_KEPT;

    fn hub() -> Arc<EventHub> {
        Arc::new(EventHub::from(0, None, None))
    }

    fn tell(hub: &EventHub, call: &str) -> u64 {
        let partial = Happening::Partial {
            party: Party::Agent,
            channel: 0,
            start_ms: 0,
            end_ms: 100,
            text: String::new(),
        };
        hub.tell(CallId(call.into()), None, partial)
    }

    fn follow(hub: &Arc<EventHub>, call: &str, after: u64) -> Follower {
        hub.follow(&CallId(call.into()), after)
    }

    /// Ids of all that still comes, and why nothing else does.
    async fn rest(mut follower: Follower) -> (Vec<u64>, Unfollowed) {
        let mut ids = Vec::new();
        loop {
            match follower.next().await {
                Ok(event) => ids.push(event.id),
                Err(why) => return (ids, why),
            }
        }
    }

    #[tokio::test]
    async fn a_follower_gets_each_event_of_its_call_once() {
        let hub = hub();
        for call in ["x", "y", "x", "y"] {
            tell(&hub, call);
        }
        let from_the_first = follow(&hub, "x", 0);
        let after_the_first = follow(&hub, "x", 1);
        let of_another = follow(&hub, "y", 3);
        let of_none = follow(&hub, "z", 0);
        for call in ["y", "x", "x"] {
            tell(&hub, call);
        }
        let from_now_on = follow(&hub, "x", 7);
        tell(&hub, "x");
        hub.close();
        for (follower, told) in [
            (from_the_first, vec![1, 3, 6, 7, 8]),
            (after_the_first, vec![3, 6, 7, 8]),
            (of_another, vec![4, 5]),
            (of_none, vec![]),
            (from_now_on, vec![8]),
        ] {
            assert_eq!(rest(follower).await, (told, Unfollowed::Ending));
        }
    }

    #[tokio::test]
    async fn who_takes_nothing_holds_nobody_up_and_is_told() {
        let hub = hub();
        let slow = follow(&hub, "x", 0);
        for _ in 0..MOST_WAITING + 2 {
            tell(&hub, "x");
        }
        let last = hub.newest();
        assert_eq!(last, MOST_WAITING as u64 + 2);
        let other = follow(&hub, "x", last - 1);
        tell(&hub, "x");
        hub.close();
        let before_it_was_late: Vec<u64> = (1..=MOST_WAITING as u64).collect();
        assert_eq!(rest(slow).await, (before_it_was_late, Unfollowed::Late));
        assert_eq!(
            rest(other).await,
            (vec![last, last + 1], Unfollowed::Ending)
        );
    }

    #[tokio::test]
    async fn who_begins_too_late_is_told() {
        let hub = hub();
        for _ in 0..MOST_KEPT + 5 {
            tell(&hub, "y");
        }
        let (late, in_time) = (follow(&hub, "x", 4), follow(&hub, "x", 5));
        // More than may wait.
        let behind = follow(&hub, "y", 5);
        let id = tell(&hub, "x");
        hub.close();
        assert_eq!(rest(late).await, (vec![], Unfollowed::Late));
        assert_eq!(rest(in_time).await, (vec![id], Unfollowed::Ending));
        assert_eq!(rest(behind).await.1, Unfollowed::Late);
    }

    #[test]
    fn who_is_dropped_is_let_go() {
        let hub = hub();
        let (first, second) = (follow(&hub, "x", 0), follow(&hub, "x", 0));
        let flags = [Arc::clone(&first.is_late), Arc::clone(&second.is_late)];
        // Its follower's, its place's, and this one.
        let held = || flags.each_ref().map(Arc::strong_count);
        assert_eq!(held(), [3, 3]);
        drop(first);
        assert_eq!(held(), [1, 3]);
        tell(&hub, "x");
        drop(second);
        assert_eq!(held(), [1, 1]);
        assert_eq!(tell(&hub, "x"), 2);
    }

    #[tokio::test]
    async fn closing_wakes_who_waits() {
        let hub = hub();
        let waiting = tokio::spawn(rest(follow(&hub, "x", 0)));
        // Until it waits.
        tokio::task::yield_now().await;
        hub.close();
        assert_eq!(waiting.await.unwrap(), (vec![], Unfollowed::Ending));
        let after_it = follow(&hub, "x", 0);
        assert_eq!(rest(after_it).await, (vec![], Unfollowed::Ending));
    }
}
