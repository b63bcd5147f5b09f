//! Any text as queries and events of Asterisk's `chan_websocket`, any bytes as its audio: no audio is lost, whenever the
//! start comes. Lines are messages; the first byte says which of them the start comes before.
#![no_main]

use auricle_wire::chan_websocket::{
    ChanWebsocketEvent, ChanWebsocketRequest, ChanWebsocketSession,
};
use auricle_wire::{Frames, Limits};
use libfuzzer_sys::fuzz_target;

const START: &str =
    r#"{"event":"MEDIA_START","format":"slin","channel_variables":{"AURICLE_PARTY":"agent"}}"#;

fn samples(frames: Frames<'_>) -> Vec<u8> {
    frames.channels().flatten().copied().collect()
}

/// What is heard of these messages where the start comes before one of them.
fn hear(messages: &[&[u8]], start_at: usize) -> Vec<u8> {
    let limits = Limits {
        early_audio_bytes: usize::MAX,
        audio_message_bytes: usize::MAX,
        ..Limits::default()
    };
    let request = ChanWebsocketRequest::parse("", &limits).expect("it can be");
    let mut session = ChanWebsocketSession::new(&request, &limits);
    let mut heard = Vec::new();
    for place in 0..=messages.len() {
        if place == start_at {
            match session.text(START).expect("it starts once") {
                ChanWebsocketEvent::Started { early, .. } => heard.extend(samples(early)),
                event => panic!("it is a start: {event:?}"),
            }
        }
        let Some(message) = messages.get(place) else {
            break;
        };
        if let ChanWebsocketEvent::Audio(frames) = session.binary(message).expect("it is short") {
            heard.extend(samples(frames));
        }
    }
    heard
}

fn check_texts(texts: &str) {
    let limits = Limits::default();
    let _ = ChanWebsocketRequest::parse(texts, &limits);
    let request = ChanWebsocketRequest::parse("", &limits).expect("it can be");
    let mut session = ChanWebsocketSession::new(&request, &limits);
    for text in texts.lines() {
        match session.text(text) {
            // What is written into the log.
            Ok(event) => drop(format!("{event:?}")),
            Err(error) => drop(error.to_string()),
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&start_at, bytes)) = bytes.split_first() else {
        return;
    };
    let messages: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let start_at = usize::from(start_at) % (messages.len() + 1);
    assert_eq!(hear(&messages, start_at), hear(&messages, 0));
    if let Ok(texts) = std::str::from_utf8(bytes) {
        check_texts(texts);
    }
});
