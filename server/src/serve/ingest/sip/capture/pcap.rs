//! Datagrams as a file that Wireshark and tcpdump read: "PCAP Capture File Format" (draft-ietf-opsawg-pcap), version 2.4, with
//! times in microseconds. Each packet is raw IP (link type 101) with headers of IP (RFC 791, RFC 8200) and UDP (RFC 768) made of
//! its addresses. Pure.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Read as little-endian: it says which end of numbers comes first, and that times are microseconds.
const MAGIC: u32 = 0xa1b2_c3d4;
/// Longer than any packet, as tcpdump has it.
const LONGEST_PACKET: u32 = 262_144;
const LINKTYPE_RAW: u32 = 101;

/// What a datagram of IPv4 can hold; what is longer, which no datagram is, is cut.
const MOST_BYTES: usize = 65_507;
const UDP_HEAD_BYTES: u16 = 8;
const IPV4_HEAD_BYTES: u16 = 20;
/// Number of UDP among what IP carries.
const UDP: u8 = 17;
/// As most systems send.
const HOPS: u8 = 64;

/// What a file begins with.
pub(super) fn head() -> Vec<u8> {
    let mut head = MAGIC.to_le_bytes().to_vec();
    for version in [2_u16, 4] {
        head.extend(version.to_le_bytes());
    }
    // Two words that are 0.
    for word in [0, 0, LONGEST_PACKET, LINKTYPE_RAW] {
        head.extend(word.to_le_bytes());
    }
    head
}

/// A datagram, at a time in microseconds since 1970.
pub(super) struct Datagram<'d> {
    pub(super) unix_us: u64,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) bytes: &'d [u8],
}

/// Writes one behind the others.
pub(super) fn write(file: &mut Vec<u8>, datagram: &Datagram<'_>) {
    let bytes = datagram.bytes.get(..MOST_BYTES).unwrap_or(datagram.bytes);
    let (from, to) = (datagram.from, datagram.to);
    let udp_bytes = (bytes.len() as u16).saturating_add(UDP_HEAD_BYTES);
    let (ip, pseudo) = match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let ends = [from.octets(), to.octets()].concat();
            (ipv4(&ends, udp_bytes), pseudo(&ends, udp_bytes))
        }
        (from, to) => {
            let ends = [six(from).octets(), six(to).octets()].concat();
            (ipv6(&ends, udp_bytes), pseudo(&ends, udp_bytes))
        }
    };
    let mut udp = Vec::new();
    for word in [from.port(), to.port(), udp_bytes] {
        udp.extend(word.to_be_bytes());
    }
    // 0 would say that there is none (RFC 768).
    let sum = match checksum(&[&pseudo, &udp, bytes]) {
        0 => u16::MAX,
        sum => sum,
    };
    udp.extend(sum.to_be_bytes());
    let n_bytes = (ip.len() + udp.len() + bytes.len()) as u32;
    let (secs, us) = (datagram.unix_us / 1_000_000, datagram.unix_us % 1_000_000);
    for word in [secs as u32, us as u32, n_bytes, n_bytes] {
        file.extend(word.to_le_bytes());
    }
    for part in [&ip[..], &udp[..], bytes] {
        file.extend_from_slice(part);
    }
}

fn six(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// RFC 791, section 3.1; never taken apart, so that its number may be 0 (RFC 6864, section 4.1). `ends`: both addresses.
fn ipv4(ends: &[u8], udp_bytes: u16) -> Vec<u8> {
    let [n0, n1] = udp_bytes.saturating_add(IPV4_HEAD_BYTES).to_be_bytes();
    let first = [0x45, 0, n0, n1, 0, 0, 0x40, 0, HOPS, UDP];
    let sum = checksum(&[&first, ends]);
    [&first[..], &sum.to_be_bytes(), ends].concat()
}

/// RFC 8200, section 3.
fn ipv6(ends: &[u8], udp_bytes: u16) -> Vec<u8> {
    let [n0, n1] = udp_bytes.to_be_bytes();
    let first = [0x60, 0, 0, 0, n0, n1, UDP, HOPS];
    [&first[..], ends].concat()
}

/// What UDP's checksum counts beside what is sent (RFC 768; RFC 8200, section 8.1: with more zeros, which count nothing).
fn pseudo(ends: &[u8], udp_bytes: u16) -> Vec<u8> {
    let [n0, n1] = udp_bytes.to_be_bytes();
    [ends, &[0, UDP, n0, n1]].concat()
}

/// RFC 1071. All parts but the last are of an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum = words.fold(0_u64, |sum, word| {
        let high = word.first().copied().unwrap_or(0);
        let low = word.get(1).copied().unwrap_or(0);
        sum.wrapping_add(u64::from(u16::from_be_bytes([high, low])))
    });
    // What is carried over is counted again: twice is enough for what a packet can hold.
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !(folded as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(from: &str, to: &str, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        write(
            &mut file,
            &Datagram {
                unix_us: 1_795_373_719_301_002,
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
                bytes,
            },
        );
        file
    }

    #[test]
    fn the_head_is_that_of_version_2_4() {
        let expected = [
            0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0,
        ];
        assert_eq!(head(), expected);
    }

    #[test]
    fn a_datagram_of_ipv4() {
        let (secs, us) = (1_795_373_719_u32.to_le_bytes(), 301_002_u32.to_le_bytes());
        let expected: [&[u8]; 7] = [
            &secs,
            &us,
            &[31, 0, 0, 0, 31, 0, 0, 0],
            &[0x45, 0, 0, 31, 0, 0, 0x40, 0, 64, 17, 0xb6, 0xc3],
            &[192, 0, 2, 9, 192, 0, 2, 1],
            &[0x0f, 0xa0, 0x40, 0x00, 0, 11, 0x67, 0xca],
            b"abc",
        ];
        let told = written("192.0.2.9:4000", "192.0.2.1:16384", b"abc");
        assert_eq!(told, expected.concat());
        // The same as an IPv6 socket shows it.
        let mapped = written("[::ffff:192.0.2.9]:4000", "192.0.2.1:16384", b"abc");
        assert_eq!(mapped, told);
    }

    #[test]
    fn a_datagram_of_ipv6() {
        let told = written("[2001:db8::9]:4000", "[2001:db8::1]:16384", b"abc");
        let (record, packet) = told.split_at(16);
        assert_eq!(record[8..], [51, 0, 0, 0, 51, 0, 0, 0]);
        assert_eq!(packet[..8], [0x60, 0, 0, 0, 0, 11, 17, 64]);
        assert_eq!(packet[8..12], [0x20, 0x01, 0x0d, 0xb8]);
        assert_eq!((packet[23], packet[39]), (9, 1));
        let udp = [0x0f, 0xa0, 0x40, 0x00, 0, 11, 0x90, 0x59, b'a', b'b', b'c'];
        assert_eq!(packet[40..], udp);
    }

    #[test]
    fn checksums_make_the_sum_whole() {
        for n_bytes in [0, 1, 12, 172, 1_001, MOST_BYTES] {
            let bytes: Vec<u8> = (0..n_bytes).map(|place| (place * 7) as u8).collect();
            let told = written("192.0.2.9:4000", "192.0.2.1:16384", &bytes);
            let (ip, udp) = told[16..].split_at(20);
            assert_eq!(checksum(&[ip]), 0);
            let length = (n_bytes as u16 + 8).to_be_bytes();
            assert_eq!(udp[4..6], length);
            let pseudo = [&ip[12..], &[0, 17], &length].concat();
            assert_eq!(checksum(&[&pseudo, udp]), 0, "{n_bytes}");
            assert_eq!(udp[8..], bytes);
        }
    }

    #[test]
    fn what_no_datagram_holds_is_cut() {
        let told = written("[::1]:1", "[::1]:2", &[1; 70_000]);
        assert_eq!(told.len(), 16 + 40 + 8 + MOST_BYTES);
    }
}
