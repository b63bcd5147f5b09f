//! A Vosk model folder: looked over before the library sees it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use vosk::{Model, Recognizer};

use super::VoskLibrary;
use crate::engine::{EngineError, EngineInfo, TokenKind};

/// Kaldi's rate where `mfcc.conf` names none, hertz.
const DEFAULT_RATE_HZ: u32 = 16_000;
/// Rates that are plausible for speech, hertz.
const RATES_HZ: std::ops::RangeInclusive<u32> = 8_000..=48_000;
/// Longest `mfcc.conf` that is read.
const MAX_CONF_BYTES: u64 = 1 << 16;
/// Smallest decoding graph: the header alone has as much.
const MIN_GRAPH_BYTES: u64 = 64;
/// Smallest acoustic model that can be one.
const MIN_ACOUSTIC_BYTES: u64 = 1 << 10;

/// Weights of a Vosk model, shared by any number of engines.
pub struct VoskModel {
    model: Model,
    name: String,
    folder: PathBuf,
    sample_rate_hz: u32,
}

impl VoskModel {
    /// Loads a model folder in either of Vosk's layouts (`am/final.mdl` or `final.mdl`).
    ///
    /// # Errors
    /// When files are missing, empty or of another kind, the rate is implausible, or the library
    /// refuses the model.
    pub fn load(_library: &VoskLibrary, folder: &Path) -> Result<Self, EngineError> {
        let sample_rate_hz = look_over(folder)?;
        let misfit = |cause: &str| misfit(folder, cause.to_owned());
        let text = folder
            .to_str()
            .ok_or_else(|| misfit("vosk takes only UTF-8 paths"))?;
        let model = Model::new(text).ok_or_else(|| misfit("vosk could not load it"))?;
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Ok(Self {
            model,
            name: name.unwrap_or_else(|| "model".to_owned()),
            folder: folder.to_path_buf(),
            sample_rate_hz,
        })
    }

    /// The files that what it recognises depends on most: acoustic model, settings, graph.
    pub fn files(&self) -> Vec<PathBuf> {
        let names = [
            "am/final.mdl",
            "final.mdl",
            "conf/model.conf",
            "conf/mfcc.conf",
            "graph/HCLG.fst",
            "graph/HCLr.fst",
            "graph/Gr.fst",
            "HCLr.fst",
            "Gr.fst",
        ];
        let present = names
            .iter()
            .map(|name| self.folder.join(name))
            .filter(|path| path.is_file());
        present.collect()
    }

    pub(super) fn info(&self, chunk_ms: u32) -> EngineInfo {
        EngineInfo {
            name: format!("vosk/{}", self.name),
            sample_rate_hz: self.sample_rate_hz,
            token_kind: TokenKind::Word,
            chunk_ms,
            emission_ms: 0,
        }
    }

    pub(super) fn recognizer(&self) -> Result<Recognizer, EngineError> {
        let mut recognizer =
            Recognizer::new(&self.model, self.sample_rate_hz as f32).ok_or_else(|| {
                misfit(
                    &self.folder,
                    "vosk could not make a recogniser of it".into(),
                )
            })?;
        recognizer.set_words(true);
        recognizer.set_partial_words(true);
        Ok(recognizer)
    }
}

fn misfit(path: &Path, cause: String) -> EngineError {
    EngineError::Misfit {
        path: path.to_path_buf(),
        cause,
        hint: "`auricle models verify` checks it, `auricle models pull` fetches it again"
            .to_owned(),
    }
}

/// Checks the files that the library would trip over; the rate of the audio the model wants.
pub(super) fn look_over(folder: &Path) -> Result<u32, EngineError> {
    if !folder.is_dir() {
        return Err(absent(folder.to_path_buf(), "there is no such folder"));
    }
    let is_old_layout = folder.join("final.mdl").exists() && !folder.join("am").exists();
    if is_old_layout {
        check_acoustic(&folder.join("final.mdl"))?;
        check_graph(folder)?;
        return read_rate(&folder.join("mfcc.conf"));
    }
    check_acoustic(&folder.join("am/final.mdl"))?;
    let options = folder.join("conf/model.conf");
    if !options.exists() {
        return Err(absent(options, "it is not there"));
    }
    check_graph(&folder.join("graph"))?;
    let fbank = folder.join("conf/fbank.conf");
    read_rate(&if fbank.exists() {
        fbank
    } else {
        folder.join("conf/mfcc.conf")
    })
}

fn absent(path: PathBuf, cause: &str) -> EngineError {
    EngineError::ModelFile {
        path,
        cause: cause.to_owned(),
    }
}

/// The decoding graph: one file, or two that are composed while decoding. The library follows a null
/// pointer where OpenFst cannot read one.
fn check_graph(folder: &Path) -> Result<(), EngineError> {
    let whole = folder.join("HCLG.fst");
    if whole.exists() {
        return check_fst(&whole);
    }
    check_fst(&folder.join("HCLr.fst"))?;
    check_fst(&folder.join("Gr.fst"))
}

/// OpenFst's files begin with 0x7eb2fdd6, little endian (`fst/fst.cc`, `kFstMagicNumber`).
fn check_fst(path: &Path) -> Result<(), EngineError> {
    const MAGIC: [u8; 4] = [0xd6, 0xfd, 0xb2, 0x7e];
    let (head, n_bytes) = read_head(path, MAGIC.len() as u64)?;
    if head != MAGIC || n_bytes < MIN_GRAPH_BYTES {
        return Err(misfit(
            path,
            format!("is no OpenFst graph ({n_bytes} bytes)"),
        ));
    }
    Ok(())
}

/// The first bytes of a file and its length.
fn read_head(path: &Path, at_most: u64) -> Result<(Vec<u8>, u64), EngineError> {
    let unreadable = |cause: std::io::Error| absent(path.to_path_buf(), &cause.to_string());
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let n_bytes = file.metadata().map_err(unreadable)?.len();
    let mut head = Vec::new();
    file.by_ref()
        .take(at_most)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    Ok((head, n_bytes))
}

/// Kaldi's binary files begin with a zero byte and `B`, text ones with `<TransitionModel>`.
fn check_acoustic(path: &Path) -> Result<(), EngineError> {
    let (head, n_bytes) = read_head(path, 2)?;
    if n_bytes < MIN_ACOUSTIC_BYTES || !matches!(head.as_slice(), b"\0B" | b"<T") {
        return Err(misfit(
            path,
            format!("is no Kaldi acoustic model ({n_bytes} bytes)"),
        ));
    }
    Ok(())
}

/// `--sample-frequency=16000` of a Kaldi option file.
fn read_rate(path: &Path) -> Result<u32, EngineError> {
    let (bytes, _) = read_head(path, MAX_CONF_BYTES)?;
    let text = String::from_utf8_lossy(&bytes);
    let options = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let Some(value) = options
        .filter_map(|line| line.strip_prefix("--sample-frequency="))
        .next_back()
    else {
        return Ok(DEFAULT_RATE_HZ);
    };
    let rate = value
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|rate| rate.fract() == 0.0);
    rate.map(|rate| rate as u32)
        .filter(|rate| RATES_HZ.contains(rate))
        .ok_or_else(|| {
            misfit(
                path,
                format!("`--sample-frequency` must be 8000 to 48000, got `{value}`"),
            )
        })
}
