//! Candidates for the pitch of one frame.
//!
//! Peaks of the autocorrelation, freed from the window's: P. Boersma 1993, "Accurate short-term analysis of
//! the fundamental frequency and the harmonics-to-noise ratio of a sampled sound".

use super::VOICE_RATE_HZ;
use super::spectrum::{LAGS_PER_SAMPLE, Spectrum};

/// Voices of men, low, to those of children and of people who shout.
pub(super) const PITCH_HZ: (f32, f32) = (60.0, 500.0);
/// Pitches a frame may have, beside none.
pub(super) const N_PITCHES: usize = 5;
/// How alike periods must be to be told from noise.
const VOICING_THRESHOLD: f32 = 0.45;
/// Amplitude below which a frame is silence, as a share of the loudest so far.
const SILENCE_THRESHOLD: f32 = 0.03;
/// What an octave down costs: what repeats itself after one period does so after two as well.
const OCTAVE_COST: f32 = 0.015;

/// One way a frame may be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Candidate {
    /// Samples; 0 for unvoiced.
    pub(super) period: f32,
    /// How alike its periods are, 0 to 1.
    pub(super) likeness: f32,
    /// How much speaks for it.
    pub(super) strength: f32,
}

/// The ways a frame may be: unvoiced first.
pub(super) type Candidates = [Candidate; 1 + N_PITCHES];

pub(super) struct PitchFinder {
    /// Level of the loudest frame so far, dB.
    loudest_db: f32,
}

impl PitchFinder {
    pub(super) fn new() -> Self {
        Self {
            loudest_db: f32::MIN,
        }
    }

    pub(super) fn clear(&mut self) {
        self.loudest_db = f32::MIN;
    }

    /// The ways the frame may be that `spectrum` looked at; `likeness` is a buffer.
    pub(super) fn candidates(
        &mut self,
        spectrum: &mut Spectrum,
        likeness: &mut Vec<f32>,
    ) -> Candidates {
        let level_db = spectrum.level_db();
        self.loudest_db = self.loudest_db.max(level_db);
        let loudness = 10.0_f32.powf((level_db - self.loudest_db) / 20.0);
        let (shortest, longest) = (lag_of(PITCH_HZ.1), lag_of(PITCH_HZ.0));
        spectrum.likeness(longest + 2, likeness);
        let mut found = Candidates::default();
        let silence = 2.0 - loudness * (1.0 + VOICING_THRESHOLD) / SILENCE_THRESHOLD;
        found[0].strength = VOICING_THRESHOLD + silence.max(0.0);
        for lag in shortest..=longest {
            let Some((place, height)) = peak(likeness, lag) else {
                continue;
            };
            let period = place / LAGS_PER_SAMPLE as f32;
            let octaves = (PITCH_HZ.0 * period / VOICE_RATE_HZ as f32).log2();
            let candidate = Candidate {
                period,
                likeness: height,
                strength: height - OCTAVE_COST * octaves,
            };
            keep(&mut found, candidate);
        }
        found
    }
}

/// Puts a candidate in the place of the weakest pitch, if it is stronger.
fn keep(found: &mut Candidates, candidate: Candidate) {
    let weakest = found[1..]
        .iter_mut()
        .min_by(|one, other| one.strength.total_cmp(&other.strength));
    if let Some(weakest) = weakest
        && weakest.strength < candidate.strength
    {
        *weakest = candidate;
    }
}

fn lag_of(hz: f32) -> usize {
    (VOICE_RATE_HZ as f32 * LAGS_PER_SAMPLE as f32 / hz).round() as usize
}

/// Place and height of the peak about `lag`, by the parabola through three values.
fn peak(values: &[f32], lag: usize) -> Option<(f32, f32)> {
    let &[before, here, after] = values.get(lag.checked_sub(1)?..lag + 2)? else {
        return None;
    };
    if here <= before || here < after || here <= 0.0 {
        return None;
    }
    let bend = before - 2.0 * here + after;
    let shift = (0.5 * (before - after) / bend).clamp(-0.5, 0.5);
    let height = here - 0.25 * (before - after) * shift;
    // Beyond 1 is what dividing by the window's own likeness made of noise.
    let height = if height > 1.0 { 1.0 / height } else { height };
    Some((lag as f32 + shift, height))
}
