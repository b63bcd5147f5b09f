//! The fields of the index.
//!
//! What is said is not among them: it is in the lines and the pairs, which are Auricle's own files.
//!
//! | field | on | holds |
//! | --- | --- | --- |
//! | `call` | utterance | the call's id |
//! | `intent` | utterance | what the customer wants |
//! | `hit`, `severity`, `pii` | utterance | rules it is evidence of and how bad they are, personal data in it |
//! | `hit_of_pack` | utterance | the same rules as `PACK/ID` |
//! | `call_hit`, `call_hit_of_pack`, `call_severity`, `call_pii` | first utterance of a call | the same of the whole call, see [`crate::findings`] |
//! | `passed`, `disposition` | first utterance of a call | score card and outcome |
//! | `silence` | first utterance of a call | lengths of its silences, milliseconds |
//! | `agent`, `campaign`, `region`, `engine`, `file` | first utterance of a call | the call's metadata |
//! | `started`, `duration`, `score` | first utterance of a call | numbers to filter and sort by |
//! | `lines` | utterance | what goes into the lines and the pairs, see [`crate::lines`], [`crate::pairs`] |
//! | `stored`, `header` | utterance, first utterance | what results show |
//! | `placed` | first utterance of a call | what of the whole call has a time, to show it |

use std::sync::OnceLock;

use jieba_rs::Jieba;
use serde_json::json;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions,
};

use crate::lines;

/// Counts up whenever an index made before could not be read as it is meant now.
pub(crate) const SCHEMA_VERSION: u32 = 5;

const RAW: &str = "raw";

/// Names of the fields that hold a text of the whole call.
pub(crate) const CALL_TEXTS: [&str; 5] = ["agent", "campaign", "region", "engine", "file"];

/// Handles of the fields.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) call: Field,
    pub(crate) intent: Field,
    pub(crate) hit: Field,
    pub(crate) hit_of_pack: Field,
    pub(crate) severity: Field,
    pub(crate) pii: Field,
    pub(crate) call_hit: Field,
    pub(crate) call_hit_of_pack: Field,
    pub(crate) call_severity: Field,
    pub(crate) call_pii: Field,
    pub(crate) passed: Field,
    pub(crate) disposition: Field,
    pub(crate) call_texts: [Field; CALL_TEXTS.len()],
    pub(crate) started: Field,
    pub(crate) duration: Field,
    pub(crate) score: Field,
    pub(crate) silence: Field,
    pub(crate) line: Field,
    pub(crate) stored: Field,
    pub(crate) header: Field,
    pub(crate) placed: Field,
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
        let name = |builder: &mut SchemaBuilder, name: &str| {
            builder.add_text_field(name, indexed(RAW, IndexRecordOption::Basic))
        };
        let call = name(&mut builder, "call");
        let intent = name(&mut builder, "intent");
        let hit = name(&mut builder, "hit");
        let hit_of_pack = name(&mut builder, "hit_of_pack");
        let severity = name(&mut builder, "severity");
        let pii = name(&mut builder, "pii");
        let call_hit = name(&mut builder, "call_hit");
        let call_hit_of_pack = name(&mut builder, "call_hit_of_pack");
        let call_severity = name(&mut builder, "call_severity");
        let call_pii = name(&mut builder, "call_pii");
        let passed = name(&mut builder, "passed");
        let disposition = name(&mut builder, "disposition");
        let call_texts = CALL_TEXTS.map(|name| raw(&mut builder, name));
        let started = builder.add_i64_field("started", number());
        let duration = builder.add_u64_field("duration", number());
        let score = builder.add_f64_field("score", number());
        let silence = builder.add_u64_field("silence", number());
        let line = builder.add_custom_field(lines::EXTENSION, lines::FIELD_TYPE, json!({}));
        let stored = builder.add_bytes_field("stored", bytes());
        let header = builder.add_bytes_field("header", bytes());
        let placed = builder.add_bytes_field("placed", bytes());
        let schema = builder.build();
        Self {
            schema,
            call,
            intent,
            hit,
            hit_of_pack,
            severity,
            pii,
            call_hit,
            call_hit_of_pack,
            call_severity,
            call_pii,
            passed,
            disposition,
            call_texts,
            started,
            duration,
            score,
            silence,
            line,
            stored,
            header,
            placed,
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
