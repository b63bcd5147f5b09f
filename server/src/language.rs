//! The language model: what it is made from, and where it is kept.

use std::path::PathBuf;

use anyhow::Result;
use auricle_models::registry::{ModelStore, Role};
use auricle_speech::lm::{Keeping, LanguageData, LanguageOptions};

use crate::config::{Config, beside};
use crate::engine::installed_file;
use crate::terminal::say;

/// Loads the language model of these options, from the cache where it was made before.
/// Gives with it a fingerprint of everything it was made from.
pub(crate) fn load(
    config: &Config,
    options: &LanguageOptions,
    keeping: Keeping,
) -> Result<(LanguageData, String)> {
    let folder = config.data.cache();
    let mut is_told = false;
    let opened = LanguageData::open(&folder, options, keeping, |step| {
        tracing::debug!(step, "language model");
        if !is_told {
            say!("making the language model; this takes some seconds, once");
            is_told = true;
        }
    });
    Ok(opened?)
}

/// What the configuration has the language model made from.
pub(crate) fn options(config: &Config, registry: &ModelStore) -> LanguageOptions {
    let texts = config.lm.texts.iter();
    LanguageOptions {
        arpa: arpa_files(config, registry),
        texts: texts.map(|path| beside(config, path)).collect(),
        weights: None,
    }
}

/// ARPA files: the configuration's, else the registry's where it is installed.
fn arpa_files(config: &Config, registry: &ModelStore) -> Vec<(PathBuf, Option<f32>)> {
    let files = match &config.lm.arpa {
        Some(paths) => paths.iter().map(|path| beside(config, path)).collect(),
        None => {
            let installed = installed_file(registry, config, Role::LanguageModel, "arpa");
            installed.into_iter().collect::<Vec<_>>()
        }
    };
    files.into_iter().map(|path| (path, None)).collect()
}
