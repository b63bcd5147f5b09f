//! `chan_websocket`: queries and messages.

use auricle_contracts::Party;
use proptest::prelude::*;

use super::*;
use crate::{Close, Encoding, Frames, Limits};

const PAGE: &str = include_str!("../../../../../docs/ingest/chan_websocket.md");

/// As 20.18 writes it.
const START: &str = "MEDIA_START connection_id:media channel:WebSocket/media/0x5140001a0040 \
                     channel_id:1761245643.1 format:ulaw optimal_frame_size:160 ptime:20";

/// A start in JSON, of a format, with channel variables.
fn start(format: &str, variables: &str) -> String {
    format!(
        r#"{{"event":"MEDIA_START","connection_id":"media","channel":"WebSocket/media/0x51",
            "channel_id":"17.1","format":"{format}","optimal_frame_size":160,"ptime":20,
            "channel_variables":{variables}}}"#
    )
}

fn parse(query: &str) -> Result<ChanWebsocketRequest, String> {
    ChanWebsocketRequest::parse(query, &Limits::default()).map_err(|error| error.to_string())
}

fn session(query: &str, limits: &Limits) -> ChanWebsocketSession {
    let request = ChanWebsocketRequest::parse(query, limits).unwrap();
    ChanWebsocketSession::new(&request, limits)
}

fn begin(query: &str, message: &str) -> Result<MediaStart, ChanWebsocketError> {
    match session(query, &Limits::default()).text(message)? {
        ChanWebsocketEvent::Started { start, .. } => Ok(*start),
        event => panic!("it is a start: {event:?}"),
    }
}

/// The samples of the one channel.
fn samples(frames: Frames<'_>) -> Vec<u8> {
    frames.channels().flatten().copied().collect()
}

fn audio(event: ChanWebsocketEvent<'_>) -> Vec<u8> {
    match event {
        ChanWebsocketEvent::Started { early, .. } => samples(early),
        ChanWebsocketEvent::Audio(frames) => samples(frames),
        event => panic!("it is audio: {event:?}"),
    }
}

#[test]
fn queries() {
    let request =
        parse("?call_id=c-1&party=agent&agent=1002&campaign=spring&connections=2&foo=1").unwrap();
    assert_eq!(request.party, Some(Party::Agent));
    assert_eq!(request.connections, Some(2));
    assert_eq!(request.facts.call_id.unwrap().0, "c-1");
    assert_eq!(request.facts.metadata.agent.as_deref(), Some("1002"));
    assert_eq!(request.facts.metadata.campaign.as_deref(), Some("spring"));
    let told: Vec<_> = request.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["`foo` has no effect: it is not known here"]);
    assert_eq!(parse("").unwrap().party, None);
}

#[test]
fn queries_that_are_refused() {
    let check = |query: &str, begins: &str| {
        let error = parse(query).unwrap_err();
        assert!(error.starts_with(begins), "{error}");
    };
    check(
        "party=caller",
        "`party` must be agent, customer or unknown, got `caller`",
    );
    check("connections=3", "`connections` must be 1 to 2, got `3`");
    check("call_id=a%2Fb", "`call_id` must be letters, digits");
    check("agent=a&agent=b", "`agent` is given twice");
    check("customer=13800138000", "`customer` is not taken");
    check("language=zh_CN", "`language` must be a language tag");
}

#[test]
fn formats() {
    let check = |format: &str, encoding, rate_hz| {
        let line = START.replace("format:ulaw", &format!("format:{format}"));
        for message in [line, start(format, "{}")] {
            let begun = begin("", &message).unwrap();
            assert_eq!((begun.encoding, begun.rate_hz), (encoding, rate_hz));
        }
    };
    check("ulaw", Encoding::Ulaw, 8000);
    check("alaw", Encoding::Alaw, 8000);
    check("slin", Encoding::L16Le, 8000);
    check("slin16", Encoding::L16Le, 16_000);
    check("slin44", Encoding::L16Le, 44_100);
    check("slin48", Encoding::L16Le, 48_000);
}

#[test]
fn starts_that_are_refused() {
    let check = |message: &str, expected: &str| {
        let error = begin("", message).unwrap_err();
        let told = error.to_string();
        assert_eq!(told.lines().next(), Some(expected), "{message}");
        assert_eq!(error.close(), Close::NotAudio);
    };
    check(
        "MEDIA_START channel:WebSocket/media optimal_frame_size:160",
        "`format` is missing in `MEDIA_START`",
    );
    for format in ["opus", "g722", "ULAW", "slin8"] {
        check(
            &start(format, "{}"),
            &format!("`format` must be ulaw, alaw or one of slin, got `{format}`"),
        );
    }
    check(
        &start("slin96", "{}"),
        "`format` must have 8000 to 48000 Hz, got `96000`",
    );
}

#[test]
fn a_channel_from_beginning_to_end() {
    let mut session = session("party=customer", &Limits::default());
    let ChanWebsocketEvent::Started { start, early } = session.text(START).unwrap() else {
        panic!("it begins");
    };
    assert_eq!(start.party, Some(Party::Customer));
    assert_eq!(early.n_frames(), 0);
    assert_eq!(audio(session.binary(&[1, 2, 3]).unwrap()), [1, 2, 3]);
    assert!(audio(session.binary(&[]).unwrap()).is_empty());
    for (message, expected) in [
        ("DTMF_END digit:7 channel_id:17.1", '7'),
        ("DTMF_END channel_id:17.1 digit:#", '#'),
        (
            r#"{"event":"DTMF_END","channel_id":"17.1","digit":"a"}"#,
            'A',
        ),
    ] {
        let ChanWebsocketEvent::Digit(key) = session.text(message).unwrap() else {
            panic!("it is a key: {message}");
        };
        assert_eq!(key.reveal(), expected);
        let shown = format!("{:?}", ChanWebsocketEvent::Digit(key));
        assert_eq!(shown, "Digit(PhoneKey(…))");
    }
    for nothing in [
        "DTMF_END",
        "DTMF_END digit: channel_id:17.1",
        "DTMF_END digit:12",
        r#"{"event":"DTMF_END","digit":7}"#,
        "MEDIA_XON",
        "MEDIA_XOFF",
        "QUEUE_DRAINED",
        "MEDIA_BUFFERING_COMPLETED id with spaces",
        "STATUS channel_id:17.1 queue_length:43 queue_full:false",
        "WHAT_MAY_COME",
    ] {
        let event = session.text(nothing).unwrap();
        assert!(matches!(event, ChanWebsocketEvent::Nothing), "{nothing}");
    }
    let complaint = "ERROR channel_id:17.1 error_text:ANSWER not supported";
    let event = session.text(complaint).unwrap();
    assert!(matches!(event, ChanWebsocketEvent::Complaint));
    let error = session.text(START).unwrap_err();
    assert_eq!(error, ChanWebsocketError::StartTwice);
}

#[test]
fn audio_before_the_start_is_kept() {
    let mut session = session("", &Limits::default());
    for message in [vec![1, 2, 3], vec![4, 5]] {
        let event = session.binary(&message).unwrap();
        assert!(matches!(event, ChanWebsocketEvent::Nothing));
    }
    // Three samples of what came before, half a one is kept.
    let started = session.text(&start("slin", "{}")).unwrap();
    assert_eq!(audio(started), [1, 2, 3, 4]);
    assert_eq!(session.n_kept_bytes(), 1);
    assert_eq!(audio(session.binary(&[6, 7]).unwrap()), [5, 6]);
}

#[test]
fn audio_without_a_start_ends() {
    let limits = Limits {
        early_audio_bytes: 4,
        ..Limits::default()
    };
    let mut session = session("", &limits);
    assert!(session.binary(&[1, 2, 3, 4]).is_ok());
    let error = session.binary(&[5]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "5 bytes of audio came before `MEDIA_START`, more than 4"
    );
    // What was kept is still told.
    assert_eq!(audio(session.text(START).unwrap()), [1, 2, 3, 4]);
}

#[test]
fn channel_variables_tell_facts() {
    let variables = r#"{"DIALEDPEERNUMBER": "media/c(ulaw)", "AGENT": "x", "AURICLE_CALL_ID": "c-2",
        "AURICLE_AGENT": "1002", "AURICLE_QUEUE": 7, "AURICLE_CUSTOMER": "13800138000",
        "AURICLE_PARTY": "agent", "AURICLE_REGION": null, "AURICLE_OTHER": []}"#;
    let begun = begin("campaign=7", &start("ulaw", variables)).unwrap();
    assert_eq!(begun.party, Some(Party::Agent));
    assert_eq!(begun.facts.call_id.as_ref().unwrap().0, "c-2");
    assert_eq!(begun.facts.metadata.agent.as_deref(), Some("1002"));
    assert_eq!(begun.facts.metadata.campaign.as_deref(), Some("7"));
    assert_eq!(begun.facts.metadata.region, None);
    let customer = begun.facts.customer.as_ref().unwrap();
    assert_eq!(customer.reveal(), "13800138000");
    assert!(begun.warnings.is_empty());
    let shown = format!("{begun:?}");
    assert!(!shown.contains("1002") && !shown.contains("138"), "{shown}");
}

#[test]
fn variables_that_are_not_taken() {
    let check = |query: &str, variables: &str, expected: &[&str]| {
        let begun = begin(query, &start("ulaw", variables)).unwrap();
        let told: Vec<_> = begun.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(told, expected, "{query} {variables}");
    };
    let contradicts = "channel variables say something else than the address, which stands";
    check("agent=a", r#"{"AURICLE_AGENT": "b"}"#, &[contradicts]);
    check("party=agent", r#"{"AURICLE_PARTY": "agent"}"#, &[]);
    check(
        "party=agent",
        r#"{"AURICLE_PARTY": "customer"}"#,
        &[contradicts],
    );
    check(
        "",
        r#"{"AURICLE_AGENT": ["a"], "AURICLE_PARTY": "me"}"#,
        &[
            "channel variable `agent` must be a text or a number",
            "channel variable `party` must be agent, customer or unknown, got `me`",
        ],
    );
    check("", "null", &[]);
}

#[test]
fn commands_are_written_as_events_are() {
    let mut session = session("", &Limits::default());
    let hangup = ChanWebsocketCommand::Hangup;
    assert_eq!(session.command(hangup), "HANGUP");
    session.text(&start("ulaw", "{}")).unwrap();
    assert_eq!(session.command(hangup), r#"{"command":"HANGUP"}"#);
    let answer = ChanWebsocketCommand::Answer;
    assert_eq!(session.command(answer), r#"{"command":"ANSWER"}"#);
    assert_eq!(answer.text(ControlFormat::PlainText), "ANSWER");
}

#[test]
fn texts_that_are_not_understood() {
    let limits = Limits {
        malformed_messages: 1,
        ..Limits::default()
    };
    for text in [
        "",
        " ",
        "hello",
        "Media_Start x",
        "{",
        "{}",
        "[]",
        r#"{"event":1}"#,
    ] {
        let mut session = session("", &limits);
        let event = session.text(text).unwrap();
        let expected = ChanWebsocketWarning::NotAnEvent;
        let is_expected =
            matches!(&event, ChanWebsocketEvent::Malformed(warning) if *warning == expected);
        assert!(is_expected, "{text}");
        let error = session.text(text).unwrap_err();
        assert_eq!(error, ChanWebsocketError::TooManyMalformed { limit: 1 });
        assert_eq!(error.close(), Close::Malformed);
    }
}

#[test]
fn messages_that_are_too_long() {
    let limits = Limits {
        audio_message_bytes: 8,
        text_message_bytes: 9,
        ..Limits::default()
    };
    let mut session = session("", &limits);
    let error = session.binary(&[0; 9]).unwrap_err();
    assert_eq!(error.to_string(), "message has 9 bytes, more than 8");
    assert_eq!(error.close(), Close::TooLong);
    let error = session.text("MEDIA_XOFF").unwrap_err();
    assert_eq!(error.to_string(), "message has 10 bytes, more than 9");
}

#[test]
fn audio_is_not_shown() {
    let mut session = session("", &Limits::default());
    session.binary(&[211; 4]).unwrap();
    assert!(!format!("{session:?}").contains("211"));
    let shown = format!("{:?}", session.text(START).unwrap());
    assert!(!shown.contains("211"), "{shown}");
}

#[test]
fn the_page_quotes_the_messages_that_there_are() {
    let limits = Limits::default();
    let got = crate::query::Shown::new("opus");
    let errors = [
        ChanWebsocketError::NoStart {
            n_bytes: 64_160,
            limit_bytes: limits.early_audio_bytes,
        },
        ChanWebsocketError::StartTwice,
        ChanWebsocketError::FormatMissing,
        ChanWebsocketError::Format { got },
        ChanWebsocketError::Rate {
            expected_hz: limits.sample_rates_hz.clone(),
            rate_hz: 96_000,
        },
        ChanWebsocketError::TooManyMalformed {
            limit: limits.malformed_messages,
        },
        ChanWebsocketError::TooLong {
            n_bytes: 20_000,
            limit_bytes: limits.text_message_bytes,
        },
    ];
    for error in errors {
        let told = error.to_string();
        let first = told.lines().next().unwrap();
        assert!(PAGE.contains(first), "the page lacks: {first}");
    }
    let contradicts = ChanWebsocketWarning::Contradicts.to_string();
    assert!(PAGE.contains(&contradicts), "the page lacks: {contradicts}");
}

proptest! {
    #[test]
    fn any_text_is_read(texts in proptest::collection::vec(any::<String>(), 0..4)) {
        let mut session = session("", &Limits::default());
        for text in &texts {
            let _ = session.text(text);
            let _ = session.text(&format!("MEDIA_START {text}"));
            let _ = session.binary(text.as_bytes());
        }
    }

    #[test]
    fn when_the_start_comes_changes_no_audio(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..8),
        at in 0usize..8,
    ) {
        let heard = |at: usize| {
            let mut session = session("", &Limits::default());
            let mut heard = Vec::new();
            for (place, piece) in pieces.iter().enumerate() {
                if place == at {
                    heard.extend(audio(session.text(&start("slin", "{}")).unwrap()));
                }
                match session.binary(piece).unwrap() {
                    ChanWebsocketEvent::Audio(frames) => heard.extend(samples(frames)),
                    event => assert!(matches!(event, ChanWebsocketEvent::Nothing)),
                }
            }
            if at >= pieces.len() {
                heard.extend(audio(session.text(&start("slin", "{}")).unwrap()));
            }
            heard
        };
        prop_assert_eq!(heard(at), heard(0));
    }
}
