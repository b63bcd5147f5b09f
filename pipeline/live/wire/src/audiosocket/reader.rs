//! Bytes of a connection in, messages out.

use std::fmt;
use std::ops::Range;

use auricle_contracts::PhoneKey;
use uuid::Uuid;

use super::{
    AudioSocketError, AudioSocketMessage, ErrorCode, HEADER_BYTES, KIND_DTMF, KIND_ERROR, KIND_ID,
    KIND_TERMINATE, LooksLike, rate_of,
};
use crate::limits::Limits;

/// Room for a dozen frames of 20 ms.
const FIRST_BYTES: usize = 4_096;

/// Reads one connection. Bytes may come in pieces of any size; what they say does not depend on the pieces.
///
/// The buffer, all that is ever allocated, grows with the longest frame that came, up to two of the longest that may. Put
/// bytes into [`space`] and tell [`advance`] how many, or give them to [`push`]; then take messages until there is none. Then
/// there is space again.
///
/// [`space`]: Self::space
/// [`advance`]: Self::advance
/// [`push`]: Self::push
pub struct AudioSocketReader {
    buffer: Vec<u8>,
    most_bytes: usize,
    /// Bytes that are not read yet lie between the two.
    start: usize,
    end: usize,
    payload_limit_bytes: usize,
    unknown_limit: u64,
    n_unknown: u64,
    state: State,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing came. => (Open or Failed)
    Id,
    /// The id came. => (Ended or Failed)
    Open,
    /// The other side said that it ends: what still comes is not read.
    Ended,
    /// It cannot be read on.
    Failed(AudioSocketError),
}

impl fmt::Debug for AudioSocketReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AudioSocketReader")
            .field("state", &self.state)
            .field("n_waiting_bytes", &(self.end - self.start))
            .field("n_unknown", &self.n_unknown)
            .finish_non_exhaustive()
    }
}

impl AudioSocketReader {
    /// A reader for a new connection.
    pub fn new(limits: &Limits) -> Self {
        let payload_limit_bytes = limits.audiosocket_payload_bytes.min(usize::from(u16::MAX));
        // An id must fit, whatever the limit.
        let frame_bytes = HEADER_BYTES + payload_limit_bytes.max(size_of::<Uuid>());
        Self {
            buffer: vec![0; FIRST_BYTES.min(2 * frame_bytes)],
            most_bytes: 2 * frame_bytes,
            start: 0,
            end: 0,
            payload_limit_bytes,
            unknown_limit: limits.unknown_frames,
            n_unknown: 0,
            state: State::Id,
        }
    }

    /// Where the next bytes go. Never empty after [`message`](Self::message) gave none.
    pub fn space(&mut self) -> &mut [u8] {
        if matches!(self.state, State::Ended | State::Failed(_)) {
            (self.start, self.end) = (0, 0);
        }
        // A frame that has begun fits into half of the buffer, or the buffer grows: moving it there leaves the other half.
        if self.buffer.len() - self.end < self.buffer.len() / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < self.buffer.len() / 2 {
            // Longer frames than usual come.
            let n_bytes = (2 * self.buffer.len()).min(self.most_bytes);
            self.buffer.resize(n_bytes, 0);
        }
        &mut self.buffer[self.end..]
    }

    /// Says that the first `n_bytes` of [`space`](Self::space) were filled; more than there were are not counted.
    pub fn advance(&mut self, n_bytes: usize) {
        self.end += n_bytes.min(self.buffer.len() - self.end);
    }

    /// Takes as many of these bytes as there is space for; says how many.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let space = self.space();
        let n_bytes = bytes.len().min(space.len());
        space[..n_bytes].copy_from_slice(&bytes[..n_bytes]);
        self.advance(n_bytes);
        n_bytes
    }

    /// The next message; `None` where more bytes are needed, or none will be read any more.
    ///
    /// # Errors
    /// What is wrong with the connection. It stays wrong: the same error comes again.
    pub fn message(&mut self) -> Result<Option<AudioSocketMessage<'_>>, AudioSocketError> {
        // In two steps: a message borrows the buffer, a failure changes the state.
        match self.next_frame() {
            Ok(None) => Ok(None),
            Ok(Some((said, payload))) => Ok(Some(said.with(&self.buffer[payload]))),
            Err(error) => {
                self.state = State::Failed(error);
                Err(error)
            }
        }
    }

    /// Says whether the connection may end here.
    ///
    /// # Errors
    /// Where no id came, or a frame is cut. Messages that were not taken are lost with it.
    pub fn finish(&self) -> Result<(), AudioSocketError> {
        match self.state {
            State::Ended => Ok(()),
            State::Failed(error) => Err(error),
            State::Id if self.start == self.end => Err(AudioSocketError::NoId),
            State::Id | State::Open => match self.end - self.start {
                0 => Ok(()),
                n_bytes => Err(AudioSocketError::Truncated { n_bytes }),
            },
        }
    }

    /// Frames that were skipped, for their kind is not known or their digit is none.
    pub fn n_skipped(&self) -> u64 {
        self.n_unknown
    }

    /// What the next frame says that is not skipped, and where its payload lies.
    fn next_frame(&mut self) -> Result<Option<(Said, Range<usize>)>, AudioSocketError> {
        loop {
            match self.state {
                State::Ended => return Ok(None),
                State::Failed(error) => return Err(error),
                State::Id | State::Open => {}
            }
            let waiting = &self.buffer[self.start..self.end];
            let Some((&header, rest)) = waiting.split_first_chunk::<HEADER_BYTES>() else {
                return Ok(None);
            };
            let [kind, high, low] = header;
            let n_bytes = usize::from(u16::from_be_bytes([high, low]));
            self.check_header(header, n_bytes)?;
            let Some(payload) = rest.get(..n_bytes) else {
                return Ok(None);
            };
            let said = Said::of(kind, payload)?;
            let from = self.start + HEADER_BYTES;
            self.start = from + n_bytes;
            if let Some(said) = said {
                self.state = match said {
                    Said::Terminate => State::Ended,
                    _ => State::Open,
                };
                return Ok(Some((said, from..self.start)));
            }
            self.n_unknown += 1;
            if self.n_unknown > self.unknown_limit {
                let limit = self.unknown_limit;
                return Err(AudioSocketError::TooManyUnknown { limit });
            }
        }
    }

    /// What can be said of a frame before its payload came.
    fn check_header(&self, header: [u8; 3], n_bytes: usize) -> Result<(), AudioSocketError> {
        let kind = header[0];
        let limit_bytes = self.payload_limit_bytes;
        let is_first = self.state == State::Id;
        match kind {
            KIND_ID if !is_first => Err(AudioSocketError::IdTwice),
            KIND_ID if n_bytes != size_of::<Uuid>() => Err(AudioSocketError::IdLength { n_bytes }),
            KIND_ID => Ok(()),
            _ if is_first => Err(match LooksLike::of(header) {
                Some(other) => AudioSocketError::OtherProtocol(other),
                None => AudioSocketError::IdMissing { kind },
            }),
            _ if n_bytes > limit_bytes => Err(AudioSocketError::TooLong {
                kind,
                n_bytes,
                limit_bytes,
            }),
            _ if rate_of(kind).is_some() && !n_bytes.is_multiple_of(2) => {
                Err(AudioSocketError::OddAudio { n_bytes })
            }
            _ => Ok(()),
        }
    }
}

/// A message without the bytes that it borrows.
#[derive(Clone, Copy)]
enum Said {
    Id(Uuid),
    Digit(PhoneKey),
    Audio { rate_hz: u32 },
    Error(ErrorCode),
    Terminate,
}

impl Said {
    /// What a whole frame says; `None` where that is not known here.
    fn of(kind: u8, payload: &[u8]) -> Result<Option<Self>, AudioSocketError> {
        Ok(match (kind, payload) {
            (KIND_TERMINATE, _) => Some(Self::Terminate),
            (KIND_ID, _) => Some(Self::Id(read_id(payload)?)),
            (KIND_DTMF, [digit]) => PhoneKey::new(char::from(*digit)).map(Self::Digit),
            (KIND_ERROR, _) => {
                let code = payload.first().copied().unwrap_or_default();
                Some(Self::Error(ErrorCode(code)))
            }
            _ => rate_of(kind).map(|rate_hz| Self::Audio { rate_hz }),
        })
    }

    fn with(self, samples: &[u8]) -> AudioSocketMessage<'_> {
        match self {
            Self::Id(id) => AudioSocketMessage::Id(id),
            Self::Digit(digit) => AudioSocketMessage::Digit(digit),
            Self::Audio { rate_hz } => AudioSocketMessage::Audio { rate_hz, samples },
            Self::Error(code) => AudioSocketMessage::Error(code),
            Self::Terminate => AudioSocketMessage::Terminate,
        }
    }
}

/// The id in a payload.
fn read_id(payload: &[u8]) -> Result<Uuid, AudioSocketError> {
    let n_bytes = payload.len();
    let id = Uuid::from_slice(payload).map_err(|_| AudioSocketError::IdLength { n_bytes })?;
    match id.is_nil() {
        true => Err(AudioSocketError::IdNil),
        false => Ok(id),
    }
}
