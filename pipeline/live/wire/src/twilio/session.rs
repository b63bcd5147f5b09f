//! One connection of Twilio: messages in, audio with its places and facts out.

use std::fmt;

use auricle_contracts::PhoneKey;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::message::{Number, Written, WrittenDtmf, WrittenMedia, WrittenStart};
use super::{Track, TwilioError, TwilioRequest, TwilioStart, TwilioWarning, start};
use crate::encoding::Encoding;
use crate::limits::Limits;
use crate::query::Shown;

/// One connection: one stream of one call, which has one leg or both.
pub struct TwilioSession {
    request: TwilioRequest,
    limits: Limits,
    state: State,
    /// Of `start`; other streams' messages are not taken.
    stream_sid: String,
    clocks: Vec<Clock>,
    last_number: Option<u64>,
    counts: TwilioCounts,
    n_not_taken: u32,
    /// The audio of one message. It is reused: once the longest was seen, nothing is allocated.
    ulaw: Vec<u8>,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody said which call it is. => (Streaming or Stopped)
    Waiting,
    /// Audio comes. => Stopped
    Streaming,
    /// Nothing comes any more: what does is not read.
    Stopped,
}

/// How far a track is.
#[derive(Clone, Copy, Debug)]
struct Clock {
    track: Track,
    /// Place of its last audio.
    at_ms: u32,
}

/// What a message means.
#[derive(Clone, Debug, PartialEq)]
pub enum TwilioEvent<'a> {
    /// The stream begins: the call can be opened.
    Started(Box<TwilioStart>),
    /// Audio to be heard.
    Audio(TwilioAudio<'a>),
    /// A key was pressed.
    Digit {
        /// On whose telephone.
        track: Track,
        /// Which one.
        key: PhoneKey,
    },
    /// The stream is over; the connection may be closed.
    Stopped,
    /// The message is left out; the connection goes on.
    NotTaken(TwilioWarning),
    /// Nothing is to be done.
    Nothing,
}

/// Audio of one track, which borrows the session's buffer. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TwilioAudio<'a> {
    /// Whose it is.
    pub track: Track,
    /// Where it begins, milliseconds since the stream began; 8 samples each. It never runs back within a track; it
    /// jumps where audio was lost, and may lie up to some milliseconds within the audio before.
    pub at_ms: u32,
    /// µ-law samples, one byte each, 8 kHz, one channel; may be none.
    pub ulaw: &'a [u8],
}

impl fmt::Debug for TwilioAudio<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "TwilioAudio({}, at {} ms, {} bytes)",
            self.track,
            self.at_ms,
            self.ulaw.len()
        )
    }
}

/// What is amiss in the numbers of a stream's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TwilioCounts {
    /// Numbers that were left out: messages that Twilio discarded, as it does where a connection is too slow.
    pub n_missing: u64,
    /// Messages whose number was not above that before; they are not taken.
    pub n_repeated: u64,
}

impl fmt::Debug for TwilioSession {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TwilioSession")
            .field("state", &self.state)
            .field("clocks", &self.clocks)
            .field("counts", &self.counts)
            .field("n_not_taken", &self.n_not_taken)
            .finish_non_exhaustive()
    }
}

impl TwilioSession {
    /// The encoding of every stream.
    pub const ENCODING: Encoding = Encoding::Ulaw;
    /// Samples per second of every stream.
    pub const RATE_HZ: u32 = 8000;

    /// A connection that was accepted.
    pub fn new(request: &TwilioRequest, limits: &Limits) -> Self {
        Self {
            request: request.clone(),
            limits: limits.clone(),
            state: State::Waiting,
            stream_sid: String::new(),
            clocks: Vec::new(),
            last_number: None,
            counts: TwilioCounts::default(),
            n_not_taken: 0,
            ulaw: Vec::new(),
        }
    }

    /// Takes a text message. Events that are not known say nothing.
    ///
    /// # Errors
    /// Why the connection is to be closed: a message that is too long, one too many that is not taken, a `start` that
    /// cannot be, audio before it.
    pub fn text(&mut self, message: &str) -> Result<TwilioEvent<'_>, TwilioError> {
        let limit_bytes = self.limits.text_message_bytes;
        if message.len() > limit_bytes {
            let n_bytes = message.len();
            return Err(TwilioError::TooLong {
                n_bytes,
                limit_bytes,
            });
        }
        if self.state == State::Stopped {
            return Ok(TwilioEvent::Nothing);
        }
        let Ok(written) = serde_json::from_str::<Written<'_>>(message) else {
            return self.leave(TwilioWarning::NotAMessage);
        };
        match (self.state, &*written.event) {
            (State::Waiting, "start") => self.start(written),
            (State::Waiting, "media") => Err(TwilioError::AudioBeforeStart),
            (State::Streaming, "start") => Err(TwilioError::StartTwice),
            (State::Streaming, _) => self.follow(&written),
            (_, "stop") => Ok(self.stop()),
            _ => Ok(TwilioEvent::Nothing),
        }
    }

    /// Takes a binary message, which Twilio never sends.
    ///
    /// # Errors
    /// Where it is one too many that is not taken.
    pub fn binary(&mut self) -> Result<TwilioEvent<'static>, TwilioError> {
        self.leave(TwilioWarning::Binary)
    }

    /// What was amiss in the numbers of messages, so far.
    pub fn counts(&self) -> TwilioCounts {
        self.counts
    }

    fn start(&mut self, written: Written<'_>) -> Result<TwilioEvent<'static>, TwilioError> {
        let missing = |key| TwilioError::Missing { key };
        let start: WrittenStart = written.start.ok_or_else(|| missing("start"))?;
        let stream_sid = match start.stream_sid.is_empty() {
            true => written.stream_sid.into_owned(),
            false => start.stream_sid.clone(),
        };
        if stream_sid.is_empty() {
            return Err(missing("streamSid"));
        }
        let start = start::read(start, &self.request, &self.limits)?;
        let begins = |track| Clock { track, at_ms: 0 };
        self.clocks = start.legs.iter().map(|leg| begins(leg.track)).collect();
        self.stream_sid = stream_sid;
        self.last_number = written.sequence_number.0;
        self.state = State::Streaming;
        Ok(TwilioEvent::Started(Box::new(start)))
    }

    /// A message behind `start`.
    fn follow(&mut self, written: &Written<'_>) -> Result<TwilioEvent<'_>, TwilioError> {
        if !written.stream_sid.is_empty() && *written.stream_sid != *self.stream_sid {
            return self.leave(TwilioWarning::OtherStream);
        }
        if !self.is_new(written.sequence_number) {
            return self.leave(TwilioWarning::Repeated);
        }
        match &*written.event {
            "media" => self.media(written.media.as_ref()),
            "dtmf" => Ok(digit(written.dtmf.as_ref()).unwrap_or(TwilioEvent::Nothing)),
            "stop" => Ok(self.stop()),
            _ => Ok(TwilioEvent::Nothing),
        }
    }

    fn media(&mut self, media: Option<&WrittenMedia<'_>>) -> Result<TwilioEvent<'_>, TwilioError> {
        match self.decode(media) {
            Ok((track, at_ms)) => Ok(TwilioEvent::Audio(TwilioAudio {
                track,
                at_ms,
                ulaw: &self.ulaw,
            })),
            Err(warning) => self.leave(warning),
        }
    }

    /// Decodes audio into the buffer; says where it belongs.
    fn decode(&mut self, media: Option<&WrittenMedia<'_>>) -> Result<(Track, u32), TwilioWarning> {
        let media = media.ok_or(TwilioWarning::NoMedia)?;
        let got = || Shown::new(&media.track);
        let track = Track::of_name(&media.track)
            .ok_or_else(|| TwilioWarning::UnknownTrack { got: got() })?;
        let clock = self.clocks.iter_mut().find(|clock| clock.track == track);
        let clock = clock.ok_or(TwilioWarning::TrackNotListed { track })?;
        let at_ms = media.timestamp.0.and_then(|ms| u32::try_from(ms).ok());
        let at_ms = at_ms.ok_or(TwilioWarning::Timestamp)?;
        if at_ms < clock.at_ms {
            return Err(TwilioWarning::TimestampBack { track });
        }
        self.ulaw.clear();
        BASE64_STANDARD
            .decode_vec(media.payload.as_bytes(), &mut self.ulaw)
            .map_err(|_| TwilioWarning::NotBase64)?;
        clock.at_ms = at_ms;
        Ok((track, at_ms))
    }

    /// Notes the number of a message, where it has one; says whether it is above that before.
    fn is_new(&mut self, number: Number) -> bool {
        let (Some(number), Some(last)) = (number.0, self.last_number) else {
            self.last_number = self.last_number.or(number.0);
            return true;
        };
        let Some(n_above) = number.checked_sub(last).filter(|n_above| *n_above > 0) else {
            self.counts.n_repeated = self.counts.n_repeated.saturating_add(1);
            return false;
        };
        self.counts.n_missing = self.counts.n_missing.saturating_add(n_above - 1);
        self.last_number = Some(number);
        true
    }

    fn stop(&mut self) -> TwilioEvent<'static> {
        self.state = State::Stopped;
        TwilioEvent::Stopped
    }

    fn leave(&mut self, warning: TwilioWarning) -> Result<TwilioEvent<'static>, TwilioError> {
        self.n_not_taken = self.n_not_taken.saturating_add(1);
        let limit = self.limits.malformed_messages;
        match self.n_not_taken > limit {
            true => Err(TwilioError::TooManyNotTaken { limit }),
            false => Ok(TwilioEvent::NotTaken(warning)),
        }
    }
}

/// The key of a message that has one. Where no track is said it is the inbound one, on which Twilio listens for keys.
fn digit(written: Option<&WrittenDtmf<'_>>) -> Option<TwilioEvent<'static>> {
    let written = written?;
    let track = match &*written.track {
        "" => Track::Inbound,
        name => Track::of_name(name)?,
    };
    let key = PhoneKey::read(&written.digit)?;
    Some(TwilioEvent::Digit { track, key })
}
