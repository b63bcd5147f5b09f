use super::*;
use crate::testing::{self, NOW};
use auricle_contracts::{CallMetadata, Transcript};
use auricle_store::{Fingerprints, Recording};

/// A folder with recordings, and a store beside them.
struct Desk {
    folder: tempfile::TempDir,
    store: Store,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("auricle.db")).await;
        Self {
            folder,
            store: store.unwrap(),
        }
    }

    fn put(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    async fn names(&self, files: &[&PathBuf]) -> Vec<Named> {
        let files = files.iter().map(|file| (*file).clone()).collect::<Vec<_>>();
        name_calls(Some(&self.store), &files).await.unwrap()
    }

    async fn save(&self, named: &Named, audio_sha256: &str) {
        let prints = Fingerprints {
            audio_sha256: audio_sha256.to_owned(),
            ..Fingerprints::default()
        };
        let recording = recording(named);
        let heard = transcript(&recording);
        let save = self.store.save_done(None, &recording, &prints, &heard, NOW);
        save.await.unwrap();
    }
}

fn recording(named: &Named) -> Recording {
    Recording {
        call_id: named.call_id.clone(),
        file: named.file.to_string_lossy().into_owned(),
        path: named.path.clone(),
        size_bytes: fs::metadata(&named.file).map_or(0, |known| known.len()),
        legs: Vec::new(),
        lines: Vec::new(),
        keys_pressed: Vec::new(),
        metadata: CallMetadata::default(),
    }
}

fn transcript(recording: &Recording) -> Transcript {
    Transcript {
        call_id: recording.call_id.clone(),
        file: recording.file.clone(),
        ..testing::transcript("")
    }
}

fn ids(named: &[Named]) -> Vec<&str> {
    named.iter().map(|call| call.call_id.0.as_str()).collect()
}

fn json_names(named: &[Named]) -> Vec<String> {
    let paths = named.iter().map(|call| call.json_path.as_ref().unwrap());
    paths
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn stems_that_meet_get_different_names_that_stay_the_same() {
    let files = ["/a/客户 一.wav", "/b/客户 一.wav"].map(PathBuf::from);
    let named = name_calls(None, &files).await.unwrap();
    assert_eq!(named[0].call_id.0, "客户 一");
    assert_eq!(named[0].warnings, [""; 0]);
    assert!(named[1].call_id.0.starts_with("客户 一-"), "{named:?}");
    assert_eq!(named[1].warnings.len(), 1);
    assert_eq!(name_calls(None, &files).await.unwrap(), named);
}

#[tokio::test]
async fn a_call_keeps_its_name_whatever_comes_before_it() {
    let desk = Desk::new().await;
    let (a, b) = (desk.put("a/x.wav", "one"), desk.put("b/x.wav", "two"));
    let alone = desk.names(&[&b]).await;
    assert_eq!(ids(&alone), ["x"]);
    let sum = sha256_of_file(&b).unwrap();
    desk.save(&alone[0], &sum).await;
    let both = desk.names(&[&a, &b]).await;
    assert!(both[0].call_id.0.starts_with("x-"), "{both:?}");
    assert_eq!(both[1].call_id.0, "x");
    // The same bytes under another name are the same call, but not while it is where it was.
    fs::write(&a, "two").unwrap();
    assert_eq!(desk.names(&[&a, &b]).await[1].call_id.0, "x");
    fs::remove_file(&b).unwrap();
    assert_eq!(ids(&desk.names(&[&a]).await), ["x"]);
}

#[tokio::test]
async fn an_imported_call_keeps_its_name_from_other_recordings() {
    let desk = Desk::new().await;
    let file = desk.put("here/x.wav", "sound");
    let elsewhere = Named {
        file: "recordings/x.wav".into(),
        call_id: CallId("x".into()),
        path: "recordings/x.wav".into(),
        known: None,
        json_path: None,
        warnings: Vec::new(),
    };
    desk.save(&elsewhere, "").await;
    let named = desk.names(&[&file]).await;
    assert!(named[0].call_id.0.starts_with("x-"), "{named:?}");
    assert!(named[0].warnings[0].contains("another call is named `x`"));
}

#[tokio::test]
async fn an_empty_recording_that_failed_keeps_its_name_while_it_is_there() {
    let desk = Desk::new().await;
    let (a, b) = (desk.put("a/x.wav", ""), desk.put("b/x.wav", "sound"));
    let named = desk.names(&[&a]).await;
    let failed = recording(&named[0]);
    let save = desk.store.save_failed(None, &failed, "is empty", NOW);
    save.await.unwrap();
    assert!(desk.names(&[&b]).await[0].call_id.0.starts_with("x-"));
    fs::remove_file(&a).unwrap();
    assert_eq!(ids(&desk.names(&[&b]).await), ["x"]);
}

#[tokio::test]
async fn json_files_of_a_run_do_not_overwrite_each_other() {
    let desk = Desk::new().await;
    let (a, b) = (desk.put("a/x.wav", "one"), desk.put("b/x.wav", "two"));
    let out = desk.folder.path().join("out");
    let alone = desk.names(&[&b]).await;
    desk.save(&alone[0], "sum").await;
    let mut both = desk.names(&[&a, &b]).await;
    name_json_files(&mut both, &out);
    let suffixed = format!("{}.json", both[0].call_id);
    assert_eq!(json_names(&both), [suffixed.as_str(), "x.json"]);
}

#[tokio::test]
async fn json_files_of_other_recordings_stay() {
    let desk = Desk::new().await;
    let (x, z) = (desk.put("x.wav", "one"), desk.put("z.wav", "two"));
    let out = desk.folder.path().join("out");
    // Of another data folder: the same id, another recording.
    desk.put("out/x.json", r#"{"call_id": "x", "file": "far/x.wav"}"#);
    desk.put("out/z.json", "no transcript");
    let mut named = desk.names(&[&x, &z]).await;
    name_json_files(&mut named, &out);
    let names = json_names(&named);
    assert!(names[0].starts_with("x-"), "{names:?}");
    assert_eq!(names[1], "z.json");
    assert!(named[0].warnings[0].contains("`x.json` holds another recording"));

    let own = serde_json::to_string(&transcript(&recording(&named[0]))).unwrap();
    desk.put("out/x.json", &own);
    name_json_files(&mut named, &out);
    assert_eq!(json_names(&named)[0], "x.json", "the same call is replaced");
}

#[tokio::test]
async fn names_stay_short_enough_for_a_file() {
    let desk = Desk::new().await;
    let stem = "字".repeat(82);
    let files = ["a", "b"].map(|folder| desk.put(&format!("{folder}/{stem}.wav"), folder));
    let mut named = desk.names(&[&files[0], &files[1]]).await;
    name_json_files(&mut named, &desk.folder.path().join("out"));
    let names = json_names(&named);
    assert_eq!(names[0], format!("{stem}.json"));
    assert!(names[1].len() <= 255 && names[1] != names[0], "{names:?}");
    assert!(named[1].call_id.0.len() <= 255);
}
