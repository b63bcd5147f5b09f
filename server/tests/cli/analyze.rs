//! `analyze` through the real binary. What needs a recogniser runs where one is at hand.

use std::fs;
use std::path::PathBuf;

use auricle_contracts::Transcript;

use crate::desk::{Desk, Run, shared};

/// A desk with the models of the shared folder, if they and ONNX Runtime are there.
fn desk_with_models() -> Option<(Desk, PathBuf)> {
    let Some(shared) = shared() else {
        println!("skipped: there is no shared folder (AURICLE_SHARED)");
        return None;
    };
    let desk = Desk::new();
    let models = shared.join("models").display().to_string();
    let native = native_folder();
    desk.put(
        "auricle.toml",
        format!("[models]\ndir = {models:?}\n[native]\n{native}"),
    );
    let doctor = desk.run(&["doctor"]);
    if doctor.code != Some(0) {
        println!("skipped: analyze would not work here:\n{}", doctor.out);
        return None;
    }
    Some((desk, shared))
}

/// The checkout's own copy of the libraries: tests run in folders outside of it.
fn native_folder() -> String {
    let library = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../.native/lib/libonnxruntime.so"
    );
    if fs::exists(library).unwrap() {
        format!("onnxruntime = {library:?}\n")
    } else {
        String::new()
    }
}

fn read(desk: &Desk, name: &str) -> Transcript {
    serde_json::from_slice(&fs::read(desk.path(name)).unwrap()).unwrap()
}

/// One second of 8 kHz, 16 bit, mono.
fn wav(samples: impl Iterator<Item = i16>) -> Vec<u8> {
    let data = samples.flat_map(i16::to_le_bytes).collect::<Vec<_>>();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn nothing_to_hear_is_a_mistake_and_nothing_is_loaded() {
    let desk = Desk::new();
    fs::create_dir(desk.path("empty")).unwrap();
    desk.fails(
        &["analyze", "empty"],
        2,
        &["no recordings in `empty`", "wav"],
    );
}

#[test]
fn without_models_it_says_how_to_get_them() {
    let desk = Desk::new();
    desk.put("a.wav", wav(std::iter::repeat_n(0, 8000)));
    desk.fails(&["analyze", "a.wav"], 1, &["hint: `auricle models pull"]);
    desk.fails(
        &["analyze", "a.wav", "--model", "no-such"],
        2,
        &["`--model`: no model is called"],
    );
    desk.fails(
        &["analyze", "a.wav", "--model", "zh"],
        2,
        &["that is a language; its models are zh-zipformer-3.3m"],
    );
    desk.fails(
        &["analyze", "a.wav", "--model", "silero-vad"],
        2,
        &["`--model`: model `silero-vad` (vad) cannot be used here"],
    );
}

/// As editors and spreadsheets of Chinese Windows save by default.
#[test]
fn lists_and_tables_in_gbk_are_refused_with_a_hint() {
    let desk = Desk::new();
    desk.put("a.wav", wav(std::iter::repeat_n(0, 8000)));
    desk.put("words.txt", b"\xbf\xcd\xbb\xa7\n");
    desk.put("m.csv", b"file,agent\na,\xbf\xcd\n");
    let told = "`words.txt`: not UTF-8 in line 1\nhint: save it as UTF-8";
    desk.fails(&["analyze", "a.wav", "--hotwords", "words.txt"], 2, &[told]);
    let told = "metadata `m.csv`: not UTF-8 in line 2\nhint: save it as UTF-8";
    desk.fails(&["analyze", "a.wav", "--metadata", "m.csv"], 2, &[told]);
}

#[test]
fn engines_that_are_not_built_in_say_so() {
    let desk = Desk::new();
    desk.put("a.wav", wav(std::iter::repeat_n(0, 8000)));
    if cfg!(not(feature = "vosk")) {
        desk.fails(
            &["analyze", "a.wav", "--engine", "vosk"],
            2,
            &["not built", "--features vosk"],
        );
    }
    if cfg!(not(feature = "whisper")) {
        desk.fails(
            &["analyze", "a.wav", "--second-pass"],
            2,
            &["--features whisper"],
        );
    }
}

#[test]
fn calls_are_heard_saved_found_and_not_heard_again() {
    let Some((desk, shared)) = desk_with_models() else {
        return;
    };
    fs::create_dir(desk.path("录音 1")).unwrap();
    fs::copy(
        shared.join("audio/zh-calls-dev/dev-01.wav"),
        desk.path("录音 1/客户 投诉.wav"),
    )
    .unwrap();
    desk.put("calls.csv", "file,agent,campaign\n客户 投诉.wav,A7,loans\n");
    let args = [
        "analyze",
        "录音 1",
        "--out",
        "out",
        "--metadata",
        "calls.csv",
        "--json",
    ];
    let summary = desk.ok(&args);
    let summary = serde_json::from_str::<serde_json::Value>(&summary).unwrap();
    assert_eq!(
        (summary["done"].as_u64(), summary["failed"].as_u64()),
        (Some(1), Some(0))
    );

    let heard = read(&desk, "out/客户 投诉.json");
    assert_eq!(heard.call_id.0, "客户 投诉");
    assert_eq!(heard.metadata.agent.as_deref(), Some("A7"));
    assert!(heard.utterances.len() > 3, "{}", heard.utterances.len());
    assert!(
        heard
            .utterances
            .is_sorted_by_key(|utterance| utterance.start_ms)
    );
    let word = &heard.utterances[0]
        .spoken
        .chars()
        .take(2)
        .collect::<String>();
    assert!(desk.ok(&["search", word]).contains("客户 投诉"));
    assert!(desk.ok(&["show", "客户"]).contains("agent"));

    fs::remove_dir_all(desk.path("out")).unwrap();
    let again = desk.ok(&args);
    let again = serde_json::from_str::<serde_json::Value>(&again).unwrap();
    assert_eq!(
        (again["done"].as_u64(), again["skipped"].as_u64()),
        (Some(0), Some(1))
    );
    assert_eq!(
        read(&desk, "out/客户 投诉.json"),
        heard,
        "written from the store"
    );

    let same = desk.ok(&["analyze", "录音 1", "--beam", "8", "--json"]);
    assert!(same.contains("\"skipped\": 1"), "the default: {same}");
    let beam = desk.ok(&["analyze", "录音 1", "--beam", "1", "--json"]);
    assert!(
        beam.contains("\"done\": 1"),
        "another setting, another transcript: {beam}"
    );
}

#[test]
fn bad_recordings_fail_with_their_cause_and_the_others_are_heard() {
    let Some((desk, shared)) = desk_with_models() else {
        return;
    };
    desk.put("in/empty.wav", "");
    desk.put("in/text.wav", "this is no sound, whatever it is called");
    desk.put("in/header only.wav", &wav(std::iter::empty())[..44]);
    desk.put("in/silent.wav", wav(std::iter::repeat_n(0, 16_000)));
    desk.put("in/sub/silent.wav", wav(std::iter::repeat_n(0, 8_000)));
    let whole = fs::read(shared.join("audio/zh-dev/zh-dev-001.wav")).unwrap();
    desk.put("in/cut.wav", &whole[..whole.len() / 2]);
    let run = desk.fails(
        &["analyze", "in", "no such.wav", "--out", "out"],
        1,
        &[
            "empty.wav",
            "text.wav",
            "header only.wav",
            "no such.wav",
            "failed (4)",
        ],
    );
    assert!(
        run.err.contains("another call is named `silent`"),
        "{}",
        run.err
    );
    let silent = read(&desk, "out/silent.json");
    assert!(silent.utterances.is_empty());
    assert!(
        silent
            .warnings
            .iter()
            .any(|warning| warning.contains("no sound")),
        "{silent:?}"
    );
    let cut = read(&desk, "out/cut.json");
    assert!(
        cut.warnings
            .iter()
            .any(|warning| warning.contains("truncated")),
        "{:?}",
        cut.warnings
    );
    assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 3);
    assert_eq!(desk.ok(&["export"]).lines().count(), 3);

    // What cannot be heard again is still there.
    desk.put("in/cut.wav", "damaged since");
    desk.fails(&["analyze", "in/cut.wav"], 1, &["failed (1)"]);
    assert_eq!(desk.ok(&["export", "cut"]).lines().count(), 1);
    assert_eq!(desk.ok(&["export"]).lines().count(), 3);
    let shown = desk.ok(&["show", "cut"]);
    assert!(shown.contains("! hearing it again failed"), "{shown}");
    assert!(!shown.contains('\u{fffd}'), "{shown}");
    desk.fails(&["export", "empty"], 1, &["no transcript"]);
}

#[test]
fn a_run_that_was_killed_goes_on() {
    let Some((desk, shared)) = desk_with_models() else {
        return;
    };
    for call in 1..=6 {
        let name = format!("dev-{call:02}.wav");
        fs::create_dir_all(desk.path("in")).unwrap();
        fs::copy(
            shared.join("audio/zh-calls-dev").join(&name),
            desk.path("in").join(&name),
        )
        .unwrap();
    }
    let mut child = desk
        .command(&["analyze", "in", "--jobs", "1", "--out", "out"])
        .spawn()
        .unwrap();
    while fs::read_dir(desk.path("out")).map_or(0, Iterator::count) < 2 {
        std::thread::yield_now();
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let saved = desk.ok(&["export"]).lines().count();
    assert!(saved >= 2, "{saved}");
    let rest = desk.ok(&["analyze", "in", "--out", "out", "--json"]);
    let rest = serde_json::from_str::<serde_json::Value>(&rest).unwrap();
    assert_eq!(
        rest["skipped"].as_u64(),
        Some(saved as u64),
        "nothing is heard twice"
    );
    assert_eq!(rest["done"].as_u64(), Some(6 - saved as u64));
    assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 6);
    let found = Run::of(
        desk.command(&["search", "call:dev*", "--limit", "50"])
            .output()
            .unwrap(),
    );
    assert!(found.out.contains("in 6 calls"), "{}", found.out);
}

#[test]
fn a_dry_run_hears_nothing() {
    let Some((desk, _)) = desk_with_models() else {
        return;
    };
    desk.put("in/a.wav", wav(std::iter::repeat_n(0, 16_000)));
    desk.put("bad.wav", "");
    let plan = desk.fails(&["analyze", "bad.wav", "--dry-run"], 1, &["is empty"]);
    assert!(plan.out.starts_with("fail"), "{}", plan.out);
    let plan = desk.ok(&["analyze", "in", "--dry-run"]);
    assert!(plan.starts_with("hear"), "{plan}");
    assert!(plan.contains("2 s"), "{plan}");
    assert!(!desk.path("data/auricle.db").exists() && !desk.path("data/cache").exists());
    desk.ok(&["analyze", "in"]);
    assert!(
        desk.ok(&["analyze", "in", "--dry-run"])
            .starts_with("unchanged")
    );
}
