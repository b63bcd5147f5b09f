//! Any text as an offer: an answer to it can be read, and has as many media.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use auricle_wire::Limits;
use auricle_wire::sdp::{
    Accepted, Answer, CodecKind, CryptoSuite, MasterKey, Media, Origin, OwnKey, RtcpPort,
    SessionDescription,
};
use libfuzzer_sys::fuzz_target;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ORIGIN: Origin = Origin {
    session_id: 1,
    version: 1,
};
const WANTED: [CodecKind; 5] = [
    CodecKind::Pcma,
    CodecKind::Pcmu,
    CodecKind::G722,
    CodecKind::L16,
    CodecKind::Opus,
];
const SUITES: [CryptoSuite; 3] = [
    CryptoSuite::AesCm128HmacSha1_80,
    CryptoSuite::Aes256CmHmacSha1_80,
    CryptoSuite::AeadAes128Gcm,
];

fn own_key(media: &Media) -> Option<OwnKey> {
    let theirs = media.choose_crypto(&SUITES)?;
    let suite = theirs.key.suite();
    let bytes = vec![7; suite.key_bytes() + suite.salt_bytes()];
    let tag = theirs.tag;
    MasterKey::new(suite, bytes).map(|key| OwnKey { tag, key })
}

fn accepted(media: &Media) -> Option<Accepted> {
    let crypto = match media.profile.is_secure() {
        true => Some(own_key(media)?),
        false => None,
    };
    let rtcp = match media.rtcp_mux {
        true => RtcpPort::Muxed,
        false => RtcpPort::At(4001),
    };
    Some(Accepted {
        chosen: media.choose(&WANTED)?,
        port: 4000,
        rtcp,
        crypto,
    })
}

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let Ok(offer) = SessionDescription::parse(text, &limits) else {
        return;
    };
    assert!(offer.warnings.is_sorted_by_key(|warning| warning.line));
    let mut answer = Answer::new(&offer, ORIGIN, ADDRESS);
    for (media_idx, media) in offer.media.iter().enumerate() {
        if let Some(accepted) = accepted(media) {
            let taken = answer.accept(media_idx, accepted);
            assert_eq!(taken, Ok(()), "what was chosen is taken");
        }
    }
    let read = SessionDescription::parse(&answer.to_string(), &limits);
    let read = read.expect("an answer is a session description");
    assert_eq!(read.media.len(), offer.media.len());
    for (ours, theirs) in read.media.iter().zip(&offer.media) {
        let accepted = accepted(theirs);
        assert_eq!(ours.port != 0, accepted.is_some());
        if let Some(accepted) = accepted {
            let chosen = ours.choose(&WANTED).expect("what was chosen is offered");
            assert_eq!(chosen.format.codec, accepted.chosen.format.codec);
            assert_eq!(ours.label, theirs.label);
        }
    }
});
