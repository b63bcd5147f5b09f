//! Where speech begins and ends on one channel.

mod endpoint;

pub use endpoint::{EndpointEvent, EndpointSettings, Endpointer, FRAME_MS};
