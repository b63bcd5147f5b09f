//! Twilio Media Streams: call audio as JSON over a WebSocket.
//!
//! Every message is text. `connected` comes first and says nothing of the call, then `start` names call, tracks and
//! parameters, then `media` brings audio, 20 ms of one track at a time, until `stop`. Audio is µ-law, 8 kHz, one channel,
//! in base64; its `timestamp` is its place on the stream's clock, whenever it comes. Twilio drops the query of the
//! address, so what it could say may also be said by custom parameters. Sources: Twilio's documentation, "Media Streams -
//! WebSocket Messages" and "TwiML Voice: Stream" (section "Custom parameters").
//!
//! | event | what it brings |
//! | --- | --- |
//! | `connected` | protocol and version |
//! | `start` | `streamSid`, `callSid`, `tracks`, `customParameters`, `mediaFormat` |
//! | `media` | `track`, `chunk`, `timestamp` (ms since the stream began), `payload` |
//! | `dtmf` | a key that was pressed: `track`, `digit` |
//! | `mark` | that audio was played; for those who send some |
//! | `stop` | nothing comes any more |
//!
//! The header `X-Twilio-Signature` of the handshake is not checked here: it is made with HMAC-SHA1.

mod error;
mod message;
mod request;
mod session;
mod start;
mod track;

#[cfg(test)]
mod tests;

pub use error::{TwilioError, TwilioWarning};
pub use request::TwilioRequest;
pub use session::{TwilioAudio, TwilioCounts, TwilioEvent, TwilioSession};
pub use start::{TwilioKey, TwilioLeg, TwilioStart};
pub use track::Track;
