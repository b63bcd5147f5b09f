//! Why a call is not taken, whatever protocol brings it; each says it in its own codes.

use auricle_live::OpenError;

use super::joining::JoinError;
use crate::serve::calls::UnderWayAlready;

/// Why a call is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// There are too many for now.
    Overloaded,
    /// Not this one.
    Unacceptable,
    /// The program is about to end.
    Stopping,
}

impl NotTaken {
    /// `None`: the error says nothing of the call.
    pub(crate) fn of(error: &anyhow::Error) -> Option<Self> {
        if error.is::<UnderWayAlready>() || error.is::<JoinError>() {
            return Some(Self::Unacceptable);
        }
        Some(match error.downcast_ref()? {
            OpenError::TooMany { .. } | OpenError::Busy => Self::Overloaded,
            OpenError::Legs { .. } | OpenError::Speech(_) => Self::Unacceptable,
            OpenError::Draining => Self::Stopping,
        })
    }
}
