//! Everything that hearing needs, loaded once and shared by all workers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use auricle_audio::{ResampleError, Resampler};
use auricle_contracts::{Utterance, Voice};
use auricle_models::registry::hex;
use auricle_models::{
    DecodeSettings, EngineError, EngineSource, Hypothesis, SecondPassEngine, StreamKey,
    StreamOptions, StreamingEngine, TokenKind, VadSource, VoiceActivity, digests_of,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::hotwords::{Hotwords, HotwordsError};
use crate::lattice::LatticeSettings;
use crate::lm::LanguageData;
use crate::segment::EndpointSettings;
use crate::utterance::{Place, Writer};

/// More paths of the beam search than this cost time and find nothing.
pub const MOST_PATHS: u16 = 64;

/// How speech is turned into text; part of a transcript's fingerprint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechSettings {
    /// Paths of the beam search: 1 is greedy; 0 means the default of 8.
    #[schemars(range(min = 0, max = MOST_PATHS))]
    pub beam: usize,
    /// Language of the calls, for engines that know more than one: `zh`, `en`.
    pub language: String,
    /// When utterances open and close.
    pub endpoint: EndpointSettings,
    /// How sounds and words are weighed.
    pub lattice: LatticeSettings,
}

impl Default for SpeechSettings {
    fn default() -> Self {
        Self {
            beam: 0,
            language: "zh".into(),
            endpoint: EndpointSettings::default(),
            lattice: LatticeSettings::default(),
        }
    }
}

impl SpeechSettings {
    /// Whether the values fit each other. The range of each stands at its key, and is held where the configuration is read.
    ///
    /// # Errors
    /// Names the key whose value does not fit, the other one and the value.
    pub fn check(&self) -> Result<(), String> {
        self.endpoint.check()
    }

    /// How the recogniser searches.
    pub fn decode(&self) -> DecodeSettings {
        if self.beam == 0 {
            DecodeSettings::default()
        } else {
            DecodeSettings { n_paths: self.beam }
        }
    }
}

/// What hearing is put together from.
pub struct SpeechParts {
    /// Turns audio into tokens.
    pub recogniser: Box<dyn EngineSource>,
    /// Tells speech from silence.
    pub vad: Arc<dyn VadSource>,
    /// Reads finished utterances a second time.
    pub second_pass: Option<Box<dyn SecondPassEngine>>,
    /// Words, how they sound, and how likely they follow one another. Models may share it: one with hotwords
    /// takes a copy.
    pub language: Arc<LanguageData>,
    /// Words to lean towards.
    pub hotwords: Hotwords,
    /// Whether the recogniser only stands in for a better one that is not here.
    pub stands_in: bool,
}

/// Speech cannot be recognised.
#[derive(Debug, Error)]
pub enum SpeechError {
    /// An engine or its model.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The sample rate of a call.
    #[error(transparent)]
    Rate(#[from] auricle_audio::ResampleError),
    /// The hotword list.
    #[error(transparent)]
    Hotwords(#[from] HotwordsError),
    /// The caller named a channel that the call does not have.
    #[error("channel `{channel_idx}` was not opened: the call has `{n_channels}`")]
    NoSuchChannel {
        /// Asked for.
        channel_idx: usize,
        /// Opened.
        n_channels: usize,
    },
}

type Pool<T> = Mutex<Vec<Box<T>>>;

/// Recogniser and voice activity, loaded; workers borrow engines from it. Models that differ in their words alone share
/// it, and one engine has streams of all of them.
pub struct Engines {
    recogniser: Box<dyn EngineSource>,
    vad: Arc<dyn VadSource>,
    second_pass: Option<Box<dyn SecondPassEngine>>,
    settings: SpeechSettings,
    idle_engines: Pool<dyn StreamingEngine>,
    idle_vads: Pool<dyn VoiceActivity>,
    /// Of all files.
    digests: Vec<String>,
    name: String,
    rate_hz: u32,
    kind: TokenKind,
    emission_ms: u32,
    stands_in: bool,
}

/// Engines and language: everything that hears.
pub struct SpeechModel {
    engines: Arc<Engines>,
    language: Arc<LanguageData>,
    /// What its streams lean towards.
    stream_options: StreamOptions,
    fingerprint: String,
}

impl SpeechModel {
    /// Puts the parts together and makes the first engine, so that a damaged model is found here.
    ///
    /// # Errors
    /// When a file is missing, damaged or foreign.
    pub fn new(parts: SpeechParts, settings: SpeechSettings) -> Result<Self, SpeechError> {
        let SpeechParts {
            recogniser,
            vad,
            second_pass,
            language,
            hotwords,
            stands_in,
        } = parts;
        let engine = recogniser.engine()?;
        let first_vad = vad.vad()?;
        let info = engine.info().clone();
        let mut name = info.name;
        if let Some(second) = &second_pass {
            name = format!("{name}+{}", second.name());
        }
        let mut digests = recogniser.digests()?;
        let mut files = vec![vad.file().to_path_buf()];
        files.extend(second_pass.iter().flat_map(|second| second.files()));
        digests.extend(digests_of(files.iter().map(PathBuf::as_path))?);
        let engines = Engines {
            recogniser,
            vad,
            second_pass,
            settings,
            idle_engines: Mutex::new(vec![engine]),
            idle_vads: Mutex::new(vec![first_vad]),
            digests,
            name,
            rate_hz: info.sample_rate_hz,
            kind: info.token_kind,
            emission_ms: info.emission_ms,
            stands_in,
        };
        Ok(Self::of(Arc::new(engines), language, hotwords))
    }

    /// The same recogniser with another language model and other hotwords. Nothing is loaded: it shares its engines with
    /// this one, and both hear at the same time.
    pub fn with_words(&self, language: Arc<LanguageData>, hotwords: Hotwords) -> Self {
        Self::of(Arc::clone(&self.engines), language, hotwords)
    }

    /// The same, and leaning towards further words: those of one call. It shares everything with this one but these words.
    pub fn leaning(&self, words: &Hotwords) -> Self {
        let words = words.clone().fit(self.engines.recogniser.tokens());
        let mut language = Arc::clone(&self.language);
        words.add_to(Arc::make_mut(&mut language));
        Self {
            fingerprint: fingerprint(
                std::slice::from_ref(&self.fingerprint),
                &format!("{words:?}"),
            ),
            engines: Arc::clone(&self.engines),
            stream_options: words.stream_options_beside(&self.stream_options),
            language,
        }
    }

    fn of(engines: Arc<Engines>, mut language: Arc<LanguageData>, hotwords: Hotwords) -> Self {
        let hotwords = hotwords.fit(engines.recogniser.tokens());
        for word in hotwords.without_effect() {
            tracing::warn!(
                "the hotword `{word}` has no effect: the recogniser has no tokens to spell it with"
            );
        }
        if !hotwords.is_empty() {
            let language = Arc::make_mut(&mut language);
            hotwords.add_to(language);
            language.settle();
        }
        let Engines { name, settings, .. } = &*engines;
        let settings = format!("{name}|{settings:?}|{hotwords:?}");
        Self {
            fingerprint: fingerprint(&engines.digests, &settings),
            engines,
            language,
            stream_options: hotwords.stream_options(),
        }
    }

    /// What it shares with models that differ in their words alone.
    pub fn engines(&self) -> &Arc<Engines> {
        &self.engines
    }

    /// Engine and model, for example `native/zh-zipformer-3.3m`.
    pub fn name(&self) -> &str {
        &self.engines.name
    }

    /// The model alone, for example `zh-zipformer-3.3m`.
    pub fn model_name(&self) -> &str {
        model_in(&self.engines.name)
    }

    /// Changes whenever transcripts may: model files, settings, hotwords, this program's version.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether what `engine` heard (a name as [`Self::name`] gives it) must not be heard again by this model: it only
    /// stands in for a better one.
    pub fn must_not_replace(&self, engine: &str) -> bool {
        self.engines.stands_in && model_in(engine) != model_in(&self.engines.name)
    }

    /// What it was set to.
    pub fn settings(&self) -> &SpeechSettings {
        &self.engines.settings
    }

    /// Words and their probabilities.
    pub fn language(&self) -> &LanguageData {
        &self.language
    }

    /// A stream of `engine`, which must be one of this model's, that leans towards its hotwords.
    ///
    /// # Errors
    /// When the engine cannot hold another.
    pub fn open_stream(&self, engine: &mut dyn StreamingEngine) -> Result<StreamKey, EngineError> {
        engine.open_stream(&self.stream_options)
    }

    /// What an utterance's readings (best first) say, in words; `None` when nothing was said.
    pub fn write(
        &self,
        hypotheses: &[Hypothesis],
        place: Place,
        voice: Option<Voice>,
    ) -> Option<Utterance> {
        let utterance = self.writer().write(hypotheses, place)?;
        Some(Utterance { voice, ..utterance })
    }

    /// Has an utterance heard once more, where the model has a second pass: its words are those of the second.
    /// `heard` is its audio, at `rate_hz`.
    ///
    /// # Errors
    /// When the pass fails.
    pub fn hear_again(
        &self,
        utterance: &mut Utterance,
        heard: &[f32],
        rate_hz: u32,
        place: Place,
    ) -> Result<(), SpeechError> {
        let Some(second) = &self.engines.second_pass else {
            return Ok(());
        };
        let heard = at_rate(heard, rate_hz, second.sample_rate_hz())?;
        let again = second.transcribe(&heard, &self.engines.settings.language)?;
        self.writer().write_again(utterance, &again, place);
        Ok(())
    }

    fn writer(&self) -> Writer<'_> {
        Writer {
            language: &self.language,
            lattice: &self.engines.settings.lattice,
            kind: self.engines.kind,
            emission_ms: self.engines.emission_ms,
        }
    }

    pub(crate) fn second_pass(&self) -> Option<&dyn SecondPassEngine> {
        self.engines.second_pass.as_deref()
    }

    /// Rate of the samples that its engines take, hertz.
    pub fn rate_hz(&self) -> u32 {
        self.engines.rate_hz
    }

    /// An engine that nobody uses, as [`Engines::borrow_engine`] gives it.
    ///
    /// # Errors
    /// When a file of the model is damaged or memory is short.
    pub fn borrow_engine(&self) -> Result<Box<dyn StreamingEngine>, SpeechError> {
        self.engines.borrow_engine()
    }

    /// A voice activity network that nobody uses; a new one when all are busy.
    ///
    /// # Errors
    /// When its file is damaged or memory is short.
    pub fn borrow_vad(&self) -> Result<Box<dyn VoiceActivity>, SpeechError> {
        match pop(&self.engines.idle_vads) {
            Some(vad) => Ok(vad),
            None => Ok(self.engines.vad.vad()?),
        }
    }

    /// Gives back what a call that ended well no longer uses.
    pub(crate) fn give_back(&self, engine: Box<dyn StreamingEngine>, vad: Box<dyn VoiceActivity>) {
        push(&self.engines.idle_engines, engine);
        push(&self.engines.idle_vads, vad);
    }
}

impl Engines {
    /// An engine that nobody uses; a new one when all are busy.
    ///
    /// # Errors
    /// When a file of the model is damaged or memory is short.
    pub fn borrow_engine(&self) -> Result<Box<dyn StreamingEngine>, SpeechError> {
        match pop(&self.idle_engines) {
            Some(engine) => Ok(engine),
            None => Ok(self.recogniser.engine()?),
        }
    }
}

fn at_rate(samples: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>, ResampleError> {
    let mut resampler = Resampler::new(from_hz, to_hz)?;
    let mut out = Vec::with_capacity(samples.len());
    resampler.process(samples, &mut out)?;
    resampler.finish(&mut out)?;
    Ok(out)
}

fn pop<T: ?Sized>(pool: &Pool<T>) -> Option<Box<T>> {
    pool.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn push<T: ?Sized>(pool: &Pool<T>, free: Box<T>) {
    pool.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(free);
}

/// The model in `ENGINE/MODEL` or `ENGINE/MODEL+SECOND`.
fn model_in(name: &str) -> &str {
    let model = name.split_once('/').map_or(name, |(_, model)| model);
    model.split('+').next().unwrap_or(model)
}

/// Of the digests of all files, the settings and this version.
fn fingerprint(digests: &[String], settings: &str) -> String {
    let mut hash = Sha256::new();
    digests.iter().for_each(|digest| hash.update(digest));
    hash.update(settings);
    hash.update(env!("CARGO_PKG_VERSION"));
    hex(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_in_a_name_is_without_what_runs_it() {
        assert_eq!(model_in("native/zh-zipformer-3.3m"), "zh-zipformer-3.3m");
        assert_eq!(model_in("ort/telephony-8k+whisper/base"), "telephony-8k");
        assert_eq!(model_in("telephony-8k"), "telephony-8k");
    }

    #[test]
    fn settings_that_do_not_fit_each_other_are_named() {
        let mut settings = SpeechSettings::default();
        assert_eq!(settings.check(), Ok(()));
        settings.endpoint.silence_prob = 0.5;
        assert_eq!(
            settings.check().unwrap_err(),
            "`speech.endpoint.silence_prob` must be at most `speech.endpoint.speech_prob`, which is `0.3`, got `0.5`"
        );
    }
}
