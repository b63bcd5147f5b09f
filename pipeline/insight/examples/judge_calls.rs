//! Finds what labelled calls are labelled with: `judge_calls MANIFEST_DIR [HEARD_DIR] [--why]
//! [--intents FILE]`, run in the workspace's root.
//!
//! MANIFEST_DIR has a `manifest.jsonl` with a call a line: its true turns, with word times, and its labels.
//! HEARD_DIR has what was recognised of each, as `analyze --out` writes it; without it the true turns are judged.
//! A label is given where a rule of its name fired or a customer's utterance has an intent of its name.
//! `--why` tells of each false and each missed one; `--intents` takes another text classifier.

#![expect(clippy::print_stdout, reason = "a command")]

#[path = "../tests/common/pack.rs"]
mod pack;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auricle_contracts::{
    Assessment, CallId, CallMetadata, ChannelLayout, Party, Transcript, Utterance, Word,
};
use auricle_insight::intent::{IntentModel, Language};
use auricle_insight::rules::RuleSet;
use auricle_insight::{CallRun, Judge};
use serde::Deserialize;

use pack::read_pack;

const PACK: &str = "packs/zh-telemarketing.yaml";
/// Labels that count though no call may have them.
const ALWAYS_COUNTED: [&str; 2] = ["interruption", "dead_air"];

type Fallible<T> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
struct LabelledCall {
    file: String,
    seconds: f64,
    labels: BTreeSet<String>,
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    role: Party,
    start: f64,
    end: f64,
    text: String,
    labels: Vec<String>,
    words: Vec<(String, f64, f64)>,
}

/// How often a label was given, over calls.
#[derive(Default)]
struct Tally {
    found: usize,
    missed: usize,
    wrong: usize,
}

fn main() -> Fallible<()> {
    let mut folders = Vec::new();
    let (mut tells_why, mut intents) = (false, Language::Mandarin.model().clone());
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == OsStr::new("--why") {
            tells_why = true;
        } else if argument == OsStr::new("--intents") {
            let file = arguments.next().ok_or("`--intents` wants a file")?;
            intents = IntentModel::read(&fs::read(file)?)?;
        } else {
            folders.push(PathBuf::from(argument));
        }
    }
    let Some(manifest) = folders.first() else {
        return Err("usage: judge_calls MANIFEST_DIR [HEARD_DIR] [--why] [--intents FILE]".into());
    };
    let calls = read_manifest(&manifest.join("manifest.jsonl"))?;
    let known = calls.iter().flat_map(|call| call.labels.iter().cloned());
    let known: BTreeSet<String> = known.chain(ALWAYS_COUNTED.map(str::to_owned)).collect();
    let judge = read_judge(Path::new(PACK), intents)?;
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for call in &calls {
        let transcript = match folders.get(1) {
            Some(heard) => read_heard(heard, call)?,
            None => call.transcript(),
        };
        let assessment = CallRun::assess(&judge, &transcript);
        let given = given_labels(&assessment);
        for label in &known {
            let tally = tallies.entry(label).or_default();
            match (call.labels.contains(label), given.contains(label.as_str())) {
                (true, true) => tally.found += 1,
                (true, false) => {
                    tally.missed += 1;
                    if tells_why {
                        tell_missed(call, &transcript, label);
                    }
                }
                (false, true) => {
                    tally.wrong += 1;
                    if tells_why {
                        tell_wrong(call, &transcript, &assessment, label);
                    }
                }
                (false, false) => (),
            }
        }
    }
    report(&tallies);
    Ok(())
}

impl LabelledCall {
    fn transcript(&self) -> Transcript {
        Transcript {
            call_id: CallId(self.file.clone()),
            file: self.file.clone(),
            duration_ms: milliseconds(self.seconds),
            engine: String::new(),
            layout: ChannelLayout::PerParty,
            metadata: CallMetadata::default(),
            warnings: Vec::new(),
            utterances: self.turns.iter().map(Turn::utterance).collect(),
        }
    }
}

impl Turn {
    fn utterance(&self) -> Utterance {
        let words = self.words.iter().map(|(word, start, end)| Word {
            w: word.clone(),
            start_ms: milliseconds(*start),
            end_ms: milliseconds(*end),
        });
        Utterance {
            party: self.role,
            channel: u16::from(self.role == Party::Customer),
            start_ms: milliseconds(self.start),
            end_ms: milliseconds(self.end),
            text: self.text.clone(),
            spoken: self
                .text
                .chars()
                .filter(|letter| letter.is_alphanumeric())
                .collect(),
            confidence: 1.0,
            syllables: Vec::new(),
            words: words.collect(),
            voice: None,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a time in a call saturates where it must"
)]
fn milliseconds(secs: f64) -> u64 {
    (secs * 1000.0).round() as u64
}

fn read_manifest(path: &Path) -> Fallible<Vec<LabelledCall>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let calls = text.lines().map(serde_json::from_str);
    Ok(calls.collect::<Result<_, _>>()?)
}

fn read_heard(folder: &Path, call: &LabelledCall) -> Fallible<Transcript> {
    let path = folder.join(&call.file).with_extension("json");
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&bytes)?)
}

fn read_judge(pack: &Path, intents: IntentModel) -> Fallible<Judge> {
    let file = read_pack(pack).map_err(|error| format!("{}: {error}", pack.display()))?;
    let compiled = RuleSet::compile(&[file]).map_err(|mistakes| mistakes.to_string())?;
    Ok(Judge {
        rules: Arc::new(compiled.rules),
        card: None,
        intents: Arc::new(intents),
        emotions: None,
    })
}

fn given_labels(assessment: &Assessment) -> BTreeSet<&str> {
    let rules = assessment.hits.iter().map(|hit| hit.rule.as_str());
    let intents = assessment.utterances.iter();
    let intents = intents.flat_map(|utterance| &utterance.intents);
    rules
        .chain(intents.map(|intent| intent.label.as_str()))
        .collect()
}

fn tell_missed(call: &LabelledCall, transcript: &Transcript, label: &str) {
    println!("{} misses {label}", call.file);
    let of_label = |turn: &&Turn| turn.labels.iter().any(|one| one == label);
    for turn in call.turns.iter().filter(of_label) {
        println!("  said:  {}", turn.text);
        let (start_ms, end_ms) = (milliseconds(turn.start), milliseconds(turn.end));
        let is_heard = |heard: &&Utterance| {
            heard.party == turn.role && heard.start_ms < end_ms && heard.end_ms > start_ms
        };
        for heard in transcript.utterances.iter().filter(is_heard) {
            println!("  heard: {}", heard.spoken);
        }
    }
}

fn tell_wrong(call: &LabelledCall, transcript: &Transcript, assessment: &Assessment, label: &str) {
    println!("{} wrongly has {label}", call.file);
    for hit in assessment.hits.iter().filter(|hit| hit.rule == label) {
        println!("  rule:   {}", hit.why);
        let places = hit
            .evidence
            .iter()
            .filter_map(|evidence| evidence.utterance);
        for place in places {
            println!("          {}", transcript.utterances[place].spoken);
        }
    }
    for (utterance, insight) in transcript.utterances.iter().zip(&assessment.utterances) {
        for intent in insight
            .intents
            .iter()
            .filter(|intent| intent.label == label)
        {
            println!("  intent: {:.2} {}", intent.confidence, utterance.spoken);
        }
    }
}

fn report(tallies: &BTreeMap<&str, Tally>) {
    let mut sum = Tally::default();
    for (label, tally) in tallies {
        let Tally {
            found,
            missed,
            wrong,
        } = tally;
        println!("{label:22} found {found} missed {missed} false {wrong}");
        sum.found += found;
        sum.missed += missed;
        sum.wrong += wrong;
    }
    println!(
        "recall {:.1}% precision {:.1}% over {} labels",
        percent(sum.found, sum.found + sum.missed),
        percent(sum.found, sum.found + sum.wrong),
        sum.found + sum.missed
    );
}

#[expect(clippy::cast_precision_loss, reason = "counts of labels are small")]
fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
