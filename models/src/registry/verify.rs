//! Is a model whole? Every file against its card.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::card::{ModelCard, ModelFile, Need};
use super::carried;
use crate::ctc::CtcFiles;

/// The files of one model, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The model.
    pub name: String,
    /// Folder that was looked at.
    pub folder: PathBuf,
    /// In the card's order.
    pub files: Vec<FileReport>,
}

/// One file, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// Path in the model's folder.
    pub path: String,
    /// Whether the model runs without it.
    pub need: Need,
    /// What came out.
    pub verdict: FileVerdict,
}

/// What checking a file gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileVerdict {
    /// Its checksum is the card's.
    Good,
    /// It is there, with the card's size where the card knows it; the card knows no checksum.
    NoChecksumKnown,
    /// It is not there.
    Missing,
    /// Its length is wrong.
    WrongSize {
        /// The card's.
        expected_bytes: u64,
        /// The file's.
        actual_bytes: u64,
    },
    /// Its content is wrong.
    WrongChecksum {
        /// The card's SHA-256.
        expected: String,
        /// The file's.
        actual: String,
    },
    /// It cannot be read.
    Unreadable(String),
}

impl FileVerdict {
    /// Whether the file can be used.
    pub const fn is_usable(&self) -> bool {
        matches!(self, Self::Good | Self::NoChecksumKnown)
    }
}

impl fmt::Display for FileVerdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => out.write_str("good"),
            Self::NoChecksumKnown => out.write_str("there, no checksum known"),
            Self::Missing => out.write_str("missing"),
            Self::WrongSize {
                expected_bytes,
                actual_bytes,
            } => {
                write!(
                    out,
                    "wrong size: {actual_bytes} bytes, {expected_bytes} expected"
                )
            }
            Self::WrongChecksum { expected, actual } => {
                write!(out, "wrong checksum: {actual}, {expected} expected")
            }
            Self::Unreadable(cause) => write!(out, "cannot be read: {cause}"),
        }
    }
}

impl FileReport {
    /// Whether the model runs with the file as it is.
    pub fn is_good(&self) -> bool {
        let may_lack = self.need == Need::Optional && self.verdict == FileVerdict::Missing;
        self.verdict.is_usable() || may_lack
    }
}

impl VerifyReport {
    /// Whether every file is right; optional ones may be missing.
    pub fn is_good(&self) -> bool {
        self.files.iter().all(FileReport::is_good)
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in `{}`", self.name, self.folder.display())?;
        for file in &self.files {
            write!(out, "\n  {}: {}", file.path, file.verdict)?;
            if file.need == Need::Optional && file.verdict == FileVerdict::Missing {
                out.write_str(" (optional)")?;
            }
        }
        Ok(())
    }
}

/// How deep a file is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Presence and length.
    Size,
    /// The whole content.
    Checksum,
}

/// Checks every file of a model in a folder.
pub(super) fn check_folder(card: &ModelCard, folder: &Path, depth: Depth) -> VerifyReport {
    let files = card.files.iter().map(|file| FileReport {
        path: file.path.clone(),
        need: file.need,
        verdict: check_file(file, &folder.join(&file.path), depth),
    });
    VerifyReport {
        name: card.name.clone(),
        folder: folder.to_path_buf(),
        files: files.collect(),
    }
}

/// Checks every file of a model that the program carries.
pub(super) fn check_carried(card: &ModelCard, files: &CtcFiles) -> VerifyReport {
    let content = |file: &ModelFile| {
        let mut carried = files.all();
        let found = carried.find(|known| known.path.ends_with(&file.path));
        found.map(|known| hex(&Sha256::digest(&known.bytes)))
    };
    let verdict = |file: &ModelFile| match (content(file), &file.sha256) {
        (None, _) => FileVerdict::Missing,
        (Some(_), None) => FileVerdict::NoChecksumKnown,
        (Some(actual), Some(expected)) if actual == *expected => FileVerdict::Good,
        (Some(actual), Some(expected)) => FileVerdict::WrongChecksum {
            expected: expected.clone(),
            actual,
        },
    };
    let report = |file: &ModelFile| FileReport {
        path: file.path.clone(),
        need: file.need,
        verdict: verdict(file),
    };
    VerifyReport {
        name: card.name.clone(),
        folder: PathBuf::from(carried::PLACE),
        files: card.files.iter().map(report).collect(),
    }
}

/// Checks one file.
pub(super) fn check_file(file: &ModelFile, path: &Path, depth: Depth) -> FileVerdict {
    let actual_bytes = match path.metadata() {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return FileVerdict::Unreadable("it is no file".to_owned()),
        Err(cause) if is_absence(&cause) => return FileVerdict::Missing,
        Err(cause) => return FileVerdict::Unreadable(cause.to_string()),
    };
    if let Some(expected_bytes) = file.size_bytes.filter(|expected| *expected != actual_bytes) {
        return FileVerdict::WrongSize {
            expected_bytes,
            actual_bytes,
        };
    }
    let Some(expected) = &file.sha256 else {
        return FileVerdict::NoChecksumKnown;
    };
    if depth == Depth::Size {
        return FileVerdict::Good;
    }
    match sha256_of_file(path) {
        Ok(actual) if actual == *expected => FileVerdict::Good,
        Ok(actual) => FileVerdict::WrongChecksum {
            expected: expected.clone(),
            actual,
        },
        Err(cause) => FileVerdict::Unreadable(cause.to_string()),
    }
}

fn is_absence(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// SHA-256 of a file, read in pieces, as small hexadecimal digits.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    // Large enough that reading costs nothing beside hashing.
    let mut block = vec![0; 1 << 18];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(hasher.finalize().as_slice())),
            n_bytes => hasher.update(&block[..n_bytes]),
        }
    }
}

/// Small hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256_of_file(file.path()).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
