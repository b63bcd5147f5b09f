//! What is kept of dialogs, and for whom.

use rsipstack::sip::Transport;

use super::*;

fn way() -> Way {
    let [peer, local] = ["192.0.2.9:5062", "192.0.2.1:5060"].map(|it| it.parse().unwrap());
    Way::new(peer, local, Transport::Tls)
}

fn message(first: &str, dialog: &str, more: &str) -> SipMessage {
    let number = match first.contains("BYE") {
        true => "2 BYE",
        false => "1 INVITE",
    };
    let text = format!(
        "{first}\r\nVia: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bK1\r\nCall-ID: {dialog}\r\nCSeq: {number}\r\n{more}\
         Content-Length: 0\r\n\r\n"
    );
    SipMessage::try_from(text.as_str()).unwrap()
}

fn invite(dialog: &str) -> SipMessage {
    message(
        "INVITE sip:a@192.0.2.1 SIP/2.0",
        dialog,
        "X-Auricle-Way: x\r\n",
    )
}

fn yes(dialog: &str) -> SipMessage {
    message("SIP/2.0 200 OK", dialog, "")
}

fn open(taps: &Arc<Taps>, dialog: &str) -> Tapped {
    let SipMessage::Request(request) = invite(dialog) else {
        panic!("no request");
    };
    taps.open(&request, way(), Instant::now())
}

/// First lines, and which way they went.
fn lines(passed: &[Passed]) -> Vec<(Direction, String)> {
    let lines = passed.iter().map(|passed| {
        let text = String::from_utf8(passed.bytes.clone()).unwrap();
        (passed.direction, text.lines().next().unwrap().to_owned())
    });
    lines.collect()
}

const INVITE: &str = "INVITE sip:a@192.0.2.1 SIP/2.0";

#[test]
fn a_dialog_keeps_what_it_began_with() {
    let taps = Arc::<Taps>::default();
    let (tapped, other) = (open(&taps, "c1"), open(&taps, "c2"));
    let inspector = Inspector::new(&taps);
    for sent in [
        message("SIP/2.0 100 Trying", "c1", ""),
        yes("c1"),
        message("SIP/2.0 200 Again", "c1", ""),
    ] {
        assert_eq!(inspector.before_send(sent.clone(), None), sent);
    }
    taps.came(&message("BYE sip:a@192.0.2.1 SIP/2.0", "c1", ""), way());
    assert!(tapped.tap().take().is_empty());
    tapped.tap().begin();
    let first = tapped.tap().take();
    let expected = [
        (Direction::Came, INVITE.to_owned()),
        (Direction::Sent, "SIP/2.0 200 OK".to_owned()),
    ];
    assert_eq!(lines(&first), expected);
    assert_eq!((first[1].own, first[1].other), (way().local, way().peer));
    let text = String::from_utf8_lossy(&first[0].bytes);
    assert!(!text.contains("X-Auricle-Way"), "{text}");
    other.tap().begin();
    assert_eq!(other.tap().take().len(), 1);
}

#[test]
fn messages_are_kept_while_a_call_is_captured() {
    let taps = Arc::<Taps>::default();
    let (tapped, other) = (open(&taps, "c1"), open(&taps, "c2"));
    let call = CallId("call".into());
    tapped.tap().hears(&call, Vec::new());
    assert_eq!(taps.of_call(&call).len(), 1);
    let claim = taps.claim(&call).unwrap();
    tapped.tap().begin();
    tapped.tap().take();
    let bye = |dialog| message("BYE sip:a@192.0.2.1 SIP/2.0", dialog, "");
    let elsewhere: SocketAddr = "192.0.2.7:5070".parse().unwrap();
    taps.came(&bye("c1"), Way::new(elsewhere, way().local, Transport::Udp));
    taps.came(&bye("c2"), way());
    taps.goes(&yes("c1"), Some(elsewhere));
    let seen = tapped.tap().take();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|passed| passed.other == elsewhere));
    assert!(other.tap().take().is_empty());
    tapped.tap().end();
    drop(claim);
    taps.came(&bye("c1"), way());
    assert!(tapped.tap().take().is_empty());
    drop(tapped);
    assert!(taps.of_call(&call).is_empty());
}

#[test]
fn what_finds_no_room_is_counted() {
    let taps = Arc::<Taps>::default();
    let tapped = open(&taps, "c1");
    let _claim = taps.claim(&CallId("call".into())).unwrap();
    tapped.tap().begin();
    let long = format!("Subject: {}\r\n", "x".repeat(60_000));
    for _ in 0..20 {
        taps.came(&message("BYE sip:a@192.0.2.1 SIP/2.0", "c1", &long), way());
    }
    assert_eq!(tapped.tap().n_left_out(), 3);
    assert_eq!(tapped.tap().take().len(), 1 + 17);
}

#[test]
fn a_call_is_captured_once_and_few_are_at_a_time() {
    let taps = Arc::<Taps>::default();
    let call = |number: usize| CallId(number.to_string());
    let claims: Vec<Claim> = (0..MOST_CAPTURES)
        .map(|number| taps.claim(&call(number)).unwrap())
        .collect();
    let refused = |number| taps.claim(&call(number)).err().unwrap();
    assert!(matches!(refused(0), NotCaptured::Already { .. }));
    assert!(matches!(refused(MOST_CAPTURES), NotCaptured::TooMany));
    drop(claims);
    assert!(taps.claim(&call(0)).is_ok());
}
