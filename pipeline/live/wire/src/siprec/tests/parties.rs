//! Who is the agent, and on which media line.

use auricle_contracts::Party;
use auricle_contracts::Party::{Agent, Customer, Unknown};

use super::*;

fn rules(agents: &[&str], first_stream: FirstStream) -> PartyRules {
    let agents = agents
        .iter()
        .map(|text| AddressPattern::parse(text).unwrap());
    PartyRules {
        agents: agents.collect(),
        first_stream,
    }
}

/// A document of participants with these addresses and streams that these of them send, numbered from 0.
fn call(addresses: &[&str], senders: &[&[usize]]) -> String {
    let mut xml = String::from("<recording>");
    for (idx, address) in addresses.iter().enumerate() {
        xml += &format!(
            "<participant participant_id='p{idx}'><nameID aor='{address}'/></participant>"
        );
    }
    for (idx, senders) in senders.iter().enumerate() {
        xml += &format!(
            "<stream stream_id='t{idx}'><label>{}</label></stream>",
            idx + 1
        );
        for sender in *senders {
            xml += &format!(
                "<participantstreamassoc participant_id='p{sender}'><send>t{idx}</send></participantstreamassoc>"
            );
        }
    }
    xml + "</recording>"
}

/// Parties of the media lines, the agent and the customer, and what is told.
fn answer(xml: &str, rules: &PartyRules) -> (Vec<Party>, [Option<String>; 2], Vec<PartyWarning>) {
    let parties = parse(xml).parties(rules);
    let customer = parties.facts.customer.as_ref();
    let customer = customer.map(|customer| customer.reveal().to_owned());
    let legs = parties.legs.iter().map(|leg| leg.party);
    (
        legs.collect(),
        [parties.facts.metadata.agent, customer],
        parties.warnings,
    )
}

/// What is told where all that matters is known.
const NOTHING: [PartyWarning; 0] = [];
/// The agent and a customer, and the one who helps them.
const AGENT: &str = "sip:8001@pbx.example";
const OTHER: &str = "sip:+8613800138000@carrier.example;user=phone";
const THIRD: &str = "sip:8002@pbx.example";
const NUMBER: &str = "+8613800138000";

#[test]
fn rules_tell_the_agent() {
    let check = |agents: &[&str]| {
        for first_stream in [FirstStream::Agent, FirstStream::Customer] {
            let rules = rules(agents, first_stream);
            let facts = [Some("8001".to_owned()), Some(NUMBER.to_owned())];
            let (legs, told, warnings) = answer(&call(&[AGENT, OTHER], &[&[0], &[1]]), &rules);
            assert_eq!(
                (legs, told),
                (vec![Agent, Customer], facts.clone()),
                "{agents:?}"
            );
            assert_eq!(warnings, NOTHING);
            let (legs, told, _) = answer(&call(&[OTHER, AGENT], &[&[0], &[1]]), &rules);
            assert_eq!((legs, told), (vec![Customer, Agent], facts), "{agents:?}");
        }
    };
    check(&["8001"]);
    check(&["sip:8001"]);
    check(&["sip:8*"]);
    check(&["SIPS:8*@PBX.example"]);
    check(&["@pbx.example"]);
    check(&["*@pbx.example"]);
    check(&["7*", "8001@pbx.example"]);
    let escaped = call(&["sip:%38001@pbx.example", OTHER], &[&[0], &[1]]);
    let (legs, facts, _) = answer(&escaped, &rules(&["8001"], FirstStream::Customer));
    assert_eq!(
        (legs, facts[0].as_deref()),
        (vec![Agent, Customer], Some("8001"))
    );
}

#[test]
fn order_tells_where_nothing_else_does() {
    let xml = call(&[AGENT, OTHER], &[&[0], &[1]]);
    let by_order = [PartyWarning::ByOrder];
    let (legs, told, warnings) = answer(&xml, &PartyRules::default());
    assert_eq!(
        (legs, warnings.as_slice()),
        (vec![Customer, Agent], &by_order[..])
    );
    assert_eq!(told, [Some(NUMBER.to_owned()), Some("8001".to_owned())]);
    // None or both of them fit: they are never the same.
    for agents in [&["9*"][..], &["8001", "+86*"], &[]] {
        let (legs, _, warnings) = answer(&xml, &rules(agents, FirstStream::Agent));
        assert_eq!(
            (legs, warnings.as_slice()),
            (vec![Agent, Customer], &by_order[..]),
            "{agents:?}"
        );
    }
}

#[test]
fn extensions_tell_the_agent() {
    let check = |inside: &str, expected: &[Party]| {
        let xml = call(&[OTHER, AGENT], &[&[0], &[1]]).replace("</recording>", inside);
        let xml = format!("{xml}</recording>");
        let (legs, _, _) = answer(&xml, &rules(&[], FirstStream::Agent));
        assert_eq!(legs, expected, "{inside}");
    };
    check("<x:agent>8001</x:agent>", &[Customer, Agent]);
    check("<userID>8001@PBX.example</userID>", &[Customer, Agent]);
    check("<agent-id>8009</agent-id>", &[Agent, Customer]);
    check("<agent>8001@other.example</agent>", &[Agent, Customer]);
    let marked = |text: &str| {
        format!("<participant participant_id='p1'><x><isAgent>{text}</isAgent></x></participant>")
    };
    check(&marked("true"), &[Customer, Agent]);
    check(&marked(""), &[Customer, Agent]);
    check(&marked("false"), &[Agent, Customer]);
    // Rules go before extensions.
    let xml = call(&[OTHER, AGENT], &[&[0], &[1]])
        .replace("</recording>", "<agent>8001</agent></recording>");
    assert_eq!(
        answer(&xml, &rules(&["+86*"], FirstStream::Agent)).0,
        [Agent, Customer]
    );
}

#[test]
fn streams_and_who_sends_them() {
    let check = |senders: &[&[usize]], expected: &[Party], warnings: &[PartyWarning]| {
        let (legs, facts, told) = answer(
            &call(&[AGENT, OTHER], senders),
            &rules(&["8*"], FirstStream::Customer),
        );
        assert_eq!(
            (legs.as_slice(), told.as_slice()),
            (expected, warnings),
            "{senders:?}"
        );
        assert_eq!(facts[0].as_deref(), Some("8001"), "{senders:?}");
    };
    check(&[&[1], &[0]], &[Customer, Agent], &NOTHING);
    // One sends two streams.
    check(&[&[1], &[0], &[0]], &[Customer, Agent, Agent], &NOTHING);
    // Nobody is said to send any, or one.
    check(
        &[&[], &[]],
        &[Agent, Customer],
        &[PartyWarning::PairedByOrder],
    );
    check(
        &[&[1], &[]],
        &[Customer, Agent],
        &[PartyWarning::PairedByOrder],
    );
    // Both are on one stream.
    check(&[&[0, 1]], &[Unknown], &[PartyWarning::Mixed]);
    check(&[&[]], &[Unknown], &[PartyWarning::Mixed]);
    // Each alone, and both.
    check(
        &[&[0], &[1], &[0, 1]],
        &[Agent, Customer, Unknown],
        &[PartyWarning::Mixed],
    );
    check(
        &[&[0], &[1], &[]],
        &[Agent, Customer, Unknown],
        &[PartyWarning::Conference { n_speakers: 3 }],
    );
    // Without streams, the participants are the media lines; only one of them is recorded.
    check(&[], &[Agent, Customer], &NOTHING);
    check(&[&[1]], &[Customer], &NOTHING);
}

/// Participants whose only stream is mixed have no order.
#[test]
fn of_a_mixed_stream_nothing_is_guessed() {
    let check = |senders: &[&[usize]], agents: &[&str], expected: [Option<&str>; 2]| {
        let xml = call(&[AGENT, OTHER], senders);
        let parties = parse(&xml).parties(&rules(agents, FirstStream::Agent));
        let customer = parties.facts.customer.as_ref();
        let facts = [
            parties.facts.metadata.agent.as_deref(),
            customer.map(|customer| customer.reveal()),
        ];
        assert_eq!(facts, expected, "{senders:?} {agents:?}");
        assert_eq!(parties.warnings, [PartyWarning::Mixed]);
        let legs = parties.legs.iter().map(|leg| (leg.party, leg.is_mixed));
        assert_eq!(legs.collect::<Vec<_>>(), [(Unknown, true)]);
    };
    let mixed: [&[&[usize]]; 2] = [&[&[0, 1]], &[&[]]];
    for senders in mixed {
        check(senders, &["8*"], [Some("8001"), Some(NUMBER)]);
        check(senders, &["9*"], [None, None]);
        check(senders, &["8*", "+86*"], [None, None]);
    }
}

#[test]
fn extensions_tell_who_called() {
    let check = |inside: &str, expected: Option<Party>| {
        let xml = call(&[AGENT, OTHER], &[&[0], &[1]]).replace("</recording>", inside);
        let parties =
            parse(&format!("{xml}</recording>")).parties(&rules(&["8*"], FirstStream::Agent));
        assert_eq!(parties.caller, expected, "{inside}");
    };
    check("", None);
    check(
        "<fromhdr>\"x\" &lt;sip:+8613800138000@carrier.example&gt;;tag=1</fromhdr>",
        Some(Customer),
    );
    check(
        "<x:header label='From'><value>sip:8001@pbx.example</value></x:header>",
        Some(Agent),
    );
    check("<from>sip:8001@other.example</from>", None);
    check("<to>sip:8001@pbx.example</to>", None);
    let marked = |participant: &str, text: &str| {
        format!(
            "<participant participant_id='{participant}'><x:callingParty>{text}</x:callingParty></participant>"
        )
    };
    check(&marked("p1", "true"), Some(Customer));
    check(&marked("p1", "false"), None);
    let both = marked("p0", "true") + &marked("p1", "true");
    check(&both, None);
}

#[test]
fn streams_without_participants() {
    let order = rules(&["8*"], FirstStream::Agent);
    let (legs, facts, warnings) = answer(&call(&[], &[&[], &[]]), &order);
    assert_eq!((legs, facts), (vec![Agent, Customer], [None, None]));
    assert_eq!(warnings, [PartyWarning::ByOrder]);
    let (legs, _, warnings) = answer(&call(&[], &[&[]]), &order);
    assert_eq!((legs, warnings), (vec![Unknown], vec![PartyWarning::Mixed]));
    let (legs, _, warnings) = answer("<recording/>", &order);
    assert_eq!((legs, warnings), (Vec::new(), Vec::new()));
    let (legs, _, warnings) = answer(&call(&[AGENT], &[&[0]]), &order);
    assert_eq!((legs, warnings), (vec![Agent], Vec::new()));
}

#[test]
fn of_three_who_speak_two_have_a_party() {
    let conference = [PartyWarning::Conference { n_speakers: 3 }];
    let check = |agents: &[&str], expected: &[Party], by_order: &[PartyWarning]| {
        let xml = call(&[THIRD, OTHER, AGENT], &[&[0], &[1], &[2]]);
        let (legs, _, warnings) = answer(&xml, &rules(agents, FirstStream::Agent));
        let told = [&conference[..], by_order].concat();
        assert_eq!((legs.as_slice(), warnings), (expected, told), "{agents:?}");
    };
    check(&["8001"], &[Customer, Unknown, Agent], &[]);
    check(&["8*"], &[Agent, Customer, Unknown], &[]);
    check(&[], &[Agent, Customer, Unknown], &[PartyWarning::ByOrder]);
}

#[test]
fn labels_and_places() {
    let xml = "<recording><stream stream_id='a'/><stream stream_id='b'><label>x</label></stream></recording>";
    let legs = parse(xml).parties(&PartyRules::default()).legs;
    let places: Vec<_> = legs
        .iter()
        .map(|leg| (leg.stream_idx, leg.label.as_ref().map(Private::reveal)))
        .collect();
    assert_eq!(places, [(0, None), (1, Some("x"))]);
}

#[test]
fn addresses_become_facts() {
    let check = |name_id: &str, expected: Option<&str>| {
        let xml = format!(
            "<recording><participant participant_id='p'>{name_id}</participant>
             <stream stream_id='t'/><participantstreamassoc participant_id='p'><send>t</send></participantstreamassoc>
             </recording>"
        );
        let (_, [_, customer], warnings) = answer(&xml, &PartyRules::default());
        assert_eq!(customer.as_deref(), expected, "{name_id}");
        assert_eq!(warnings, [PartyWarning::ByOrder], "{name_id}");
    };
    check(
        "<nameID aor='sip:+8613800138000@[2001:db8::1]:5060;user=phone'/>",
        Some(NUMBER),
    );
    check(
        "<nameID aor='&quot;x&quot; &lt;sip:123;a=b:pw@c.example&gt;;d'/>",
        Some("123"),
    );
    check(
        "<nameID aor='tel:+8613800138000;phone-context=x'/>",
        Some(NUMBER),
    );
    check("<nameID aor='+8613800138000'/>", Some(NUMBER));
    check(
        "<nameID aor='sip:@pbx.example'><name>Bo</name></nameID>",
        Some("Bo"),
    );
    check(
        "<nameID aor='sip:Anonymous@anonymous.invalid'><name>Bo</name></nameID>",
        None,
    );
    check("", None);
    // Escapes are those of one byte each, and hold text.
    check("<nameID aor='sip:%2b8613800138000@c'/>", Some(NUMBER));
    check("<nameID aor='sip:%E5%AE%89%3B1@c'/>", Some("安;1"));
    check("<nameID aor='sip:1%00%FF%4@c'/>", Some("1%00%FF%4"));
    // A host alone is nobody; a number alone is no host.
    let alone = |aor: &str, expected: &str| {
        check(
            &format!("<nameID aor='{aor}'><name>Bo</name></nameID>"),
            Some(expected),
        );
    };
    for host in [
        "sip:pbx.example",
        "SIP:pbx",
        "sip:pbx.example.:5060;transport=tcp",
        "sip:192.0.2.1",
        "sips:[2001:db8::1]:5061",
    ] {
        alone(host, "Bo");
    }
    for user in ["sip:123", "123", "tel:123", "sip: 123 @c", "sip:123;a=b"] {
        alone(user, "123");
    }
    alone("sip:+123", "+123");
    alone("bo.li", "bo.li");
    let long = "8".repeat(129);
    let xml = call(&[&format!("sip:{long}@a"), OTHER], &[&[0], &[1]]);
    let (_, [agent, _], warnings) = answer(&xml, &rules(&["8*"], FirstStream::Agent));
    assert_eq!((agent, warnings.len()), (None, 1));
    assert_eq!(
        warnings[0].to_string(),
        "`agent` has 129 bytes, more than 128"
    );
}

#[test]
fn addresses_of_agents() {
    let rules = rules(&["8*@pbx.example"], FirstStream::Customer);
    assert!(rules.fits_agent("\"Ann\" <sip:8001@PBX.example:5060;transport=tcp>;tag=1"));
    assert!(rules.fits_agent("sip:%38001@pbx.example"));
    assert!(!rules.fits_agent("sip:8001"));
    assert!(!rules.fits_agent("sip:pbx.example"));
}

#[test]
fn patterns_that_are_refused() {
    for text in ["", "*", "sip:", "*@", "8@", "8*1", "8*@*.example", "@"] {
        let error = AddressPattern::parse(text).unwrap_err();
        assert!(
            error.to_string().ends_with(&format!("got `{text}`")),
            "{error}"
        );
    }
}

#[test]
fn parties_hide_who_they_are() {
    let parties = parse(CALL).parties(&PartyRules::default());
    let shown = format!("{parties:?}");
    for secret in ["8001", "13800138000", "Ann"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
