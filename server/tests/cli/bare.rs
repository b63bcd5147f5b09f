//! What the program hears with the recogniser that it carries: calls of fixtures/audio/calls, said by a synthesiser.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::desk::{Desk, Run};

/// Most of the toneless syllables may be heard wrong.
const MOST_WRONG: f64 = 0.08;
/// A rule that fires where something is not said fires where that is misheard.
const MAY_FIRE: [&str; 1] = ["no_recording_notice"];
/// Stands for each syllable of what is personal.
const MASKED: &str = "*";
/// How far the span of a finding may lie beside what is true.
const NEAR_MS: f64 = 300.0;

pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The voice activity model comes with the packages of scripts/setup.sh.
pub(crate) fn desk_with_voice_activity() -> Option<(Desk, PathBuf)> {
    let models = checkout().join(".native/models");
    if models.join("silero-vad/silero_vad.onnx").is_file() {
        return Some((Desk::new(), models));
    }
    println!("skipped: there is no voice activity model (scripts/setup.sh fetches it)");
    None
}

fn manifest() -> Vec<Value> {
    let path = checkout().join("fixtures/audio/calls/manifest.jsonl");
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// Toneless syllables of all turns in the order they begin, but those of what is personal: that is masked.
fn said(call: &Value) -> Vec<String> {
    let turns = call["turns"].as_array().unwrap();
    let syllables = turns.iter().flat_map(|turn| {
        let mut syllables = texts(&turn["syllables"]);
        for span in turn["pii"].as_array().unwrap() {
            syllables.drain(place_of(turn, span));
        }
        syllables
    });
    syllables.map(|toned| bare(&toned)).collect()
}

fn heard(call: &Value) -> Vec<String> {
    let utterances = call["utterances"].as_array().unwrap().iter();
    let syllables = utterances.flat_map(|utterance| utterance["syllables"].as_array().unwrap());
    let toned = syllables.map(|syllable| syllable["s"].as_str().unwrap());
    toned.filter(|toned| *toned != MASKED).map(bare).collect()
}

/// Which words of a turn are a span's.
fn place_of(turn: &Value, span: &Value) -> Range<usize> {
    let words = turn["words"].as_array().unwrap();
    let text: Vec<&str> = words.iter().map(|word| word[0].as_str().unwrap()).collect();
    let wanted = span["text"].as_str().unwrap().chars().map(String::from);
    let wanted: Vec<String> = wanted.collect();
    let first = text
        .windows(wanted.len())
        .position(|part| part == wanted)
        .unwrap();
    first..first + wanted.len()
}

fn bare(toned: &str) -> String {
    toned
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .to_owned()
}

/// Letters, syllables or the like that were heard wrong.
pub(crate) fn edits(said: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (count, wanted) in said.iter().enumerate() {
        let mut above = row[0];
        row[0] = count + 1;
        for (at, found) in heard.iter().enumerate() {
            let best = (above + usize::from(wanted != found)).min(row[at].min(row[at + 1]) + 1);
            above = std::mem::replace(&mut row[at + 1], best);
        }
    }
    row[heard.len()]
}

/// Rules that fired and intents of anybody.
fn found(call: &Value) -> BTreeSet<String> {
    let utterances = call["utterances"].as_array().unwrap().iter();
    let intents = utterances.flat_map(|utterance| utterance["intents"].as_array().unwrap());
    let intents = intents.map(|intent| intent["label"].as_str().unwrap().to_owned());
    hits(call).into_iter().chain(intents).collect()
}

fn hits(call: &Value) -> BTreeSet<String> {
    let hits = call["hits"].as_array().unwrap().iter();
    hits.map(|hit| hit["rule"].as_str().unwrap().to_owned())
        .collect()
}

/// Kind and times in milliseconds of what is personal in a call of the manifest.
fn personal(call: &Value) -> Vec<(String, f64, f64)> {
    let turns = call["turns"].as_array().unwrap().iter();
    let of_turn = |turn: &Value| -> Vec<(String, f64, f64)> {
        let words = turn["words"].as_array().unwrap();
        let spans = turn["pii"].as_array().unwrap().iter();
        let span = |span: &Value| {
            let place = place_of(turn, span);
            let time = |word: usize, edge: usize| words[word][edge].as_f64().unwrap() * 1000.0;
            let kind = span["kind"].as_str().unwrap().to_owned();
            (kind, time(place.start, 1), time(place.end - 1, 2))
        };
        spans.map(span).collect()
    };
    turns.flat_map(of_turn).collect()
}

#[test]
fn a_bare_clone_hears_judges_and_finds() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let calls = checkout().join("fixtures/audio/calls");
    let run = |args: &[&str]| {
        let run = Run::of(
            desk.command(args)
                .env("AURICLE_MODELS", &models)
                .output()
                .unwrap(),
        );
        assert_eq!(run.code, Some(0), "{args:?}\n{}\n{}", run.out, run.err);
        run
    };
    let analysed = run(&["analyze", calls.to_str().unwrap(), "--out", "json"]);
    let line = "telephony-8k, bundled, demo grade, as zh-zipformer-3.3m is missing; `auricle models pull zh` for production";
    assert_eq!(analysed.err.matches(line).count(), 1, "{}", analysed.err);

    let (mut n_said, mut n_wrong, mut amiss) = (0, 0, Vec::new());
    for call in manifest() {
        let id = call["id"].as_str().unwrap();
        let text = fs::read_to_string(desk.path(&format!("json/{id}.json"))).unwrap();
        let given: Value = serde_json::from_str(&text).unwrap();
        let wanted = said(&call);
        n_said += wanted.len();
        n_wrong += edits(&wanted, &heard(&given));
        let found = found(&given);
        let labels: BTreeSet<String> = texts(&call["labels"]).into_iter().collect();
        let missed = labels.difference(&found);
        amiss.extend(missed.map(|label| format!("{id}: no {label}")));
        let rules = hits(&given);
        let invented = rules.difference(&labels);
        let unexpected = invented.filter(|rule| !MAY_FIRE.contains(&rule.as_str()));
        amiss.extend(unexpected.map(|rule| format!("{id}: {rule}, which nothing gives cause for")));
        let personal = personal(&call);
        let spans = given["pii"].as_array().unwrap();
        if spans.len() != personal.len() {
            amiss.push(format!(
                "{id}: {} of {}: {spans:?}",
                spans.len(),
                personal.len()
            ));
        }
        for (kind, start_ms, end_ms) in personal {
            let near = |span: &Value| {
                let at = |edge: &str| span[edge].as_f64().unwrap();
                span["kind"] == kind.as_str()
                    && (at("start_ms") - start_ms).abs() <= NEAR_MS
                    && (at("end_ms") - end_ms).abs() <= NEAR_MS
            };
            if !spans.iter().any(near) {
                amiss.push(format!(
                    "{id}: no {kind} at {start_ms}–{end_ms}: {}",
                    given["pii"]
                ));
            }
        }
    }
    let share = n_wrong as f64 / n_said as f64;
    println!("{n_wrong} of {n_said} syllables wrong");
    assert!(
        share <= MOST_WRONG,
        "{n_wrong} of {n_said} syllables are wrong"
    );
    assert!(amiss.is_empty(), "{amiss:#?}");

    let hits = run(&["search", "hit:promise_return"]).out;
    assert!(hits.contains("fixture-01"), "{hits}");
    let hits = run(&["search", "sound:保证收益~1"]).out;
    assert!(hits.contains("fixture-01"), "{hits}");
}

/// A folder with voice activity and a recogniser of one's own, `own-8k`, which is better by its card.
fn put_own_model(desk: &Desk, models: &Path) -> PathBuf {
    let copy = |from: PathBuf, to: &str| desk.put(to, fs::read(from).unwrap());
    let silero = "silero-vad/silero_vad.onnx";
    copy(models.join(silero), &format!("own/{silero}"));
    for file in ["model.onnx", "tokens.txt"] {
        let carried = checkout().join("models/telephony-8k").join(file);
        copy(carried, &format!("own/own-8k/{file}"));
    }
    let card = "name = 'own-8k'\nkind = 'asr-ctc'\nengine = 'ort'\nlanguages = ['zh']\nprofiles = ['telephony_8k']\n\
        description = ''\nlicence = ''\nsource = ''\n[[file]]\npath = 'model.onnx'\n[[file]]\npath = 'tokens.txt'\n";
    desk.put("own/cards/own-8k.toml", card);
    desk.path("own")
}

/// Hears a call; the engine that did, and what was said on standard error.
fn hear(desk: &Desk, more: &[&str], variables: &[(&str, &Path)]) -> (String, String) {
    let call = checkout().join("fixtures/audio/calls/fixture-11.wav");
    let args = [&["analyze", call.to_str().unwrap(), "--out", "json"], more].concat();
    let mut command = desk.command(&args);
    command.envs(variables.iter().copied());
    let run = Run::of(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{args:?}\n{}\n{}", run.out, run.err);
    let text = fs::read_to_string(desk.path("json/fixture-11.json")).unwrap();
    let call: Value = serde_json::from_str(&text).unwrap();
    (call["engine"].as_str().unwrap().to_owned(), run.err)
}

/// What a better model heard stays, though only what the program carries is here today.
#[test]
fn what_was_heard_better_is_not_heard_again() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let own = put_own_model(&desk, &models);
    let (engine, _) = hear(&desk, &[], &[("AURICLE_MODELS", &own)]);
    assert!(engine.ends_with("/own-8k"), "{engine}");
    let (engine, told) = hear(&desk, &[], &[("AURICLE_MODELS", &models)]);
    assert!(engine.ends_with("/own-8k"), "heard again: {engine}");
    assert!(told.contains("1 kept as a better model heard"), "{told}");
    let asked_for = ["--model", "telephony-8k"];
    let (engine, told) = hear(&desk, &asked_for, &[("AURICLE_MODELS", &models)]);
    assert!(engine.ends_with("/telephony-8k"), "{engine}");
    assert!(told.contains("bundled, demo grade, by `--model`"), "{told}");
}

#[test]
fn where_something_is_damaged_the_next_that_works_hears() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let own = put_own_model(&desk, &models);
    let whole = fs::read(own.join("own-8k/model.onnx")).unwrap();
    desk.put("own/own-8k/model.onnx", &whole[..whole.len() / 2]);
    let library = desk.put("libonnxruntime.so", "this is no library");
    let variables = [
        ("AURICLE_MODELS", own.as_path()),
        ("AURICLE_ONNXRUNTIME", &library),
    ];
    let (engine, told) = hear(&desk, &[], &variables);
    assert_eq!(engine, "tract/telephony-8k");
    for words in [
        "libonnxruntime.so` cannot be used",
        "tract runs the recogniser",
        "model `own-8k`",
        "bundled, demo grade, as own-8k cannot be loaded",
    ] {
        assert!(told.contains(words), "`{words}` in: {told}");
    }
    let mut doctor = desk.command(&["doctor"]);
    let doctor = Run::of(doctor.envs(variables).output().unwrap());
    assert_eq!(doctor.code, Some(0), "{}", doctor.out);
    assert!(
        doctor.out.contains("tract/telephony-8k hears instead"),
        "{}",
        doctor.out
    );
}

/// Whoever names a model gets that one or is told why not.
#[test]
fn a_model_asked_for_by_name_is_not_replaced() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", "[models.language]\nzh = 'zh-small'\n");
    let call = checkout().join("fixtures/audio/calls/fixture-11.wav");
    let config = desk.path("auricle.toml");
    let mut command = desk.command(&["--config", config.to_str().unwrap(), "analyze"]);
    let output = command.arg(call).env("AURICLE_MODELS", &models).output();
    let run = Run::of(output.unwrap());
    assert_ne!(run.code, Some(0), "{}", run.err);
    let told = format!("{}{}", run.out, run.err);
    assert!(
        told.contains("model `zh-zipformer-3.3m` is missing"),
        "{told}"
    );
}
