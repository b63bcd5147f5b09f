//! The line that begins a medium (RFC 8866, section 5.14).

use super::error::SdpError;
use super::text::Text;
use crate::limits::Limits;
use crate::query::Shown;

/// Longest kind, profile or format. Registered ones have up to 30.
const WORD_BYTES: usize = 64;

/// A media line, read: what an answer has to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaLine {
    /// What kind of medium.
    pub(super) kind: Text,
    /// The port; 0 refuses.
    pub(super) port: u16,
    /// Ports from that one on.
    pub(super) n_ports: u32,
    /// What is spoken on it.
    pub(super) profile: Text,
    /// The first format: a line must have one.
    pub(super) format: Text,
    /// All formats. For RTP they are payload types.
    pub(super) formats: Vec<Text>,
}

impl MediaLine {
    /// Reads a kind, a port, a profile and formats.
    pub(super) fn parse(value: &str, line: usize, limits: &Limits) -> Result<Self, SdpError> {
        let mut words = value.split_ascii_whitespace();
        let fail = |part, expected, got: Option<&str>| SdpError::MediaLine {
            line,
            part,
            expected,
            got: Shown::new(got.unwrap_or_default()),
        };
        let kind = words.next();
        let ports = words.next();
        let profile = words.next();
        let formats: Vec<_> = words.take(limits.sdp_formats.saturating_add(1)).collect();
        if formats.len() > limits.sdp_formats {
            let limit = limits.sdp_formats;
            return Err(SdpError::TooManyFormats { line, limit });
        }
        let kind = read_word(kind).ok_or_else(|| fail("kind", "a word such as audio", kind))?;
        let (port, n_ports) =
            read_ports(ports).ok_or_else(|| fail("port", "a number from 0 to 65535", ports))?;
        let profile =
            read_word(profile).ok_or_else(|| fail("profile", "a word such as RTP/AVP", profile))?;
        let formats = formats.into_iter().map(|format| {
            read_word(Some(format)).ok_or_else(|| fail("format", "a short word", Some(format)))
        });
        let formats = formats.collect::<Result<Vec<_>, _>>()?;
        let format = formats.first().cloned();
        Ok(Self {
            kind,
            port,
            n_ports,
            profile,
            format: format.ok_or_else(|| fail("format", "given at least once", None))?,
            formats,
        })
    }
}

fn read_word(word: Option<&str>) -> Option<Text> {
    word.and_then(|word| Text::word(word, WORD_BYTES))
}

/// A port, perhaps with how many there are behind a `/`.
fn read_ports(word: Option<&str>) -> Option<(u16, u32)> {
    let (port, n_ports) = word.map(|word| word.split_once('/').unwrap_or((word, "1")))?;
    let n_ports = n_ports.parse::<u32>().ok();
    let n_ports = n_ports.filter(|n_ports| *n_ports > 0);
    port.parse::<u16>().ok().zip(n_ports)
}
