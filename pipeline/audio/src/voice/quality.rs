//! How even a voice is from one period to the next: jitter and shimmer.
//!
//! Periods are followed through a voiced stretch by the lag at which the sound about a mark is most like
//! the sound about the next. This keeps to the wave's form, where peaks would be shifted by noise.

use super::spectrum::{HOP_SAMPLES, WINDOW_SAMPLES};
use super::stats::Moments;

/// A period may differ from the frame's by this much.
const STRETCH: f32 = 1.2;
/// Less alike than this, two periods are no neighbours.
const LEAST_LIKENESS: f32 = 0.7;

/// A period that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Period {
    samples: f32,
    level_db: f32,
}

/// Follows periods, utterance by utterance.
#[derive(Default)]
pub(super) struct Quality {
    /// Sample of the utterance that the next period is looked for from.
    mark: Option<usize>,
    last: Option<Period>,
    periods: Moments,
    differences: Moments,
    level_differences: Moments,
}

impl Quality {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Difference of neighbouring periods over their mean; 0 without any.
    pub(super) fn jitter_ratio(&self) -> f32 {
        match self.differences.n() > 0.0 {
            true => self.differences.mean() / self.periods.mean().max(1.0),
            false => 0.0,
        }
    }

    /// Difference of neighbouring periods' levels, dB; 0 without any.
    pub(super) fn shimmer_db(&self) -> f32 {
        self.level_differences.mean()
    }

    /// Takes the next frame, which begins at sample `from` of the utterance; `samples` begin at `kept_from`.
    pub(super) fn push(
        &mut self,
        samples: &[f32],
        kept_from: usize,
        from: usize,
        period: Option<f32>,
    ) {
        let Some(period) = period else {
            (self.mark, self.last) = (None, None);
            return;
        };
        // The middle of the frame is what its pitch is best for.
        let middle = from + (WINDOW_SAMPLES - HOP_SAMPLES) / 2;
        let mut mark = self.mark.unwrap_or(middle);
        while mark < middle + HOP_SAMPLES {
            let found = mark
                .checked_sub(kept_from)
                .and_then(|at| next_period(samples, at, period));
            self.note(found);
            // Nothing alike: a period further on there may be.
            mark += found.map_or(period, |found| found.samples).round().max(1.0) as usize;
        }
        self.mark = Some(mark);
    }

    fn note(&mut self, found: Option<Period>) {
        if let (Some(last), Some(here)) = (self.last, found) {
            self.periods.push(here.samples);
            self.differences.push((here.samples - last.samples).abs());
            self.level_differences
                .push((here.level_db - last.level_db).abs());
        }
        self.last = found;
    }
}

/// The period that begins at `at`, near to `expected` samples long.
fn next_period(samples: &[f32], at: usize, expected: f32) -> Option<Period> {
    let width = expected.round() as usize;
    let (shortest, longest) = (
        (expected / STRETCH) as usize,
        (expected * STRETCH) as usize + 1,
    );
    let here = samples.get(at..at + width)?;
    let likeness = |lag: usize| {
        let there = samples.get(at + lag..at + lag + width)?;
        let product: f32 = here.iter().zip(there).map(|(one, other)| one * other).sum();
        Some(product / (energy(here) * energy(there)).sqrt().max(1e-9))
    };
    let mut best = (shortest, f32::MIN);
    for lag in shortest..=longest {
        let value = likeness(lag)?;
        if value > best.1 {
            best = (lag, value);
        }
    }
    let (lag, top) = best;
    if top < LEAST_LIKENESS || lag == shortest || lag == longest {
        return None;
    }
    let (before, after) = (likeness(lag - 1)?, likeness(lag + 1)?);
    let bend = before - 2.0 * top + after;
    let shift = if bend < 0.0 {
        0.5 * (before - after) / bend
    } else {
        0.0
    };
    Some(Period {
        samples: lag as f32 + shift.clamp(-0.5, 0.5),
        level_db: 10.0 * (energy(here) / width as f32).max(1e-12).log10(),
    })
}

fn energy(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum()
}
