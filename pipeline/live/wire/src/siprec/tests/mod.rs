//! SIPREC: bodies, metadata, updates and parties. Names, numbers and ids are made up; shapes are those of equipment.

mod media;
mod metadata;
mod multipart;
mod parties;
mod updates;
mod vendors;

use super::*;
use crate::limits::Limits;

fn parse(xml: &str) -> Recording {
    Recording::parse(xml.as_bytes(), &Limits::default()).unwrap()
}

fn told(recording: &Recording) -> Vec<String> {
    recording.warnings.iter().map(ToString::to_string).collect()
}

/// Two parties, as RFC 7865 has them: 8001 sends what has label 1, a customer what has label 2.
const CALL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1">
  <datamode>complete</datamode>
  <group group_id="g1"><associate-time>2026-01-02T03:04:05Z</associate-time></group>
  <session session_id="s1">
    <sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</sipSessionID>
    <group-ref>g1</group-ref>
    <start-time>2026-01-02T03:04:05Z</start-time>
  </session>
  <participant participant_id="p1"><nameID aor="sip:8001@pbx.example"><name xml:lang="en">Ann</name></nameID></participant>
  <participant participant_id="p2"><nameID aor="tel:+8613800138000"/></participant>
  <stream stream_id="t1" session_id="s1"><label>1</label></stream>
  <stream stream_id="t2" session_id="s1"><label>2</label><content-type>main</content-type></stream>
  <sessionrecordingassoc session_id="s1"><associate-time>2026-01-02T03:04:05Z</associate-time></sessionrecordingassoc>
  <participantsessionassoc participant_id="p1" session_id="s1">
    <associate-time>2026-01-02T03:04:05Z</associate-time>
    <param pname="audio" pval="true"/>
  </participantsessionassoc>
  <participantsessionassoc participant_id="p2" session_id="s1">
    <associate-time>2026-01-02T03:04:05Z</associate-time>
  </participantsessionassoc>
  <participantstreamassoc participant_id="p1"><send>t1</send><recv>t2</recv></participantstreamassoc>
  <participantstreamassoc participant_id="p2"><send>t2</send><recv>t1</recv></participantstreamassoc>
</recording>"#;
