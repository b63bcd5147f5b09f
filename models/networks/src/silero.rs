//! Silero voice activity at 8 kHz: spectrum, four convolutions, one LSTM cell, one probability every 32 ms.
//!
//! Source of the weights: github.com/snakers4/silero-vad (MIT), models of version 5 and 6. Their files hold a network
//! for 16 kHz beside that for 8 kHz; it is left alone.

use crate::NetworkError;
use crate::kernel::{Linear, Rows, sigmoid, tanh, vectorized};
use crate::onnx::{Model, Tensor};
use crate::weights::{patch_order, transposed};

/// Samples of one window of the spectrum, and from one window to the next.
const WINDOW: usize = 128;
const HOP: usize = WINDOW / 2;
const N_BINS: usize = WINDOW / 2 + 1;
/// Windows that one decision looks at.
const N_FRAMES: usize = 4;
/// Samples that are mirrored at the end, so that the last window is full.
const MIRRORED: usize = HOP / 2;
/// Width of each convolution's kernel.
const TAPS: usize = 3;
/// Channels before and after each convolution.
const CHANNELS: [usize; 5] = [N_BINS, 128, 64, 64, HIDDEN];
const HIDDEN: usize = 128;
const N_GATES: usize = 4;

/// Its weights. Shared by all threads.
#[derive(Debug)]
pub struct Silero {
    /// Cosines, then sines, of each bin.
    spectrum: Linear,
    convolutions: [Linear; 4],
    /// From input and hidden values to the gates: input, forget, candidate, output.
    gates: Linear,
    /// To the logit of speech.
    out: Linear,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct SileroScratch {
    padded: Vec<f32>,
    sums: Vec<f32>,
    cell_input: Vec<f32>,
}

impl Silero {
    /// Samples that one decision looks at: the last 32 of the frame before, and 256 more.
    pub const INPUT_SAMPLES: usize = (N_FRAMES - 1) * HOP + WINDOW - MIRRORED;
    /// Values in the hidden state and in the cell state of one channel.
    pub const STATE_VALUES: usize = HIDDEN;

    /// Reads the bytes of one of Silero's ONNX files.
    ///
    /// # Errors
    /// When it is not an ONNX file, or has no network for 8 kHz of the shape of version 5 and 6.
    pub fn read(bytes: &[u8]) -> Result<Self, NetworkError> {
        let graph = Model::read(bytes)?.graph.unwrap_or_default();
        let constants = graph.constants();
        let spectrum_dims = [2 * N_BINS, 1, WINDOW];
        let prefix = constants
            .iter()
            .filter(|(_, tensor)| has_shape(tensor, &spectrum_dims))
            .find_map(|(name, _)| name.strip_suffix("stft.forward_basis_buffer"))
            .ok_or_else(|| {
                NetworkError::new("it has no Silero voice activity network for 8 kHz")
            })?;
        let values = |name: &str, dims: &[usize]| {
            constants
                .get(format!("{prefix}{name}").as_str())
                .filter(|tensor| has_shape(tensor, dims))
                .and_then(|tensor| tensor.to_f32())
                .ok_or_else(|| {
                    NetworkError::new(format!("its `{name}` is not there in the shape {dims:?}"))
                })
        };
        let convolution = |index: usize| {
            let (n_in, n_out) = (CHANNELS[index], CHANNELS[index + 1]);
            let name = |what| format!("encoder.{index}.reparam_conv.{what}");
            let weights = values(&name("weight"), &[n_out, n_in, TAPS])?;
            let bias = values(&name("bias"), &[n_out])?;
            let matrix = patch_order(&weights, [n_out, n_in, 1, TAPS]);
            Ok::<_, NetworkError>(Linear::new(&matrix, n_out, Some(&bias)))
        };
        let rnn = |name: &str| values(&format!("decoder.rnn.{name}"), &[N_GATES * HIDDEN, HIDDEN]);
        let mut gates = transposed(&rnn("weight_ih")?, HIDDEN);
        gates.extend(transposed(&rnn("weight_hh")?, HIDDEN));
        let mut bias = values("decoder.rnn.bias_ih", &[N_GATES * HIDDEN])?;
        let more = values("decoder.rnn.bias_hh", &[N_GATES * HIDDEN])?;
        bias.iter_mut()
            .zip(more)
            .for_each(|(sum, more)| *sum += more);
        let basis = values("stft.forward_basis_buffer", &spectrum_dims)?;
        Ok(Self {
            spectrum: Linear::new(&transposed(&basis, WINDOW), 2 * N_BINS, None),
            convolutions: [
                convolution(0)?,
                convolution(1)?,
                convolution(2)?,
                convolution(3)?,
            ],
            gates: Linear::new(&gates, N_GATES * HIDDEN, Some(&bias)),
            out: Linear::new(
                &values("decoder.decoder.2.weight", &[1, HIDDEN, 1])?,
                1,
                Some(&values("decoder.decoder.2.bias", &[1])?),
            ),
        })
    }

    /// Judges one frame of each channel: `samples` holds [`Silero::INPUT_SAMPLES`] of each, `hidden` and `cell`
    /// [`Silero::STATE_VALUES`] of each, which move on; zeros at first. Appends one probability of speech per channel.
    pub fn step(
        &self,
        samples: &[f32],
        hidden: &mut [f32],
        cell: &mut [f32],
        scratch: &mut SileroScratch,
        probs: &mut Vec<f32>,
    ) {
        let n = samples.len() / Self::INPUT_SAMPLES;
        let SileroScratch {
            padded,
            sums,
            cell_input,
        } = scratch;
        mirror_ends(samples, padded);
        let windows = Rows {
            outer: n,
            outer_stride: Self::INPUT_SAMPLES + MIRRORED,
            inner: N_FRAMES,
            inner_stride: HOP,
            segments: 1,
            segment_stride: 0,
            length: WINDOW,
        };
        sums.resize(n * N_FRAMES * 2 * N_BINS, 0.0);
        self.spectrum.apply(padded, windows, sums);
        magnitudes(sums, padded);
        let mut n_frames = N_FRAMES;
        for (index, step) in [1, 2, 2, 1].into_iter().enumerate() {
            let linear = &self.convolutions[index];
            let n_channels = CHANNELS[index];
            let rows = Rows {
                outer: n,
                outer_stride: (n_frames + 2) * n_channels,
                inner: n_frames.div_ceil(step),
                inner_stride: step * n_channels,
                segments: 1,
                segment_stride: 0,
                length: TAPS * n_channels,
            };
            n_frames = rows.inner;
            sums.resize(n * n_frames * linear.n_out(), 0.0);
            linear.apply(padded, rows, sums);
            rectify(sums, n_frames * linear.n_out(), linear.n_out(), padded);
        }
        // One frame is left, between its pads.
        cell_input.clear();
        for (plane, hidden) in padded
            .chunks_exact(3 * HIDDEN)
            .zip(hidden.chunks_exact(HIDDEN))
        {
            cell_input.extend_from_slice(&plane[HIDDEN..2 * HIDDEN]);
            cell_input.extend_from_slice(hidden);
        }
        sums.resize(n * N_GATES * HIDDEN, 0.0);
        self.gates.apply_plain(cell_input, sums);
        open_gates(sums, hidden, cell);
        padded.clear();
        padded.extend(hidden.iter().map(|value| value.max(0.0)));
        let first = probs.len();
        probs.resize(first + n, 0.0);
        self.out.apply_plain(padded, &mut probs[first..]);
        probs[first..]
            .iter_mut()
            .for_each(|logit| *logit = sigmoid(*logit));
    }
}

fn has_shape(tensor: &Tensor, dims: &[usize]) -> bool {
    tensor.dims.len() == dims.len()
        && tensor
            .dims
            .iter()
            .zip(dims)
            .all(|(got, wanted)| usize::try_from(*got) == Ok(*wanted))
}

/// Each channel's samples, and after the last of them those before it, backwards.
fn mirror_ends(samples: &[f32], padded: &mut Vec<f32>) {
    padded.clear();
    for channel in samples.chunks_exact(Silero::INPUT_SAMPLES) {
        padded.extend_from_slice(channel);
        let before_last = channel[..channel.len() - 1].iter().rev();
        padded.extend(before_last.take(MIRRORED));
    }
}

/// Cosine and sine sums of each window to magnitudes, a frame of zeros before and after each channel's.
fn magnitudes(sums: &[f32], padded: &mut Vec<f32>) {
    padded.clear();
    for channel in sums.chunks_exact(N_FRAMES * 2 * N_BINS) {
        padded.resize(padded.len() + N_BINS, 0.0);
        for frame in channel.chunks_exact(2 * N_BINS) {
            let (cosines, sines) = frame.split_at(N_BINS);
            padded.extend(
                cosines
                    .iter()
                    .zip(sines)
                    .map(|(cosine, sine)| cosine.mul_add(*cosine, sine * sine).sqrt()),
            );
        }
        padded.resize(padded.len() + N_BINS, 0.0);
    }
}

/// What is above zero of each channel's `plane` values, `pad` zeros before and after.
fn rectify(sums: &[f32], plane: usize, pad: usize, padded: &mut Vec<f32>) {
    padded.clear();
    for channel in sums.chunks_exact(plane) {
        padded.resize(padded.len() + pad, 0.0);
        padded.extend(channel.iter().map(|value| value.max(0.0)));
        padded.resize(padded.len() + pad, 0.0);
    }
}

/// The LSTM cell behind its products.
fn open_gates(gates: &[f32], hidden: &mut [f32], cell: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            let states = hidden
                .chunks_exact_mut(HIDDEN)
                .zip(cell.chunks_exact_mut(HIDDEN));
            for (gates, (hidden, cell)) in gates.chunks_exact(N_GATES * HIDDEN).zip(states) {
                let (input, rest) = gates.split_at(HIDDEN);
                let (forget, rest) = rest.split_at(HIDDEN);
                let (candidate, output) = rest.split_at(HIDDEN);
                for at in 0..HIDDEN {
                    let kept = sigmoid(forget[at]) * cell[at];
                    cell[at] = sigmoid(input[at]).mul_add(tanh(candidate[at]), kept);
                    hidden[at] = sigmoid(output[at]) * tanh(cell[at]);
                }
            }
        },
    );
}
