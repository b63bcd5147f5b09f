//! Two connections that are the legs of one call.
//!
//! ```text
//! first connection => (second one comes, or the second leg is let go => whoever comes then is told that it is too late)
//! ```
//!
//! Where nothing but the order of connections says who speaks, one that comes after the first broke off may be that one again: it
//! is refused, once. Where the first said that its leg has ended, whoever comes is the other party.

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
    /// Who speaks.
    pub(crate) speaker: Speaker,
    /// Samples a second.
    pub(crate) rate_hz: u32,
}

/// Who speaks on a connection, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Speaker {
    /// It is said.
    Said(Party),
    /// Nothing is known: the agent where it opens the call, whoever is left on the second connection.
    Unsaid,
    /// By the order of connections.
    Seated {
        /// The place that was free.
        party: Party,
        /// The other place is taken: this one is certain.
        is_other_there: bool,
    },
}

impl Speaker {
    /// On the connection that opens the call.
    const fn first(self) -> Party {
        match self {
            Self::Said(party) | Self::Seated { party, .. } => party,
            Self::Unsaid => Party::Agent,
        }
    }
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
    #[error(
        "the second connection of the call brought no audio within {} s of the first\nhint: the call goes on with one party; have both connections begin together",
        JOIN_WITHIN.as_secs()
    )]
    TooLate,
}

/// Calls of one way in whose second leg is not there yet.
pub(crate) struct Joining {
    calls: Arc<Calls>,
    source: &'static str,
    /// Held while a call is opened, which waits for the disk: its second leg waits for that, too.
    seconds: Mutex<Seconds>,
}

/// Second legs, by the names that their connections bring.
#[derive(Default)]
struct Seconds {
    waiting: HashMap<CallId, SecondLeg>,
    /// Names of calls under way whose second leg was let go; those of calls that ended go with the next one.
    let_go: HashMap<CallId, CallId>,
}

struct SecondLeg {
    leg: CallLeg,
    left: Left,
    since: Instant,
}

/// What is left of a call for its second connection.
#[derive(Clone, Copy, Debug)]
struct Left {
    party: Party,
    rate_hz: u32,
    /// The first connection said that its leg has ended: it does not come back.
    is_first_over: bool,
    /// One that may have been the first again was refused: whoever is refused does not come again.
    is_return_refused: bool,
}

impl Joining {
    pub(crate) fn new(calls: Arc<Calls>, source: &'static str) -> Arc<Self> {
        Arc::new(Self {
            calls,
            source,
            seconds: Mutex::default(),
        })
    }

    /// The first connection of a call opens it; the second gets the leg that is left.
    ///
    /// # Errors
    /// When the call is not taken in, the second does not fit to the first (one that does may still come), or it is too late.
    pub(crate) async fn join(self: &Arc<Self>, joiner: LegToJoin) -> Result<CallLeg> {
        let mut seconds = self.seconds.lock().await;
        if let Some(second) = seconds.waiting.get_mut(&joiner.id) {
            second.left.check(joiner.rate_hz, joiner.speaker)?;
        }
        if let Some(second) = seconds.waiting.remove(&joiner.id) {
            let behind = second.since.elapsed();
            return Ok(match behind < TOGETHER {
                true => second.leg,
                false => second.leg.late_by(behind),
            });
        }
        if let Some(call) = seconds.let_go.get(&joiner.id)
            && self.calls.is_under_way(call)
        {
            return Err(JoinError::TooLate.into());
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
        seconds.let_go.remove(&joiner.id);
        let is_first = |party: Party| party == joiner.speaker.first();
        let (mut first, mut second) = (None, None);
        for (leg, party) in opened.legs.into_iter().zip(parties) {
            match is_first(party) {
                true => first = Some(leg),
                false => second = Some((leg, party)),
            }
        }
        let since = Instant::now();
        if let Some((leg, party)) = second {
            let left = Left {
                party,
                rate_hz,
                is_first_over: false,
                is_return_refused: false,
            };
            let second = SecondLeg { leg, left, since };
            seconds.waiting.insert(joiner.id.clone(), second);
            self.let_go_later(joiner.id, since);
        }
        first.context("the call has not two legs")
    }

    /// A connection of this call says that its leg has ended: where it is the first, whoever comes is the other party.
    pub(crate) async fn over(&self, id: &CallId) {
        let mut seconds = self.seconds.lock().await;
        if let Some(second) = seconds.waiting.get_mut(id) {
            second.left.is_first_over = true;
        }
    }

    /// A second leg that stays away does not keep its call open.
    fn let_go_later(self: &Arc<Self>, id: CallId, since: Instant) {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(JOIN_WITHIN).await;
            this.let_go(id, since).await;
        });
    }

    async fn let_go(&self, id: CallId, since: Instant) {
        let mut seconds = self.seconds.lock().await;
        // Another call of this name may have begun since.
        let waiting = seconds.waiting.get(&id);
        if waiting.is_none_or(|second| second.since != since) {
            return;
        }
        let Some(second) = seconds.waiting.remove(&id) else {
            return;
        };
        let call = second.leg.call().clone();
        tracing::warn!(
            call.id = %call,
            "{}: no audio of the {} came within {} s of the first connection: the call goes on without",
            self.source,
            second.left.party.as_str(),
            JOIN_WITHIN.as_secs()
        );
        seconds
            .let_go
            .retain(|_, call| self.calls.is_under_way(call));
        seconds.let_go.insert(id, call);
    }
}

impl Left {
    /// Whether a connection can be the second.
    fn check(&mut self, rate_hz: u32, speaker: Speaker) -> Result<(), JoinError> {
        if self.rate_hz != rate_hz {
            return Err(JoinError::Rates {
                first_hz: self.rate_hz,
                second_hz: rate_hz,
            });
        }
        let (party, may_be_other) = match speaker {
            Speaker::Said(party) => (party, false),
            Speaker::Unsaid => return Ok(()),
            Speaker::Seated {
                party,
                is_other_there,
            } => {
                let is_known_gone = self.is_first_over || self.is_return_refused;
                (party, is_known_gone && !is_other_there)
            }
        };
        if party == self.party || may_be_other {
            return Ok(());
        }
        self.is_return_refused |= matches!(speaker, Speaker::Seated { .. });
        Err(JoinError::Parties {
            party: party.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After the agent opened the call.
    fn customers() -> Left {
        Left {
            party: Party::Customer,
            rate_hz: 8_000,
            is_first_over: false,
            is_return_refused: false,
        }
    }

    fn seated(party: Party, is_other_there: bool) -> Speaker {
        Speaker::Seated {
            party,
            is_other_there,
        }
    }

    const TWO_AGENTS: Result<(), JoinError> = Err(JoinError::Parties { party: "agent" });

    #[test]
    fn the_second_has_the_rate_of_the_first_and_is_the_other_party() {
        let rates = JoinError::Rates {
            first_hz: 8_000,
            second_hz: 16_000,
        };
        let mut left = customers();
        assert_eq!(left.check(16_000, Speaker::Unsaid), Err(rates));
        assert_eq!(left.check(8_000, Speaker::Said(Party::Agent)), TWO_AGENTS);
        assert_eq!(left.check(8_000, Speaker::Said(Party::Agent)), TWO_AGENTS);
        assert_eq!(left.check(8_000, Speaker::Said(Party::Customer)), Ok(()));
        assert_eq!(left.check(8_000, Speaker::Unsaid), Ok(()));
        let customer = seated(Party::Customer, true);
        assert_eq!(left.check(8_000, customer), Ok(()));
    }

    #[test]
    fn who_comes_back_is_not_the_other_party() {
        let mut left = customers();
        // The place of the agent is free again, and so is the other.
        let next = seated(Party::Agent, false);
        assert_eq!(left.check(8_000, next), TWO_AGENTS);
        assert_eq!(left.check(8_000, next), Ok(()), "the customer");
        // The customer sits there already, and says nothing yet.
        let mut left = customers();
        let agent = seated(Party::Agent, true);
        assert_eq!(left.check(8_000, agent), TWO_AGENTS);
        assert_eq!(left.check(8_000, agent), TWO_AGENTS);
        assert_eq!(left.check(8_000, seated(Party::Customer, true)), Ok(()));
    }

    #[test]
    fn legs_may_come_one_after_the_other() {
        let mut left = Left {
            is_first_over: true,
            ..customers()
        };
        assert_eq!(left.check(8_000, seated(Party::Agent, false)), Ok(()));
    }
}
