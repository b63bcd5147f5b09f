//! What Auricle remembers of the calls it heard: one SQLite file, one [`Store`].
//!
//! - **Calls** say what each recording is, what heard it and whether that went well.
//! - **Transcripts** hold the call's [`Transcript`](auricle_contracts::Transcript) as [`auricle_bodies`] writes it.
//! - **Assessments** hold what was made of a transcript; every version stays, one is current.
//! - **Recipes** say what the fingerprints of assessments stand for.
//! - **Alerts** of live calls stay with their last state and with who saw to them; **events** wait for watchers who were
//!   away, **deliveries** for the webhooks that get them.
//! - **Jobs** of `serve` go on after a restart; what came of each call that one is done with stands beside it.
//! - **Runs** count what one `analyze` did.
//!
//! **Invariant**: a finished call and its transcript appear in one transaction; whoever stops the
//! process, a call is either there whole or still to do.
//! **Invariant**: the file is in write-ahead mode with `synchronous = FULL`: readers never wait for
//! the writer, and what was saved survives a lost power supply.
//! **Invariant**: the search index is not kept here; [`Store::unindexed`] says which calls it lacks.

mod alerts;
mod assessments;
mod deliveries;
mod entity;
mod error;
mod events;
mod jobs;
mod migration;
mod open;
mod read;
mod recipes;
mod record;
mod row;
mod runs;
mod write;

pub use alerts::AlertFilter;
pub use assessments::{
    AssessmentRecord, Effect, EncodedAssessment, ScoreVersion, StoredAssessment,
};
pub use deliveries::{Delivery, DeliveryCounts, Failure};
pub use error::StoreError;
pub use events::{EventRecord, EventStep};
pub use jobs::{JobCall, JobEnd, JobRecord, NewJob};
pub use open::Store;
pub use read::StoredTranscript;
pub use record::{
    CallCounts, CallFilter, CallKind, CallRecord, CallState, Fingerprints, Recording, RunCounts,
    RunId, RunRecord, parse_time_ms,
};
