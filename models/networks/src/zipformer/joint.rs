//! Decoder (prediction network) and joiner of a stateless transducer.

use crate::NetworkError;
use crate::kernel::{Linear, exp, tanh, vectorized};
use crate::onnx::Wiring;
use crate::weights::dims_of;

/// The stateless decoder of icefall's transducers: it looks back on a few tokens. Shared by all threads.
#[derive(Debug)]
pub struct Decoder {
    context_size: usize,
    n_channels: usize,
    /// `[token][channel]`.
    embedding: Vec<f32>,
    /// `[channel][channels of a group][context]`.
    convolution: Vec<f32>,
    group_size: usize,
    projection: Linear,
}

impl Decoder {
    /// Reads the bytes of the decoder's ONNX file.
    ///
    /// # Errors
    /// When it is not an ONNX file or not a stateless decoder.
    pub fn read(bytes: &[u8]) -> Result<Self, NetworkError> {
        let wiring = Wiring::read(bytes)?;
        let misfit = || NetworkError::new("it is not a stateless decoder of icefall's");
        let context_size = wiring.counts("context_size")?[0];
        let tensor = |name: &str| {
            let tensor = wiring.constant(name).ok_or_else(misfit)?;
            let values = tensor.to_f32().ok_or_else(misfit)?;
            Ok::<_, NetworkError>((values, dims_of(tensor).ok_or_else(misfit)?))
        };
        let (embedding, embedding_dims) = tensor("decoder.embedding.weight")?;
        let (convolution, dims) = tensor("decoder.conv.weight")?;
        let projection = wiring.affine("decoder_proj.bias")?;
        let fits = embedding_dims.len() == 2
            && dims.len() == 3
            && dims[2] == context_size
            && dims[0] == embedding_dims[1]
            && dims[0].is_multiple_of(dims[1])
            && projection.n_in() == dims[0];
        if !fits {
            return Err(misfit());
        }
        Ok(Self {
            context_size,
            n_channels: dims[0],
            embedding,
            convolution,
            group_size: dims[1],
            projection,
        })
    }

    /// Tokens that it looks back on.
    pub fn context_size(&self) -> usize {
        self.context_size
    }

    /// Values of its vectors.
    pub fn dim(&self) -> usize {
        self.projection.n_out()
    }

    /// The vector for the last tokens of a path, oldest first; a negative or unknown token stands for none.
    pub fn decode(&self, context: &[i64], out: &mut Vec<f32>) {
        let embedded = |at: usize, channel: usize| {
            let token = context
                .get(at)
                .and_then(|token| usize::try_from(*token).ok());
            token
                .and_then(|token| {
                    let row = token.checked_mul(self.n_channels)?;
                    self.embedding.get(row.checked_add(channel)?)
                })
                .copied()
                .unwrap_or(0.0)
        };
        let hidden: Vec<f32> = (0..self.n_channels)
            .map(|channel| {
                let group = channel / self.group_size * self.group_size;
                let mut sum = 0.0;
                for within in 0..self.group_size {
                    for at in 0..self.context_size {
                        let weight = (channel * self.group_size + within) * self.context_size + at;
                        sum += self.convolution[weight] * embedded(at, group + within);
                    }
                }
                sum.max(0.0)
            })
            .collect();
        out.resize(self.projection.n_out(), 0.0);
        self.projection.apply_plain(&hidden, out);
    }
}

/// Scores every token where the encoder's and the decoder's vectors meet. Shared by all threads.
#[derive(Debug)]
pub struct Joiner {
    output: Linear,
}

impl Joiner {
    /// Reads the bytes of the joiner's ONNX file.
    ///
    /// # Errors
    /// When it is not an ONNX file or not a transducer's joiner.
    pub fn read(bytes: &[u8]) -> Result<Self, NetworkError> {
        let output = Wiring::read(bytes)?.affine("output_linear.bias")?;
        Ok(Self { output })
    }

    /// Width of the vectors it takes.
    pub fn dim(&self) -> usize {
        self.output.n_in()
    }

    /// Tokens it scores.
    pub fn n_tokens(&self) -> usize {
        self.output.n_out()
    }

    /// Log probabilities of every token for each row: `encoded` and `decoded` hold `rows · dim` values, `out` gets
    /// `rows · n_tokens`. `sums` is room to work in.
    pub fn join(&self, encoded: &[f32], decoded: &[f32], sums: &mut Vec<f32>, out: &mut Vec<f32>) {
        sums.resize(encoded.len(), 0.0);
        out.resize(encoded.len() / self.dim() * self.n_tokens(), 0.0);
        vectorized(
            #[inline(always)]
            || {
                for ((sum, encoded), decoded) in sums.iter_mut().zip(encoded).zip(decoded) {
                    *sum = tanh(encoded + decoded);
                }
            },
        );
        self.output.apply_plain(sums, out);
        let n_tokens = self.n_tokens();
        vectorized(
            #[inline(always)]
            || {
                // A plain loop: what `for_each` calls would not be compiled for this machine's vectors.
                for row in out.chunks_exact_mut(n_tokens) {
                    log_softmax(row);
                }
            },
        );
    }
}

#[inline(always)]
fn log_softmax(row: &mut [f32]) {
    let mut peaks = [f32::NEG_INFINITY; 16];
    for part in row.chunks(16) {
        for (peak, logit) in peaks.iter_mut().zip(part) {
            *peak = if *logit > *peak { *logit } else { *peak };
        }
    }
    let peak = peaks.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut totals = [0.0f32; 16];
    for part in row.chunks(16) {
        for (total, logit) in totals.iter_mut().zip(part) {
            *total += exp(*logit - peak);
        }
    }
    let shift = peak + totals.iter().sum::<f32>().ln();
    for logit in row {
        *logit -= shift;
    }
}
