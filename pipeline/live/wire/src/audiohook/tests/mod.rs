//! AudioHook: handshakes and sessions.

mod session;
mod signature;
mod timeline;

use uuid::{Uuid, uuid};

use super::*;
use crate::Limits;

const ORGANIZATION: Uuid = uuid!("3c1f7a52-9be0-4d0c-8f53-7a1c2e5b9d10");
const SESSION: Uuid = uuid!("8f0b6d3e-51c7-4a6e-b2f4-0d9e7c6a1b22");
const CORRELATION: Uuid = uuid!("5a9d2c41-7e36-4f8b-9c05-1b3e6f7a8d33");
const CONVERSATION: Uuid = uuid!("c47e1b90-2d6f-4b3a-a8e1-6f5d4c3b2a44");
const PARTICIPANT: Uuid = uuid!("e2b8f6a7-0c94-4d5e-9f73-8a1b2c3d4e55");
const NULL: Uuid = Uuid::nil();
const KEY: &str = "auricle-test-key";
/// What is offered where both parties can be had.
const BOTH: &str = r#"[
    {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000},
    {"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000},
    {"type": "audio", "format": "PCMU", "channels": ["internal"], "rate": 8000}]"#;

/// The headers of a handshake, without its signature.
fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("Host", "voice.example.org".to_owned()),
        ("Audiohook-Organization-Id", ORGANIZATION.to_string()),
        ("Audiohook-Session-Id", SESSION.to_string()),
        ("Audiohook-Correlation-Id", CORRELATION.to_string()),
        ("X-API-KEY", KEY.to_owned()),
    ]
}

fn borrowed<'a>(headers: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    let all = headers.iter();
    all.map(|(name, value)| (*name, value.as_str())).collect()
}

fn request(headers: &[(&str, String)]) -> Result<AudioHookRequest, AudioHookRefusal> {
    let headers = borrowed(headers);
    let handshake = AudioHookHandshake {
        headers: &headers,
        request_target: "/",
        authority: "voice.example.org",
    };
    handshake.request()
}

fn session(limits: &Limits) -> AudioHookSession {
    AudioHookSession::new(&request(&headers()).unwrap(), limits)
}

/// A message of the client, at the place 0.
fn message(kind: &str, seq: u64, serverseq: u64, parameters: &str) -> String {
    format!(
        r#"{{"version":"2","id":"{SESSION}","type":"{kind}","seq":{seq},"serverseq":{serverseq},"position":"PT0S","parameters":{parameters}}}"#
    )
}

/// The first message, with these parameters beside those that must be there.
fn open(media: &str, more: &str) -> String {
    let parameters = format!(
        r#"{{"organizationId": "{ORGANIZATION}", "conversationId": "{CONVERSATION}",
            "participant": {{"id": "{PARTICIPANT}", "ani": "tel:+8613800138000",
                "aniName": "Li Wei", "dnis": "tel:+862087654321"}},
            "media": {media}{more}}}"#
    );
    message("open", 1, 0, &parameters)
}

/// A session that hears audio since 1,000 ms, in which one message went each way.
fn streaming(limits: &Limits) -> AudioHookSession {
    let mut session = session(limits);
    let event = session.text(&open(BOTH, ""), 1000).unwrap();
    assert!(matches!(event, AudioHookEvent::Open(_)), "{event:?}");
    assert!(session.opened().is_some());
    session
}
