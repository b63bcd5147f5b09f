//! One who watches what happens in calls.

use std::sync::Arc;

use tokio::sync::watch;

use super::hub::{EventHub, Gone, KeptEvent, Missing, Wanted};

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

/// Close code of those who were away too long (private use, RFC 6455, 7.4.2).
pub(crate) const GONE: u16 = 4_010;
/// Header of the answer that opens a WebSocket: the id after which events come.
pub(crate) const BEGINS_AFTER: &str = "auricle-after";

/// Why nothing else comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The watcher was away too long.
    Gone(Gone),
    /// What was missed cannot be read now: whoever asks again from the same event on may get it.
    Unreadable,
    /// The server ends.
    Ending,
}

impl From<Missing> for Over {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Gone(gone) => Self::Gone(gone),
            Missing::Unreadable => Self::Unreadable,
        }
    }
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

    /// The last event that was looked at: what comes next comes after it.
    pub(crate) fn after(&self) -> u64 {
        self.after
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
                    let older = self.hub.older(self.after, gone, EVENTS_A_TIME).await?;
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
