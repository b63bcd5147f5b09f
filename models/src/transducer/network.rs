//! The three networks of a transducer, whatever runs them.

use std::sync::Arc;

use auricle_audio::N_BINS;
use auricle_networks::{Decoder, Joiner, Scratch, StreamState, Zipformer};
use ort::value::DynValue;

use crate::engine::EngineError;
use crate::transducer::encoder::Encoder;
use crate::transducer::joint::Joint;

/// Sizes of a transducer's networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NetworkShape {
    /// Frames of features that one step looks at.
    pub(crate) window: usize,
    /// Frames of features that one step moves on.
    pub(crate) step: usize,
    /// Width of the encoder's vectors.
    pub(crate) encoder_dim: usize,
    /// Width of the decoder's vectors.
    pub(crate) decoder_dim: usize,
    /// Width of the vectors that the joiner takes.
    pub(crate) dim: usize,
    /// Tokens that the decoder looks back on.
    pub(crate) context_size: usize,
    /// Tokens that the joiner scores.
    pub(crate) n_tokens: usize,
}

/// What the encoder remembers of one stream.
pub(crate) enum EncoderState {
    /// One tensor per state input of the graph.
    Graph(Vec<DynValue>),
    /// Of Auricle's own forward pass.
    Plain(StreamState),
}

/// A transducer's networks, ready to run on one thread.
pub(crate) trait Network: Send {
    fn shape(&self) -> NetworkShape;

    /// The state of a stream that has heard nothing.
    fn fresh_state(&self) -> Result<EncoderState, EngineError>;

    /// One step of many streams: of each `window · 80` features and its state, which moves on. Gives each stream's
    /// vectors one after the other, as many for each.
    fn encode(
        &mut self,
        windows: &[&[f32]],
        states: &mut [&mut EncoderState],
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError>;

    /// The decoder's vector for the last tokens of a path.
    fn decode(&mut self, context: &[i64], out: &mut Vec<f32>) -> Result<(), EngineError>;

    /// Log probabilities of every token for each row: `encoded` and `decoded` hold `rows · dim` values, `out` gets
    /// `rows · n_tokens`.
    fn join(
        &mut self,
        encoded: &[f32],
        decoded: &[f32],
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError>;
}

/// The networks on ONNX Runtime.
pub(crate) struct GraphNetwork {
    pub(crate) encoder: Encoder,
    pub(crate) joint: Joint,
}

fn foreign_state() -> EngineError {
    EngineError::Run("the stream was opened by another engine".into())
}

impl Network for GraphNetwork {
    fn shape(&self) -> NetworkShape {
        let encoder = self.encoder.shape();
        NetworkShape {
            window: encoder.window,
            step: encoder.step,
            encoder_dim: encoder.dim,
            decoder_dim: self.joint.dim(),
            dim: self.joint.dim(),
            context_size: self.joint.context_size(),
            n_tokens: self.joint.n_tokens(),
        }
    }

    fn fresh_state(&self) -> Result<EncoderState, EngineError> {
        self.encoder.fresh_state().map(EncoderState::Graph)
    }

    fn encode(
        &mut self,
        windows: &[&[f32]],
        states: &mut [&mut EncoderState],
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        out.clear();
        for (window, state) in windows.iter().zip(states) {
            let EncoderState::Graph(state) = &mut **state else {
                return Err(foreign_state());
            };
            self.encoder.run(window, state, out)?;
        }
        Ok(())
    }

    fn decode(&mut self, context: &[i64], out: &mut Vec<f32>) -> Result<(), EngineError> {
        self.joint.decode(context, out)
    }

    fn join(
        &mut self,
        encoded: &[f32],
        decoded: &[f32],
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        self.joint.join(encoded, decoded, out)
    }
}

/// Weights for [`PlainNetwork`], shared by all threads.
#[derive(Debug)]
pub(crate) struct PlainWeights {
    pub(crate) encoder: Zipformer,
    pub(crate) decoder: Decoder,
    pub(crate) joiner: Joiner,
}

/// The networks in Auricle's own forward pass: streams in true batches, no native library.
pub(crate) struct PlainNetwork {
    weights: Arc<PlainWeights>,
    scratch: Scratch,
    sums: Vec<f32>,
}

impl PlainNetwork {
    pub(crate) fn new(weights: Arc<PlainWeights>) -> Self {
        Self {
            weights,
            scratch: Scratch::default(),
            sums: Vec::new(),
        }
    }
}

impl Network for PlainNetwork {
    fn shape(&self) -> NetworkShape {
        let (encoder, joiner) = (self.weights.encoder.shape(), &self.weights.joiner);
        NetworkShape {
            window: encoder.window,
            step: encoder.step,
            encoder_dim: encoder.dim,
            decoder_dim: self.weights.decoder.dim(),
            dim: joiner.dim(),
            context_size: self.weights.decoder.context_size(),
            n_tokens: joiner.n_tokens(),
        }
    }

    fn fresh_state(&self) -> Result<EncoderState, EngineError> {
        Ok(EncoderState::Plain(self.weights.encoder.fresh_state()))
    }

    fn encode(
        &mut self,
        windows: &[&[f32]],
        states: &mut [&mut EncoderState],
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let length = self.weights.encoder.shape().window * N_BINS;
        if windows.iter().any(|window| window.len() != length) {
            return Err(EngineError::Run(format!(
                "a window must have {length} features"
            )));
        }
        let mut own = states
            .iter_mut()
            .map(|state| match &mut **state {
                EncoderState::Plain(state) => Ok(state),
                EncoderState::Graph(_) => Err(foreign_state()),
            })
            .collect::<Result<Vec<_>, _>>()?;
        self.weights
            .encoder
            .step(windows, &mut own, &mut self.scratch, out);
        Ok(())
    }

    fn decode(&mut self, context: &[i64], out: &mut Vec<f32>) -> Result<(), EngineError> {
        self.weights.decoder.decode(context, out);
        Ok(())
    }

    fn join(
        &mut self,
        encoded: &[f32],
        decoded: &[f32],
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        self.weights
            .joiner
            .join(encoded, decoded, &mut self.sums, out);
        Ok(())
    }
}
