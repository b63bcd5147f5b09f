//! Products with weights that are bytes, as quantised graphs keep them: four at a time where the machine can (VNNI).
//!
//! Rows become bytes as by ONNX's `DynamicQuantizeLinear`, but each by itself, so that what a stream gives does not depend on
//! the streams it is stepped with. Sums are exact; the only error is that of rounding a row to 255 steps between its least
//! and its greatest value.

#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "the instructions are there: the machine was asked"
    )
)]

use crate::kernel::Rows;

/// Most values of a row.
const MOST_INPUTS: usize = 4_096;
/// Values that one instruction multiplies and adds up.
const GROUP: usize = 4;
/// Columns of a panel: two vectors of sums.
const WIDTH: usize = 32;

/// A weight matrix of bytes and its bias.
#[derive(Debug)]
pub(crate) struct Bytes {
    n_in: usize,
    n_out: usize,
    /// `[panel][group of inputs][column][input of the group]`, filled up with zeros.
    panels: Vec<i8>,
    columns: Columns,
}

/// What is known of each column, up to the end of the last panel.
#[derive(Debug)]
struct Columns {
    /// What a step of a byte is worth.
    steps: Vec<f32>,
    /// Sum of its bytes.
    sums: Vec<i32>,
    bias: Vec<f32>,
}

impl Bytes {
    /// From `weights` as `[n_in][n_out]` that are whole multiples, −128 to 127, of `steps` (one of all, or one of each column).
    /// `None` where they are not, or where this machine multiplies floats as fast.
    pub(crate) fn new(weights: &[f32], steps: &[f32], n_out: usize, bias: &[f32]) -> Option<Self> {
        let n_in = weights.len() / n_out;
        if !can_multiply() || n_in > MOST_INPUTS {
            return None;
        }
        let step = |column: usize| steps[column % steps.len()];
        let (n_groups, n_padded) = (n_in.div_ceil(GROUP), n_out.next_multiple_of(WIDTH));
        let mut panels = vec![0; n_padded * n_groups * GROUP];
        let mut sums = vec![0; n_padded];
        for (at, weight) in weights.iter().enumerate() {
            let (input, column) = (at / n_out, at % n_out);
            let whole = (weight / step(column)).round();
            if !(-128.0..=127.0).contains(&whole)
                || (whole * step(column) - weight).abs() > 1e-3 * step(column)
            {
                return None;
            }
            let (panel, within) = (column / WIDTH, column % WIDTH);
            let group = panel * n_groups + input / GROUP;
            panels[(group * WIDTH + within) * GROUP + input % GROUP] = whole as i8;
            sums[column] += whole as i32;
        }
        let padded = |values: &dyn Fn(usize) -> f32| {
            let value = |column| if column < n_out { values(column) } else { 0.0 };
            (0..n_padded).map(value).collect()
        };
        Some(Self {
            n_in,
            n_out,
            panels,
            columns: Columns {
                steps: padded(&step),
                sums,
                bias: padded(&|column| bias[column]),
            },
        })
    }

    pub(crate) fn n_in(&self) -> usize {
        self.n_in
    }

    pub(crate) fn n_out(&self) -> usize {
        self.n_out
    }

    /// `out = x · weights + bias`, for `rows` of `x`; `out` is `[rows][n_out]`.
    pub(crate) fn apply(&self, x: &[f32], rows: Rows, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `new` asked for the instructions.
        unsafe {
            vnni::apply(self, x, rows, out);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (self, x, rows, out);
    }
}

/// Whether this machine multiplies bytes faster than floats.
fn can_multiply() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[cfg(target_arch = "x86_64")]
mod vnni {
    use std::arch::x86_64::{
        __m512i, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps,
        _mm512_loadu_si512, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_mullo_epi32,
        _mm512_reduce_max_ps, _mm512_reduce_min_ps, _mm512_set1_epi32, _mm512_set1_ps,
        _mm512_setzero_ps, _mm512_setzero_si512, _mm512_storeu_ps, _mm512_sub_epi32,
    };

    use pulp::bytemuck::cast_slice_mut;

    use super::{Bytes, GROUP, MOST_INPUTS, WIDTH};
    use crate::kernel::Rows;

    /// Half a panel.
    const LANES: usize = WIDTH / 2;
    /// Rows that are multiplied at a time: their sums fit the registers.
    const BLOCK: usize = 8;

    /// Rows as bytes.
    struct Quantised {
        /// `[group][row]`: what is multiplied at a time lies together.
        groups: [[i32; BLOCK]; MOST_INPUTS / GROUP],
        /// What a step is worth, and which one is nought.
        scales: [(f32, i32); BLOCK],
    }

    /// [`Bytes::apply`].
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn apply(weights: &Bytes, x: &[f32], rows: Rows, out: &mut [f32]) {
        let mut quantised = Quantised {
            groups: [[0; BLOCK]; MOST_INPUTS / GROUP],
            scales: [(0.0, 0); BLOCK],
        };
        let mut whole = [0; MOST_INPUTS / GROUP];
        let n_groups = weights.n_in.div_ceil(GROUP);
        let blocks = out.chunks_mut(BLOCK * weights.n_out);
        for (block, out) in blocks.enumerate() {
            let n_rows = out.len() / weights.n_out;
            for row in 0..n_rows {
                let offset = rows.offset(block * BLOCK + row);
                quantised.scales[row] = quantise(&x[offset..], rows, cast_slice_mut(&mut whole));
                for (groups, group) in quantised.groups.iter_mut().zip(&whole[..n_groups]) {
                    groups[row] = *group;
                }
            }
            if n_rows > BLOCK / 2 {
                multiply::<BLOCK>(weights, &quantised, 0, out);
            } else {
                for (row, out) in out.chunks_exact_mut(weights.n_out).enumerate() {
                    multiply::<1>(weights, &quantised, row, out);
                }
            }
        }
    }

    /// Writes the bytes of a row and tells what a step is worth and which is nought.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn quantise(x: &[f32], rows: Rows, bytes: &mut [u8]) -> (f32, i32) {
        /// Adding it leaves the nearest whole number in the low bits.
        const ROUND: f32 = 12_582_912.0;
        let segment = |at: usize| &x[at * rows.segment_stride..][..rows.length];
        let (mut leasts, mut greatests) = (_mm512_setzero_ps(), _mm512_setzero_ps());
        let (mut least, mut greatest) = (0.0f32, 0.0f32);
        for at in 0..rows.segments {
            let parts = segment(at).chunks_exact(LANES);
            for x in parts.remainder() {
                (least, greatest) = (least.min(*x), greatest.max(*x));
            }
            for part in parts {
                let part = load_floats(part);
                leasts = _mm512_min_ps(part, leasts);
                greatests = _mm512_max_ps(part, greatests);
            }
        }
        let least = least.min(_mm512_reduce_min_ps(leasts));
        let greatest = greatest.max(_mm512_reduce_max_ps(greatests));
        let step = ((greatest - least) / 255.0).max(f32::MIN_POSITIVE);
        let (per_step, nought) = (1.0 / step, (-least / step).round());
        for at in 0..rows.segments {
            let bytes = &mut bytes[at * rows.length..][..rows.length];
            for (byte, x) in bytes.iter_mut().zip(segment(at)) {
                let place = x.mul_add(per_step, nought).clamp(0.0, 255.0);
                *byte = (place + ROUND).to_bits() as u8;
            }
        }
        (step, nought as i32)
    }

    /// `N` rows from `row` on, as many of them as `out` has, against all panels.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn multiply<const N: usize>(
        weights: &Bytes,
        quantised: &Quantised,
        row: usize,
        out: &mut [f32],
    ) {
        let n_groups = weights.n_in.div_ceil(GROUP);
        let groups = &quantised.groups[..n_groups];
        let panels = weights.panels.chunks_exact(n_groups * WIDTH * GROUP);
        for (panel, bytes) in panels.enumerate() {
            let mut sums = [[_mm512_setzero_si512(); 2]; N];
            for (group, fours) in bytes.chunks_exact(WIDTH * GROUP).zip(groups) {
                let (left, right) = group.split_at(LANES * GROUP);
                let (left, right) = (load_bytes(left), load_bytes(right));
                for r in 0..N {
                    let four = _mm512_set1_epi32(fours[row + r]);
                    sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], four, left);
                    sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], four, right);
                }
            }
            let first = panel * WIDTH;
            let n_columns = WIDTH.min(weights.n_out - first);
            let rows = sums.iter().zip(out.chunks_exact_mut(weights.n_out));
            for (r, (sums, out)) in rows.enumerate() {
                let mut values = [0.0f32; WIDTH];
                let (step, nought) = quantised.scales[row + r];
                for (half, sums) in sums.iter().enumerate() {
                    let columns = first + half * LANES;
                    let shift = _mm512_mullo_epi32(
                        _mm512_set1_epi32(nought),
                        load_sums(&weights.columns.sums[columns..][..LANES]),
                    );
                    let whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(*sums, shift));
                    let scale = _mm512_mul_ps(
                        _mm512_set1_ps(step),
                        load_floats(&weights.columns.steps[columns..][..LANES]),
                    );
                    let bias = load_floats(&weights.columns.bias[columns..][..LANES]);
                    let value = _mm512_fmadd_ps(whole, scale, bias);
                    // SAFETY: half of the values are as many as a vector has.
                    unsafe { _mm512_storeu_ps(values[half * LANES..].as_mut_ptr(), value) };
                }
                out[first..][..n_columns].copy_from_slice(&values[..n_columns]);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load_bytes(values: &[i8]) -> __m512i {
        assert!(values.len() == LANES * GROUP);
        // SAFETY: as many bytes as a vector has.
        unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load_sums(values: &[i32]) -> __m512i {
        assert!(values.len() == LANES);
        // SAFETY: as many values as a vector has.
        unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load_floats(values: &[f32]) -> std::arch::x86_64::__m512 {
        assert!(values.len() == LANES);
        // SAFETY: as many values as a vector has.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_off_by_no_more_than_rounding_the_row() {
        for (n_rows, n_in, n_out) in [(1, 3, 5), (2, 8, 32), (7, 9, 33), (19, 130, 70), (16, 5, 1)]
        {
            let x: Vec<f32> = (0..n_rows * n_in)
                .map(|at| ((at * 37 % 101) as f32 - 30.0) / 25.0)
                .collect();
            let bytes: Vec<f32> = (0..n_in * n_out)
                .map(|at| (at * 73 % 256) as f32 - 128.0)
                .collect();
            let steps: Vec<f32> = (0..n_out).map(|at| 0.01 + 0.001 * at as f32).collect();
            let weights: Vec<f32> = (0..n_in * n_out)
                .map(|at| bytes[at] * steps[at % n_out])
                .collect();
            let bias: Vec<f32> = (0..n_out).map(|at| at as f32 - 3.0).collect();
            let Some(linear) = Bytes::new(&weights, &steps, n_out, &bias) else {
                assert!(!can_multiply());
                return;
            };
            let mut out = vec![0.0; n_rows * n_out];
            linear.apply(&x, Rows::plain(n_rows, n_in), &mut out);
            for (at, got) in out.iter().enumerate() {
                let (row, column) = (at / n_out, at % n_out);
                let row = &x[row * n_in..][..n_in];
                let column_of = |k: usize| weights[k * n_out + column];
                let exact = (0..n_in).map(|k| f64::from(row[k] * column_of(k)));
                let wanted = exact.sum::<f64>() as f32 + bias[column];
                let greatest = row.iter().copied().fold(0.0, f32::max);
                let least = row.iter().copied().fold(0.0, f32::min);
                let size: f32 = (0..n_in).map(|k| column_of(k).abs()).sum();
                // Half a step, and as much again where nought itself was rounded.
                let bound = (greatest - least) / 255.0 * size + 1e-3;
                assert!((got - wanted).abs() <= bound, "{got} {wanted} {bound}");
            }
        }
    }

    #[test]
    fn weights_that_are_no_bytes_stay_floats() {
        assert!(Bytes::new(&[0.5, 0.25], &[1.0], 1, &[0.0]).is_none());
        assert!(Bytes::new(&[200.0, 1.0], &[1.0], 1, &[0.0]).is_none());
        assert!(Bytes::new(&[f32::NAN, 1.0], &[1.0], 1, &[0.0]).is_none());
        assert!(Bytes::new(&[1.0, 1.0], &[0.0], 1, &[0.0]).is_none());
    }

    #[test]
    fn rows_of_nothing_and_of_one_value_are_exact() {
        let Some(linear) = Bytes::new(&[1.0, 2.0, -3.0, 4.0], &[1.0], 2, &[10.0, 20.0]) else {
            return;
        };
        let mut out = [0.0; 2];
        linear.apply(&[0.0, 0.0], Rows::plain(1, 2), &mut out);
        assert_eq!(out, [10.0, 20.0]);
        linear.apply(&[5.0, 5.0], Rows::plain(1, 2), &mut out);
        assert!(
            (out[0] - 0.0).abs() < 1e-4 && (out[1] - 50.0).abs() < 1e-4,
            "{out:?}"
        );
    }
}
