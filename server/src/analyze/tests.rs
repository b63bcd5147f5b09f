//! Whole runs with a scripted recogniser: names, store, index, JSON files, going on.

mod scripted;

use std::fs;
use std::path::PathBuf;

use auricle_contracts::{CallId, Transcript};
use auricle_store::{CallRecord, CallState, Store};
use clap::Parser;

use super::*;
use crate::args::{AuricleArgs, Command};
use crate::config::{Config, Overrides};
use crate::index::CallSearch;
use crate::terminal::ColorChoice;
use scripted::Scripted;

/// A folder with recordings, and data in `data`.
struct Desk {
    folder: tempfile::TempDir,
    app: App,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("auricle.toml");
        fs::write(&config, "").unwrap();
        let config = Config::load(&Overrides {
            config: Some(config),
            data_dir: Some(folder.path().join("data")),
            log_filter: None,
        });
        let app = App::new(config.unwrap(), ColorChoice::Never).unwrap();
        Self { folder, app }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// `analyze` in this folder; words that name something in it are paths.
    fn args(&self, words: &str) -> AnalyzeArgs {
        let words = words.split_whitespace().map(|word| {
            if word.contains('.') || word.ends_with('/') {
                self.path(word).display().to_string()
            } else {
                word.to_owned()
            }
        });
        let words = ["auricle", "analyze", "--jobs", "1"]
            .map(str::to_owned)
            .into_iter()
            .chain(words);
        match AuricleArgs::try_parse_from(words).unwrap().command {
            Command::Analyze(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    fn try_run(&self, words: &str, said: &'static str) -> Result<RunReport> {
        let request = Request::read(&self.app, &self.args(words))?;
        let app = &self.app;
        let (judges, lock) = (Judges::load(&app.config)?, app.config.data.lock()?);
        let (mut speech, stop) = (Scripted::saying(said), AtomicBool::new(false));
        analyze(app, request, &mut speech, &judges, &stop, &lock)
    }

    /// Runs, and gives how many were heard, were unchanged, failed.
    fn run(&self, words: &str) -> (u64, u64, u64) {
        let counts = self.try_run(words, "您好").unwrap().counts;
        (counts.n_done, counts.n_skipped, counts.n_failed)
    }

    fn call(&self, name: &str) -> CallRecord {
        let store = self.app.existing_store().unwrap();
        let call = self.app.runtime.block_on(store.call(&CallId(name.into())));
        call.unwrap().unwrap()
    }

    fn json(&self, name: &str) -> Transcript {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn found(&self, query: &str) -> Vec<String> {
        let search = CallSearch::open(&self.app.config.data.index()).unwrap();
        let found = search.calls_with(query).unwrap();
        found.into_iter().map(|call| call.0).collect()
    }
}

/// 8 kHz, 16 bit, mono: silence, a loud second, silence; `seed` makes the bytes differ.
fn wav(seed: u8) -> Vec<u8> {
    let loud = (0..8_000_i16).map(|n| if n % 20 < 10 { 9_000 } else { -9_000 });
    let silence = std::iter::repeat_n(0, 8_000);
    let samples = silence.clone().chain(loud).chain(silence);
    let data = samples
        .chain([i16::from(seed)])
        .flat_map(i16::to_le_bytes)
        .collect::<Vec<_>>();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn a_call_is_heard_saved_found_and_not_heard_again() {
    let desk = Desk::new();
    desk.put("in/客户 一.wav", wav(1));
    assert_eq!(desk.run("in/ --out out/"), (1, 0, 0));
    let heard = desk.json("out/客户 一.json");
    assert_eq!(heard.utterances.len(), 1, "{heard:?}");
    assert_eq!(heard.utterances[0].spoken, "您好");
    assert_eq!(desk.found("您好"), ["客户 一"]);

    fs::remove_dir_all(desk.path("out")).unwrap();
    assert_eq!(desk.run("in/ --out out/"), (0, 1, 0));
    assert_eq!(desk.json("out/客户 一.json"), heard);
    // What means the same is the same, however it is written.
    assert_eq!(desk.run("in/ --channels agent=0,customer=1"), (0, 1, 0));
    assert_eq!(desk.run("in/../in/ --channels agent=left"), (0, 1, 0));
    assert_eq!(desk.call("客户 一").version, 1);

    assert_eq!(desk.run("in/ --channels agent=right"), (1, 0, 0));
    assert_eq!(desk.run("in/ --channels agent=right --force"), (1, 0, 0));
    desk.put("in/客户 一.wav", wav(2));
    assert_eq!(desk.run("in/ --channels agent=right"), (1, 0, 0));
}

#[test]
fn two_recordings_of_one_name_never_share_a_file() {
    let desk = Desk::new();
    desk.put("a/x.wav", wav(1));
    desk.put("b/x.wav", wav(2));
    assert_eq!(desk.run("b/"), (1, 0, 0));
    assert_eq!(desk.run("a/ b/ --out out/"), (1, 1, 0));
    assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 2);
    assert!(desk.json("out/x.json").file.ends_with("b/x.wav"));
    assert_eq!(desk.run("a/ b/ --out out/"), (0, 2, 0));
    assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 2);
}

#[test]
fn metadata_stays_until_it_is_said_anew() {
    let desk = Desk::new();
    desk.put("in/x.wav", wav(1));
    desk.put(
        "calls.csv",
        "file,agent,started_at\nx,A7,2026-11-20T08:00:00Z\n",
    );
    assert_eq!(
        desk.run("in/ --metadata calls.csv --campaign loans"),
        (1, 0, 0)
    );
    assert_eq!(desk.run("in/ --out out/"), (0, 1, 0));
    let known = desk.json("out/x.json").metadata;
    assert_eq!(known.agent.as_deref(), Some("A7"));
    assert_eq!(known.campaign.as_deref(), Some("loans"));
    assert!(known.started_at.is_some());
    assert_eq!(desk.run("in/ --campaign cards --out out/"), (0, 1, 0));
    assert_eq!(
        desk.json("out/x.json").metadata.campaign.as_deref(),
        Some("cards")
    );
    assert_eq!(desk.found("agent:A7 campaign:cards 您好"), ["x"]);

    desk.put("in/x.wav", "no sound any more");
    assert_eq!(desk.run("in/"), (0, 0, 1));
    let failed = desk.call("x");
    assert_eq!(failed.state, CallState::Failed);
    assert_eq!(failed.recording.metadata.agent.as_deref(), Some("A7"));
}

#[test]
fn a_failure_that_passed_needs_no_hearing() {
    let desk = Desk::new();
    desk.put("in/x.wav", wav(1));
    assert_eq!(desk.run("in/"), (1, 0, 0));
    fs::rename(desk.path("in/x.wav"), desk.path("kept")).unwrap();
    desk.put("in/x.wav", "");
    assert_eq!(desk.run("in/"), (0, 0, 1));
    fs::rename(desk.path("kept"), desk.path("in/x.wav")).unwrap();
    assert_eq!(desk.run("in/"), (0, 1, 0));
    let call = desk.call("x");
    assert_eq!((call.state, call.error), (CallState::Done, None));
    assert_eq!(desk.found("您好"), ["x"]);
}

#[test]
fn a_recording_without_a_model_fails_alone() {
    let desk = Desk::new();
    desk.put("in/x.wav", wav(1));
    desk.put("in/y.wav", wav(2));
    desk.put("calls.csv", "file,campaign\nx,broken\n");
    let report = desk.try_run("in/ --metadata calls.csv", "您好").unwrap();
    assert_eq!((report.counts.n_done, report.counts.n_failed), (1, 1));
    assert!(report.failures[0].cause.contains("is damaged"));
    assert_eq!(desk.found("您好"), ["y"]);
    // Where nothing can be heard, nothing is begun.
    let error = desk.try_run("in/ --campaign broken --metadata calls.csv", "您好");
    assert!(error.unwrap_err().to_string().contains("is damaged"));
}

#[test]
fn who_hears_again_says_what_calls_are_assessed_with() {
    let desk = Desk::new();
    desk.put("in/a.wav", wav(1));
    let app = &desk.app;
    let insight = crate::judge::InsightConfig {
        packs: vec!["zh-finance".into()],
        ..app.config.insight.clone()
    };
    let judges = Judges::load_with(&app.config, &insight, &crate::judge::Asked::default()).unwrap();
    let others = Judges::load(&app.config).unwrap();
    let request = Request::read(app, &desk.args("in/")).unwrap();
    let (mut speech, stop) = (Scripted::saying("您好"), AtomicBool::new(false));
    let lock = app.config.data.lock().unwrap();
    analyze(app, request, &mut speech, &judges, &stop, &lock).unwrap();
    let call_id = CallId("a".into());
    let store = app.store().unwrap();
    let assessed = || app.runtime.block_on(store.assessed_with(&call_id)).unwrap();
    let said = app
        .runtime
        .block_on(store.transcript(&call_id))
        .unwrap()
        .unwrap();
    let print = &judges.of(&said).print;
    assert_ne!(*print, others.of(&said).print);
    let by_these = Some((1, print.clone()));
    assert_eq!(assessed(), by_these);

    // Rules of another day do not change what was found: that is for `rescore`.
    drop(lock);
    let report = desk.try_run("in/ --out out/", "您好").unwrap();
    assert_eq!((report.counts.n_skipped, report.n_by_other_rules), (1, 1));
    assert_eq!(assessed(), by_these);
    assert_eq!(
        desk.json("out/a.json").metadata.agent,
        None,
        "it is written"
    );
}

#[test]
fn silenced_copies_are_made_of_what_the_store_knows() {
    let desk = Desk::new();
    desk.put("in/a.wav", wav(1));
    assert_eq!(desk.run("in/"), (1, 0, 0));
    let copy = desk.path("copies/a.wav");
    assert_eq!(
        desk.run("in/ --redact-audio copies/"),
        (0, 1, 0),
        "not heard again"
    );
    let made = fs::read(&copy).unwrap();
    assert!(made.len() >= wav(1).len(), "it has all of the recording");
    fs::write(&copy, b"RIFF").unwrap();
    assert_eq!(desk.run("in/ --redact-audio copies/"), (0, 1, 0));
    assert_eq!(fs::read(&copy).unwrap(), made, "a stale one is made anew");
    fs::remove_file(&copy).unwrap();
    assert_eq!(desk.run("in/ --redact-audio copies/"), (0, 1, 0));
    assert_eq!(fs::read(&copy).unwrap(), made);

    // By what is in force, though rules of another day found it.
    let heard = desk.app.store().unwrap();
    let call_id = CallId("a".into());
    let said = desk.app.runtime.block_on(heard.transcript(&call_id));
    let said = said.unwrap().unwrap();
    let found = auricle_contracts::Assessment {
        pii: vec![auricle_contracts::PiiSpan {
            kind: auricle_contracts::PiiKind::Phone,
            party: auricle_contracts::Party::Customer,
            start_ms: 100,
            end_ms: 300,
            places: Vec::new(),
        }],
        ..Default::default()
    };
    let record = auricle_store::AssessmentRecord {
        call_id,
        transcript_version: 1,
        rules_fingerprint: "others".into(),
        made_at: "2026-11-20T10:00:00Z".into(),
        assessment: found.clone(),
    };
    let records = [record];
    let saved = heard.save_assessments(&records);
    desk.app.runtime.block_on(saved).unwrap();
    assert_eq!(desk.run("in/ --redact-audio copies/"), (0, 1, 0));
    let copies = desk.path("copies");
    let current = crate::redact::current_copy(&copies, &said, &found, "");
    assert_eq!(current, Some(copy.clone()));
    let made = fs::read(&copy).unwrap();

    // Imported over it: still copied, still not heard.
    let store = desk.app.store().unwrap();
    let recording = desk.call("a").recording;
    let imported = store.transcript(&recording.call_id);
    let imported = desk.app.runtime.block_on(imported).unwrap().unwrap();
    let prints = auricle_store::Fingerprints::default();
    let save = store.save_done(None, &recording, &prints, &imported, "2026-11-20T08:00:00Z");
    desk.app.runtime.block_on(save).unwrap();
    assert_eq!(desk.run("in/ --redact-audio others/"), (0, 1, 0));
    assert_eq!(fs::read(desk.path("others/a.wav")).unwrap(), made);

    // Where a copy cannot be made that is said, and what was heard is kept.
    desk.put("in/b.wav", wav(2));
    fs::create_dir(desk.path("others/b.wav")).unwrap();
    let report = desk
        .try_run("in/b.wav --redact-audio others/", "您好")
        .unwrap();
    assert_eq!((report.counts.n_done, report.counts.n_failed), (0, 1));
    assert!(report.failures[0].cause.contains("no silenced copy"));
    assert_eq!(desk.call("b").state, CallState::Done);
}

/// `/dev/full` takes no byte, as a full disk does.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_for_silenced_copies_ends_the_run() {
    let desk = Desk::new();
    let n_calls = 6;
    for seed in 0..n_calls {
        desk.put(&format!("in/{seed}.wav"), wav(seed));
    }
    fs::create_dir(desk.path("copies")).unwrap();
    std::os::unix::fs::symlink("/dev/full", desk.path("copies/0.wav.part")).unwrap();
    let report = desk.try_run("in/ --redact-audio copies/", "您好").unwrap();
    let counts = report.counts;
    assert!(report.is_disk_full, "{report:?}");
    assert_eq!((counts.n_failed, report.exit()), (1, Exit::Failed));
    // Some were under way.
    assert!(report.n_left > 0, "{report:?}");
    let n_counted = counts.n_done + counts.n_failed + report.n_left;
    assert_eq!(n_counted, u64::from(n_calls), "each once");
    assert_eq!(desk.call("0").state, CallState::Done, "it was heard");
    assert!(!desk.path("copies/0.wav").exists());
}

#[test]
fn copies_lie_apart_from_recordings() {
    let desk = Desk::new();
    desk.put("in/a.wav", wav(1));
    let recorded = fs::read(desk.path("in/a.wav")).unwrap();
    for words in [
        "in/ --redact-audio in/",
        "in/a.wav --redact-audio in/../in/",
    ] {
        let refused = desk.try_run(words, "您好").unwrap_err().to_string();
        assert!(refused.contains("holds recordings"), "{refused}");
    }
    assert_eq!(fs::read(desk.path("in/a.wav")).unwrap(), recorded);
    assert_eq!(fs::read_dir(desk.path("in")).unwrap().count(), 1);
    // Beside them is far enough, until they are searched, too.
    assert_eq!(desk.run("in/ --redact-audio in/copies/"), (1, 0, 0));
    let refused = desk.try_run("in/ --redact-audio in/copies/", "您好");
    refused.unwrap_err();
}

#[test]
fn an_imported_call_is_not_replaced() {
    let desk = Desk::new();
    desk.put("in/x.wav", wav(1));
    desk.run("in/ --out out/");
    let other = Desk::new();
    other.put("in/x.wav", wav(2));
    let store = other.app.store().unwrap();
    let imported = desk.json("out/x.json");
    let recording = auricle_store::Recording {
        call_id: imported.call_id.clone(),
        file: "far/x.wav".into(),
        path: "far/x.wav".into(),
        size_bytes: 0,
        legs: Vec::new(),
        lines: Vec::new(),
        keys_pressed: Vec::new(),
        metadata: imported.metadata.clone(),
    };
    let prints = auricle_store::Fingerprints::default();
    let save = store.save_done(None, &recording, &prints, &imported, "2026-11-20T08:00:00Z");
    other.app.runtime.block_on(save).unwrap();
    let report = other.try_run("in/", "再见").unwrap();
    assert_eq!(report.counts.n_done, 1);
    assert_eq!(other.found("再见").len(), 1);
    assert_eq!(other.found("您好"), ["x"]);
}

#[test]
fn an_imported_call_of_this_very_recording_is_left_as_it_is() {
    let desk = Desk::new();
    desk.put("in/x.wav", wav(1));
    desk.run("in/../in/ --out out/");
    let mut corrected = desk.json("out/x.json");
    corrected.utterances[0].spoken = "再见".into();
    corrected.utterances[0].text = "再见。".into();
    // At the path of the recording, as a fresh installation has it, and over the call that was heard.
    let fresh = Desk::new();
    let files = [
        fresh.path("in/x.wav").display().to_string(),
        corrected.file.clone(),
    ];
    for (mut desk, file) in [fresh, desk].into_iter().zip(files) {
        desk.put("in/x.wav", wav(1));
        let here = Transcript {
            file,
            ..corrected.clone()
        };
        desk.put("back.json", serde_json::to_string(&here).unwrap());
        let back = desk.path("back.json").display().to_string();
        let words = ["auricle", "import", "--replace", back.as_str()];
        let Command::Import(args) = AuricleArgs::try_parse_from(words).unwrap().command else {
            panic!("this is import");
        };
        let exit = crate::commands::import::run(&mut desk.app, &args).unwrap();
        assert_eq!(exit, Exit::Done);

        assert_eq!(desk.run("in/ --out again/"), (0, 1, 0));
        assert_eq!(desk.json("again/x.json"), here);
        assert_eq!(desk.run("in/ --campaign cards"), (0, 1, 0));
        assert_eq!(desk.found("campaign:cards 再见"), ["x"]);
        assert_eq!(desk.run("in/ --campaign loans --force"), (1, 0, 0));
        assert_eq!(desk.found("您好"), ["x"]);
        assert!(desk.found("再见").is_empty());
    }
}

/// Names as archives made on Windows leave them, and names with control characters.
#[test]
#[cfg(target_os = "linux")]
fn recordings_are_heard_whatever_bytes_their_names_have() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    let names = [
        &b"\xbf\xcd.wav"[..],
        b"\xbb\xa7.wav",
        b"a\nb.wav",
        b"a_b.wav",
    ];
    for (seed, name) in names.into_iter().enumerate() {
        let path = desk.path("in").join(OsStr::from_bytes(name));
        fs::write(path, wav(seed as u8)).unwrap();
    }
    assert_eq!(desk.run("in/ --out out/"), (4, 0, 0));
    assert_eq!(desk.run("in/ --out out/"), (0, 4, 0));
    assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 4);
    let found = desk.found("您好");
    assert_eq!(found[..2], ["%BB%A7", "%BF%CD"]);
    assert_eq!(found[2], "a_b");
    assert!(found[3].starts_with("a_b-"), "{found:?}");
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let mut desk = Desk::new();
    desk.put("in/x.wav", wav(1));
    let request = Request::read(&desk.app, &desk.args("in/ --out out/ --dry-run")).unwrap();
    let mut speech = Scripted::saying("您好");
    let exit = dry_run(&mut desk.app, &request, &mut speech).unwrap();
    assert_eq!(exit, Exit::Done);
    assert!(!desk.path("data").exists() && !desk.path("out").exists());
}

#[test]
fn what_one_undecodable_transcript_holds_back_is_itself() {
    use sea_orm::ConnectionTrait;
    let desk = Desk::new();
    desk.put("in/x.wav", wav(1));
    desk.put("in/y.wav", wav(2));
    assert_eq!(desk.run("in/"), (2, 0, 0));
    let database = desk.app.config.data.database();
    desk.app.runtime.block_on(async {
        let address = format!("sqlite://{}", database.display());
        let db = sea_orm::Database::connect(address).await.unwrap();
        let damage = "UPDATE transcripts SET body = x'00' WHERE call_id = 'x'";
        db.execute_unprepared(damage).await.unwrap();
        let store = Store::open(&database).await.unwrap();
        store.forget_index().await.unwrap();
    });
    crate::index::remove(&desk.app.config.data.index()).unwrap();
    desk.put("in/z.wav", wav(3));
    assert_eq!(desk.run("in/z.wav"), (1, 0, 0));
    assert_eq!(desk.found("您好"), ["y", "z"]);
    assert_eq!(desk.run("in/ --out out/"), (0, 2, 1));
    assert_eq!(desk.run("in/ --out out/ --force"), (3, 0, 0));
}
