//! `Finalize`: silence that ends what was said, and the answers that are owed for it.
//!
//! ```text
//! Finalize ─▶ PutIn ─ where, and how much silence ─▶ Owed ─ its utterance, or nothing was said ─▶ answered
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::teller::TOLD_WITHIN;

/// Silence is put in only where so much audio came since the last time, milliseconds: less has no words to be ended, and a few
/// bytes would become megabytes of a recording.
const LEAST_AUDIO_MS: u64 = 100;
/// Silence that was put in and is heard but for its last frame and what resampling holds back has ended what it could.
const UNHEARD_MS: u64 = 150;
/// Silence that was put in and ended nothing.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// What a `Finalize` puts into the call, milliseconds of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) at_ms: u64,
    /// 0: nothing is put in.
    pub(super) length_ms: u64,
}

/// The client's samples beside the call's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct PutIn {
    rate_hz: u32,
    /// Silence that ends an utterance, milliseconds.
    length_ms: u64,
    /// All that was put in, milliseconds.
    sum_ms: u64,
    /// Samples that had come when it was put in last.
    last_at: u64,
}

impl PutIn {
    /// For a stream of `rate_hz` samples a second whose utterances end after silence of `length_ms`.
    pub(super) const fn new(rate_hz: u32, length_ms: u64) -> Self {
        Self {
            rate_hz,
            length_ms,
            sum_ms: 0,
            last_at: 0,
        }
    }

    /// A `Finalize` behind `n_samples` of each of the client's channels.
    pub(super) fn finalize(&mut self, n_samples: u64) -> Silence {
        let at_ms = self.ms(n_samples) + self.sum_ms;
        if self.ms(n_samples - self.last_at) < LEAST_AUDIO_MS {
            return Silence {
                at_ms,
                length_ms: 0,
            };
        }
        self.last_at = n_samples;
        self.sum_ms += self.length_ms;
        Silence {
            at_ms,
            length_ms: self.length_ms,
        }
    }

    fn ms(&self, n_samples: u64) -> u64 {
        n_samples * 1000 / u64::from(self.rate_hz)
    }
}

/// What one channel owes.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// In the order of their places.
    waiting: VecDeque<Ending>,
}

/// Silence that was put in, until what it ended is told.
#[derive(Debug)]
struct Ending {
    silence: Silence,
    /// Every `Finalize` has one: those behind which nothing was put in, too. 0: they were for the other channel.
    n_answers: u32,
    /// Since when all before it is heard.
    heard: Option<Instant>,
    /// Since when it is heard itself.
    silent: Option<Instant>,
}

/// Answers that nothing was said before this place of the call, one or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nothing {
    pub(super) at_ms: u64,
    pub(super) n_answers: u32,
}

/// What is to be answered when an utterance is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// Before it.
    pub(super) before: Vec<Nothing>,
    /// With it; the utterance itself is the first.
    pub(super) here: Option<Nothing>,
}

impl Owed {
    /// A `Finalize` that is to be answered so many times (0 or 1) on this channel: with what its silence ends or, where none
    /// was put in, with the one before. Gives what is to be answered at once, for nothing is waited for.
    pub(super) fn finalize(&mut self, silence: Silence, n_answers: u32) -> Option<Nothing> {
        if silence.length_ms > 0 {
            self.waiting.push_back(Ending {
                silence,
                n_answers,
                heard: None,
                silent: None,
            });
            return None;
        }
        match self.waiting.back_mut() {
            Some(last) => {
                last.n_answers = last.n_answers.saturating_add(n_answers);
                None
            }
            None => nothing(silence.at_ms, n_answers),
        }
    }

    /// An utterance is told, from and to milliseconds of the call: none that ends before comes any more. One that ends so
    /// shortly before the silence was put in that it alone would not have ended it is what the silence ended.
    pub(super) fn told(&mut self, [from_ms, to_ms]: [u64; 2], trailing_ms: u64) -> Answers {
        let is_reached = |ending: &Ending| ending.silence.at_ms < to_ms + trailing_ms;
        let n_reached = self.waiting.partition_point(is_reached);
        let mut answers = Answers::default();
        for ending in self.waiting.drain(..n_reached) {
            let at_ms = ending.silence.at_ms;
            if at_ms <= from_ms {
                answers.before.extend(ending.nothing());
            } else {
                let n_before = answers.here.map_or(0, |here| here.n_answers);
                answers.here = nothing(at_ms, n_before.saturating_add(ending.n_answers));
            }
        }
        answers
    }

    /// The channel is heard so far: what is to be answered because nothing came of it.
    pub(super) fn in_vain(&mut self, settled_ms: u64, now: Instant) -> Vec<Nothing> {
        // All are looked at, for each has its own time; they are in vain in their order.
        let endings = self.waiting.iter_mut();
        let n_in_vain = endings
            .map(|ending| ending.is_in_vain(settled_ms, now))
            .filter(|is_in_vain| *is_in_vain)
            .count();
        let in_vain = self.waiting.drain(..n_in_vain);
        in_vain.filter_map(|ending| ending.nothing()).collect()
    }

    /// The call is over: nothing else is said.
    pub(super) fn rest(&mut self) -> Vec<Nothing> {
        let rest = self.waiting.drain(..);
        rest.filter_map(|ending| ending.nothing()).collect()
    }
}

impl Ending {
    fn nothing(&self) -> Option<Nothing> {
        nothing(self.silence.at_ms, self.n_answers)
    }

    /// Whether all is heard, and no utterance came of it.
    fn is_in_vain(&mut self, settled_ms: u64, now: Instant) -> bool {
        let since = |since: &mut Option<Instant>, is_so: bool| {
            if is_so {
                since.get_or_insert(now);
            }
            since.map_or(Duration::ZERO, |since| now.duration_since(since))
        };
        let Silence { at_ms, length_ms } = self.silence;
        let until_ms = at_ms + length_ms.saturating_sub(UNHEARD_MS);
        let heard = since(&mut self.heard, settled_ms >= at_ms);
        let silent = since(&mut self.silent, settled_ms >= until_ms);
        silent >= TOLD_WITHIN || heard >= ENDS_WITHIN
    }
}

fn nothing(at_ms: u64, n_answers: u32) -> Option<Nothing> {
    (n_answers > 0).then_some(Nothing { at_ms, n_answers })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAILING_MS: u64 = 640;

    fn silence(at_ms: u64) -> Silence {
        Silence {
            at_ms,
            length_ms: 1_340,
        }
    }

    fn none(at_ms: u64) -> Silence {
        Silence {
            at_ms,
            length_ms: 0,
        }
    }

    #[test]
    fn silence_is_put_in_where_a_tenth_of_a_second_came_since_the_last() {
        let mut put_in = PutIn::new(8_000, 11_000);
        let mut check = |n_samples, at_ms, length_ms| {
            let silence = Silence { at_ms, length_ms };
            assert_eq!(put_in.finalize(n_samples), silence, "{n_samples}");
        };
        check(0, 0, 0);
        check(1, 0, 0);
        check(799, 99, 0);
        check(800, 100, 11_000);
        check(800, 11_100, 0);
        check(1_599, 11_199, 0);
        // What came before counts, too, until something is put in.
        check(1_600, 11_200, 11_000);
        check(1_600, 22_200, 0);
    }

    #[test]
    fn every_finalize_is_answered() {
        let mut owed = Owed::default();
        assert_eq!(owed.finalize(none(0), 1), nothing(0, 1));
        assert_eq!(owed.finalize(silence(1_000), 1), None);
        // Before the first is answered.
        assert_eq!(owed.finalize(none(2_340), 1), None);
        assert_eq!(owed.finalize(none(2_340), 1), None);
        assert_eq!(owed.finalize(silence(3_000), 1), None);
        let answers = owed.told([200, 900], TRAILING_MS);
        let here = nothing(1_000, 3);
        assert_eq!(
            answers,
            Answers {
                before: Vec::new(),
                here
            }
        );
        assert_eq!(owed.rest(), [nothing(3_000, 1).unwrap()]);
        assert!(owed.rest().is_empty());
    }

    #[test]
    fn what_ended_nothing_is_answered_before_what_is_said_behind_it() {
        let mut owed = Owed::default();
        owed.finalize(silence(1_000), 1);
        owed.finalize(silence(4_000), 1);
        owed.finalize(silence(9_000), 1);
        let answers = owed.told([2_500, 3_900], TRAILING_MS);
        assert_eq!(answers.before, [nothing(1_000, 1).unwrap()]);
        assert_eq!(answers.here, nothing(4_000, 1));
        // It was over long before the next one.
        let answers = owed.told([6_000, 7_000], TRAILING_MS);
        assert_eq!(answers, Answers::default());
        assert_eq!(owed.rest(), [nothing(9_000, 1).unwrap()]);
    }

    #[test]
    fn silence_for_the_other_channel_is_waited_for() {
        let mut owed = Owed::default();
        owed.finalize(silence(1_000), 0);
        assert_eq!(owed.told([200, 900], TRAILING_MS), Answers::default());
        owed.finalize(silence(3_000), 0);
        // This one is for this channel, and what it asks for is not told yet.
        assert_eq!(owed.finalize(none(4_340), 1), None);
        let answers = owed.told([2_500, 2_900], TRAILING_MS);
        assert_eq!(answers.here, nothing(3_000, 1));
        assert_eq!(owed.finalize(none(4_340), 0), None);
    }

    #[test]
    fn silence_that_is_heard_and_ended_nothing_is_answered() {
        let mut owed = Owed::default();
        let began = Instant::now();
        owed.finalize(silence(1_000), 1);
        owed.finalize(none(2_340), 1);
        owed.finalize(silence(2_500), 1);
        let mut check = |settled_ms, passed_ms, expected: &[Nothing]| {
            let now = began + Duration::from_millis(passed_ms);
            assert_eq!(owed.in_vain(settled_ms, now), expected, "{passed_ms}");
        };
        check(900, 0, &[]);
        check(900, 60_000, &[]);
        // All before it is heard, and the silence to its end.
        check(1_100, 60_000, &[]);
        check(2_190, 60_100, &[]);
        check(2_200, 60_599, &[]);
        check(2_200, 60_600, &[nothing(1_000, 2).unwrap()]);
        // It does not go on.
        check(2_600, 61_000, &[]);
        check(2_600, 65_999, &[]);
        check(2_600, 66_000, &[nothing(2_500, 1).unwrap()]);
    }
}
