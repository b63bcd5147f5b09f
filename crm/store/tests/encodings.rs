//! Rows of older versions beside those of today, and assessments that hold under other rules.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::path::PathBuf;

use auricle_contracts::{
    Assessment, CallId, CallMetadata, Party, PiiKind, PiiSpan, Scorecard, Transcript,
};
use auricle_store::{AssessmentRecord, Effect, Fingerprints, Recording, Store, StoreError};
use sea_orm::{ConnectionTrait, Database};
use serde::Serialize;

const NOW: &str = "2026-11-20T08:00:00Z";

fn id(name: &str) -> CallId {
    CallId(name.to_owned())
}

fn transcript(name: &str) -> Transcript {
    let json = serde_json::json!({
        "call_id": name, "file": "a.wav", "duration_ms": 9000, "engine": "e",
        "utterances": [{
            "party": "agent", "channel": 0, "start_ms": 0, "end_ms": 900,
            "text": "保证收益。", "spoken": "保证收益", "confidence": 0.922,
            "words": [{ "w": "保证", "start_ms": 0, "end_ms": 400 }],
        }],
    });
    serde_json::from_value(json).unwrap()
}

fn assessed(name: &str, rules: &str, total: f32) -> AssessmentRecord {
    AssessmentRecord {
        call_id: id(name),
        transcript_version: 1,
        rules_fingerprint: rules.into(),
        made_at: NOW.into(),
        assessment: Assessment {
            scorecard: Some(Scorecard {
                total,
                ..Scorecard::default()
            }),
            ..Assessment::default()
        },
    }
}

struct Desk {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: Store,
}

impl Desk {
    /// A store in which these calls were heard.
    async fn with(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auricle.db");
        let store = Store::open(&path).await.unwrap();
        for name in names {
            let recording = Recording {
                call_id: id(name),
                file: format!("{name}.wav"),
                path: format!("/calls/{name}.wav"),
                size_bytes: 1,
                legs: Vec::new(),
                lines: Vec::new(),
                keys_pressed: Vec::new(),
                metadata: CallMetadata::default(),
            };
            let (prints, heard) = (Fingerprints::default(), transcript(name));
            let save = store.save_done(None, &recording, &prints, &heard, NOW);
            save.await.unwrap();
        }
        Self {
            _folder: folder,
            path,
            store,
        }
    }

    /// Takes the place of the body in each row of `table`: JSON, as older versions wrote it.
    async fn write_json(&self, table: &str, value: &impl Serialize) {
        let json = serde_json::to_vec(value).unwrap();
        let hex: String = json.iter().map(|byte| format!("{byte:02x}")).collect();
        let address = format!("sqlite://{}", self.path.display());
        let db = Database::connect(address).await.unwrap();
        let sql = format!("UPDATE {table} SET encoding = 'json', body = x'{hex}'");
        db.execute_unprepared(&sql).await.unwrap();
        db.close().await.unwrap();
    }

    async fn effect(&self, record: &AssessmentRecord) -> Effect {
        let ids = std::slice::from_ref(&record.call_id);
        let stored = self.store.stored_assessments(ids).await.unwrap();
        let encoded = record.encode(stored.get(&record.call_id)).unwrap();
        encoded.effect()
    }

    /// Rules and points of every version, and which is in force.
    async fn versions(&self, name: &str) -> Vec<(String, Option<f32>, bool)> {
        let versions = self.store.score_versions(&id(name)).await.unwrap();
        let told = versions.into_iter();
        told.map(|one| (one.rules_fingerprint, one.total, one.is_current))
            .collect()
    }
}

#[tokio::test]
async fn transcripts_of_older_versions_are_read() {
    let desk = Desk::with(&["a"]).await;
    desk.write_json("transcripts", &transcript("a")).await;
    let read = desk.store.transcript(&id("a")).await.unwrap();
    assert_eq!(read, Some(transcript("a")));
}

#[tokio::test]
async fn what_is_the_same_is_known_in_rows_of_any_version() {
    let desk = Desk::with(&["a"]).await;
    let known = assessed("a", "r1", 90.0);
    let saved = std::slice::from_ref(&known);
    desk.store.save_assessments(saved).await.unwrap();
    for is_older in [false, true] {
        if is_older {
            desk.write_json("assessments", &known.assessment).await;
        }
        let read = desk.store.assessment(&id("a")).await.unwrap();
        assert_eq!(read, Some(known.clone()));
        assert_eq!(desk.effect(&known).await, Effect::Nothing);
        assert_eq!(
            desk.effect(&assessed("a", "r2", 90.0)).await,
            Effect::Confirmed
        );
        assert_eq!(
            desk.effect(&assessed("a", "r1", 80.0)).await,
            Effect::Findings
        );
        let mut hidden = assessed("a", "r1", 90.0);
        hidden.assessment.pii.push(PiiSpan {
            kind: PiiKind::Phone,
            party: Party::Customer,
            start_ms: 0,
            end_ms: 1,
            places: Vec::new(),
        });
        assert_eq!(desk.effect(&hidden).await, Effect::Findings);
    }
    // Nothing changed: not even the row's encoding.
    desk.store.save_assessments(saved).await.unwrap();
    assert_eq!(desk.versions("a").await, [("r1".into(), Some(90.0), true)]);
}

#[tokio::test]
async fn what_cannot_be_read_is_replaced() {
    let desk = Desk::with(&["a"]).await;
    let known = assessed("a", "r1", 90.0);
    let saved = std::slice::from_ref(&known);
    desk.store.save_assessments(saved).await.unwrap();
    desk.write_json("assessments", &"13800138000").await;
    let error = desk.store.assessment(&id("a")).await.unwrap_err();
    assert!(matches!(error, StoreError::Assessment { .. }), "{error}");
    assert!(!error.to_string().contains("13800138000"), "{error}");
    assert_eq!(desk.effect(&known).await, Effect::Findings);
}
