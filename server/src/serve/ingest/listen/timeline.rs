//! The client's time beside the call's: silence that is put into the call to end an utterance is none of the client's.

/// Where silence was put in.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    /// Where it begins and how long it is, milliseconds of the call, in order.
    put_in: Vec<(u64, u64)>,
}

impl Timeline {
    /// Silence lies in the call from here on.
    pub(super) fn put_in(&mut self, at_ms: u64, length_ms: u64) {
        self.put_in.push((at_ms, length_ms));
    }

    /// A place of the call as the client counts, seconds. What lies in silence that was put in lies where that begins.
    pub(super) fn seconds(&self, call_ms: u64) -> f64 {
        auricle_wire::listen::seconds(self.client_ms(call_ms))
    }

    /// The same in milliseconds.
    pub(super) fn client_ms(&self, call_ms: u64) -> u64 {
        let silent = self
            .put_in
            .iter()
            .map(|&(at_ms, length_ms)| call_ms.saturating_sub(at_ms).min(length_ms));
        call_ms - silent.sum::<u64>()
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
}
