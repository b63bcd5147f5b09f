//! The two directions of a call.

use std::fmt;

use auricle_contracts::Party;

/// A direction of audio, as seen from Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// What Twilio receives from the party whose call has the `<Stream>`.
    Inbound,
    /// What Twilio sends to this party.
    Outbound,
}

impl Track {
    /// Names of tracks: `media` and `start` have the short ones, the attribute of `<Stream>` and `dtmf` the long ones.
    const NAMES: [(&str, Self); 4] = [
        ("inbound", Self::Inbound),
        ("outbound", Self::Outbound),
        ("inbound_track", Self::Inbound),
        ("outbound_track", Self::Outbound),
    ];

    /// What messages say that a track may be.
    pub(super) const EXPECTED: &str = "inbound or outbound";

    pub(super) fn of_name(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, track)| *track)
    }

    /// Who is heard on it, where it is known who is on the inbound one.
    pub(super) const fn party(self, inbound: Party) -> Party {
        match (self, inbound) {
            (Self::Inbound, party) => party,
            (Self::Outbound, Party::Agent) => Party::Customer,
            (Self::Outbound, Party::Customer) => Party::Agent,
            (Self::Outbound, Party::Unknown) => Party::Unknown,
        }
    }
}

impl fmt::Display for Track {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        })
    }
}
