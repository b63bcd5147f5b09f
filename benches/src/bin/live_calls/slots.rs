//! Calls that come and go: as many at a time as there are slots, each of a recording from its start to its end.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::Result;
use auricle_benches::Recording;

/// Samples of a packet, and its length.
pub(crate) const PACKET_SAMPLES: usize = 160;
pub(crate) const PACKET: Duration = Duration::from_millis(20);
/// Bytes of a packet: 16-bit samples at 8 kHz.
const PACKET_BYTES: usize = 2 * PACKET_SAMPLES;

/// Where calls go.
pub(crate) trait Way {
    /// Opens a call; `is_whole` tells whether it is spoken from its beginning.
    fn open(&mut self, number: u64, is_whole: bool) -> Result<Box<dyn PlayedCall>>;
}

/// A call that is spoken.
pub(crate) trait PlayedCall {
    /// Gives a packet whose first sample lies at `at`; tells how long the sender was held back.
    fn push(&mut self, leg: usize, at: u64, packet: &[u8]) -> Result<Duration>;
}

struct Slot {
    call: Box<dyn PlayedCall>,
    recording: usize,
    /// Bytes of it that are spoken.
    spoken: usize,
    at: u64,
}

/// All calls under way.
pub(crate) struct Slots<'r> {
    recordings: &'r [Recording],
    slots: Vec<Slot>,
    n_opened: u64,
    /// How long senders were held back.
    pub(crate) held_back: Duration,
    /// How far this tool was behind its own clock at the worst.
    pub(crate) behind: Duration,
}

impl<'r> Slots<'r> {
    /// No calls by now.
    pub(crate) fn new(recordings: &'r [Recording]) -> Self {
        Self {
            recordings,
            slots: Vec::new(),
            n_opened: 0,
            held_back: Duration::ZERO,
            behind: Duration::ZERO,
        }
    }

    /// Opens calls of these numbers. All but the first begin in the middle, each elsewhere, so that not all greet at the same
    /// time.
    pub(crate) fn fill(&mut self, numbers: Range<usize>, way: &mut dyn Way) -> Result<()> {
        for number in numbers {
            let recording = number % self.recordings.len();
            let n_packets = self.recordings[recording][0].len() / PACKET_BYTES;
            let spoken = number * 7_919 % n_packets * PACKET_BYTES;
            let slot = self.open(recording, spoken, way)?;
            self.slots.push(slot);
        }
        Ok(())
    }

    /// Ends all calls.
    pub(crate) fn hang_up(&mut self) {
        self.slots.clear();
    }

    fn open(&mut self, recording: usize, spoken: usize, way: &mut dyn Way) -> Result<Slot> {
        self.n_opened += 1;
        Ok(Slot {
            call: way.open(self.n_opened, spoken == 0)?,
            recording,
            spoken,
            at: 0,
        })
    }

    /// Speaks at the pace of speech for this long.
    pub(crate) fn speak(&mut self, length: Duration, way: &mut dyn Way) -> Result<()> {
        let (began, mut due) = (Instant::now(), Duration::ZERO);
        while due < length {
            std::thread::sleep(due.saturating_sub(began.elapsed()));
            self.behind = self.behind.max(began.elapsed().saturating_sub(due));
            self.packet(way)?;
            due += PACKET;
        }
        Ok(())
    }

    fn packet(&mut self, way: &mut dyn Way) -> Result<()> {
        for place in 0..self.slots.len() {
            let slot = &self.slots[place];
            let length = self.recordings[slot.recording][0].len();
            if slot.spoken + PACKET_BYTES > length {
                // Slots are a few recordings apart: another one than its neighbours have.
                let next = (slot.recording + 7) % self.recordings.len();
                self.slots[place] = self.open(next, 0, way)?;
            }
            let slot = &mut self.slots[place];
            for (leg, audio) in self.recordings[slot.recording].iter().enumerate() {
                let packet = &audio[slot.spoken..slot.spoken + PACKET_BYTES];
                self.held_back += slot.call.push(leg, slot.at, packet)?;
            }
            slot.spoken += PACKET_BYTES;
            slot.at += PACKET_SAMPLES as u64;
        }
        Ok(())
    }
}
