//! A leg packet by packet.

mod drifting;
mod places;
mod sources;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::*;
use crate::rtp::RtpHeader;

/// When calls are opened here.
const OPENED_US: u64 = 7_000_000;
/// 20 ms.
const AUDIO: &[u8] = &[0xd5; 160];
const SSRC: u32 = 0xa11c_e000;

/// Where packets come from.
fn address(number: u8) -> SocketAddr {
    SocketAddr::new(ip(number), 10_000)
}

fn ip(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
}

/// G.711 from an address that was agreed: the first packet is heard.
fn given() -> ReceiverConfig {
    ReceiverConfig {
        source: Source::Given(ip(1)),
        ..ReceiverConfig::default()
    }
}

fn audio(sequence: u16, timestamp: u32) -> RtpPacket<'static> {
    packet(8, sequence, timestamp, AUDIO)
}

fn packet(payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> RtpPacket<'_> {
    let header = RtpHeader {
        marker: false,
        payload_type,
        sequence,
        timestamp,
        ssrc: SSRC,
    };
    RtpPacket { header, payload }
}

/// The place of what is heard.
fn at(received: Received<'_>) -> Option<u64> {
    match received {
        Received::Heard { at, .. } => Some(at),
        _ => None,
    }
}

/// Whether no two of these places of 20 ms have a sample in common.
fn are_apart(mut places: Vec<u64>) -> bool {
    places.sort_unstable();
    places.windows(2).all(|pair| pair[0] + 160 <= pair[1])
}

#[test]
fn a_pause_is_told_from_loss() {
    let mut config = given();
    config.payloads.push((101, Payload::Event));
    let mut receiver = Receiver::new(&config, OPENED_US);
    let mut pause = |payload_type: u8, sequence: u16, timestamp: u32| {
        let now_us = OPENED_US + u64::from(timestamp) * 125;
        let payload = if payload_type == 101 {
            &[1, 10, 0, 160][..]
        } else {
            AUDIO
        };
        let packet = packet(payload_type, sequence, timestamp, payload);
        match receiver.take(address(1), &packet, now_us) {
            Received::Heard { pause_from, .. } => pause_from,
            _ => None,
        }
    };
    assert_eq!(pause(0, 1, 800), None);
    assert_eq!(pause(0, 2, 960), None, "no time between");
    assert_eq!(pause(0, 3, 1_600), Some(1_120));
    assert_eq!(pause(0, 5, 2_400), None, "one is missing");
    assert_eq!(pause(0, 4, 1_760), None, "late");
    assert_eq!(pause(101, 6, 2_560), None);
    assert_eq!(pause(0, 7, 3_200), Some(2_560), "a digit");
}

#[test]
fn what_a_packet_is() {
    let mut config = given();
    config.payloads.push((101, Payload::Event));
    let mut receiver = Receiver::new(&config, OPENED_US);
    let mut take = |payload_type: u8, sequence: u16, timestamp: u32, payload: &'static [u8]| {
        let now_us = OPENED_US + u64::from(timestamp) * 125;
        let packet = packet(payload_type, sequence, timestamp, payload);
        receiver.take(address(1), &packet, now_us)
    };
    assert_eq!(
        take(0, 1, 800, AUDIO),
        Received::Heard {
            at: 800,
            pause_from: None,
            payload_type: 0,
            payload: AUDIO
        }
    );
    // The other law, in the midst.
    assert_eq!(at(take(8, 2, 960, AUDIO)), Some(960));
    let noise = take(13, 3, 1_120, &[60]);
    let expected = Received::ComfortNoise {
        at: 1_120,
        payload: &[60],
    };
    assert_eq!(noise, expected);
    let event = take(101, 4, 8_000, &[1, 10, 0, 160]);
    let expected = EventPacket {
        at: 8_000,
        source: 1,
        timestamp: 8_000,
        payload: &[1, 10, 0, 160],
    };
    assert_eq!(event, Received::Event(expected));
    assert_eq!(format!("{event:?}"), "Event(at 8000)");
    let refused = take(96, 5, 8_160, AUDIO);
    assert_eq!(refused, Received::Refused(Refusal::PayloadType));
    let refused = take(0, 6, 8_320, &[]);
    assert_eq!(refused, Received::Refused(Refusal::Empty));
    let heard = take(0, 7, 8_480, AUDIO);
    assert_eq!(format!("{heard:?}"), "Heard(160 bytes of type 0 at 8480)");
    let stats = receiver.stats();
    assert_eq!((stats.expected, stats.lost), (7, 0));
    assert_eq!((stats.comfort_noise, stats.events), (1, 1));
    assert_eq!(stats.refused.total(), 2);
}

#[test]
fn clocks_of_other_rates() {
    let mut config = given();
    config.clock_hz = 48_000;
    config
        .payloads
        .push((111, Payload::Audio(Length::Packet { ticks: 960 })));
    let mut receiver = Receiver::new(&config, OPENED_US);
    let mut take = |sequence: u16| {
        let packet = packet(111, sequence, u32::from(sequence) * 960, &[1, 2, 3]);
        let now_us = OPENED_US + u64::from(sequence) * 20_000;
        at(receiver.take(address(1), &packet, now_us))
    };
    assert_eq!(
        (take(5), take(6), take(8)),
        (Some(800), Some(960), Some(1_280))
    );
}

#[test]
fn lengths_of_payloads() {
    let blocks = |block_bytes, block_ticks| Length::Blocks {
        block_bytes,
        block_ticks,
    };
    for (length, n_bytes, ticks) in [
        (Length::SAMPLE_BYTES, 160, 160),
        (Length::SAMPLE_PAIRS, 321, 160),
        (blocks(10, 80), 20, 160),
        (blocks(10, 80), 9, 0),
        (blocks(0, 1), 9, 9),
        (Length::Packet { ticks: 960 }, 1, 960),
        (Length::Packet { ticks: 960 }, 0, 0),
    ] {
        assert_eq!(length.ticks(&vec![0; n_bytes]), ticks, "{length:?}");
    }
}

#[test]
fn more_than_can_be_speech_is_not_heard() {
    let mut receiver = Receiver::new(&given(), OPENED_US);
    let mut n_heard = 0;
    for number in 0..2_000_u16 {
        // A thousand packets a second, for two seconds.
        let now_us = OPENED_US + u64::from(number) * 1_000;
        let packet = audio(number, u32::from(number) * 160);
        n_heard += usize::from(at(receiver.take(address(1), &packet, now_us)).is_some());
    }
    assert_eq!(n_heard, 1_000);
    assert_eq!(receiver.stats().refused.of(Refusal::Flood), 1_000);
    // Somebody else's do not count.
    let mut receiver = Receiver::new(&given(), OPENED_US);
    for number in 0..2_000_u16 {
        receiver.take(address(2), &audio(number, 0), OPENED_US);
    }
    assert!(at(receiver.take(address(1), &audio(0, 0), OPENED_US)).is_some());
    assert_eq!(receiver.stats().refused.of(Refusal::Address), 2_000);
}

#[test]
fn what_is_reported() {
    let mut receiver = Receiver::new(&given(), OPENED_US);
    assert_eq!(receiver.report(OPENED_US), None);
    // Each fourth is lost.
    for number in (0..100_u16).filter(|number| number % 4 != 2) {
        let now_us = OPENED_US + u64::from(number) * 20_000;
        let packet = audio(65_500_u16.wrapping_add(number), u32::from(number) * 160);
        receiver.take(address(1), &packet, now_us);
    }
    let sent = SenderReport {
        ssrc: SSRC,
        ntp: 0x1111_2222_3333_4444,
        rtp_time: 0,
        n_packets: 0,
        n_bytes: 0,
    };
    receiver.take_sender_report(&sent, OPENED_US);
    receiver.take_sender_report(&SenderReport { ssrc: 5, ..sent }, OPENED_US + 9);
    let report = receiver.report(OPENED_US + 500_000).unwrap();
    let expected = ReportBlock {
        ssrc: SSRC,
        fraction_lost: 64,
        lost: 25,
        highest_sequence: 0x1_0000 + 63,
        jitter: 0,
        last_report: 0x2222_3333,
        delay: 32_768,
    };
    assert_eq!(report, expected);
    // Nothing more was lost since.
    let report = receiver.report(OPENED_US).unwrap();
    assert_eq!((report.fraction_lost, report.lost), (0, 25));
    let stats = receiver.stats();
    assert_eq!((stats.expected, stats.received, stats.lost), (100, 75, 25));
    assert_eq!(stats.burst_ratio, 1.0);
    assert_eq!((stats.jitter_ms, stats.skew_ppm), (0.0, None));
}

#[test]
fn jitter_is_that_of_the_rfc() {
    let mut receiver = Receiver::new(&given(), OPENED_US);
    // Every other packet comes 16 ms late: differences of 128 ticks.
    for number in 0..400_u16 {
        let late_us = if number.is_multiple_of(2) { 0 } else { 16_000 };
        let now_us = OPENED_US + u64::from(number) * 20_000 + late_us;
        receiver.take(address(1), &audio(number, u32::from(number) * 160), now_us);
    }
    let stats = receiver.stats();
    assert!((stats.jitter_ms - 16.0).abs() < 0.01, "{stats:?}");
    assert!(stats.max_jitter_ms >= stats.jitter_ms);
    // A packet that is far too late counts where it comes too late to be waited for.
    for (number, late) in [(410, 0), (409, 0), (402, 0), (401, 1)] {
        receiver.take(
            address(1),
            &audio(number, u32::from(number) * 160),
            OPENED_US + 8_200_000,
        );
        assert_eq!(receiver.stats().late, late, "{number}");
    }
    assert_eq!(receiver.stats().reordered, 3);
}
