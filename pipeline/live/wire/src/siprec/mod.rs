//! SIPREC: what a session border controller or PBX tells of a call that it has recorded.
//!
//! A request of a recording session carries a body of several parts ([`parts`]): the session description and the
//! metadata ([`find_sdp`], [`find_metadata`]). The metadata ([`Recording`]) name the parties of the call and which media
//! line carries whose voice ([`Recording::media_parties`]); later requests change or replace them
//! ([`Recording::update`]). Two recording sessions of one call have something in common ([`Recording::identities`]).
//!
//! | what | source |
//! | --- | --- |
//! | bodies of several parts | RFC 2046, section 5.1; RFC 5621 |
//! | where the metadata lie, and when they come | RFC 7866, sections 6 and 9; RFC 9806 for their media type |
//! | what the metadata say | RFC 7865, section 6 |
//!
//! Equipment that is older than RFC 7865 writes as its drafts did: other names of attributes, addresses beside `nameID`,
//! `send` within `participant`. That is read, too, and told as a [`MetadataWarning`].
//!
//! **Invariant**: no document type, no entity but the five of XML itself, no recursion deeper than
//! [`Limits::metadata_depth`](crate::Limits::metadata_depth).
//! **Invariant**: two parties of one call are never both agents, nor both customers.

mod address;
mod error;
mod extensions;
mod identity;
mod multipart;
mod parties;
mod private;
mod read;
mod recording;
mod roles;
mod rules;
mod update;
mod voices;
mod xml;

#[cfg(test)]
mod tests;

pub use error::{MetadataWarning, MultipartError, PartyWarning, PatternError, RecordingError};
pub use identity::{CallKey, Identity};
pub use multipart::{Part, find_metadata, find_sdp, parts};
pub use parties::{LegParty, Parties};
pub use private::Private;
pub use recording::{
    CommunicationSession, DataMode, Direction, Group, Link, MediaStream, NameId, Parameter,
    Participant, ParticipantSession, Recording, SessionRecording, Span,
};
pub use rules::{AddressPattern, FirstStream, PartyRules};
