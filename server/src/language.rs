//! The language model: what it is made from, and the file that keeps it made.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use auricle_models::registry::{ModelStore, Role, hex, sha256_of_file};
use auricle_speech::lm::data::Weights;
use auricle_speech::lm::dictionary::own_corpus;
use auricle_speech::lm::{LanguageData, LanguageOptions};
use sha2::{Digest, Sha256};

use crate::config::{Config, beside};
use crate::engine::installed_file;

/// Cached models begin and end so.
const CACHE_PREFIX: &str = "language-";
const CACHE_ENDING: &str = "bin";
/// Models kept in the cache: those of a few configurations that are used in turn. Each has about as many
/// bytes as its ARPA files.
const MODELS_KEPT: usize = 4;

/// Whether a model that had to be made is kept for the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// In the data folder's cache.
    InCache,
    /// Not: nothing may be written.
    Nothing,
}

/// Loads the language model that the configuration asks for, from the cache where it was made before.
/// Gives with it a fingerprint of everything it was made from.
pub(crate) fn load(
    config: &Config,
    registry: &ModelStore,
    keeping: Keeping,
) -> Result<(LanguageData, String)> {
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
        .join(format!("{CACHE_PREFIX}{}.{CACHE_ENDING}", key(&print)));
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
    if keeping == Keeping::InCache {
        keep(&language, &cached);
    }
    Ok((language, print))
}

/// ARPA files: the configuration's, else the registry's where it is installed.
fn arpa_files(config: &Config, registry: &ModelStore) -> Vec<PathBuf> {
    match &config.lm.arpa {
        Some(paths) => paths.iter().map(|path| beside(config, path)).collect(),
        None => {
            let installed = installed_file(registry, config, Role::LanguageModel, "arpa");
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
        language.save(path).map_err(|cause| cause.to_string())?;
        remove_oldest(folder);
        Ok(())
    });
    if let Err(cause) = kept {
        tracing::warn!(
            "the language model cannot be kept in `{}`: {cause}",
            path.display()
        );
    }
}

/// Leaves the newest models. What another process is writing has another ending, and is left alone.
fn remove_oldest(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut cached = entries
        .map(|entry| entry.path())
        .filter(|path| is_cached_model(path))
        .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
        .collect::<Vec<_>>();
    cached.sort();
    let n_older = cached.len().saturating_sub(MODELS_KEPT);
    for (_, path) in &cached[..n_older] {
        let _ = fs::remove_file(path);
    }
}

fn is_cached_model(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(CACHE_PREFIX)
        && path
            .extension()
            .is_some_and(|ending| ending == CACHE_ENDING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_newest_models_stay_and_what_is_being_written_too() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, age_secs: u64| {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            let changed = UNIX_EPOCH + Duration::from_secs(1_000_000 - age_secs);
            file.set_modified(changed).unwrap();
        };
        for age_secs in 0..6 {
            put(&format!("language-{age_secs}.bin"), age_secs);
        }
        put("language-0.part4711", 99);
        put("notes.bin", 99);
        remove_oldest(folder.path());
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>();
        names.sort();
        assert_eq!(
            names,
            [
                "language-0.bin",
                "language-0.part4711",
                "language-1.bin",
                "language-2.bin",
                "language-3.bin",
                "notes.bin"
            ]
        );
    }
}
