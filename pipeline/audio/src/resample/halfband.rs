//! Doubling and halving the rate by a half-band FIR filter.
//!
//! In a half-band filter every second tap is zero but the middle one. Split into two phases, one
//! phase is a plain delay and only the other has to be computed: doubling copies the input to the
//! even output frames and interpolates the odd ones, halving averages the even input frames with
//! an interpolation of the odd ones. So [`PHASE_TAPS`] multiplications are spent on two frames of
//! the higher rate, and doubling followed by taking every second frame gives back the input bit
//! for bit.

use super::design::half_band_phase;

/// Taps of the computed phase; the whole prototype has `2 * PHASE_TAPS - 1`.
pub(super) const PHASE_TAPS: usize = 64;
/// Half of the phase: frames of the lower rate that must be known beyond the one computed.
pub(super) const HALF: usize = PHASE_TAPS / 2;
/// Frames of the lower rate computed together: four SSE registers of sums.
const LANES: usize = 16;
/// Frames of the lower rate worked on at a time; two windows of it stay in the first-level cache.
const CHUNK: usize = 1024;
/// History kept between calls.
const CONTEXT: usize = PHASE_TAPS - 1;

/// The computed phase of the filter, run over a window with its history in front.
struct Phase {
    /// First half of the taps; the second mirrors it.
    taps: [f32; HALF],
    /// `CONTEXT` frames of history, then frames not yet computed, then room to read beyond.
    window: Vec<f32>,
    /// Valid frames in `window`.
    n_filled: usize,
}

impl Phase {
    fn new() -> Self {
        Self {
            taps: half_band_phase(),
            window: vec![0.0; CONTEXT + CHUNK + LANES],
            n_filled: 0,
        }
    }

    /// `n_before` frames of silence as history: with `HALF - 1` the first value computed lies after
    /// the first frame, with `HALF` before it.
    fn restart(&mut self, n_before: usize) {
        self.window.fill(0.0);
        self.n_filled = n_before;
    }

    /// Room to be filled before [`Self::run`] must be called; never empty after it.
    fn free(&mut self) -> &mut [f32] {
        &mut self.window[self.n_filled..CONTEXT + CHUNK]
    }

    /// Values that can be computed.
    fn n_ready(&self) -> usize {
        self.n_filled.saturating_sub(CONTEXT)
    }

    /// Calls `emit(frames, values)` for all that can be computed, some at a time: frames of the
    /// window and the values half a frame after each.
    fn run(&mut self, mut emit: impl FnMut(&[f32], &[f32])) {
        let n_outputs = self.n_ready();
        let mut start = 0;
        while start < n_outputs {
            let n_lanes = LANES.min(n_outputs - start);
            let sums = self.interpolate(start);
            let centre = start + HALF - 1;
            emit(&self.window[centre..centre + n_lanes], &sums[..n_lanes]);
            start += LANES;
        }
        self.window.copy_within(n_outputs..self.n_filled, 0);
        self.n_filled -= n_outputs;
    }

    /// `LANES` interpolated values from `start` on. Always all of them, in one order of summation,
    /// so that the result does not depend on how the input was cut.
    #[inline]
    fn interpolate(&self, start: usize) -> [f32; LANES] {
        let mut sums = [0.0_f32; LANES];
        let window = &self.window[start..start + CONTEXT + LANES];
        for (tap_idx, &tap) in self.taps.iter().enumerate() {
            let early = &window[tap_idx..tap_idx + LANES];
            let late = &window[CONTEXT - tap_idx..CONTEXT - tap_idx + LANES];
            for lane in 0..LANES {
                sums[lane] += tap * (early[lane] + late[lane]);
            }
        }
        sums
    }
}

/// Rate times two.
pub(super) struct Doubler {
    phase: Phase,
}

impl Doubler {
    pub(super) fn new() -> Self {
        let mut doubler = Self {
            phase: Phase::new(),
        };
        doubler.restart();
        doubler
    }

    pub(super) fn restart(&mut self) {
        self.phase.restart(HALF - 1);
    }

    /// Appends two output frames for every input frame, `HALF` input frames late; the first output
    /// frame belongs to the first input frame.
    pub(super) fn process(&mut self, input: &[f32], out: &mut Vec<f32>) {
        out.reserve(2 * input.len());
        let mut rest = input;
        while !rest.is_empty() {
            let free = self.phase.free();
            let (now, later) = rest.split_at(rest.len().min(free.len()));
            free[..now.len()].copy_from_slice(now);
            self.phase.n_filled += now.len();
            self.emit(out);
            rest = later;
        }
    }

    fn emit(&mut self, out: &mut Vec<f32>) {
        let n_before = out.len();
        out.resize(n_before + 2 * self.phase.n_ready(), 0.0);
        let mut target = out[n_before..].chunks_exact_mut(2);
        self.phase.run(|even, odd| {
            for ((&even, &odd), pair) in even.iter().zip(odd).zip(&mut target) {
                pair[0] = even;
                pair[1] = odd;
            }
        });
    }
}

/// Rate divided by two.
pub(super) struct Halver {
    /// Odd input frames.
    phase: Phase,
    /// Even input frames not yet averaged with the interpolated value at their place.
    even: Vec<f32>,
    n_even: usize,
    /// An even frame whose odd partner has not come yet.
    unpaired: Option<f32>,
}

impl Halver {
    pub(super) fn new() -> Self {
        let mut halver = Self {
            phase: Phase::new(),
            even: vec![0.0; CONTEXT + CHUNK],
            n_even: 0,
            unpaired: None,
        };
        halver.restart();
        halver
    }

    pub(super) fn restart(&mut self) {
        self.phase.restart(HALF);
        self.n_even = 0;
        self.unpaired = None;
    }

    /// Appends one output frame for two input frames, `2 * HALF` input frames late; the first
    /// output frame belongs to the first input frame.
    pub(super) fn process(&mut self, input: &[f32], out: &mut Vec<f32>) {
        out.reserve(input.len() / 2 + 1);
        let mut rest = input;
        if let (Some(even), Some((&odd, later))) = (self.unpaired, rest.split_first()) {
            self.unpaired = None;
            rest = later;
            self.push(&[even, odd]);
            self.emit(out);
        }
        while rest.len() > 1 {
            let n_pairs = (rest.len() / 2).min(self.phase.free().len());
            let (now, later) = rest.split_at(2 * n_pairs);
            self.push(now);
            self.emit(out);
            rest = later;
        }
        if let Some(&even) = rest.first() {
            self.unpaired = Some(even);
        }
    }

    fn push(&mut self, pairs: &[f32]) {
        let n_pairs = pairs.len() / 2;
        let even = &mut self.even[self.n_even..self.n_even + n_pairs];
        let odd = &mut self.phase.free()[..n_pairs];
        for ((even, odd), pair) in even.iter_mut().zip(odd).zip(pairs.chunks_exact(2)) {
            *even = pair[0];
            *odd = pair[1];
        }
        self.n_even += n_pairs;
        self.phase.n_filled += n_pairs;
    }

    fn emit(&mut self, out: &mut Vec<f32>) {
        let n_ready = self.phase.n_ready();
        let mut waiting = self.even[..n_ready].iter();
        self.phase.run(|_, interpolated| {
            let halves = interpolated.iter().zip(&mut waiting);
            out.extend(halves.map(|(&odd, &even)| 0.5 * (even + odd)));
        });
        self.even.copy_within(n_ready..self.n_even, 0);
        self.n_even -= n_ready;
    }
}
