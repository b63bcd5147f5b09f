//! The query of the address that is connected to.

use auricle_contracts::Party;

use crate::facts::CallFacts;
use crate::layout::PARTIES;
use crate::limits::Limits;
use crate::query::{self, Ignored, Once, QueryError};

/// Why an address brings no customer.
const NO_CUSTOMER: &str = "addresses are logged on their way, and a customer's number must not be; set the channel variable `AURICLE_CUSTOMER`";

/// What the address says: the option `v(…)` of the dial string, a parameter each.
#[derive(Clone, Debug, PartialEq)]
pub struct ChanWebsocketRequest {
    /// Who is heard, where that is said.
    pub party: Option<Party>,
    /// Connections of the call, 1 or 2, where that is said.
    pub connections: Option<u32>,
    /// Language of the call, where it is said (BCP 47).
    pub language: Option<String>,
    /// What is known of the call; channel variables may tell more.
    pub facts: CallFacts,
    /// Parameters that change nothing.
    pub ignored: Vec<Ignored>,
}

impl ChanWebsocketRequest {
    /// Reads a query, with or without its `?`.
    ///
    /// # Errors
    /// What cannot be, by its name.
    pub fn parse(query: &str, limits: &Limits) -> Result<Self, QueryError> {
        let mut said = Said::default();
        for (name, value) in query::pairs(query, limits)? {
            said.note(&name, value, limits)?;
        }
        Ok(Self {
            party: said.party.choice("party", &PARTIES)?,
            connections: said.connections.number("connections", 1..=2)?,
            language: said.language.language_tag("language")?,
            facts: said.facts,
            ignored: said.ignored,
        })
    }
}

/// Values as they stand in the query.
#[derive(Default)]
struct Said {
    party: Once,
    connections: Once,
    language: Once,
    facts: CallFacts,
    ignored: Vec<Ignored>,
}

impl Said {
    fn note(&mut self, name: &str, value: String, limits: &Limits) -> Result<(), QueryError> {
        match name {
            "party" => self.party.set("party", value),
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
}
