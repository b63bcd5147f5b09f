//! The fingerprint of this room covers all data that is built into it.

use std::fs;
use std::path::{Path, PathBuf};

/// Texts in quotation marks that stand right behind `before`.
fn quoted_behind<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
    let pieces = text.split(before).skip(1);
    pieces.filter_map(|piece| piece.split('"').next()).collect()
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => rust_files(&path, out),
            false if path.extension().is_some_and(|ending| ending == "rs") => out.push(path),
            false => {}
        }
    }
}

#[test]
fn whatever_is_built_in_changes_the_fingerprint() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let build = fs::read_to_string(room.join("build.rs")).unwrap();
    let list = build.split("];").next().unwrap();
    let sources = quoted_behind(list, "    \"");
    assert!(sources.contains(&"src"), "{sources:?}");
    let sources = sources
        .iter()
        .map(|source| room.join(source).canonicalize().unwrap());
    let sources: Vec<PathBuf> = sources.collect();
    let mut files = Vec::new();
    rust_files(&room.join("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let names = ["include_str!(\"", "include_bytes!(\""]
            .into_iter()
            .flat_map(|before| quoted_behind(&text, before));
        for name in names {
            let data = file.parent().unwrap().join(name).canonicalize().unwrap();
            let is_covered = sources.iter().any(|source| data.starts_with(source));
            assert!(is_covered, "build.rs does not list {}", data.display());
        }
    }
}
