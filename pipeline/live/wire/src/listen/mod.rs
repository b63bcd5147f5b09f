//! `/v1/listen`: a WebSocket that takes audio and gives transcripts, as Deepgram's streaming API has it.
//!
//! Parameters are in the query; audio comes in binary messages; text messages are JSON in both directions. Sources:
//! Deepgram's AsyncAPI description (`deepgram/deepgram-api-specs`) and documentation (`developers.deepgram.com`:
//! "Endpointing", "Utterance End", "Keywords", "Keyterm Prompting", "Multichannel", "Finalize", "Close Stream", "Audio
//! Keep Alive", "Errors", "STT Troubleshooting WebSocket, NET, and DATA Errors"), and the types of `deepgram-sdk` 7.17
//! on PyPI, which say what fields a client must find.

mod client;
mod credentials;
mod keyterms;
mod parameters;
mod refusal;
mod request;
mod server;
mod session;

#[cfg(test)]
mod tests;

pub use client::{ClientText, Configure, FinalizeWhat};
pub use credentials::ApiKey;
pub use keyterms::Hotword;
pub use refusal::{Refusal, RefusalBody};
pub use request::{Endpointing, ListenRequest, Wording};
pub use server::{
    Alternative, Channel, ConfigureFailure, ConfigureFailureCode, ConfigureSuccess, ListenError,
    ListenMetadata, ModelInfo, Results, ResultsMetadata, ServerMessage, SpeechStarted,
    UtteranceEnd, Word, seconds,
};
pub use session::{ListenEvent, ListenSession};
