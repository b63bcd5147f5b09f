//! One syllable of a query, and how well what was heard agrees with it.

use auricle_pinyin::{Syllable, TONELESS};

use super::FULL_COST;
use super::classes::cost;
use super::codes::{TONES, row_of, tone_of};

/// One syllable of a query: what each heard syllable costs against it.
#[derive(Debug)]
pub(super) struct Wanted {
    /// By row of [`TONELESS`].
    costs: [u8; TONELESS.len()],
    /// By row, the tones wanted as a set of bits; none for a syllable that is not wanted.
    tones: [u8; TONELESS.len()],
}

impl Wanted {
    pub(super) fn new(options: &[Syllable]) -> Self {
        let mut costs = [FULL_COST as u8; TONELESS.len()];
        let mut tones = [0; TONELESS.len()];
        for &option in options {
            let row = option.index() / TONES;
            for (heard, least) in costs.iter_mut().enumerate() {
                *least = (*least).min(cost(row, heard));
            }
            if let Some(of_row) = tones.get_mut(row) {
                *of_row |= match option.tone() {
                    0 => u8::MAX,
                    tone => 1 << tone,
                };
            }
        }
        Self { costs, tones }
    }

    /// What hearing a row of [`TONELESS`] costs; a full edit for what is no row.
    pub(super) fn cost_of(&self, row: usize) -> u16 {
        self.costs
            .get(row)
            .map_or(FULL_COST, |&cost| u16::from(cost))
    }

    /// What the nearest syllable costs that is not a wanted one.
    pub(super) fn least_near(&self) -> u16 {
        let costs = self.costs.iter().copied().filter(|&cost| cost > 0);
        costs.min().map_or(FULL_COST, u16::from)
    }

    /// The least cost over the hearings of a position.
    pub(super) fn cost(&self, position: &[u16]) -> u16 {
        let rows = position.iter().filter_map(|&code| row_of(code));
        rows.map(|row| self.cost_of(row)).min().unwrap_or(FULL_COST)
    }

    /// Whether a code is a wanted syllable with a wanted tone, or with one that is not known.
    pub(super) fn agrees(&self, code: u16) -> bool {
        let tones = row_of(code).and_then(|row| self.tones.get(row));
        tones.is_some_and(|&tones| tones != 0 && holds_tone(tones, code))
    }

    /// How well the hearings of a position agree, 0 to 1; 1 where the likeliest [`Self::agrees`].
    pub(super) fn agreement(&self, position: &[u16]) -> f32 {
        let mut best = 0.0f32;
        for (rank, &code) in position.iter().enumerate() {
            let Some(row) = row_of(code) else { continue };
            let likely = if rank == 0 { 1.0 } else { 0.85 };
            let toned = match self.tones.get(row).copied().unwrap_or(0) {
                0 => 0.5,
                tones if holds_tone(tones, code) => 1.0,
                _ => 0.7,
            };
            best = best.max(likely * toned);
        }
        best
    }
}

fn holds_tone(tones: u8, code: u16) -> bool {
    tone_of(code) == 0 || tones & (1 << tone_of(code)) != 0
}
