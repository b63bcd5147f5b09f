//! Which packets came before. RFC 3711, sections 3.3.1 and 3.3.2.

/// Sources of a leg that are remembered: one that sends, and those before it, as calls are handed on.
const MOST_SOURCES: usize = 4;
/// Numbers that are remembered behind the highest.
const WINDOW: u32 = u128::BITS;

/// Sources that have signed what they sent. The one that was seen first makes room for another.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: [Option<(u32, Window)>; MOST_SOURCES],
    next_idx: usize,
}

/// Numbers that came: the highest, and which of those before it; the lowest bit is the highest number.
#[derive(Clone, Copy, Debug)]
struct Window {
    highest: u64,
    came: u128,
}

impl Window {
    fn has(&self, index: u64) -> bool {
        if index > self.highest {
            return false;
        }
        match self.highest - index {
            // What is older cannot be told from what came.
            behind if behind >= u64::from(WINDOW) => true,
            behind => (self.came >> behind) & 1 != 0,
        }
    }

    fn note(&mut self, index: u64) {
        match index.checked_sub(self.highest) {
            Some(ahead) => {
                let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
                self.came = self.came.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = index;
            }
            None => {
                let behind = u32::try_from(self.highest - index).unwrap_or(u32::MAX);
                self.came |= 1_u128.checked_shl(behind).unwrap_or(0);
            }
        }
    }
}

impl Sources {
    /// The number of a packet of RTP of which 16 bits are known: the one nearest to the highest, or with no upper bits where
    /// the source is new. `None`: it came before.
    pub(super) fn guess(&self, ssrc: u32, sequence: u16) -> Option<u64> {
        let Some(window) = self.window(ssrc) else {
            return Some(u64::from(sequence));
        };
        let ahead = sequence.wrapping_sub(window.highest as u16).cast_signed();
        let index = window.highest.checked_add_signed(i64::from(ahead))?;
        (!window.has(index)).then_some(index)
    }

    /// Whether this number did not come yet.
    pub(super) fn is_new(&self, ssrc: u32, index: u64) -> bool {
        self.window(ssrc).is_none_or(|window| !window.has(index))
    }

    /// Remembers a packet that was signed.
    pub(super) fn note(&mut self, ssrc: u32, index: u64) {
        let mut known = self.known.iter_mut().flatten();
        if let Some((_, window)) = known.find(|(known, _)| *known == ssrc) {
            window.note(index);
            return;
        }
        let window = Window {
            highest: index,
            came: 1,
        };
        if let Some(place) = self.known.get_mut(self.next_idx) {
            *place = Some((ssrc, window));
        }
        self.next_idx = (self.next_idx + 1) % MOST_SOURCES;
    }

    fn window(&self, ssrc: u32) -> Option<&Window> {
        let mut known = self.known.iter().flatten();
        let found = known.find(|(known, _)| *known == ssrc);
        found.map(|(_, window)| window)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_go_on_after_65535() {
        let mut sources = Sources::default();
        for (sequence, expected) in [
            (65_000, Some(65_000)),
            (65_535, Some(65_535)),
            (1, Some(65_537)),
            (0, Some(65_536)),
            (0, None),
            (65_534, Some(65_534)),
            (65_535, None),
            (30_000, Some(95_536)),
            (60_000, Some(125_536)),
            (20_000, Some(151_072)),
            // 128 behind the highest.
            (19_872, None),
            (19_873, Some(150_945)),
        ] {
            let guess = sources.guess(7, sequence);
            assert_eq!(guess, expected, "{sequence}");
            if let Some(index) = guess {
                sources.note(7, index);
            }
        }
        // Before the beginning.
        sources.note(8, 5);
        assert_eq!(sources.guess(8, 65_530), None);
    }

    #[test]
    fn as_many_sources_as_there_is_room_for() {
        let mut sources = Sources::default();
        for ssrc in 0..5 {
            sources.note(ssrc, 10);
        }
        let known: Vec<_> = (0..5).map(|ssrc| !sources.is_new(ssrc, 10)).collect();
        assert_eq!(known, [false, true, true, true, true]);
    }

    proptest! {
        #[test]
        fn no_number_comes_twice(indexes in proptest::collection::vec(0_u64..300, 1..200)) {
            let mut sources = Sources::default();
            let mut came = BTreeSet::new();
            for index in indexes {
                let is_near = came.last().is_none_or(|highest| index + 128 > *highest);
                prop_assert_eq!(sources.is_new(1, index), is_near && !came.contains(&index));
                if sources.is_new(1, index) {
                    sources.note(1, index);
                    came.insert(index);
                }
            }
        }
    }
}
