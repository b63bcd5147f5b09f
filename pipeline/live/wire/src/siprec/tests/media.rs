//! Which party is on which media line of a session description.

use auricle_contracts::Party::{Agent, Customer, Unknown};
use auricle_contracts::{CallId, Party};
use proptest::prelude::*;

use super::*;

fn rules(first_stream: FirstStream) -> PartyRules {
    PartyRules {
        agents: Vec::new(),
        first_stream,
    }
}

/// Agents are known by their addresses.
fn known() -> PartyRules {
    PartyRules {
        agents: vec![AddressPattern::parse("8001").unwrap()],
        first_stream: FirstStream::Customer,
    }
}

/// Parties of the media lines with these labels, and what is told.
fn answer(
    xml: &str,
    labels: &[Option<&str>],
    rules: &PartyRules,
) -> (Vec<Party>, Vec<PartyWarning>) {
    let parties = parse(xml).media_parties(labels, rules);
    let legs = parties.legs.iter().map(|leg| leg.party);
    (legs.collect(), parties.warnings)
}

const NOTHING: Vec<PartyWarning> = Vec::new();

#[test]
fn labels_tell_the_stream() {
    let check = |labels: &[Option<&str>], expected: &[Party]| {
        let (legs, warnings) = answer(CALL, labels, &known());
        assert_eq!(
            (legs.as_slice(), warnings),
            (expected, NOTHING),
            "{labels:?}"
        );
    };
    check(&[Some("1"), Some("2")], &[Agent, Customer]);
    check(&[Some("2"), Some("1")], &[Customer, Agent]);
    check(&[Some(" 2 ")], &[Customer]);
    check(&[], &[]);
}

#[test]
fn legs_have_what_is_told_of_them() {
    let parties = parse(CALL).media_parties(&[Some("2"), Some("1")], &known());
    let text = |text: &Option<Private>| text.as_ref().map(|text| text.reveal().to_owned());
    let legs = parties.legs.iter();
    let legs: Vec<_> = legs
        .map(|leg| (text(&leg.label), leg.stream_idx, text(&leg.name)))
        .collect();
    let label = |label: &str| Some(label.to_owned());
    assert_eq!(legs, [(label("2"), 1, None), (label("1"), 0, label("Ann"))]);
    assert_eq!(parties.facts.call_id, Some(CallId("s1".to_owned())));
    assert_eq!(parties.facts.metadata.agent.as_deref(), Some("8001"));
    let customer = parties.facts.customer.as_ref();
    assert_eq!(customer.map(|it| it.reveal()), Some("+8613800138000"));
}

/// The order is that of the metadata, whatever that of the media lines is.
#[test]
fn order_is_that_of_the_metadata() {
    let by_order = vec![PartyWarning::ByOrder];
    let labels = [Some("2"), Some("1")];
    assert_eq!(
        answer(CALL, &labels, &rules(FirstStream::Agent)),
        (vec![Customer, Agent], by_order.clone())
    );
    assert_eq!(
        answer(CALL, &labels, &rules(FirstStream::Customer)),
        (vec![Agent, Customer], by_order)
    );
}

#[test]
fn labels_that_are_not_known() {
    let check = |labels: &[Option<&str>], expected: &[Party], warnings: &[PartyWarning]| {
        let (legs, told) = answer(CALL, labels, &known());
        assert_eq!(
            (legs.as_slice(), told.as_slice()),
            (expected, warnings),
            "{labels:?}"
        );
    };
    let by_order = [PartyWarning::LabelsByOrder];
    check(&[None, None], &[Agent, Customer], &by_order);
    check(&[Some("x"), Some("y")], &[Agent, Customer], &by_order);
    check(&[Some(""), Some("1 2")], &[Agent, Customer], &by_order);
    // Where one is known, the other stream of the metadata is not for the line with another label; its sender is.
    let paired = [PartyWarning::PairedByOrder];
    check(&[Some("2"), Some("x")], &[Customer, Agent], &paired);
    check(&[Some("2"), Some("2")], &[Customer, Agent], &paired);
    // There are more lines than anybody speaks on.
    let conference = [PartyWarning::Conference { n_speakers: 3 }];
    check(
        &[Some("x"), Some("1"), Some("2")],
        &[Unknown, Agent, Customer],
        &conference,
    );
}

#[test]
fn streams_without_a_label_are_for_lines_without_one() {
    let xml = CALL.replace("<label>1</label>", "");
    let (legs, warnings) = answer(&xml, &[Some("2"), Some("1")], &known());
    assert_eq!(legs, [Customer, Agent]);
    assert_eq!(warnings, [PartyWarning::LabelsByOrder]);
}

#[test]
fn a_label_is_that_of_the_stream_that_goes_on() {
    let xml = CALL.replace(
        "</recording>",
        "<stream stream_id='t3'><label>1</label></stream>
         <participant participant_id='p3'><nameID aor='sip:8003@pbx.example'/></participant>
         <participantstreamassoc participant_id='p3'><send>t3</send></participantstreamassoc></recording>",
    );
    let address = |xml: &str| {
        let legs = parse(xml).media_parties(&[Some("1")], &known()).legs;
        let address = legs[0].address.as_ref();
        address.map(|address| address.reveal().to_owned())
    };
    let of = |address: &str| Some(address.to_owned());
    assert_eq!(address(&xml), of("sip:8003@pbx.example"));
    let over = xml.replace(
        "<stream stream_id='t3'>",
        "<stream stream_id='t3'><stop-time>2026-01-02T03:05:00Z</stop-time>",
    );
    assert_eq!(address(&over), of("sip:8001@pbx.example"));
}

#[test]
fn media_lines_of_which_nothing_is_told() {
    let check = |n_lines: usize, expected: &[Party], warnings: &[PartyWarning]| {
        let nothing = Recording::empty(&Limits::default());
        let labels = vec![Some("1"); n_lines];
        let parties = nothing.media_parties(&labels, &rules(FirstStream::Agent));
        let legs: Vec<_> = parties.legs.iter().map(|leg| leg.party).collect();
        assert_eq!(
            (legs.as_slice(), parties.warnings.as_slice()),
            (expected, warnings),
            "{n_lines}"
        );
    };
    check(0, &[], &[]);
    check(1, &[Unknown], &[PartyWarning::Mixed]);
    check(2, &[Agent, Customer], &[PartyWarning::ByOrder]);
}

/// As FreeSWITCH's `mod_siprec` is shown: participants within the session, and no streams.
#[test]
fn participants_without_streams() {
    let xml = "<recording><session session_id='s'>
        <participant participant_id='p1' session_id='s'><name>13800138000</name><send>x</send></participant>
        <participant participant_id='p2' session_id='s'><aor>sip:8001@pbx.example</aor><send>y</send></participant>
        </session></recording>";
    let paired = vec![PartyWarning::PairedByOrder];
    assert_eq!(
        answer(xml, &[None, None], &known()),
        (vec![Customer, Agent], paired)
    );
    // Both are on the only line.
    let parties = parse(xml).media_parties(&[None], &known());
    assert_eq!(parties.legs[0].party, Unknown);
    assert!(parties.legs[0].is_mixed);
    assert_eq!(parties.warnings, [PartyWarning::Mixed]);
}

proptest! {
    #[test]
    fn each_media_line_has_a_leg(
        inside in "(<(participant|stream|send)( id='[ab]')?( label='[12]')?/?>|</(participant|stream)>|[ab]){0,20}",
        labels in proptest::collection::vec(proptest::option::of("[123]?"), 0..5),
    ) {
        let recording = Recording::parse(format!("<recording>{inside}</recording>").as_bytes(), &Limits::default());
        let recording = recording.unwrap_or_else(|_| Recording::empty(&Limits::default()));
        let labels: Vec<Option<&str>> = labels.iter().map(Option::as_deref).collect();
        let parties = recording.media_parties(&labels, &rules(FirstStream::Agent));
        prop_assert_eq!(parties.legs.len(), labels.len());
        for party in [Agent, Customer] {
            let of_party = parties.legs.iter().filter(|leg| leg.party == party && !leg.is_mixed);
            let senders: Vec<_> = of_party.map(|leg| leg.address.clone()).collect();
            prop_assert!(senders.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }
}
