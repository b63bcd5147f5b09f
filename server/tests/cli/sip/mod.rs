//! `[live.sip]`: calls as session border controllers record them, and as PBXs have somebody listen to them.
//!
//! Audio is sent at the pace of speech, as a line has it: tests speak seven seconds of a call, an utterance of each party.

mod agent;
mod captured;
mod peers;
mod recorded;
mod refused;
mod rtp;
mod tapped;

use std::fs;
use std::path::Path;

use auricle_audio::g711::Law;
use serde_json::{Value, json};

use self::agent::{Agent, Message, Said};
use self::rtp::Stream;
use crate::bare::edits;
use crate::desk::{Desk, Run};
use crate::server::{Server, channels, interleaved, n_said};

/// Taken in on free ports; whose number begins with 80 is an agent.
const CONFIG: &str =
    "[live.sip]\nlisten = ['udp:127.0.0.1:0', 'tcp:127.0.0.1:0']\nagents = ['80*']\n";
/// Of audio that is said: behind the first words of each party in fixture-11.
const CALL_BYTES: usize = 2 * 8 * 7_400;
/// Between the first words of the one and of the other.
const BETWEEN_BYTES: usize = 2 * 8 * 3_760;
/// The time line begins a little before the first packet, so that the frames of the recogniser lie elsewhere in the audio than
/// where a file is heard: a letter may come out otherwise.
const MOST_DIFFERENT: f64 = 0.1;
const CUSTOMER: &str = "13800138000";
/// The call that is recorded (RFC 7865, section 6.3).
const SESSION: &str = "7f3a2a52-51f2-4f35-9d0e-2f6f1c0a7b11";

/// Both parties, the agent first, 16-bit linear as µ-law has it.
fn short_call() -> [Vec<u8>; 2] {
    channels("fixture-11").map(|audio| {
        let codes = ulaw(&audio[..CALL_BYTES]).into_iter();
        codes
            .flat_map(|code| Law::Mu.decode(code).to_le_bytes())
            .collect()
    })
}

fn ulaw(linear: &[u8]) -> Vec<u8> {
    let (samples, _) = linear.as_chunks::<2>();
    let samples = samples.iter().map(|sample| i16::from_le_bytes(*sample));
    samples.map(|sample| Law::Mu.encode(sample)).collect()
}

/// A WAVE file of 16-bit samples.
fn wave(samples: &[u8], rate_hz: u32, n_channels: u16) -> Vec<u8> {
    let length = samples.len() as u32;
    let frame = 2 * n_channels;
    let head: [&[u8]; 9] = [
        b"RIFF",
        &(36 + length).to_le_bytes(),
        b"WAVEfmt \x10\0\0\0\x01\0",
        &n_channels.to_le_bytes(),
        &rate_hz.to_le_bytes(),
        &(rate_hz * u32::from(frame)).to_le_bytes(),
        &frame.to_le_bytes(),
        b"\x10\0data",
        &length.to_le_bytes(),
    ];
    [&head.concat()[..], samples].concat()
}

/// What `analyze` makes of both parties.
fn analysed(models: &Path, audio: &[Vec<u8>; 2]) -> Value {
    let desk = Desk::new();
    let call = desk.put("call.wav", wave(&interleaved(audio), 8_000, 2));
    let mut command = desk.command(&["analyze", call.to_str().unwrap(), "--out", "json"]);
    let run = Run::of(command.env("AURICLE_MODELS", models).output().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let text = fs::read_to_string(desk.path("json/call.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Utterances of a party.
fn of_party<'c>(call: &'c Value, party: &str) -> Vec<&'c Value> {
    let utterances = call["utterances"].as_array().unwrap().iter();
    utterances
        .filter(|utterance| utterance["party"] == party)
        .collect()
}

/// Letters that a party says.
fn letters(call: &Value, party: &str) -> Vec<String> {
    let texts = of_party(call, party).into_iter();
    let letters = texts.flat_map(|utterance| utterance["text"].as_str().unwrap().chars());
    letters.map(String::from).collect()
}

/// How much of what one party was to say was heard otherwise.
fn share_different(heard: &[String], wanted: &[String]) -> f64 {
    assert!(wanted.len() > 5, "{wanted:?}");
    edits(wanted, heard) as f64 / wanted.len() as f64
}

/// Requires that both parties are heard as `analyze` hears them.
fn assert_alike(call: &Value, expected: &Value) {
    for party in ["agent", "customer"] {
        let (heard, wanted) = (letters(call, party), letters(expected, party));
        let share = share_different(&heard, &wanted);
        assert!(share <= MOST_DIFFERENT, "{party}: {heard:?}, {wanted:?}");
    }
    assert_eq!(n_said(call), n_said(expected), "{call}");
}

/// When a party's first utterance begins.
fn start_ms(call: &Value, party: &str) -> u64 {
    of_party(call, party)[0]["start_ms"].as_u64().unwrap()
}

/// Names of the calls that are over, once there are so many.
fn names_of(server: &Server, n_calls: usize) -> Vec<String> {
    let is_saved = |calls: &Value| calls["saved"].as_array().unwrap().len() >= n_calls;
    server.wait_for("/api/v1/calls", is_saved);
    let calls = server.json("/api/v1/calls");
    let saved = calls["saved"].as_array().unwrap().iter();
    saved
        .map(|call| call["call_id"].as_str().unwrap().to_owned())
        .collect()
}

/// The only call, once it is over: as it is listed, and as it is saved.
fn only_call(server: &Server) -> (Value, Value) {
    let names = names_of(server, 1);
    assert_eq!(names.len(), 1, "{names:?}");
    let saved = server.json(&format!("/api/v1/calls/{}", names[0]));
    let listed = server.json("/api/v1/calls")["saved"][0].clone();
    (listed, saved)
}

/// A party's leg of a call that is listed, or its line of one that is saved.
fn of_leg<'c>(legs: &'c Value, party: &str) -> &'c Value {
    let mut legs = legs.as_array().unwrap().iter();
    legs.find(|leg| leg["party"] == party).unwrap()
}

fn n_under_way(server: &Server) -> usize {
    let calls = server.json("/api/v1/calls");
    calls["under_way"].as_array().unwrap().len()
}

/// A session description with an audio line for each stream, labelled from 1.
fn offer(streams: &[Stream], version: u32, direction: &str) -> String {
    let mut offer = format!(
        "v=0\r\no=- 7 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    );
    for (place, stream) in streams.iter().enumerate() {
        let (port, label) = (stream.port(), place + 1);
        offer += &format!(
            "m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=label:{label}\r\na={direction}\r\n"
        );
    }
    offer
}

fn sdp(offer: &str) -> Said {
    Said::body("application/sdp", offer)
}

/// Metadata of a call between an agent on the first stream and a customer (RFC 7865).
fn metadata(session: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\r\n\
         <recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>complete</datamode>\
         <session session_id='{session}'/>\
         <participant participant_id='p1'><nameID aor='sip:8001@pbx.example.com'/></participant>\
         <participant participant_id='p2'><nameID aor='sip:{CUSTOMER}@carrier.example.com'/></participant>\
         <stream stream_id='t1' session_id='{session}'><label>1</label></stream>\
         <stream stream_id='t2' session_id='{session}'><label>2</label></stream>\
         <participantstreamassoc participant_id='p1'><send>t1</send><recv>t2</recv></participantstreamassoc>\
         <participantstreamassoc participant_id='p2'><send>t2</send><recv>t1</recv></participantstreamassoc>\
         </recording>\r\n"
    )
}

/// What a recording session begins with (RFC 7866, section 6).
fn recording(offer: &str, metadata: &str) -> Said {
    let body = format!(
        "--part\r\nContent-Type: application/sdp\r\n\r\n{offer}\r\n\
         --part\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n\
         {metadata}\r\n--part--\r\n"
    );
    Said::body("multipart/mixed;boundary=part", &body).with("Require: siprec")
}

/// Streams of two parties, by numbers of their sources.
fn two_streams() -> [Stream; 2] {
    [Stream::new(0x1111_0001), Stream::new(0x2222_0002)]
}

/// Takes an answer that has a port for each stream.
fn connect(streams: &mut [Stream], answer: &Message) {
    assert_eq!(answer.status(), 200, "{answer:?}");
    let ports = answer.audio_ports();
    assert_eq!(ports.len(), streams.len(), "{answer:?}");
    assert!(!answer.body().contains("a=sendrecv"), "{answer:?}");
    for (stream, port) in streams.iter_mut().zip(ports) {
        assert_ne!(port, 0, "{answer:?}");
        stream.send_to(port);
    }
}

/// Opens a recording session of two parties.
fn open_recording(agent: &mut Agent, streams: &mut [Stream; 2]) {
    let offer = offer(streams, 1, "sendonly");
    let answer = agent.ask("INVITE", &recording(&offer, &metadata(SESSION)));
    connect(streams, &answer);
}

/// Waits until no call goes on.
fn wait_until_over(server: &Server) {
    server.wait_for("/api/v1/calls", |calls| calls["under_way"] == json!([]));
}
