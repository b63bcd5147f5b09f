//! Spoken forms as rows of codes: what the index keeps of syllables.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use auricle_contracts::Utterance;
use auricle_pinyin::{Syllable, TONELESS};

use crate::readings::readings;
use crate::units;

/// Marks a code that is another hearing of the syllable before it.
const ALTERNATIVE: u16 = 0x8000;
/// The code of something that is no Mandarin syllable.
pub(super) const BREAK: u16 = 0;
/// Hearings kept for one syllable beside the likeliest.
const MAX_ALTERNATIVES: usize = 2;
/// Hearings less likely than this are left out.
const LEAST_CONFIDENCE: f32 = 0.05;
/// Tones in a syllable's dense number, with 0 for unknown.
pub(super) const TONES: usize = Syllable::COUNT / TONELESS.len();

/// The codes of an utterance's syllables: one for the likeliest hearing, then its alternatives.
/// An utterance without syllables is read from its hanzi.
pub(crate) fn encode(utterance: &Utterance, codes: &mut Vec<u16>) {
    codes.clear();
    if utterance.syllables.is_empty() {
        for letter in utterance.spoken.chars() {
            let hearings = readings(letter);
            if hearings.is_empty() && units::is_hanzi_letter(letter) {
                codes.push(BREAK);
            }
            push_position(codes, hearings.into_iter());
        }
        return;
    }
    for syllable in &utterance.syllables {
        let Some(likeliest) = parse(&syllable.s) else {
            codes.push(BREAK);
            continue;
        };
        let others = syllable
            .alternatives
            .iter()
            .filter(|other| other.conf >= LEAST_CONFIDENCE)
            .filter_map(|other| parse(&other.s));
        push_position(codes, std::iter::once(likeliest).chain(others));
    }
}

/// Reads a syllable; those spelled the usual way by a table, since an index reads millions.
fn parse(text: &str) -> Option<Syllable> {
    static KNOWN: OnceLock<HashMap<u64, Syllable, BuildHasherDefault<Spread>>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let all = (0..Syllable::COUNT).filter_map(Syllable::from_index);
        all.filter_map(|syllable| Some((packed(&syllable.to_string())?, syllable)))
            .collect()
    });
    match packed(text).and_then(|packed| known.get(&packed)) {
        Some(syllable) => Some(*syllable),
        None => text.parse().ok(),
    }
}

/// A short text as one number.
fn packed(text: &str) -> Option<u64> {
    let fits = text.len() <= 8;
    fits.then(|| {
        text.bytes()
            .fold(0, |packed, byte| packed << 8 | u64::from(byte))
    })
}

/// Mixes one number; enough for a table of known syllables.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 29);
    }
}

pub(super) fn push_position(codes: &mut Vec<u16>, hearings: impl Iterator<Item = Syllable>) {
    let first = codes.len();
    for syllable in hearings {
        let code = syllable.index() as u16 + 1;
        let known = codes[first..].iter().any(|&known| same_base(known, code));
        if codes.len() == first {
            codes.push(code);
        } else if !known && codes.len() - first <= MAX_ALTERNATIVES {
            codes.push(code | ALTERNATIVE);
        }
    }
}

fn same_base(one: u16, other: u16) -> bool {
    row_of(one) == row_of(other)
}

/// The row of [`TONELESS`] a code stands for; none for a break.
pub(crate) const fn row_of(code: u16) -> Option<usize> {
    match code & !ALTERNATIVE {
        BREAK => None,
        index => Some((index as usize - 1) / TONES),
    }
}

pub(super) const fn tone_of(code: u16) -> u8 {
    ((code & !ALTERNATIVE) as usize)
        .saturating_sub(1)
        .rem_euclid(TONES) as u8
}

/// Whether a code is another hearing of the syllable before it.
#[inline]
pub(super) const fn is_alternative(code: u16) -> bool {
    code & ALTERNATIVE != 0
}

/// A code's number without the mark of an alternative, at most [`MAX_NUMBER`] in what [`encode`] gives.
#[inline]
pub(super) const fn number_of(code: u16) -> usize {
    (code & !ALTERNATIVE) as usize
}

/// The greatest of [`number_of`].
pub(super) const MAX_NUMBER: usize = Syllable::COUNT;

/// The positions of a row of codes: each a likeliest hearing and its alternatives.
pub(crate) fn positions(codes: &[u16]) -> impl Iterator<Item = &[u16]> {
    codes.chunk_by(|_, &next| is_alternative(next))
}

/// How many syllables a row of codes holds.
pub(crate) fn count(codes: &[u16]) -> usize {
    codes.iter().filter(|&&code| !is_alternative(code)).count()
}
