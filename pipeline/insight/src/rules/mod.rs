//! Packs of rules.
//!
//! A pack is a YAML file (`docs/rules.md`). [`PackFile::read`] reads it, [`RuleSet::compile`] makes one
//! program of any number of packs, and a [`RuleRun`] for each call takes utterances, partials and events
//! of the talk and tells of hits. [`run_tests`] runs a pack's own tests, and
//! [`CallRun::explain`](crate::CallRun::explain) shows why a rule fired or did not.
//!
//! All keywords of all packs are found in two walks over an utterance, whatever the number of rules: one
//! over its letters by one automaton, one over its syllables, with what else they may have been, by one
//! trie. Phrases are put together from what was found, and only rules of which a keyword was found are
//! looked at.

mod compile;
mod conditions;
mod evaluate;
mod explain;
pub mod format;
mod hit_place;
mod include;
mod labels;
mod lexicon;
mod limit;
mod lists;
mod matches;
mod mistake;
mod node;
mod numbers;
mod past;
mod phrase;
mod print;
mod program;
mod reader;
mod run;
mod says;
mod sounds;
mod trials;
mod why;
mod words;

pub use compile::Compiled;
pub use explain::{Branch, Explanation, PastCall, judge};
pub(crate) use explain::{Trace, explanation, trace};
pub use format::{Pack, PackFile, read_tests, schema};
pub use hit_place::HitPlace;
pub use include::{Find, Included};
pub use labels::check_labels;
pub use mistake::{Mistake, Mistakes, Place, Weight, nearest};
pub use node::MOST_PACK_BYTES;
pub use program::{PackInfo, RuleInfo, RuleSet};
pub use reader::At;
pub use run::{Change, RuleEvent, RuleRun};
pub use says::{EvenIf, Says, SaysAtLeast, SaysFields, Sound};
pub use trials::{
    NoFacts, Observe, Observed, TestReport, Verdict, check_test_file, run_tests, utterance_of_text,
};
