//! Any bytes as a body of several parts and as recording metadata. A zero byte stands between documents of one call.
#![no_main]

use auricle_wire::Limits;
use auricle_wire::siprec::{
    AddressPattern, FirstStream, PartyRules, Recording, find_metadata, find_sdp, parts,
};
use libfuzzer_sys::fuzz_target;

fn limits() -> Limits {
    Limits {
        body_parts: 4,
        part_header_bytes: 64,
        metadata_elements: 32,
        metadata_depth: 8,
        metadata_value_bytes: 64,
        ..Limits::default()
    }
}

fn check_body(body: &[u8]) {
    let limits = limits();
    let Ok(parts) = parts("multipart/mixed;boundary=b", body, &limits) else {
        return;
    };
    assert!((1..=limits.body_parts).contains(&parts.len()));
    let n_bytes: usize = parts.iter().map(|part| part.body.len()).sum();
    assert!(n_bytes <= body.len());
    let _ = find_sdp(&parts);
    if let Some(metadata) = find_metadata(&parts) {
        let _ = Recording::parse(metadata.body, &limits);
    }
}

fn check_recordings(documents: &[u8]) {
    let limits = limits();
    let rules = PartyRules {
        agents: AddressPattern::parse("8*").into_iter().collect(),
        first_stream: FirstStream::Agent,
    };
    let mut call: Option<Recording> = None;
    for document in documents.split(|byte| *byte == 0) {
        let Ok(recording) = Recording::parse(document, &limits) else {
            continue;
        };
        match &mut call {
            Some(call) => call.update(recording),
            None => call = Some(recording),
        }
        let Some(call) = &call else { continue };
        assert!(call.streams.len() <= limits.metadata_elements);
        assert!(call.links.len() <= limits.metadata_elements);
        let legs = call.parties(&rules).legs;
        assert!(legs.len() <= call.streams.len().max(call.participants.len()));
        let labels = [Some("1"), None, Some("2")];
        let media = call.media_parties(&labels, &rules);
        assert_eq!(media.legs.len(), labels.len());
        // What is written into the log.
        let _ = format!("{media:?} {:?}", call.warnings);
        assert!(call.identities().is_sorted());
    }
}

fuzz_target!(|bytes: &[u8]| {
    check_body(bytes);
    check_recordings(bytes);
});
