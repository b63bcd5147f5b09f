//! RTP packets: read, and their headers written. RFC 3550, section 5.

use std::fmt;

use thiserror::Error;

/// Bytes of a header without contributing sources and extension.
pub const HEADER_BYTES: usize = 12;

const VERSION: u8 = 2;
const HAS_PADDING: u8 = 0x20;
const HAS_EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;

/// Why bytes are no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtpError {
    /// Not even a header.
    #[error("packet has {n_bytes} bytes, fewer than the 12 of a header")]
    TooShort {
        /// Its length.
        n_bytes: usize,
    },
    /// Another protocol, as STUN and DTLS are on the same port.
    #[error("`version` must be 2, got `{version}`")]
    Version {
        /// What it says.
        version: u8,
    },
    /// The end came within the list of sources.
    #[error("packet ends within its {n_sources} contributing sources")]
    CutSources {
        /// How many it says it has.
        n_sources: u8,
    },
    /// The end came within the extension.
    #[error("packet ends within the extension of its header")]
    CutExtension,
    /// More padding than there is behind the header, or none though some is announced.
    #[error("`padding` is {padding_bytes} of the {n_bytes} bytes behind the header")]
    Padding {
        /// What the last byte says.
        padding_bytes: u8,
        /// Bytes behind the header.
        n_bytes: usize,
    },
}

/// What stands before the audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    /// For audio: the first packet after silence; for events: the first of an event.
    pub marker: bool,
    /// What the payload is, 0 to 127.
    pub payload_type: u8,
    /// One more for each packet.
    pub sequence: u16,
    /// Place of the first sample on the sender's clock, which begins anywhere.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// One packet, read. `Debug` does not show its payload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// Without contributing sources and extension, which say nothing about a leg.
    pub header: RtpHeader,
    /// Without padding; may be empty.
    pub payload: &'a [u8],
}

impl fmt::Debug for RtpPacket<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RtpPacket")
            .field("header", &self.header)
            .field("n_payload_bytes", &self.payload.len())
            .finish()
    }
}

impl<'a> RtpPacket<'a> {
    /// Reads a datagram. One of RTCP reads as a packet of payload type 64 to 95: ask [`is_rtcp`] first.
    ///
    /// # Errors
    /// Where its header does not fit into it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RtpError> {
        let n_bytes = bytes.len();
        let Some((fixed, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(RtpError::TooShort { n_bytes });
        };
        let [flags, kind, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *fixed;
        let version = flags >> 6;
        if version != VERSION {
            return Err(RtpError::Version { version });
        }
        let n_sources = flags & 0x0f;
        let rest = rest
            .get(4 * usize::from(n_sources)..)
            .ok_or(RtpError::CutSources { n_sources })?;
        let rest = match flags & HAS_EXTENSION {
            0 => rest,
            _ => without_extension(rest).ok_or(RtpError::CutExtension)?,
        };
        let payload = match flags & HAS_PADDING {
            0 => rest,
            _ => without_padding(rest)?,
        };
        let header = RtpHeader {
            marker: kind & MARKER != 0,
            payload_type: kind & !MARKER,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        };
        Ok(Self { header, payload })
    }
}

/// RFC 3550, section 5.3.1: two bytes of profile, two of length in words of 4 bytes.
fn without_extension(bytes: &[u8]) -> Option<&[u8]> {
    let ([_, _, high, low], rest) = bytes.split_first_chunk::<4>()?;
    rest.get(4 * usize::from(u16::from_be_bytes([*high, *low]))..)
}

/// The last byte says how many there are, itself included.
fn without_padding(bytes: &[u8]) -> Result<&[u8], RtpError> {
    let n_bytes = bytes.len();
    let padding_bytes = bytes.last().copied().unwrap_or(0);
    let wrong = RtpError::Padding {
        padding_bytes,
        n_bytes,
    };
    if padding_bytes == 0 {
        return Err(wrong);
    }
    let end = n_bytes.checked_sub(usize::from(padding_bytes));
    end.and_then(|end| bytes.get(..end)).ok_or(wrong)
}

/// Whether a datagram on a port for both is RTCP (RFC 5761, section 4): its second byte, which is a packet type there and
/// marker and payload type in RTP, is 192 to 223.
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [first, 192..=223, ..] if first >> 6 == VERSION)
}

/// A header for those who send: no padding, no extension, no contributing sources. Of the payload type seven bits count.
pub const fn write_header(header: &RtpHeader) -> [u8; HEADER_BYTES] {
    let marker = if header.marker { MARKER } else { 0 };
    let kind = marker | (header.payload_type & !MARKER);
    let [s0, s1] = header.sequence.to_be_bytes();
    let [t0, t1, t2, t3] = header.timestamp.to_be_bytes();
    let [r0, r1, r2, r3] = header.ssrc.to_be_bytes();
    [VERSION << 6, kind, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Second byte, sequence 0x0102, timestamp 0x03040506, SSRC 0x0708090a, behind these flags.
    fn packet(flags: u8, behind: &[u8]) -> Vec<u8> {
        [&[flags, 0x88, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], behind].concat()
    }

    #[test]
    fn packets_byte_by_byte() {
        let check = |flags: u8, behind: &[u8], payload: Result<&[u8], RtpError>| {
            let bytes = packet(flags, behind);
            let read = RtpPacket::parse(&bytes);
            assert_eq!(read.map(|packet| packet.payload), payload, "{bytes:02x?}");
            if let Ok(packet) = read {
                let header = RtpHeader {
                    marker: true,
                    payload_type: 8,
                    sequence: 0x0102,
                    timestamp: 0x0304_0506,
                    ssrc: 0x0708_090a,
                };
                assert_eq!(packet.header, header);
            }
        };
        let padding = |padding_bytes, n_bytes| {
            Err(RtpError::Padding {
                padding_bytes,
                n_bytes,
            })
        };
        check(0x80, b"", Ok(b""));
        check(0x80, b"abc", Ok(b"abc"));
        // Contributing sources.
        check(0x82, b"AAAABBBBabc", Ok(b"abc"));
        check(0x82, b"AAAABBB", Err(RtpError::CutSources { n_sources: 2 }));
        // An extension, of two words and of none.
        check(0x90, b"PP\x00\x02AAAABBBBabc", Ok(b"abc"));
        check(0x90, b"PP\x00\x00abc", Ok(b"abc"));
        check(0x90, b"PP\x00\x02AAAABBB", Err(RtpError::CutExtension));
        check(0x90, b"PP\x00", Err(RtpError::CutExtension));
        // Padding.
        check(0xa0, b"abc\x00\x00\x03", Ok(b"abc"));
        check(0xa0, b"\x00\x02", Ok(b""));
        check(0xa0, b"abc\x05", padding(5, 4));
        check(0xa0, b"abc\x00", padding(0, 4));
        check(0xa0, b"", padding(0, 0));
        // All of them.
        check(0xb1, b"AAAAPP\x00\x01XXXXabc\x00\x02", Ok(b"abc"));
        check(0x40, b"abc", Err(RtpError::Version { version: 1 }));
    }

    #[test]
    fn what_is_too_short_and_what_it_says() {
        let short = RtpPacket::parse(&[0x80; 11]).unwrap_err();
        assert_eq!(
            short.to_string(),
            "packet has 11 bytes, fewer than the 12 of a header"
        );
        let bytes = packet(0x80, b"secret");
        let shown = format!("{:?}", RtpPacket::parse(&bytes).unwrap());
        assert!(shown.contains("n_payload_bytes: 6"), "{shown}");
        assert!(!shown.contains("115"), "{shown}");
    }

    #[test]
    fn rtcp_on_the_same_port() {
        for (bytes, expected) in [
            (&[0x80, 200][..], true),
            (&[0x81, 201], true),
            (&[0x80, 192], true),
            (&[0x80, 223], true),
            (&[0x80, 191], false),
            (&[0x80, 224], false),
            (&[0x80, 0], false),
            (&[0x80, 0x80], false),
            (&[0x00, 200], false),
            (&[0x80], false),
            (&[], false),
        ] {
            assert_eq!(is_rtcp(bytes), expected, "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(packet) = RtpPacket::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER_BYTES <= bytes.len());
            }
        }

        #[test]
        fn headers_are_read_as_they_were_written(
            marker in any::<bool>(),
            payload_type in 0_u8..128,
            sequence in any::<u16>(),
            timestamp in any::<u32>(),
            ssrc in any::<u32>(),
            payload in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let header = RtpHeader { marker, payload_type, sequence, timestamp, ssrc };
            let bytes = [&write_header(&header)[..], &payload].concat();
            let payload = payload.as_slice();
            prop_assert_eq!(RtpPacket::parse(&bytes), Ok(RtpPacket { header, payload }));
        }
    }
}
