//! The fields of the index and the tokenizers that fill them.
//!
//! | field | on | holds |
//! | --- | --- | --- |
//! | `grams` | utterance | pairs of neighbouring units of the spoken form, and of the written form where it differs |
//! | `words` | utterance | jieba's exact cut of the spoken form, at ordinal positions |
//! | `sounds` | utterance | pairs of neighbouring sound classes, every hearing |
//! | `call` | utterance | the call's id |
//! | `emotion`, `rule` | utterance | what later stages found |
//! | `agent`, `campaign`, `region`, `engine`, `file` | first utterance of a call | the call's metadata |
//! | `started`, `duration`, `score` | first utterance of a call | numbers to filter and sort by |
//! | `lines` | utterance | see [`crate::lines`] |
//! | `stored`, `header` | utterance, first utterance | what results show |

use std::sync::OnceLock;

use jieba_rs::Jieba;
use serde_json::json;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager};

use crate::lines;
use crate::units;

/// Counts up whenever an index made before could not be read as it is meant now.
pub(crate) const SCHEMA_VERSION: u32 = 1;

const GRAMS: &str = "auricle_grams";
const WORDS: &str = "auricle_words";
const PAIRS: &str = "auricle_pairs";
const RAW: &str = "raw";

/// Names of the fields that hold a text of the whole call.
pub(crate) const CALL_TEXTS: [&str; 5] = ["agent", "campaign", "region", "engine", "file"];

/// Handles of the fields.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) grams: Field,
    pub(crate) words: Field,
    pub(crate) sounds: Field,
    pub(crate) call: Field,
    pub(crate) emotion: Field,
    pub(crate) rule: Field,
    pub(crate) call_texts: [Field; CALL_TEXTS.len()],
    pub(crate) started: Field,
    pub(crate) duration: Field,
    pub(crate) score: Field,
    pub(crate) line: Field,
    pub(crate) stored: Field,
    pub(crate) header: Field,
}

impl Fields {
    /// Builds the schema.
    pub(crate) fn new() -> Self {
        let mut builder = Schema::builder();
        let raw = |builder: &mut SchemaBuilder, name: &str| {
            let options = indexed(RAW, IndexRecordOption::Basic).set_fast(RAW);
            builder.add_text_field(name, options)
        };
        let bytes = || BytesOptions::default().set_stored();
        let number = || NumericOptions::default().set_fast();
        let grams = builder.add_text_field("grams", indexed(GRAMS, IndexRecordOption::Basic));
        let words = builder.add_text_field(
            "words",
            indexed(WORDS, IndexRecordOption::WithFreqsAndPositions),
        );
        let sounds = builder.add_text_field("sounds", indexed(PAIRS, IndexRecordOption::Basic));
        let call = builder.add_text_field("call", indexed(RAW, IndexRecordOption::Basic));
        let emotion = raw(&mut builder, "emotion");
        let rule = raw(&mut builder, "rule");
        let call_texts = CALL_TEXTS.map(|name| raw(&mut builder, name));
        let started = builder.add_i64_field("started", number());
        let duration = builder.add_u64_field("duration", number());
        let score = builder.add_f64_field("score", number());
        let line = builder.add_custom_field(lines::EXTENSION, lines::FIELD_TYPE, json!({}));
        let stored = builder.add_bytes_field("stored", bytes());
        let header = builder.add_bytes_field("header", bytes());
        let schema = builder.build();
        Self {
            schema,
            grams,
            words,
            sounds,
            call,
            emotion,
            rule,
            call_texts,
            started,
            duration,
            score,
            line,
            stored,
            header,
        }
    }
}

fn indexed(tokenizer: &str, option: IndexRecordOption) -> TextOptions {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(tokenizer)
        .set_fieldnorms(option.has_positions())
        .set_index_option(option);
    TextOptions::default().set_indexing_options(indexing)
}

/// The tokenizers the schema names.
pub(crate) fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    manager.register(GRAMS, PieceTokenizer { next: next_gram });
    manager.register(WORDS, PieceTokenizer { next: next_word });
    manager.register(PAIRS, PieceTokenizer { next: next_pair });
    manager
}

/// The dictionary, built once: it takes a fifth of a second and some 50 MB.
pub(crate) fn jieba() -> &'static Jieba {
    static JIEBA: OnceLock<Jieba> = OnceLock::new();
    JIEBA.get_or_init(Jieba::new)
}

/// Between two words in the text handed to the tokenizer of `words`.
pub(crate) const WORD_BREAK: char = '\0';
/// After a word of letters within a gram, so that `ab` + `c` is not `a` + `bc`.
const AFTER_LETTERS: char = '\u{1}';
/// In place of the second unit of the last gram.
const GRAM_END: char = '\u{2}';
/// Units of letters are cut to this many bytes within a gram; matches are checked on the lines.
const MAX_UNIT_BYTES: usize = 48;

/// Takes the next token off the front of a text, and writes it to the token.
type NextPiece = for<'a> fn(&'a str, &mut String) -> Option<&'a str>;

/// A tokenizer whose text was prepared when the document was made.
#[derive(Clone)]
struct PieceTokenizer {
    next: NextPiece,
}

impl Tokenizer for PieceTokenizer {
    type TokenStream<'a> = PieceStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> PieceStream<'a> {
        let token = Token {
            position: usize::MAX,
            ..Token::default()
        };
        PieceStream {
            next: self.next,
            rest: text,
            token,
        }
    }
}

struct PieceStream<'a> {
    next: NextPiece,
    rest: &'a str,
    token: Token,
}

impl TokenStream for PieceStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        match (self.next)(self.rest, &mut self.token.text) {
            Some(rest) => {
                self.rest = rest;
                self.token.position = self.token.position.wrapping_add(1);
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

fn next_word<'a>(text: &'a str, token: &mut String) -> Option<&'a str> {
    if text.is_empty() {
        return None;
    }
    let (word, rest) = text.split_once(WORD_BREAK).unwrap_or((text, ""));
    token.push_str(word);
    Some(rest)
}

fn next_pair<'a>(text: &'a str, token: &mut String) -> Option<&'a str> {
    let mut letters = text.chars();
    token.push(letters.next()?);
    token.push(letters.next()?);
    Some(letters.as_str())
}

fn next_gram<'a>(text: &'a str, token: &mut String) -> Option<&'a str> {
    let mut units = units::split(text);
    let first = units.next()?;
    push_gram(first, units.next(), token);
    // The next gram begins with the second unit.
    let after = first.as_ptr() as usize - text.as_ptr() as usize + first.len();
    Some(text.get(after..).unwrap_or(""))
}

/// Writes the term of two neighbouring units.
pub(crate) fn push_gram(first: &str, second: Option<&str>, term: &mut String) {
    push_unit(first, term);
    match second {
        Some(second) => push_unit(second, term),
        None => term.push(GRAM_END),
    }
}

/// What every gram whose first unit is `unit` begins with.
pub(crate) fn gram_prefix(unit: &str) -> String {
    let mut prefix = String::new();
    push_unit(unit, &mut prefix);
    prefix
}

/// What every gram begins with whose first unit begins with these letters.
pub(crate) fn letters_prefix(letters: &str) -> &str {
    cut_unit(letters)
}

fn push_unit(unit: &str, term: &mut String) {
    term.push_str(cut_unit(unit));
    if units::is_word(unit) {
        term.push(AFTER_LETTERS);
    }
}

fn cut_unit(unit: &str) -> &str {
    let mut end = unit.len().min(MAX_UNIT_BYTES);
    while !unit.is_char_boundary(end) {
        end -= 1;
    }
    &unit[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(next: NextPiece, text: &str) -> Vec<String> {
        let mut tokenizer = PieceTokenizer { next };
        let mut stream = tokenizer.token_stream(text);
        let mut tokens = Vec::new();
        while stream.advance() {
            assert_eq!(stream.token().position, tokens.len());
            tokens.push(stream.token().text.clone());
        }
        tokens
    }

    #[test]
    fn grams_pair_neighbouring_units() {
        assert_eq!(tokens(next_gram, "保证"), ["保证", "证\u{2}"]);
        assert_eq!(
            tokens(next_gram, "用ab c"),
            ["用ab\u{1}", "ab\u{1}c\u{1}", "c\u{1}\u{2}"]
        );
        assert_eq!(tokens(next_gram, ""), [""; 0]);
    }

    #[test]
    fn words_and_pairs_are_taken_as_prepared() {
        assert_eq!(tokens(next_word, "保证\0收益"), ["保证", "收益"]);
        assert_eq!(tokens(next_pair, "abcd"), ["ab", "cd"]);
    }
}
