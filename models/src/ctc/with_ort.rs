//! A CTC network on ONNX Runtime.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use super::network::{Batch, CtcNetwork, CtcShape};
use crate::engine::EngineError;
use crate::runtime::{OnnxRuntime, run_error};

/// The graph in a session of its own.
pub(crate) struct OrtCtc {
    session: Session,
    shape: CtcShape,
}

impl OrtCtc {
    /// Opens the graph in `bytes`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn open(runtime: &OnnxRuntime, bytes: &[u8]) -> Result<Self, String> {
        let session = runtime.session(bytes);
        let session = session.map_err(|cause| format!("ONNX Runtime refuses it: {cause}"))?;
        let shape = {
            let metadata = session.metadata().map_err(|cause| cause.to_string())?;
            CtcShape::read(|key| metadata.custom(key))?
        };
        let sizes = [
            ("features", vec![shape.chunk_frames, shape.features.n_bins]),
            ("state", vec![shape.n_state]),
            ("log_probs", vec![shape.frames_out(), shape.n_tokens]),
            ("next_state", vec![shape.n_state]),
        ];
        for (at, (name, sizes)) in sizes.into_iter().enumerate() {
            let places = match at < 2 {
                true => session.inputs(),
                false => session.outputs(),
            };
            let place = places.iter().find(|place| place.name() == name);
            let place = place.ok_or_else(|| {
                let names: Vec<&str> = places.iter().map(Outlet::name).collect();
                format!("it has {}, and no `{name}`", names.join(", "))
            })?;
            check_sizes(place, &sizes)?;
        }
        Ok(Self { session, shape })
    }

    pub(crate) fn shape(&self) -> &CtcShape {
        &self.shape
    }
}

/// Whether a tensor of the graph has these sizes behind a batch that is free.
fn check_sizes(place: &Outlet, sizes: &[usize]) -> Result<(), String> {
    let wanted = || {
        format!(
            "`{}` must be float32 of any batch by {sizes:?}",
            place.name()
        )
    };
    let ValueType::Tensor {
        ty: TensorElementType::Float32,
        shape,
        ..
    } = place.dtype()
    else {
        return Err(format!("{}, got {}", wanted(), place.dtype()));
    };
    let (batch, rest) = shape.split_first().ok_or_else(wanted)?;
    let fits = |(found, wanted): (&i64, &usize)| *found < 0 || *found == *wanted as i64;
    let is_right = *batch < 0 && rest.len() == sizes.len() && rest.iter().zip(sizes).all(fits);
    match is_right {
        true => Ok(()),
        false => Err(format!("{}, got {shape}", wanted())),
    }
}

impl CtcNetwork for OrtCtc {
    fn step(&mut self, batch: &mut Batch) -> Result<(), EngineError> {
        let shape = &self.shape;
        let n_streams = batch.states.len() / shape.n_state;
        let sizes = [n_streams, shape.chunk_frames, shape.features.n_bins];
        let features = TensorRef::from_array_view((sizes, &*batch.features)).map_err(run_error)?;
        let state = ([n_streams, shape.n_state], &*batch.states);
        let state = TensorRef::from_array_view(state).map_err(run_error)?;
        let inputs = ort::inputs!["features" => features, "state" => state];
        let outputs = self.session.run(inputs).map_err(run_error)?;
        let values = |name: &str| {
            let output = outputs.get(name);
            let output = output.ok_or_else(|| EngineError::Run(format!("no output `{name}`")))?;
            let values = output.try_extract_tensor::<f32>();
            values.map(|(_, values)| values).map_err(run_error)
        };
        let given = (values("log_probs")?, values("next_state")?);
        batch.take_over(0..n_streams, given, shape)
    }
}
