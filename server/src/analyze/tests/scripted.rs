//! A recogniser that needs no model: whoever is loud says what the script has.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;

use anyhow::{Result, bail};
use auricle_contracts::CallMetadata;
use auricle_models::{
    EngineError, EngineInfo, EngineSource, Hypothesis, StepReport, StreamKey, StreamOptions,
    StreamingEngine, Token, TokenKind, TokenTable, VadSource, VadState, VoiceActivity,
};
use auricle_speech::lm::LanguageData;
use auricle_speech::{Hotwords, SpeechModel, SpeechParts, SpeechSettings};

use crate::engine::Recognition;

/// Made once: it takes longer than everything else here.
static LANGUAGE: LazyLock<Arc<LanguageData>> =
    LazyLock::new(|| Arc::new(LanguageData::default_model().unwrap()));

/// Calls of the campaign `broken` have no model; all others hear `said`.
pub(super) struct Scripted {
    model: Arc<SpeechModel>,
}

impl Scripted {
    pub(super) fn saying(said: &'static str) -> Self {
        let parts = SpeechParts {
            recogniser: Box::new(Script(said)),
            vad: Arc::new(Loudness),
            second_pass: None,
            language: Arc::clone(&LANGUAGE),
            hotwords: Hotwords::default(),
            stands_in: false,
        };
        let model = SpeechModel::new(parts, SpeechSettings::default()).unwrap();
        Self {
            model: Arc::new(model),
        }
    }
}

impl Recognition for Scripted {
    fn model_for(&mut self, call: &CallMetadata) -> Result<Arc<SpeechModel>> {
        if call.campaign.as_deref() == Some("broken") {
            bail!("model `broken` is damaged\nhint: fetch it again");
        }
        Ok(Arc::clone(&self.model))
    }

    fn language_print(&self) -> &str {
        "scripted"
    }
}

/// A file that is there, for the fingerprint.
const ANY_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

struct Script(&'static str);

impl EngineSource for Script {
    fn engine(&self) -> Result<Box<dyn StreamingEngine>, EngineError> {
        let info = EngineInfo {
            name: format!("scripted/{}", self.0),
            sample_rate_hz: 8_000,
            token_kind: TokenKind::Hanzi,
            chunk_ms: 100,
            emission_ms: 200,
        };
        Ok(Box::new(Reader {
            info,
            said: self.0,
            n_opened: 0,
            open: HashMap::new(),
        }))
    }

    fn tokens(&self) -> Option<&TokenTable> {
        None
    }

    fn digests(&self) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }
}

struct Reader {
    info: EngineInfo,
    said: &'static str,
    n_opened: u32,
    open: HashMap<StreamKey, usize>,
}

impl Reader {
    fn heard(&self) -> Hypothesis {
        let token = |(letter_idx, letter): (usize, char)| Token {
            text: letter.to_string().into(),
            start_ms: 100 * letter_idx as u32,
            end_ms: 100 * letter_idx as u32 + 100,
            confidence: 0.9,
            alternatives: Vec::new(),
        };
        Hypothesis {
            tokens: self.said.chars().enumerate().map(token).collect(),
            log_prob: -1.0,
        }
    }
}

impl StreamingEngine for Reader {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn open_stream(&mut self, _options: &StreamOptions) -> Result<StreamKey, EngineError> {
        self.n_opened += 1;
        let key = StreamKey::new(0, self.n_opened);
        self.open.insert(key, 0);
        Ok(key)
    }

    fn accept(&mut self, stream: StreamKey, samples: &[f32]) -> Result<(), EngineError> {
        let n_samples = self.open.get_mut(&stream);
        *n_samples.ok_or(EngineError::NoSuchStream)? += samples.len();
        Ok(())
    }

    fn step(&mut self) -> Result<StepReport, EngineError> {
        Ok(StepReport::default())
    }

    fn partial(&self, _stream: StreamKey) -> Result<Hypothesis, EngineError> {
        Ok(self.heard())
    }

    fn finish(&mut self, stream: StreamKey) -> Result<Vec<Hypothesis>, EngineError> {
        self.open.remove(&stream).ok_or(EngineError::NoSuchStream)?;
        Ok(vec![self.heard()])
    }
}

struct Loudness;

impl VadSource for Loudness {
    fn vad(&self) -> Result<Box<dyn VoiceActivity>, EngineError> {
        Ok(Box::new(Self))
    }

    fn file(&self) -> &Path {
        Path::new(ANY_FILE)
    }
}

impl VoiceActivity for Loudness {
    fn name(&self) -> &str {
        "loudness"
    }

    fn judge(
        &mut self,
        frames: &[&[f32]],
        _states: &mut [&mut VadState],
        probs: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let is_loud = |frame: &&[f32]| frame.iter().any(|sample| sample.abs() > 0.1);
        probs.extend(
            frames
                .iter()
                .map(|frame| f32::from(u8::from(is_loud(frame)))),
        );
        Ok(())
    }
}
