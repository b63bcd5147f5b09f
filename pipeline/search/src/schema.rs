//! The fields of the index and the tokenizers that fill them.
//!
//! | field | on | holds |
//! | --- | --- | --- |
//! | `words` | utterance | jieba's exact cut of the spoken form, at ordinal positions |
//! | `call` | utterance | the call's id |
//! | `emotion`, `rule` | utterance | what later stages found |
//! | `agent`, `campaign`, `region`, `engine`, `file` | first utterance of a call | the call's metadata |
//! | `started`, `duration`, `score` | first utterance of a call | numbers to filter and sort by |
//! | `lines` | utterance | what goes into the lines and the pairs, see [`crate::lines`], [`crate::pairs`] |
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

/// Counts up whenever an index made before could not be read as it is meant now.
pub(crate) const SCHEMA_VERSION: u32 = 2;

const WORDS: &str = "auricle_words";
const RAW: &str = "raw";

/// Names of the fields that hold a text of the whole call.
pub(crate) const CALL_TEXTS: [&str; 5] = ["agent", "campaign", "region", "engine", "file"];

/// Handles of the fields.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) words: Field,
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
        let words = builder.add_text_field(
            "words",
            indexed(WORDS, IndexRecordOption::WithFreqsAndPositions),
        );
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
            words,
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
    manager.register(WORDS, WordTokenizer);
    manager
}

/// The dictionary, built once: it takes a fifth of a second and some 50 MB.
pub(crate) fn jieba() -> &'static Jieba {
    static JIEBA: OnceLock<Jieba> = OnceLock::new();
    JIEBA.get_or_init(Jieba::new)
}

/// Between two words in the text handed to the tokenizer of `words`.
pub(crate) const WORD_BREAK: char = '\0';

/// Takes apart the words that were cut when the document was made: the cut is needed for the lines
/// too, and is made once.
#[derive(Clone)]
struct WordTokenizer;

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        let token = Token {
            position: usize::MAX,
            ..Token::default()
        };
        WordStream { rest: text, token }
    }
}

struct WordStream<'a> {
    rest: &'a str,
    token: Token,
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        if self.rest.is_empty() {
            return false;
        }
        let (word, rest) = self.rest.split_once(WORD_BREAK).unwrap_or((self.rest, ""));
        self.token.text.push_str(word);
        self.token.position = self.token.position.wrapping_add(1);
        self.rest = rest;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_at_ordinal_positions() {
        let mut tokenizer = WordTokenizer;
        let mut stream = tokenizer.token_stream("保证\0收益");
        for (position, word) in ["保证", "收益"].into_iter().enumerate() {
            assert!(stream.advance());
            assert_eq!(
                (stream.token().text.as_str(), stream.token().position),
                (word, position)
            );
        }
        assert!(!stream.advance());
    }
}
