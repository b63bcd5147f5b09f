//! What the other side tells of a call beside its sound.

use std::fmt;

use auricle_contracts::{CallId, CallMetadata};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use thiserror::Error;
use utoipa::ToSchema;

use crate::limits::Limits;
use crate::query::{Ignored, QueryError, is_text};

/// What may be a call's id.
const CALL_ID: &str = "letters, digits and any of `-_.:@+=`, beginning with a letter or a digit";

/// The customer's number as the other side has it. It is not shown: `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerNumber(String);

impl CustomerNumber {
    /// The number, for those who must dial or look it up.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CustomerNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CustomerNumber(…)")
    }
}

/// What is known of a call. `Debug` shows neither the agent nor the customer.
#[derive(Clone, Default, PartialEq)]
pub struct CallFacts {
    /// The call; connections with the same id are legs of one call.
    pub call_id: Option<CallId>,
    /// Agent, campaign and region.
    pub metadata: CallMetadata,
    /// The customer's number.
    pub customer: Option<CustomerNumber>,
}

impl fmt::Debug for CallFacts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CallFacts")
            .field("call_id", &self.call_id)
            .field("campaign", &self.metadata.campaign)
            .field("region", &self.metadata.region)
            .field("agent", &given(&self.metadata.agent))
            .field("customer", &given(&self.customer))
            .finish()
    }
}

/// What may be said of a call, as JSON. All of it may be left out; values are texts or numbers, of at most 128 bytes.
///
/// For descriptions of interfaces: [`Metadata::read`] reads it, and takes `queue` for `campaign`, `uuid` for `call_id`, and
/// other spellings of its keys.
#[derive(Debug, ToSchema)]
pub struct CallDescription {
    /// The call.
    pub call_id: Option<String>,
    /// Agent's name or number.
    pub agent: Option<String>,
    /// Campaign or queue; `queue` is the same.
    pub campaign: Option<String>,
    /// Region or dialect area.
    pub region: Option<String>,
    /// The customer's number: never logged, and not kept.
    pub customer: Option<String>,
}

/// Whether there is a value, and no more.
fn given<Value>(value: &Option<Value>) -> &'static str {
    value.as_ref().map_or("not given", |_| "given")
}

impl CallFacts {
    /// Notes a parameter of an address; gives one that is no fact. `no_customer` says why a customer's number is not taken
    /// there.
    ///
    /// # Errors
    /// What cannot be, a fact that was told otherwise before, a customer's number.
    pub(crate) fn note_of_address(
        &mut self,
        name: &str,
        value: &str,
        no_customer: &'static str,
        limits: &Limits,
    ) -> Result<Option<Ignored>, QueryError> {
        let Some(fact) = Fact::of_key(name) else {
            return Ok(Some(Ignored::unknown(name)));
        };
        let name = fact.name();
        if fact == Fact::Customer {
            let why = no_customer;
            return Err(QueryError::NotTaken { name, why });
        }
        let mut told = Self::default();
        told.note(fact, value, limits)?;
        match self.complete(told) {
            Agreement::Agrees => Ok(None),
            Agreement::Contradicts => Err(QueryError::Twice { name }),
        }
    }

    /// Takes over what is not known yet. What is known stays, for a call does not change its id or campaign on its
    /// way; says whether something else was told.
    pub fn complete(&mut self, told: Self) -> Agreement {
        let all = [
            fill(&mut self.call_id, told.call_id),
            fill(&mut self.metadata.agent, told.metadata.agent),
            fill(&mut self.metadata.campaign, told.metadata.campaign),
            fill(&mut self.metadata.region, told.metadata.region),
            fill(&mut self.customer, told.customer),
        ];
        match all.contains(&Agreement::Contradicts) {
            true => Agreement::Contradicts,
            false => Agreement::Agrees,
        }
    }

    /// Reads a call's id.
    ///
    /// # Errors
    /// What cannot be an id.
    pub fn read_id(id: &str, limits: &Limits) -> Result<CallId, QueryError> {
        let mut facts = Self::default();
        facts.note(Fact::CallId, id, limits)?;
        facts.call_id.ok_or(QueryError::InvalidId {
            name: Fact::CallId.name(),
            expected: CALL_ID,
        })
    }

    /// Notes a fact. An empty value says nothing.
    pub(crate) fn note(
        &mut self,
        fact: Fact,
        value: &str,
        limits: &Limits,
    ) -> Result<(), QueryError> {
        let name = fact.name();
        let value = value.trim();
        if value.is_empty() {
            return Ok(());
        }
        if value.len() > limits.id_bytes {
            return Err(QueryError::TooMuch {
                name,
                n: value.len(),
                unit: "bytes",
                limit: limits.id_bytes,
            });
        }
        if !is_text(value) {
            return Err(QueryError::NotText { name });
        }
        match fact {
            Fact::CallId if !is_call_id(value) => {
                let expected = CALL_ID;
                return Err(QueryError::InvalidId { name, expected });
            }
            Fact::CallId => self.call_id = Some(CallId(value.to_owned())),
            Fact::Agent => self.metadata.agent = Some(value.to_owned()),
            Fact::Campaign => self.metadata.campaign = Some(value.to_owned()),
            Fact::Region => self.metadata.region = Some(value.to_owned()),
            Fact::Customer => self.customer = Some(CustomerNumber(value.to_owned())),
        }
        Ok(())
    }
}

/// Whether what is told fits to what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It is new, or the same.
    Agrees,
    /// Something else was known, and stays.
    Contradicts,
}

fn fill<Value: PartialEq>(known: &mut Option<Value>, told: Option<Value>) -> Agreement {
    match (&known, &told) {
        (Some(known), Some(told)) if known != told => return Agreement::Contradicts,
        (None, Some(_)) => *known = told,
        _ => {}
    }
    Agreement::Agrees
}

/// One fact of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    CallId,
    Agent,
    Campaign,
    Region,
    Customer,
}

impl Fact {
    /// The name that documents and messages use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CallId => "call_id",
            Self::Agent => "agent",
            Self::Campaign => "campaign",
            Self::Region => "region",
            Self::Customer => "customer",
        }
    }

    /// The fact of a key, whether it is written `call_id`, `callId` or `Call-ID`.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let letters = key.bytes().filter(|byte| !b"_- ".contains(byte));
        let key: Vec<u8> = letters
            .map(|byte| byte.to_ascii_lowercase())
            .take(24)
            .collect();
        match key.as_slice() {
            b"callid" | b"uuid" => Some(Self::CallId),
            b"agent" | b"agentid" => Some(Self::Agent),
            b"campaign" | b"campaignid" | b"queue" => Some(Self::Campaign),
            b"region" => Some(Self::Region),
            b"customer" | b"customernumber" => Some(Self::Customer),
            _ => None,
        }
    }
}

/// Ids become names of files and parts of addresses, so they hold nothing that means something there.
fn is_call_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@+=".contains(&byte);
    let begins = id
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    begins && id.bytes().all(plain)
}

/// Why a text is no metadata. None of these ends a connection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MetadataError {
    /// Not one JSON object.
    #[error("metadata is not a JSON object")]
    NotAnObject,
    /// Longer than it may be.
    #[error("metadata has {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Its length.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
}

/// A JSON object of metadata, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// What is known here.
    pub facts: CallFacts,
    /// Known fields whose values cannot be.
    pub refused: Vec<QueryError>,
    /// Names of fields that are not known here; they may be anything.
    pub other: Vec<String>,
}

impl Metadata {
    /// Reads a JSON object. Values of known fields are texts or numbers; where a field stands twice, the later one is
    /// taken. Everything else is skipped.
    ///
    /// # Errors
    /// Where it is no object, or too long. Fields that cannot be are told in the result.
    pub fn read(text: &str, limits: &Limits) -> Result<Self, MetadataError> {
        if text.len() > limits.text_message_bytes {
            return Err(MetadataError::TooLong {
                n_bytes: text.len(),
                limit_bytes: limits.text_message_bytes,
            });
        }
        let fields: Fields = serde_json::from_str(text).map_err(|_| MetadataError::NotAnObject)?;
        let mut metadata = Self {
            other: fields.other,
            ..Self::default()
        };
        for (fact, value) in fields.known {
            let name = fact.name();
            let expected = "a text or a number";
            let noted = match value {
                Scalar::Text(value) => metadata.facts.note(fact, &value, limits),
                Scalar::Nothing => Ok(()),
                Scalar::Other => Err(QueryError::InvalidId { name, expected }),
            };
            metadata.refused.extend(noted.err());
        }
        Ok(metadata)
    }
}

/// An object, of which only known fields are kept, at most one value for each, and the names of others.
#[derive(Default)]
struct Fields {
    known: Vec<(Fact, Scalar)>,
    other: Vec<String>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<Map: MapAccess<'de>>(self, mut map: Map) -> Result<Fields, Map::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<String>()? {
            let Some(fact) = Fact::of_key(&key) else {
                map.next_value::<IgnoredAny>()?;
                fields.other.push(key);
                continue;
            };
            let value = map.next_value()?;
            fields.known.retain(|(known, _)| *known != fact);
            fields.known.push((fact, value));
        }
        Ok(fields)
    }
}

/// A value that may be a fact.
enum Scalar {
    Text(String),
    Nothing,
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Text(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Text(number.to_string()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_seq<Seq: SeqAccess<'de>>(self, mut seq: Seq) -> Result<Scalar, Seq::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<Map: MapAccess<'de>>(self, mut map: Map) -> Result<Scalar, Map::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
