//! Documents that follow another.

use auricle_contracts::Party;

use super::*;

fn id(text: &str) -> Private {
    Private::new(text).unwrap()
}

/// The call after these documents.
fn after(documents: &[&str]) -> Recording {
    let mut recording = parse(CALL);
    for document in documents {
        recording.update(parse(document));
    }
    recording
}

fn partial(inside: &str) -> String {
    format!("<recording><datamode>partial</datamode>{inside}</recording>")
}

/// Label, address and party of each media line.
fn parties(recording: &Recording) -> Vec<(String, String, Party)> {
    let rules = PartyRules {
        first_stream: FirstStream::Agent,
        ..PartyRules::default()
    };
    let text = |text: &Option<Private>| text.as_ref().map_or("", Private::reveal).to_owned();
    let legs = recording.parties(&rules).legs;
    let leg = |leg: &LegParty| (text(&leg.label), text(&leg.address), leg.party);
    legs.iter().map(leg).collect()
}

#[test]
fn a_complete_document_replaces() {
    let newer = "<recording><stream stream_id='t9'><label>9</label></stream></recording>";
    assert_eq!(after(&[newer]), parse(newer));
}

/// As the equipment of Cisco tells hold: who pauses sends nothing, in a document that is complete.
#[test]
fn a_complete_document_keeps_who_sent_what_nobody_sends() {
    let sends = "<participantstreamassoc participant_id=\"p1\"><send>t1</send><recv>t2</recv></participantstreamassoc>";
    let hold = CALL.replace(sends, "");
    assert_ne!(hold, CALL);
    let recording = after(&[&hold]);
    let kept = &recording.links[2];
    assert_eq!((&kept.participant, &kept.stream), (&id("p1"), &id("t1")));
    assert!(kept.span.is_over && recording.has_ended(&recording.streams[0]));
    assert_eq!(parties(&recording), parties(&parse(CALL)));
    // However often that is told, and when it goes on.
    assert_eq!(after(&[&hold, &hold]), recording);
    assert_eq!(after(&[&hold, CALL]), parse(CALL));
}

/// As RFC 8068 tells hold: what is left out of an association is over.
#[test]
fn an_association_tells_all_streams_of_a_participant() {
    let over = |recording: &Recording| -> Vec<bool> {
        let links = recording.links.iter();
        links.map(|link| link.span.is_over).collect()
    };
    let associated = |participant: &str, inside: &str| {
        format!(
            "<participantstreamassoc participant_id='{participant}'>{inside}</participantstreamassoc>"
        )
    };
    let hold =
        partial(&(associated("p1", "<recv>t2</recv>") + &associated("p2", "<send>t2</send>")));
    let held = after(&[&hold]);
    assert_eq!(over(&held), [true, false, false, true]);
    assert!(held.has_ended(&held.streams[0]) && !held.has_ended(&held.streams[1]));
    assert!(!held.has_left(&id("p1")));
    assert_eq!(parties(&held), parties(&parse(CALL)));
    let time = "<associate-time>2026-01-02T03:04:05Z</associate-time>";
    let resumed = partial(
        &(associated("p1", &format!("{time}<send>t1</send><recv>t2</recv>"))
            + &associated("p2", "<send>t2</send><recv>t1</recv>")),
    );
    assert_eq!(over(&after(&[&hold, &resumed])), [false; 4]);
    // Nobody sends anything.
    let silent = partial(&(associated("p1", "") + &associated("p2", "")));
    assert_eq!(over(&after(&[&silent])), [true; 4]);
    assert_eq!(parties(&after(&[&silent])), parties(&parse(CALL)));
    // What has an end says nothing of the others.
    let end = "<disassociate-time>2026-01-02T03:05:00Z</disassociate-time>";
    let ended = partial(&associated("p1", &format!("<recv>t2</recv>{end}")));
    assert_eq!(over(&after(&[&ended])), [false, true, false, false]);
}

#[test]
fn who_took_over_is_who_puts_on_hold() {
    let transfer = partial(
        "<participant participant_id='p3'><nameID aor='sip:8003@pbx.example'/></participant>
         <participantstreamassoc participant_id='p3'><send>t1</send><recv>t2</recv></participantstreamassoc>",
    );
    let hold = partial(
        "<participantstreamassoc participant_id='p3'><recv>t2</recv></participantstreamassoc>",
    );
    let back = partial(
        "<participantstreamassoc participant_id='p1'><send>t1</send></participantstreamassoc>",
    );
    let transferred = parties(&after(&[&transfer]));
    assert_eq!(transferred[0].1, "sip:8003@pbx.example");
    assert_eq!(parties(&after(&[&transfer, &hold])), transferred);
    let returned = after(&[&transfer, &hold, &back]);
    assert_eq!(parties(&returned), parties(&parse(CALL)));
    let replaced: Vec<_> = returned
        .links
        .iter()
        .filter(|link| link.is_replaced)
        .map(|link| link.participant.reveal())
        .collect();
    assert_eq!(replaced, ["p3"]);
}

#[test]
fn a_partial_document_changes_and_adds() {
    let recording = after(&[&partial(
        "<session session_id='s1'><sipSessionID>x@y</sipSessionID><reason>transfer</reason></session>
         <participant participant_id='p1'><nameID aor='sip:8009@pbx.example'/></participant>
         <participant participant_id='p3'><nameID aor='sip:8003@pbx.example'/></participant>
         <stream stream_id='t1'><label>11</label></stream>
         <ucid>0019001038F725B3</ucid>",
    )]);
    assert_eq!(recording.mode, DataMode::Complete);
    let session = &recording.sessions[0];
    assert_eq!((session.sip_sessions.len(), session.reasons.len()), (2, 1));
    assert_eq!(session.group, Some(id("g1")), "what is not told stays");
    assert_eq!(session.span.since.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(recording.participants.len(), 3);
    let address = &recording.participants[0].names[0].address;
    assert_eq!(*address, Some(id("sip:8009@pbx.example")));
    assert_eq!(recording.streams[0].label, Some(id("11")));
    assert_eq!(recording.streams[0].session, Some(id("s1")));
    assert_eq!(recording.call_keys.len(), 1);
}

#[test]
fn who_leaves_is_kept_and_marked() {
    let leaves = partial(
        "<participantsessionassoc participant_id='p1' session_id='s1'>
         <disassociate-time>2026-01-02T03:05:00Z</disassociate-time></participantsessionassoc>",
    );
    let recording = after(&[&leaves]);
    assert_eq!(recording.participants.len(), 2);
    assert!(recording.has_left(&id("p1")) && !recording.has_left(&id("p2")));
    let ended: Vec<_> = recording
        .streams
        .iter()
        .map(|stream| recording.has_ended(stream))
        .collect();
    assert_eq!(ended, [true, false]);
    let span = &recording.participant_sessions[0].span;
    assert_eq!(span.since.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(span.until.as_deref(), Some("2026-01-02T03:05:00Z"));
    // That one hangs up first does not make the other somebody else.
    assert_eq!(parties(&recording), parties(&parse(CALL)));
    // And back again.
    let returns = partial(
        "<participantsessionassoc participant_id='p1' session_id='s1'>
         <associate-time>2026-01-02T03:06:00Z</associate-time></participantsessionassoc>",
    );
    assert!(!after(&[&leaves, &returns]).has_left(&id("p1")));
}

#[test]
fn ways_to_leave() {
    let check = |inside: &str| {
        let recording = after(&[&partial(inside)]);
        assert!(recording.has_left(&id("p1")), "{inside}");
        assert!(recording.has_ended(&recording.streams[0]), "{inside}");
        assert!(!recording.has_ended(&recording.streams[1]), "{inside}");
    };
    let time = "<disassociate-time>2026-01-02T03:05:00Z</disassociate-time>";
    check(&format!(
        "<participant participant_id='p1'>{time}</participant>"
    ));
    check(&format!(
        "<participantsessionassoc participant_id='p1'>{time}</participantsessionassoc>"
    ));
    check(&format!(
        "<participantstreamassoc participant_id='p1'>{time}</participantstreamassoc>"
    ));
    // A time that cannot be read is an end all the same.
    check(
        "<participant participant_id='p1'><disassociate-time>now</disassociate-time></participant>",
    );
}

#[test]
fn streams_end_with_their_association_or_session() {
    let recording = after(&[&partial(
        "<participantstreamassoc participant_id='p2'><send>t2</send>
         <disassociate-time>2026-01-02T03:05:00Z</disassociate-time></participantstreamassoc>",
    )]);
    assert!(!recording.has_left(&id("p2")));
    assert!(
        !recording.has_ended(&recording.streams[0]) && recording.has_ended(&recording.streams[1])
    );
    let recording = after(&[&partial(
        "<session session_id='s1'><stop-time>2026-01-02T03:05:00Z</stop-time></session>",
    )]);
    assert!(
        recording
            .streams
            .iter()
            .all(|stream| recording.has_ended(stream))
    );
    assert_eq!(parties(&recording), parties(&parse(CALL)));
}

#[test]
fn a_call_is_put_through() {
    let transfer = "<participant participant_id='p3'><nameID aor='sip:8003@pbx.example'/></participant>
         <participantstreamassoc participant_id='p3'><send>t1</send><recv>t2</recv></participantstreamassoc>";
    let leaves = "<participantsessionassoc participant_id='p1' session_id='s1'>
         <disassociate-time>2026-01-02T03:05:00Z</disassociate-time></participantsessionassoc>";
    let expected = [
        (
            "1".to_owned(),
            "sip:8003@pbx.example".to_owned(),
            Party::Agent,
        ),
        (
            "2".to_owned(),
            "tel:+8613800138000".to_owned(),
            Party::Customer,
        ),
    ];
    assert_eq!(
        parties(&after(&[&partial(&format!("{transfer}{leaves}"))])),
        expected
    );
    // Nobody says that the first one has left: the stream has a new sender all the same.
    assert_eq!(parties(&after(&[&partial(transfer)])), expected);
    // What is told again changes nothing.
    assert_eq!(
        parties(&after(&[&partial(transfer), &partial(transfer)])),
        expected
    );
}

#[test]
fn updates_have_an_end() {
    let limits = Limits {
        metadata_elements: 40,
        ..Limits::default()
    };
    let mut recording = Recording::parse(b"<recording/>", &limits).unwrap();
    for document in 0..5 {
        let each = (0..10).map(|idx| format!("<stream stream_id='{document}-{idx}'/>"));
        recording.update(parse(&partial(&each.collect::<String>())));
    }
    assert_eq!(recording.streams.len(), 40);
    assert!(
        recording
            .warnings
            .contains(&MetadataWarning::Full { limit: 40 })
    );
}
