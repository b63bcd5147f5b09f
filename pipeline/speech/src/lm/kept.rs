//! Built models in a folder: each in a file named after what it was made of, the oldest removed.

use std::fs;
use std::path::Path;

use auricle_models::registry::{hex, sha256_of_file};
use sha2::{Digest, Sha256};

use super::arpa::ArpaError;
use super::cache::{FORMAT_VERSION, UNFINISHED, is_abandoned};
use super::data::{BuildError, LanguageData, LanguageOptions};
use super::dictionary::packed;

/// Kept models begin and end so.
const PREFIX: &str = "language-";
const ENDING: &str = "bin";
/// Models kept: those of a few configurations that are used in turn. Each has about as many bytes as its ARPA
/// files.
const MODELS_KEPT: usize = 4;
/// Digits of a fingerprint: 64 bits tell all models apart.
const PRINT_DIGITS: usize = 16;
/// Changes with the code that builds models, see the build script.
const CODE_PRINT: &str = env!("AURICLE_LANGUAGE_CODE");

/// Whether a model that had to be built is kept for the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// In its folder.
    InFolder,
    /// Not: nothing may be written.
    Nothing,
}

impl LanguageOptions {
    /// A short name for everything a model of these options is made of: the program's own words and texts, the
    /// code that builds it, the content of the files, the weights.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn fingerprint(&self) -> Result<String, BuildError> {
        let mut hash = Sha256::new();
        hash.update(format!("{FORMAT_VERSION} {CODE_PRINT}"));
        packed().iter().for_each(|bytes| hash.update(bytes));
        hash.update(format!("{:?}", self.weights.unwrap_or_default()));
        for (path, weight) in &self.arpa {
            let sum = sha256_of_file(path).map_err(|source| BuildError::Arpa {
                path: path.clone(),
                source: ArpaError::Io { line: 0, source },
            })?;
            hash.update(format!("arpa {weight:?} {sum}"));
        }
        for path in &self.texts {
            let sum = sha256_of_file(path).map_err(|source| BuildError::Text {
                path: path.clone(),
                source,
            })?;
            hash.update(format!("text {sum}"));
        }
        let mut print = hex(&hash.finalize());
        print.truncate(PRINT_DIGITS);
        Ok(print)
    }
}

impl LanguageData {
    /// The model of these options out of `folder`, with its fingerprint; built, and put there, if it is not.
    /// A folder that cannot be written costs the time, not the model.
    ///
    /// # Errors
    /// When a file that the options name cannot be read.
    pub fn open(
        folder: &Path,
        options: &LanguageOptions,
        keeping: Keeping,
        progress: impl FnMut(&str),
    ) -> Result<(Self, String), BuildError> {
        let print = options.fingerprint()?;
        let path = folder.join(format!("{PREFIX}{print}.{ENDING}"));
        match Self::load(&path) {
            Ok(data) => return Ok((data, print)),
            Err(cause) => tracing::debug!("no language model is kept: {cause}"),
        }
        tracing::info!("building the language model");
        let data = Self::build(options, progress)?;
        if keeping == Keeping::InFolder {
            data.keep(folder, &path);
        }
        Ok((data, print))
    }

    fn keep(&self, folder: &Path, path: &Path) {
        // Where the folder cannot be made, saving says so.
        let _ = fs::create_dir_all(folder);
        match self.save(path) {
            Ok(()) => remove_oldest(folder),
            Err(cause) => {
                tracing::warn!("the language model is not kept and will be built again: {cause}");
            }
        }
    }
}

/// Leaves the newest models, and what another process is writing.
fn remove_oldest(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let (mut kept, mut others) = (Vec::new(), Vec::new());
    for path in entries.map(|entry| entry.path()) {
        let ending = path.extension().unwrap_or_default();
        let is_ours = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if is_ours && ending == ENDING {
            kept.extend(changed_at(&path).map(|changed| (changed, path)));
        } else if is_ours && ending == UNFINISHED && is_abandoned(&path) {
            others.push(path);
        }
    }
    kept.sort();
    let n_older = kept.len().saturating_sub(MODELS_KEPT);
    let older = kept.drain(..n_older).map(|(_, path)| path);
    for path in others.into_iter().chain(older) {
        let _ = fs::remove_file(path);
    }
}

fn changed_at(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_model_is_kept_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("own.txt");
        fs::write(&text, "安心贷款很安心\n").unwrap();
        let options = LanguageOptions {
            texts: vec![text.clone()],
            ..LanguageOptions::default()
        };
        let models = folder.path().join("cache");
        let mut n_built = 0;
        let mut open = |keeping| {
            let count = |part: &str| n_built += usize::from(part == "words");
            let (data, print) = LanguageData::open(&models, &options, keeping, count).unwrap();
            (data.model, print, n_built)
        };
        let (unkept, _, _) = open(Keeping::Nothing);
        assert!(!models.exists());
        let (first, print, n_first) = open(Keeping::InFolder);
        let (again, print_again, n_again) = open(Keeping::InFolder);
        assert_eq!((n_first, n_again), (2, 2));
        assert_eq!(print, print_again);
        assert!(unkept == first && first == again, "building is repeatable");
        assert_eq!(names(&models), [format!("language-{print}.bin")]);
        fs::write(&text, "换了一个说法\n").unwrap();
        assert_ne!(options.fingerprint().unwrap(), print);
    }

    #[test]
    fn the_newest_models_stay_and_what_is_being_written_too() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, age_secs: u64| {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            let changed = UNIX_EPOCH + Duration::from_secs(1_000_000 - age_secs);
            file.set_modified(changed).unwrap();
            file
        };
        for age_secs in 0..6 {
            put(&format!("language-{age_secs}.bin"), age_secs);
        }
        let written = put("language-a.part", 99);
        written.lock().unwrap();
        put("language-b.part", 1);
        put("notes.bin", 99);
        remove_oldest(folder.path());
        let expected = [
            "language-0.bin",
            "language-1.bin",
            "language-2.bin",
            "language-3.bin",
            "language-a.part",
            "notes.bin",
        ];
        assert_eq!(names(folder.path()), expected);
    }

    #[test]
    fn a_file_that_a_killed_process_left_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("language-1.bin");
        let unfinished = path.with_extension(UNFINISHED);
        fs::write(&unfinished, [7; 99]).unwrap();
        let data = LanguageData::default_model().unwrap();
        data.save(&path).unwrap();
        assert!(LanguageData::load(&path).is_ok());
        assert_eq!(names(folder.path()), ["language-1.bin"]);
        let held = fs::File::create(&unfinished).unwrap();
        held.lock().unwrap();
        let error = data.save(&path).unwrap_err().to_string();
        assert!(error.contains("another process is writing it"), "{error}");
    }
}
