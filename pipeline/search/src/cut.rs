//! What the index needs of a line beside its codes: where words begin, and the keys of its pairs.
//!
//! It takes longer than all else, and is done by the threads that write segments.

use crate::lines::{LineParts, code_of};
use crate::schema::jieba;
use crate::{keys, units};

/// Works lines out one after the other, in memory that is kept.
#[derive(Default)]
pub(crate) struct Cutter {
    spoken: Vec<u16>,
    other: Vec<u16>,
    text: String,
    keys: Vec<u32>,
    word_bits: Vec<u16>,
}

impl Cutter {
    /// Looks at a line whose words are not known yet.
    pub(crate) fn read(&mut self, parts: &LineParts<'_>) {
        self.keys.clear();
        decode(parts.spoken, &mut self.spoken);
        self.cut_words();
        keys::push_units(&self.spoken, &mut self.keys);
        decode(parts.written, &mut self.other);
        keys::push_units(&self.other, &mut self.keys);
        decode(parts.syllables, &mut self.other);
        keys::push_syllables(&self.other, &mut self.keys);
    }

    /// The keys of the line's pairs and words.
    pub(crate) fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// A bit for every code of the spoken form: whether a word begins there.
    pub(crate) fn word_bits(&self) -> &[u16] {
        &self.word_bits
    }

    /// Jieba's exact cut of the spoken form.
    fn cut_words(&mut self) {
        self.word_bits.clear();
        self.word_bits.resize(self.spoken.len().div_ceil(16), 0);
        self.text.clear();
        let letters = char::decode_utf16(self.spoken.iter().copied());
        self.text
            .extend(letters.map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)));
        let mut code = 0;
        for token in jieba().cut(&self.text, false) {
            let mut letters = token.word.chars();
            let length: usize = letters.clone().map(char::len_utf16).sum();
            if let Some(&first) = self.spoken.get(code)
                && first != units::SPACE
                && let Some(bits) = self.word_bits.get_mut(code / 16)
            {
                *bits |= 1 << (code % 16);
                let how = match letters.nth(1) {
                    None => keys::WHOLE_WORD,
                    Some(_) => keys::WORD_START,
                };
                if units::is_hanzi(first) {
                    self.keys.push(keys::unit_pair(first, how));
                }
            }
            code += length;
        }
    }
}

fn decode(bytes: &[u8], codes: &mut Vec<u16>) {
    codes.clear();
    codes.extend(bytes.chunks_exact(2).map(code_of));
}
