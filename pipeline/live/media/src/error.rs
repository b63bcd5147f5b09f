//! Why there are no sockets.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why nothing can be heard.
#[derive(Debug, Error)]
pub enum MediaError {
    /// Not even one pair.
    #[error("`ports` must hold an even port and the next one, got `{first}` to `{last}`")]
    Range {
        /// Where the range begins.
        first: u16,
        /// Where it ends.
        last: u16,
    },
    /// All are in use, by legs or by other programs.
    #[error("no port is left in `ports`, `{first}` to `{last}`\nhint: a leg needs two")]
    NoPort {
        /// Where the range begins.
        first: u16,
        /// Where it ends.
        last: u16,
    },
    /// The operating system refuses it.
    #[error("cannot listen on `{address}`: {source}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The operating system gives nothing to wait on.
    #[error("cannot wait for datagrams: {source}")]
    Wait {
        /// Why.
        source: io::Error,
    },
    /// The operating system gives no thread.
    #[error("cannot start a thread for RTP: {source}")]
    Thread {
        /// Why.
        source: io::Error,
    },
}
