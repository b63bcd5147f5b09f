//! Asterisk's channel driver `chan_websocket`: the audio of a channel over a WebSocket.
//!
//! A connection is one channel: what is played to it comes in binary messages, without headers, in the format that
//! `MEDIA_START` names. Events are text messages, one each: a name and `key:value` pairs with spaces between, or, where
//! Asterisk is told so, a JSON object, which has the channel's variables too. Commands go the other way, in the same form.
//! `MEDIA_START` should come first; audio may come before it (Asterisk's issue 1712) and is kept until then. Sources:
//! `docs.asterisk.org`, "WebSocket" under "Channel Drivers", and `channels/chan_websocket.c`; the first releases with it
//! are 20.16, 21.11, 22.6 and 23.0, JSON came with 20.18, 22.8 and 23.2.
//!
//! | event | what it says |
//! | --- | --- |
//! | `MEDIA_START` | `connection_id`, `channel`, `channel_id`, `format`, `optimal_frame_size`, `ptime`; in JSON `channel_variables` |
//! | `DTMF_END` | a key was pressed: `digit` |
//! | `ERROR` | a command was not done |
//! | `MEDIA_XON`, `MEDIA_XOFF`, `MEDIA_BUFFERING_COMPLETED`, `MEDIA_MARK_PROCESSED`, `QUEUE_DRAINED`, `STATUS` | for those who send audio |
//!
//! Who only listens needs two commands at most: [`ChanWebsocketCommand`].

mod command;
mod error;
mod format;
mod message;
mod request;
mod session;

#[cfg(test)]
mod tests;

pub use command::{ChanWebsocketCommand, ControlFormat};
pub use error::{ChanWebsocketError, ChanWebsocketWarning};
pub use request::ChanWebsocketRequest;
pub use session::{ChanWebsocketEvent, ChanWebsocketSession, MediaStart};
