//! Silero VAD by the forward pass of `models/networks`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use auricle_networks::{Silero, SileroScratch};

use crate::engine::{EngineError, read_file};
use crate::source::VadSource;
use crate::vad::{
    CONTEXT_SAMPLES, STATE_VALUES, VAD_FRAME_SAMPLES, VadState, VoiceActivity, fill_input,
};

const _: () = assert!(Silero::INPUT_SAMPLES == CONTEXT_SAMPLES + VAD_FRAME_SAMPLES);
const _: () = assert!(Silero::STATE_VALUES == STATE_VALUES);

/// The weights of a Silero VAD, shared by the networks it makes.
#[derive(Clone, Debug)]
pub struct PlainSileroSource {
    network: Arc<Silero>,
    path: PathBuf,
}

impl PlainSileroSource {
    /// Reads `silero_vad.onnx`, or a variant of it for any machine.
    ///
    /// # Errors
    /// When the file is missing, damaged, another model, or wired in a way that is not known.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        let network = Silero::read(&read_file(path)?).map_err(|cause| EngineError::Misfit {
            path: path.into(),
            cause: cause.to_string(),
            hint: "take silero_vad.onnx of version 5 or later; `auricle models verify` compares checksums".into(),
        })?;
        Ok(Self {
            network: Arc::new(network),
            path: path.into(),
        })
    }
}

impl VadSource for PlainSileroSource {
    fn vad(&self) -> Result<Box<dyn VoiceActivity>, EngineError> {
        Ok(Box::new(PlainSilero {
            network: Arc::clone(&self.network),
            input: Vec::new(),
            hidden: Vec::new(),
            cell: Vec::new(),
            scratch: SileroScratch::default(),
        }))
    }

    fn file(&self) -> &Path {
        &self.path
    }
}

/// Silero VAD on one thread.
struct PlainSilero {
    network: Arc<Silero>,
    input: Vec<f32>,
    hidden: Vec<f32>,
    cell: Vec<f32>,
    scratch: SileroScratch,
}

impl VoiceActivity for PlainSilero {
    fn name(&self) -> &str {
        "silero-vad (native)"
    }

    fn judge(
        &mut self,
        frames: &[&[f32]],
        states: &mut [&mut VadState],
        probs: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        fill_input(frames, states, &mut self.input);
        self.hidden.clear();
        self.cell.clear();
        for state in states.iter() {
            let [hidden, cell] = &state.hidden;
            self.hidden.extend_from_slice(hidden);
            self.cell.extend_from_slice(cell);
        }
        let (hidden, cell) = (&mut self.hidden, &mut self.cell);
        self.network
            .step(&self.input, hidden, cell, &mut self.scratch, probs);
        let moved = hidden
            .chunks_exact(STATE_VALUES)
            .zip(cell.chunks_exact(STATE_VALUES));
        for (state, (hidden, cell)) in states.iter_mut().zip(moved) {
            state.hidden[0].copy_from_slice(hidden);
            state.hidden[1].copy_from_slice(cell);
        }
        Ok(())
    }
}
