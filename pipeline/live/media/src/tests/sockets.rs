//! Legs from end to end, by real sockets of this machine.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use auricle_rtp::Refusal;

use super::*;
use crate::srtp::seal_rtp;
use crate::{
    Coding, Heard, LegControl, Media, MediaError, MediaLeg, MediaSettings, SrtpKey, SrtpKeys,
    SrtpSuite,
};

const LONG: Duration = Duration::from_secs(20);

fn settings(address: IpAddr, ports: RangeInclusive<u16>) -> MediaSettings {
    MediaSettings {
        address,
        ports,
        n_workers: NonZeroUsize::new(2).unwrap(),
        receive_buffer_bytes: 1 << 18,
    }
}

fn media(test: u8, ports: RangeInclusive<u16>) -> Media {
    Media::start(&settings(ip(test, 1), ports)).unwrap()
}

/// A leg, and where it listens.
fn hear(media: &Media, agreed: LegAgreed) -> (MediaLeg, LegControl, u16) {
    let port = media.take_port().unwrap();
    let number = port.rtp_port();
    assert_eq!(port.rtcp_port(), number + 1);
    let (leg, control) = port.hear(agreed, Instant::now(), 8_000);
    (leg, control, number)
}

/// All audio until the leg is over: samples by their places. No two share one, and they come in order.
async fn heard(leg: &mut MediaLeg) -> BTreeMap<u64, u8> {
    let mut samples = BTreeMap::new();
    let mut end = 0;
    while let Some(piece) = tokio::time::timeout(LONG, leg.next()).await.unwrap() {
        let Heard::Audio { at, coding, bytes } = piece else {
            continue;
        };
        assert_eq!(coding, Coding::Alaw);
        assert!(at >= end, "{at} lies before {end}");
        end = at + bytes.len() as u64;
        samples.extend((at..).zip(bytes.iter().copied()));
    }
    samples
}

#[tokio::test]
async fn two_legs_are_heard_in_order() {
    let media = media(10, 40_000..=40_009);
    let mut legs: Vec<_> = (0..2).map(|_| hear(&media, agreed(10))).collect();
    let rtp = sender(10, 2);
    // Overtaken, twice, and 7 never.
    for sequence in [
        0_u16, 2, 1, 3, 3, 4, 6, 5, 8, 10, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19,
    ] {
        for (idx, (_, _, port)) in legs.iter().enumerate() {
            // Legs are told apart by what they say.
            let payload = [sequence as u8 + 100 * idx as u8; PACKET];
            let timestamp = u32::from(sequence) * PACKET as u32;
            let packet = packet(PCMA, sequence, timestamp, &payload);
            rtp.send_to(&packet, (ip(10, 1), *port)).unwrap();
        }
    }
    for (idx, (leg, control, _)) in legs.iter_mut().enumerate() {
        control.close();
        let samples = heard(leg).await;
        let (first, _) = samples.first_key_value().unwrap();
        for sequence in (0..20_u64).filter(|sequence| *sequence != 7) {
            for sample in 0..PACKET as u64 {
                let place = first + sequence * PACKET as u64 + sample;
                let expected = sequence as u8 + 100 * idx as u8;
                assert_eq!(
                    samples.get(&place),
                    Some(&expected),
                    "leg {idx}, {sequence}"
                );
            }
        }
        let line = control.line();
        assert_eq!(line.stats.received, 19);
        assert_eq!(line.stats.lost, 1);
        assert_eq!(line.stats.refused.of(Refusal::Duplicate), 1);
        assert_eq!(line.codec, Some(AudioFormat::Pcma));
        assert!(line.first_packet_ms <= line.last_packet_ms);
    }
    let counts = media.counts();
    assert_eq!(counts.datagrams, 40);
    assert_eq!(counts.bytes, 40 * 172);
    assert_eq!((counts.ports, counts.ports_in_use), (5, 0));
}

#[tokio::test]
async fn only_the_source_that_was_agreed_is_heard() {
    let media = media(11, 40_000..=40_001);
    let (mut leg, control, port) = hear(&media, agreed(11));
    for sequence in 0..10 {
        let packet = audio(PCMA, sequence);
        sender(11, 3).send_to(&packet, (ip(11, 1), port)).unwrap();
    }
    control.close();
    assert!(heard(&mut leg).await.is_empty());
    let line = control.line();
    assert_eq!(line.stats.refused.of(Refusal::Address), 10);
    assert_eq!((line.first_packet_ms, line.codec), (None, None));
}

#[tokio::test]
async fn encrypted_legs_are_heard() {
    let media = media(12, 40_000..=40_009);
    for suite in [
        SrtpSuite::AesCm128HmacSha1_80,
        SrtpSuite::AesCm128HmacSha1_32,
    ] {
        let key = SrtpKey::new(suite, &[7; 30]).unwrap();
        let (mut leg, control, port) = hear(
            &media,
            LegAgreed {
                srtp: Some(SrtpKeys {
                    theirs: key.clone(),
                    ours: key.clone(),
                }),
                ..agreed(12)
            },
        );
        let rtp = sender(12, 2);
        for sequence in 0..5 {
            let sealed = seal_rtp(&key, &audio(PCMA, sequence), u64::from(sequence));
            for _ in 0..2 {
                rtp.send_to(&sealed, (ip(12, 1), port)).unwrap();
            }
        }
        control.close();
        assert_eq!(heard(&mut leg).await.len(), 5 * PACKET);
        assert_eq!(control.line().unauthentic, 5, "{suite:?}");
    }
    assert_eq!(media.counts().unauthentic, 10);
}

#[tokio::test]
async fn another_codec_goes_on() {
    let media = media(13, 40_000..=40_001);
    let (mut leg, control, port) = hear(&media, agreed(13));
    let rtp = sender(13, 2);
    rtp.send_to(&audio(PCMA, 0), (ip(13, 1), port)).unwrap();
    let first = tokio::time::timeout(LONG, leg.next()).await.unwrap();
    let Some(Heard::Audio { at: first, .. }) = first else {
        panic!("nothing was heard");
    };
    control.agree(LegAgreed {
        formats: smallvec![(PCMU, AudioFormat::Pcmu)],
        ..agreed(13)
    });
    // Until the worker has heard of it.
    for sequence in 1..1_000 {
        rtp.send_to(&audio(PCMU, sequence), (ip(13, 1), port))
            .unwrap();
        let next = tokio::time::timeout(Duration::from_millis(20), leg.next()).await;
        if let Ok(Some(Heard::Audio { at, coding, .. })) = next {
            assert_eq!(coding, Coding::Ulaw);
            assert!(at >= first + PACKET as u64);
            return;
        }
    }
    panic!("it is not heard");
}

#[tokio::test]
async fn a_leg_ends_with_its_media_and_with_its_reader() {
    let media = media(14, 40_000..=40_003);
    let (leg, _control, _) = hear(&media, agreed(14));
    drop(leg);
    let until = Instant::now() + LONG;
    while media.counts().ports_in_use > 0 {
        assert!(Instant::now() < until, "the port is not free");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let port = media.take_port().unwrap();
    let (mut leg, _control, _) = hear(&media, agreed(14));
    drop(media);
    assert!(heard(&mut leg).await.is_empty());
    // A port that outlived it hears nothing.
    let (mut leg, _control) = port.hear(agreed(14), Instant::now(), 8_000);
    assert!(heard(&mut leg).await.is_empty());
}

#[tokio::test]
async fn both_families_by_one_address() {
    let media = Media::start(&settings(Ipv6Addr::UNSPECIFIED.into(), 46_000..=46_099)).unwrap();
    let (mut leg, control, port) = hear(
        &media,
        LegAgreed {
            source: Source::Given(ip(15, 2)),
            ..agreed(15)
        },
    );
    let to = (ip(15, 1), port);
    sender(15, 2).send_to(&audio(PCMA, 0), to).unwrap();
    control.close();
    assert_eq!(heard(&mut leg).await.len(), PACKET);
}

#[test]
fn ports_are_given_back() {
    let media = media(16, 40_001..=40_008);
    // Another program's; and its RTCP is as good a reason.
    let other = UdpSocket::bind((ip(16, 1), 40_005)).unwrap();
    let first = media.take_port().unwrap();
    let second = media.take_port().unwrap();
    assert_eq!((first.rtp_port(), second.rtp_port()), (40_002, 40_006));
    let none = media.take_port().unwrap_err();
    assert!(matches!(none, MediaError::NoPort { .. }));
    assert_eq!(
        none.to_string(),
        "no port is left in `ports`, `40001` to `40008`\nhint: a leg needs two"
    );
    drop(other);
    drop(first);
    assert_eq!(media.counts().ports_in_use, 1);
    // The one that was free longest.
    assert_eq!(media.take_port().unwrap().rtp_port(), 40_004);
    assert_eq!(media.take_port().unwrap().rtp_port(), 40_002);
}

#[test]
fn ranges_without_a_pair() {
    for ports in [40_001..=40_002, 40_000..=40_000, 40_003..=40_003] {
        let error = Media::start(&settings(ip(17, 1), ports)).unwrap_err();
        assert!(matches!(error, MediaError::Range { .. }), "{error}");
    }
}
