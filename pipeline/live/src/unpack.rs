//! Packets of one leg put in order and decoded: samples without gaps, on the leg's own clock.

use crate::packet::Packet;

/// Packets that wait for an earlier one; more than this many, and the gap is given up.
const MOST_HELD: usize = 8;
/// A hole longer than this is no loss but a clock that was set anew: the leg goes on without it.
const LONGEST_GAP_SECS: u64 = 30;

/// What became of a leg's packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegCounts {
    /// Samples that came.
    pub received: u64,
    /// Samples that never came, or too late: silence stands in their place.
    pub lost: u64,
    /// Samples that came twice, or after silence took their place.
    pub late: u64,
    /// Samples of `received` that nobody sent: silence for time in which nothing came.
    pub filled: u64,
    /// Times the leg's clock jumped.
    pub jumps: u64,
}

/// Puts the packets of one leg in order. Holds the next [`MOST_HELD`] while one is missing: the delay of a gap.
pub(crate) struct Unpack {
    /// First packets may be any: the clock begins with them.
    next_at: Option<u64>,
    /// By place.
    held: Vec<Packet>,
    longest_gap: u64,
    pub(crate) counts: LegCounts,
}

impl Unpack {
    pub(crate) fn new(rate_hz: u32) -> Self {
        Self {
            next_at: None,
            held: Vec::with_capacity(MOST_HELD + 1),
            longest_gap: LONGEST_GAP_SECS * u64::from(rate_hz),
            counts: LegCounts::default(),
        }
    }

    /// Appends to `out` what can be told by now.
    pub(crate) fn take(&mut self, packet: &Packet, out: &mut Vec<f32>) {
        self.counts.received += packet.n_samples();
        let next_at = *self.next_at.get_or_insert(packet.at);
        if packet.at == next_at && self.held.is_empty() {
            return self.tell(packet, out);
        }
        if packet.at.saturating_add(self.longest_gap) < next_at {
            // Far back: the clock was set anew.
            self.flush(out);
            self.counts.jumps += 1;
            self.next_at = Some(packet.at);
            return self.tell(packet, out);
        }
        if packet.at < next_at || self.held.iter().any(|held| held.at == packet.at) {
            self.counts.late += packet.n_samples();
            return;
        }
        let place = self.held.partition_point(|held| held.at < packet.at);
        self.held.insert(place, *packet);
        self.tell_in_order(out);
        if self.held.len() > MOST_HELD {
            self.give_up_gap(out);
            self.tell_in_order(out);
        }
    }

    /// Appends what is held: nothing else will come.
    pub(crate) fn flush(&mut self, out: &mut Vec<f32>) {
        while !self.held.is_empty() {
            self.give_up_gap(out);
            self.tell_in_order(out);
        }
    }

    fn tell_in_order(&mut self, out: &mut Vec<f32>) {
        while let Some(first) = self.held.first()
            && Some(first.at) <= self.next_at
        {
            let first = self.held.remove(0);
            match Some(first.at) == self.next_at {
                true => self.tell(&first, out),
                // A packet that overlaps the one before.
                false => self.counts.late += first.n_samples(),
            }
        }
    }

    fn give_up_gap(&mut self, out: &mut Vec<f32>) {
        let (Some(first), Some(next_at)) = (self.held.first(), self.next_at) else {
            return;
        };
        let gap = first.at.saturating_sub(next_at);
        if gap > self.longest_gap {
            self.counts.jumps += 1;
        } else {
            self.counts.lost += gap;
            out.resize(out.len() + gap as usize, 0.0);
        }
        self.next_at = Some(first.at);
    }

    fn tell(&mut self, packet: &Packet, out: &mut Vec<f32>) {
        packet.encoding.decode(packet.bytes(), out);
        self.next_at = Some(packet.at.saturating_add(packet.n_samples()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::Encoding;

    /// Ten samples from `at`, which are their own places in thousandths.
    fn packet(at: u64) -> Packet {
        let samples = (at..at + 10).flat_map(|at| ((at + 1) as i16).to_le_bytes());
        let bytes: Vec<u8> = samples.collect();
        Packet::new(at, 0, Encoding::L16, &bytes)
    }

    fn unpacked(order: &[u64]) -> (Vec<i32>, LegCounts) {
        let mut unpack = Unpack::new(8_000);
        let mut out = Vec::new();
        for at in order {
            unpack.take(&packet(*at), &mut out);
        }
        unpack.flush(&mut out);
        let places = out.iter().map(|sample| (sample * 32768.0).round() as i32);
        (places.collect(), unpack.counts)
    }

    fn all(until: i32) -> Vec<i32> {
        (1..=until).collect()
    }

    #[test]
    fn what_comes_in_another_order_is_put_right() {
        for order in [
            [0, 10, 20, 30],
            [0, 20, 10, 30],
            [0, 30, 20, 10],
            [0, 20, 30, 10],
        ] {
            let (places, counts) = unpacked(&order);
            assert_eq!(places, all(40), "{order:?}");
            assert_eq!((counts.lost, counts.late), (0, 0), "{order:?}");
        }
    }

    #[test]
    fn what_never_comes_is_silence_of_the_same_length() {
        let (places, counts) = unpacked(&[0, 20, 30]);
        assert_eq!(places[..10], all(10));
        assert_eq!(places[10..20], [0; 10]);
        assert_eq!(places[20..], all(40)[20..]);
        assert_eq!(counts.lost, 10);
        // Given up after some packets, without the end.
        let mut unpack = Unpack::new(8_000);
        let mut out = Vec::new();
        unpack.take(&packet(0), &mut out);
        for at in 2..=10 {
            unpack.take(&packet(at * 10), &mut out);
        }
        assert_eq!(out.len(), 110);
    }

    #[test]
    fn what_comes_twice_or_too_late_is_counted() {
        let (places, counts) = unpacked(&[0, 10, 10, 0, 20]);
        assert_eq!((places, counts.late), (all(30), 20));
    }

    #[test]
    fn a_clock_that_is_set_anew_is_followed() {
        let far = 40 * 8_000;
        let mut unpack = Unpack::new(8_000);
        let mut out = Vec::new();
        for at in [far, far + 10, 0, 10, far, far + 10] {
            unpack.take(&Packet::new(at, 0, Encoding::Ulaw, &[0xff; 10]), &mut out);
        }
        unpack.flush(&mut out);
        assert_eq!(
            (out.len(), unpack.counts.jumps, unpack.counts.lost),
            (60, 2, 0)
        );
    }

    proptest! {
        /// Shuffled within the reach of what is held, nothing is lost.
        #[test]
        fn nothing_is_lost_by_order(swaps in prop::collection::vec(0_usize..30, 0..40)) {
            let mut order: Vec<u64> = (0..32).map(|k| k * 10).collect();
            for at in swaps {
                // The first sets the clock.
                order.swap(at.max(1), at.max(1) + 1);
            }
            let displaced = order.iter().enumerate().any(|(at, place)| (*place / 10).abs_diff(at as u64) > 7);
            prop_assume!(!displaced);
            let (places, counts) = unpacked(&order);
            prop_assert_eq!(places, all(320));
            prop_assert_eq!((counts.lost, counts.late), (0, 0));
        }

        #[test]
        fn any_places_give_samples_within_bounds(order in prop::collection::vec(any::<u64>(), 0..60)) {
            let mut unpack = Unpack::new(8_000);
            let mut out = Vec::new();
            for at in order {
                unpack.take(&Packet::new(at.min(u64::MAX / 2), 0, Encoding::Alaw, &[0; 20]), &mut out);
                prop_assert!(out.len() < 60 * 250_000);
                out.clear();
            }
        }
    }
}
