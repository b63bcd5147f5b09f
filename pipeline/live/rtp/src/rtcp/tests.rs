//! RTCP byte by byte.

use proptest::prelude::*;

use super::*;

/// A sender's report on nobody, from SSRC 0x01020304.
const SENDER: &[u8] = &[
    0x80, 200, 0, 6, 1, 2, 3, 4, 0xe0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0x1f, 0x40, 0, 0, 0, 50, 0, 0,
    0x1f, 0x40,
];
const GOODBYES: &[u8] = &[0x82, 203, 0, 2, 0, 0, 0, 7, 0, 0, 0, 8];

fn told(bytes: &[u8]) -> Vec<Result<RtcpPacket<'_>, RtcpError>> {
    read_rtcp(bytes).collect()
}

#[test]
fn a_datagram_packet_by_packet() {
    let description: &[u8] = &[0x81, 202, 0, 2, 1, 2, 3, 4, 1, 1, b'a', 0];
    let bytes = [SENDER, description, GOODBYES].concat();
    let packets = told(&bytes);
    let Ok(RtcpPacket::SenderReport { sent, reports }) = packets[0] else {
        panic!("{packets:?}");
    };
    let expected = SenderReport {
        ssrc: 0x0102_0304,
        ntp: 0xe000_0001_8000_0000,
        rtp_time: 8_000,
        n_packets: 50,
        n_bytes: 8_000,
    };
    assert_eq!((sent, reports.blocks().len()), (expected, 0));
    assert_eq!(packets[1], Ok(RtcpPacket::Other { kind: 202 }));
    let Ok(RtcpPacket::Goodbye(goodbye)) = packets[2] else {
        panic!("{packets:?}");
    };
    assert_eq!(goodbye.ssrcs().collect::<Vec<_>>(), [7, 8]);
    assert_eq!(packets.len(), 3);
}

#[test]
fn what_cannot_be_read() {
    // One that is too short for its count does not hide the next.
    let short: &[u8] = &[0x81, 201, 0, 1, 0, 0, 0, 1];
    let bytes = [short, GOODBYES].concat();
    let packets = told(&bytes);
    let wrong = Err(RtcpError::TooShort {
        kind: 201,
        count: 1,
    });
    assert_eq!(packets[0], wrong);
    assert!(matches!(packets[1], Ok(RtcpPacket::Goodbye(_))));
    for (bytes, expected) in [
        (&SENDER[..20], Some(RtcpError::Cut { n_missing_bytes: 8 })),
        (&[], None),
        (&[0x80], Some(RtcpError::Cut { n_missing_bytes: 3 })),
        (&[0x40, 201, 0, 0], Some(RtcpError::Version { version: 1 })),
        (
            &[0x80, 200, 0, 0],
            Some(RtcpError::TooShort {
                kind: 200,
                count: 0,
            }),
        ),
        (
            &[0x81, 203, 0, 0],
            Some(RtcpError::TooShort {
                kind: 203,
                count: 1,
            }),
        ),
    ] {
        let packets = told(bytes);
        let first = packets.first().copied();
        assert_eq!(first, expected.map(Err), "{bytes:02x?}");
    }
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let report = ReportBlock {
        ssrc: 0xdead_beef,
        fraction_lost: 25,
        lost: 12,
        highest_sequence: 0x0001_0203,
        jitter: 33,
        last_report: 0x0001_8000,
        delay: 65_536,
    };
    for (lost, cname) in [
        (12, ""),
        (-3, "a"),
        (0x7f_ffff, "ab"),
        (-0x80_0000, "abc"),
        (0, "auricle@host"),
    ] {
        let report = ReportBlock { lost, ..report };
        let mut out = [0xff; MOST_REPORT_BYTES];
        let n_bytes = write_receiver_report(&mut out, 9, Some(&report), cname).unwrap();
        assert!(n_bytes.is_multiple_of(4), "{cname}");
        let packets = told(&out[..n_bytes]);
        let Ok(RtcpPacket::ReceiverReport { ssrc: 9, reports }) = packets[0] else {
            panic!("{packets:?}");
        };
        assert_eq!(reports.blocks().collect::<Vec<_>>(), [report]);
        assert_eq!(packets[1], Ok(RtcpPacket::Other { kind: 202 }));
        assert_eq!(packets.len(), 2);
        // The last byte always ends the list.
        assert_eq!(out[n_bytes - 1], 0);
    }
}

#[test]
fn reports_that_cannot_be_written() {
    let mut out = [0; MOST_REPORT_BYTES];
    let none = write_receiver_report(&mut out, 9, None, "ab").unwrap();
    assert_eq!(
        out[..none],
        [
            0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 202, 0, 3, 0, 0, 0, 9, 1, 2, b'a', b'b', 0, 0, 0, 0
        ]
    );
    let name = "n".repeat(256);
    let wrong = write_receiver_report(&mut out, 9, None, &name);
    assert_eq!(wrong, Err(RtcpWriteError::LongName { n_bytes: 256 }));
    let report = ReportBlock::default();
    let longest = write_receiver_report(&mut out, 9, Some(&report), &name[..255]);
    assert!(longest.is_ok_and(|n_bytes| n_bytes <= MOST_REPORT_BYTES));
    let wrong = write_receiver_report(&mut out[..20], 9, None, "ab");
    assert_eq!(wrong, Err(RtcpWriteError::NoRoom { n_bytes: 20 }));
}

proptest! {
    #[test]
    fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let n = read_rtcp(&bytes).count();
        prop_assert!(n <= bytes.len() / 4 + 1);
    }

    /// The same with beginnings that are read on.
    #[test]
    fn any_bodies_come_to_an_end(kind in 200_u8..204, count in 0_u8..32, words in 0_u8..30, body in proptest::collection::vec(any::<u8>(), 0..120)) {
        let bytes = [&[0x80 | count, kind, 0, words], body.as_slice(), GOODBYES].concat();
        for packet in read_rtcp(&bytes).flatten() {
            let n = match packet {
                RtcpPacket::SenderReport { reports, .. }
                | RtcpPacket::ReceiverReport { reports, .. } => reports.blocks().count(),
                RtcpPacket::Goodbye(goodbye) => goodbye.ssrcs().count(),
                RtcpPacket::Other { .. } => 0,
            };
            prop_assert!(n < 32);
        }
    }
}
