//! A CTC network in pure Rust, for machines without ONNX Runtime.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::{ModelProto, type_proto};
use tract_onnx::prelude::*;

use super::network::{Batch, CtcNetwork, CtcShape};
use crate::engine::EngineError;

/// Numbers of streams that a graph is made for: one when it is read, the others when they are first wanted, which
/// holds that step up for some tenths of a second.
const BATCHES: [usize; 4] = [1, 4, 16, 64];

/// The graph as it was read, and as it is run, which all engines of a model share.
#[derive(Debug)]
pub(crate) struct TractGraph {
    model: InferenceModel,
    shape: CtcShape,
    plans: [OnceLock<Plan>; BATCHES.len()],
}

impl TractGraph {
    /// Reads the graph in `bytes`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let read = |mut bytes: &[u8]| -> TractResult<(ModelProto, InferenceModel)> {
            let proto = onnx().proto_model_for_read(&mut bytes)?;
            let model = onnx().model_for_proto_model(&proto)?;
            Ok((proto, model))
        };
        let (proto, model) = guarded(|| read(bytes))?;
        let metadata = |key: &str| {
            let mut known = proto.metadata_props.iter();
            known
                .find(|entry| entry.key == key)
                .map(|entry| entry.value.clone())
        };
        let shape = CtcShape::read(metadata)?;
        has_free_batch(&proto)?;
        let plans = Default::default();
        let graph = Self {
            model,
            shape,
            plans,
        };
        // What cannot be run is told when it is opened.
        guarded(|| graph.plan(0).map(drop))?;
        Ok(graph)
    }

    pub(crate) fn shape(&self) -> &CtcShape {
        &self.shape
    }

    /// The graph for `BATCHES[size_idx]` streams.
    fn plan(&self, size_idx: usize) -> TractResult<&Plan> {
        let plan = &self.plans[size_idx];
        match plan.get() {
            Some(plan) => Ok(plan),
            None => {
                let made = self.make_plan(BATCHES[size_idx])?;
                Ok(plan.get_or_init(|| made))
            }
        }
    }

    fn make_plan(&self, n_streams: usize) -> TractResult<Plan> {
        let mut model = self.model.clone();
        let (chunk, n_bins) = (self.shape.chunk_frames, self.shape.features.n_bins);
        let place = |names: Vec<String>, wanted: &str| {
            let place = names.iter().position(|name| name == wanted);
            place.ok_or_else(|| {
                TractError::msg(format!("it has {}, and no `{wanted}`", names.join(", ")))
            })
        };
        let inputs = || -> TractResult<Vec<String>> {
            let outlets = self.model.input_outlets()?.iter();
            Ok(outlets
                .map(|outlet| self.model.node(outlet.node).name.clone())
                .collect())
        };
        let features = place(inputs()?, "features")?;
        let state = place(inputs()?, "state")?;
        model.set_input_fact(
            features,
            InferenceFact::dt_shape(f32::datum_type(), [n_streams, chunk, n_bins]),
        )?;
        model.set_input_fact(
            state,
            InferenceFact::dt_shape(f32::datum_type(), [n_streams, self.shape.n_state]),
        )?;
        let outputs = || -> TractResult<Vec<String>> {
            let outlets = self.model.output_outlets()?.iter();
            let label = |outlet: &OutletId| self.model.outlet_label(*outlet).unwrap_or_default();
            Ok(outlets.map(|outlet| label(outlet).to_owned()).collect())
        };
        let (log_probs, next_state) = (
            place(outputs()?, "log_probs")?,
            place(outputs()?, "next_state")?,
        );
        let typed = model.into_optimized()?;
        let (rows, n_tokens) = (self.shape.frames_out(), self.shape.n_tokens);
        for (output, sizes) in [
            (log_probs, vec![n_streams, rows, n_tokens]),
            (next_state, vec![n_streams, self.shape.n_state]),
        ] {
            let found = typed.output_fact(output)?;
            if found.shape.as_concrete() != Some(&sizes) || found.datum_type != f32::datum_type() {
                return Err(TractError::msg(format!(
                    "it gives {found:?} where float32 of {sizes:?} is wanted"
                )));
            }
        }
        Ok(Plan {
            features_first: features < state,
            log_probs,
            next_state,
            runnable: typed.into_runnable()?,
        })
    }
}

/// The graph for one number of streams.
#[derive(Debug)]
struct Plan {
    runnable: Arc<TypedRunnableModel>,
    features_first: bool,
    log_probs: usize,
    next_state: usize,
}

/// Whether the batch of the graph's inputs is left open, as some streams or others are stepped.
fn has_free_batch(proto: &ModelProto) -> Result<(), String> {
    let inputs = proto.graph.iter().flat_map(|graph| &graph.input);
    for input in inputs {
        let tensor = match input.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
            Some(type_proto::Value::TensorType(tensor)) => tensor,
            None => continue,
        };
        let batch = tensor.shape.as_ref().and_then(|shape| shape.dim.first());
        let batch = batch.and_then(|batch| batch.value.as_ref());
        if let Some(dimension::Value::DimValue(n_streams)) = batch {
            let name = &input.name;
            return Err(format!(
                "`{name}` is for {n_streams} streams, not for any number"
            ));
        }
    }
    Ok(())
}

/// tract gives up on some graphs by a panic.
fn guarded<T>(call: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(done) => done.map_err(|cause| format!("{cause:#}")),
        Err(_) => Err("tract cannot run it".to_owned()),
    }
}

/// The graph on one thread.
pub(crate) struct TractCtc {
    graph: Arc<TractGraph>,
}

impl TractCtc {
    pub(crate) const fn new(graph: Arc<TractGraph>) -> Self {
        Self { graph }
    }

    /// One step of as many streams as a plan is for, from `first` on.
    fn run(
        &self,
        size_idx: usize,
        first: usize,
        batch: &mut Batch,
    ) -> TractResult<Result<(), EngineError>> {
        let (plan, shape) = (self.graph.plan(size_idx)?, &self.graph.shape);
        let streams = first..first + BATCHES[size_idx];
        let of_streams = |n_values: usize| streams.start * n_values..streams.end * n_values;
        let sizes = [streams.len(), shape.chunk_frames, shape.features.n_bins];
        let features = &batch.features[of_streams(shape.chunk_values())];
        let features = Tensor::from_shape(&sizes, features)?.into_tvalue();
        let state = &batch.states[of_streams(shape.n_state)];
        let state = Tensor::from_shape(&[streams.len(), shape.n_state], state)?.into_tvalue();
        let inputs = match plan.features_first {
            true => tvec!(features, state),
            false => tvec!(state, features),
        };
        let outputs = plan.runnable.run(inputs)?;
        let rows = outputs[plan.log_probs].to_plain_array_view::<f32>()?;
        let next = outputs[plan.next_state].to_plain_array_view::<f32>()?;
        let slices = rows.as_slice().zip(next.as_slice());
        let given = slices.ok_or_else(|| TractError::msg("its outputs lie in no order"))?;
        Ok(batch.take_over(streams, given, shape))
    }
}

impl CtcNetwork for TractCtc {
    fn step(&mut self, batch: &mut Batch) -> Result<(), EngineError> {
        let n_streams = batch.states.len() / self.graph.shape.n_state;
        let mut done = 0;
        while done < n_streams {
            let size_idx = BATCHES.partition_point(|size| *size <= n_streams - done) - 1;
            guarded(|| self.run(size_idx, done, batch)).map_err(EngineError::Run)??;
            done += BATCHES[size_idx];
        }
        Ok(())
    }
}
