//! The query of the address that is streamed to.

use auricle_contracts::Party;

use crate::facts::CallFacts;
use crate::limits::Limits;
use crate::query::{self, Ignored, Once, QueryError};

/// Why an address brings no customer.
const NO_CUSTOMER: &str = "addresses are logged on their way, and a customer's number must not be; send it as a custom parameter";

/// Who may be on the inbound track.
pub(super) const INBOUND: [(&str, Party); 2] =
    [("customer", Party::Customer), ("agent", Party::Agent)];

/// What the address says. Twilio drops queries; those who speak its protocol may send them.
#[derive(Clone, Debug, PartialEq)]
pub struct TwilioRequest {
    /// Who is on the inbound track, where that is said.
    pub inbound: Option<Party>,
    /// Language of the call, where it is said (BCP 47).
    pub language: Option<String>,
    /// What is known of the call; `start` tells more.
    pub facts: CallFacts,
    /// Parameters that change nothing.
    pub ignored: Vec<Ignored>,
}

impl TwilioRequest {
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
            inbound: said.inbound.choice("inbound", &INBOUND)?,
            language: said.language.language_tag("language")?,
            facts: said.facts,
            ignored: said.ignored,
        })
    }
}

/// Values as they stand in the query.
#[derive(Default)]
struct Said {
    inbound: Once,
    language: Once,
    facts: CallFacts,
    ignored: Vec<Ignored>,
}

impl Said {
    fn note(&mut self, name: &str, value: String, limits: &Limits) -> Result<(), QueryError> {
        match name {
            "inbound" => self.inbound.set("inbound", value),
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
