//! Sessions: messages in both directions.

use auricle_contracts::{Party, PhoneKey};

use super::*;
use crate::{Close, Layout};

const PAGE: &str = include_str!("../../../../../../docs/ingest/audiohook.md");

/// What is written, with these numbers and parameters.
fn written(kind: &str, seq: u64, clientseq: u64, parameters: &str) -> String {
    format!(
        r#"{{"version":"2","id":"8f0b6d3e-51c7-4a6e-b2f4-0d9e7c6a1b22","type":"{kind}","seq":{seq},"clientseq":{clientseq},"parameters":{parameters}}}"#
    )
}

fn begin(message: &str) -> Result<AudioHookOpen, String> {
    match session(&Limits::default()).text(message, 0) {
        Ok(AudioHookEvent::Open(open)) => Ok(*open),
        Ok(event) => panic!("it is an open: {event:?}"),
        Err(error) => Err(error.to_string()),
    }
}

/// What the other side says in a session that hears audio.
fn hear(kind: &str, parameters: &str) -> AudioHookEvent {
    let mut session = streaming(&Limits::default());
    session
        .text(&message(kind, 2, 1, parameters), 2000)
        .unwrap()
}

#[test]
fn a_session_from_beginning_to_end() {
    let mut session = session(&Limits::default());
    assert_eq!(session.open_deadline_ms(), None);
    assert_eq!(session.opened(), None);
    let AudioHookEvent::Open(begun) = session.text(&open(BOTH, ""), 1000).unwrap() else {
        panic!("it begins");
    };
    assert_eq!(begun.participant_id, PARTICIPANT);
    assert_eq!(
        begun.facts.call_id.as_ref().unwrap().0,
        CONVERSATION.to_string()
    );
    assert_eq!(
        begun.facts.customer.as_ref().unwrap().reveal(),
        "+8613800138000"
    );
    assert_eq!(begun.layout, Layout::Split { agent_channel: 1 });
    assert_eq!(begun.language, None);
    assert!(begun.warnings.is_empty());
    assert_eq!(session.open_deadline_ms(), Some(6000));
    let media = r#"{"media":[{"type":"audio","format":"PCMU","channels":["external","internal"],"rate":8000}],"startPaused":false}"#;
    assert_eq!(session.opened(), Some(written("opened", 1, 1, media)));
    assert_eq!(session.opened(), None);
    assert_eq!(session.open_deadline_ms(), None);
    let audio = session.binary(&[1, 11, 2, 12]).unwrap().unwrap();
    assert_eq!(audio.at_frames, 0);
    let channels: Vec<_> = audio.frames.channels().collect();
    assert_eq!(channels, [[1, 2], [11, 12]]);
    let ping = session.text(&message("ping", 2, 1, "{}"), 2000);
    let reply = written("pong", 2, 2, "{}");
    assert_eq!(
        ping,
        Ok(AudioHookEvent::Ping {
            reply,
            rtt_ms: None
        })
    );
    let ping = session.text(&message("ping", 3, 2, r#"{"rtt":"PT0.0125S"}"#), 7000);
    let reply = written("pong", 3, 3, "{}");
    let rtt_ms = Some(12);
    assert_eq!(ping, Ok(AudioHookEvent::Ping { reply, rtt_ms }));
    let close = session.text(&message("close", 4, 3, r#"{"reason":"end"}"#), 8000);
    let reply = written("closed", 4, 4, "{}");
    let reason = CloseReason::End;
    assert_eq!(close, Ok(AudioHookEvent::Closed { reply, reason }));
    // After the end nothing is read, whatever it is.
    assert_eq!(session.text("bye", 9000), Ok(AudioHookEvent::Nothing));
    assert!(session.binary(&[1, 2]).unwrap().is_none());
    assert_eq!(session.disconnect(DisconnectReason::Completed, ""), None);
    assert_eq!(session.n_frames(), 2);
}

#[test]
fn a_probe_is_answered_without_media() {
    let mut session = session(&Limits::default());
    let probe = open(BOTH, "")
        .replace(&CONVERSATION.to_string(), &NULL.to_string())
        .replace(&PARTICIPANT.to_string(), &NULL.to_string());
    let reply = written("opened", 1, 1, r#"{"media":[],"startPaused":false}"#);
    assert_eq!(session.text(&probe, 0), Ok(AudioHookEvent::Probe { reply }));
    assert_eq!(session.open_deadline_ms(), None);
    assert_eq!(session.opened(), None);
    assert!(session.binary(&[1]).is_err());
    let close = session.text(&message("close", 2, 1, r#"{"reason":"end"}"#), 10);
    let reply = written("closed", 2, 2, "{}");
    let reason = CloseReason::End;
    assert_eq!(close, Ok(AudioHookEvent::Closed { reply, reason }));
}

#[test]
fn who_is_on_the_channels() {
    let offer = |channels: &str| {
        format!(r#"{{"type": "audio", "format": "PCMU", "channels": {channels}, "rate": 8000}}"#)
    };
    let check = |offers: &[&str], expected: Layout| {
        let offers: Vec<_> = offers.iter().map(|channels| offer(channels)).collect();
        let begun = begin(&open(&format!("[{}]", offers.join(",")), "")).unwrap();
        assert_eq!(begun.layout, expected, "{offers:?}");
    };
    let (external, internal) = (r#"["external"]"#, r#"["internal"]"#);
    let both = r#"["external", "internal"]"#;
    check(
        &[external, internal, both],
        Layout::Split { agent_channel: 1 },
    );
    check(
        &[external, r#"["internal", "external"]"#],
        Layout::Split { agent_channel: 0 },
    );
    check(&[internal, external], Layout::Single(Some(Party::Customer)));
    check(&[internal], Layout::Single(Some(Party::Agent)));
}

#[test]
fn custom_config_tells_facts() {
    let check = |config: &str, expected: &str| {
        let begun = begin(&open(BOTH, &format!(r#","customConfig":{config}"#))).unwrap();
        let customer = begun
            .facts
            .customer
            .map(|number| number.reveal().to_owned());
        let told: Vec<_> = begun.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(customer.as_deref(), Some(expected), "{config}");
        assert!(told.is_empty(), "{told:?}");
    };
    check("{}", "+8613800138000");
    check("null", "+8613800138000");
    check(r#"{"direction": "inbound", "a": [{}]}"#, "+8613800138000");
    check(r#"{"direction": "Outbound"}"#, "+862087654321");
    check(r#"{"customer": "10010"}"#, "10010");
    let more = r#","language":"zh-CN","customConfig":{"agent":"1002","queue":"spring","region":"guangdong"}"#;
    let begun = begin(&open(BOTH, more)).unwrap();
    assert_eq!(begun.language.as_deref(), Some("zh-CN"));
    assert_eq!(begun.facts.metadata.agent.as_deref(), Some("1002"));
    assert_eq!(begun.facts.metadata.campaign.as_deref(), Some("spring"));
    let shown = format!("{begun:?}");
    for hidden in ["1002", "13800138000", "87654321", "Li Wei"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn a_number_may_be_withheld() {
    for withheld in ["\"\"", "null"] {
        let message = open(BOTH, "").replace("\"tel:+8613800138000\"", withheld);
        let begun = begin(&message).unwrap();
        assert_eq!(begun.facts.customer, None, "{withheld}");
        assert!(begun.warnings.is_empty(), "{withheld}");
    }
}

#[test]
fn what_is_not_taken_of_an_open() {
    let check = |more: &str, expected: &[&str]| {
        let begun = begin(&open(BOTH, more)).unwrap();
        assert_eq!(begun.facts.call_id.unwrap().0, CONVERSATION.to_string());
        let told: Vec<_> = begun.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(told, expected, "{more}");
    };
    check(
        r#","customConfig":{"call_id":"c-1"}"#,
        &["`customConfig` says something else than the conversation, which stands"],
    );
    check(
        r#","customConfig":{"direction":"both","agent":[]}"#,
        &[
            "`customConfig`: `direction` must be inbound or outbound, got `both`",
            "`customConfig`: `agent` must be a text or a number",
        ],
    );
    check(
        r#","customConfig":{"direction":1}"#,
        &["`customConfig`: `direction` must be inbound or outbound"],
    );
    check(
        r#","language":"zh_CN""#,
        &["`language` must be a language tag such as zh or en-US, got `zh_CN`"],
    );
    let long = open(BOTH, "").replace("+8613800138000", &"1".repeat(200));
    let begun = begin(&long).unwrap();
    assert_eq!(
        begun.warnings[0].to_string(),
        "number of `participant` is not taken: `customer` has 200 bytes, more than 128"
    );
}

#[test]
fn opens_that_are_refused() {
    let check = |message: &str, expected: &str| {
        assert_eq!(begin(message), Err(expected.to_owned()), "{message}");
    };
    let good = open(BOTH, "");
    let no_media =
        "`media` must offer audio in PCMU, 8000 Hz, with the channels external, internal or both";
    check(&open("[]", ""), no_media);
    check(&open(r#"[1, "audio", null, {}]"#, ""), no_media);
    check(&good.replace("PCMU", "L16"), no_media);
    check(&good.replace("8000}", "16000}"), no_media);
    check(&good.replace(r#""audio""#, r#""video""#), no_media);
    check(&good.replace("ternal\"", "tern\""), no_media);
    check(
        &good.replace(&ORGANIZATION.to_string(), &NULL.to_string()),
        "`organizationId` is not that of the handshake",
    );
    check(
        &good.replace(&CONVERSATION.to_string(), "c-1"),
        "`conversationId` must be a UUID",
    );
    check(
        &good.replace(&PARTICIPANT.to_string(), ""),
        "`participant.id` must be a UUID",
    );
    check(
        &good.replace("PT0S", "12"),
        "`position` must be seconds such as PT12.5S, got `12`",
    );
    let no_message = "message is not a JSON object as AudioHook has it";
    check(&open("{}", ""), no_message);
    check(&message("open", 1, 0, "[]"), no_message);
}

#[test]
fn every_message_is_checked() {
    let check = |message: &str, expected: &str, close: Close| {
        let mut session = streaming(&Limits::default());
        let error = session.text(message, 2000).unwrap_err();
        assert_eq!(error.to_string(), expected, "{message}");
        assert_eq!(error.close(), close);
        // It is told, and the other side takes its leave, whatever its numbers are.
        let info = error.to_string();
        let told = session.disconnect(DisconnectReason::Error, &info).unwrap();
        assert!(
            told.contains(r#""type":"disconnect","seq":2,"clientseq":"#),
            "{told}"
        );
        assert_eq!(session.disconnect(DisconnectReason::Error, &info), None);
        assert!(session.binary(&[1, 2]).unwrap().is_none());
        let goodbye = super::message("close", 9, 2, r#"{"reason":"disconnect"}"#);
        let reply = written("closed", 3, 9, "{}");
        let reason = CloseReason::Disconnect;
        let closed = AudioHookEvent::Closed { reply, reason };
        assert_eq!(session.text(&goodbye, 3000), Ok(closed));
    };
    let good = message("ping", 2, 1, "{}");
    let malformed = "message is not a JSON object as AudioHook has it";
    for text in ["", "hello", "[]", "{}", &good[..40]] {
        check(text, malformed, Close::Malformed);
    }
    check(&"[".repeat(10_000), malformed, Close::Malformed);
    check(
        &good.replace(r#""version":"2""#, r#""version":"1""#),
        "`version` must be 2, got `1`",
        Close::Malformed,
    );
    check(
        &good.replace(&SESSION.to_string(), &CONVERSATION.to_string()),
        "`id` is not that of the handshake",
        Close::NotAccepted,
    );
    check(
        &message("ping", 3, 1, "{}"),
        "`seq` must be 2, got `3`",
        Close::Malformed,
    );
    check(
        &message("ping", 1, 1, "{}"),
        "`seq` must be 2, got `1`",
        Close::Malformed,
    );
    check(
        &message("ping", 2, 2, "{}"),
        "`serverseq` must be at most 1, got `2`",
        Close::Malformed,
    );
    check(
        &open(BOTH, "").replace(r#""seq":1"#, r#""seq":2"#),
        "`open` came twice; a connection is one session",
        Close::NotAccepted,
    );
    check(
        &" ".repeat(20_000),
        "message has 20000 bytes, more than 16384",
        Close::TooLong,
    );
}

#[test]
fn a_session_is_ended_here() {
    let check = |reason, info: &str, expected: &str| {
        let mut session = session(&Limits::default());
        let told = session.disconnect(reason, info);
        assert_eq!(told, Some(written("disconnect", 1, 0, expected)));
        // An `open` that was under way is not read.
        let crossed = session.text(&open(BOTH, ""), 0);
        assert_eq!(crossed, Ok(AudioHookEvent::Nothing));
        let ping = session.text(&message("ping", 2, 0, "{}"), 0);
        let reply = written("pong", 2, 2, "{}");
        assert_eq!(
            ping,
            Ok(AudioHookEvent::Ping {
                reply,
                rtt_ms: None
            })
        );
    };
    check(
        DisconnectReason::Unauthorized,
        "",
        r#"{"reason":"unauthorized","info":""}"#,
    );
    check(
        DisconnectReason::Completed,
        "a \"quoted\"\nline",
        r#"{"reason":"completed","info":"a \"quoted\"\nline"}"#,
    );
    check(
        DisconnectReason::Error,
        "`seq` must be 2, got `3`",
        r#"{"reason":"error","info":"`seq` must be 2, got `3`"}"#,
    );
}

#[test]
fn messages_of_a_stream() {
    let language = |tag: &str| AudioHookEvent::Language(tag.to_owned());
    assert_eq!(hear("paused", "{}"), AudioHookEvent::Paused);
    let key = PhoneKey::new('7').unwrap();
    let pressed = hear("dtmf", r#"{"digit":"7"}"#);
    assert_eq!(pressed, AudioHookEvent::Digit(key));
    assert_eq!(format!("{pressed:?}"), "Digit(PhoneKey(…))");
    for nothing in ["{}", r#"{"digit":"77"}"#, r#"{"digit":7}"#] {
        assert_eq!(hear("dtmf", nothing), AudioHookEvent::Nothing, "{nothing}");
    }
    assert_eq!(hear("update", r#"{"language":"en-US"}"#), language("en-US"));
    assert_eq!(hear("update", "{}"), AudioHookEvent::Nothing);
    for kind in ["playback_started", "playback_completed", "later"] {
        assert_eq!(hear(kind, "{}"), AudioHookEvent::Nothing);
    }
    let error = hear("error", r#"{"code":408,"message":"no pong"}"#);
    assert_eq!(error, AudioHookEvent::Error { code: 408 });
    assert_eq!(hear("error", "{}"), AudioHookEvent::Error { code: 0 });
    let AudioHookEvent::NotTaken(warning) = hear("update", r#"{"language":"?"}"#) else {
        panic!("it is not taken");
    };
    let expected = "`language` must be a language tag such as zh or en-US, got `?`";
    assert_eq!(warning.to_string(), expected);
}

#[test]
fn audio_waits_for_opened() {
    let mut session = session(&Limits::default());
    assert_eq!(
        session.binary(&[1, 2]).unwrap_err(),
        AudioHookError::UnexpectedAudio
    );
    session.text(&open(BOTH, ""), 0).unwrap();
    let error = session.binary(&[1, 2]).unwrap_err();
    assert_eq!(error.to_string(), "audio came before `opened`");
    assert_eq!(error.close(), Close::NotAudio);
    session.opened().unwrap();
    let limit_bytes = Limits::default().audio_message_bytes;
    let long = session.binary(&vec![0xff; limit_bytes + 1]).unwrap_err();
    assert_eq!(long.close(), Close::TooLong);
}

#[test]
fn nothing_of_a_call_is_shown() {
    let mut session = streaming(&Limits::default());
    let shown = format!("{:?}", session.binary(&[211; 4]).unwrap().unwrap());
    assert_eq!(shown, "AudioHookAudio(2 frames at 0)");
    let shown = format!("{session:?}");
    for hidden in ["211", "13800138000", KEY] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn the_page_quotes_the_messages_that_there_are() {
    let limit_bytes = Limits::default().text_message_bytes;
    let errors = [
        AudioHookError::NotAMessage.to_string(),
        AudioHookError::NoMedia.to_string(),
        AudioHookError::OpenTwice.to_string(),
        AudioHookError::UnexpectedAudio.to_string(),
        AudioHookError::OtherOrganization.to_string(),
        AudioHookError::Sequence {
            expected: 2,
            got: 3,
        }
        .to_string(),
        AudioHookError::TooLong {
            n_bytes: 20_000,
            limit_bytes,
        }
        .to_string(),
        AudioHookError::TooManyNotTaken {
            limit: Limits::default().malformed_messages,
        }
        .to_string(),
        AudioHookWarning::Contradicts.to_string(),
        AudioHookRefusal::WrongSignature.to_string(),
        AudioHookRefusal::UnknownKey.to_string(),
        AudioHookRefusal::OtherKey.to_string(),
        AudioHookRefusal::Replayed.to_string(),
    ];
    for error in errors {
        assert!(PAGE.contains(&error), "the page lacks: {error}");
    }
}
