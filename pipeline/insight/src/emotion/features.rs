//! What emotion is told from: named numbers of one utterance.

use auricle_contracts::{N_CEPSTRA, Voice};

/// How a voice is measured, beside its usual way: the first of the features.
const N_VOICE: usize = N_SINGLE + 2 * N_CEPSTRA;
const N_SINGLE: usize = 27;

/// One number that a model may ask for.
///
/// Those of the voice and `rate_octaves` are differences to how the same party spoke before in the call; 0 where
/// that is not known. The others are as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Feature(usize);

/// Names, in order: pitches are in semitones, everything else is as in [`Voice`].
const NAMES: [&str; N_VOICE + 6] = [
    "loudness_db",
    "loudness_peak_db",
    "loudness_range_db",
    "loudness_slope_db",
    "loudness_peaks_per_sec",
    "pitch_semitones",
    "pitch_low_semitones",
    "pitch_high_semitones",
    "pitch_deviation_semitones",
    "pitch_slope_semitones",
    "pitch_motion_semitones",
    "voiced_ratio",
    "voiced_per_sec",
    "pause_ratio",
    "pause_longest_secs",
    "effort_ratio_db",
    "alpha_ratio_db",
    "alpha_ratio_deviation_db",
    "hammarberg_db",
    "hammarberg_deviation_db",
    "tilt_db",
    "tilt_middle_db",
    "centroid_hz",
    "flux",
    "harmonicity_db",
    "jitter_ratio",
    "shimmer_db",
    "cepstrum_1",
    "cepstrum_2",
    "cepstrum_3",
    "cepstrum_4",
    "cepstrum_5",
    "cepstrum_6",
    "cepstrum_7",
    "cepstrum_8",
    "cepstrum_9",
    "cepstrum_10",
    "cepstrum_11",
    "cepstrum_12",
    "cepstrum_deviation_1",
    "cepstrum_deviation_2",
    "cepstrum_deviation_3",
    "cepstrum_deviation_4",
    "cepstrum_deviation_5",
    "cepstrum_deviation_6",
    "cepstrum_deviation_7",
    "cepstrum_deviation_8",
    "cepstrum_deviation_9",
    "cepstrum_deviation_10",
    "cepstrum_deviation_11",
    "cepstrum_deviation_12",
    "rate_octaves",
    "text_angry",
    "text_happy",
    "text_sad",
    "utterances_before",
    "secs",
];

impl Feature {
    /// How many there are.
    pub const COUNT: usize = NAMES.len();
    /// Mean power of the speech, dB beside the usual.
    pub const LOUDNESS: Self = Self(0);
    /// Syllables a second, octaves beside the usual.
    pub const RATE: Self = Self(N_VOICE);
    /// What the words say of anger, 0 to 4.
    pub const TEXT_ANGRY: Self = Self(N_VOICE + 1);
    /// What the words say of pleasure, 0 to 4.
    pub const TEXT_HAPPY: Self = Self(N_VOICE + 2);
    /// What the words say of sorrow or worry, 0 to 4.
    pub const TEXT_SAD: Self = Self(N_VOICE + 3);
    /// Utterances of this party that the differences rest on.
    pub const UTTERANCES_BEFORE: Self = Self(N_VOICE + 4);
    /// Length of the utterance, seconds.
    pub const SECS: Self = Self(N_VOICE + 5);

    /// All of them, in order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The feature of that name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().position(|known| *known == name).map(Self)
    }

    /// Its name, as models' cards write it.
    pub const fn name(self) -> &'static str {
        NAMES[self.0]
    }

    /// Its place, below [`Feature::COUNT`].
    pub const fn place(self) -> usize {
        self.0
    }

    /// Whether it is measured beside the party's usual way.
    pub const fn is_relative(self) -> bool {
        self.0 <= N_VOICE
    }

    /// Whether it is taken from levels; all others are from voiced frames.
    const fn is_level(self) -> bool {
        self.0 < 5 || self.0 == PAUSES.0 || self.0 == PAUSES.1
    }
}

/// Places of `pause_ratio` and `pause_longest_secs`.
const PAUSES: (usize, usize) = (13, 14);

/// What was measured of one voice.
#[derive(Clone, Copy)]
pub(super) struct VoiceValues {
    values: [f32; N_VOICE],
    is_voiced: bool,
}

impl VoiceValues {
    pub(super) fn of(voice: &Voice) -> Self {
        Self {
            values: values(voice),
            is_voiced: voice.pitch_hz > 0.0,
        }
    }

    /// A feature as it is; `None` where it was not measured or is not of the voice.
    pub(super) fn get(&self, feature: Feature) -> Option<f32> {
        let value = *self.values.get(feature.0)?;
        ((self.is_voiced || feature.is_level()) && value.is_finite()).then_some(value)
    }
}

fn values(voice: &Voice) -> [f32; N_VOICE] {
    let mut values = [0.0; N_VOICE];
    let (single, cepstra) = values.split_at_mut(N_SINGLE);
    single.copy_from_slice(&[
        voice.loudness_db,
        voice.loudness_peak_db,
        voice.loudness_range_db,
        voice.loudness_slope_db,
        voice.loudness_peaks_per_sec,
        semitones(voice.pitch_hz),
        semitones(voice.pitch_low_hz),
        semitones(voice.pitch_high_hz),
        voice.pitch_deviation_semitones,
        voice.pitch_slope_semitones,
        voice.pitch_motion_semitones,
        voice.voiced_ratio,
        voice.voiced_per_sec,
        voice.pause_ratio,
        voice.pause_longest_secs,
        voice.effort_ratio_db,
        voice.alpha_ratio_db,
        voice.alpha_ratio_deviation_db,
        voice.hammarberg_db,
        voice.hammarberg_deviation_db,
        voice.tilt_db,
        voice.tilt_middle_db,
        voice.centroid_hz,
        voice.flux,
        voice.harmonicity_db,
        voice.jitter_ratio,
        voice.shimmer_db,
    ]);
    cepstra[..N_CEPSTRA].copy_from_slice(&voice.cepstra);
    cepstra[N_CEPSTRA..].copy_from_slice(&voice.cepstra_deviations);
    values
}

/// Above 27.5 Hz, the lowest A of a piano.
fn semitones(hz: f32) -> f32 {
    12.0 * (hz.max(1.0) / 27.5).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_go_together() {
        for feature in Feature::all() {
            assert_eq!(Feature::named(feature.name()), Some(feature));
        }
        let voice = Voice {
            loudness_db: -20.0,
            pitch_hz: 55.0,
            shimmer_db: 0.5,
            cepstra: [1.5; N_CEPSTRA],
            cepstra_deviations: [2.5; N_CEPSTRA],
            ..Voice::default()
        };
        for (name, expected) in [
            ("loudness_db", Some(-20.0)),
            ("pitch_semitones", Some(12.0)),
            ("shimmer_db", Some(0.5)),
            ("cepstrum_1", Some(1.5)),
            ("cepstrum_12", Some(1.5)),
            ("cepstrum_deviation_12", Some(2.5)),
            ("rate_octaves", None),
            ("secs", None),
        ] {
            let feature = Feature::named(name).unwrap();
            assert_eq!(VoiceValues::of(&voice).get(feature), expected, "{name}");
        }
        let whispered = Voice {
            pitch_hz: 0.0,
            ..voice
        };
        let known: Vec<_> = Feature::all()
            .filter(|feature| VoiceValues::of(&whispered).get(*feature).is_some())
            .map(Feature::name)
            .collect();
        assert_eq!(known.len(), 7, "{known:?}");
        assert_eq!(NAMES[PAUSES.0], "pause_ratio");
        assert_eq!(NAMES[PAUSES.1], "pause_longest_secs");
        assert_eq!(Feature::TEXT_SAD.name(), "text_sad");
        assert_eq!(Feature::RATE.name(), "rate_octaves");
    }
}
