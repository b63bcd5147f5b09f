//! Toned Mandarin syllables: the unit in which Auricle hears, matches and searches Mandarin.
//!
//! - [`Syllable`]: two bytes, parsed from numbered (`bao3`) or marked (`bǎo`) pinyin;
//! - [`readings`]: how a character may be read, likeliest first;
//! - [`word_readings`]: how a word may be read, its heteronyms settled;
//! - [`distance`]: how far apart two syllables sound on a telephone line.

mod distance;
mod readings;
mod syllable;
mod words;

pub use distance::{TONE_DISTANCE, distance};
pub use readings::{Reading, is_hanzi_word, readings};
pub use syllable::{ParseSyllableError, Syllable, TONELESS};
pub use words::{MAX_WORD_HANZI, MAX_WORD_READINGS, WordReadings, word_readings};
