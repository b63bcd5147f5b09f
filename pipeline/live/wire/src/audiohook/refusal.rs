//! Why a handshake is refused.

use thiserror::Error;

use crate::query::Shown;

/// Why a handshake is refused. No key, id, nonce or signature of it is in the messages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AudioHookRefusal {
    /// A header that must be there.
    #[error("`{header}` is missing")]
    Missing {
        /// Its name.
        header: &'static str,
    },
    /// A header that is longer than it may be.
    #[error("`{header}` has {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Its name.
        header: &'static str,
        /// Its length.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// An id of another kind.
    #[error("`{header}` must be a UUID")]
    NotAUuid {
        /// Its name.
        header: &'static str,
    },
    /// A header that cannot be read.
    #[error("`{header}` is not {expected}")]
    Malformed {
        /// Its name.
        header: &'static str,
        /// What it is looked at for.
        expected: &'static str,
    },
    /// A part of the request that somebody could have changed.
    #[error("`{component}` is not signed")]
    NotSigned {
        /// Its name (RFC 9421, section 2).
        component: &'static str,
    },
    /// A part of the request that is not there, or that is not known here.
    #[error("`{got}` is signed, and is not in the request")]
    UnknownComponent {
        /// What it is called.
        got: Shown,
    },
    /// A parameter of the signature that must be there.
    #[error("`{key}` is missing in `Signature-Input`")]
    NoParameter {
        /// Its name (RFC 9421, section 2.3).
        key: &'static str,
    },
    /// Another algorithm.
    #[error("`alg` must be hmac-sha256, got `{got}`")]
    Algorithm {
        /// What it is called.
        got: Shown,
    },
    /// Two keys.
    #[error("`keyid` is not the key of `X-API-KEY`")]
    OtherKey,
    /// A nonce that somebody could guess.
    #[error("`nonce` has {n_bytes} bytes, fewer than {least_bytes}")]
    ShortNonce {
        /// Its length.
        n_bytes: usize,
        /// What it must have at least.
        least_bytes: usize,
    },
    /// A signature of the future.
    #[error(
        "signature is not valid yet, by {n_secs} seconds\nhint: compare this server's clock with others"
    )]
    NotYetValid {
        /// How long it would have to wait.
        n_secs: u64,
    },
    /// A signature of the past.
    #[error(
        "signature expired {n_secs} seconds ago\nhint: compare this server's clock with others"
    )]
    Expired {
        /// How long ago.
        n_secs: u64,
    },
    /// A key that is not among ours.
    #[error("key of `X-API-KEY` is not known")]
    UnknownKey,
    /// Another secret, or another request.
    #[error("signature is wrong")]
    WrongSignature,
    /// The handshake was seen already.
    #[error("`nonce` was used before")]
    Replayed,
    /// There is no space to note the handshake.
    #[error("more than {limit} handshakes at a time")]
    TooMany {
        /// What is kept.
        limit: usize,
    },
}
