//! What a call means: from utterances to hits, personal data, emotion, intents, talk metrics, a summary and
//! a score card.
//!
//! Everything here is pure and takes one utterance after the other, so that calls under way and calls of
//! last year go through the same code:
//!
//! - [`rules`]: packs of rules in YAML, compiled into one automaton;
//! - [`pii`]: personal data, spoken digit by digit or written;
//! - [`emotion`]: how an utterance was said, beside how the same voice spoke before;
//! - [`intent`]: what the customer wants, and when he asks to be called back;
//! - [`talk`]: who talked how much, silences, interruptions;
//! - [`summary`]: reason, outcome, promises and numbers, in the call's own words;
//! - [`scorecard`]: points, from hits.

mod call;
pub mod emotion;
mod facts;
mod hearing;
pub mod intent;
mod live;
mod observer;
pub mod pii;
mod plainly;
mod revise;
pub mod rules;
pub mod scorecard;
mod spelling;
mod spoken;
pub mod summary;
pub mod talk;
#[cfg(test)]
mod testing;
mod week;

pub use call::{CallRun, Judge};
pub use facts::{Facts, TalkEvent};
pub use hearing::Hearing;
pub use live::{LiveRun, Told};
pub use observer::{Observer, TrialObserver};
pub use plainly::plainly;
pub use revise::{Recipe, Revised, Revision, RulePrint};
pub use spoken::{Letter, Sounds, Spoken};

/// Changes with the code of this room and the data it carries: an assessment made by another may differ.
pub const FINGERPRINT: &str = env!("AURICLE_INSIGHT_FINGERPRINT");
