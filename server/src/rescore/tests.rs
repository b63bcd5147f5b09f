//! Runs over stores of their own.

use std::path::Path;

use auricle_contracts::{Assessment, Transcript};
use auricle_store::{AssessmentRecord, ScoreVersion, Store, StoredAssessment};
use clap::Parser;

use super::reviser::{Judged, Made};
use super::*;
use crate::judge::CampaignConfig;
use crate::terminal::ColorChoice;
use crate::testing::{self, NOW};

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
    App::new(testing::config(folder), ColorChoice::Never).unwrap()
}

fn save(app: &App, store: &Store, names: &[&str]) {
    for name in names {
        app.runtime.block_on(testing::save(store, name));
    }
}

/// A store of calls that were never assessed, and what a line asks of it.
struct Desk {
    app: App,
    args: RescoreArgs,
    store: Store,
    selection: Selection,
    /// Where all of it lies.
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new(line: &[&str], names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (app, args) = (app(folder.path()), args(line));
        let store = app.store().unwrap();
        save(&app, &store, names);
        let selection = Selection::read(&app, &args.selection).unwrap();
        Self {
            app,
            args,
            store,
            selection,
            _folder: folder,
        }
    }

    /// Every call of the selection.
    fn calls(&self) -> Vec<CallRecord> {
        let mut calls = Vec::new();
        let each = self.selection.each_call(&self.app, |call| {
            calls.push(call.clone());
            Ok(())
        });
        each.unwrap();
        calls
    }

    fn judges(&self) -> Judges {
        Judges::load(&self.app.config).unwrap()
    }

    fn runner<'a>(&'a self, judges: &'a Judges, n_due: u64) -> Run<'a> {
        Run {
            app: &self.app,
            args: &self.args,
            selection: &self.selection,
            judges,
            lock: Some(Arc::new(self.app.config.data.lock().unwrap())),
            beside: None,
            stop: Arc::new(AtomicBool::new(false)),
            n_due,
            changes: Changes::default(),
            n_failed: 0,
            is_disk_full: false,
        }
    }
}

/// Saves what these judges say of a call that was saved.
fn assess(app: &App, store: &Store, judges: &Judges, name: &str) {
    let record = AssessmentRecord {
        call_id: CallId(name.into()),
        transcript_version: 1,
        rules_fingerprint: judges.of(&testing::transcript(name)).print.clone(),
        made_at: NOW.into(),
        assessment: judges.assess(&testing::transcript(name)),
    };
    let save = store.save_assessments(std::slice::from_ref(&record));
    app.runtime.block_on(save).unwrap();
}

fn assessed_with(app: &App, store: &Store, name: &str) -> Option<(i64, String)> {
    let call_id = CallId(name.into());
    let found = store.assessed_with(&call_id);
    app.runtime.block_on(found).unwrap()
}

#[test]
fn who_stops_the_text_does_not_hear_recordings() {
    let desk = Desk::new(&[], &["text", "audio"]);
    let judges = desk.judges();
    let is_audio = |call: &CallRecord| call.recording.call_id.0 == "audio";
    let (audio, text) = desk.calls().into_iter().partition(is_audio);
    let due = Due {
        text,
        audio,
        ..Due::default()
    };
    let mut run = desk.runner(&judges, due.n_calls());
    run.stop.store(true, Ordering::Relaxed);
    run.all(due).unwrap();
    assert_eq!((run.n_failed, run.n_left()), (0, 2));
    assert_eq!(run.exit(), Exit::Stopped);
}

#[test]
fn calls_that_a_stop_kept_from_being_heard_are_left() {
    let desk = Desk::new(&[], &["failed", "heard", "left", "left too"]);
    let judges = desk.judges();
    for name in ["failed", "heard", "left"] {
        assess(&desk.app, &desk.store, &judges, name);
    }
    let calls = desk.calls();
    let check = |n_failed, is_disk_full, exit| {
        let mut run = desk.runner(&judges, calls.len() as u64);
        let before = calls.iter().map(|call| run.outline(call)).collect();
        let mut report = RunReport {
            finished: vec![CallId("heard".into())],
            is_disk_full,
            ..RunReport::default()
        };
        report.counts.n_failed = n_failed;
        run.heard(&calls, before, &report).unwrap();
        assert_eq!(run.changes.n_calls, 1);
        assert_eq!((run.n_left(), run.exit()), (3 - n_failed, exit));
    };
    check(0, false, Exit::Stopped);
    check(1, false, Exit::Failed);
    check(0, true, Exit::Failed);
}

#[test]
fn a_panic_over_one_call_fails_that_call_only() {
    let desk = Desk::new(&[], &["a", "b", "c"]);
    let stop = AtomicBool::new(false);
    let judge = |transcript: &Transcript, _: Option<&StoredAssessment>| {
        assert_ne!(transcript.call_id.0, "b", "the bad one");
        Judged {
            print: "r",
            made: Made::New {
                after: Assessment::default(),
                before: None,
            },
        }
    };
    let shared = Shared {
        store: &desk.store,
        runtime: desk.app.runtime.handle(),
        judge: &judge,
        stop: &stop,
    };
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    rescore_all(desk.calls(), 2, &shared, |result| match result {
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
    let desk = Desk::new(&[], &["a", "gone", "z"]);
    let (app, store) = (&desk.app, &desk.store);
    let runtime = app.runtime.handle();
    // Between reading and writing.
    let judge = |transcript: &Transcript, _: Option<&StoredAssessment>| {
        if transcript.call_id.0 == "z" {
            let gone = [CallId("gone".into())];
            runtime.block_on(store.delete(&gone)).unwrap();
        }
        Judged {
            print: "r",
            made: Made::New {
                after: Assessment::default(),
                before: None,
            },
        }
    };
    let stop = AtomicBool::new(false);
    let shared = Shared {
        store,
        runtime,
        judge: &judge,
        stop: &stop,
    };
    let judges = desk.judges();
    let folder = app.config.data.index();
    let index = CallIndex::open_to_write(&folder, store);
    let index = runtime.block_on(index).unwrap();
    let mut saver = Saver::new(store, runtime, SharedIndex::new(index));
    let (mut changes, mut n_failed, bar) = (Changes::default(), 0, ProgressBar::hidden());
    let mut done = Done {
        changes: &mut changes,
        n_failed: &mut n_failed,
        bar: &bar,
    };
    rescore_all(desk.calls(), 1, &shared, |result| {
        saver.take(result.ok().unwrap(), &mut done).unwrap();
    });
    saver.finish(&judges, &stop, &mut done).unwrap();
    assert_eq!((changes.n_calls, n_failed), (2, 1));
    for name in ["a", "z"] {
        assert!(assessed_with(app, store, name).is_some(), "{name}");
    }
    let unindexed = runtime.block_on(store.unindexed(9)).unwrap();
    assert!(unindexed.is_empty(), "{unindexed:?}");
}

/// An index that lacks what was saved before it was opened is brought up to date at the end.
#[test]
fn calls_that_are_up_to_date_are_found_after_a_run_too() {
    let desk = Desk::new(&["fresh"], &["behind", "fresh"]);
    let judges = desk.judges();
    assess(&desk.app, &desk.store, &judges, "behind");
    let due = Due::find(&desk.app, &desk.args, &desk.selection, &judges).unwrap();
    let mut run = desk.runner(&judges, due.n_calls());
    run.all(due).unwrap();
    let unindexed = desk.store.unindexed(9);
    let unindexed = desk.app.runtime.block_on(unindexed).unwrap();
    assert!(unindexed.is_empty(), "{unindexed:?}");
}

#[test]
fn an_index_that_was_left_behind_is_brought_up_where_nothing_else_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let (mut app, args) = (app(folder.path()), args(&["--audio", "never"]));
    let store = app.store().unwrap();
    save(&app, &store, &["a"]);
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
    save(&app, &store, &["damaged", "sound"]);
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

/// Its recording came again with a campaign and could not be heard: the transcript is that of before, without one.
#[test]
fn a_call_is_judged_by_its_newest_campaign_and_due_once() {
    let mut desk = Desk::new(&[], &["a"]);
    desk.app.config.insight.campaigns = vec![CampaignConfig {
        campaign: "loans".into(),
        packs: vec!["zh-finance".into()],
        card: None,
    }];
    let judges = desk.judges();
    assess(&desk.app, &desk.store, &judges, "a");
    let find = || Due::find(&desk.app, &desk.args, &desk.selection, &judges).unwrap();
    assert_eq!((find().n_calls(), find().n_up_to_date), (0, 1));

    let mut recording = desk.calls().remove(0).recording;
    recording.metadata.campaign = Some("loans".into());
    let failed = desk.store.save_failed(None, &recording, "no sound", NOW);
    desk.app.runtime.block_on(failed).unwrap();
    let due = find();
    assert_eq!((due.n_calls(), due.n_up_to_date), (1, 0));
    desk.runner(&judges, 1).all(due).unwrap();
    let said = Transcript {
        metadata: recording.metadata,
        ..testing::transcript("a")
    };
    let by_campaign = judges.of(&said).print.clone();
    assert_eq!(
        assessed_with(&desk.app, &desk.store, "a"),
        Some((1, by_campaign))
    );
    assert_eq!((find().n_calls(), find().n_up_to_date), (0, 1));
}

#[test]
fn trying_out_looks_at_calls_that_would_be_heard_again() {
    let desk = Desk::new(&["--dry-run"], &["audio"]);
    let judges = desk.judges();
    let due = Due {
        audio: desk.calls(),
        ..Due::default()
    };
    let mut run = desk.runner(&judges, due.n_calls());
    run.lock = None;
    run.all(due).unwrap();
    assert_eq!((run.changes.n_calls, run.n_left()), (1, 0));
    assert_eq!(assessed_with(&desk.app, &desk.store, "audio"), None);
}

/// A change of the call of this name, from no hits to one.
fn change(name: &str) -> Change {
    let after = Outline {
        total: Some(80.0),
        passed: Some(true),
        hits: [("promise_return".to_owned(), 1)].into(),
    };
    Change {
        call_id: CallId(name.into()),
        metadata: auricle_contracts::CallMetadata::default(),
        before: Some(Outline::default()),
        after,
    }
}

#[test]
fn a_run_that_assesses_nothing_leaves_the_report_of_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    let out = folder.path().join("out");
    let args = args(&["--out", out.to_str().unwrap()]);
    let rows = || std::fs::read_to_string(out.join("rescore.csv")).unwrap();
    report::write(&mut app, &args, "r", &Changes::default()).unwrap();
    assert_eq!(rows().lines().count(), 1);
    let mut changes = Changes::default();
    changes.add(change("a"));
    report::write(&mut app, &args, "r", &changes).unwrap();
    let before = rows();
    assert_eq!(before.lines().count(), 2);
    report::write(&mut app, &args, "r", &Changes::default()).unwrap();
    assert_eq!(rows(), before);
}

#[test]
fn the_report_of_a_run_that_goes_on_is_about_both_parts() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    let out = folder.path().join("out");
    let out_arg = out.to_str().unwrap();
    let mut report = |line: &[&str], rules: &str, name: &str, n_left: u64| {
        let mut changes = Changes::default();
        changes.add(change(name));
        changes.n_left = n_left;
        let args = args(&[line, &["--out", out_arg]].concat());
        report::write(&mut app, &args, rules, &changes).unwrap();
        let rows = std::fs::read_to_string(out.join("rescore.csv")).unwrap();
        let names = rows
            .lines()
            .skip(1)
            .map(|row| row.split(',').next().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(report(&[], "r", "c", 2), ["c"]);
    assert_eq!(
        report(&["--dry-run"], "r", "x", 0),
        ["x"],
        "tried in between"
    );
    assert_eq!(report(&[], "r", "a", 1), ["a", "c"]);
    assert_eq!(report(&[], "r", "b", 0), ["a", "b", "c"]);
    // That one came to its end: the next is another.
    assert_eq!(report(&[], "r", "d", 1), ["d"]);
    assert_eq!(report(&[], "other", "e", 1), ["e"]);
    assert_eq!(report(&["--campaign", "x"], "other", "f", 1), ["f"]);
    assert_eq!(
        report(&["--force", "--campaign", "x"], "other", "g", 0),
        ["g"]
    );
    assert!(!out.join("rescore.unfinished.json").exists());
}

#[test]
fn a_call_that_is_looked_at_again_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    let out = folder.path().join("out");
    let args = args(&["--out", out.to_str().unwrap()]);
    let mut page = |names: &[&str], n_left: u64| {
        let mut changes = Changes::default();
        for name in names {
            changes.add(change(name));
        }
        let same = change("same");
        changes.add(Change {
            before: Some(same.after.clone()),
            ..same
        });
        changes.n_left = n_left;
        report::write(&mut app, &args, "r", &changes).unwrap();
        std::fs::read_to_string(out.join("rescore.html")).unwrap()
    };
    let stopped = page(&["a", "b"], 1);
    assert!(stopped.contains("3 calls looked at, 2 changed"));
    // Somebody assessed them by other rules meanwhile.
    let ended = page(&["a", "c"], 0);
    assert!(ended.contains("4 calls looked at, 3 changed"));
}

/// A run with a pack of these rules.
fn run_with(app: &mut App, rules: &str, more: &[&str]) -> RescoreArgs {
    let pack = app.config.data.index().with_file_name("p.yaml");
    std::fs::write(&pack, format!("pack: p\nlanguage: zh\nrules:\n{rules}")).unwrap();
    let line = ["--audio", "never", "--rules", pack.to_str().unwrap()];
    let args = args(&[&line, more].concat());
    assert_eq!(super::run(app, &args).unwrap(), Exit::Done);
    args
}

#[test]
fn rules_that_did_not_change_are_not_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    let store = app.store().unwrap();
    save(&app, &store, &["a"]);
    let one = "  - {id: one, when: {says: 保证}}\n";
    run_with(&mut app, one, &[]);
    let call_id = CallId("a".into());
    let stored = app.runtime.block_on(store.assessment(&call_id));
    let mut record = stored.unwrap().unwrap();
    // Running the rule would wipe it off.
    record.assessment.hits[0].why = "a mark".into();
    let marked = store.save_assessments(std::slice::from_ref(&record));
    app.runtime.block_on(marked).unwrap();
    let two = format!("{one}  - {{id: two, when: {{says: 收益}}}}\n");
    let reasons = |app: &App| {
        let stored = app.runtime.block_on(store.assessment(&call_id));
        let hits = stored.unwrap().unwrap().assessment.hits;
        let reasons = hits.into_iter().map(|hit| (hit.rule, hit.why));
        reasons.collect::<std::collections::BTreeMap<_, _>>()
    };
    run_with(&mut app, &two, &[]);
    let kept = reasons(&app);
    assert_eq!(kept["one"], "a mark");
    assert!(kept.contains_key("two"), "{kept:?}");
    run_with(&mut app, &two, &["--force"]);
    assert_ne!(reasons(&app)["one"], "a mark");
}

/// Versions of a call's score, `rules, confirmed with`, after a run with a pack of these rules.
fn rescored_with(app: &mut App, rules: &str, more: &[&str]) -> Vec<(String, Option<String>)> {
    let args = run_with(app, rules, more);
    let store = app.store().unwrap();
    let call_id = CallId("a".into());
    let versions = app
        .runtime
        .block_on(store.score_versions(&call_id))
        .unwrap();
    // What stands in the store is what would be made from nothing.
    let judges = judges(app, &args).unwrap();
    let stored = app
        .runtime
        .block_on(store.assessment(&call_id))
        .unwrap()
        .unwrap();
    assert_eq!(stored.assessment, judges.assess(&testing::transcript("a")));
    assert_eq!(
        stored.rules_fingerprint,
        judges.of(&testing::transcript("a")).print
    );
    let rules = |version: ScoreVersion| (version.rules_fingerprint, version.confirmed_with);
    versions.into_iter().map(rules).collect()
}

#[test]
fn rules_that_change_nothing_in_a_call_confirm_its_score() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    let store = app.store().unwrap();
    save(&app, &store, &["a"]);
    let one = "  - {id: one, when: {says: 保证}}\n";
    let first = rescored_with(&mut app, one, &[]);
    assert!(matches!(first.as_slice(), [(_, None)]), "{first:?}");
    // Another rule, which does not fire.
    let two = format!("{one}  - {{id: two, when: {{says: 退款}}}}\n");
    let second = rescored_with(&mut app, &two, &[]);
    let [(made, Some(confirmed))] = second.as_slice() else {
        panic!("{second:?}")
    };
    assert_eq!(*made, first[0].0);
    // It does now.
    let third = rescored_with(&mut app, &two.replace("退款", "收益"), &[]);
    assert_eq!(third.len(), 2, "{third:?}");
    assert_ne!(third[1].0, *confirmed);
    // From nothing, with the same result.
    let fourth = rescored_with(&mut app, &two.replace("退款", "收益"), &["--force"]);
    assert_eq!(fourth, third);
    // Gone again.
    assert_eq!(rescored_with(&mut app, one, &[]).len(), 3);
}
