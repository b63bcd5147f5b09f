//! What a call is called, who is on its lines, and what is known of it: by what the request says, and by the metadata of a
//! recording.
//!
//! | source | says |
//! | --- | --- |
//! | headers `X-Auricle-Call-Id`, `-Party`, `-Agent`, `-Campaign`, `-Region` | all of it |
//! | `sip:NAME@host;party=agent;campaign=…` as the request URI | the same |
//! | metadata of a recording session | call, parties by label, agent |
//! | `From` and `To` | whether who sends is an agent |
//! | `Call-ID` | a name for the call, where there is no other |

use std::str::FromStr;

use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_wire::siprec::{FirstStream, PartyRules, Recording};
use auricle_wire::{CallFacts, Limits, Metadata};
use serde_json::{Map, Value};

use super::session::Offer;
use crate::serve::ingest::joining::Speaker;

/// What our headers begin with.
const OUR_HEADERS: &str = "x-auricle-";
/// Who speaks, in headers and in parameters of the request URI.
const PARTY: &str = "party";
/// A call that has no name that can be one.
const NAMELESS: &str = "sip";

/// A call whose one line is offered here.
pub(super) struct PlainCall {
    pub(super) id: CallId,
    pub(super) metadata: CallMetadata,
    pub(super) voices: Voices,
    /// What was said and is not taken.
    pub(super) warnings: Vec<String>,
}

/// Whose voices a single line carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Voices {
    /// One party's; the other comes in another dialog of the same call name.
    One(Speaker),
    /// All that there are of the call.
    All(Party),
}

/// A call that is recorded.
pub(super) struct RecordedCall {
    pub(super) id: CallId,
    pub(super) metadata: CallMetadata,
    /// Who is on each audio line, in their order.
    pub(super) parties: Vec<Party>,
    /// A line carries more than one of them.
    pub(super) is_mixed: bool,
    /// What is not certain, or not taken.
    pub(super) warnings: Vec<String>,
}

/// What a request says of its call by itself.
#[derive(Debug, Default)]
struct Told {
    facts: CallFacts,
    party: Option<Party>,
    warnings: Vec<String>,
}

impl PlainCall {
    /// Names a call that is offered without metadata. One that has a name is a line of a call of two; another is a call of its
    /// own.
    pub(super) fn of(offer: &Offer<'_>, rules: &PartyRules, limits: &Limits) -> Self {
        let Told {
            facts,
            party,
            warnings,
        } = Told::by(offer, limits);
        let (by_address, agent) = by_address(offer, rules);
        let party = party.or(by_address);
        let voices = match (&facts.call_id, party) {
            (Some(_), Some(Party::Unknown)) => Voices::All(Party::Unknown),
            (Some(_), Some(party)) => Voices::One(Speaker::Said(party)),
            (Some(_), None) => Voices::One(Speaker::Unsaid),
            (None, party) => Voices::All(party.unwrap_or(Party::Unknown)),
        };
        let mut metadata = facts.metadata;
        if metadata.agent.is_none() {
            metadata.agent = agent.and_then(|agent| agent_of(agent, limits));
        }
        Self {
            id: facts
                .call_id
                .unwrap_or_else(|| id_of(offer.call_id, limits)),
            metadata,
            voices,
            warnings,
        }
    }
}

impl RecordedCall {
    /// Names a call that is offered with its metadata, or in which none could be read. `labels` are those of the audio lines.
    pub(super) fn of(
        offer: &Offer<'_>,
        recording: Option<&Recording>,
        labels: &[Option<&str>],
        rules: &PartyRules,
        limits: &Limits,
    ) -> Self {
        let Told {
            mut facts,
            mut warnings,
            ..
        } = Told::by(offer, limits);
        let mut parties = by_order(labels.len(), rules.first_stream);
        let mut is_mixed = false;
        if let Some(recording) = recording {
            let told = recording.media_parties(labels, rules);
            facts.complete(told.facts);
            warnings.extend(told.warnings.iter().map(ToString::to_string));
            is_mixed = told.legs.iter().any(|leg| leg.is_mixed);
            parties = told.legs.iter().map(|leg| leg.party).collect();
        }
        Self {
            id: facts
                .call_id
                .unwrap_or_else(|| id_of(offer.call_id, limits)),
            metadata: facts.metadata,
            parties: once_each(parties),
            is_mixed,
            warnings,
        }
    }
}

/// Which of the lines that can be heard are, by their places among `parties`: two at most, of more the agent's and the
/// customer's, and the first ones where there are none of those.
pub(super) fn two_of(parties: &[Party]) -> Vec<usize> {
    let place_of = |party| parties.iter().position(|on_line| *on_line == party);
    let known = [Party::Agent, Party::Customer]
        .into_iter()
        .filter_map(place_of);
    let mut heard: Vec<usize> = known.collect();
    for place in 0..parties.len() {
        if heard.len() < 2 && !heard.contains(&place) {
            heard.push(place);
        }
    }
    heard.sort_unstable();
    heard
}

impl Told {
    /// Headers go before parameters of the request URI.
    fn by(offer: &Offer<'_>, limits: &Limits) -> Self {
        let mut told = Self::default();
        let headers = offer.headers.iter().filter_map(|(name, value)| {
            let ours = name.get(..OUR_HEADERS.len())?;
            let key = name.get(OUR_HEADERS.len()..)?;
            ours.eq_ignore_ascii_case(OUR_HEADERS)
                .then(|| (key.to_ascii_lowercase(), value.trim().to_owned()))
        });
        told.note(headers.collect(), limits);
        let uri = Uri::read(offer.request_uri);
        let mut parameters: Vec<(String, String)> = uri.parameters().collect();
        // The user of other addresses is this program's own.
        if parameters.iter().any(|(key, _)| key == PARTY) && !uri.user.is_empty() {
            parameters.push(("call_id".to_owned(), unescaped(uri.user)));
        }
        told.note(parameters, limits);
        told
    }

    /// Notes what is not known yet; what is no fact is left out.
    fn note(&mut self, said: Vec<(String, String)>, limits: &Limits) {
        let mut fields = Map::new();
        for (key, value) in said {
            if key != PARTY {
                fields.entry(key).or_insert(Value::String(value));
                continue;
            }
            match Party::from_str(&value.to_ascii_lowercase()) {
                Ok(party) => self.party = self.party.or(Some(party)),
                Err(_) => self
                    .warnings
                    .push("`party` must be agent, customer or unknown".to_owned()),
            }
        }
        // Has the rules of all that is said of calls: length, text, ids.
        match Metadata::read(&Value::Object(fields).to_string(), limits) {
            Ok(metadata) => {
                self.facts.complete(metadata.facts);
                let refused = metadata.refused.iter().map(ToString::to_string);
                self.warnings.extend(refused);
            }
            Err(error) => self.warnings.push(error.to_string()),
        }
    }
}

/// Whether who sends is an agent or speaks to one, and the agent's address.
fn by_address<'o>(offer: &Offer<'o>, rules: &PartyRules) -> (Option<Party>, Option<&'o str>) {
    if rules.fits_agent(offer.from) {
        return (Some(Party::Agent), Some(offer.from));
    }
    if rules.fits_agent(offer.to) {
        return (Some(Party::Customer), Some(offer.to));
    }
    (None, None)
}

fn agent_of(address: &str, limits: &Limits) -> Option<String> {
    let mut told = Told::default();
    let user = unescaped(Uri::read(address).user);
    told.note(vec![("agent".to_owned(), user)], limits);
    told.facts.metadata.agent
}

/// Without metadata the rules say who is on the first line; of three, the third is nobody's.
fn by_order(n_lines: usize, first: FirstStream) -> Vec<Party> {
    let order = match first {
        FirstStream::Agent => [Party::Agent, Party::Customer],
        FirstStream::Customer => [Party::Customer, Party::Agent],
    };
    let known = order.into_iter().filter(|_| n_lines > 1);
    let lines = known.chain(std::iter::repeat(Party::Unknown));
    lines.take(n_lines).collect()
}

/// A party is on one leg of a call: another line of theirs is nobody's.
fn once_each(parties: Vec<Party>) -> Vec<Party> {
    let mut known: Vec<Party> = Vec::new();
    for party in parties {
        match known.contains(&party) {
            true => known.push(Party::Unknown),
            false => known.push(party),
        }
    }
    known
}

/// A name for a call that has none but that of its dialog: what cannot be in a name is a `-` there.
fn id_of(call_id: &str, limits: &Limits) -> CallId {
    let fits = |ch: char| ch.is_ascii_alphanumeric() || "-_.:@+=".contains(ch);
    let name = call_id.chars().map(|ch| if fits(ch) { ch } else { '-' });
    let name: String = name
        .skip_while(|ch| !ch.is_ascii_alphanumeric())
        .take(limits.id_bytes)
        .collect();
    CallFacts::read_id(&name, limits).unwrap_or_else(|_| CallId(NAMELESS.to_owned()))
}

/// The parts of an address that say something of a call (RFC 3261, section 19.1.1).
struct Uri<'u> {
    /// As it is escaped.
    user: &'u str,
    /// With `;` between them.
    parameters: &'u str,
}

impl<'u> Uri<'u> {
    /// Reads an address with or without a name before it.
    fn read(text: &'u str) -> Self {
        let bare = match text.split_once('<') {
            Some((_, inside)) => inside.split('>').next().unwrap_or_default(),
            None => text,
        };
        let bare = bare.split('?').next().unwrap_or_default().trim();
        let (scheme, rest) = bare.split_once(':').unwrap_or(("", bare));
        let is_number = scheme.eq_ignore_ascii_case("tel");
        let is_known =
            is_number || scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
        let bare = if is_known { rest } else { bare };
        let (user, host) = match bare.rsplit_once('@') {
            Some(parts) => parts,
            None if is_number => (bare, ""),
            None => ("", bare),
        };
        let (_, parameters) = host.split_once(';').unwrap_or((host, ""));
        Self {
            user: user.split([';', ':']).next().unwrap_or_default(),
            parameters,
        }
    }

    fn parameters(&self) -> impl Iterator<Item = (String, String)> + use<'u> {
        let pairs = self.parameters.split(';');
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        pairs.map(|(key, value)| (key.trim().to_ascii_lowercase(), unescaped(value.trim())))
    }
}

/// With what `%` and two hexadecimal digits stand for (RFC 3261, section 19.1.2).
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(16 * high + low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// 0 to 15.
fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests;
