//! Silero VAD in pure Rust, for machines without ONNX Runtime.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use tract_onnx::prelude::*;

use crate::engine::EngineError;
use crate::vad::{
    CONTEXT_SAMPLES, STATE_VALUES, VAD_FRAME_SAMPLES, VAD_RATE_HZ, VadState, VoiceActivity,
    fill_input,
};

/// Silero VAD on one thread, one channel after the other.
///
/// Runs the variants without branches (`silero_vad_op18_ifless.onnx`); the common file chooses its
/// rate by an ONNX `If`, which only ONNX Runtime follows.
pub struct TractSilero {
    plan: Arc<TypedRunnableModel>,
    /// Positions of input, state and rate among the graph's inputs.
    order: [usize; 3],
    input: Vec<f32>,
}

impl TractSilero {
    /// Opens a model file.
    ///
    /// # Errors
    /// When the file is missing, damaged, another model, or has branches.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        if !path.is_file() {
            return Err(EngineError::ModelFile {
                path: path.into(),
                cause: "there is no such file".into(),
            });
        }
        let misfit = |cause: String| EngineError::Misfit {
            path: path.into(),
            cause,
            hint: "take silero_vad_op18_ifless.onnx out of the package silero-vad".into(),
        };
        let model = onnx()
            .model_for_path(path)
            .map_err(|cause| misfit(format!("{cause:#}")))?;
        let order = input_order(&model).map_err(|cause| misfit(format!("{cause:#}")))?;
        let plan = compile(model).map_err(|cause| misfit(format!("{cause:#}")))?;
        Ok(Self {
            plan,
            order,
            input: Vec::new(),
        })
    }

    fn run(&self, input: &[f32], state: &mut VadState) -> TractResult<f32> {
        let frame = Tensor::from_shape(&[1, CONTEXT_SAMPLES + VAD_FRAME_SAMPLES], input)?;
        let hidden = Tensor::from_shape(&[2, 1, STATE_VALUES], state.hidden.as_flattened())?;
        let rate = tensor0(i64::from(VAD_RATE_HZ));
        let mut inputs: [Option<TValue>; 3] = Default::default();
        for (at, tensor) in self.order.into_iter().zip([frame, hidden, rate]) {
            inputs[at] = Some(tensor.into_tvalue());
        }
        let outputs = self.plan.run(inputs.into_iter().flatten().collect())?;
        let [speech, next, ..] = &outputs[..] else {
            return Err(TractError::msg("the network gave no probability and state"));
        };
        let next = next.to_plain_array_view::<f32>()?;
        for (kept, value) in state.hidden.as_flattened_mut().iter_mut().zip(next.iter()) {
            *kept = *value;
        }
        let speech = speech.to_plain_array_view::<f32>()?;
        speech
            .iter()
            .next()
            .copied()
            .ok_or_else(|| TractError::msg("the network gave nothing"))
    }
}

impl VoiceActivity for TractSilero {
    fn name(&self) -> &str {
        "silero-vad (tract)"
    }

    fn judge(
        &mut self,
        frames: &[&[f32]],
        states: &mut [&mut VadState],
        probs: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let mut input = std::mem::take(&mut self.input);
        fill_input(frames, states, &mut input);
        for (row, state) in input
            .chunks_exact(CONTEXT_SAMPLES + VAD_FRAME_SAMPLES)
            .zip(states)
        {
            probs.push(
                self.run(row, state)
                    .map_err(|cause| EngineError::Run(format!("{cause:#}")))?,
            );
        }
        self.input = input;
        Ok(())
    }
}

/// Where `input`, `state` and `sr` stand among the graph's inputs.
fn input_order(model: &InferenceModel) -> TractResult<[usize; 3]> {
    let names: Vec<&str> = model
        .input_outlets()?
        .iter()
        .map(|outlet| model.node(outlet.node).name.as_str())
        .collect();
    let position = |wanted: &str| {
        names
            .iter()
            .position(|name| *name == wanted)
            .ok_or_else(|| {
                TractError::msg(format!(
                    "its inputs are {}, Silero VAD has input, state and sr",
                    names.join(", ")
                ))
            })
    };
    Ok([position("input")?, position("state")?, position("sr")?])
}

/// Fixes the sizes only after the graph is typed: its branch on the sequence's length is resolved
/// while they are still symbols.
fn compile(model: InferenceModel) -> TractResult<Arc<TypedRunnableModel>> {
    let symbols = model.symbols.clone();
    let width = CONTEXT_SAMPLES + VAD_FRAME_SAMPLES;
    let sizes = HashMap::from([
        (symbols.sym("batch"), TDim::from(1)),
        (symbols.sym("sequence"), TDim::from(width as i64)),
    ]);
    model
        .into_typed()?
        .set_symbols(&sizes)?
        .into_decluttered()?
        .into_optimized()?
        .into_runnable()
}
