//! Reports of many calls as pages that need nothing but themselves: what was found in a batch, and what a
//! new score changed.

mod change;

pub use change::{AgentTally, Change, Changes, Outline, RuleTally};
