//! What is found in the development calls, beside what their labels say.

use std::path::PathBuf;

use auricle_contracts::{Party, PiiKind, Transcript, Utterance, Word};
use serde::Deserialize;

use super::tests::find_in;
use crate::testing::utterance;

/// Most that a span may begin too late or end too early.
const TOLERANCE_MS: u64 = 300;

#[derive(Deserialize)]
struct Call {
    id: String,
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    role: Party,
    start: f64,
    text: String,
    pii: Vec<Marked>,
    words: Vec<(String, f64, f64)>,
}

#[derive(Deserialize)]
struct Marked {
    kind: PiiKind,
    text: String,
}

fn milliseconds(secs: f64) -> u64 {
    (secs * 1000.0).round() as u64
}

impl Turn {
    fn utterance(&self) -> Utterance {
        let mut said = utterance(self.role, milliseconds(self.start), &self.text);
        let word = |(w, start, end): &(String, f64, f64)| Word {
            w: w.clone(),
            start_ms: milliseconds(*start),
            end_ms: milliseconds(*end),
        };
        said.words = self.words.iter().map(word).collect();
        said.spoken = self.words.iter().map(|(w, ..)| w.as_str()).collect();
        said.end_ms = said.words.last().map_or(said.end_ms, |word| word.end_ms);
        said
    }

    /// Kind, start and end of what is marked.
    fn marked(&self) -> Vec<(PiiKind, u64, u64)> {
        let letters: Vec<(char, u64, u64)> = self
            .words
            .iter()
            .flat_map(|(w, start, end)| {
                w.chars()
                    .map(move |ch| (ch, milliseconds(*start), milliseconds(*end)))
            })
            .collect();
        let find = |marked: &Marked| {
            let wanted: Vec<char> = marked
                .text
                .chars()
                .filter(|ch| ch.is_alphanumeric())
                .collect();
            let at = letters.windows(wanted.len()).position(|window| {
                window
                    .iter()
                    .map(|letter| letter.0)
                    .eq(wanted.iter().copied())
            });
            let at = at?;
            Some((marked.kind, letters[at].1, letters[at + wanted.len() - 1].2))
        };
        self.pii.iter().filter_map(find).collect()
    }
}

/// From the true text or, where `AURICLE_HEARD` names a folder of transcripts, from what was heard.
#[test]
fn the_development_calls_spans_are_found_and_no_others() {
    let shared = std::env::var_os("AURICLE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let manifest = shared.join("audio/zh-calls-dev/manifest.jsonl");
    let Ok(manifest) = std::fs::read_to_string(&manifest) else {
        eprintln!("skipped: {} is not there", manifest.display());
        return;
    };
    let heard = std::env::var_os("AURICLE_HEARD").map(PathBuf::from);
    let (mut n_found, mut mistakes) = (0, Vec::new());
    for line in manifest.lines() {
        let call: Call = serde_json::from_str(line).unwrap();
        let utterances = match &heard {
            None => call.turns.iter().map(Turn::utterance).collect(),
            Some(folder) => {
                let json = std::fs::read_to_string(folder.join(&call.id).with_extension("json"));
                let transcript: Transcript = serde_json::from_str(&json.unwrap()).unwrap();
                transcript.utterances
            }
        };
        let mut spans = find_in(&utterances);
        for (kind, start_ms, end_ms) in call.turns.iter().flat_map(Turn::marked) {
            let near = spans.iter().position(|span| {
                span.kind == kind
                    && span.start_ms.abs_diff(start_ms) <= TOLERANCE_MS
                    && span.end_ms.abs_diff(end_ms) <= TOLERANCE_MS
            });
            match near {
                Some(place) => {
                    spans.remove(place);
                    n_found += 1;
                }
                None => mistakes.push(format!(
                    "{}: {kind:?} {start_ms} to {end_ms} not found",
                    call.id
                )),
            }
        }
        mistakes.extend(spans.iter().map(|span| format!("{}: {span:?}", call.id)));
    }
    assert!(mistakes.is_empty(), "found {n_found}, but {mistakes:#?}");
    assert!(n_found > 0);
}
