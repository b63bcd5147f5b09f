//! The client's time beside the call's: silence that is put into the call to end an utterance is none of the client's.

/// Where silence was put in. A look-up takes as many steps as the number of those places has binary digits.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    /// In order.
    put_in: Vec<Stretch>,
}

/// Silence, milliseconds of the call.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    at_ms: u64,
    length_ms: u64,
    /// All that was put in before.
    before_ms: u64,
}

impl Stretch {
    /// What of it, and of all before, lies before this place, which is not before it.
    fn until(self, call_ms: u64) -> u64 {
        self.before_ms + (call_ms - self.at_ms).min(self.length_ms)
    }
}

impl Timeline {
    /// Silence lies in the call from here on, behind all that was put in before.
    pub(super) fn put_in(&mut self, at_ms: u64, length_ms: u64) {
        if length_ms == 0 {
            return;
        }
        let last = self.put_in.last();
        let before_ms = last.map_or(0, |last| last.before_ms + last.length_ms);
        self.put_in.push(Stretch {
            at_ms,
            length_ms,
            before_ms,
        });
    }

    /// A place of the call as the client counts, seconds. What lies in silence that was put in lies where that begins.
    pub(super) fn seconds(&self, call_ms: u64) -> f64 {
        auricle_wire::listen::seconds(self.client_ms(call_ms))
    }

    /// The same in milliseconds.
    pub(super) fn client_ms(&self, call_ms: u64) -> u64 {
        let n_before = self
            .put_in
            .partition_point(|put_in| put_in.at_ms <= call_ms);
        match self.put_in[..n_before].last() {
            Some(last) => call_ms - last.until(call_ms),
            None => call_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_that_was_put_in_does_not_count() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.client_ms(700), 700);
        timeline.put_in(1_000, 500);
        timeline.put_in(2_500, 500);
        let check = |call_ms, expected| assert_eq!(timeline.client_ms(call_ms), expected);
        check(999, 999);
        check(1_000, 1_000);
        check(1_250, 1_000);
        check(1_500, 1_000);
        check(2_400, 1_900);
        check(2_700, 2_000);
        check(3_100, 2_100);
    }

    #[test]
    fn silence_without_length_leaves_nothing() {
        let mut timeline = Timeline::default();
        timeline.put_in(1_000, 500);
        (0..1_000).for_each(|_| timeline.put_in(1_500, 0));
        assert_eq!(timeline.put_in.len(), 1);
        assert_eq!(timeline.client_ms(2_000), 1_500);
    }

    #[test]
    fn what_was_put_in_one_behind_the_other_adds_up() {
        let mut timeline = Timeline::default();
        timeline.put_in(100, 900);
        timeline.put_in(1_000, 1_000);
        let check = |call_ms, expected| assert_eq!(timeline.client_ms(call_ms), expected);
        check(999, 100);
        check(1_000, 100);
        check(1_999, 100);
        check(2_001, 101);
    }
}
