//! How many packets a leg may bring in a second.

const SECOND_US: u64 = 1_000_000;

/// Counts packets second by second. What waited in a network and comes at once fits in, as long as it is no more than the
/// factor's seconds.
#[derive(Debug)]
pub(super) struct Flood {
    most_per_sec: u32,
    began_us: u64,
    n: u32,
}

impl Flood {
    pub(super) const fn new(most_per_sec: u32) -> Self {
        Self {
            most_per_sec,
            began_us: 0,
            n: 0,
        }
    }

    /// Counts a packet; whether it may be heard.
    pub(super) const fn admits(&mut self, now_us: u64) -> bool {
        if now_us.saturating_sub(self.began_us) >= SECOND_US {
            self.began_us = now_us;
            self.n = 0;
        }
        self.n = self.n.saturating_add(1);
        self.n <= self.most_per_sec
    }
}
