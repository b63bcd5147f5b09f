//! The store as its users meet it: saved, closed, opened again, shared, killed, damaged.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use auricle_contracts::{
    Assessment, CallId, CallMetadata, ChannelLayout, LineProblem, LineQuality, Party, PhoneKey,
    PressedKey, Scorecard, Transcript, Utterance, Word,
};
use auricle_store::{
    AssessmentRecord, CallCounts, CallFilter, CallKind, CallState, Effect, Fingerprints, Recording,
    RunCounts, ScoreVersion, Store, StoreError, parse_time_ms,
};

const NOW: &str = "2026-11-20T08:00:00Z";

fn id(name: &str) -> CallId {
    CallId(name.to_owned())
}

fn recording(name: &str) -> Recording {
    Recording {
        call_id: id(name),
        file: format!("{name}.wav"),
        path: format!("/calls/{name}.wav"),
        size_bytes: 1234,
        legs: Vec::new(),
        lines: Vec::new(),
        keys_pressed: Vec::new(),
        metadata: CallMetadata::default(),
    }
}

fn prints(audio: &str) -> Fingerprints {
    Fingerprints {
        audio_sha256: audio.into(),
        model: "m".into(),
        settings: "s".into(),
    }
}

fn transcript(name: &str, n_utterances: u64) -> Transcript {
    let utterance = |index: u64| Utterance {
        party: if index.is_multiple_of(2) {
            Party::Agent
        } else {
            Party::Customer
        },
        channel: (index % 2) as u16,
        start_ms: index * 1000,
        end_ms: index * 1000 + 800,
        text: format!("第{index}句，保证收益。"),
        spoken: format!("第{index}句保证收益"),
        confidence: 0.9,
        syllables: Vec::new(),
        words: vec![Word {
            w: "保证".into(),
            start_ms: 1,
            end_ms: 2,
        }],
        voice: None,
    };
    Transcript {
        call_id: id(name),
        file: format!("{name}.wav"),
        duration_ms: n_utterances * 1000,
        engine: "test/none".into(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: vec!["clipped".into()],
        utterances: (0..n_utterances).map(utterance).collect(),
    }
}

async fn save(store: &Store, name: &str) -> i64 {
    let heard = transcript(name, 3);
    store
        .save_done(None, &recording(name), &prints("a"), &heard, NOW)
        .await
        .unwrap()
}

async fn save_all(store: &Store, names: &[&str]) {
    for name in names {
        save(store, name).await;
    }
}

/// Notes that hearing this call failed.
async fn save_failed(store: &Store, name: &str) {
    let recording = recording(name);
    let failed = store.save_failed(None, &recording, "not audio", NOW);
    failed.await.unwrap();
}

/// What has a transcript.
fn heard_only() -> CallFilter {
    CallFilter {
        kind: CallKind::WithTranscript,
        ..CallFilter::default()
    }
}

fn database(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("数据 folder?#%20").join("auricle.db")
}

#[tokio::test]
async fn what_is_saved_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(&folder);
    let store = Store::open(&path).await.unwrap();
    let run = store.begin_run(NOW, 2).await.unwrap();
    for n_utterances in [3, 500] {
        let name = format!("call-{n_utterances}");
        let heard = transcript(&name, n_utterances);
        store
            .save_done(Some(run), &recording(&name), &prints("a"), &heard, NOW)
            .await
            .unwrap();
    }
    let counts = RunCounts {
        n_done: 2,
        ..RunCounts::default()
    };
    store
        .finish_run(run, counts, "2026-11-20T08:01:00Z")
        .await
        .unwrap();
    store.close().await.unwrap();
    assert!(path.exists(), "the file lies where it was asked for");

    let store = Store::open_existing(&path).await.unwrap();
    for n_utterances in [3, 500] {
        let name = format!("call-{n_utterances}");
        let read = store.transcript(&id(&name)).await.unwrap().unwrap();
        assert_eq!(read, transcript(&name, n_utterances));
        let call = store.call(&id(&name)).await.unwrap().unwrap();
        assert_eq!(call.state, CallState::Done);
        assert_eq!(call.fingerprints, prints("a"));
        assert_eq!(call.layout, Some(ChannelLayout::PerParty));
        assert_eq!(call.warnings, ["clipped"]);
        assert_eq!((call.version, call.is_indexed), (1, false));
    }
    let runs = store.runs(10).await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].counts, counts);
    assert_eq!(runs[0].finished_at.as_deref(), Some("2026-11-20T08:01:00Z"));
    store.check().await.unwrap();
}

#[tokio::test]
async fn lines_come_back_to_the_last_figure() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    let line = LineQuality {
        party: Party::Customer,
        codec: Some("g722".into()),
        expected: 3_000,
        received: 2_817,
        lost: 183,
        late: 4,
        duplicates: 1,
        not_agreed: 0,
        other_sources: 7,
        refused: 1,
        unreadable: 0,
        unauthentic: 0,
        left_out: 0,
        loss_percent: 6.23,
        jitter_ms: 2.4,
        max_jitter_ms: 19.7,
        burst_ratio: 1.31,
        mos: Some(2.87),
        drift_ppm: None,
        concealed_ms: 3_660,
        first_packet_ms: Some(80),
        last_packet_ms: Some(60_061),
        loudest_dbfs: Some(-13.9),
        problems: vec![LineProblem::HighLoss],
    };
    let recording = Recording {
        lines: vec![line],
        ..recording("packets")
    };
    let heard = transcript("packets", 1);
    let done = store
        .save_done(None, &recording, &prints("a"), &heard, NOW)
        .await;
    done.unwrap();
    save(&store, "file").await;
    let lines = async |name| {
        let call = store.call(&id(name)).await.unwrap().unwrap();
        call.recording.lines
    };
    assert_eq!(lines("packets").await, recording.lines);
    assert!(lines("file").await.is_empty());
}

#[tokio::test]
async fn keys_that_were_pressed_come_back_masked_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    let pressed = |at_ms, duration_ms, key| PressedKey {
        party: Party::Customer,
        at_ms,
        duration_ms,
        key,
    };
    let recording = Recording {
        keys_pressed: vec![
            pressed(12_340, Some(120), PhoneKey::new('#')),
            pressed(13_000, None, None),
        ],
        ..recording("pressed")
    };
    let heard = transcript("pressed", 1);
    let prints = prints("a");
    let done = store.save_done(None, &recording, &prints, &heard, NOW);
    done.await.unwrap();
    save(&store, "file").await;
    let keys = async |name| {
        let call = store.call(&id(name)).await.unwrap().unwrap();
        call.recording.keys_pressed
    };
    assert_eq!(keys("pressed").await, recording.keys_pressed);
    assert!(keys("file").await.is_empty());
}

#[tokio::test]
async fn a_store_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(&folder);
    let error = Store::open_existing(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }));
    assert!(!path.exists());
}

#[tokio::test]
async fn pending_never_hides_what_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    save(&store, "done").await;
    save_failed(&store, "failed").await;
    let run = store.begin_run(NOW, 3).await.unwrap();
    let all = ["done", "failed", "new"].map(recording);
    store.save_pending(run, &all).await.unwrap();
    let state = async |name| store.call(&id(name)).await.unwrap().unwrap().state;
    assert_eq!(state("done").await, CallState::Done);
    assert_eq!(state("failed").await, CallState::Pending);
    assert_eq!(state("new").await, CallState::Pending);
    assert_eq!(
        store.counts().await.unwrap(),
        CallCounts {
            n_pending: 2,
            n_done: 1,
            n_failed: 0,
            n_unindexed: 1
        }
    );
}

#[tokio::test]
async fn a_failure_keeps_the_older_transcript() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    save(&store, "a").await;
    store
        .save_failed(None, &recording("a"), "file is empty", NOW)
        .await
        .unwrap();
    let call = store.call(&id("a")).await.unwrap().unwrap();
    assert_eq!(call.error.as_deref(), Some("file is empty"));
    assert_eq!((call.state, call.version), (CallState::Failed, 1));
    assert!(store.transcript(&id("a")).await.unwrap().is_some());
    assert_eq!(save(&store, "a").await, 2);
    assert_eq!(store.call(&id("a")).await.unwrap().unwrap().error, None);
}

#[tokio::test]
async fn a_failure_keeps_what_is_known_and_adds_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    let mut known = recording("a");
    known.metadata.agent = Some("A7".into());
    known.metadata.started_at = Some("2026-11-20T08:00:00Z".into());
    let heard = transcript("a", 1);
    store
        .save_done(None, &known, &prints("a"), &heard, NOW)
        .await
        .unwrap();
    let mut bare = recording("a");
    bare.metadata.campaign = Some("loans".into());
    store.save_failed(None, &bare, "x", NOW).await.unwrap();
    let metadata = store.call(&id("a")).await.unwrap().unwrap();
    let metadata = metadata.recording.metadata;
    assert_eq!(metadata.agent.as_deref(), Some("A7"));
    assert_eq!(metadata.campaign.as_deref(), Some("loans"));
    // The transcript tells what is known now, not what was known when it was heard.
    let read = store.transcript(&id("a")).await.unwrap().unwrap();
    assert_eq!(read.metadata, metadata);
    let dated = CallFilter {
        since_ms: parse_time_ms("2026-11-20T08:00:00Z"),
        ..CallFilter::default()
    };
    assert_eq!(store.calls(&dated, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn calls_with_a_transcript_are_listed_whatever_came_after() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    save(&store, "heard").await;
    for name in ["heard", "never"] {
        save_failed(&store, name).await;
    }
    let filter = heard_only();
    let calls = store.calls(&filter, None, 10).await.unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].recording.call_id, id("heard"));
    assert!(calls[0].has_transcript());
}

#[tokio::test]
async fn the_index_mark_follows_versions() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    save_all(&store, &["a", "b", "c"]).await;
    save_failed(&store, "d").await;
    let missing = store.unindexed(10).await.unwrap();
    assert_eq!(missing, [(id("a"), 1), (id("b"), 1), (id("c"), 1)]);
    save(&store, "b").await;
    store.mark_indexed(&missing).await.unwrap();
    assert_eq!(store.unindexed(10).await.unwrap(), [(id("b"), 2)]);
    store.forget_index().await.unwrap();
    assert_eq!(store.unindexed(2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_call_is_found_by_id_prefix_and_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    save_all(&store, &["客户 投诉 01", "客户 投诉 02", "a_b%c", "axb%c"]).await;
    let found = async |text| {
        let calls = store.find(text).await.unwrap();
        calls
            .into_iter()
            .map(|call| call.recording.call_id.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("客户 投诉 01").await, ["客户 投诉 01"]);
    assert_eq!(found("客户").await, ["客户 投诉 01", "客户 投诉 02"]);
    assert_eq!(found("客户 投诉 02.wav").await, ["客户 投诉 02"]);
    assert_eq!(found("/calls/a_b%c.wav").await, ["a_b%c"]);
    assert_eq!(found("_b%c.wav").await, Vec::<String>::new());
    assert_eq!(found("nobody").await, Vec::<String>::new());
    let at_path = store
        .call_at_path("/calls/axb%c.wav")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(at_path.recording.call_id, id("axb%c"));
}

#[tokio::test]
async fn filters_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    for hour in 0..6 {
        let mut call = recording(&format!("c{hour}"));
        // Times with different offsets sort by the moment, not by their letters.
        call.metadata.started_at = Some(format!("2026-11-20T{:02}:00:00+08:00", hour + 8));
        call.metadata.campaign = Some(if hour < 3 { "loans" } else { "cards" }.into());
        let heard = transcript(&call.call_id.0, 1);
        store
            .save_done(None, &call, &prints("a"), &heard, NOW)
            .await
            .unwrap();
    }
    save(&store, "undated").await;
    let ids = async |filter: &CallFilter, after: Option<&CallId>, limit| {
        let calls = store.calls(filter, after, limit).await.unwrap();
        calls
            .into_iter()
            .map(|call| call.recording.call_id.0)
            .collect::<Vec<_>>()
    };
    let loans = CallFilter {
        campaign: Some("loans".into()),
        ..CallFilter::default()
    };
    assert_eq!(ids(&loans, None, 10).await, ["c0", "c1", "c2"]);
    assert_eq!(ids(&loans, Some(&id("c0")), 1).await, ["c1"]);
    let capitals = CallFilter {
        campaign: Some("LOANS".into()),
        ..CallFilter::default()
    };
    assert_eq!(ids(&capitals, None, 10).await, ["c0", "c1", "c2"]);
    let window = CallFilter {
        since_ms: parse_time_ms("2026-11-20T02:00:00Z"),
        until_ms: parse_time_ms("2026-11-20T04:00:00Z"),
        ..CallFilter::default()
    };
    assert_eq!(ids(&window, None, 10).await, ["c2", "c3"]);
    assert_eq!(ids(&CallFilter::default(), None, 10).await.len(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_and_save_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(&folder);
    let opened = (0..6).map(|_| {
        tokio::spawn({
            let path = path.clone();
            async move { Store::open(&path).await.unwrap() }
        })
    });
    let mut stores = Vec::new();
    for task in opened.collect::<Vec<_>>() {
        stores.push(task.await.unwrap());
    }
    let tasks = stores.iter().cloned().enumerate().map(|(writer, store)| {
        tokio::spawn(async move {
            for call in 0..5 {
                save(&store, &format!("w{writer}-{call}")).await;
                save(&store, "shared").await;
                let seen = store
                    .calls(&CallFilter::default(), None, 1000)
                    .await
                    .unwrap();
                assert!(seen.len() > call);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let counts = stores[0].counts().await.unwrap();
    assert_eq!(counts.n_done, 6 * 5 + 1);
    assert_eq!(
        stores[0]
            .call(&id("shared"))
            .await
            .unwrap()
            .unwrap()
            .version,
        30
    );
}

#[tokio::test]
async fn files_that_are_no_database_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auricle.db");
    fs::write(&path, b"RIFF, certainly no database".repeat(100)).unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");

    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, b"x").unwrap();
    let error = Store::open(&in_the_way.join("auricle.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
}

#[tokio::test]
async fn damaged_pages_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auricle.db");
    let store = Store::open(&path).await.unwrap();
    for call in 0..50 {
        let name = format!("call-{call}");
        let heard = transcript(&name, 200);
        store
            .save_done(None, &recording(&name), &prints("a"), &heard, NOW)
            .await
            .unwrap();
    }
    store.close().await.unwrap();
    overwrite_tail(&path);
    let outcome = match Store::open(&path).await {
        Ok(store) => store.check().await,
        Err(error) => Err(error),
    };
    let error = outcome.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
}

fn overwrite_tail(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    fs::write(path, bytes).unwrap();
}

/// The other half of the next test: saves calls, one after the other, until it is killed.
#[tokio::test]
async fn child_that_saves_until_killed() {
    let Some(path) = std::env::var_os("AURICLE_TEST_STORE") else {
        return;
    };
    let store = Store::open(Path::new(&path)).await.unwrap();
    for call in 0..1_000_000 {
        let name = format!("call-{call:06}");
        let heard = transcript(&name, 100);
        store
            .save_done(None, &recording(&name), &prints("a"), &heard, NOW)
            .await
            .unwrap();
        println!("saved {name}");
    }
}

#[tokio::test]
async fn killed_in_the_middle_nothing_finished_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auricle.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_saves_until_killed", "--nocapture"])
        .env("AURICLE_TEST_STORE", &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let saved = lines
        .map(Result::unwrap)
        .filter_map(|line| line.split_once("saved ").map(|(_, name)| name.to_owned()))
        .take(40)
        .collect::<Vec<_>>();
    child.kill().unwrap();
    child.wait().unwrap();

    let store = Store::open_existing(&path).await.unwrap();
    store.check().await.unwrap();
    assert_eq!(saved.len(), 40);
    for name in saved {
        assert_eq!(
            store.transcript(&id(&name)).await.unwrap(),
            Some(transcript(&name, 100))
        );
    }
    let calls = store
        .calls(&CallFilter::default(), None, 1_000_000)
        .await
        .unwrap();
    for call in calls {
        assert_eq!(call.state, CallState::Done);
        let name = &call.recording.call_id;
        assert!(
            store.transcript(name).await.unwrap().is_some(),
            "{name} is there whole"
        );
    }
}

fn assessed(name: &str, transcript_version: i64, rules: &str, total: f32) -> AssessmentRecord {
    AssessmentRecord {
        call_id: id(name),
        transcript_version,
        rules_fingerprint: rules.into(),
        made_at: NOW.into(),
        assessment: Assessment {
            scorecard: Some(Scorecard {
                total,
                passed: total >= 80.0,
                ..Scorecard::default()
            }),
            ..Assessment::default()
        },
    }
}

#[tokio::test]
async fn every_version_of_a_score_stays_and_one_is_current() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    let version = save(&store, "a").await;
    assert_eq!(store.assessment(&id("a")).await.unwrap(), None);
    for (rules, total) in [("r1", 90.0), ("r2", 70.0), ("r2", 75.0)] {
        let record = assessed("a", version, rules, total);
        store
            .save_assessments(std::slice::from_ref(&record))
            .await
            .unwrap();
        assert_eq!(store.assessment(&id("a")).await.unwrap(), Some(record));
    }
    let versions = store.score_versions(&id("a")).await.unwrap();
    let versions: Vec<_> = versions
        .iter()
        .map(|version| {
            (
                version.rules_fingerprint.as_str(),
                version.total,
                version.is_current,
            )
        })
        .collect();
    // Made again with the same rules and another result: neither takes the other's place.
    assert_eq!(
        versions,
        [
            ("r1", Some(90.0), false),
            ("r2", Some(70.0), false),
            ("r2", Some(75.0), true)
        ]
    );
    // Made again with the same result: what is in force stays.
    let again = assessed("a", version, "r2", 75.0);
    store.save_assessments(&[again]).await.unwrap();
    let versions = store.score_versions(&id("a")).await.unwrap();
    assert_eq!(versions.len(), 3);
    assert_eq!(
        store.assessed_with(&id("a")).await.unwrap(),
        Some((version, "r2".to_owned()))
    );
}

#[tokio::test]
async fn a_call_is_saved_with_what_was_made_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    for (version, total) in [(1, 90.0), (2, 70.0)] {
        let record = assessed("a", version, "r1", total);
        let (from, heard) = (recording("a"), transcript("a", 3));
        let made = (&record.assessment, "r1");
        let saved = store
            .save_assessed(&from, &heard, made, &record.made_at)
            .await;
        assert_eq!(saved.unwrap(), version);
        assert_eq!(store.transcript(&id("a")).await.unwrap(), Some(heard));
        assert_eq!(store.assessment(&id("a")).await.unwrap(), Some(record));
        assert_eq!(store.unindexed(10).await.unwrap(), [(id("a"), version)]);
    }
    let versions = store.score_versions(&id("a")).await.unwrap();
    let current = versions.iter().map(|version| version.is_current);
    assert_eq!(current.collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn what_is_found_again_is_confirmed_and_its_version_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    let mut known = Vec::new();
    for name in ["a", "b"] {
        let version = save(&store, name).await;
        let record = assessed(name, version, "r1", 90.0);
        store.save_assessments(&[record]).await.unwrap();
        store.mark_indexed(&[(id(name), version)]).await.unwrap();
        known.push(id(name));
    }
    let current = store.stored_assessments(&known).await.unwrap();
    let confirmed: Vec<_> = known.iter().map(|id| current[id].confirmed("r2")).collect();
    assert!(
        confirmed
            .iter()
            .all(|one| one.effect() == Effect::Confirmed)
    );
    assert_eq!(current[&known[0]].confirmed("r1").effect(), Effect::Nothing);
    store
        .save_encoded(&confirmed.iter().collect::<Vec<_>>())
        .await
        .unwrap();
    assert!(unindexed(&store).await.is_empty());
    for call_id in &known {
        let rules = store.assessed_with(call_id).await.unwrap().unwrap().1;
        assert_eq!(rules, "r2");
        let versions = store.score_versions(call_id).await.unwrap();
        let [version] = versions.as_slice() else {
            panic!("{versions:?}")
        };
        assert_eq!(version.rules_fingerprint, "r1");
        assert_eq!(version.confirmed_with.as_deref(), Some("r2"));
    }
    // Made from nothing, with the same result.
    let record = assessed("a", 1, "r4", 90.0);
    store.save_assessments(&[record]).await.unwrap();
    // The next version is a new one, by rules of its own.
    let record = assessed("a", 1, "r3", 50.0);
    store.save_assessments(&[record]).await.unwrap();
    let versions = store.score_versions(&id("a")).await.unwrap();
    let rules = |version: &ScoreVersion| {
        let confirmed = version.confirmed_with.clone();
        (version.rules_fingerprint.clone(), confirmed)
    };
    assert_eq!(
        versions.iter().map(rules).collect::<Vec<_>>(),
        [("r1".into(), Some("r4".into())), ("r3".into(), None)]
    );
}

#[tokio::test]
async fn recipes_are_kept_as_they_were_first_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    let pair = |print: &str, body: &str| (print.to_owned(), body.to_owned());
    store.save_recipes(&[]).await.unwrap();
    store.save_recipes(&[pair("r1", "one")]).await.unwrap();
    let both = [pair("r1", "another"), pair("r2", "two")];
    store.save_recipes(&both).await.unwrap();
    let known = store.recipes().await.unwrap();
    assert_eq!(known, HashMap::from([pair("r1", "one"), pair("r2", "two")]));
}

#[tokio::test]
async fn assessments_need_their_call_and_go_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    let orphan = assessed("nobody", 1, "r", 1.0);
    assert!(store.save_assessments(&[orphan]).await.is_err());
    let version = save(&store, "a").await;
    let record = assessed("a", version, "r", 1.0);
    store
        .save_assessments(std::slice::from_ref(&record))
        .await
        .unwrap();
    store.delete(&[id("a")]).await.unwrap();
    assert_eq!(store.assessment(&id("a")).await.unwrap(), None);
    assert!(store.score_versions(&id("a")).await.unwrap().is_empty());
}

async fn unindexed(store: &Store) -> Vec<String> {
    let calls = store.unindexed(100).await.unwrap();
    calls.into_iter().map(|(call_id, _)| call_id.0).collect()
}

#[tokio::test]
async fn new_findings_are_missing_in_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    let mut hidden = assessed("b", 1, "r1", 90.0);
    hidden.assessment.pii.push(auricle_contracts::PiiSpan {
        kind: auricle_contracts::PiiKind::Phone,
        party: Party::Customer,
        start_ms: 0,
        end_ms: 1,
        places: Vec::new(),
    });
    let mut first = vec![assessed("a", 1, "r1", 90.0), hidden];
    save_all(&store, &["a", "b"]).await;
    store.save_assessments(&first).await.unwrap();
    let indexed = [(id("a"), 1), (id("b"), 1)];
    store.mark_indexed(&indexed).await.unwrap();
    assert!(unindexed(&store).await.is_empty());

    // Nothing is new.
    store.save_assessments(&first).await.unwrap();
    assert!(unindexed(&store).await.is_empty());
    // Other rules say the same; where something is hidden it may be hidden otherwise now.
    for record in &mut first {
        record.rules_fingerprint = "r2".into();
    }
    store.save_assessments(&first).await.unwrap();
    assert_eq!(unindexed(&store).await, ["b"]);
    store.mark_indexed(&indexed).await.unwrap();
    // Another score.
    store
        .save_assessments(&[assessed("a", 1, "r2", 10.0)])
        .await
        .unwrap();
    assert_eq!(unindexed(&store).await, ["a"]);
}

#[tokio::test]
async fn a_call_that_comes_twice_has_one_current_assessment() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    save(&store, "a").await;
    let both = [assessed("a", 1, "r1", 90.0), assessed("a", 1, "r1", 80.0)];
    store.save_assessments(&both).await.unwrap();
    let versions = store.score_versions(&id("a")).await.unwrap();
    let current: Vec<_> = versions.iter().map(|version| version.is_current).collect();
    assert_eq!(current, [false, true]);
    assert_eq!(store.assessment(&id("a")).await.unwrap().unwrap(), both[1]);
}

#[tokio::test]
async fn many_calls_are_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder)).await.unwrap();
    save_all(&store, &["c", "a", "b"]).await;
    save_failed(&store, "d").await;
    store
        .save_assessments(&[assessed("b", 1, "r", 70.0)])
        .await
        .unwrap();
    let heard = heard_only();
    let ids = store.call_ids(&heard).await.unwrap();
    assert_eq!(ids, ["a", "b", "c"].map(id));
    let asked = ["d", "b", "nobody", "a"].map(id);
    for (filter, expected) in [
        (CallFilter::default(), &["a", "b", "d"][..]),
        (heard, &["a", "b"]),
    ] {
        let calls = store.calls_of(&filter, &asked).await.unwrap();
        let names = calls.iter().map(|call| &*call.recording.call_id.0);
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }
    let transcripts = store.stored_transcripts(&asked).await.unwrap();
    assert_eq!(transcripts.len(), 2);
    let read = transcripts[&id("b")].decode(&CallMetadata::default());
    assert_eq!(read.unwrap(), transcript("b", 3));
    let rules = store.all_assessed_with(&asked).await.unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[&id("b")], (1, "r".to_owned()));
}
