//! Whether, and how well, a row of codes matches: looked at as it lies in memory, a bit for each wanted
//! syllable.

use std::hint::select_unpredictable;

use super::codes::{is_alternative, positions};
use super::masks::Mask;
use super::{FULL_COST, MOST_WANTED, SoundPattern, quality_of};
use crate::lines::code_of;

/// What a match agrees that holds edits or near sounds, beside whole edits: how tones lie on it is not
/// looked at.
pub(super) const EDITED: f32 = 0.9;

impl SoundPattern {
    /// Whether the row of codes that lies at `bytes` may match: every match is found, with near
    /// sounds taken as free.
    pub(crate) fn may_match(&self, bytes: &[u8]) -> bool {
        let near = |_, mask: Mask| pair(mask.near, 0);
        let ([fewest, _], _) = match self.full_edits() {
            0 => self.fewest_edits::<1>(bytes, near),
            1 => self.fewest_edits::<2>(bytes, near),
            2 => self.fewest_edits::<3>(bytes, near),
            _ => self.fewest_edits::<4>(bytes, near),
        };
        fewest.is_some()
    }

    /// How well the best match in the row of codes that lies at `bytes` agrees, 0 to 1; `None` where there
    /// is none. `codes` is memory to read them into.
    pub(crate) fn quality(&self, bytes: &[u8], codes: &mut Vec<u16>) -> Option<f32> {
        match self.full_edits() {
            0 => self.quality_unedited(bytes, codes),
            1 => self.quality_edited::<2>(bytes, codes),
            2 => self.quality_edited::<3>(bytes, codes),
            _ => self.quality_edited::<4>(bytes, codes),
        }
    }

    /// With less than one edit to spend a match has the pattern's length.
    fn quality_unedited(&self, bytes: &[u8], codes: &mut Vec<u16>) -> Option<f32> {
        let toned_or_near = |code, mask: Mask| pair(toned_bits(code, mask), mask.near);
        let ([toned, near], _) = self.fewest_edits::<1>(bytes, toned_or_near);
        match (toned, near) {
            // Nothing is better.
            (Some(_), _) => Some(1.0),
            (None, None) => None,
            (None, Some(_)) => {
                read(bytes, codes);
                self.best_window(codes, self.budget)
            }
        }
    }

    /// `LEVELS` is one more than the full edits that the budget pays for.
    fn quality_edited<const LEVELS: usize>(
        &self,
        bytes: &[u8],
        codes: &mut Vec<u16>,
    ) -> Option<f32> {
        let same_or_near = |_, mask: Mask| pair(mask.same, mask.near);
        let ([same, near], n_bytes) = self.fewest_edits::<LEVELS>(bytes, same_or_near);
        if same == Some(0) {
            return match self.is_toned_before(bytes.get(..n_bytes).unwrap_or(bytes)) {
                true => Some(1.0),
                false => self.quality_of_same(bytes, codes),
            };
        }
        // A match costs at most its edits without near sounds, and at least those with near sounds free.
        if same == near {
            return near.map(|edits| quality_of(EDITED, FULL_COST * edits));
        }
        // What has near sounds costs more than its edits.
        if near.is_none_or(|edits| FULL_COST * edits + self.least_near > self.budget) {
            return None;
        }
        read(bytes, codes);
        let cost = self.least_edited_cost(codes)?;
        Some(quality_of(EDITED, cost))
    }

    /// The quality of a row in which the very syllables stand, of a pattern that allows for edits.
    fn quality_of_same(&self, bytes: &[u8], codes: &mut Vec<u16>) -> Option<f32> {
        read(bytes, codes);
        self.best_window(codes, 0).map(agreement_unedited)
    }

    /// Whether the last positions of a row of codes are the pattern's syllables and tones, each in its
    /// likeliest hearing.
    fn is_toned_before(&self, bytes: &[u8]) -> bool {
        let codes = bytes.as_chunks().0.iter().rev();
        let mut likeliest = codes
            .map(|&code| u16::from_le_bytes(code))
            .filter(|&code| !is_alternative(code));
        (0..self.wanted.len()).rev().all(|index| {
            let toned = likeliest.next().map(|code| self.masks.of(code).toned);
            toned.is_some_and(|toned| toned >> index & 1 == 1)
        })
    }

    /// The fewest edits after which all wanted syllables stand in a row; `None` where `LEVELS` or more
    /// are needed. `pick` says which wanted syllables a code is taken for, in two ways that are followed
    /// side by side (see [`pair`]). No more is looked at once the first way needs no edit; with the edits comes
    /// how many bytes were.
    ///
    /// All wanted syllables are followed at once, one bit each, with one word of bits for each number
    /// of edits (Wu and Manber 1992, "Fast text searching allowing errors").
    #[inline]
    fn fewest_edits<const LEVELS: usize>(
        &self,
        bytes: &[u8],
        pick: impl Fn(u16, Mask) -> u64,
    ) -> ([Option<u16>; 2], usize) {
        let Some(last) = self.wanted.len().checked_sub(1) else {
            return ([None; 2], 0);
        };
        let mut n_bytes = 0;
        let mut followed = const { Followed::<LEVELS>::new() };
        for &code in bytes.as_chunks().0 {
            let code = u16::from_le_bytes(code);
            n_bytes += 2;
            followed.step(pick(code, self.masks.of(code)), is_alternative(code));
            if followed.seen[0] >> last & 1 == 1 {
                break;
            }
        }
        let fewest = [last, last + HALF].map(|last| {
            let ends = followed.seen.iter().zip(0..);
            let mut ends = ends.filter(|(seen, _)| **seen >> last & 1 == 1);
            ends.next().map(|(_, edits)| edits)
        });
        (fewest, n_bytes)
    }

    /// The best quality of a match without full edits that costs at most `most`.
    fn best_window(&self, codes: &[u16], most: u16) -> Option<f32> {
        let last = self.wanted.len().checked_sub(1)?;
        let mut best: Option<f32> = None;
        let mut end = 0;
        let mut state = 0u32;
        for position in positions(codes) {
            end += position.len();
            let near = position
                .iter()
                .fold(0, |bits, &code| bits | self.masks.of(code).near);
            state = (state << 1 | 1) & near;
            if state >> last & 1 == 0 {
                continue;
            }
            let quality = self.quality_before(codes.get(..end).unwrap_or(codes), most);
            best = match (best, quality) {
                (Some(best), Some(quality)) => Some(best.max(quality)),
                (best, quality) => best.or(quality),
            };
        }
        best
    }

    /// The quality of the match that the last positions of a row of codes are.
    fn quality_before(&self, codes: &[u16], most: u16) -> Option<f32> {
        let mut end = codes.len();
        let (mut cost, mut agreement) = (0, 0.0);
        for wanted in self.wanted.iter().rev() {
            let before = codes.get(..end)?;
            let start = before.iter().rposition(|&code| !is_alternative(code))?;
            let position = before.get(start..)?;
            cost += wanted.cost(position);
            agreement += wanted.agreement(position);
            end = start;
        }
        let agreement = agreement / self.wanted.len() as f32;
        (cost <= most).then(|| quality_of(agreement, cost))
    }

    /// What the cheapest match costs, within the budget (Sellers 1980). Takes a few steps per syllable heard
    /// and syllable wanted, and allocates nothing.
    fn least_edited_cost(&self, codes: &[u16]) -> Option<u16> {
        let mut least: [u16; MOST_WANTED + 1] = std::array::from_fn(|i| FULL_COST * i as u16);
        let mut best = u16::MAX;
        for position in positions(codes) {
            let mut diagonal = 0;
            for (i, wanted) in self.wanted.iter().enumerate() {
                let above = least[i + 1];
                let changed = diagonal + wanted.cost(position);
                least[i + 1] = changed.min(above + FULL_COST).min(least[i] + FULL_COST);
                diagonal = above;
            }
            best = best.min(least[self.wanted.len()]);
        }
        (best <= self.budget).then_some(best)
    }
}

/// What the very syllables agree in a pattern that allows for edits: tones tell them apart, and all are
/// better than what is edited.
pub(super) fn agreement_unedited(agreement: f32) -> f32 {
    EDITED + (1.0 - EDITED) * agreement
}

/// Only the likeliest hearing agrees whole.
fn toned_bits(code: u16, mask: Mask) -> u32 {
    select_unpredictable(is_alternative(code), 0, mask.toned)
}

fn read(bytes: &[u8], codes: &mut Vec<u16>) {
    codes.clear();
    codes.extend(bytes.chunks_exact(2).map(code_of));
}

/// Bits for each of two ways to take a code: the first in the low half, the second in the high one.
///
/// A shift carries the last bit of the low half into the first one of the high half; that bit is always set
/// after a shift.
const fn pair(first: u32, second: u32) -> u64 {
    (second as u64) << HALF | first as u64
}

const HALF: usize = u32::BITS as usize;

/// Which beginnings of the wanted syllables end here, for each number of edits: a bit each, in the halves
/// of [`pair`].
#[derive(Clone, Copy)]
struct Followed<const LEVELS: usize> {
    /// Before the present position.
    before: [u64; LEVELS],
    now: [u64; LEVELS],
    /// What the hearings of the present position so far stand for.
    heard: u64,
    /// All that ended anywhere.
    seen: [u64; LEVELS],
}

impl<const LEVELS: usize> Followed<LEVELS> {
    const fn new() -> Self {
        // With so many edits as many syllables are missing at the very beginning.
        let mut states = [0; LEVELS];
        let mut edits = 0;
        while edits < LEVELS {
            states[edits] = first_missing(edits);
            edits += 1;
        }
        Self {
            before: states,
            now: states,
            heard: 0,
            seen: [0; LEVELS],
        }
    }

    /// Another hearing of the present position repeats its step with more bits: what ended before is among
    /// what ends then. Which it is cannot be foretold, so there is no branch.
    #[inline]
    fn step(&mut self, bits: u64, is_another_hearing: bool) {
        self.heard = select_unpredictable(is_another_hearing, self.heard, 0) | bits;
        for level in 0..LEVELS {
            let (before, now) = (self.before[level], self.now[level]);
            self.before[level] = select_unpredictable(is_another_hearing, before, now);
        }
        for level in 0..LEVELS {
            let mut here = (self.before[level] << 1 | pair(1, 1)) & self.heard;
            if let Some(fewer) = level.checked_sub(1) {
                // A syllable too many, another one, and one that is missing.
                let extra = self.before[fewer];
                here |= extra | (extra | self.now[fewer]) << 1 | first_missing(level);
            }
            self.now[level] = here;
            self.seen[level] |= here;
        }
    }
}

const fn first_missing(edits: usize) -> u64 {
    let bits = (1 << edits) - 1;
    pair(bits, bits)
}
