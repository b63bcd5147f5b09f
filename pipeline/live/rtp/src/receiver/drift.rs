//! How the sender's clock drifts from ours.
//!
//! What a packet takes through the network is never less than its least: arrival less timestamp has a floor, and where
//! the floor moves, one of the clocks is slower. So of each window only the least is kept.

/// A window: long enough that some packet of it comes without waiting.
const WINDOW_US: u64 = 5_000_000;
/// Windows that are kept: under three minutes, over which a drift of 10 ppm is 1.6 ms.
const N_KEPT: usize = 32;
/// Windows before anything is said.
const LEAST_WINDOWS: u64 = 4;

/// The least of arrival less timestamp, window by window.
#[derive(Debug)]
pub(super) struct Drift {
    began_us: Option<u64>,
    /// Of the window that is open: when, and how many ticks.
    least: Floor,
    kept: [Floor; N_KEPT],
    n_windows: u64,
}

#[derive(Clone, Copy, Debug)]
struct Floor {
    now_us: u64,
    ticks: i64,
}

impl Floor {
    const NONE: Self = Self {
        now_us: 0,
        ticks: i64::MAX,
    };
}

impl Drift {
    pub(super) const fn new() -> Self {
        Self {
            began_us: None,
            least: Floor::NONE,
            kept: [Floor::NONE; N_KEPT],
            n_windows: 0,
        }
    }

    /// Notes arrival less timestamp of a packet. Where a window is over, gives its least, without this packet.
    pub(super) fn note(&mut self, now_us: u64, ticks: i64) -> Option<i64> {
        let began_us = *self.began_us.get_or_insert(now_us);
        let mut over = None;
        if now_us.saturating_sub(began_us) >= WINDOW_US {
            over = Some(self.least.ticks);
            if let Some(place) = self.kept.get_mut(idx_of(self.n_windows)) {
                *place = self.least;
            }
            self.n_windows = self.n_windows.saturating_add(1);
            self.began_us = Some(now_us);
            self.least = Floor::NONE;
        }
        if ticks < self.least.ticks {
            self.least = Floor { now_us, ticks };
        }
        over
    }

    /// How much faster the sender's clock is, millionths; `None` while it is too early.
    pub(super) fn skew_ppm(&self, clock_hz: u32) -> Option<f64> {
        let newest = self.n_windows.checked_sub(1)?;
        if newest < LEAST_WINDOWS {
            return None;
        }
        let oldest = newest.saturating_sub(N_KEPT as u64 - 1);
        let newest = self.kept.get(idx_of(newest))?;
        let oldest = self.kept.get(idx_of(oldest))?;
        let passed_us = newest.now_us.saturating_sub(oldest.now_us);
        let passed_ticks = passed_us as f64 * 1e-6 * f64::from(clock_hz);
        let less = oldest.ticks.saturating_sub(newest.ticks) as f64;
        (passed_us > 0).then(|| less / passed_ticks * 1e6)
    }
}

/// Where a window is kept.
const fn idx_of(window: u64) -> usize {
    (window % N_KEPT as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a clock that is so many millionths fast, of packets each 20 ms that wait for up to 100 ms.
    fn measured(ppm: f64, secs: u64) -> Option<f64> {
        let mut drift = Drift::new();
        for place in 0..secs * 50 {
            let sent_us = place as f64 * 20_000.0;
            let waits_us = (place * 7_919 % 101) as f64 * 1_000.0;
            let timestamp = sent_us * (1.0 + ppm * 1e-6) * 0.008;
            let arrival = (sent_us + waits_us) * 0.008;
            let now_us = (sent_us + waits_us) as u64;
            drift.note(now_us, (arrival - timestamp) as i64);
        }
        drift.skew_ppm(8_000)
    }

    #[test]
    fn clocks_that_drift() {
        for ppm in [0.0, 20.0, -50.0, 200.0, -1_000.0] {
            for secs in [60, 600] {
                let told = measured(ppm, secs).unwrap();
                assert!((told - ppm).abs() < 10.0, "{ppm} in {secs} s: {told}");
            }
        }
        assert_eq!(measured(100.0, 20), None);
    }
}
