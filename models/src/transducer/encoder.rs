//! The encoder of a streaming zipformer2 on ONNX Runtime: features in, one vector per 40 ms out.
//!
//! Everything about its shape comes from the ONNX file: window and step from the metadata `T` and
//! `decode_chunk_len`, the left contexts from the shapes of its state inputs. Streams run one after the
//! other: the exports of icefall fix the batch at 1.

use std::path::{Path, PathBuf};

use auricle_audio::N_BINS;
use ort::memory::Allocator;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Tensor, TensorElementType, TensorRef, ValueType};

use crate::engine::EngineError;
use crate::runtime::{OnnxRuntime, run_error};

/// Sizes of an encoder, in frames of features unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncoderShape {
    /// Frames that one step looks at.
    pub(crate) window: usize,
    /// Frames that one step moves on.
    pub(crate) step: usize,
    /// Values per output vector.
    pub(crate) dim: usize,
}

/// An encoder ready to run on one thread.
pub(crate) struct Encoder {
    session: Session,
    shape: EncoderShape,
    states: Vec<StateSlot>,
}

/// Shape of one state input for a single stream.
struct StateSlot {
    kind: TensorElementType,
    dims: Vec<i64>,
}

impl Encoder {
    /// Opens the file and checks that it is a streaming zipformer2.
    pub(crate) fn open(runtime: &OnnxRuntime, path: &Path) -> Result<Self, EngineError> {
        let session = runtime.open(path)?;
        let misfit = |cause: String| {
            EngineError::Misfit {
            path: PathBuf::from(path),
            cause,
            hint: "it must be the encoder of an icefall streaming zipformer2 transducer, as sherpa-onnx ships them".into(),
        }
        };
        let shape = read_shape(&session).map_err(misfit)?;
        let states = read_states(&session).map_err(misfit)?;
        Ok(Self {
            session,
            shape,
            states,
        })
    }

    pub(crate) fn shape(&self) -> &EncoderShape {
        &self.shape
    }

    /// The state of a stream that has heard nothing.
    pub(crate) fn fresh_state(&self) -> Result<Vec<DynValue>, EngineError> {
        let allocator = Allocator::default();
        self.states
            .iter()
            .map(|slot| slot.zeros(&allocator).map_err(run_error))
            .collect()
    }

    /// Runs one step of one stream: `features` are `window · 80` values; appends `dim` values per
    /// output frame to `out` and replaces the state.
    pub(crate) fn run(
        &mut self,
        features: &[f32],
        state: &mut Vec<DynValue>,
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let dims = [1, self.shape.window, N_BINS];
        let x = TensorRef::from_array_view((dims, features)).map_err(run_error)?;
        let mut inputs: Vec<SessionInputValue<'_>> = Vec::with_capacity(state.len() + 1);
        inputs.push(x.into());
        inputs.extend(state.drain(..).map(SessionInputValue::Owned));
        let outputs = self.session.run(inputs.as_slice()).map_err(run_error)?;
        let mut values = outputs.into_iter().map(|(_, value)| value);
        let encoded = values
            .next()
            .ok_or_else(|| EngineError::Run("the encoder gave nothing".into()))?;
        let (_, vectors) = encoded.try_extract_tensor::<f32>().map_err(run_error)?;
        out.extend_from_slice(vectors);
        state.extend(values);
        Ok(())
    }
}

impl StateSlot {
    fn zeros(&self, allocator: &Allocator) -> Result<DynValue, ort::Error> {
        let shape = self.dims.as_slice();
        Ok(match self.kind {
            TensorElementType::Int64 => {
                let mut tensor = Tensor::<i64>::new(allocator, shape)?;
                tensor.extract_tensor_mut().1.fill(0);
                tensor.into_dyn()
            }
            _ => {
                let mut tensor = Tensor::<f32>::new(allocator, shape)?;
                tensor.extract_tensor_mut().1.fill(0.0);
                tensor.into_dyn()
            }
        })
    }
}

fn read_shape(session: &Session) -> Result<EncoderShape, String> {
    let metadata = session.metadata().map_err(|cause| cause.to_string())?;
    let kind = metadata.custom("model_type").unwrap_or_default();
    if kind != "zipformer2" {
        return Err(format!(
            "`model_type` in its metadata must be `zipformer2`, got `{kind}`"
        ));
    }
    let number = |key: &str| {
        let text = metadata.custom(key).unwrap_or_default();
        text.parse::<usize>()
            .ok()
            .filter(|value| (1..=4096).contains(value))
            .ok_or_else(|| {
                format!("`{key}` in its metadata must be a count of frames, got `{text}`")
            })
    };
    let (window, step) = (number("T")?, number("decode_chunk_len")?);
    if step > window {
        return Err(format!(
            "`decode_chunk_len` {step} is larger than `T` {window}"
        ));
    }
    let dim = last_dim(session.outputs().first().map(|output| output.dtype()))?;
    Ok(EncoderShape { window, step, dim })
}

/// The size of the last dimension of a tensor type.
pub(crate) fn last_dim(kind: Option<&ValueType>) -> Result<usize, String> {
    match kind {
        Some(ValueType::Tensor { shape, .. }) => shape
            .last()
            .and_then(|dim| usize::try_from(*dim).ok())
            .filter(|dim| *dim > 0)
            .ok_or_else(|| "its first output has no fixed width".into()),
        _ => Err("it has no tensor output".into()),
    }
}

fn read_states(session: &Session) -> Result<Vec<StateSlot>, String> {
    let (inputs, outputs) = (session.inputs(), session.outputs());
    if inputs.len() < 2 || inputs.len() != outputs.len() {
        return Err(format!(
            "it has {} inputs and {} outputs; a streaming encoder has one output per input",
            inputs.len(),
            outputs.len()
        ));
    }
    inputs
        .iter()
        .zip(outputs)
        .skip(1)
        .map(|(input, output)| match input.dtype() {
            ValueType::Tensor { ty, shape, .. } if output.name().ends_with(input.name()) => {
                Ok(StateSlot {
                    kind: *ty,
                    dims: shape.iter().map(|dim| (*dim).max(1)).collect(),
                })
            }
            _ => Err(format!(
                "its state `{}` does not come back as an output",
                input.name()
            )),
        })
        .collect()
}
