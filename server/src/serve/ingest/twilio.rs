//! Twilio Media Streams: a WebSocket with both legs of a call, or with one, as JSON.
//!
//! ```text
//! Waiting (`start`, with the key where one is still to come) => Streaming => Over
//! ```
//!
//! Audio has places, and both legs come on one connection, so their clocks are those of the stream: what comes late is caught up
//! with, and is as long as it was. The clock of the wall says what is too far ahead, and when nothing comes any more.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use auricle_contracts::{CallId, CallMetadata, PhoneKey};
use auricle_live::{Encoding, NewLeg};
use auricle_record::CallSettings;
use auricle_wire::Close;
use auricle_wire::twilio::{
    Track, TwilioError, TwilioEvent, TwilioRequest, TwilioSession, TwilioStart, TwilioWarning,
};
use axum::extract::ws::{Message, WebSocket};
use uuid::Uuid;

use super::websocket::{Closed, Refused, WebSockets, call_id, close, receive};
use super::{CallLeg, Ingest, Patience, Piece, Press, carry};
use crate::clock;
use crate::serve::access::Refusal;
use crate::serve::calls::{CallToOpen, WhereAudioLies};

/// How a call's audio comes.
pub(crate) const SOURCE: &str = "twilio";
/// How long a connection may take to say which stream it is, and to show its key: Twilio does at once.
const START_WITHIN: Duration = Duration::from_secs(5);
/// Twilio sends silence, too: a connection that brings nothing is late, and after this time there is no more to wait for.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// Says whether a key lets audio in.
pub(crate) type AdmitKey = Box<dyn Fn(Option<&str>) -> Result<(), Refusal> + Send + Sync>;

/// Hears one connection to its end, and closes it. `admit` is asked where the key is to come with `start`.
pub(crate) async fn hear(
    sockets: &Arc<WebSockets>,
    request: &TwilioRequest,
    admit: Option<AdmitKey>,
    id: Uuid,
    mut socket: WebSocket,
) {
    let mut connection = Connection {
        session: TwilioSession::new(request, &sockets.limits),
        sockets,
        socket: &mut socket,
        admit,
        id,
        call: call_id(request.facts.call_id.clone(), SOURCE, id),
        tracks: Vec::new(),
        audio: Vec::new(),
        is_left_told: false,
    };
    let patience = Patience {
        open_within: START_WITHIN,
        quiet_within: sockets.quiet_within,
        wall: Some(sockets.wall.silent_only_after(SILENT_AFTER)),
    };
    let heard = tokio::select! {
        heard = carry(&mut connection, patience) => heard,
        () = sockets.ending() => Err(Closed(Close::Stopping).into()),
    };
    connection.tell_counts();
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
    session: TwilioSession,
    /// Until a key was shown that is still to come.
    admit: Option<AdmitKey>,
    /// Of the connection, for a call that has no name.
    id: Uuid,
    /// Its call, as far as that is known.
    call: CallId,
    /// Of the legs, in their order; none until the stream begins.
    tracks: Vec<Track>,
    /// The audio of the last message.
    audio: Vec<u8>,
    /// Whether it was told that a message was left out: once says it all.
    is_left_told: bool,
}

/// A message without what it borrows; audio lies in `Connection::audio`.
enum Said {
    Started(Box<TwilioStart>),
    Audio { track: Track, at_ms: u32 },
    Pressed { track: Track, key: PhoneKey },
    Left(TwilioWarning),
    Over,
    Nothing,
}

impl Connection<'_> {
    /// What the next message says.
    async fn said(&mut self) -> Result<Said> {
        let Some(message) = receive(self.socket).await? else {
            return Ok(Said::Over);
        };
        let event = match &message {
            Message::Text(text) => self.session.text(text),
            _ => self.session.binary(),
        };
        Ok(match event.map_err(refused)? {
            TwilioEvent::Started(start) => Said::Started(start),
            TwilioEvent::Audio(audio) => {
                self.audio.clear();
                self.audio.extend_from_slice(audio.ulaw);
                Said::Audio {
                    track: audio.track,
                    at_ms: audio.at_ms,
                }
            }
            TwilioEvent::Stopped => Said::Over,
            TwilioEvent::NotTaken(warning) => Said::Left(warning),
            TwilioEvent::Digit { track, key } => Said::Pressed { track, key },
            TwilioEvent::Nothing => Said::Nothing,
        })
    }

    /// Opens the call: a leg for each track.
    fn open(&mut self, start: TwilioStart) -> Result<Vec<CallLeg>> {
        if let Some(admit) = self.admit.take() {
            admit(start.key.as_ref().map(|key| key.reveal())).map_err(not_let_in)?;
        }
        self.call = call_id(start.facts.call_id, SOURCE, self.id);
        for warning in &start.warnings {
            tracing::warn!(call.id = %self.call, "{SOURCE}: {warning}");
        }
        let legs = start.legs.iter().map(|leg| NewLeg {
            party: leg.party,
            rate_hz: TwilioSession::RATE_HZ,
        });
        let to_open = CallToOpen {
            id: self.call.clone(),
            metadata: CallMetadata {
                started_at: Some(clock::now_text()),
                ..start.facts.metadata
            },
            source: SOURCE,
            legs: legs.collect(),
            settings: CallSettings::default(),
            audio: WhereAudioLies::Nowhere,
        };
        // It writes the beginning of a recording.
        let opened = tokio::task::block_in_place(|| self.sockets.calls.open(to_open))?;
        self.tracks = start.legs.iter().map(|leg| leg.track).collect();
        self.call = opened.id;
        Ok(opened.legs)
    }

    /// The audio of the last message, for the leg of its track.
    fn piece(&self, track: Track, at_ms: u32) -> Piece<'_> {
        let samples_per_ms = u64::from(TwilioSession::RATE_HZ) / 1000;
        let of_leg = |of: &Track| match *of == track {
            true => self.audio.as_slice(),
            false => &[][..],
        };
        Piece::Audio {
            encoding: Encoding::Ulaw,
            at: Some(u64::from(at_ms) * samples_per_ms),
            channels: self.tracks.iter().map(of_leg).collect(),
        }
    }

    /// A key, for the leg of its track; one of a track that is not streamed is nobody's.
    fn pressed<'p>(&self, track: Track, key: PhoneKey) -> Piece<'p> {
        let press = Press::now(key);
        let leg_idx = self.tracks.iter().position(|of| *of == track);
        leg_idx.map_or(Piece::Alive, |leg_idx| Piece::Pressed { leg_idx, press })
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

    /// Logs what was amiss in the numbers of messages.
    fn tell_counts(&self) {
        let counts = self.session.counts();
        if counts.n_missing + counts.n_repeated > 0 {
            tracing::warn!(
                call.id = %self.call,
                n_missing = counts.n_missing,
                n_repeated = counts.n_repeated,
                "{SOURCE}: messages did not come, or came again"
            );
        }
    }
}

/// Logged where it is handled, and closed as the protocol's page says.
fn refused(error: TwilioError) -> Refused {
    Refused {
        close: error.close(),
        why: error.to_string(),
    }
}

fn not_let_in(refusal: Refusal) -> Refused {
    let why = match refusal {
        Refusal::NoKey => {
            "no key came with `start`\nhint: the parameter `key` of the stream brings one"
                .to_owned()
        }
        refusal => refusal.to_string(),
    };
    Refused {
        close: Close::NotLetIn,
        why,
    }
}

impl Ingest for Connection<'_> {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        loop {
            match self.said().await? {
                Said::Started(start) => return Ok(Some(Piece::Opened(self.open(*start)?))),
                Said::Audio { track, at_ms } => return Ok(Some(self.piece(track, at_ms))),
                Said::Pressed { track, key } => return Ok(Some(self.pressed(track, key))),
                Said::Over => return Ok(None),
                Said::Left(warning) => self.tell_left(&warning),
                Said::Nothing => {}
            }
            // Who has not said which stream it is has only so long, whatever else comes.
            if !self.tracks.is_empty() {
                return Ok(Some(Piece::Alive));
            }
        }
    }
}
