//! One who watches what happens in calls.

use std::sync::Arc;

use tokio::sync::watch;

use super::hub::{EventHub, Gone, KeptEvent, Wanted};

/// Events looked at together.
const EVENTS_A_TIME: usize = 256;

/// Reads the hub from an event on.
pub(crate) struct Watcher {
    hub: Arc<EventHub>,
    news: watch::Receiver<u64>,
    wanted: Wanted,
    /// The last event that was looked at.
    after: u64,
}

/// Why nothing else comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Over {
    /// The watcher was away too long.
    Gone(Gone),
    /// The server ends.
    Ending,
}

impl Watcher {
    /// What happens after the event `after`.
    pub(crate) fn new(hub: &Arc<EventHub>, wanted: Wanted, after: u64) -> Self {
        Self {
            news: hub.news(),
            hub: Arc::clone(hub),
            wanted,
            after,
        }
    }

    pub(crate) fn hub(&self) -> &Arc<EventHub> {
        &self.hub
    }

    /// The next events that are wanted, waiting for them. A call that is dropped while it waits loses nothing.
    ///
    /// # Errors
    /// When nothing else comes.
    pub(crate) async fn next(&mut self) -> Result<Vec<Arc<KeptEvent>>, Over> {
        loop {
            self.news.mark_unchanged();
            let is_closed = self.hub.is_closed();
            let (events, up_to) = match self.hub.after(self.after, EVENTS_A_TIME) {
                Ok(events) => {
                    let Some(last) = events.last().map(|event| event.id) else {
                        if is_closed || self.news.changed().await.is_err() {
                            return Err(Over::Ending);
                        }
                        continue;
                    };
                    (events, last)
                }
                Err(gone) => {
                    let older = self.hub.older(self.after, gone, EVENTS_A_TIME).await;
                    let older = older.map_err(Over::Gone)?;
                    (older.events, older.up_to)
                }
            };
            self.after = up_to;
            let wanted: Vec<_> = events
                .into_iter()
                .filter(|event| self.wanted.wants(event))
                .collect();
            if !wanted.is_empty() {
                return Ok(wanted);
            }
        }
    }
}
