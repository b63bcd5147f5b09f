//! Key files: lines `name = "base64"` and `active = "name"`, which is TOML; comments begin with `#`. In an
//! environment variable, where lines are awkward, commas part them and quotes may be left out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{KeyError, KeyId, KeyRing};
use crate::crypto::{KEY_BYTES, Secret};

/// The word that stands where a key's name would.
pub(super) const ACTIVE: &str = "active";
const MAX_FILE_BYTES: usize = 128 * 1024;
/// 32 bytes in base64, with padding.
const TEXT_BYTES: usize = 44;

/// What [`KeyRing::save`] does where there is a file already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuses. For first keys: who overwrites the only copy of a key loses all its recordings.
    Keep,
    /// Replaces it, whole or not at all.
    Replace,
}

impl KeyRing {
    /// Keys of a file or of an environment variable, as the head of this module says. Where there is one key, it is
    /// active without saying so.
    ///
    /// # Errors
    /// What is wrong, by its line, quoting nothing of it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut ring = Self {
            keys: Vec::new(),
            active_idx: 0,
        };
        let mut active = None;
        for (line, line_text) in (1..).zip(text.lines()) {
            let syntax = || KeyError::Syntax { line };
            let content = line_text.split('#').next().unwrap_or_default();
            let entries = content.split(',').map(str::trim);
            for entry in entries.filter(|entry| !entry.is_empty()) {
                let (name, value) = entry.split_once('=').ok_or_else(syntax)?;
                let value = unquoted(value.trim()).ok_or_else(syntax)?;
                if name.trim_end() == ACTIVE {
                    let id = value.parse().map_err(|_| syntax())?;
                    if active.replace(id).is_some() {
                        return Err(syntax());
                    }
                    continue;
                }
                let id = name.trim_end().parse().map_err(|_| syntax())?;
                ring.insert(id, key_of(value).ok_or_else(syntax)?)?;
            }
        }
        ring.choose(active)
    }

    /// Keys of a file, which only its owner may read.
    ///
    /// # Errors
    /// `Exposed`, or what else is wrong with it.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io {
            doing: "read",
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        check_mode(path, &file).map_err(failed)??;
        // Never grown: a key's bytes are left in no block that was given back.
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES + 1));
        let mut limited = file.take(MAX_FILE_BYTES as u64 + 1);
        limited.read_to_end(&mut text).map_err(failed)?;
        let readable = std::str::from_utf8(&text).ok();
        match readable.filter(|_| text.len() <= MAX_FILE_BYTES) {
            Some(text) => Self::parse(text),
            None => Err(KeyError::NotKeys(path.to_owned())),
        }
    }

    /// Writes a key file that only its owner can read, and syncs it.
    ///
    /// # Errors
    /// The file system's; with [`Existing::Keep`] also that the file is there.
    pub fn save(&self, path: &Path, existing: Existing) -> Result<(), KeyError> {
        let saved = match existing {
            Existing::Keep => write_new(path, &self.to_text()),
            Existing::Replace => {
                let mut beside = path.as_os_str().to_owned();
                beside.push(".part");
                let beside = Path::new(&beside);
                let _ = fs::remove_file(beside);
                write_new(beside, &self.to_text()).and_then(|()| fs::rename(beside, path))
            }
        };
        let saved = saved.and_then(|()| sync_folder_of(path));
        saved.map_err(|source| KeyError::Io {
            doing: "write",
            path: path.to_owned(),
            source,
        })
    }

    /// What [`Self::parse`] reads.
    pub fn to_text(&self) -> Zeroizing<String> {
        let entry_bytes = 2 * TEXT_BYTES + 8;
        let mut text = String::with_capacity((self.keys.len() + 1) * entry_bytes);
        text.push_str(&format!("active = \"{}\"\n", self.active_id()));
        for (id, key) in &self.keys {
            text.push_str(&format!("{id} = \""));
            STANDARD.encode_string(key.as_ref(), &mut text);
            text.push_str("\"\n");
        }
        Zeroizing::new(text)
    }

    fn choose(mut self, active: Option<KeyId>) -> Result<Self, KeyError> {
        let idx = match active {
            None if self.keys.is_empty() => return Err(KeyError::Empty),
            None if self.keys.len() > 1 => return Err(KeyError::NoActive),
            None => 0,
            Some(id) => {
                let idx = self.keys.iter().position(|(known, _)| *known == id);
                idx.ok_or(KeyError::UnknownActive(id))?
            }
        };
        self.active_idx = idx;
        Ok(self)
    }
}

fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    }
}

fn key_of(text: &str) -> Option<Secret> {
    // The decoder's estimate of what it may need is a byte more than the key.
    let mut bytes = Zeroizing::new([0; KEY_BYTES + 1]);
    let n_bytes = STANDARD.decode_slice(text, bytes.as_mut()).ok();
    let key = bytes.first_chunk::<KEY_BYTES>();
    key.filter(|_| text.len() == TEXT_BYTES && n_bytes == Some(KEY_BYTES))
        .map(|key| (*key).into())
}

/// The permissions of what was opened, so that nobody changes the file in between.
#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> io::Result<Result<(), KeyError>> {
    use std::os::unix::fs::MetadataExt;
    let mode = file.metadata()?.mode() & 0o777;
    Ok(match mode & 0o077 {
        0 => Ok(()),
        _ => Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        }),
    })
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> io::Result<Result<(), KeyError>> {
    Ok(Ok(()))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}
