//! One zipformer2 layer: attention weights once, used three times, between feed-forwards and convolutions.
//!
//! Rows are `[stream][frame][channel]`; what looks across frames keeps, per stream, the frames before the chunk.

use std::collections::HashSet;

use crate::NetworkError;
use crate::kernel::{
    Linear, add, add_scaled, multiply_add, sigmoid, softmax, swoosh_l, swoosh_r, tanh, vectorized,
};
use crate::onnx::Wiring;
use crate::weights::{BiasNorm, bypass, transposed};

/// Score of a key from before the stream began.
const MASKED: f32 = -1000.0;

/// Sizes of the layers of one stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerShape {
    pub(crate) n_channels: usize,
    /// Frames of a chunk, at the stack's own rate.
    pub(crate) n_frames: usize,
    /// Frames before the chunk that attention sees.
    pub(crate) left: usize,
    pub(crate) n_heads: usize,
    pub(crate) query_dim: usize,
    pub(crate) value_dim: usize,
    /// Width of the convolution kernels, odd.
    pub(crate) kernel: usize,
}

#[derive(Debug)]
pub(crate) struct Layer {
    shape: LayerShape,
    attention: Linear,
    position_dim: usize,
    /// `[head][position_dim][left + 2 · frames − 1]`.
    positions: Vec<f32>,
    feed_forwards: [[Linear; 2]; 3],
    mixing: [Linear; 2],
    values: [[Linear; 2]; 2],
    convolutions: [Convolution; 2],
    norm: BiasNorm,
    bypass_mid: Vec<f32>,
    bypass: Vec<f32>,
}

#[derive(Debug)]
struct Convolution {
    input: Linear,
    output: Linear,
    /// `[kernel / 2 + 1][channel]`, over this frame and those before.
    causal: Vec<f32>,
    causal_bias: Vec<f32>,
    /// `[kernel][channel]`, within the chunk only.
    within: Vec<f32>,
    within_bias: Vec<f32>,
    /// `[frame][channel]`: makes up for what the chunk's edges cut off.
    edges: Vec<f32>,
}

/// What a layer remembers of one stream, up to the chunk before.
#[derive(Clone, Debug)]
pub(crate) struct LayerState {
    /// `[head · query_dim][left]`.
    keys: Vec<f32>,
    /// `[left][hidden]`.
    mixed: Vec<f32>,
    /// `[left][head · value_dim]`, one for each self-attention.
    values: [Vec<f32>; 2],
    /// `[kernel / 2][channel]`, one for each convolution.
    convolved: [Vec<f32>; 2],
}

/// Buffers of one run.
#[derive(Debug, Default)]
pub(crate) struct LayerScratch {
    origin: Vec<f32>,
    projected: Vec<f32>,
    hidden: Vec<f32>,
    gathered: Vec<f32>,
    attention: Vec<f32>,
    /// What is remembered of a stream, and its new chunk behind it.
    window: Vec<f32>,
}

/// Gives what is remembered with the `n_new` values behind it that `fill` writes, all zeros before. The newest of both are
/// remembered from now on.
#[inline(always)]
fn append<'w>(
    remembered: &mut [f32],
    n_new: usize,
    window: &'w mut Vec<f32>,
    fill: impl FnOnce(&mut [f32]),
) -> &'w [f32] {
    window.clear();
    window.extend_from_slice(remembered);
    window.resize(remembered.len() + n_new, 0.0);
    fill(&mut window[remembered.len()..]);
    remembered.copy_from_slice(&window[n_new..]);
    window
}

impl Layer {
    /// `prefix` is the layer's name up to its parts, without the last dot.
    pub(crate) fn read(
        wiring: &Wiring,
        prefix: &str,
        shape: LayerShape,
    ) -> Result<Self, NetworkError> {
        let name = |part: &str| format!("{prefix}.{part}");
        let pair = |part: &str| {
            let read = |side: &str| wiring.affine(&name(&format!("{part}.{side}.bias")));
            Ok::<_, NetworkError>([read("in_proj")?, read("out_proj")?])
        };
        let attention = wiring.affine(&name("self_attn_weights.in_proj.bias"))?;
        let layer = Self {
            position_dim: (attention.n_out() / shape.n_heads).saturating_sub(2 * shape.query_dim),
            positions: read_positions(wiring, &name("self_attn_weights.in_proj.bias"))?,
            attention,
            feed_forwards: [
                pair("feed_forward1")?,
                pair("feed_forward2")?,
                pair("feed_forward3")?,
            ],
            mixing: pair("nonlin_attention")?,
            values: [pair("self_attn1")?, pair("self_attn2")?],
            convolutions: [
                Convolution::read(wiring, &name("conv_module1"), shape)?,
                Convolution::read(wiring, &name("conv_module2"), shape)?,
            ],
            norm: BiasNorm::read(wiring, &name("norm.bias"), shape.n_channels)?,
            bypass_mid: wiring.vector(&name("bypass_mid.bypass_scale"), shape.n_channels)?,
            bypass: wiring.vector(&name("bypass.bypass_scale"), shape.n_channels)?,
            shape,
        };
        layer.check(prefix)?;
        Ok(layer)
    }

    fn check(&self, prefix: &str) -> Result<(), NetworkError> {
        let shape = self.shape;
        let n_keys = shape.left + 2 * shape.n_frames - 1;
        let n_values = shape.n_heads * shape.value_dim;
        let takes_channels = |pair: &[Linear; 2]| {
            pair[0].n_in() == shape.n_channels && pair[1].n_out() == shape.n_channels
        };
        let fits = self.position_dim > 0
            && shape.left > 0
            && self.attention.n_in() == shape.n_channels
            && self.attention.n_out() == shape.n_heads * (2 * shape.query_dim + self.position_dim)
            && self.positions.len() == shape.n_heads * self.position_dim * n_keys
            && self
                .feed_forwards
                .iter()
                .all(|pair| takes_channels(pair) && pair[0].n_out() == pair[1].n_in())
            && takes_channels(&self.mixing)
            && self.mixing[0].n_out() == 3 * self.mixing[1].n_in()
            && self.values.iter().all(|pair| {
                takes_channels(pair) && pair[0].n_out() == n_values && pair[1].n_in() == n_values
            });
        fits.then_some(()).ok_or_else(|| {
            NetworkError::new(format!("the parts of `{prefix}` do not fit each other"))
        })
    }

    /// Values that one stream takes, remembered and worked on.
    pub(crate) fn n_values(&self) -> usize {
        let shape = self.shape;
        let n_keys = shape.left + shape.n_frames;
        let n_heads = shape.n_heads;
        let remembered = n_keys
            * (n_heads * (shape.query_dim + 2 * shape.value_dim) + self.mixing[1].n_in())
            + 2 * (shape.kernel / 2 + shape.n_frames) * shape.n_channels;
        let pairs = self.feed_forwards.iter().chain(&self.values);
        let linears = pairs.chain([&self.mixing]).flatten();
        let widest = linears.chain([&self.attention]).map(Linear::n_out).max();
        let worked_on = n_heads * n_keys + widest.unwrap_or(0);
        remembered.saturating_add(worked_on.saturating_mul(shape.n_frames))
    }

    pub(crate) fn fresh_state(&self) -> LayerState {
        let shape = self.shape;
        let zeros = |n: usize| vec![0.0; n];
        let values = || zeros(shape.left * shape.n_heads * shape.value_dim);
        let convolved = || zeros(shape.kernel / 2 * shape.n_channels);
        LayerState {
            keys: zeros(shape.left * shape.n_heads * shape.query_dim),
            mixed: zeros(shape.left * self.mixing[1].n_in()),
            values: [values(), values()],
            convolved: [convolved(), convolved()],
        }
    }

    /// One chunk of every stream: `x` is `[stream][frame][channel]`, `n_masked` how many of each stream's oldest
    /// keys are from before it began.
    pub(crate) fn run(
        &self,
        x: &mut [f32],
        states: &mut [&mut LayerState],
        n_masked: &[usize],
        scratch: &mut LayerScratch,
    ) {
        let mut origin = std::mem::take(&mut scratch.origin);
        origin.clear();
        origin.extend_from_slice(x);
        self.attend(x, states, n_masked, scratch);
        self.feed_forward(0, x, scratch);
        self.mix(x, states, scratch);
        self.self_attention(0, x, states, scratch);
        self.convolve(0, x, states, scratch);
        self.feed_forward(1, x, scratch);
        bypass(x, &origin, &self.bypass_mid);
        self.self_attention(1, x, states, scratch);
        self.convolve(1, x, states, scratch);
        self.feed_forward(2, x, scratch);
        self.norm.apply(x);
        bypass(x, &origin, &self.bypass);
        scratch.origin = origin;
    }

    fn project<'a>(linear: &Linear, x: &[f32], out: &'a mut Vec<f32>) -> &'a mut [f32] {
        out.resize(x.len() / linear.n_in() * linear.n_out(), 0.0);
        linear.apply_plain(x, out);
        out
    }

    fn feed_forward(&self, index: usize, x: &mut [f32], scratch: &mut LayerScratch) {
        let [input, output] = &self.feed_forwards[index];
        let hidden = Self::project(input, x, &mut scratch.hidden);
        swoosh_l(hidden);
        add(x, Self::project(output, hidden, &mut scratch.projected));
    }

    /// Fills `scratch.attention` with `[stream][head][frame][key]`, each row summing to one.
    fn attend(
        &self,
        x: &[f32],
        states: &mut [&mut LayerState],
        n_masked: &[usize],
        scratch: &mut LayerScratch,
    ) {
        let LayerShape {
            n_frames,
            left,
            n_heads,
            query_dim,
            ..
        } = self.shape;
        let (n_keys, n_queries) = (left + n_frames, n_heads * query_dim);
        let n_projected = self.attention.n_out();
        let projected = Self::project(&self.attention, x, &mut scratch.projected);
        scratch
            .attention
            .resize(states.len() * n_heads * n_frames * n_keys, 0.0);
        let n_places = left + 2 * n_frames - 1;
        let keys = &mut scratch.window;
        keys.resize(n_queries * n_keys, 0.0);
        vectorized(
            #[inline(always)]
            || {
                let tables = scratch
                    .attention
                    .chunks_exact_mut(n_heads * n_frames * n_keys);
                let chunks = projected.chunks_exact(n_frames * n_projected);
                for (((table, chunk), state), n_masked) in
                    tables.zip(chunks).zip(states).zip(n_masked)
                {
                    let remembered = state.keys.chunks_exact_mut(left);
                    let rows = keys.chunks_exact_mut(n_keys).zip(remembered);
                    for (place, (row, remembered)) in rows.enumerate() {
                        row[..left].copy_from_slice(remembered);
                        for (frame, key) in row[left..].iter_mut().enumerate() {
                            *key = chunk[frame * n_projected + n_queries + place];
                        }
                        remembered.copy_from_slice(&row[n_frames..]);
                    }
                    for (row, scores) in table.chunks_exact_mut(n_keys).enumerate() {
                        let (head, frame) = (row / n_frames, row % n_frames);
                        let values = &chunk[frame * n_projected..][..n_projected];
                        let query = &values[head * query_dim..][..query_dim];
                        let place = &values[2 * n_queries + head * self.position_dim..]
                            [..self.position_dim];
                        scores.fill(0.0);
                        for (at, query) in query.iter().enumerate() {
                            add_scaled(
                                scores,
                                *query,
                                &keys[(head * query_dim + at) * n_keys..][..n_keys],
                            );
                        }
                        for (at, place) in place.iter().enumerate() {
                            let start =
                                (head * self.position_dim + at) * n_places + n_frames - 1 - frame;
                            add_scaled(scores, *place, &self.positions[start..][..n_keys]);
                        }
                        scores[..*n_masked].fill(MASKED);
                        softmax(scores);
                    }
                }
            },
        );
    }

    /// Non-linear attention: gated values, averaged with the first head's weights, gated again.
    fn mix(&self, x: &mut [f32], states: &mut [&mut LayerState], scratch: &mut LayerScratch) {
        let LayerShape {
            n_frames,
            left,
            n_heads,
            ..
        } = self.shape;
        let [input, output] = &self.mixing;
        let n_hidden = output.n_in();
        let n_keys = left + n_frames;
        let projected = Self::project(input, x, &mut scratch.projected);
        scratch
            .gathered
            .resize(states.len() * n_frames * n_hidden, 0.0);
        vectorized(
            #[inline(always)]
            || {
                let tables = scratch.attention.chunks_exact(n_heads * n_frames * n_keys);
                let chunks = projected.chunks_exact(n_frames * 3 * n_hidden);
                let outs = scratch.gathered.chunks_exact_mut(n_frames * n_hidden);
                for (((out, chunk), table), state) in outs.zip(chunks).zip(tables).zip(states) {
                    let mixed = append(
                        &mut state.mixed,
                        n_frames * n_hidden,
                        &mut scratch.window,
                        #[inline(always)]
                        |new| {
                            let rows = new.chunks_exact_mut(n_hidden);
                            for (row, values) in rows.zip(chunk.chunks_exact(3 * n_hidden)) {
                                let (gates, values) = values.split_at(n_hidden);
                                for ((row, gate), value) in row.iter_mut().zip(gates).zip(values) {
                                    *row = value * tanh(*gate);
                                }
                            }
                        },
                    );
                    for (frame, out) in out.chunks_exact_mut(n_hidden).enumerate() {
                        out.fill(0.0);
                        let weights = &table[frame * n_keys..][..n_keys];
                        for (weight, row) in weights.iter().zip(mixed.chunks_exact(n_hidden)) {
                            add_scaled(out, *weight, row);
                        }
                        let gates = &chunk[frame * 3 * n_hidden + 2 * n_hidden..][..n_hidden];
                        for (out, gate) in out.iter_mut().zip(gates) {
                            *out *= gate;
                        }
                    }
                }
            },
        );
        add(
            x,
            Self::project(output, &scratch.gathered, &mut scratch.hidden),
        );
    }

    fn self_attention(
        &self,
        index: usize,
        x: &mut [f32],
        states: &mut [&mut LayerState],
        scratch: &mut LayerScratch,
    ) {
        let LayerShape {
            n_frames,
            left,
            n_heads,
            value_dim,
            ..
        } = self.shape;
        let [input, output] = &self.values[index];
        let (n_keys, n_values) = (left + n_frames, n_heads * value_dim);
        let projected = Self::project(input, x, &mut scratch.projected);
        scratch.gathered.resize(projected.len(), 0.0);
        vectorized(
            #[inline(always)]
            || {
                let tables = scratch.attention.chunks_exact(n_heads * n_frames * n_keys);
                let chunks = projected.chunks_exact(n_frames * n_values);
                let outs = scratch.gathered.chunks_exact_mut(n_frames * n_values);
                for (((out, chunk), table), state) in outs.zip(chunks).zip(tables).zip(states) {
                    let fill = |new: &mut [f32]| new.copy_from_slice(chunk);
                    let remembered = &mut state.values[index];
                    let values = append(remembered, chunk.len(), &mut scratch.window, fill);
                    for (row, weights) in table.chunks_exact(n_keys).enumerate() {
                        let (head, frame) = (row / n_frames, row % n_frames);
                        let out = &mut out[frame * n_values + head * value_dim..][..value_dim];
                        out.fill(0.0);
                        for (weight, values) in weights.iter().zip(values.chunks_exact(n_values)) {
                            add_scaled(out, *weight, &values[head * value_dim..][..value_dim]);
                        }
                    }
                }
            },
        );
        add(
            x,
            Self::project(output, &scratch.gathered, &mut scratch.hidden),
        );
    }

    fn convolve(
        &self,
        index: usize,
        x: &mut [f32],
        states: &mut [&mut LayerState],
        scratch: &mut LayerScratch,
    ) {
        let convolution = &self.convolutions[index];
        let LayerShape {
            n_frames,
            n_channels,
            ..
        } = self.shape;
        let projected = Self::project(&convolution.input, x, &mut scratch.projected);
        scratch.gathered.resize(x.len(), 0.0);
        let chunks = projected.chunks_exact(n_frames * 2 * n_channels);
        let outs = scratch.gathered.chunks_exact_mut(n_frames * n_channels);
        for ((out, chunk), state) in outs.zip(chunks).zip(states) {
            let remembered = &mut state.convolved[index];
            convolution.run(self.shape, chunk, remembered, &mut scratch.window, out);
        }
        swoosh_r(&mut scratch.gathered);
        add(
            x,
            Self::project(&convolution.output, &scratch.gathered, &mut scratch.hidden),
        );
    }
}

impl Convolution {
    fn read(wiring: &Wiring, prefix: &str, shape: LayerShape) -> Result<Self, NetworkError> {
        let LayerShape {
            n_frames,
            n_channels,
            kernel,
            ..
        } = shape;
        let misfit = || NetworkError::new(format!("the parts of `{prefix}` do not fit each other"));
        let depthwise = |part: &str, width: usize| {
            let name = format!("{prefix}.depthwise_conv.{part}.weight");
            let (weights, dims, bias) = wiring.convolution(&name)?;
            if dims != [n_channels, 1, width] {
                return Err(misfit());
            }
            Ok((transposed(&weights, width), bias))
        };
        let (causal, causal_bias) = depthwise("causal_conv", kernel / 2 + 1)?;
        let (within, within_bias) = depthwise("chunkwise_conv", kernel)?;
        let edges = || {
            let name = format!("{prefix}.depthwise_conv.chunkwise_conv.weight");
            let node = wiring.consumer(&name, "Conv")?;
            let scaled = wiring.consumer(node.output.first()?, "Mul")?;
            let tensor = wiring.constant_input(scaled)?;
            (crate::weights::dims_of(tensor)? == [n_channels, n_frames]).then(|| tensor.to_f32())?
        };
        let convolution = Self {
            input: wiring.affine(&format!("{prefix}.in_proj.bias"))?,
            output: wiring.affine(&format!("{prefix}.out_proj.bias"))?,
            causal,
            causal_bias,
            within,
            within_bias,
            edges: transposed(&edges().ok_or_else(misfit)?, n_frames),
        };
        let fits = convolution.input.n_in() == n_channels
            && convolution.input.n_out() == 2 * n_channels
            && convolution.output.n_in() == n_channels
            && convolution.output.n_out() == n_channels;
        fits.then_some(convolution).ok_or_else(misfit)
    }

    /// Gates a chunk `[frame][2 · channel]`, appends it to what is remembered and convolves along time.
    fn run(
        &self,
        shape: LayerShape,
        chunk: &[f32],
        remembered: &mut [f32],
        window: &mut Vec<f32>,
        out: &mut [f32],
    ) {
        let LayerShape {
            n_frames,
            n_channels,
            kernel,
            ..
        } = shape;
        let before = kernel / 2;
        vectorized(
            #[inline(always)]
            || {
                let gated = append(
                    remembered,
                    n_frames * n_channels,
                    window,
                    #[inline(always)]
                    |new| {
                        let rows = new.chunks_exact_mut(n_channels);
                        for (row, values) in rows.zip(chunk.chunks_exact(2 * n_channels)) {
                            let (values, gates) = values.split_at(n_channels);
                            for ((row, value), gate) in row.iter_mut().zip(values).zip(gates) {
                                *row = value * sigmoid(*gate);
                            }
                        }
                    },
                );
                for (frame, out) in out.chunks_exact_mut(n_channels).enumerate() {
                    out.copy_from_slice(&self.within_bias);
                    for other in frame.saturating_sub(before)..(frame + before + 1).min(n_frames) {
                        let tap = other + before - frame;
                        let weights = &self.within[tap * n_channels..][..n_channels];
                        multiply_add(
                            out,
                            &gated[(before + other) * n_channels..][..n_channels],
                            weights,
                        );
                    }
                    let edges = &self.edges[frame * n_channels..][..n_channels];
                    for ((out, edge), bias) in out.iter_mut().zip(edges).zip(&self.causal_bias) {
                        *out = out.mul_add(*edge, *bias);
                    }
                    for tap in 0..=before {
                        let weights = &self.causal[tap * n_channels..][..n_channels];
                        multiply_add(
                            out,
                            &gated[(frame + tap) * n_channels..][..n_channels],
                            weights,
                        );
                    }
                }
            },
        );
    }
}

/// The table of projected positions, a constant side of the product that the position part of `in_proj` enters.
fn read_positions(wiring: &Wiring, bias: &str) -> Result<Vec<f32>, NetworkError> {
    let sum = wiring
        .consumer(bias, "Add")
        .and_then(|node| node.output.first());
    let mut frontier: Vec<&str> = sum.map(String::as_str).into_iter().collect();
    let mut seen: HashSet<&str> = frontier.iter().copied().collect();
    // Slices, a reshape and a transposition lie between, and the quantisation of the moving side.
    for _ in 0..5 {
        let mut next = Vec::new();
        for node in frontier.iter().flat_map(|name| wiring.consumers(name)) {
            let output = node.output.first().map(String::as_str);
            match node.op_type.as_str() {
                "MatMul" | "MatMulInteger" if wiring.constant_input(node).is_some() => {
                    if let Some(table) = output.and_then(|name| positions_behind(wiring, name)) {
                        return Ok(table);
                    }
                }
                "Slice" | "Reshape" | "Transpose" | "DynamicQuantizeLinear" | "Split" => {
                    // Each name once: a graph may read a value, and give it, any number of times.
                    let outputs = node.output.iter().map(String::as_str);
                    next.extend(outputs.filter(|name| seen.insert(*name)));
                }
                _ => {}
            }
        }
        frontier = next;
    }
    Err(NetworkError::new(format!(
        "the table of positions behind `{bias}` is not a constant of its graph"
    )))
}

/// The four-dimensional constant of the product whose first result is named.
fn positions_behind(wiring: &Wiring, product: &str) -> Option<Vec<f32>> {
    let direct = wiring.product_weights(product);
    let rescaled = || {
        let cast = wiring.consumer(product, "Cast")?;
        let scaled = wiring.consumer(cast.output.first()?, "Mul")?;
        wiring.product_weights(scaled.output.first()?)
    };
    let table = direct.or_else(rescaled)?;
    (table.dims.len() == 4 && table.dims[1] == 1).then_some(table.values)
}
