//! Silero VAD through ONNX Runtime.

use std::path::Path;

use ort::session::Session;
use ort::value::{Tensor, TensorRef};

use crate::engine::EngineError;
use crate::runtime::{OnnxRuntime, run_error};
use crate::vad::{
    CONTEXT_SAMPLES, STATE_VALUES, VAD_FRAME_SAMPLES, VAD_RATE_HZ, VadState, VoiceActivity,
    fill_input,
};

const INPUTS: &[&str] = &["input", "state", "sr"];
const OUTPUTS: &[&str] = &["output", "stateN"];

/// Silero VAD on one thread.
pub struct OrtSilero {
    session: Session,
    rate: Tensor<i64>,
    input: Vec<f32>,
    hidden: Vec<f32>,
}

impl OrtSilero {
    /// Opens `silero_vad.onnx` (any of the variants that take 8 kHz).
    ///
    /// # Errors
    /// When the file is missing, damaged or another model.
    pub fn open(runtime: &OnnxRuntime, path: &Path) -> Result<Self, EngineError> {
        let session = runtime.open(path)?;
        let misfit = |side: &str, names: &[&str], wanted: &[&str]| EngineError::Misfit {
            path: path.into(),
            cause: format!(
                "its {side} are {}, Silero VAD has {}",
                names.join(", "),
                wanted.join(", ")
            ),
            hint: "take silero_vad.onnx of version 5 or later".into(),
        };
        let inputs: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        let outputs: Vec<&str> = session.outputs().iter().map(|out| out.name()).collect();
        for (side, names, wanted) in [("inputs", inputs, INPUTS), ("outputs", outputs, OUTPUTS)] {
            if !wanted.iter().all(|name| names.contains(name)) {
                return Err(misfit(side, &names, wanted));
            }
        }
        let rate = Tensor::from_array(((), vec![i64::from(VAD_RATE_HZ)])).map_err(run_error)?;
        Ok(Self {
            session,
            rate,
            input: Vec::new(),
            hidden: Vec::new(),
        })
    }
}

impl VoiceActivity for OrtSilero {
    fn name(&self) -> &str {
        "silero-vad (ONNX Runtime)"
    }

    fn judge(
        &mut self,
        frames: &[&[f32]],
        states: &mut [&mut VadState],
        probs: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let n_channels = frames.len();
        fill_input(frames, states, &mut self.input);
        self.hidden.clear();
        for layer in 0..2 {
            states
                .iter()
                .for_each(|state| self.hidden.extend_from_slice(&state.hidden[layer]));
        }
        let width = CONTEXT_SAMPLES + VAD_FRAME_SAMPLES;
        let input = TensorRef::from_array_view(([n_channels, width], self.input.as_slice()))
            .map_err(run_error)?;
        let dims = [2, n_channels, STATE_VALUES];
        let hidden =
            TensorRef::from_array_view((dims, self.hidden.as_slice())).map_err(run_error)?;
        let outputs = self
            .session
            .run(ort::inputs! { "input" => input, "state" => hidden, "sr" => &self.rate })
            .map_err(run_error)?;
        let (_, speech) = outputs["output"]
            .try_extract_tensor::<f32>()
            .map_err(run_error)?;
        let (_, hidden) = outputs["stateN"]
            .try_extract_tensor::<f32>()
            .map_err(run_error)?;
        if (speech.len(), hidden.len()) != (n_channels, self.hidden.len()) {
            return Err(EngineError::Run(format!(
                "voice activity gave {} probabilities and {} values of state for {n_channels} channels",
                speech.len(),
                hidden.len()
            )));
        }
        probs.extend_from_slice(speech);
        for (at, values) in hidden.chunks_exact(STATE_VALUES).enumerate() {
            states[at % n_channels].hidden[at / n_channels].copy_from_slice(values);
        }
        Ok(())
    }
}
