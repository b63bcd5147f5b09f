//! Whisper as a second pass over finished utterances; feature `whisper`.
//!
//! whisper.cpp ends the process on some files it does not understand, so [`ggml`] reads a model's
//! structure first and refuses what is not whole. Whisper hears text, not syllables, with rough times;
//! what it says is another reading of an utterance, not a stream.

mod ggml;
mod pieces;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
    get_lang_id, install_logging_hooks,
};

use crate::engine::{EngineError, Hypothesis};
use crate::registry::primary_language;
use pieces::{Piece, join_pieces};

/// Rate of the audio Whisper hears, hertz.
pub const WHISPER_RATE_HZ: u32 = 16_000;
/// Longest utterance: Whisper's window is 30 s, longer ones are heard window after window.
const MAX_SECS: usize = 600;
/// Most tokens of a reading: a hanzi takes up to three, nobody says ten a second; and some to spare.
/// Without a bound a model that repeats itself does so to the end of its window, beam by beam.
const TOKENS_PER_SEC: usize = 30;
const SPARE_TOKENS: usize = 16;
/// Shorter audio is padded with silence: whisper.cpp hears nothing in less than 100 ms, and repeats
/// itself on less than a second.
const MIN_SAMPLES: usize = WHISPER_RATE_HZ as usize * 11 / 10;

/// How utterances are heard.
#[derive(Clone, Debug)]
pub struct WhisperSettings {
    /// Threads of one pass.
    pub n_threads: usize,
    /// Beams; 1 is greedy.
    pub beam_size: usize,
    /// What might have been said before, in the style wanted. None: for Mandarin a sentence that
    /// asks for simplified characters and punctuation, for other languages nothing.
    pub prompt: Option<String>,
}

impl Default for WhisperSettings {
    fn default() -> Self {
        Self {
            n_threads: 2,
            beam_size: 5,
            prompt: None,
        }
    }
}

/// A Whisper model and the state of its one pass; shared between threads it hears one after another.
pub struct SecondPass {
    name: String,
    path: PathBuf,
    is_multilingual: bool,
    settings: WhisperSettings,
    context: WhisperContext,
    state: Mutex<WhisperState>,
}

impl SecondPass {
    /// Loads a model: the `.bin` file, or the folder that holds exactly one.
    ///
    /// # Errors
    /// When the file is missing, damaged or of another kind.
    pub fn load(path: &Path, settings: WhisperSettings) -> Result<Self, EngineError> {
        let path = model_file(path)?;
        ggml::check(&path)?;
        install_logging_hooks();
        let misfit = |cause: String| misfit(&path, cause);
        let context = WhisperContext::new_with_params(&path, WhisperContextParameters::default())
            .map_err(|cause| misfit(format!("whisper.cpp refused it ({cause})")))?;
        let state = context
            .create_state()
            .map_err(|cause| misfit(format!("whisper.cpp has no memory to run it ({cause})")))?;
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        Ok(Self {
            name: format!("whisper/{}", stem.unwrap_or_default()),
            is_multilingual: context.is_multilingual(),
            path,
            settings,
            context,
            state: Mutex::new(state),
        })
    }

    /// Engine and model, for example `whisper/ggml-base`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The model's file.
    pub fn file(&self) -> &Path {
        &self.path
    }

    /// Hears one utterance: samples in −1 to 1 at 16,000 Hz, `language` like `zh`, `zh-CN` or `en`.
    /// Tokens are whole characters or pieces of words with times from the utterance's start; no
    /// samples give an empty reading.
    ///
    /// # Errors
    /// Another rate, a language the model does not know, an utterance of more than ten minutes, or a
    /// pass that failed.
    pub fn transcribe(
        &self,
        samples: &[f32],
        sample_rate_hz: u32,
        language: &str,
    ) -> Result<Hypothesis, EngineError> {
        let language = self.check(samples, sample_rate_hz, language)?;
        if samples.is_empty() {
            return Ok(Hypothesis::default());
        }
        let mut audio: Vec<f32> = samples.iter().map(|&sample| finite(sample)).collect();
        audio.resize(audio.len().max(MIN_SAMPLES), 0.0);
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        state
            .full(self.params(&language, audio.len()), &audio)
            .map_err(|cause| EngineError::Run(format!("whisper: {cause}")))?;
        let duration_ms = samples.len() as u64 * 1000 / u64::from(WHISPER_RATE_HZ);
        Ok(join_pieces(&self.pieces(&state), duration_ms as u32))
    }

    fn check(
        &self,
        samples: &[f32],
        sample_rate_hz: u32,
        language: &str,
    ) -> Result<String, EngineError> {
        if sample_rate_hz != WHISPER_RATE_HZ {
            return Err(EngineError::Run(format!(
                "whisper hears {WHISPER_RATE_HZ} Hz, got `{sample_rate_hz}`"
            )));
        }
        if samples.len() > MAX_SECS * WHISPER_RATE_HZ as usize {
            return Err(EngineError::Run(format!(
                "an utterance of more than {MAX_SECS} s is no utterance"
            )));
        }
        check_language(language, self.is_multilingual).map_err(|cause| misfit(&self.path, cause))
    }

    fn params<'a>(&'a self, language: &'a str, n_samples: usize) -> FullParams<'a, 'a> {
        let beams = i32::try_from(self.settings.beam_size).unwrap_or(i32::MAX);
        let mut params = FullParams::new(match beams {
            0 | 1 => SamplingStrategy::Greedy { best_of: 1 },
            beam_size => SamplingStrategy::BeamSearch {
                beam_size,
                patience: -1.0,
            },
        });
        params.set_n_threads(i32::try_from(self.settings.n_threads.max(1)).unwrap_or(i32::MAX));
        let n_secs = n_samples.div_ceil(WHISPER_RATE_HZ as usize);
        let most = SPARE_TOKENS + TOKENS_PER_SEC * n_secs;
        params.set_max_tokens(i32::try_from(most).unwrap_or(i32::MAX));
        params.set_language(Some(language));
        params.set_no_context(true);
        params.set_token_timestamps(true);
        params.set_suppress_blank(true);
        params.set_suppress_nst(true);
        params.set_print_special(false);
        params.set_print_progress(false);
        params.set_print_realtime(false);
        params.set_print_timestamps(false);
        let prompt = match (&self.settings.prompt, language) {
            (Some(prompt), _) => prompt.as_str(),
            (None, "zh") => "以下是普通话的电话录音。",
            (None, _) => "",
        };
        if !prompt.is_empty() {
            // The setter panics on a zero byte.
            params.set_initial_prompt(&prompt.replace('\0', " "));
        }
        params
    }

    /// The text pieces of every segment; marks of time and language left out.
    fn pieces(&self, state: &WhisperState) -> Vec<Piece> {
        let first_mark = self.context.token_eot();
        let mut pieces = Vec::new();
        for segment in state.as_iter() {
            for row in 0..segment.n_tokens() {
                let Some(token) = segment.get_token(row) else {
                    continue;
                };
                let data = token.token_data();
                if data.id >= first_mark {
                    continue;
                }
                pieces.push(Piece {
                    bytes: token.to_bytes().unwrap_or_default().to_vec(),
                    start_ms: centiseconds_to_ms(data.t0),
                    end_ms: centiseconds_to_ms(data.t1),
                    probability: data.p,
                });
            }
        }
        pieces
    }
}

fn misfit(path: &Path, cause: String) -> EngineError {
    EngineError::Misfit {
        path: path.to_path_buf(),
        cause,
        hint: "`auricle models pull whisper-base` fetches one that fits".to_owned(),
    }
}

/// The `.bin` file at a path.
fn model_file(path: &Path) -> Result<PathBuf, EngineError> {
    let error = |cause: String| EngineError::ModelFile {
        path: path.to_path_buf(),
        cause,
    };
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let entries = path.read_dir().map_err(|cause| error(cause.to_string()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "bin"))
        .collect();
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        (None, _) => Err(error("the folder holds no `.bin` file".to_owned())),
        (Some(_), false) => Err(error("the folder holds several `.bin` files".to_owned())),
    }
}

/// The language by Whisper's name for it.
fn check_language(language: &str, is_multilingual: bool) -> Result<String, String> {
    let primary = primary_language(language);
    // The look-up panics on a zero byte.
    let is_known = !primary.contains('\0') && get_lang_id(&primary).is_some();
    match (is_known, is_multilingual) {
        (false, _) => Err(format!("whisper knows no language `{language}`")),
        (true, false) if primary != "en" => {
            Err(format!("the model hears English only, not `{primary}`"))
        }
        _ => Ok(primary),
    }
}

/// whisper.cpp counts in steps of 10 ms.
fn centiseconds_to_ms(time: i64) -> u32 {
    u32::try_from(time.saturating_mul(10).max(0)).unwrap_or(u32::MAX)
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
