//! Why a call is not taken, whatever protocol brings it; each says it in its own codes.

use auricle_live::OpenError;

use super::joining::JoinError;
use crate::serve::calls::UnderWayAlready;

/// Why a call is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// As many as may be are under way.
    Overloaded,
    /// It comes too soon behind others: a second later there may be room.
    Busy,
    /// Not this one.
    Unacceptable,
    /// The program is about to end.
    Stopping,
}

/// A message without its last line, where that is a hint, and the hint: fields of a log line stand behind the cause.
pub(crate) fn cause_and_hint(message: &str) -> (&str, Option<&str>) {
    match message.split_once("\nhint: ") {
        Some((cause, hint)) => (cause, Some(hint)),
        None => (message, None),
    }
}

impl NotTaken {
    /// `None`: the error says nothing of the call.
    pub(crate) fn of(error: &anyhow::Error) -> Option<Self> {
        if error.is::<UnderWayAlready>() || error.is::<JoinError>() {
            return Some(Self::Unacceptable);
        }
        Some(match error.downcast_ref()? {
            OpenError::TooMany { .. } => Self::Overloaded,
            OpenError::Busy => Self::Busy,
            OpenError::Legs { .. } | OpenError::Speech(_) => Self::Unacceptable,
            OpenError::Draining => Self::Stopping,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_told_behind_the_fields_of_a_line() {
        assert_eq!(cause_and_hint("no\nhint: do"), ("no", Some("do")));
        assert_eq!(cause_and_hint("no"), ("no", None));
    }
}
