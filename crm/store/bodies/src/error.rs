//! What can be wrong with a body. No message quotes what was said, for errors are logged.

use thiserror::Error;

/// A value that cannot be written, or bytes that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    /// The encoding's name, which may be damaged itself, is none of ours.
    #[error("its encoding is not known here")]
    UnknownEncoding,
    /// It ends too early, goes on too long, or has values that do not exist.
    #[error("its bytes are damaged")]
    Damaged,
    /// A value of several days of speech, or bytes that claim to be one.
    #[error("it is longer than several days of speech")]
    TooLong,
    /// An older body.
    #[error("{class}, line {line}, column {column}")]
    Json {
        /// What is wrong with it.
        class: &'static str,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}
