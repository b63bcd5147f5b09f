//! The tables as SeaORM sees them.

pub(crate) mod assessment;
pub(crate) mod call;
pub(crate) mod confirmation;
pub(crate) mod recipe;
pub(crate) mod run;
pub(crate) mod transcript;
