//! One connection of `chan_websocket`: messages in, audio and facts out.

use std::fmt;
use std::mem;

use auricle_contracts::{Party, PhoneKey};
use serde_json::{Map, Value};

use super::message::{Message, Start};
use super::{
    ChanWebsocketCommand, ChanWebsocketError, ChanWebsocketRequest, ChanWebsocketWarning,
    ControlFormat, format,
};
use crate::channels::{ChannelSplitter, Frames};
use crate::encoding::Encoding;
use crate::facts::{Agreement, CallFacts, Fact};
use crate::layout::PARTIES;
use crate::limits::Limits;
use crate::query::{Once, QueryError};

/// Beginning of the names of channel variables that are read; others have names of others.
const PREFIX: &str = "AURICLE_";

/// One connection: one channel, which is one leg of a call. The other side ends it by closing.
pub struct ChanWebsocketSession {
    request: ChanWebsocketRequest,
    limits: Limits,
    /// `None` until `MEDIA_START` came.
    splitter: Option<ChannelSplitter>,
    /// Audio that came before it, at most `Limits::early_audio_bytes`.
    early: Vec<u8>,
    control: ControlFormat,
    n_malformed: u32,
}

/// What a message means.
#[derive(Debug)]
pub enum ChanWebsocketEvent<'a> {
    /// It is known how audio lies: the call can be opened.
    Started {
        /// What is known now.
        start: Box<MediaStart>,
        /// Audio that came before; may be none.
        early: Frames<'a>,
    },
    /// Audio to be heard, one channel.
    Audio(Frames<'a>),
    /// A key was pressed by whoever is heard.
    Digit(PhoneKey),
    /// Asterisk could not do a command; its log says why.
    Complaint,
    /// The message is not understood; the connection goes on.
    Malformed(ChanWebsocketWarning),
    /// Nothing is to be done.
    Nothing,
}

/// A channel whose audio can be heard.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaStart {
    /// How its samples lie.
    pub encoding: Encoding,
    /// Samples per second.
    pub rate_hz: u32,
    /// Who is heard, where the address or a channel variable says that.
    pub party: Option<Party>,
    /// What is known of the call: what the address said, then channel variables.
    pub facts: CallFacts,
    /// Channel variables that are not taken.
    pub warnings: Vec<ChanWebsocketWarning>,
}

impl fmt::Debug for ChanWebsocketSession {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ChanWebsocketSession")
            .field("splitter", &self.splitter)
            .field("n_early_bytes", &self.early.len())
            .field("control", &self.control)
            .field("n_malformed", &self.n_malformed)
            .finish_non_exhaustive()
    }
}

impl ChanWebsocketSession {
    /// A connection that was accepted.
    pub fn new(request: &ChanWebsocketRequest, limits: &Limits) -> Self {
        Self {
            request: request.clone(),
            limits: limits.clone(),
            splitter: None,
            early: Vec::new(),
            control: ControlFormat::PlainText,
            n_malformed: 0,
        }
    }

    /// Takes a binary message: audio. It is kept while nobody said how it lies.
    ///
    /// # Errors
    /// Where it is too long, or is more than is kept.
    pub fn binary(&mut self, message: &[u8]) -> Result<ChanWebsocketEvent<'_>, ChanWebsocketError> {
        check_length(message.len(), self.limits.audio_message_bytes)?;
        let Some(splitter) = &mut self.splitter else {
            return keep(&mut self.early, message, self.limits.early_audio_bytes);
        };
        Ok(ChanWebsocketEvent::Audio(splitter.split(message)))
    }

    /// Takes a text message: an event. Events that are not known say nothing.
    ///
    /// # Errors
    /// Where it is too long, or one too many that is not understood, or a start of what cannot be heard.
    pub fn text(&mut self, message: &str) -> Result<ChanWebsocketEvent<'_>, ChanWebsocketError> {
        check_length(message.len(), self.limits.text_message_bytes)?;
        let (message, control) = match Message::read(message) {
            Ok(read) => read,
            Err(warning) => return self.misunderstand(warning),
        };
        self.control = control;
        match message {
            Message::Start(start) => self.start(start),
            Message::Digit(key) => Ok(ChanWebsocketEvent::Digit(key)),
            Message::Complaint => Ok(ChanWebsocketEvent::Complaint),
            Message::Other => Ok(ChanWebsocketEvent::Nothing),
        }
    }

    /// The text message of a command, written as the other side wrote last.
    pub fn command(&self, command: ChanWebsocketCommand) -> &'static str {
        command.text(self.control)
    }

    /// Bytes of a sample that never came to its end, so far.
    pub fn n_kept_bytes(&self) -> usize {
        self.splitter
            .as_ref()
            .map_or(0, ChannelSplitter::n_kept_bytes)
    }

    fn start(&mut self, start: Start) -> Result<ChanWebsocketEvent<'_>, ChanWebsocketError> {
        if self.splitter.is_some() {
            return Err(ChanWebsocketError::StartTwice);
        }
        let name = start.format.ok_or(ChanWebsocketError::FormatMissing)?;
        let (encoding, rate_hz) = format::read(&name, &self.limits)?;
        let mut known = MediaStart {
            encoding,
            rate_hz,
            party: self.request.party,
            facts: self.request.facts.clone(),
            warnings: Vec::new(),
        };
        known.note_variables(start.variables, &self.limits);
        let early = mem::take(&mut self.early);
        let splitter = self.splitter.insert(ChannelSplitter::new(encoding, 1));
        Ok(ChanWebsocketEvent::Started {
            start: Box::new(known),
            early: splitter.split(&early),
        })
    }

    fn misunderstand(
        &mut self,
        warning: ChanWebsocketWarning,
    ) -> Result<ChanWebsocketEvent<'static>, ChanWebsocketError> {
        self.n_malformed = self.n_malformed.saturating_add(1);
        let limit = self.limits.malformed_messages;
        match self.n_malformed > limit {
            true => Err(ChanWebsocketError::TooManyMalformed { limit }),
            false => Ok(ChanWebsocketEvent::Malformed(warning)),
        }
    }
}

impl MediaStart {
    /// Completes what is known by channel variables, each by itself.
    fn note_variables(&mut self, variables: Map<String, Value>, limits: &Limits) {
        let mut told = Told::default();
        for (name, value) in variables {
            let Some(key) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let noted = told.note(key, &value, limits);
            self.warnings
                .extend(noted.err().map(ChanWebsocketWarning::Variable));
        }
        let is_other = |told: Party| self.party.is_some_and(|known| known != told);
        let contradicts = told.party.is_some_and(is_other);
        self.party = self.party.or(told.party);
        if self.facts.complete(told.facts) == Agreement::Contradicts || contradicts {
            self.warnings.push(ChanWebsocketWarning::Contradicts);
        }
    }
}

/// What channel variables say.
#[derive(Default)]
struct Told {
    party: Option<Party>,
    facts: CallFacts,
}

impl Told {
    /// Notes a variable by its name without the prefix; one that is not known says nothing.
    fn note(&mut self, key: &str, value: &Value, limits: &Limits) -> Result<(), QueryError> {
        let is_party = key == "PARTY";
        let fact = Fact::of_key(key);
        let name = match fact {
            Some(fact) => fact.name(),
            None if is_party => "party",
            None => return Ok(()),
        };
        let text = read_text(name, value)?;
        match fact {
            Some(fact) => self.facts.note(fact, &text, limits),
            None => {
                let mut party = Once::default();
                party.set(name, text)?;
                self.party = party.choice(name, &PARTIES)?;
                Ok(())
            }
        }
    }
}

/// A variable's value: a text, which Asterisk writes, or a number; empty where there is none.
fn read_text(name: &'static str, value: &Value) -> Result<String, QueryError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(QueryError::InvalidId {
            name,
            expected: "a text or a number",
        }),
    }
}

fn check_length(n_bytes: usize, limit_bytes: usize) -> Result<(), ChanWebsocketError> {
    match n_bytes > limit_bytes {
        true => Err(ChanWebsocketError::TooLong {
            n_bytes,
            limit_bytes,
        }),
        false => Ok(()),
    }
}

/// Keeps audio until it is known how it lies.
fn keep(
    early: &mut Vec<u8>,
    message: &[u8],
    limit_bytes: usize,
) -> Result<ChanWebsocketEvent<'static>, ChanWebsocketError> {
    let n_bytes = early.len().saturating_add(message.len());
    if n_bytes > limit_bytes {
        return Err(ChanWebsocketError::NoStart {
            n_bytes,
            limit_bytes,
        });
    }
    early.extend_from_slice(message);
    Ok(ChanWebsocketEvent::Nothing)
}
