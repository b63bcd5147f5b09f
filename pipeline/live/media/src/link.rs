//! What a worker, a leg's reader and its control tell each other. Nobody waits for anybody.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam::atomic::AtomicCell;
use crossbeam::queue::ArrayQueue;
use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::Notify;

use crate::agreed::LegAgreed;
use crate::capture::Tap;
use crate::counts::Counts;
use crate::line::{HeardLine, Line, ToldLine};
use crate::worker::WorkerLeg;

/// What a worker is told.
pub(crate) enum Command {
    /// Hear this leg.
    Hear(Box<WorkerLeg>),
    /// Something is new about the leg with this port of RTP.
    Look(u16),
}

/// The way to one worker.
pub(crate) struct Link {
    commands: ArrayQueue<Command>,
    waker: EventFd,
    is_ended: AtomicBool,
    pub(crate) counts: Counts,
}

impl Link {
    /// For so many legs. Each may be new, and called once, while what was told the one before it on the same port waits.
    pub(crate) fn new(most_legs: usize) -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self {
            commands: ArrayQueue::new(most_legs.saturating_mul(4).max(4)),
            waker: EventFd::from_flags(flags)?,
            is_ended: AtomicBool::new(false),
            counts: Counts::default(),
        })
    }

    /// Tells the worker; what it cannot be told any more is dropped, and a leg in it is over.
    pub(crate) fn tell(&self, command: Command) {
        drop(self.commands.push(command).err());
        self.wake();
        // Who ended it may have emptied the queue before.
        if self.is_ended() {
            self.forget();
        }
    }

    /// Ends the worker and all its legs.
    pub(crate) fn end(&self) {
        self.is_ended.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::SeqCst)
    }

    /// What the worker was told next.
    pub(crate) fn next(&self) -> Option<Command> {
        self.commands.pop()
    }

    /// Drops what nobody will look at.
    pub(crate) fn forget(&self) {
        while let Some(command) = self.commands.pop() {
            drop(command);
        }
    }

    /// What the worker waits on beside its sockets.
    pub(crate) const fn waker(&self) -> &EventFd {
        &self.waker
    }

    fn wake(&self) {
        // It fails where the worker was woken so often that it is awake.
        let _ = self.waker.write(1);
    }
}

/// What is known of one leg on all sides.
pub(crate) struct Shared {
    link: Arc<Link>,
    port: u16,
    /// What was agreed last and not looked at: what was agreed before it does not count any more.
    agreed: ArrayQueue<LegAgreed>,
    /// What captures the leg, and was not looked at.
    tap: ArrayQueue<Tap>,
    is_captured: AtomicBool,
    is_closing: AtomicBool,
    /// The worker is done with the leg.
    is_over: AtomicBool,
    /// The worker was told to look, and has not yet.
    is_called: AtomicBool,
    /// Something came for the reader.
    pub(crate) came: Notify,
    /// Told once a second. It is longer than a word, so that crossbeam may spin for as long as it takes to copy it.
    pub(crate) heard: AtomicCell<HeardLine>,
    pub(crate) told: AtomicCell<ToldLine>,
}

impl Shared {
    /// Of the leg on this port of RTP, which this worker hears.
    pub(crate) fn new(link: Arc<Link>, port: u16) -> Self {
        Self {
            link,
            port,
            agreed: ArrayQueue::new(1),
            tap: ArrayQueue::new(1),
            is_captured: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            is_called: AtomicBool::new(false),
            came: Notify::new(),
            heard: AtomicCell::new(HeardLine::default()),
            told: AtomicCell::new(ToldLine::default()),
        }
    }

    /// What a re-INVITE agreed.
    pub(crate) fn agree(&self, agreed: LegAgreed) {
        drop(self.agreed.force_push(agreed));
        self.call();
    }

    /// The leg is to be over soon.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        self.call();
    }

    /// Whether the leg was not captured until now; it is from now on.
    pub(crate) fn claim_capture(&self) -> bool {
        !self.is_captured.swap(true, Ordering::SeqCst)
    }

    /// The leg may be captured by somebody else.
    pub(crate) fn release_capture(&self) {
        self.is_captured.store(false, Ordering::SeqCst);
    }

    /// Has the worker copy what passes the leg, in the place of what captured it before.
    pub(crate) fn put_tap(&self, tap: Tap) {
        drop(self.tap.force_push(tap));
        self.call();
        // Who ended the leg may have emptied the queue before.
        if self.is_over.load(Ordering::SeqCst) {
            drop(self.tap.pop());
        }
    }

    pub(crate) fn take_tap(&self) -> Option<Tap> {
        self.tap.pop()
    }

    /// The worker is done with the leg: nobody will look at what is said of it.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        drop(self.tap.pop());
        self.came.notify_one();
    }

    /// The worker looks; what is said from now on is another call.
    pub(crate) fn take_call(&self) {
        self.is_called.store(false, Ordering::SeqCst);
    }

    pub(crate) fn take_agreed(&self) -> Option<LegAgreed> {
        self.agreed.pop()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    pub(crate) fn line(&self) -> Line {
        Line::new(&self.heard.load(), &self.told.load())
    }

    fn call(&self) {
        if !self.is_called.swap(true, Ordering::SeqCst) {
            self.link.tell(Command::Look(self.port));
        }
    }
}
