//! `mod_audio_stream`: queries and messages.

use auricle_contracts::Party;
use proptest::prelude::*;

use super::*;
use crate::{Close, Layout, Limits, MetadataError};

fn parse(query: &str) -> Result<StreamRequest, String> {
    StreamRequest::parse(query, &Limits::default()).map_err(|error| error.to_string())
}

#[test]
fn queries() {
    let check = |query: &str, rate_hz, layout| {
        let request = parse(query).unwrap();
        assert_eq!(
            (request.rate_hz, request.layout),
            (rate_hz, layout),
            "{query}"
        );
        assert!(request.ignored.is_empty(), "{query}");
    };
    let agent = Some(Party::Agent);
    check("", 8000, Layout::Single(None));
    check(
        "?rate=8000&channels=2&call_id=4f1",
        8000,
        Layout::Split { agent_channel: 0 },
    );
    check("rate=16000", 16_000, Layout::Single(None));
    check(
        "rate=16k&mix=stereo",
        16_000,
        Layout::Split { agent_channel: 0 },
    );
    check(
        "rate=8K&mix=stereo&agent_channel=1",
        8000,
        Layout::Split { agent_channel: 1 },
    );
    check(
        "mix=mono&channels=1&party=agent",
        8000,
        Layout::Single(agent),
    );
    check("mix=mixed", 8000, Layout::Single(Some(Party::Unknown)));
    check("mix=mono&mix=mono", 8000, Layout::Single(None));
    check("rate=&mix=", 8000, Layout::Single(None));
}

#[test]
fn how_many_connections_a_call_has() {
    let said = |query: &str| parse(query).unwrap().connections;
    assert_eq!(said("call_id=a"), None);
    assert_eq!(said("call_id=a&connections=1"), Some(1));
    assert_eq!(said("call_id=a&connections=2"), Some(2));
    let request = parse("channels=2&connections=1").unwrap();
    insta::assert_snapshot!(request.ignored[0], @"`connections` has no effect: only calls with `mix=mono` have two connections");
}

#[test]
fn facts_of_the_query() {
    let query =
        "call_id=c-1&agent=1002&campaign=%E6%98%A5%E8%B4%B7&region=guangdong&language=zh-CN";
    let request = parse(query).unwrap();
    assert_eq!(request.facts.call_id.unwrap().0, "c-1");
    assert_eq!(request.facts.metadata.agent.as_deref(), Some("1002"));
    assert_eq!(request.facts.metadata.campaign.as_deref(), Some("春贷"));
    assert_eq!(request.facts.metadata.region.as_deref(), Some("guangdong"));
    assert_eq!(request.language.as_deref(), Some("zh-CN"));
}

#[test]
fn what_changes_nothing_is_told() {
    let request = parse("mix=stereo&party=agent&foo=1&13800138000=x&mix=stereo").unwrap();
    let told: Vec<_> = request.ignored.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    `foo` has no effect: it is not known here
    a parameter has no effect: it is not known here
    `party` has no effect: only `mix=mono` has one party
    ");
}

#[test]
fn queries_that_are_refused() {
    let refused = [
        "rate=11025",
        "rate=8000&rate=16000",
        "channels=3",
        "channels=0",
        "channels=1&mix=stereo",
        "channels=2&mix=mixed",
        "mix=left",
        "mix=13800138000",
        "mix=%00",
        "party=%E5%AE%A2",
        "agent_channel=2",
        "connections=3",
        "language=zh_CN",
        "call_id=a%2Fb",
        "call_id=a&call_id=b",
        "agent=%ff",
        "customer=13800138000",
    ];
    let told = refused.map(|query| format!("{query}\n    {}", parse(query).unwrap_err()));
    insta::assert_snapshot!(told.join("\n"));
    let many = "a=1&".repeat(257);
    assert_eq!(
        parse(&many).unwrap_err(),
        "query has more than 256 parameters"
    );
    let long = "a".repeat(16_385);
    assert_eq!(
        parse(&long).unwrap_err(),
        "query has 16385 bytes, more than 16384"
    );
}

#[test]
fn messages_in_any_order() {
    let limits = Limits {
        audio_message_bytes: 8,
        text_message_bytes: 40,
        malformed_messages: 1,
        ..Limits::default()
    };
    let request = StreamRequest::parse("channels=2", &limits).unwrap();
    let mut session = StreamSession::new(&request, &limits);
    let frames = session.binary(&[1, 2, 3, 4, 5]).unwrap();
    assert_eq!(frames.channels().collect::<Vec<_>>(), [[1, 2], [3, 4]]);
    assert_eq!(session.n_kept_bytes(), 1);
    let StreamText::Metadata(metadata) = session.text(r#"{"agent": "7"}"#).unwrap() else {
        panic!("it is metadata");
    };
    assert_eq!(metadata.facts.metadata.agent.as_deref(), Some("7"));
    assert_eq!(session.binary(&[]).unwrap().n_frames(), 0);
    let frames = session.binary(&[6, 7, 8]).unwrap();
    assert_eq!(frames.channels().collect::<Vec<_>>(), [[5, 6], [7, 8]]);
    let malformed = StreamText::Malformed(MetadataError::NotAnObject);
    assert_eq!(session.text("bye"), Ok(malformed));
    assert_eq!(session.text("bye"), Err(Close::Malformed));
    assert_eq!(session.binary(&[0; 9]).unwrap_err(), Close::TooLong);
    assert_eq!(session.text(&" ".repeat(41)), Err(Close::TooLong));
}

#[test]
fn fields_that_cannot_be_make_a_message_malformed() {
    let limits = Limits {
        malformed_messages: 1,
        ..Limits::default()
    };
    let request = StreamRequest::parse("", &limits).unwrap();
    let mut session = StreamSession::new(&request, &limits);
    let bad = r#"{"agent": [], "region": {}, "campaign": "spring"}"#;
    let StreamText::Metadata(metadata) = session.text(bad).unwrap() else {
        panic!("it is metadata");
    };
    assert_eq!(metadata.refused.len(), 2);
    assert_eq!(metadata.facts.metadata.campaign.as_deref(), Some("spring"));
    // What is not known here is no mistake.
    assert!(session.text(r#"{"other": []}"#).is_ok());
    assert_eq!(session.text(bad), Err(Close::Malformed));
}

proptest! {
    #[test]
    fn any_query_is_read(query in "([a-z_]{1,8}=[a-z0-9%:+]{0,6}&){0,6}|\\PC{0,40}") {
        let _ = parse(&query);
    }
}
