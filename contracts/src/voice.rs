//! How a voice sounded.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Cepstral coefficients that are kept of a voice, from the first on (the zeroth is loudness).
pub const N_CEPSTRA: usize = 12;

/// How a voice sounded over one utterance, measured on telephone sound (8 kHz, 200 to 3,500 Hz): what emotion
/// and loudness are told from, kept with the transcript so that both can be told anew without the sound.
///
/// *Speech frames* are 10 ms of sound near the level of the loud ones; *voiced frames* have a pitch. Values of
/// voiced frames are 0 where nothing was voiced. Levels are in dB relative to full scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Voice {
    /// Mean power of the speech, dB relative to full scale.
    pub loudness_db: f32,
    /// Level that a twentieth of the frames surpass, dB.
    pub loudness_peak_db: f32,
    /// From the level that nine tenths of the speech frames surpass to that which one tenth does, dB.
    pub loudness_range_db: f32,
    /// Trend over the utterance, dB a second.
    pub loudness_slope_db: f32,
    /// Peaks of loudness a second, a measure of syllables.
    pub loudness_peaks_per_sec: f32,
    /// Median pitch of voiced frames, Hz; 0 where there are none.
    pub pitch_hz: f32,
    /// Pitch that nine tenths of the voiced frames surpass, Hz.
    pub pitch_low_hz: f32,
    /// Pitch that one tenth of the voiced frames surpass, Hz.
    pub pitch_high_hz: f32,
    /// Deviation of the pitch, semitones.
    pub pitch_deviation_semitones: f32,
    /// Trend over the utterance, semitones a second.
    pub pitch_slope_semitones: f32,
    /// How fast the pitch moves within voiced stretches, semitones a second, up or down.
    pub pitch_motion_semitones: f32,
    /// Share of speech frames that are voiced, 0 to 1.
    pub voiced_ratio: f32,
    /// Voiced stretches a second.
    pub voiced_per_sec: f32,
    /// Share of the time from first to last speech frame that is no speech, 0 to 1.
    pub pause_ratio: f32,
    /// Longest such time, seconds.
    pub pause_longest_secs: f32,
    /// Power of 600 Hz to 1.2 kHz over that of 200 to 500 Hz, dB: rises with vocal effort.
    pub effort_ratio_db: f32,
    /// Power of 1 to 3.4 kHz over that of 200 Hz to 1 kHz, dB.
    pub alpha_ratio_db: f32,
    /// Deviation of that over the voiced frames.
    pub alpha_ratio_deviation_db: f32,
    /// Strongest part below 2 kHz over the strongest above, dB.
    pub hammarberg_db: f32,
    /// Deviation of that over the voiced frames.
    pub hammarberg_deviation_db: f32,
    /// Slope of the spectrum from 300 to 3,400 Hz, dB an octave.
    pub tilt_db: f32,
    /// Slope of the spectrum from 500 to 1,500 Hz, dB an octave.
    pub tilt_middle_db: f32,
    /// Centre of the power spectrum, Hz.
    pub centroid_hz: f32,
    /// Change of the spectrum's form from one frame to the next, 0 to 1.4.
    pub flux: f32,
    /// Harmonics over noise, dB.
    pub harmonicity_db: f32,
    /// Difference of neighbouring periods over their mean, 0 to 1.
    pub jitter_ratio: f32,
    /// Difference of neighbouring periods' levels, dB.
    pub shimmer_db: f32,
    /// Mean cepstrum of voiced frames: the colour of the voice, coarse to fine.
    pub cepstra: [f32; N_CEPSTRA],
    /// Deviations of these.
    pub cepstra_deviations: [f32; N_CEPSTRA],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_of_older_transcripts_are_read() {
        let old = r#"{"loudness_db":-20.5,"pitch_hz":180,"voiced_ratio":0.5}"#;
        let voice: Voice = serde_json::from_str(old).unwrap();
        let expected = Voice {
            loudness_db: -20.5,
            pitch_hz: 180.0,
            voiced_ratio: 0.5,
            ..Voice::default()
        };
        assert_eq!(voice, expected);
        let json = serde_json::to_string(&voice).unwrap();
        assert_eq!(serde_json::from_str::<Voice>(&json).unwrap(), voice);
    }
}
