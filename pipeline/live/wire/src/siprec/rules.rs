//! Who of the parties is the agent.

use super::address::{Address, without_scheme};
use super::{Participant, PatternError};
use crate::query::Shown;

/// How agents are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartyRules {
    /// Addresses of agents. Where one fits, extensions of the metadata are not asked.
    pub agents: Vec<AddressPattern>,
    /// Who is on the first stream where neither addresses nor extensions tell.
    pub first_stream: FirstStream,
}

/// Whose stream comes first. Most equipment tells the caller first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstStream {
    /// The agent's, as where agents call.
    Agent,
    /// The customer's, as where customers call. The default.
    #[default]
    Customer,
}

/// Addresses that are alike: the user, the beginning of the user, the domain, or user and domain. Letters may be small
/// or large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPattern {
    user: UserPattern,
    domain: Option<String>,
}

/// Users that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
enum UserPattern {
    Any,
    Is(String),
    BeginsWith(String),
}

impl AddressPattern {
    /// Reads `8001`, `8*`, `@agents.example.com`, `8*@example.com` and the like; `sip:`, `sips:` or `tel:` may stand
    /// before them.
    ///
    /// # Errors
    /// Where it would fit everybody, or has a `*` elsewhere than behind the user.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let bare = without_scheme(text.trim());
        let (user, domain) = match bare.rsplit_once('@') {
            Some((user, domain)) => (user, Some(domain)),
            None => (bare, None),
        };
        let user = match user.strip_suffix('*') {
            Some("") => UserPattern::Any,
            Some(begin) => UserPattern::BeginsWith(begin.to_owned()),
            None if user.is_empty() => UserPattern::Any,
            None => UserPattern::Is(user.to_owned()),
        };
        let has_star = |text: &str| text.contains('*');
        let is_bad = match (&user, domain) {
            (UserPattern::Any, None) | (_, Some("")) => true,
            (UserPattern::Is(user) | UserPattern::BeginsWith(user), _) if has_star(user) => true,
            (_, domain) => domain.is_some_and(has_star),
        };
        match is_bad {
            true => Err(PatternError {
                got: Shown::new(text),
            }),
            false => Ok(Self {
                user,
                domain: domain.map(str::to_owned),
            }),
        }
    }

    /// Whether an address is such a one.
    pub(super) fn fits(&self, address: &Address<'_>) -> bool {
        let is_user = match &self.user {
            UserPattern::Any => true,
            UserPattern::Is(user) => address.user.eq_ignore_ascii_case(user),
            UserPattern::BeginsWith(begin) => {
                let begins = address.user.as_bytes().get(..begin.len());
                begins.is_some_and(|begins| begins.eq_ignore_ascii_case(begin.as_bytes()))
            }
        };
        let domain = self.domain.as_deref();
        is_user && domain.is_none_or(|domain| address.domain.eq_ignore_ascii_case(domain))
    }
}

impl PartyRules {
    /// Whether an address is an agent's, with or without a name before it.
    pub fn fits_agent(&self, address: &str) -> bool {
        let address = Address::read(address);
        self.agents.iter().any(|pattern| pattern.fits(&address))
    }

    /// Whether one of a participant's addresses is an agent's.
    pub(super) fn is_agent(&self, participant: &Participant) -> bool {
        let mut addresses = participant.names.iter().flat_map(|name| &name.address);
        addresses.any(|address| {
            let address = Address::read(address.reveal());
            self.agents.iter().any(|pattern| pattern.fits(&address))
        })
    }
}
