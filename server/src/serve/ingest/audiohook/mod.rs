//! AudioHook Monitor of Genesys Cloud: a WebSocket with both parties of a call, or one.
//!
//! ```text
//! open ─▶ call ─▶ opened ─▶ audio, silence ─▶ close ─▶ legs are over ─▶ closed
//!                               └─ something is wrong ─▶ disconnect ─▶ close ─▶ closed
//! ```
//!
//! The connection keeps what it carries in order, and the other side tells what is missing in it: a leg's clock is the length
//! of its audio and of those silences. What comes late is heard late and makes nothing longer.

mod clients;
mod pauses;

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use auricle_contracts::{CallId, CallMetadata, Party, PhoneKey};
use auricle_live::{Encoding, NewLeg};
use auricle_record::CallSettings;
use auricle_wire::Close;
use auricle_wire::audiohook::{
    AudioHookError, AudioHookEvent, AudioHookOpen, AudioHookRequest, AudioHookSession,
    DisconnectReason,
};
use axum::extract::ws::{Message, WebSocket};

pub(crate) use self::clients::{AudioHookConfig, Clients};
use self::pauses::Pauses;
use super::not_taken::cause_and_hint;
use super::websocket::{Closed, Refused, WebSockets, call_id, close, receive, see_closed};
use super::{FILL_EVERY, Ingest, Patience, Piece, Press, TooQuiet, carry};
use crate::clock;
use crate::exit::message_of;
use crate::serve::calls::{CallToOpen, WhereAudioLies};

/// How a call's audio comes.
const SOURCE: &str = "audiohook";
/// `open` comes as soon as there is a connection.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How long the other side may take to end its session: less than the program waits for connections when it ends.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
/// What the other side is told of a call that nobody ended.
const TOO_LONG: &str = "no call may last longer";
/// Length of a frame.
const FRAME_US: u64 = 1_000_000 / AudioHookSession::RATE_HZ as u64;

/// Hears one session to its end, and closes the connection.
pub(crate) async fn hear(
    sockets: &Arc<WebSockets>,
    request: AudioHookRequest,
    mut socket: WebSocket,
) {
    let mut connection = Connection {
        sockets,
        call: call_id(None, SOURCE, request.session_id),
        participant_idx: None,
        session: AudioHookSession::new(&request, &sockets.limits),
        socket: &mut socket,
        began: Instant::now(),
        heard_at: Instant::now(),
        pauses: Pauses::default(),
        closed: None,
        is_refusal_told: false,
        is_error_told: false,
    };
    let patience = Patience {
        open_within: OPEN_WITHIN,
        quiet_within: sockets.quiet_within,
        // It tells of silence itself.
        wall: Some(sockets.wall.silent_only_after(sockets.quiet_within)),
    };
    let heard = tokio::select! {
        heard = carry(&mut connection, patience) => heard,
        () = sockets.ending() => Err(Closed(Close::Stopping).into()),
    };
    let why = match heard {
        Ok(()) => {
            let _ = tokio::time::timeout(LEAVE_WITHIN, connection.end()).await;
            Close::Normal
        }
        Err(error) => {
            let why = sockets.note_end(SOURCE, &connection.call, &error);
            let message = message_of(&error);
            let (cause, _) = cause_and_hint(&message);
            let leaving = connection.leave(DisconnectReason::Error, cause);
            let _ = tokio::time::timeout(LEAVE_WITHIN, leaving).await;
            why
        }
    };
    close(&mut socket, why).await;
}

/// One connection.
struct Connection<'c> {
    sockets: &'c Arc<WebSockets>,
    socket: &'c mut WebSocket,
    session: AudioHookSession,
    /// Its call, as far as that is known.
    call: CallId,
    /// Which leg is the participant's, who is the customer, once the call is open.
    participant_idx: Option<usize>,
    began: Instant,
    /// When the last message came.
    heard_at: Instant,
    pauses: Pauses,
    /// `closed`, to be sent when the legs are over.
    closed: Option<String>,
    /// Whether it was told that something in a message was not taken: once says it all.
    is_refusal_told: bool,
    /// Whether an error of the other side was told.
    is_error_told: bool,
}

impl Connection<'_> {
    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// A text message. `None` when the session is over.
    async fn text<'p>(&mut self, text: &str) -> Result<Option<Piece<'p>>> {
        let now_ms = self.now_ms();
        let event = self.session.text(text, now_ms).map_err(refused)?;
        let n_frames = match event {
            AudioHookEvent::Open(open) => return self.open(*open).await,
            AudioHookEvent::Closed { reply, .. } => {
                self.closed = Some(reply);
                return Ok(None);
            }
            AudioHookEvent::Probe { reply } | AudioHookEvent::Ping { reply, .. } => {
                self.send(reply).await?;
                0
            }
            AudioHookEvent::Digit(key) => return Ok(Some(self.pressed(key))),
            AudioHookEvent::Gap(gap) => self.pauses.told(gap.n_frames),
            AudioHookEvent::Resumed(gap) => {
                self.pauses.end();
                self.pauses.told(gap.n_frames)
            }
            other => {
                self.note(other);
                0
            }
        };
        Ok(Some(self.silence(n_frames)))
    }

    /// What needs neither an answer nor silence.
    fn note(&mut self, event: AudioHookEvent) {
        let now_ms = self.now_ms();
        match event {
            AudioHookEvent::Paused => self.pauses.begin(now_ms),
            AudioHookEvent::Language(tag) => {
                if let Err(cause) = self.sockets.check_language(Some(tag.as_str())) {
                    self.tell_refusal(&cause);
                }
            }
            AudioHookEvent::NotTaken(warning) => self.tell_refusal(&warning),
            AudioHookEvent::Error { code } => self.tell_error(&code),
            _ => {}
        }
    }

    /// A key, for the participant's leg; where only the other side is heard it is nobody's.
    fn pressed<'p>(&self, key: PhoneKey) -> Piece<'p> {
        let press = Press::now(key);
        let leg_idx = self.participant_idx;
        leg_idx.map_or(Piece::Alive, |leg_idx| Piece::Pressed { leg_idx, press })
    }

    /// Silence of so many frames, and what a pause is longer by now.
    fn silence<'p>(&mut self, n_frames: u64) -> Piece<'p> {
        let now_ms = self.now_ms();
        let n_frames = n_frames + self.pauses.due(now_ms);
        Piece::Silence(Duration::from_micros(n_frames * FRAME_US))
    }

    /// Opens the call: a leg for each channel.
    async fn open<'p>(&mut self, open: AudioHookOpen) -> Result<Option<Piece<'p>>> {
        self.call = call_id(open.facts.call_id, SOURCE, open.participant_id);
        let is_spoken = self.sockets.check_language(open.language.as_deref());
        is_spoken.map_err(|why| Refused {
            close: Close::NotAccepted,
            why,
        })?;
        for warning in &open.warnings {
            tracing::warn!(call.id = %self.call, "audiohook: `open`: {warning}");
        }
        let layout = open.layout;
        let legs = (0..layout.n_channels()).map(|channel| NewLeg {
            party: layout.party(channel).unwrap_or(Party::Unknown),
            rate_hz: AudioHookSession::RATE_HZ,
        });
        let legs: Vec<NewLeg> = legs.collect();
        self.participant_idx = legs.iter().position(|leg| leg.party == Party::Customer);
        let to_open = CallToOpen {
            id: self.call.clone(),
            metadata: CallMetadata {
                started_at: Some(clock::now_text()),
                ..open.facts.metadata
            },
            source: SOURCE,
            legs,
            settings: CallSettings::default(),
            audio: WhereAudioLies::Nowhere,
        };
        // It writes the beginning of a recording.
        let opened = tokio::task::block_in_place(|| self.sockets.calls.open(to_open))?;
        self.call = opened.id;
        self.say_opened().await?;
        Ok(Some(Piece::Opened(opened.legs)))
    }

    /// Has the audio begin.
    async fn say_opened(&mut self) -> Result<()> {
        let now_ms = self.now_ms();
        let deadline_ms = self.session.open_deadline_ms();
        if deadline_ms.is_some_and(|deadline_ms| now_ms > deadline_ms) {
            bail!("`opened` would come later than 5 s after `open`: nobody waits for it any more");
        }
        match self.session.opened() {
            Some(opened) => self.send(opened).await,
            None => Ok(()),
        }
    }

    /// A binary message.
    fn audio(&mut self, message: &[u8]) -> Result<Piece<'_>> {
        // Whether `resumed` came or not.
        self.pauses.end();
        let audio = self.session.binary(message).map_err(refused)?;
        Ok(match audio {
            None => Piece::Alive,
            Some(audio) => Piece::Audio {
                encoding: Encoding::Ulaw,
                at: None,
                channels: audio.frames.channels().collect(),
            },
        })
    }

    /// Logs an error of the other side, the first of a connection.
    fn tell_error(&mut self, code: &dyn Display) {
        if !std::mem::replace(&mut self.is_error_told, true) {
            tracing::warn!(call.id = %self.call, "audiohook: the other side has the error {code}");
        }
    }

    /// Logs why something in a message is not taken, for the first of a connection.
    fn tell_refusal(&mut self, cause: &dyn Display) {
        if !std::mem::replace(&mut self.is_refusal_told, true) {
            let message = cause.to_string();
            let (cause, hint) = cause_and_hint(&message);
            tracing::warn!(
                call.id = %self.call,
                hint,
                "audiohook: {cause}; more of this session that is not taken is not told"
            );
        }
    }

    async fn send(&mut self, text: String) -> Result<()> {
        let sent = self.socket.send(Message::Text(text.into())).await;
        sent.map_err(|cause| anyhow!("the connection broke off: {cause}"))
    }

    /// Answers `close`; the other side closes the connection then. Without `close` nobody hung up, or nobody is there.
    async fn end(&mut self) -> Result<()> {
        let Some(closed) = self.closed.take() else {
            return self.leave(DisconnectReason::Completed, TOO_LONG).await;
        };
        self.send(closed).await?;
        see_closed(self.socket).await;
        Ok(())
    }

    /// Has the other side end its session, for this reason.
    async fn leave(&mut self, reason: DisconnectReason, why: &str) -> Result<()> {
        let Some(disconnect) = self.session.disconnect(reason, why) else {
            return Ok(());
        };
        self.send(disconnect).await?;
        while let Some(message) = receive(self.socket).await? {
            let Message::Text(text) = message else {
                continue;
            };
            let now_ms = self.now_ms();
            // What else is wrong with it does not matter any more.
            if let Ok(AudioHookEvent::Ping { reply, .. } | AudioHookEvent::Closed { reply, .. }) =
                self.session.text(&text, now_ms)
            {
                self.send(reply).await?;
            }
        }
        Ok(())
    }
}

impl Ingest for Connection<'_> {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        let quiet_within = self.sockets.quiet_within;
        let within = match self.pauses.is_on() {
            true => FILL_EVERY,
            false => quiet_within,
        };
        let Ok(message) = tokio::time::timeout(within, receive(self.socket)).await else {
            // In a pause silence goes on, and the other side may be gone all the same.
            if self.heard_at.elapsed() >= quiet_within {
                let secs = quiet_within.as_secs();
                return Err(TooQuiet::Silent { secs }.into());
            }
            return Ok(Some(self.silence(0)));
        };
        self.heard_at = Instant::now();
        match message? {
            None => Ok(None),
            Some(Message::Text(text)) => self.text(&text).await,
            Some(message) => self.audio(&message.into_data()).map(Some),
        }
    }
}

fn refused(error: AudioHookError) -> Refused {
    Refused {
        close: error.close(),
        why: error.to_string(),
    }
}
