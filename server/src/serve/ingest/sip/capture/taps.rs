//! Messages of dialogs where they come and go, of those that are captured; and what each dialog began with.
//!
//! ```text
//! listen (what comes), the library's inspector (what goes) ─▶ taps, by `Call-ID` ─▶ those of a dialog ─▶ who captures
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use auricle_contracts::CallId;
use auricle_media::{Direction, LegControl};
use rsipstack::sip::{HeadersExt, Method, Request, SipMessage, StatusCodeKind};
use rsipstack::transaction::endpoint::MessageInspector;
use rsipstack::transport::SipAddr;

use super::secrets::without_secrets;
use super::{MOST_CAPTURES, NotCaptured, Passed};
use crate::serve::ingest::sip::way::{WAY, Way};

/// What is kept of a dialog's first request, and of its answer: longer ones are cut.
const MOST_OFFER_BYTES: usize = 12 << 10;
const MOST_ANSWER_BYTES: usize = 4 << 10;
/// Messages of one dialog that wait to be written: they are looked at 20 times in a second.
const MOST_WAITING_BYTES: usize = 1 << 20;

/// All dialogs.
#[derive(Default)]
pub(crate) struct Taps {
    known: Mutex<Known>,
    /// Of calls. While it is 0 messages are not looked at, but for first answers.
    n_captures: AtomicUsize,
}

#[derive(Default)]
struct Known {
    /// By `Call-ID`, which others may have, too, and a number of our own.
    dialogs: BTreeMap<(String, u64), Arc<Tap>>,
    /// Ever.
    n_dialogs: u64,
    captured: BTreeSet<CallId>,
}

impl Taps {
    /// A dialog begins with this request, which came then.
    pub(in crate::serve::ingest::sip) fn open(
        self: &Arc<Self>,
        request: &Request,
        way: Way,
        came: Instant,
    ) -> Tapped {
        let mut request = request.clone();
        // It is ours.
        request
            .headers
            .retain(|header| !header.name().eq_ignore_ascii_case(WAY));
        let message = SipMessage::Request(request);
        let mut offer = way.passed(Direction::Came, &message);
        offer.at = came;
        offer.bytes.truncate(MOST_OFFER_BYTES);
        let tap = Arc::new(Tap {
            way,
            heard: OnceLock::new(),
            seen: Mutex::new(Seen {
                offer,
                answer: None,
                waiting: None,
            }),
        });
        let mut known = self.known();
        known.n_dialogs = known.n_dialogs.wrapping_add(1);
        let key = (call_id(&message).unwrap_or_default(), known.n_dialogs);
        known.dialogs.insert(key.clone(), Arc::clone(&tap));
        Tapped {
            taps: Arc::clone(self),
            key,
            tap,
        }
    }

    /// A message came.
    pub(in crate::serve::ingest::sip) fn came(&self, message: &SipMessage, way: Way) {
        if self.n_captures.load(Ordering::Relaxed) == 0 {
            return;
        }
        for tap in self.of_message(message) {
            tap.note(message, Passing::Came(way));
        }
    }

    /// A message goes out, to there where that is known.
    fn goes(&self, message: &SipMessage, to: Option<SocketAddr>) {
        let is_quiet = self.n_captures.load(Ordering::Relaxed) == 0;
        if is_quiet && !is_answer(message) {
            return;
        }
        for tap in self.of_message(message) {
            tap.note(message, Passing::Goes(to));
        }
    }

    /// The dialogs by which a call is heard.
    pub(super) fn of_call(&self, call: &CallId) -> Vec<Arc<Tap>> {
        let known = self.known();
        let dialogs = known.dialogs.values();
        let of_call = dialogs.filter(|tap| tap.heard.get().is_some_and(|(of, _)| of == call));
        of_call.cloned().collect()
    }

    /// A call is captured until what this gives is dropped.
    ///
    /// # Errors
    /// When it is captured already, or too many are.
    pub(super) fn claim(self: &Arc<Self>, call: &CallId) -> Result<Claim, NotCaptured> {
        let mut known = self.known();
        if known.captured.contains(call) {
            return Err(NotCaptured::Already { call: call.clone() });
        }
        if known.captured.len() >= MOST_CAPTURES {
            return Err(NotCaptured::TooMany);
        }
        known.captured.insert(call.clone());
        self.n_captures.fetch_add(1, Ordering::Relaxed);
        Ok(Claim {
            taps: Arc::clone(self),
            call: call.clone(),
        })
    }

    fn of_message(&self, message: &SipMessage) -> Vec<Arc<Tap>> {
        let Some(id) = call_id(message) else {
            return Vec::new();
        };
        let known = self.known();
        let dialogs = known.dialogs.range((id.clone(), 0)..=(id, u64::MAX));
        dialogs.map(|(_, tap)| Arc::clone(tap)).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees what the library sends. It does not see answers that the library repeats for requests that are repeated after their
/// transaction is over.
pub(crate) struct Inspector(Arc<Taps>);

impl Inspector {
    pub(crate) fn new(taps: &Arc<Taps>) -> Self {
        Self(Arc::clone(taps))
    }
}

impl MessageInspector for Inspector {
    fn before_send(&self, message: SipMessage, to: Option<&SipAddr>) -> SipMessage {
        let to = to.and_then(|to| to.get_socketaddr().ok());
        self.0.goes(&message, to);
        message
    }

    fn after_received(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        message
    }
}

/// A call that is captured.
pub(super) struct Claim {
    pub(super) taps: Arc<Taps>,
    pub(super) call: CallId,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.taps.known().captured.remove(&self.call);
        self.taps.n_captures.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A dialog under way. Dropped, it is over.
pub(crate) struct Tapped {
    taps: Arc<Taps>,
    key: (String, u64),
    tap: Arc<Tap>,
}

impl Tapped {
    pub(crate) fn tap(&self) -> &Arc<Tap> {
        &self.tap
    }
}

impl Drop for Tapped {
    fn drop(&mut self) {
        self.taps.known().dialogs.remove(&self.key);
    }
}

/// What is seen of one dialog.
pub(crate) struct Tap {
    /// Of its first request.
    way: Way,
    /// The call that is heard by it, and its legs.
    heard: OnceLock<(CallId, Vec<LegControl>)>,
    seen: Mutex<Seen>,
}

struct Seen {
    offer: Passed,
    answer: Option<Passed>,
    /// While somebody captures.
    waiting: Option<Waiting>,
}

#[derive(Default)]
struct Waiting {
    messages: Vec<Passed>,
    n_bytes: usize,
    n_left_out: u64,
}

/// Which way a message goes.
#[derive(Clone, Copy)]
enum Passing {
    Came(Way),
    Goes(Option<SocketAddr>),
}

impl Tap {
    /// This call is heard by the dialog, on these legs; told once.
    pub(crate) fn hears(&self, call: &CallId, legs: Vec<LegControl>) {
        // A dialog is one call's.
        let _ = self.heard.set((call.clone(), legs));
    }

    pub(super) fn legs(&self) -> &[LegControl] {
        let legs = self.heard.get().map(|(_, legs)| legs.as_slice());
        legs.unwrap_or_default()
    }

    /// From now on messages are kept for [`Self::take`], behind those that the dialog began with.
    pub(super) fn begin(&self) {
        let mut seen = self.seen();
        let first = std::iter::once(seen.offer.clone());
        let messages = first.chain(seen.answer.clone()).collect();
        seen.waiting = Some(Waiting {
            messages,
            ..Waiting::default()
        });
    }

    /// What came and went since it was asked last.
    pub(super) fn take(&self) -> Vec<Passed> {
        let mut seen = self.seen();
        let Some(waiting) = &mut seen.waiting else {
            return Vec::new();
        };
        waiting.n_bytes = 0;
        std::mem::take(&mut waiting.messages)
    }

    /// Messages for which there was no room.
    pub(super) fn n_left_out(&self) -> u64 {
        let seen = self.seen();
        seen.waiting
            .as_ref()
            .map_or(0, |waiting| waiting.n_left_out)
    }

    /// Messages are kept no more.
    pub(super) fn end(&self) {
        self.seen().waiting = None;
    }

    fn note(&self, message: &SipMessage, passing: Passing) {
        let mut seen = self.seen();
        let is_first_answer = match passing {
            Passing::Came(_) => false,
            Passing::Goes(_) => seen.answer.is_none() && is_answer(message),
        };
        if seen.waiting.is_none() && !is_first_answer {
            return;
        }
        let passed = match passing {
            Passing::Came(way) => way.passed(Direction::Came, message),
            Passing::Goes(None) => self.way.passed(Direction::Sent, message),
            Passing::Goes(Some(peer)) => {
                let way = Way::new(peer, self.way.local, self.way.transport);
                way.passed(Direction::Sent, message)
            }
        };
        if is_first_answer {
            let mut answer = passed.clone();
            answer.bytes.truncate(MOST_ANSWER_BYTES);
            seen.answer = Some(answer);
        }
        if let Some(waiting) = &mut seen.waiting {
            waiting.push(passed);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, passed: Passed) {
        let n_bytes = self.n_bytes.saturating_add(passed.bytes.len());
        if n_bytes > MOST_WAITING_BYTES {
            self.n_left_out = self.n_left_out.saturating_add(1);
            return;
        }
        self.n_bytes = n_bytes;
        self.messages.push(passed);
    }
}

impl Way {
    /// A message that passes now.
    fn passed(&self, direction: Direction, message: &SipMessage) -> Passed {
        Passed {
            at: Instant::now(),
            direction,
            own: self.local,
            other: self.peer,
            bytes: without_secrets(message),
        }
    }
}

fn call_id(message: &SipMessage) -> Option<String> {
    let header = message.call_id_header().ok()?;
    Some(header.value().trim().to_owned())
}

/// Whether it says yes to an INVITE.
fn is_answer(message: &SipMessage) -> bool {
    let SipMessage::Response(response) = message else {
        return false;
    };
    let is_yes = response.status_code.kind() == StatusCodeKind::Successful;
    let method = response.cseq_header().and_then(|number| number.method());
    is_yes && method.is_ok_and(|method| method == Method::Invite)
}

#[cfg(test)]
mod tests;
