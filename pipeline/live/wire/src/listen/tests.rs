//! `/v1/listen`: queries, messages in both directions, and what is allowed when.

use auricle_contracts::Party;
use proptest::prelude::*;

use super::*;
use crate::{Close, Encoding, Layout, Limits, QueryError};

/// The least that a query must say.
const LEAST: &str = "encoding=linear16&sample_rate=8000";

fn parse(query: &str) -> Result<ListenRequest, QueryError> {
    ListenRequest::parse(query, &Limits::default())
}

/// The least, and more.
fn with(more: &str) -> ListenRequest {
    parse(&format!("{LEAST}&{more}")).unwrap()
}

#[test]
fn the_least_query() {
    let expected = ListenRequest {
        model: None,
        language: None,
        encoding: Encoding::L16Le,
        sample_rate_hz: 8000,
        layout: Layout::Single(None),
        interim_results: false,
        endpointing: Endpointing::Configured,
        utterance_end_ms: None,
        vad_events: false,
        wording: Wording::Spoken,
        redact: false,
        hotwords: Vec::new(),
        facts: crate::CallFacts::default(),
        ignored: Vec::new(),
    };
    assert_eq!(parse(LEAST), Ok(expected));
}

#[test]
fn values_of_parameters() {
    let check = |more: &str, is_so: fn(&ListenRequest) -> bool| {
        let request = with(more);
        assert!(is_so(&request), "{more}: {request:?}");
        assert!(request.ignored.is_empty(), "{more}: {:?}", request.ignored);
    };
    check("model=zh-zipformer-3.3m", |it| {
        it.model.as_deref() == Some("zh-zipformer-3.3m")
    });
    check("language=zh-CN", |it| {
        it.language.as_deref() == Some("zh-CN")
    });
    check("interim_results=true", |it| it.interim_results);
    check("interim_results=True", |it| it.interim_results);
    check("interim_results=false", |it| !it.interim_results);
    check("vad_events=true", |it| it.vad_events);
    check("utterance_end_ms=1000", |it| {
        it.utterance_end_ms == Some(1000)
    });
    check("endpointing=300", |it| {
        it.endpointing == Endpointing::After(300)
    });
    check("endpointing=0", |it| {
        it.endpointing == Endpointing::After(0)
    });
    check("endpointing=false", |it| it.endpointing == Endpointing::Off);
    check("endpointing=true", |it| {
        it.endpointing == Endpointing::Configured
    });
    check("punctuate=true", |it| it.wording == Wording::Written);
    check("smart_format=true", |it| it.wording == Wording::Written);
    check("numerals=true&punctuate=false", |it| {
        it.wording == Wording::Written
    });
    check("redact=pci&redact=numbers", |it| it.redact);
    check("redact=false", |it| !it.redact);
    check("diarize=false&profanity_filter=false&callback=", |_| true);
    check("channels=2&multichannel=true", |it| {
        it.layout == Layout::Split { agent_channel: 0 }
    });
    check("channels=2&multichannel=true&extra=agent_channel:1", |it| {
        it.layout == Layout::Split { agent_channel: 1 }
    });
    check("channels=2", |it| {
        it.layout == Layout::Downmix { n_channels: 2 }
    });
    check("multichannel=true&extra=party:agent", |it| {
        it.layout == Layout::Single(Some(Party::Agent))
    });
}

#[test]
fn encodings_by_their_names() {
    for (name, encoding) in [
        ("linear16", Encoding::L16Le),
        ("mulaw", Encoding::Ulaw),
        ("alaw", Encoding::Alaw),
    ] {
        let request = parse(&format!("encoding={name}&sample_rate=16000")).unwrap();
        assert_eq!(
            (request.encoding, request.sample_rate_hz),
            (encoding, 16_000)
        );
    }
    for name in [
        "linear32", "flac", "amr-nb", "amr-wb", "opus", "ogg-opus", "speex", "g729",
    ] {
        let error = parse(&format!("encoding={name}&sample_rate=16000")).unwrap_err();
        let expected = format!("`encoding` must be linear16, mulaw or alaw, got `{name}`");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn words_to_lean_towards() {
    let check = |more: &str, expected: &[(&str, f32)]| {
        let hotwords = with(more).hotwords;
        let found: Vec<_> = hotwords
            .iter()
            .map(|it| (it.text.as_str(), it.boost))
            .collect();
        assert_eq!(found, expected, "{more}");
    };
    check("keyterm=%E5%AE%89%E5%BF%83%E8%B4%B7", &[("安心贷", 1.0)]);
    check(
        "keyterm=credit+report&keyterm=loan%20a",
        &[("credit report", 1.0), ("loan a", 1.0)],
    );
    check("keyterm=a:2", &[("a:2", 1.0)]);
    check("keywords=snuffleupagus:5", &[("snuffleupagus", 5.0)]);
    check(
        "keywords=systrom&keywords=krieger:1.5",
        &[("systrom", 1.0), ("krieger", 1.5)],
    );
    check("keywords=kansas:-10", &[("kansas", -10.0)]);
    check(
        "keywords=a:b&keywords=c:0&keywords=&keyterm=++",
        &[("a:b", 1.0)],
    );
    let shown = format!("{:?}", with("keywords=zhangsan:2").hotwords);
    assert_eq!(shown, "[Hotword(8 characters, boost 2)]");
}

#[test]
fn facts_of_the_call_in_extra() {
    let request = with(
        "extra=call_id:c-1&extra=agent:1002&extra=campaign:spring:2&extra=customer:13800138000",
    );
    assert_eq!(request.facts.call_id.unwrap().0, "c-1");
    assert_eq!(request.facts.metadata.agent.as_deref(), Some("1002"));
    assert_eq!(request.facts.metadata.campaign.as_deref(), Some("spring:2"));
    assert_eq!(request.facts.customer.unwrap().reveal(), "13800138000");
    assert_eq!(request.ignored, []);
}

/// Every parameter that `deepgram-sdk` 7.17 has is known by its name.
#[test]
fn parameters_of_the_sdk() {
    let honoured = [
        "channels=2",
        "encoding=linear16",
        "endpointing=10",
        "extra=agent:1",
        "interim_results=true",
        "keyterm=a",
        "keywords=a",
        "language=en",
        "model=m",
        "multichannel=true",
        "numerals=true",
        "punctuate=true",
        "redact=ssn",
        "sample_rate=8000",
        "smart_format=true",
        "utterance_end_ms=1000",
        "vad_events=true",
    ];
    assert_eq!(parse(&honoured.join("&")).unwrap().ignored, []);
    let without_effect = [
        "callback_method",
        "detect_entities",
        "diarize",
        "diarize_model",
        "dictation",
        "language_hint",
        "mip_opt_out",
        "profanity_filter",
        "replace",
        "search",
        "tag",
        "version",
    ];
    for name in without_effect {
        let ignored = with(&format!("{name}=true")).ignored;
        assert_eq!(ignored.len(), 1, "{name}");
        assert_eq!(ignored[0].name, name);
        assert!(!ignored[0].why.contains("not known"), "{name}");
    }
}

#[test]
fn what_changes_nothing_is_told() {
    let ignored = with(
        "model=nova-3&language=multi&diarize=true&tag=team&foo_bar=1&Foo=1&extra=a:b&extra=agent_channel:0",
    )
    .ignored;
    let told: Vec<_> = ignored.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"));
    for model in [
        "nova-2-phonecall",
        "enhanced",
        "base-general",
        "whisper-large",
        "phonecall",
    ] {
        assert_eq!(with(&format!("model={model}")).model, None, "{model}");
    }
}

#[test]
fn queries_that_are_refused() {
    let many = format!("{LEAST}{}", "&keyterm=a".repeat(101));
    let long = format!("{LEAST}&keyterm={}", "中".repeat(501));
    let model = format!("{LEAST}&model={}", "m".repeat(129));
    let refused = [
        "",
        "encoding=linear16",
        "sample_rate=8000",
        "encoding=mulaw&sample_rate=96000",
        "encoding=mulaw&sample_rate=13800138000",
        "encoding=opus&sample_rate=48000",
        "encoding=%6f%0a&sample_rate=8000",
        "encoding=linear16&sample_rate=8000&channels=3",
        "encoding=linear16&sample_rate=8000&multichannel=yes",
        "encoding=linear16&sample_rate=8000&utterance_end_ms=999",
        "encoding=linear16&sample_rate=8000&endpointing=-1",
        "encoding=linear16&sample_rate=8000&endpointing=60001",
        "encoding=linear16&sample_rate=8000&callback=https://example.com",
        "encoding=linear16&sample_rate=8000&keywords=zhangsan:1e9",
        "encoding=linear16&sample_rate=8000&keywords=zhangsan:nan",
        "encoding=linear16&sample_rate=8000&extra=call_id:a/b",
        "encoding=linear16&sample_rate=8000&extra=agent:a&extra=agent:b",
        "encoding=linear16&sample_rate=8000&extra=party:me",
        "encoding=linear16&sample_rate=8000&language=zh&language=en",
        "encoding=linear16&sample_rate=8000&language=%e4%b8%ad",
        "encoding=linear16&sample_rate=8000&keyterm=%ff",
        &many,
        &long,
        &model,
    ];
    let told = refused.map(|query| {
        let shown: String = query.chars().take(72).collect();
        format!("{shown}\n    {}", parse(query).unwrap_err())
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn refusals_as_deepgram_has_them() {
    let id = "8c8ebea9-dbec-45fa-a035-e4632cb05b5f";
    let refusals = [
        Refusal::from(parse("encoding=opus&sample_rate=8000").unwrap_err()),
        Refusal::from(parse(LEAST.trim_end_matches("&sample_rate=8000")).unwrap_err()),
        Refusal::invalid_parameter("`language` has no model\nhint: 安装"),
        Refusal::invalid_credentials(),
        Refusal::not_permitted("this key is not for live audio"),
        Refusal::too_many_requests(),
        Refusal::unavailable("no recogniser is free"),
    ];
    let told = refusals.map(|refusal| {
        let headers = refusal
            .headers(id)
            .map(|(name, value)| format!("{name}: {value}"));
        format!(
            "{}\n{}\n{}\n",
            refusal.status,
            headers.join("\n"),
            refusal.body(id)
        )
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn keys_in_headers() {
    let check = |authorization, protocols, expected: Option<&str>| {
        let key = ApiKey::from_headers(authorization, protocols);
        assert_eq!(key.as_ref().map(ApiKey::reveal), expected);
        assert!(!format!("{key:?}").contains("secret"));
    };
    check(Some("Token secret1"), None, Some("secret1"));
    check(Some("token  secret1 "), None, Some("secret1"));
    check(Some("Bearer ey.secret"), None, Some("ey.secret"));
    check(None, Some("token, secret2"), Some("secret2"));
    check(None, Some("bearer,secret2"), Some("secret2"));
    check(Some("Token a"), Some("token, b"), Some("a"));
    check(Some("Basic dTpw"), None, None);
    check(Some("secret"), None, None);
    check(Some("Token "), None, None);
    check(Some("Token a b"), None, None);
    check(Some("Token \u{e9}"), None, None);
    check(None, None, None);
}

/// One message of every kind, as Auricle could send it.
fn server_messages() -> [ServerMessage; 8] {
    let request_id = "8c8ebea9-dbec-45fa-a035-e4632cb05b5f".to_owned();
    let word = |word: &str, start_ms, end_ms, confidence: f32, written: Option<&str>| Word {
        word: word.to_owned(),
        start: seconds(start_ms),
        end: seconds(end_ms),
        confidence: f64::from(confidence),
        punctuated_word: written.map(str::to_owned),
    };
    let heard = Alternative {
        transcript: "您好，3万元".to_owned(),
        confidence: f64::from(0.87_f32),
        words: vec![
            word("您好", 640, 1040, 0.9, Some("您好，")),
            word("三万元", 1040, 1830, 0.84, Some("3万元")),
        ],
    };
    let results = |alternative, is_final| Results {
        channel_index: [0, 2],
        duration: seconds(1970),
        start: 0.0,
        is_final,
        speech_final: is_final,
        channel: Channel {
            alternatives: vec![alternative],
        },
        metadata: ResultsMetadata {
            request_id: request_id.clone(),
            model_info: ModelInfo {
                name: "telephony-8k".to_owned(),
                version: "1".to_owned(),
                arch: "ctc".to_owned(),
            },
            model_uuid: "telephony-8k".to_owned(),
        },
        from_finalize: false,
    };
    [
        ServerMessage::SpeechStarted(SpeechStarted {
            channel: [0, 2],
            timestamp: 0.6,
        }),
        ServerMessage::Results(Box::new(results(Alternative::default(), false))),
        ServerMessage::Results(Box::new(results(heard, true))),
        ServerMessage::UtteranceEnd(UtteranceEnd {
            channel: [0, 2],
            last_word_end: 1.83,
        }),
        ServerMessage::Error(ListenError {
            variant: "SchemaError".to_owned(),
            description: "text messages are JSON objects with a `type`".to_owned(),
        }),
        ServerMessage::ConfigureSuccess(ConfigureSuccess {
            request_id: request_id.clone(),
            keyterms: Some(vec!["安心贷".to_owned()]),
        }),
        ServerMessage::ConfigureFailure(ConfigureFailure {
            request_id: request_id.clone(),
            code: ConfigureFailureCode::NotSupported,
            description: "the model takes keyterms only at the beginning".to_owned(),
        }),
        ServerMessage::Metadata(ListenMetadata {
            transaction_key: "deprecated".to_owned(),
            request_id,
            sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
            created: "2026-08-29T22:37:55.202Z".to_owned(),
            duration: 1.97,
            channels: 2,
        }),
    ]
}

#[test]
fn messages_to_clients() {
    let messages = server_messages();
    for message in &messages {
        let again: ServerMessage = serde_json::from_str(&message.to_json()).unwrap();
        assert_eq!(again.to_json(), message.to_json());
    }
    insta::assert_snapshot!(messages.map(|message| message.to_json()).join("\n"));
}

#[test]
fn numbers_are_always_numbers() {
    let check = |timestamp, expected: &str| {
        let message = ServerMessage::SpeechStarted(SpeechStarted {
            channel: [0, 1],
            timestamp,
        });
        let expected =
            format!(r#"{{"type":"SpeechStarted","channel":[0,1],"timestamp":{expected}}}"#);
        assert_eq!(message.to_json(), expected);
    };
    check(9.54, "9.54");
    check(0.1 + 0.2, "0.3");
    check(0.0, "0.0");
    check(f64::NAN, "0.0");
    check(f64::INFINITY, "0.0");
    check(f64::MAX, "0.0");
}

/// What messages mean, one after the other: `B` and bytes are binary, everything else is text.
fn play(query: &str, limits: &Limits, messages: &[(u64, Message<'_>)]) -> Vec<String> {
    let request = ListenRequest::parse(query, limits).unwrap();
    let mut session = ListenSession::new(&request, "id", limits, 0);
    let mut told = Vec::new();
    for (now_ms, message) in messages {
        let event = match message {
            Message::Binary(bytes) => session.binary(bytes, *now_ms),
            Message::Text(text) => session.text(text, *now_ms),
            Message::Time => {
                told.push(format!("{:?}", session.check_time(*now_ms)));
                continue;
            }
        };
        told.push(match event {
            Ok(ListenEvent::Audio(frames)) => {
                format!("{:?}", frames.channels().collect::<Vec<_>>())
            }
            Ok(ListenEvent::Reply(message)) => message.to_json(),
            Ok(event) => format!("{event:?}"),
            Err(close) => format!("{close:?}"),
        });
    }
    told
}

enum Message<'a> {
    Binary(&'a [u8]),
    Text(&'a str),
    Time,
}
use Message::{Binary, Text, Time};

#[test]
fn a_stream_from_beginning_to_end() {
    let query = "encoding=mulaw&sample_rate=8000&channels=2&multichannel=true";
    let told = play(
        query,
        &Limits::default(),
        &[
            (0, Text(r#"{"type": "KeepAlive"}"#)),
            (10, Binary(&[1, 2, 3])),
            (20, Text(r#"{"type":"Finalize"}"#)),
            (20, Text(r#"{"type":"Finalize","channel":1}"#)),
            (20, Text(r#"{"type":"Finalize","channel":2}"#)),
            (20, Text(r#"{"type":"Finalize","channel":99999}"#)),
            (30, Binary(&[4])),
            (
                40,
                Text(r#"{"type":"Configure","keyterms":["a"],"features":{"numerals":true}}"#),
            ),
            (
                40,
                Text(r#"{"type":"Configure","keyterms":null,"features":null}"#),
            ),
            (50, Text("hello")),
            (50, Text(r#"{"type":"Speak","text":"x"}"#)),
            (60, Text(r#"{"type":"CloseStream"}"#)),
            (70, Binary(&[5, 6])),
            (70, Text("hello")),
            (99_000, Time),
        ],
    );
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_closes_a_stream() {
    let limits = Limits {
        audio_message_bytes: 4,
        text_message_bytes: 60,
        malformed_messages: 1,
        keyterm_tokens: 2,
        ..Limits::default()
    };
    let check = |messages: &[(u64, Message<'_>)], expected: &[&str]| {
        assert_eq!(play(LEAST, &limits, messages), expected);
    };
    check(&[(0, Binary(&[]))], &["CloseStream"]);
    check(
        &[(0, Binary(&[0; 5])), (0, Binary(&[1]))],
        &["TooLong", "TooLong"],
    );
    check(&[(0, Text(&" ".repeat(61)))], &["TooLong"]);
    check(&[(0, Binary(b"OggS"))], &["NotAudio"]);
    check(&[(0, Binary(b"\x1a\x45\xdf\xa3"))], &["NotAudio"]);
    // Later the same bytes are samples, and a WAV file has samples in it.
    check(
        &[(0, Binary(&[1])), (0, Binary(b"OggS"))],
        &["[[]]", "[[1, 79, 103, 103]]"],
    );
    check(&[(0, Binary(b"RIFF"))], &["[[82, 73, 70, 70]]"]);
    let misunderstood = r#"{"type":"Error","variant":"SchemaError","description":"text messages are JSON objects with a `type`"}"#;
    check(
        &[(0, Text("a")), (0, Text("a"))],
        &[misunderstood, "Malformed"],
    );
    let refused = r#"{"type":"ConfigureFailure","request_id":"id","code":"CONFIGURE_KEYTERM_LIMIT_EXCEEDED","description":"`keyterm` has 3 tokens, more than 2"}"#;
    check(
        &[(0, Text(r#"{"type":"Configure","keyterms":["保证金"]}"#))],
        &[refused],
    );
}

#[test]
fn quiet_closes_a_stream_after_ten_seconds() {
    let check = |messages: &[(u64, Message<'_>)], expected: &[&str]| {
        assert_eq!(play(LEAST, &Limits::default(), messages), expected);
    };
    let keep_alive = Text(r#"{"type":"KeepAlive"}"#);
    check(
        &[(0, Time), (9999, Time), (10_000, Time)],
        &["Ok(Some(10000))", "Ok(Some(10000))", "Err(Quiet)"],
    );
    check(
        &[(10_000, Time), (10_001, Binary(&[1]))],
        &["Err(Quiet)", "Quiet"],
    );
    check(
        &[(9000, keep_alive), (18_999, Time), (19_000, Time)],
        &["KeepAlive", "Ok(Some(19000))", "Err(Quiet)"],
    );
    check(
        &[(9000, Binary(&[1, 2])), (18_999, Time), (19_000, Time)],
        &["[[1, 2]]", "Ok(Some(19000))", "Err(Quiet)"],
    );
    // That a message was read late may be our fault.
    check(
        &[(50_000, Binary(&[1, 2])), (50_000, Time)],
        &["[[1, 2]]", "Ok(Some(60000))"],
    );
    assert_eq!(
        (
            Close::Quiet.code(),
            Close::Quiet.reason().contains("NET-0001")
        ),
        (1011, true)
    );
}

proptest! {
    #[test]
    fn any_query_is_read(query in "([a-z_]{1,12}=[a-z0-9%:+]{0,6}&){0,6}|\\PC{0,40}") {
        if let Err(error) = parse(&query) {
            let refusal = Refusal::from(error);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&refusal.body(&query)).is_ok());
        }
    }

    #[test]
    fn any_messages_are_taken(
        messages in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..20),
    ) {
        let request = with("channels=2");
        let mut session = ListenSession::new(&request, "id", &Limits::default(), 0);
        for (is_text, bytes) in messages {
            let text = String::from_utf8_lossy(&bytes);
            let _ = match is_text {
                true => session.text(&text, 0),
                false => session.binary(&bytes, 0),
            };
        }
    }
}
