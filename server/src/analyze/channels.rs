//! Which party is on which channel.

use std::str::FromStr;

use auricle_contracts::{ChannelLayout, Party};

/// What `--channels` says: `agent=left`, `agent=1,customer=0`. By default the agent is on the left.
/// Two maps that mean the same are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChannelMap {
    agent: u16,
    customer: u16,
}

impl Default for ChannelMap {
    fn default() -> Self {
        Self::with_agent(ChannelName(0))
    }
}

impl ChannelMap {
    /// The agent on this channel, the customer on the other.
    pub(crate) const fn with_agent(channel: ChannelName) -> Self {
        Self {
            agent: channel.0,
            customer: other_of(channel.0),
        }
    }

    /// Changes whenever what it says does.
    pub(crate) fn print(self) -> String {
        format!("agent={},customer={}", self.agent, self.customer)
    }

    fn party(self, channel: u16) -> Party {
        if channel == self.agent {
            Party::Agent
        } else if channel == self.customer {
            Party::Customer
        } else {
            Party::Unknown
        }
    }
}

/// The channel beside this one.
const fn other_of(channel: u16) -> u16 {
    if channel == 0 { 1 } else { 0 }
}

/// `left`, `right` or a number from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChannelName(u16);

impl FromStr for ChannelName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "left" => Ok(Self(0)),
            "right" => Ok(Self(1)),
            number => number.parse().map(Self).map_err(|_| {
                format!("channel must be left, right or a number from 0, got `{name}`")
            }),
        }
    }
}

impl FromStr for ChannelMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut agent, mut customer) = (None, None);
        for part in text.split(',') {
            let (party, channel) = part.split_once('=').ok_or_else(|| {
                format!("channels must look like agent=left,customer=right, got `{text}`")
            })?;
            let place = match party.trim() {
                "agent" => &mut agent,
                "customer" => &mut customer,
                other => return Err(format!("party must be agent or customer, got `{other}`")),
            };
            let ChannelName(channel) = channel.trim().parse()?;
            if place.replace(channel).is_some() {
                return Err(format!("`{party}` has two channels in `{text}`"));
            }
        }
        let agent = agent.unwrap_or_else(|| customer.map_or(0, other_of));
        let customer = customer.unwrap_or(other_of(agent));
        if customer == agent {
            return Err(format!(
                "agent and customer share channel `{agent}` in `{text}`"
            ));
        }
        Ok(Self { agent, customer })
    }
}

/// What the survey of a recording says of its channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelsFound {
    pub(crate) layout: ChannelLayout,
    /// For each channel whether it has a sound of its own: not silent, no copy, no leak of another.
    pub(crate) is_own: Vec<bool>,
}

/// The channels that the recogniser hears, each with its party. Those without a sound of their own are
/// left out.
pub(crate) fn plan(map: ChannelMap, found: &ChannelsFound) -> Result<Vec<(u16, Party)>, String> {
    let n_channels = found.is_own.len();
    if found.layout != ChannelLayout::PerParty {
        let audible = found.is_own.iter().position(|is_own| *is_own);
        return Ok(audible
            .map(|channel| (channel as u16, Party::Unknown))
            .into_iter()
            .collect());
    }
    for (party, channel) in [("agent", map.agent), ("customer", map.customer)] {
        if usize::from(channel) >= n_channels {
            return Err(format!(
                "the {party} is said to be on channel `{channel}`, but the recording has channels 0 to {}\nhint: correct --channels",
                n_channels.saturating_sub(1)
            ));
        }
    }
    let audible = found
        .is_own
        .iter()
        .enumerate()
        .filter(|(_, is_own)| **is_own);
    Ok(audible
        .map(|(channel, _)| (channel as u16, map.party(channel as u16)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_party(is_own: &[bool]) -> ChannelsFound {
        ChannelsFound {
            layout: ChannelLayout::PerParty,
            is_own: is_own.to_vec(),
        }
    }

    fn check(text: &str, is_own: &[bool], expected: &str) {
        let map = text.parse::<ChannelMap>();
        let planned = map.and_then(|map| plan(map, &per_party(is_own)));
        let shown = match planned {
            Ok(planned) => planned
                .iter()
                .map(|(channel, party)| format!("{channel}={party} "))
                .collect(),
            Err(error) => error,
        };
        assert!(shown.trim_end().contains(expected), "{text}: {shown}");
    }

    #[test]
    fn parties_follow_the_option() {
        let both = [true, true];
        check("agent=left", &both, "0=agent 1=customer");
        check("agent=right", &both, "0=customer 1=agent");
        check("customer=0", &both, "0=customer 1=agent");
        check(
            "agent=2,customer=1",
            &[true; 4],
            "0=unknown 1=customer 2=agent 3=unknown",
        );
        check("agent=right", &[false, true], "1=agent");
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        let print = |text: &str| text.parse::<ChannelMap>().unwrap().print();
        assert_eq!(print("agent=left"), print("customer=1,agent=0"));
        assert_eq!(print("agent=left"), ChannelMap::default().print());
        assert_eq!(print("agent=right"), print("customer=left"));
        assert_ne!(print("agent=left"), print("agent=right"));
    }

    #[test]
    fn mistakes() {
        let both = [true, true];
        check("left", &both, "channels must look like");
        check(
            "boss=left",
            &both,
            "party must be agent or customer, got `boss`",
        );
        check(
            "agent=middle",
            &both,
            "channel must be left, right or a number",
        );
        check("agent=0,customer=0", &both, "share channel `0`");
        check("agent=0,agent=1", &both, "`agent` has two channels");
        check("agent=5", &both, "but the recording has channels 0 to 1");
    }

    #[test]
    fn one_sound_is_one_unknown_party() {
        let fake = ChannelsFound {
            layout: ChannelLayout::FakeStereo,
            is_own: vec![true, false],
        };
        assert_eq!(
            plan(ChannelMap::default(), &fake),
            Ok(vec![(0, Party::Unknown)])
        );
        let silence = ChannelsFound {
            layout: ChannelLayout::Mono,
            is_own: vec![false],
        };
        assert_eq!(plan(ChannelMap::default(), &silence), Ok(vec![]));
    }
}
