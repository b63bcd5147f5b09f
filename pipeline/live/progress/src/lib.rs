//! How far a stage of the live pipeline is with a leg, told to the next stage without locks.
//!
//! What a leg says goes through queues; what it does *not* say cannot. A stage therefore tells, beside its queue, up to where
//! nothing more will come. One rule makes that sound, and every stage keeps it:
//!
//! - The writer puts into the queue first, and tells then ([`Reached::tell`], [`LegEnd::tell`]).
//! - The reader reads first ([`Reached::read`], [`LegEnd::read`]), and empties the queue then.
//!
//! What was read then speaks of nothing that is not out of the queue by now. `tests/orders.rs` tries all orders in which
//! threads and memory may go.

mod end;
mod reached;

pub use end::LegEnd;
pub use reached::{Marks, Reached};

/// The standard library's, or those whose every order can be tried out.
pub(crate) mod atomic {
    #[cfg(loom)]
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    #[cfg(not(loom))]
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
}
