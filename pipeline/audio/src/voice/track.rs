//! One pitch for each frame: the cheapest way through the candidates.

use std::collections::VecDeque;

use super::pitch::{Candidate, Candidates, N_PITCHES};

/// What an octave's jump between neighbouring frames costs.
const JUMP_COST: f32 = 0.35;
/// What it costs to begin or end a voiced stretch.
const VOICING_COST: f32 = 0.14;
/// Frames that are held back before the older half is decided: all ways through are one by then.
const MOST_WAITING: usize = 128;

const N_WAYS: usize = 1 + N_PITCHES;

#[derive(Clone, Copy)]
struct Step {
    candidates: Candidates,
    /// The candidate of the frame before that the best way to each one comes from.
    from: [u8; N_WAYS],
}

/// Viterbi search, in pieces.
#[derive(Default)]
pub(super) struct PitchTrack {
    steps: VecDeque<Step>,
    /// Worth of the best way to each candidate of the last frame.
    worth: [f32; N_WAYS],
    best: Vec<u8>,
}

impl PitchTrack {
    /// Takes a frame; appends the pitches of those that are decided by now.
    pub(super) fn push(&mut self, candidates: Candidates, out: &mut Vec<Option<Candidate>>) {
        let mut from = [0; N_WAYS];
        let mut worth = [0.0; N_WAYS];
        for (to, candidate) in candidates.iter().enumerate() {
            worth[to] = candidate.strength;
            let Some(last) = self.steps.back() else {
                continue;
            };
            let ways = last.candidates.iter().zip(&self.worth).enumerate();
            let best = ways
                .map(|(way, (before, worth))| (way, worth - cost(before.period, candidate.period)))
                .max_by(|(_, one), (_, other)| one.total_cmp(other));
            if let Some((way, best_worth)) = best {
                from[to] = way as u8;
                worth[to] += best_worth;
            }
        }
        // Only differences count; a long utterance must not use up the digits.
        let most = worth.iter().copied().fold(f32::MIN, f32::max);
        self.worth = worth.map(|value| value - most);
        self.steps.push_back(Step { candidates, from });
        if self.steps.len() >= MOST_WAITING {
            self.decide(MOST_WAITING / 2, out);
        }
    }

    /// Ends the utterance: appends the pitches of all frames that are left.
    pub(super) fn finish(&mut self, out: &mut Vec<Option<Candidate>>) {
        self.decide(self.steps.len(), out);
        self.clear();
    }

    pub(super) fn clear(&mut self) {
        self.steps.clear();
        self.worth = [0.0; N_WAYS];
    }

    fn decide(&mut self, n_frames: usize, out: &mut Vec<Option<Candidate>>) {
        let ends = self.worth.iter().enumerate();
        let end = ends.max_by(|(_, one), (_, other)| one.total_cmp(other));
        let mut way = end.map_or(0, |(way, _)| way as u8);
        self.best.clear();
        for step in self.steps.iter().rev() {
            self.best.push(way);
            way = step.from[usize::from(way)];
        }
        for (step, &way) in self.steps.drain(..n_frames).zip(self.best.iter().rev()) {
            let pitch = step.candidates[usize::from(way)];
            out.push((pitch.period > 0.0).then_some(pitch));
        }
    }
}

fn cost(from: f32, to: f32) -> f32 {
    match (from > 0.0, to > 0.0) {
        (true, true) => JUMP_COST * (from / to).log2().abs(),
        (false, false) => 0.0,
        _ => VOICING_COST,
    }
}
