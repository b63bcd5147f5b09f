//! The structure of a whisper.cpp model file, read before whisper.cpp reads it.
//!
//! Layout (whisper.cpp, `models/convert-pt-to-ggml.py`): magic, 11 dimensions, mel filters,
//! vocabulary, tensors up to the end of the file; little endian.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::misfit;
use crate::engine::EngineError;

const MAGIC: u32 = 0x6767_6d6c;
/// Bins of the 400-point transform.
const N_FFT_BINS: u32 = 201;
const MAX_WORD_BYTES: u32 = 512;
const MAX_NAME_BYTES: u32 = 256;

/// Checks that a file is a whole Whisper model.
///
/// # Errors
/// When it is missing, of another kind, or cut short.
pub(super) fn check(path: &Path) -> Result<(), EngineError> {
    let unreadable = |cause: io::Error| EngineError::ModelFile {
        path: path.to_path_buf(),
        cause: cause.to_string(),
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(misfit(path, "is no file".to_owned()));
    }
    check_structure(BufReader::new(file), metadata.len()).map_err(|cause| misfit(path, cause))
}

fn check_structure(from: impl Read + Seek, n_bytes: u64) -> Result<(), String> {
    let mut reader = Reader {
        from,
        at: 0,
        n_bytes,
    };
    if n_bytes < 4 || reader.word()? != MAGIC {
        return Err("is no whisper.cpp model: its first bytes are others".to_owned());
    }
    let dimensions = check_dimensions(&mut reader)?;
    let (n_mels, n_bins) = (reader.word()?, reader.word()?);
    if n_mels != dimensions.n_mels || n_bins != N_FFT_BINS {
        return Err(format!("is damaged: mel filters of {n_mels} × {n_bins}"));
    }
    reader.skip(u64::from(n_mels) * u64::from(n_bins) * 4)?;
    check_vocabulary(&mut reader, dimensions.n_vocab)?;
    check_tensors(&mut reader, dimensions.n_tensors)
}

struct Dimensions {
    n_vocab: u32,
    n_mels: u32,
    n_tensors: u32,
}

/// The published models have few shapes, and whisper.cpp looks others up in tables without asking.
fn check_dimensions(reader: &mut Reader<impl Read + Seek>) -> Result<Dimensions, String> {
    let mut words = [0; 11];
    for word in &mut words {
        *word = reader.word()?;
    }
    let [
        n_vocab,
        audio_ctx,
        audio_state,
        audio_head,
        audio_layer,
        rest @ ..,
    ] = words;
    let [text_ctx, text_state, text_head, text_layer, n_mels, _ftype] = rest;
    let is_known = [384, 512, 768, 1024, 1280].contains(&audio_state)
        && [4, 6, 12, 24, 32].contains(&audio_layer)
        && (1..=32).contains(&text_layer)
        && audio_head * 64 == audio_state
        && (text_state, text_head) == (audio_state, audio_head)
        && (audio_ctx, text_ctx) == (1500, 448)
        && (51_864..=51_866).contains(&n_vocab)
        && [80, 128].contains(&n_mels);
    if !is_known {
        return Err(format!(
            "is damaged or no published shape of Whisper: dimensions {words:?}"
        ));
    }
    Ok(Dimensions {
        n_vocab,
        n_mels,
        n_tensors: 11 + 15 * audio_layer + 24 * text_layer,
    })
}

fn check_vocabulary(reader: &mut Reader<impl Read + Seek>, n_vocab: u32) -> Result<(), String> {
    let n_words = reader.word()?;
    if n_words == 0 || n_words > n_vocab {
        return Err(format!("is damaged: {n_words} words of {n_vocab}"));
    }
    for _ in 0..n_words {
        let n_bytes = reader.word()?;
        if n_bytes > MAX_WORD_BYTES {
            return Err(format!("is damaged: a word of {n_bytes} bytes"));
        }
        reader.skip(u64::from(n_bytes))?;
    }
    Ok(())
}

/// Walks the tensors by their sizes; there must be all of them, and the last must end where the file
/// does.
fn check_tensors(reader: &mut Reader<impl Read + Seek>, expected: u32) -> Result<(), String> {
    let mut n_tensors = 0;
    while reader.at < reader.n_bytes {
        let (n_dims, name_bytes, kind) = (reader.word()?, reader.word()?, reader.word()?);
        let Some((block, block_bytes)) = block_of(kind) else {
            return Err(format!("is damaged: a tensor of kind {kind}"));
        };
        if !(1..=3).contains(&n_dims) || name_bytes > MAX_NAME_BYTES {
            return Err(format!("is damaged: a tensor of {n_dims} dimensions"));
        }
        let mut n_elements = 1_u64;
        for _ in 0..n_dims {
            n_elements = n_elements.saturating_mul(u64::from(reader.word()?));
        }
        if n_elements == 0 || n_elements > i32::MAX as u64 || !n_elements.is_multiple_of(block) {
            return Err(format!("is damaged: a tensor of {n_elements} elements"));
        }
        reader.skip(u64::from(name_bytes) + n_elements / block * block_bytes)?;
        n_tensors += 1;
    }
    if n_tensors != expected {
        return Err(format!("is damaged: {n_tensors} tensors of {expected}"));
    }
    Ok(())
}

/// Elements and bytes of a block of a ggml tensor kind that Whisper models use.
const fn block_of(kind: u32) -> Option<(u64, u64)> {
    match kind {
        0 => Some((1, 4)),   // f32
        1 => Some((1, 2)),   // f16
        2 => Some((32, 18)), // q4_0
        3 => Some((32, 20)), // q4_1
        6 => Some((32, 22)), // q5_0
        7 => Some((32, 24)), // q5_1
        8 => Some((32, 34)), // q8_0
        _ => None,
    }
}

struct Reader<R> {
    from: R,
    at: u64,
    n_bytes: u64,
}

impl<R: Read + Seek> Reader<R> {
    fn word(&mut self) -> Result<u32, String> {
        self.claim(4)?;
        let mut word = [0; 4];
        self.from
            .read_exact(&mut word)
            .map_err(|cause| format!("cannot be read: {cause}"))?;
        Ok(u32::from_le_bytes(word))
    }

    fn skip(&mut self, n_bytes: u64) -> Result<(), String> {
        self.claim(n_bytes)?;
        let n_bytes = i64::try_from(n_bytes).map_err(|cause| cause.to_string())?;
        let skipped = if n_bytes < 4096 {
            // Keeps the reader's buffer where a seek would throw it away.
            io::copy(
                &mut self.from.by_ref().take(n_bytes as u64),
                &mut io::sink(),
            )
            .map(drop)
        } else {
            self.from.seek(SeekFrom::Current(n_bytes)).map(drop)
        };
        skipped.map_err(|cause| format!("cannot be read: {cause}"))
    }

    fn claim(&mut self, n_bytes: u64) -> Result<(), String> {
        self.at = self.at.saturating_add(n_bytes);
        if self.at > self.n_bytes {
            return Err(format!("is cut short at {} bytes", self.n_bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Cursor;

    /// A file with the structure of a tiny model, its tensors too small and misnamed.
    pub(in crate::whisper_engine) fn tiny() -> Vec<u8> {
        let mut words = vec![
            MAGIC, 51_865, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1, 80, N_FFT_BINS,
        ];
        words.extend(vec![0; 80 * 201]);
        words.push(2);
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        for word in [b"ab".as_slice(), b""] {
            bytes.extend((word.len() as u32).to_le_bytes());
            bytes.extend(word);
        }
        for row in 0..167 {
            let (kind, elements, size) = if row % 2 == 0 {
                (0, 10, 40)
            } else {
                (8_u32, 32, 34)
            };
            let head = [1, 1, kind, elements];
            bytes.extend(head.into_iter().flat_map(u32::to_le_bytes));
            bytes.push(b'x');
            bytes.extend(vec![0; size]);
        }
        bytes
    }

    fn check(bytes: &[u8], expected: &str) {
        match check_structure(Cursor::new(bytes), bytes.len() as u64) {
            Ok(()) => assert_eq!(expected, "whole"),
            Err(cause) => assert!(cause.contains(expected), "{cause}"),
        }
    }

    /// The tiny file with one word changed.
    fn changed(at: usize, word: u32) -> Vec<u8> {
        let mut bytes = tiny();
        bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        bytes
    }

    #[test]
    fn damage_is_named() {
        let tensors = 14 * 4 + 80 * 201 * 4 + 4 + 6 + 4;
        check(&tiny(), "whole");
        check(b"", "no whisper.cpp model");
        check(b"GGUF and more", "no whisper.cpp model");
        check(&changed(20, 5), "no published shape");
        check(&changed(48, 7), "mel filters");
        check(&changed(tensors - 14, 60_000), "60000 words");
        check(&changed(tensors - 10, 9_999), "a word of 9999 bytes");
        check(&changed(tensors, 9), "9 dimensions");
        check(&changed(tensors + 8, 99), "kind 99");
        check(&changed(tensors + 12, u32::MAX), "elements");
        check(&tiny()[..tensors], "0 tensors of 167");
    }

    #[test]
    fn every_cut_is_noticed() {
        let whole = tiny();
        let tensors = 14 * 4 + 80 * 201 * 4 + 4 + 6 + 4;
        for keep in (0..whole.len()).filter(|keep| *keep < 200 || *keep > tensors - 20) {
            let outcome = check_structure(Cursor::new(&whole[..keep]), keep as u64);
            assert!(outcome.is_err(), "{keep}");
        }
        check(&[whole.as_slice(), &[0; 40]].concat(), "is damaged");
    }

    proptest::proptest! {
        #[test]
        fn changed_bytes_are_judged_without_panic(at in 0_usize..70_000, byte in 0_u8..) {
            let mut bytes = tiny();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = check_structure(Cursor::new(&bytes), bytes.len() as u64);
        }
    }
}
