//! The query of the address that is streamed to.

use std::borrow::Cow;

use auricle_contracts::Party;

use crate::encoding::Encoding;
use crate::facts::CallFacts;
use crate::layout::{Layout, PARTIES};
use crate::limits::Limits;
use crate::query::{self, Ignored, Once, QueryError};

/// Why an address brings no customer.
const NO_CUSTOMER: &str =
    "addresses are logged on their way, and a customer's number must not be; send it as metadata";

/// The rates that `mod_audio_stream` is asked for by name.
const RATES_HZ: [(&str, u32); 4] = [
    ("8000", 8000),
    ("16000", 16_000),
    ("8k", 8000),
    ("16k", 16_000),
];

/// What comes over one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRequest {
    /// Samples per second and channel: 8000 or 16000.
    pub rate_hz: u32,
    /// Who is on which channel.
    pub layout: Layout,
    /// Connections of the call, 1 or 2, where that is said; for audio of one known party.
    pub connections: Option<u32>,
    /// Language of the call, where it is said (BCP 47).
    pub language: Option<String>,
    /// What is known of the call; metadata may tell more.
    pub facts: CallFacts,
    /// Parameters that change nothing.
    pub ignored: Vec<Ignored>,
}

/// The mix types of the `start` command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mix {
    Mono,
    Mixed,
    Stereo,
}

impl StreamRequest {
    /// The encoding of every connection.
    pub const ENCODING: Encoding = Encoding::L16Le;

    /// Reads a query, with or without its `?`.
    ///
    /// # Errors
    /// What cannot be, by its name.
    pub fn parse(query: &str, limits: &Limits) -> Result<Self, QueryError> {
        let mut said = Said::default();
        for (name, value) in query::pairs(query, limits)? {
            said.note(&name, value, limits)?;
        }
        said.request()
    }
}

/// Values as they stand in the query.
#[derive(Default)]
struct Said {
    rate: Once,
    channels: Once,
    mix: Once,
    party: Once,
    agent_channel: Once,
    connections: Once,
    language: Once,
    facts: CallFacts,
    ignored: Vec<Ignored>,
}

impl Said {
    fn note(&mut self, name: &str, value: String, limits: &Limits) -> Result<(), QueryError> {
        match name {
            "rate" => self.rate.set("rate", value),
            "channels" => self.channels.set("channels", value),
            "mix" => self.mix.set("mix", value),
            "party" => self.party.set("party", value),
            "agent_channel" => self.agent_channel.set("agent_channel", value),
            "connections" => self.connections.set("connections", value),
            "language" => self.language.set("language", value),
            _ => {
                let noted = self
                    .facts
                    .note_of_address(name, &value, NO_CUSTOMER, limits)?;
                self.ignored.extend(noted);
                Ok(())
            }
        }
    }

    fn request(self) -> Result<StreamRequest, QueryError> {
        let rate_hz = self.rate.choice("rate", &RATES_HZ)?.unwrap_or(8000);
        let channels = self.channels.number("channels", 1..=2)?;
        let mixes = [
            ("mono", Mix::Mono),
            ("mixed", Mix::Mixed),
            ("stereo", Mix::Stereo),
        ];
        let mix = match (self.mix.choice("mix", &mixes)?, channels) {
            (Some(Mix::Stereo), Some(1)) => return Err(disagrees("2 for `mix=stereo`", "1")),
            (Some(Mix::Mono | Mix::Mixed), Some(2)) => {
                return Err(disagrees("1 for `mix=mono` and `mix=mixed`", "2"));
            }
            (Some(mix), _) => mix,
            (None, Some(2)) => Mix::Stereo,
            (None, _) => Mix::Mono,
        };
        let party = self.party.choice("party", &PARTIES)?;
        let agent_channel = self.agent_channel.number("agent_channel", 0..=1)?;
        let connections = self.connections.number("connections", 1..=2)?;
        let layout = match mix {
            Mix::Mono => Layout::Single(party),
            Mix::Mixed => Layout::Single(Some(Party::Unknown)),
            Mix::Stereo => Layout::Split {
                agent_channel: u16::from(agent_channel == Some(1)),
            },
        };
        let mut ignored = self.ignored;
        if party.is_some() && mix != Mix::Mono {
            ignored.push(Ignored::known("party", "only `mix=mono` has one party"));
        }
        if agent_channel.is_some() && mix != Mix::Stereo {
            ignored.push(Ignored::known(
                "agent_channel",
                "only `mix=stereo` has two channels",
            ));
        }
        if connections.is_some() && mix != Mix::Mono {
            ignored.push(Ignored::known(
                "connections",
                "only calls with `mix=mono` have two connections",
            ));
        }
        Ok(StreamRequest {
            rate_hz,
            layout,
            connections,
            language: self.language.language_tag("language")?,
            facts: self.facts,
            ignored,
        })
    }
}

fn disagrees(expected: &'static str, got: &str) -> QueryError {
    query::invalid("channels", Cow::Borrowed(expected), got)
}
