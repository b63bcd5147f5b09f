//! Decoder (prediction) network and joiner of a stateless transducer, on ONNX Runtime.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use crate::engine::EngineError;
use crate::runtime::{OnnxRuntime, run_error};
use crate::transducer::encoder::last_dim;

/// Rows in one call of the joiner or the decoder; larger batches gain nothing and cost memory.
const MAX_ROWS: usize = 256;

/// Decoder and joiner ready to run on one thread.
pub(crate) struct Joint {
    decoder: Session,
    joiner: Session,
    context_size: usize,
    n_tokens: usize,
    dim: usize,
}

impl Joint {
    pub(crate) fn open(
        runtime: &OnnxRuntime,
        decoder: &Path,
        joiner: &Path,
    ) -> Result<Self, EngineError> {
        let misfit = |path: &Path, cause: String| EngineError::Misfit {
            path: path.into(),
            cause,
            hint: "encoder, decoder and joiner must come from one model".into(),
        };
        let (decoder_session, joiner_session) = (runtime.open(decoder)?, runtime.open(joiner)?);
        let context_size = decoder_session
            .metadata()
            .ok()
            .and_then(|metadata| metadata.custom("context_size")?.parse().ok())
            .filter(|size| (1..=8).contains(size))
            .ok_or_else(|| {
                misfit(
                    decoder,
                    "`context_size` is missing from its metadata".into(),
                )
            })?;
        let output =
            |session: &Session| last_dim(session.outputs().first().map(|output| output.dtype()));
        let dim = output(&decoder_session).map_err(|cause| misfit(decoder, cause))?;
        let n_tokens = output(&joiner_session).map_err(|cause| misfit(joiner, cause))?;
        Ok(Self {
            decoder: decoder_session,
            joiner: joiner_session,
            context_size,
            n_tokens,
            dim,
        })
    }

    /// Tokens that the decoder looks back on.
    pub(crate) fn context_size(&self) -> usize {
        self.context_size
    }

    /// Tokens that the joiner scores.
    pub(crate) fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// Width of the vectors that decoder and encoder meet in.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// The decoder's vector for the last tokens of a path.
    pub(crate) fn decode(
        &mut self,
        context: &[i64],
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let y = TensorRef::from_array_view(([1, self.context_size], context)).map_err(run_error)?;
        let outputs = self.decoder.run(ort::inputs![y]).map_err(run_error)?;
        let (_, vector) = outputs[0].try_extract_tensor::<f32>().map_err(run_error)?;
        check_length("decoder", vector.len(), self.dim)?;
        out.clear();
        out.extend_from_slice(vector);
        Ok(())
    }

    /// Log probabilities of every token for each row: `encoded` and `decoded` hold `rows · dim`
    /// values, `out` gets `rows · n_tokens`.
    pub(crate) fn join(
        &mut self,
        encoded: &[f32],
        decoded: &[f32],
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        out.clear();
        let block = MAX_ROWS * self.dim;
        for (encoded, decoded) in encoded.chunks(block).zip(decoded.chunks(block)) {
            let n_rows = encoded.len() / self.dim;
            let dims = [n_rows, self.dim];
            let encoded = TensorRef::from_array_view((dims, encoded)).map_err(run_error)?;
            let decoded = TensorRef::from_array_view((dims, decoded)).map_err(run_error)?;
            let outputs = self
                .joiner
                .run(ort::inputs![encoded, decoded])
                .map_err(run_error)?;
            let (_, logits) = outputs[0].try_extract_tensor::<f32>().map_err(run_error)?;
            check_length("joiner", logits.len(), n_rows * self.n_tokens)?;
            out.extend_from_slice(logits);
        }
        out.chunks_mut(self.n_tokens).for_each(log_softmax);
        Ok(())
    }
}

/// A graph's free dimensions are known only when it runs.
fn check_length(network: &str, found: usize, expected: usize) -> Result<(), EngineError> {
    if found == expected {
        return Ok(());
    }
    Err(EngineError::Run(format!(
        "the {network} gave {found} values where {expected} were expected"
    )))
}

fn log_softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = row.iter().map(|logit| (logit - largest).exp()).sum();
    let shift = largest + sum.ln();
    row.iter_mut().for_each(|logit| *logit -= shift);
}
