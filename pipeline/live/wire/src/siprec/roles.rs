//! Who of the participants is the agent, who the customer, and who called.

use std::borrow::Cow;

use auricle_contracts::Party;

use super::address::Address;
use super::{FirstStream, Participant, PartyRules, PartyWarning, Private, Recording};
use crate::facts::{CallFacts, Fact};

/// Users of those who do not tell who they are (RFC 3323, and what networks write).
const NOBODY: [&str; 5] = [
    "anonymous",
    "private",
    "restricted",
    "unavailable",
    "unknown",
];

/// Agent and customer among those who speak, by their places.
#[derive(Default)]
pub(super) struct Roles {
    agent: Option<usize>,
    customer: Option<usize>,
}

impl Recording {
    /// Tells agent and customer apart. The first `n_heard` of the speakers are heard alone; only among them is there an
    /// order.
    pub(super) fn roles(
        &self,
        speakers: &[Option<&Participant>],
        n_heard: usize,
        rules: &PartyRules,
        warnings: &mut Vec<PartyWarning>,
    ) -> Roles {
        let each = speakers.iter();
        let mut agents: Vec<bool> = each
            .map(|speaker| speaker.is_some_and(|it| rules.is_agent(it)))
            .collect();
        if !agents.contains(&true) {
            let each = speakers.iter();
            agents = each
                .map(|speaker| speaker.is_some_and(|it| self.is_hinted(it)))
                .collect();
        }
        let agent = agents.iter().position(|is_agent| *is_agent);
        let customer = agents.iter().position(|is_agent| !*is_agent);
        let is_alone = agents.len() == 1;
        match (agent, customer) {
            (Some(_), Some(_)) => Roles { agent, customer },
            (Some(_), None) if is_alone => Roles { agent, customer },
            _ if n_heard == 0 => Roles::default(),
            _ => {
                warnings.push(PartyWarning::ByOrder);
                Roles::by_order(rules.first_stream)
            }
        }
    }

    /// Whether an extension says of a participant that this is an agent.
    fn is_hinted(&self, participant: &Participant) -> bool {
        participant.is_agent || has_address_of(participant, &self.agent_hints)
    }

    /// The call's name, and what the addresses of agent and customer tell.
    pub(super) fn facts(
        &self,
        speakers: &[Option<&Participant>],
        roles: &Roles,
        warnings: &mut Vec<PartyWarning>,
    ) -> CallFacts {
        let mut facts = CallFacts {
            call_id: self.call_id(),
            ..CallFacts::default()
        };
        for (role, fact) in [(roles.agent, Fact::Agent), (roles.customer, Fact::Customer)] {
            let speaker = role.and_then(|idx| speakers.get(idx).copied().flatten());
            let contact = speaker.and_then(contact).unwrap_or_default();
            let noted = facts.note(fact, &contact, &self.limits);
            warnings.extend(noted.err().map(PartyWarning::Refused));
        }
        facts
    }

    /// Who called, where an extension says it of one speaker alone.
    pub(super) fn caller(&self, speakers: &[Option<&Participant>], roles: &Roles) -> Option<Party> {
        let is_caller = |speaker: &Option<&Participant>| {
            speaker.is_some_and(|it| it.is_caller || has_address_of(it, &self.caller_hints))
        };
        let caller = speakers.iter().position(is_caller)?;
        let n_callers = speakers.iter().filter(|each| is_caller(each)).count();
        let party = roles.party(Some(caller));
        (n_callers == 1 && party != Party::Unknown).then_some(party)
    }
}

impl Roles {
    fn by_order(first: FirstStream) -> Self {
        let (agent, customer) = match first {
            FirstStream::Agent => (Some(0), Some(1)),
            FirstStream::Customer => (Some(1), Some(0)),
        };
        Self { agent, customer }
    }

    /// The party of a speaker; who is not heard alone has none.
    pub(super) fn party(&self, speaker: Option<usize>) -> Party {
        match speaker {
            None => Party::Unknown,
            _ if speaker == self.agent => Party::Agent,
            _ if speaker == self.customer => Party::Customer,
            _ => Party::Unknown,
        }
    }
}

/// Whether one of a participant's addresses is among these.
fn has_address_of(participant: &Participant, hints: &[Private]) -> bool {
    let mut addresses = participant.names.iter().flat_map(|name| &name.address);
    addresses.any(|address| {
        let address = Address::read(address.reveal());
        let mut hints = hints.iter();
        hints.any(|hint| Address::read(hint.reveal()).fits(&address))
    })
}

/// The first user of a participant's addresses, else their name; nothing of who does not want to be known.
fn contact(participant: &Participant) -> Option<Cow<'_, str>> {
    let addresses = participant.names.iter().flat_map(|name| &name.address);
    let mut users = addresses.map(|address| Address::read(address.reveal()).user);
    let names = participant.names.iter().flat_map(|name| &name.name);
    let contact = users
        .find(|user| !user.is_empty())
        .or_else(|| names.map(|name| Cow::Borrowed(name.reveal())).next())?;
    let is_nobody = NOBODY
        .iter()
        .any(|nobody| contact.eq_ignore_ascii_case(nobody));
    (!is_nobody).then_some(contact)
}
