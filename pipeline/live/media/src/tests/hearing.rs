//! A leg of a worker, without sockets.

use std::net::SocketAddr;

use auricle_rtp::Refusal;
use auricle_rtp::rtcp::{MOST_REPORT_BYTES, RtcpPacket, read_rtcp};

use super::*;
use crate::hearing::{Channel, Hearing};
use crate::record::{Record, RecordReader, records};
use crate::reports::Reports;
use crate::srtp::{MOST_RTCP_MORE_BYTES, Srtp, seal_rtp};
use crate::{SrtpKey, SrtpKeys, SrtpSuite};

/// No sockets: all tests may share it.
const TEST: u8 = 0;

fn from(number: u8) -> SocketAddr {
    SocketAddr::new(ip(TEST, number), 4_000)
}

fn hearing(agreed: LegAgreed) -> (Hearing, RecordReader) {
    let (writer, reader) = records();
    let hearing = Hearing::new(agreed, 8_000, writer, Reports::new());
    (hearing, reader)
}

fn take(hearing: &mut Hearing, datagram: &[u8], now_ms: u64) {
    let mut datagram = datagram.to_vec();
    hearing.take(Channel::Rtp, from(2), &mut datagram, now_ms * 1_000);
}

/// What was told: payload types with places, digits, and what was agreed.
fn told(reader: &mut RecordReader) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(record) = reader.next() {
        told.push(match record {
            Record::Audio {
                at, payload_type, ..
            } => format!("{payload_type} at {at}"),
            Record::Silence { at } => format!("silence at {at}"),
            Record::Digit(digit) => format!("{} at {}", digit.digit, digit.at),
            Record::Agreed { clock_hz, formats } => format!("agreed {clock_hz} {formats:?}"),
        });
    }
    told
}

fn keys(suite: SrtpSuite, first: u8) -> SrtpKeys {
    let n_bytes = suite.key_bytes() + suite.salt_bytes();
    let key = |first: u8| {
        (0..n_bytes as u8)
            .map(|it| it.wrapping_add(first))
            .collect()
    };
    let new = |bytes: Vec<u8>| SrtpKey::new(suite, &bytes).unwrap();
    SrtpKeys {
        theirs: new(key(first)),
        ours: new(key(first.wrapping_add(100))),
    }
}

/// A sender's report on its source.
fn sender_report() -> Vec<u8> {
    let mut report = vec![0x80, 200, 0, 6];
    report.extend_from_slice(&SSRC.to_be_bytes());
    report.extend_from_slice(&[0; 20]);
    report
}

#[test]
fn what_comes_is_told() {
    let (mut hearing, mut reader) = hearing(agreed(TEST));
    take(&mut hearing, &audio(PCMA, 1), 20);
    take(&mut hearing, &packet(13, 2, 320, &[60]), 40);
    // A digit whose end was lost.
    let digit = packet(EVENTS, 3, 1_600, &[5, 10, 3, 32]);
    take(&mut hearing, &digit, 200);
    hearing.check_time(300_000);
    assert_eq!(told(&mut reader).len(), 2);
    hearing.check_time(500_000);
    let told = told(&mut reader);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("5 at "), "{told:?}");
    let line = hearing.line();
    assert_eq!(line.first_packet_ms, Some(20));
    assert_eq!(line.last_packet_ms, Some(200));
    assert_eq!((line.stats.events, line.stats.comfort_noise), (1, 1));
}

#[test]
fn what_cannot_be_read_is_counted() {
    let (mut hearing, mut reader) = hearing(agreed(TEST));
    take(&mut hearing, b"", 0);
    take(&mut hearing, &[0; 20], 0);
    take(&mut hearing, &[0x80, 200, 0, 100, 0, 0, 0, 0], 0);
    hearing.take_cut();
    assert_eq!(hearing.tally().unreadable, 4);
    // Another address.
    let mut stranger = audio(PCMA, 1);
    hearing.take(Channel::Rtp, from(3), &mut stranger, 0);
    let line = hearing.line();
    assert_eq!(line.stats.refused.of(Refusal::Address), 1);
    assert_eq!(line.first_packet_ms, None);
    assert!(told(&mut reader).is_empty());
}

#[test]
fn what_nobody_signed_is_refused() {
    for suite in [
        SrtpSuite::AesCm128HmacSha1_80,
        SrtpSuite::AesCm128HmacSha1_32,
        SrtpSuite::AeadAes128Gcm,
    ] {
        let keys = keys(suite, 1);
        let (mut hearing, mut reader) = hearing(LegAgreed {
            srtp: Some(keys.clone()),
            ..agreed(TEST)
        });
        let sealed = seal_rtp(&keys.theirs, &audio(PCMA, 1), 1);
        take(&mut hearing, &sealed, 20);
        assert_eq!(told(&mut reader), ["8 at 160"], "{suite:?}");
        // Again; changed; with our key; not encrypted.
        take(&mut hearing, &sealed, 30);
        let mut changed = seal_rtp(&keys.theirs, &audio(PCMA, 2), 2);
        changed[40] ^= 1;
        take(&mut hearing, &changed, 40);
        take(&mut hearing, &seal_rtp(&keys.ours, &audio(PCMA, 2), 2), 40);
        take(&mut hearing, &audio(PCMA, 2), 40);
        assert_eq!(hearing.tally().unauthentic, 4, "{suite:?}");
        assert!(told(&mut reader).is_empty());
        take(
            &mut hearing,
            &seal_rtp(&keys.theirs, &audio(PCMA, 2), 2),
            40,
        );
        assert_eq!(told(&mut reader), ["8 at 320"], "{suite:?}");
    }
}

#[test]
fn another_codec_goes_on_under_the_same_keys() {
    let keys = keys(SrtpSuite::AesCm128HmacSha1_80, 1);
    let first = LegAgreed {
        srtp: Some(keys.clone()),
        ..agreed(TEST)
    };
    let second = LegAgreed {
        formats: smallvec![(PCMU, AudioFormat::Pcmu)],
        ..first.clone()
    };
    let (mut hearing, mut reader) = hearing(first.clone());
    let seal = |payload_type, sequence: u16| {
        let packet = audio(payload_type, sequence);
        seal_rtp(&keys.theirs, &packet, u64::from(sequence))
    };
    take(&mut hearing, &seal(PCMA, 1), 20);
    // What is the same changes nothing.
    hearing.agree(first);
    take(&mut hearing, &seal(PCMA, 2), 40);
    hearing.agree(second);
    assert_eq!(told(&mut reader), ["8 at 160", "8 at 320"]);
    // What came before the change came before.
    take(&mut hearing, &seal(PCMA, 2), 50);
    assert_eq!(hearing.tally().unauthentic, 1);
    take(&mut hearing, &seal(PCMA, 3), 60);
    take(&mut hearing, &seal(PCMU, 4), 80);
    assert_eq!(
        told(&mut reader),
        ["agreed 8000 [(0, Pcmu)]", "0 at 640"],
        "where it came"
    );
    let stats = hearing.line().stats;
    assert_eq!(stats.received, 3);
    assert_eq!(stats.refused.of(Refusal::PayloadType), 1);
}

#[test]
fn other_keys_open_what_the_first_do_not() {
    let (old, new) = (
        keys(SrtpSuite::AesCm128HmacSha1_80, 1),
        keys(SrtpSuite::AeadAes256Gcm, 9),
    );
    let with = |keys: &SrtpKeys| LegAgreed {
        srtp: Some(keys.clone()),
        ..agreed(TEST)
    };
    let (mut hearing, mut reader) = hearing(with(&old));
    take(&mut hearing, &seal_rtp(&old.theirs, &audio(PCMA, 1), 1), 20);
    hearing.agree(with(&new));
    take(&mut hearing, &seal_rtp(&old.theirs, &audio(PCMA, 2), 2), 40);
    take(&mut hearing, &seal_rtp(&new.theirs, &audio(PCMA, 3), 3), 60);
    // The receiver is the same: no new agreement is told.
    assert_eq!(told(&mut reader), ["8 at 160", "8 at 480"]);
    assert_eq!(hearing.tally().unauthentic, 1);
}

#[test]
fn a_ring_that_is_full_takes_no_more() {
    let (mut hearing, mut reader) = hearing(agreed(TEST));
    for sequence in 0..600 {
        take(&mut hearing, &audio(PCMA, sequence), u64::from(sequence));
    }
    let line = hearing.line();
    let n_flood = line.stats.refused.of(Refusal::Flood);
    assert_eq!(n_flood, 100, "500 in a second are enough");
    let n_told = told(&mut reader).len() as u64;
    assert_eq!(n_told + line.tally.no_room, 500);
    assert!(n_told > 100, "two seconds fit in");
}

#[test]
fn what_was_agreed_waits_for_room_and_audio_behind_it() {
    let (mut hearing, mut reader) = hearing(agreed(TEST));
    for sequence in 0..300 {
        take(
            &mut hearing,
            &audio(PCMA, sequence),
            20 * u64::from(sequence),
        );
    }
    // What is left has room for less than what will be agreed.
    for sequence in 300..310 {
        let timestamp = 160 * 300 + u32::from(sequence - 300);
        take(
            &mut hearing,
            &packet(PCMA, sequence, timestamp, &[0xd5]),
            6_000,
        );
    }
    hearing.agree(LegAgreed {
        formats: smallvec![(PCMU, AudioFormat::Pcmu)],
        ..agreed(TEST)
    });
    take(&mut hearing, &audio(PCMU, 310), 6_200);
    let n_told = told(&mut reader).len() as u64;
    assert_eq!(n_told + hearing.tally().no_room, 311);
    take(&mut hearing, &audio(PCMU, 311), 6_220);
    assert_eq!(told(&mut reader), ["agreed 8000 [(0, Pcmu)]", "0 at 49760"]);
}

#[test]
fn reports_go_to_who_is_heard() {
    let buffer = || [0; MOST_REPORT_BYTES + MOST_RTCP_MORE_BYTES];
    let (mut hearing, _reader) = hearing(agreed(TEST));
    let report = |hearing: &mut Hearing, number: u8, now_us: u64| {
        let mut datagram = sender_report();
        hearing.take(Channel::Rtcp, from(number), &mut datagram, now_us);
    };
    report(&mut hearing, 2, 0);
    take(&mut hearing, &audio(PCMA, 1), 20);
    assert!(
        hearing.report(9_000_000, &mut buffer()).is_none(),
        "nobody asked"
    );
    // A stranger who knows the source.
    report(&mut hearing, 3, 30_000);
    assert!(
        hearing.report(9_000_000, &mut buffer()).is_none(),
        "a stranger"
    );
    report(&mut hearing, 2, 40_000);
    let mut bytes = buffer();
    let (to, bytes) = hearing.report(9_000_000, &mut bytes).unwrap();
    assert_eq!(to, from(2));
    let Some(Ok(RtcpPacket::ReceiverReport { reports, .. })) = read_rtcp(bytes).next() else {
        panic!("no report");
    };
    assert_eq!(reports.blocks().next().map(|it| it.ssrc), Some(SSRC));
    assert!(
        hearing.report(99_000_000, &mut buffer()).is_none(),
        "no news"
    );
}

#[test]
fn reports_are_encrypted_where_packets_are() {
    let keys = keys(SrtpSuite::AesCm128HmacSha1_80, 1);
    let (mut hearing, _reader) = hearing(LegAgreed {
        srtp: Some(keys.clone()),
        rtcp_to: Some(from(7)),
        ..agreed(TEST)
    });
    take(
        &mut hearing,
        &seal_rtp(&keys.theirs, &audio(PCMA, 1), 1),
        20,
    );
    let mut buffer = [0; MOST_REPORT_BYTES + MOST_RTCP_MORE_BYTES];
    let (to, report) = hearing.report(9_000_000, &mut buffer).unwrap();
    assert_eq!(to, from(7));
    let mut report = report.to_vec();
    // The other end's view.
    let mut theirs = Srtp::new(&SrtpKeys {
        theirs: keys.ours.clone(),
        ours: keys.theirs.clone(),
    })
    .unwrap();
    let opened = theirs.open_rtcp(&mut report).unwrap();
    let first = read_rtcp(opened).next();
    assert!(matches!(first, Some(Ok(RtcpPacket::ReceiverReport { .. }))));
}
