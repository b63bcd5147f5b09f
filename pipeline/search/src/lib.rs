//! The transcript index and its query language.
//!
//! [`TranscriptIndex`] keeps every utterance of every call; [`TranscriptReader`] finds them by
//! their characters, by their sound, by who said them, by what was said before, and by what was found in them and in
//! their calls: hits of rules, emotions, intents, scores, silences. The language
//! of queries and its grammar are in `docs/query-language.md`.
//!
//! One search walks the modules like this:
//!
//! ```text
//! text ─ query ─▶ Node ─ compile ─▶ plan (pairs) ─▶ place (lines) ─▶ search ─▶ show ─▶ results
//! ```
//!
//! **Invariant**: no match is lost. The pairs of neighbouring units and syllables only narrow down which utterances can
//! match (the module `plan` says why it never drops one); whether they do is decided on their own codes,
//! by the same code that highlights them.
//!
//! **Invariant**: the documents of a call lie side by side in one segment, in order.

mod align;
mod calls;
mod compile;
mod cut;
mod date;
mod document;
mod error;
mod facets;
mod findings;
mod index;
mod keys;
mod lines;
mod marks;
mod moments;
mod pairs;
mod place;
mod plan;
mod queries;
pub mod query;
mod readings;
mod results;
mod schema;
mod scorers;
mod search;
mod show;
mod sound;
mod stored;
mod units;

pub use error::{IndexError, SearchError};
pub use index::{
    Added, IndexOptions, IndexSize, KnownNames, Prepared, Preparer, TranscriptIndex,
    TranscriptReader,
};
pub use query::{QueryError, is_keyword, parse};
pub use results::{
    CallHits, ContextLine, FacetCount, FacetMode, Facets, Highlight, Hit, MAX_CONTEXT,
    MAX_FACET_VALUES, MAX_HITS_PER_CALL, MAX_LIMIT, Moment, MomentKind, SearchRequest,
    SearchResults, Snippet, Sort, mark,
};
