//! Any text as queries and messages of Twilio Media Streams. Lines are messages; audio never runs back.
#![no_main]

use std::collections::HashMap;

use auricle_wire::Limits;
use auricle_wire::twilio::{Track, TwilioEvent, TwilioRequest, TwilioSession};
use libfuzzer_sys::fuzz_target;

const START: &str = r#"{"event":"start","sequenceNumber":"1","streamSid":"MZ","start":{"streamSid":"MZ","callSid":"CA","tracks":["inbound","outbound"],"customParameters":{},"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}"#;

/// Hears these messages to their end, or to the one that ends the connection.
fn hear<'a>(messages: impl Iterator<Item = &'a str>, request: &TwilioRequest) {
    let limits = Limits::default();
    let mut session = TwilioSession::new(request, &limits);
    let mut clocks: HashMap<String, u32> = HashMap::new();
    for message in messages {
        let Ok(event) = session.text(message) else {
            return;
        };
        // What is written into the log.
        let _ = format!("{event:?}");
        match event {
            TwilioEvent::Started(start) => {
                assert!((1..=2).contains(&start.legs.len()));
                let tracks: Vec<Track> = start.legs.iter().map(|leg| leg.track).collect();
                assert!(tracks.is_sorted_by(|one, other| one < other));
            }
            TwilioEvent::Audio(audio) => {
                assert!(audio.ulaw.len() < message.len());
                let last_ms = clocks.insert(audio.track.to_string(), audio.at_ms);
                assert!(last_ms.is_none_or(|last_ms| last_ms <= audio.at_ms));
            }
            _ => {}
        }
    }
}

fuzz_target!(|texts: &str| {
    let limits = Limits::default();
    let _ = TwilioRequest::parse(texts, &limits);
    let request = TwilioRequest::parse("", &limits).expect("it can be");
    // As they are, and behind a start, so that what follows it is looked at.
    hear(texts.lines(), &request);
    hear(std::iter::once(START).chain(texts.lines()), &request);
});
