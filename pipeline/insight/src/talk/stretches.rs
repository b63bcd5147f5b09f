//! Sums over stretches of time.

use auricle_contracts::Stretch;

pub(super) const fn length_ms(stretch: Stretch) -> u64 {
    stretch.end_ms.saturating_sub(stretch.start_ms)
}

/// In order and disjoint, joined where at most `max_gap_ms` apart.
pub(super) fn joined(mut stretches: Vec<Stretch>, max_gap_ms: u64) -> Vec<Stretch> {
    stretches.sort_by_key(|stretch| stretch.start_ms);
    let mut out: Vec<Stretch> = Vec::new();
    for stretch in stretches {
        match out.last_mut() {
            Some(last) if stretch.start_ms <= last.end_ms.saturating_add(max_gap_ms) => {
                last.end_ms = last.end_ms.max(stretch.end_ms);
            }
            _ => out.push(stretch),
        }
    }
    out
}

/// What lies between stretches that are in order and disjoint.
pub(super) fn gaps(stretches: &[Stretch]) -> impl Iterator<Item = Stretch> {
    stretches.windows(2).map(|pair| Stretch {
        start_ms: pair[0].end_ms,
        end_ms: pair[1].start_ms,
    })
}

/// Time that all stretches together cover, and that they would cover if none lay over another: the
/// difference is overlap.
pub(super) fn total_ms(stretches: &[Stretch]) -> u64 {
    sum_ms(stretches.iter().map(|stretch| length_ms(*stretch)))
}

/// As large as can be where damaged times add up to more.
pub(super) fn sum_ms(times_ms: impl Iterator<Item = u64>) -> u64 {
    times_ms.fold(0, u64::saturating_add)
}
