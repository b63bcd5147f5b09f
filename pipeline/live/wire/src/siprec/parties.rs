//! Who is on which media line, and what that tells of the call.

use auricle_contracts::Party;

use super::roles::Roles;
use super::voices::{Line, Voice, pair, speakers};
use super::{Participant, PartyRules, PartyWarning, Private, Recording};
use crate::facts::CallFacts;

/// The parties of a call, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parties {
    /// One for each media line, in their order.
    pub legs: Vec<LegParty>,
    /// The call by the id of its communication session; the agent and the customer, as far as their addresses tell: the
    /// user of the address, else the name.
    pub facts: CallFacts,
    /// Who called, where an extension tells: the customer where the call came in.
    pub caller: Option<Party>,
    /// What is not certain.
    pub warnings: Vec<PartyWarning>,
}

/// Whose voice a media line carries.
#[derive(Clone, Debug, PartialEq)]
pub struct LegParty {
    /// `a=label` of its media line, where the metadata tell it.
    pub label: Option<Private>,
    /// Place of the stream among all that were told, from 0: that of the media line where there is no label. Without any
    /// stream, the place of the participant; without either, of the media line.
    pub stream_idx: usize,
    /// Agent, customer, or neither of them for sure.
    pub party: Party,
    /// Whether it carries more than one of them. Then the party is not known.
    pub is_mixed: bool,
    /// Address of who sends it.
    pub address: Option<Private>,
    /// Name of who sends it.
    pub name: Option<Private>,
}

impl Recording {
    /// Says whose voice each stream carries: that of the participant who sends it. Where that is not said, participants
    /// without a stream are taken for streams without a sender, in their order. A stream that more than one sends is
    /// [`Party::Unknown`].
    ///
    /// Of those who speak, the agent is the first whose address fits the rules, else the first of whom an extension says
    /// so; the customer is the first of the others. Where that does not give both, the rules say who is on the first
    /// stream, and the second one has the other party; where nobody is heard alone, neither is known. All others are
    /// [`Party::Unknown`].
    ///
    /// Streams and participants that are over are not counted, unless fewer than two go on: who hangs up first, or puts
    /// the call on hold, does not change who the other is. To be asked after each document while the call goes on.
    pub fn parties(&self, rules: &PartyRules) -> Parties {
        let present = self.present();
        self.tell(self.lines(&present), &present, rules)
    }

    /// The same for the media lines of a session description, of which these are the labels, in their order: a leg for
    /// each of them. Media lines that are no audio are left out, and streams without a media line are not counted.
    ///
    /// A stream that goes on is taken before one that is over and has the same label. Media lines without a label that
    /// the metadata know are taken for the streams without a label; where no label is known, for all streams in their
    /// order ([`PartyWarning::LabelsByOrder`]).
    pub fn media_parties(&self, labels: &[Option<&str>], rules: &PartyRules) -> Parties {
        let present = self.present();
        let media = self.streams_of_media(labels);
        // What is taken by order is taken in that of the metadata.
        let mut order: Vec<(usize, Option<usize>)> =
            media.streams.into_iter().enumerate().collect();
        order.sort_by_key(|(_, stream_idx)| stream_idx.unwrap_or(usize::MAX));
        let line = |&(media_idx, stream_idx): &(usize, Option<usize>)| {
            let stream = stream_idx.and_then(|idx| self.streams.get(idx));
            let voice = stream.map(|stream| self.voice(stream, &present));
            Line {
                label: stream.and_then(|stream| stream.label.as_ref()),
                stream_idx: stream_idx.unwrap_or(media_idx),
                voice: voice.unwrap_or(Voice::Somebody),
            }
        };
        let mut parties = self.tell(order.iter().map(line).collect(), &present, rules);
        if media.is_by_order {
            parties.warnings.insert(0, PartyWarning::LabelsByOrder);
        }
        let places = order.into_iter().map(|(media_idx, _)| media_idx);
        let mut legs: Vec<_> = places.zip(std::mem::take(&mut parties.legs)).collect();
        legs.sort_by_key(|(media_idx, _)| *media_idx);
        parties.legs = legs.into_iter().map(|(_, leg)| leg).collect();
        parties
    }

    fn tell<'r>(
        &'r self,
        mut lines: Vec<Line<'r>>,
        present: &[&'r Participant],
        rules: &PartyRules,
    ) -> Parties {
        let mut warnings = Vec::new();
        pair(&mut lines, present, &mut warnings);
        if lines.iter().any(Line::is_mixed) {
            warnings.push(PartyWarning::Mixed);
        }
        let (mut speakers, speaker_of) = speakers(&lines);
        let n_heard = speakers.len();
        if n_heard > 2 {
            let n_speakers = n_heard;
            warnings.push(PartyWarning::Conference { n_speakers });
        }
        // Those who are not heard alone may still be agent or customer.
        for &participant in present {
            let mut known = speakers.iter().flatten();
            if !known.any(|known| known.id == participant.id) {
                speakers.push(Some(participant));
            }
        }
        let roles = self.roles(&speakers, n_heard, rules, &mut warnings);
        let facts = self.facts(&speakers, &roles, &mut warnings);
        let legs = lines.iter().zip(speaker_of);
        Parties {
            legs: legs
                .map(|(line, speaker)| line.leg(speaker, &roles))
                .collect(),
            facts,
            caller: self.caller(&speakers, &roles),
            warnings,
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
            is_mixed: self.is_mixed(),
            address: names.iter().find_map(|name| name.address.clone()),
            name: names.iter().find_map(|name| name.name.clone()),
        }
    }
}
