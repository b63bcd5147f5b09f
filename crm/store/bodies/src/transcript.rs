//! Transcripts in columns.

use auricle_contracts::{
    CallId, CallMetadata, ChannelLayout, Party, Syllable, SyllableAlternative, Transcript,
    Utterance, Voice, Word,
};

use crate::columns::{Reader, Writer};
use crate::error::BodyError;
use crate::rows::{Row, rows, variants};

rows! {
    Transcript { call_id, file, duration_ms, engine, layout, metadata, warnings, utterances }
    CallMetadata { agent, campaign, region, started_at }
    Utterance {
        party, channel, start_ms: time, end_ms: time, text, spoken, confidence, syllables, words, voice,
    }
    Syllable { s: name, start_ms: time, end_ms: time, conf, alternatives }
    SyllableAlternative { s: name, conf }
    Word { w, start_ms: time, end_ms: time }
    Voice {
        loudness_db, loudness_peak_db, loudness_range_db, loudness_slope_db, loudness_peaks_per_sec,
        pitch_hz, pitch_low_hz, pitch_high_hz, pitch_deviation_semitones, pitch_slope_semitones,
        pitch_motion_semitones, voiced_ratio, voiced_per_sec, pause_ratio, pause_longest_secs,
        effort_ratio_db, alpha_ratio_db, alpha_ratio_deviation_db, hammarberg_db,
        hammarberg_deviation_db, tilt_db, tilt_middle_db, centroid_hz, flux, harmonicity_db,
        jitter_ratio, shimmer_db, cepstra, cepstra_deviations,
    }
}

variants! {
    Party { Agent = 0, Customer = 1, Unknown = 2 }
    ChannelLayout { Mono = 0, PerParty = 1, FakeStereo = 2 }
}

impl Row for CallId {
    fn put<'a>(&'a self, out: &mut Writer<'a>) -> Result<(), BodyError> {
        let Self(id) = self;
        id.put(out)
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, BodyError> {
        String::take(input).map(Self)
    }
}
