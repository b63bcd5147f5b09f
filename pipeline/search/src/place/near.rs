//! Proximity: places of two things with few enough units between them.

use super::{Span, closeness};
use crate::query::Order;
use crate::units;

/// The most pairs that are listed one by one. Beyond, only nearest ones are kept: an utterance of
/// thousands of 的 has millions of pairs of them.
const MOST_PAIRS: usize = 4096;

/// Which pairs are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// Every one.
    All,
    /// Of each place those with the nearest place of the other side.
    Nearest,
}

/// Pairs of a left and a right place with few enough units between them, each as one span, in order.
///
/// Both sides come in order. Where there are more than [`MOST_PAIRS`], the nearest ones are given:
/// every place that has a partner still begins a span, or ends one.
pub(super) fn near(
    lefts: &[Span],
    rights: &[Span],
    codes: &[u16],
    within: u32,
    order: Order,
) -> Vec<Span> {
    let gaps = Gaps::new(codes, within);
    let pairs = |taken| {
        let mut found = Vec::new();
        let room = gaps.pair(lefts, rights, taken, &mut found);
        match order {
            Order::Either => room.and_then(|()| gaps.pair(rights, lefts, taken, &mut found)),
            Order::LeftFirst => room,
        }
        .map(|()| found)
    };
    match pairs(Taken::All) {
        Some(mut found) => {
            best_of_each_place(&mut found);
            found
        }
        None => shortest(pairs(Taken::Nearest).unwrap_or_default()),
    }
}

struct Gaps {
    /// The unit of each code; none where every code is a unit.
    numbers: Option<Vec<u32>>,
    within: u32,
}

impl Gaps {
    fn new(codes: &[u16], within: u32) -> Self {
        let all_units = codes
            .iter()
            .all(|&code| units::starts_unit(Some(code), code));
        Self {
            numbers: (!all_units).then(|| units::unit_numbers(codes)),
            within,
        }
    }

    fn unit_at(&self, code: usize) -> u32 {
        match &self.numbers {
            Some(numbers) => numbers.get(code).copied().unwrap_or(0),
            None => code as u32,
        }
    }

    /// The span of two places where the second does not overlap the first and is near enough.
    fn span(&self, first: &Span, second: &Span) -> Option<Span> {
        if second.start < first.end {
            return None;
        }
        let units = self.unit_at(second.start) - self.unit_at(first.end.saturating_sub(1));
        let between = units.saturating_sub(1);
        (between <= self.within).then(|| Span {
            start: first.start,
            end: second.end,
            quality: first.quality.min(second.quality) * closeness(between),
        })
    }

    /// Adds the pairs of a first and a later second place; `None` where they are too many.
    fn pair(
        &self,
        firsts: &[Span],
        seconds: &[Span],
        taken: Taken,
        found: &mut Vec<Span>,
    ) -> Option<()> {
        for first in firsts {
            let after = seconds.partition_point(|second| second.start < first.end);
            let partners = seconds.get(after..).unwrap_or(&[]).iter();
            // Seconds are in order of their start: the first one too far ends the row.
            let spans = partners.map_while(|second| self.span(first, second));
            match taken {
                Taken::All => {
                    found.extend(spans.take(MOST_PAIRS + 1));
                    if found.len() > MOST_PAIRS {
                        return None;
                    }
                }
                Taken::Nearest => found.extend(spans.take(1)),
            }
        }
        if taken == Taken::Nearest {
            let mut by_end = firsts.to_vec();
            by_end.sort_by_key(|first| (first.end, first.start));
            for second in seconds {
                let before = by_end.partition_point(|first| first.end <= second.start);
                let nearest = before.checked_sub(1).and_then(|last| by_end.get(last));
                found.extend(nearest.and_then(|first| self.span(first, second)));
            }
        }
        Some(())
    }
}

/// Sorts, and keeps of spans with one place the best.
fn best_of_each_place(spans: &mut Vec<Span>) {
    spans.sort_by(|a, b| {
        let place = (a.start, a.end).cmp(&(b.start, b.end));
        place.then(b.quality.total_cmp(&a.quality))
    });
    spans.dedup_by_key(|span| (span.start, span.end));
}

/// The shortest span from each start and the shortest to each end: at most two for each place of
/// the sides, however long a chain of proximities grows.
fn shortest(mut spans: Vec<Span>) -> Vec<Span> {
    best_of_each_place(&mut spans);
    let mut by_end = spans.clone();
    by_end.sort_by_key(|span| (span.end, std::cmp::Reverse(span.start)));
    by_end.dedup_by_key(|span| span.end);
    spans.dedup_by_key(|span| span.start);
    spans.append(&mut by_end);
    best_of_each_place(&mut spans);
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans(starts: &[usize], length: usize) -> Vec<Span> {
        let span = |&start: &usize| Span {
            start,
            end: start + length,
            quality: 1.0,
        };
        starts.iter().map(span).collect()
    }

    fn places(found: &[Span]) -> Vec<(usize, usize)> {
        found.iter().map(|span| (span.start, span.end)).collect()
    }

    /// Every pair looked at.
    fn all_pairs(
        lefts: &[Span],
        rights: &[Span],
        within: usize,
        order: Order,
    ) -> Vec<(usize, usize)> {
        let fits = |a: &Span, b: &Span| a.end <= b.start && b.start - a.end <= within;
        let mut found = Vec::new();
        for left in lefts {
            for right in rights {
                if fits(left, right) {
                    found.push((left.start, right.end));
                } else if order == Order::Either && fits(right, left) {
                    found.push((right.start, left.end));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn starts(most: usize) -> impl Strategy<Value = Vec<usize>> {
        let all = prop::collection::btree_set(0usize..200, 0..most);
        all.prop_map(|starts| starts.into_iter().collect())
    }

    proptest! {
        #[test]
        fn every_pair_is_found_and_none_that_is_too_far(
            lefts in starts(30), rights in starts(30),
            lengths in (1usize..4, 1usize..4), within in 0usize..12, either in any::<bool>(),
        ) {
            let order = if either { Order::Either } else { Order::LeftFirst };
            let codes = vec![0x4FDD; 210];
            let (lefts, rights) = (spans(&lefts, lengths.0), spans(&rights, lengths.1));
            let expected = all_pairs(&lefts, &rights, within, order);
            let found = near(&lefts, &rights, &codes, within as u32, order);
            prop_assert_eq!(places(&found), expected.clone());
            // The nearest ones alone begin and end where all of them do.
            let gaps = Gaps::new(&codes, within as u32);
            let mut nearest = Vec::new();
            gaps.pair(&lefts, &rights, Taken::Nearest, &mut nearest).unwrap();
            if order == Order::Either {
                gaps.pair(&rights, &lefts, Taken::Nearest, &mut nearest).unwrap();
            }
            let nearest = places(&shortest(nearest));
            prop_assert!(nearest.iter().all(|span| expected.contains(span)));
            for (start, end) in expected {
                prop_assert!(nearest.iter().any(|span| span.0 == start), "{}", start);
                prop_assert!(nearest.iter().any(|span| span.1 == end), "{}", end);
            }
        }
    }

    #[test]
    fn a_chain_over_a_huge_utterance_stays_small() {
        let n = 60_000;
        let codes = vec![0x7684; n];
        let all = spans(&(0..n).collect::<Vec<_>>(), 1);
        let mut found = all.clone();
        for _ in 0..4 {
            found = near(&found, &all, &codes, 1000, Order::Either);
            assert!((1..=2 * n).contains(&found.len()), "{}", found.len());
        }
    }
}
