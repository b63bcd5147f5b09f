//! The front of the network: three convolutions over features and time, one ConvNeXt block, one projection.
//!
//! Halves the frame rate. Planes are `[frame][bin][channel]`, so that every convolution is a product of rows.

use crate::NetworkError;
use crate::kernel::{Linear, Rows, add, multiply_add, swoosh_l, swoosh_r, vectorized};
use crate::onnx::Wiring;
use crate::weights::{BiasNorm, patch_order, transposed};

/// Side of the square kernels.
const KERNEL: usize = 3;
/// Side of the depthwise kernel, and what it needs on each side.
const WIDE_KERNEL: usize = 7;
const WIDE_PAD: usize = WIDE_KERNEL / 2;
/// Channels whose sums are kept in registers over the depthwise kernel.
const GROUP: usize = 32;

#[derive(Debug)]
pub(crate) struct Embed {
    shape: EmbedShape,
    convolutions: [Linear; 3],
    /// `[7 · 7][channel]`.
    depthwise: Vec<f32>,
    depthwise_bias: Vec<f32>,
    widen: Linear,
    narrow: Linear,
    out: Linear,
    norm: BiasNorm,
}

/// Frames and bins after each convolution.
#[derive(Clone, Copy, Debug)]
struct EmbedShape {
    frames: [usize; 4],
    bins: [usize; 4],
    channels: [usize; 4],
}

/// Buffers of one run.
#[derive(Debug, Default)]
pub(crate) struct EmbedScratch {
    padded: Vec<f32>,
    planes: [Vec<f32>; 3],
    deep: Vec<f32>,
    wide: Vec<f32>,
    mixed: Vec<f32>,
}

impl Embed {
    pub(crate) fn read(
        wiring: &Wiring,
        window: usize,
        n_bins: usize,
    ) -> Result<Self, NetworkError> {
        let misfit = |cause: &str| {
            NetworkError::new(format!(
                "its first layers are not those of a zipformer2: {cause}"
            ))
        };
        let mut channels = [1; 4];
        let mut convolution = |index: usize, name: &str| {
            let (weights, dims, bias) = wiring.convolution(name)?;
            if dims[1..] != [channels[index], KERNEL, KERNEL] {
                return Err(misfit(&format!("`{name}` has the shape {dims:?}")));
            }
            channels[index + 1] = dims[0];
            Ok(Linear::new(
                &patch_order(&weights, [dims[0], channels[index], KERNEL, KERNEL]),
                dims[0],
                Some(&bias),
            ))
        };
        let convolutions = [
            convolution(0, "encoder_embed.conv.0.weight")?,
            convolution(1, "encoder_embed.conv.4.weight")?,
            convolution(2, "encoder_embed.conv.7.weight")?,
        ];
        if window < 2 * WIDE_KERNEL || n_bins < 2 * WIDE_KERNEL {
            return Err(misfit("its window is too short"));
        }
        let (t1, f1) = (window - 2, n_bins);
        let (t2, f2) = ((t1 - KERNEL) / 2 + 1, (f1 - KERNEL) / 2 + 1);
        let (t3, f3) = (t2 - 2, (f2 - KERNEL) / 2 + 1);
        let shape = EmbedShape {
            frames: [window, t1, t2, t3],
            bins: [n_bins, f1, f2, f3],
            channels,
        };
        let n_channels = channels[3];
        let (deep, deep_dims, depthwise_bias) =
            wiring.convolution("encoder_embed.convnext.depthwise_conv.weight")?;
        if deep_dims != [n_channels, 1, WIDE_KERNEL, WIDE_KERNEL] {
            return Err(misfit("its depthwise kernel is not 7 × 7"));
        }
        let pointwise = |name: &str| {
            let (weights, dims, bias) = wiring.convolution(name)?;
            Ok::<_, NetworkError>(Linear::new(
                &transposed(&weights, dims[1]),
                dims[0],
                Some(&bias),
            ))
        };
        let (mut out, out_bias, n_out) = wiring.matrix("encoder_embed.out.bias")?;
        if out.values.len() != n_channels * f3 * n_out {
            return Err(misfit("its projection has another width"));
        }
        out.values = bins_first(&out.values, n_channels, f3, n_out);
        let embed = Self {
            shape,
            convolutions,
            depthwise: transposed(&deep, WIDE_KERNEL * WIDE_KERNEL),
            depthwise_bias,
            widen: pointwise("encoder_embed.convnext.pointwise_conv1.weight")?,
            narrow: pointwise("encoder_embed.convnext.pointwise_conv2.weight")?,
            out: out.linear(n_out, &out_bias),
            norm: BiasNorm::read(wiring, "encoder_embed.out_norm.bias", n_out)?,
        };
        if embed.widen.n_in() != n_channels
            || embed.narrow.n_in() != embed.widen.n_out()
            || embed.narrow.n_out() != n_channels
        {
            return Err(misfit("its pointwise convolutions do not fit"));
        }
        Ok(embed)
    }

    /// Frames it gives for one window.
    pub(crate) fn n_frames(&self) -> usize {
        self.shape.frames[3] - WIDE_PAD
    }

    /// Channels it gives.
    pub(crate) fn n_out(&self) -> usize {
        self.out.n_out()
    }

    /// Values that a stream carries over: the last planes before the depthwise convolution.
    pub(crate) fn state_len(&self) -> usize {
        WIDE_PAD * self.plane()
    }

    /// Values that one window is worked on with.
    pub(crate) fn n_values(&self) -> usize {
        let shape = &self.shape;
        let sizes = shape.frames.iter().zip(&shape.bins).zip(&shape.channels);
        let planes =
            sizes.map(|((frames, bins), channels)| (frames * bins).saturating_mul(*channels));
        let wide = (self.n_frames() * shape.bins[3]).saturating_mul(self.widen.n_out());
        planes.fold(wide, usize::saturating_add)
    }

    fn plane(&self) -> usize {
        self.shape.bins[3] * self.shape.channels[3]
    }

    /// One window `[frame][bin]` of one stream into `out` `[n_frames][n_out]`.
    pub(crate) fn run(
        &self,
        features: &[f32],
        state: &mut [f32],
        scratch: &mut EmbedScratch,
        out: &mut [f32],
    ) {
        let shape = &self.shape;
        let EmbedScratch {
            padded,
            planes,
            deep,
            wide,
            mixed,
        } = scratch;
        pad_bins(features, shape.bins[0], padded);
        let [first, second, third] = planes;
        let steps = [(1, 1), (2, 2), (1, 2)];
        self.convolve(0, padded, shape.bins[0] + 2, steps[0], 0, first);
        self.convolve(1, first, shape.bins[1], steps[1], 0, second);
        // The planes carried over come first.
        self.convolve(2, second, shape.bins[2], steps[2], state.len(), third);
        third[..state.len()].copy_from_slice(state);
        let n_kept = self.n_frames() * self.plane();
        state.copy_from_slice(&third[n_kept..][..state.len()]);
        self.depthwise(third, deep);
        wide.resize(deep.len() / self.widen.n_in() * self.widen.n_out(), 0.0);
        self.widen.apply_plain(deep, wide);
        swoosh_l(wide);
        mixed.resize(deep.len(), 0.0);
        self.narrow.apply_plain(wide, mixed);
        // The block's input without the frames that only its right context needs.
        add(mixed, &third[state.len()..][..n_kept]);
        self.out.apply_plain(mixed, out);
        self.norm.apply(out);
    }

    /// One convolution and its SwooshR; the result starts `skip` values into `out`.
    fn convolve(
        &self,
        index: usize,
        x: &[f32],
        n_bins: usize,
        steps: (usize, usize),
        skip: usize,
        out: &mut Vec<f32>,
    ) {
        let shape = &self.shape;
        let n_channels = shape.channels[index];
        let (n_frames, bins) = (shape.frames[index + 1], shape.bins[index + 1]);
        out.resize(skip + n_frames * bins * shape.channels[index + 1], 0.0);
        let rows = Rows {
            outer: n_frames,
            outer_stride: steps.0 * n_bins * n_channels,
            inner: bins,
            inner_stride: steps.1 * n_channels,
            segments: KERNEL,
            segment_stride: n_bins * n_channels,
            length: KERNEL * n_channels,
        };
        self.convolutions[index].apply(x, rows, &mut out[skip..]);
        swoosh_r(&mut out[skip..]);
    }

    /// Seven by seven, channel by channel, zeros beyond the first and last bin.
    fn depthwise(&self, x: &[f32], out: &mut Vec<f32>) {
        let (n_bins, n_channels) = (self.shape.bins[3], self.shape.channels[3]);
        let plane = self.plane();
        out.resize(self.n_frames() * plane, 0.0);
        vectorized(
            #[inline(always)]
            || {
                for (at, out) in out.chunks_exact_mut(n_channels).enumerate() {
                    let (frame, bin) = (at / n_bins, at % n_bins);
                    let bins = bin.saturating_sub(WIDE_PAD)..(bin + WIDE_PAD + 1).min(n_bins);
                    for (group, out) in out.chunks_mut(GROUP).enumerate() {
                        let first = group * GROUP;
                        let mut sums = [0.0; GROUP];
                        sums[..out.len()]
                            .copy_from_slice(&self.depthwise_bias[first..][..out.len()]);
                        for row in 0..WIDE_KERNEL {
                            for other in bins.clone() {
                                let values = &x
                                    [(frame + row) * plane + other * n_channels + first..]
                                    [..out.len()];
                                let tap = row * WIDE_KERNEL + other + WIDE_PAD - bin;
                                let weights =
                                    &self.depthwise[tap * n_channels + first..][..out.len()];
                                multiply_add(&mut sums[..out.len()], values, weights);
                            }
                        }
                        out.copy_from_slice(&sums[..out.len()]);
                    }
                }
            },
        );
    }
}

/// A zero before and after each frame's bins.
fn pad_bins(features: &[f32], n_bins: usize, padded: &mut Vec<f32>) {
    padded.clear();
    for frame in features.chunks_exact(n_bins) {
        padded.push(0.0);
        padded.extend_from_slice(frame);
        padded.push(0.0);
    }
}

/// Rows of a matrix from `[channel][bin]` to `[bin][channel]`.
fn bins_first(matrix: &[f32], n_channels: usize, n_bins: usize, n_out: usize) -> Vec<f32> {
    let mut turned = Vec::with_capacity(matrix.len());
    for bin in 0..n_bins {
        for channel in 0..n_channels {
            turned.extend_from_slice(&matrix[(channel * n_bins + bin) * n_out..][..n_out]);
        }
    }
    turned
}
