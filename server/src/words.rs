//! The words that recognisers are given to hear with: the language model, and words to lean towards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use auricle_models::registry::ModelStore;
use auricle_speech::lm::{Keeping, LanguageData};
use auricle_speech::{Hotwords, SpeechModel};

use crate::config::{Config, beside};
use crate::engine::model_store;
use crate::exit::usage;
use crate::language;
use crate::text_file::read_text;

/// Words as they were read.
#[derive(Clone)]
pub(crate) struct Words {
    language: Arc<LanguageData>,
    language_print: String,
    hotwords: Hotwords,
    files: Vec<PathBuf>,
}

impl Words {
    /// Hotwords with their file, and the language model out of its cache; makes it where it is not there. A language model
    /// that is as it was is shared with `before`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn load(
        config: &Config,
        registry: &ModelStore,
        hotwords: Option<(&Path, Hotwords)>,
        keeping: Keeping,
        before: Option<&Self>,
    ) -> Result<Self> {
        let options = language::options(config, registry);
        let arpa = options.arpa.iter().map(|(path, _)| path);
        let files = arpa.chain(&options.texts).map(PathBuf::as_path);
        let (list, hotwords) = hotwords.unzip();
        let files = files.chain(list).map(Path::to_owned).collect();
        let as_before = match before {
            Some(before) if before.language_print == options.fingerprint()? => Some(before),
            _ => None,
        };
        let (language, language_print) = match as_before {
            Some(before) => (Arc::clone(&before.language), before.language_print.clone()),
            None => {
                let (language, print) = language::load(config, &options, keeping)?;
                (Arc::new(language), print)
            }
        };
        Ok(Self {
            language,
            language_print,
            hotwords: hotwords.unwrap_or_default(),
            files,
        })
    }

    /// Reads what the configuration names, after it was read before.
    ///
    /// # Errors
    /// When a file cannot be read, or a line of the hotwords is wrong.
    pub(crate) fn load_again(config: &Config, before: &Self) -> Result<Self> {
        let list = config.analyze.hotwords().map(|path| beside(config, path));
        let hotwords = list.as_deref().map(with_hotwords).transpose()?;
        let registry = model_store(config)?;
        let keeping = Keeping::InFolder;
        Self::load(config, &registry, hotwords, keeping, Some(before))
    }

    /// Whether nothing is heard otherwise with these.
    pub(crate) fn are_those(&self, others: &Self) -> bool {
        self.language_print == others.language_print && self.hotwords == others.hotwords
    }

    /// What they were read from.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    pub(crate) fn language(&self) -> &Arc<LanguageData> {
        &self.language
    }

    /// Changes whenever the language model does.
    pub(crate) fn language_print(&self) -> &str {
        &self.language_print
    }

    pub(crate) fn hotwords(&self) -> &Hotwords {
        &self.hotwords
    }

    /// The model with these words; what it was loaded from is shared.
    pub(crate) fn given_to(&self, model: &SpeechModel) -> SpeechModel {
        model.with_words(Arc::clone(&self.language), self.hotwords.clone())
    }
}

/// A list of words to lean towards, and its file.
///
/// # Errors
/// As [`read_hotwords`].
pub(crate) fn with_hotwords(path: &Path) -> Result<(&Path, Hotwords)> {
    Ok((path, read_hotwords(path)?))
}

/// Reads a list of words to lean towards.
///
/// # Errors
/// When it cannot be read, or names the line that is wrong.
pub(crate) fn read_hotwords(path: &Path) -> Result<Hotwords> {
    let shown = path.display();
    let text = read_text(path).map_err(|cause| usage(format!("hotwords `{shown}`: {cause}")))?;
    Hotwords::parse(&text).map_err(|cause| usage(format!("`{shown}`: {cause}")))
}
