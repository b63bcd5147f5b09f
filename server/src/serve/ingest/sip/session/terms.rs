//! What sessions are asked, and what they answer.

use std::net::{IpAddr, SocketAddr};

use crate::serve::ingest::sip::leg::Farewell;

/// What an INVITE or UPDATE brings.
#[derive(Clone, Copy)]
pub(crate) struct Offer<'a> {
    /// `Call-ID` of the dialog.
    pub(crate) call_id: &'a str,
    /// Value of `From`.
    pub(crate) from: &'a str,
    /// Value of `To`.
    pub(crate) to: &'a str,
    pub(crate) request_uri: &'a str,
    /// All others, with their names as they came.
    pub(crate) headers: &'a [(String, String)],
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
    /// Who sent it.
    pub(crate) peer: SocketAddr,
    /// Where audio is to be sent to, as the answer tells it.
    pub(crate) local: IpAddr,
}

/// What is answered to an offer.
#[derive(Clone)]
pub(crate) struct Reply {
    /// It may hold our keys, so it is not to be logged.
    pub(crate) sdp: String,
    pub(crate) is_siprec: bool,
}

/// Why an offer is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotAnswered {
    pub(crate) status: u16,
    /// For the other side and the log: no personal data. Its last line may be a hint.
    pub(crate) why: String,
    /// For the figures.
    pub(crate) reason: Refused,
}

/// Kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Malformed,
    TooLarge,
    BodyType,
    NoOffer,
    NothingHeard,
    NoPort,
    Overloaded,
    NotAccepted,
    Stopping,
    Internal,
}

impl Refused {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::BodyType => "unsupported_body",
            Self::NoOffer => "no_offer",
            Self::NothingHeard => "nothing_heard",
            Self::NoPort => "no_port",
            Self::Overloaded => "overloaded",
            Self::NotAccepted => "not_accepted",
            Self::Stopping => "stopping",
            Self::Internal => "internal",
        }
    }
}

impl NotAnswered {
    pub(crate) fn new(status: u16, reason: Refused, why: impl Into<String>) -> Self {
        Self {
            status,
            why: why.into(),
            reason,
        }
    }

    pub(super) fn internal(why: &str) -> Self {
        Self::new(500, Refused::Internal, why)
    }
}

/// How a session ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Nothing came for too long.
    Silent,
    /// No call may last longer.
    TooLong,
    LegsEnded,
    /// It cannot be heard any more, and why.
    Failed(String),
}

/// Why the dialog of a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HungUp {
    Bye,
    TimerExpired,
    Lost,
    Draining,
}

impl HungUp {
    pub(super) const fn farewell(self) -> Farewell {
        match self {
            Self::Bye | Self::Draining => Farewell::Said,
            Self::TimerExpired => Farewell::Missing("the session was not refreshed in time"),
            Self::Lost => Farewell::Missing("the connection was lost"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An INVITE without a body.
    pub(crate) fn offer() -> Offer<'static> {
        Offer {
            call_id: "a84b4c76e66710@192.0.2.1",
            from: "<sip:caller@example.com>;tag=1",
            to: "<sip:recorder@192.0.2.200>",
            request_uri: "sip:recorder@192.0.2.200",
            headers: &[],
            content_type: None,
            body: b"",
            peer: SocketAddr::from(([192, 0, 2, 1], 5060)),
            local: IpAddr::from([192, 0, 2, 200]),
        }
    }

    #[test]
    fn who_did_not_say_goodbye_is_told() {
        assert_eq!(HungUp::Bye.farewell(), Farewell::Said);
        assert_eq!(HungUp::Draining.farewell(), Farewell::Said);
        for lost in [HungUp::TimerExpired, HungUp::Lost] {
            assert!(matches!(lost.farewell(), Farewell::Missing(_)));
        }
    }
}
