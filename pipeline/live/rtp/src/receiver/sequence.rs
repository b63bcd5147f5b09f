//! Sequence numbers: what comes in order, late, twice or never. RFC 3550, sections A.1 and A.3.

use super::Refusal;

/// A packet may be so many ahead: what is between is lost (`MAX_DROPOUT`).
pub(super) const MOST_AHEAD: i16 = 3_000;
/// A packet may be so many behind (`MAX_MISORDER`).
const MOST_BEHIND: i16 = 100;
/// Packets of which it is known whether they came; more than may be behind.
const WINDOW: u64 = 128;

/// The sequence numbers of a leg, over all its sources. They are counted on: none is ever less than one before, save for what
/// was overtaken.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    run: Run,
    /// Of the runs before this one.
    closed: Counts,
    losses: Losses,
    /// Begins a new run if it comes.
    expected_jump: Option<u16>,
    /// Of this run when it was reported last.
    reported: Counts,
}

/// Packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) expected: u64,
    pub(super) received: u64,
}

/// Where a packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Behind all that came. Its extended number.
    Next(u64),
    /// It was overtaken, by so many.
    Overtaken { sequence: u64, by: u64 },
}

impl Sequence {
    /// How far a number is ahead of the highest.
    pub(super) const fn ahead(&self, sequence: u16) -> i16 {
        sequence.wrapping_sub(self.run.highest as u16).cast_signed()
    }

    /// Takes the next packet of the source that is heard. A jump is believed when the packet after it follows.
    pub(super) fn take(&mut self, sequence: u16) -> Result<Order, Refusal> {
        match self.ahead(sequence) {
            ahead @ 1..MOST_AHEAD => {
                self.run
                    .advance(u64::from(ahead.unsigned_abs()), &mut self.losses);
                self.expected_jump = None;
                Ok(Order::Next(self.run.highest))
            }
            ahead if ahead <= 0 && ahead > -MOST_BEHIND => {
                let by = u64::from(ahead.unsigned_abs());
                let sequence = self.run.fill(by).ok_or(Refusal::Duplicate)?;
                Ok(Order::Overtaken { sequence, by })
            }
            _ if self.expected_jump == Some(sequence) => Ok(Order::Next(self.restart(sequence))),
            _ => {
                self.expected_jump = Some(sequence.wrapping_add(1));
                Err(Refusal::Sequence)
            }
        }
    }

    /// Begins anew with this number. Gives the extended one.
    pub(super) fn restart(&mut self, sequence: u16) -> u64 {
        self.run.close(&mut self.losses);
        self.closed = self.counts();
        self.expected_jump = None;
        self.reported = Counts::default();
        self.run = Run::behind(&self.run, sequence);
        self.run.highest
    }

    /// Of all runs.
    pub(super) fn counts(&self) -> Counts {
        let run = self.run.counts();
        Counts {
            expected: self.closed.expected.saturating_add(run.expected),
            received: self.closed.received.saturating_add(run.received),
        }
    }

    /// Counts of this run, and those since they were asked for last.
    pub(super) fn report(&mut self) -> (Counts, Counts) {
        let now = self.run.counts();
        let before = std::mem::replace(&mut self.reported, now);
        let since = Counts {
            expected: now.expected.saturating_sub(before.expected),
            received: now.received.saturating_sub(before.received),
        };
        (now, since)
    }

    /// The highest number of this run: how often it began again, and the number.
    pub(super) const fn highest(&self) -> u32 {
        let cycles = (self.run.highest >> 16).saturating_sub(self.run.origin >> 16);
        ((cycles << 16) | (self.run.highest & 0xffff)) as u32
    }

    /// Mean length of a row of lost packets by that of random loss (ITU-T G.107, section 7.5); at least 1.
    pub(super) fn burst_ratio(&self) -> f64 {
        let mut losses = self.losses;
        self.run.close(&mut losses);
        losses.burst_ratio()
    }
}

/// Numbers that follow each other. As it is by default, nothing has come.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// What it began with.
    origin: u64,
    /// Its lowest number: less than the first one where that had overtaken others.
    base: u64,
    highest: u64,
    /// Bit k: whether the one k below the highest came.
    came: u128,
    received: u64,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            origin: 1,
            base: 1,
            highest: 0,
            came: 0,
            received: 0,
        }
    }
}

impl Run {
    /// Extended numbers begin above all of the run before, with room for what was overtaken.
    const fn behind(before: &Self, sequence: u16) -> Self {
        let cycles = (before.highest >> 16) + 2;
        let origin = (cycles << 16) | sequence as u64;
        Self {
            origin,
            base: origin,
            highest: origin,
            came: 1,
            received: 1,
        }
    }

    const fn counts(&self) -> Counts {
        Counts {
            expected: (self.highest + 1).saturating_sub(self.base),
            received: self.received,
        }
    }

    fn advance(&mut self, n: u64, losses: &mut Losses) {
        let n_leaving = n.min(WINDOW);
        for below in (WINDOW - n_leaving..WINDOW).rev() {
            self.note(below, losses);
        }
        losses.lose(n - n_leaving);
        // Shifted once more than 127 times nothing is left.
        let shifted = u32::try_from(n).ok().and_then(|n| self.came.checked_shl(n));
        self.came = shifted.unwrap_or(0) | 1;
        self.highest = self.highest.saturating_add(n);
        self.received = self.received.saturating_add(1);
    }

    /// Notes a packet that was overtaken; its number, unless it came before.
    fn fill(&mut self, by: u64) -> Option<u64> {
        let bit = u32::try_from(by)
            .ok()
            .and_then(|by| 1_u128.checked_shl(by))?;
        if self.came & bit != 0 {
            return None;
        }
        let sequence = self.highest.checked_sub(by)?;
        self.came |= bit;
        self.base = self.base.min(sequence);
        self.received = self.received.saturating_add(1);
        Some(sequence)
    }

    /// Notes all that is left.
    fn close(&self, losses: &mut Losses) {
        for below in (0..WINDOW).rev() {
            self.note(below, losses);
        }
    }

    /// Notes whether the packet so far below the highest came.
    fn note(&self, below: u64, losses: &mut Losses) {
        let is_of_run = self.highest.checked_sub(below) >= Some(self.base);
        match (is_of_run, (self.came >> below) & 1) {
            (false, _) => {}
            (true, 0) => losses.lose(1),
            (true, _) => losses.receive(),
        }
    }
}

/// Rows of lost packets.
#[derive(Clone, Copy, Debug, Default)]
struct Losses {
    n_received: u64,
    n_lost: u64,
    n_rows: u64,
    /// Lost ones behind the last that came.
    row: u64,
}

impl Losses {
    fn receive(&mut self) {
        self.n_received = self.n_received.saturating_add(1);
        self.row = 0;
    }

    fn lose(&mut self, n: u64) {
        if n > 0 && self.row == 0 {
            self.n_rows = self.n_rows.saturating_add(1);
        }
        self.row = self.row.saturating_add(n);
        self.n_lost = self.n_lost.saturating_add(n);
    }

    /// Random loss of a share p has rows of 1 / (1 − p).
    fn burst_ratio(&self) -> f64 {
        if self.n_rows == 0 {
            return 1.0;
        }
        let n = self.n_received.saturating_add(self.n_lost);
        let row = self.n_lost as f64 / self.n_rows as f64;
        let came = self.n_received as f64 / n as f64;
        (row * came).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(first: u16, rest: &[u16]) -> (Sequence, Vec<Result<Order, Refusal>>) {
        let mut sequence = Sequence::default();
        sequence.restart(first);
        let orders = rest.iter().map(|number| sequence.take(*number)).collect();
        (sequence, orders)
    }

    /// What becomes of packets behind number 10, with counts: expected, received.
    #[test]
    fn orders_of_packets() {
        const NEXT: char = 'n';
        const OVERTAKEN: char = 'o';
        const TWICE: char = 't';
        const FAR: char = 'f';
        let check = |rest: &[u16], expected: &[char], counts: (u64, u64)| {
            let (sequence, orders) = after(10, rest);
            let orders: Vec<_> = orders
                .iter()
                .map(|order| match order {
                    Ok(Order::Next(_)) => NEXT,
                    Ok(Order::Overtaken { .. }) => OVERTAKEN,
                    Err(Refusal::Duplicate) => TWICE,
                    Err(_) => FAR,
                })
                .collect();
            assert_eq!(orders, expected, "{rest:?}");
            let told = sequence.counts();
            assert_eq!((told.expected, told.received), counts, "{rest:?}");
        };
        check(&[], &[], (1, 1));
        check(&[11, 12], &[NEXT, NEXT], (3, 3));
        check(&[11, 14], &[NEXT, NEXT], (5, 3));
        check(&[12, 11, 13], &[NEXT, OVERTAKEN, NEXT], (4, 4));
        check(&[11, 11, 10], &[NEXT, TWICE, TWICE], (2, 2));
        // Before the first one.
        check(&[9, 65_535], &[OVERTAKEN, OVERTAKEN], (12, 3));
        // Far off, and again in order.
        check(&[20_000, 11], &[FAR, NEXT], (2, 2));
        // A new beginning.
        check(&[20_000, 20_001, 20_002], &[FAR, NEXT, NEXT], (3, 3));
        check(&[20_000, 30_000, 30_001], &[FAR, FAR, NEXT], (2, 2));
        check(&[3_009], &[NEXT], (3_000, 2));
        check(&[3_010], &[FAR], (1, 1));
    }

    #[test]
    fn numbers_begin_again() {
        let (sequence, orders) = after(65_534, &[65_535, 0, 1]);
        let numbers: Vec<_> = orders.into_iter().map(Result::unwrap).collect();
        let first = 0x2_fffe;
        let next = |n: u64| Order::Next(first + n);
        assert_eq!(numbers, [next(1), next(2), next(3)]);
        assert_eq!(sequence.highest(), 0x1_0001);
    }

    #[test]
    fn rows_of_lost_packets() {
        // Every tenth one: as random as can be.
        let every_tenth: Vec<u16> = (1..400).filter(|n| n % 10 != 5).collect();
        let (sequence, _) = after(0, &every_tenth);
        assert_eq!(sequence.burst_ratio(), 1.0);
        // Ten in a row of each hundred.
        let rows: Vec<u16> = (1..400).filter(|n| n % 100 < 90).collect();
        let (sequence, _) = after(0, &rows);
        // The last row is behind the last that came.
        let came = 360.0 / 390.0;
        assert!((sequence.burst_ratio() - 10.0 * came).abs() < 1e-9);
        // One row that is longer than what is remembered.
        let (sequence, _) = after(0, &[1_000]);
        assert!((sequence.burst_ratio() - 999.0 * 2.0 / 1_001.0).abs() < 1e-9);
        assert_eq!(Sequence::default().burst_ratio(), 1.0);
    }

    #[test]
    fn reports_tell_what_is_new() {
        let (mut sequence, _) = after(0, &[1, 3]);
        let counts = |expected, received| Counts { expected, received };
        assert_eq!(sequence.report(), (counts(4, 3), counts(4, 3)));
        assert_eq!(sequence.report(), (counts(4, 3), counts(0, 0)));
        sequence.take(5).unwrap();
        assert_eq!(sequence.report(), (counts(6, 4), counts(2, 1)));
    }

    proptest! {
        #[test]
        fn any_numbers_are_counted(numbers in proptest::collection::vec(any::<u16>(), 0..300)) {
            let (sequence, _) = after(7, &numbers);
            let counts = sequence.counts();
            prop_assert!(counts.received <= counts.expected);
            prop_assert!(sequence.burst_ratio() >= 1.0);
        }

        /// Near each other, so that most are in order.
        #[test]
        fn extended_numbers_only_grow(steps in proptest::collection::vec(-20_i16..40, 0..300)) {
            let mut sequence = Sequence::default();
            let mut number = 65_000_u16;
            let mut highest = sequence.restart(number);
            for step in steps {
                number = number.wrapping_add_signed(step);
                if let Ok(Order::Next(next)) = sequence.take(number) {
                    prop_assert!(next > highest);
                    prop_assert_eq!(next as u16, number);
                    highest = next;
                }
            }
        }
    }
}
