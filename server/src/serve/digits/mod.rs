//! Keys that are pressed on telephones (DTMF): what is kept of them.
//!
//! ```text
//! ingest ─▶ leg ─▶ NotedKeys (in memory, as `keep` says) ─▶ call over, hits known ─▶ masked ─▶ store
//! ```
//!
//! Which key it was is told to nobody before the call is saved: neither events nor webhooks, recordings, logs or figures have it.

mod config;
mod masking;
mod noted;

pub(crate) use self::config::{DigitsConfig, Keep};
pub(crate) use self::masking::{Heard, masked};
pub(crate) use self::noted::NotedKeys;
