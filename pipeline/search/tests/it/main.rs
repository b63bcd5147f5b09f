//! The index as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod assessed;
mod common;
mod complete;
mod damage;
mod documentation;
mod findings;
mod search;
