//! How good the lines of calls were that are over: what `/metrics` tells of them.

use std::sync::atomic::{AtomicU64, Ordering};

use auricle_contracts::{LineProblem, LineQuality};

/// Upper bounds of opinions: those from 2.6 to 4.3 part how content listeners are (ITU-T G.107, table B.1).
const MOS_BOUNDS: [f64; 8] = [1.5, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3, 4.5];
/// Upper bounds of loss, of one.
const LOSS_BOUNDS: [f64; 8] = [0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5];
/// Sums are kept in these parts of one.
const PARTS: f64 = 1e6;

/// Counts over all lines of calls that are over. Nothing locks.
#[derive(Debug)]
pub(crate) struct LineFigures {
    /// Of lines that were heard.
    pub(crate) mos: Spread,
    /// Of lines of which something was sent.
    pub(crate) loss_ratio: Spread,
    problems: [AtomicU64; LineProblem::ALL.len()],
}

/// How often something was how large.
#[derive(Debug)]
pub(crate) struct Spread {
    bounds: &'static [f64],
    /// One for each bound, and one for all that is larger.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A [`Spread`] as it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SpreadNow {
    /// Bounds with how many are within them.
    pub(crate) within: Vec<(f64, u64)>,
    /// All that was counted.
    pub(crate) count: u64,
    pub(crate) sum: f64,
}

impl Default for LineFigures {
    fn default() -> Self {
        Self {
            mos: Spread::new(&MOS_BOUNDS),
            loss_ratio: Spread::new(&LOSS_BOUNDS),
            problems: Default::default(),
        }
    }
}

impl LineFigures {
    /// Takes in the lines of a call that is over.
    pub(crate) fn count(&self, lines: &[LineQuality]) {
        for line in lines {
            if let Some(mos) = line.mos {
                self.mos.count(mos);
            }
            if line.expected > 0 {
                self.loss_ratio.count(line.loss_percent / 100.0);
            }
            for problem in &line.problems {
                if let Some(n) = self.problems.get(*problem as usize) {
                    n.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// Lines that had each problem.
    pub(crate) fn problems(&self) -> impl Iterator<Item = (LineProblem, u64)> {
        let counts = self.problems.iter().map(|n| n.load(Ordering::Relaxed));
        LineProblem::ALL.into_iter().zip(counts)
    }
}

impl Spread {
    fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0));
        Self {
            bounds,
            counts: counts.collect(),
            sum: AtomicU64::new(0),
        }
    }

    fn count(&self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(n) = self.counts.get(place) {
            n.fetch_add(1, Ordering::Relaxed);
        }
        // Less than nothing, and what is no number, is nothing.
        let parts = (value * PARTS).round() as u64;
        self.sum.fetch_add(parts, Ordering::Relaxed);
    }

    /// As it stands.
    pub(crate) fn read(&self) -> SpreadNow {
        let mut count = 0;
        let mut within = Vec::new();
        for (place, n) in self.counts.iter().enumerate() {
            count += n.load(Ordering::Relaxed);
            within.extend(self.bounds.get(place).map(|bound| (*bound, count)));
        }
        SpreadNow {
            within,
            count,
            sum: self.sum.load(Ordering::Relaxed) as f64 / PARTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use auricle_contracts::Party;

    use super::*;
    use crate::lines::tests::{dead, good};

    #[test]
    fn lines_count_by_what_is_known_of_them() {
        let figures = LineFigures::default();
        let lossy = LineQuality {
            mos: Some(3.0),
            loss_percent: 12.0,
            problems: vec![LineProblem::HighLoss],
            ..good(Party::Agent)
        };
        figures.count(&[lossy, dead(Party::Customer)]);
        figures.count(&[good(Party::Agent)]);
        let mos = figures.mos.read();
        assert_eq!((mos.count, mos.sum), (2, 7.41));
        let of = |spread: &SpreadNow, bound: f64| {
            let found = spread.within.iter().find(|(has, _)| *has == bound);
            found.map(|(_, n)| *n)
        };
        assert_eq!(
            [2.6, 3.1, 4.3, 4.5].map(|bound| of(&mos, bound)),
            [Some(0), Some(1), Some(1), Some(2)]
        );
        let loss = figures.loss_ratio.read();
        assert_eq!((loss.count, loss.sum), (2, 0.12));
        assert_eq!(
            [0.0, 0.1, 0.5].map(|bound| of(&loss, bound)),
            [Some(1), Some(1), Some(2)]
        );
        let had: Vec<_> = figures.problems().filter(|(_, n)| *n > 0).collect();
        assert_eq!(had, [(LineProblem::NoAudio, 1), (LineProblem::HighLoss, 1)]);
    }
}
