//! Packets of one leg in order, decoded, short holes concealed.
//!
//! ```text
//! take -> order -> in order?  -> decode  -> rates -> next
//!                  a hole?    -> conceal ->
//! ```
//!
//! | between the last that was told and a packet | what is told |
//! | --- | --- |
//! | less than 1 ms, either way | nothing: clocks of different rates are rounded |
//! | a hole of up to 100 ms | what stands in for it, once what is missing was given up |
//! | a longer one, or one that comfort noise began | nothing: the place of the next piece says so |
//! | an overlap | the part of the packet that was not told |
//!
//! **Invariant**: a piece begins where the one before ends, or later.
//! **Invariant**: G.711 on a leg of 8,000 Hz stays byte for byte.
//! **Invariant**: nothing is allocated for a packet, but for the longest of a format, and for the first that waits.

mod lane;
mod level;
mod rates;

#[cfg(test)]
mod tests;

use smallvec::SmallVec;

use self::lane::Lane;
use self::level::Level;
use crate::decode::{Undecodable, length};
use crate::order::{Content, Order};
use crate::{AudioFormat, Coding};

/// A longer hole is left to the reader.
const MOST_CONCEALED_MS: u64 = 100;

/// Packets of one leg in order, decoded, short holes concealed. After each packet or silence, [`next`](Self::next) is asked
/// until there is none: there is room for the packets that wait and one more.
pub(crate) struct PlayOut {
    leg_hz: u32,
    formats: SmallVec<[(u8, AudioFormat); 4]>,
    /// A packet that begins less than so many samples from the end of the one before follows it.
    tolerance: u64,
    order: Order,
    /// What came last goes through it.
    lane: Option<Lane>,
    /// Behind the last piece; `None`: nothing came.
    told_to: Option<u64>,
    /// Comfort noise came last.
    is_silent: bool,
    /// Nothing came since [`flush`](Self::flush).
    is_flushed: bool,
    /// The piece that is told.
    piece: Vec<u8>,
    level: Level,
    codec: Option<AudioFormat>,
    concealed_samples: u64,
}

/// One piece of audio.
pub(crate) struct Ready<'p> {
    /// Where its first sample lies, samples on the leg's clock.
    pub(crate) at: u64,
    pub(crate) coding: Coding,
    /// Whole samples.
    pub(crate) bytes: &'p [u8],
}

impl PlayOut {
    /// For a leg of so many samples a second: 8,000 or 16,000. No format is known yet.
    pub(crate) fn new(leg_hz: u32) -> Self {
        Self {
            leg_hz,
            formats: SmallVec::new(),
            tolerance: 1,
            order: Order::new(),
            lane: None,
            told_to: None,
            is_silent: false,
            is_flushed: false,
            piece: Vec::new(),
            level: Level::default(),
            codec: None,
            concealed_samples: 0,
        }
    }

    /// Says what payload types are from here on, and how many ticks their timestamps have in a second; packets that wait
    /// stay what they were.
    pub(crate) fn agree(&mut self, formats: &[(u8, AudioFormat)], clock_hz: u32) {
        self.formats.clear();
        self.formats.extend_from_slice(formats);
        // 1 ms, but no less than two ticks: no place is more exact.
        let leg_hz = u64::from(self.leg_hz);
        let ticks = (2 * leg_hz).div_ceil(u64::from(clock_hz.max(1)));
        self.tolerance = ticks.max(leg_hz / 1_000).max(1);
    }

    /// Takes a packet that begins at `at`, samples on the leg's clock. It is left out where its payload type was not agreed,
    /// where it is no audio, and where that was told already.
    pub(crate) fn take(&mut self, at: u64, payload_type: u8, payload: &[u8]) {
        let mut agreed = self.formats.iter();
        let Some((_, format)) = agreed.find(|(number, _)| *number == payload_type) else {
            return;
        };
        if length(*format, payload, self.leg_hz) > 0 {
            self.is_flushed = false;
            self.order.put(at, Content::Audio(*format), payload);
        }
    }

    /// From `at` on the sender is silent (comfort noise): until the next packet nothing is missing, so whichever comes first
    /// is told at once.
    pub(crate) fn take_silence(&mut self, at: u64) {
        self.is_flushed = false;
        self.order.put(at, Content::Silence, &[]);
    }

    /// The next piece that can be told by now; places never run back.
    pub(crate) fn next(&mut self) -> Option<Ready<'_>> {
        self.piece.clear();
        while self.piece.is_empty() {
            if !self.step() {
                return None;
            }
        }
        let coding = self.lane.as_ref()?.coding();
        let at = self.told_to?;
        let n_samples = match coding {
            Coding::Ulaw | Coding::Alaw => self.piece.len(),
            Coding::L16 => self.piece.len() / 2,
        };
        self.told_to = Some(at.saturating_add(n_samples as u64));
        Some(Ready {
            at,
            coding,
            bytes: &self.piece,
        })
    }

    /// Nothing else comes for now: what waits is told, whatever is missing.
    pub(crate) fn flush(&mut self) {
        self.order.give_up();
        self.is_flushed = true;
    }

    /// Packets wait for one before them, or samples in a filter for those after them.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.order.is_empty() || self.n_in_filter() > 0
    }

    /// Samples of the leg that were told and never came.
    pub(crate) const fn concealed_samples(&self) -> u64 {
        self.concealed_samples
    }

    /// Level of the loudest 20 ms that came since it was asked last; `None` where none did. A sine of full scale has
    /// −3 dBFS, digital silence −120.
    pub(crate) fn level_dbfs(&mut self) -> Option<f32> {
        self.level.take_dbfs()
    }

    /// The format that came last.
    pub(crate) const fn codec(&self) -> Option<AudioFormat> {
        self.codec
    }

    /// Does the next thing that is due, which may give a piece; whether anything was.
    fn step(&mut self) -> bool {
        let Some(first) = self.order.due(self.in_order_before()) else {
            return self.is_flushed && self.finish_run();
        };
        let (at, content) = (first.at, first.content);
        let n_samples = match content {
            Content::Audio(format) => length(format, &first.payload, self.leg_hz),
            Content::Silence => 0,
        };
        if self.lies_back(at, n_samples) {
            self.leave_out();
            return true;
        }
        let hole = self.hole_before(at);
        if hole > 0 && self.conceal(hole) {
            return true;
        }
        if (hole > 0 || !self.goes_on_with(content)) && self.finish_run() {
            return true;
        }
        if hole > 0 || self.told_to.is_none() {
            self.jump_to(at);
        }
        self.tell_first(n_samples);
        true
    }

    /// A packet before this place is in order; `None`: any is.
    fn in_order_before(&self) -> Option<u64> {
        let end = self.end()?;
        (!self.is_silent).then(|| end.saturating_add(self.tolerance))
    }

    /// Behind all that was heard or concealed.
    fn end(&self) -> Option<u64> {
        let told_to = self.told_to?;
        Some(told_to.saturating_add(self.n_in_filter()))
    }

    fn n_in_filter(&self) -> u64 {
        self.lane.as_ref().map_or(0, Lane::n_waiting)
    }

    /// Whether next to nothing of a packet is new.
    fn lies_back(&self, at: u64, n_samples: u64) -> bool {
        let tolerance = self.tolerance;
        self.end().is_some_and(|end| {
            let is_back = at.saturating_add(tolerance) <= end;
            is_back && at.saturating_add(n_samples) < end.saturating_add(tolerance)
        })
    }

    /// Samples that are missing before this place; 0 where it is near enough.
    fn hole_before(&self, at: u64) -> u64 {
        let hole = self.end().map_or(0, |end| at.saturating_sub(end));
        if hole < self.tolerance { 0 } else { hole }
    }

    /// Puts something in the place of a hole before the first packet, where it should be; whether it did.
    fn conceal(&mut self, hole: u64) -> bool {
        let is_short = hole <= u64::from(self.leg_hz) * MOST_CONCEALED_MS / 1_000;
        let Some(lane) = &mut self.lane else {
            return false;
        };
        if self.is_silent || !is_short {
            return false;
        }
        let content = Content::Audio(lane.format());
        let first = self.order.first();
        let next = first.filter(|first| first.content == content);
        let next = next.map_or(&[][..], |next| next.payload.as_slice());
        lane.conceal(hole, next, &mut self.piece);
        self.concealed_samples = self.concealed_samples.saturating_add(hole);
        true
    }

    fn goes_on_with(&self, content: Content) -> bool {
        let lane = self.lane.as_ref();
        lane.is_some_and(|lane| content == Content::Audio(lane.format()))
    }

    /// Tells what waits in the filter; whether there was anything.
    fn finish_run(&mut self) -> bool {
        let Some(lane) = &mut self.lane else {
            return false;
        };
        if lane.n_waiting() > 0 {
            lane.finish(&mut self.piece);
        }
        !self.piece.is_empty()
    }

    fn jump_to(&mut self, at: u64) {
        self.told_to = Some(at);
        if let Some(lane) = &mut self.lane {
            lane.forget();
        }
    }

    fn leave_out(&mut self) {
        if let Some(packet) = self.order.take_first() {
            self.order.reuse(packet.payload);
        }
    }

    /// Tells the first packet, which is `n_samples` long. What is behind its beginning was told, or is no further than the
    /// tolerance.
    fn tell_first(&mut self, n_samples: u64) {
        let Some(packet) = self.order.take_first() else {
            return;
        };
        match packet.content {
            Content::Silence => self.is_silent = true,
            Content::Audio(format) => {
                let overlap = self.end().map_or(0, |end| end.saturating_sub(packet.at));
                let n_told = if overlap < self.tolerance { 0 } else { overlap };
                self.tell(format, &packet.payload, n_told, n_samples);
            }
        }
        self.order.reuse(packet.payload);
    }

    fn tell(&mut self, format: AudioFormat, payload: &[u8], n_told: u64, n_samples: u64) {
        self.is_silent = false;
        if !self.goes_on_with(Content::Audio(format)) {
            self.lane = Lane::new(format, self.leg_hz);
        }
        let Some(lane) = &mut self.lane else {
            return;
        };
        self.codec = Some(format);
        match lane.hear(payload, n_told, &mut self.piece) {
            Ok(()) => self.level.hear(lane.samples(), lane.rate_hz()),
            Err(Undecodable) => {
                let n_new = n_samples.saturating_sub(n_told);
                lane.conceal(n_new, &[], &mut self.piece);
                self.concealed_samples = self.concealed_samples.saturating_add(n_new);
            }
        }
    }
}
