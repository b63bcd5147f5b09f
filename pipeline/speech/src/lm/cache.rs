//! One binary file for vocabulary, model and lexicon, so that a built model loads in milliseconds.
//!
//! Layout, all numbers little-endian: the eight bytes `AURICLM` and 0, format version (u32), length of the body
//! (u64), checksum of the body (CRC-32), body. The body is a row of arrays, each with its length in
//! elements (u64) before it.

use std::fs::{self, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Crc;
use thiserror::Error;

use super::classes::ClassModel;
use super::data::LanguageData;
use super::lexicon::{Lexicon, LexiconEntry};
use super::mixed::{Component, MAX_COMPONENTS, MixedModel, Pieces, Scorer};
use super::ngram::{MAX_ORDER, NgramModel};
use super::vocabulary::Vocabulary;

const MAGIC: &[u8; 8] = b"AURICLM\0";
/// Grows whenever the layout changes; an older file is built again.
pub const FORMAT_VERSION: u32 = 1;
const HEAD_BYTES: usize = 24;
/// The ending of a file that is being written.
pub(super) const UNFINISHED: &str = "part";

/// A language model file cannot be used.
#[derive(Debug, Error)]
pub enum CacheError {
    /// Reading or writing failed.
    #[error("language model file `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The bytes are no language model of this version, or damaged.
    #[error("language model file `{}` {problem}\nhint: delete it, it is built again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
}

impl LanguageData {
    /// Writes everything to `path`, which is complete or not there at all.
    ///
    /// # Errors
    /// When the disk is full or the folder cannot be written, or when another process is writing the same model.
    pub fn save(&self, path: &Path) -> Result<(), CacheError> {
        write_aside(path, &to_bytes(self)).map_err(|source| CacheError::Io {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads what [`Self::save`] wrote.
    pub fn load(path: &Path) -> Result<Self, CacheError> {
        let bytes = fs::read(path).map_err(|source| CacheError::Io {
            path: path.to_owned(),
            source,
        })?;
        from_bytes(&bytes).map_err(|problem| CacheError::Damaged {
            path: path.to_owned(),
            problem,
        })
    }
}

/// Writes beside the place and renames. The unfinished file is locked while somebody writes it: one that is not
/// was left by a process that was killed.
fn write_aside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(UNFINISHED);
    let mut options = fs::File::options();
    let mut file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(&unfinished)?;
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(io::Error::other("another process is writing it"));
    }
    let mut write = || {
        file.set_len(0)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    })
}

/// Whether nobody is writing the unfinished file at `path`.
pub(super) fn is_abandoned(path: &Path) -> bool {
    let file = fs::File::options().write(true).open(path);
    file.is_ok_and(|file| file.try_lock().is_ok())
}

/// The bytes of a language model file.
pub fn to_bytes(data: &LanguageData) -> Vec<u8> {
    let mut body = Writer(Vec::new());
    body.vocabulary(&data.vocabulary);
    body.model(&data.model);
    body.lexicon(&data.lexicon.with(&data.settled.with(&data.own)));
    let mut bytes = Vec::with_capacity(body.0.len() + HEAD_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.0.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&checksum(&body.0).to_le_bytes());
    bytes.extend_from_slice(&body.0);
    bytes
}

/// Reads the bytes of a language model file. Any bytes give a model or an error, which says what is wrong.
pub fn from_bytes(bytes: &[u8]) -> Result<LanguageData, &'static str> {
    let Some((head, body)) = bytes.split_at_checked(HEAD_BYTES) else {
        return Err("is cut short");
    };
    if &head[..8] != MAGIC {
        return Err("is no language model of Auricle");
    }
    if head[8..12] != FORMAT_VERSION.to_le_bytes() {
        return Err("has another format version");
    }
    if head[12..20] != (body.len() as u64).to_le_bytes() {
        return Err("is cut short");
    }
    if head[20..] != checksum(body).to_le_bytes() {
        return Err("is damaged: its checksum differs");
    }
    let mut body = Reader(body);
    let vocabulary = body.vocabulary().ok_or(BROKEN)?;
    let model = body.model().ok_or(BROKEN)?;
    let lexicon = body.lexicon().ok_or(BROKEN)?;
    Ok(LanguageData {
        vocabulary,
        model,
        lexicon: Arc::new(lexicon),
        settled: Arc::default(),
        own: Lexicon::default(),
    })
}

const BROKEN: &str = "does not hold together";

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

struct Writer(Vec<u8>);

impl Writer {
    fn len(&mut self, len: usize) {
        self.0.extend_from_slice(&(len as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.len(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn u32s(&mut self, values: &[u32]) {
        self.len(values.len());
        values
            .iter()
            .for_each(|value| self.0.extend_from_slice(&value.to_le_bytes()));
    }

    fn u16s(&mut self, values: &[u16]) {
        self.len(values.len());
        values
            .iter()
            .for_each(|value| self.0.extend_from_slice(&value.to_le_bytes()));
    }

    fn f32s(&mut self, values: &[f32]) {
        self.len(values.len());
        values
            .iter()
            .for_each(|value| self.0.extend_from_slice(&value.to_le_bytes()));
    }

    fn vocabulary(&mut self, vocabulary: &Vocabulary) {
        let (text, starts, added) = vocabulary.parts();
        self.text(text);
        self.u32s(starts);
        self.text(&added.join("\n"));
    }

    fn model(&mut self, model: &MixedModel) {
        self.len(model.components.len());
        for component in &model.components {
            self.text(&component.name);
            self.f32s(&[component.weight]);
            let pieces = component.all_pieces();
            self.u32s(&pieces.starts);
            self.u32s(&pieces.pieces);
            match &*component.model {
                Scorer::Ngram(ngram) => {
                    self.u16s(&[]);
                    self.f32s(&[]);
                    self.ngram(ngram);
                }
                Scorer::Class(classes) => {
                    self.u16s(&classes.class_of);
                    self.f32s(&classes.log_share);
                    self.ngram(&classes.ngram);
                }
            }
        }
        self.u32s(
            &model
                .bonus
                .iter()
                .map(|(word, _)| *word)
                .collect::<Vec<_>>(),
        );
        self.f32s(
            &model
                .bonus
                .iter()
                .map(|(_, bonus)| *bonus)
                .collect::<Vec<_>>(),
        );
    }

    fn ngram(&mut self, model: &NgramModel) {
        self.u32s(&model.level_ends);
        self.u32s(&model.unigram_of);
        self.u32s(&model.word);
        self.f32s(&model.log_prob);
        self.u32s(&model.target);
        self.f32s(&model.backoff);
        self.u32s(&model.suffix);
        self.u32s(&model.children);
        self.f32s(&[model.unknown_log_prob]);
    }

    fn lexicon(&mut self, lexicon: &Lexicon) {
        self.u32s(&lexicon.children);
        self.u16s(&lexicon.syllables);
        self.u32s(&lexicon.entry_starts);
        self.u32s(
            &lexicon
                .entries
                .iter()
                .map(|entry| entry.word)
                .collect::<Vec<_>>(),
        );
        self.f32s(
            &lexicon
                .entries
                .iter()
                .map(|entry| entry.log_prob)
                .collect::<Vec<_>>(),
        );
    }
}

/// Takes arrays off the front; `None` where they do not fit, or where a number would lead outside its array.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn len(&mut self) -> Option<usize> {
        let (len, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        usize::try_from(u64::from_le_bytes(*len)).ok()
    }

    fn take(&mut self, element_bytes: usize) -> Option<&'a [u8]> {
        let n_bytes = self.len()?.checked_mul(element_bytes)?;
        let (taken, rest) = self.0.split_at_checked(n_bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.take(1)?).ok()
    }

    fn u32s(&mut self) -> Option<Vec<u32>> {
        Some(
            self.take(4)?
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| u32::from_le_bytes(*bytes))
                .collect(),
        )
    }

    fn u16s(&mut self) -> Option<Vec<u16>> {
        Some(
            self.take(2)?
                .as_chunks::<2>()
                .0
                .iter()
                .map(|bytes| u16::from_le_bytes(*bytes))
                .collect(),
        )
    }

    fn f32s(&mut self) -> Option<Vec<f32>> {
        Some(
            self.take(4)?
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
        )
    }

    fn vocabulary(&mut self) -> Option<Vocabulary> {
        let text = self.text()?.to_owned();
        let starts = self.u32s()?;
        let added = self.text()?;
        let sound = starts.is_sorted()
            && starts.last().is_none_or(|&end| end as usize == text.len())
            && starts
                .iter()
                .all(|&start| text.is_char_boundary(start as usize));
        sound.then(|| Vocabulary::from_parts(text, starts, added.lines()))
    }

    fn model(&mut self) -> Option<MixedModel> {
        let n_components = self.len().filter(|&count| count <= MAX_COMPONENTS)?;
        let mut components = Vec::with_capacity(n_components);
        for _ in 0..n_components {
            components.push(self.component()?);
        }
        let (words, bonuses) = (self.u32s()?, self.f32s()?);
        let mut model = MixedModel {
            components,
            bonus: words.into_iter().zip(bonuses).collect(),
        };
        model.set_weights(
            &model
                .components
                .iter()
                .map(|part| part.weight)
                .collect::<Vec<_>>(),
        );
        Some(model)
    }

    fn component(&mut self) -> Option<Component> {
        let name = self.text()?.to_owned();
        let weight = *self.f32s()?.first()?;
        let pieces = Pieces {
            starts: self.u32s()?,
            pieces: self.u32s()?,
        };
        let (class_of, log_share) = (self.u16s()?, self.f32s()?);
        let ngram = self.ngram()?;
        let sound = bounds(&pieces.starts, pieces.pieces.len())
            && class_of.len() == log_share.len()
            && weight.is_finite();
        let model = if class_of.is_empty() {
            Scorer::Ngram(ngram)
        } else {
            Scorer::Class(ClassModel {
                class_of,
                log_share,
                ngram,
            })
        };
        sound.then(|| Component::new(name, weight, model, pieces))
    }

    fn ngram(&mut self) -> Option<NgramModel> {
        let level_ends = self.u32s()?;
        let model = NgramModel {
            order: level_ends
                .len()
                .checked_sub(1)
                .filter(|&order| order <= MAX_ORDER)?,
            level_ends,
            unigram_of: self.u32s()?,
            word: self.u32s()?,
            log_prob: self.f32s()?,
            target: self.u32s()?,
            backoff: self.f32s()?,
            suffix: self.u32s()?,
            children: self.u32s()?,
            unknown_log_prob: *self.f32s()?.first()?,
        };
        let n_nodes = model.word.len();
        let n_contexts = model.backoff.len();
        let below = |values: &[u32], end: usize| values.iter().all(|&value| (value as usize) < end);
        let falls = model
            .suffix
            .iter()
            .enumerate()
            .skip(1)
            .all(|(at, &suffix)| (suffix as usize) < at);
        let sound = model.level_ends.is_sorted()
            && model.log_prob.len() == n_nodes
            && model.target.len() == n_nodes
            && model.suffix.len() == n_contexts
            && model.children.len() == n_contexts + 1
            && below(&model.target, n_contexts.max(1))
            && falls
            && below(&model.unigram_of, n_nodes)
            && bounds(&model.children, n_nodes);
        sound.then_some(model)
    }

    fn lexicon(&mut self) -> Option<Lexicon> {
        let (children, syllables) = (self.u32s()?, self.u16s()?);
        let (entry_starts, words, log_probs) = (self.u32s()?, self.u32s()?, self.f32s()?);
        let entries: Vec<LexiconEntry> = words
            .into_iter()
            .zip(log_probs)
            .map(|(word, log_prob)| LexiconEntry { word, log_prob })
            .collect();
        let sound = bounds(&children, syllables.len()) && bounds(&entry_starts, entries.len());
        sound.then_some(Lexicon {
            children,
            syllables,
            entry_starts,
            entries,
        })
    }
}

/// Whether these are rising positions within an array of `len`.
fn bounds(starts: &[u32], len: usize) -> bool {
    starts.is_sorted() && starts.last().is_none_or(|&end| end as usize <= len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lm::{LanguageModel, arpa};

    const MODEL: &str = "\\data\\\nngram 1=4\nngram 2=2\n\n\\1-grams:\n-1 <s> -0.5\n-1 </s>\n-0.5 银行 -0.3\n\
        -0.7 卡\n\n\\2-grams:\n-0.1 银行 卡\n-0.2 <s> 银行\n\n\\end\\\n";

    fn small() -> LanguageData {
        let mut vocabulary = Vocabulary::from_words(["银行卡", "银行"]);
        let ngram = arpa::read(
            MODEL.as_bytes(),
            &mut vocabulary,
            arpa::ArpaLimits::default(),
        )
        .unwrap();
        let mut model = MixedModel::new();
        model
            .add("small", 2.0, Scorer::Ngram(ngram), &vocabulary)
            .unwrap();
        let lexicon = Lexicon::of_vocabulary(&vocabulary);
        LanguageData {
            vocabulary,
            model,
            lexicon: Arc::new(lexicon),
            settled: Arc::default(),
            own: Lexicon::default(),
        }
    }

    #[test]
    fn what_is_saved_loads_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("small.lm");
        let data = small();
        data.save(&path).unwrap();
        let again = LanguageData::load(&path).unwrap();
        assert_eq!(again.model, data.model);
        assert_eq!(again.lexicon, data.lexicon);
        for (id, word) in data.vocabulary.iter() {
            assert_eq!(again.vocabulary.id(word), Some(id));
            let start = data.model.start();
            assert_eq!(again.model.score(start, id), data.model.score(start, id));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn damage_is_named() {
        let bytes = to_bytes(&small());
        let check = |bytes: &[u8], expected: &str| {
            assert_eq!(from_bytes(bytes).unwrap_err(), expected);
        };
        check(&bytes[..10], "is cut short");
        check(&bytes[..bytes.len() - 1], "is cut short");
        check(&[b'x'; 99], "is no language model of Auricle");
        let mut other = bytes.clone();
        other[8] = 99;
        check(&other, "has another format version");
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        check(&other, "is damaged: its checksum differs");
        let error = LanguageData::load(Path::new("/nowhere/x.lm")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/x.lm"), "{error}");
    }

    proptest! {
        /// Even a file whose checksum was made to fit cannot lead a reader outside its arrays.
        #[test]
        fn forged_bytes_never_panic(at in HEAD_BYTES..1200_usize, byte in any::<u8>()) {
            let mut bytes = to_bytes(&small());
            let at = at % (bytes.len() - HEAD_BYTES) + HEAD_BYTES;
            bytes[at] = byte;
            let sum = checksum(&bytes[HEAD_BYTES..]).to_le_bytes();
            bytes[20..24].copy_from_slice(&sum);
            if let Ok(data) = from_bytes(&bytes) {
                let mut state = data.model.start();
                for word in 0..data.vocabulary.len() as u32 + 2 {
                    state = data.model.score(state, word).1;
                    let _ = data.vocabulary.word(word);
                }
                let root = data.lexicon.root();
                for (_, node) in data.lexicon.arcs(root) {
                    let _ = data.lexicon.words(node);
                }
            }
        }
    }
}
