//! The keys of the pairs file.
//!
//! | key | stands for |
//! | --- | --- |
//! | unit × 2¹⁶ + next unit | two neighbouring units; the last unit pairs with [`END`] |
//! | hanzi × 2¹⁶ + [`WHOLE_WORD`] | a word of jieba's cut that is this hanzi alone |
//! | hanzi × 2¹⁶ + [`WORD_START`] | a longer word that begins with it |
//! | letter × 2¹⁶ + second letter | the beginning of a word of letters; a single letter pairs with [`END`] |
//! | syllable × 2⁹ + next syllable | two neighbouring syllables without tones; the last pairs with [`SYLLABLE_END`] |
//!
//! A hanzi or digit is its own UTF-16 code (of a hanzi beyond the basic plane the first of the two); a
//! word of letters is a hash in the private use area, where no text has units. Units begin at `#`
//! (35), so the keys of units lie above those of syllables, and letters are no units.

use std::ops::RangeInclusive;

use crate::sound;
use crate::units;

/// After the last unit.
pub(crate) const END: u16 = u16::MAX;
/// In place of the next unit: the unit is a word by itself.
pub(crate) const WHOLE_WORD: u16 = 0xFFFE;
/// In place of the next unit: the unit begins a longer word.
pub(crate) const WORD_START: u16 = 0xFFFD;
/// The first key of two units.
pub(crate) const FIRST_UNIT_KEY: u32 = 1 << 18;
/// After the last syllable.
pub(crate) const SYLLABLE_END: u16 = 511;
/// Something that is no syllable.
pub(crate) const SYLLABLE_BREAK: u16 = 510;

const FIRST_WORD: u16 = 0xE000;
const N_WORDS: u32 = 0x1800;
const HIGH_SURROGATES: RangeInclusive<u16> = 0xD800..=0xDBFF;

/// The units of a normal form's codes.
pub(crate) fn units_of(codes: &[u16]) -> impl Iterator<Item = &[u16]> {
    let mut rest = codes;
    std::iter::from_fn(move || {
        while let [units::SPACE, after @ ..] = rest {
            rest = after;
        }
        let (&first, _) = rest.split_first()?;
        let length = if units::is_letter(first) {
            rest.iter()
                .take_while(|&&code| units::is_letter(code))
                .count()
        } else if HIGH_SURROGATES.contains(&first) {
            rest.len().min(2)
        } else {
            1
        };
        let (unit, after) = rest.split_at(length);
        rest = after;
        Some(unit)
    })
}

/// The number that stands for a unit in keys.
pub(crate) fn unit_id(unit: &[u16]) -> u16 {
    match unit {
        [] => END,
        [first, ..] if units::is_letter(*first) => {
            let hash = unit.iter().fold(2_166_136_261u32, |hash, &code| {
                (hash ^ u32::from(code)).wrapping_mul(16_777_619)
            });
            FIRST_WORD + ((hash >> 7) % N_WORDS) as u16
        }
        [first, ..] => *first,
    }
}

/// Whether documents with the unit's key hold the unit for certain.
pub(crate) fn is_exact(unit: &[u16]) -> bool {
    matches!(unit, [only] if !units::is_letter(*only))
}

/// The key of two neighbouring units.
pub(crate) const fn unit_pair(first: u16, second: u16) -> u32 {
    (first as u32) << 16 | second as u32
}

/// The keys of all pairs whose first unit, or whose first letter, is `first`.
pub(crate) const fn unit_range(first: u16) -> RangeInclusive<u32> {
    unit_pair(first, 0)..=unit_pair(first, END)
}

/// The key of two neighbouring syllables, as rows of [`auricle_pinyin::TONELESS`].
pub(crate) const fn syllable_pair(first: u16, second: u16) -> u32 {
    (first as u32) << 9 | second as u32
}

/// The keys of all pairs whose first syllable is `first`.
pub(crate) const fn syllable_range(first: u16) -> RangeInclusive<u32> {
    syllable_pair(first, 0)..=syllable_pair(first, SYLLABLE_END)
}

/// The keys of all pairs of syllables.
pub(crate) const ANY_SYLLABLES: RangeInclusive<u32> = 0..=FIRST_UNIT_KEY - 1;

/// The second syllable of a key.
pub(crate) const fn second_syllable(key: u32) -> u16 {
    (key & 0x1FF) as u16
}

/// Adds the keys of a form's units.
pub(crate) fn push_units(codes: &[u16], keys: &mut Vec<u32>) {
    let mut before = None;
    for unit in units_of(codes) {
        let id = unit_id(unit);
        if let Some(before) = before {
            keys.push(unit_pair(before, id));
        }
        if let [first, rest @ ..] = unit
            && units::is_letter(*first)
        {
            keys.push(unit_pair(*first, rest.first().copied().unwrap_or(END)));
        }
        before = Some(id);
    }
    if let Some(last) = before {
        keys.push(unit_pair(last, END));
    }
}

/// Adds the keys of a row of syllable codes: every hearing with every hearing of the next.
pub(crate) fn push_syllables(codes: &[u16], keys: &mut Vec<u32>) {
    let mut before: &[u16] = &[];
    for position in sound::positions(codes) {
        for &first in before {
            for &second in position {
                keys.push(syllable_pair(row_or_break(first), row_or_break(second)));
            }
        }
        before = position;
    }
    for &last in before {
        keys.push(syllable_pair(row_or_break(last), SYLLABLE_END));
    }
}

fn row_or_break(code: u16) -> u16 {
    sound::row_of(code).map_or(SYLLABLE_BREAK, |row| row as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::encode;

    fn keys(text: &str) -> Vec<u32> {
        let mut keys = Vec::new();
        push_units(&encode(text), &mut keys);
        keys
    }

    #[test]
    fn units_pair_with_their_neighbours() {
        let of = |letter: char| letter as u16;
        assert_eq!(
            keys("保证"),
            [unit_pair(of('保'), of('证')), unit_pair(of('证'), END)]
        );
        let wifi = unit_id(&encode("wifi"));
        assert_eq!(
            keys("用WiFi a"),
            [
                unit_pair(of('用'), wifi),
                unit_pair(of('w'), of('i')),
                unit_pair(wifi, unit_id(&encode("a"))),
                unit_pair(of('a'), END),
                unit_pair(unit_id(&encode("a")), END),
            ]
        );
        assert!(keys("").is_empty());
    }

    #[test]
    fn keys_of_units_lie_above_those_of_syllables() {
        assert!(syllable_pair(SYLLABLE_END, SYLLABLE_END) < FIRST_UNIT_KEY);
        assert!(FIRST_UNIT_KEY <= unit_pair(u16::from(b'#'), 0));
    }
}
