//! The folders models lie in, and the cards known there.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::card::{CardError, ModelCard, Need};
use super::carried;
use super::verify::{Depth, FileReport, FileVerdict, VerifyReport, check_carried, check_folder};
use crate::ctc::CtcFiles;
use crate::native::native_folders;

/// Environment variable that names the models folder.
const MODELS_VARIABLE: &str = "AURICLE_MODELS";
/// Folder of a user's own cards.
const CARDS_FOLDER: &str = "cards";
/// A card is a page of text; anything larger is another file.
const MAX_CARD_BYTES: u64 = 1 << 20;

/// Models: their cards and the folders where their files may be.
#[derive(Clone, Debug)]
pub struct ModelStore {
    dirs: Vec<PathBuf>,
    cards: Vec<ModelCard>,
    warnings: Vec<CardError>,
}

/// A model's files, at a glance: presence and sizes, no checksums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelState {
    /// Every required file is there.
    Installed,
    /// Some are.
    Partial {
        /// Required files that are not there.
        missing: Vec<String>,
    },
    /// A file has a wrong size or cannot be read.
    Damaged {
        /// Those files.
        problems: Vec<FileReport>,
    },
    /// None is.
    Missing,
    /// None need be whole: the program carries it.
    Carried,
}

impl ModelState {
    /// Whether it can be loaded.
    pub const fn is_here(&self) -> bool {
        matches!(self, Self::Installed | Self::Carried)
    }
}

/// Where a model's files are.
#[derive(Clone, Debug)]
pub enum ModelFiles {
    /// In a folder.
    Folder(PathBuf),
    /// In the program.
    Carried(CtcFiles),
}

impl fmt::Display for ModelState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => out.pad("installed"),
            Self::Partial { .. } => out.pad("partial"),
            Self::Damaged { .. } => out.pad("damaged"),
            Self::Missing => out.pad("missing"),
            Self::Carried => out.pad("bundled"),
        }
    }
}

/// One line of the list of models.
#[derive(Clone, Debug)]
pub struct Listed<'a> {
    /// The card.
    pub card: &'a ModelCard,
    /// Its files.
    pub state: ModelState,
    /// Where they are, for people where that is the program; the first models folder for a model that is missing.
    pub folder: PathBuf,
}

/// A model cannot be named or used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// No card has the name.
    #[error("no model is called `{name}`\nhint: {hint}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// Names that exist, of that language where it is one.
        hint: String,
    },
    /// The model's files are not all there.
    #[error(
        "model `{name}` is {state} in {}{}\nhint: {hint}",
        quoted(dirs),
        details(state)
    )]
    NotInstalled {
        /// The model.
        name: String,
        /// What is there.
        state: ModelState,
        /// Where it was looked for.
        dirs: Vec<PathBuf>,
        /// What gets it.
        hint: String,
    },
    /// The model is nowhere on the disk.
    #[error(
        "model `{0}` is part of the program: it has no folder\nhint: it needs none; `--model {0}` takes it by its name"
    )]
    NoFolder(String),
    /// A built-in card is wrong.
    #[error(transparent)]
    Card(#[from] CardError),
}

fn quoted(dirs: &[PathBuf]) -> String {
    let quoted: Vec<String> = dirs
        .iter()
        .map(|dir| format!("`{}`", dir.display()))
        .collect();
    quoted.join(", ")
}

fn details(state: &ModelState) -> String {
    let lines: Vec<String> = match state {
        ModelState::Installed | ModelState::Missing | ModelState::Carried => Vec::new(),
        ModelState::Partial { missing } => missing
            .iter()
            .map(|path| format!("\n  {path}: missing"))
            .collect(),
        ModelState::Damaged { problems } => problems
            .iter()
            .map(|file| format!("\n  {}: {}", file.path, file.verdict))
            .collect(),
    };
    lines.concat()
}

impl ModelStore {
    /// The models folders of this process, in order: the configured one, `AURICLE_MODELS`,
    /// `<data folder>/models`, and `.native/models` of the checkout.
    pub fn search_dirs(configured: Option<&Path>, data_dir: Option<&Path>) -> Vec<PathBuf> {
        let mut dirs: Vec<PathBuf> = configured.map(Path::to_path_buf).into_iter().collect();
        dirs.extend(
            env::var_os(MODELS_VARIABLE)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
        );
        dirs.extend(data_dir.map(|dir| dir.join("models")));
        let checkout = env::current_dir().map(|current| native_folders(&current));
        dirs.extend(
            checkout
                .unwrap_or_default()
                .iter()
                .map(|native| native.join("models")),
        );
        dirs
    }

    /// Reads the cards of the folders and those built in. Folders need not exist; a card that cannot
    /// be used is left out and told by [`Self::warnings`].
    ///
    /// # Errors
    /// None in a tested build.
    pub fn open(dirs: Vec<PathBuf>) -> Result<Self, StoreError> {
        let (mut cards, mut warnings) = (Vec::<ModelCard>::new(), Vec::new());
        for file in dirs
            .iter()
            .flat_map(|dir| card_files(&dir.join(CARDS_FOLDER)))
        {
            match read_card(&file) {
                // The first folder wins, as it does for files.
                Ok(card) if cards.iter().any(|known| known.name == card.name) => {}
                Ok(card) => cards.push(card),
                Err(warning) => warnings.push(warning),
            }
        }
        for card in ModelCard::built_in()? {
            if !cards.iter().any(|known| known.name == card.name) {
                cards.push(card);
            }
        }
        Ok(Self {
            dirs,
            cards,
            warnings,
        })
    }

    /// The folders, in order; the first is the one that is written to.
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// A user's cards, then those built in.
    pub fn cards(&self) -> &[ModelCard] {
        &self.cards
    }

    /// Cards that were left out.
    pub fn warnings(&self) -> &[CardError] {
        &self.warnings
    }

    /// The card with a name or an alias.
    ///
    /// # Errors
    /// When there is none.
    pub fn card(&self, name: &str) -> Result<&ModelCard, StoreError> {
        let by_name = self.cards.iter().find(|card| card.name == name);
        let by_alias = || self.cards.iter().find(|card| card.is_called(name));
        by_name.or_else(by_alias).ok_or_else(|| {
            let is_language = self.speaks(name);
            let are = match is_language {
                true => "that is a language; its models are",
                false => "known are",
            };
            let cards = self.cards.iter();
            let known = cards.filter(|card| !is_language || card.speaks(name));
            let known: Vec<&str> = known.map(|card| card.name.as_str()).collect();
            StoreError::Unknown {
                name: name.to_owned(),
                hint: format!("{are} {}", known.join(", ")),
            }
        })
    }

    /// Whether a name is a language that a model is for.
    pub fn speaks(&self, language: &str) -> bool {
        self.cards.iter().any(|card| card.speaks(language))
    }

    /// Every model with its state.
    pub fn list(&self) -> Vec<Listed<'_>> {
        self.cards.iter().map(|card| self.look(card)).collect()
    }

    /// The state of one model.
    ///
    /// # Errors
    /// When no model has the name.
    pub fn state(&self, name: &str) -> Result<Listed<'_>, StoreError> {
        self.card(name).map(|card| self.look(card))
    }

    /// The folder of an installed model.
    ///
    /// # Errors
    /// When no model has the name, or files are missing or have a wrong size.
    pub fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let listed = self.state(name)?;
        match listed.state {
            ModelState::Installed => Ok(listed.folder),
            ModelState::Carried => Err(StoreError::NoFolder(listed.card.name.clone())),
            state => Err(StoreError::NotInstalled {
                name: listed.card.name.clone(),
                state,
                dirs: self.dirs.clone(),
                hint: listed.card.pull_hint(),
            }),
        }
    }

    /// The files of a model that is installed or that the program carries.
    ///
    /// # Errors
    /// As [`Self::path`].
    pub fn files(&self, name: &str) -> Result<ModelFiles, StoreError> {
        let listed = self.state(name)?;
        match (listed.state, carried::files(listed.card)) {
            (ModelState::Carried, Some(files)) => Ok(ModelFiles::Carried(files)),
            _ => self.path(name).map(ModelFiles::Folder),
        }
    }

    /// Checks every file of a model, checksums included; takes as long as reading them does.
    ///
    /// # Errors
    /// When no model has the name.
    pub fn verify(&self, name: &str) -> Result<VerifyReport, StoreError> {
        let listed = self.state(name)?;
        let carried = carried::files(listed.card);
        Ok(match (&listed.state, carried) {
            (ModelState::Carried, Some(files)) => check_carried(listed.card, &files),
            _ => check_folder(listed.card, &listed.folder, Depth::Checksum),
        })
    }

    /// The first folder that has the model whole; failing that, the first that has any of it.
    pub(super) fn look<'a>(&self, card: &'a ModelCard) -> Listed<'a> {
        if card.is_carried() {
            // Whatever a folder has of that name, the program has it whole.
            return Listed {
                card,
                state: ModelState::Carried,
                folder: PathBuf::from(carried::PLACE),
            };
        }
        let mut best: Option<(ModelState, PathBuf)> = None;
        for dir in &self.dirs {
            let folder = dir.join(&card.name);
            let state = glance(card, &folder);
            let is_better = match (&state, &best) {
                (_, None) | (ModelState::Installed, _) => true,
                (ModelState::Missing, _) => false,
                (_, Some((known, _))) => *known == ModelState::Missing,
            };
            let is_whole = state == ModelState::Installed;
            if is_better {
                best = Some((state, folder));
            }
            if is_whole {
                break;
            }
        }
        let (state, folder) = best.unwrap_or((ModelState::Missing, PathBuf::from(&card.name)));
        Listed {
            card,
            state,
            folder,
        }
    }
}

/// A model's state in one folder.
fn glance(card: &ModelCard, folder: &Path) -> ModelState {
    let report = check_folder(card, folder, Depth::Size);
    let (usable, others): (Vec<FileReport>, Vec<FileReport>) = report
        .files
        .into_iter()
        .partition(|file| file.verdict.is_usable());
    let (missing, problems): (Vec<FileReport>, Vec<FileReport>) = others
        .into_iter()
        .partition(|file| file.verdict == FileVerdict::Missing);
    if !problems.is_empty() {
        return ModelState::Damaged { problems };
    }
    let required: Vec<String> = missing
        .into_iter()
        .filter(|file| file.need == Need::Required)
        .map(|file| file.path)
        .collect();
    match (required.is_empty(), usable.is_empty()) {
        (true, false) => ModelState::Installed,
        (false, false) => ModelState::Partial { missing: required },
        (_, true) => ModelState::Missing,
    }
}

fn card_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
}

fn read_card(file: &Path) -> Result<ModelCard, CardError> {
    let origin = file.display().to_string();
    let unreadable = |cause: String| CardError {
        card: origin.clone(),
        cause,
    };
    let metadata = file
        .metadata()
        .map_err(|cause| unreadable(cause.to_string()))?;
    if metadata.len() > MAX_CARD_BYTES {
        return Err(unreadable(format!(
            "{} bytes are too many for a card",
            metadata.len()
        )));
    }
    let text = fs::read_to_string(file).map_err(|cause| unreadable(cause.to_string()))?;
    ModelCard::parse(&origin, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::verify::sha256_of_file;

    /// A folder with a card of two files, one of them optional.
    fn folder_with_card() -> (tempfile::TempDir, ModelStore) {
        let dir = tempfile::tempdir().unwrap();
        let sample = dir.path().join("sample");
        fs::write(&sample, b"weights").unwrap();
        let card = format!(
            "name = 'own'\nkind = 'vad'\nengine = 'ort'\nlanguages = []\naliases = ['mine']\n\
             description = ''\nlicence = ''\nsource = ''\n\
             [[file]]\npath = 'a.onnx'\nsize_bytes = 7\nsha256 = '{}'\n\
             [[file]]\npath = 'sub/b.txt'\n\
             [[file]]\npath = 'c.txt'\nneed = 'optional'\n",
            sha256_of_file(&sample).unwrap()
        );
        fs::create_dir_all(dir.path().join("cards")).unwrap();
        fs::write(dir.path().join("cards/own.toml"), card).unwrap();
        let store = ModelStore::open(vec![dir.path().to_path_buf()]).unwrap();
        (dir, store)
    }

    fn put(dir: &tempfile::TempDir, path: &str, content: &[u8]) {
        let file = dir.path().join("own").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    #[test]
    fn states_follow_the_files() {
        let (dir, store) = folder_with_card();
        let state = || store.state("own").unwrap().state;
        assert_eq!(state(), ModelState::Missing);
        put(&dir, "a.onnx", b"weights");
        assert_eq!(
            state(),
            ModelState::Partial {
                missing: vec!["sub/b.txt".into()]
            }
        );
        put(&dir, "sub/b.txt", b"");
        assert_eq!(state(), ModelState::Installed);
        assert_eq!(store.path("mine").unwrap(), dir.path().join("own"));
        put(&dir, "a.onnx", b"weight");
        assert!(matches!(state(), ModelState::Damaged { .. }));
        let message = store.path("own").unwrap_err().to_string();
        assert!(
            message.contains("a.onnx: wrong size: 6 bytes, 7 expected"),
            "{message}"
        );
        assert!(
            message.contains("hint: `auricle models pull own` says how to come by it"),
            "{message}"
        );
    }

    #[test]
    fn verify_reads_the_content() {
        let (dir, store) = folder_with_card();
        put(&dir, "a.onnx", b"Weights");
        put(&dir, "sub/b.txt", b"x");
        assert_eq!(store.state("own").unwrap().state, ModelState::Installed);
        let report = store.verify("own").unwrap();
        assert!(!report.is_good());
        let text = report.to_string();
        assert!(text.contains("a.onnx: wrong checksum: "), "{text}");
        assert!(
            text.contains("sub/b.txt: there, no checksum known"),
            "{text}"
        );
        assert!(text.contains("c.txt: missing (optional)"), "{text}");
        put(&dir, "a.onnx", b"weights");
        assert!(store.verify("own").unwrap().is_good());
    }

    #[test]
    fn a_whole_model_further_on_beats_a_broken_one() {
        let (dir, _) = folder_with_card();
        let (second, _) = folder_with_card();
        put(&dir, "a.onnx", b"weights");
        put(&second, "a.onnx", b"weights");
        put(&second, "sub/b.txt", b"");
        let dirs = [&dir, &second].map(|dir| dir.path().to_path_buf());
        let store = ModelStore::open(dirs.to_vec()).unwrap();
        assert_eq!(store.path("own").unwrap(), second.path().join("own"));
    }

    #[test]
    fn broken_cards_are_told_and_skipped_unknown_names_listed() {
        let (dir, _) = folder_with_card();
        fs::write(dir.path().join("cards/broken.toml"), "name = 3").unwrap();
        let store = ModelStore::open(vec![dir.path().to_path_buf()]).unwrap();
        assert!(store.warnings()[0].to_string().contains("broken.toml"));
        assert_eq!(store.cards()[0].name, "own");
        let message = store.card("zh-zipformer").unwrap_err().to_string();
        assert!(message.contains("zh-zipformer-3.3m"), "{message}");
    }

    #[test]
    fn the_shared_models_are_what_their_cards_say() {
        let shared = env::var_os("AURICLE_SHARED").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
            PathBuf::from,
        );
        let store = ModelStore::open(vec![shared.join("models")]).unwrap();
        for name in ["zh-zipformer-3.3m", "silero-vad", "zh-gigatdt-lm"] {
            if store.state(name).unwrap().state == ModelState::Missing {
                eprintln!("skipped: `{name}` is not in `{}`", shared.display());
                continue;
            }
            let report = store.verify(name).unwrap();
            assert!(report.is_good(), "{report}");
        }
    }
}
