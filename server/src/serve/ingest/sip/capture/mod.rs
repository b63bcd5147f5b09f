//! Packets of one call for whoever looks for what is wrong with it: what its dialogs say, what its legs hear, and the reports
//! that go back, as a file of packets.
//!
//! ```text
//! listen, inspector ─▶ taps (messages without secrets) ─┐
//! worker ─▶ ring of the leg (as it came) ────────────────┴▶ capture, 20 times in a second ─▶ pcap ─▶ who asked
//! ```
//!
//! **Invariant**: nothing is kept of a call that nobody captures, but its first offer and its answer, without secrets.

mod pcap;
mod secrets;
mod taps;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auricle_contracts::CallId;
use auricle_media::{Capture, Direction};
use thiserror::Error;
use tokio::time::{Interval, MissedTickBehavior};

use self::taps::Claim;
pub(crate) use self::taps::{Inspector, Tap, Tapped, Taps};
use super::way::towards;

/// Calls that are captured at a time: each has a ring of 1 MiB for each leg.
const MOST_CAPTURES: usize = 4;
/// How often what passed is written.
const WRITE_EVERY: Duration = Duration::from_millis(50);
/// What passed so long ago is known from all sides, and can be put in order.
const SETTLED_AFTER: Duration = Duration::from_millis(20);
/// Others whose way is known: more than one call has.
const MOST_OTHERS: usize = 64;

/// Why a call is not captured. The last line may be a hint.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum NotCaptured {
    /// There are no packets of it here.
    #[error(
        "call `{call}` did not come by SIP\nhint: packets are captured of calls whose `source` is `siprec` or `sip`"
    )]
    NotSip {
        /// Its name.
        call: CallId,
    },
    /// By somebody.
    #[error(
        "call `{call}` is captured already\nhint: one at a time; ask again when that one is over"
    )]
    Already {
        /// Its name.
        call: CallId,
    },
    /// Of other calls.
    #[error(
        "{n} calls are captured, and no more may be at a time\nhint: ask again when one of them is over",
        n = MOST_CAPTURES
    )]
    TooMany,
}

/// A datagram, or a message in the place of one.
#[derive(Clone)]
struct Passed {
    at: Instant,
    direction: Direction,
    /// As the socket was bound: it may be unspecified.
    own: SocketAddr,
    other: SocketAddr,
    bytes: Vec<u8>,
}

/// What became of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Captured {
    /// Packets that were written.
    pub(crate) n_packets: u64,
    /// Bytes of the file.
    pub(crate) n_bytes: u64,
    /// Packets that passed and are not in it, for want of room.
    pub(crate) n_left_out: u64,
}

/// A call that is captured. Dropped, it is no more.
pub(crate) struct CallCapture {
    claim: Claim,
    until: Instant,
    clock: WallClock,
    dialogs: Vec<Arc<Tap>>,
    legs: Vec<Capture>,
    /// Until it can be put in order.
    waiting: Vec<Passed>,
    own: OwnAddresses,
    ticks: Interval,
    is_begun: bool,
    is_over: bool,
    written: Captured,
}

impl CallCapture {
    /// Begins to capture a call, for so long at most.
    ///
    /// # Errors
    /// When it did not come by SIP, somebody captures it, or too many calls are captured.
    pub(crate) fn begin(
        taps: &Arc<Taps>,
        call: &CallId,
        length: Duration,
    ) -> Result<Self, NotCaptured> {
        if taps.of_call(call).is_empty() {
            return Err(NotCaptured::NotSip { call: call.clone() });
        }
        let mut ticks = tokio::time::interval(WRITE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let clock = WallClock::now();
        let mut capture = Self {
            claim: taps.claim(call)?,
            until: clock.at + length,
            clock,
            dialogs: Vec::new(),
            legs: Vec::new(),
            waiting: Vec::new(),
            own: OwnAddresses::default(),
            ticks,
            is_begun: false,
            is_over: false,
            written: Captured::default(),
        };
        capture.attach(clock.at);
        Ok(capture)
    }

    pub(crate) fn call(&self) -> &CallId {
        &self.claim.call
    }

    /// What became of it so far.
    pub(crate) fn captured(&self) -> Captured {
        let of_legs = self.legs.iter().map(Capture::n_left_out);
        let of_dialogs = self.dialogs.iter().map(|dialog| dialog.n_left_out());
        Captured {
            n_left_out: of_legs.chain(of_dialogs).sum(),
            ..self.written
        }
    }

    /// The next bytes of the file, as soon as there are any. `None`: the time or the call is over, and all was given.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        if !std::mem::replace(&mut self.is_begun, true) {
            return Some(self.given(pcap::head()));
        }
        while !self.is_over {
            self.ticks.tick().await;
            let bytes = self.write(Instant::now());
            if !bytes.is_empty() {
                return Some(self.given(bytes));
            }
        }
        None
    }

    fn given(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let n_bytes = bytes.len() as u64;
        self.written.n_bytes = self.written.n_bytes.saturating_add(n_bytes);
        bytes
    }

    /// Takes what passed, and gives what can be put in order by now.
    fn write(&mut self, now: Instant) -> Vec<u8> {
        let goes_on = self.attach(now);
        self.is_over = now >= self.until || !goes_on;
        self.collect();
        self.waiting.sort_by_key(|passed| passed.at);
        let is_settled = |passed: &Passed| passed.at + SETTLED_AFTER <= now;
        let n_written = match self.is_over {
            true => self.waiting.len(),
            false => self.waiting.partition_point(is_settled),
        };
        let mut file = Vec::new();
        for passed in self.waiting.drain(..n_written) {
            let own = self.own.of(passed.own, passed.other);
            let (from, to) = match passed.direction {
                Direction::Came => (passed.other, own),
                Direction::Sent => (own, passed.other),
            };
            let datagram = pcap::Datagram {
                unix_us: self.clock.unix_us(passed.at),
                from,
                to,
                bytes: &passed.bytes,
            };
            pcap::write(&mut file, &datagram);
            self.written.n_packets = self.written.n_packets.saturating_add(1);
        }
        file
    }

    /// Captures dialogs of the call that are new, which began with what they keep; tells whether it goes on.
    fn attach(&mut self, now: Instant) -> bool {
        let dialogs = self.claim.taps.of_call(&self.claim.call);
        let goes_on = !dialogs.is_empty();
        let left = self.until.saturating_duration_since(now);
        for dialog in dialogs {
            if self.dialogs.iter().any(|known| Arc::ptr_eq(known, &dialog)) {
                continue;
            }
            dialog.begin();
            let legs = dialog.legs().iter();
            self.legs.extend(legs.filter_map(|leg| leg.capture(left)));
            self.dialogs.push(dialog);
        }
        goes_on
    }

    fn collect(&mut self) {
        for dialog in &self.dialogs {
            self.waiting.extend(dialog.take());
        }
        for leg in &mut self.legs {
            while let Some(packet) = leg.next_packet() {
                self.waiting.push(Passed {
                    at: packet.at,
                    direction: packet.direction,
                    own: packet.own,
                    other: packet.other,
                    bytes: packet.bytes.to_vec(),
                });
            }
        }
    }
}

impl Drop for CallCapture {
    fn drop(&mut self) {
        for dialog in &self.dialogs {
            dialog.end();
        }
    }
}

/// One moment on both clocks.
#[derive(Clone, Copy)]
struct WallClock {
    at: Instant,
    unix_us: u64,
}

impl WallClock {
    fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            at: Instant::now(),
            unix_us: since.map_or(0, |since| since.as_micros() as u64),
        }
    }

    /// A moment before or after that one.
    fn unix_us(&self, at: Instant) -> u64 {
        let us = |length: Duration| length.as_micros() as u64;
        let after = us(at.saturating_duration_since(self.at));
        let before = us(self.at.saturating_duration_since(at));
        self.unix_us.saturating_add(after).saturating_sub(before)
    }
}

/// Our addresses where sockets do not say them: those that others are reached from.
#[derive(Default)]
struct OwnAddresses(BTreeMap<IpAddr, IpAddr>);

impl OwnAddresses {
    fn of(&mut self, own: SocketAddr, other: SocketAddr) -> SocketAddr {
        if !own.ip().is_unspecified() {
            return own;
        }
        // Anybody may send to a port.
        if self.0.len() >= MOST_OTHERS {
            self.0.clear();
        }
        let ip = self.0.entry(other.ip());
        let ip = ip.or_insert_with(|| towards(other).unwrap_or(own.ip()));
        SocketAddr::new(*ip, own.port())
    }
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::{Request, Transport};

    use super::*;
    use crate::serve::ingest::sip::way::Way;

    fn open(taps: &Arc<Taps>, dialog: &str) -> Tapped {
        let text = format!(
            "INVITE sip:a@127.0.0.1 SIP/2.0\r\nCall-ID: {dialog}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        );
        let request = Request::try_from(text.as_str()).unwrap();
        let [peer, local] = ["127.0.0.1:5062", "0.0.0.0:5060"].map(|it| it.parse().unwrap());
        let way = Way::new(peer, local, Transport::Tcp);
        taps.open(&request, way, Instant::now())
    }

    fn begin(taps: &Arc<Taps>, call: &CallId) -> Result<CallCapture, NotCaptured> {
        CallCapture::begin(taps, call, Duration::from_secs(60))
    }

    #[tokio::test]
    async fn a_capture_is_a_file_to_the_end_of_its_call() {
        let taps = Arc::<Taps>::default();
        let call = CallId("call".into());
        let first = open(&taps, "c1");
        let other = begin(&taps, &call).err();
        assert_eq!(other, Some(NotCaptured::NotSip { call: call.clone() }));
        first.tap().hears(&call, Vec::new());
        let mut capture = begin(&taps, &call).unwrap();
        let again = begin(&taps, &call).err();
        assert_eq!(again, Some(NotCaptured::Already { call: call.clone() }));
        assert_eq!(capture.next().await, Some(pcap::head()));
        let packet = capture.next().await.unwrap();
        // Time and lengths, headers of IP with the address that the other side is reached from, and of UDP.
        assert_eq!(packet[16 + 12..][..8], [127, 0, 0, 1, 127, 0, 0, 1]);
        assert_eq!(packet[16 + 20..][..4], [0x13, 0xc6, 0x13, 0xc4]);
        assert!(packet[16 + 28..].starts_with(b"INVITE sip:a@127.0.0.1 SIP/2.0\r\n"));
        // The call's other line comes, and both go.
        let second = open(&taps, "c2");
        second.tap().hears(&call, Vec::new());
        drop(first);
        let packet = capture.next().await.unwrap();
        assert!(String::from_utf8_lossy(&packet).contains("Call-ID: c2\r\n"));
        drop(second);
        assert_eq!(capture.next().await, None);
        let captured = capture.captured();
        assert_eq!((captured.n_packets, captured.n_left_out), (2, 0));
        drop(capture);
        assert!(matches!(
            begin(&taps, &call),
            Err(NotCaptured::NotSip { .. })
        ));
    }

    #[tokio::test]
    async fn a_capture_ends_with_its_time() {
        let taps = Arc::<Taps>::default();
        let call = CallId("call".into());
        let tapped = open(&taps, "c1");
        tapped.tap().hears(&call, Vec::new());
        let mut capture = CallCapture::begin(&taps, &call, Duration::ZERO).unwrap();
        assert!(capture.next().await.is_some());
        assert!(capture.next().await.is_some());
        assert_eq!(capture.next().await, None);
    }

    #[tokio::test]
    async fn packets_are_put_in_order_and_wait_for_others() {
        let taps = Arc::<Taps>::default();
        let call = CallId("call".into());
        let tapped = open(&taps, "c1");
        tapped.tap().hears(&call, Vec::new());
        let mut capture = begin(&taps, &call).unwrap();
        let now = Instant::now() + Duration::from_secs(1);
        capture.write(now);
        let address: SocketAddr = "192.0.2.1:4000".parse().unwrap();
        for (ms_ago, byte) in [(30, b'b'), (10, b'c'), (40, b'a')] {
            capture.waiting.push(Passed {
                at: now - Duration::from_millis(ms_ago),
                direction: Direction::Came,
                own: address,
                other: address,
                bytes: vec![byte],
            });
        }
        let written = capture.write(now);
        assert_eq!(written.len(), 2 * (16 + 28 + 1));
        assert_eq!((written[44], written[89]), (b'a', b'b'));
        assert_eq!(capture.waiting.len(), 1);
    }

    #[test]
    fn moments_before_and_after() {
        let clock = WallClock {
            at: Instant::now() + Duration::from_secs(10),
            unix_us: 5_000_000,
        };
        let second = Duration::from_secs(1);
        assert_eq!(clock.unix_us(clock.at + second), 6_000_000);
        assert_eq!(clock.unix_us(clock.at - second), 4_000_000);
    }
}
