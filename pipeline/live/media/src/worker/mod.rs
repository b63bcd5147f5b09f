//! A thread that hears legs: it waits on all their sockets at once, and looks after each leg once a second.
//!
//! ```text
//! epoll -> batch -> hearing -> ring of the leg -> reader is woken
//!       -> commands: new legs, what was agreed anew, what ends
//! ```
//!
//! | time | what happens |
//! | --- | --- |
//! | 100 ms | digits whose end was lost, legs that end |
//! | 1 s | line, reports, datagrams that the kernel dropped |

mod batch;
mod leg;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use rustc_hash::FxHashMap;

use crate::hearing::Channel;
use crate::link::{Command, Link};

use self::batch::{BATCH, Batch};

pub(crate) use self::leg::WorkerLeg;

const TICK: Duration = Duration::from_millis(100);
/// A tick, for epoll.
const TICK_MS: u8 = 100;
/// Sockets that are told of in one turn; the others are told in the next.
const MOST_EVENTS: usize = 256;
/// Batches of one socket in one turn: who floods waits until the others had theirs.
const MOST_BATCHES: usize = 4;
/// No port is 0: what the waker is known by.
const WAKER: u64 = 0;

/// What one thread works with.
pub(crate) struct Worker {
    link: Arc<Link>,
    epoll: Epoll,
    events: Box<[EpollEvent; MOST_EVENTS]>,
    batch: Batch,
    /// By their ports of RTP.
    legs: FxHashMap<u16, Box<WorkerLeg>>,
    next_tick: Instant,
}

/// What a worker waits with; to be made before its thread, as it may fail.
pub(crate) fn epoll(link: &Link) -> io::Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(link.waker(), EpollEvent::new(EpollFlags::EPOLLIN, WAKER))?;
    Ok(epoll)
}

impl Worker {
    /// To be made on its own thread.
    pub(crate) fn new(link: Arc<Link>, epoll: Epoll) -> Self {
        Self {
            link,
            epoll,
            events: Box::new([EpollEvent::empty(); MOST_EVENTS]),
            batch: Batch::new(),
            legs: FxHashMap::default(),
            next_tick: Instant::now(),
        }
    }

    /// Works until it is ended; legs that are left end with it.
    pub(crate) fn run(mut self) {
        while !self.link.is_ended() {
            self.turn();
        }
        for (_, leg) in self.legs.drain() {
            leg.end(&self.link.counts);
        }
        self.link.forget();
    }

    /// Waits until something comes, 100 ms at most, and does what is to be done.
    pub(crate) fn turn(&mut self) {
        // What interrupts it is no reason to do less.
        let n_events = self.epoll.wait(&mut *self.events, TICK_MS).unwrap_or(0);
        for idx in 0..n_events {
            let Some(event) = self.events.get(idx) else {
                break;
            };
            match event.data() {
                WAKER => self.obey(),
                // Ports are what sockets are known by.
                port => self.hear(port as u16),
            }
        }
        let now = Instant::now();
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tick(now);
        }
    }

    /// Looks after all legs.
    pub(crate) fn tick(&mut self, now: Instant) {
        for leg in self.legs.values_mut() {
            leg.tick(now, &self.link.counts);
        }
        let ended = self.legs.extract_if(|_, leg| leg.is_over(now));
        for (_, leg) in ended {
            leg.end(&self.link.counts);
        }
    }

    fn obey(&mut self) {
        // Emptied first: who tells something later wakes again.
        let _ = self.link.waker().read();
        while let Some(command) = self.link.next() {
            match command {
                Command::Hear(leg) => self.add(leg),
                Command::Look(port) => {
                    if let Some(leg) = self.legs.get_mut(&port) {
                        leg.obey(Instant::now());
                    }
                }
            }
        }
    }

    /// A leg that cannot be waited on is dropped, and so is over.
    fn add(&mut self, leg: Box<WorkerLeg>) {
        let sockets = leg.sockets();
        let added = sockets.into_iter().try_for_each(|(port, socket)| {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, u64::from(port));
            self.epoll.add(socket, event)
        });
        match added {
            Ok(()) => drop(self.legs.insert(leg.port(), leg)),
            Err(_) => leg.end(&self.link.counts),
        }
    }

    /// Hears what waits on a socket, at most [`MOST_BATCHES`]; where more waits, epoll tells it again.
    fn hear(&mut self, port: u16) {
        let (rtp_port, channel) = match port & 1 {
            0 => (port, Channel::Rtp),
            _ => (port ^ 1, Channel::Rtcp),
        };
        let Some(leg) = self.legs.get_mut(&rtp_port) else {
            return;
        };
        for _ in 0..MOST_BATCHES {
            let n_read = leg.hear(channel, &mut self.batch, &self.link.counts);
            if n_read < BATCH {
                break;
            }
        }
        leg.wake_reader();
    }
}
