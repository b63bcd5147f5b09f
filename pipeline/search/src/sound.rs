//! Search by sound.
//!
//! A spoken form is a row of syllables, each with what else it may have been. A query is a row of
//! syllables too, each with every reading its hanzi has. Matching ignores tones and counts cost:
//!
//! | difference | cost |
//! | --- | --- |
//! | only the tone | 0 |
//! | a near-sounding syllable: zh/z ch/c sh/s n/l h/f, ang/an eng/en ing/in iang/ian uang/uan | [`auricle_pinyin::distance`], 0.15 to 0.6 |
//! | another syllable, a syllable too many, a syllable missing | 1 |
//!
//! Near-sounding syllables share a *class*, so an edit within a class never costs a whole one.

use auricle_pinyin::{Syllable, TONELESS};

mod classes;
mod codes;
mod find;
mod masks;
mod quality;
#[cfg(test)]
mod tests;
mod wanted;

pub(crate) use classes::syllables_fingerprint;
pub(crate) use codes::{count, encode, positions, row_of};

use masks::Masks;
use wanted::Wanted;

/// The cost of one full edit. Costs are whole twentieths, so that sums are exact.
pub(crate) const FULL_COST: u16 = 20;
/// The most syllables of a pattern.
const MOST_WANTED: usize = crate::query::MAX_SYLLABLES;
/// The most full edits of a pattern.
const MOST_EDITS: usize = crate::query::MAX_EDITS as usize;

/// A row of syllables to look for, and how far off a match may be.
#[derive(Debug)]
pub(crate) struct SoundPattern {
    wanted: Vec<Wanted>,
    budget: u16,
    /// What the nearest sound costs that is not the same.
    least_near: u16,
    masks: Masks,
}

/// Where a sound was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SoundSpan {
    /// First syllable.
    pub(crate) start: usize,
    /// One past the last.
    pub(crate) end: usize,
    /// In twentieths of an edit.
    pub(crate) cost: u16,
    /// 0 to 1: how well tones and likelihoods agree.
    pub(crate) agreement: f32,
}

impl SoundPattern {
    /// Looks for `syllables`, each with its readings, within `budget` twentieths of an edit.
    pub(crate) fn new(syllables: &[Vec<Syllable>], budget: u16) -> Self {
        let wanted: Vec<Wanted> = syllables
            .iter()
            .take(MOST_WANTED)
            .map(|options| Wanted::new(options))
            .collect();
        let budget = budget.min(FULL_COST * (MOST_EDITS as u16 + 1) - 1);
        let masks = Masks::new(&wanted, budget);
        let least_near = wanted.iter().map(Wanted::least_near).min();
        Self {
            wanted,
            budget,
            least_near: least_near.unwrap_or(FULL_COST),
            masks,
        }
    }

    /// Number of syllables looked for.
    pub(crate) const fn len(&self) -> usize {
        self.wanted.len()
    }

    /// How many full edits the budget pays for.
    pub(crate) const fn full_edits(&self) -> usize {
        (self.budget / FULL_COST) as usize
    }

    /// What a match may cost, in twentieths of an edit.
    pub(crate) const fn budget(&self) -> u16 {
        self.budget
    }

    /// What hearing a row of [`TONELESS`] for a syllable costs.
    pub(crate) fn cost_of(&self, index: usize, row: u16) -> u16 {
        let wanted = self.wanted.get(index);
        wanted.map_or(FULL_COST, |wanted| wanted.cost_of(usize::from(row)))
    }

    /// The rows of [`TONELESS`] that may be heard for a syllable at no more than `most`, and at less than a
    /// full edit.
    pub(crate) fn rows(&self, index: usize, most: u16) -> Vec<u16> {
        let within = |row: &u16| {
            let cost = self.cost_of(index, *row);
            cost < FULL_COST && cost <= most
        };
        (0..TONELESS.len() as u16).filter(within).collect()
    }
}

/// What is left of a match's quality, given what it costs and how well it agrees.
pub(crate) fn quality_of(agreement: f32, cost: u16) -> f32 {
    agreement / (1.0 + f32::from(cost) / f32::from(FULL_COST))
}
