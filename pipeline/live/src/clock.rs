//! The pipeline's clock, so that tests can bring their own.

use std::time::Instant;

/// Microseconds that only go up.
pub trait Clock: Send + Sync {
    /// Now.
    fn now_us(&self) -> u64;
}

/// The machine's.
#[derive(Clone, Copy, Debug)]
pub struct MachineClock {
    began: Instant,
}

impl MachineClock {
    /// Begins at 0.
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

impl Default for MachineClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MachineClock {
    fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }
}
