//! Why a WebSocket is closed.

/// A close frame of ours: its status code (RFC 6455, section 7.4.1; 1013 of IANA's registry) and its reason. Codes and payloads are those of
/// Deepgram's streaming errors (`developers.deepgram.com`, "STT Troubleshooting WebSocket, NET, and DATA Errors"),
/// for clients know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// All was heard and told.
    Normal,
    /// Auricle stops.
    Stopping,
    /// What came is no raw audio in the encoding that was named.
    NotAudio,
    /// A message was longer than it may be.
    TooLong,
    /// Too many text messages could not be understood.
    Malformed,
    /// As many calls as there may be are under way.
    Overloaded,
    /// The call cannot be taken in: its id is under way, or its connections do not fit together.
    NotAccepted,
    /// What the connection brought as a key is none that lets audio in.
    NotLetIn,
    /// Nothing could be told in time.
    NoAnswer,
    /// Neither audio nor text came in time.
    Quiet,
    /// Something broke here.
    Internal,
}

impl Close {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Normal,
        Self::Stopping,
        Self::NotAudio,
        Self::TooLong,
        Self::Malformed,
        Self::Overloaded,
        Self::NotAccepted,
        Self::NotLetIn,
        Self::NoAnswer,
        Self::Quiet,
        Self::Internal,
    ];

    /// The status code.
    pub const fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::Stopping => 1001,
            Self::NotAudio | Self::Malformed | Self::NotAccepted | Self::NotLetIn => 1008,
            Self::TooLong => 1009,
            Self::Overloaded => 1013,
            Self::NoAnswer | Self::Quiet | Self::Internal => 1011,
        }
    }

    /// The reason: visible ASCII, at most 123 bytes (RFC 6455, section 5.5). `net0001` is how Deepgram's own servers
    /// spell `NET-0001` in it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Stopping => "server stops; connect again",
            Self::NotAudio => {
                "DATA-0000: the payload is not raw audio in the encoding of the query"
            }
            Self::TooLong => "BIG-0000: message is longer than the limit",
            Self::Malformed => "DATA-0000: too many text messages that are not understood",
            Self::Overloaded => "too many calls; try again later",
            Self::NotAccepted => {
                "call not accepted: its id is under way, or its connections do not fit together"
            }
            Self::NotLetIn => "the key is missing, is not known, or is not for audio",
            Self::NoAnswer => "NET-0000: no result within the timeout window (net0000)",
            Self::Quiet => {
                "NET-0001: neither audio nor a text message within the timeout window (net0001)"
            }
            Self::Internal => "NET-0000: internal error (net0000)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_into_a_close_frame() {
        for close in Close::ALL {
            let reason = close.reason();
            assert!(reason.len() <= 123, "{close:?}");
            assert!(
                reason.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                "{close:?}"
            );
        }
    }
}
