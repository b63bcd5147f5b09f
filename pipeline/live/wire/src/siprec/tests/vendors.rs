//! Documents in the shape that equipment gives them: ids, names and numbers are made up, and so are the words.

use super::*;

/// Sixteen bytes of base64.
const SESSION: &str = "AAAAAAAAAAAAAAAAAAAAAQ==";

/// Parties of the media lines, agent, customer, who called, the call's name and its names elsewhere. Agents are known by
/// an 8. Nothing is uncertain.
fn summary(recording: &Recording, labels: &[&str]) -> Vec<String> {
    let rules = PartyRules {
        agents: vec![AddressPattern::parse("8*").unwrap()],
        ..PartyRules::default()
    };
    let labels: Vec<Option<&str>> = labels.iter().copied().map(Some).collect();
    let parties = recording.media_parties(&labels, &rules);
    assert_eq!(parties.warnings, Vec::<PartyWarning>::new());
    let legs: Vec<_> = parties.legs.iter().map(|leg| leg.party.as_str()).collect();
    let mut told = vec![legs.join(" ")];
    let facts = &parties.facts;
    told.extend(facts.metadata.agent.iter().map(|it| format!("agent {it}")));
    let customer = facts.customer.iter();
    told.extend(customer.map(|it| format!("customer {}", it.reveal())));
    let caller = parties.caller.iter();
    told.extend(caller.map(|it| format!("called by {}", it.as_str())));
    told.extend(facts.call_id.iter().map(|it| format!("call {it}")));
    let keys = recording.call_keys.iter();
    told.extend(keys.map(|key| format!("{}:{}", key.kind, key.value.reveal())));
    told
}

/// Audio and video of two participants, who send these streams.
fn cisco(sends: [&[&str]; 2]) -> String {
    let participant = |id: &str, name_id: &str, labels: [u8; 2]| {
        let streams = labels.map(|label| {
            format!("<stream stream_id=\"t{label}\" session_id=\"{SESSION}\"><label>{label}</label></stream>")
        });
        format!(
            "<participant participant_id=\"{id}\">{name_id}</participant>
             <participantsessionassoc participant_id=\"{id}\" session_id=\"{SESSION}\">
             <associate-time>2026-01-02T03:04:05.678Z</associate-time></participantsessionassoc>{}",
            streams.concat()
        )
    };
    let association = |id: &str, streams: &[&str]| {
        let streams = streams
            .iter()
            .map(|stream| format!("<send>{stream}</send>"));
        let streams: String = streams.collect();
        format!(
            "<participantstreamassoc participant_id=\"{id}\">{streams}</participantstreamassoc>"
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
         <recording xmlns=\"urn:ietf:params:xml:ns:recording:1\"><datamode>complete</datamode>
         <session session_id=\"{SESSION}\"><sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2
         </sipSessionID><start-time>2026-01-02T03:04:05.678Z</start-time></session>{}{}{}{}</recording>",
        participant("p1", "<nameID aor=\"sip:13800138000@192.0.2.1\"></nameID>", [1, 3]),
        participant("p2", "<nameID aor=\"sip:8001@192.0.2.2\"><name xml:lang=\"en\">Ann</name></nameID>", [2, 4]),
        association("p1", sends[0]),
        association("p2", sends[1]),
    )
}

/// Cisco's CUBE: video beside audio, holds in complete documents, and a last one without streams.
#[test]
fn documents_of_cisco() {
    let expected = [
        "customer agent",
        "agent 8001",
        "customer 13800138000",
        "call 00000000-0000-0000-0000-000000000001",
    ];
    let mut call = parse(&cisco([&["t1", "t3"], &["t2", "t4"]]));
    assert_eq!(told(&call), [""; 0]);
    assert_eq!(summary(&call, &["1", "2"]), expected);
    let holds: [[&[&str]; 2]; 3] = [[&[], &["t2", "t4"]], [&[], &[]], [&["t1"], &["t2"]]];
    for sends in holds {
        call.update(parse(&cisco(sends)));
        assert_eq!(summary(&call, &["1", "2"]), expected, "{sends:?}");
    }
    let last = parse(&format!(
        "<recording><datamode>complete</datamode><session session_id=\"{SESSION}\">
         <end-time>2026-01-02T03:05:00.000Z</end-time></session></recording>"
    ));
    let span = &last.sessions[0].span;
    assert_eq!(span.until.as_deref(), Some("2026-01-02T03:05:00.000Z"));
    assert_eq!(told(&last), ["metadata have no `stream`"]);
}

/// Oracle's session border controllers: drafts of the standard, headers of the call, who called.
#[test]
fn documents_of_oracle() {
    let recording = parse(&format!(
        "<?xml version='1.0' encoding='UTF-8'?><recording xmlns='urn:ietf:params:xml:ns:recording'>
        <dataMode>complete</dataMode>
        <session id=\"{SESSION}\"><associate-time>2026-01-02T03:04:05</associate-time>
          <extensiondata xmlns:apkt=\"http://acmepacket.com/siprec/extensiondata\">
          <apkt:ucid>00FA080019001038F725B3;encoding=hex</apkt:ucid><apkt:callerOrig>true</apkt:callerOrig>
          </extensiondata></session>
        <participant id=\"p1\" session=\"{SESSION}\">
          <nameID aor=\"sip:%2B8613800138000@carrier.example\"><name>\"CALLER\"</name></nameID><send>t1</send>
          <extensiondata><apkt:callingParty>true</apkt:callingParty>
          <apkt:request-uri>sip:400@192.0.2.9:5060</apkt:request-uri><apkt:in-realm>access</apkt:in-realm>
          <apkt:header label=\"Call-ID\"><apkt:value>a1@192.0.2.1</apkt:value></apkt:header>
          <apkt:header label=\"User-to-User\"><value>00FA080019001038F725B3;encoding=hex</value></apkt:header>
          <apkt:header label=\"Av-Global-Session-ID\"><value>64BF44A0-4F61-11EA-BEA2-005056B42B9F</value></apkt:header>
          <apkt:header label=\"P-Asserted-Identity\"><value>sip:8009@pbx.example</value><value>tel:8010</value></apkt:header>
          </extensiondata></participant>
        <participant id=\"p2\" session=\"{SESSION}\"><nameID aor=\"sip:8001@pbx.example\"/><send>t2</send>
          <extensiondata><apkt:callingParty>false</apkt:callingParty></extensiondata></participant>
        <stream id=\"t1\" session=\"{SESSION}\"><label>771757897</label><mode>separate</mode></stream>
        <stream id=\"t2\" session=\"{SESSION}\"><label>771757898</label><mode>separate</mode></stream></recording>"
    ));
    assert_eq!(
        summary(&recording, &["771757897", "771757898"]),
        [
            "customer agent",
            "agent 8001",
            "customer +8613800138000",
            "called by customer",
            "call 00000000-0000-0000-0000-000000000001",
            "ucid:0019001038f725b3",
            "call-id:a1@192.0.2.1",
            "global-session-id:64bf44a0-4f61-11ea-bea2-005056b42b9f",
        ]
    );
}

/// AudioCodes' Mediant, with what it passes on of Avaya's and Genesys' calls.
#[test]
fn documents_of_audiocodes() {
    let recording = parse(
        r#"<recording xmlns='urn:ietf:params:xml:ns:recording'><datamode>complete</datamode>
        <group id="00000000-0000-0000-0000-00003A36C4E4"><associate-time>2026-01-02T03:04:05Z</associate-time></group>
        <session id="0000-0000-0000-0000-00000000d0d71a53">
          <group-ref>00000000-0000-0000-0000-00003a36c4e4</group-ref><start-time>2026-01-02T03:04:05Z</start-time>
          <ac:AvayaUCID xmlns="urn:ietf:params:xml:ns:Avaya"> FA080019001038F725B3</ac:AvayaUCID>
          <ac:GenesysUUID xmlns="urn:ietf:params:xml:ns:Genesys">0ABCDEFGHIJKLMNOPQRSTUV0123456789</ac:GenesysUUID>
        </session>
        <participant id="8001" session="0000-0000-0000-0000-00000000d0d71a53">
          <nameID aor="8001@192.0.2.7"></nameID><associate-time>2026-01-02T03:04:05Z</associate-time>
          <send>00000000-0000-0000-0000-1CF23A36C4E4</send><recv>00000000-0000-0000-0000-BF583A36C4E4</recv></participant>
        <participant id="13800138000" session="0000-0000-0000-0000-00000000d0d71a53">
          <nameID aor="13800138000@carrier.example"></nameID><associate-time>2026-01-02T03:04:05Z</associate-time>
          <send>00000000-0000-0000-0000-BF583A36C4E4</send><recv>00000000-0000-0000-0000-1CF23A36C4E4</recv></participant>
        <stream id="00000000-0000-0000-0000-1cf23a36c4e4" session="0000-0000-0000-0000-00000000d0d71a53"><label>1</label></stream>
        <stream id="00000000-0000-0000-0000-bf583a36c4e4" session="0000-0000-0000-0000-00000000d0d71a53"><label>2</label></stream>
        </recording>"#,
    );
    assert_eq!(
        summary(&recording, &["1", "2"]),
        [
            "agent customer",
            "agent 8001",
            "customer 13800138000",
            "call 0000-0000-0000-0000-00000000d0d71a53",
            "ucid:0019001038f725b3",
            "genesys-uuid:0ABCDEFGHIJKLMNOPQRSTUV0123456789",
        ]
    );
    let group = &recording.sessions[0].group;
    assert_eq!(*group, Some(recording.groups[0].id.clone()));
}

/// Ribbon's session border controllers, once Sonus': headers in the group, addresses without a scheme, and an end that is
/// told of the participants themselves.
#[test]
fn documents_of_ribbon() {
    let mut recording = parse(
        r#"<recording xmlns='urn:ietf:params:xml:ns:recording'><datamode>complete</datamode>
        <group group_id="g"><associate-time>2026-01-02T03:04:05Z</associate-time>
          <callData xmlns='urn:ietf:params:xml:ns:callData'>
          <fromhdr>&lt;sip:13800138000@192.0.2.20&gt;;isup-oli=62;tag=gK0c</fromhdr>
          <tohdr>&lt;sip:8001@192.0.2.20:5060;user=phone&gt;;tag=as7d</tohdr>
          <callid>4990_13@192.0.2.17</callid><gcid>4990</gcid></callData></group>
        <session session_id="cs-1"><group-ref>g</group-ref><start-time>2026-01-02T03:04:05Z</start-time></session>
        <participant participant_id="p1"><nameID aor="13800138000@192.0.2.20"><name xml:lang="en"> </name></nameID></participant>
        <participant participant_id="p2"><nameID aor="8001@192.0.2.20"><name xml:lang="en"> </name></nameID></participant>
        <stream stream_id="t1" session_id="cs-1"><label>1</label><associate-time>2026-01-02T03:04:05Z</associate-time></stream>
        <stream stream_id="t2" session_id="cs-1"><label>2</label><associate-time>2026-01-02T03:04:05Z</associate-time></stream>
        <participantstreamassoc participant_id="p1"><send>t1</send><recv>t2</recv></participantstreamassoc>
        <participantstreamassoc participant_id="p2"><send>t2</send><recv>t1</recv></participantstreamassoc></recording>"#,
    );
    let expected = [
        "customer agent",
        "agent 8001",
        "customer 13800138000",
        "called by customer",
        "call cs-1",
        "call-id:4990_13@192.0.2.17",
        "global-call-id:4990",
    ];
    assert_eq!(summary(&recording, &["1", "2"]), expected);
    let end = "<disassociate-time>2026-01-02T03:05:00Z</disassociate-time>";
    let last = parse(&format!(
        "<recording xmlns='urn:ietf:params:xml:ns:recording'><datamode>Partial</datamode><session session_id=\"cs-1\">
         </session><participant participant_id=\"p1\" session_id=\"cs-1\">{end}</participant>
         <participant participant_id=\"p2\" session_id=\"cs-1\">{end}</participant></recording>"
    ));
    assert_eq!(told(&last), [""; 0]);
    recording.update(last);
    assert_eq!(summary(&recording, &["1", "2"]), expected);
    assert!(
        recording
            .streams
            .iter()
            .all(|stream| recording.has_ended(stream))
    );
}

/// OpenSIPS with RTPEngine: labels from 0, the `Call-ID` as session id, zones without a colon.
#[test]
fn documents_of_opensips() {
    let recording = parse(&format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<recording xmlns='urn:ietf:params:xml:ns:recording:1'>\r\n\t\
        <datamode>complete</datamode>\r\n\t<session session_id=\"{SESSION}\">\r\n\t\t<sipSessionID>a2@192.0.2.1</sipSessionID>
        <uniqueid>FaXHlc</uniqueid></session>
        <participant participant_id=\"AAAAAAAAAAAAAAAAAAAAAg==\"><nameID aor=\"sip:8001@pbx.example\"/></participant>
        <participant participant_id=\"AAAAAAAAAAAAAAAAAAAAAw==\"><nameID aor=\"sip:@carrier.example\"><name>13800138000</name>
        </nameID></participant>
        <stream stream_id=\"AAAAAAAAAAAAAAAAAAAABA==\" session_id=\"{SESSION}\"><label>0</label></stream>
        <stream stream_id=\"AAAAAAAAAAAAAAAAAAAABQ==\" session_id=\"{SESSION}\"><label>1</label></stream>
        <sessionrecordingassoc session_id=\"{SESSION}\"><associate-time>2026-01-02T03:04:05+0800</associate-time>
        </sessionrecordingassoc>
        <participantstreamassoc participant_id=\"AAAAAAAAAAAAAAAAAAAAAg==\"><send>AAAAAAAAAAAAAAAAAAAABA==</send>
        <recv>AAAAAAAAAAAAAAAAAAAABQ==</recv></participantstreamassoc>
        <participantstreamassoc participant_id=\"AAAAAAAAAAAAAAAAAAAAAw==\"><send>AAAAAAAAAAAAAAAAAAAABQ==</send>
        <recv>AAAAAAAAAAAAAAAAAAAABA==</recv></participantstreamassoc></recording>"
    ));
    assert_eq!(told(&recording), ["`uniqueid` is not known here"]);
    assert_eq!(
        summary(&recording, &["0", "1"]),
        [
            "agent customer",
            "agent 8001",
            "customer 13800138000",
            "call 00000000-0000-0000-0000-000000000001",
        ]
    );
    let identities = recording.identities();
    let named = |identity: &&Identity| identity.kind() == "sip-session";
    let named: Vec<_> = identities
        .iter()
        .filter(named)
        .map(Identity::reveal)
        .collect();
    assert_eq!(named, ["sip-session:a2@192.0.2.1"]);
}
