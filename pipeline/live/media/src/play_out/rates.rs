//! From a codec's rate to the leg's, so that nothing moves.

use auricle_audio::Resampler;

/// Converts one channel, run by run. Within a run the output is late by the filter (4 ms at ratio 2, 30 ms at others) but
/// never shifted: sample `k` of it belongs to the time of sample `k`.
pub(super) struct Rates {
    resampler: Resampler,
    /// Of the run.
    n_in: u64,
    n_out: u64,
}

impl Rates {
    /// `None` where no filter can be made for these rates.
    pub(super) fn new(from_hz: u32, to_hz: u32) -> Option<Self> {
        let resampler = Resampler::new(from_hz, to_hz).ok()?;
        Some(Self {
            resampler,
            n_in: 0,
            n_out: 0,
        })
    }

    /// Samples of the output that belong to what came, and did not come out.
    pub(super) fn n_waiting(&self) -> u64 {
        let n_all = self.resampler.n_output_frames(self.n_in);
        n_all.saturating_sub(self.n_out)
    }

    /// Appends what can be told by now. Where the filter fails, silence is told.
    pub(super) fn convert(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let n_before = out.len();
        let is_converted = self.resampler.process(samples, out).is_ok();
        self.n_in = self.n_in.saturating_add(samples.len() as u64);
        self.n_out = self.n_out.saturating_add((out.len() - n_before) as u64);
        if !is_converted {
            self.finish(out);
        }
    }

    /// Appends what waits, as if silence followed. The next samples begin another run.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) {
        let n_samples = out.len() + usize::try_from(self.n_waiting()).unwrap_or(0);
        if self.resampler.finish(out).is_err() {
            self.resampler.restart();
        }
        out.resize(n_samples, 0.0);
        (self.n_in, self.n_out) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_run_is_as_long_as_what_came(
            runs in proptest::collection::vec(proptest::collection::vec(0_usize..1_000, 0..6), 1..4),
            from_hz in prop_oneof![Just(8_000_u32), Just(16_000), Just(44_100), Just(48_000)],
            to_hz in prop_oneof![Just(8_000_u32), Just(16_000)],
        ) {
            let mut rates = Rates::new(from_hz, to_hz).unwrap();
            for run in runs {
                let mut out = Vec::new();
                let mut n_in = 0;
                for n in run {
                    n_in += n as u64;
                    rates.convert(&vec![0.5; n], &mut out);
                    let n_all = rates.resampler.n_output_frames(n_in);
                    prop_assert_eq!(out.len() as u64 + rates.n_waiting(), n_all);
                }
                rates.finish(&mut out);
                prop_assert_eq!(rates.n_waiting(), 0);
                let n_all = rates.resampler.n_output_frames(n_in);
                prop_assert_eq!(out.len() as u64, n_all);
            }
        }
    }
}
