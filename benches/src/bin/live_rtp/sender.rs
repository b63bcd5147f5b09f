//! Threads that send packets at the pace of speech.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Bytes of a packet's audio: 20 ms of G.711 at 8 kHz.
const PIECE: usize = 160;
/// Legs send in turn: those of real calls are spread over a packet's time, too.
const TURNS: usize = 20;
const TURN: Duration = Duration::from_millis(1);
/// Bytes before the audio (RFC 3550, section 5.1).
const HEAD: usize = 12;

/// A stream of a call: its recording again and again.
pub(crate) struct Leg {
    to: SocketAddr,
    packet: Vec<u8>,
    sequence: u16,
    timestamp: u32,
    codes: Vec<u8>,
    said: usize,
}

impl Leg {
    /// Audio to a port of this machine, µ-law.
    pub(crate) fn new(port: u16, source: u32, codes: Vec<u8>) -> Self {
        let mut packet = vec![0; HEAD + PIECE];
        packet[0] = 0x80;
        packet[8..HEAD].copy_from_slice(&source.to_be_bytes());
        Self {
            to: ([127, 0, 0, 1], port).into(),
            packet,
            sequence: 0,
            timestamp: source.wrapping_mul(0x9e37_79b9),
            codes,
            said: 0,
        }
    }

    /// The next packet.
    fn next_packet(&mut self) -> &[u8] {
        if self.said + PIECE > self.codes.len() {
            self.said = 0;
        }
        self.packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        if let Some(piece) = self.codes.get(self.said..self.said + PIECE) {
            self.packet[HEAD..].copy_from_slice(piece);
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(PIECE as u32);
        self.said += PIECE;
        &self.packet
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) n_packets: u64,
    /// How far a thread was behind its own clock at the worst.
    pub(crate) behind: Duration,
}

/// The threads. They send until they are stopped or dropped.
pub(crate) struct Senders {
    legs: Vec<Arc<Mutex<Vec<Leg>>>>,
    shared: Arc<Shared>,
    n_taken: AtomicU64,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    n_packets: AtomicU64,
    behind_us: AtomicU64,
}

impl Senders {
    /// # Errors
    /// When there is no socket to send from.
    pub(crate) fn start<'s>(scope: &'s Scope<'s, '_>, n_threads: usize) -> Result<Self> {
        let shared: Arc<Shared> = Arc::default();
        let mut legs = Vec::with_capacity(n_threads);
        for _ in 0..n_threads {
            let socket = UdpSocket::bind("127.0.0.1:0").context("no socket to send from")?;
            let of_thread: Arc<Mutex<Vec<Leg>>> = Arc::default();
            legs.push(Arc::clone(&of_thread));
            let shared = Arc::clone(&shared);
            scope.spawn(move || send(&socket, &of_thread, &shared));
        }
        Ok(Self {
            legs,
            shared,
            n_taken: AtomicU64::new(0),
        })
    }

    /// Has a leg sent from now on, by the threads in turn.
    pub(crate) fn take(&self, leg: Leg) {
        let number = self.n_taken.fetch_add(1, Ordering::Relaxed) as usize;
        if let Some(legs) = self.legs.get(number % self.legs.len().max(1)) {
            legs.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(leg);
        }
    }

    /// Sends nothing more; what was sent by then.
    pub(crate) fn stop(&self) -> Sent {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // A turn may be under way.
        std::thread::sleep(10 * TURN);
        let behind_us = self.shared.behind_us.load(Ordering::Relaxed);
        Sent {
            n_packets: self.shared.n_packets.load(Ordering::Relaxed),
            behind: Duration::from_micros(behind_us),
        }
    }
}

/// A scope waits for its threads, also where something failed.
impl Drop for Senders {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

fn send(socket: &UdpSocket, legs: &Mutex<Vec<Leg>>, shared: &Shared) {
    let began = Instant::now();
    let mut due = Duration::ZERO;
    for turn in (0..TURNS).cycle() {
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let behind = began.elapsed().saturating_sub(due);
        let behind_us = u64::try_from(behind.as_micros()).unwrap_or(u64::MAX);
        shared.behind_us.fetch_max(behind_us, Ordering::Relaxed);
        let mut legs = legs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut n_sent = 0;
        for leg in legs.iter_mut().skip(turn).step_by(TURNS) {
            let to = leg.to;
            n_sent += u64::from(socket.send_to(leg.next_packet(), to).is_ok());
        }
        shared.n_packets.fetch_add(n_sent, Ordering::Relaxed);
        drop(legs);
        due += TURN;
    }
}
