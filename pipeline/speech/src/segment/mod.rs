//! Where speech begins and ends on one channel.

mod endpoint;
mod loudness;

pub use endpoint::{EndpointEvent, EndpointSettings, Endpointer, FRAME_MS};
pub use loudness::{Loudness, level_db};
