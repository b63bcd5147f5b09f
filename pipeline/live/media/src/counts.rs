//! What all legs ever brought.

use std::sync::atomic::{AtomicU64, Ordering};

/// What all legs brought since the start, and the ports that are in use now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaCounts {
    /// Datagrams that were read, RTCP included.
    pub datagrams: u64,
    /// Their bytes, without headers of IP and UDP.
    pub bytes: u64,
    /// Datagrams that are neither RTP nor RTCP, or are longer than 2,048 bytes.
    pub unreadable: u64,
    /// Datagrams that SRTP refused: signed by nobody, damaged, or come before.
    pub unauthentic: u64,
    /// Datagrams that found no room in the kernel, as of the last second in which something came.
    pub dropped_by_kernel: u64,
    /// Packets that were left out, as the reader of their leg was too slow.
    pub no_room: u64,
    /// Pairs of ports in use.
    pub ports_in_use: usize,
    /// Pairs of ports there are.
    pub ports: usize,
}

/// Datagrams of a leg that were not heard, whoever sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) unreadable: u64,
    pub(crate) unauthentic: u64,
    pub(crate) no_room: u64,
}

/// Counts of one worker. Only it adds.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    datagrams: AtomicU64,
    bytes: AtomicU64,
    unreadable: AtomicU64,
    unauthentic: AtomicU64,
    dropped_by_kernel: AtomicU64,
    no_room: AtomicU64,
}

impl Counts {
    pub(crate) fn add_datagrams(&self, n: u64, n_bytes: u64) {
        self.datagrams.fetch_add(n, Ordering::Relaxed);
        self.bytes.fetch_add(n_bytes, Ordering::Relaxed);
    }

    /// Adds what a leg's tally has more than before.
    pub(crate) fn add_tally(&self, now: &Tally, before: &Tally) {
        for (count, now, before) in [
            (&self.unreadable, now.unreadable, before.unreadable),
            (&self.unauthentic, now.unauthentic, before.unauthentic),
            (&self.no_room, now.no_room, before.no_room),
        ] {
            count.fetch_add(now.saturating_sub(before), Ordering::Relaxed);
        }
    }

    pub(crate) fn add_dropped(&self, n: u64) {
        self.dropped_by_kernel.fetch_add(n, Ordering::Relaxed);
    }

    /// Adds these counts to others.
    pub(crate) fn add_to(&self, sum: &mut MediaCounts) {
        for (sum, count) in [
            (&mut sum.datagrams, &self.datagrams),
            (&mut sum.bytes, &self.bytes),
            (&mut sum.unreadable, &self.unreadable),
            (&mut sum.unauthentic, &self.unauthentic),
            (&mut sum.dropped_by_kernel, &self.dropped_by_kernel),
            (&mut sum.no_room, &self.no_room),
        ] {
            *sum = sum.saturating_add(count.load(Ordering::Relaxed));
        }
    }
}
