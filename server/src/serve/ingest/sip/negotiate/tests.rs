//! Offers of all kinds, and what is agreed on.

use std::net::Ipv4Addr;

use auricle_wire::Limits;

use super::*;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 200));
/// `0123456789abcdef` and `saltsaltsaltsa`.
const KEY: &str =
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZnNhbHRzYWx0c2FsdHNh";

/// What is taken where nothing is configured.
pub(in crate::serve::ingest::sip) fn wishes() -> Wishes {
    Wishes {
        codecs: vec![
            CodecKind::Pcma,
            CodecKind::Pcmu,
            CodecKind::G722,
            CodecKind::L16,
        ],
        srtp: SrtpWanted::Offered,
        source: RtpSource::First,
    }
}

fn parse(lines: &[&str]) -> SessionDescription {
    let text = lines.join("\r\n");
    SessionDescription::parse(&text, &Limits::default()).unwrap()
}

fn sevens(bytes: &mut [u8]) -> bool {
    bytes.fill(7);
    true
}

fn nothing(_: &mut [u8]) -> bool {
    false
}

/// The first audio line, agreed.
fn agreed(lines: &[&str], wishes: &Wishes) -> LegAgreed {
    let offer = parse(lines);
    let audio = audio_lines(&offer, wishes);
    let mut own = Own::new(20_000, 20_001);
    let heard = audio[0].heard.as_ref().unwrap();
    heard.agree(wishes, &mut own, sevens).unwrap().1
}

const CALL: [&str; 4] = [
    "v=0",
    "c=IN IP4 192.0.2.10",
    "m=audio 4000 RTP/AVP 18 0 8 9 96 101 13",
    "a=rtpmap:96 L16/16000\r\na=rtpmap:101 telephone-event/8000",
];

#[test]
fn a_leg_hears_all_that_is_wanted_on_its_clock() {
    let agreed = agreed(&CALL, &wishes());
    let formats = [
        (0, AudioFormat::Pcmu),
        (8, AudioFormat::Pcma),
        (9, AudioFormat::G722),
    ];
    assert_eq!(agreed.formats.as_slice(), formats);
    assert_eq!((agreed.events, agreed.comfort_noise), (Some(101), Some(13)));
    assert_eq!((agreed.clock_hz, agreed.rtcp_muxed), (8_000, false));
    assert_eq!(agreed.rtcp_to, "192.0.2.10:4001".parse().ok());
    assert!(agreed.srtp.is_none());
}

#[test]
fn audio_may_come_from_where_the_configuration_says() {
    let held = "c=IN IP4 0.0.0.0";
    let theirs = IpAddr::from([192, 0, 2, 10]);
    for (source, address, expected) in [
        (RtpSource::First, CALL[1], Source::Likely(theirs)),
        (RtpSource::First, held, Source::AnyThenLock),
        (RtpSource::Any, CALL[1], Source::Any),
        (RtpSource::Signalled, CALL[1], Source::Given(theirs)),
        (RtpSource::Signalled, held, Source::AnyThenLock),
    ] {
        let wishes = Wishes { source, ..wishes() };
        let agreed = agreed(&[CALL[0], address, CALL[2], CALL[3]], &wishes);
        assert_eq!(agreed.source, expected, "{source:?} {address}");
        assert_eq!(agreed.rtcp_to.is_some(), address == CALL[1]);
    }
}

#[test]
fn one_codec_with_more_than_a_telephone_makes_all_legs_wide() {
    for (media, expected) in [
        ("m=audio 4 RTP/AVP 0 9", 8_000),
        ("m=audio 4 RTP/AVP 9 0", 16_000),
        ("m=audio 4 RTP/AVP 96\r\na=rtpmap:96 L16/8000", 8_000),
        ("m=audio 4 RTP/AVP 96\r\na=rtpmap:96 L16/16000", 16_000),
    ] {
        let offer = parse(&["v=0", "m=audio 4 RTP/AVP 8", media]);
        let audio = audio_lines(&offer, &wishes());
        let heard = audio.iter().filter_map(|line| line.heard.as_ref().ok());
        assert_eq!(leg_hz(heard), expected, "{media}");
    }
}

#[test]
fn lines_that_cannot_be_heard_say_why() {
    let check = |srtp, lines: &[&str], expected: Option<Unheard>| {
        let wishes = Wishes { srtp, ..wishes() };
        let offer = parse(&[&["v=0"][..], lines].concat());
        let audio = audio_lines(&offer, &wishes);
        assert_eq!(audio.len(), 1, "{lines:?}");
        assert_eq!(
            audio[0].heard.as_ref().err(),
            expected.as_ref(),
            "{lines:?}"
        );
    };
    use SrtpWanted::{Off, Offered, Required};
    let (plain, secure) = ("m=audio 4 RTP/AVP 0", "m=audio 4 RTP/SAVP 0");
    check(Offered, &["m=video 4 RTP/AVP 98", plain], None);
    check(Offered, &["m=audio 0 RTP/AVP 0"], Some(Unheard::Closed));
    let dtls = "m=audio 4 UDP/TLS/RTP/SAVPF 0";
    check(Offered, &[dtls], Some(Unheard::Profile));
    check(Offered, &["m=audio 4 RTP/AVP 18"], Some(Unheard::Codecs));
    check(Offered, &[secure, KEY], None);
    check(Offered, &[secure], Some(Unheard::Suites));
    check(Off, &[secure, KEY], Some(Unheard::SrtpOff));
    check(Off, &[plain], None);
    check(Required, &[plain], Some(Unheard::SrtpRequired));
    check(Required, &[secure, KEY], None);
}

#[test]
fn our_key_stays_as_long_as_theirs() {
    let secure = ["v=0", "m=audio 4 RTP/SAVP 0", KEY];
    let offer = parse(&secure);
    let audio = audio_lines(&offer, &wishes());
    let heard = audio[0].heard.as_ref().unwrap();
    let mut own = Own::new(20_000, 20_001);
    assert!(heard.agree(&wishes(), &mut own, nothing).is_none());
    let (answer, agreed) = heard.agree(&wishes(), &mut own, sevens).unwrap();
    let srtp = agreed.srtp.unwrap();
    assert_ne!(srtp.ours, srtp.theirs);
    // No new bytes are needed.
    let (again, same) = heard.agree(&wishes(), &mut own, nothing).unwrap();
    assert_eq!((again, same.srtp), (answer, Some(srtp)));
    let shown = format!("{own:?}");
    assert!(!shown.contains("7, 7"), "{shown}");
}

#[test]
fn answers_have_versions() {
    let offer = |version: u64, direction: &str| {
        let origin = format!("o=- 5 {version} IN IP4 192.0.2.10");
        parse(&[
            "v=0",
            origin.as_str(),
            CALL[1],
            "m=audio 4000 RTP/AVP 0",
            direction,
        ])
    };
    let mut answers = Answers::new(77);
    let mut answer = |offer: &SessionDescription| {
        if let Some(same) = answers.to_same(offer) {
            return same;
        }
        let audio = audio_lines(offer, &wishes());
        let heard = audio[0].heard.as_ref().unwrap();
        let mut own = Own::new(20_000, 20_001);
        let (accepted, _) = heard.agree(&wishes(), &mut own, sevens).unwrap();
        answers.answer(offer, LOCAL, &[(0, accepted)]).unwrap()
    };
    let first = answer(&offer(1, "a=sendonly"));
    assert!(first.contains("o=- 77 1 IN IP4 192.0.2.200\r\n"), "{first}");
    assert!(first.contains("m=audio 20000 RTP/AVP 0\r\n"), "{first}");
    assert!(first.ends_with("a=recvonly\r\n"), "{first}");
    // Another offer that changes nothing of our answer.
    assert_eq!(answer(&offer(2, "a=sendonly")), first);
    let held = answer(&offer(3, "a=inactive"));
    assert!(held.contains("o=- 77 2 IN"), "{held}");
    assert!(held.ends_with("a=inactive\r\n"), "{held}");
    // The same origin is the same offer.
    assert_eq!(answer(&offer(3, "a=sendonly")), held);
}
