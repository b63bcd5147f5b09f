//! `chan_websocket` of Asterisk: a WebSocket for each leg; two with the same `call_id` are the legs of one call.
//!
//! ```text
//! Waiting (`MEDIA_START`, audio before it is kept) => JustOpened => Speaking => Over
//! ```

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use auricle_contracts::{CallId, CallMetadata, Party, PhoneKey};
use auricle_live::{Encoding, NewLeg};
use auricle_record::CallSettings;
use auricle_wire::chan_websocket::{
    ChanWebsocketError, ChanWebsocketEvent, ChanWebsocketRequest, ChanWebsocketSession,
    ChanWebsocketWarning, MediaStart,
};
use auricle_wire::{Close, Frames};
use axum::extract::ws::{Message, WebSocket};
use smallvec::smallvec;
use uuid::Uuid;

use super::joining::{LegToJoin, Speaker};
use super::listen::live_encoding;
use super::websocket::{Closed, Refused, WebSockets, call_id, close, receive};
use super::{CallLeg, Ingest, Patience, Piece, Press, carry};
use crate::clock;
use crate::serve::calls::{CallToOpen, WhereAudioLies};

/// How a call's audio comes.
pub(crate) const SOURCE: &str = "asterisk";
/// How long a connection may take to say how its audio lies: Asterisk does at once, and late under load.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Hears one connection to its end, and closes it: Asterisk hangs the channel up that listens.
pub(crate) async fn hear(
    sockets: &Arc<WebSockets>,
    request: &ChanWebsocketRequest,
    id: Uuid,
    mut socket: WebSocket,
) {
    let mut connection = Connection {
        session: ChanWebsocketSession::new(request, &sockets.limits),
        sockets,
        socket: &mut socket,
        connections: request.connections,
        id,
        call: call_id(request.facts.call_id.clone(), SOURCE, id),
        encoding: Encoding::L16,
        audio: Vec::new(),
        state: State::Waiting,
        is_left_told: false,
    };
    let patience = Patience {
        open_within: START_WITHIN,
        quiet_within: sockets.quiet_within,
        wall: Some(sockets.wall),
    };
    let heard = tokio::select! {
        heard = carry(&mut connection, patience) => heard,
        () = sockets.ending() => Err(Closed(Close::Stopping).into()),
    };
    let why = match heard {
        Ok(()) => Close::Normal,
        Err(error) => sockets.note_end(SOURCE, &connection.call, &error),
    };
    close(&mut socket, why).await;
}

/// One connection.
struct Connection<'c> {
    sockets: &'c Arc<WebSockets>,
    socket: &'c mut WebSocket,
    session: ChanWebsocketSession,
    /// Of the call, where that is said.
    connections: Option<u32>,
    /// Of the connection, for a call that has no name.
    id: Uuid,
    /// Its call, as far as that is known.
    call: CallId,
    /// Of the audio, once that is known.
    encoding: Encoding,
    /// The audio of the last message; may be none.
    audio: Vec<u8>,
    state: State,
    /// Whether it was told that a message was left out: once says it all.
    is_left_told: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// For how the audio lies.
    Waiting,
    /// The call is open; audio that came before is to be told.
    JustOpened,
    Speaking,
}

/// A message without what it borrows; audio lies in `Connection::audio`.
enum Said {
    Started(Box<MediaStart>),
    Audio,
    Pressed(PhoneKey),
    Left(ChanWebsocketWarning),
    Over,
    Nothing,
}

impl Connection<'_> {
    /// What the next message says.
    async fn said(&mut self) -> Result<Said> {
        let event = match receive(self.socket).await? {
            None => return Ok(Said::Over),
            Some(Message::Text(text)) => self.session.text(&text),
            Some(message) => self.session.binary(&message.into_data()),
        };
        Ok(match event.map_err(refused)? {
            ChanWebsocketEvent::Started { start, early } => {
                copy(early, &mut self.audio);
                Said::Started(start)
            }
            ChanWebsocketEvent::Audio(frames) => {
                copy(frames, &mut self.audio);
                Said::Audio
            }
            ChanWebsocketEvent::Malformed(warning) => Said::Left(warning),
            ChanWebsocketEvent::Digit(key) => Said::Pressed(key),
            ChanWebsocketEvent::Complaint | ChanWebsocketEvent::Nothing => Said::Nothing,
        })
    }

    /// Opens the call, or joins it: the one leg of this connection.
    async fn open(&mut self, start: MediaStart) -> Result<Vec<CallLeg>> {
        self.encoding = live_encoding(start.encoding);
        let n_early = self.audio.len() / self.encoding.sample_bytes();
        let early = Duration::from_secs_f64(n_early as f64 / f64::from(start.rate_hz));
        let has_name = start.facts.call_id.is_some();
        self.call = call_id(start.facts.call_id, SOURCE, self.id);
        for warning in &start.warnings {
            tracing::warn!(call.id = %self.call, "{SOURCE}: {warning}");
        }
        let metadata = CallMetadata {
            started_at: Some(clock::now_text()),
            ..start.facts.metadata
        };
        let is_of_two = self.connections != Some(1) && start.party != Some(Party::Unknown);
        let legs = match has_name && is_of_two {
            true => {
                let joiner = LegToJoin {
                    id: self.call.clone(),
                    metadata,
                    speaker: start.party.map_or(Speaker::Unsaid, Speaker::Said),
                    rate_hz: start.rate_hz,
                };
                vec![self.sockets.asterisk.join(joiner).await?]
            }
            false => {
                let leg = NewLeg {
                    party: start.party.unwrap_or(Party::Unknown),
                    rate_hz: start.rate_hz,
                };
                self.open_alone(leg, metadata)?
            }
        };
        if let Some(leg) = legs.first() {
            self.call = leg.call().clone();
        }
        Ok(legs.into_iter().map(|leg| leg.early_by(early)).collect())
    }

    /// Opens a call that has no other connection.
    fn open_alone(&self, leg: NewLeg, metadata: CallMetadata) -> Result<Vec<CallLeg>> {
        let to_open = CallToOpen {
            id: self.call.clone(),
            metadata,
            source: SOURCE,
            legs: vec![leg],
            settings: CallSettings::default(),
            audio: WhereAudioLies::Nowhere,
        };
        // It writes the beginning of a recording.
        let opened = tokio::task::block_in_place(|| self.sockets.calls.open(to_open))?;
        Ok(opened.legs)
    }

    /// The audio of the last message.
    fn piece(&self) -> Piece<'_> {
        match self.audio.is_empty() {
            true => Piece::Alive,
            false => Piece::Audio {
                encoding: self.encoding,
                at: None,
                channels: smallvec![self.audio.as_slice()],
            },
        }
    }

    /// Logs why a message is left out, for the first of a connection.
    fn tell_left(&mut self, cause: &dyn Display) {
        if !std::mem::replace(&mut self.is_left_told, true) {
            tracing::warn!(
                call.id = %self.call,
                "{SOURCE}: {cause}; more of this connection that is not taken is not told"
            );
        }
    }
}

/// Takes the one channel over.
fn copy(frames: Frames<'_>, audio: &mut Vec<u8>) {
    audio.clear();
    for bytes in frames.channels() {
        audio.extend_from_slice(bytes);
    }
}

/// Logged where it is handled, and closed as the protocol's page says.
fn refused(error: ChanWebsocketError) -> Refused {
    Refused {
        close: error.close(),
        why: error.to_string(),
    }
}

impl Ingest for Connection<'_> {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if self.state == State::JustOpened {
            self.state = State::Speaking;
            return Ok(Some(self.piece()));
        }
        loop {
            match self.said().await? {
                Said::Started(start) => {
                    let legs = self.open(*start).await?;
                    self.state = State::JustOpened;
                    return Ok(Some(Piece::Opened(legs)));
                }
                Said::Audio => return Ok(Some(self.piece())),
                Said::Over => return Ok(None),
                Said::Pressed(key) if self.state == State::Speaking => {
                    let press = Press::now(key);
                    return Ok(Some(Piece::Pressed { leg_idx: 0, press }));
                }
                Said::Left(warning) => self.tell_left(&warning),
                Said::Pressed(_) | Said::Nothing => {}
            }
            // Who has not said how audio lies has only so long, whatever else comes.
            if self.state == State::Speaking {
                return Ok(Some(Piece::Alive));
            }
        }
    }
}
