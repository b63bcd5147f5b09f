//! Text messages of clients.

use std::fmt;

use serde::Deserialize;
use utoipa::ToSchema;

use super::keyterms::{Hotword, Hotwords};
use crate::limits::Limits;
use crate::query::QueryError;

/// What is to be brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalizeWhat {
    /// What was heard on every channel.
    All,
    /// What was heard on one channel, from 0.
    Channel(u16),
}

/// A change while the stream goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Configure {
    /// Words to lean towards instead of the ones before; `None`: they stay.
    pub hotwords: Option<Vec<Hotword>>,
}

/// A text message that is understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ClientMessage {
    KeepAlive,
    Finalize(FinalizeWhat),
    CloseStream,
    Configure(Result<Configure, QueryError>),
}

/// A text message that is not understood: what is told to the client, who knows the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misunderstood {
    NotJson,
    UnknownType,
    Channel,
}

impl fmt::Display for Misunderstood {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotJson => "text messages are JSON objects with a `type`",
            Self::UnknownType => "`type` must be KeepAlive, Finalize, CloseStream or Configure",
            Self::Channel => "`channel` must be one of the stream's channels, from 0",
        })
    }
}

/// A text message of a client as it is written.
#[derive(Deserialize, ToSchema)]
#[schema(as = ListenClientMessage, example = json!({"type": "KeepAlive"}))]
pub struct ClientText {
    /// `KeepAlive`, `Finalize`, `CloseStream` or `Configure`.
    r#type: String,
    /// Of `Finalize`: the channel, from 0; without it all.
    channel: Option<u32>,
    /// Of `Configure`: words to lean towards.
    keyterms: Option<Vec<String>>,
}

impl ClientMessage {
    /// Reads a message whose length was checked.
    pub(super) fn read(
        text: &str,
        n_channels: u16,
        limits: &Limits,
    ) -> Result<Self, Misunderstood> {
        let written: ClientText = serde_json::from_str(text).map_err(|_| Misunderstood::NotJson)?;
        match written.r#type.as_str() {
            "KeepAlive" => Ok(Self::KeepAlive),
            "CloseStream" => Ok(Self::CloseStream),
            "Configure" => Ok(Self::Configure(configure(written.keyterms, limits))),
            "Finalize" => match written.channel.map(u16::try_from) {
                None => Ok(Self::Finalize(FinalizeWhat::All)),
                Some(Ok(channel)) if channel < n_channels => {
                    Ok(Self::Finalize(FinalizeWhat::Channel(channel)))
                }
                Some(_) => Err(Misunderstood::Channel),
            },
            _ => Err(Misunderstood::UnknownType),
        }
    }
}

fn configure(keyterms: Option<Vec<String>>, limits: &Limits) -> Result<Configure, QueryError> {
    let read = |keyterms: Vec<String>| {
        let mut hotwords = Hotwords::default();
        for keyterm in &keyterms {
            hotwords.keyterm(keyterm, limits)?;
        }
        Ok(hotwords.into_words())
    };
    let hotwords = keyterms.map(read).transpose()?;
    Ok(Configure { hotwords })
}
