//! Names and parties of calls; numbers and names are made up.

use auricle_wire::siprec::AddressPattern;

use super::*;
use crate::serve::ingest::sip::session::terms::tests::offer;

fn rules(agents: &[&str]) -> PartyRules {
    let agents = agents.iter().map(|text| AddressPattern::parse(text));
    PartyRules {
        agents: agents.map(Result::unwrap).collect(),
        first_stream: FirstStream::Customer,
    }
}

fn headers(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let all = all.iter();
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Name, voices and agent of a plain call.
fn plain(offer: &Offer<'_>) -> (String, String, Option<String>) {
    let named = PlainCall::of(offer, &rules(&["8*"]), &Limits::default());
    assert_eq!(named.warnings, [""; 0]);
    let voices = format!("{:?}", named.voices);
    (named.id.0, voices, named.metadata.agent)
}

#[test]
fn a_plain_call_is_named_by_its_dialog_unless_it_is_said() {
    let name = "a84b4c76e66710@192.0.2.1";
    let check = |offer: &Offer<'_>, id: &str, voices: &str, agent: Option<&str>| {
        let expected = (id.to_owned(), voices.to_owned(), agent.map(str::to_owned));
        assert_eq!(plain(offer), expected);
    };
    check(&offer(), name, "All(Unknown)", None);
    let from_agent = Offer {
        from: "\"Ann\" <sip:8001@pbx.example;x=y>;tag=1",
        ..offer()
    };
    check(&from_agent, name, "All(Agent)", Some("8001"));
    let to_agent = Offer {
        to: "sip:8%301@pbx.example",
        ..offer()
    };
    check(&to_agent, name, "All(Customer)", Some("801"));

    let said = headers(&[
        ("x-auricle-call-id", " c7 "),
        ("X-Auricle-Party", "Customer"),
        ("X-Auricle-Agent", "8002"),
        ("X-Auricled", "no"),
    ]);
    let by_headers = Offer {
        headers: &said,
        ..from_agent
    };
    check(&by_headers, "c7", "One(Said(Customer))", Some("8002"));
    let said = headers(&[("X-Auricle-Call-Id", "c7")]);
    let unsaid = Offer {
        headers: &said,
        ..offer()
    };
    check(&unsaid, "c7", "One(Unsaid)", None);

    let by_uri = Offer {
        request_uri: "sip:c%2D8:pw@h:5060;lr;party=agent;agent=8003?Subject=x",
        ..offer()
    };
    check(&by_uri, "c-8", "One(Said(Agent))", Some("8003"));
    let both = Offer {
        headers: &said,
        ..by_uri
    };
    check(&both, "c7", "One(Said(Agent))", Some("8003"));
    let all = Offer {
        request_uri: "sip:c9@h;party=unknown",
        ..offer()
    };
    check(&all, "c9", "All(Unknown)", None);
}

#[test]
fn what_is_not_taken_is_told_without_its_value() {
    let said = headers(&[
        ("X-Auricle-Call-Id", "/13800138000"),
        ("X-Auricle-Party", "13800138000"),
    ]);
    let offer = Offer {
        headers: &said,
        ..offer()
    };
    let named = PlainCall::of(&offer, &rules(&[]), &Limits::default());
    assert_eq!(named.id.0, offer.call_id);
    assert_eq!(named.warnings.len(), 2);
    let told = named.warnings.concat();
    assert!(!told.contains("138"), "{told}");
}

#[test]
fn names_of_dialogs_become_names_of_calls() {
    let long = "x".repeat(200);
    for (call_id, expected) in [
        ("a84b@192.0.2.1", "a84b@192.0.2.1"),
        ("<a/b c>", "a-b-c-"),
        ("~~", "sip"),
        ("", "sip"),
        (long.as_str(), &long[..128]),
    ] {
        assert_eq!(id_of(call_id, &Limits::default()).0, expected, "{call_id}");
    }
}

const CALL: &str = r#"<recording><session session_id="s1"/>
    <participant participant_id="p1"><nameID aor="sip:13800138000@x"/></participant>
    <participant participant_id="p2"><nameID aor="sip:8001@x"/></participant>
    <stream stream_id="t1" session_id="s1"><label>1</label></stream>
    <stream stream_id="t2" session_id="s1"><label>2</label></stream>
    <participantstreamassoc participant_id="p1"><send>t1</send></participantstreamassoc>
    <participantstreamassoc participant_id="p2"><send>t2</send></participantstreamassoc></recording>"#;

#[test]
fn a_recorded_call_is_named_by_its_metadata() {
    use Party::{Agent, Customer, Unknown};
    let limits = Limits::default();
    let recording = Recording::parse(CALL.as_bytes(), &limits).unwrap();
    let of = |labels: &[Option<&str>], recording: Option<&Recording>| {
        RecordedCall::of(&offer(), recording, labels, &rules(&["8*"]), &limits)
    };
    let told = of(&[Some("2"), Some("1")], Some(&recording));
    assert_eq!(told.parties, [Agent, Customer]);
    assert_eq!(told.metadata.agent.as_deref(), Some("8001"));
    assert!(!told.is_mixed);

    let untold = of(&[Some("2"), Some("1"), None], None);
    assert_eq!(untold.id.0, offer().call_id);
    assert_eq!(untold.parties, [Customer, Agent, Unknown]);
    assert_eq!(of(&[None], None).parties, [Unknown]);
}

#[test]
fn two_lines_of_more_are_the_agents_and_the_customers() {
    use Party::{Agent, Customer, Unknown};
    for (parties, expected) in [
        (vec![], vec![]),
        (vec![Unknown], vec![0]),
        (vec![Unknown, Unknown, Unknown], vec![0, 1]),
        (vec![Unknown, Customer, Unknown, Agent], vec![1, 3]),
        (vec![Unknown, Unknown, Agent], vec![0, 2]),
    ] {
        assert_eq!(two_of(&parties), expected, "{parties:?}");
    }
    assert_eq!(
        once_each(vec![Agent, Agent, Unknown, Customer]),
        [Agent, Unknown, Unknown, Customer]
    );
}

#[test]
fn escapes_stand_for_what_they_say() {
    for (text, expected) in [
        ("a%20b", "a b"),
        ("%E4%BD%A0", "你"),
        ("%", "%"),
        ("%4", "%4"),
        ("%zz%41", "%zzA"),
    ] {
        assert_eq!(unescaped(text), expected);
    }
}
