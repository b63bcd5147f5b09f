//! Recordings under way, by what tells that two are of one call: where two servers record it (RFC 7245), one is heard.
//!
//! ```text
//! claimed by the first => (the first is over => free) => claimed by whoever asks next
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auricle_contracts::CallId;
use auricle_wire::siprec::Identity;

/// A group may hold several calls (RFC 7865, section 6.2), so it alone makes none of them the same.
const GROUP: &str = "group";

/// What the recordings under way are known by.
#[derive(Default)]
pub(super) struct Duplicates {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    n_claimed: u64,
    holders: HashMap<Identity, Holder>,
}

struct Holder {
    number: u64,
    call: CallId,
}

/// What one recording is known by, as long as this is held.
pub(super) struct Held {
    duplicates: Arc<Duplicates>,
    number: u64,
    call: CallId,
}

impl Duplicates {
    /// Takes what a recording is known by, for the call of this name. One that is known by nothing is nobody's duplicate.
    ///
    /// # Errors
    /// The call whose recording is under way already, and has something of it.
    pub(super) fn claim(
        self: &Arc<Self>,
        identities: &[Identity],
        call: &CallId,
    ) -> Result<Held, CallId> {
        let mut known = self.known();
        let mut own = identities.iter().filter(|own| own.kind() != GROUP);
        if let Some(first) = own.find_map(|own| known.holders.get(own)) {
            return Err(first.call.clone());
        }
        known.n_claimed = known.n_claimed.wrapping_add(1);
        let number = known.n_claimed;
        known.add(identities, number, call);
        Ok(Held {
            duplicates: Arc::clone(self),
            number,
            call: call.clone(),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Takes what became known later. What is another's stays with it.
    pub(super) fn add(&self, identities: &[Identity]) {
        self.duplicates
            .known()
            .add(identities, self.number, &self.call);
    }
}

impl Known {
    fn add(&mut self, identities: &[Identity], number: u64, call: &CallId) {
        for own in identities.iter().filter(|own| own.kind() != GROUP) {
            self.holders.entry(own.clone()).or_insert_with(|| Holder {
                number,
                call: call.clone(),
            });
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut known = self.duplicates.known();
        known
            .holders
            .retain(|_, holder| holder.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use auricle_wire::Limits;
    use auricle_wire::siprec::Recording;

    use super::*;

    fn identities(inside: &str) -> Vec<Identity> {
        let xml = format!("<recording>{inside}</recording>");
        let recording = Recording::parse(xml.as_bytes(), &Limits::default());
        recording.unwrap().identities()
    }

    fn session(id: &str, group: &str) -> Vec<Identity> {
        identities(&format!(
            r#"<session session_id="{id}"><group-ref>{group}</group-ref></session>"#
        ))
    }

    fn call(name: &str) -> CallId {
        CallId(name.to_owned())
    }

    #[test]
    fn the_second_recording_of_a_call_is_known_until_the_first_ends() {
        let duplicates = Arc::new(Duplicates::default());
        let first = duplicates.claim(&session("s1", "g1"), &call("first"));
        let first = first.ok().unwrap();
        let second = duplicates.claim(&session("s1", "g2"), &call("second"));
        assert_eq!(second.err(), Some(call("first")));
        drop(first);
        assert!(
            duplicates
                .claim(&session("s1", "g2"), &call("second"))
                .is_ok()
        );
    }

    #[test]
    fn a_group_holds_several_calls() {
        let duplicates = Arc::new(Duplicates::default());
        let _first = duplicates
            .claim(&session("s1", "g1"), &call("first"))
            .ok()
            .unwrap();
        assert!(
            duplicates
                .claim(&session("s2", "g1"), &call("second"))
                .is_ok()
        );
    }

    #[test]
    fn what_is_told_later_counts_and_takes_nothing_from_others() {
        let duplicates = Arc::new(Duplicates::default());
        let claim = |id: &str, name: &str| duplicates.claim(&session(id, "g"), &call(name));
        let first = claim("s1", "first").ok().unwrap();
        let second = claim("s2", "second").ok().unwrap();
        first.add(&session("s2", "g"));
        first.add(&session("s3", "g"));
        assert_eq!(claim("s2", "third").err(), Some(call("second")));
        assert_eq!(claim("s3", "third").err(), Some(call("first")));
        drop(first);
        assert!(claim("s3", "third").is_ok());
        drop(second);
        assert!(claim("s2", "third").is_ok());
    }

    #[test]
    fn who_is_known_by_nothing_is_no_duplicate() {
        let duplicates = Arc::new(Duplicates::default());
        let _first = duplicates.claim(&[], &call("first")).ok().unwrap();
        assert!(duplicates.claim(&[], &call("second")).is_ok());
    }
}
