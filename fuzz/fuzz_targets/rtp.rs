//! Any datagrams with any times as the legs of calls: what is heard of a leg lies apart, and is counted.
#![no_main]

use std::net::{IpAddr, SocketAddr};

use auricle_rtp::rtcp::{RtcpPacket, read_rtcp};
use auricle_rtp::{
    Codec, Digits, Length, Payload, Received, Receiver, ReceiverConfig, RtpPacket, Source, is_rtcp,
    mos,
};
use libfuzzer_sys::fuzz_target;

/// Time that passes at most between two datagrams.
const MOST_STEP_US: u64 = 8_000_000;

/// Bytes of this fuzzer's own before each datagram: length, step of time (2), address.
const OWN_BYTES: usize = 4;

fn config(source: Source) -> ReceiverConfig {
    let mut config = ReceiverConfig {
        source,
        ..ReceiverConfig::default()
    };
    config.payloads.push((101, Payload::Event));
    config
        .payloads
        .push((11, Payload::Audio(Length::SAMPLE_PAIRS)));
    config
}

/// Hears datagrams; those of one leg, in whatever order they come, must not share a place.
fn hear(mut bytes: &[u8], source: Source) {
    let mut receiver = Receiver::new(&config(source), 0);
    let mut digits = Digits::new(8_000);
    let mut spans: Vec<(u64, u64)> = Vec::new();
    let (mut now_us, mut n_rtp) = (0_u64, 0_u64);
    while let Some(([length, high, low, from], rest)) = bytes.split_first_chunk::<OWN_BYTES>() {
        let (datagram, behind) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = behind;
        let step = u64::from(u16::from_be_bytes([*high, *low]));
        now_us += step * MOST_STEP_US / u64::from(u16::MAX);
        if is_rtcp(datagram) {
            control(datagram, &mut receiver, now_us);
            continue;
        }
        let Ok(packet) = RtpPacket::parse(datagram) else {
            continue;
        };
        n_rtp += 1;
        let from = SocketAddr::new(IpAddr::from([192, 0, 2, *from % 4]), 10_000);
        match receiver.take(from, &packet, now_us) {
            Received::Heard {
                at,
                payload_type,
                payload,
                ..
            } => {
                let sample_bytes = if payload_type == 11 { 2 } else { 1 };
                spans.push((at, at + (payload.len() / sample_bytes) as u64));
            }
            Received::Event(event) => {
                assert!(
                    !digits.take(&event, now_us).spilled(),
                    "nothing is allocated"
                );
            }
            Received::ComfortNoise { .. } | Received::Refused(_) => {}
        }
        digits.check_time(now_us);
    }
    spans.sort_unstable();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    let stats = receiver.stats();
    assert!(stats.received <= stats.expected);
    assert!(
        spans.len() as u64 + stats.refused.total() + stats.events + stats.comfort_noise >= n_rtp
    );
    assert!((1.0..=4.5).contains(&mos(Codec::G711, &stats, 0.0)));
}

fn control(datagram: &[u8], receiver: &mut Receiver, now_us: u64) {
    for packet in read_rtcp(datagram).flatten() {
        match packet {
            RtcpPacket::SenderReport { sent, .. } => receiver.take_sender_report(&sent, now_us),
            RtcpPacket::Goodbye(goodbye) => {
                goodbye.ssrcs().for_each(|ssrc| receiver.take_goodbye(ssrc));
            }
            RtcpPacket::ReceiverReport { .. } | RtcpPacket::Other { .. } => {}
        }
    }
    let _ = receiver.report(now_us);
}

fuzz_target!(|bytes: &[u8]| {
    let given = Source::Given(IpAddr::from([192_u8, 0, 2, 1]));
    for source in [Source::AnyThenLock, Source::Any, given] {
        hear(bytes, source);
    }
    // As control packets, too, whatever they begin with.
    let n_packets = read_rtcp(bytes).count();
    assert!(n_packets <= bytes.len() / 4 + 1);
});
