//! Whether a leg's audio comes at the pace of speech: else its sender says a wrong rate, or sends what was not spoken just now.

use std::time::Duration;

/// Packets before that may have waited somewhere, and do not count.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
/// Nothing is said of a shorter time.
const SURE_AFTER: Duration = Duration::from_secs(10);
/// Audio that lasts so much longer than it took to come is of a higher rate than was said: half as much again lies between the
/// pace of speech and twice that, which the next rate would be.
const FAST: f64 = 1.5;
/// A packet that lasts this share of the time since the one before it is slow.
const SLOW: std::ops::Range<f64> = 0.4..0.67;
/// As many packets as this, and this share of them, make a slow leg: ten seconds of the messages of a WebSocket, which may last 200
/// ms each. One that is silent now and then has others, too.
const SURE_PACKETS: u32 = 50;
const SLOW_SHARE: f64 = 0.8;

/// The pace of one leg, whose audio should come as it is spoken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// When the first packet that counts came, and the last.
    first: Option<Duration>,
    last: Duration,
    /// How long all behind the first last together.
    lasting: Duration,
    n_packets: u32,
    n_slow: u32,
    /// How long all that came lasts.
    came: Duration,
    /// How many times as fast as speech it came when its sender was held back: from then on it comes as it is read.
    held_at: Option<f64>,
}

impl Pace {
    /// A packet that lasts so long came `passed` after the leg.
    pub(crate) fn came(&mut self, passed: Duration, lasting: Duration) {
        self.came += lasting;
        if self.first.is_some() {
            let waited = passed.saturating_sub(self.last);
            self.n_packets += 1;
            self.n_slow += u32::from(SLOW.contains(&share(lasting, waited)));
            self.lasting += lasting;
        } else if passed >= SETTLED_AFTER {
            self.first = Some(passed);
        }
        self.last = passed;
    }

    /// Its sender is held back, `passed` after the leg came. What makes up for time in which nothing came is no other pace.
    pub(crate) fn held_back(&mut self, passed: Duration) {
        let fast = share(self.came, passed);
        if fast >= FAST {
            self.held_at = self.held_at.or(Some(fast));
        }
    }

    /// How many times as fast as speech it came, where that is another pace.
    pub(crate) fn off(&self) -> Option<f64> {
        if self.held_at.is_some() {
            return self.held_at;
        }
        let passed = self.last.saturating_sub(self.first?);
        if passed < SURE_AFTER {
            return None;
        }
        let fast = share(self.lasting, passed);
        if fast >= FAST {
            return Some(fast);
        }
        let is_sure = self.n_packets >= SURE_PACKETS;
        let is_slow = f64::from(self.n_slow) >= SLOW_SHARE * f64::from(self.n_packets);
        (is_sure && is_slow).then_some(fast)
    }
}

fn share(of: Duration, whole: Duration) -> f64 {
    of.as_secs_f64() / whole.as_secs_f64().max(1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of `lasting_ms` each `every_ms`, with what `late` adds to the time of each.
    fn off(n: u64, every_ms: u64, lasting_ms: u64, late: impl Fn(u64) -> u64) -> Option<f64> {
        let mut pace = Pace::default();
        for turn in 0..n {
            let passed = Duration::from_millis(turn * every_ms + late(turn));
            pace.came(passed, Duration::from_millis(lasting_ms));
        }
        pace.off()
    }

    #[test]
    fn rates_that_are_wrong_are_noticed() {
        let about = |off: Option<f64>, expected: f64| (off.unwrap() - expected).abs() < 0.05;
        assert!(about(off(1_000, 20, 40, |_| 0), 2.0));
        assert!(about(off(1_000, 20, 10, |_| 0), 0.5));
        assert!(about(off(1_000, 20, 10, |turn| turn % 3), 0.5));
        // Messages of a WebSocket are longer: 13 seconds of them.
        assert!(about(off(65, 200, 100, |_| 0), 0.5));
        assert_eq!(off(1_000, 20, 20, |_| 0), None);
        assert_eq!(off(550, 20, 40, |_| 0), None, "too soon");
        // The first of them waited for the call to be opened.
        assert_eq!(
            off(800, 20, 20, |turn| 250_u64.saturating_sub(turn) * 5),
            None
        );
    }

    #[test]
    fn what_is_held_back_is_too_fast_unless_it_was_late() {
        let secs = Duration::from_secs;
        let mut pace = Pace::default();
        pace.came(secs(5), secs(10));
        pace.held_back(secs(5));
        // It is read at the pace of the clock from then on.
        pace.came(secs(60), secs(55));
        pace.held_back(secs(60));
        assert_eq!(pace.off(), Some(2.0));
        // Nothing came for half a minute, and then all of it.
        let mut late = Pace::default();
        late.came(secs(1), secs(1));
        late.came(secs(31), secs(30));
        late.held_back(secs(31));
        assert_eq!(late.off(), None);
    }

    #[test]
    fn delays_pauses_and_bursts_are_the_pace_of_speech() {
        assert_eq!(off(1_000, 20, 20, |turn| turn * 7 % 23), None);
        // A second in two is silence that is not sent.
        assert_eq!(off(1_000, 20, 20, |turn| turn / 50 * 1_000), None);
        // Five packets at a time.
        assert_eq!(off(1_000, 20, 20, |turn| (4 - turn % 5) * 20), None);
        assert_eq!(off(1_000, 200, 20, |_| 0), None, "a packet now and then");
    }
}
