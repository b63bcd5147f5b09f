//! What `open` says of a call.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::media::Media;
use super::message::{WrittenOpen, WrittenParticipant};
use super::{AudioHookError, AudioHookRequest, AudioHookWarning};
use crate::facts::{Agreement, CallFacts, Fact, Metadata};
use crate::layout::Layout;
use crate::limits::Limits;
use crate::query::{Once, QueryError};

/// The field of `customConfig` that says who called whom.
const DIRECTION: &str = "direction";

/// A call that begins.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioHookOpen {
    /// The participant whose call is heard.
    pub participant_id: Uuid,
    /// What is known of the call: the conversation as its id, then `customConfig`, then the participant's number.
    pub facts: CallFacts,
    /// Who is on which channel.
    pub layout: Layout,
    /// What is spoken, as a language tag.
    pub language: Option<String>,
    /// What is not taken of it.
    pub warnings: Vec<AudioHookWarning>,
}

/// What is opened.
pub(super) enum Opening {
    /// Nothing: whoever sets the integration up tries the connection.
    Probe,
    /// A call.
    Call(Box<AudioHookOpen>, &'static Media),
}

/// Who called whom.
#[derive(Clone, Copy)]
enum Direction {
    Inbound,
    Outbound,
}

/// Reads the parameters of `open`. A conversation that is all zeros is a probe ("Patterns and practices", section
/// "Connection probe").
///
/// # Errors
/// What a session cannot be without: its organisation, its conversation, audio that can be heard.
pub(super) fn read(
    written: WrittenOpen,
    request: &AudioHookRequest,
    limits: &Limits,
) -> Result<Opening, AudioHookError> {
    if read_id("organizationId", &written.organization_id)? != request.organization_id {
        return Err(AudioHookError::OtherOrganization);
    }
    let conversation_id = read_id("conversationId", &written.conversation_id)?;
    if conversation_id.is_nil() {
        return Ok(Opening::Probe);
    }
    let participant_id = read_id("participant.id", &written.participant.id)?;
    let media = Media::choose(&written.media).ok_or(AudioHookError::NoMedia)?;
    let mut warnings = Vec::new();
    let config = written.custom_config.unwrap_or_default();
    let facts = read_facts(
        conversation_id,
        config,
        &written.participant,
        limits,
        &mut warnings,
    );
    let language = read_language(written.language.unwrap_or_default()).unwrap_or_else(|error| {
        warnings.push(AudioHookWarning::Language(error));
        None
    });
    let open = AudioHookOpen {
        participant_id,
        facts,
        layout: media.layout,
        language,
        warnings,
    };
    Ok(Opening::Call(Box::new(open), media))
}

fn read_id(key: &'static str, text: &str) -> Result<Uuid, AudioHookError> {
    Uuid::try_parse(text).map_err(|_| AudioHookError::NotAUuid { key })
}

/// Reads a language tag; `None` where nothing is said.
pub(super) fn read_language(tag: String) -> Result<Option<String>, QueryError> {
    let mut language = Once::default();
    language.set("language", tag)?;
    language.language_tag("language")
}

fn read_facts(
    conversation_id: Uuid,
    mut config: Map<String, Value>,
    participant: &WrittenParticipant,
    limits: &Limits,
    warnings: &mut Vec<AudioHookWarning>,
) -> CallFacts {
    let direction = read_direction(config.remove(DIRECTION), warnings);
    let mut facts = CallFacts::default();
    let call_id = facts.note(Fact::CallId, &conversation_id.to_string(), limits);
    warnings.extend(call_id.err().map(AudioHookWarning::Field));
    // Written anew, so that there is one reader of metadata.
    match Metadata::read(&Value::Object(config).to_string(), limits) {
        Ok(metadata) => {
            warnings.extend(metadata.refused.into_iter().map(AudioHookWarning::Field));
            if facts.complete(metadata.facts) == Agreement::Contradicts {
                warnings.push(AudioHookWarning::Contradicts);
            }
        }
        Err(error) => warnings.push(AudioHookWarning::CustomConfig(error)),
    }
    if facts.customer.is_none() {
        let number = match direction {
            Direction::Inbound => &participant.ani,
            Direction::Outbound => &participant.dnis,
        };
        let number = number.as_deref().unwrap_or_default();
        let number = number.strip_prefix("tel:").unwrap_or(number);
        let noted = facts.note(Fact::Customer, number, limits);
        warnings.extend(noted.err().map(AudioHookWarning::Number));
    }
    facts
}

/// Who called whom: the customer, where nothing is said.
fn read_direction(said: Option<Value>, warnings: &mut Vec<AudioHookWarning>) -> Direction {
    let direction = match said {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(said)) => choose_direction(said),
        Some(_) => Err(QueryError::InvalidId {
            name: DIRECTION,
            expected: "inbound or outbound",
        }),
    };
    let direction = direction.unwrap_or_else(|error| {
        warnings.push(AudioHookWarning::Field(error));
        None
    });
    direction.unwrap_or(Direction::Inbound)
}

fn choose_direction(said: String) -> Result<Option<Direction>, QueryError> {
    let choices = [
        ("inbound", Direction::Inbound),
        ("outbound", Direction::Outbound),
    ];
    let mut direction = Once::default();
    direction.set(DIRECTION, said)?;
    direction.choice(DIRECTION, &choices)
}
