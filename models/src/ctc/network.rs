//! A CTC network, whatever runs it.

use std::ops::Range;

use auricle_audio::{FRAMES_PER_SEC, FbankSettings};

use crate::engine::EngineError;

/// One frame of features.
const FEATURE_MS: usize = 1000 / FRAMES_PER_SEC as usize;
/// What one frame of features is computed from.
const WINDOW_MS: usize = 25;
/// What the metadata of the graph calls such a network.
const MODEL_TYPE: &str = "telephony-8k-ctc";
/// No chunk, stride or delay is longer than this, in frames of features.
const MOST_FRAMES: usize = 1 << 10;
/// No stream remembers more than this.
const MOST_STATE_VALUES: usize = 1 << 20;
/// No such network has more tokens than this.
const MOST_TOKENS: usize = 1 << 16;

/// Sizes of a CTC network, as the metadata of its graph give them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CtcShape {
    /// What goes in.
    pub(crate) features: FbankSettings,
    /// Frames of features that one step takes.
    pub(crate) chunk_frames: usize,
    /// Frames of features for each frame that comes out.
    pub(crate) stride: usize,
    /// Frames of features by which a token comes behind the middle of its syllable.
    pub(crate) delay_frames: usize,
    /// Values that one stream remembers.
    pub(crate) n_state: usize,
    /// Tokens that are scored, blank included.
    pub(crate) n_tokens: usize,
}

impl CtcShape {
    /// Reads what `metadata` gives by its keys.
    ///
    /// # Errors
    /// Which key is missing or nonsense.
    pub(crate) fn read(metadata: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = |key: &str| metadata(key).unwrap_or_default();
        let kind = text("model_type");
        if kind != MODEL_TYPE {
            return Err(format!(
                "`model_type` in its metadata must be `{MODEL_TYPE}`, got `{kind}`"
            ));
        }
        let number = |key: &str, most: usize| {
            let found = text(key);
            let value = found.parse::<usize>().ok().filter(|value| *value <= most);
            value.ok_or_else(|| {
                format!(
                    "`{key}` in its metadata must be a whole number up to {most}, got `{found}`"
                )
            })
        };
        let some = |key: &str, most: usize| match number(key, most)? {
            0 => Err(format!("`{key}` in its metadata must not be 0")),
            value => Ok(value),
        };
        let sample_rate_hz = match text("sample_rate").as_str() {
            "8000" => 8000,
            "16000" => 16_000,
            found => {
                return Err(format!(
                    "`sample_rate` in its metadata must be 8000 or 16000, got `{found}`"
                ));
            }
        };
        let hertz = |key: &str| {
            let found = text(key);
            let value = found.parse::<f32>().ok();
            let fits = |hz: &f32| (0.0..=sample_rate_hz as f32 / 2.0).contains(hz);
            value.filter(fits).ok_or_else(|| {
                format!("`{key}` in its metadata must be hertz up to half the sample rate, got `{found}`")
            })
        };
        let shape = Self {
            features: FbankSettings {
                sample_rate_hz,
                n_bins: some("n_mels", 256)?,
                low_hz: hertz("low_hz")?,
                high_hz: hertz("high_hz")?,
            },
            chunk_frames: some("chunk_frames", MOST_FRAMES)?,
            stride: some("stride", MOST_FRAMES)?,
            delay_frames: number("delay_frames", MOST_FRAMES)?,
            n_state: some("state_size", MOST_STATE_VALUES)?,
            n_tokens: some("vocabulary_size", MOST_TOKENS)?,
        };
        for (key, wanted) in [("hop_ms", FEATURE_MS), ("window_ms", WINDOW_MS)] {
            let found = text(key);
            if found != wanted.to_string() {
                return Err(format!(
                    "`{key}` in its metadata must be {wanted}, got `{found}`"
                ));
            }
        }
        if !shape.chunk_frames.is_multiple_of(shape.stride) {
            return Err(format!(
                "`chunk_frames` {} is no multiple of `stride` {}",
                shape.chunk_frames, shape.stride
            ));
        }
        if shape.features.low_hz >= shape.features.high_hz {
            return Err("`low_hz` is not below `high_hz`".to_owned());
        }
        Ok(shape)
    }

    /// Features of one chunk of one stream.
    pub(crate) fn chunk_values(&self) -> usize {
        self.chunk_frames * self.features.n_bins
    }

    /// Frames that come out of one step.
    pub(crate) fn frames_out(&self) -> usize {
        self.chunk_frames / self.stride
    }

    /// Audio of one step.
    pub(crate) fn chunk_ms(&self) -> u32 {
        (self.chunk_frames * FEATURE_MS) as u32
    }

    /// Time that one frame of the output stands for.
    pub(crate) fn frame_ms(&self) -> u32 {
        (self.stride * FEATURE_MS) as u32
    }

    /// How far the output lags behind the sound.
    pub(crate) fn delay_ms(&self) -> u32 {
        (self.delay_frames * FEATURE_MS) as u32
    }
}

/// Streams that are stepped together, one behind the other. Lives across steps.
#[derive(Default)]
pub(crate) struct Batch {
    /// A chunk of each.
    pub(crate) features: Vec<f32>,
    /// What each remembers; a step moves it on.
    pub(crate) states: Vec<f32>,
    /// What a step gives: [`CtcShape::frames_out`] rows of [`CtcShape::n_tokens`] values of each.
    pub(crate) log_probs: Vec<f32>,
}

impl Batch {
    /// Makes room for the streams of another step.
    pub(crate) fn clear(&mut self) {
        self.features.clear();
        self.states.clear();
        self.log_probs.clear();
    }

    /// Takes over what a graph gave for these streams, which are the next that have no log probabilities yet.
    ///
    /// # Errors
    /// When it gave something else than its metadata promise.
    pub(crate) fn take_over(
        &mut self,
        streams: Range<usize>,
        (rows, next): (&[f32], &[f32]),
        shape: &CtcShape,
    ) -> Result<(), EngineError> {
        let n_rows = streams.len() * shape.frames_out() * shape.n_tokens;
        let states = &mut self.states[streams.start * shape.n_state..streams.end * shape.n_state];
        if (rows.len(), next.len()) != (n_rows, states.len()) {
            return Err(EngineError::Run(format!(
                "the network gave {} log probabilities and {} values of state where its metadata promise {n_rows} and {}",
                rows.len(),
                next.len(),
                states.len()
            )));
        }
        states.copy_from_slice(next);
        self.log_probs.extend_from_slice(rows);
        Ok(())
    }
}

/// A CTC network on one thread.
pub(crate) trait CtcNetwork: Send {
    /// One step of all streams of a batch.
    ///
    /// # Errors
    /// When what runs it fails, or the graph gives something else than its metadata promise.
    fn step(&mut self, batch: &mut Batch) -> Result<(), EngineError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 12] = [
        ("model_type", MODEL_TYPE),
        ("sample_rate", "8000"),
        ("n_mels", "40"),
        ("low_hz", "20"),
        ("high_hz", "3900.0"),
        ("chunk_frames", "12"),
        ("stride", "6"),
        ("hop_ms", "10"),
        ("window_ms", "25"),
        ("delay_frames", "15"),
        ("state_size", "4000"),
        ("vocabulary_size", "200"),
    ];

    fn read(key: &str, value: &str) -> Result<CtcShape, String> {
        CtcShape::read(|asked| {
            let known = GOOD.iter().find(|(name, _)| *name == asked);
            match asked == key {
                true => Some(value.to_owned()),
                false => known.map(|(_, value)| (*value).to_owned()),
            }
        })
    }

    #[test]
    fn sizes_are_the_graphs_own() {
        let shape = read("", "").unwrap();
        assert_eq!(
            (shape.chunk_ms(), shape.frame_ms(), shape.delay_ms()),
            (120, 60, 150)
        );
        assert_eq!((shape.frames_out(), shape.chunk_values()), (2, 480));
        assert_eq!(
            (shape.features.low_hz, shape.features.high_hz),
            (20.0, 3900.0)
        );
    }

    #[test]
    fn nonsense_is_named() {
        for (key, value) in [
            ("model_type", "zipformer2"),
            ("sample_rate", "0"),
            ("sample_rate", "eight"),
            ("sample_rate", "99"),
            ("sample_rate", "11025"),
            ("n_mels", "-1"),
            ("high_hz", "5000"),
            ("high_hz", "NaN"),
            ("low_hz", "3950"),
            ("chunk_frames", "13"),
            ("stride", "0"),
            ("hop_ms", "20"),
            ("window_ms", ""),
            ("delay_frames", "99999"),
            ("state_size", ""),
            ("vocabulary_size", "99999999999999999999"),
        ] {
            let refused = read(key, value).unwrap_err();
            assert!(refused.contains(key), "{key} {value}: {refused}");
        }
    }
}
