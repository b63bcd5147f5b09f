//! Session descriptions: what a recorder or another listener is offered, and what it answers.
//!
//! A description is lines of a letter, `=` and a value; lines before the first `m=` are about the session, those after
//! it about that medium. [`SessionDescription::parse`] reads one, [`Media::choose`] and [`Media::choose_crypto`] say
//! what is taken of it, and [`Answer`] writes what goes back: a line for each that was offered, in the same order.
//!
//! | line | what it says | source |
//! | --- | --- | --- |
//! | `o=` | which session, and which version of its description | RFC 8866, section 5.2 |
//! | `c=` | address | RFC 8866, section 5.7 |
//! | `m=` | kind, port, profile and formats | RFC 8866, section 5.14 |
//! | `a=rtpmap`, `a=fmtp`, `a=ptime` | codecs and packets | RFC 8866, section 6; RFC 3551, table 4 |
//! | `a=sendrecv`, `a=sendonly`, `a=recvonly`, `a=inactive` | who sends, hold | RFC 3264, sections 5.1 and 8.4 |
//! | `a=label` | the medium in the metadata of a recording | RFC 4574; RFC 7866, section 7.1.1 |
//! | `a=rtcp`, `a=rtcp-mux` | where RTCP goes | RFC 3605; RFC 5761 |
//! | `a=crypto` | keys of SRTP | RFC 4568; RFC 6188; RFC 7714 |
//!
//! Everything else is skipped: what is not known changes nothing. What is known and cannot be read is skipped with an
//! [`SdpWarning`], but a media line that cannot be read makes the whole an error, for an answer has to match it.

mod answer;
mod codec;
mod crypto;
mod description;
mod draft;
mod error;
mod media;
mod media_line;
mod reader;
mod text;

#[cfg(test)]
mod tests;

pub use answer::{Accepted, Answer, AnswerError, OwnKey, RtcpPort};
pub use codec::{Codec, CodecKind, Format};
pub use crypto::{Crypto, CryptoSuite, MasterKey};
pub use description::{Origin, SessionDescription};
pub use error::{CryptoRefusal, Oddity, SdpError, SdpWarning};
pub use media::{Chosen, Direction, Media, MediaKind, Profile};
pub use text::Text;
