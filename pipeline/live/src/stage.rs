//! What all stages are: something that a thread, or a simulation, runs a turn at a time.

/// Whether there was anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There may be more.
    Worked,
    /// Nothing until something comes in.
    Idle,
}

impl Turn {
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Idle, Self::Idle) => Self::Idle,
            _ => Self::Worked,
        }
    }

    pub(crate) const fn worked_if(worked: bool) -> Self {
        match worked {
            true => Self::Worked,
            false => Self::Idle,
        }
    }
}

/// A stage on one thread.
pub(crate) trait Stage: Send {
    /// Does what there is to do, and comes back soon.
    fn turn(&mut self) -> Turn;
}
