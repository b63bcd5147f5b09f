//! What a call under way is: who speaks on which leg, what it is heard and judged by.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_insight::Judge;
use auricle_progress::Reached;
use auricle_speech::SpeechModel;
use auricle_speech::segment::EndpointSettings;

use crate::packet::Packet;
use crate::unpack::LegCounts;

/// Audio that comes so much further ahead of the clock than any before comes faster than it is spoken, microseconds.
const ORIGIN_MOVED_US: i64 = 500_000;
/// For so long after that, microseconds.
const ORIGIN_SETTLES_US: u64 = 5_000_000;

/// Tells calls of one running pipeline apart; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallNumber(pub(crate) u64);

/// A call to be heard.
#[derive(Clone)]
pub struct NewCall {
    /// Its name in store and index.
    pub id: CallId,
    /// What is known of it.
    pub metadata: CallMetadata,
    /// How its audio comes: `replay`, `audiosocket`, `stream`, `listen`, `twilio`, `asterisk`, `audiohook`.
    pub source: &'static str,
    /// Who speaks on each leg, from channel 0; at least one.
    pub legs: Vec<NewLeg>,
    /// What hears it.
    pub model: Arc<SpeechModel>,
    /// When its utterances end; `None`: as the model is set.
    pub endpoint: Option<EndpointSettings>,
    /// What judges it.
    pub judge: Arc<Judge>,
}

impl NewCall {
    /// When its utterances end.
    pub fn endpoint(&self) -> EndpointSettings {
        self.endpoint.unwrap_or(self.model.settings().endpoint)
    }
}

/// A leg of a call to be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLeg {
    /// Who speaks.
    pub party: Party,
    /// Samples a second.
    pub rate_hz: u32,
}

/// Place of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LegKey {
    pub(crate) call: CallNumber,
    /// Also its channel.
    pub(crate) leg: usize,
}

/// How far a leg has come, told from stage to stage. One thread writes each value but that of the haste.
#[derive(Debug, Default)]
pub(crate) struct LegProgress {
    /// When the leg's first sample would have come had nothing been late, microseconds of the pipeline's clock.
    origin_us: AtomicI64,
    /// The same before it last moved by [`ORIGIN_MOVED_US`], and when it did; 0: never.
    origin_before_us: AtomicI64,
    origin_moved_us: AtomicU64,
    /// After the front end.
    pub(crate) front: Reached,
    /// After recognition.
    pub(crate) heard: Reached,
    /// Until then only what must not be left out is done, microseconds of the pipeline's clock.
    hurried_until_us: AtomicU64,
    /// Utterances whose voice was not measured for that.
    voices_shed: AtomicU64,
    received: AtomicU64,
    lost: AtomicU64,
    late: AtomicU64,
    filled: AtomicU64,
    jumps: AtomicU64,
    /// Packets that the feed keeps, as there is no room.
    n_kept: AtomicUsize,
    /// Those that a feed kept when it was dropped.
    left: Mutex<VecDeque<Packet>>,
    /// How fast its audio came, percent of the pace of speech, where that is another pace; 0: it is that.
    pace_percent: AtomicU32,
}

impl LegProgress {
    pub(crate) fn new() -> Self {
        Self {
            origin_us: AtomicI64::new(i64::MAX),
            origin_before_us: AtomicI64::new(i64::MAX),
            ..Self::default()
        }
    }

    /// A packet that ends at `media_us` of the leg came at `came_us`.
    pub(crate) fn came(&self, media_us: u64, came_us: u64) {
        let origin_us = came_us as i64 - media_us as i64;
        let least_us = self.origin_us.load(Ordering::Relaxed);
        if origin_us >= least_us {
            return;
        }
        self.origin_us.store(origin_us, Ordering::Relaxed);
        let before_us = self.origin_before_us.load(Ordering::Relaxed);
        if before_us == i64::MAX {
            self.origin_before_us.store(origin_us, Ordering::Relaxed);
        } else if before_us - origin_us > ORIGIN_MOVED_US {
            self.origin_before_us.store(origin_us, Ordering::Relaxed);
            self.origin_moved_us
                .store(came_us.max(1), Ordering::Relaxed);
        }
    }

    /// How long ago the sound at `media_ms` of the leg was there, microseconds; `None` before anything came, and while audio
    /// comes faster than it is spoken: nobody knows when that was.
    pub(crate) fn age_us(&self, media_ms: u64, now_us: u64) -> Option<u64> {
        let moved_us = self.origin_moved_us.load(Ordering::Relaxed);
        if moved_us > 0 && now_us < moved_us + ORIGIN_SETTLES_US {
            return None;
        }
        let at_us = self.at_us(media_ms)?;
        Some((now_us as i64).saturating_sub(at_us).max(0) as u64)
    }

    /// When the sound at `media_ms` of the leg was there, or would have been had the audio come as it is spoken; `None` before
    /// anything came.
    pub(crate) fn at_us(&self, media_ms: u64) -> Option<i64> {
        let origin_us = self.origin_us.load(Ordering::Relaxed);
        (origin_us != i64::MAX).then(|| origin_us.saturating_add((media_ms * 1000) as i64))
    }

    /// A stage is behind.
    pub(crate) fn hurry(&self, until_us: u64) {
        self.hurried_until_us.fetch_max(until_us, Ordering::Relaxed);
    }

    pub(crate) fn is_hurried(&self, now_us: u64) -> bool {
        now_us < self.hurried_until_us.load(Ordering::Relaxed)
    }

    pub(crate) fn voice_shed(&self) {
        self.voices_shed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn voices_shed(&self) -> u64 {
        self.voices_shed.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, counts: LegCounts) {
        self.received.store(counts.received, Ordering::Relaxed);
        self.lost.store(counts.lost, Ordering::Relaxed);
        self.late.store(counts.late, Ordering::Relaxed);
        self.jumps.store(counts.jumps, Ordering::Relaxed);
    }

    /// So many more samples are silence that nobody sent.
    pub(crate) fn filled(&self, n_samples: u64) {
        self.filled.fetch_add(n_samples, Ordering::Relaxed);
    }

    /// So many of them are taken back.
    pub(crate) fn took_back(&self, n_samples: u64) {
        self.filled.fetch_sub(n_samples, Ordering::Relaxed);
    }

    pub(crate) fn keeps(&self, n_packets: usize) {
        self.n_kept.store(n_packets, Ordering::SeqCst);
    }

    /// Packets that are neither in the ring nor heard.
    pub(crate) fn n_kept(&self) -> usize {
        self.n_kept.load(Ordering::SeqCst)
    }

    /// The feed ends and leaves these, the last.
    pub(crate) fn leave(&self, kept: VecDeque<Packet>) {
        if !kept.is_empty() {
            *self.left() = kept;
        }
    }

    /// The next packet that a feed left. Locks: to be asked when the feed is gone and the ring is empty.
    pub(crate) fn next_left(&self) -> Option<Packet> {
        let mut left = self.left();
        let next = left.pop_front();
        self.keeps(left.len());
        next
    }

    fn left(&self) -> MutexGuard<'_, VecDeque<Packet>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn off_pace(&self, percent: u32) {
        self.pace_percent.store(percent, Ordering::Relaxed);
    }

    pub(crate) fn pace_percent(&self) -> Option<u32> {
        Some(self.pace_percent.load(Ordering::Relaxed)).filter(|percent| *percent > 0)
    }

    pub(crate) fn counts(&self) -> LegCounts {
        LegCounts {
            received: self.received.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
            late: self.late.load(Ordering::Relaxed),
            filled: self.filled.load(Ordering::Relaxed),
            jumps: self.jumps.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leg of which packets of 20 ms come every so many milliseconds, for ten seconds.
    fn paced(progress: &LegProgress, every_us: u64) {
        for packet in 1..=500 {
            progress.came(packet * 20_000, 1_000_000 + packet * every_us);
        }
    }

    #[test]
    fn sound_is_as_old_as_it_is_since_it_was_there() {
        let progress = LegProgress::new();
        assert_eq!(progress.age_us(0, 5), None);
        paced(&progress, 20_000);
        assert_eq!(progress.age_us(10_000, 11_300_000), Some(300_000));
        // One that was late says nothing.
        progress.came(10_020_000, 11_900_000);
        assert_eq!(progress.age_us(10_000, 11_300_000), Some(300_000));
    }

    #[test]
    fn nobody_knows_how_old_sound_is_that_comes_faster_than_it_is_spoken() {
        let progress = LegProgress::new();
        paced(&progress, 5_000);
        assert_eq!(progress.age_us(10_000, 3_500_000), None);
        // A burst at the beginning is forgotten: what comes after it comes as it is spoken.
        let progress = LegProgress::new();
        progress.came(20_000, 1_000_000);
        progress.came(3_000_000, 1_000_000);
        assert_eq!(progress.age_us(3_000, 1_300_000), None);
        assert_eq!(progress.age_us(9_000, 7_300_000), Some(300_000));
    }

    #[test]
    fn the_longest_haste_counts() {
        let progress = LegProgress::new();
        progress.hurry(500);
        progress.hurry(300);
        assert!(progress.is_hurried(499) && !progress.is_hurried(500));
    }
}
