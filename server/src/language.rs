//! The language model: what it is made from, and the file that keeps it made.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use auricle_models::registry::{ModelStore, Role};
use auricle_speech::lm::data::Weights;
use auricle_speech::lm::dictionary::own_corpus;
use auricle_speech::lm::{LanguageData, LanguageOptions};
use sha2::{Digest, Sha256};

use crate::analyze::hash::{hex, sha256_of_file};
use crate::config::{Config, beside};
use crate::engine::model_file;

/// Cached models begin so; those of another making are removed.
const CACHE_PREFIX: &str = "language-";

/// Loads the language model that the configuration asks for, from the cache where it was made before.
/// Gives with it a fingerprint of everything it was made from.
pub(crate) fn load(config: &Config, registry: &ModelStore) -> Result<(LanguageData, String)> {
    let arpa = arpa_files(config, registry);
    let texts = config
        .lm
        .texts
        .iter()
        .map(|path| beside(config, path))
        .collect::<Vec<_>>();
    let print = print_of(arpa.iter().chain(&texts))?;
    let cached = config
        .data
        .cache()
        .join(format!("{CACHE_PREFIX}{}.bin", key(&print)));
    match LanguageData::load(&cached) {
        Ok(language) => return Ok((language, print)),
        Err(cause) => tracing::debug!("no cached language model: {cause}"),
    }
    tracing::info!("making the language model");
    let options = LanguageOptions {
        arpa: arpa.into_iter().map(|path| (path, None)).collect(),
        texts,
        weights: None,
    };
    let language = LanguageData::build(&options, |step| tracing::debug!(step, "language model"))?;
    keep(&language, &cached);
    Ok((language, print))
}

/// ARPA files: the configuration's, else the registry's where it is installed.
fn arpa_files(config: &Config, registry: &ModelStore) -> Vec<PathBuf> {
    match &config.lm.arpa {
        Some(paths) => paths.iter().map(|path| beside(config, path)).collect(),
        None => {
            let installed = model_file(registry, &config.models, Role::LanguageModel, "arpa");
            installed.into_iter().collect()
        }
    }
}

fn print_of<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(own_corpus());
    hash.update(format!(
        "{:?}|{}",
        Weights::default(),
        env!("CARGO_PKG_VERSION")
    ));
    for path in files {
        let sum = sha256_of_file(path)
            .with_context(|| format!("cannot read the language model `{}`", path.display()))?;
        hash.update(sum);
    }
    Ok(hex(&hash.finalize())[..16].to_owned())
}

/// Another build of the program may make another model from the same files.
fn key(print: &str) -> String {
    let program = std::env::current_exe().and_then(fs::metadata).ok();
    let built = program.and_then(|program| {
        let changed = program.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some((program.len(), changed.as_nanos()))
    });
    hex(&Sha256::digest(format!("{print}|{built:?}")))[..16].to_owned()
}

/// Failing to keep it costs a few seconds next time, and nothing else.
fn keep(language: &LanguageData, path: &Path) {
    let Some(folder) = path.parent() else { return };
    let kept = fs::create_dir_all(folder).map_err(|cause| cause.to_string());
    let kept = kept.and_then(|()| {
        remove_older(folder);
        language.save(path).map_err(|cause| cause.to_string())
    });
    if let Err(cause) = kept {
        tracing::warn!(
            "the language model cannot be kept in `{}`: {cause}",
            path.display()
        );
    }
}

fn remove_older(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(CACHE_PREFIX)
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}
