//! One connection of `/v1/listen`: messages in, audio and commands out.

use super::client::{ClientMessage, Misunderstood};
use super::{
    Configure, ConfigureFailure, ConfigureFailureCode, FinalizeWhat, ListenError, ListenRequest,
    ServerMessage,
};
use crate::channels::{ChannelSplitter, Frames};
use crate::close::Close;
use crate::limits::Limits;
use crate::query::QueryError;

/// Beginnings of files and containers that are not raw audio: Ogg, FLAC, MP3 with a tag, WebM and Matroska (EBML). A WAV
/// file is let through: its header is heard as a click, and its samples are raw.
const CONTAINERS: [&[u8]; 4] = [b"OggS", b"fLaC", b"ID3", b"\x1a\x45\xdf\xa3"];

/// One connection. Time is given in milliseconds from any beginning and must not run backwards.
///
/// Closing: once [`ListenEvent::CloseStream`] was told, results that are left are sent, then
/// [`ServerMessage::Metadata`], then [`Close::Normal`]. What the client still sends until then is
/// [`ListenEvent::Nothing`].
#[derive(Debug)]
pub struct ListenSession {
    splitter: ChannelSplitter,
    request_id: String,
    n_channels: u16,
    limits: Limits,
    state: State,
    n_malformed: u32,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was heard yet. => (Hearing or Closing or Closed)
    Fresh {
        /// When the last message came, or the connection was opened.
        last_ms: u64,
    },
    /// Audio has come. => (Closing or Closed)
    Hearing {
        /// When the last message came.
        last_ms: u64,
    },
    /// The client wants no more. => Closed
    Closing,
    /// It was closed by us for this reason.
    Closed(Close),
}

/// What a message means.
#[derive(Debug)]
pub enum ListenEvent<'a> {
    /// Audio to be heard.
    Audio(Frames<'a>),
    /// The client is still there.
    KeepAlive,
    /// What was heard so far is to be told now, as final.
    Finalize(FinalizeWhat),
    /// Something is to change; the answer is `ConfigureSuccess` or `ConfigureFailure`.
    Configure(Configure),
    /// No audio will come any more.
    CloseStream,
    /// To be sent to the client; the connection goes on.
    Reply(ServerMessage),
    /// Nothing is to be done.
    Nothing,
}

impl ListenSession {
    /// A connection that was accepted at `now_ms`.
    pub fn new(request: &ListenRequest, request_id: &str, limits: &Limits, now_ms: u64) -> Self {
        let n_channels = request.layout.n_channels();
        Self {
            splitter: ChannelSplitter::new(request.encoding, n_channels),
            request_id: request_id.to_owned(),
            n_channels,
            limits: limits.clone(),
            state: State::Fresh { last_ms: now_ms },
            n_malformed: 0,
        }
    }

    /// Takes a binary message: audio; an empty one closes the stream.
    ///
    /// # Errors
    /// How the connection is to be closed: the message is too long, or is the beginning of a file.
    pub fn binary(&mut self, message: &[u8], now_ms: u64) -> Result<ListenEvent<'_>, Close> {
        self.note_message(now_ms)?;
        if message.len() > self.limits.audio_message_bytes {
            return Err(self.close(Close::TooLong));
        }
        match self.state {
            State::Closing | State::Closed(_) => return Ok(ListenEvent::Nothing),
            _ if message.is_empty() => {
                self.state = State::Closing;
                return Ok(ListenEvent::CloseStream);
            }
            State::Fresh { .. } if is_container(message) => {
                return Err(self.close(Close::NotAudio));
            }
            State::Fresh { last_ms } => self.state = State::Hearing { last_ms },
            State::Hearing { .. } => {}
        }
        Ok(ListenEvent::Audio(self.splitter.split(message)))
    }

    /// Takes a text message.
    ///
    /// # Errors
    /// How the connection is to be closed: the message is too long, or one too many that is not understood.
    pub fn text(&mut self, message: &str, now_ms: u64) -> Result<ListenEvent<'_>, Close> {
        self.note_message(now_ms)?;
        if message.len() > self.limits.text_message_bytes {
            return Err(self.close(Close::TooLong));
        }
        if self.state == State::Closing {
            return Ok(ListenEvent::Nothing);
        }
        match ClientMessage::read(message, self.n_channels, &self.limits) {
            Ok(ClientMessage::KeepAlive) => Ok(ListenEvent::KeepAlive),
            Ok(ClientMessage::Finalize(what)) => Ok(ListenEvent::Finalize(what)),
            Ok(ClientMessage::Configure(Ok(configure))) => Ok(ListenEvent::Configure(configure)),
            Ok(ClientMessage::Configure(Err(error))) => Ok(self.refuse_change(&error)),
            Ok(ClientMessage::CloseStream) => {
                self.state = State::Closing;
                Ok(ListenEvent::CloseStream)
            }
            Err(misunderstood) => self.misunderstand(misunderstood),
        }
    }

    /// To be asked when time has passed; says when to ask again. `None`: there is no hurry any more.
    ///
    /// # Errors
    /// `Quiet` where neither audio nor text came in time.
    pub fn check_time(&mut self, now_ms: u64) -> Result<Option<u64>, Close> {
        match self.state {
            State::Fresh { last_ms } | State::Hearing { last_ms } => {
                let due_ms = last_ms.saturating_add(self.limits.quiet_ms);
                match now_ms < due_ms {
                    true => Ok(Some(due_ms)),
                    false => Err(self.close(Close::Quiet)),
                }
            }
            State::Closing => Ok(None),
            State::Closed(close) => Err(close),
        }
    }

    /// Bytes of a frame that never came to its end, so far.
    pub fn n_kept_bytes(&self) -> usize {
        self.splitter.n_kept_bytes()
    }

    /// Every message, of whatever kind, shows that the client is there. That it was read late may be our fault, so only
    /// [`check_time`](Self::check_time) closes for quiet.
    fn note_message(&mut self, now_ms: u64) -> Result<(), Close> {
        match &mut self.state {
            State::Fresh { last_ms } | State::Hearing { last_ms } => *last_ms = now_ms,
            State::Closing => {}
            State::Closed(close) => return Err(*close),
        }
        Ok(())
    }

    fn misunderstand(&mut self, what: Misunderstood) -> Result<ListenEvent<'_>, Close> {
        self.n_malformed += 1;
        if self.n_malformed > self.limits.malformed_messages {
            return Err(self.close(Close::Malformed));
        }
        let error = ListenError {
            variant: "SchemaError".to_owned(),
            description: what.to_string(),
        };
        Ok(ListenEvent::Reply(ServerMessage::Error(error)))
    }

    fn refuse_change(&self, error: &QueryError) -> ListenEvent<'static> {
        let code = match error {
            QueryError::TooMuch { .. } => ConfigureFailureCode::LimitExceeded,
            _ => ConfigureFailureCode::NotSupported,
        };
        ListenEvent::Reply(ServerMessage::ConfigureFailure(ConfigureFailure {
            request_id: self.request_id.clone(),
            code,
            description: error.to_string(),
        }))
    }

    fn close(&mut self, close: Close) -> Close {
        self.state = State::Closed(close);
        close
    }
}

/// Whether audio begins like a file.
fn is_container(message: &[u8]) -> bool {
    CONTAINERS.iter().any(|begins| message.starts_with(begins))
}
