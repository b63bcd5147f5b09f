//! The way of a leg's packets to the recorder.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auricle_spool::{Audio, Encoding};
use rtrb::{Consumer, Producer, RingBuffer};

/// The longest packet: 20 ms of 16-bit samples at 8 kHz.
pub const MAX_PACKET_BYTES: usize = 320;
/// Place, encoding, length.
const HEAD_BYTES: usize = 8 + 1 + 2;
const FRAME_BYTES: usize = HEAD_BYTES + MAX_PACKET_BYTES;
/// How long the recorder may wait for the disk before senders are held back.
const RING_SECS: usize = 4;
const SAMPLE_BYTES: usize = 2;

/// One leg's way in, for one thread at a time. Dropped, the leg is over.
pub struct Tape {
    ring: Producer<u8>,
    n_filled: Arc<AtomicU64>,
}

/// The other end.
pub(crate) struct TapeReader {
    ring: Consumer<u8>,
    n_filled: Arc<AtomicU64>,
}

/// A tape for a leg of this rate.
pub(crate) fn tape(rate_hz: u32) -> (Tape, TapeReader) {
    let n_bytes = rate_hz as usize * SAMPLE_BYTES * RING_SECS;
    let (producer, consumer) = RingBuffer::new(n_bytes + n_bytes / 16 + FRAME_BYTES);
    let n_filled = Arc::new(AtomicU64::new(0));
    let tape = Tape {
        ring: producer,
        n_filled: Arc::clone(&n_filled),
    };
    let reader = TapeReader {
        ring: consumer,
        n_filled,
    };
    (tape, reader)
}

impl Tape {
    /// Whether a packet finds room.
    pub fn has_room(&self) -> bool {
        self.ring.slots() >= FRAME_BYTES || self.ring.is_abandoned()
    }

    /// Takes a packet (cut at [`MAX_PACKET_BYTES`]) whose first sample lies at `at` of the leg's clock. To be asked
    /// [`Self::has_room`] before. Never waits, locks or allocates.
    pub fn push(&mut self, at: u64, encoding: Encoding, packet: &[u8]) {
        let n = packet.len().min(MAX_PACKET_BYTES);
        let mut frame = [0; FRAME_BYTES];
        frame[..8].copy_from_slice(&at.to_le_bytes());
        frame[8] = code(encoding);
        frame[9..HEAD_BYTES].copy_from_slice(&(n as u16).to_le_bytes());
        frame[HEAD_BYTES..HEAD_BYTES + n].copy_from_slice(&packet[..n]);
        let pushed = self.ring.push_entire_slice(&frame[..HEAD_BYTES + n]);
        debug_assert!(
            pushed.is_ok() || self.ring.is_abandoned(),
            "room was asked for"
        );
    }

    /// So many of the samples that were pushed are silence that nobody sent.
    pub fn filled(&self, n_samples: u64) {
        self.n_filled.fetch_add(n_samples, Ordering::Relaxed);
    }

    /// So many samples came and were left out, for silence that stood in their place.
    pub fn took_back(&self, n_samples: u64) {
        self.n_filled.fetch_sub(n_samples, Ordering::Relaxed);
    }
}

impl TapeReader {
    /// Whether nothing else will come.
    pub(crate) fn is_over(&self) -> bool {
        // Read first: what was pushed before the tape was dropped is there after.
        self.ring.is_abandoned() && self.ring.is_empty()
    }

    /// Samples that nobody sent, all of them once the leg is over.
    pub(crate) fn n_filled(&self) -> u64 {
        self.n_filled.load(Ordering::Relaxed)
    }

    /// The next packet, into `payload`.
    pub(crate) fn next<'p>(
        &mut self,
        leg: u8,
        rate_hz: u32,
        payload: &'p mut [u8; MAX_PACKET_BYTES],
    ) -> Option<Audio<'p>> {
        // Frames are pushed whole: where there is a byte, there is a frame.
        let mut head = [0; HEAD_BYTES];
        self.ring.pop_entire_slice(&mut head).ok()?;
        let (at, rest) = head.split_first_chunk()?;
        let encoding = ENCODINGS.get(usize::from(rest[0]))?;
        let n = usize::from(u16::from_le_bytes([rest[1], rest[2]]));
        let payload = payload.get_mut(..n)?;
        self.ring.pop_entire_slice(payload).ok()?;
        Some(Audio {
            leg,
            at: u64::from_le_bytes(*at),
            encoding: *encoding,
            rate_hz,
            payload,
        })
    }
}

const ENCODINGS: [Encoding; 3] = [Encoding::Ulaw, Encoding::Alaw, Encoding::L16];

const fn code(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Ulaw => 0,
        Encoding::Alaw => 1,
        Encoding::L16 => 2,
    }
}
