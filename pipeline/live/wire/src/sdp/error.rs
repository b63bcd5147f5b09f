//! What is wrong with a session description, and what is only odd.

use std::fmt;

use thiserror::Error;

use crate::query::Shown;

/// Why a session description cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SdpError {
    /// The whole of it.
    #[error("session description has {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Its length.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Empty lines count.
    #[error("session description has more than {limit} lines")]
    TooManyLines {
        /// What is allowed.
        limit: usize,
    },
    /// Refused ones count.
    #[error("session description has more than {limit} media lines")]
    TooManyMedia {
        /// What is allowed.
        limit: usize,
    },
    /// Formats of one media line.
    #[error("line {line}: `m=` has more than {limit} formats")]
    TooManyFormats {
        /// The line, from 1.
        line: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Another text.
    #[error("text is no session description: it has neither `v=` nor `m=`")]
    NotSdp,
    /// Another version of SDP.
    #[error("line {line}: `v=` must be 0, got `{got}`")]
    Version {
        /// The line, from 1.
        line: usize,
        /// What it is.
        got: Shown,
    },
    /// A media line that cannot be read.
    #[error("line {line}: {part} of `m=` must be {expected}, got `{got}`")]
    MediaLine {
        /// The line, from 1.
        line: usize,
        /// Which part of it.
        part: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is; empty where it is missing.
        got: Shown,
    },
}

/// A line that was skipped, wholly or in part, though it is of a kind that is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdpWarning {
    /// The line, from 1.
    pub line: usize,
    /// What is odd about it.
    pub oddity: Oddity,
}

impl fmt::Display for SdpWarning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.oddity)
    }
}

/// What is odd about a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Oddity {
    /// Not a letter and a value.
    #[error("line has no `=`")]
    NotALine,
    /// A value that cannot be.
    #[error("`{name}` must be {expected}, got `{got}`")]
    Value {
        /// The line's letter or attribute.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        got: Shown,
    },
    /// The origin, which may have somebody's name in it and is not shown.
    #[error("`o=` must have a number for the session and one for its version")]
    Origin,
    /// A payload type without `a=rtpmap` that is not assigned either.
    #[error("payload type `{payload_type}` has no `a=rtpmap`")]
    Unmapped {
        /// The payload type.
        payload_type: u8,
    },
    /// More ports than one.
    #[error("`m=` has {n_ports} ports, of which the first is heard")]
    SeveralPorts {
        /// How many there are.
        n_ports: u32,
    },
    /// Neither the medium nor the session has an address.
    #[error("`m=` has no address: there is no `c=`")]
    NoAddress,
    /// A line of a key that is not one, and is not shown.
    #[error("`a=crypto` must be a number, a suite and a key")]
    CryptoLine,
    /// A key that is not taken.
    #[error("`a=crypto:{tag}` is not taken: {why}")]
    Crypto {
        /// Its number.
        tag: u32,
        /// Why not.
        why: CryptoRefusal,
    },
}

/// Why a key of the other side is not taken. Keys are not shown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CryptoRefusal {
    /// A suite that is not known here.
    #[error("suite `{0}` is not known here")]
    Suite(Shown),
    /// The key cannot be read.
    #[error("key must be `inline:` and base64 of the suite's length")]
    Key,
    /// Keys that are told apart by packets.
    #[error("keys with an identifier in each packet (MKI) are not taken")]
    Mki,
    /// A parameter that would change packets.
    #[error("session parameters other than `WSH` are not taken")]
    Parameter,
}

/// The oddity of a technical value.
pub(super) fn odd(name: &'static str, expected: &'static str, got: &str) -> Oddity {
    let got = Shown::new(got);
    Oddity::Value {
        name,
        expected,
        got,
    }
}
