//! What the protocols share: splitting of channels, facts of a call, what messages show.

use proptest::prelude::*;

use crate::audiosocket::{AudioSocketError, Complaint, LooksLike, write_complaint};
use crate::listen::{ListenRequest, ServerMessage};
use crate::stream::StreamRequest;
use crate::*;

const AUDIOSOCKET_PAGE: &str = include_str!("../../../../docs/ingest/audiosocket.md");
const STREAM_PAGE: &str = include_str!("../../../../docs/ingest/mod_audio_stream.md");
const LISTEN_PAGE: &str = include_str!("../../../../docs/ingest/deepgram.md");

/// What comes out when a row of bytes is cut at these places.
fn split(encoding: Encoding, n_channels: u16, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, usize) {
    let mut splitter = ChannelSplitter::new(encoding, n_channels);
    let mut channels = vec![Vec::new(); usize::from(n_channels.max(1))];
    for piece in pieces {
        let frames = splitter.split(piece);
        let n_bytes = frames.n_frames() * encoding.bytes_per_sample();
        for (all, channel) in channels.iter_mut().zip(frames.channels()) {
            assert_eq!(channel.len(), n_bytes);
            all.extend_from_slice(channel);
        }
    }
    (channels, splitter.n_kept_bytes())
}

#[test]
fn channels_are_taken_apart() {
    let check = |encoding, n_channels, pieces: &[&[u8]], expected: &[&[u8]], n_kept| {
        let (channels, kept) = split(encoding, n_channels, pieces);
        assert_eq!(channels, expected, "{pieces:?}");
        assert_eq!(kept, n_kept, "{pieces:?}");
    };
    check(Encoding::L16Le, 1, &[&[1, 2, 3, 4]], &[&[1, 2, 3, 4]], 0);
    check(Encoding::L16Le, 1, &[&[1], &[], &[2, 3]], &[&[1, 2]], 1);
    check(
        Encoding::L16Le,
        2,
        &[&[1, 2, 3, 4, 5, 6, 7, 8]],
        &[&[1, 2, 5, 6], &[3, 4, 7, 8]],
        0,
    );
    check(
        Encoding::L16Le,
        2,
        &[&[1, 2, 3], &[4], &[5, 6, 7, 8, 9]],
        &[&[1, 2, 5, 6], &[3, 4, 7, 8]],
        1,
    );
    check(
        Encoding::Ulaw,
        2,
        &[&[1, 2, 3], &[4]],
        &[&[1, 3], &[2, 4]],
        0,
    );
    check(Encoding::Alaw, 1, &[&[9, 8]], &[&[9, 8]], 0);
    check(Encoding::Alaw, 0, &[&[9, 8]], &[&[9, 8]], 0);
    check(Encoding::L16Be, 3, &[&[1, 2, 3, 4, 5]], &[&[], &[], &[]], 5);
}

proptest! {
    #[test]
    fn cuts_change_no_audio(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        cuts in proptest::collection::vec(0usize..200, 0..6),
        n_channels in 1u16..4,
    ) {
        let mut cuts = cuts;
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            let to = cut.clamp(from, bytes.len());
            pieces.push(&bytes[from..to]);
            from = to;
        }
        for encoding in [Encoding::Ulaw, Encoding::L16Le] {
            let whole = split(encoding, n_channels, &[&bytes]);
            prop_assert_eq!(split(encoding, n_channels, &pieces), whole);
        }
    }

    #[test]
    fn any_text_is_read_as_metadata(text in any::<String>()) {
        let _ = Metadata::read(&text, &Limits::default());
    }
}

#[test]
fn buffers_are_reused() {
    let mut splitter = ChannelSplitter::new(Encoding::L16Le, 2);
    let message = [1; 640];
    let address = |frames: Frames<'_>| frames.channels().map(<[u8]>::as_ptr).collect::<Vec<_>>();
    let first = address(splitter.split(&message));
    for n_bytes in (0..640).rev() {
        assert_eq!(address(splitter.split(&message[..n_bytes])), first);
    }
}

fn read(text: &str) -> Metadata {
    Metadata::read(text, &Limits::default()).unwrap()
}

#[test]
fn metadata_gives_facts() {
    let metadata = read(
        r#"{"call_id": "a1b2-c3", "agentId": 1002, "Campaign": "spring", "region": "guangdong",
            "customer_number": "+8613800138000", "skills": ["loans", {"level": 3}], "score": 0.5}"#,
    );
    assert_eq!(metadata.other, ["skills", "score"]);
    assert!(metadata.refused.is_empty());
    let facts = metadata.facts;
    assert_eq!(facts.call_id.unwrap().0, "a1b2-c3");
    assert_eq!(facts.metadata.agent.as_deref(), Some("1002"));
    assert_eq!(facts.metadata.campaign.as_deref(), Some("spring"));
    assert_eq!(facts.metadata.region.as_deref(), Some("guangdong"));
    assert_eq!(facts.customer.unwrap().reveal(), "+8613800138000");
}

#[test]
fn values_that_cannot_be_are_told() {
    let check = |text: &str, expected: &[&str]| {
        let metadata = read(text);
        assert_eq!(metadata.facts, CallFacts::default(), "{text}");
        let refused: Vec<_> = metadata.refused.iter().map(ToString::to_string).collect();
        assert_eq!(refused, expected, "{text}");
    };
    check("{}", &[]);
    check(r#"{"call_id": null, "agent": "  "}"#, &[]);
    check(
        r#"{"call_id": ["x"], "agent": {"name": "x"}, "region": true, "customer": 1.5}"#,
        &[
            "`call_id` must be a text or a number",
            "`agent` must be a text or a number",
            "`region` must be a text or a number",
            "`customer` must be a text or a number",
        ],
    );
    let ids = "`call_id` must be letters, digits and any of `-_.:@+=`, beginning with a letter or a digit";
    check(r#"{"call_id": "../13800138000"}"#, &[ids]);
    check(r#"{"call_id": ".hidden"}"#, &[ids]);
    check(r#"{"call_id": "张三"}"#, &[ids]);
    let not_text =
        "`agent` is not text\nhint: values are UTF-8, percent-encoded, without control characters";
    check(r#"{"agent": "a\u001b[31m"}"#, &[not_text]);
    let long = format!(r#"{{"campaign": "{}"}}"#, "x".repeat(129));
    check(&long, &["`campaign` has 129 bytes, more than 128"]);
    // The later value is taken.
    check(
        r#"{"call_id": "a", "callId": []}"#,
        &["`call_id` must be a text or a number"],
    );
}

#[test]
fn texts_that_are_no_metadata() {
    let check = |text: &str, expected| {
        assert_eq!(Metadata::read(text, &Limits::default()), Err(expected));
    };
    for text in [
        "", "hello", "[]", "1", "null", "{", "{} {}", "\"{}\"", "{\"a\":}",
    ] {
        check(text, MetadataError::NotAnObject);
    }
    check(&"[".repeat(10_000), MetadataError::NotAnObject);
    let deep = format!("{{\"a\":{}", "[".repeat(10_000));
    check(&deep, MetadataError::NotAnObject);
    check(
        &" ".repeat(16_385),
        MetadataError::TooLong {
            n_bytes: 16_385,
            limit_bytes: 16_384,
        },
    );
}

#[test]
fn facts_are_completed_and_not_changed() {
    let mut known = read(r#"{"call_id": "a", "agent": "x"}"#).facts;
    let more = read(r#"{"call_id": "a", "region": "r", "customer": "1"}"#).facts;
    assert_eq!(known.complete(more), Agreement::Agrees);
    let other = read(r#"{"call_id": "b", "campaign": "c"}"#).facts;
    assert_eq!(known.complete(other), Agreement::Contradicts);
    let expected =
        r#"{"call_id": "a", "agent": "x", "region": "r", "customer": "1", "campaign": "c"}"#;
    assert_eq!(known, read(expected).facts);
}

#[test]
fn nobody_is_shown() {
    let facts =
        read(r#"{"call_id": "a", "agent": "Li Lei", "customer": "13800138000", "campaign": "c"}"#);
    insta::assert_snapshot!(format!("{:?}", facts.facts), @r#"CallFacts { call_id: Some(CallId("a")), campaign: Some("c"), region: None, agent: "given", customer: "given" }"#);
    assert_eq!(
        format!("{:?}", facts.facts.customer),
        "Some(CustomerNumber(…))"
    );
}

#[test]
fn parties_of_layouts() {
    use auricle_contracts::Party;
    let check = |layout: Layout, n_channels, parties: &[Option<Party>]| {
        assert_eq!(layout.n_channels(), n_channels);
        let found: Vec<_> = (0..n_channels)
            .map(|channel| layout.party(channel))
            .collect();
        assert_eq!(found, parties, "{layout:?}");
    };
    let (agent, customer) = (Some(Party::Agent), Some(Party::Customer));
    check(Layout::Single(None), 1, &[None]);
    check(Layout::Single(agent), 1, &[agent]);
    check(Layout::Split { agent_channel: 0 }, 2, &[agent, customer]);
    check(Layout::Split { agent_channel: 1 }, 2, &[customer, agent]);
    let unknown = Some(Party::Unknown);
    check(Layout::Downmix { n_channels: 2 }, 2, &[unknown, unknown]);
}

/// Fails where a page lacks a text.
fn says(page: &str, text: &str) {
    assert!(page.contains(text), "the page lacks: {text}");
}

#[test]
fn pages_quote_the_messages_that_there_are() {
    let errors = [
        AudioSocketError::OtherProtocol(LooksLike::Http),
        AudioSocketError::IdMissing { kind: 0x10 },
        AudioSocketError::IdLength { n_bytes: 15 },
        AudioSocketError::IdNil,
        AudioSocketError::IdTwice,
        AudioSocketError::OddAudio { n_bytes: 159 },
        AudioSocketError::TooLong {
            kind: 0x10,
            n_bytes: 40_000,
            limit_bytes: Limits::default().audiosocket_payload_bytes,
        },
        AudioSocketError::TooManyUnknown {
            limit: Limits::default().unknown_frames,
        },
        AudioSocketError::NoId,
        AudioSocketError::Truncated { n_bytes: 4 },
    ];
    for error in errors {
        let message = error.to_string();
        says(AUDIOSOCKET_PAGE, message.lines().next().unwrap());
    }
    for complaint in [
        Complaint::Protocol,
        Complaint::NotAccepted,
        Complaint::Overloaded,
        Complaint::Stopping,
    ] {
        says(
            AUDIOSOCKET_PAGE,
            &format!("`{:#04x}`", write_complaint(complaint)[3]),
        );
    }
    for query in [
        "rate=11025".to_owned(),
        "mix=stereo&channels=1".to_owned(),
        "call_id=/".to_owned(),
        "agent=a&agent=b".to_owned(),
        "customer=1".to_owned(),
        "a".repeat(16_385),
    ] {
        let error = StreamRequest::parse(&query, &Limits::default()).unwrap_err();
        says(STREAM_PAGE, &error.to_string());
    }
    let query = "encoding=opus&sample_rate=8000";
    let error = ListenRequest::parse(query, &Limits::default()).unwrap_err();
    says(LISTEN_PAGE, &error.to_string());
}

#[test]
fn pages_list_the_close_frames_that_there_are() {
    for close in [
        Close::Stopping,
        Close::Malformed,
        Close::TooLong,
        Close::Overloaded,
        Close::NotAccepted,
        Close::Quiet,
        Close::Internal,
    ] {
        let row = format!("| {} | `{}` |", close.code(), close.reason());
        says(STREAM_PAGE, &row);
    }
    // Calls of `/v1/listen` are taken in, or refused, before there is a WebSocket.
    let refusals = [Close::Overloaded, Close::NotAccepted, Close::NotLetIn];
    let told = |close: &Close| !refusals.contains(close);
    for close in Close::ALL.into_iter().filter(told) {
        let begin = close.reason().split([':', ';']).next().unwrap();
        let row = match begin {
            "" => format!("| {} | |", close.code()),
            begin => format!("| {} | `{begin}` |", close.code()),
        };
        says(LISTEN_PAGE, &row);
    }
    let limits = Limits::default();
    assert_eq!(
        (limits.audio_message_bytes, limits.text_message_bytes),
        (262_144, 16_384)
    );
    for page in [STREAM_PAGE, LISTEN_PAGE] {
        says(page, "binary above 262,144 bytes, text above 16,384");
    }
}

#[test]
fn messages_on_the_page_are_messages() {
    let lines = LISTEN_PAGE.lines();
    let shown: Vec<_> = lines
        .filter(|line| line.starts_with(r#"{"type":"#))
        .collect();
    assert_eq!(shown.len(), 2);
    for line in shown {
        let message: ServerMessage = serde_json::from_str(line).unwrap();
        assert_eq!(message.to_json(), line);
    }
}
