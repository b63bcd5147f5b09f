//! Pauses of a session: silence while they last, so that what was said before them is told, and what follows lies where it was
//! spoken.

/// Frames of a millisecond.
const FRAMES_PER_MS: u64 = 8;
/// Silence stays so far behind the clock: where a pause begins and ends is known by messages, each of which is on its way for a
/// time of its own.
const BEHIND_MS: u64 = 1_000;

/// What was put in for pauses, and what the other side told of it. Milliseconds are on any clock that does not run back.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// When the one that goes on began.
    since_ms: Option<u64>,
    /// Frames that were put in since.
    n_put_in: u64,
    /// Frames that were put in, of this pause and others, and that were not told of.
    n_untold: u64,
}

impl Pauses {
    /// Audio pauses.
    pub(super) fn begin(&mut self, now_ms: u64) {
        self.since_ms.get_or_insert(now_ms);
    }

    /// Audio goes on.
    pub(super) fn end(&mut self) {
        self.since_ms = None;
        self.n_put_in = 0;
    }

    pub(super) const fn is_on(&self) -> bool {
        self.since_ms.is_some()
    }

    /// Frames of silence that the pause is longer by now. They are taken for put in.
    pub(super) fn due(&mut self, now_ms: u64) -> u64 {
        let Some(since_ms) = self.since_ms else {
            return 0;
        };
        let lasted_ms = now_ms.saturating_sub(since_ms).saturating_sub(BEHIND_MS);
        let n_due = (lasted_ms * FRAMES_PER_MS).saturating_sub(self.n_put_in);
        self.n_put_in += n_due;
        self.n_untold += n_due;
        n_due
    }

    /// The other side tells of so many frames that do not come: how many of them are to be put in yet.
    pub(super) fn told(&mut self, n_frames: u64) -> u64 {
        let n_there = self.n_untold.min(n_frames);
        self.n_untold -= n_there;
        n_frames - n_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_as_long_as_is_told_in_the_end() {
        let mut pauses = Pauses::default();
        assert_eq!(pauses.due(5_000), 0);
        pauses.begin(5_000);
        pauses.begin(5_500);
        assert!(pauses.is_on());
        assert_eq!(pauses.due(6_000), 0);
        assert_eq!(pauses.due(6_100), 800);
        assert_eq!(pauses.due(6_100), 0);
        assert_eq!(pauses.due(9_000), 23_200);
        pauses.end();
        assert!(!pauses.is_on());
        assert_eq!(pauses.told(32_000), 8_000);
        assert_eq!(pauses.due(20_000), 0);
        // The next one begins anew.
        pauses.begin(20_000);
        assert_eq!(pauses.due(21_001), 8);
    }

    #[test]
    fn what_was_put_in_too_much_is_taken_off_what_is_told_later() {
        let mut pauses = Pauses::default();
        pauses.begin(0);
        assert_eq!(pauses.due(3_000), 16_000);
        // Audio without a word on how long it was.
        pauses.end();
        assert_eq!(pauses.told(10_000), 0);
        assert_eq!(pauses.told(10_000), 4_000);
        assert_eq!(pauses.told(10_000), 10_000);
    }
}
