use crate::atomic::{AtomicU64, Ordering};

/// How far a stage is with a leg. One thread tells it.
#[derive(Debug, Default)]
pub struct Reached {
    settled_ms: AtomicU64,
    begun_ms: AtomicU64,
}

/// What a stage has done of a leg, milliseconds from the start of the call. Each value holds by itself, and never falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Every utterance that ends before this has been given.
    pub settled_ms: u64,
    /// Every utterance that starts before this has been given, in part or whole.
    pub begun_ms: u64,
}

impl Marks {
    /// A leg of which nothing is known.
    pub const NONE: Self = Self {
        settled_ms: 0,
        begun_ms: 0,
    };
    /// A leg that is over.
    pub const OVER: Self = Self {
        settled_ms: u64::MAX,
        begun_ms: u64::MAX,
    };
}

impl Reached {
    /// To be told after what it speaks of has been passed on.
    pub fn tell(&self, marks: Marks) {
        self.settled_ms.store(marks.settled_ms, Ordering::Release);
        self.begun_ms.store(marks.begun_ms, Ordering::Release);
    }

    /// To be read before what was passed on is taken.
    pub fn read(&self) -> Marks {
        Marks {
            settled_ms: self.settled_ms.load(Ordering::Acquire),
            begun_ms: self.begun_ms.load(Ordering::Acquire),
        }
    }
}
