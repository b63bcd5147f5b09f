//! What is captured of a leg.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auricle_rtp::rtcp::{RtcpPacket, read_rtcp};

use super::worker::{PORT, Turned};
use super::*;
use crate::srtp::seal_rtp;
use crate::{Capture, Direction, LegControl, SrtpKey, SrtpKeys, SrtpSuite};

const LONG: Duration = Duration::from_secs(60);

/// Captures the leg; the worker knows it.
fn capture(turned: &mut Turned, length: Duration) -> Capture {
    let control = LegControl::new(Arc::clone(&turned.shared));
    let capture = control.capture(length).unwrap();
    turned.worker.turn();
    capture
}

/// Which way each went, between which addresses, and its bytes.
fn captured(capture: &mut Capture) -> Vec<(Direction, SocketAddr, SocketAddr, Vec<u8>)> {
    let (mut captured, mut last) = (Vec::new(), None);
    while let Some(packet) = capture.next_packet() {
        assert!(Some(packet.at) >= last && packet.at <= Instant::now());
        last = Some(packet.at);
        let bytes = packet.bytes.to_vec();
        captured.push((packet.direction, packet.other, packet.own, bytes));
    }
    captured
}

#[test]
fn packets_are_captured_as_they_passed() {
    let mut turned = Turned::new(20, agreed(20));
    let (rtp, rtcp, stranger) = (sender(20, 2), sender(20, 2), sender(20, 3));
    let to = (ip(20, 1), PORT);
    rtp.send_to(&audio(PCMA, 0), to).unwrap();
    turned.turn_until(1);
    let mut capture = capture(&mut turned, LONG);
    rtp.send_to(&audio(PCMA, 1), to).unwrap();
    turned.turn_until(2);
    // What is not heard is what is looked for.
    stranger.send_to(b"?", to).unwrap();
    turned.turn_until(3);
    let mut report = vec![0x80, 200, 0, 6];
    report.extend_from_slice(&SSRC.to_be_bytes());
    report.extend_from_slice(&[0; 20]);
    rtcp.send_to(&report, (ip(20, 1), PORT + 1)).unwrap();
    turned.turn_until(4);
    // Longer than any of ours.
    rtp.send_to(&[0; 3_000], to).unwrap();
    turned.turn_until(5);
    let own = [PORT, PORT + 1].map(|port| SocketAddr::new(ip(20, 1), port));
    let other = [&rtp, &stranger, &rtcp].map(|socket| socket.local_addr().unwrap());
    let expected = [
        (Direction::Came, other[0], own[0], audio(PCMA, 1)),
        (Direction::Came, other[1], own[0], b"?".to_vec()),
        (Direction::Came, other[2], own[1], report),
    ];
    assert_eq!(captured(&mut capture), expected);
    assert_eq!(capture.n_left_out(), 1);
}

#[test]
fn reports_of_ours_are_captured() {
    let mut turned = Turned::new(
        21,
        LegAgreed {
            rtcp_to: Some(SocketAddr::new(ip(21, 2), 4_001)),
            ..agreed(21)
        },
    );
    let mut capture = capture(&mut turned, LONG);
    let rtp = sender(21, 2);
    rtp.send_to(&audio(PCMA, 1), (ip(21, 1), PORT)).unwrap();
    turned.turn_until(1);
    turned.worker.tick(Instant::now() + Duration::from_secs(9));
    let packets: Vec<_> = std::iter::from_fn(|| {
        let packet = capture.next_packet()?;
        Some((packet.direction, packet.other, packet.bytes.to_vec()))
    })
    .collect();
    assert_eq!(packets.len(), 2);
    let (direction, other, report) = &packets[1];
    assert_eq!(*direction, Direction::Sent);
    assert_eq!(*other, SocketAddr::new(ip(21, 2), 4_001));
    let first = read_rtcp(report).next();
    assert!(matches!(first, Some(Ok(RtcpPacket::ReceiverReport { .. }))));
}

#[test]
fn what_is_encrypted_stays_encrypted() {
    let key = SrtpKey::new(SrtpSuite::AesCm128HmacSha1_80, &[7; 30]).unwrap();
    let mut turned = Turned::new(
        22,
        LegAgreed {
            srtp: Some(SrtpKeys {
                theirs: key.clone(),
                ours: key.clone(),
            }),
            ..agreed(22)
        },
    );
    let mut capture = capture(&mut turned, LONG);
    let sealed = seal_rtp(&key, &audio(PCMA, 1), 1);
    let rtp = sender(22, 2);
    rtp.send_to(&sealed, (ip(22, 1), PORT)).unwrap();
    turned.turn_until(1);
    let captured = captured(&mut capture);
    assert_eq!(captured.len(), 1);
    assert_eq!(captured[0].3, sealed);
    assert!(turned.reader.next().is_some());
}

#[test]
fn a_leg_is_captured_once_at_a_time_and_to_its_end() {
    let mut turned = Turned::new(23, agreed(23));
    let control = LegControl::new(Arc::clone(&turned.shared));
    let first = capture(&mut turned, LONG);
    assert!(control.capture(LONG).is_none());
    drop(first);
    let mut second = control.capture(LONG).unwrap();
    turned.worker.turn();
    let rtp = sender(23, 2);
    rtp.send_to(&audio(PCMA, 1), (ip(23, 1), PORT)).unwrap();
    turned.turn_until(1);
    assert!(!second.is_over());
    control.close();
    turned.worker.turn();
    turned.worker.tick(Instant::now() + Duration::from_secs(1));
    assert!(second.is_over());
    assert_eq!(captured(&mut second).len(), 1);
    // Of a leg that is over nothing comes.
    drop(second);
    assert!(control.capture(LONG).unwrap().is_over());
}

#[test]
fn a_capture_ends_with_its_time() {
    let mut turned = Turned::new(24, agreed(24));
    let capture = capture(&mut turned, Duration::from_secs(2));
    turned.worker.tick(Instant::now() + Duration::from_secs(1));
    assert!(!capture.is_over());
    turned.worker.tick(Instant::now() + Duration::from_secs(3));
    assert!(capture.is_over());
}

#[test]
fn a_ring_without_room_counts_what_it_leaves_out() {
    let (shared, mut tap, mut capture) = {
        let turned = Turned::new(25, agreed(25));
        let shared = Arc::clone(&turned.shared);
        let control = LegControl::new(Arc::clone(&shared));
        let capture = control.capture(LONG).unwrap();
        // Taken before the worker does.
        let tap = shared.take_tap().unwrap();
        (shared, tap, capture)
    };
    let address = SocketAddr::new(ip(25, 1), PORT);
    let bytes = [9; 1_000];
    let mut n = 0_u64;
    while capture.n_left_out() == 0 {
        tap.take(&crate::capture::Passing {
            at: Instant::now(),
            direction: Direction::Came,
            own: address,
            other: address,
            bytes: Some(&bytes),
        });
        n += 1;
        assert!(n < 2_000);
    }
    assert_eq!(n - 1, (1 << 20) / 1_047);
    assert_eq!(captured(&mut capture).len() as u64, n - 1);
    assert!(!tap.is_over(Instant::now()));
    drop(capture);
    assert!(tap.is_over(Instant::now()));
    assert!(shared.claim_capture());
}
