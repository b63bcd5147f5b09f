//! Emotions of utterances by a network of one's own, through ONNX Runtime.
//!
//! The file: an input `features` of shape [n, k], f32, an output `probabilities` of shape [n, 4] (neutral, happy,
//! angry, sad, each row summing to 1), and a metadata entry `features` that names the k columns, separated by
//! commas. `models/emotion/README.md` lists the names and says how such a file is made.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use crate::engine::EngineError;
use crate::runtime::{OnnxRuntime, run_error};

/// Probabilities a network gives: neutral, happy, angry, sad.
pub const N_EMOTIONS: usize = 4;

const INPUT: &str = "features";
const OUTPUT: &str = "probabilities";
/// Key of the metadata that names the columns.
const NAMES_KEY: &str = "features";
/// How far probabilities may be from 1 together.
const SUM_TOLERANCE: f32 = 1e-3;
/// Values that a network is tried on when it is opened: of a network that ends in plain sums, at most one of them
/// comes out as a distribution by chance.
const TRIED: [f32; 2] = [0.0, 1.0];

/// An emotion network on one thread.
#[derive(Debug)]
pub struct OrtEmotion {
    session: Session,
    features: Vec<String>,
}

impl OrtEmotion {
    /// Opens a network.
    ///
    /// # Errors
    /// When the file is missing, damaged, has other inputs, outputs or metadata, or gives no probabilities.
    pub fn open(runtime: &OnnxRuntime, path: &Path) -> Result<Self, EngineError> {
        let session = runtime.open(path)?;
        let misfit = |cause: String, hint: &str| EngineError::Misfit {
            path: path.into(),
            cause,
            hint: hint.into(),
        };
        let handbook = "models/emotion/README.md describes what an emotion network must look like";
        let features = read_names(&session).map_err(|cause| misfit(cause, handbook))?;
        let mut network = Self { session, features };
        // A network of another width, or without a softmax, would fail at the first utterance.
        for value in TRIED {
            let values = vec![value; network.features.len()];
            let found = network.run(&values).map_err(|cause| {
                let cause = format!("it does not run on features of {value}: {cause}");
                misfit(cause, handbook)
            })?;
            is_distribution(&found).map_err(|cause| {
                let cause = format!("on features of {value}, {cause}");
                misfit(
                    cause,
                    "a softmax over the four labels must be its last step",
                )
            })?;
        }
        Ok(network)
    }

    /// Names of what it wants to know, in the order of its input.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Probabilities of neutral, happy, angry, sad for one utterance; `values` as many as
    /// [`OrtEmotion::features`].
    ///
    /// # Errors
    /// When there are not as many, the network fails to run, or what it gives is no distribution.
    pub fn probabilities(&mut self, values: &[f32]) -> Result<[f32; N_EMOTIONS], EngineError> {
        let found = self.run(values)?;
        is_distribution(&found).map_err(EngineError::Run)?;
        Ok(found)
    }

    fn run(&mut self, values: &[f32]) -> Result<[f32; N_EMOTIONS], EngineError> {
        let input =
            TensorRef::from_array_view(([1, self.features.len()], values)).map_err(run_error)?;
        let outputs = self
            .session
            .run(ort::inputs! { INPUT => input })
            .map_err(run_error)?;
        let (_, found) = outputs[OUTPUT]
            .try_extract_tensor::<f32>()
            .map_err(run_error)?;
        <[f32; N_EMOTIONS]>::try_from(found).map_err(|_| {
            EngineError::Run(format!(
                "an emotion network gave {} probabilities for one utterance, not {N_EMOTIONS}",
                found.len()
            ))
        })
    }
}

/// Why these are no probabilities of labels of which one is true.
fn is_distribution(found: &[f32; N_EMOTIONS]) -> Result<(), String> {
    let sum: f32 = found.iter().sum();
    // What is no number fails both comparisons.
    let is_one = found.iter().all(|prob| *prob >= 0.0) && (sum - 1.0).abs() <= SUM_TOLERANCE;
    match is_one {
        true => Ok(()),
        false => Err(format!(
            "`{OUTPUT}` must be 0 or more each and 1 together, got `{found:?}`"
        )),
    }
}

fn read_names(session: &Session) -> Result<Vec<String>, String> {
    let has_input = session.inputs().iter().any(|input| input.name() == INPUT);
    let has_output = session.outputs().iter().any(|out| out.name() == OUTPUT);
    if !has_input || !has_output {
        return Err(format!(
            "it must have an input `{INPUT}` and an output `{OUTPUT}`"
        ));
    }
    let metadata = session.metadata().map_err(|cause| cause.to_string())?;
    let names = metadata.custom(NAMES_KEY).unwrap_or_default();
    let names: Vec<String> = names
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    match names.iter().any(String::is_empty) {
        true => Err(format!(
            "`{NAMES_KEY}` in its metadata must name its columns, separated by commas"
        )),
        false => Ok(names),
    }
}
