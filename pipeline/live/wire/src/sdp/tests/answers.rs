//! Answers to offers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{offers, parse, warnings};
use crate::Limits;
use crate::sdp::*;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 200));
const OURS: Origin = Origin {
    session_id: 7,
    version: 1,
};
const WANTED: [CodecKind; 5] = [
    CodecKind::Pcma,
    CodecKind::Pcmu,
    CodecKind::G722,
    CodecKind::L16,
    CodecKind::Opus,
];
const SUITES: [CryptoSuite; 2] = [
    CryptoSuite::AesCm128HmacSha1_80,
    CryptoSuite::Aes256CmHmacSha1_80,
];

fn own_key(theirs: &Crypto) -> OwnKey {
    let suite = theirs.key.suite();
    let bytes = vec![7; suite.key_bytes() + suite.salt_bytes()];
    OwnKey {
        tag: theirs.tag,
        key: MasterKey::new(suite, bytes).unwrap(),
    }
}

/// What is taken of a medium at ports from 50,000 on, if anything is.
fn accepted(media_idx: usize, media: &Media) -> Option<Accepted> {
    let chosen = media.choose(&WANTED)?;
    let crypto = match media.profile.is_secure() {
        true => Some(own_key(media.choose_crypto(&SUITES)?)),
        false => None,
    };
    let port = 50_000 + 2 * u16::try_from(media_idx).unwrap();
    let rtcp = match media.rtcp_mux {
        true => RtcpPort::Muxed,
        false => RtcpPort::At(port + 1),
    };
    Some(Accepted {
        chosen,
        port,
        rtcp,
        crypto,
    })
}

/// An answer that takes what it can.
fn accept_all(offer: &SessionDescription) -> Answer<'_> {
    let mut answer = Answer::new(offer, OURS, ADDRESS);
    for (media_idx, media) in offer.media.iter().enumerate() {
        if let Some(accepted) = accepted(media_idx, media) {
            answer.accept(media_idx, accepted).unwrap();
        }
    }
    answer
}

#[test]
fn answers_to_offers() {
    let check = |offer: &str, expected: &[&str]| {
        let offer = parse(offer);
        let answer = accept_all(&offer).to_string();
        let begin = [
            "v=0",
            "o=- 7 1 IN IP4 192.0.2.200",
            "s=-",
            "c=IN IP4 192.0.2.200",
            "t=0 0",
        ];
        let lines = [begin.as_slice(), expected, &[""]].concat();
        assert_eq!(answer, lines.join("\r\n"));
        assert_eq!(warnings(&parse(&answer)), [""; 0]);
    };
    check(
        offers::MEDIA_SERVER,
        &[
            "m=audio 50000 RTP/AVP 8 108",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:108 telephone-event/8000",
            "a=fmtp:108 0-15",
            "a=ptime:20",
            "a=rtcp:50001",
            "a=label:0",
            "a=recvonly",
            "m=audio 50002 RTP/AVP 8 108",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:108 telephone-event/8000",
            "a=fmtp:108 0-15",
            "a=ptime:20",
            "a=rtcp:50003",
            "a=label:1",
            "a=recvonly",
        ],
    );
    check(
        offers::GATEWAY_ON_HOLD,
        &[
            "m=audio 50000 RTP/AVP 111",
            "a=rtpmap:111 OPUS/48000/2",
            "a=ptime:20",
            "a=rtcp:50001",
            "a=label:1",
            "a=inactive",
        ],
    );
    check(
        offers::SOFT_PHONE,
        &[
            "m=audio 50000 RTP/AVP 96 97",
            "a=rtpmap:96 opus/48000/2",
            "a=rtpmap:97 telephone-event/48000",
            "a=fmtp:97 0-15",
            "a=rtcp-mux",
            "a=recvonly",
            "m=video 0 RTP/AVP 98",
        ],
    );
    check(
        offers::TEST_TOOL,
        &[
            "m=audio 50000 RTP/AVP 0",
            "a=rtpmap:0 PCMU/8000",
            "a=rtcp:50001",
            "a=recvonly",
        ],
    );
    // The suite is spelt as it was offered.
    check(
        offers::SECURE,
        &[
            "m=audio 50000 RTP/SAVP 0 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=rtcp:50001",
            "a=crypto:1 AES_CM_256_HMAC_SHA1_80 \
             inline:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==",
            "a=label:10",
            "a=recvonly",
            "m=audio 0 UDP/TLS/RTP/SAVPF 0",
        ],
    );
}

#[test]
fn answers_that_refuse() {
    let offer = parse("v=0\nt=5 6\nm=audio 4 RTP/AVP 0 8\nm=application 9 UDP/DTLS/SCTP x y");
    let address = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let answer = Answer::new(&offer, OURS, address);
    assert_eq!(
        answer.to_string(),
        "v=0\r\no=- 7 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=5 6\r\n\
         m=audio 0 RTP/AVP 0\r\nm=application 0 UDP/DTLS/SCTP x\r\n"
    );
}

#[test]
fn what_cannot_be_accepted() {
    let check = |offer: &str, change: &dyn Fn(&mut Accepted), media_idx, expected: &str| {
        let offer = parse(offer);
        let mut changed = accepted(0, &offer.media[0]).unwrap();
        change(&mut changed);
        let mut answer = Answer::new(&offer, OURS, ADDRESS);
        let error = answer.accept(media_idx, changed).unwrap_err();
        assert_eq!(error.to_string(), expected);
        // Nothing came of it.
        assert_eq!(answer, Answer::new(&offer, OURS, ADDRESS));
    };
    let server = offers::MEDIA_SERVER;
    check(server, &|_| {}, 2, "offer has no medium `2`");
    let not_offered = "medium `0` does not offer what was chosen";
    check(
        server,
        &|it| it.chosen.format.payload_type = 0,
        0,
        not_offered,
    );
    check(
        server,
        &|it| it.chosen.telephone_event = None,
        0,
        not_offered,
    );
    check(
        offers::SOFT_PHONE,
        &|_| {},
        1,
        "medium `1` does not offer what was chosen",
    );
    // The second medium is spoken in a way that is not known.
    let mixed = "m=audio 4 RTP/AVP 0\nm=audio 6 UDP/TLS/RTP/SAVP 0";
    check(
        mixed,
        &|_| {},
        1,
        "medium `1` does not offer what was chosen",
    );
    let no_port = "port of medium `0` must be at least 1";
    check(server, &|it| it.port = 0, 0, no_port);
    check(server, &|it| it.rtcp = RtcpPort::At(0), 0, no_port);
    check(
        server,
        &|it| it.rtcp = RtcpPort::Muxed,
        1,
        "medium `1` does not offer `a=rtcp-mux`",
    );
    let key = "medium `0` needs a key for one of its `a=crypto`, and only if it is secure";
    let own = || {
        let secure = parse(offers::SECURE);
        Some(own_key(&secure.media[0].crypto[0]))
    };
    check(server, &|it| it.crypto = own(), 0, key);
    check(offers::SECURE, &|it| it.crypto = None, 0, key);
    let mistagged = |it: &mut Accepted| it.crypto = own().map(|key| OwnKey { tag: 2, ..key });
    check(offers::SECURE, &mistagged, 0, key);
}

#[test]
fn our_key_is_written_and_not_shown() {
    let offer = parse(offers::SECURE);
    let answer = accept_all(&offer);
    let theirs = &offer.media[0].crypto[0];
    let read = parse(&answer.to_string());
    assert_eq!(read.media[0].crypto[0].key, own_key(theirs).key);
    let shown = format!("{answer:?}");
    assert!(
        !shown.contains("BwcH") && !shown.contains("7, 7, 7"),
        "{shown}"
    );
    // With the second suite only, the second line is taken.
    let second = offer.media[0].choose_crypto(&SUITES[..1]);
    assert_eq!(second.map(|crypto| crypto.tag), Some(2));
    assert_eq!(offer.media[0].choose_crypto(&[]), None);
}

/// Lines of offers, and some that are nearly such lines.
fn line() -> impl Strategy<Value = String> {
    let lines: Vec<_> = offers::ALL.into_iter().flat_map(str::lines).collect();
    let known = proptest::sample::select(lines).prop_map(str::to_owned);
    prop_oneof![
        8 => known,
        2 => "m=(audio|video|AUDIO) [0-9]{1,5}(/2)? (RTP/S?AVPF?|udp|x=y) [0-9]{1,3}( [0-9x]{1,3}){0,4}",
        2 => "a=(rtpmap|fmtp|rtcp|ptime|label|crypto):[0-9]{0,3}[ -~]{0,16}",
        1 => "[a-z]=\\PC{0,16}",
        1 => "\\PC{0,16}",
    ]
}

fn texts() -> impl Strategy<Value = String> {
    let lines = proptest::collection::vec(line(), 0..40);
    lines.prop_map(|lines| format!("v=0\r\n{}", lines.join("\r\n")))
}

proptest! {
    #[test]
    fn answers_fit_to_their_offers(text in texts()) {
        let Ok(offer) = SessionDescription::parse(&text, &Limits::default()) else {
            return Ok(());
        };
        let answer = accept_all(&offer).to_string();
        let read = SessionDescription::parse(&answer, &Limits::default()).unwrap();
        prop_assert_eq!(read.origin, Some(OURS));
        prop_assert_eq!(read.media.len(), offer.media.len());
        for (media_idx, (ours, theirs)) in read.media.iter().zip(&offer.media).enumerate() {
            prop_assert_eq!((ours.kind, ours.profile), (theirs.kind, theirs.profile));
            let Some(accepted) = accepted(media_idx, theirs) else {
                prop_assert_eq!(ours.port, 0);
                continue;
            };
            prop_assert_eq!(ours.port, accepted.port);
            prop_assert_eq!(ours.address, Some(ADDRESS));
            prop_assert_eq!(&ours.label, &theirs.label);
            prop_assert_eq!(ours.ptime_ms, theirs.ptime_ms);
            prop_assert_eq!(ours.rtcp_mux, theirs.rtcp_mux);
            prop_assert!(!ours.direction.sends());
            let chosen = ours.choose(&WANTED).unwrap();
            prop_assert_eq!(chosen.format.payload_type, accepted.chosen.format.payload_type);
            prop_assert_eq!(chosen.format.codec, accepted.chosen.format.codec);
            let own = accepted.crypto.map(|own| own.key);
            prop_assert_eq!(ours.crypto.first().map(|crypto| &crypto.key), own.as_ref());
        }
    }
}
