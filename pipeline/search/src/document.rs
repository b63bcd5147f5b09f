//! A call's transcript as documents of the index.

use auricle_contracts::{Assessment, CallMetadata, Transcript, Utterance};
use serde::{Deserialize, Serialize};
use tantivy::TantivyDocument;

use crate::date::LocalTime;
use crate::error::IndexError;
use crate::findings::{
    CallFindings, Placed, UtteranceFindings, findings, length_ms, passed_name, rule_of_pack,
};
use crate::lines::{MAX_CODES, NewLine};
use crate::schema::Fields;
use crate::stored::{StoredUtterance, unit_times};
use crate::{sound, units};

/// What results say of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) call_id: String,
    pub(crate) file: String,
    pub(crate) duration_ms: u64,
    pub(crate) engine: String,
    #[serde(flatten)]
    pub(crate) metadata: CallMetadata,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) passed: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disposition: Option<String>,
}

impl Header {
    fn new(transcript: &Transcript, found: &CallFindings) -> Self {
        Self {
            call_id: transcript.call_id.0.clone(),
            file: transcript.file.clone(),
            duration_ms: transcript.duration_ms,
            engine: transcript.engine.clone(),
            metadata: transcript.metadata.clone(),
            score: found.score,
            passed: found.passed,
            disposition: found.disposition.clone(),
        }
    }

    /// In the order of [`crate::schema::CALL_TEXTS`].
    fn texts(&self) -> [Option<&str>; 5] {
        [
            self.metadata.agent.as_deref(),
            self.metadata.campaign.as_deref(),
            self.metadata.region.as_deref(),
            Some(&self.engine),
            Some(&self.file),
        ]
    }
}

/// The documents of a call, in the order of its utterances, and what could not be understood.
pub(crate) fn documents(
    fields: &Fields,
    transcript: &Transcript,
    assessment: &Assessment,
) -> Result<(Vec<TantivyDocument>, Vec<String>), IndexError> {
    let mut warnings = Vec::new();
    let mut documents = Vec::with_capacity(transcript.utterances.len());
    let mut scratch = Scratch::default();
    let (found, of_call) = findings(assessment, transcript.utterances.len());
    let header = Header::new(transcript, &of_call);
    for (number, (utterance, found)) in transcript.utterances.iter().zip(found).enumerate() {
        let mut document = utterance_document(fields, number, utterance, &found, &mut scratch)
            .map_err(|characters| IndexError::UtteranceTooLong {
                call: transcript.call_id.0.clone(),
                utterance: number,
                characters,
                most: MAX_CODES,
            })?;
        document.add_text(fields.call, &transcript.call_id.0);
        add_findings(fields, &mut document, &found);
        if number == 0 {
            add_call(fields, &mut document, &header, &mut warnings)?;
            add_call_findings(fields, &mut document, &of_call)?;
        }
        documents.push(document);
    }
    Ok((documents, warnings))
}

/// Adds what was found in an utterance.
fn add_findings(fields: &Fields, document: &mut TantivyDocument, found: &UtteranceFindings<'_>) {
    for intent in &found.intents {
        document.add_text(fields.intent, intent);
    }
    for rule in &found.rules {
        document.add_text(fields.hit, rule);
    }
    for rule in &found.rules_of_packs {
        document.add_text(fields.hit_of_pack, rule);
    }
    for severity in &found.severities {
        document.add_text(fields.severity, severity.as_str());
    }
    for kind in &found.pii {
        document.add_text(fields.pii, kind.as_str());
    }
}

/// Adds what was found in the call and in none of its utterances.
fn add_call_findings(
    fields: &Fields,
    document: &mut TantivyDocument,
    found: &CallFindings,
) -> Result<(), IndexError> {
    let placed = &found.placed;
    for hit in &placed.hits {
        document.add_text(fields.call_hit, &hit.rule);
        document.add_text(fields.call_hit_of_pack, rule_of_pack(&hit.pack, &hit.rule));
        document.add_text(fields.call_severity, hit.severity.as_str());
    }
    for (kind, _, _) in &placed.pii {
        document.add_text(fields.call_pii, kind.as_str());
    }
    for length in placed.silences.iter().copied().map(length_ms) {
        document.add_u64(fields.silence, length);
    }
    if let Some(length) = found.longer_silence_ms {
        document.add_u64(fields.silence, length);
    }
    if let Some(score) = found.score {
        document.add_f64(fields.score, score);
    }
    if let Some(passed) = found.passed {
        document.add_text(fields.passed, passed_name(passed));
    }
    if let Some(disposition) = &found.disposition {
        document.add_text(fields.disposition, disposition);
    }
    if *placed != Placed::default() {
        let bytes = serde_json::to_vec(placed).map_err(IndexError::Header)?;
        document.add_bytes(fields.placed, &bytes);
    }
    Ok(())
}

/// Adds what belongs to the whole call to its first document.
fn add_call(
    fields: &Fields,
    document: &mut TantivyDocument,
    header: &Header,
    warnings: &mut Vec<String>,
) -> Result<(), IndexError> {
    for (field, text) in fields.call_texts.iter().zip(header.texts()) {
        if let Some(text) = text {
            document.add_text(*field, text);
        }
    }
    document.add_u64(fields.duration, header.duration_ms);
    if let Some(started_at) = &header.metadata.started_at {
        match LocalTime::parse(started_at) {
            Some(time) => document.add_i64(fields.started, time.seconds()),
            None => warnings.push(format!(
                "`started_at` of call `{}` is no RFC 3339 time: `{started_at}`; \
                 the call cannot be found by date",
                header.call_id
            )),
        }
    }
    let bytes = serde_json::to_vec(header).map_err(IndexError::Header)?;
    document.add_bytes(fields.header, &bytes);
    Ok(())
}

/// What documents are made in, kept from one to the next.
#[derive(Default)]
struct Scratch {
    spoken: String,
    written: String,
    spoken_codes: Vec<u16>,
    written_codes: Vec<u16>,
    syllables: Vec<u16>,
    line: Vec<u8>,
    stored: Vec<u8>,
}

impl Scratch {
    fn read(&mut self, utterance: &Utterance) {
        self.spoken.clear();
        self.written.clear();
        self.spoken_codes.clear();
        self.written_codes.clear();
        units::normal_text(&utterance.spoken, &mut self.spoken);
        self.spoken_codes.extend(self.spoken.encode_utf16());
        if utterance.text != utterance.spoken {
            units::normal_text(&utterance.text, &mut self.written);
            if self.written != self.spoken {
                self.written_codes.extend(self.written.encode_utf16());
            }
        }
        sound::encode(utterance, &mut self.syllables);
    }

    fn longest(&self) -> usize {
        let parts = [&self.spoken_codes, &self.written_codes, &self.syllables];
        parts.map(Vec::len).into_iter().max().unwrap_or(0)
    }
}

/// The error is the number of characters of an utterance that is too long.
fn utterance_document(
    fields: &Fields,
    number: usize,
    utterance: &Utterance,
    found: &UtteranceFindings<'_>,
    scratch: &mut Scratch,
) -> Result<TantivyDocument, usize> {
    scratch.read(utterance);
    if scratch.longest() > MAX_CODES {
        return Err(utterance.text.chars().count());
    }
    let times = unit_times(utterance, &scratch.spoken_codes);
    let syllable_codes =
        match_syllables(utterance, &scratch.spoken_codes, &scratch.syllables, &times);
    let length_ms = utterance.end_ms.saturating_sub(utterance.start_ms);
    let line = NewLine {
        number: u32::try_from(number).unwrap_or(u32::MAX),
        party: utterance.party,
        emotion: found.emotion,
        start_ms: u32::try_from(utterance.start_ms).unwrap_or(u32::MAX),
        length_ms: u32::try_from(length_ms).unwrap_or(u32::MAX),
        spoken: &scratch.spoken_codes,
        syllables: &scratch.syllables,
        syllable_codes: &syllable_codes,
        written: &scratch.written_codes,
    };
    line.write(&mut scratch.line);
    StoredUtterance::write(utterance, &times, &mut scratch.stored);
    let mut document = TantivyDocument::new();
    document.add_custom(fields.line, &scratch.line);
    document.add_bytes(fields.stored, &scratch.stored);
    Ok(document)
}

/// The code each syllable belongs to; empty where they are those of the hanzi, in order.
fn match_syllables(
    utterance: &Utterance,
    spoken: &[u16],
    syllables: &[u16],
    times: &[(u64, u64)],
) -> Vec<u16> {
    let n_syllables = sound::count(syllables);
    let n_hanzi = spoken.iter().filter(|&&code| units::is_hanzi(code)).count();
    if n_syllables == n_hanzi || utterance.syllables.len() != n_syllables {
        return Vec::new();
    }
    let numbers = units::unit_numbers(spoken);
    let code_at = |middle: u64| {
        let unit = times
            .partition_point(|&(start, _)| start <= middle)
            .saturating_sub(1);
        let code = numbers.partition_point(|&number| (number as usize) < unit);
        code.min(spoken.len().saturating_sub(1)) as u16
    };
    let all = utterance.syllables.iter();
    all.map(|syllable| code_at(syllable.start_ms.midpoint(syllable.end_ms)))
        .collect()
}
