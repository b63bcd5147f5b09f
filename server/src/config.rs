//! The configuration file, and what the command line and the environment put over it.

mod in_force;
mod ranges;
mod reference;
mod schema;

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use auricle_models::registry::ModelsConfig;
use auricle_speech::SpeechSettings;
use schemars::JsonSchema;
use serde::Deserialize;
use time::UtcOffset;

pub(crate) use self::in_force::{KeyInForce, keys_said, tables_in_force};
pub(crate) use self::reference::{page, template};
pub(crate) use self::schema::schema;
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
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(title = "auricle.toml")]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// Store, index, caches, models; relative to the folder of this file. ~/.local/share/auricle if it is not given.
    #[schemars(example = &"data")]
    data_dir: Option<PathBuf>,
    /// What a time without an offset means; UTC if it is not given.
    #[schemars(example = &"+08:00")]
    utc_offset: Option<String>,
    /// What is written to standard error.
    log: LogConfig,
    /// `auricle analyze`.
    analyze: AnalyzeConfig,
    /// How speech is turned into text. A change here has recordings heard again.
    speech: SpeechSettings,
    /// Which model a call gets, and where models lie.
    models: ModelsConfig,
    /// The language model, beside the texts that the program carries with it.
    lm: LmConfig,
    /// Libraries that are loaded at run time.
    native: NativeConfig,
    /// What calls are assessed with. A change here is what `auricle rescore` is for.
    insight: InsightConfig,
    /// `auricle serve`: calls under way (live.md).
    live: LiveConfig,
}

/// `[log]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LogConfig {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter; `warn` if it is not given.
    #[schemars(example = &"auricle=debug,warn")]
    level: Option<String>,
}

/// Everything that was decided outside of a command's own options.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The file that was read, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// What stood in it.
    pub(crate) text: FileText,
    /// What the command line said.
    pub(crate) overrides: Overrides,
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

/// The text of a configuration file. It may have secrets: no message shows it.
#[derive(Clone, Default)]
pub(crate) struct FileText(pub(crate) String);

impl fmt::Debug for FileText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("FileText(…)")
    }
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
        let found = match &overrides.config {
            Some(path) => Some((path.clone(), read_named(path)?)),
            None => find_file(named.as_deref())?,
        };
        let (path, text) = found.map_or_else(Default::default, |(path, text)| (Some(path), text));
        let file = match &path {
            Some(path) => parse(path, &text)?,
            None => ConfigFile::default(),
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
            text: FileText(text),
            overrides: overrides.clone(),
        })
    }
}

/// The first that is there, and its text.
fn find_file(data_root: Option<&Path>) -> Result<Option<(PathBuf, String)>> {
    let here = Some(PathBuf::from(FILE_NAME));
    let in_data = data_root.map(|root| root.join(FILE_NAME));
    for path in [here, in_data].into_iter().flatten() {
        if let Some(text) = read_if_there(&path)? {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

fn read_named(path: &Path) -> Result<String> {
    read_text(path).map_err(|cause| cannot_read(path, &cause))
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

/// What is wrong is told with line and column: the first thing that cannot be read, with its line, else every number that is out
/// of its range.
fn parse(path: &Path, text: &str) -> Result<ConfigFile> {
    let shown = path.display();
    let file = toml::from_str(text).map_err(|cause| {
        let cause = toml_plainly(&cause);
        usage(format!("configuration `{shown}`, {cause}"))
    })?;
    let wrong = ranges::out_of_range(text);
    let wrong = wrong.iter().map(|one| {
        format!(
            "configuration `{shown}`, {}: {}",
            one.place(text),
            one.cause
        )
    });
    match wrong.collect::<Vec<_>>().join("\n") {
        none if none.is_empty() => Ok(file),
        all => Err(usage(all)),
    }
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
    fn numbers_out_of_range_are_all_told_with_their_place() {
        let check = |text: &str, expected: &[&str]| {
            let error = load(text).unwrap_err().to_string();
            let told: Vec<&str> = error.lines().collect();
            assert_eq!(told.len(), expected.len(), "{error}");
            for (told, expected) in told.iter().zip(expected) {
                assert!(told.ends_with(expected), "{told}");
            }
        };
        check(
            "[live]\nidle_ms = 1_000\nmost_calls = 0x0",
            &[
                "auricle.toml`, line 2, column 11: `live.idle_ms` must be 1 to 100, got `1000`",
                "line 3, column 14: `live.most_calls` must be 1 to 100000, got `0x0`",
            ],
        );
        check(
            "speech.beam = 100\n[speech.endpoint]\nsilence_prob = 5.0\nlookback_ms = 9223372036854775807",
            &[
                "`speech.beam` must be 0 to 64, got `100`",
                "`speech.endpoint.silence_prob` must be 0 to 0.99, got `5.0`",
                "`speech.endpoint.lookback_ms` must be 0 to 10000, got `9223372036854775807`",
            ],
        );
        check(
            "[speech]\nlattice = {word_bonus = nan}",
            &["`speech.lattice.word_bonus` must be -20 to 20, got `nan`"],
        );
        let webhook = "[[live.webhooks]]\nname = 'a'\nurl = 'http://x'\n";
        check(
            &format!("{webhook}{webhook}timeout_ms = 1"),
            &["line 7, column 14: `live.webhooks.timeout_ms` must be 100 to 60000, got `1`"],
        );
    }

    #[test]
    fn values_that_do_not_fit_each_other_are_told() {
        check_refused("[speech.endpoint]\nsilence_prob = 0.5", "must be at most");
    }

    #[test]
    fn the_published_reference_and_schema_are_the_types() {
        let check = |published: &str, expected: &str, renew: &str| {
            assert!(
                published.trim_end() == expected.trim_end(),
                "hint: cargo run -p auricle -- config {renew}"
            );
        };
        check(
            include_str!("../../docs/configuration-reference.md"),
            &page(),
            "reference > docs/configuration-reference.md",
        );
        check(
            include_str!("../../docs/configuration.schema.json"),
            &serde_json::to_string_pretty(schema()).unwrap(),
            "schema > docs/configuration.schema.json",
        );
    }

    #[test]
    fn the_template_says_what_is_so_without_it() {
        let template = template();
        let (said, unsaid) = (load(&template).unwrap(), load("").unwrap());
        let shown = |config: &Config| {
            let config = Config {
                file: None,
                overrides: Overrides::default(),
                ..config.clone()
            };
            format!("{config:?}")
        };
        assert_eq!(shown(&said), shown(&unsaid));
        // The examples are keys that exist, and values that they take.
        let examples = template.lines().map(|line| match line.strip_prefix('#') {
            Some(example) if !example.starts_with(' ') => example,
            _ => line,
        });
        let examples = examples.collect::<Vec<_>>().join("\n");
        assert!(examples.contains("\n[[live.webhooks]]\n"), "{examples}");
        load(&examples).unwrap();
    }

    #[test]
    fn the_guide_shows_what_can_be_read() {
        let guide = include_str!("../../docs/configuration.md");
        let shown = guide.split("```toml\n").skip(1);
        let shown: Vec<&str> = shown.filter_map(|rest| rest.split("```").next()).collect();
        assert!(!shown.is_empty());
        for text in shown {
            load(text).unwrap();
        }
    }

    #[test]
    fn defaults() {
        let config = load("").unwrap();
        assert_eq!(config.log_filter, "warn");
        assert_eq!(config.utc_offset, UtcOffset::UTC);
    }
}
