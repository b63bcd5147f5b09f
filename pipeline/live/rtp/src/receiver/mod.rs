//! One leg: its packets, when they came, and what they are.
//!
//! ```text
//! packet -> source -> flood -> sequence -> payload -> clock -> at
//!           whose     how many  in order,   what it    where it lies
//!                               or twice    is
//! ```

mod clock;
mod config;
mod drift;
mod flood;
mod places;
mod received;
mod sequence;
mod source;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use smallvec::SmallVec;

use crate::rtcp::{ReportBlock, SenderReport};
use crate::rtp::RtpPacket;
use crate::stats::{Refusals, Stats};

use self::clock::{Clock, Patience, Timed};
use self::flood::Flood;
use self::sequence::{Order, Sequence};
use self::source::{Rules, Seen, Sources, Verdict};

pub use config::{Length, Payload, ReceiverConfig, Source};
pub use received::{EventPacket, Received, Refusal};

/// Packets that wait for one before them, where they are put in order; one that is overtaken by more comes too late.
const MOST_WAITING: u64 = 8;

/// Hears one leg. About 3 KiB; nothing is allocated for a packet.
#[derive(Debug)]
pub struct Receiver {
    payloads: SmallVec<[(u8, Payload); 8]>,
    clock_hz: u32,
    leg_hz: u32,
    sources: Sources,
    flood: Flood,
    sequence: Sequence,
    clock: Clock,
    /// Number of the packet behind all others, with which nothing of those before is missing; where the last audio ends, ticks.
    last: Option<(u64, i64)>,
    /// Arrival never runs back.
    last_us: u64,
    counts: Counts,
    /// The last report of the source that is heard: the middle of its time, and when it came.
    sender_report: Option<(u32, u64)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    reordered: u64,
    late: u64,
    comfort_noise: u64,
    events: u64,
    /// Sources that were heard.
    sources: u32,
    address_changes: u64,
    refused: Refusals,
}

impl Receiver {
    /// A leg of a call that was opened at `opened_us`: there its clock begins. Rates of 0 are taken for 1.
    pub fn new(config: &ReceiverConfig, opened_us: u64) -> Self {
        let clock_hz = config.clock_hz.max(1);
        let ticks = |ms: u32| i64::from(ms) * i64::from(clock_hz) / 1_000;
        let us = |ms: u32| u64::from(ms) * 1_000;
        let rules = Rules {
            source: config.source,
            silent_us: us(config.silent_ms),
            rebind_packets: config.rebind_packets,
        };
        let patience = Patience {
            tolerance_ticks: ticks(config.tolerance_ms),
            skew_ticks: ticks(config.skew_ms),
            correct_within_us: us(config.correct_within_ms),
            silent_us: us(config.silent_ms),
        };
        let most_per_sec = config.packets_per_sec.saturating_mul(config.flood_factor);
        Self {
            payloads: config.payloads.clone(),
            clock_hz,
            leg_hz: config.leg_hz.max(1),
            sources: Sources::new(rules),
            flood: Flood::new(most_per_sec),
            sequence: Sequence::default(),
            clock: Clock::new(clock_hz, opened_us, patience),
            last: None,
            last_us: 0,
            counts: Counts::default(),
            sender_report: None,
        }
    }

    /// Says what a packet is that came from there at `now_us`, on the same clock as the call's opening. One that came before
    /// another but is given after it is taken for as late.
    pub fn take<'p>(
        &mut self,
        from: SocketAddr,
        packet: &RtpPacket<'p>,
        now_us: u64,
    ) -> Received<'p> {
        self.last_us = self.last_us.max(now_us);
        match self.judge(from, packet) {
            Ok(received) => received,
            Err(reason) => {
                self.counts.refused.count(reason);
                Received::Refused(reason)
            }
        }
    }

    /// A source says that it ends (RTCP): another may be heard at once.
    pub fn take_goodbye(&mut self, ssrc: u32) {
        self.sources.say_goodbye(ssrc);
    }

    /// A source tells the time (RTCP): the next report says that this came, and when.
    pub fn take_sender_report(&mut self, sent: &SenderReport, now_us: u64) {
        if self.sources.ssrc() == Some(sent.ssrc) {
            self.sender_report = Some(((sent.ntp >> 16) as u32, now_us));
        }
    }

    /// What is to be told the source that is heard, if any is (RFC 3550, sections 6.4.1 and A.3). The loss it tells is since it
    /// was asked for last.
    pub fn report(&mut self, now_us: u64) -> Option<ReportBlock> {
        let ssrc = self.sources.ssrc()?;
        let (all, since) = self.sequence.report();
        let lost = all.expected.saturating_sub(all.received);
        let lost_since = since.expected.saturating_sub(since.received);
        let fraction = lost_since.saturating_mul(256).checked_div(since.expected);
        let (jitter, _) = self.clock.jitter();
        let (last_report, delay) = self.sender_report.map_or((0, 0), |(time, came_us)| {
            let passed_us = u128::from(now_us.saturating_sub(came_us));
            let delay = passed_us * 65_536 / 1_000_000;
            (time, u32::try_from(delay).unwrap_or(u32::MAX))
        });
        Some(ReportBlock {
            ssrc,
            fraction_lost: u8::try_from(fraction.unwrap_or(0)).unwrap_or(u8::MAX),
            lost: i32::try_from(lost).unwrap_or(i32::MAX),
            highest_sequence: self.sequence.highest(),
            // Cut to what it can hold.
            jitter: jitter as u32,
            last_report,
            delay,
        })
    }

    /// What became of the packets so far.
    pub fn stats(&self) -> Stats {
        let sequence = self.sequence.counts();
        let (jitter, max_jitter) = self.clock.jitter();
        let ms = |ticks: f64| ticks * 1_000.0 / f64::from(self.clock_hz);
        Stats {
            expected: sequence.expected,
            received: sequence.received,
            lost: sequence.expected.saturating_sub(sequence.received),
            reordered: self.counts.reordered,
            late: self.counts.late,
            comfort_noise: self.counts.comfort_noise,
            events: self.counts.events,
            silence_gaps: self.clock.counts.silence_gaps,
            clock_jumps: self.clock.counts.jumps,
            corrections: self.clock.counts.corrections,
            source_changes: u64::from(self.counts.sources.saturating_sub(1)),
            address_changes: self.counts.address_changes,
            jitter_ms: ms(jitter),
            max_jitter_ms: ms(max_jitter),
            burst_ratio: self.sequence.burst_ratio(),
            skew_ppm: self.clock.skew_ppm(),
            refused: self.counts.refused,
        }
    }

    fn judge<'p>(
        &mut self,
        from: SocketAddr,
        packet: &RtpPacket<'p>,
    ) -> Result<Received<'p>, Refusal> {
        let seen = Seen {
            from,
            ssrc: packet.header.ssrc,
            sequence: packet.header.sequence,
            ahead: self.sequence.ahead(packet.header.sequence),
            now_us: self.last_us,
        };
        let payload = self.payload(packet.header.payload_type);
        // Nobody gets in with what was not agreed; but of who is heard it is a packet as well.
        if payload.is_none() && !self.sources.is_heard(&seen) {
            return Err(Refusal::PayloadType);
        }
        let verdict = self.sources.judge(&seen)?;
        if !self.flood.admits(self.last_us) {
            return Err(Refusal::Flood);
        }
        let order = self.order(verdict, &seen)?;
        match payload.ok_or(Refusal::PayloadType)? {
            Payload::Audio(length) => self.hear(packet, order, length),
            Payload::ComfortNoise => self.hear_noise(packet, order),
            Payload::Event => Ok(self.hear_event(packet, order)),
        }
    }

    fn payload(&self, payload_type: u8) -> Option<Payload> {
        let found = self
            .payloads
            .iter()
            .find(|(number, _)| *number == payload_type);
        found.map(|(_, payload)| *payload)
    }

    /// Where a packet stands in the sequence of its source.
    fn order(&mut self, verdict: Verdict, seen: &Seen) -> Result<Order, Refusal> {
        match verdict {
            Verdict::Known => {}
            Verdict::Moved => {
                self.counts.address_changes = self.counts.address_changes.saturating_add(1);
            }
            Verdict::New => {
                self.counts.sources = self.counts.sources.saturating_add(1);
                self.sender_report = None;
                self.clock.restart();
                return Ok(Order::Next(self.sequence.restart(seen.sequence)));
            }
        }
        let order = self.sequence.take(seen.sequence)?;
        if let Order::Overtaken { by, .. } = order {
            self.counts.reordered = self.counts.reordered.saturating_add(1);
            if by > MOST_WAITING {
                self.counts.late = self.counts.late.saturating_add(1);
            }
        }
        Ok(order)
    }

    fn hear<'p>(
        &mut self,
        packet: &RtpPacket<'p>,
        order: Order,
        length: Length,
    ) -> Result<Received<'p>, Refusal> {
        let ticks = length.ticks(packet.payload);
        if ticks == 0 {
            return Err(Refusal::Empty);
        }
        let timed = self.timed(packet, order, ticks);
        let at = self.clock.place(&timed)?;
        let packet_us = u128::from(ticks.unsigned_abs()) * 1_000_000 / u128::from(self.clock_hz);
        self.sources
            .note_length(u64::try_from(packet_us).unwrap_or(u64::MAX));
        let pause_from = self.pause_before(order, at, at.saturating_add(ticks));
        Ok(Received::Heard {
            at: self.on_leg(at),
            pause_from: pause_from.map(|from| self.on_leg(from)),
            payload_type: packet.header.payload_type,
            payload: packet.payload,
        })
    }

    fn hear_noise<'p>(
        &mut self,
        packet: &RtpPacket<'p>,
        order: Order,
    ) -> Result<Received<'p>, Refusal> {
        self.counts.comfort_noise = self.counts.comfort_noise.saturating_add(1);
        let timed = self.timed(packet, order, 0);
        let at = self.clock.place(&timed)?;
        self.pause_before(order, at, at);
        Ok(Received::ComfortNoise {
            at: self.on_leg(at),
            payload: packet.payload,
        })
    }

    fn hear_event<'p>(&mut self, packet: &RtpPacket<'p>, order: Order) -> Received<'p> {
        if let (Some((last, _)), Order::Next(sequence)) = (&mut self.last, order)
            && last.saturating_add(1) == sequence
        {
            *last = sequence;
        }
        self.counts.events = self.counts.events.saturating_add(1);
        let timestamp = packet.header.timestamp;
        let at = self.clock.place_of_event(timestamp, self.last_us);
        Received::Event(EventPacket {
            at: self.on_leg(at),
            source: self.counts.sources,
            timestamp,
            payload: packet.payload,
        })
    }

    /// Where the packet before this one ended, if that came and something is between them. Notes where this one ends.
    fn pause_before(&mut self, order: Order, at: i64, end: i64) -> Option<i64> {
        let Order::Next(sequence) = order else {
            return None;
        };
        let (before, ended) = self.last.replace((sequence, end))?;
        (before.saturating_add(1) == sequence && ended < at).then_some(ended)
    }

    const fn timed(&self, packet: &RtpPacket<'_>, order: Order, length: i64) -> Timed {
        Timed {
            order,
            timestamp: packet.header.timestamp,
            length,
            now_us: self.last_us,
        }
    }

    /// Samples of the leg's clock for ticks of timestamps. Places that are apart stay apart.
    fn on_leg(&self, ticks: i64) -> u64 {
        let samples = u128::from(ticks.unsigned_abs()) * u128::from(self.leg_hz);
        u64::try_from(samples / u128::from(self.clock_hz)).unwrap_or(u64::MAX)
    }
}
