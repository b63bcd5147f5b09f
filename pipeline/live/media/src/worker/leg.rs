//! One leg of a worker: its sockets, and when it is looked after.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use auricle_rtp::rtcp::MOST_REPORT_BYTES;

use crate::capture::{Direction, Passing, Tap};
use crate::counts::Counts;
use crate::hearing::{Channel, Hearing};
use crate::link::Shared;
use crate::ports::Pair;
use crate::reports::ReportBuffer;
use crate::srtp::MOST_RTCP_MORE_BYTES;

use super::batch::Batch;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What was sent before the call ended may still be on its way.
const LINGER: Duration = Duration::from_millis(100);

/// A leg as its worker has it. Its fields are dropped in this order: ports are free and the ring is over when the reader
/// is woken.
pub(crate) struct WorkerLeg {
    pair: Pair,
    hearing: Hearing,
    /// Where the leg is captured.
    tap: Option<Tap>,
    reader: Reader,
    opened: Instant,
    next_look: Instant,
    ends_at: Option<Instant>,
    /// Datagrams that the kernel dropped, of those that were told.
    n_dropped: u32,
    /// The kernel is to be asked with the next datagram.
    asks_dropped: bool,
}

impl WorkerLeg {
    /// A leg of a call that was opened then.
    pub(crate) fn new(
        hearing: Hearing,
        pair: Pair,
        shared: Arc<Shared>,
        opened: Instant,
    ) -> Box<Self> {
        Box::new(Self {
            pair,
            hearing,
            tap: None,
            reader: Reader(shared),
            opened,
            next_look: opened,
            ends_at: None,
            n_dropped: 0,
            asks_dropped: true,
        })
    }

    pub(super) const fn port(&self) -> u16 {
        self.pair.rtp_port()
    }

    /// Both, with their ports.
    pub(super) const fn sockets(&self) -> [(u16, &UdpSocket); 2] {
        [
            (self.pair.rtp_port(), &self.pair.rtp),
            (self.pair.rtcp_port(), &self.pair.rtcp),
        ]
    }

    /// Hears one batch of a socket; gives how many datagrams there were. Nothing is allocated for them.
    pub(super) fn hear(&mut self, channel: Channel, batch: &mut Batch, counts: &Counts) -> usize {
        if self.asks_dropped && channel == Channel::Rtp {
            self.ask_dropped(batch, counts);
        }
        let (socket, own) = match channel {
            Channel::Rtp => (&self.pair.rtp, self.pair.rtp_address()),
            Channel::Rtcp => (&self.pair.rtcp, self.pair.rtcp_address()),
        };
        let n_read = batch.receive(socket);
        let now = Instant::now();
        let now_us = self.us(now);
        let before = *self.hearing.tally();
        let (mut n, mut n_bytes) = (0_u64, 0_u64);
        for datagram in batch.datagrams() {
            n += 1;
            n_bytes += datagram.n_bytes as u64;
            // Before it is decrypted where it lies.
            if let Some(tap) = &mut self.tap {
                tap.take(&Passing {
                    at: now,
                    direction: Direction::Came,
                    own,
                    other: datagram.from,
                    bytes: datagram.bytes.as_deref(),
                });
            }
            match datagram.bytes {
                Some(bytes) => self.hearing.take(channel, datagram.from, bytes, now_us),
                None => self.hearing.take_cut(),
            }
        }
        counts.add_datagrams(n, n_bytes);
        counts.add_tally(self.hearing.tally(), &before);
        n_read
    }

    /// Tells the reader that something came, once for all of it.
    pub(super) fn wake_reader(&self) {
        self.reader.0.came.notify_one();
    }

    /// Does what was said about the leg.
    pub(super) fn obey(&mut self, now: Instant) {
        self.reader.0.take_call();
        if let Some(agreed) = self.reader.0.take_agreed() {
            self.hearing.agree(agreed);
        }
        if let Some(tap) = self.reader.0.take_tap() {
            self.tap = Some(tap);
        }
        if self.reader.0.is_closing() && self.ends_at.is_none() {
            self.ends_at = Some(now + LINGER);
        }
    }

    /// Looks after the leg; once a second more thoroughly.
    pub(super) fn tick(&mut self, now: Instant, counts: &Counts) {
        let now_us = self.us(now);
        let before = *self.hearing.tally();
        self.hearing.check_time(now_us);
        counts.add_tally(self.hearing.tally(), &before);
        drop(self.tap.take_if(|tap| tap.is_over(now)));
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOOK_EVERY;
        self.asks_dropped = true;
        self.obey(now);
        self.send_report(now);
        self.reader.0.heard.store(self.hearing.line());
        self.wake_reader();
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.ends_at.is_some_and(|ends_at| ends_at <= now)
    }

    /// Tells the rest, and closes the leg.
    pub(super) fn end(mut self: Box<Self>, counts: &Counts) {
        let before = *self.hearing.tally();
        self.hearing.end_digit();
        counts.add_tally(self.hearing.tally(), &before);
        self.reader.0.heard.store(self.hearing.line());
    }

    fn us(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.opened);
        u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)
    }

    fn ask_dropped(&mut self, batch: &mut Batch, counts: &Counts) {
        self.asks_dropped = false;
        if let Some(n_dropped) = batch.n_dropped(&self.pair.rtp) {
            counts.add_dropped(u64::from(n_dropped.wrapping_sub(self.n_dropped)));
            self.n_dropped = n_dropped;
        }
    }

    /// What cannot be sent is not missed: the next report says it again.
    fn send_report(&mut self, now: Instant) {
        let now_us = self.us(now);
        let mut buffer: ReportBuffer = [0; MOST_REPORT_BYTES + MOST_RTCP_MORE_BYTES];
        let (socket, own) = match self.hearing.is_muxed() {
            true => (&self.pair.rtp, self.pair.rtp_address()),
            false => (&self.pair.rtcp, self.pair.rtcp_address()),
        };
        let Some((to, report)) = self.hearing.report(now_us, &mut buffer) else {
            return;
        };
        let is_sent = socket.send_to(report, reachable(to, socket)).is_ok();
        if let Some(tap) = self.tap.as_mut().filter(|_| is_sent) {
            tap.take(&Passing {
                at: now,
                direction: Direction::Sent,
                own,
                other: to,
                bytes: Some(report),
            });
        }
    }
}

/// What the leg's reader shares. Dropped, it says that the leg is over, and wakes the reader.
struct Reader(Arc<Shared>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A socket for both kinds of addresses sends to those of version 4 by their form in version 6.
fn reachable(to: SocketAddr, socket: &UdpSocket) -> SocketAddr {
    let is_six = socket.local_addr().is_ok_and(|own| own.is_ipv6());
    match to.ip() {
        IpAddr::V4(ip) if is_six => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
        _ => to,
    }
}
