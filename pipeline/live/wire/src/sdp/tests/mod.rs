//! Session descriptions that are read.

mod answers;
mod offers;

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::Limits;

/// A key and a salt of AES-128, of AES-256 and of AES-128-GCM, in base64.
const KEY_128: &str = "MDEyMzQ1Njc4OWFiY2RlZnNhbHRzYWx0c2FsdHNh";
const KEY_256: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZzYWx0c2FsdHNhbHRzYQ==";
const KEY_GCM: &str = "MDEyMzQ1Njc4OWFiY2RlZnNhbHRzYWx0c2FsdA==";

fn parse(text: &str) -> SessionDescription {
    SessionDescription::parse(text, &Limits::default()).unwrap()
}

fn fault(text: &str, limits: &Limits) -> String {
    let parsed = SessionDescription::parse(text, limits);
    parsed.unwrap_err().to_string()
}

fn warnings(description: &SessionDescription) -> Vec<String> {
    let warnings = description.warnings.iter();
    warnings.map(ToString::to_string).collect()
}

/// A description with an address and one medium, µ-law at port 4000, with these lines.
fn with_lines(lines: &str) -> SessionDescription {
    parse(&format!(
        "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n{lines}"
    ))
}

fn brief(media: &Media) -> String {
    let formats = media.formats.iter();
    let formats: Vec<_> = formats
        .map(|format| format!(" {}={:?}", format.payload_type, format.codec))
        .collect();
    let label = media.label.as_ref().map_or("-", Text::as_str);
    format!(
        "{:?} {} {:?} {:?} label {label}:{}",
        media.kind,
        media.port,
        media.profile,
        media.direction,
        formats.concat()
    )
}

#[test]
fn offers_as_others_write_them() {
    let check = |offer: &str, expected: &[&str]| {
        let read = parse(offer);
        let media: Vec<_> = read.media.iter().map(brief).collect();
        assert_eq!(media, expected, "{offer}");
        assert_eq!(warnings(&read), [""; 0], "{offer}");
        // Ends of lines are no matter.
        assert_eq!(parse(&offer.replace('\r', "")), read);
        assert_eq!(parse(&offer.replace('\n', " \n")), read);
    };
    check(
        offers::MEDIA_SERVER,
        &[
            "Audio 31000 Avp SendOnly label 0: 8=Pcma 108=TelephoneEvent",
            "Audio 31004 Avp SendOnly label 1: 8=Pcma 108=TelephoneEvent",
        ],
    );
    check(
        offers::CUBE,
        &[
            "Audio 16552 Avp SendOnly label 1: 0=Pcmu 101=TelephoneEvent 19=ComfortNoise",
            "Audio 16554 Avp SendOnly label 2: 0=Pcmu 101=TelephoneEvent 19=ComfortNoise",
        ],
    );
    check(
        offers::GATEWAY_ON_HOLD,
        &["Audio 11096 Avp Inactive label 1: 111=Opus 0=Pcmu 8=Pcma 126=TelephoneEvent"],
    );
    check(
        offers::SOFT_PHONE,
        &[
            "Audio 20004 Avp SendOnly label -: 96=Opus 9=G722 0=Pcmu 8=Pcma \
             10=L16 { rate_hz: 44100, channels: 2 } 101=TelephoneEvent 97=TelephoneEvent",
            "Other 20006 Avp SendOnly label -:",
        ],
    );
    check(
        offers::TEST_TOOL,
        &["Audio 6000 Avp SendRecv label -: 0=Pcmu"],
    );
    check(
        offers::SECURE,
        &[
            "Audio 40000 Savp SendOnly label 10: 0=Pcmu 101=TelephoneEvent",
            "Audio 40002 Other SendRecv label -: 0=Pcmu",
        ],
    );
}

#[test]
fn details_of_an_offer() {
    let read = parse(offers::MEDIA_SERVER);
    let session_id = 1_700_112_233;
    let origin = Origin {
        session_id,
        version: session_id,
    };
    assert_eq!(read.origin, Some(origin));
    assert_eq!((read.address, read.direction), (None, None));
    let media = &read.media[0];
    assert_eq!(media.address, "192.0.2.21".parse().ok());
    assert_eq!(media.ptime_ms, Some(20));
    assert_eq!(media.rtcp_port, Some(31_001));
    assert_eq!(media.rtcp_address, media.address);
    assert!(!media.rtcp_mux && !media.is_on_hold());
    assert_eq!(media.formats[0].fmtp, None);

    let read = parse(offers::SOFT_PHONE);
    assert_eq!(read.address, "2001:db8::17".parse().ok());
    assert_eq!(read.direction, Some(Direction::SendOnly));
    let media = &read.media[0];
    assert_eq!(media.address, read.address);
    assert!(media.rtcp_mux);
    let opus = &media.formats[0];
    let fmtp = opus.fmtp.as_ref().map(Text::as_str);
    assert_eq!(fmtp, Some("stereo=1;sprop-stereo=1"));
    // The clock of G.722 has half the rate of its samples.
    let clocks: Vec<_> = media.formats.iter().map(|it| it.clock_rate_hz).collect();
    assert_eq!(clocks, [48_000, 8000, 8000, 8000, 44_100, 8000, 48_000]);
}

#[test]
fn offers_again() {
    let first = parse(offers::TEST_TOOL);
    let same = parse(offers::TEST_TOOL);
    let changed = parse(&offers::TEST_TOOL.replace("2353687637", "2353687638"));
    assert_eq!(first.origin, same.origin);
    assert_ne!(first.origin, changed.origin);
    assert_eq!(first.media, changed.media);
    let held = parse(&offers::TEST_TOOL.replace("m=", "a=inactive\r\nm="));
    assert_ne!(first.media, held.media);
    // A name of two words, and a number that is none.
    let named = "v=0\no=Li Lei 5 6 IN IP4 192.0.2.1\n";
    let origin = Origin {
        session_id: 5,
        version: 6,
    };
    assert_eq!(parse(named).origin, Some(origin));
    assert_eq!(parse("v=0\no=- x 6 IN IP4 192.0.2.1\n").origin, None);
}

#[test]
fn addresses() {
    let check = |lines: &str, expected: Option<&str>| {
        let expected = expected.map(|address| address.parse::<IpAddr>().unwrap());
        assert_eq!(with_lines(lines).media[0].address, expected, "{lines}");
    };
    check("", Some("192.0.2.1"));
    check("c=IN IP4 192.0.2.9", Some("192.0.2.9"));
    check("c=IN IP4 224.2.1.1/127/3", Some("224.2.1.1"));
    check("c=IN IP6 2001:db8::1", Some("2001:db8::1"));
    check("c=IN IP4 0.0.0.0", Some("0.0.0.0"));
    // A name hides the address of the session.
    check("c=IN IP4 sbc.example.com", None);
    check("c=TN RFC2543 +1-202-555-0100", None);
    // What follows the next medium is no matter for this one.
    check("m=audio 5 RTP/AVP 0\nc=IN IP4 192.0.2.9", Some("192.0.2.1"));
    let nowhere = parse("v=0\nm=audio 4000 RTP/AVP 0\nm=audio 0 RTP/AVP 0");
    assert_eq!(
        warnings(&nowhere),
        ["line 2: `m=` has no address: there is no `c=`"]
    );
}

#[test]
fn directions_and_hold() {
    let check = |lines: &str, direction, is_on_hold| {
        let read = with_lines(lines);
        let media = &read.media[0];
        assert_eq!(
            (media.direction, media.is_on_hold()),
            (direction, is_on_hold),
            "{lines}"
        );
    };
    check("", Direction::SendRecv, false);
    check("a=sendrecv", Direction::SendRecv, false);
    check("a=sendonly", Direction::SendOnly, false);
    check("a=recvonly", Direction::RecvOnly, true);
    check("a=inactive", Direction::Inactive, true);
    check("a=sendonly\na=inactive", Direction::Inactive, true);
    check("c=IN IP4 0.0.0.0", Direction::SendRecv, true);
    check("c=IN IP6 ::\na=sendonly", Direction::SendOnly, true);
    // The session's direction is for media that have not their own.
    let read = parse(
        "v=0\nc=IN IP4 192.0.2.1\na=inactive\nm=audio 4 RTP/AVP 0\na=sendonly\nm=audio 6 RTP/AVP 0",
    );
    let directions = [Direction::SendOnly, Direction::Inactive];
    assert_eq!(read.media[0].direction, directions[0]);
    assert_eq!(read.media[1].direction, directions[1]);
}

#[test]
fn ports_of_rtcp() {
    let check = |lines: &str, port, address: &str| {
        let read = with_lines(lines);
        let media = &read.media[0];
        assert_eq!(media.rtcp_port, port, "{lines}");
        assert_eq!(media.rtcp_address, address.parse().ok(), "{lines}");
    };
    check("", Some(4001), "192.0.2.1");
    check("a=rtcp:53020", Some(53_020), "192.0.2.1");
    check("a=rtcp:9 IN IP4 192.0.2.5", Some(9), "192.0.2.5");
    check("a=rtcp:9 IN IP6 2001:db8::5", Some(9), "2001:db8::5");
    check("a=rtcp:70000", Some(4001), "192.0.2.1");
    let port_of = |port: &str| {
        let read = parse(&format!("v=0\nm=audio {port} RTP/AVP 0"));
        read.media[0].rtcp_port
    };
    assert_eq!(port_of("65534"), Some(65_535));
    assert_eq!(port_of("65535"), None);
    assert_eq!(port_of("0"), None);
}

#[test]
fn shapes_of_codecs() {
    let check = |encoding: &str, expected: Option<(Codec, u32)>| {
        let read = parse(&format!(
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 120\na=rtpmap:120 {encoding}"
        ));
        let format = read.media[0].formats.first();
        let found = format.map(|format| (format.codec, format.clock_rate_hz));
        assert_eq!(found, expected, "{encoding}");
    };
    let l16 = |rate_hz, channels| Some((Codec::L16 { rate_hz, channels }, rate_hz));
    check("PCMU/8000", Some((Codec::Pcmu, 8000)));
    check("pcma/8000/1", Some((Codec::Pcma, 8000)));
    check("PCMU/16000", Some((Codec::Other, 16_000)));
    check("PCMU/8000/2", Some((Codec::Other, 8000)));
    check("G722/8000", Some((Codec::G722, 8000)));
    check("G722/16000", Some((Codec::Other, 16_000)));
    check("OPUS/48000/2", Some((Codec::Opus, 48_000)));
    check("opus/48000", Some((Codec::Opus, 48_000)));
    check("opus/8000", Some((Codec::Other, 8000)));
    check("L16/8000", l16(8000, 1));
    check("l16/16000/2", l16(16_000, 2));
    check("L16/8000/3", Some((Codec::Other, 8000)));
    check("L16/96000", Some((Codec::Other, 96_000)));
    check("CN/16000", Some((Codec::ComfortNoise, 16_000)));
    check("Telephone-Event/8000", Some((Codec::TelephoneEvent, 8000)));
    check("AMR-WB/16000", Some((Codec::Other, 16_000)));
    check("PCMU", None);
    check("/8000", None);
    check("PCMU/0", None);
    check("PCMU/8000/0", None);
    check("PCMU/8000/x", None);
    check(&format!("{}/8000", "x".repeat(60)), None);
    // One that is assigned may be mapped all the same; the last line counts, and a format stands once.
    let read = with_lines("a=rtpmap:0 x/1\na=rtpmap:0 PCMU/8000\na=fmtp:0 a\na=fmtp:0 b");
    assert_eq!(brief(&read.media[0]), brief(&with_lines("").media[0]));
    let fmtp = read.media[0].formats[0].fmtp.as_ref();
    assert_eq!(fmtp.map(Text::as_str), Some("b"));
    let twice = parse("v=0\nm=audio 0 RTP/AVP 8 0 8 18");
    let formats = twice.media[0].formats.iter();
    let types: Vec<_> = formats.map(|format| format.payload_type).collect();
    assert_eq!(types, [8, 0, 18]);
}

#[test]
fn what_is_chosen() {
    use CodecKind::{G722, L16, Opus, Pcma, Pcmu};
    let check = |offer: &str, media_idx: usize, wanted: &[CodecKind], expected| {
        let read = parse(offer);
        let chosen = read.media[media_idx].choose(wanted);
        let types = chosen.map(|chosen| {
            let payload_type = |format: Option<Format>| format.map(|it| it.payload_type);
            (
                chosen.format.payload_type,
                payload_type(chosen.telephone_event),
                payload_type(chosen.comfort_noise),
            )
        });
        assert_eq!(types, expected, "{wanted:?} of {offer}");
    };
    let phone = offers::SOFT_PHONE;
    check(phone, 0, &[Pcmu, G722, Opus], Some((96, Some(97), None)));
    check(phone, 0, &[Pcma, Pcmu], Some((0, Some(101), None)));
    check(phone, 0, &[G722], Some((9, Some(101), None)));
    check(phone, 0, &[L16], Some((10, None, None)));
    check(phone, 0, &[], None);
    check(phone, 1, &[Pcmu], None);
    check(
        offers::CUBE,
        1,
        &[Pcma, Pcmu],
        Some((0, Some(101), Some(19))),
    );
    check(offers::CUBE, 0, &[Pcma], None);
    // The events of this one are on the clock of G.711.
    check(offers::GATEWAY_ON_HOLD, 0, &[Opus], Some((111, None, None)));
    check(offers::SECURE, 0, &[Pcmu], Some((0, Some(101), None)));
    check(offers::SECURE, 1, &[Pcmu], None);
    check(
        "m=audio 4 RTP/AVPF 13 0",
        0,
        &[Pcmu],
        Some((0, None, Some(13))),
    );
    check("m=audio 0 RTP/AVP 0", 0, &[Pcmu], None);
    check("m=audio 4 udp 0", 0, &[Pcmu], None);
}

#[test]
fn keys() {
    let check = |value: &str, tag, suite: CryptoSuite| {
        let crypto = Crypto::parse(value).unwrap();
        assert_eq!((crypto.tag, crypto.key.suite()), (tag, suite), "{value}");
        let key = b"0123456789abcdef0123456789abcdef";
        assert_eq!(crypto.key.key(), &key[..suite.key_bytes()]);
        assert_eq!(crypto.key.salt(), &b"saltsaltsaltsa"[..suite.salt_bytes()]);
    };
    let aes_128 = CryptoSuite::AesCm128HmacSha1_80;
    let aes_256 = CryptoSuite::Aes256CmHmacSha1_32;
    check(
        &format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY_128}"),
        1,
        aes_128,
    );
    check(
        &format!("999999999  AES_CM_128_HMAC_SHA1_32\tINLINE:{KEY_128}|2^31 -NEW=1 WSH=64"),
        999_999_999,
        CryptoSuite::AesCm128HmacSha1_32,
    );
    check(
        &format!("2 AES_256_CM_HMAC_SHA1_32 inline:{KEY_256}"),
        2,
        aes_256,
    );
    // Without its end, and with bits that are left over.
    let bare = KEY_256.trim_end_matches('=');
    let left_over = KEY_256.replace("YQ==", "YR==");
    for key in [bare, &left_over] {
        check(
            &format!("2 AES_CM_256_HMAC_SHA1_32 inline:{key}"),
            2,
            aes_256,
        );
    }
    check(
        &format!("3 AEAD_AES_128_GCM inline:{KEY_GCM}|1048576"),
        3,
        CryptoSuite::AeadAes128Gcm,
    );
    let gcm_256 = CryptoSuite::AeadAes256Gcm;
    assert!(MasterKey::new(gcm_256, vec![7; 44]).is_some());
    assert_eq!(MasterKey::new(gcm_256, vec![7; 46]), None);
}

#[test]
fn keys_that_are_not_taken() {
    let check = |value: &str, expected: &str| {
        let refused = Crypto::parse(value).unwrap_err().to_string();
        assert_eq!(refused, expected, "{value}");
    };
    let line = "`a=crypto` must be a number, a suite and a key";
    check("", line);
    check(&format!("inline:{KEY_128}"), line);
    check("1", line);
    check("1 AES_CM_128_HMAC_SHA1_80", line);
    check("1234567890 AES_CM_128_HMAC_SHA1_80 inline:", line);
    let suite = "`a=crypto:1` is not taken: suite `NULL_HMAC_SHA1_80` is not known here";
    check(&format!("1 NULL_HMAC_SHA1_80 inline:{KEY_128}"), suite);
    // What could be a key is not shown.
    let hidden = "`a=crypto:1` is not taken: suite `?` is not known here";
    check(&format!("1 {KEY_128}"), hidden);
    check(&format!("1 inline:{KEY_128}"), hidden);
    let refused = |rest: &str, why: &str| {
        check(
            &format!("1 AES_CM_128_HMAC_SHA1_80 {rest}"),
            &format!("`a=crypto:1` is not taken: {why}"),
        );
    };
    let key = "key must be `inline:` and base64 of the suite's length";
    refused(KEY_128, key);
    refused("inline:", key);
    refused("inline:AAAA", key);
    refused("inline:****", key);
    refused("inlin€:AAAA", key);
    refused(&format!("inline:{KEY_256}"), key);
    let mki = "keys with an identifier in each packet (MKI) are not taken";
    refused(&format!("inline:{KEY_128}|2^20|1:4"), mki);
    refused(&format!("inline:{KEY_128}|1:4"), mki);
    refused(&format!("inline:{KEY_128};inline:{KEY_128}"), mki);
    let parameter = "session parameters other than `WSH` are not taken";
    for word in ["KDR=1", "UNENCRYPTED_SRTCP", "WSH=64 UNAUTHENTICATED_SRTP"] {
        refused(&format!("inline:{KEY_128} {word}"), parameter);
    }
}

#[test]
fn what_is_skipped_is_told() {
    let read = parse(
        "v=0
o=Li Lei
c=IN IP4 sbc.example.com
hello
t=now
m=audio 4000/2 RTP/AVP 0 97 x 300
a=rtpmap:99
a=rtpmap:98 L16/0
a=fmtp:101
a=ptime:0
a=label:two words
a=rtcp:0
a=rtcp:4001 IN IP4 host
a=crypto:x
a=unknown:x
x=unknown

m=audio 0 RTP/AVP 0
a=ptime:13800138000",
    );
    assert_eq!(
        warnings(&read),
        [
            "line 2: `o=` must have a number for the session and one for its version",
            "line 3: `c=` must be an address such as `IN IP4 192.0.2.1`, got `IN?IP4?sbc.example.com`",
            "line 4: line has no `=`",
            "line 5: `t=` must be two numbers, got `now`",
            "line 6: payload type `97` has no `a=rtpmap`",
            "line 6: `m=` must be payload types from 0 to 127, got `x`",
            "line 6: `m=` must be payload types from 0 to 127, got `300`",
            "line 6: `m=` has 2 ports, of which the first is heard",
            "line 7: `a=rtpmap` must be a payload type and `name/rate`, got `99`",
            "line 8: `a=rtpmap` must be a payload type and `name/rate`, got `98?L16/0`",
            "line 9: `a=fmtp` must be a payload type and parameters, got `101`",
            "line 10: `a=ptime` must be milliseconds from 1 to 1000, got `0`",
            "line 11: `a=label` must be one short word, got `two?words`",
            "line 12: `a=rtcp` must be a port and perhaps an address, got `0`",
            "line 13: `a=rtcp` must be a port and perhaps an address, got `4001?IN?IP4?host`",
            "line 14: `a=crypto` must be a number, a suite and a key",
            "line 19: `a=ptime` must be milliseconds from 1 to 1000, got `…`",
        ]
    );
    let media = &read.media[0];
    assert_eq!(brief(media), "Audio 4000 Avp SendRecv label -: 0=Pcmu");
    // Fractions are left out.
    assert_eq!(with_lines("a=ptime:20.5").media[0].ptime_ms, Some(20));
}

#[test]
fn texts_that_are_refused() {
    let check = |text: &str, expected: &str| {
        assert_eq!(fault(text, &Limits::default()), expected, "{text}");
    };
    let other = "text is no session description: it has neither `v=` nor `m=`";
    check("", other);
    check("hello", other);
    check("<recording xmlns=\"x\"/>", other);
    check("v=1", "line 1: `v=` must be 0, got `1`");
    let port =
        |got: &str| format!("line 2: port of `m=` must be a number from 0 to 65535, got `{got}`");
    check("v=0\nm=audio 70000 RTP/AVP 0", &port("70000"));
    check("v=0\nm=audio -1 RTP/AVP 0", &port("-1"));
    check("v=0\nm=audio 4/0 RTP/AVP 0", &port("4/0"));
    check("v=0\nm=audio", &port(""));
    check("v=0\nm=audio 13800138000", &port("…"));
    check(
        "m=",
        "line 1: kind of `m=` must be a word such as audio, got ``",
    );
    check(
        "m=audio 4",
        "line 1: profile of `m=` must be a word such as RTP/AVP, got ``",
    );
    check(
        "m=audio 4 RTP/AVP",
        "line 1: format of `m=` must be given at least once, got ``",
    );
    check(
        "m=audio 4 RTP/AVP 0 ü",
        "line 1: format of `m=` must be a short word, got `?`",
    );
}

#[test]
fn limits_are_kept() {
    let limits = Limits {
        sdp_bytes: 80,
        sdp_lines: 4,
        sdp_media: 2,
        sdp_formats: 3,
        ..Limits::default()
    };
    let check = |text: &str, expected: &str| {
        assert_eq!(fault(text, &limits), expected, "{text}");
    };
    let long = format!("v=0\ns={}", " ".repeat(75));
    check(&long, "session description has 81 bytes, more than 80");
    check("v=0\n\n\n\n\n", "session description has more than 4 lines");
    let media = "m=audio 4 RTP/AVP 0\n";
    check(
        &media.repeat(3),
        "session description has more than 2 media lines",
    );
    check(
        "m=audio 4 RTP/AVP 0 1 2 3",
        "line 1: `m=` has more than 3 formats",
    );
    assert!(SessionDescription::parse(&media.repeat(2), &limits).is_ok());
    assert!(SessionDescription::parse("v=0\n\n\n\n", &limits).is_ok());
    assert!(SessionDescription::parse("m=audio 4 RTP/AVP 0 1 2", &limits).is_ok());
}

#[test]
fn nobody_and_no_key_is_shown() {
    let text = format!(
        "{}a=crypto:1 {KEY_128} x\na=label:13800138000\na=fmtp:0 13800138000\n",
        offers::SECURE.replace("o=-", "o=LiLei")
    );
    let read = parse(&text);
    let shown = format!("{read:?}{:?}", warnings(&read));
    for secret in ["MDEy", "48, 49, 50", "0123456789abcdef", "LiLei", "138001"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("MasterKey(AesCm128HmacSha1_80, …)"));
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(([a-z]=)?\\PC{0,30}\r?\n){0,8}") {
        let _ = SessionDescription::parse(&text, &Limits::default());
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = SessionDescription::parse(&text, &Limits::default());
        let _ = SessionDescription::parse(&format!("m=audio 4 RTP/SAVP {text}"), &Limits::default());
        let _ = Crypto::parse(&text);
    }
}
