//! Which party is on which channel.

use auricle_contracts::Party;

/// Names of parties in queries.
pub(crate) const PARTIES: [(&str, Party); 3] = [
    ("agent", Party::Agent),
    ("customer", Party::Customer),
    ("unknown", Party::Unknown),
];

/// How the parties of a call lie on the channels of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One channel. `None`: nobody said who is on it, so the order in which a call's connections came decides.
    Single(Option<Party>),
    /// Two channels, a party each.
    Split {
        /// The agent's: 0 or 1.
        agent_channel: u16,
    },
    /// Several channels, to be heard as one.
    Downmix {
        /// How many there are.
        n_channels: u16,
    },
}

impl Layout {
    /// Channels of the audio.
    pub const fn n_channels(self) -> u16 {
        match self {
            Self::Single(_) => 1,
            Self::Split { .. } => 2,
            Self::Downmix { n_channels } => n_channels,
        }
    }

    /// Who is on a channel, where that is known.
    pub fn party(self, channel: u16) -> Option<Party> {
        match self {
            Self::Single(party) => party,
            Self::Split { agent_channel } if channel == agent_channel => Some(Party::Agent),
            Self::Split { .. } => Some(Party::Customer),
            Self::Downmix { .. } => Some(Party::Unknown),
        }
    }
}
