//! Rows of comma separated values (RFC 4180), one for each utterance.

use std::borrow::Cow;

use anyhow::Result;
use auricle_contracts::{Transcript, Utterance};
use serde::Serialize;

use crate::spreadsheet::text_cell;

/// Column names are these fields' names.
#[derive(Serialize)]
struct Row<'a> {
    call_id: Cow<'a, str>,
    file: Cow<'a, str>,
    agent: Cow<'a, str>,
    campaign: Cow<'a, str>,
    region: Cow<'a, str>,
    started_at: Cow<'a, str>,
    party: &'a str,
    channel: u16,
    start_ms: u64,
    end_ms: u64,
    confidence: f32,
    text: Cow<'a, str>,
    spoken: Cow<'a, str>,
    syllables: String,
}

/// The line of column names.
pub(crate) fn csv_head() -> Result<String> {
    let names = [
        "call_id",
        "file",
        "agent",
        "campaign",
        "region",
        "started_at",
        "party",
        "channel",
        "start_ms",
        "end_ms",
        "confidence",
        "text",
        "spoken",
        "syllables",
    ];
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(names)?;
    finish(writer)
}

/// The rows of one call, without the line of names.
pub(crate) fn csv_rows(transcript: &Transcript) -> Result<String> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    for utterance in &transcript.utterances {
        writer.serialize(row(transcript, utterance))?;
    }
    finish(writer)
}

fn row<'a>(transcript: &'a Transcript, utterance: &'a Utterance) -> Row<'a> {
    let known = &transcript.metadata;
    let spelled = utterance
        .syllables
        .iter()
        .map(|syllable| syllable.s.as_str());
    Row {
        call_id: text_cell(&transcript.call_id.0),
        file: text_cell(&transcript.file),
        agent: text_cell(known.agent.as_deref().unwrap_or_default()),
        campaign: text_cell(known.campaign.as_deref().unwrap_or_default()),
        region: text_cell(known.region.as_deref().unwrap_or_default()),
        started_at: text_cell(known.started_at.as_deref().unwrap_or_default()),
        party: utterance.party.as_str(),
        channel: utterance.channel,
        start_ms: utterance.start_ms,
        end_ms: utterance.end_ms,
        confidence: utterance.confidence,
        text: text_cell(&utterance.text),
        spoken: text_cell(&utterance.spoken),
        syllables: text_cell(&spelled.collect::<Vec<_>>().join(" ")).into_owned(),
    }
}

fn finish(writer: csv::Writer<Vec<u8>>) -> Result<String> {
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::sample;

    #[test]
    fn rows_have_the_columns_of_the_head_and_keep_commas_quotes_and_lines() {
        let text = csv_head().unwrap() + &csv_rows(&sample()).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows = reader.records().collect::<Result<Vec<_>, _>>().unwrap();
        let heads = reader.headers().unwrap().clone();
        let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(&rows[0][column("call_id")], "客户, \"一\"");
        assert_eq!(&rows[0][column("agent")], "A7");
        assert_eq!(&rows[0][column("confidence")], "0.875");
        assert_eq!(&rows[1][column("text")], "a < b --> c & d\n\nx");
        assert_eq!(&rows[1][column("start_ms")], "3605000");
    }

    #[test]
    fn what_was_said_is_no_formula() {
        let mut said = sample();
        said.metadata.agent = Some("@A7".into());
        said.utterances[0].text = "=HYPERLINK(\"http://x\")".into();
        let rows = csv_rows(&said).unwrap();
        assert!(rows.contains(",'@A7,"), "{rows}");
        assert!(rows.contains("'=HYPERLINK"), "{rows}");
    }
}
