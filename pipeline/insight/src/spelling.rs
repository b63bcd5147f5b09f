//! Spelled syllables, read by one look into a table.

use std::sync::LazyLock;

use auricle_pinyin::{Syllable, TONELESS};

use crate::intent::scramble;

/// A spelling without tone, packed, and its syllable; 0 where there is none.
type Slot = (u64, Option<Syllable>);

/// Twice as many as there are spellings and more, so that few share one.
const N_SLOTS: usize = 2048;

static TABLE: LazyLock<Vec<Slot>> = LazyLock::new(|| {
    let mut table: Vec<Slot> = vec![(0, None); N_SLOTS];
    for base in TONELESS {
        if let Some(key) = packed(base.as_bytes()) {
            let mut slot = slot_of(key);
            while table[slot].0 != 0 {
                slot = (slot + 1) % N_SLOTS;
            }
            table[slot] = (key, Syllable::new(base, 0));
        }
    }
    table
});

/// As [`str::parse`] reads it; plain spellings with a number behind them, as recognisers give them, at once.
pub(crate) fn syllable(spelled: &str) -> Option<Syllable> {
    plain(spelled.as_bytes()).or_else(|| spelled.parse().ok())
}

fn plain(spelled: &[u8]) -> Option<Syllable> {
    let (base, tone) = match spelled.split_last() {
        Some((digit @ b'0'..=b'5', base)) => (base, digit - b'0'),
        _ => (spelled, 0),
    };
    let key = packed(base)?;
    let mut slot = slot_of(key);
    loop {
        let (known, syllable) = TABLE[slot];
        if known == key {
            return Some(syllable?.with_tone(tone));
        }
        if known == 0 {
            return None;
        }
        slot = (slot + 1) % N_SLOTS;
    }
}

/// Up to eight letters as a number, other than 0.
fn packed(base: &[u8]) -> Option<u64> {
    if base.is_empty() || base.len() > 8 {
        return None;
    }
    Some(base.iter().fold(0, |key, &byte| key << 8 | u64::from(byte)))
}

const fn slot_of(key: u64) -> usize {
    scramble(key) as usize % N_SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_syllable_is_read() {
        for index in 0..Syllable::COUNT {
            let known = Syllable::from_index(index).unwrap();
            assert_eq!(plain(known.to_string().as_bytes()), Some(known));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_ever(text in "[a-zA-Zü:āǎ0-9]{0,7}|.{0,9}") {
            prop_assert_eq!(syllable(&text), text.parse().ok());
        }
    }
}
