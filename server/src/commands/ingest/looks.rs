//! What was seen of calls, look by look.

use std::collections::{BTreeMap, BTreeSet};

use auricle_contracts::CallId;

use crate::serve::CallLines;

/// Calls as they were seen.
#[derive(Debug, Default)]
pub(super) struct Looks {
    calls: BTreeMap<CallId, Looked>,
}

/// One call, when it was seen first and last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Looked {
    pub(super) first: CallLines,
    pub(super) last: CallLines,
    /// It went on at first, and does no more.
    pub(super) has_ended: bool,
}

impl Looks {
    /// All calls that are under way now.
    pub(super) fn add(&mut self, now: Vec<CallLines>) {
        let there: BTreeSet<CallId> = now.iter().map(|call| call.call_id.clone()).collect();
        for (id, looked) in &mut self.calls {
            looked.has_ended |= !there.contains(id);
        }
        for call in now {
            let looked = self.calls.get_mut(&call.call_id);
            // A name may be another call's meanwhile.
            match looked.filter(|looked| looked.last.age_ms <= call.age_ms) {
                Some(looked) => {
                    looked.has_ended |= call.is_over;
                    looked.last = call;
                }
                None => {
                    let looked = Looked {
                        first: call.clone(),
                        has_ended: call.is_over,
                        last: call,
                    };
                    self.calls.insert(looked.last.call_id.clone(), looked);
                }
            }
        }
    }

    /// By id.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Looked> {
        self.calls.values()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use auricle_contracts::Party;

    use super::*;

    /// A call of two parties, without lines.
    pub(in super::super) fn call(name: &str, age_ms: u64) -> CallLines {
        CallLines {
            call_id: CallId(name.into()),
            source: "siprec".into(),
            parties: vec![Party::Agent, Party::Customer],
            age_ms,
            is_over: false,
            noted_ms: None,
            lines: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn calls_come_go_on_and_end() {
        let mut looks = Looks::default();
        looks.add(vec![call("a", 5_000), call("b", 9_000)]);
        looks.add(vec![call("a", 6_000), call("c", 100)]);
        let over = CallLines {
            is_over: true,
            ..call("c", 1_100)
        };
        // Another one of the same name.
        looks.add(vec![call("a", 200), over.clone()]);
        let seen: Vec<Looked> = looks.calls().cloned().collect();
        let looked = |first, last, has_ended| Looked {
            first,
            last,
            has_ended,
        };
        assert_eq!(
            seen,
            [
                looked(call("a", 200), call("a", 200), false),
                looked(call("b", 9_000), call("b", 9_000), true),
                looked(call("c", 100), over, true),
            ]
        );
    }
}
