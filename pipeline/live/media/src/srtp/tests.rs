//! Packets that others have sealed, and packets that nobody has.

use super::derive::derive;
use super::*;
use crate::keys::{SrtpKey, SrtpSuite};

const SSRC: u32 = 0x0708_0900;
/// A contributing source and an extension: 24 bytes that stay plain.
const HEAD_BYTES: usize = 24;
const PACKET: &str =
    "9188fffe000000000708090001020304bede000110ff000074686520637573746f6d65722073617973";
const REPORT: &str = "81c90001070809006e6f7420612074727565207265706f72";

/// Suite, the packet and the report, sealed by a second implementation: Python's `cryptography`, with the derivation written
/// out.
const SEALED: [(SrtpSuite, &str, &str); 6] = [
    (
        SrtpSuite::AesCm128HmacSha1_80,
        "9188fffe000000000708090001020304bede000110ff0000e8929c51faee7074f7666b4e1dcc4714ab523827a60aa03eb0fd8a",
        "81c90001070809008dd441ac8c02d0a1774892d9efc3eab48000000145ecde53325b22b21158",
    ),
    (
        SrtpSuite::AesCm128HmacSha1_32,
        "9188fffe000000000708090001020304bede000110ff0000e8929c51faee7074f7666b4e1dcc4714ab523827a6",
        "81c90001070809008dd441ac8c02d0a1774892d9efc3eab48000000145ecde53325b22b21158",
    ),
    (
        SrtpSuite::AesCm256HmacSha1_80,
        "9188fffe000000000708090001020304bede000110ff0000615856dbdfd9c284286a296fd5773652dc390fcaa1a88c50f6bdfe",
        "81c900010708090059418bd0f3423705b2725b32b709e9e9800000012584092423926fed4e68",
    ),
    (
        SrtpSuite::AesCm256HmacSha1_32,
        "9188fffe000000000708090001020304bede000110ff0000615856dbdfd9c284286a296fd5773652dc390fcaa1",
        "81c900010708090059418bd0f3423705b2725b32b709e9e9800000012584092423926fed4e68",
    ),
    (
        SrtpSuite::AeadAes128Gcm,
        "9188fffe000000000708090001020304bede000110ff00006ccda2b04a979878c0eca2d7ee5ea36824309bea8b572abb6bd0213f2cc046f476",
        "81c9000107080900f71a19bf61a1782dacd7e44f96be3b825ab683d54fc7b11c02c6fa96e152a00180000001",
    ),
    (
        SrtpSuite::AeadAes256Gcm,
        "9188fffe000000000708090001020304bede000110ff00005a614ea9646202d319e8bb9183b0ac7dcfa9ca05e7210b4e37c435e3d31fed4e6c",
        "81c9000107080900a8ea8709e9769579d5915893c7b3e5d3a258dc72c532c1fca2cc67f3a815d41f80000001",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    let read = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    digits.map(read).collect()
}

/// Key 0, 1, 2 …, salt 128, 129 ….
fn key(suite: SrtpSuite) -> SrtpKey {
    let key = 0..suite.key_bytes() as u8;
    let salt = 0x80..0x80 + suite.salt_bytes() as u8;
    SrtpKey::new(suite, &key.chain(salt).collect::<Vec<_>>()).unwrap()
}

fn srtp(suite: SrtpSuite) -> Srtp {
    let keys = SrtpKeys {
        theirs: key(suite),
        ours: key(suite),
    };
    Srtp::new(&keys).unwrap()
}

#[test]
fn keys_are_derived_as_rfc_3711_shows() {
    // Section B.3.
    let master = bytes("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
    let master = SrtpKey::new(SrtpSuite::AesCm128HmacSha1_80, &master).unwrap();
    let check = |derived: &[u8], expected: &str| assert_eq!(derived, bytes(expected));
    let cipher = derive::<16>(&master, Label::RTP.encryption).unwrap();
    check(cipher.as_slice(), "c61e7a93744f39ee10734afe3ff7a087");
    let salt = derive::<14>(&master, Label::RTP.salt).unwrap();
    check(salt.as_slice(), "30cbbc08863d8c85d49db34a9ae1");
    let signature = derive::<20>(&master, Label::RTP.signature).unwrap();
    check(
        signature.as_slice(),
        "cebe321f6ff7716b6fd4ab49af256a156d38baa4",
    );
}

#[test]
fn what_others_sealed_is_opened() {
    for (suite, packet, report) in SEALED {
        let mut srtp = srtp(suite);
        let mut packet = bytes(packet);
        let opened = srtp.open_rtp(&mut packet).map(<[u8]>::to_vec);
        assert_eq!(opened, Some(bytes(PACKET)), "{suite:?}");
        let mut report = bytes(report);
        let opened = srtp.open_rtcp(&mut report).map(<[u8]>::to_vec);
        assert_eq!(opened, Some(bytes(REPORT)), "{suite:?}");
    }
}

#[test]
fn what_is_sealed_is_what_others_seal() {
    for (suite, packet, report) in SEALED {
        let mut srtp = srtp(suite);
        let place = Place {
            ssrc: SSRC,
            index: 0xfffe,
        };
        let sealed = srtp.rtp.seal_rtp(&bytes(PACKET), HEAD_BYTES, place);
        assert_eq!(sealed, bytes(packet), "{suite:?}");
        let mut buffer = bytes(REPORT);
        let n_bytes = buffer.len();
        assert_eq!(srtp.seal_rtcp(&mut buffer, n_bytes), None, "no room");
        let mut srtp = self::srtp(suite);
        let mut buffer = bytes(REPORT);
        buffer.resize(n_bytes + MOST_RTCP_MORE_BYTES, 0);
        let sealed = srtp.seal_rtcp(&mut buffer, n_bytes).unwrap();
        assert_eq!(&buffer[..sealed], bytes(report), "{suite:?}");
    }
}

#[test]
fn what_was_changed_or_came_before_is_refused() {
    for (suite, packet, report) in SEALED {
        let mut srtp = srtp(suite);
        let (packet, report) = (bytes(packet), bytes(report));
        for idx in 0..packet.len() {
            let mut changed = packet.clone();
            changed[idx] ^= 0x10;
            assert_eq!(srtp.open_rtp(&mut changed), None, "{suite:?}, byte {idx}");
        }
        for idx in 0..report.len() {
            let mut changed = report.clone();
            changed[idx] ^= 0x10;
            assert_eq!(srtp.open_rtcp(&mut changed), None, "{suite:?}, byte {idx}");
        }
        for n_bytes in 0..packet.len() {
            assert_eq!(srtp.open_rtp(&mut packet.clone()[..n_bytes]), None);
        }
        for n_bytes in 0..report.len() {
            assert_eq!(srtp.open_rtcp(&mut report.clone()[..n_bytes]), None);
        }
        for is_first in [true, false] {
            let opened = srtp.open_rtp(&mut packet.clone()).is_some();
            assert_eq!(opened, is_first, "{suite:?}");
            let opened = srtp.open_rtcp(&mut report.clone()).is_some();
            assert_eq!(opened, is_first, "{suite:?}");
        }
    }
}

#[test]
fn numbers_go_on_after_the_sequence_begins_again() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let mut srtp = srtp(suite);
    let theirs = Session::new(&key(suite), Label::RTP).unwrap();
    for index in [
        0xfffe_u64, 0xffff, 0x1_0001, 0x1_0000, 0x1_8000, 0x1_fff0, 0x2_0005,
    ] {
        let mut packet = bytes(PACKET);
        packet[2..4].copy_from_slice(&(index as u16).to_be_bytes());
        let place = Place { ssrc: SSRC, index };
        let mut sealed = theirs.seal_rtp(&packet, HEAD_BYTES, place);
        let opened = srtp.open_rtp(&mut sealed).map(<[u8]>::to_vec);
        assert_eq!(opened, Some(packet), "{index:x}");
    }
}
