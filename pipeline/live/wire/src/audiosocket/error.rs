//! What ends an AudioSocket connection.

use std::fmt;

use thiserror::Error;

/// Why a connection is given up. No bytes of it are in the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AudioSocketError {
    /// Another protocol.
    #[error("first bytes are {0}, not AudioSocket\nhint: {hint}", hint = .0.hint())]
    OtherProtocol(LooksLike),
    /// A frame came before the one with the id.
    #[error("first frame must be the call's id, kind `0x01`, got kind `{kind:#04x}`")]
    IdMissing {
        /// Its kind.
        kind: u8,
    },
    /// An id of another length.
    #[error("id must have 16 bytes, got `{n_bytes}`")]
    IdLength {
        /// Its length.
        n_bytes: usize,
    },
    /// An id of zeros, which every call without one would share.
    #[error("id is all zeros\nhint: give each call its own: `Set(CALL=${{UUID()}})`")]
    IdNil,
    /// A second id.
    #[error("id came twice; a connection is one leg of one call")]
    IdTwice,
    /// A frame that is longer than it may be.
    #[error("frame of kind `{kind:#04x}` has {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Its kind.
        kind: u8,
        /// Length of its payload.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Half a sample.
    #[error(
        "audio of {n_bytes} bytes is not 16-bit samples\nhint: the channel driver sends the call's codec as it is; \
         end the dial string with `/c(slin)`"
    )]
    OddAudio {
        /// Length of the payload.
        n_bytes: usize,
    },
    /// Too much that is not understood.
    #[error("more than {limit} frames of unknown kinds")]
    TooManyUnknown {
        /// How many are skipped.
        limit: u64,
    },
    /// The end of the connection before the id.
    #[error("connection ended before the call's id came")]
    NoId,
    /// The end of the connection in the middle.
    #[error("connection ended within a frame, {n_bytes} bytes after its beginning")]
    Truncated {
        /// Bytes of the frame that came.
        n_bytes: usize,
    },
}

/// What first bytes look like that are not AudioSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooksLike {
    /// A request of HTTP, WebSockets included (RFC 9112, section 3).
    Http,
    /// A ClientHello of TLS (RFC 8446, section 5.1).
    Tls,
    /// A request of SIP (RFC 3261, section 7.1).
    Sip,
}

impl LooksLike {
    /// Beginnings that cannot be the first frame, whose kind is 1.
    const BEGINNINGS: [(&[u8; 3], Self); 13] = [
        (b"GET", Self::Http),
        (b"POS", Self::Http),
        (b"PUT", Self::Http),
        (b"HEA", Self::Http),
        (b"DEL", Self::Http),
        (b"PAT", Self::Http),
        (b"CON", Self::Http),
        (b"PRI", Self::Http),
        (b"INV", Self::Sip),
        (b"OPT", Self::Sip),
        (b"REG", Self::Sip),
        (b"\x16\x03\x01", Self::Tls),
        (b"\x16\x03\x03", Self::Tls),
    ];

    pub(super) fn of(first: [u8; 3]) -> Option<Self> {
        let found = Self::BEGINNINGS
            .iter()
            .find(|(begins, _)| **begins == first);
        found.map(|(_, looks_like)| *looks_like)
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Http => "WebSockets and HTTP have a port of their own",
            Self::Tls => "AudioSocket has no TLS; use a private network or a tunnel",
            Self::Sip => "this port takes audio, not signalling",
        }
    }
}

impl fmt::Display for LooksLike {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Http => "HTTP",
            Self::Tls => "TLS",
            Self::Sip => "SIP",
        })
    }
}
