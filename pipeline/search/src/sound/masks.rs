//! A pattern as sets of bits, so that all its syllables are compared at once.

use super::FULL_COST;
use super::codes::{MAX_NUMBER, TONES, number_of};
use super::wanted::Wanted;

/// For one heard syllable, the wanted ones it stands for: a bit each, the first one lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mask {
    /// The same syllable and tone.
    pub(super) toned: u32,
    /// The same syllable, whatever the tone.
    pub(super) same: u32,
    /// The same syllable or one that sounds near enough for the budget.
    pub(super) near: u32,
}

/// The masks of every code.
#[derive(Debug)]
pub(super) struct Masks {
    by_number: Vec<Mask>,
}

impl Masks {
    pub(super) fn new(wanted: &[Wanted], budget: u16) -> Self {
        let mut by_number = vec![Mask::default(); MAX_NUMBER + 1];
        // Number 0 is what is no syllable; then come the tones of each row.
        for (row, tones) in by_number[1..].chunks_mut(TONES).enumerate() {
            let mut of_row = Mask::default();
            for (wanted, bit) in wanted.iter().zip(0..u32::BITS) {
                let cost = wanted.cost_of(row);
                of_row.same |= u32::from(cost == 0) << bit;
                of_row.near |= u32::from(cost < FULL_COST && cost <= budget) << bit;
            }
            if of_row.near == 0 {
                continue;
            }
            for (mask, tone) in tones.iter_mut().zip(0u16..) {
                let code = (row * TONES) as u16 + tone + 1;
                let agrees = |(wanted, bit): (&Wanted, u32)| u32::from(wanted.agrees(code)) << bit;
                let bits = wanted.iter().zip(0..u32::BITS).map(agrees);
                *mask = Mask {
                    toned: bits.fold(0, |all, bit| all | bit),
                    ..of_row
                };
            }
        }
        Self { by_number }
    }

    #[inline]
    pub(super) fn of(&self, code: u16) -> Mask {
        self.by_number
            .get(number_of(code))
            .copied()
            .unwrap_or_default()
    }
}
