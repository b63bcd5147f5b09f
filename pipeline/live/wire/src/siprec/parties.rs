//! Who is on which media line.

use auricle_contracts::Party;

use super::address::Address;
use super::recording::{Direction, MediaStream};
use super::{FirstStream, Participant, PartyRules, PartyWarning, Private, Recording};
use crate::facts::{CallFacts, Fact};
use crate::limits::Limits;

/// Users of those who do not tell who they are (RFC 3323, and what networks write).
const NOBODY: [&str; 5] = [
    "anonymous",
    "private",
    "restricted",
    "unavailable",
    "unknown",
];

/// The parties of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Parties {
    /// One for each media line, in the order of the streams.
    pub legs: Vec<LegParty>,
    /// The agent and the customer, as far as their addresses tell; the user of the address, else the name.
    pub facts: CallFacts,
    /// What is not certain.
    pub warnings: Vec<PartyWarning>,
}

/// Whose voice a media line carries.
#[derive(Clone, Debug, PartialEq)]
pub struct LegParty {
    /// `a=label` of the media line, where it is told.
    pub label: Option<Private>,
    /// Place of the stream among all that were told, from 0: that of the media line where there is no label. Without any
    /// stream, the place of the participant.
    pub stream_idx: usize,
    /// Agent, customer, or neither of them for sure.
    pub party: Party,
    /// Address of who sends it.
    pub address: Option<Private>,
    /// Name of who sends it.
    pub name: Option<Private>,
}

/// A stream and who is heard on it.
struct Line<'r> {
    label: Option<&'r Private>,
    stream_idx: usize,
    voice: Voice<'r>,
}

/// Who is heard on a stream.
#[derive(Clone, Copy)]
enum Voice<'r> {
    /// One participant.
    Of(&'r Participant),
    /// Somebody who is not told.
    Somebody,
    /// More than one.
    Several,
}

/// Agent and customer among those who speak, by their places.
struct Roles {
    agent: Option<usize>,
    customer: Option<usize>,
}

impl Recording {
    /// Says whose voice each stream carries: that of the participant who sends it. Where that is not said, participants
    /// without a stream are taken for streams without a sender, in their order. A stream that more than one sends is
    /// [`Party::Unknown`].
    ///
    /// Of those who speak, the agent is the first whose address fits the rules, else the first of whom an extension says
    /// so; the customer is the first of the others. Where that does not give both, the rules say who is on the first
    /// stream, and the second one has the other party. All others are [`Party::Unknown`].
    ///
    /// Streams and participants that are over are not counted, unless fewer than two go on: who hangs up first does not
    /// change who the other is. To be asked after each document while the call goes on.
    pub fn parties(&self, rules: &PartyRules) -> Parties {
        let mut warnings = Vec::new();
        let present = self.present();
        let mut lines = self.lines(&present);
        pair(&mut lines, &present, &mut warnings);
        if lines
            .iter()
            .any(|line| matches!(line.voice, Voice::Several))
        {
            warnings.push(PartyWarning::Mixed);
        }
        let (mut speakers, speaker_of) = speakers(&lines);
        if speakers.len() > 2 {
            let n_speakers = speakers.len();
            warnings.push(PartyWarning::Conference { n_speakers });
        }
        // Those who are not heard alone may still be agent or customer.
        for &participant in &present {
            if !speakers
                .iter()
                .flatten()
                .any(|known| known.id == participant.id)
            {
                speakers.push(Some(participant));
            }
        }
        let roles = self.roles(&speakers, rules, &mut warnings);
        let facts = facts(&speakers, &roles, &self.limits, &mut warnings);
        let legs = lines.iter().zip(speaker_of);
        Parties {
            legs: legs
                .map(|(line, speaker)| line.leg(speaker, &roles))
                .collect(),
            facts,
            warnings,
        }
    }

    /// Participants who have not left; all of them where everything counts.
    fn present(&self) -> Vec<&Participant> {
        let all = self.participants.iter();
        let present: Vec<_> = all.filter(|all| !self.has_left(&all.id)).collect();
        match present.len() < self.participants.len().min(2) || self.is_ending() {
            true => self.participants.iter().collect(),
            false => present,
        }
    }

    /// Whether fewer than two streams go on where there were two.
    fn is_ending(&self) -> bool {
        let streams = self.streams.iter();
        let n_open = streams.filter(|stream| !self.has_ended(stream)).count();
        n_open < self.streams.len().min(2)
    }

    /// Streams that have not ended, all of them where everything counts; without any, the participants.
    fn lines<'r>(&'r self, present: &[&'r Participant]) -> Vec<Line<'r>> {
        if self.streams.is_empty() {
            let places = self.participants.iter().enumerate();
            let places = places.filter(|(_, participant)| {
                let mut present = present.iter();
                present.any(|present| present.id == participant.id)
            });
            let line = |(stream_idx, participant)| Line {
                label: None,
                stream_idx,
                voice: Voice::Of(participant),
            };
            return places.map(line).collect();
        }
        let is_ending = self.is_ending();
        let streams = self.streams.iter().enumerate();
        let open = streams.filter(|(_, stream)| is_ending || !self.has_ended(stream));
        let line = |(stream_idx, stream): (usize, &'r MediaStream)| Line {
            label: stream.label.as_ref(),
            stream_idx,
            voice: self.voice(stream, present),
        };
        open.map(line).collect()
    }

    fn voice<'r>(&'r self, stream: &MediaStream, present: &[&'r Participant]) -> Voice<'r> {
        let is_over = self.has_ended(stream);
        let links = self.links.iter().filter(|link| {
            let sends = link.stream == stream.id && link.direction == Direction::Sends;
            sends && (is_over || !link.span.is_over)
        });
        let senders: Vec<&Participant> = links
            .filter_map(|link| {
                let mut present = present.iter().copied();
                present.find(|present| present.id == link.participant)
            })
            .collect();
        match senders.as_slice() {
            _ if stream.is_mixed => Voice::Several,
            [] => Voice::Somebody,
            &[sender] => Voice::Of(sender),
            _ => Voice::Several,
        }
    }

    fn roles(
        &self,
        speakers: &[Option<&Participant>],
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
            _ if agents.is_empty() => Roles { agent, customer },
            _ => {
                warnings.push(PartyWarning::ByOrder);
                Roles::by_order(rules.first_stream)
            }
        }
    }

    /// Whether an extension says of a participant that this is an agent.
    fn is_hinted(&self, participant: &Participant) -> bool {
        let mut addresses = participant.names.iter().flat_map(|name| &name.address);
        let is_named = addresses.any(|address| {
            let address = Address::read(address.reveal());
            let mut hints = self.agent_hints.iter();
            hints.any(|hint| Address::read(hint.reveal()).fits(address))
        });
        participant.is_agent || is_named
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

    fn party(&self, speaker: Option<usize>) -> Party {
        match speaker {
            None => Party::Unknown,
            _ if speaker == self.agent => Party::Agent,
            _ if speaker == self.customer => Party::Customer,
            _ => Party::Unknown,
        }
    }
}

impl Line<'_> {
    fn leg(&self, speaker: Option<usize>, roles: &Roles) -> LegParty {
        let names = match self.voice {
            Voice::Of(participant) => participant.names.as_slice(),
            Voice::Somebody | Voice::Several => &[],
        };
        LegParty {
            label: self.label.cloned(),
            stream_idx: self.stream_idx,
            party: roles.party(speaker),
            address: names.iter().find_map(|name| name.address.clone()),
            name: names.iter().find_map(|name| name.name.clone()),
        }
    }
}

/// Finds out who sends what, where it is not said: as many participants without a stream as streams without a sender are
/// one each. Fewer streams than participants carry several, and so does a single stream that nobody is known for.
fn pair<'r>(lines: &mut [Line<'r>], present: &[&'r Participant], warnings: &mut Vec<PartyWarning>) {
    let is_heard = |participant: &Participant| {
        let mut voices = lines.iter().map(|line| line.voice);
        voices.any(|voice| matches!(voice, Voice::Of(other) if other.id == participant.id))
    };
    let unheard = present.iter().copied();
    let unheard: Vec<_> = unheard.filter(|unheard| !is_heard(unheard)).collect();
    let is_single = lines.len() == 1;
    let open = lines.iter_mut();
    let open: Vec<_> = open
        .filter(|line| matches!(line.voice, Voice::Somebody))
        .collect();
    if open.is_empty() {
        return;
    }
    let are_mixed = open.len() < unheard.len() || (is_single && unheard.is_empty());
    if !are_mixed && !unheard.is_empty() {
        warnings.push(PartyWarning::PairedByOrder);
    }
    let mut unheard = unheard.into_iter();
    for line in open {
        line.voice = match (are_mixed, unheard.next()) {
            (true, _) => Voice::Several,
            (false, Some(participant)) => Voice::Of(participant),
            (false, None) => Voice::Somebody,
        };
    }
}

/// Those who are heard alone, each once, and for each line which of them it is.
fn speakers<'r>(lines: &[Line<'r>]) -> (Vec<Option<&'r Participant>>, Vec<Option<usize>>) {
    let mut speakers: Vec<Option<&Participant>> = Vec::new();
    let mut speaker_of = Vec::new();
    for line in lines {
        let (speaker, known) = match line.voice {
            Voice::Several => {
                speaker_of.push(None);
                continue;
            }
            Voice::Somebody => (None, None),
            Voice::Of(participant) => {
                let is_same =
                    |known: &Option<&Participant>| known.is_some_and(|it| it.id == participant.id);
                (Some(participant), speakers.iter().position(is_same))
            }
        };
        speaker_of.push(known.or(Some(speakers.len())));
        if known.is_none() {
            speakers.push(speaker);
        }
    }
    (speakers, speaker_of)
}

/// What the addresses of agent and customer tell of the call.
fn facts(
    speakers: &[Option<&Participant>],
    roles: &Roles,
    limits: &Limits,
    warnings: &mut Vec<PartyWarning>,
) -> CallFacts {
    let mut facts = CallFacts::default();
    for (role, fact) in [(roles.agent, Fact::Agent), (roles.customer, Fact::Customer)] {
        let speaker = role.and_then(|idx| speakers.get(idx).copied().flatten());
        let contact = speaker.and_then(contact).unwrap_or_default();
        let noted = facts.note(fact, contact, limits);
        warnings.extend(noted.err().map(PartyWarning::Refused));
    }
    facts
}

/// The first user of a participant's addresses, else their name; nothing of who does not want to be known.
fn contact(participant: &Participant) -> Option<&str> {
    let addresses = participant.names.iter().flat_map(|name| &name.address);
    let mut users = addresses.map(|address| Address::read(address.reveal()).user);
    let names = participant.names.iter().flat_map(|name| &name.name);
    let contact = users
        .find(|user| !user.is_empty())
        .or_else(|| names.map(Private::reveal).next())?;
    let is_nobody = NOBODY
        .iter()
        .any(|nobody| contact.eq_ignore_ascii_case(nobody));
    (!is_nobody).then_some(contact)
}
