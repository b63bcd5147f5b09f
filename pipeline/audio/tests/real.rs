//! Real files of other makers, where they are there.
#![expect(
    clippy::unwrap_used,
    reason = "tests, their helpers included, stop at what they do not expect"
)]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::path::PathBuf;

use auricle_audio::{AudioBlock, AudioReader};

fn shared(path: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("AURICLE_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// Every recording of a folder reads to its end without a warning, in the time its header states.
fn check_folder(path: &str, extension: &str) {
    let Some(folder) = shared(path) else { return };
    let mut n_files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|found| found != extension) {
            continue;
        }
        let mut reader = AudioReader::open(&path).unwrap();
        let mut block = AudioBlock::new();
        let mut loudest = 0.0_f32;
        while reader.next_block(&mut block).unwrap() > 0 {
            loudest = block
                .channels()
                .flatten()
                .fold(loudest, |max, sample| max.max(sample.abs()));
        }
        assert_eq!(reader.warnings(), [], "{path:?}");
        assert_eq!(
            Some(reader.n_frames_read()),
            reader.info().n_frames,
            "{path:?}"
        );
        assert!(loudest > 0.001, "{path:?}: {loudest}");
        n_files += 1;
    }
    assert!(n_files > 0, "no {extension} in {path}");
}

#[test]
fn telephone_sentences_read_whole() {
    check_folder("audio/zh-dev", "wav");
}

#[test]
fn acted_opus_read_whole() {
    check_folder("audio/emotion-en", "opus");
}

#[test]
fn english_calls_read_whole() {
    check_folder("audio/en-calls", "wav");
}
