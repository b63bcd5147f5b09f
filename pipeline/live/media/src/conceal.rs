//! What is told in the place of audio that did not come.
//!
//! The last period of the voice is said again and again, ever fainter: in the spirit of ITU-T G.711, appendix I, which does
//! more (longer pieces as the hole grows, a delay of 3.75 ms to blend into it, and a second search for the period).
//!
//! | part | how |
//! | --- | --- |
//! | period | the lag of 2.5 to 15 ms (400 to 67 Hz) at which the last 20 ms are most like what was before them, by normalised cross-correlation |
//! | repetition | that much of the end, again and again; the last quarter of a round goes over into what came before the first |
//! | level | as it was for 10 ms, then down in a straight line, to nothing at 60 ms |
//! | afterwards | the first 2.5 ms of what comes go over from it, unless their bytes must stay |
//!
//! Its limits: a hole of one packet in a vowel is hardly heard; noise and consonants get a tone, two speakers the period of
//! one, and a hole in which a sound ends or begins gets more or less of it than was said. Nobody should judge a voice by it.

/// The past that is looked at.
const HISTORY_US: u32 = 40_000;
/// What is compared.
const WINDOW_US: u32 = 20_000;
const LEAST_PERIOD_US: u32 = 2_500;
const MOST_PERIOD_US: u32 = 15_000;
const FULL_US: u32 = 10_000;
const FADED_US: u32 = 60_000;
const JOIN_US: u32 = 2_500;
/// Samples a second that are compared, of however many there are: enough to tell periods apart.
const COMPARED_HZ: u32 = 8_000;
/// Power that is no sound: the compared would be divided by nothing.
const NO_POWER: f32 = 1e-9;

/// Hears one channel and stands in for it where it is interrupted. Samples are −1 to 1. Allocates when it is made, never
/// later.
pub(crate) struct Concealer {
    rate_hz: u32,
    /// The last samples, concealed ones as well; silence before the first.
    history: Vec<f32>,
    /// What is repeated.
    period: Vec<f32>,
    /// Samples since the last that was heard.
    n_concealed: usize,
}

impl Concealer {
    pub(crate) fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz,
            history: vec![0.0; samples(rate_hz, HISTORY_US)],
            period: Vec::with_capacity(samples(rate_hz, MOST_PERIOD_US)),
            n_concealed: 0,
        }
    }

    /// Takes what was heard: any hole before it is over.
    pub(crate) fn hear(&mut self, heard: &[f32]) {
        if !heard.is_empty() {
            self.n_concealed = 0;
            self.remember(heard);
        }
    }

    /// Appends what stands in for the next `n` samples.
    pub(crate) fn conceal(&mut self, n: usize, out: &mut Vec<f32>) {
        if self.n_concealed == 0 {
            self.choose_period();
        }
        let n_before = out.len();
        let to = self.n_concealed.saturating_add(n);
        out.extend((self.n_concealed..to).map(|idx| self.stand_in(idx)));
        self.n_concealed = to;
        self.remember(out.get(n_before..).unwrap_or_default());
    }

    /// Lets the beginning of what is heard next go over from what stood in. Does nothing where nothing did.
    pub(crate) fn join(&self, heard: &mut [f32]) {
        if self.n_concealed == 0 {
            return;
        }
        let n_join = samples(self.rate_hz, JOIN_US);
        for (idx, sample) in heard.iter_mut().take(n_join).enumerate() {
            let stand_in = self.stand_in(self.n_concealed.saturating_add(idx));
            *sample = blend(stand_in, *sample, idx, n_join);
        }
    }

    /// What was heard is long ago.
    pub(crate) fn forget(&mut self) {
        self.history.fill(0.0);
        self.n_concealed = 0;
    }

    /// What stands in for the sample that is so far into the hole.
    fn stand_in(&self, idx: usize) -> f32 {
        let in_period = idx.checked_rem(self.period.len());
        let sample = in_period.and_then(|idx| self.period.get(idx)).copied();
        sample.unwrap_or(0.0) * self.gain(idx)
    }

    fn gain(&self, idx: usize) -> f32 {
        let full = samples(self.rate_hz, FULL_US);
        let faded = samples(self.rate_hz, FADED_US);
        let fading = faded.saturating_sub(full).max(1);
        1.0 - idx.saturating_sub(full).min(fading) as f32 / fading as f32
    }

    fn choose_period(&mut self) {
        let n_period = self.most_alike();
        let start = self.history.len().saturating_sub(n_period);
        let (past, last) = self.history.split_at(start);
        self.period.clear();
        self.period.extend_from_slice(last);
        let n_blend = self.period.len() / 4;
        let (_, before) = past.split_at(past.len().saturating_sub(n_blend));
        let n_kept = self.period.len().saturating_sub(n_blend);
        let (_, tail) = self.period.split_at_mut(n_kept);
        for (idx, (sample, before)) in tail.iter_mut().zip(before).enumerate() {
            *sample = blend(*sample, *before, idx, n_blend);
        }
    }

    /// The lag at which the end is most like what was before it; of equals the shortest.
    fn most_alike(&self) -> usize {
        let least = samples(self.rate_hz, LEAST_PERIOD_US).max(1);
        let most = samples(self.rate_hz, MOST_PERIOD_US);
        let mut found = (most, 0.0_f32);
        for lag in least..=most {
            let likeness = self.likeness(lag);
            if likeness > found.1 {
                found = (lag, likeness);
            }
        }
        found.0
    }

    /// How alike the end is to what was `lag` before it, times the root of the end's power.
    fn likeness(&self, lag: usize) -> f32 {
        let n_history = self.history.len();
        let start = n_history.saturating_sub(samples(self.rate_hz, WINDOW_US));
        let recent = self.history.get(start..).unwrap_or_default();
        let earlier = start.saturating_sub(lag)..n_history.saturating_sub(lag);
        let earlier = self.history.get(earlier).unwrap_or_default();
        let stride = (self.rate_hz / COMPARED_HZ).max(1) as usize;
        let (mut product, mut power) = (0.0_f32, NO_POWER);
        for (now, before) in recent.iter().zip(earlier).step_by(stride) {
            product += now * before;
            power += before * before;
        }
        product / power.sqrt()
    }

    fn remember(&mut self, latest: &[f32]) {
        let n_history = self.history.len();
        let n_new = latest.len().min(n_history);
        self.history.copy_within(n_new.., 0);
        let (_, latest) = latest.split_at(latest.len() - n_new);
        let (_, place) = self.history.split_at_mut(n_history - n_new);
        place.copy_from_slice(latest);
    }
}

/// From one to the other, in `n` steps.
fn blend(from: f32, to: f32, idx: usize, n: usize) -> f32 {
    let share = (idx + 1) as f32 / (n + 1) as f32;
    from + share * (to - from)
}

/// Samples in so many microseconds.
fn samples(rate_hz: u32, us: u32) -> usize {
    let samples = u64::from(rate_hz) * u64::from(us) / 1_000_000;
    usize::try_from(samples).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    fn sine(rate_hz: u32, tone_hz: f32, from: usize, n: usize) -> Vec<f32> {
        let step = TAU * tone_hz / rate_hz as f32;
        let tone = |idx: usize| 0.5 * (step * idx as f32).sin();
        (from..from + n).map(tone).collect()
    }

    fn power(samples: &[f32]) -> f32 {
        let sum: f32 = samples.iter().map(|sample| sample * sample).sum();
        sum / samples.len() as f32
    }

    fn db(power: f32) -> f32 {
        10.0 * power.max(1e-12).log10()
    }

    #[test]
    fn a_tone_goes_on_and_fades() {
        for rate_hz in [8_000, 16_000, 44_100, 48_000] {
            for tone_hz in [100.0, 150.0, 237.0, 440.0] {
                let ms = |ms: usize| rate_hz as usize * ms / 1_000;
                let tone = sine(rate_hz, tone_hz, 0, ms(200));
                let (heard, missing) = tone.split_at(ms(100));
                let mut concealer = Concealer::new(rate_hz);
                concealer.hear(heard);
                let mut told = Vec::new();
                concealer.conceal(ms(7), &mut told);
                concealer.conceal(ms(100) - ms(7), &mut told);
                assert_eq!(told.len(), missing.len());
                // It is the tone that would have come: same frequency, same phase.
                let (told_20, missing_20) = (&told[..ms(20)], &missing[..ms(20)]);
                let both = told_20.iter().zip(missing_20);
                let product: f32 = both.map(|(told, missing)| told * missing).sum();
                let powers = power(told_20) * power(missing_20);
                let likeness = product / (told_20.len() as f32 * powers.sqrt());
                assert!(likeness > 0.95, "{rate_hz} {tone_hz}: {likeness}");
                let change_db = db(power(told_20)) - db(power(missing_20));
                assert!(change_db.abs() < 1.0, "{rate_hz} {tone_hz}: {change_db}");
                let rest_db = db(power(&told[ms(60)..])) - db(power(heard));
                assert!(rest_db < -30.0, "{rate_hz} {tone_hz}: {rest_db}");
            }
        }
    }

    #[test]
    fn no_step_where_rounds_meet() {
        let mut concealer = Concealer::new(8_000);
        let tone = sine(8_000, 313.0, 0, 800);
        concealer.hear(&tone);
        let mut told = tone;
        concealer.conceal(480, &mut told);
        let steps = told.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        let longest = steps.fold(0.0, f32::max);
        // The tone itself steps by 0.5 · 2π · 313 / 8000 at most.
        assert!(longest < 0.16, "{longest}");
    }

    #[test]
    fn silence_stays_silence() {
        let mut concealer = Concealer::new(8_000);
        let mut told = Vec::new();
        concealer.conceal(160, &mut told);
        concealer.hear(&[0.0; 160]);
        concealer.conceal(160, &mut told);
        concealer.hear(&[0.5; 160]);
        concealer.forget();
        concealer.conceal(160, &mut told);
        assert_eq!(told, [0.0; 480]);
    }

    #[test]
    fn what_comes_next_goes_over() {
        let mut concealer = Concealer::new(8_000);
        concealer.hear(&sine(8_000, 200.0, 0, 400));
        let mut heard = [0.0; 160];
        concealer.join(&mut heard);
        assert_eq!(heard, [0.0; 160], "nothing stood in");
        concealer.conceal(40, &mut Vec::new());
        let whole = sine(8_000, 200.0, 440, 160);
        let mut joined = whole.clone();
        concealer.join(&mut joined);
        assert_eq!(joined[20..], whole[20..]);
        let is_near = |(a, b): (&f32, &f32)| (a - b).abs() < 0.05;
        assert!(joined.iter().zip(&whole).all(is_near));
        concealer.hear(&joined);
        concealer.join(&mut heard);
        assert_eq!(heard, [0.0; 160], "it is over");
    }

    proptest! {
        #[test]
        fn never_louder_than_what_was_heard(
            heard in proptest::collection::vec(-1.0_f32..=1.0, 0..700),
            holes in proptest::collection::vec(0_usize..900, 1..4),
            rate_hz in prop_oneof![Just(8_000_u32), Just(16_000), Just(44_100)],
        ) {
            let mut concealer = Concealer::new(rate_hz);
            concealer.hear(&heard);
            let loudest = heard.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
            for n in holes {
                let mut told = Vec::new();
                concealer.conceal(n, &mut told);
                prop_assert_eq!(told.len(), n);
                for sample in told {
                    prop_assert!(sample.is_finite() && sample.abs() <= loudest * 1.001);
                }
            }
        }
    }
}
