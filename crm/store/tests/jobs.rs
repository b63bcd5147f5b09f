//! Jobs as their users meet them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use auricle_contracts::{CallId, JobState};
use auricle_store::{JobCall, JobEnd, NewJob, Store};

fn new(asked_by: &str) -> NewJob {
    NewJob {
        kind: "rescore".into(),
        request: "{}".into(),
        asked_by: asked_by.into(),
        unix_ms: 1_000,
    }
}

fn done(call_id: &str, is_changed: bool) -> JobCall {
    JobCall {
        call_id: CallId(call_id.into()),
        is_changed,
        json: format!("\"{call_id}\""),
    }
}

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("auricle.db"))
        .await
        .unwrap();
    (folder, store)
}

#[tokio::test]
async fn jobs_are_done_one_after_the_other_over_a_restart() {
    let (folder, store) = store().await;
    let first = store.add_job(&new("li"), 2).await.unwrap().unwrap();
    let second = store.add_job(&new("wang"), 2).await.unwrap().unwrap();
    assert_eq!(store.add_job(&new("li"), 2).await.unwrap(), None);
    assert!(store.begin_job(first, 2_000).await.unwrap());
    store.set_job_calls(first, 3).await.unwrap();
    store
        .note_job_calls(first, &[done("a", true), done("b", false)])
        .await
        .unwrap();
    store.close().await.unwrap();

    let store = Store::open(&folder.path().join("auricle.db"))
        .await
        .unwrap();
    let next = store.next_job().await.unwrap().unwrap();
    assert_eq!((next.id, next.state), (first, JobState::Running));
    assert!(store.begin_job(first, 9_000).await.unwrap());
    // What was noted before counts once.
    store
        .note_job_calls(first, &[done("b", false), done("c", true)])
        .await
        .unwrap();
    let job = store.job(first).await.unwrap().unwrap();
    assert_eq!((job.n_calls, job.n_done, job.n_changed), (3, 3, 2));
    assert_eq!(
        (job.asked_by.as_str(), job.began_unix_ms),
        ("li", Some(2_000))
    );
    let changed = store.changed_job_calls(first, None, 1).await.unwrap();
    assert_eq!(changed, [done("a", true)]);
    let behind = CallId("a".into());
    let changed = store
        .changed_job_calls(first, Some(&behind), 9)
        .await
        .unwrap();
    assert_eq!(changed, [done("c", true)]);
    assert_eq!(store.job_call_ids(first).await.unwrap().len(), 3);

    let end = JobEnd {
        state: JobState::Done,
        unix_ms: 10_000,
        n_failed: 0,
        error: None,
        report: Some("{}".into()),
    };
    store.end_job(first, &end).await.unwrap();
    assert!(!store.begin_job(first, 11_000).await.unwrap(), "it is over");
    assert!(!store.cancel_queued_job(first, 11_000).await.unwrap());
    assert_eq!(store.next_job().await.unwrap().unwrap().id, second);
    assert!(store.cancel_queued_job(second, 11_000).await.unwrap());
    assert!(!store.begin_job(second, 12_000).await.unwrap());
    assert_eq!(store.next_job().await.unwrap(), None);
    let ids = |jobs: Vec<auricle_store::JobRecord>| -> Vec<u64> {
        jobs.into_iter().map(|job| job.id).collect()
    };
    assert_eq!(
        ids(store.jobs(None, None, 9).await.unwrap()),
        [second, first]
    );
    assert_eq!(
        ids(store.jobs(None, Some(second), 9).await.unwrap()),
        [first]
    );
    let cancelled = store
        .jobs(Some(JobState::Cancelled), None, 9)
        .await
        .unwrap();
    assert_eq!(ids(cancelled), [second]);
}

#[tokio::test]
async fn what_came_of_a_call_is_forgotten_with_it() {
    let (_folder, store) = store().await;
    let id = store.add_job(&new("li"), 1).await.unwrap().unwrap();
    let calls = [done("a", true), done("b", true)];
    store.note_job_calls(id, &calls).await.unwrap();
    store.delete(&[CallId("a".into())]).await.unwrap();
    assert_eq!(store.job_calls(id).await.unwrap(), [done("b", true)]);
}

#[tokio::test]
async fn old_jobs_that_are_over_are_forgotten() {
    let (_folder, store) = store().await;
    let mut first = None;
    for _ in 0..202 {
        let id = store.add_job(&new("li"), 1).await.unwrap().unwrap();
        first.get_or_insert(id);
        store.note_job_calls(id, &[done("a", true)]).await.unwrap();
        store.cancel_queued_job(id, 2_000).await.unwrap();
    }
    let first = first.unwrap();
    assert_eq!(store.job(first).await.unwrap(), None);
    assert_eq!(store.job_calls(first).await.unwrap(), []);
    assert!(store.job(first + 1).await.unwrap().is_some());
}
