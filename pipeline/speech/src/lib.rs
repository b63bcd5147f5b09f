//! From one call's audio to what was said: voice activity, endpointing, streaming recognition,
//! pinyin to hanzi, written form.
//!
//! ```text
//! audio ─ channel ─ VAD ─ segment ─ resample ─▶ engine ─▶ n-best ─ lattice ─ written ─▶ Utterance
//! ```
//! [`SpeechModel`] is loaded once. A recording gets a [`CallTranscriber`]; calls under way share engines, and each of
//! their channels has an [`Ear`].

mod channel;
mod ear;
mod feeder;
mod hotwords;
pub mod lattice;
pub mod lm;
mod model;
pub mod segment;
mod transcribe;
mod utterance;
mod voice;
pub mod written;

pub use ear::{Ear, Heard};
pub use feeder::Feeder;
pub use hotwords::{Hotwords, HotwordsError};
pub use model::{Engines, MOST_PATHS, SpeechError, SpeechModel, SpeechParts, SpeechSettings};
pub use transcribe::{CallTranscriber, ChannelPlan, Pace};
pub use utterance::Place;
pub use voice::Voices;
