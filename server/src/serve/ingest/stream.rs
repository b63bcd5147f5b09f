//! `mod_audio_stream` of FreeSWITCH: a WebSocket with one leg of a call, or with both.
//!
//! ```text
//! Waiting (metadata) => JustOpened => Speaking (audio) => Over
//! ```

use std::fmt::Display;
use std::sync::Arc;

use anyhow::Result;
use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_live::{Encoding, NewLeg};
use auricle_record::CallSettings;
use auricle_wire::stream::{StreamRequest, StreamSession, StreamText};
use auricle_wire::{Agreement, Close, Layout, Metadata};
use axum::extract::ws::{Message, WebSocket};
use uuid::Uuid;

use super::joining::{LegToJoin, Speaker};
use super::websocket::{Closed, WebSockets, call_id, close, receive};
use super::{CallLeg, Ingest, Patience, Piece, carry};
use crate::clock;
use crate::serve::calls::{CallToOpen, WhereAudioLies};

/// Hears one connection to its end, and closes it.
pub(crate) async fn hear(
    sockets: &Arc<WebSockets>,
    request: StreamRequest,
    id: Uuid,
    mut socket: WebSocket,
) {
    let mut connection = Connection {
        session: StreamSession::new(&request, &sockets.limits),
        sockets,
        socket: &mut socket,
        request,
        id,
        channels: Vec::new(),
        state: State::Waiting,
        is_late_told: false,
        is_refusal_told: false,
    };
    let patience = Patience {
        open_within: sockets.quiet_within,
        quiet_within: sockets.quiet_within,
        wall: Some(sockets.wall),
    };
    let heard = tokio::select! {
        heard = carry(&mut connection, patience) => heard,
        () = sockets.ending() => Err(Closed(Close::Stopping).into()),
    };
    let why = match heard {
        Ok(()) => Close::Normal,
        Err(error) => sockets.note_end("stream", &connection.call(), &error),
    };
    close(&mut socket, why).await;
}

/// One connection.
struct Connection<'c> {
    sockets: &'c Arc<WebSockets>,
    socket: &'c mut WebSocket,
    session: StreamSession,
    /// Its facts grow until the call is open.
    request: StreamRequest,
    /// Of the connection, for a call that has no name.
    id: Uuid,
    /// The audio of the last message, channel by channel.
    channels: Vec<Vec<u8>>,
    state: State,
    /// Whether it was told that metadata came too late.
    is_late_told: bool,
    /// Whether it was told that something in a text message was not taken: once says it all.
    is_refusal_told: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// For the first audio.
    Waiting,
    /// The call is open; the audio that opened it is to be told.
    JustOpened,
    Speaking,
}

impl Connection<'_> {
    /// Its call, as far as that is known.
    fn call(&self) -> CallId {
        call_id(self.request.facts.call_id.clone(), "stream", self.id)
    }

    /// Opens the call, or joins it: a leg for each channel.
    async fn open(&mut self) -> Result<Vec<CallLeg>> {
        let facts = &self.request.facts;
        let metadata = CallMetadata {
            started_at: Some(clock::now_text()),
            ..facts.metadata.clone()
        };
        let rate_hz = self.request.rate_hz;
        let id = self.call();
        let parties = match self.request.layout {
            Layout::Single(party) if self.has_two_connections() => {
                let joiner = LegToJoin {
                    id,
                    metadata,
                    speaker: party.map_or(Speaker::Unsaid, Speaker::Said),
                    rate_hz,
                };
                return Ok(vec![self.sockets.joining.join(joiner).await?]);
            }
            layout => (0..layout.n_channels())
                .map(move |channel| layout.party(channel).unwrap_or(Party::Unknown)),
        };
        let to_open = CallToOpen {
            id,
            metadata,
            source: "stream",
            legs: parties.map(|party| NewLeg { party, rate_hz }).collect(),
            settings: CallSettings::default(),
            audio: WhereAudioLies::Nowhere,
        };
        // It writes the beginning of a recording.
        let opened = tokio::task::block_in_place(|| self.sockets.calls.open(to_open))?;
        Ok(opened.legs)
    }

    /// Whether another connection brings the other party: it must know the call's id, and that this is one of two parties.
    fn has_two_connections(&self) -> bool {
        let is_of_two = self.request.layout != Layout::Single(Some(Party::Unknown));
        is_of_two && self.request.facts.call_id.is_some() && self.request.connections != Some(1)
    }

    /// Metadata: what comes before the call is open is known of it.
    fn note(&mut self, metadata: Metadata) {
        if let Some(refused) = metadata.refused.first() {
            self.tell_refusal(refused);
        }
        if self.state != State::Waiting {
            if !std::mem::replace(&mut self.is_late_told, true) {
                let call = self.call();
                tracing::warn!(call.id = %call, "stream: metadata behind the first audio of a call has no effect");
            }
            return;
        }
        if self.request.facts.complete(metadata.facts) == Agreement::Contradicts {
            self.tell_refusal(&"it says something else than before: that stays");
        }
    }

    /// Logs why a text message is not taken, for the first of a connection.
    fn tell_refusal(&mut self, cause: &dyn Display) {
        if !std::mem::replace(&mut self.is_refusal_told, true) {
            tracing::warn!(
                call.id = %self.call(),
                "stream: metadata: {cause}; more of this connection that is not taken is not told"
            );
        }
    }

    fn piece(&self) -> Piece<'_> {
        Piece::Audio {
            encoding: Encoding::L16,
            at: None,
            channels: self.channels.iter().map(Vec::as_slice).collect(),
        }
    }
}

impl Ingest for Connection<'_> {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if self.state == State::JustOpened {
            self.state = State::Speaking;
            return Ok(Some(self.piece()));
        }
        match receive(self.socket).await? {
            None => Ok(None),
            Some(Message::Text(text)) => {
                match self.session.text(&text).map_err(Closed)? {
                    StreamText::Metadata(metadata) => self.note(metadata),
                    StreamText::Malformed(cause) => self.tell_refusal(&cause),
                }
                Ok(Some(Piece::Alive))
            }
            Some(message) => {
                let frames = self.session.binary(&message.into_data());
                let frames = frames.map_err(Closed)?;
                if frames.n_frames() == 0 {
                    return Ok(Some(Piece::Alive));
                }
                self.channels.resize_with(frames.channels().len(), Vec::new);
                for (channel, bytes) in self.channels.iter_mut().zip(frames.channels()) {
                    channel.clear();
                    channel.extend_from_slice(bytes);
                }
                if self.state == State::Speaking {
                    return Ok(Some(self.piece()));
                }
                let legs = self.open().await?;
                self.state = State::JustOpened;
                Ok(Some(Piece::Opened(legs)))
            }
        }
    }
}
