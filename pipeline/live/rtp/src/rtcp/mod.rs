//! RTCP: what senders and receivers tell of each other. RFC 3550, section 6.
//!
//! A datagram holds several packets. What is not known here, descriptions of sources included, is told by its type alone;
//! a packet that cannot be read does not hide the next.

mod write;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use write::{MOST_REPORT_BYTES, RtcpWriteError, write_receiver_report};

const VERSION: u8 = 2;
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// Bytes of a report on one source.
const BLOCK_BYTES: usize = 24;
/// Of a sender's report before its blocks, without the four bytes that all packets begin with.
const SENDER_BYTES: usize = 24;

/// Why a packet cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtcpError {
    /// What follows in the datagram is lost with it.
    #[error("`version` must be 2, got `{version}`")]
    Version {
        /// What it says.
        version: u8,
    },
    /// The datagram ends within it.
    #[error("datagram ends {n_missing_bytes} bytes before the end of its last packet")]
    Cut {
        /// Bytes that should follow.
        n_missing_bytes: usize,
    },
    /// It is shorter than its count asks for; the next one is read.
    #[error("packet of type `{kind}` ends before the {count} entries that it announces")]
    TooShort {
        /// Its type.
        kind: u8,
        /// What it announces.
        count: u8,
    },
}

/// One packet of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcpPacket<'a> {
    /// From one who sends.
    SenderReport {
        /// What it sent.
        sent: SenderReport,
        /// What it heard.
        reports: Reports<'a>,
    },
    /// From one who only hears.
    ReceiverReport {
        /// Who tells.
        ssrc: u32,
        /// What it heard.
        reports: Reports<'a>,
    },
    /// These sources end.
    Goodbye(Goodbye<'a>),
    /// Another type, not read.
    Other {
        /// Its type.
        kind: u8,
    },
}

/// What a source says it has sent (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport {
    /// Who sends.
    pub ssrc: u32,
    /// When it was told: seconds since 1900 and their 2⁻³² parts.
    pub ntp: u64,
    /// The same moment on the clock of its timestamps.
    pub rtp_time: u32,
    /// Packets so far.
    pub n_packets: u32,
    /// Payload so far, bytes.
    pub n_bytes: u32,
}

/// What one source is like where it is heard (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// Packets lost since the report before, 256ths of those expected.
    pub fraction_lost: u8,
    /// Packets lost so far, 24 bits with a sign: those that came twice count against it.
    pub lost: i32,
    /// Highest sequence number, the upper 16 bits count how often it began again.
    pub highest_sequence: u32,
    /// Ticks of the source's clock.
    pub jitter: u32,
    /// Middle 32 bits of the time of its last sender's report; 0 without one.
    pub last_report: u32,
    /// Time since that came, 65,536ths of a second.
    pub delay: u32,
}

impl ReportBlock {
    fn read(bytes: &[u8; BLOCK_BYTES]) -> Self {
        let lost = word(bytes, 1);
        let [fraction_lost, ..] = lost.to_be_bytes();
        Self {
            ssrc: word(bytes, 0),
            fraction_lost,
            // Shifted as signed, so that the sign is kept.
            lost: lost.wrapping_shl(8).cast_signed() >> 8,
            highest_sequence: word(bytes, 2),
            jitter: word(bytes, 3),
            last_report: word(bytes, 4),
            delay: word(bytes, 5),
        }
    }
}

/// Reports on up to 31 sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reports<'a>(&'a [[u8; BLOCK_BYTES]]);

impl<'a> Reports<'a> {
    /// In the order they stand.
    pub fn blocks(self) -> impl ExactSizeIterator<Item = ReportBlock> + 'a {
        self.0.iter().map(ReportBlock::read)
    }
}

/// Up to 31 sources that end. A reason, which may stand behind them, is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye<'a>(&'a [[u8; 4]]);

impl<'a> Goodbye<'a> {
    /// In the order they stand.
    pub fn ssrcs(self) -> impl ExactSizeIterator<Item = u32> + 'a {
        self.0.iter().map(|ssrc| u32::from_be_bytes(*ssrc))
    }
}

/// The packets of a datagram.
pub const fn read_rtcp(bytes: &[u8]) -> RtcpPackets<'_> {
    RtcpPackets { rest: bytes }
}

/// Reads a datagram packet by packet. It ends behind an error of lengths; others stand for one packet.
#[derive(Clone, Debug)]
pub struct RtcpPackets<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for RtcpPackets<'a> {
    type Item = Result<RtcpPacket<'a>, RtcpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest);
        Some(cut(rest).and_then(|first| {
            self.rest = first.rest;
            read(first.count, first.kind, first.body)
        }))
    }
}

/// The first packet of some.
struct First<'a> {
    count: u8,
    kind: u8,
    /// Behind its first four bytes.
    body: &'a [u8],
    /// Behind all of it.
    rest: &'a [u8],
}

fn cut(bytes: &[u8]) -> Result<First<'_>, RtcpError> {
    let Some(([flags, kind, high, low], rest)) = bytes.split_first_chunk::<4>() else {
        let n_missing_bytes = 4_usize.saturating_sub(bytes.len());
        return Err(RtcpError::Cut { n_missing_bytes });
    };
    let version = flags >> 6;
    if version != VERSION {
        return Err(RtcpError::Version { version });
    }
    let n_bytes = 4 * usize::from(u16::from_be_bytes([*high, *low]));
    match rest.split_at_checked(n_bytes) {
        Some((body, rest)) => Ok(First {
            count: flags & 0x1f,
            kind: *kind,
            body,
            rest,
        }),
        None => Err(RtcpError::Cut {
            n_missing_bytes: n_bytes.saturating_sub(rest.len()),
        }),
    }
}

fn read(count: u8, kind: u8, body: &[u8]) -> Result<RtcpPacket<'_>, RtcpError> {
    let too_short = RtcpError::TooShort { kind, count };
    let n = usize::from(count);
    Ok(match kind {
        SENDER_REPORT => RtcpPacket::SenderReport {
            reports: read_reports(n, SENDER_BYTES, body).ok_or(too_short)?,
            sent: SenderReport {
                ssrc: word(body, 0),
                ntp: (u64::from(word(body, 1)) << 32) | u64::from(word(body, 2)),
                rtp_time: word(body, 3),
                n_packets: word(body, 4),
                n_bytes: word(body, 5),
            },
        },
        RECEIVER_REPORT => RtcpPacket::ReceiverReport {
            reports: read_reports(n, 4, body).ok_or(too_short)?,
            ssrc: word(body, 0),
        },
        GOODBYE => {
            let (ssrcs, _) = body.as_chunks::<4>();
            RtcpPacket::Goodbye(Goodbye(ssrcs.get(..n).ok_or(too_short)?))
        }
        kind => RtcpPacket::Other { kind },
    })
}

/// `n` reports, the first of them at this place.
fn read_reports(n: usize, from: usize, body: &[u8]) -> Option<Reports<'_>> {
    let (blocks, _) = body.get(from..)?.as_chunks::<BLOCK_BYTES>();
    blocks.get(..n).map(Reports)
}

/// A 32-bit word by its place; 0 behind the end, which is checked before.
fn word(bytes: &[u8], word_idx: usize) -> u32 {
    let (words, _) = bytes.as_chunks::<4>();
    let found = words.get(word_idx);
    found.map_or(0, |word| u32::from_be_bytes(*word))
}
