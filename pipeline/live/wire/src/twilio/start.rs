//! What `start` says of a stream.

use std::fmt;

use auricle_contracts::Party;
use serde_json::{Map, Value};

use super::message::{WrittenFormat, WrittenStart};
use super::request::INBOUND;
use super::{Track, TwilioError, TwilioRequest, TwilioWarning};
use crate::facts::{Agreement, CallFacts, Metadata};
use crate::limits::Limits;
use crate::query::{Once, QueryError, Shown};

/// The custom parameter that says who is on the inbound track.
const INBOUND_PARTY: &str = "inbound_party";
/// The custom parameter that brings a key.
const KEY: &str = "key";
/// Longest key.
const KEY_BYTES: usize = 512;

/// A stream that begins.
#[derive(Clone, Debug, PartialEq)]
pub struct TwilioStart {
    /// What is known of the call: what the address said, then custom parameters, then `callSid` as its id.
    pub facts: CallFacts,
    /// Tracks that bring audio, one or two, the inbound one first.
    pub legs: Vec<TwilioLeg>,
    /// The custom parameter `key`. Neither headers nor a query can bring one here.
    pub key: Option<TwilioKey>,
    /// What is not taken of it.
    pub warnings: Vec<TwilioWarning>,
}

/// A track with its party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwilioLeg {
    /// The direction.
    pub track: Track,
    /// Who is heard.
    pub party: Party,
}

/// A key, as it was sent. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct TwilioKey(String);

impl TwilioKey {
    /// The key, to compare it in constant time.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TwilioKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TwilioKey(…)")
    }
}

/// Reads `start`.
///
/// # Errors
/// Where audio of it cannot be heard: another format, or no track.
pub(super) fn read(
    written: WrittenStart,
    request: &TwilioRequest,
    limits: &Limits,
) -> Result<TwilioStart, TwilioError> {
    check_format(written.media_format)?;
    let tracks = read_tracks(&written.tracks)?;
    let mut warnings = Vec::new();
    let mut parameters = written.custom_parameters.unwrap_or_default();
    let key = read_key(parameters.remove(KEY), &mut warnings);
    let inbound = read_inbound(parameters.remove(INBOUND_PARTY), request, &mut warnings);
    let mut facts = read_facts(parameters, request, limits, &mut warnings);
    if facts.call_id.is_none() {
        match CallFacts::read_id(&written.call_sid, limits) {
            Ok(id) => facts.call_id = Some(id),
            Err(error) => warnings.push(TwilioWarning::CallSid(error)),
        }
    }
    let leg = |track: Track| TwilioLeg {
        track,
        party: track.party(inbound),
    };
    Ok(TwilioStart {
        facts,
        legs: tracks.into_iter().map(leg).collect(),
        key,
        warnings,
    })
}

/// The one format that there is.
fn check_format(format: Option<WrittenFormat>) -> Result<(), TwilioError> {
    let key = "mediaFormat";
    let format = format.ok_or(TwilioError::Missing { key })?;
    let all = [
        ("mediaFormat.encoding", "audio/x-mulaw", format.encoding),
        ("mediaFormat.sampleRate", "8000", format.sample_rate.text()),
        ("mediaFormat.channels", "1", format.channels.text()),
    ];
    match all.into_iter().find(|(_, expected, got)| got != expected) {
        None => Ok(()),
        Some((key, expected, got)) => Err(TwilioError::Invalid {
            key,
            expected,
            got: Shown::new(&got),
        }),
    }
}

fn read_tracks(names: &[String]) -> Result<Vec<Track>, TwilioError> {
    let key = "tracks";
    let mut tracks = Vec::with_capacity(2);
    for name in names {
        let track = Track::of_name(name).ok_or_else(|| TwilioError::Invalid {
            key,
            expected: Track::EXPECTED,
            got: Shown::new(name),
        })?;
        if !tracks.contains(&track) {
            tracks.push(track);
        }
    }
    tracks.sort_unstable();
    match tracks.is_empty() {
        true => Err(TwilioError::Missing { key }),
        false => Ok(tracks),
    }
}

fn read_key(said: Option<Value>, warnings: &mut Vec<TwilioWarning>) -> Option<TwilioKey> {
    match said {
        None => None,
        Some(Value::String(key)) if is_key(&key) => Some(TwilioKey(key)),
        Some(_) => {
            warnings.push(TwilioWarning::Key);
            None
        }
    }
}

fn is_key(key: &str) -> bool {
    let is_short = (1..=KEY_BYTES).contains(&key.len());
    is_short && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Who is on the inbound track: as the address says, else as the parameter says, else the customer.
fn read_inbound(
    said: Option<Value>,
    request: &TwilioRequest,
    warnings: &mut Vec<TwilioWarning>,
) -> Party {
    let told = said.map_or(Ok(None), read_party).unwrap_or_else(|error| {
        warnings.push(TwilioWarning::Parameter(error));
        None
    });
    match (request.inbound, told) {
        (Some(known), Some(told)) if known != told => {
            warnings.push(TwilioWarning::Contradicts);
            known
        }
        (known, told) => known.or(told).unwrap_or(Party::Customer),
    }
}

fn read_party(said: Value) -> Result<Option<Party>, QueryError> {
    let Value::String(said) = said else {
        return Err(QueryError::InvalidId {
            name: INBOUND_PARTY,
            expected: "customer or agent",
        });
    };
    let mut party = Once::default();
    party.set(INBOUND_PARTY, said)?;
    party.choice(INBOUND_PARTY, &INBOUND)
}

/// Facts of the address, completed by custom parameters. They are written anew so that there is one reader of metadata.
fn read_facts(
    parameters: Map<String, Value>,
    request: &TwilioRequest,
    limits: &Limits,
    warnings: &mut Vec<TwilioWarning>,
) -> CallFacts {
    let mut facts = request.facts.clone();
    match Metadata::read(&Value::Object(parameters).to_string(), limits) {
        Ok(metadata) => {
            warnings.extend(metadata.refused.into_iter().map(TwilioWarning::Parameter));
            if facts.complete(metadata.facts) == Agreement::Contradicts {
                warnings.push(TwilioWarning::Contradicts);
            }
        }
        Err(error) => warnings.push(TwilioWarning::Parameters(error)),
    }
    facts
}
