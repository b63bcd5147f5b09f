//! Packs the word frequencies of the jieba-rs package and the project's own texts into blobs that the
//! library carries with it, and tells it which code builds its language model.
//!
//! jieba-rs embeds its dictionary but offers no way to list it, so its file is taken from the package's
//! folder, which cargo knows: from the registry or from a vendored copy alike.

use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use serde_json::Value;

const DICTIONARY: &str = "src/data/dict.txt";
const CORPUS: &str = "../../models/lm/corpus";
/// What a language model follows from beside its texts: the code that counts and smooths, and how words are read.
const CODE: [&str; 3] = ["src/lm", "../pinyin/src", "../pinyin/data"];

fn main() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=Cargo.toml");

    let dictionary = jieba_folder(&manifest)?.join(DICTIONARY);
    println!("cargo:rerun-if-changed={}", dictionary.display());
    let words = fs::read(&dictionary).map_err(|error| {
        format!(
            "cannot read jieba's words at {}: {error}",
            dictionary.display()
        )
    })?;
    pack(&out.join("jieba-words.txt.gz"), &words)?;

    pack(
        &out.join("corpus.txt.gz"),
        &own_texts(&manifest.join(CORPUS))?,
    )?;

    let mut code = Crc::new();
    for folder in CODE {
        add_code(&manifest.join(folder), &mut code)?;
    }
    println!("cargo:rustc-env=AURICLE_LANGUAGE_CODE={:08x}", code.sum());
    Ok(())
}

/// Adds the lines of all files in a folder that can change a model: no comments, no tests.
fn add_code(folder: &Path, sum: &mut Crc) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<Result<Vec<PathBuf>, _>>()?;
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        if name.ends_with("tests") {
            continue;
        }
        if file.is_dir() {
            add_code(&file, sum)?;
            continue;
        }
        let text = fs::read_to_string(&file)?;
        let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
        for line in code.filter(|line| !line.trim_start().starts_with("//")) {
            sum.update(line.as_bytes());
            sum.update(b"\n");
        }
    }
    Ok(())
}

/// The folder of the jieba-rs package this crate is built against.
fn jieba_folder(manifest: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let offline = metadata(manifest, &["--offline"]);
    let text = match offline {
        Ok(text) => text,
        Err(_) => metadata(manifest, &[])?,
    };
    let metadata: Value = serde_json::from_slice(&text)?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata lists no packages")?;
    let jieba = packages
        .iter()
        .find(|package| package["name"] == "jieba-rs")
        .ok_or("cargo metadata does not list jieba-rs, which this crate depends on")?;
    let own_manifest = jieba["manifest_path"]
        .as_str()
        .ok_or("jieba-rs has no manifest path")?;
    let folder = Path::new(own_manifest)
        .parent()
        .ok_or("jieba-rs lies at no folder")?;
    Ok(folder.to_owned())
}

fn metadata(manifest: &Path, more: &[&str]) -> Result<Vec<u8>, Box<dyn Error>> {
    let output = Command::new(env::var("CARGO")?)
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(manifest.join("Cargo.toml"))
        .args(more)
        // Without these the inner cargo would take the outer one's target and flags for its own.
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .output()?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("cargo metadata failed, needed to find jieba-rs: {message}").into());
    }
    Ok(output.stdout)
}

/// All `.txt` files of the corpus folder, in the order of their names; nothing where the folder is not there.
fn own_texts(folder: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let mut text = Vec::new();
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        text.extend(fs::read(&file)?);
        text.push(b'\n');
    }
    Ok(text)
}

fn pack(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut packed = GzEncoder::new(fs::File::create(path)?, Compression::best());
    packed.write_all(bytes)?;
    packed.finish()?;
    Ok(())
}
