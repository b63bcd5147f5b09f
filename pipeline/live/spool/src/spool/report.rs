//! What a spool tells.

use std::path::PathBuf;

use crate::Ending;

/// What one barrier made durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Barrier {
    /// Recordings that had been written to since the barrier before.
    pub n_synced: usize,
    /// Finished recordings that were moved to `done`.
    pub n_moved: usize,
}

/// Counts since the spool was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolStats {
    /// Recordings under way.
    pub n_open: u64,
    /// Recordings that were begun.
    pub n_created: u64,
    /// Recordings that were finished.
    pub n_finished: u64,
    /// Written to files, headers included.
    pub n_written_bytes: u64,
    /// Flushes that wrote something.
    pub n_flushes: u64,
    /// Writes that failed, a full disk's included.
    pub n_failures: u64,
    /// Barriers.
    pub n_barriers: u64,
}

/// What lies in a spool's folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolUsage {
    /// Files under way or cut off.
    pub n_open: u64,
    /// Their bytes.
    pub open_bytes: u64,
    /// Files that are done.
    pub n_done: u64,
    /// Their bytes.
    pub done_bytes: u64,
    /// Files that were put aside, those included in which there is nothing.
    pub n_broken: u64,
    /// Their bytes.
    pub broken_bytes: u64,
}

/// What became of a recording that a crash left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It is done: whole chunks are kept. `Damaged` recordings are kept as they are, unsealed.
    Done {
        /// Where it lies now.
        path: PathBuf,
        /// `Finished`, `Sealed` or `Damaged`.
        ending: Ending,
    },
    /// It had no header yet, or a damaged one: nothing in it can be read, and it lies aside.
    Broken {
        /// Where it lies now.
        path: PathBuf,
    },
}
