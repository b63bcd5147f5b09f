//! How the voice of an utterance sounds, measured while it is heard.

use auricle_audio::{
    ResampleError, Resampler, VOICE_RATE_HZ, VoiceBench, VoiceMeasures, VoiceMeter,
};
use auricle_contracts::Voice;

/// Speech is resampled in pieces, so that a long slice does not make the buffer grow.
const PIECE_SAMPLES: usize = 1_024;

/// What the voices of many channels are measured with, by one thread. Meters are for those who speak: whoever is silent takes
/// no room.
#[derive(Default)]
pub struct Voices {
    bench: VoiceBench,
    idle: Vec<VoiceMeter>,
}

impl Voices {
    /// No meters by now.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Measures the utterances of one channel, one after the other.
pub(crate) struct ChannelVoice {
    to_meter: Resampler,
    /// While an utterance is measured.
    meter: Option<VoiceMeter>,
    samples: Vec<f32>,
}

impl ChannelVoice {
    /// For a channel whose speech comes at `rate_hz`.
    pub(crate) fn new(rate_hz: u32) -> Result<Self, ResampleError> {
        Ok(Self {
            to_meter: Resampler::new(rate_hz, VOICE_RATE_HZ)?,
            meter: None,
            samples: Vec::new(),
        })
    }

    /// Takes more speech of the utterance that is open.
    pub(crate) fn accept(
        &mut self,
        speech: &[f32],
        voices: &mut Voices,
    ) -> Result<(), ResampleError> {
        let new_meter = || voices.idle.pop().unwrap_or_default();
        let meter = self.meter.get_or_insert_with(new_meter);
        for piece in speech.chunks(PIECE_SAMPLES) {
            self.samples.clear();
            self.to_meter.process(piece, &mut self.samples)?;
            meter.accept(&self.samples, &mut voices.bench);
        }
        Ok(())
    }

    /// The utterance is over; the next may begin.
    pub(crate) fn finish(&mut self, voices: &mut Voices) -> Result<Option<Voice>, ResampleError> {
        let Some(mut meter) = self.meter.take() else {
            return Ok(None);
        };
        self.samples.clear();
        self.to_meter.finish(&mut self.samples)?;
        meter.accept(&self.samples, &mut voices.bench);
        let measures = meter.finish();
        voices.idle.push(meter);
        Ok(measures.as_ref().map(voice))
    }
}

fn voice(measures: &VoiceMeasures) -> Voice {
    Voice {
        loudness_db: measures.loudness_db,
        loudness_peak_db: measures.loudness_peak_db,
        loudness_range_db: measures.loudness_range_db,
        loudness_slope_db: measures.loudness_slope_db,
        loudness_peaks_per_sec: measures.loudness_peaks_per_sec,
        pitch_hz: measures.pitch_hz,
        pitch_low_hz: measures.pitch_low_hz,
        pitch_high_hz: measures.pitch_high_hz,
        pitch_deviation_semitones: measures.pitch_deviation_semitones,
        pitch_slope_semitones: measures.pitch_slope_semitones,
        pitch_motion_semitones: measures.pitch_motion_semitones,
        voiced_ratio: measures.voiced_ratio,
        voiced_per_sec: measures.voiced_per_sec,
        pause_ratio: measures.pause_ratio,
        pause_longest_secs: measures.pause_longest_secs,
        effort_ratio_db: measures.effort_ratio_db,
        alpha_ratio_db: measures.alpha_ratio_db,
        alpha_ratio_deviation_db: measures.alpha_ratio_deviation_db,
        hammarberg_db: measures.hammarberg_db,
        hammarberg_deviation_db: measures.hammarberg_deviation_db,
        tilt_db: measures.tilt_db,
        tilt_middle_db: measures.tilt_middle_db,
        centroid_hz: measures.centroid_hz,
        flux: measures.flux,
        harmonicity_db: measures.harmonicity_db,
        jitter_ratio: measures.jitter_ratio,
        shimmer_db: measures.shimmer_db,
        cepstra: measures.cepstra,
        cepstra_deviations: measures.cepstra_deviations,
    }
}
