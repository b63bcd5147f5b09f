//! Twilio: queries and messages.

use auricle_contracts::{Party, PhoneKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::*;
use crate::{Close, Limits};

const PAGE: &str = include_str!("../../../../../docs/ingest/twilio.md");

/// A `start` of both tracks, with these custom parameters.
fn start(parameters: &str) -> String {
    start_with(
        r#"["inbound", "outbound"]"#,
        parameters,
        r#"{"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}"#,
    )
}

fn start_with(tracks: &str, parameters: &str, format: &str) -> String {
    format!(
        r#"{{"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": {{
            "accountSid": "AC1", "streamSid": "MZ1", "callSid": "CA0f", "tracks": {tracks},
            "customParameters": {parameters}, "mediaFormat": {format}}}}}"#
    )
}

fn media(number: u64, track: &str, timestamp: &str, audio: &[u8]) -> String {
    let payload = BASE64_STANDARD.encode(audio);
    format!(
        r#"{{"event": "media", "sequenceNumber": "{number}", "streamSid": "MZ1", "media": {{
            "track": "{track}", "chunk": "1", "timestamp": {timestamp}, "payload": "{payload}"}}}}"#
    )
}

fn parse(query: &str) -> Result<TwilioRequest, String> {
    TwilioRequest::parse(query, &Limits::default()).map_err(|error| error.to_string())
}

fn session(query: &str, limits: &Limits) -> TwilioSession {
    TwilioSession::new(&TwilioRequest::parse(query, limits).unwrap(), limits)
}

fn begin(query: &str, message: &str) -> Result<TwilioStart, TwilioError> {
    match session(query, &Limits::default()).text(message)? {
        TwilioEvent::Started(start) => Ok(*start),
        event => panic!("it is a start: {event:?}"),
    }
}

/// A session that has begun, with both tracks.
fn streaming(limits: &Limits) -> TwilioSession {
    let mut session = session("", limits);
    let begun = session.text(&start("{}")).unwrap();
    assert!(matches!(begun, TwilioEvent::Started(_)));
    session
}

fn warnings(start: &TwilioStart) -> Vec<String> {
    start.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn queries() {
    let check = |query: &str, inbound| assert_eq!(parse(query).unwrap().inbound, inbound);
    check("", None);
    check("?inbound=agent&call_id=c-1", Some(Party::Agent));
    check("inbound=Customer", Some(Party::Customer));
    let request = parse("call_id=c-1&agent=1002&queue=spring&language=zh-CN&foo=1").unwrap();
    assert_eq!(request.facts.call_id.unwrap().0, "c-1");
    assert_eq!(request.facts.metadata.agent.as_deref(), Some("1002"));
    assert_eq!(request.facts.metadata.campaign.as_deref(), Some("spring"));
    assert_eq!(request.language.as_deref(), Some("zh-CN"));
    let told: Vec<_> = request.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["`foo` has no effect: it is not known here"]);
}

#[test]
fn queries_that_are_refused() {
    let check = |query: &str, begins: &str| {
        let error = parse(query).unwrap_err();
        assert!(error.starts_with(begins), "{error}");
    };
    check(
        "inbound=both",
        "`inbound` must be customer or agent, got `both`",
    );
    check(
        "inbound=agent&inbound=customer",
        "`inbound` is given twice, with different values",
    );
    check("call_id=a%2Fb", "`call_id` must be letters, digits");
    check("agent=a&agent=b", "`agent` is given twice");
    check("customer=13800138000", "`customer` is not taken");
    check("language=zh_CN", "`language` must be a language tag");
}

#[test]
fn a_stream_from_beginning_to_end() {
    let mut session = session("", &Limits::default());
    let connected = r#"{"event": "connected", "protocol": "Call", "version": "1.0.0"}"#;
    assert_eq!(session.text(connected), Ok(TwilioEvent::Nothing));
    let TwilioEvent::Started(begun) = session.text(&start("{}")).unwrap() else {
        panic!("it begins");
    };
    assert_eq!(begun.facts.call_id.as_ref().unwrap().0, "CA0f");
    let leg = |track, party| TwilioLeg { track, party };
    assert_eq!(
        begun.legs,
        [
            leg(Track::Inbound, Party::Customer),
            leg(Track::Outbound, Party::Agent)
        ]
    );
    assert!(begun.warnings.is_empty());
    let audio = |track, at_ms, ulaw| Ok(TwilioEvent::Audio(TwilioAudio { track, at_ms, ulaw }));
    let first = media(2, "inbound", r#""5""#, &[1, 2, 3]);
    assert_eq!(session.text(&first), audio(Track::Inbound, 5, &[1, 2, 3]));
    // Each track has a clock of its own; numbers may be numbers.
    let other = media(3, "outbound", "0", &[4]);
    assert_eq!(session.text(&other), audio(Track::Outbound, 0, &[4]));
    let empty = media(4, "inbound", r#""5""#, &[]);
    assert_eq!(session.text(&empty), audio(Track::Inbound, 5, &[]));
    let digit = r#"{"event": "dtmf", "sequenceNumber": "5", "streamSid": "MZ1",
        "dtmf": {"track": "inbound_track", "digit": "7"}}"#;
    let pressed = |track| {
        let key = PhoneKey::new('7').unwrap();
        Ok(TwilioEvent::Digit { track, key })
    };
    assert_eq!(session.text(digit), pressed(Track::Inbound));
    let mark =
        r#"{"event": "mark", "sequenceNumber": "6", "streamSid": "MZ1", "mark": {"name": "m"}}"#;
    assert_eq!(session.text(mark), Ok(TwilioEvent::Nothing));
    let stop = r#"{"event": "stop", "sequenceNumber": "7", "streamSid": "MZ1", "stop": {}}"#;
    assert_eq!(session.text(stop), Ok(TwilioEvent::Stopped));
    // After the end nothing is read, whatever it is.
    assert_eq!(session.text("bye"), Ok(TwilioEvent::Nothing));
    assert_eq!(session.counts(), TwilioCounts::default());
}

#[test]
fn keys_that_are_pressed() {
    let check = |dtmf: &str, expected: Option<(Track, char)>| {
        let mut session = streaming(&Limits::default());
        let message = format!(r#"{{"event": "dtmf", "dtmf": {dtmf}}}"#);
        let told = match session.text(&message) {
            Ok(TwilioEvent::Digit { track, key }) => Some((track, key.reveal())),
            other => {
                assert_eq!(other, Ok(TwilioEvent::Nothing), "{dtmf}");
                None
            }
        };
        assert_eq!(told, expected, "{dtmf}");
    };
    let (inbound, outbound) = (Track::Inbound, Track::Outbound);
    check(
        r##"{"track": "inbound_track", "digit": "#"}"##,
        Some((inbound, '#')),
    );
    check(
        r#"{"track": "outbound_track", "digit": "0"}"#,
        Some((outbound, '0')),
    );
    check(r#"{"digit": "7"}"#, Some((inbound, '7')));
    for nothing in [
        "null",
        "{}",
        r#"{"digit": ""}"#,
        r#"{"digit": "12"}"#,
        r#"{"digit": "x"}"#,
        r#"{"track": "left", "digit": "7"}"#,
    ] {
        check(nothing, None);
    }
    let mut session = streaming(&Limits::default());
    let digit = r#"{"event": "dtmf", "dtmf": {"digit": "7"}}"#;
    let shown = format!("{:?}", session.text(digit).unwrap());
    assert_eq!(shown, "Digit { track: Inbound, key: PhoneKey(…) }");
}

#[test]
fn who_is_on_the_tracks() {
    let check = |query: &str, tracks: &str, parameters: &str, expected: &[(Track, Party)]| {
        let format = r#"{"encoding": "audio/x-mulaw", "sampleRate": "8000", "channels": "1"}"#;
        let begun = begin(query, &start_with(tracks, parameters, format)).unwrap();
        let legs: Vec<_> = begun
            .legs
            .iter()
            .map(|leg| (leg.track, leg.party))
            .collect();
        assert_eq!(legs, expected, "{query} {parameters}");
    };
    let (inbound, outbound) = (Track::Inbound, Track::Outbound);
    let (agent, customer) = (Party::Agent, Party::Customer);
    check("", r#"["inbound"]"#, "{}", &[(inbound, customer)]);
    check("", r#"["outbound"]"#, "null", &[(outbound, agent)]);
    check(
        "inbound=agent",
        r#"["outbound", "inbound", "inbound"]"#,
        "{}",
        &[(inbound, agent), (outbound, customer)],
    );
    let said = r#"{"inbound_party": "agent"}"#;
    check("", r#"["inbound"]"#, said, &[(inbound, agent)]);
    check(
        "inbound=customer",
        r#"["inbound"]"#,
        said,
        &[(inbound, customer)],
    );
}

#[test]
fn custom_parameters_tell_facts() {
    let parameters = r#"{"agent": "1002", "queue": "spring", "customer": "+8613800138000",
        "region": "guangdong", "key": "k-1", "other": {"a": [1]}}"#;
    let begun = begin("region=guangdong", &start(parameters)).unwrap();
    assert_eq!(begun.facts.call_id.as_ref().unwrap().0, "CA0f");
    assert_eq!(begun.facts.metadata.agent.as_deref(), Some("1002"));
    assert_eq!(begun.facts.metadata.campaign.as_deref(), Some("spring"));
    let customer = begun.facts.customer.as_ref().unwrap();
    assert_eq!(customer.reveal(), "+8613800138000");
    assert_eq!(begun.key.as_ref().unwrap().reveal(), "k-1");
    assert!(begun.warnings.is_empty());
    let shown = format!("{begun:?}");
    for hidden in ["1002", "13800138000", "k-1"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    // A name that is given goes before Twilio's.
    let named = begin("", &start(r#"{"call_id": "c-9"}"#)).unwrap();
    assert_eq!(named.facts.call_id.unwrap().0, "c-9");
}

#[test]
fn parameters_that_are_not_taken() {
    let check = |query: &str, parameters: &str, expected: &[&str]| {
        let begun = begin(query, &start(parameters)).unwrap();
        assert_eq!(warnings(&begun), expected, "{query} {parameters}");
    };
    let contradicts = "custom parameters say something else than the address, which stands";
    check("agent=a", r#"{"agent": "b"}"#, &[contradicts]);
    check(
        "inbound=agent",
        r#"{"inbound_party": "customer"}"#,
        &[contradicts],
    );
    check(
        "",
        r#"{"agent": [], "inbound_party": "both", "key": "a b"}"#,
        &[
            "custom parameter `key` is no key",
            "custom parameter `inbound_party` must be customer or agent, got `both`",
            "custom parameter `agent` must be a text or a number",
        ],
    );
    check(
        "",
        r#"{"inbound_party": 1}"#,
        &["custom parameter `inbound_party` must be customer or agent"],
    );
    let unnamed = start("{}").replace("CA0f", "/");
    let begun = begin("", &unnamed).unwrap();
    assert_eq!(begun.facts.call_id, None);
    assert!(warnings(&begun)[0].starts_with("`callSid` does not name the call: `call_id` must be"));
}

#[test]
fn starts_that_are_refused() {
    let check = |message: &str, expected: &str| {
        let error = begin("", message).unwrap_err();
        assert_eq!(error.to_string(), expected, "{message}");
        assert_eq!(error.close(), Close::NotAudio);
    };
    let with_format = |format: &str| start_with(r#"["inbound"]"#, "{}", format);
    check(r#"{"event": "start"}"#, "`start` is missing in `start`");
    check(
        r#"{"event": "start", "start": {}}"#,
        "`streamSid` is missing in `start`",
    );
    check(&with_format("null"), "`mediaFormat` is missing in `start`");
    check(
        &with_format(r#"{"encoding": "audio/l16", "sampleRate": 8000, "channels": 1}"#),
        "`mediaFormat.encoding` must be audio/x-mulaw, got `audio/l16`",
    );
    check(
        &with_format(r#"{"encoding": "audio/x-mulaw", "sampleRate": 16000, "channels": 1}"#),
        "`mediaFormat.sampleRate` must be 8000, got `16000`",
    );
    check(
        &with_format(r#"{"encoding": "audio/x-mulaw", "sampleRate": 8000}"#),
        "`mediaFormat.channels` must be 1, got ``",
    );
    let mulaw = r#"{"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}"#;
    check(
        &start_with("[]", "{}", mulaw),
        "`tracks` is missing in `start`",
    );
    check(
        &start_with(r#"["left"]"#, "{}", mulaw),
        "`tracks` must be inbound or outbound, got `left`",
    );
}

#[test]
fn what_ends_a_connection() {
    let limits = Limits {
        text_message_bytes: 2000,
        ..Limits::default()
    };
    let audio = media(2, "inbound", "0", &[1]);
    let early = session("", &limits).text(&audio).unwrap_err();
    assert_eq!(early, TwilioError::AudioBeforeStart);
    let twice = streaming(&limits).text(&start("{}")).unwrap_err();
    assert_eq!(twice, TwilioError::StartTwice);
    let long = streaming(&limits).text(&" ".repeat(2001)).unwrap_err();
    assert_eq!(
        long.to_string(),
        "text message has 2001 bytes, more than 2000"
    );
    assert_eq!(long.close(), Close::TooLong);
}

#[test]
fn messages_that_are_not_taken() {
    let check = |message: &str, expected: &str| {
        let mut session = streaming(&Limits::default());
        session.text(&media(2, "inbound", "40", &[1])).unwrap();
        let TwilioEvent::NotTaken(warning) = session.text(message).unwrap() else {
            panic!("it is not taken: {message}");
        };
        assert_eq!(warning.to_string(), expected, "{message}");
        // What follows is heard.
        let next = session.text(&media(9, "outbound", "0", &[7])).unwrap();
        assert!(matches!(next, TwilioEvent::Audio(_)), "{message}");
    };
    let no_message = "message is not a JSON object as Twilio sends it";
    for text in ["", "hello", "[]", "{}", r#"{"event": 1}"#, "{\"event\":"] {
        check(text, no_message);
    }
    check(&"[".repeat(10_000), no_message);
    check(
        &media(3, "inbound", "60", &[1]).replace("MZ1", "MZ2"),
        "`streamSid` is not that of `start`",
    );
    check(
        &media(2, "inbound", "60", &[1]),
        "`sequenceNumber` is not above that of the message before",
    );
    check(
        r#"{"event": "media", "sequenceNumber": "3"}"#,
        "`media` is missing",
    );
    check(
        &media(3, "left", "60", &[1]),
        "`media.track` must be inbound or outbound, got `left`",
    );
    check(
        &media(3, "inbound", "39", &[1]),
        "`media.timestamp` of `inbound` runs back",
    );
    let timestamp = "`media.timestamp` must be milliseconds since the stream began";
    for text in [r#""""#, r#""-1""#, r#""1711216222735""#, r#""1.5""#] {
        check(&media(3, "inbound", text, &[1]), timestamp);
    }
    for payload in ["AQ", "AQ=", "A!==", "AQ==AQ==", "A"] {
        let message = media(3, "inbound", "60", &[1]).replace("AQ==", payload);
        check(&message, "`media.payload` is not base64");
    }
}

#[test]
fn tracks_that_were_not_announced() {
    let format = r#"{"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}"#;
    let mut session = session("", &Limits::default());
    session
        .text(&start_with(r#"["inbound"]"#, "{}", format))
        .unwrap();
    let track = Track::Outbound;
    assert_eq!(
        session.text(&media(2, "outbound", "0", &[1])),
        Ok(TwilioEvent::NotTaken(TwilioWarning::TrackNotListed {
            track
        }))
    );
}

#[test]
fn numbers_are_counted() {
    let mut session = streaming(&Limits::default());
    for number in [2, 3, 6, 6, 5, 7, 10] {
        session.text(&media(number, "inbound", "0", &[])).unwrap();
    }
    // Whoever sends none is heard all the same.
    let unnumbered = media(11, "inbound", "0", &[]).replace("sequenceNumber", "number");
    let heard = session.text(&unnumbered).unwrap();
    assert!(matches!(heard, TwilioEvent::Audio(_)));
    let expected = TwilioCounts {
        n_missing: 4,
        n_repeated: 2,
    };
    assert_eq!(session.counts(), expected);
}

#[test]
fn patience_ends() {
    let limits = Limits {
        malformed_messages: 1,
        ..Limits::default()
    };
    let mut session = streaming(&limits);
    let binary = TwilioEvent::NotTaken(TwilioWarning::Binary);
    assert_eq!(session.binary(), Ok(binary));
    let error = session.text("bye").unwrap_err();
    assert_eq!(error, TwilioError::TooManyNotTaken { limit: 1 });
    assert_eq!(error.close(), Close::Malformed);
}

#[test]
fn the_buffer_is_reused() {
    let mut session = streaming(&Limits::default());
    let mut addresses = Vec::new();
    for number in 2..10 {
        let message = media(number, "inbound", "0", &[0x7f; 160]);
        let TwilioEvent::Audio(audio) = session.text(&message).unwrap() else {
            panic!("it is audio");
        };
        assert_eq!(audio.ulaw, [0x7f; 160]);
        addresses.push(audio.ulaw.as_ptr());
    }
    addresses.dedup();
    assert_eq!(addresses.len(), 1);
}

#[test]
fn audio_is_not_shown() {
    let mut session = streaming(&Limits::default());
    let message = media(2, "inbound", "20", &[211; 4]);
    let shown = format!("{:?}", session.text(&message).unwrap());
    assert_eq!(shown, "Audio(TwilioAudio(inbound, at 20 ms, 4 bytes))");
    let shown = format!("{session:?}");
    assert!(!shown.contains("211") && !shown.contains("MZ1"), "{shown}");
}

#[test]
fn the_page_quotes_the_messages_that_there_are() {
    let got = crate::query::Shown::new("audio/l16");
    let limit_bytes = Limits::default().text_message_bytes;
    let errors = [
        TwilioError::AudioBeforeStart.to_string(),
        TwilioError::StartTwice.to_string(),
        TwilioError::Missing { key: "tracks" }.to_string(),
        TwilioError::Invalid {
            key: "mediaFormat.encoding",
            expected: "audio/x-mulaw",
            got,
        }
        .to_string(),
        TwilioError::TooLong {
            n_bytes: 20_000,
            limit_bytes,
        }
        .to_string(),
        TwilioError::TooManyNotTaken {
            limit: Limits::default().malformed_messages,
        }
        .to_string(),
        TwilioWarning::Contradicts.to_string(),
        parse("inbound=both").unwrap_err(),
    ];
    for error in errors {
        assert!(PAGE.contains(&error), "the page lacks: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(
        texts in proptest::collection::vec(any::<String>(), 0..4),
        timestamp in any::<u64>(),
        numbers in proptest::collection::vec(any::<u64>(), 0..6),
    ) {
        let mut session = streaming(&Limits::default());
        for text in &texts {
            let _ = session.text(text);
        }
        for number in numbers {
            let _ = session.text(&media(number, "inbound", &timestamp.to_string(), &[1]));
        }
    }

    #[test]
    fn audio_comes_out_as_it_went_in(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..8),
    ) {
        let mut session = streaming(&Limits::default());
        for ((number, piece), at_ms) in (2..).zip(&pieces).zip((0..).step_by(20)) {
            let message = media(number, "outbound", &at_ms.to_string(), piece);
            let track = Track::Outbound;
            let expected = TwilioAudio { track, at_ms, ulaw: piece };
            prop_assert_eq!(session.text(&message), Ok(TwilioEvent::Audio(expected)));
        }
    }
}
