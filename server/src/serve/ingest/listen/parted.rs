//! Utterances that were cut because they had grown too long: whether their speaker paused behind them, or went on.

use std::time::Instant;

use super::teller::TOLD_WITHIN;
use super::timeline::Timeline;

/// Where an utterance of one channel was cut, until it is known what follows. Times are milliseconds of the call.
#[derive(Debug)]
pub(super) struct Parted {
    /// Silence that ends speech, milliseconds of the client.
    pause_ms: u64,
    /// End of the utterance, and since when the pause behind it is known.
    cut: Option<(u64, Option<Instant>)>,
}

impl Parted {
    /// For a channel whose speech ends after silence of `pause_ms`.
    pub(super) const fn new(pause_ms: u64) -> Self {
        Self {
            pause_ms,
            cut: None,
        }
    }

    /// An utterance was cut, and one behind it that begins at `begun_ms` was told of already.
    pub(super) fn cut(&mut self, end_ms: u64, begun_ms: Option<u64>, timeline: &Timeline) {
        self.cut = Some((end_ms, None));
        if let Some(begun_ms) = begun_ms {
            self.goes_on(begun_ms, timeline);
        }
    }

    /// An utterance behind it begins here, not always the next one: where that leaves no room for a pause, there was none.
    pub(super) fn goes_on(&mut self, begun_ms: u64, timeline: &Timeline) {
        let is_part = |(end_ms, _): &(u64, _)| !self.is_pause(*end_ms, begun_ms, timeline);
        if self.cut.as_ref().is_some_and(is_part) {
            self.cut = None;
        }
    }

    /// The next utterance began at `start_ms`: where its speaker paused before, gives where.
    pub(super) fn next_began(&mut self, start_ms: u64, timeline: &Timeline) -> Option<u64> {
        let end_ms = self.end()?;
        self.is_pause(end_ms, start_ms, timeline).then_some(end_ms)
    }

    /// No utterance that is still to come begins before `begun_ms`: where that makes a pause, and all that was said is told by
    /// now, gives where it begins.
    pub(super) fn look(&mut self, begun_ms: u64, timeline: &Timeline, now: Instant) -> Option<u64> {
        let (end_ms, since) = self.cut?;
        if !self.is_pause(end_ms, begun_ms, timeline) {
            return None;
        }
        let since = since.unwrap_or(now);
        self.cut = Some((end_ms, Some(since)));
        match now.duration_since(since) >= TOLD_WITHIN {
            true => self.end(),
            false => None,
        }
    }

    /// Nothing follows any more: where the speech ended, unless that was told.
    pub(super) fn end(&mut self) -> Option<u64> {
        self.cut.take().map(|(end_ms, _)| end_ms)
    }

    fn is_pause(&self, end_ms: u64, until_ms: u64, timeline: &Timeline) -> bool {
        timeline.client_ms(until_ms) >= timeline.client_ms(end_ms) + self.pause_ms
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_goes_on_ends_no_speech() {
        let (mut parted, mut timeline) = (Parted::new(640), Timeline::default());
        parted.cut(1_000, None, &timeline);
        assert_eq!(parted.next_began(1_639, &timeline), None);
        assert_eq!(parted.end(), None, "it is known what follows");
        parted.cut(2_000, Some(2_000), &timeline);
        assert_eq!(parted.end(), None);
        parted.cut(2_000, None, &timeline);
        parted.goes_on(2_639, &timeline);
        assert_eq!(parted.end(), None);
        // Silence of ours is no pause of theirs.
        timeline.put_in(3_000, 1_340);
        parted.cut(3_000, None, &timeline);
        assert_eq!(parted.next_began(4_400, &timeline), None);
    }

    #[test]
    fn who_is_told_of_may_not_be_the_next_one() {
        let (mut parted, timeline) = (Parted::new(640), Timeline::default());
        parted.cut(1_000, Some(2_100), &timeline);
        parted.goes_on(3_200, &timeline);
        assert_eq!(parted.next_began(1_000, &timeline), None);
        assert_eq!(parted.end(), None);
    }

    #[test]
    fn a_pause_behind_a_cut_ends_the_speech_once() {
        let (mut parted, timeline) = (Parted::new(640), Timeline::default());
        parted.cut(1_000, Some(1_640), &timeline);
        assert_eq!(parted.next_began(1_640, &timeline), Some(1_000));
        assert_eq!(parted.end(), None);
        parted.cut(5_000, None, &timeline);
        assert_eq!(parted.end(), Some(5_000));

        parted.cut(7_000, None, &timeline);
        let began = Instant::now();
        let mut check = |begun_ms, passed: Duration, expected| {
            let paused = parted.look(begun_ms, &timeline, began + passed);
            assert_eq!(paused, expected, "{begun_ms}");
        };
        check(7_639, Duration::ZERO, None);
        check(7_640, TOLD_WITHIN, None);
        check(7_700, 2 * TOLD_WITHIN - Duration::from_millis(1), None);
        check(7_800, 2 * TOLD_WITHIN, Some(7_000));
        check(9_000, 3 * TOLD_WITHIN, None);
    }
}
