//! Arithmetic on rows of f32: matrix products with prepacked weights, and the functions between them.
//!
//! Written once, compiled for AVX-512, AVX2 and NEON or plain scalars, chosen when the program runs. Weights that a graph keeps
//! as bytes stay bytes where the machine multiplies them faster ([`crate::bytes`]).

use std::array::from_fn;

use pulp::bytemuck::{cast_slice, cast_slice_mut};
use pulp::{Arch, Simd, WithSimd};

use crate::bytes::Bytes;

/// A weight matrix and its bias.
#[derive(Debug)]
pub(crate) enum Linear {
    Floats(Panels),
    Bytes(Bytes),
}

/// Weights in panels as wide as two vectors of this machine.
#[derive(Debug)]
pub(crate) struct Panels {
    n_in: usize,
    n_out: usize,
    width: usize,
    panels: Vec<f32>,
    bias: Vec<f32>,
}

/// Where the rows of a product's left side lie: `outer · inner` rows, each made of `segments` runs of `length`
/// values. A plain matrix has one run a row; the patches of a convolution have one a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub(crate) outer: usize,
    pub(crate) outer_stride: usize,
    pub(crate) inner: usize,
    pub(crate) inner_stride: usize,
    pub(crate) segments: usize,
    pub(crate) segment_stride: usize,
    pub(crate) length: usize,
}

impl Rows {
    /// `n` rows of `length` values, one after the other.
    pub(crate) fn plain(n: usize, length: usize) -> Self {
        Self {
            outer: n,
            outer_stride: length,
            inner: 1,
            inner_stride: 0,
            segments: 1,
            segment_stride: 0,
            length,
        }
    }

    fn count(&self) -> usize {
        self.outer * self.inner
    }

    /// Where a row begins.
    #[inline(always)]
    pub(crate) fn offset(&self, row: usize) -> usize {
        row / self.inner * self.outer_stride + row % self.inner * self.inner_stride
    }
}

/// Width of a panel on this machine.
fn panel_width() -> usize {
    struct Width;
    impl WithSimd for Width {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            2 * S::F32_LANES
        }
    }
    Arch::new().dispatch(Width)
}

impl Linear {
    /// From `weights` as `[n_in][n_out]` and a bias of `n_out` values, or none.
    pub(crate) fn new(weights: &[f32], n_out: usize, bias: Option<&[f32]>) -> Self {
        Self::Floats(Panels::new(weights, n_out, bias))
    }

    /// From weights that are whole multiples of `steps` (one of all, or one of each column): as bytes where this machine
    /// is faster with them.
    pub(crate) fn quantised(weights: &[f32], steps: &[f32], n_out: usize, bias: &[f32]) -> Self {
        match Bytes::new(weights, steps, n_out, bias) {
            Some(bytes) => Self::Bytes(bytes),
            None => Self::new(weights, n_out, Some(bias)),
        }
    }

    pub(crate) fn n_in(&self) -> usize {
        match self {
            Self::Floats(panels) => panels.n_in,
            Self::Bytes(bytes) => bytes.n_in(),
        }
    }

    pub(crate) fn n_out(&self) -> usize {
        match self {
            Self::Floats(panels) => panels.n_out,
            Self::Bytes(bytes) => bytes.n_out(),
        }
    }

    /// `out = x · weights + bias`, for `rows` of `x`; `out` is `[rows][n_out]`.
    pub(crate) fn apply(&self, x: &[f32], rows: Rows, out: &mut [f32]) {
        debug_assert_eq!(rows.segments * rows.length, self.n_in());
        debug_assert_eq!(out.len(), rows.count() * self.n_out());
        match self {
            Self::Floats(weights) => Arch::new().dispatch(Product {
                weights,
                x,
                rows,
                out,
            }),
            Self::Bytes(weights) => weights.apply(x, rows, out),
        }
    }

    /// [`Linear::apply`] on a plain matrix.
    pub(crate) fn apply_plain(&self, x: &[f32], out: &mut [f32]) {
        let n_in = self.n_in();
        self.apply(x, Rows::plain(x.len() / n_in, n_in), out);
    }
}

impl Panels {
    fn new(weights: &[f32], n_out: usize, bias: Option<&[f32]>) -> Self {
        let width = panel_width();
        let n_in = weights.len() / n_out;
        let n_panels = n_out.div_ceil(width);
        let mut panels = vec![0.0; n_panels * n_in * width];
        for (panel, block) in panels.chunks_exact_mut(n_in * width).enumerate() {
            let first = panel * width;
            let n = width.min(n_out - first);
            for (k, row) in block.chunks_exact_mut(width).enumerate() {
                row[..n].copy_from_slice(&weights[k * n_out + first..][..n]);
            }
        }
        let mut padded = vec![0.0; n_panels * width];
        if let Some(bias) = bias {
            padded[..n_out].copy_from_slice(bias);
        }
        Self {
            n_in,
            n_out,
            width,
            panels,
            bias: padded,
        }
    }
}

struct Product<'a> {
    weights: &'a Panels,
    x: &'a [f32],
    rows: Rows,
    out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // Two sums a row, two weights and a value must fit the registers: 32 with AVX-512, 16 else.
        if S::F32_LANES >= 16 {
            self.panels::<S, 8>(simd);
        } else {
            self.panels::<S, 6>(simd);
        }
    }
}

impl Product<'_> {
    /// All panels, `N` rows at a time.
    #[inline(always)]
    fn panels<S: Simd, const N: usize>(&mut self, simd: S) {
        let n = self.rows.count();
        for panel in 0..self.weights.n_out.div_ceil(self.weights.width) {
            let mut row = 0;
            while row + N <= n {
                self.block::<S, N>(simd, panel, row);
                row += N;
            }
            while row + 4 <= n {
                self.block::<S, 4>(simd, panel, row);
                row += 4;
            }
            while row < n {
                self.block::<S, 1>(simd, panel, row);
                row += 1;
            }
        }
    }

    /// `N` rows from `row` on, against one panel.
    #[inline(always)]
    fn block<S: Simd, const N: usize>(&mut self, simd: S, panel: usize, row: usize) {
        let (linear, rows) = (self.weights, self.rows);
        let width = 2 * S::F32_LANES;
        let weights = &linear.panels[panel * linear.n_in * width..][..linear.n_in * width];
        let weights: &[[S::f32s; 2]] = cast_slice(weights);
        let bias: &[S::f32s] = cast_slice(&linear.bias[panel * width..][..width]);
        let mut sums = [[bias[0], bias[1]]; N];
        let offsets: [usize; N] = from_fn(|r| rows.offset(row + r));
        for segment in 0..rows.segments {
            let start = segment * rows.segment_stride;
            let x: [&[f32]; N] = from_fn(|r| &self.x[offsets[r] + start..][..rows.length]);
            let weights = &weights[segment * rows.length..][..rows.length];
            for k in 0..rows.length {
                let [left, right] = weights[k];
                for r in 0..N {
                    let value = simd.splat_f32s(x[r][k]);
                    sums[r][0] = simd.mul_add_f32s(value, left, sums[r][0]);
                    sums[r][1] = simd.mul_add_f32s(value, right, sums[r][1]);
                }
            }
        }
        let first = panel * width;
        let n_columns = width.min(linear.n_out - first);
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut self.out[(row + r) * linear.n_out + first..][..n_columns];
            if n_columns == width {
                cast_slice_mut::<f32, [S::f32s; 2]>(out)[0] = *sums;
            } else {
                let values: &[f32] = cast_slice(sums);
                out.copy_from_slice(&values[..n_columns]);
            }
        }
    }
}

/// Runs a loop compiled for the widest vectors this machine has.
#[inline(always)]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// `eˣ`, good to 4e-7 of its value for x from −86 to 87; beyond, about what it is at −87 or 87.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding it leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let whole = rounded - ROUND;
    // ln 2 in two parts, the first exact in few bits, so that nothing is lost where x is large.
    let part = whole.mul_add(-0.693_359_4, x);
    let part = whole.mul_add(2.121_944_4e-4, part);
    // Taylor's series: within ±ln 2 / 2 its ninth term is below 1e-9.
    let series = [
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let mut sum: f32 = series[0];
    for term in &series[1..] {
        sum = sum.mul_add(part, *term);
    }
    f32::from_bits(sum.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// `ln(1 + eˣ)`, to 1e-6 or the last digit of an f32.
#[inline(always)]
fn softplus(x: f32) -> f32 {
    // Below 1e-7 the term is lost beside the rest, and its square would be slow: a denormal.
    let small = exp(-x.abs().min(16.0));
    // ln(1 + t) = 2 artanh(t / (2 + t)), whose argument is at most a third.
    let ratio = small / (2.0 + small);
    let square = ratio * ratio;
    let series = [
        1.0 / 13.0,
        1.0 / 11.0,
        1.0 / 9.0,
        1.0 / 7.0,
        0.2,
        1.0 / 3.0,
        1.0,
    ];
    let mut sum: f32 = series[0];
    for term in &series[1..] {
        sum = sum.mul_add(square, *term);
    }
    x.max(0.0) + 2.0 * ratio * sum
}

#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    2.0f32.mul_add(sigmoid(2.0 * x), -1.0)
}

/// SwooshL: `ln(1 + e^(x−4)) − 0.08 x − 0.035`.
pub(crate) fn swoosh_l(values: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            for x in values {
                *x = softplus(*x - 4.0) - 0.08 * *x - 0.035;
            }
        },
    );
}

/// SwooshR: `ln(1 + e^(x−1)) − 0.08 x − 0.313261687`.
pub(crate) fn swoosh_r(values: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            for x in values {
                *x = softplus(*x - 1.0) - 0.08 * *x - 0.313_261_7;
            }
        },
    );
}

/// `sums += more`, value by value.
pub(crate) fn add(sums: &mut [f32], more: &[f32]) {
    vectorized(
        #[inline(always)]
        || {
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum += more;
            }
        },
    );
}

/// `sums[i] += factor · values[i]`.
#[inline(always)]
pub(crate) fn add_scaled(sums: &mut [f32], factor: f32, values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = factor.mul_add(*value, *sum);
    }
}

/// `sums[i] += a[i] · b[i]`.
#[inline(always)]
pub(crate) fn multiply_add(sums: &mut [f32], a: &[f32], b: &[f32]) {
    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
        *sum = a.mul_add(*b, *sum);
    }
}

/// Turns scores into probabilities.
#[inline(always)]
pub(crate) fn softmax(scores: &mut [f32]) {
    let mut peaks = [f32::NEG_INFINITY; 16];
    for part in scores.chunks(16) {
        for (peak, score) in peaks.iter_mut().zip(part) {
            *peak = if *score > *peak { *score } else { *peak };
        }
    }
    let peak = peaks.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut totals = [0.0f32; 16];
    for part in scores.chunks_mut(16) {
        for (total, score) in totals.iter_mut().zip(part) {
            *score = exp(*score - peak);
            *total += *score;
        }
    }
    let scale = 1.0 / totals.iter().sum::<f32>();
    for score in scores.iter_mut() {
        *score *= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0)
            .collect()
    }

    #[test]
    fn products_agree_with_the_definition_for_every_number_of_rows() {
        for (n_rows, n_in, n_out) in [(1, 3, 5), (2, 8, 32), (7, 9, 33), (19, 24, 70), (16, 5, 1)] {
            let (x, weights, bias) = (values(n_rows * n_in), values(n_in * n_out), values(n_out));
            let linear = Linear::new(&weights, n_out, Some(&bias));
            let mut out = vec![0.0; n_rows * n_out];
            linear.apply_plain(&x, &mut out);
            for row in 0..n_rows {
                for column in 0..n_out {
                    let wanted: f32 = (0..n_in)
                        .map(|k| x[row * n_in + k] * weights[k * n_out + column])
                        .sum::<f32>()
                        + bias[column];
                    assert!((out[row * n_out + column] - wanted).abs() < 1e-4);
                }
            }
        }
    }

    #[test]
    fn rows_of_several_runs_are_the_patches_of_a_convolution() {
        // A 3 × 4 plane, patches of 2 × 2: rows 0 and 1, columns moving by one.
        let plane = values(12);
        let rows = Rows {
            outer: 2,
            outer_stride: 4,
            inner: 3,
            inner_stride: 1,
            segments: 2,
            segment_stride: 4,
            length: 2,
        };
        let linear = Linear::new(&[1.0, 10.0, 100.0, 1000.0], 1, None);
        let mut out = [0.0; 6];
        linear.apply(&plane, rows, &mut out);
        for (at, got) in out.iter().enumerate() {
            let corner = at / 3 * 4 + at % 3;
            let wanted = plane[corner]
                + 10.0 * plane[corner + 1]
                + 100.0 * plane[corner + 4]
                + 1000.0 * plane[corner + 5];
            assert!((got - wanted).abs() < 1e-2, "{got} {wanted}");
        }
    }

    #[test]
    fn functions_agree_with_double_precision() {
        for step in -4300..4350 {
            let x = step as f32 / 50.0;
            let wide = f64::from(x);
            assert!(
                (f64::from(exp(x)) / wide.exp() - 1.0).abs() < 4e-7,
                "exp {x}"
            );
            assert!(
                (f64::from(softplus(x)) - wide.exp().ln_1p()).abs() < 1e-5,
                "softplus {x}"
            );
            assert!((f64::from(tanh(x)) - wide.tanh()).abs() < 1e-6, "tanh {x}");
            assert!(
                (f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp())).abs() < 1e-6,
                "sigmoid {x}"
            );
        }
    }

    #[test]
    fn softmax_sums_to_one_and_forgets_what_is_masked() {
        let mut scores = [1.0, -1000.0, 3.0, 2.0];
        softmax(&mut scores);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(scores[1] < 1e-30);
    }
}
