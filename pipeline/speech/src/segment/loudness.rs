//! How loud a channel is beside its own noise and its own speech.
//!
//! A voice activity network misses quiet syllables at the edges of speech. Sound that is nearly as
//! loud as the speech of the channel, and stands well above its noise, is taken for part of it.

/// Frames quieter than this are digital silence, decibels to full scale.
const LOWEST_DB: f32 = -75.0;
/// The noise floor creeps up by this much a frame, so that it follows a line that grows noisier.
const FLOOR_RISE_DB: f32 = 0.03;
/// Sound stands at least this far above the noise.
const ABOVE_FLOOR_DB: f32 = 10.0;
/// Share of a new speech frame in the mean level of speech.
const SPEECH_SHARE: f32 = 0.05;

/// Follows the noise floor and the speech level of one channel.
#[derive(Clone, Debug)]
pub struct Loudness {
    floor_db: f32,
    speech_db: Option<f32>,
    margin_db: f32,
}

impl Loudness {
    /// Sound counts while it is at most `margin_db` below the channel's speech.
    pub fn new(margin_db: f32) -> Self {
        Self {
            floor_db: -50.0,
            speech_db: None,
            margin_db,
        }
    }

    /// Takes one frame's level and whether it surely is speech.
    pub fn follow(&mut self, level_db: f32, is_speech: bool) {
        let level_db = level_db.max(LOWEST_DB);
        self.floor_db = if level_db < self.floor_db {
            (self.floor_db + level_db) / 2.0
        } else {
            self.floor_db + FLOOR_RISE_DB
        };
        if is_speech {
            let before = self.speech_db.unwrap_or(level_db);
            self.speech_db = Some(before + SPEECH_SHARE * (level_db - before));
        }
    }

    /// Whether a frame of this level may belong to the channel's speech.
    pub fn is_sound(&self, level_db: f32) -> bool {
        let near_speech = self
            .speech_db
            .is_some_and(|speech_db| level_db >= speech_db - self.margin_db);
        near_speech && level_db >= self.floor_db + ABOVE_FLOOR_DB
    }
}

/// Level of a frame, decibels to a full-scale square wave.
pub fn level_db(samples: &[f32]) -> f32 {
    let mean = samples.iter().sum::<f32>() / samples.len().max(1) as f32;
    let power = samples
        .iter()
        .map(|sample| (sample - mean).powi(2))
        .sum::<f32>()
        / samples.len().max(1) as f32;
    (10.0 * power.max(1e-12).log10()).max(LOWEST_DB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_stands_above_noise_and_near_speech() {
        let mut loudness = Loudness::new(20.0);
        assert!(
            !loudness.is_sound(-20.0),
            "nothing is known before the first speech"
        );
        (0..50).for_each(|_| loudness.follow(-60.0, false));
        (0..50).for_each(|_| loudness.follow(-22.0, true));
        assert!(loudness.is_sound(-35.0));
        assert!(!loudness.is_sound(-45.0), "too far below the speech");
        (0..50).for_each(|_| loudness.follow(-30.0, false));
        (0..2000).for_each(|_| loudness.follow(-30.0, false));
        assert!(!loudness.is_sound(-29.0), "the floor follows a noisy line");
    }

    #[test]
    fn levels_ignore_direct_current() {
        assert_eq!(level_db(&[0.5; 256]), LOWEST_DB);
        let square: Vec<f32> = (0..256)
            .map(|at| if at % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        assert!(level_db(&square).abs() < 1e-3);
        assert_eq!(level_db(&[]), LOWEST_DB);
    }
}
