//! How a voice sounded.

use serde::{Deserialize, Serialize};

/// How a voice sounded over one utterance, measured on telephone sound (8 kHz): what emotion and
/// loudness are told from, kept with the transcript so that both can be told anew without the sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Voice {
    /// Mean power of the speech, dB relative to full scale.
    pub loudness_db: f32,
    /// Median pitch of voiced frames, Hz; 0 where there are none.
    pub pitch_hz: f32,
    /// Share of frames that are voiced, 0 to 1.
    pub voiced_ratio: f32,
}
