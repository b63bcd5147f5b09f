//! What a call under way is: who speaks on which leg, what it is heard and judged by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_insight::Judge;
use auricle_speech::SpeechModel;

use crate::unpack::LegCounts;

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
    /// How its audio comes: `replay`, `audiosocket`, `stream`, `listen`.
    pub source: &'static str,
    /// Who speaks on each leg, from channel 0; at least one.
    pub legs: Vec<NewLeg>,
    /// What hears it.
    pub model: Arc<SpeechModel>,
    /// What judges it.
    pub judge: Arc<Judge>,
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

/// How far a leg has come, told from stage to stage. One thread writes each value.
#[derive(Debug, Default)]
pub(crate) struct LegProgress {
    /// When the leg's first sample would have come had nothing been late, microseconds of the pipeline's clock.
    origin_us: AtomicI64,
    /// After the front end.
    pub(crate) front: Reached,
    /// After recognition.
    pub(crate) heard: Reached,
    received: AtomicU64,
    lost: AtomicU64,
    late: AtomicU64,
    jumps: AtomicU64,
}

/// How far a stage is with a leg, milliseconds from the start of the call.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    settled_ms: AtomicU64,
    begun_ms: AtomicU64,
}

/// What a stage has done of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Every utterance that ends before this has been given.
    pub(crate) settled_ms: u64,
    /// Every utterance that starts before this has been given, in part or whole.
    pub(crate) begun_ms: u64,
}

impl Marks {
    /// A leg of which nothing is known.
    pub(crate) const NONE: Self = Self {
        settled_ms: 0,
        begun_ms: 0,
    };
    /// A leg that is over.
    pub(crate) const OVER: Self = Self {
        settled_ms: u64::MAX,
        begun_ms: u64::MAX,
    };
}

impl Reached {
    /// To be told after what it speaks of has been passed on.
    pub(crate) fn tell(&self, marks: Marks) {
        self.settled_ms.store(marks.settled_ms, Ordering::Release);
        self.begun_ms.store(marks.begun_ms, Ordering::Release);
    }

    /// To be read before what was passed on is taken.
    pub(crate) fn read(&self) -> Marks {
        Marks {
            settled_ms: self.settled_ms.load(Ordering::Acquire),
            begun_ms: self.begun_ms.load(Ordering::Acquire),
        }
    }
}

impl LegProgress {
    pub(crate) fn new() -> Self {
        Self {
            origin_us: AtomicI64::new(i64::MAX),
            ..Self::default()
        }
    }

    /// A packet that ends at `media_us` of the leg came at `came_us`.
    pub(crate) fn came(&self, media_us: u64, came_us: u64) {
        let origin_us = came_us as i64 - media_us as i64;
        if origin_us < self.origin_us.load(Ordering::Relaxed) {
            self.origin_us.store(origin_us, Ordering::Relaxed);
        }
    }

    /// How long ago the sound at `media_ms` of the leg was there, microseconds; `None` before anything came.
    pub(crate) fn age_us(&self, media_ms: u64, now_us: u64) -> Option<u64> {
        let origin_us = self.origin_us.load(Ordering::Relaxed);
        let at_us = origin_us.checked_add((media_ms * 1000) as i64)?;
        Some((now_us as i64).saturating_sub(at_us).max(0) as u64)
    }

    pub(crate) fn count(&self, counts: LegCounts) {
        self.received.store(counts.received, Ordering::Relaxed);
        self.lost.store(counts.lost, Ordering::Relaxed);
        self.late.store(counts.late, Ordering::Relaxed);
        self.jumps.store(counts.jumps, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> LegCounts {
        LegCounts {
            received: self.received.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
            late: self.late.load(Ordering::Relaxed),
            jumps: self.jumps.load(Ordering::Relaxed),
        }
    }
}
