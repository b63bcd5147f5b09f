//! The whole encoder: front, stacks at their own frame rates, projection.

use super::embed::{Embed, EmbedScratch};
use super::layer::{Layer, LayerScratch, LayerShape, LayerState};
use crate::NetworkError;
use crate::kernel::{Linear, add_scaled, vectorized};
use crate::onnx::Wiring;
use crate::weights::bypass;

/// Values per feature frame.
const N_BINS: usize = 80;
/// Values that one stream may take, several times those of the largest published model: a small file
/// must not ask for all the memory there is.
const MAX_STREAM_VALUES: usize = 1 << 24;

/// Sizes of an encoder, in frames of 10 ms unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZipformerShape {
    /// Frames that one step looks at.
    pub window: usize,
    /// Frames that one step moves on.
    pub step: usize,
    /// Vectors that one step gives for a stream.
    pub n_outputs: usize,
    /// Values per output vector.
    pub dim: usize,
}

/// An encoder's weights; shared by all threads.
#[derive(Debug)]
pub struct Zipformer {
    shape: ZipformerShape,
    embed: Embed,
    stacks: Vec<Stack>,
    output_weights: Vec<f32>,
    projection: Linear,
    /// Frames before the chunk that attention sees, after the front.
    left: usize,
}

/// Layers that run at one frame rate.
#[derive(Debug)]
struct Stack {
    n_channels: usize,
    /// One for each frame that is averaged into one; a single 1 where the rate stays.
    weights: Vec<f32>,
    layers: Vec<Layer>,
    /// How much of the stack's result replaces its input, by channel; none for a stack at the full rate.
    combiner: Option<Vec<f32>>,
    left: usize,
}

/// What the encoder remembers of one stream.
#[derive(Clone, Debug)]
pub struct StreamState {
    embed: Vec<f32>,
    layers: Vec<LayerState>,
    /// Frames heard, after the front.
    n_heard: usize,
}

/// Buffers that a thread reuses from step to step.
#[derive(Debug, Default)]
pub struct Scratch {
    embed: EmbedScratch,
    layer: LayerScratch,
    x: Vec<f32>,
    slow: Vec<f32>,
    outputs: Vec<Vec<f32>>,
    full: Vec<f32>,
}

impl Zipformer {
    /// Reads the bytes of an encoder's ONNX file.
    ///
    /// # Errors
    /// When it is not an ONNX file, not a streaming zipformer2, or wired in a way that is not known here.
    pub fn read(bytes: &[u8]) -> Result<Self, NetworkError> {
        let wiring = Wiring::read(bytes)?;
        let kind = wiring.metadata("model_type").unwrap_or_default();
        if kind != "zipformer2" {
            return Err(NetworkError::new(format!(
                "`model_type` in its metadata must be `zipformer2`, got `{kind}`"
            )));
        }
        let one = |key: &str| wiring.counts(key).map(|counts| counts[0]);
        let (window, step) = (one("T")?, one("decode_chunk_len")?);
        let embed = Embed::read(&wiring, window, N_BINS)?;
        let n_frames = embed.n_frames();
        if n_frames * 2 != step {
            return Err(NetworkError::new(format!(
                "its window of {window} frames gives {n_frames} for a step of {step}"
            )));
        }
        let (stacks, output_weights) = read_stacks(&wiring, n_frames)?;
        let n_full = stacks
            .iter()
            .map(|stack| stack.n_channels)
            .max()
            .unwrap_or(0);
        let projection = wiring.affine("encoder_proj.bias")?;
        if projection.n_in() != n_full || !n_frames.is_multiple_of(output_weights.len()) {
            return Err(NetworkError::new(
                "its last projection does not fit its stacks",
            ));
        }
        let layers = stacks.iter().flat_map(|stack| &stack.layers);
        let n_values = layers
            .map(Layer::n_values)
            .fold(embed.n_values(), usize::saturating_add);
        if n_values > MAX_STREAM_VALUES {
            return Err(NetworkError::new(format!(
                "a stream would take {n_values} values, at most {MAX_STREAM_VALUES} are allowed"
            )));
        }
        Ok(Self {
            shape: ZipformerShape {
                window,
                step,
                n_outputs: n_frames / output_weights.len(),
                dim: projection.n_out(),
            },
            left: stacks
                .iter()
                .map(|stack| stack.left * stack.weights.len())
                .max()
                .unwrap_or(0),
            embed,
            stacks,
            output_weights,
            projection,
        })
    }

    /// Its sizes.
    pub fn shape(&self) -> ZipformerShape {
        self.shape
    }

    /// The state of a stream that has heard nothing.
    pub fn fresh_state(&self) -> StreamState {
        let layers = self.stacks.iter().flat_map(|stack| &stack.layers);
        StreamState {
            embed: vec![0.0; self.embed.state_len()],
            layers: layers.map(Layer::fresh_state).collect(),
            n_heard: 0,
        }
    }

    /// Steps many streams together: of each a window of features `[window][80]` and its state, which moves on.
    /// Gives `[stream][n_outputs][dim]` in `out`. A stream's result does not depend on who else is in the batch.
    ///
    /// # Panics
    /// When a window has another length, or there are not as many states as windows.
    pub fn step(
        &self,
        windows: &[&[f32]],
        states: &mut [&mut StreamState],
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) {
        assert_eq!(windows.len(), states.len(), "one state for each window");
        let n_frames = self.embed.n_frames();
        self.embed(windows, states, scratch);
        let mut n_channels = self.embed.n_out();
        let mut x = std::mem::take(&mut scratch.x);
        scratch.outputs.resize_with(self.stacks.len(), Vec::new);
        let mut first_layer = 0;
        for (index, stack) in self.stacks.iter().enumerate() {
            resize_channels(&mut x, n_channels, stack.n_channels);
            n_channels = stack.n_channels;
            let n_masked: Vec<usize> = states
                .iter()
                .map(|state| self.n_masked(stack, state.n_heard))
                .collect();
            stack.run(&mut x, states, first_layer, &n_masked, scratch);
            first_layer += stack.layers.len();
            scratch.outputs[index].clear();
            scratch.outputs[index].extend_from_slice(&x);
        }
        scratch.x = x;
        for state in states.iter_mut() {
            state.n_heard = (state.n_heard + n_frames).min(self.left + n_frames);
        }
        self.gather(windows.len() * n_frames, scratch);
        average(
            &scratch.full,
            self.projection.n_in(),
            &self.output_weights,
            &mut scratch.slow,
        );
        out.resize(windows.len() * self.shape.n_outputs * self.shape.dim, 0.0);
        self.projection.apply_plain(&scratch.slow, out);
    }

    fn embed(&self, windows: &[&[f32]], states: &mut [&mut StreamState], scratch: &mut Scratch) {
        let n_values = self.embed.n_frames() * self.embed.n_out();
        scratch.x.resize(windows.len() * n_values, 0.0);
        let outs = scratch.x.chunks_exact_mut(n_values);
        for ((window, state), out) in windows.iter().zip(states).zip(outs) {
            assert_eq!(
                window.len(),
                self.shape.window * N_BINS,
                "a window of features"
            );
            self.embed
                .run(window, &mut state.embed, &mut scratch.embed, out);
        }
    }

    /// Keys of a stack that lie before the stream's beginning.
    fn n_masked(&self, stack: &Stack, n_heard: usize) -> usize {
        (stack.left * stack.weights.len())
            .saturating_sub(n_heard)
            .div_ceil(stack.weights.len())
    }

    /// Puts the full width together: the last stack's channels, and further ones from the nearest stack that has them.
    fn gather(&self, n_rows: usize, scratch: &mut Scratch) {
        let n_full = self.projection.n_in();
        scratch.full.resize(n_rows * n_full, 0.0);
        let mut first = 0;
        for (stack, output) in self.stacks.iter().zip(&scratch.outputs).rev() {
            let n_channels = stack.n_channels;
            if n_channels <= first {
                continue;
            }
            let rows = scratch
                .full
                .chunks_exact_mut(n_full)
                .zip(output.chunks_exact(n_channels));
            for (full, row) in rows {
                full[first..n_channels].copy_from_slice(&row[first..]);
            }
            first = n_channels;
        }
    }
}

impl Stack {
    fn run(
        &self,
        x: &mut [f32],
        states: &mut [&mut StreamState],
        first_layer: usize,
        n_masked: &[usize],
        scratch: &mut Scratch,
    ) {
        let Some(combiner) = &self.combiner else {
            self.run_layers(x, states, first_layer, n_masked, &mut scratch.layer);
            return;
        };
        let mut slow = std::mem::take(&mut scratch.slow);
        average(x, self.n_channels, &self.weights, &mut slow);
        self.run_layers(&mut slow, states, first_layer, n_masked, &mut scratch.layer);
        // Every slow frame stands for the frames it was averaged from.
        let repeated = &mut scratch.full;
        repeated.clear();
        for row in slow.chunks_exact(self.n_channels) {
            for _ in 0..self.weights.len() {
                repeated.extend_from_slice(row);
            }
        }
        bypass(repeated, x, combiner);
        x.copy_from_slice(repeated);
        scratch.slow = slow;
    }

    fn run_layers(
        &self,
        x: &mut [f32],
        states: &mut [&mut StreamState],
        first_layer: usize,
        n_masked: &[usize],
        scratch: &mut LayerScratch,
    ) {
        for (index, layer) in self.layers.iter().enumerate() {
            let mut own: Vec<&mut LayerState> = states
                .iter_mut()
                .map(|state| &mut state.layers[first_layer + index])
                .collect();
            layer.run(x, &mut own, n_masked, scratch);
        }
    }
}

/// Weighted averages of as many rows at a time as there are weights.
fn average(x: &[f32], n_channels: usize, weights: &[f32], out: &mut Vec<f32>) {
    out.resize(x.len() / weights.len(), 0.0);
    vectorized(
        #[inline(always)]
        || {
            let groups = x.chunks_exact(n_channels * weights.len());
            for (out, rows) in out.chunks_exact_mut(n_channels).zip(groups) {
                out.fill(0.0);
                for (row, weight) in rows.chunks_exact(n_channels).zip(weights) {
                    add_scaled(out, *weight, row);
                }
            }
        },
    );
}

/// Cuts channels off, or adds channels of zeros.
fn resize_channels(x: &mut Vec<f32>, from: usize, to: usize) {
    if from == to {
        return;
    }
    let mut rows = Vec::with_capacity(x.len() / from * to);
    for row in x.chunks_exact(from) {
        rows.extend_from_slice(&row[..from.min(to)]);
        rows.resize(rows.len() + to.saturating_sub(from), 0.0);
    }
    *x = rows;
}

/// The stacks, and the weights of the averages behind the last one.
fn read_stacks(wiring: &Wiring, n_frames: usize) -> Result<(Vec<Stack>, Vec<f32>), NetworkError> {
    let n_layers = wiring.counts("num_encoder_layers")?;
    let list = |key: &str| {
        wiring.counts(key).and_then(|counts| {
            let fits = counts.len() == n_layers.len();
            fits.then_some(counts).ok_or_else(|| {
                NetworkError::new(format!(
                    "`{key}` in its metadata must have {} counts",
                    n_layers.len()
                ))
            })
        })
    };
    let (channels, kernels, lefts) = (
        list("encoder_dims")?,
        list("cnn_module_kernels")?,
        list("left_context_len")?,
    );
    let (queries, values, heads) = (
        list("query_head_dims")?,
        list("value_head_dims")?,
        list("num_heads")?,
    );
    let mut averages = wiring.averages().into_iter();
    let mut stacks = Vec::with_capacity(n_layers.len());
    for index in 0..n_layers.len() {
        let root = format!("encoder.encoders.{index}");
        let slow = wiring
            .constant(&format!("{root}.out_combiner.bypass_scale"))
            .is_some();
        let (weights, layers, combiner) = if slow {
            let weights = averages
                .next()
                .ok_or_else(|| NetworkError::new("an average is missing in its graph"))?;
            let combiner = wiring.vector(
                &format!("{root}.out_combiner.bypass_scale"),
                channels[index],
            )?;
            (weights, format!("{root}.encoder.layers"), Some(combiner))
        } else {
            (vec![1.0], format!("{root}.layers"), None)
        };
        if weights.is_empty()
            || !n_frames.is_multiple_of(weights.len())
            || kernels[index].is_multiple_of(2)
        {
            return Err(NetworkError::new(format!(
                "the frames of stack {index} do not divide into its chunk"
            )));
        }
        let shape = LayerShape {
            n_channels: channels[index],
            n_frames: n_frames / weights.len(),
            left: lefts[index],
            n_heads: heads[index],
            query_dim: queries[index],
            value_dim: values[index],
            kernel: kernels[index],
        };
        let layers = (0..n_layers[index])
            .map(|layer| Layer::read(wiring, &format!("{layers}.{layer}"), shape));
        stacks.push(Stack {
            n_channels: channels[index],
            weights,
            layers: layers.collect::<Result<_, _>>()?,
            combiner,
            left: lefts[index],
        });
    }
    let output = averages
        .next()
        .ok_or_else(|| NetworkError::new("its output is not averaged"))?;
    Ok((stacks, output))
}
