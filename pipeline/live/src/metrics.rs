//! What the pipeline counts: nothing here locks or allocates.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

use auricle_contracts::AlertState;

/// Upper bounds of a histogram's buckets, milliseconds.
pub const BOUNDS_MS: [u64; 20] = [
    1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 400, 500, 700, 1_000, 1_500, 2_500, 5_000,
    10_000,
];

/// How often something took how long.
#[derive(Debug, Default)]
pub struct Histogram {
    /// One for each bound, and one for all that is longer.
    buckets: [AtomicU64; BOUNDS_MS.len() + 1],
    sum_us: AtomicU64,
}

/// A histogram as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Counts by [`BOUNDS_MS`]; the last is of all that was longer.
    pub buckets: [u64; BOUNDS_MS.len() + 1],
    /// All of it together, microseconds.
    pub sum_us: u64,
}

impl Histogram {
    fn record(&self, us: u64) {
        let place = BOUNDS_MS.partition_point(|bound_ms| bound_ms * 1000 < us);
        self.buckets[place].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// As it stands.
    pub fn read(&self) -> Measured {
        Measured {
            buckets: std::array::from_fn(|place| self.buckets[place].load(Ordering::Relaxed)),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

impl Measured {
    /// What was measured after `before`, which is of the same histogram.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            buckets: std::array::from_fn(|place| self.buckets[place] - before.buckets[place]),
            sum_us: self.sum_us - before.sum_us,
        }
    }

    /// How often anything was measured.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The bound that this share (0 to 1) stayed within; `None` where nothing was measured, or the share is longer
    /// than the last bound.
    pub fn within_ms(&self, share: f64) -> Option<u64> {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut n_seen = 0;
        let reached = self.buckets.iter().position(|n| {
            n_seen += n;
            n_seen >= wanted.max(1)
        });
        BOUNDS_MS.get(reached?).copied()
    }
}

/// Counts and times of one pipeline.
#[derive(Debug, Default)]
pub struct Metrics {
    /// From a packet's coming in to the partial that has its sound.
    pub packet_to_partial: Histogram,
    /// From the end of the configured silence after an utterance to its words.
    pub end_to_final: Histogram,
    /// From the last word of a hit to its alert, told while the utterance goes on.
    pub word_to_alert: Histogram,
    /// The same, told when the utterance is over: where whole ones are judged, or partials had other words.
    pub word_to_alert_at_end: Histogram,
    /// Packets before the front end.
    pub(crate) packets_waiting: AtomicU64,
    /// Speech before recognition, milliseconds.
    pub(crate) speech_waiting_ms: AtomicU64,
    /// Reports before judgement.
    pub(crate) reports_waiting: AtomicU64,
    partials_shed: AtomicU64,
    voices_shed: AtomicU64,
    stalls: AtomicU64,
    failures: AtomicU64,
    vad_failures: AtomicU64,
    steps: AtomicU64,
    stepped: AtomicU64,
    calls_opened: AtomicU64,
    calls_refused: AtomicU64,
    calls_ended: AtomicU64,
    connections_refused: AtomicU64,
    legs_off_pace: AtomicU64,
}

/// [`Metrics`] as they stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Partials left out because finals or others had to be told.
    pub partials_shed: u64,
    /// Utterances whose voice, and so its emotion, was not measured because recognition was behind.
    pub voices_shed: u64,
    /// Turns in which a stage could not pass on what it had.
    pub stalls: u64,
    /// Utterances or legs that could not be heard.
    pub failures: u64,
    /// Batches of frames that could not be judged.
    pub vad_failures: u64,
    /// Steps of recognition.
    pub steps: u64,
    /// Chunks that these steps took together.
    pub chunks: u64,
    /// Calls taken in.
    pub calls_opened: u64,
    /// Calls not taken in.
    pub calls_refused: u64,
    /// Calls over.
    pub calls_ended: u64,
    /// Connections that were refused, or ended because of what came.
    pub connections_refused: u64,
    /// Legs whose audio did not come at the pace of speech.
    pub legs_off_pace: u64,
    /// Packets that wait for the front end, of all legs.
    pub packets_waiting: u64,
    /// Speech that waits for recognition, milliseconds, of all legs.
    pub speech_waiting_ms: u64,
    /// Partials, utterances and others that wait for judgement.
    pub reports_waiting: u64,
}

impl Metrics {
    /// As they stand.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            partials_shed: read(&self.partials_shed),
            voices_shed: read(&self.voices_shed),
            stalls: read(&self.stalls),
            failures: read(&self.failures),
            vad_failures: read(&self.vad_failures),
            steps: read(&self.steps),
            chunks: read(&self.stepped),
            calls_opened: read(&self.calls_opened),
            calls_refused: read(&self.calls_refused),
            calls_ended: read(&self.calls_ended),
            connections_refused: read(&self.connections_refused),
            legs_off_pace: read(&self.legs_off_pace),
            packets_waiting: read(&self.packets_waiting),
            speech_waiting_ms: read(&self.speech_waiting_ms),
            reports_waiting: read(&self.reports_waiting),
        }
    }

    /// A connection was refused, or ended because of what came: whoever holds connections says so.
    pub fn connection_refused(&self) {
        add(&self.connections_refused, 1);
    }

    pub(crate) fn leg_off_pace(&self) {
        add(&self.legs_off_pace, 1);
    }

    pub(crate) fn partial_told(&self, age_us: Option<u64>) {
        record(&self.packet_to_partial, age_us);
    }

    pub(crate) fn final_told(&self, age_us: Option<u64>) {
        record(&self.end_to_final, age_us);
    }

    /// An alert was told for the first time.
    pub(crate) fn alert_told(&self, state: AlertState, age_us: Option<u64>) {
        match state {
            AlertState::Provisional => record(&self.word_to_alert, age_us),
            AlertState::Raised => record(&self.word_to_alert_at_end, age_us),
            AlertState::Confirmed | AlertState::Withdrawn => {}
        }
    }

    pub(crate) fn partials_shed(&self, n: u64) {
        add(&self.partials_shed, n);
    }

    pub(crate) fn voice_shed(&self) {
        add(&self.voices_shed, 1);
    }

    pub(crate) fn stalled(&self) {
        add(&self.stalls, 1);
    }

    pub(crate) fn stepped(&self, n_chunks: usize) {
        add(&self.steps, 1);
        add(&self.stepped, n_chunks as u64);
    }

    pub(crate) fn call_opened(&self) {
        add(&self.calls_opened, 1);
    }

    pub(crate) fn call_refused(&self) {
        add(&self.calls_refused, 1);
    }

    pub(crate) fn call_ended(&self) {
        add(&self.calls_ended, 1);
    }

    pub(crate) fn leg_failed(&self, cause: &dyn Display) {
        tracing::error!("a leg cannot be heard: {cause}");
        add(&self.failures, 1);
    }

    pub(crate) fn vad_failed(&self, cause: &dyn Display) {
        // The first of a row says it all.
        if self.vad_failures.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!("voice activity fails, all is taken for speech: {cause}");
        }
    }
}

/// What one worker of a stage has waiting, as part of a sum.
#[derive(Debug, Default)]
pub(crate) struct Depth {
    told: u64,
}

impl Depth {
    pub(crate) fn tell(&mut self, n_waiting: u64, sum: &AtomicU64) {
        // Over the end and back where it falls.
        sum.fetch_add(n_waiting.wrapping_sub(self.told), Ordering::Relaxed);
        self.told = n_waiting;
    }
}

fn record(histogram: &Histogram, age_us: Option<u64>) {
    if let Some(age_us) = age_us {
        histogram.record(age_us);
    }
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths_of_workers_add_up() {
        let sum = AtomicU64::new(0);
        let (mut one, mut other) = (Depth::default(), Depth::default());
        for (first, second) in [(3, 0), (5, 4), (0, 9), (2, 0)] {
            one.tell(first, &sum);
            other.tell(second, &sum);
            assert_eq!(sum.load(Ordering::Relaxed), first + second);
        }
    }

    #[test]
    fn shares_lie_within_the_bound_of_their_bucket() {
        let histogram = Histogram::default();
        for ms in [1, 2, 3, 4, 90, 100, 101, 20_000] {
            histogram.record(ms * 1000);
        }
        let measured = histogram.read();
        let within = |share| measured.within_ms(share);
        assert_eq!(measured.count(), 8);
        assert_eq!(
            [0.0, 0.125, 0.5, 0.75, 0.8, 1.0].map(within),
            [Some(1), Some(1), Some(5), Some(100), Some(150), None]
        );
        assert_eq!(Histogram::default().read().within_ms(0.5), None);
    }
}
