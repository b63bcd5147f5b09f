//! What became of a leg's packets.

use crate::receiver::Refusal;

/// What became of the packets of one leg, since it began; over all its sources.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Packets that were sent, by their sequence numbers (RFC 3550, section A.3).
    pub expected: u64,
    /// Of those, the ones that came, however late; those that came twice count once.
    pub received: u64,
    /// Of those, the ones that did not come.
    pub lost: u64,
    /// Packets that came after one that was sent later.
    pub reordered: u64,
    /// Of those, the ones behind more than eight others: too late for who waits for eight.
    pub late: u64,
    /// Packets of comfort noise (RFC 3389).
    pub comfort_noise: u64,
    /// Packets of events (RFC 4733).
    pub events: u64,
    /// Times at which the sender sent nothing for a while, without loss.
    pub silence_gaps: u64,
    /// Times at which timestamps and arrival disagreed, and the place followed arrival.
    pub clock_jumps: u64,
    /// Times at which the place was moved, as the sender's clock is not ours.
    pub corrections: u64,
    /// Times at which another source took over, without the first.
    pub source_changes: u64,
    /// Times at which a source went on from another address.
    pub address_changes: u64,
    /// How much arrival varies, now (RFC 3550, section 6.4.1).
    pub jitter_ms: f64,
    /// The same at its worst.
    pub max_jitter_ms: f64,
    /// Mean length of a row of lost packets, relative to that of as much random loss; at least 1 (ITU-T G.107, section
    /// 7.5, `BurstR`).
    pub burst_ratio: f64,
    /// How much faster the sender's clock is than ours, millionths; `None` while too little was heard.
    pub skew_ppm: Option<f64>,
    /// Packets that were not heard.
    pub refused: Refusals,
}

impl Stats {
    /// Those of a leg whose receiver was replaced by another: these are the first one's, `later` the second one's. Counts are
    /// added; rows of loss are weighed by how much was lost; of jitter and clocks the second one's are what is now.
    #[must_use]
    pub fn followed_by(&self, later: &Self) -> Self {
        let is_heard = later.received > 0;
        Self {
            expected: self.expected.saturating_add(later.expected),
            received: self.received.saturating_add(later.received),
            lost: self.lost.saturating_add(later.lost),
            reordered: self.reordered.saturating_add(later.reordered),
            late: self.late.saturating_add(later.late),
            comfort_noise: self.comfort_noise.saturating_add(later.comfort_noise),
            events: self.events.saturating_add(later.events),
            silence_gaps: self.silence_gaps.saturating_add(later.silence_gaps),
            clock_jumps: self.clock_jumps.saturating_add(later.clock_jumps),
            corrections: self.corrections.saturating_add(later.corrections),
            source_changes: self.source_changes.saturating_add(later.source_changes),
            address_changes: self.address_changes.saturating_add(later.address_changes),
            jitter_ms: if is_heard {
                later.jitter_ms
            } else {
                self.jitter_ms
            },
            max_jitter_ms: self.max_jitter_ms.max(later.max_jitter_ms),
            burst_ratio: self.burst_ratio_with(later),
            skew_ppm: later.skew_ppm.or(self.skew_ppm),
            refused: self.refused.plus(&later.refused),
        }
    }

    fn burst_ratio_with(&self, later: &Self) -> f64 {
        let n_lost = self.lost as f64 + later.lost as f64;
        if n_lost == 0.0 {
            return self.burst_ratio.max(later.burst_ratio);
        }
        let weighed = |it: &Self| it.burst_ratio * it.lost as f64;
        (weighed(self) + weighed(later)) / n_lost
    }

    /// Share of the packets that whoever listens at once could not use: lost or late. 0 to 1.
    pub fn loss_ratio(&self) -> f64 {
        match self.expected {
            0 => 0.0,
            expected => {
                let unusable = self.lost.saturating_add(self.late).min(expected);
                unusable as f64 / expected as f64
            }
        }
    }
}

/// Packets that were not heard, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals([u64; Refusal::ALL.len()]);

impl Refusals {
    /// For this reason.
    pub fn of(&self, reason: Refusal) -> u64 {
        self.0.get(reason as usize).copied().unwrap_or(0)
    }

    /// For any.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn plus(&self, others: &Self) -> Self {
        let mut sum = *self;
        for (n, more) in sum.0.iter_mut().zip(others.0) {
            *n = n.saturating_add(more);
        }
        sum
    }

    pub(crate) fn count(&mut self, reason: Refusal) {
        if let Some(n) = self.0.get_mut(reason as usize) {
            *n = n.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_by_reason() {
        let mut refused = Refusals::default();
        for (idx, reason) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, idx, "{reason:?}");
            for _ in 0..=idx {
                refused.count(reason);
            }
        }
        for (idx, reason) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refused.of(reason), idx as u64 + 1, "{reason:?}");
        }
        let n = Refusal::ALL.len() as u64;
        assert_eq!(refused.total(), n * (n + 1) / 2);
    }

    #[test]
    fn one_receiver_after_another() {
        let mut first = Stats {
            expected: 100,
            received: 90,
            lost: 10,
            jitter_ms: 4.0,
            max_jitter_ms: 9.0,
            burst_ratio: 1.0,
            skew_ppm: Some(20.0),
            ..Stats::default()
        };
        first.refused.count(Refusal::Flood);
        let mut second = Stats {
            expected: 50,
            received: 20,
            lost: 30,
            jitter_ms: 2.0,
            max_jitter_ms: 3.0,
            burst_ratio: 3.0,
            ..Stats::default()
        };
        second.refused.count(Refusal::Flood);
        second.refused.count(Refusal::Source);
        let both = first.followed_by(&second);
        assert_eq!((both.expected, both.received, both.lost), (150, 110, 40));
        assert_eq!((both.jitter_ms, both.max_jitter_ms), (2.0, 9.0));
        assert_eq!((both.burst_ratio, both.skew_ppm), (2.5, Some(20.0)));
        assert_eq!(both.refused.of(Refusal::Flood), 2);
        assert_eq!(both.refused.total(), 3);
        // A receiver that heard nothing changes nothing, and nothing comes before the first.
        assert_eq!(first.followed_by(&Stats::default()), first);
        assert_eq!(Stats::default().followed_by(&first), first);
    }

    #[test]
    fn what_is_late_is_as_good_as_lost() {
        let check = |expected, lost, late, ratio| {
            let stats = Stats {
                expected,
                lost,
                late,
                ..Stats::default()
            };
            assert_eq!(stats.loss_ratio(), ratio, "{stats:?}");
        };
        check(0, 0, 0, 0.0);
        check(100, 0, 0, 0.0);
        check(100, 20, 5, 0.25);
        check(4, 4, 4, 1.0);
    }
}
