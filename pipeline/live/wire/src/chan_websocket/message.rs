//! Events as Asterisk writes them, in both forms.

use auricle_contracts::PhoneKey;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ChanWebsocketWarning, ControlFormat};

/// An event that is understood.
pub(super) enum Message {
    Start(Start),
    Digit(PhoneKey),
    Complaint,
    /// For those who send audio, or not known here.
    Other,
}

/// What `MEDIA_START` says that is of use.
pub(super) struct Start {
    pub(super) format: Option<String>,
    pub(super) variables: Map<String, Value>,
}

/// An event in JSON.
#[derive(Deserialize)]
struct Written {
    event: String,
    format: Option<String>,
    channel_variables: Option<Map<String, Value>>,
    #[serde(default)]
    digit: Value,
}

impl Message {
    /// Reads a text message whose length was checked; says in which form it is.
    ///
    /// # Errors
    /// Where it is in none.
    pub(super) fn read(text: &str) -> Result<(Self, ControlFormat), ChanWebsocketWarning> {
        match text.trim_start().starts_with('{') {
            true => Ok((Self::read_json(text)?, ControlFormat::Json)),
            false => Ok((Self::read_line(text)?, ControlFormat::PlainText)),
        }
    }

    fn read_json(text: &str) -> Result<Self, ChanWebsocketWarning> {
        let written: Written =
            serde_json::from_str(text).map_err(|_| ChanWebsocketWarning::NotAnEvent)?;
        let start = Start {
            format: written.format,
            variables: written.channel_variables.unwrap_or_default(),
        };
        Ok(Self::of_name(&written.event, start, written.digit.as_str()))
    }

    /// A name, then pairs; a value goes to the next space, so names of channels with spaces leave words that are no pairs.
    fn read_line(text: &str) -> Result<Self, ChanWebsocketWarning> {
        let mut words = text.split_whitespace();
        let name = words.next().filter(|word| is_name(word));
        let name = name.ok_or(ChanWebsocketWarning::NotAnEvent)?;
        let pairs = words.filter_map(|word| word.split_once(':'));
        let value_of = |wanted: &str| {
            let mut pairs = pairs.clone();
            let found = pairs.find(|(key, _)| *key == wanted);
            found.map(|(_, value)| value)
        };
        let start = Start {
            format: value_of("format").map(str::to_owned),
            variables: Map::new(),
        };
        Ok(Self::of_name(name, start, value_of("digit")))
    }

    fn of_name(name: &str, start: Start, digit: Option<&str>) -> Self {
        match name {
            "MEDIA_START" => Self::Start(start),
            "DTMF_END" => digit
                .and_then(PhoneKey::read)
                .map_or(Self::Other, Self::Digit),
            "ERROR" => Self::Complaint,
            _ => Self::Other,
        }
    }
}

/// Whether a word is written as names of events are.
fn is_name(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}
