//! How an utterance was said, beside how the same party spoke before, and what its words say.
//!
//! ```text
//! Voice ─▶ differences to the party's medians ─┐
//! words ─▶ rate, beside the party's ───────────┼─▶ model ─▶ neutral, happy, angry, sad ─▶ valence
//!       ─▶ emotional words, intents ───────────┘       └─▶ arousal
//! ```
//!
//! Levels of recordings are arbitrary and voices differ, so nothing is taken as it is: the same loudness is a
//! shout from one and a murmur from the other. Without a voice (imported text) the words alone decide.

mod baseline;
mod features;
mod lexicon;
mod model;
mod mood;
#[cfg(test)]
mod tests;
mod whose;

use std::sync::Arc;

use auricle_contracts::{Emotion, EmotionLabel, Intent, Mood, Party};

use crate::Spoken;
use baseline::Baseline;
pub use features::Feature;
use features::VoiceValues;
use lexicon::TextScores;
pub use model::{EmotionModel, N_LABELS, WeightedModel, WeightsError};
use mood::Moods;

/// Utterances shorter than this tell little of how somebody speaks: a third of them is a breath.
const SURE_SECS: f32 = 0.8;
/// What even the shortest tells.
const LEAST_TRUST: f32 = 0.25;
/// Utterances shorter than this are not learnt from.
const LEARN_SECS: f32 = 0.3;
/// Fewer syllables have no rate.
const RATE_SYLLABLES: f32 = 3.0;
/// Syllables of an English word, about.
const WORD_SYLLABLES: f32 = 1.5;
/// How unpleasant sadness is, beside anger.
const SAD_VALENCE: f32 = 0.7;

/// How one utterance was said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Manner {
    /// `None` where there was neither voice nor word.
    pub emotion: Option<Emotion>,
    /// How much louder than this party's median so far, dB; `None` before there is one.
    pub loudness_rise_db: Option<f32>,
}

/// Follows one call's emotions, utterance by utterance.
pub struct EmotionTracker {
    model: Option<Arc<dyn EmotionModel>>,
    built_in: &'static WeightedModel,
    /// What the models want, and loudness.
    wanted: Vec<Feature>,
    baselines: [Baseline; 3],
    moods: Moods,
}

impl Default for EmotionTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl EmotionTracker {
    /// With the built-in model.
    pub fn new() -> Self {
        Self::with_model(None)
    }

    /// With another model, if there is one. The built-in one still tells arousal, and stands in where `model`
    /// cannot tell.
    pub fn with_model(model: Option<Arc<dyn EmotionModel>>) -> Self {
        let built_in = WeightedModel::built_in();
        let mut wanted = built_in.wants().to_vec();
        wanted.push(Feature::LOUDNESS);
        wanted.extend(model.iter().flat_map(|model| model.wants()));
        wanted.sort();
        wanted.dedup();
        Self {
            model,
            built_in,
            wanted,
            baselines: Default::default(),
            moods: Moods::default(),
        }
    }

    /// Takes the next utterance of the call, with the intents that were found in it, and tells how it was said.
    pub fn utterance(&mut self, spoken: &Spoken<'_>, intents: &[Intent]) -> Manner {
        let raw = Raw::of(spoken);
        let manner = self.judge_raw(&raw, spoken, intents);
        self.learn(&raw, spoken);
        if let Some(emotion) = manner.emotion {
            self.moods.push(spoken.party(), emotion);
        }
        manner
    }

    /// Tells how an utterance is said that may still change, and forgets it.
    pub fn judge(&self, spoken: &Spoken<'_>, intents: &[Intent]) -> Manner {
        self.judge_raw(&Raw::of(spoken), spoken, intents)
    }

    fn judge_raw(&self, raw: &Raw, spoken: &Spoken<'_>, intents: &[Intent]) -> Manner {
        let loudness = raw.get(Feature::LOUDNESS);
        let baseline = &self.baselines[place(spoken.party())];
        let usual = baseline.median(Feature::LOUDNESS);
        let loudness_rise_db = loudness.zip(usual).map(|(here, usual)| here - usual);
        if loudness.is_none() && spoken.letters.is_empty() {
            return Manner {
                emotion: None,
                loudness_rise_db,
            };
        }
        let features = self.features_of(raw, spoken, intents);
        Manner {
            emotion: Some(self.emotion(&features)),
            loudness_rise_db,
        }
    }

    /// What the models are given of an utterance, by [`Feature::place`]; 0 for what none of them wants.
    pub fn features(&self, spoken: &Spoken<'_>, intents: &[Intent]) -> [f32; Feature::COUNT] {
        self.features_of(&Raw::of(spoken), spoken, intents)
    }

    fn features_of(
        &self,
        raw: &Raw,
        spoken: &Spoken<'_>,
        intents: &[Intent],
    ) -> [f32; Feature::COUNT] {
        let baseline = &self.baselines[place(spoken.party())];
        let trust = (secs(spoken) / SURE_SECS).clamp(LEAST_TRUST, 1.0);
        let mut features = [0.0; Feature::COUNT];
        for &feature in self.wanted.iter().filter(|feature| feature.is_relative()) {
            if let Some(value) = raw.get(feature) {
                let prior = self.built_in.prior(feature);
                features[feature.place()] = trust * baseline.difference(feature, value, prior);
            }
        }
        let text = TextScores::of(spoken, intents);
        features[Feature::TEXT_ANGRY.place()] = text.angry;
        features[Feature::TEXT_HAPPY.place()] = text.happy;
        features[Feature::TEXT_SAD.place()] = text.sad;
        features[Feature::UTTERANCES_BEFORE.place()] = baseline.n_utterances() as f32;
        features[Feature::SECS.place()] = secs(spoken);
        features
    }

    /// How moods went so far; at the end, over the whole call.
    pub fn mood(&self) -> Mood {
        self.moods.mood()
    }

    fn emotion(&self, features: &[f32; Feature::COUNT]) -> Emotion {
        let pick = |wanted: &[Feature]| -> Vec<f32> {
            let places = wanted.iter().map(|feature| feature.place());
            places.map(|place| features[place]).collect()
        };
        let values = pick(self.built_in.wants());
        let told = self.model.as_ref().and_then(|model| {
            let values = pick(model.wants());
            model.probabilities(&values).filter(is_distribution)
        });
        let probabilities = told.unwrap_or_else(|| self.built_in.judge(&values));
        let [_, happy, angry, sad] = probabilities;
        let labels = EmotionLabel::ALL.into_iter().zip(probabilities);
        let best = labels.max_by(|(_, one), (_, other)| one.total_cmp(other));
        let (label, confidence) = best.unwrap_or_default();
        Emotion {
            label,
            confidence,
            arousal: self.built_in.arousal(&values),
            valence: (happy - angry - SAD_VALENCE * sad).clamp(-1.0, 1.0),
        }
    }

    fn learn(&mut self, raw: &Raw, spoken: &Spoken<'_>) {
        if spoken.utterance.voice.is_none() || secs(spoken) < LEARN_SECS {
            return;
        }
        let wanted = self.wanted.iter().filter(|feature| feature.is_relative());
        let values = wanted.filter_map(|&feature| Some((feature, raw.get(feature)?)));
        self.baselines[place(spoken.party())].learn(values);
    }
}

/// Relative features as they are.
struct Raw {
    voice: Option<VoiceValues>,
    rate: Option<f32>,
}

impl Raw {
    fn of(spoken: &Spoken<'_>) -> Self {
        Self {
            voice: spoken.utterance.voice.as_ref().map(VoiceValues::of),
            rate: rate(spoken),
        }
    }

    fn get(&self, feature: Feature) -> Option<f32> {
        match feature {
            Feature::RATE => self.rate,
            _ => self.voice.as_ref()?.get(feature),
        }
    }
}

fn secs(spoken: &Spoken<'_>) -> f32 {
    let utterance = spoken.utterance;
    utterance.end_ms.saturating_sub(utterance.start_ms) as f32 / 1000.0
}

/// Octaves above one syllable a second; `None` for text without sound, whose times mean nothing.
fn rate(spoken: &Spoken<'_>) -> Option<f32> {
    let utterance = spoken.utterance;
    utterance.voice.as_ref()?;
    let n_syllables = match utterance.syllables.len() {
        0 => written_syllables(spoken),
        n => n as f32,
    };
    let secs = secs(spoken);
    (n_syllables >= RATE_SYLLABLES && secs > 0.0).then(|| (n_syllables / secs).log2())
}

/// Hanzi, and what foreign words come to.
fn written_syllables(spoken: &Spoken<'_>) -> f32 {
    let hanzi = spoken
        .letters
        .iter()
        .filter(|letter| !letter.sounds.is_empty());
    let words = spoken
        .utterance
        .text
        .split(|letter: char| !letter.is_ascii_alphanumeric());
    let n_words = words.filter(|word| !word.is_empty()).count();
    hanzi.count() as f32 + WORD_SYLLABLES * n_words as f32
}

fn is_distribution(probabilities: &[f32; N_LABELS]) -> bool {
    let in_range = probabilities.iter().all(|prob| (0.0..=1.0).contains(prob));
    in_range && (probabilities.iter().sum::<f32>() - 1.0).abs() < 0.01
}

const fn place(party: Party) -> usize {
    match party {
        Party::Agent => 0,
        Party::Customer => 1,
        Party::Unknown => 2,
    }
}
