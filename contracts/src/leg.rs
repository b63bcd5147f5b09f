//! What came of a leg's audio while its call went on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Party;

/// Received and expected audio of one leg, milliseconds. What was expected was received, lost or filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegAudio {
    /// Who speaks.
    pub party: Party,
    /// Samples a second, as they came.
    pub rate_hz: u32,
    /// From the first sample to the last, by the leg's clock.
    pub expected_ms: u64,
    /// That came, in time to be heard.
    pub received_ms: u64,
    /// That never came, or too late: silence stands in its place.
    pub lost_ms: u64,
    /// Silence that stands for time in which the other side sent nothing: a call on hold, a sender that stalled.
    pub filled_ms: u64,
    /// That came twice, or after silence took its place.
    pub late_ms: u64,
    /// Times the leg's clock was set anew.
    pub clock_jumps: u64,
}
