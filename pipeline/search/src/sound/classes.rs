//! Which syllables sound nearly the same, and what hearing one for another costs.

use std::collections::HashMap;
use std::sync::OnceLock;

use auricle_pinyin::{Syllable, TONELESS};

use super::FULL_COST;
use super::codes::TONES;

/// Which class each of [`TONELESS`] belongs to.
pub(super) fn classes() -> &'static [u16; TONELESS.len()] {
    static CLASSES: OnceLock<[u16; TONELESS.len()]> = OnceLock::new();
    CLASSES.get_or_init(|| {
        let mut numbers: HashMap<(&str, &str), u16> = HashMap::new();
        std::array::from_fn(|row| {
            let next = numbers.len() as u16;
            *numbers.entry(folded_parts(row)).or_insert(next)
        })
    })
}

/// Initial and rhyme with near-sounding ones made the same.
fn folded_parts(row: usize) -> (&'static str, &'static str) {
    let Some(syllable) = Syllable::from_index(row * TONES) else {
        return ("", "");
    };
    let initial = match syllable.initial() {
        "zh" => "z",
        "ch" => "c",
        "sh" => "s",
        "n" => "l",
        "h" => "f",
        other => other,
    };
    let rhyme = match syllable.rhyme() {
        "ang" => "an",
        "eng" => "en",
        "ing" => "in",
        "iang" => "ian",
        "uang" => "uan",
        other => other,
    };
    (initial, rhyme)
}

/// A number that changes when the syllables' numbers do: an index made with others must be rebuilt.
pub(crate) fn syllables_fingerprint() -> u32 {
    let letters = TONELESS
        .iter()
        .flat_map(|syllable| syllable.bytes().chain([0]));
    letters.fold(2_166_136_261u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
    })
}

/// What hearing `heard` for `wanted` costs; tones do not count.
pub(super) fn cost(wanted: usize, heard: usize) -> u8 {
    if wanted == heard {
        return 0;
    }
    if classes()[wanted] != classes()[heard] {
        return FULL_COST as u8;
    }
    let toneless = |row: usize| Syllable::from_index(row * TONES);
    match (toneless(wanted), toneless(heard)) {
        (Some(one), Some(other)) => {
            let twentieths = auricle_pinyin::distance(one, other) * f32::from(FULL_COST);
            (twentieths.round() as u8).clamp(1, FULL_COST as u8)
        }
        _ => FULL_COST as u8,
    }
}
