//! Who speaks on which connection, where nothing tells but their order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auricle_contracts::{CallId, Party};
use uuid::Uuid;

use super::joining::JoinError;

/// The parties of each call whose connections are there.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    taken: Mutex<HashMap<Uuid, Vec<Party>>>,
}

/// One of a call's two connections. Dropped, another may come in its place.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    pub(crate) call: Uuid,
    pub(crate) party: Party,
}

impl Seats {
    /// The first connection that names a call is the agent's, whoever speaks first; the second is the customer's.
    ///
    /// # Errors
    /// For a third.
    pub(crate) fn sit(self: &Arc<Self>, call: Uuid) -> Result<Seat, JoinError> {
        let mut taken = self.taken();
        let parties = taken.entry(call).or_default();
        let is_free = |party: &Party| !parties.contains(party);
        let mut order = [Party::Agent, Party::Customer].into_iter();
        let party = order.find(is_free).ok_or(JoinError::ThirdLeg)?;
        parties.push(party);
        Ok(Seat {
            seats: Arc::clone(self),
            call,
            party,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Uuid, Vec<Party>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The call's name.
    pub(crate) fn call_id(&self) -> CallId {
        CallId(self.call.to_string())
    }

    /// Whether the other party's connection is there, too: then nobody takes this one for it.
    pub(crate) fn is_other_there(&self) -> bool {
        let taken = self.seats.taken();
        let mut parties = taken.get(&self.call).into_iter().flatten();
        parties.any(|party| *party != self.party)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        if let Some(parties) = taken.get_mut(&self.call) {
            parties.retain(|party| *party != self.party);
            if parties.is_empty() {
                taken.remove(&self.call);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_names_a_call_is_the_agent() {
        let seats = Arc::new(Seats::default());
        let (call, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let agent = seats.sit(call).unwrap();
        let customer = seats.sit(call).unwrap();
        assert_eq!(
            (agent.party, customer.party),
            (Party::Agent, Party::Customer)
        );
        assert_eq!(seats.sit(call).unwrap_err(), JoinError::ThirdLeg);
        let alone = seats.sit(other).unwrap();
        assert_eq!(alone.party, Party::Agent);
        assert_eq!(
            [&agent, &customer, &alone].map(Seat::is_other_there),
            [true, true, false]
        );
        drop((agent, alone));
        assert!(!customer.is_other_there());
        let again = seats.sit(call).unwrap();
        assert_eq!(again.party, Party::Agent);
        assert!(again.is_other_there());
        drop((customer, again));
        assert!(seats.taken().is_empty());
    }
}
