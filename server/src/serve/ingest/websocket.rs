//! What the ways in over a WebSocket have in common: how many there may be, what is read, how they are closed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use auricle_contracts::CallId;
use auricle_wire::{Close, Limits};
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use schemars::JsonSchema;
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_tungstenite::tungstenite;
use uuid::Uuid;

use super::TooQuiet;
use super::joining::Joining;
use super::leg_time::WallTime;
use super::not_taken::{NotTaken, cause_and_hint};
use crate::exit::message_of;
use crate::serve::calls::Calls;
use crate::serve::hub::EventHub;

/// How long the other side may take to answer that it closes, too.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether the program ends.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Messages up to this many times what may be are read, so that the other side can be told that they are too long.
const READ_BEYOND: usize = 4;

/// `[live.websocket]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebSocketConfig {
    /// Connections that bring audio, at a time, all of them together; more are refused.
    #[schemars(range(min = 1, max = 200_000))]
    pub(crate) most_connections: usize,
    /// A connection that sends nothing for so long is over; `/v1/listen` has a time of its own.
    #[schemars(range(min = 5, max = 86_400))]
    pub(crate) quiet_secs: u64,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self {
            most_connections: 2_000,
            quiet_secs: 300,
        }
    }
}

/// What every connection may need.
pub(crate) struct WebSockets {
    pub(crate) calls: Arc<Calls>,
    pub(crate) hub: Arc<EventHub>,
    pub(crate) limits: Limits,
    pub(crate) quiet_within: Duration,
    /// Audio of `/v1/listen` is its own time.
    pub(crate) wall: WallTime,
    /// Calls of `mod_audio_stream` whose second connection is not there yet.
    pub(crate) joining: Arc<Joining>,
    /// The same of `chan_websocket`.
    pub(crate) asterisk: Arc<Joining>,
    /// Of what is heard.
    language: String,
    connections: Arc<Semaphore>,
    most_connections: usize,
}

impl WebSockets {
    pub(crate) fn new(
        calls: &Arc<Calls>,
        hub: &Arc<EventHub>,
        config: &WebSocketConfig,
        wall: WallTime,
        language: &str,
    ) -> Arc<Self> {
        Arc::new(Self {
            calls: Arc::clone(calls),
            hub: Arc::clone(hub),
            limits: Limits::default(),
            quiet_within: Duration::from_secs(config.quiet_secs),
            wall,
            joining: Joining::new(Arc::clone(calls), "stream"),
            asterisk: Joining::new(Arc::clone(calls), super::asterisk::SOURCE),
            language: language.to_owned(),
            connections: Arc::new(Semaphore::new(config.most_connections)),
            most_connections: config.most_connections,
        })
    }

    /// Room for a connection, to be held as long as it lasts.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.connections).try_acquire_owned().ok()
    }

    /// Waits until the program ends calls.
    pub(crate) async fn ending(&self) {
        while !self.calls.live().is_hung_up() && !self.hub.is_closed() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until every connection is closed.
    pub(crate) async fn all_closed(&self) {
        let _ = self
            .connections
            .acquire_many(self.most_connections as u32)
            .await;
    }

    /// Whether a language tag is that of what is heard: a call in another would be nonsense.
    ///
    /// # Errors
    /// What to say.
    pub(crate) fn check_language(&self, tag: Option<&str>) -> Result<(), String> {
        let Some(tag) = tag else { return Ok(()) };
        let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
        match primary(tag) == primary(&self.language) {
            true => Ok(()),
            false => Err(format!(
                "`language` must be {}, got `{tag}`\nhint: `speech.language` of auricle.toml is the language of all live calls",
                self.language
            )),
        }
    }

    /// The upgrade of a request, within limits.
    pub(crate) fn upgrade(&self, upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
        let most_bytes = READ_BEYOND * self.limits.audio_message_bytes;
        upgrade
            .max_message_size(most_bytes)
            .max_frame_size(most_bytes)
    }

    /// Logs and counts a connection of this call that ended with this error, and says how it is to be closed.
    pub(crate) fn note_end(&self, source: &str, call: &CallId, error: &anyhow::Error) -> Close {
        let close = self.close_of(error);
        if close != Close::Stopping {
            self.calls.live().metrics().connection_refused();
        }
        let message = message_of(error);
        let (cause, hint) = cause_and_hint(&message);
        tracing::warn!(call.id = %call, hint, "{source}: {cause}");
        close
    }

    fn close_of(&self, error: &anyhow::Error) -> Close {
        if let Some(Closed(close)) = error.downcast_ref() {
            return *close;
        }
        if let Some(Refused { close, .. }) = error.downcast_ref() {
            return *close;
        }
        match NotTaken::of(error) {
            Some(NotTaken::Overloaded | NotTaken::Busy) => Close::Overloaded,
            Some(NotTaken::Unacceptable) => Close::NotAccepted,
            Some(NotTaken::Stopping) => Close::Stopping,
            None if error.is::<TooQuiet>() => Close::Quiet,
            None if self.calls.live().is_hung_up() => Close::Stopping,
            None => Close::Internal,
        }
    }
}

/// A connection that we close, and why.
#[derive(Clone, Copy, Debug, Error)]
#[error("{}", .0.reason())]
pub(crate) struct Closed(pub(crate) Close);

/// A connection that we close for what it brought: how, and why.
#[derive(Clone, Debug, Error)]
#[error("{why}")]
pub(crate) struct Refused {
    pub(crate) close: Close,
    /// For the log; its last line may be a hint.
    pub(crate) why: String,
}

/// A name for a call that has none, or for a request.
///
/// # Errors
/// The system gives no random bytes.
pub(crate) fn random_id() -> Result<Uuid> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// The name of a call: the one that was given, or one of the way in and a request.
pub(crate) fn call_id(given: Option<CallId>, source: &str, request: Uuid) -> CallId {
    given.unwrap_or_else(|| CallId(format!("{source}-{request}")))
}

/// The next text or binary message; `None` when the other side is done.
///
/// # Errors
/// When the connection breaks off, or brings what it may not.
pub(crate) async fn receive<S>(socket: &mut S) -> Result<Option<Message>>
where
    S: Stream<Item = Result<Message, axum::Error>> + Unpin,
{
    loop {
        match socket.next().await {
            None | Some(Ok(Message::Close(_))) => return Ok(None),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(message)) => return Ok(Some(message)),
            Some(Err(error)) => {
                use tungstenite::Error;
                let cause = error.into_inner();
                return Err(match cause.downcast_ref() {
                    Some(Error::Capacity(_)) => Closed(Close::TooLong).into(),
                    Some(Error::Utf8(_)) => Closed(Close::Malformed).into(),
                    _ => anyhow::anyhow!("the connection broke off: {cause}"),
                });
            }
        }
    }
}

/// A close frame.
pub(crate) fn close_message(close: Close) -> Message {
    Message::Close(Some(CloseFrame {
        code: close.code(),
        reason: close.reason().into(),
    }))
}

/// Closes, and waits a little for the other side to do so: what it still sends would else destroy what it was told. Where the
/// other side closed first it is answered.
pub(crate) async fn close<S>(socket: &mut S, close: Close)
where
    S: Sink<Message> + Stream<Item = Result<Message, axum::Error>> + Unpin,
{
    let closing = async {
        // Refused where the other side closed first: then reading sends the answer to that.
        let _ = socket.send(close_message(close)).await;
        see_closed(socket).await;
    };
    let _ = tokio::time::timeout(CLOSE_WITHIN, closing).await;
}

/// Reads until both sides have closed, for a while. What answers the other side's close goes out meanwhile.
pub(crate) async fn see_closed<S>(socket: &mut S)
where
    S: Stream<Item = Result<Message, axum::Error>> + Unpin,
{
    let closed = async { while let Some(Ok(_)) = socket.next().await {} };
    let _ = tokio::time::timeout(CLOSE_WITHIN, closed).await;
}
