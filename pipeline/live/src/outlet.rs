//! Where everything leaves the pipeline: one bounded queue to whoever serves and saves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auricle_contracts::{CallId, Happening, Party, Transcript};
use crossbeam::queue::ArrayQueue;
use crossbeam::sync::Unparker;

use crate::call::NewCall;
use crate::unpack::LegCounts;

/// Events that may wait: minutes of finals and alerts of a thousand calls. Above half of it partials are left out; when
/// it is full judgement waits.
pub(crate) const EVENTS_WAITING: usize = 8_192;

/// What the pipeline tells.
pub enum Told {
    /// Something happened in a call.
    Happened {
        /// The call.
        call_id: CallId,
        /// Its agent.
        agent: Option<String>,
        /// What.
        happening: Box<Happening>,
    },
    /// How long an utterance was on its way, just before its final; only where that is asked for.
    Timed(Box<UtteranceTimes>),
    /// A call is over; nothing else comes of it.
    Ended(Box<EndedCall>),
}

/// When an utterance came to each stage, microseconds of the pipeline's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtteranceTimes {
    /// The call.
    pub call_id: CallId,
    /// Who spoke.
    pub party: Party,
    /// Its first sound would have come in, had nothing been late.
    pub began_us: u64,
    /// Its last sound.
    pub ended_us: u64,
    /// The front end knew that it was over.
    pub closed_us: u64,
    /// Its words were known.
    pub recognised_us: u64,
    /// It was judged: after all that ended before it.
    pub judged_us: u64,
}

/// A call that is over.
pub struct EndedCall {
    /// What it was opened with.
    pub new: NewCall,
    /// What was said, as hearing the recording would give it; `file` is empty. Personal data in it is as it was said.
    pub transcript: Transcript,
    /// What came of each leg's audio.
    pub counts: Vec<LegCounts>,
}

/// The queue, and who is woken when something is in it.
pub(crate) struct Outlet {
    queue: ArrayQueue<Told>,
    reader: Unparker,
    /// Calls under way in the whole pipeline: one that is over counts until that is read.
    n_calls: Arc<AtomicU64>,
}

impl Outlet {
    pub(crate) fn new(room: usize, reader: Unparker, n_calls: Arc<AtomicU64>) -> Self {
        Self {
            queue: ArrayQueue::new(room),
            reader,
            n_calls,
        }
    }

    pub(crate) fn push(&self, told: Told) -> Result<(), Told> {
        self.queue.push(told)?;
        self.reader.unpark();
        Ok(())
    }

    /// Whether there is room for what may be left out.
    pub(crate) fn is_calm(&self) -> bool {
        self.queue.len() < self.queue.capacity() / 2
    }

    pub(crate) fn pop(&self) -> Option<Told> {
        let told = self.queue.pop();
        if let Some(Told::Ended(_)) = told {
            self.n_calls.fetch_sub(1, Ordering::SeqCst);
        }
        told
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}
