//! A medium while its lines are read: they stand in any order, so they are put together at the end.

use std::net::IpAddr;

use super::codec::{Format, read_fmtp, read_payload_type};
use super::crypto::Crypto;
use super::error::{Oddity, odd};
use super::media::{Direction, Media, MediaKind, Profile};
use super::media_line::MediaLine;
use super::text::Text;
use crate::limits::Limits;

/// Sound in one packet, milliseconds: more than a second is no call.
const PTIME_MS: std::ops::RangeInclusive<u32> = 1..=1000;

/// What `c=` says.
#[derive(Clone, Copy)]
pub(super) enum Connection {
    /// An address.
    At(IpAddr),
    /// A name or what cannot be read, which hides the session's address all the same.
    Unknown,
}

impl Connection {
    pub(super) const fn address(self) -> Option<IpAddr> {
        match self {
            Self::At(address) => Some(address),
            Self::Unknown => None,
        }
    }
}

/// Lines of the session that hold for media without their own.
#[derive(Clone, Copy, Default)]
pub(super) struct Defaults {
    pub(super) connection: Option<Connection>,
    pub(super) direction: Option<Direction>,
}

/// Lines of one medium.
pub(super) struct Draft {
    /// Where it begins.
    pub(super) line_number: usize,
    /// What it says itself.
    pub(super) own: Defaults,
    line: MediaLine,
    maps: Vec<Format>,
    fmtps: Vec<(u8, Text)>,
    ptime_ms: Option<u32>,
    label: Option<Text>,
    rtcp: Option<(u16, Option<IpAddr>)>,
    rtcp_mux: bool,
    crypto: Vec<Crypto>,
}

impl Draft {
    pub(super) fn new(line: MediaLine, line_number: usize) -> Self {
        Self {
            line_number,
            own: Defaults::default(),
            line,
            maps: Vec::new(),
            fmtps: Vec::new(),
            ptime_ms: None,
            label: None,
            rtcp: None,
            rtcp_mux: false,
            crypto: Vec::new(),
        }
    }

    /// Takes an attribute that has nothing to do with the session. Where one stands twice, the later is taken.
    pub(super) fn attribute(
        &mut self,
        name: &str,
        value: &str,
        limits: &Limits,
    ) -> Result<(), Oddity> {
        match name {
            "rtpmap" => self.maps.push(Format::parse(value, limits)?),
            "fmtp" => self.fmtps.push(read_fmtp(value)?),
            "ptime" => self.ptime_ms = Some(read_ptime(value)?),
            "label" => self.label = Some(read_label(value, limits)?),
            "rtcp" => self.rtcp = Some(read_rtcp(value)?),
            "rtcp-mux" => self.rtcp_mux = true,
            "crypto" => self.crypto.push(Crypto::parse(value)?),
            _ => {}
        }
        Ok(())
    }

    /// Puts together what was said, and tells what is odd about it.
    pub(super) fn finish(self, session: Defaults, limits: &Limits) -> (Media, Vec<Oddity>) {
        let mut oddities = Vec::new();
        let kind = match self.line.kind.as_str().eq_ignore_ascii_case("audio") {
            true => MediaKind::Audio,
            false => MediaKind::Other,
        };
        let formats = match kind {
            MediaKind::Audio => self.formats(limits, &mut oddities),
            MediaKind::Other => Vec::new(),
        };
        let address = self.address(session, &mut oddities);
        let (rtcp_port, rtcp_address) = self.rtcp(address);
        let direction = self.own.direction.or(session.direction);
        let media = Media {
            kind,
            port: self.line.port,
            profile: Profile::named(self.line.profile.as_str()),
            formats,
            address,
            direction: direction.unwrap_or_default(),
            ptime_ms: self.ptime_ms,
            label: self.label,
            rtcp_port,
            rtcp_address,
            rtcp_mux: self.rtcp_mux,
            crypto: self.crypto,
            line: self.line,
        };
        (media, oddities)
    }

    /// Where the other side receives: at the first of the ports.
    fn address(&self, session: Defaults, oddities: &mut Vec<Oddity>) -> Option<IpAddr> {
        let connection = self.own.connection.or(session.connection);
        if connection.is_none() && self.line.port != 0 {
            oddities.push(Oddity::NoAddress);
        }
        if self.line.n_ports != 1 {
            let n_ports = self.line.n_ports;
            oddities.push(Oddity::SeveralPorts { n_ports });
        }
        connection.and_then(Connection::address)
    }

    /// Port and address for RTCP, given the address for RTP.
    fn rtcp(&self, address: Option<IpAddr>) -> (Option<u16>, Option<IpAddr>) {
        let port = Some(self.line.port).filter(|port| *port != 0);
        match self.rtcp {
            Some((port, own)) => (Some(port), own.or(address)),
            None => (port.and_then(|port| port.checked_add(1)), address),
        }
    }

    /// Formats in the order of the media line, each once.
    fn formats(&self, limits: &Limits, oddities: &mut Vec<Oddity>) -> Vec<Format> {
        let mut formats: Vec<Format> = Vec::new();
        for word in &self.line.formats {
            let Some(payload_type) = read_payload_type(word.as_str()) else {
                oddities.push(odd("m=", "payload types from 0 to 127", word.as_str()));
                continue;
            };
            let is_known = |format: &Format| format.payload_type == payload_type;
            match self.format(payload_type, limits) {
                _ if formats.iter().any(is_known) => {}
                Some(format) => formats.push(format),
                None => oddities.push(Oddity::Unmapped { payload_type }),
            }
        }
        formats
    }

    fn format(&self, payload_type: u8, limits: &Limits) -> Option<Format> {
        let mut maps = self.maps.iter();
        let mapped = maps.rfind(|format| format.payload_type == payload_type);
        let format = mapped.cloned();
        let mut format = format.or_else(|| Format::assigned(payload_type, limits))?;
        let mut fmtps = self.fmtps.iter();
        let fmtp = fmtps.rfind(|(of_type, _)| *of_type == payload_type);
        format.fmtp = fmtp.map(|(_, parameters)| parameters.clone());
        Some(format)
    }
}

/// Reads a network, a kind of address and an address, with what multicast has behind a `/` (RFC 8866, section 5.7).
pub(super) fn read_address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    let is_internet = words.next() == Some("IN") && matches!(words.next(), Some("IP4" | "IP6"));
    let address = words.next().filter(|_| is_internet)?;
    let address = address.split('/').next().unwrap_or_default();
    address.parse().ok()
}

/// Milliseconds, perhaps with a fraction, which is left out (RFC 8866, section 6.4).
fn read_ptime(value: &str) -> Result<u32, Oddity> {
    let whole = value.split('.').next().unwrap_or_default();
    let ptime_ms = whole.parse::<u32>().ok();
    let ptime_ms = ptime_ms.filter(|ptime_ms| PTIME_MS.contains(ptime_ms));
    ptime_ms.ok_or_else(|| odd("a=ptime", "milliseconds from 1 to 1000", value))
}

fn read_label(value: &str, limits: &Limits) -> Result<Text, Oddity> {
    let label = Text::word(value, limits.id_bytes);
    label.ok_or_else(|| odd("a=label", "one short word", value))
}

/// A port, perhaps with an address (RFC 3605, section 2.1).
fn read_rtcp(value: &str) -> Result<(u16, Option<IpAddr>), Oddity> {
    let (port, address) = match value.split_once(char::is_whitespace) {
        Some((port, address)) => (port, read_address(address).map(Some)),
        None => (value, Some(None)),
    };
    let port = port.parse::<u16>().ok().filter(|port| *port != 0);
    let rtcp = port.zip(address);
    rtcp.ok_or_else(|| odd("a=rtcp", "a port and perhaps an address", value))
}
