//! One connection of Genesys Cloud: messages in, answers, audio and facts out.

use std::fmt;

use auricle_contracts::PhoneKey;
use serde_json::Value;
use uuid::Uuid;

use super::media::{Media, RATE_HZ};
use super::message::{Written, WrittenOpen};
use super::open::{self, Opening};
use super::span::Span;
use super::stream::Stream;
use super::{
    AudioHookAudio, AudioHookError, AudioHookEvent, AudioHookGap, AudioHookRequest,
    AudioHookWarning, CloseReason, DisconnectReason,
};
use crate::encoding::Encoding;
use crate::limits::Limits;
use crate::query::Shown;

/// The only version of the protocol.
const VERSION: &str = "2";
/// How long the other side waits for `opened` ("Session walkthrough", section "Open transaction").
const OPEN_MS: u64 = 5000;

/// One connection: one session, which is one participant's part of a call.
pub struct AudioHookSession {
    request: AudioHookRequest,
    limits: Limits,
    state: State,
    stream: Option<Stream>,
    /// Of the last message that came.
    client_seq: u64,
    /// Of the last message that was written.
    server_seq: u64,
    n_not_taken: u32,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody said which call it is. => (Opening or Probing or Leaving or Closed)
    Waiting,
    /// `opened` is to be sent. => (Streaming or Leaving or Closed)
    Opening {
        /// When the other side gives up waiting for it.
        deadline_ms: u64,
    },
    /// Audio comes. => (Leaving or Closed)
    Streaming,
    /// There is no call. => (Leaving or Closed)
    Probing,
    /// `disconnect` was sent, which `close` answers. => Closed
    Leaving,
    /// Nothing comes any more: what does is not read.
    Closed,
}

impl fmt::Debug for AudioHookSession {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AudioHookSession")
            .field("state", &self.state)
            .field("n_frames", &self.n_frames())
            .field("client_seq", &self.client_seq)
            .field("server_seq", &self.server_seq)
            .finish_non_exhaustive()
    }
}

impl AudioHookSession {
    /// The encoding of every session.
    pub const ENCODING: Encoding = Encoding::Ulaw;
    /// Samples per second and channel of every session.
    pub const RATE_HZ: u32 = RATE_HZ;

    /// A connection that was accepted.
    pub fn new(request: &AudioHookRequest, limits: &Limits) -> Self {
        Self {
            request: request.clone(),
            limits: limits.clone(),
            state: State::Waiting,
            stream: None,
            client_seq: 0,
            server_seq: 0,
            n_not_taken: 0,
        }
    }

    /// Takes a text message at this time, milliseconds on any clock that does not run back. Kinds that are not known say
    /// nothing.
    ///
    /// # Errors
    /// Why the session cannot go on: [`AudioHookSession::disconnect`] is to be sent, with the error as `info`.
    pub fn text(&mut self, message: &str, now_ms: u64) -> Result<AudioHookEvent, AudioHookError> {
        check_length(message.len(), self.limits.text_message_bytes)?;
        if self.state == State::Closed {
            return Ok(AudioHookEvent::Nothing);
        }
        let written: Written =
            serde_json::from_str(message).map_err(|_| AudioHookError::NotAMessage)?;
        if self.state == State::Leaving {
            return Ok(self.leave(&written));
        }
        self.check(&written)?;
        match written.kind.as_str() {
            "open" => self.open(written, now_ms),
            "ping" => Ok(self.ping(&written)),
            "close" => Ok(self.close(&written)),
            "error" => Ok(error(&written)),
            _ => self.stream_message(&written, now_ms),
        }
    }

    /// Takes a binary message: audio. `None` where nothing is heard any more.
    ///
    /// # Errors
    /// Where it is too long, or came before `opened`.
    pub fn binary(&mut self, message: &[u8]) -> Result<Option<AudioHookAudio<'_>>, AudioHookError> {
        check_length(message.len(), self.limits.audio_message_bytes)?;
        match (self.state, &mut self.stream) {
            (State::Streaming, Some(stream)) => Ok(Some(stream.audio(message))),
            (State::Leaving | State::Closed, _) => Ok(None),
            _ => Err(AudioHookError::UnexpectedAudio),
        }
    }

    /// When `opened` must have been sent, on the clock of the messages. `None` where it is not waited for.
    pub fn open_deadline_ms(&self) -> Option<u64> {
        match self.state {
            State::Opening { deadline_ms } => Some(deadline_ms),
            _ => None,
        }
    }

    /// Writes `opened`, which takes the call in: audio comes from now on. `None` where it is not waited for.
    pub fn opened(&mut self) -> Option<String> {
        self.open_deadline_ms()?;
        let media = self.stream.as_ref()?.media;
        self.state = State::Streaming;
        Some(self.write_opened(Some(media)))
    }

    /// Writes `disconnect`, which the other side answers with `close`; what else comes before that is not heard. `info` is
    /// for its log. `None` where the session ends already.
    pub fn disconnect(&mut self, reason: DisconnectReason, info: &str) -> Option<String> {
        if matches!(self.state, State::Leaving | State::Closed) {
            return None;
        }
        self.state = State::Leaving;
        let (reason, info) = (reason.name(), Value::from(info));
        let parameters = format!(r#"{{"reason":"{reason}","info":{info}}}"#);
        Some(self.write("disconnect", &parameters))
    }

    /// How long the stream is so far, frames; silences count.
    pub fn n_frames(&self) -> u64 {
        self.stream.as_ref().map_or(0, Stream::n_frames)
    }

    /// What every message must have ("Protocol reference", section "Message"): its version, numbers and session.
    fn check(&mut self, written: &Written) -> Result<(), AudioHookError> {
        if written.version != VERSION {
            return Err(AudioHookError::Invalid {
                key: "version",
                expected: VERSION,
                got: Shown::new(&written.version),
            });
        }
        if Uuid::try_parse(&written.id).ok() != Some(self.request.session_id) {
            return Err(AudioHookError::OtherSession);
        }
        let (expected, got) = (self.client_seq.saturating_add(1), written.seq);
        if got != expected {
            return Err(AudioHookError::Sequence { expected, got });
        }
        let (sent, got) = (self.server_seq, written.serverseq);
        if got > sent {
            return Err(AudioHookError::NeverSent { sent, got });
        }
        self.client_seq = written.seq;
        Ok(())
    }

    fn open(&mut self, written: Written, now_ms: u64) -> Result<AudioHookEvent, AudioHookError> {
        if self.state != State::Waiting {
            return Err(AudioHookError::OpenTwice);
        }
        let position = Span::read(&written.position).ok_or_else(|| AudioHookError::Invalid {
            key: "position",
            expected: Span::EXPECTED,
            got: Shown::new(&written.position),
        })?;
        let parameters: WrittenOpen = serde_json::from_value(Value::Object(written.parameters))
            .map_err(|_| AudioHookError::NotAMessage)?;
        match open::read(parameters, &self.request, &self.limits)? {
            Opening::Probe => {
                self.state = State::Probing;
                let reply = self.write_opened(None);
                Ok(AudioHookEvent::Probe { reply })
            }
            Opening::Call(open, media) => {
                let deadline_ms = now_ms.saturating_add(OPEN_MS);
                self.state = State::Opening { deadline_ms };
                self.stream = Some(Stream::new(media, position, now_ms));
                Ok(AudioHookEvent::Open(open))
            }
        }
    }

    fn ping(&mut self, written: &Written) -> AudioHookEvent {
        let rtt_ms = written.text("rtt").and_then(Span::read).map(Span::ms);
        let reply = self.write("pong", "{}");
        AudioHookEvent::Ping { reply, rtt_ms }
    }

    fn close(&mut self, written: &Written) -> AudioHookEvent {
        self.state = State::Closed;
        let reason = CloseReason::of_name(written.text("reason"));
        let reply = self.write("closed", "{}");
        AudioHookEvent::Closed { reply, reason }
    }

    /// A message behind `disconnect`. Its numbers are not looked at, for they may be why that was sent.
    fn leave(&mut self, written: &Written) -> AudioHookEvent {
        self.client_seq = written.seq;
        match written.kind.as_str() {
            "ping" => self.ping(written),
            "close" => self.close(written),
            _ => AudioHookEvent::Nothing,
        }
    }

    /// A message of a stream, which may be one too many that is not taken.
    fn stream_message(
        &mut self,
        written: &Written,
        now_ms: u64,
    ) -> Result<AudioHookEvent, AudioHookError> {
        let event = self.follow(written, now_ms);
        if !matches!(event, AudioHookEvent::NotTaken(_)) {
            return Ok(event);
        }
        self.n_not_taken = self.n_not_taken.saturating_add(1);
        let limit = self.limits.malformed_messages;
        match self.n_not_taken > limit {
            true => Err(AudioHookError::TooManyNotTaken { limit }),
            false => Ok(event),
        }
    }

    fn follow(&mut self, written: &Written, now_ms: u64) -> AudioHookEvent {
        let limit_ms = self.limits.audiohook_ahead_ms;
        let (State::Streaming, Some(stream)) = (self.state, &mut self.stream) else {
            return AudioHookEvent::Nothing;
        };
        match written.kind.as_str() {
            "paused" => AudioHookEvent::Paused,
            "dtmf" => digit(written),
            "update" => language(written),
            "resumed" => match skip(stream, written, now_ms, limit_ms) {
                Ok(gap) => AudioHookEvent::Resumed(gap),
                Err(warning) => AudioHookEvent::NotTaken(warning),
            },
            "discarded" => match skip(stream, written, now_ms, limit_ms) {
                Ok(gap) => AudioHookEvent::Gap(gap),
                Err(warning) => AudioHookEvent::NotTaken(warning),
            },
            _ => AudioHookEvent::Nothing,
        }
    }

    fn write_opened(&mut self, media: Option<&Media>) -> String {
        let media = media.map(Media::json).unwrap_or_default();
        let parameters = format!(r#"{{"media":[{media}],"startPaused":false}}"#);
        self.write("opened", &parameters)
    }

    /// Writes a message; `parameters` are JSON.
    fn write(&mut self, kind: &str, parameters: &str) -> String {
        self.server_seq = self.server_seq.saturating_add(1);
        let (seq, clientseq, id) = (self.server_seq, self.client_seq, self.request.session_id);
        format!(
            r#"{{"version":"{VERSION}","id":"{id}","type":"{kind}","seq":{seq},"clientseq":{clientseq},"parameters":{parameters}}}"#
        )
    }
}

fn check_length(n_bytes: usize, limit_bytes: usize) -> Result<(), AudioHookError> {
    match n_bytes > limit_bytes {
        true => Err(AudioHookError::TooLong {
            n_bytes,
            limit_bytes,
        }),
        false => Ok(()),
    }
}

fn error(written: &Written) -> AudioHookEvent {
    let code = written.parameters.get("code").and_then(Value::as_u64);
    AudioHookEvent::Error {
        code: code.unwrap_or(0),
    }
}

fn digit(written: &Written) -> AudioHookEvent {
    let key = written.text("digit").and_then(PhoneKey::read);
    key.map_or(AudioHookEvent::Nothing, AudioHookEvent::Digit)
}

fn language(written: &Written) -> AudioHookEvent {
    let tag = written.text("language").unwrap_or_default();
    match open::read_language(tag.to_owned()) {
        Ok(Some(tag)) => AudioHookEvent::Language(tag),
        Ok(None) => AudioHookEvent::Nothing,
        Err(error) => AudioHookEvent::NotTaken(AudioHookWarning::Language(error)),
    }
}

/// What `resumed` and `discarded` say: where audio is missing, and how much.
fn skip(
    stream: &mut Stream,
    written: &Written,
    now_ms: u64,
    limit_ms: u64,
) -> Result<AudioHookGap, AudioHookWarning> {
    let span = |key: &str| written.text(key).and_then(Span::read);
    match (span("start"), span("discarded")) {
        (Some(start), Some(discarded)) => stream.skip(start, discarded, now_ms, limit_ms),
        _ => Err(AudioHookWarning::NotASpan),
    }
}
