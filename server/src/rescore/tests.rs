//! Runs over stores of their own.

use auricle_contracts::{
    Assessment, CallId, CallMetadata, ChannelLayout, Party, Transcript, Utterance,
};
use auricle_store::{AssessmentRecord, Fingerprints, Recording, Store};
use clap::Parser;

use super::*;
use crate::config::{Config, Overrides};
use crate::judge::CampaignConfig;
use crate::terminal::ColorChoice;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    rescore: RescoreArgs,
}

pub(super) fn args(line: &[&str]) -> RescoreArgs {
    let line = std::iter::once(&"rescore").chain(line);
    Line::try_parse_from(line).unwrap().rescore
}

pub(super) fn app(folder: &Path) -> App {
    let config = Config::load(&Overrides {
        data_dir: Some(folder.to_owned()),
        ..Overrides::default()
    });
    App::new(config.unwrap(), ColorChoice::Never).unwrap()
}

fn transcript(name: &str) -> Transcript {
    let utterance = Utterance {
        party: Party::Agent,
        channel: 0,
        start_ms: 0,
        end_ms: 800,
        text: "保证收益".into(),
        spoken: "保证收益".into(),
        confidence: 0.9,
        syllables: Vec::new(),
        words: Vec::new(),
        voice: None,
    };
    Transcript {
        call_id: CallId(name.into()),
        file: format!("{name}.wav"),
        duration_ms: 1000,
        engine: "test/none".into(),
        layout: ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances: vec![utterance],
    }
}

fn save(app: &App, store: &Store, name: &str) -> i64 {
    let transcript = transcript(name);
    let recording = Recording {
        call_id: transcript.call_id.clone(),
        file: transcript.file.clone(),
        path: format!("/calls/{name}.wav"),
        size_bytes: 1,
        metadata: CallMetadata::default(),
    };
    let (prints, now) = (Fingerprints::default(), "2026-11-20T08:00:00Z");
    let saved = store.save_done(None, &recording, &prints, &transcript, now);
    app.runtime.block_on(saved).unwrap()
}

fn assessed_with(app: &App, store: &Store, name: &str) -> Option<(i64, String)> {
    let call_id = CallId(name.into());
    let found = store.assessed_with(&call_id);
    app.runtime.block_on(found).unwrap()
}

fn runner<'a>(
    app: &'a App,
    args: &'a RescoreArgs,
    selection: &'a Selection,
    judges: &'a Judges,
    n_due: u64,
) -> Run<'a> {
    Run {
        app,
        args,
        selection,
        judges,
        lock: Some(app.config.data.lock().unwrap()),
        stop: Arc::new(AtomicBool::new(false)),
        n_due,
        changes: Changes::default(),
        n_failed: 0,
        is_disk_full: false,
    }
}

#[test]
fn who_stops_the_text_does_not_hear_recordings() {
    let folder = tempfile::tempdir().unwrap();
    let (app, args) = (app(folder.path()), args(&[]));
    let store = app.store().unwrap();
    for name in ["text", "audio"] {
        save(&app, &store, name);
    }
    let selection = Selection::read(&app, &args.selection).unwrap();
    let judges = Judges::load(&app.config).unwrap();
    let mut due = Due::default();
    selection
        .each_call(&app, |call| {
            match &*call.recording.call_id.0 {
                "audio" => due.audio.push(call.clone()),
                _ => due.text.push(call.clone()),
            }
            Ok(())
        })
        .unwrap();
    let mut run = runner(&app, &args, &selection, &judges, due.n_calls());
    run.stop.store(true, Ordering::Relaxed);
    run.all(due).unwrap();
    assert_eq!((run.n_failed, run.n_left()), (0, 2));
    assert_eq!(run.exit(), Exit::Stopped);
}

#[test]
fn a_panic_over_one_call_fails_that_call_only() {
    let folder = tempfile::tempdir().unwrap();
    let (app, args) = (app(folder.path()), args(&[]));
    let store = app.store().unwrap();
    let names = ["a", "b", "c"];
    for name in names {
        save(&app, &store, name);
    }
    let selection = Selection::read(&app, &args.selection).unwrap();
    let mut calls = Vec::new();
    let each = selection.each_call(&app, |call| {
        calls.push(call.clone());
        Ok(())
    });
    each.unwrap();
    let stop = AtomicBool::new(false);
    let assess = |transcript: &Transcript| {
        assert_ne!(transcript.call_id.0, "b", "the bad one");
        Assessment::default()
    };
    let shared = Shared {
        store: &store,
        runtime: app.runtime.handle(),
        print: "r",
        assess: &assess,
        stop: &stop,
    };
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    rescore_all(calls, 2, &shared, |result| match result {
        Ok(rescored) => done.push(rescored.change.call_id.0),
        Err(refused) => failed.push((refused.call_id.0, refused.cause)),
    });
    done.sort();
    assert_eq!(done, ["a", "c"]);
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].0, "b");
    assert!(failed[0].1.contains("report it"), "{}", failed[0].1);
}

#[test]
fn a_call_that_cannot_be_saved_keeps_no_other_out() {
    let folder = tempfile::tempdir().unwrap();
    let (app, args) = (app(folder.path()), args(&[]));
    let store = app.store().unwrap();
    for name in ["a", "gone", "z"] {
        save(&app, &store, name);
    }
    let selection = Selection::read(&app, &args.selection).unwrap();
    let mut calls = Vec::new();
    let each = selection.each_call(&app, |call| {
        calls.push(call.clone());
        Ok(())
    });
    each.unwrap();
    // Between reading and writing.
    let assess = |transcript: &Transcript| {
        if transcript.call_id.0 == "z" {
            let gone = [CallId("gone".into())];
            app.runtime.handle().block_on(store.delete(&gone)).unwrap();
        }
        Assessment::default()
    };
    let stop = AtomicBool::new(false);
    let shared = Shared {
        store: &store,
        runtime: app.runtime.handle(),
        print: "r",
        assess: &assess,
        stop: &stop,
    };
    let judges = Judges::load(&app.config).unwrap();
    let folder = app.config.data.index();
    let index = CallIndex::open_to_write(&folder, &store);
    let index = app.runtime.block_on(index).unwrap();
    let mut saver = Saver::new(&store, app.runtime.handle(), index);
    let (mut changes, mut n_failed, bar) = (Changes::default(), 0, ProgressBar::hidden());
    let mut done = Done {
        changes: &mut changes,
        n_failed: &mut n_failed,
        bar: &bar,
    };
    rescore_all(calls, 1, &shared, |result| {
        saver.take(result.ok().unwrap(), &mut done).unwrap();
    });
    saver.finish(&judges, &stop, &mut done).unwrap();
    assert_eq!((changes.n_calls, n_failed), (2, 1));
    for name in ["a", "z"] {
        assert!(assessed_with(&app, &store, name).is_some(), "{name}");
    }
    let unindexed = app.runtime.block_on(store.unindexed(9)).unwrap();
    assert!(unindexed.is_empty(), "{unindexed:?}");
}

/// An index that lacks what was saved before it was opened is brought up to date at the end.
#[test]
fn calls_that_are_up_to_date_are_found_after_a_run_too() {
    let folder = tempfile::tempdir().unwrap();
    let (app, args) = (app(folder.path()), args(&["fresh"]));
    let store = app.store().unwrap();
    let judges = Judges::load(&app.config).unwrap();
    for name in ["behind", "fresh"] {
        save(&app, &store, name);
    }
    let record = AssessmentRecord {
        call_id: CallId("behind".into()),
        transcript_version: 1,
        rules_fingerprint: judges.print().to_owned(),
        made_at: "2026-11-20T08:00:00Z".into(),
        assessment: judges.assess(&transcript("behind")),
    };
    app.runtime
        .block_on(store.save_assessments(&[record]))
        .unwrap();
    let selection = Selection::read(&app, &args.selection).unwrap();
    let due = Due::find(&app, &args, &selection, &judges).unwrap();
    let mut run = runner(&app, &args, &selection, &judges, due.n_calls());
    run.all(due).unwrap();
    let unindexed = app.runtime.block_on(store.unindexed(9)).unwrap();
    assert!(unindexed.is_empty(), "{unindexed:?}");
}

#[test]
fn an_index_that_was_left_behind_is_brought_up_where_nothing_else_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let (mut app, args) = (app(folder.path()), args(&["--audio", "never"]));
    let store = app.store().unwrap();
    save(&app, &store, "a");
    assert_eq!(super::run(&mut app, &args).unwrap(), Exit::Done);
    let forget = store.forget_index();
    app.runtime.block_on(forget).unwrap();
    assert_eq!(super::run(&mut app, &args).unwrap(), Exit::Done);
    let unindexed = app.runtime.block_on(store.unindexed(9)).unwrap();
    assert!(unindexed.is_empty(), "{unindexed:?}");

    crate::index::remove(&app.config.data.index()).unwrap();
    assert_eq!(super::run(&mut app, &args).unwrap(), Exit::Done);
    let index = crate::index::CallSearch::open(&app.config.data.index());
    assert_eq!(index.unwrap().calls_with("保证收益").unwrap().len(), 1);
}

#[test]
fn the_report_is_written_whatever_failed() {
    use sea_orm::ConnectionTrait;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let line = ["--audio", "never", "--out", out.to_str().unwrap()];
    let (mut app, args) = (app(folder.path()), args(&line));
    let store = app.store().unwrap();
    for name in ["damaged", "sound"] {
        save(&app, &store, name);
    }
    let address = format!("sqlite://{}", app.config.data.database().display());
    app.runtime.block_on(async {
        let db = sea_orm::Database::connect(address).await.unwrap();
        let damage = "UPDATE transcripts SET body = x'00' WHERE call_id = 'damaged'";
        db.execute_unprepared(damage).await.unwrap();
    });
    assert_eq!(super::run(&mut app, &args).unwrap(), Exit::Failed);
    let rows = std::fs::read_to_string(out.join("rescore.csv")).unwrap();
    assert!(
        rows.contains("sound") && !rows.contains("damaged"),
        "{rows}"
    );
    assert!(assessed_with(&app, &store, "sound").is_some());

    // Where an index should be and cannot: nothing can be saved.
    std::fs::remove_dir_all(&out).unwrap();
    crate::index::remove(&app.config.data.index()).unwrap();
    std::fs::write(app.config.data.index(), "in the way").unwrap();
    super::run(&mut app, &args).unwrap_err();
    assert!(out.join("rescore.csv").exists());
}

#[test]
fn the_command_line_overrides_only_what_it_names() {
    let configured = InsightConfig {
        packs: vec!["a.yaml".into()],
        card: Some("card-a".into()),
        intents: None,
        emotion: None,
        campaigns: vec![CampaignConfig {
            campaign: "loans".into(),
            packs: vec!["b.yaml".into()],
            card: Some("card-b".into()),
        }],
    };
    let check = |line: &[&str], packs: [&str; 2], cards: [&str; 2]| {
        let insight = overridden(&configured, &args(line), Path::new("/nowhere"));
        assert_eq!(insight.packs, [PathBuf::from(packs[0])], "{line:?}");
        assert_eq!(insight.card, Some(cards[0].into()), "{line:?}");
        let campaign = &insight.campaigns[0];
        assert_eq!(campaign.packs, [PathBuf::from(packs[1])], "{line:?}");
        assert_eq!(campaign.card, Some(cards[1].into()), "{line:?}");
    };
    check(&[], ["a.yaml", "b.yaml"], ["card-a", "card-b"]);
    check(&["--card", "c"], ["a.yaml", "b.yaml"], ["c", "c"]);
    check(&["--rules", "r"], ["r", "r"], ["card-a", "card-b"]);
    check(&["--rules", "r", "--card", "c"], ["r", "r"], ["c", "c"]);
}

#[test]
fn trying_out_looks_at_calls_that_would_be_heard_again() {
    let folder = tempfile::tempdir().unwrap();
    let (app, args) = (app(folder.path()), args(&["--dry-run"]));
    let store = app.store().unwrap();
    save(&app, &store, "audio");
    let selection = Selection::read(&app, &args.selection).unwrap();
    let judges = Judges::load(&app.config).unwrap();
    let mut due = Due::default();
    let each = selection.each_call(&app, |call| {
        due.audio.push(call.clone());
        Ok(())
    });
    each.unwrap();
    let mut run = runner(&app, &args, &selection, &judges, due.n_calls());
    run.lock = None;
    run.all(due).unwrap();
    assert_eq!((run.changes.n_calls, run.n_left()), (1, 0));
    assert_eq!(assessed_with(&app, &store, "audio"), None);
}
