//! What is wrong with bodies and metadata, and what is only unusual.

use thiserror::Error;

use crate::query::{QueryError, Shown};

/// Why a body cannot be taken apart. No bytes of it are in the messages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MultipartError {
    /// Nothing says where parts begin.
    #[error("`Content-Type` of several parts has no `boundary`")]
    NoBoundary,
    /// No line is the boundary.
    #[error("body has no parts: no line is the `boundary` of its `Content-Type`")]
    NoParts,
    /// More parts than are taken.
    #[error("body has more than {limit} parts")]
    TooManyParts {
        /// What is allowed.
        limit: usize,
    },
    /// Headers that are too long, or have no empty line behind them.
    #[error("headers of a part have more than {limit_bytes} bytes")]
    HeadersTooLong {
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Parts within parts of parts.
    #[error("parts are nested more than twice")]
    Nested,
    /// A part whose bytes are written as text, which SIP has no need of (RFC 5621).
    #[error("`Content-Transfer-Encoding` must be 7bit, 8bit or binary, got `{got}`")]
    TransferEncoding {
        /// What it is.
        got: Shown,
    },
}

/// Why metadata cannot be read. No text of them is in the messages, but names of elements.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordingError {
    /// The document as a whole.
    #[error("metadata have {n_bytes} bytes, more than {limit_bytes}")]
    TooLong {
        /// Its length.
        n_bytes: usize,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Bytes that are not UTF-8, whatever is declared.
    #[error("metadata are not UTF-8")]
    NotUtf8,
    /// Another encoding is declared.
    #[error("`encoding` of the metadata must be UTF-8, got `{got}`")]
    Encoding {
        /// What it is.
        got: Shown,
    },
    /// `<!DOCTYPE`, which could declare entities without end.
    #[error("metadata declare a document type, which is not taken")]
    DocumentType,
    /// A reference to what only a document type could declare, or to no character.
    #[error("metadata refer to `{got}`, which is not known")]
    UnknownEntity {
        /// Its name.
        got: Shown,
    },
    /// Something that is no XML.
    #[error("metadata are not well-formed XML, {at_byte} bytes after their beginning")]
    NotXml {
        /// How far they could be read, a byte order mark not counted.
        at_byte: u64,
    },
    /// Elements in elements without end.
    #[error("elements of the metadata are nested more than {limit} deep")]
    TooDeep {
        /// What is allowed.
        limit: usize,
    },
    /// Too many of them.
    #[error("metadata have more than {limit} elements and attributes")]
    TooManyElements {
        /// What is allowed.
        limit: usize,
    },
    /// Well-formed, but about something else.
    #[error("root element must be `recording`, got `{got}`")]
    NotARecording {
        /// Its name.
        got: Shown,
    },
}

/// What is unusual in metadata. They are read all the same.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MetadataWarning {
    /// As in drafts of RFC 7865.
    #[error("root element is `recording_metadata`; `recording` was meant")]
    OldRoot,
    /// As in drafts of RFC 7865.
    #[error("`{element}` has its id in `id`; `{element}_id` was meant")]
    OldId {
        /// Which element.
        element: &'static str,
    },
    /// As in drafts of RFC 7865.
    #[error("`participant` has its address beside `nameID`")]
    OldAddress,
    /// As in drafts of RFC 7865.
    #[error("`participant` has `send` or `recv`; `participantstreamassoc` was meant")]
    OldSend,
    /// They stand beside it in RFC 7865.
    #[error("`participant` or `stream` stands within `session`")]
    Nested,
    /// It is left out.
    #[error("`{element}` does not say by its id what it is about, and is left out")]
    NoId {
        /// Which element.
        element: &'static str,
    },
    /// It is taken as `complete`.
    #[error("`datamode` must be complete or partial, got `{got}`; complete is taken")]
    DataMode {
        /// What it is.
        got: Shown,
    },
    /// It is left out; that something is over is taken.
    #[error("a time is not as RFC 3339 has it, and is left out")]
    NotATime,
    /// It is left out, and the rest is read.
    #[error("`{name}` has more than {limit_bytes} bytes, and is left out")]
    ValueTooLong {
        /// The element or attribute whose value it is.
        name: Shown,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Neither an agent nor a number can be known.
    #[error("`participant` has no address")]
    NoAddress,
    /// Its place among the streams stands for it.
    #[error("`stream` has no label; its place among the streams is taken")]
    NoLabel,
    /// The media lines stand for them, in the order of the participants.
    #[error("metadata have no `stream`")]
    NoStreams,
    /// An extension, of which only call keys and agents are taken.
    #[error("`{name}` is not known here")]
    Unknown {
        /// Its name.
        name: Shown,
    },
    /// More over all updates than is kept.
    #[error("metadata have more entries of one kind than {limit}; the others are left out")]
    Full {
        /// What is kept.
        limit: usize,
    },
}

/// What is not certain about who is on which media line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PartyWarning {
    /// Neither rules nor extensions tell agent and customer apart.
    #[error("which party is the agent is not known; the order of the streams is taken")]
    ByOrder,
    /// Nobody is said to send a stream.
    #[error("which participant sends which stream is not said; their order is taken")]
    PairedByOrder,
    /// The labels of media lines are not those of streams.
    #[error("media lines have no labels of the metadata; the order of the streams is taken")]
    LabelsByOrder,
    /// A stream with several voices.
    #[error("a stream carries more than one participant")]
    Mixed,
    /// Two of them have a party.
    #[error("{n_speakers} participants speak, more than 2; the others are unknown parties")]
    Conference {
        /// How many there are.
        n_speakers: usize,
    },
    /// An address that cannot be a fact.
    #[error(transparent)]
    Refused(QueryError),
}

/// Why a rule for agents' addresses cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "an agents' address must be a user such as `8001`, a beginning such as `8*` or a domain such as \
     `@agents.example.com`, got `{got}`"
)]
pub struct PatternError {
    /// What it is.
    pub got: Shown,
}
