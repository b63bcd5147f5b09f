//! The peer: tantivy with one text field over the spoken form and the same stored bytes.

use std::fs;
use std::path::Path;

use anyhow::Result;
use auricle_contracts::{Transcript, Utterance};
use tantivy::schema::{BytesOptions, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexWriter, TantivyDocument};

use crate::MEMORY_BYTES_A_THREAD;
use crate::cost::Cost;

/// Indexes the calls.
pub(crate) fn index(folder: &Path, calls: &[Transcript], threads: usize) -> Result<Cost> {
    fs::create_dir_all(folder)?;
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("jieba")
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let text = schema.add_text_field(
        "text",
        TextOptions::default().set_indexing_options(indexing),
    );
    let stored = schema.add_bytes_field("stored", BytesOptions::default().set_stored());
    let header = schema.add_bytes_field("header", BytesOptions::default().set_stored());
    let index = Index::create_in_dir(folder, schema.build())?;
    let mut jieba = tantivy_jieba::JiebaTokenizer::with_search_mode(false);
    jieba.set_ordinal_position_mode(true);
    jieba.set_hmm(false);
    index.tokenizers().register("jieba", jieba);
    let memory = threads * MEMORY_BYTES_A_THREAD;
    let mut writer: IndexWriter = index.writer_with_num_threads(threads, memory)?;
    Cost::of(|| {
        for call in calls {
            for (number, utterance) in call.utterances.iter().enumerate() {
                let mut document = TantivyDocument::new();
                document.add_text(text, &utterance.spoken);
                document.add_bytes(stored, &stored_bytes(utterance));
                if number == 0 {
                    document.add_bytes(header, &header_bytes(call)?);
                }
                writer.add_document(document)?;
            }
        }
        writer.commit()?;
        Ok(writer.wait_merging_threads()?)
    })
}

/// The same bytes Auricle stores of an utterance: channel, texts, and the times of every hanzi.
fn stored_bytes(utterance: &Utterance) -> Vec<u8> {
    let marks = |letter: &char| !matches!(letter, '，' | '。' | '？');
    let is_plain = utterance
        .text
        .chars()
        .filter(marks)
        .eq(utterance.spoken.chars());
    let mut out = vec![utterance.channel as u8];
    for text in [
        Some(&utterance.text),
        (!is_plain).then_some(&utterance.spoken),
    ] {
        let Some(text) = text else { continue };
        out.push(text.len() as u8);
        out.extend_from_slice(text.as_bytes());
    }
    let mut last = 0;
    for syllable in &utterance.syllables {
        for number in [
            (syllable.start_ms - last) << 1,
            syllable.end_ms - syllable.start_ms,
        ] {
            let mut rest = number;
            while rest >= 0x80 {
                out.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            out.push(rest as u8);
        }
        last = syllable.end_ms;
    }
    out
}

fn header_bytes(call: &Transcript) -> Result<Vec<u8>> {
    let metadata = &call.metadata;
    Ok(serde_json::to_vec(&serde_json::json!({
        "call_id": call.call_id, "file": call.file, "duration_ms": call.duration_ms,
        "engine": call.engine, "agent": metadata.agent, "campaign": metadata.campaign,
        "region": metadata.region, "started_at": metadata.started_at,
    }))?)
}
