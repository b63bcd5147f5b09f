//! The tables as SeaORM sees them.

pub(crate) mod alert;
pub(crate) mod assessment;
pub(crate) mod call;
pub(crate) mod confirmation;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod event_marks;
pub(crate) mod job;
pub(crate) mod job_call;
pub(crate) mod recipe;
pub(crate) mod run;
pub(crate) mod transcript;
