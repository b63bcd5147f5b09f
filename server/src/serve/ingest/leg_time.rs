//! Where a leg is on the clock of the wall, for ways in whose audio may be late, or has no places of its own.

use std::time::Duration;

/// A leg that sends nothing for so long is silent: its time goes on.
const SILENT_AFTER: Duration = Duration::from_secs(1);
/// A leg may be so far ahead of the wall's clock: pieces come in steps.
const AHEAD: Duration = Duration::from_millis(100);
/// What has places, and comes on the connection of another leg: so far behind that leg it is silent.
const BESIDE: Duration = Duration::from_secs(1);
/// Audio whose loudest sample is below this share of full scale is quiet: −42 dB.
pub(crate) const QUIET: f32 = 1.0 / 128.0;

/// How long a leg must be behind: what only waits in a network or for a processor comes at once when it comes.
const LASTING: Duration = Duration::from_secs(2);

/// How far audio may be from the clock of the wall, and for how long it may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WallTime {
    /// After so long without audio time goes on as silence: the other side sends none while a call is on hold.
    pub(crate) silent_after: Duration,
    /// A leg that is farther ahead is not read: what comes stays with its sender.
    most_ahead: Duration,
    /// A call that has lasted so long is over.
    pub(crate) longest_call: Duration,
}

/// What is done next with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// What comes is read.
    Read,
    /// Not before this time.
    Hold(Duration),
    /// The call has lasted long enough.
    End,
}

impl WallTime {
    pub(crate) const fn new(most_ahead_secs: u64, longest_call_secs: u64) -> Self {
        Self {
            silent_after: SILENT_AFTER,
            most_ahead: Duration::from_secs(most_ahead_secs),
            longest_call: Duration::from_secs(longest_call_secs),
        }
    }

    /// With another time after which a leg is silent.
    pub(crate) const fn silent_only_after(self, silent_after: Duration) -> Self {
        Self {
            silent_after,
            ..self
        }
    }

    /// A place farther than this after the leg came is that of no audio that was spoken, `passed` after it.
    pub(crate) fn believed(&self, passed: Duration) -> Duration {
        passed + self.most_ahead
    }

    /// For a call of this age, one of whose legs is so far ahead.
    pub(crate) fn turn(&self, age: Duration, ahead: Duration) -> Turn {
        let too_far = ahead.saturating_sub(self.most_ahead);
        if age >= self.longest_call {
            Turn::End
        } else if too_far.is_zero() {
            Turn::Read
        } else {
            Turn::Hold(too_far)
        }
    }
}

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

    /// How old the call is, `passed` after the leg came.
    pub(crate) fn age(&self, passed: Duration) -> Duration {
        self.came_behind + passed
    }

    /// How far the leg is ahead of the wall's clock; `end` is behind its last sample.
    pub(crate) fn ahead(&self, end: u64, passed: Duration) -> Duration {
        let us = u128::from(end) * 1_000_000 / u128::from(self.rate_hz.max(1));
        Duration::from_micros(us as u64).saturating_sub(self.age(passed))
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

    /// Samples that are missing before a place, as far as that is believed; `end` is behind the leg's last sample. They are taken
    /// for put in.
    pub(crate) fn fill_to(&mut self, end: u64, place: u64, believed: Duration) -> u64 {
        let most = self.samples(self.age(believed));
        let missing = place.min(most).saturating_sub(end);
        self.owed += missing;
        missing
    }

    /// The same where another leg of the connection has come to this place.
    pub(crate) fn fill_beside(&mut self, end: u64, place: u64, believed: Duration) -> u64 {
        let beside = self.samples(BESIDE);
        self.fill_to(end, place.saturating_sub(beside), believed)
    }

    /// Audio of this length came before the leg did: it does not make the leg longer than its call.
    pub(crate) fn early_by(&mut self, early: Duration) {
        self.came_behind = self.came_behind.max(early);
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
    fn a_leg_that_is_too_far_ahead_waits_and_a_call_that_is_too_old_ends() {
        let wall = WallTime::new(5, 60);
        let ms = Duration::from_millis;
        for (age_ms, ahead_ms, turn) in [
            (0, 0, Turn::Read),
            (59_999, 5_000, Turn::Read),
            (0, 5_001, Turn::Hold(ms(1))),
            (1_000, 8_000, Turn::Hold(ms(3_000))),
            (60_000, 0, Turn::End),
            (60_000, 8_000, Turn::End),
        ] {
            let told = wall.turn(ms(age_ms), ms(ahead_ms));
            assert_eq!(told, turn, "{age_ms} {ahead_ms}");
        }
    }

    #[test]
    fn a_leg_is_ahead_by_what_is_longer_than_the_time_since_its_call_began() {
        let mut time = LegTime::new(8_000);
        let secs = Duration::from_secs;
        assert_eq!(time.ahead(80_000, secs(4)), secs(6));
        assert_eq!(time.ahead(80_000, secs(11)), secs(0));
        time.come_behind(secs(3));
        assert_eq!(time.ahead(80_000, secs(4)), secs(3));
        assert_eq!(time.ahead(0, secs(0)), secs(0));
        assert_eq!(time.age(secs(4)), secs(7));
    }

    /// As fast as it can be read: no more than what may be ahead, then as time passes.
    #[test]
    fn what_is_held_comes_at_the_pace_of_the_clock() {
        let (wall, time) = (WallTime::new(5, 43_200), LegTime::new(8_000));
        let (mut end, mut passed) = (0, Duration::ZERO);
        let mut read_by = Vec::new();
        while passed < Duration::from_secs(10) {
            match wall.turn(time.age(passed), time.ahead(end, passed)) {
                Turn::Read => end += 160,
                Turn::Hold(wait) => {
                    read_by.push(end);
                    passed += wait;
                }
                Turn::End => unreachable!(),
            }
        }
        // A packet beyond five seconds, then one each 20 ms.
        assert_eq!(read_by[0], 40_160);
        assert_eq!(read_by.len(), 500);
        assert_eq!(end, 40_160 + 499 * 160);
    }

    #[test]
    fn a_place_is_where_audio_lies_as_far_as_it_is_believed() {
        let secs = Duration::from_secs;
        let believed = WallTime::new(5, 60).believed(secs(10));
        let mut time = LegTime::new(8_000);
        assert_eq!(time.fill_to(16_000, 16_000, believed), 0);
        assert_eq!(time.fill_to(16_000, 40_000, believed), 24_000);
        // It comes behind what was put in for it, and quiet audio is left out for that.
        assert_eq!(time.fill_to(40_000, 16_000, believed), 0);
        assert!(time.take_back(40_000, secs(4), 160));
        assert!(!time.take_back(39_840, secs(5), 160));
        assert_eq!(time.fill_to(16_000, u64::MAX, believed), 104_000);
        // The other leg is at 6 s.
        assert_eq!(time.fill_beside(16_000, 48_000, believed), 24_000);
        assert_eq!(time.fill_beside(44_000, 48_000, believed), 0);
    }

    #[test]
    fn audio_that_was_there_before_its_leg_does_not_come_ahead() {
        let mut time = LegTime::new(8_000);
        let secs = Duration::from_secs;
        time.early_by(secs(3));
        assert_eq!(time.ahead(24_000, secs(0)), secs(0));
        time.come_behind(secs(5));
        time.early_by(secs(3));
        assert_eq!(time.age(secs(1)), secs(6));
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
