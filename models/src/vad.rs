//! Voice activity: how likely it is that somebody speaks, every 32 ms, by Silero VAD at 8 kHz.
//!
//! The network looks at 256 samples and the 32 before them and carries a state of 2 × 128 values.
//! Delay: one frame. Source: github.com/snakers4/silero-vad (MIT), models of version 5 and 6.

mod plain;
mod with_ort;
#[cfg(feature = "tract")]
mod with_tract;

pub use plain::PlainSileroSource;
pub use with_ort::OrtSilero;
#[cfg(feature = "tract")]
pub use with_tract::TractSilero;

use crate::engine::EngineError;

/// Rate that voice activity is measured at, hertz.
pub const VAD_RATE_HZ: u32 = 8_000;
/// Samples per decision: 32 ms.
pub const VAD_FRAME_SAMPLES: usize = 256;
pub(crate) const CONTEXT_SAMPLES: usize = 32;
pub(crate) const STATE_VALUES: usize = 128;

/// What voice activity remembers of one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct VadState {
    /// Hidden and cell state, [`STATE_VALUES`] each.
    pub(crate) hidden: [[f32; STATE_VALUES]; 2],
    pub(crate) context: [f32; CONTEXT_SAMPLES],
}

impl Default for VadState {
    fn default() -> Self {
        Self {
            hidden: [[0.0; STATE_VALUES]; 2],
            context: [0.0; CONTEXT_SAMPLES],
        }
    }
}

/// A voice activity network on one thread; channels keep their own [`VadState`].
pub trait VoiceActivity: Send {
    /// Name of what runs, for reports.
    fn name(&self) -> &str;

    /// Judges one frame of each channel in one batch: `frames[i]` has [`VAD_FRAME_SAMPLES`] samples
    /// at [`VAD_RATE_HZ`] and goes with `states[i]`. Appends one probability of speech per channel.
    ///
    /// # Errors
    /// When the network fails to run.
    fn judge(
        &mut self,
        frames: &[&[f32]],
        states: &mut [&mut VadState],
        probs: &mut Vec<f32>,
    ) -> Result<(), EngineError>;
}

/// Lays the batch out as the network wants it: context and frame of each channel in a row.
pub(crate) fn fill_input(frames: &[&[f32]], states: &mut [&mut VadState], input: &mut Vec<f32>) {
    input.clear();
    for (frame, state) in frames.iter().zip(states) {
        input.extend_from_slice(&state.context);
        input.extend_from_slice(frame);
        let tail = &frame[frame.len().saturating_sub(CONTEXT_SAMPLES)..];
        state.context[CONTEXT_SAMPLES - tail.len()..].copy_from_slice(tail);
    }
}
