//! The configuration file, and what the command line and the environment put over it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use auricle_models::registry::ModelsConfig;
use auricle_speech::SpeechSettings;
use serde::Deserialize;
use time::UtcOffset;

use crate::analyze::AnalyzeConfig;
use crate::clock;
use crate::data::DataFolder;
use crate::engine::{LmConfig, NativeConfig};
use crate::exit::usage;
use crate::judge::InsightConfig;
use crate::plainly::toml_plainly;
use crate::serve::LiveConfig;
use crate::text_file::read_text;

/// The name looked for in the current folder and in the data folder.
const FILE_NAME: &str = "auricle.toml";

/// What `auricle.toml` may hold. Keys that are not known are refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// The data folder; relative to the folder of this file.
    data_dir: Option<PathBuf>,
    /// What a time without an offset means: `"+08:00"`. Default `"Z"`.
    utc_offset: Option<String>,
    /// What is written to standard error.
    log: LogConfig,
    /// `auricle analyze`.
    analyze: AnalyzeConfig,
    /// How speech is turned into text.
    speech: SpeechSettings,
    /// Which model a call gets, and where models lie.
    models: ModelsConfig,
    /// Language model.
    lm: LmConfig,
    /// Native libraries.
    native: NativeConfig,
    /// What calls are assessed with.
    insight: InsightConfig,
    /// Calls under way.
    live: LiveConfig,
}

/// `[log]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LogConfig {
    /// `error`, `warn` (default), `info`, `debug`, `trace`, or a filter like `auricle=debug,warn`.
    level: Option<String>,
}

/// Everything that was decided outside of a command's own options.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The file that was read, if there is one.
    pub(crate) file: Option<PathBuf>,
    pub(crate) data: DataFolder,
    /// What a time without an offset means.
    pub(crate) utc_offset: UtcOffset,
    /// The same where the file says it.
    pub(crate) said_utc_offset: Option<UtcOffset>,
    pub(crate) log_filter: String,
    pub(crate) analyze: AnalyzeConfig,
    pub(crate) speech: SpeechSettings,
    pub(crate) models: ModelsConfig,
    pub(crate) lm: LmConfig,
    pub(crate) native: NativeConfig,
    pub(crate) insight: InsightConfig,
    pub(crate) live: LiveConfig,
}

/// What the command line says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) config: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) log_filter: Option<String>,
}

impl Config {
    /// Reads the first of `--config`, `./auricle.toml` and `<data folder>/auricle.toml` that is
    /// there. The data folder is the command line's or environment's, else the file's, else the
    /// user's default.
    pub(crate) fn load(overrides: &Overrides) -> Result<Self> {
        let named = overrides.data_dir.clone().or_else(DataFolder::default_root);
        let (path, file) = match &overrides.config {
            Some(path) => (Some(path.clone()), read_named(path)?),
            None => find_file(named.as_deref())?,
        };
        let from_file = || {
            let folder = path.as_deref().and_then(Path::parent)?;
            Some(folder.join(file.data_dir.as_ref()?))
        };
        let root = overrides
            .data_dir
            .clone()
            .or_else(from_file)
            .or_else(DataFolder::default_root);
        let root = root.ok_or_else(|| {
            usage("there is no home folder to keep data in\nhint: name a data folder with --data or AURICLE_DATA")
        })?;
        file.speech
            .check()
            .map_err(|cause| in_file(&path, &cause))?;
        let said_utc_offset = match &file.utc_offset {
            Some(text) => Some(clock::parse_offset(text).map_err(|cause| in_file(&path, &cause))?),
            None => None,
        };
        let log_filter = overrides.log_filter.clone().or(file.log.level);
        Ok(Self {
            utc_offset: said_utc_offset.unwrap_or(UtcOffset::UTC),
            said_utc_offset,
            data: DataFolder::new(root),
            log_filter: log_filter.unwrap_or_else(|| "warn".to_owned()),
            analyze: file.analyze,
            speech: file.speech,
            models: file.models,
            lm: file.lm,
            native: file.native,
            insight: file.insight,
            live: file.live,
            file: path,
        })
    }
}

fn find_file(data_root: Option<&Path>) -> Result<(Option<PathBuf>, ConfigFile)> {
    let here = Some(PathBuf::from(FILE_NAME));
    let in_data = data_root.map(|root| root.join(FILE_NAME));
    for path in [here, in_data].into_iter().flatten() {
        if let Some(text) = read_if_there(&path)? {
            let file = parse(&path, &text)?;
            return Ok((Some(path), file));
        }
    }
    Ok((None, ConfigFile::default()))
}

fn read_named(path: &Path) -> Result<ConfigFile> {
    let text = read_text(path).map_err(|cause| cannot_read(path, &cause))?;
    parse(path, &text)
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::metadata(path) {
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        _ => read_text(path)
            .map(Some)
            .map_err(|cause| cannot_read(path, &cause)),
    }
}

/// What is wrong is told with line and column, and the line.
fn parse(path: &Path, text: &str) -> Result<ConfigFile> {
    toml::from_str(text).map_err(|cause| {
        let cause = toml_plainly(&cause);
        usage(format!("configuration `{}`, {cause}", path.display()))
    })
}

fn cannot_read(path: &Path, cause: &str) -> anyhow::Error {
    in_file(&Some(path.to_owned()), cause)
}

fn in_file(path: &Option<PathBuf>, cause: &str) -> anyhow::Error {
    match path {
        Some(path) => usage(format!("configuration `{}`: {cause}", path.display())),
        None => usage(cause),
    }
}

/// A path of the configuration: relative ones start at the configuration file's folder.
pub(crate) fn beside(config: &Config, path: &Path) -> PathBuf {
    match config.file.as_deref().and_then(Path::parent) {
        Some(folder) => folder.join(path),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("auricle.toml");
        fs::write(&path, text)?;
        Config::load(&Overrides {
            config: Some(path),
            ..Overrides::default()
        })
    }

    fn check_refused(text: &str, expected: &str) {
        let error = load(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        check_refused("data_dir = \"x\"\ndatadir = \"y\"", "line 2");
        check_refused(
            "[analyze]\njob = 2",
            "unknown key `job`; did you mean `jobs`?",
        );
        check_refused("[speach]", "unknown key `speach`; did you mean `speech`?");
        check_refused("[analyze]\njobs = \"two\"", "line 2");
        check_refused("utc_offset = \"8\"", "utc_offset");
        check_refused("[log", "line 1");
    }

    #[test]
    fn the_data_folder_lies_beside_the_file_that_names_it() {
        let config = load("data_dir = \"data\"").unwrap();
        let folder = config.file.as_deref().unwrap().parent().unwrap();
        assert_eq!(config.data.root(), folder.join("data"));
        let over = Overrides {
            config: config.file.clone(),
            ..Overrides::default()
        };
        assert!(Config::load(&over).is_err(), "the file is gone by now");
    }

    #[test]
    fn the_documentation_shows_the_defaults() {
        let text = include_str!("../../docs/configuration.md");
        let block = text.split("```toml\n").nth(1).unwrap();
        let shown = block.split("```").next().unwrap();
        let (documented, default) = (load(shown).unwrap(), load("").unwrap());
        assert_eq!(documented.speech, default.speech);
        assert_eq!(documented.models.profile, default.models.profile);
        assert_eq!(documented.live, default.live);
        // The examples are keys that exist, too.
        let examples = shown
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n");
        load(&examples).unwrap();
    }

    #[test]
    fn defaults() {
        let config = load("").unwrap();
        assert_eq!(config.log_filter, "warn");
        assert_eq!(config.utc_offset, UtcOffset::UTC);
    }
}
