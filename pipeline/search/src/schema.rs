//! The fields of the index.
//!
//! What is said is not among them: it is in the lines and the pairs, which are Auricle's own files.
//!
//! | field | on | holds |
//! | --- | --- | --- |
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

use crate::lines;

/// Counts up whenever an index made before could not be read as it is meant now.
pub(crate) const SCHEMA_VERSION: u32 = 3;

const RAW: &str = "raw";

/// Names of the fields that hold a text of the whole call.
pub(crate) const CALL_TEXTS: [&str; 5] = ["agent", "campaign", "region", "engine", "file"];

/// Handles of the fields.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
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

/// The dictionary, built once: it takes a fifth of a second and some 50 MB.
pub(crate) fn jieba() -> &'static Jieba {
    static JIEBA: OnceLock<Jieba> = OnceLock::new();
    JIEBA.get_or_init(Jieba::new)
}
