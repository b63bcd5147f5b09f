//! Tells the library which code and data it is made of: an assessment follows from them.

use std::env;
use std::error::Error;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// What assessments follow from beside packs and cards, which whoever assesses knows.
const SOURCES: [&str; 4] = [
    "src",
    "../pinyin/src",
    "../pinyin/data",
    "../../packs/intents",
];

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut hasher = DefaultHasher::new();
    for source in SOURCES {
        let folder = manifest.join(source);
        println!("cargo:rerun-if-changed={}", folder.display());
        add(&folder, &mut hasher)?;
    }
    let fingerprint = hasher.finish();
    println!("cargo:rustc-env=AURICLE_INSIGHT_FINGERPRINT={fingerprint:016x}");
    Ok(())
}

/// Files in the order of their names, wherever the sources lie.
fn add(path: &Path, hasher: &mut DefaultHasher) -> Result<(), Box<dyn Error>> {
    if !path.is_dir() {
        path.file_name().hash(hasher);
        fs::read(path)?.hash(hasher);
        return Ok(());
    }
    let entries = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| add(entry, hasher))
}
