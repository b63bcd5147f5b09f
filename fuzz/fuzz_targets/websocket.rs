//! Any bytes as queries, text messages and audio of WebSockets. Lines are messages; the first byte says how audio is cut.
#![no_main]

use auricle_wire::listen::{ListenEvent, ListenRequest, ListenSession, Refusal};
use auricle_wire::stream::{StreamRequest, StreamSession};
use auricle_wire::{ChannelSplitter, Encoding, Limits, Metadata};
use libfuzzer_sys::fuzz_target;

/// Channel by channel, what comes out of pieces of this length.
fn split(encoding: Encoding, n_channels: u16, bytes: &[u8], piece_bytes: usize) -> Vec<Vec<u8>> {
    let mut splitter = ChannelSplitter::new(encoding, n_channels);
    let mut channels = vec![Vec::new(); usize::from(n_channels.max(1))];
    for piece in bytes.chunks(piece_bytes) {
        let frames = splitter.split(piece);
        for (all, channel) in channels.iter_mut().zip(frames.channels()) {
            all.extend_from_slice(channel);
        }
    }
    channels
}

fn check_audio(how: u8, bytes: &[u8]) {
    let encodings = [Encoding::Ulaw, Encoding::L16Le, Encoding::L16Be];
    let encoding = encodings[usize::from(how) % encodings.len()];
    let n_channels = u16::from(how % 5);
    let piece_bytes = usize::from(how) + 1;
    let whole = split(encoding, n_channels, bytes, bytes.len().max(1));
    assert_eq!(split(encoding, n_channels, bytes, piece_bytes), whole);
    let frame_bytes = encoding.bytes_per_sample() * whole.len();
    let n_bytes = bytes.len() / frame_bytes * encoding.bytes_per_sample();
    assert!(whole.iter().all(|channel| channel.len() == n_bytes));
}

fn check_texts(texts: &str) {
    let limits = Limits::default();
    let least = "encoding=mulaw&sample_rate=8000&channels=2&";
    for query in [texts.to_owned(), format!("{least}{texts}")] {
        match ListenRequest::parse(&query, &limits) {
            Ok(request) => assert!(request.hotwords.len() <= limits.keyterms),
            Err(error) => {
                let refusal = Refusal::from(error);
                assert!(refusal.body("id").starts_with('{'));
                let headers = refusal.headers("id");
                let is_header =
                    |value: &str| value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                assert!(headers.iter().all(|(_, value)| is_header(value)));
            }
        }
    }
    let _ = StreamRequest::parse(texts, &limits);
    let request = StreamRequest::parse("channels=2", &limits).expect("it can be");
    let mut stream = StreamSession::new(&request, &limits);
    let request = ListenRequest::parse(least, &limits).expect("it can be");
    let mut listen = ListenSession::new(&request, "id", &limits, 0);
    for (text, now_ms) in texts.lines().zip(0..) {
        let _ = Metadata::read(text, &limits);
        let _ = stream.text(text);
        let _ = stream.binary(text.as_bytes());
        let _ = listen.check_time(now_ms);
        if let Ok(ListenEvent::Reply(message)) = listen.text(text, now_ms) {
            assert!(message.to_json().contains(r#""type":""#));
        }
        let _ = listen.binary(text.as_bytes(), now_ms);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&how, bytes)) = bytes.split_first() else {
        return;
    };
    check_audio(how, bytes);
    if let Ok(texts) = std::str::from_utf8(bytes) {
        check_texts(texts);
    }
});
