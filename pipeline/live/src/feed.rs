//! The door for audio: what an ingest holds of each leg.

use std::collections::VecDeque;
use std::sync::Arc;

use rtrb::{Producer, RingBuffer};

use crate::clock::Clock;
use crate::packet::{Encoding, Packet};
use crate::unpack::LegCounts;

use crate::call::LegProgress;

/// Packets between an ingest and the front end: over a second of 20 ms packets at 8 kHz, so that neither a thread that waits for
/// the processor nor a short burst holds the sender back. 22 KB a leg.
pub(crate) const PACKETS_WAITING: usize = 64;
/// How long audio lasts that a feed keeps for a front end that is behind, seconds.
const MOST_KEPT_SECS: u64 = 30;
/// The most packets of it, however short: 1 MB a leg.
const MOST_KEPT_PACKETS: usize = 3_000;

/// A packet was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// There is no room by now: the front end is behind. It must be given again.
    ForNow,
    /// The pipeline has given the leg up: nothing will be taken any more.
    ForEver,
}

/// How far a leg is heard.
#[derive(Clone)]
pub struct LegReach(Arc<LegProgress>);

impl LegReach {
    /// Recognition has given every utterance that ends before this, milliseconds of the leg.
    pub fn settled_ms(&self) -> u64 {
        self.0.heard.read().settled_ms
    }

    /// Recognition has given every utterance that starts before this, in part or whole.
    pub fn begun_ms(&self) -> u64 {
        self.0.heard.read().begun_ms
    }
}

/// One leg's way in. Audio of a leg comes from one thread at a time; dropped, the leg is over.
pub struct LegFeed {
    packets: Producer<Packet>,
    /// Kept for a front end that is behind.
    kept: VecDeque<Packet>,
    n_samples_kept: u64,
    clock: Arc<dyn Clock>,
    progress: Arc<LegProgress>,
    rate_hz: u32,
}

/// What is kept goes to the front end all the same.
impl Drop for LegFeed {
    fn drop(&mut self) {
        self.progress.leave(std::mem::take(&mut self.kept));
    }
}

impl LegFeed {
    /// A feed, and where its packets come out.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        progress: Arc<LegProgress>,
        rate_hz: u32,
    ) -> (Self, rtrb::Consumer<Packet>) {
        let (packets, out) = RingBuffer::new(PACKETS_WAITING);
        let feed = Self {
            packets,
            kept: VecDeque::new(),
            n_samples_kept: 0,
            clock,
            progress,
            rate_hz,
        };
        (feed, out)
    }

    /// A packet (at most [`PACKET_BYTES`](crate::PACKET_BYTES)) that comes now, and whose first sample lies at `at` of the
    /// leg's clock.
    pub fn packet(&self, at: u64, encoding: Encoding, bytes: &[u8]) -> Packet {
        Packet::new(at, self.clock.now_us(), encoding, bytes)
    }

    /// Takes a packet, in any order of their places. Never waits, locks or allocates.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn push(&mut self, packet: &Packet) -> Result<(), Full> {
        match self.catch_up()? {
            true => self.packets.push(*packet).map_err(|_| Full::ForNow),
            false => Err(Full::ForNow),
        }
    }

    /// Takes a packet as [`Self::push`] does, and keeps it where there is no room, for [`Self::catch_up`]: what is recorded is
    /// heard, however late. Allocates while it keeps some.
    ///
    /// # Errors
    /// When half a minute is kept.
    pub fn push_or_keep(&mut self, packet: &Packet) -> Result<(), Full> {
        match self.push(packet) {
            Err(Full::ForNow) if self.may_keep() => {
                self.kept.push_back(*packet);
                self.n_samples_kept += packet.n_samples();
                self.progress.keeps(self.kept.len());
                Ok(())
            }
            pushed => pushed,
        }
    }

    /// Gives the front end what is kept, as far as there is room; tells whether that is all.
    ///
    /// # Errors
    /// When the pipeline has given the leg up.
    pub fn catch_up(&mut self) -> Result<bool, Full> {
        if self.packets.is_abandoned() {
            return Err(Full::ForEver);
        }
        if self.kept.is_empty() {
            return Ok(true);
        }
        while let Some(packet) = self.kept.front() {
            if self.packets.push(*packet).is_err() {
                break;
            }
            self.n_samples_kept -= packet.n_samples();
            self.kept.pop_front();
        }
        // Told last: what is counted nowhere is over.
        self.progress.keeps(self.kept.len());
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
        Ok(self.kept.is_empty())
    }

    fn may_keep(&self) -> bool {
        self.kept.len() < MOST_KEPT_PACKETS
            && self.n_samples_kept < MOST_KEPT_SECS * u64::from(self.rate_hz)
    }

    /// So many of the samples that were pushed are silence that nobody sent.
    pub fn filled(&self, n_samples: u64) {
        self.progress.filled(n_samples);
    }

    /// Silence that stood for so many samples is taken back: they came after all, and as many quiet ones were left out.
    pub fn took_back(&self, n_samples: u64) {
        self.progress.took_back(n_samples);
    }

    /// Its audio did not come at the pace of speech but at this one, percent of that: the transcript says so.
    pub fn off_pace(&self, percent: u32) {
        self.progress.off_pace(percent);
    }

    /// Samples a second.
    pub const fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// How far the leg is heard, to be asked after the feed was given away.
    pub fn reach(&self) -> LegReach {
        LegReach(Arc::clone(&self.progress))
    }

    /// What became of the leg's audio by now.
    pub fn counts(&self) -> LegCounts {
        self.progress.counts()
    }
}
