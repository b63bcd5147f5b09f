//! Until when what looks at the end of the call may still turn out to hold.

use std::sync::Arc;

use super::evaluate::Counts;
use super::format::Side;

/// Bounds of which one must be kept; none at all for what holds whatever follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Limit(Option<Arc<[Bound]>>);

/// The call is no longer than `end_ms` and has no more utterances than `counts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound {
    end_ms: u64,
    counts: [u32; 3],
}

/// More bounds are not told apart; those that end first go.
const MOST_BOUNDS: usize = 16;

impl Limit {
    pub(super) const NONE: Self = Self(None);

    /// The call is no longer than `end_ms` and has no more utterances of a side than are given with it.
    pub(super) fn new(end_ms: Option<u64>, most: Option<(Side, u32)>) -> Self {
        if end_ms.is_none() && most.is_none() {
            return Self::NONE;
        }
        let mut counts = [u32::MAX; 3];
        if let Some((side, n)) = most {
            counts[side.place()] = n;
        }
        let end_ms = end_ms.unwrap_or(u64::MAX);
        Self::of(vec![Bound { end_ms, counts }])
    }

    pub(super) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Both are kept.
    pub(super) fn and(&self, other: &Self) -> Self {
        let (Some(own), Some(others)) = (&self.0, &other.0) else {
            return Self(self.0.clone().or_else(|| other.0.clone()));
        };
        let pairs = own
            .iter()
            .flat_map(|one| others.iter().map(|other| one.and(other)));
        Self::of(pairs.collect())
    }

    /// One of the two is kept.
    pub(super) fn or(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Some(own), Some(others)) => Self::of(own.iter().chain(&**others).copied().collect()),
            _ => Self::NONE,
        }
    }

    /// Whether it is kept by a call that is so long so far.
    pub(super) fn allows(&self, now_ms: u64, counts: &Counts) -> bool {
        let allows = |bound: &Bound| {
            now_ms <= bound.end_ms && counts.all().zip(bound.counts).all(|(n, most)| n <= most)
        };
        self.0
            .as_ref()
            .is_none_or(|bounds| bounds.iter().any(allows))
    }

    /// Of bounds, without those that are kept only where another is kept, too.
    fn of(bounds: Vec<Bound>) -> Self {
        let mut kept: Vec<Bound> = Vec::new();
        for bound in bounds {
            if !kept.iter().any(|other| bound.lies_within(other)) {
                kept.retain(|other| !other.lies_within(&bound));
                kept.push(bound);
            }
        }
        if kept.len() > MOST_BOUNDS {
            kept.sort_by_key(|bound| std::cmp::Reverse(bound.end_ms));
            kept.truncate(MOST_BOUNDS);
        }
        Self(Some(kept.into()))
    }
}

impl Bound {
    fn and(&self, other: &Self) -> Self {
        let mut both = *self;
        both.end_ms = both.end_ms.min(other.end_ms);
        for (own, other) in both.counts.iter_mut().zip(other.counts) {
            *own = (*own).min(other);
        }
        both
    }

    fn lies_within(&self, other: &Self) -> bool {
        let mut counts = self.counts.iter().zip(&other.counts);
        self.end_ms <= other.end_ms && counts.all(|(own, other)| own <= other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle_contracts::Party;
    use proptest::prelude::*;

    fn limit() -> impl Strategy<Value = Limit> {
        let end_ms = proptest::option::of(0..10u64);
        let most = proptest::option::of((0..3usize, 0..4u32));
        let sides = [Side::Any, Side::Agent, Side::Customer];
        (end_ms, most).prop_map(move |(end_ms, most)| {
            Limit::new(end_ms, most.map(|(side, n)| (sides[side], n)))
        })
    }

    proptest! {
        #[test]
        fn both_and_either_are_what_they_say(
            limits in proptest::collection::vec(limit(), 3),
            now_ms in 0..10u64,
            parties in proptest::collection::vec(prop_oneof![Just(Party::Agent), Just(Party::Customer)], 0..6),
        ) {
            let mut counts = Counts::default();
            parties.into_iter().for_each(|party| counts.add(party));
            let allows = |limit: &Limit| limit.allows(now_ms, &counts);
            let [a, b, c] = &limits[..] else { unreachable!() };
            prop_assert_eq!(allows(&a.and(b)), allows(a) && allows(b));
            prop_assert_eq!(allows(&a.or(b)), allows(a) || allows(b));
            prop_assert_eq!(allows(&a.or(b).and(c)), (allows(a) || allows(b)) && allows(c));
            prop_assert_eq!(allows(&a.and(b).or(c)), (allows(a) && allows(b)) || allows(c));
        }
    }
}
