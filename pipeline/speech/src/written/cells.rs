//! An utterance as single characters, each knowing the word it came from.
//!
//! The grammar reads characters, so that it does not matter whether the decoder cut 一百二十块 as one
//! word or as five.

use super::SpokenWord;

/// What `ch` holds for a cell that is no hanzi.
const NO_HANZI: char = '\0';

/// One hanzi, or one run of anything else (a Latin word, a number already in digits).
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    /// The characters as they were said.
    pub(super) text: &'a str,
    /// The hanzi, or NUL for a run of other characters.
    pub(super) ch: char,
    /// Index of the spoken word.
    pub(super) word: usize,
    /// Part of a word of the language that merely contains a numeral: never rewritten.
    pub(super) kept: bool,
    /// The speaker paused before this cell.
    pub(super) after_pause: bool,
}

/// The characters of one utterance.
#[derive(Debug)]
pub(super) struct Cells<'a>(Vec<Cell<'a>>);

impl<'a> Cells<'a> {
    /// Takes the words apart; `pause_after` says per word whether a clear pause follows it.
    pub(super) fn new(words: &[SpokenWord<'a>], pause_after: &[bool]) -> Self {
        let mut cells: Vec<Cell<'a>> = Vec::new();
        for (word, spoken) in words.iter().enumerate() {
            let paused = word > 0 && pause_after.get(word - 1).copied().unwrap_or(false);
            for (n_in_word, (text, ch)) in split_characters(spoken.text).enumerate() {
                let after_pause = paused && n_in_word == 0;
                cells.push(Cell {
                    text,
                    ch,
                    word,
                    kept: false,
                    after_pause,
                });
            }
        }
        Self(cells)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Cell<'a>> {
        self.0.get(at)
    }

    pub(super) fn as_slice(&self) -> &[Cell<'a>] {
        &self.0
    }

    /// The hanzi at a position; NUL beyond the ends and for other characters.
    pub(super) fn ch(&self, at: usize) -> char {
        self.0.get(at).map_or(NO_HANZI, |cell| cell.ch)
    }

    /// The hanzi `n` places before a position.
    pub(super) fn back(&self, at: usize, n: usize) -> char {
        at.checked_sub(n).map_or(NO_HANZI, |before| self.ch(before))
    }

    /// The Latin word at a position.
    pub(super) fn latin(&self, at: usize) -> Option<&'a str> {
        self.0
            .get(at)
            .filter(|cell| cell.ch == NO_HANZI)
            .map(|cell| cell.text)
    }

    /// Whether `text` stands at a position.
    pub(super) fn follows(&self, at: usize, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(offset, ch)| self.ch(at + offset) == ch)
    }

    /// Whether `text` ends just before a position.
    pub(super) fn precedes(&self, at: usize, text: &str) -> bool {
        at.checked_sub(text.chars().count())
            .is_some_and(|start| self.follows(start, text))
    }

    /// Marks a stretch as a word that stays as it is.
    pub(super) fn keep(&mut self, start: usize, end: usize) {
        for cell in self.0.iter_mut().take(end).skip(start) {
            cell.kept = true;
        }
    }

    /// The digit at a position, unless it belongs to a word that stays.
    pub(super) fn digit(&self, at: usize) -> Option<u8> {
        self.free(at).and_then(digit_of)
    }

    /// Ten, hundred or thousand at a position.
    pub(super) fn place(&self, at: usize) -> Option<u64> {
        self.free(at).and_then(place_of)
    }

    /// 10⁴ or 10⁸ at a position.
    pub(super) fn myriad(&self, at: usize) -> Option<u64> {
        self.free(at).and_then(myriad_of)
    }

    /// Any multiplier at a position: 十 百 千 万 亿.
    pub(super) fn multiplier(&self, at: usize) -> Option<u64> {
        self.place(at).or_else(|| self.myriad(at))
    }

    fn free(&self, at: usize) -> Option<char> {
        self.0.get(at).filter(|cell| !cell.kept).map(|cell| cell.ch)
    }
}

/// The value of a digit word. 幺 is one in spelled-out numbers, 两 is two.
pub(super) const fn digit_of(ch: char) -> Option<u8> {
    Some(match ch {
        '零' | '〇' => 0,
        '一' | '幺' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

pub(super) const fn place_of(ch: char) -> Option<u64> {
    Some(match ch {
        '十' => 10,
        '百' => 100,
        '千' => 1000,
        _ => return None,
    })
}

pub(super) const fn myriad_of(ch: char) -> Option<u64> {
    Some(match ch {
        '万' => 10_000,
        '亿' => 100_000_000,
        _ => return None,
    })
}

/// Whether a character can be part of a spoken number.
pub(super) const fn is_numeral(ch: char) -> bool {
    digit_of(ch).is_some() || place_of(ch).is_some() || myriad_of(ch).is_some()
}

/// Hanzi of the unified blocks and their extensions, and the ideographic zero.
pub(super) const fn is_hanzi(ch: char) -> bool {
    matches!(ch, '〇' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Single hanzi, and runs of other characters between white space.
fn split_characters(text: &str) -> impl Iterator<Item = (&str, char)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = if is_hanzi(first) {
            first.len_utf8()
        } else {
            rest.find(|ch: char| is_hanzi(ch) || ch.is_whitespace())
                .unwrap_or(rest.len())
        };
        let (piece, left) = rest.split_at(end);
        rest = left;
        Some((piece, if is_hanzi(first) { first } else { NO_HANZI }))
    })
}
