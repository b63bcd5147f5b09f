//! One medium of a session.

use std::net::IpAddr;

use super::codec::{Codec, CodecKind, Format};
use super::crypto::{Crypto, CryptoSuite};
use super::media_line::MediaLine;
use super::text::Text;

/// What a media line and the lines after it say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Sound or something else.
    pub kind: MediaKind,
    /// Where the other side receives RTP, or would; 0: the medium is refused or over.
    pub port: u16,
    /// What is spoken.
    pub profile: Profile,
    /// What is offered, best first. Of sound only; formats that are not described are not among them.
    pub formats: Vec<Format>,
    /// Where the other side receives: its own address or the session's. `None` where there is none, or a name.
    pub address: Option<IpAddr>,
    /// Who sends: its own or the session's.
    pub direction: Direction,
    /// Sound in one packet, milliseconds, where that is said.
    pub ptime_ms: Option<u32>,
    /// Its name in the metadata of a recording.
    pub label: Option<Text>,
    /// Where the other side receives RTCP unless it is multiplexed: what `a=rtcp` says, else the port after
    /// [`port`](Self::port), if there is one.
    pub rtcp_port: Option<u16>,
    /// Address for RTCP: what `a=rtcp` says, else [`address`](Self::address).
    pub rtcp_address: Option<IpAddr>,
    /// Whether RTP and RTCP may share a port.
    pub rtcp_mux: bool,
    /// Keys of what the other side sends, best first: one for each suite it could use.
    pub crypto: Vec<Crypto>,
    /// What an answer repeats.
    pub(super) line: MediaLine,
}

/// Kinds of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures, text, fax and the like, of which nothing is taken.
    Other,
}

/// What is spoken on the port of a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// RTP (RFC 3551).
    Avp,
    /// SRTP (RFC 3711).
    Savp,
    /// RTP with early feedback (RFC 4585).
    Avpf,
    /// SRTP with early feedback (RFC 5124).
    Savpf,
    /// Anything else, SRTP with keys from DTLS included.
    Other,
}

impl Profile {
    /// Whether packets are encrypted with a key of the description.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Savp | Self::Savpf)
    }

    pub(super) fn named(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "RTP/AVP" => Self::Avp,
            "RTP/SAVP" => Self::Savp,
            "RTP/AVPF" => Self::Avpf,
            "RTP/SAVPF" => Self::Savpf,
            _ => Self::Other,
        }
    }
}

/// Who sends, as the side whose description it is sees it (RFC 3264, section 5.1). To a recorder `SendRecv` and
/// `SendOnly` are the same, sound, and the others are the same, a pause: hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It sends and receives: what is meant where nothing is said.
    #[default]
    SendRecv,
    /// It sends.
    SendOnly,
    /// It receives, so that a recorder gets nothing.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Whether the side whose description it is sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// What somebody who only listens answers (RFC 3264, section 6.1).
    pub(super) const fn of_listener(self) -> Self {
        match self.sends() {
            true => Self::RecvOnly,
            false => Self::Inactive,
        }
    }

    /// The attribute.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [
            Self::SendRecv,
            Self::SendOnly,
            Self::RecvOnly,
            Self::Inactive,
        ]
        .into_iter()
        .find(|direction| direction.name() == name)
    }
}

/// What is taken of a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Speech.
    pub format: Format,
    /// Keys that are pressed, on the same clock.
    pub telephone_event: Option<Format>,
    /// Comfort noise, on the same clock.
    pub comfort_noise: Option<Format>,
}

impl Chosen {
    /// All payload types, speech first.
    pub(super) fn formats(&self) -> impl Iterator<Item = &Format> {
        let companions = self.telephone_event.iter().chain(&self.comfort_noise);
        std::iter::once(&self.format).chain(companions)
    }
}

impl Media {
    /// Whether the other side pauses: it does not send, or its address is `0.0.0.0` or `::`, which is how hold was said
    /// before there were directions (RFC 3264, section 8.4). What comes all the same may be heard.
    pub fn is_on_hold(&self) -> bool {
        !self.direction.sends() || self.address.is_some_and(|address| address.is_unspecified())
    }

    /// The first codec in the other side's order that is wanted, with the events and the noise on its clock. `None`
    /// where the medium is refused or spoken in a way that is not known, or where nothing is wanted of it.
    ///
    /// A medium with a [secure](Profile::is_secure) profile needs [a key](Self::choose_crypto), too.
    pub fn choose(&self, wanted: &[CodecKind]) -> Option<Chosen> {
        let is_wanted = |format: &&Format| {
            let kind = format.codec.kind();
            kind.is_some_and(|kind| wanted.contains(&kind))
        };
        let mut formats = self.formats.iter().filter(|_| self.is_open());
        let format = formats.find(is_wanted);
        format.map(|format| self.with_companions(format))
    }

    /// The first key in the other side's order whose suite is wanted (RFC 4568, section 5.1.2).
    pub fn choose_crypto(&self, wanted: &[CryptoSuite]) -> Option<&Crypto> {
        let mut keys = self.crypto.iter();
        keys.find(|crypto| wanted.contains(&crypto.key.suite()))
    }

    /// Whether it is what [`choose`](Self::choose) could have given.
    pub(super) fn offers(&self, chosen: &Chosen) -> bool {
        let kind = chosen.format.codec.kind();
        let is_offered = |format: &Format| self.with_companions(format) == *chosen;
        self.is_open() && kind.is_some() && self.formats.iter().any(is_offered)
    }

    /// Whether it is not refused, and spoken in a way that is known.
    fn is_open(&self) -> bool {
        self.port != 0 && self.profile != Profile::Other
    }

    fn with_companions(&self, format: &Format) -> Chosen {
        let companion = |codec: Codec| {
            let mut formats = self.formats.iter();
            let found = formats
                .find(|other| other.codec == codec && other.clock_rate_hz == format.clock_rate_hz);
            found.cloned()
        };
        Chosen {
            format: format.clone(),
            telephone_event: companion(Codec::TelephoneEvent),
            comfort_noise: companion(Codec::ComfortNoise),
        }
    }
}
