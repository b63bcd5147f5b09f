//! When something is due by a session's timer.

use std::future::pending;
use std::time::Instant;

use crate::serve::ingest::sip::timer::SessionTimer;

/// When something is due by the session's timer.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) timer: Option<SessionTimer>,
    refresh_at: Option<Instant>,
    over_at: Option<Instant>,
}

impl Clock {
    /// It was said right now that the session goes on.
    pub(super) fn new(timer: Option<SessionTimer>) -> Self {
        let now = Instant::now();
        let refresh_after = timer.and_then(SessionTimer::refresh_after);
        Self {
            timer,
            refresh_at: refresh_after.and_then(|after| now.checked_add(after)),
            over_at: timer.and_then(|timer| now.checked_add(timer.over_after())),
        }
    }

    /// When [`Self::is_over`] or [`Self::take_refresh`] is to be asked.
    pub(super) fn due(&self) -> Option<Instant> {
        self.refresh_at.or(self.over_at)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over_at.is_some_and(|at| at <= Instant::now())
    }

    /// Whether it is for us to say that the session goes on; it is taken for said.
    pub(super) fn take_refresh(&mut self) -> Option<SessionTimer> {
        let (timer, _) = self.timer.zip(self.refresh_at.take())?;
        Some(timer)
    }
}

/// Waits until then; without a time, for ever.
pub(super) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}
