//! Packets of one leg as its sockets had them, for whoever looks for what is wrong with them: encrypted ones stay so.
//!
//! ```text
//! worker: datagrams, reports -> ring (1 MiB) -> Capture: who reads it
//! ```
//!
//! ```text
//! direction | other side | own side | µs since the capture began | length of the body | body
//! 1 byte    | 18 bytes   | 18       | 8                          | 2                  | up to 2,048
//! ```
//!
//! An address is 16 bytes of IPv6, mapped where it is IPv4 (RFC 4291, section 2.5.5.2), and 2 of its port.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::link::Shared;
use crate::record::MOST_BODY_BYTES;

/// A minute of G.711 and more: who reads it may wait for a slow connection meanwhile.
const RING_BYTES: usize = 1 << 20;
const ADDRESS_BYTES: usize = 18;
const HEAD_BYTES: usize = 1 + 2 * ADDRESS_BYTES + 8 + 2;
const FRAME_BYTES: usize = HEAD_BYTES + MOST_BODY_BYTES;

const CAME: u8 = 0;
const SENT: u8 = 1;

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To us.
    Came,
    /// From us.
    Sent,
}

/// A datagram as it passed a socket: RTP, RTCP, or what came in their place. `Debug` shows no byte of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Packet<'c> {
    /// When.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// The address of the socket, as it was bound: it may be unspecified.
    pub own: SocketAddr,
    /// The other side. An IPv4 address that an IPv6 socket shows is that IPv4 address.
    pub other: SocketAddr,
    /// Its bytes, without headers of IP and UDP.
    pub bytes: &'c [u8],
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_bytes = self.bytes.len();
        write!(out, "Packet({n_bytes} bytes, {:?})", self.direction)
    }
}

/// The packets of a leg from the moment on in which [`LegControl::capture`](crate::LegControl::capture) was asked. Dropped,
/// the leg is captured no more.
pub struct Capture {
    shared: Arc<Shared>,
    ring: Consumer<u8>,
    began: Instant,
    n_left_out: Arc<AtomicU64>,
    body: Box<[u8; MOST_BODY_BYTES]>,
}

impl Capture {
    /// Has the worker copy what passes the leg for so long. `None`: it does so already.
    pub(crate) fn begin(shared: &Arc<Shared>, length: Duration) -> Option<Self> {
        if !shared.claim_capture() {
            return None;
        }
        let (ring, consumer) = RingBuffer::new(RING_BYTES);
        let began = Instant::now();
        let n_left_out = Arc::new(AtomicU64::new(0));
        shared.put_tap(Tap {
            ring,
            began,
            ends_at: began.checked_add(length),
            n_left_out: Arc::clone(&n_left_out),
        });
        Some(Self {
            shared: Arc::clone(shared),
            ring: consumer,
            began,
            n_left_out,
            body: Box::new([0; MOST_BODY_BYTES]),
        })
    }

    /// The next packet, in the order in which they passed; `None` where none is there by now. Never waits, never allocates.
    pub fn next_packet(&mut self) -> Option<Packet<'_>> {
        let mut head = [0; HEAD_BYTES];
        self.ring.pop_entire_slice(&mut head).ok()?;
        let (direction, rest) = head.split_first()?;
        let (other, rest) = rest.split_first_chunk()?;
        let (own, rest) = rest.split_first_chunk()?;
        let (us, rest) = rest.split_first_chunk()?;
        let n_bytes = u16::from_le_bytes(*rest.first_chunk()?);
        // Frames are put in whole: behind a head there is its body.
        let bytes = self.body.get_mut(..usize::from(n_bytes))?;
        self.ring.pop_entire_slice(bytes).ok()?;
        let passed = Duration::from_micros(u64::from_le_bytes(*us));
        Some(Packet {
            at: self.began.checked_add(passed).unwrap_or(self.began),
            direction: match *direction {
                CAME => Direction::Came,
                _ => Direction::Sent,
            },
            own: read_address(own),
            other: read_address(other),
            bytes,
        })
    }

    /// Whether nothing else comes: the time is over, or the leg. To be asked before what is left is read: it stays so.
    pub fn is_over(&self) -> bool {
        self.ring.is_abandoned()
    }

    /// Packets that passed so far and are not in it: there was no room for them, or they are longer than 2,048 bytes.
    pub fn n_left_out(&self) -> u64 {
        self.n_left_out.load(Ordering::Relaxed)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.shared.release_capture();
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Capture")
            .field("n_left_out", &self.n_left_out())
            .finish_non_exhaustive()
    }
}

/// The worker's end.
pub(crate) struct Tap {
    ring: Producer<u8>,
    began: Instant,
    /// `None`: later than can be said.
    ends_at: Option<Instant>,
    n_left_out: Arc<AtomicU64>,
}

/// A datagram that passes.
pub(crate) struct Passing<'d> {
    pub(crate) at: Instant,
    pub(crate) direction: Direction,
    pub(crate) own: SocketAddr,
    pub(crate) other: SocketAddr,
    /// `None`: it is longer than any of ours.
    pub(crate) bytes: Option<&'d [u8]>,
}

impl Tap {
    /// Copies a datagram, or counts it where there is no room. Never waits, locks or allocates.
    pub(crate) fn take(&mut self, passing: &Passing<'_>) {
        let copied = passing.bytes.and_then(|bytes| self.put(passing, bytes));
        if copied.is_none() {
            self.n_left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether nobody wants any more of it.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.ring.is_abandoned() || self.ends_at.is_some_and(|ends_at| ends_at <= now)
    }

    fn put(&mut self, passing: &Passing<'_>, bytes: &[u8]) -> Option<()> {
        let mut frame = [0; FRAME_BYTES];
        let whole = frame.get_mut(..HEAD_BYTES.checked_add(bytes.len())?)?;
        let (head, body) = whole.split_first_chunk_mut()?;
        *head = self.head(passing, u16::try_from(bytes.len()).ok()?);
        body.copy_from_slice(bytes);
        self.ring.push_entire_slice(whole).ok()
    }

    fn head(&self, passing: &Passing<'_>, n_bytes: u16) -> [u8; HEAD_BYTES] {
        let passed = passing.at.saturating_duration_since(self.began);
        let us = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        let direction = match passing.direction {
            Direction::Came => CAME,
            Direction::Sent => SENT,
        };
        let fields: [&[u8]; 5] = [
            &[direction],
            &address_bytes(passing.other),
            &address_bytes(passing.own),
            &us.to_le_bytes(),
            &n_bytes.to_le_bytes(),
        ];
        let mut head = [0; HEAD_BYTES];
        for (place, byte) in head.iter_mut().zip(fields.into_iter().flatten()) {
            *place = *byte;
        }
        head
    }
}

fn address_bytes(address: SocketAddr) -> [u8; ADDRESS_BYTES] {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut bytes = [0; ADDRESS_BYTES];
    let fields = ip.octets().into_iter().chain(address.port().to_be_bytes());
    for (place, byte) in bytes.iter_mut().zip(fields) {
        *place = byte;
    }
    bytes
}

fn read_address(bytes: &[u8; ADDRESS_BYTES]) -> SocketAddr {
    let [ip @ .., p0, p1] = *bytes;
    let ip = Ipv6Addr::from(ip).to_canonical();
    SocketAddr::new(ip, u16::from_be_bytes([p0, p1]))
}
