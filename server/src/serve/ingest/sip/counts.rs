//! What is counted of SIP.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counts since the program began.
#[derive(Debug, Default)]
pub(crate) struct SipCounts {
    set_ups: AtomicU64,
    not_let_in: AtomicU64,
    unreadable: AtomicU64,
    shed: AtomicU64,
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

/// [`SipCounts`] as they stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SipCounted {
    /// Calls that were begun by others, those that were refused among them.
    pub(crate) set_ups: u64,
    /// Messages and connections of those who may not call.
    pub(crate) not_let_in: u64,
    /// Messages that are no SIP.
    pub(crate) unreadable: u64,
    /// Requests and connections that were dropped, as too many came at once.
    pub(crate) shed: u64,
    /// Requests that were refused, by reason.
    pub(crate) refused: Vec<(&'static str, u64)>,
}

impl SipCounts {
    pub(super) fn set_up(&self) {
        self.set_ups.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn not_let_in(&self) {
        self.not_let_in.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unreadable(&self) {
        self.unreadable.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn shed(&self) {
        self.shed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, reason: &'static str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(reason).or_default() += 1;
    }

    pub(super) fn read(&self) -> SipCounted {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        SipCounted {
            set_ups: read(&self.set_ups),
            not_let_in: read(&self.not_let_in),
            unreadable: read(&self.unreadable),
            shed: read(&self.shed),
            refused: refused.iter().map(|(reason, n)| (*reason, *n)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_counted_by_itself() {
        let counts = SipCounts::default();
        counts.set_up();
        counts.set_up();
        counts.not_let_in();
        counts.unreadable();
        counts.shed();
        for reason in ["rate", "malformed", "rate"] {
            counts.refused(reason);
        }
        let expected = SipCounted {
            set_ups: 2,
            not_let_in: 1,
            unreadable: 1,
            shed: 1,
            refused: vec![("malformed", 1), ("rate", 2)],
        };
        assert_eq!(counts.read(), expected);
    }
}
