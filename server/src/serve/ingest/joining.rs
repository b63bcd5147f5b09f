//! Two connections that are the legs of one call.
//!
//! ```text
//! first connection => (second one comes, or the second leg is let go)
//! ```

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_live::NewLeg;
use auricle_record::CallSettings;
use thiserror::Error;
use tokio::sync::Mutex;

use super::CallLeg;
use crate::serve::calls::{CallToOpen, Calls, WhereAudioLies};

/// How long the second leg may stay away: Asterisk connects one after the other within two.
const JOIN_WITHIN: Duration = Duration::from_secs(10);
/// Legs that begin within so short a time begin together.
const TOGETHER: Duration = Duration::from_millis(100);

/// A connection that brings one of a call's two legs.
#[derive(Clone, Debug)]
pub(crate) struct LegToJoin {
    /// The same for both.
    pub(crate) id: CallId,
    /// What is known of the call; that of the first connection counts.
    pub(crate) metadata: CallMetadata,
    /// Who speaks, where that is said; else `likely` where it opens the call, and whoever is left on the second connection.
    pub(crate) party: Option<Party>,
    /// Who speaks if nothing is said.
    pub(crate) likely: Party,
    /// Samples a second.
    pub(crate) rate_hz: u32,
}

/// A second connection does not fit to the first.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum JoinError {
    #[error("the legs of a call must have one rate, got `{first_hz}` and `{second_hz}` Hz")]
    Rates { first_hz: u32, second_hz: u32 },
    #[error(
        "both connections of the call bring the `{party}`\nhint: the parties of a call are one agent and one customer"
    )]
    Parties { party: &'static str },
    #[error("the call has two connections already\nhint: every call needs a name of its own")]
    ThirdLeg,
}

/// Calls of one way in whose second leg is not there yet.
pub(crate) struct Joining {
    calls: Arc<Calls>,
    source: &'static str,
    /// Held while a call is opened, which waits for the disk: its second leg waits for that, too.
    waiting: Mutex<HashMap<CallId, SecondLeg>>,
}

struct SecondLeg {
    leg: CallLeg,
    party: Party,
    since: Instant,
}

impl Joining {
    pub(crate) fn new(calls: Arc<Calls>, source: &'static str) -> Arc<Self> {
        Arc::new(Self {
            calls,
            source,
            waiting: Mutex::new(HashMap::new()),
        })
    }

    /// The first connection of a call opens it; the second gets the leg that is left.
    ///
    /// # Errors
    /// When the call is not taken in, or the second does not fit to the first: that one may still come.
    pub(crate) async fn join(self: &Arc<Self>, joiner: LegToJoin) -> Result<CallLeg> {
        let mut waiting = self.waiting.lock().await;
        if let Some(second) = waiting.get(&joiner.id) {
            second.check(&joiner)?;
        }
        if let Some(second) = waiting.remove(&joiner.id) {
            let behind = second.since.elapsed();
            return Ok(match behind < TOGETHER {
                true => second.leg,
                false => second.leg.late_by(behind),
            });
        }
        let rate_hz = joiner.rate_hz;
        let parties = [Party::Agent, Party::Customer];
        let to_open = CallToOpen {
            id: joiner.id.clone(),
            metadata: joiner.metadata,
            source: self.source,
            legs: parties.map(|party| NewLeg { party, rate_hz }).to_vec(),
            settings: CallSettings::default(),
            audio: WhereAudioLies::Nowhere,
        };
        let opened = tokio::task::block_in_place(|| self.calls.open(to_open))?;
        let is_first = |party: Party| party == joiner.party.unwrap_or(joiner.likely);
        let (mut first, mut second) = (None, None);
        for (leg, party) in opened.legs.into_iter().zip(parties) {
            match is_first(party) {
                true => first = Some(leg),
                false => second = Some((leg, party)),
            }
        }
        let since = Instant::now();
        if let Some((leg, party)) = second {
            let second = SecondLeg { leg, party, since };
            waiting.insert(joiner.id.clone(), second);
            self.let_go_later(joiner.id, since);
        }
        first.context("the call has not two legs")
    }

    /// A second leg that stays away does not keep its call open.
    fn let_go_later(self: &Arc<Self>, id: CallId, since: Instant) {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(JOIN_WITHIN).await;
            let mut waiting = this.waiting.lock().await;
            // Another call of this name may have begun since.
            if waiting.get(&id).is_some_and(|second| second.since == since) {
                waiting.remove(&id);
            }
        });
    }
}

impl SecondLeg {
    fn check(&self, joiner: &LegToJoin) -> Result<(), JoinError> {
        if self.leg.rate_hz() != joiner.rate_hz {
            return Err(JoinError::Rates {
                first_hz: self.leg.rate_hz(),
                second_hz: joiner.rate_hz,
            });
        }
        match joiner.party {
            Some(party) if party != self.party => Err(JoinError::Parties {
                party: party.as_str(),
            }),
            _ => Ok(()),
        }
    }
}
