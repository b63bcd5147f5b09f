//! What a listener answers to an offer (RFC 3264, section 6).

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

use super::crypto::{Crypto, MasterKey};
use super::description::{Origin, SessionDescription};
use super::media::{Chosen, Media};

/// Keys that are understood: digits, `*`, `#` and A to D (RFC 4733, section 3.2).
const EVENTS: &str = "0-15";

/// An answer to an offer. Everything that is not [accepted](Self::accept) is refused: its port is 0.
///
/// [`Display`](fmt::Display) gives the text, with CRLF. It has our keys in it, so it is not to be logged; `Debug` shows
/// none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    offer: &'a SessionDescription,
    origin: Origin,
    address: IpAddr,
    /// For each medium of the offer.
    media: Vec<Option<Accepted>>,
}

/// What is taken of one medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What [`Media::choose`] gave for it.
    pub chosen: Chosen,
    /// Where we receive RTP.
    pub port: u16,
    /// Where we receive RTCP.
    pub rtcp: RtcpPort,
    /// Our key, where the profile is secure and only there.
    pub crypto: Option<OwnKey>,
}

/// Where we receive RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcpPort {
    /// On the port of RTP, where that was offered (RFC 5761, section 5.1.1).
    Muxed,
    /// On its own (RFC 3605).
    At(u16),
}

/// A key of what we send, which is RTCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    /// The [number](Crypto::tag) of the other side's key that is taken with it.
    pub tag: u32,
    /// Random bytes for the same suite.
    pub key: MasterKey,
}

/// Why a medium cannot be accepted in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// The offer ends before it.
    #[error("offer has no medium `{media_idx}`")]
    NoSuchMedia {
        /// Its place, from 0.
        media_idx: usize,
    },
    /// The medium is refused, or offers no such formats.
    #[error("medium `{media_idx}` does not offer what was chosen")]
    NotOffered {
        /// Its place, from 0.
        media_idx: usize,
    },
    /// A port that would refuse it.
    #[error("port of medium `{media_idx}` must be at least 1")]
    NoPort {
        /// Its place, from 0.
        media_idx: usize,
    },
    /// RTCP on the port of RTP was not offered.
    #[error("medium `{media_idx}` does not offer `a=rtcp-mux`")]
    MuxNotOffered {
        /// Its place, from 0.
        media_idx: usize,
    },
    /// A secure medium without a key for one of its lines, or another with a key.
    #[error("medium `{media_idx}` needs a key for one of its `a=crypto`, and only if it is secure")]
    Key {
        /// Its place, from 0.
        media_idx: usize,
    },
}

impl<'a> Answer<'a> {
    /// An answer that refuses everything.
    ///
    /// `origin` is ours: a session id of this dialog, and a version that is one higher whenever the text is another
    /// (RFC 3264, section 8). `address` is where media are received.
    pub fn new(offer: &'a SessionDescription, origin: Origin, address: IpAddr) -> Self {
        Self {
            offer,
            origin,
            address,
            media: vec![None; offer.media.len()],
        }
    }

    /// Accepts the medium at this place of the offer, from 0: to be heard while the other side sends, else to wait.
    ///
    /// # Errors
    /// What the offer does not allow; the medium stays as it was then.
    pub fn accept(&mut self, media_idx: usize, accepted: Accepted) -> Result<(), AnswerError> {
        let place = self.media.get_mut(media_idx);
        let offered = self.offer.media.get(media_idx).zip(place);
        let (media, place) = offered.ok_or(AnswerError::NoSuchMedia { media_idx })?;
        if !media.offers(&accepted.chosen) {
            return Err(AnswerError::NotOffered { media_idx });
        }
        if accepted.port == 0 || accepted.rtcp == RtcpPort::At(0) {
            return Err(AnswerError::NoPort { media_idx });
        }
        if accepted.rtcp == RtcpPort::Muxed && !media.rtcp_mux {
            return Err(AnswerError::MuxNotOffered { media_idx });
        }
        let is_keyed = match &accepted.crypto {
            Some(own) => media.profile.is_secure() && theirs(media, own).is_some(),
            None => !media.profile.is_secure(),
        };
        if !is_keyed {
            return Err(AnswerError::Key { media_idx });
        }
        *place = Some(accepted);
        Ok(())
    }
}

/// The line of the other side that a key of ours goes with.
fn theirs<'a>(media: &'a Media, own: &OwnKey) -> Option<&'a Crypto> {
    let mut keys = media.crypto.iter();
    keys.find(|crypto| crypto.tag == own.tag && crypto.key.suite() == own.key.suite())
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.address.is_ipv4() { "IP4" } else { "IP6" };
        let address = self.address;
        let Origin {
            session_id,
            version,
        } = self.origin;
        let time = self.offer.time;
        write!(out, "v=0\r\n")?;
        write!(out, "o=- {session_id} {version} IN {kind} {address}\r\n")?;
        write!(out, "s=-\r\nc=IN {kind} {address}\r\n")?;
        write!(out, "t={} {}\r\n", time.start, time.end)?;
        for (media, accepted) in self.offer.media.iter().zip(&self.media) {
            match accepted {
                Some(accepted) => write_accepted(out, media, accepted)?,
                None => write_refused(out, media)?,
            }
        }
        Ok(())
    }
}

/// Formats of a refused medium mean nothing, but there must be one.
fn write_refused(out: &mut fmt::Formatter<'_>, media: &Media) -> fmt::Result {
    let kind = media.line.kind.as_str();
    let profile = media.line.profile.as_str();
    let format = media.line.format.as_str();
    write!(out, "m={kind} 0 {profile} {format}\r\n")
}

fn write_accepted(out: &mut fmt::Formatter<'_>, media: &Media, accepted: &Accepted) -> fmt::Result {
    let kind = media.line.kind.as_str();
    let profile = media.line.profile.as_str();
    write!(out, "m={kind} {} {profile}", accepted.port)?;
    for format in accepted.chosen.formats() {
        write!(out, " {}", format.payload_type)?;
    }
    write!(out, "\r\n")?;
    write_formats(out, &accepted.chosen)?;
    if let Some(ptime_ms) = media.ptime_ms {
        write!(out, "a=ptime:{ptime_ms}\r\n")?;
    }
    match accepted.rtcp {
        RtcpPort::Muxed => write!(out, "a=rtcp-mux\r\n")?,
        RtcpPort::At(port) => write!(out, "a=rtcp:{port}\r\n")?,
    }
    if let Some(own) = &accepted.crypto {
        write_key(out, media, own)?;
    }
    if let Some(label) = &media.label {
        write!(out, "a=label:{}\r\n", label.as_str())?;
    }
    write!(out, "a={}\r\n", media.direction.of_listener().name())
}

fn write_formats(out: &mut fmt::Formatter<'_>, chosen: &Chosen) -> fmt::Result {
    for format in chosen.formats() {
        let encoding = format.encoding.as_str();
        write!(out, "a=rtpmap:{} {encoding}\r\n", format.payload_type)?;
    }
    if let Some(events) = &chosen.telephone_event {
        write!(out, "a=fmtp:{} {EVENTS}\r\n", events.payload_type)?;
    }
    Ok(())
}

fn write_key(out: &mut fmt::Formatter<'_>, media: &Media, own: &OwnKey) -> fmt::Result {
    let Some(theirs) = theirs(media, own) else {
        return Ok(());
    };
    let tag = theirs.tag;
    let suite = theirs.suite_name;
    write!(out, "a=crypto:{tag} {suite} {}\r\n", own.key.to_inline())
}
