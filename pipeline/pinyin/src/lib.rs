//! Toned Mandarin syllables: the unit in which Auricle hears, matches and searches Mandarin.
//!
//! - [`Syllable`]: two bytes, parsed from numbered (`bao3`) or marked (`bǎo`) pinyin;
//! - [`readings`]: how a character may be read, likeliest first;
//! - [`distance`]: how far apart two syllables sound on a telephone line.

mod syllable;

pub use syllable::{ParseSyllableError, Syllable, TONELESS};
