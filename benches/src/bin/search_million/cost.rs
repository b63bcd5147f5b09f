//! What work costs, by the clock and in processor time.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What a piece of work took.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// By the clock.
    pub(crate) wall: Duration,
    /// Of all threads.
    pub(crate) processor: Duration,
}

impl Cost {
    pub(crate) const MAX: Self = Self {
        wall: Duration::MAX,
        processor: Duration::MAX,
    };

    /// Runs it.
    pub(crate) fn of(work: impl FnOnce() -> Result<()>) -> Result<Self> {
        let (start, before) = (Instant::now(), processor_time());
        work()?;
        let processor = processor_time().saturating_sub(before);
        Ok(Self {
            wall: start.elapsed(),
            processor,
        })
    }

    /// The smaller of each.
    pub(crate) fn min(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            processor: self.processor.min(other.processor),
        }
    }
}

/// Processor time of the threads that now live, to the nanosecond; zero where the system does not tell.
pub(crate) fn threads_time() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten();
    let times = tasks.flatten().filter_map(|task| {
        let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

/// User and system time of this process, all threads; zero where the system does not tell.
pub(crate) fn processor_time() -> Duration {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else {
        return Duration::ZERO;
    };
    // Fields after the command in parentheses; ticks are hundredths of a second on Linux.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: u64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .flat_map(str::parse::<u64>)
        .sum();
    Duration::from_millis(ticks * 10)
}
