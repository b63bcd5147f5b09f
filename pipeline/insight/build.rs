//! Tells the library which code and data it is made of: an assessment follows from them.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What assessments follow from beside packs, cards and models of one's own.
const SOURCES: [&str; 9] = [
    "src",
    "../../contracts/src",
    "../pinyin/src",
    "../pinyin/data",
    "../../models/emotion/hand-set.json",
    "../../packs/intents/en/model.bin",
    "../../packs/intents/en/synonyms.txt",
    "../../packs/intents/zh/model.bin",
    "../../packs/intents/zh/synonyms.txt",
];
/// Ends of the names of files that are no part of the library.
const TESTS: [&str; 3] = ["tests.rs", "testing.rs", "measured.rs"];
/// Bytes of the checksum that are told: 64 bits tell all versions apart.
const PRINT_BYTES: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut hasher = Sha256::new();
    for source in SOURCES {
        let folder = manifest.join(source);
        println!("cargo:rerun-if-changed={}", folder.display());
        add(&folder, source, &mut hasher)?;
    }
    let print = &hasher.finalize()[..PRINT_BYTES];
    let print: String = print.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env=AURICLE_INSIGHT_FINGERPRINT={print}");
    Ok(())
}

/// Files in the order of their names, wherever the sources lie; `name` is the path below them.
fn add(path: &Path, name: &str, hasher: &mut Sha256) -> Result<(), Box<dyn Error>> {
    if !path.is_dir() {
        if !TESTS.iter().any(|end| name.ends_with(end)) {
            let bytes = fs::read(path)?;
            hasher.update(format!("{name} {}\n", bytes.len()));
            hasher.update(bytes);
        }
        return Ok(());
    }
    let entries = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name()));
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| {
        let name = format!("{name}/{}", entry.to_string_lossy());
        add(&path.join(entry), &name, hasher)
    })
}
