//! Any text as headers and messages of AudioHook. Lines are messages; streams never run back.
#![no_main]

use auricle_wire::Limits;
use auricle_wire::audiohook::{
    AudioHookEvent, AudioHookHandshake, AudioHookNonces, AudioHookRequest, AudioHookSecret,
    AudioHookSession, DisconnectReason,
};
use libfuzzer_sys::fuzz_target;

const ID: &str = "40325ec2-5efd-4bd3-805f-53576e581d13";
const OPEN: &str = r#"{"version":"2","id":"40325ec2-5efd-4bd3-805f-53576e581d13","type":"open","seq":1,"serverseq":0,"position":"PT0S","parameters":{"organizationId":"40325ec2-5efd-4bd3-805f-53576e581d13","conversationId":"40325ec2-5efd-4bd3-805f-53576e581d13","participant":{"id":"40325ec2-5efd-4bd3-805f-53576e581d13","ani":"","aniName":"","dnis":""},"media":[{"type":"audio","format":"PCMU","channels":["external","internal"],"rate":8000}]}}"#;

/// Reads these headers beside those that must be there.
fn shake(signature: &str, input: &str) -> AudioHookRequest {
    let handshake = AudioHookHandshake {
        headers: &[
            ("Audiohook-Organization-Id", ID),
            ("Audiohook-Session-Id", ID),
            ("Audiohook-Correlation-Id", ID),
            ("X-API-KEY", "key"),
            ("Signature", signature),
            ("Signature-Input", input),
        ],
        request_target: "/",
        authority: "example.org",
    };
    let secret = AudioHookSecret::from_base64("c2VjcmV0").expect("it is base64");
    let mut nonces = AudioHookNonces::new(1);
    let verified = handshake.verify(|_| Some(&secret), 1_795_000_000, &mut nonces);
    assert!(verified.is_err(), "nobody guesses a signature");
    handshake.request().expect("it is one")
}

/// Hears these messages to their end, or to the one that ends the session.
fn hear<'a>(messages: impl Iterator<Item = &'a str>, request: &AudioHookRequest) {
    let mut session = AudioHookSession::new(request, &Limits::default());
    let mut n_frames = 0;
    for (message, now_ms) in messages.zip((0..).step_by(20)) {
        match session.text(message, now_ms) {
            // What is written into the log.
            Ok(event) => {
                let _ = format!("{event:?}");
                if let AudioHookEvent::Open(_) = event {
                    assert!(session.opened().is_some());
                }
            }
            Err(error) => {
                let _ = session.disconnect(DisconnectReason::Error, &error.to_string());
            }
        }
        let _ = session.binary(message.as_bytes());
        assert!(session.n_frames() >= n_frames);
        n_frames = session.n_frames();
    }
}

fuzz_target!(|texts: &str| {
    let (signature, input) = texts.split_once('\n').unwrap_or((texts, "a=()"));
    let request = shake(signature, input);
    // As they are, and behind an `open`, so that what follows it is looked at.
    hear(texts.lines(), &request);
    hear(std::iter::once(OPEN).chain(texts.lines()), &request);
});
