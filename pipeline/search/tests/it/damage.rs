//! Folders that are no index, or no longer one.

use std::fs;
use std::path::PathBuf;

use crate::common::{OPTIONS, TestIndex, call, index_of, nothing};
use auricle_search::{IndexError, SearchRequest, TranscriptIndex};

fn closed_index() -> tempfile::TempDir {
    let TestIndex { folder, index } = index_of(&[call("one", &["a 您好", "c 保证 收益"])]);
    drop(index);
    folder
}

fn open_error(folder: &tempfile::TempDir) -> IndexError {
    match TranscriptIndex::open(folder.path(), OPTIONS) {
        Err(error) => error,
        Ok(_) => panic!("opened"),
    }
}

#[test]
fn an_empty_folder_holds_no_index() {
    let folder = tempfile::TempDir::new().unwrap();
    assert!(matches!(open_error(&folder), IndexError::Missing { .. }));
    let missing = folder.path().join("nowhere");
    let error = TranscriptIndex::open(&missing, OPTIONS).err().unwrap();
    assert!(error.to_string().contains("no transcript index"), "{error}");
}

#[test]
fn an_index_is_not_made_twice() {
    let folder = closed_index();
    let error = TranscriptIndex::create(folder.path(), OPTIONS)
        .err()
        .unwrap();
    assert!(matches!(error, IndexError::Exists { .. }), "{error}");
    TranscriptIndex::open_or_create(folder.path(), OPTIONS).unwrap();
}

#[test]
fn another_version_is_named_with_the_way_out() {
    let folder = closed_index();
    let version = folder.path().join("auricle-index.json");
    fs::write(&version, r#"{"schema":999,"syllables":1}"#).unwrap();
    let text = open_error(&folder).to_string();
    assert!(
        text.contains("`999/00000001`") && text.contains("add the transcripts again"),
        "{text}"
    );
    // The version before, in which nothing was known of what was found.
    fs::write(&version, r#"{"schema":3,"syllables":1}"#).unwrap();
    let text = open_error(&folder).to_string();
    assert!(
        text.contains("`3/00000001`") && text.contains("hint:"),
        "{text}"
    );
    fs::remove_file(&version).unwrap();
    assert!(matches!(open_error(&folder), IndexError::Version { .. }));
    fs::write(&version, "{").unwrap();
    assert!(matches!(open_error(&folder), IndexError::Damaged { .. }));
}

fn segment_files(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|name| name.len() > 30))
        .collect();
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    files
}

/// Every file of a segment, missing, empty, cut and overwritten, is told or does no harm.
#[test]
fn damaged_files_are_told_and_never_panic() {
    type Damage = fn(&PathBuf, Vec<u8>);
    let damages: [(&str, Damage); 4] = [
        ("missing", |path, _| fs::remove_file(path).unwrap()),
        ("empty", |path, _| fs::write(path, []).unwrap()),
        ("cut", |path, bytes| {
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap()
        }),
        ("overwritten", |path, mut bytes| {
            let middle = bytes.len() / 2;
            bytes[..middle].fill(0xFF);
            fs::write(path, bytes).unwrap();
        }),
    ];
    let n_files = segment_files(&closed_index()).len();
    for (name, damage) in damages {
        for which in 0..n_files {
            let folder = closed_index();
            let path = segment_files(&folder).swap_remove(which);
            damage(&path, fs::read(&path).unwrap());
            let what = format!("{name} {}", path.extension().unwrap().display());
            match TranscriptIndex::open(folder.path(), OPTIONS) {
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("damaged"), "{what}: {text}");
                    assert!(text.contains("add the transcripts again"), "{what}: {text}");
                }
                Ok(index) => {
                    let reader = index.reader();
                    for query in ["保证", "sound:保证", "party:agent", "agent:张 OR 您"] {
                        let _ = reader.search(&SearchRequest::new(query));
                    }
                    assert_eq!(name, "overwritten", "{what} was not noticed");
                    let error = reader.verify().expect_err(&what).to_string();
                    assert!(error.contains("files not as written"), "{what}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_second_writer_is_refused() {
    let first = index_of(&[call("one", &["a 您好"])]);
    let second = TranscriptIndex::open(first.folder.path(), OPTIONS).unwrap();
    let error = second
        .add(&call("two", &["a 您好"]), &nothing())
        .unwrap_err();
    assert!(matches!(error, IndexError::Locked { .. }), "{error}");
    // Reading goes on, and who opens the index later sees what the other one committed.
    first
        .index
        .add(&call("three", &["a 再见"]), &nothing())
        .unwrap();
    first.index.commit().unwrap();
    let third = TranscriptIndex::open(first.folder.path(), OPTIONS).unwrap();
    for (index, expected) in [(&second, 0), (&third, 1)] {
        let found = index.reader().search(&SearchRequest::new("再见")).unwrap();
        assert_eq!(found.total_hits, expected);
    }
}

/// A folder that is away for a while stands for a full disk: files cannot be written.
#[test]
fn what_a_failed_commit_lost_can_be_added_again() {
    let TestIndex { folder, index } = index_of(&[call("one", &["a 您好"])]);
    let away = folder.path().with_extension("away");
    let found = |query: &str| {
        let results = index.reader().search(&SearchRequest::new(query)).unwrap();
        results.total_hits
    };
    let later = call("later", &["c 保证 收益"]);
    for _ in 0..3 {
        index.add(&later, &nothing()).unwrap();
        fs::rename(folder.path(), &away).unwrap();
        let error = index.commit().unwrap_err();
        assert!(!error.is_refusal(), "{error}");
        fs::rename(&away, folder.path()).unwrap();
        assert_eq!((found("您好"), found("保证")), (1, 0));
    }
    // What was lost is not half there: the next commit holds what was added after the failure.
    index.add(&call("other", &["a 再见"]), &nothing()).unwrap();
    index.commit().unwrap();
    assert_eq!((found("再见"), found("保证")), (1, 0));
    index.add(&later, &nothing()).unwrap();
    index.commit().unwrap();
    assert_eq!((found("您好"), found("保证"), found("再见")), (1, 1, 1));
    index.finish_merging().unwrap();
    index.reader().verify().unwrap();
}

#[test]
fn an_utterance_beyond_all_bounds_is_refused_by_name() {
    let index = index_of(&[]);
    let long = format!("a {}", "保".repeat(70_000));
    let error = index
        .index
        .add(&call("long", &["a 好", &long]), &nothing())
        .unwrap_err();
    assert!(error.is_refusal());
    let text = error.to_string();
    assert!(text.contains("utterance `1` of call `long`"), "{text}");
}
