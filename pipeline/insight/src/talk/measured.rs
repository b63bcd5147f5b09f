//! Silences and interruptions on labelled calls: from the true times of words, and (where `AURICLE_HEARD` names a
//! folder of transcripts) as they were recognised. `AURICLE_CALLS` names another folder of calls.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use auricle_contracts::{Party, Transcript, Utterance, Word};
use serde::Deserialize;

use super::TalkTracker;
use crate::{Spoken, TalkEvent};

#[derive(Deserialize)]
struct Call {
    file: String,
    seconds: f64,
    turns: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    role: Party,
    start: f64,
    end: f64,
    text: String,
    labels: Vec<String>,
    words: Vec<(String, f64, f64)>,
}

const fn ms(secs: f64) -> u64 {
    (secs * 1000.0).round() as u64
}

fn utterance(said: &Said) -> Utterance {
    let words = said.words.iter().map(|(word, start, end)| Word {
        w: word.clone(),
        start_ms: ms(*start),
        end_ms: ms(*end),
    });
    Utterance {
        party: said.role,
        channel: u16::from(said.role == Party::Customer),
        start_ms: ms(said.start),
        end_ms: ms(said.end),
        text: said.text.clone(),
        spoken: said.words.iter().map(|(word, ..)| word.as_str()).collect(),
        confidence: 1.0,
        syllables: Vec::new(),
        words: words.collect(),
        voice: None,
    }
}

fn calls_folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("AURICLE_SHARED").map_or(root, PathBuf::from);
    std::env::var_os("AURICLE_CALLS")
        .map_or_else(|| shared.join("audio/zh-calls-dev"), PathBuf::from)
}

/// What the tracker tells of these utterances: labels with the time that they stand at.
fn told(utterances: &[Utterance], duration_ms: u64) -> Vec<(&'static str, u64)> {
    let mut order: Vec<usize> = (0..utterances.len()).collect();
    order.sort_by_key(|&idx| utterances[idx].end_ms);
    let (mut tracker, mut events) = (TalkTracker::default(), Vec::new());
    for idx in order {
        tracker.utterance(&Spoken::new(&utterances[idx], idx), &mut events);
    }
    tracker.finish(duration_ms, &mut events);
    let label = |event: &TalkEvent| match event {
        TalkEvent::Silence(silence) if silence.end_ms - silence.start_ms >= 4_000 => {
            Some(("dead_air", silence.end_ms))
        }
        TalkEvent::Interruption(over) if over.by == Party::Agent => {
            Some(("interruption", over.at_ms))
        }
        _ => None,
    };
    events.iter().filter_map(label).collect()
}

/// How many labels were found, of how many, among how many that were told; a label counts once a call.
#[derive(Debug, Default)]
struct Tally {
    n_right: usize,
    n_labelled: usize,
    n_told: usize,
}

fn tally(calls: &[Call], utterances: impl Fn(&Call) -> Vec<Utterance>) -> Tally {
    let mut tally = Tally::default();
    for call in calls {
        let told = told(&utterances(call), ms(call.seconds));
        let told: BTreeSet<&str> = told.into_iter().map(|(label, _)| label).collect();
        let labels = call.turns.iter().flat_map(|said| &said.labels);
        let labelled: BTreeSet<&str> = labels
            .map(String::as_str)
            .filter(|label| ["dead_air", "interruption"].contains(label))
            .collect();
        tally.n_right += told.intersection(&labelled).count();
        tally.n_labelled += labelled.len();
        tally.n_told += told.len();
        if told != labelled {
            say(&format!(
                "{}: told {told:?}, labelled {labelled:?}",
                call.file
            ));
        }
    }
    tally
}

fn say(line: &str) {
    eprintln!("{line}");
}

fn calls() -> Option<Vec<Call>> {
    let manifest = calls_folder().join("manifest.jsonl");
    let Ok(text) = std::fs::read_to_string(&manifest) else {
        say(
            "skipped: there are no labelled calls here; AURICLE_SHARED names the folder with `audio/zh-calls-dev`",
        );
        return None;
    };
    let calls = text.lines().filter(|line| !line.trim().is_empty());
    Some(
        calls
            .map(|line| serde_json::from_str(line).expect("a call of the manifest"))
            .collect(),
    )
}

#[test]
fn true_words_have_the_labelled_silences_and_interruptions() {
    let Some(calls) = calls() else { return };
    let tally = tally(&calls, |call| call.turns.iter().map(utterance).collect());
    say(&format!("true words: {tally:?}"));
    assert_eq!(tally.n_right, tally.n_labelled);
    assert_eq!(tally.n_told, tally.n_labelled);
}

#[test]
fn recognised_words_have_them() {
    let (Some(calls), Some(heard)) = (calls(), std::env::var_os("AURICLE_HEARD")) else {
        say("skipped: AURICLE_HEARD names no folder of transcripts");
        return;
    };
    let tally = tally(&calls, |call| {
        let stem = Path::new(&call.file)
            .file_stem()
            .expect("a recording's name");
        let path = Path::new(&heard).join(stem).with_extension("json");
        let text = std::fs::read_to_string(path).expect("a transcript for each call");
        let transcript: Transcript = serde_json::from_str(&text).expect("a transcript");
        transcript.utterances
    });
    say(&format!("recognised: {tally:?}"));
    assert!(tally.n_right * 100 >= tally.n_labelled * 90);
    assert!(tally.n_right * 100 >= tally.n_told * 90);
}
