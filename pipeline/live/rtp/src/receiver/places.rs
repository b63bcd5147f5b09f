//! What of a leg was heard, so that nothing is heard where something was.

/// Packets whose places are kept; more than may be overtaken.
const N_KEPT: usize = 128;

/// Places of the last packets, in ticks. What is older is closed as a whole.
#[derive(Debug)]
pub(super) struct Places {
    kept: [(i64, i64); N_KEPT],
    next_idx: usize,
    /// Below it all is closed.
    floor: i64,
    /// Behind the last.
    end: i64,
}

impl Places {
    pub(super) const fn new() -> Self {
        Self {
            kept: [(0, 0); N_KEPT],
            next_idx: 0,
            floor: 0,
            end: 0,
        }
    }

    /// Behind everything that was heard.
    pub(super) const fn end(&self) -> i64 {
        self.end
    }

    /// Takes a place of at least one tick, unless part of it is taken; whether it was.
    #[must_use]
    pub(super) fn take(&mut self, from: i64, length: i64) -> bool {
        let to = from.saturating_add(length);
        let is_apart = |(begin, end): &(i64, i64)| to <= *begin || *end <= from;
        if from < self.floor || !self.kept.iter().all(is_apart) {
            return false;
        }
        if let Some(oldest) = self.kept.get_mut(self.next_idx) {
            self.floor = self.floor.max(oldest.1);
            *oldest = (from, to);
        }
        self.next_idx = (self.next_idx + 1) % N_KEPT;
        self.end = self.end.max(to);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_is_taken_once() {
        let mut places = Places::new();
        for (from, expected) in [
            (0, true),
            (320, true),
            (160, true),
            (160, false),
            (100, false),
            (479, false),
            (480, true),
            (-160, false),
        ] {
            assert_eq!(places.take(from, 160), expected, "{from}");
        }
        assert_eq!(places.end(), 640);
    }

    proptest! {
        #[test]
        fn places_never_overlap(asked in proptest::collection::vec((-5_i64..400, 1_i64..9), 0..400)) {
            let mut places = Places::new();
            let mut taken = [false; 410];
            for (from, length) in asked {
                if places.take(from, length) {
                    for place in from..from + length {
                        let place = &mut taken[place as usize];
                        prop_assert!(!*place);
                        *place = true;
                    }
                }
            }
        }
    }
}
