//! What is measured of an utterance.

/// Cepstral coefficients that are kept, from the first on (the zeroth is loudness).
pub const N_CEPSTRA: usize = 12;

/// How a voice sounded over one utterance. Values are rounded to a thousandth; those of voiced frames are 0
/// where nothing was voiced.
///
/// *Speech frames* are those within 25 dB of the loud ones and, where
/// the room is louder than that, 8 dB above the room. *Voiced frames* have a pitch. dB are relative to
/// full scale where they are levels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VoiceMeasures {
    /// Mean power of speech frames, dB.
    pub loudness_db: f32,
    /// Level that a twentieth of the frames surpass, dB.
    pub loudness_peak_db: f32,
    /// From the level that nine tenths of the speech frames surpass to that which one tenth does, dB.
    pub loudness_range_db: f32,
    /// Trend over the utterance, dB a second.
    pub loudness_slope_db: f32,
    /// Peaks of loudness a second, a measure of syllables.
    pub loudness_peaks_per_sec: f32,
    /// Median pitch, Hz; 0 where nothing is voiced.
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
    /// Power of 1 to 3.4 kHz over that of 200 Hz to 1 kHz, dB, mean of voiced frames.
    pub alpha_ratio_db: f32,
    /// Deviation of that.
    pub alpha_ratio_deviation_db: f32,
    /// Power of 600 Hz to 1.2 kHz over that of 200 to 500 Hz, dB, mean of voiced frames: who speaks up opens
    /// the mouth, and the first formant rises.
    pub effort_ratio_db: f32,
    /// Strongest part below 2 kHz over the strongest above, dB, mean of voiced frames.
    pub hammarberg_db: f32,
    /// Deviation of that.
    pub hammarberg_deviation_db: f32,
    /// Slope of the spectrum from 300 to 3,400 Hz, dB an octave, mean of voiced frames.
    pub tilt_db: f32,
    /// Slope of the spectrum from 500 to 1,500 Hz, dB an octave, mean of voiced frames.
    pub tilt_middle_db: f32,
    /// Centre of the power spectrum, Hz, mean of voiced frames.
    pub centroid_hz: f32,
    /// Change of the spectrum's form from one frame to the next, mean of voiced frames.
    pub flux: f32,
    /// Harmonics over noise, dB, mean of voiced frames.
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

impl VoiceMeasures {
    /// Every value to a thousandth: more is noise, and would be written out in full.
    pub(super) fn rounded(mut self) -> Self {
        let singles = [
            &mut self.loudness_db,
            &mut self.loudness_peak_db,
            &mut self.loudness_range_db,
            &mut self.loudness_slope_db,
            &mut self.loudness_peaks_per_sec,
            &mut self.pitch_hz,
            &mut self.pitch_low_hz,
            &mut self.pitch_high_hz,
            &mut self.pitch_deviation_semitones,
            &mut self.pitch_slope_semitones,
            &mut self.pitch_motion_semitones,
            &mut self.voiced_ratio,
            &mut self.voiced_per_sec,
            &mut self.pause_ratio,
            &mut self.pause_longest_secs,
            &mut self.alpha_ratio_db,
            &mut self.alpha_ratio_deviation_db,
            &mut self.effort_ratio_db,
            &mut self.hammarberg_db,
            &mut self.hammarberg_deviation_db,
            &mut self.tilt_db,
            &mut self.tilt_middle_db,
            &mut self.centroid_hz,
            &mut self.flux,
            &mut self.harmonicity_db,
            &mut self.jitter_ratio,
            &mut self.shimmer_db,
        ];
        let cepstra = self.cepstra.iter_mut().chain(&mut self.cepstra_deviations);
        for value in singles.into_iter().chain(cepstra) {
            *value = match value.is_finite() {
                true => (*value * 1000.0).round() / 1000.0,
                false => 0.0,
            };
        }
        self
    }
}
