//! Where a leg is on the clock of the wall, for ways in whose audio has no places of its own.

use std::time::Duration;

/// A leg may be so far ahead of the wall's clock: pieces come in steps.
const AHEAD: Duration = Duration::from_millis(100);
/// Audio whose loudest sample is below this share of full scale is quiet: −42 dB.
pub(crate) const QUIET: f32 = 1.0 / 128.0;

/// How long a leg must be behind: what only waits in a network or for a processor comes at once when it comes.
const LASTING: Duration = Duration::from_secs(2);

/// Keeps a leg's length near the time that passed. What does not come in time is silence; where it comes after all, quiet audio
/// behind it is left out until as much is taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegTime {
    rate_hz: u32,
    /// The leg came so long after its call began.
    came_behind: Duration,
    /// What had passed when it was found to be behind.
    behind_since: Option<Duration>,
    /// Silence that was put in and not taken back, samples.
    owed: u64,
}

impl LegTime {
    pub(crate) const fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz,
            came_behind: Duration::ZERO,
            behind_since: None,
            owed: 0,
        }
    }

    pub(crate) const fn come_behind(&mut self, behind: Duration) {
        self.came_behind = behind;
    }

    pub(crate) fn samples(&self, length: Duration) -> u64 {
        (length.as_micros() * u128::from(self.rate_hz) / 1_000_000) as u64
    }

    /// Samples that should be there `passed` after the leg came, and are not; `end` is behind the leg's last sample. They are
    /// taken for put in.
    pub(crate) fn fill(&mut self, end: u64, passed: Duration) -> u64 {
        self.behind_since = None;
        let expected = self.samples(self.came_behind + passed);
        let missing = expected.saturating_sub(end);
        self.owed += missing;
        missing
    }

    /// The same where more than `slack` has been missing for long.
    pub(crate) fn fill_lasting(&mut self, end: u64, passed: Duration, slack: Duration) -> u64 {
        let expected = self.samples(self.came_behind + passed.saturating_sub(slack));
        if end >= expected {
            self.behind_since = None;
            return 0;
        }
        let since = *self.behind_since.get_or_insert(passed);
        match passed.saturating_sub(since) < LASTING {
            true => 0,
            false => self.fill(end, passed),
        }
    }

    /// Audio had to wait, as there was no room: it is behind for that.
    pub(crate) const fn held_back(&mut self) {
        self.behind_since = None;
    }

    /// Whether quiet audio of `n_samples` is to be left out. It is taken for left out.
    pub(crate) fn take_back(&mut self, end: u64, passed: Duration, n_samples: u64) -> bool {
        let expected = self.samples(self.came_behind + passed + AHEAD);
        if n_samples > self.owed || end + n_samples <= expected {
            return false;
        }
        self.owed -= n_samples;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLACK: Duration = Duration::from_secs(1);

    /// Pieces of 20 ms by the moments when they come, milliseconds, and then three seconds of quiet ones in time. Gives the leg's
    /// length, and how much of it is silence that was put in, in pieces.
    fn hear(moments: &[u64]) -> (u64, u64) {
        let mut time = LegTime::new(8_000);
        let (mut end, mut last_ms) = (0, 0);
        let spoken_ms = moments.last().unwrap();
        let quiet = (1..=150).map(|place| spoken_ms + 20 * place);
        let moments = moments.iter().copied();
        for (ms, is_quiet) in moments
            .map(|ms| (ms, false))
            .chain(quiet.map(|ms| (ms, true)))
        {
            while ms > last_ms + 1_000 {
                last_ms += 1_000;
                end += time.fill(end, Duration::from_millis(last_ms));
            }
            last_ms = ms;
            let passed = Duration::from_millis(ms);
            end += time.fill_lasting(end + 160, passed, SLACK);
            if !(is_quiet && time.take_back(end, passed, 160)) {
                end += 160;
            }
        }
        (end / 160, time.owed / 160)
    }

    fn steady(from_ms: u64, n_pieces: u64) -> impl Iterator<Item = u64> {
        (1..=n_pieces).map(move |place| from_ms + 20 * place)
    }

    #[test]
    fn what_comes_in_time_is_left_as_it_is() {
        assert_eq!(hear(&steady(0, 500).collect::<Vec<_>>()), (650, 0));
        // As fast as it can be sent.
        assert_eq!(hear(&[0; 500]), (650, 0));
    }

    #[test]
    fn time_in_which_nothing_is_sent_is_silence() {
        let moments: Vec<u64> = steady(0, 100).chain(steady(5_000, 100)).collect();
        // Seven seconds, and the quiet at the end.
        assert_eq!(hear(&moments), (500, 150));
        // Many small holes are one.
        let holes = (0..20).flat_map(|hole| steady(hole * 1_400, 35));
        let (n_pieces, n_filled) = hear(&holes.collect::<Vec<_>>());
        let n_passed = (19 * 1_400 + 700 + 3_000) / 20;
        assert!(
            n_pieces <= n_passed && n_pieces + 50 >= n_passed,
            "{n_pieces} of {n_passed}"
        );
        assert!(n_filled > 500, "{n_filled}");
    }

    #[test]
    fn what_comes_late_does_not_make_the_leg_longer() {
        let stalled = steady(0, 500).map(|ms| match ms {
            1_000..4_000 => 4_000,
            ms => ms,
        });
        let (n_pieces, n_owed) = hear(&stalled.collect::<Vec<_>>());
        assert!((650..=655).contains(&n_pieces), "{n_pieces}");
        assert!(n_owed <= 5, "{n_owed}");
    }

    #[test]
    fn what_waited_for_a_moment_is_no_hole() {
        // Nothing was looked at for five seconds, though it was there.
        let mut time = LegTime::new(8_000);
        let late = Duration::from_secs(6);
        for place in 0..250 {
            assert_eq!(time.fill_lasting(8_000 + 160 * place, late, SLACK), 0);
        }
        assert_eq!(time.fill_lasting(48_000, late, SLACK), 0);
        assert_eq!(time.behind_since, None);
    }

    #[test]
    fn a_leg_that_came_later_is_expected_from_the_beginning() {
        let mut time = LegTime::new(8_000);
        time.come_behind(Duration::from_secs(3));
        assert_eq!(time.fill(0, Duration::from_secs(2)), 40_000);
        assert_eq!(time.fill(40_000, Duration::from_secs(2)), 0);
    }
}
