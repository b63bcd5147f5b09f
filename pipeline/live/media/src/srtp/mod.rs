//! SRTP and SRTCP in place. RFC 3711, RFC 6188, RFC 7714.
//!
//! ```text
//! datagram -> sources: did it come before? -> session: is it signed, and what is in it -> packet
//! ```
//!
//! | | how |
//! | --- | --- |
//! | keys | derived once, at a rate of 0 (RFC 3711, section 4.3.1); no MKI (section 3.1), which SDP has to agree |
//! | replay | the last 128 numbers of each source (section 3.3.2) |
//! | SRTCP that is only signed | refused: what encrypts, encrypts both |
//!
//! What was not signed changes nothing, and no source is remembered for it. Nothing is allocated for a packet.

mod derive;
mod session;
mod sources;

#[cfg(test)]
mod tests;

use crate::keys::SrtpKeys;

use self::derive::Label;
use self::session::{Place, Session};
use self::sources::Sources;

/// Header of a packet of RTCP, which stays plain: all before is what it is, and who tells (RFC 3711, section 3.4).
const RTCP_HEAD_BYTES: usize = 8;
/// Says that a packet of RTCP is encrypted; the other bits are its number.
const IS_ENCRYPTED: u32 = 0x8000_0000;
/// Bytes that SRTCP puts behind a packet, at most: number and signature.
pub(crate) const MOST_RTCP_MORE_BYTES: usize = 4 + 16;

/// The keys of one leg, and what has come.
pub(crate) struct Srtp {
    rtp: Session,
    rtcp: Session,
    ours: Session,
    rtp_sources: Sources,
    rtcp_sources: Sources,
    /// Packets of RTCP that were sent.
    n_sent: u32,
}

impl Srtp {
    /// `None`: a key has not the length of its suite, which [`SrtpKey`](crate::SrtpKey) sees to.
    pub(crate) fn new(keys: &SrtpKeys) -> Option<Self> {
        Some(Self {
            rtp: Session::new(&keys.theirs, Label::RTP)?,
            rtcp: Session::new(&keys.theirs, Label::RTCP)?,
            ours: Session::new(&keys.ours, Label::RTCP)?,
            rtp_sources: Sources::default(),
            rtcp_sources: Sources::default(),
            n_sent: 0,
        })
    }

    /// Opens a packet of RTP where it lies. `None`: it is none, it is not signed, or it came before.
    pub(crate) fn open_rtp<'p>(&mut self, packet: &'p mut [u8]) -> Option<&'p [u8]> {
        let head = RtpHead::read(packet)?;
        let index = self.rtp_sources.guess(head.ssrc, head.sequence)?;
        let place = Place {
            ssrc: head.ssrc,
            index,
        };
        let n_bytes = self.rtp.open_rtp(packet, head.n_bytes, place)?;
        self.rtp_sources.note(head.ssrc, index);
        packet.get(..n_bytes)
    }

    /// Opens a datagram of RTCP where it lies. `None`: it is none, it is not signed, or it came before.
    pub(crate) fn open_rtcp<'p>(&mut self, packet: &'p mut [u8]) -> Option<&'p [u8]> {
        let ssrc = word(packet, 4)?;
        let number = self.rtcp.rtcp_number(packet)?;
        if number & IS_ENCRYPTED == 0 {
            return None;
        }
        let index = u64::from(number & !IS_ENCRYPTED);
        if !self.rtcp_sources.is_new(ssrc, index) {
            return None;
        }
        let n_bytes = self.rtcp.open_rtcp(packet, Place { ssrc, index })?;
        self.rtcp_sources.note(ssrc, index);
        packet.get(..n_bytes)
    }

    /// Encrypts and signs the `n_bytes` of RTCP at the beginning of `buffer`, which has [`MOST_RTCP_MORE_BYTES`] behind
    /// them. Gives their length then. `None`: there is too little room, or so much was sent that the key is used up (RFC
    /// 3711, section 9.2).
    pub(crate) fn seal_rtcp(&mut self, buffer: &mut [u8], n_bytes: usize) -> Option<usize> {
        let index = self.n_sent.checked_add(1)?;
        if index & IS_ENCRYPTED != 0 {
            return None;
        }
        self.n_sent = index;
        let place = Place {
            ssrc: word(buffer, 4)?,
            index: u64::from(index),
        };
        self.ours.seal_rtcp(buffer, n_bytes, place)
    }
}

/// What has to be known of a packet of RTP before it is opened.
struct RtpHead {
    ssrc: u32,
    sequence: u16,
    /// With contributing sources and extension, which stay plain.
    n_bytes: usize,
}

impl RtpHead {
    /// RFC 3550, section 5.1.
    fn read(packet: &[u8]) -> Option<Self> {
        const HAS_EXTENSION: u8 = 0x10;
        let (fixed, _) = packet.split_first_chunk::<{ auricle_rtp::HEADER_BYTES }>()?;
        let [flags, _, s0, s1, _, _, _, _, r0, r1, r2, r3] = *fixed;
        if flags >> 6 != 2 {
            return None;
        }
        let sources_end = fixed.len() + 4 * usize::from(flags & 0x0f);
        let n_bytes = match flags & HAS_EXTENSION {
            0 => sources_end,
            _ => {
                let [_, _, high, low] = word(packet, sources_end)?.to_be_bytes();
                sources_end + 4 + 4 * usize::from(u16::from_be_bytes([high, low]))
            }
        };
        Some(Self {
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            sequence: u16::from_be_bytes([s0, s1]),
            n_bytes,
        })
    }
}

/// Four bytes from this one on.
fn word(bytes: &[u8], from: usize) -> Option<u32> {
    let word = bytes.get(from..)?.first_chunk()?;
    Some(u32::from_be_bytes(*word))
}

/// What a sender makes of a packet of RTP without contributing sources and extension, for tests.
#[cfg(test)]
pub(crate) fn seal_rtp(key: &crate::keys::SrtpKey, packet: &[u8], index: u64) -> Vec<u8> {
    let session = Session::new(key, Label::RTP).unwrap();
    let ssrc = word(packet, 8).unwrap();
    session.seal_rtp(packet, auricle_rtp::HEADER_BYTES, Place { ssrc, index })
}
