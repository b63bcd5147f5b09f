//! Metadata, as they should be and as they are.

use proptest::prelude::*;

use super::*;

/// Ids of streams that a participant sends.
fn sent(recording: &Recording, participant: &str) -> Vec<String> {
    let links = recording.links.iter();
    let sent = links.filter(|link| {
        link.participant.reveal() == participant && link.direction == Direction::Sends
    });
    sent.map(|link| link.stream.reveal().to_owned()).collect()
}

fn addresses(recording: &Recording) -> Vec<&str> {
    let participants = recording.participants.iter();
    let names = participants.flat_map(|participant| &participant.names);
    let addresses = names.flat_map(|name| &name.address);
    addresses.map(Private::reveal).collect()
}

#[test]
fn metadata_as_the_standard_has_them() {
    let recording = parse(CALL);
    assert_eq!(told(&recording), [""; 0]);
    assert_eq!(recording.mode, DataMode::Complete);
    assert_eq!(recording.groups[0].id.reveal(), "g1");
    let session = &recording.sessions[0];
    assert_eq!(session.id.reveal(), "s1");
    assert_eq!(session.group.as_ref().map(Private::reveal), Some("g1"));
    let began = Some("2026-01-02T03:04:05Z");
    assert_eq!(session.span.since.as_deref(), began);
    assert_eq!(recording.session_recordings[0].span.since.as_deref(), began);
    assert!(!session.span.is_over);
    assert_eq!(
        addresses(&recording),
        ["sip:8001@pbx.example", "tel:+8613800138000"]
    );
    let name = &recording.participants[0].names[0].name;
    assert_eq!(name.as_ref().map(Private::reveal), Some("Ann"));
    let stream = &recording.streams[1];
    assert_eq!(stream.label.as_ref().map(Private::reveal), Some("2"));
    assert_eq!(stream.content.as_ref().map(Private::reveal), Some("main"));
    assert_eq!(stream.session.as_ref().map(Private::reveal), Some("s1"));
    assert_eq!(recording.participant_sessions.len(), 2);
    let parameter = &recording.participant_sessions[0].parameters[0];
    assert_eq!(parameter.name.reveal(), "audio");
    assert_eq!(parameter.value.as_ref().map(Private::reveal), Some("true"));
    assert_eq!(recording.links.len(), 4);
    assert_eq!(sent(&recording, "p1"), ["t1"]);
    assert_eq!(sent(&recording, "p2"), ["t2"]);
}

#[test]
fn nothing_of_anybody_is_shown() {
    let shown = format!("{:?}", parse(CALL));
    for secret in ["8001", "13800138000", "Ann", "ab30317f", "p1"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn prefixes_marks_and_references_change_nothing() {
    let check = |xml: &str| {
        let recording = parse(xml);
        assert_eq!(addresses(&recording), ["sip:a&b@c"], "{xml}");
    };
    check(
        r#"<recording><participant participant_id="1"><nameID aor="sip:a&amp;b@c"/></participant></recording>"#,
    );
    check(
        "\u{feff}\r\n<?xml version='1.0' encoding='utf-8'?>\n<!-- c --><r:recording xmlns:r='u' xmlns:id='v'>\
         <r:Participant r:participant_id='1'><r:nameID aor='sip:a&#38;b@c'></r:nameID></r:Participant ></r:recording>\n",
    );
    check(
        "<recording><participant id='1'><aor>sip:a&amp;b<![CDATA[@c]]></aor></participant></recording>",
    );
}

/// As Oracle's equipment has it, and others that are older than RFC 7865.
#[test]
fn metadata_of_drafts_with_extensions() {
    let recording = parse(
        r#"<recording xmlns='urn:ietf:params:xml:ns:recording'>
        <dataMode>complete</dataMode>
        <session id="jWBTU+dDQeZL6U3Gdk6Cwg==">
          <associate-time>2026-01-02T03:04:05</associate-time>
          <extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata">
            <apkt:ucid>00FA080019001038F725B3;encoding=hex</apkt:ucid><apkt:callerOrig>true</apkt:callerOrig>
          </extensiondata>
        </session>
        <participant id="p1" session="jWBTU+dDQeZL6U3Gdk6Cwg==">
          <nameID aor="sip:8001@pbx.example"><name>8001</name></nameID>
          <send>t1</send>
          <associate-time>2026-01-02T03:04:05</associate-time>
          <extensiondata><apkt:callingParty>true</apkt:callingParty></extensiondata>
        </participant>
        <participant id="p2"><aor>sip:13800138000@carrier.example</aor><name>x</name><send><id>t2</id></send></participant>
        <stream id="t1" session="jWBTU+dDQeZL6U3Gdk6Cwg=="><mode>separate</mode></stream>
        <stream id="t2" label="20"/>
        </recording>"#,
    );
    assert_eq!(
        told(&recording),
        [
            "`session` has its id in `id`; `session_id` was meant",
            "`participant` has its id in `id`; `participant_id` was meant",
            "`participant` has `send` or `recv`; `participantstreamassoc` was meant",
            "`participant` has its address beside `nameID`",
            "`stream` has its id in `id`; `stream_id` was meant",
            "`ucid` is not known here",
            "`callerorig` is not known here",
            "`callingparty` is not known here",
            "`stream` has no label; its place among the streams is taken",
        ]
    );
    // Sixteen bytes of base64 are a UUID, wherever they stand.
    let id = recording.sessions[0].id.reveal();
    assert_eq!(id, "8d605353-e743-41e6-4be9-4dc6764e82c2");
    assert_eq!(recording.streams[0].session.as_ref().unwrap().reveal(), id);
    assert_eq!(
        (sent(&recording, "p1"), sent(&recording, "p2")),
        (vec!["t1".to_owned()], vec!["t2".to_owned()])
    );
    let since = &recording.participants[0].span.since;
    assert_eq!(since.as_deref(), Some("2026-01-02T03:04:05"));
    assert_eq!(recording.call_keys[0].kind, "ucid");
    assert_eq!(recording.call_keys[0].value.reveal(), "0019001038f725b3");
}

/// As BroadWorks has it.
#[test]
fn metadata_of_the_first_drafts() {
    let recording = parse(
        r#"<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"><dataMode>complete</dataMode>
        <recording id="urn:uuid:b70e4588-59a5-4562-a4f2-88b0016cc0df"><requestor>SRC</requestor><type>selective</type></recording>
        <group id="urn:uuid:80a4b6ac-4e6f-4d8b-a2df-b94e2f4269b8"><initiator>sip:8001</initiator></group>
        <session id="urn:uuid:4C7BF504-3CC7-4B5A-B0B3-06D916581F3D" group="urn:uuid:80a4b6ac-4e6f-4d8b-a2df-b94e2f4269b8"/>
        <participant id="p1"><aor>sip:8001</aor><send><id>t</id></send></participant>
        <participant id="p2"><aor>sip:+8613800138000@sbc.example;user=phone</aor><send><id>t</id></send></participant>
        <stream id="t"><label>1</label><mode>mixed</mode></stream>
        <extensiondata id="e" parent="s"><broadWorksRecordingMetadata version="3.0">
          <extTrackingID>96409f89-d5f5-4205-a988-42b4d0dc5b83</extTrackingID><userID>8001@pbx.example</userID>
          <callID>callhalf-828525:0</callID></broadWorksRecordingMetadata></extensiondata>
        </recording_metadata>"#,
    );
    assert_eq!(
        told(&recording)[0],
        "root element is `recording_metadata`; `recording` was meant"
    );
    assert_eq!(
        recording.sessions[0].id.reveal(),
        "4c7bf504-3cc7-4b5a-b0b3-06d916581f3d"
    );
    assert_eq!(
        recording.sessions[0].group,
        Some(recording.groups[0].id.clone())
    );
    assert!(recording.streams[0].is_mixed);
    let keys = recording.call_keys.iter();
    let keys: Vec<_> = keys.map(|key| (key.kind, key.value.reveal())).collect();
    assert_eq!(
        keys,
        [
            ("tracking-id", "96409f89-d5f5-4205-a988-42b4d0dc5b83"),
            ("call-id", "callhalf-828525:0")
        ]
    );
    assert_eq!(recording.agent_hints[0].reveal(), "8001@pbx.example");
}

#[test]
fn what_is_unusual_is_told_and_read() {
    let check = |xml: &str, expected: &[&str]| {
        let xml =
            format!("<recording>{xml}<stream stream_id='t'><label>1</label></stream></recording>");
        assert_eq!(told(&parse(&xml)), expected, "{xml}");
    };
    check("<datamode>Partial</datamode>", &[]);
    check(
        "<datamode>all</datamode>",
        &["`datamode` must be complete or partial, got `all`; complete is taken"],
    );
    check(
        "<participant><nameID aor='x'/></participant><participantstreamassoc/>",
        &[
            "`participant` does not say by its id what it is about, and is left out",
            "`participantstreamassoc` does not say by its id what it is about, and is left out",
        ],
    );
    check(
        "<participant participant_id='p'/>",
        &["`participant` has no address"],
    );
    check(
        "<session session_id='s'><start-time>13800138000</start-time><stop-time>now</stop-time></session>",
        &["a time is not as RFC 3339 has it, and is left out"],
    );
    check(
        "<session session_id='s'><participant participant_id='p'><nameID aor='sip:a@b'/></participant></session>",
        &["`participant` or `stream` stands within `session`"],
    );
    check(
        "<ac:GenesysUUID>1</ac:GenesysUUID><x13800138000><y/></x13800138000>",
        &["`genesysuuid` is not known here", "`…` is not known here"],
    );
    let nothing = parse("<recording/>");
    assert_eq!(told(&nothing), ["metadata have no `stream`"]);
}

#[test]
fn warnings_have_an_end() {
    let names = (0..200).map(|idx| format!("<x{idx}/>")).collect::<String>();
    let recording = parse(&format!("<recording>{names}</recording>"));
    assert_eq!(recording.warnings.len(), 64);
}

#[test]
fn documents_that_are_refused() {
    let limits = Limits {
        metadata_bytes: 400,
        metadata_elements: 5,
        metadata_depth: 3,
        ..Limits::default()
    };
    let check = |xml: &[u8], expected: &str| {
        let error = Recording::parse(xml, &limits).unwrap_err();
        assert_eq!(
            error.to_string(),
            expected,
            "{}",
            String::from_utf8_lossy(xml)
        );
    };
    check(&[b' '; 401], "metadata have 401 bytes, more than 400");
    check(b"<recording>\xff</recording>", "metadata are not UTF-8");
    check(b"\xff\xfe<\0r\0", "metadata are not UTF-8");
    check(
        b"<?xml version='1.0' encoding='ISO-8859-1'?><recording/>",
        "`encoding` of the metadata must be UTF-8, got `ISO-8859-1`",
    );
    check(
        b"<!DOCTYPE recording [<!ENTITY a 'b'>]><recording>&a;</recording>",
        "metadata declare a document type, which is not taken",
    );
    check(
        b"<recording>&a;</recording>",
        "metadata refer to `a`, which is not known",
    );
    check(
        b"<recording>&#0;</recording>",
        "metadata refer to `#0`, which is not known",
    );
    check(b"<sip/>", "root element must be `recording`, got `sip`");
    check(
        b"<a><b><c><d/></c></b></a>",
        "elements of the metadata are nested more than 3 deep",
    );
    check(
        b"<recording a='1' b='2'><c/><d/><e/></recording>",
        "metadata have more than 5 elements and attributes",
    );
    for xml in [
        "",
        "x",
        "<recording>",
        "<recording></other>",
        "<recording/><recording/>",
        "<recording/>x",
        "</recording>",
        "<recording a=b/>",
        "<recording a='1' a='2'/>",
        "<recording a='&b;'/>",
        "<recording>a & b</recording>",
        "<!-- recording",
    ] {
        let error = Recording::parse(xml.as_bytes(), &limits).unwrap_err();
        assert!(
            matches!(error, RecordingError::NotXml { .. }),
            "{xml}: {error}"
        );
    }
}

#[test]
fn values_that_are_too_long_are_left_out() {
    let limits = Limits {
        metadata_value_bytes: 20,
        ..Limits::default()
    };
    let check = |participant: &str, expected: &[&str]| {
        let xml = format!("<recording>{participant}<stream stream_id='t' label='1'/></recording>");
        let recording = Recording::parse(xml.as_bytes(), &limits).unwrap();
        assert_eq!(told(&recording), expected, "{participant}");
        assert_eq!(recording.streams.len(), 1, "the rest is read");
    };
    let (fits, long) = ("x".repeat(20), "x".repeat(21));
    let participant =
        |name_id: &str| format!("<participant participant_id='p'>{name_id}</participant>");
    check(&participant(&format!("<nameID aor='{fits}'/>")), &[]);
    check(
        &participant(&format!("<nameID aor='{long}'><name>Ann</name></nameID>")),
        &[
            "`aor` has more than 20 bytes, and is left out",
            "`participant` has no address",
        ],
    );
    check(
        &format!("<participant participant_id='{long}'/>"),
        &[
            "`participant_id` has more than 20 bytes, and is left out",
            "`participant` does not say by its id what it is about, and is left out",
        ],
    );
    // A text comes in pieces; what follows it is left out, too.
    let name =
        "<nameID aor='a'><name>1234567890<!-- c -->1234567890&amp;<![CDATA[abc]]></name></nameID>";
    check(
        &participant(name),
        &["`name` has more than 20 bytes, and is left out"],
    );
    let xml = format!("<recording>{}</recording>", participant(name));
    let recording = Recording::parse(xml.as_bytes(), &limits).unwrap();
    assert_eq!(recording.participants[0].names[0].name, None);
}

#[test]
fn recordings_of_one_call_have_something_in_common() {
    let identities = |xml: &str| -> Vec<String> {
        let found = parse(xml).identities();
        found
            .iter()
            .map(|identity| identity.reveal().to_owned())
            .collect()
    };
    assert_eq!(
        identities(CALL),
        [
            "group:g1",
            "session:s1",
            "sip-session:47755a9d-e779-4ba3-8765-3f2099600ef2",
            "sip-session:ab30317f-1a78-4dc4-8ff8-24d0d3715d86",
        ]
    );
    let other = r#"<recording><session session_id="00000000-0000-0000-0000-000000000000">
        <sipSessionID>47755a9de7794ba387653f2099600ef2;remote=00000000000000000000000000000000</sipSessionID>
        <sipSessionID>cakgrc@pbx.example;x=y</sipSessionID></session>
        <AvayaUCID> FA080019001038F725B3</AvayaUCID><ucid>0019001038f725b3</ucid><callid>A1@b</callid></recording>"#;
    assert_eq!(
        identities(other),
        [
            "call-id:A1@b",
            "sip-session:47755a9d-e779-4ba3-8765-3f2099600ef2",
            "sip-session:cakgrc@pbx.example",
            "ucid:0019001038f725b3",
        ]
    );
    // A header that may hold anything holds a UCID where it says so.
    let header = |value: &str| {
        let header = format!("<x:header label='User-to-User'><value>{value}</value></x:header>");
        identities(&format!("<recording>{header}</recording>"))
    };
    assert_eq!(header("FA080019001038F725B3"), ["ucid:0019001038f725b3"]);
    assert_eq!(header("FA08001900103_F725B3"), [""; 0]);
    assert_eq!(header("0019001038F725B3"), [""; 0]);
    let shown = format!("{:?}", parse(other).identities());
    assert!(
        shown.starts_with("[Identity(call-id:…), Identity(sip-session:…)"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn any_document_is_read(
        inside in "(<(participant|stream|session|send|recv|x:y|/participant|/stream|/session|/send)( id='[ab]')?/?>|[ab&;#0-9]{1,4}){0,20}",
    ) {
        let limits = Limits { metadata_elements: 12, ..Limits::default() };
        let xml = format!("<recording>{inside}</recording>");
        if let Ok(recording) = Recording::parse(xml.as_bytes(), &limits) {
            let parties = recording.parties(&PartyRules::default());
            prop_assert!(parties.legs.len() <= 12);
            prop_assert!(recording.participants.len() <= 12);
            let _ = recording.identities();
        }
    }

    #[test]
    fn any_text_is_read(xml in "\\PC{0,60}") {
        let _ = Recording::parse(xml.as_bytes(), &Limits::default());
    }
}
