use crate::atomic::{AtomicBool, AtomicU64, Ordering};

/// Length of a leg, once it is known. One thread tells it.
#[derive(Debug, Default)]
pub struct LegEnd {
    duration_ms: AtomicU64,
    is_over: AtomicBool,
}

impl LegEnd {
    /// The leg is over after this many milliseconds. To be told after the last of it was passed on, and after its last marks.
    pub fn tell(&self, duration_ms: u64) {
        self.duration_ms.store(duration_ms, Ordering::Relaxed);
        self.is_over.store(true, Ordering::Release);
    }

    /// Its length, milliseconds; `None` while the leg goes on.
    pub fn read(&self) -> Option<u64> {
        let is_over = self.is_over.load(Ordering::Acquire);
        is_over.then(|| self.duration_ms.load(Ordering::Relaxed))
    }
}
