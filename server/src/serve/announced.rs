//! What is known of calls whose audio is still to come: a protocol that has an id and no more is told the rest here.
//!
//! ```text
//! announced => (taken by its call, or forgotten after a time)
//! ```

use std::collections::HashMap;
use std::time::{Duration, Instant};

use auricle_contracts::{CallId, CallMetadata};
use schemars::JsonSchema;
use serde::Deserialize;
use thiserror::Error;

/// `[live.announcements]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AnnouncementsConfig {
    /// Calls that may be announced at a time; more are refused.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) most: usize,
    /// How long a call that was announced may take to begin.
    #[schemars(range(min = 1, max = 86_400))]
    pub(crate) keep_secs: u64,
}

impl Default for AnnouncementsConfig {
    fn default() -> Self {
        Self {
            most: 10_000,
            keep_secs: 600,
        }
    }
}

/// As many calls are announced as may be.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "`{n_calls}` calls are announced and did not begin, which is the most allowed\nhint: raise `live.announcements.most`, or lower `live.announcements.keep_secs`"
)]
pub(crate) struct TooManyAnnounced {
    /// Calls that wait.
    pub(crate) n_calls: usize,
}

/// Calls that were announced and did not begin yet.
#[derive(Debug)]
pub(crate) struct Announcements {
    most: usize,
    keep: Duration,
    waiting: HashMap<CallId, Announced>,
    n_forgotten: u64,
}

#[derive(Debug)]
struct Announced {
    metadata: CallMetadata,
    until: Instant,
}

/// How many calls were announced and did not begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnnouncementCounts {
    /// They may still.
    pub(crate) n_waiting: u64,
    /// They took too long.
    pub(crate) n_forgotten: u64,
}

impl Announcements {
    pub(crate) fn new(config: &AnnouncementsConfig) -> Self {
        Self {
            most: config.most,
            keep: Duration::from_secs(config.keep_secs),
            waiting: HashMap::new(),
            n_forgotten: 0,
        }
    }

    /// Notes what is known of a call that is to begin, in place of what was announced of it before; gives for how long.
    ///
    /// # Errors
    /// As many others wait as may.
    pub(crate) fn put(
        &mut self,
        id: CallId,
        metadata: CallMetadata,
        now: Instant,
    ) -> Result<Duration, TooManyAnnounced> {
        let is_new = !self.waiting.contains_key(&id);
        if is_new && self.waiting.len() >= self.most {
            self.forget(now);
            let n_calls = self.waiting.len();
            if n_calls >= self.most {
                return Err(TooManyAnnounced { n_calls });
            }
        }
        let until = now + self.keep;
        self.waiting.insert(id, Announced { metadata, until });
        Ok(self.keep)
    }

    /// What was announced of a call that begins.
    pub(crate) fn take(&mut self, id: &CallId, now: Instant) -> Option<CallMetadata> {
        let announced = self.waiting.remove(id)?;
        if announced.until <= now {
            self.n_forgotten += 1;
            return None;
        }
        Some(announced.metadata)
    }

    pub(crate) fn counts(&mut self, now: Instant) -> AnnouncementCounts {
        self.forget(now);
        AnnouncementCounts {
            n_waiting: self.waiting.len() as u64,
            n_forgotten: self.n_forgotten,
        }
    }

    fn forget(&mut self, now: Instant) {
        let n_before = self.waiting.len();
        self.waiting.retain(|_, announced| announced.until > now);
        self.n_forgotten += (n_before - self.waiting.len()) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(agent: &str) -> CallMetadata {
        CallMetadata {
            agent: Some(agent.to_owned()),
            ..CallMetadata::default()
        }
    }

    fn id(name: &str) -> CallId {
        CallId(name.to_owned())
    }

    #[test]
    fn what_was_announced_is_taken_once_and_forgotten_in_time() {
        let config = AnnouncementsConfig {
            most: 2,
            keep_secs: 10,
        };
        let mut announced = Announcements::new(&config);
        let begin = Instant::now();
        let at = |secs| begin + Duration::from_secs(secs);
        announced.put(id("a"), of("li"), at(0)).unwrap();
        announced.put(id("a"), of("wang"), at(1)).unwrap();
        announced.put(id("b"), of("chen"), at(5)).unwrap();
        let full = announced.put(id("c"), of("li"), at(9)).unwrap_err();
        assert_eq!(full, TooManyAnnounced { n_calls: 2 });
        assert_eq!(announced.take(&id("c"), at(9)), None);
        assert_eq!(announced.take(&id("a"), at(9)), Some(of("wang")));
        assert_eq!(announced.take(&id("a"), at(9)), None);

        // What is forgotten leaves its place to others.
        announced.put(id("c"), of("li"), at(9)).unwrap();
        announced.put(id("d"), of("li"), at(15)).unwrap();
        assert_eq!(announced.take(&id("b"), at(15)), None);
        assert_eq!(announced.take(&id("c"), at(19)), None);
        let counts = AnnouncementCounts {
            n_waiting: 1,
            n_forgotten: 2,
        };
        assert_eq!(announced.counts(at(24)), counts);
    }
}
