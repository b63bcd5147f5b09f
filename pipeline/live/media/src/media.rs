//! Threads and ports, and the legs that take them.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::agreed::LegAgreed;
use crate::counts::MediaCounts;
use crate::error::MediaError;
use crate::hearing::Hearing;
use crate::leg::{LegControl, MediaLeg};
use crate::link::{Command, Link, Shared};
use crate::ports::{Pair, Pool};
use crate::record::records;
use crate::reports::Reports;
use crate::worker::{Worker, WorkerLeg, epoll};

/// Where RTP is heard, and by how many.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaSettings {
    /// Which address legs listen on: `::` takes IPv6 and IPv4, `0.0.0.0` all of IPv4.
    pub address: IpAddr,
    /// Where legs have their ports: an even one for RTP, the next for RTCP.
    pub ports: RangeInclusive<u16>,
    /// Threads that hear.
    pub n_workers: NonZeroUsize,
    /// What the kernel keeps of a socket until it is read. The kernel's own limit (`net.core.rmem_max`) holds beside it.
    pub receive_buffer_bytes: usize,
}

/// Threads that hear legs, and ports for them. When the last clone is dropped the threads end, and legs that are left with
/// them.
#[derive(Clone)]
pub struct Media {
    workers: Arc<Ender>,
    pool: Arc<Pool>,
}

/// All workers, and whose turn it is to get a leg.
struct Workers {
    links: Vec<Arc<Link>>,
    next_idx: AtomicUsize,
}

/// Ends the workers when it is dropped: ports and legs do not hold it.
struct Ender(Arc<Workers>);

impl Drop for Ender {
    fn drop(&mut self) {
        self.0.links.iter().for_each(|link| link.end());
    }
}

impl Media {
    /// Starts the threads.
    ///
    /// # Errors
    /// Where the range holds no pair of ports, or the operating system gives no thread or nothing to wait on.
    pub fn start(settings: &MediaSettings) -> Result<Self, MediaError> {
        let pool = Arc::new(Pool::new(
            settings.address,
            settings.ports.clone(),
            settings.receive_buffer_bytes,
        )?);
        let wait = |source| MediaError::Wait { source };
        let links = (0..settings.n_workers.get()).map(|_| Link::new(pool.n_pairs()).map(Arc::new));
        let links = links.collect::<Result<Vec<_>, _>>().map_err(wait)?;
        // Made before the threads: where one of them cannot start, the others end.
        let workers = Arc::new(Ender(Arc::new(Workers {
            links,
            next_idx: AtomicUsize::new(0),
        })));
        for (idx, link) in workers.0.links.iter().enumerate() {
            let epoll = epoll(link).map_err(wait)?;
            let link = Arc::clone(link);
            thread::Builder::new()
                .name(format!("rtp-{idx}"))
                .spawn(move || Worker::new(link, epoll).run())
                .map_err(|source| MediaError::Thread { source })?;
        }
        Ok(Self { workers, pool })
    }

    /// Takes a pair of ports for a leg, and listens there.
    ///
    /// # Errors
    /// Where none is left, or the operating system refuses: `address` is not this machine's, or too many files are open.
    pub fn take_port(&self) -> Result<MediaPort, MediaError> {
        Ok(MediaPort {
            pair: self.pool.take()?,
            workers: Arc::clone(&self.workers.0),
        })
    }

    /// What all legs brought since the start.
    pub fn counts(&self) -> MediaCounts {
        let mut counts = MediaCounts {
            ports_in_use: self.pool.n_used(),
            ports: self.pool.n_pairs(),
            ..MediaCounts::default()
        };
        for link in &self.workers.0.links {
            link.counts.add_to(&mut counts);
        }
        counts
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Media")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// A pair of ports that is listened on. Dropped, it is free again.
pub struct MediaPort {
    pair: Pair,
    workers: Arc<Workers>,
}

impl MediaPort {
    /// Where RTP comes to.
    pub const fn rtp_port(&self) -> u16 {
        self.pair.rtp_port()
    }

    /// Where RTCP comes to.
    pub const fn rtcp_port(&self) -> u16 {
        self.pair.rtcp_port()
    }

    /// Hears a leg there, on one of the threads. Its clock begins at `opened`, when its call was opened, and has `leg_hz`
    /// ticks in a second: 8,000 or 16,000. What came since the port was taken is heard as if it came now.
    pub fn hear(self, agreed: LegAgreed, opened: Instant, leg_hz: u32) -> (MediaLeg, LegControl) {
        let link = self.workers.next();
        let (writer, reader) = records();
        let shared = Arc::new(Shared::new(Arc::clone(&link), self.pair.rtp_port()));
        let leg = MediaLeg::new(Arc::clone(&shared), reader, &agreed, leg_hz);
        let hearing = Hearing::new(agreed, leg_hz, writer, Reports::new());
        let heard = WorkerLeg::new(hearing, self.pair, Arc::clone(&shared), opened);
        link.tell(Command::Hear(heard));
        (leg, LegControl::new(shared))
    }
}

impl fmt::Debug for MediaPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rtp, rtcp) = (self.rtp_port(), self.rtcp_port());
        write!(out, "MediaPort({rtp}, {rtcp})")
    }
}

impl Workers {
    /// The one whose turn it is.
    fn next(&self) -> Arc<Link> {
        let turn = self.next_idx.fetch_add(1, Ordering::Relaxed);
        let idx = turn.checked_rem(self.links.len()).unwrap_or(0);
        Arc::clone(&self.links[idx])
    }
}
