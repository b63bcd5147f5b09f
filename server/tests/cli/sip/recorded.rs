//! Recording sessions (SIPREC): what is heard, under which names, and what of the line's trouble reaches that.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::agent::Agent;
use super::rtp::{PIECE, Stream, Trouble, speak};
use super::{
    BETWEEN_BYTES, CALL_BYTES, CONFIG, CUSTOMER, SESSION, analysed, assert_alike, connect,
    metadata, n_under_way, of_leg, of_party, offer, only_call, open_recording, recording, sdp,
    short_call, start_ms, two_streams, ulaw, wait_until_over,
};
use crate::bare::desk_with_voice_activity;
use crate::server::Server;

/// How long the line is held.
const HELD: Duration = Duration::from_secs(2);
/// How far a place on the time line may be off: packets come as this machine has time to send them.
const NEAR_MS: u64 = 150;
/// Packets that are not of the call.
const N_SPOILED: u64 = 50;
/// How long a call may go on of which nothing comes.
const QUIET_SECS: u64 = 60;
/// Codes of the loudest sound there is.
const LOUD: [u8; PIECE] = [0; PIECE];

/// Whether a second of this audio, from this second on, was recorded as it was sent, on a channel of both.
fn is_recorded(server: &Server, call: &Value, party: &str, audio: &[u8], from_sec: f64) -> bool {
    let name = call["call_id"].as_str().unwrap();
    let (status, wave) = server.get_bytes(&format!("/api/v1/calls/{name}/audio"));
    assert_eq!(status, 200);
    let mut legs = call["legs"].as_array().unwrap().iter();
    let place = legs.position(|leg| leg["party"] == party).unwrap();
    let data = wave.windows(4).position(|bytes| bytes == b"data").unwrap() + 8;
    let frames = wave[data..].chunks_exact(4);
    let channel: Vec<u8> = frames
        .flat_map(|frame| [frame[2 * place], frame[2 * place + 1]])
        .collect();
    let from = 2 * (from_sec * 8_000.0) as usize;
    let wanted = &audio[from..from + 16_000];
    channel.windows(wanted.len()).any(|heard| heard == wanted)
}

#[test]
fn a_recording_session_is_heard_as_its_recording_is() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = short_call();
    let codes = audio.each_ref().map(|linear| ulaw(linear));
    let (mut agent, mut streams) = (Agent::over_tcp(&server), two_streams());
    open_recording(&mut agent, &mut streams);
    speak(&mut streams, &codes.each_ref().map(Vec::as_slice));
    agent.hang_up();
    let (listed, saved) = only_call(&server);
    assert_alike(&saved, &analysed(&models, &audio));
    assert_eq!(listed["metadata"]["agent"], "8001");
    // As it came, byte for byte.
    assert!(is_recorded(&server, &listed, "agent", &audio[0], 1.5));
    assert!(is_recorded(&server, &listed, "customer", &audio[1], 5.0));
    for party in ["agent", "customer"] {
        let line = of_leg(&saved["lines"], party);
        let n_packets = (CALL_BYTES / 2 / PIECE) as u64;
        let packets = [&line["expected"], &line["received"], &line["lost"]];
        assert_eq!(packets, [n_packets, n_packets, 0], "{line}");
        assert_eq!(line["codec"], "pcmu");
    }
    let (_, said) = server.stop();
    assert!(!said.contains(CUSTOMER), "{said}");
}

#[test]
fn a_hold_keeps_its_length() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = short_call();
    let codes = audio.each_ref().map(|linear| ulaw(linear));
    let halves = codes
        .each_ref()
        .map(|codes| codes.split_at(BETWEEN_BYTES / 2));
    let (mut agent, mut streams) = (Agent::over_tcp(&server), two_streams());
    open_recording(&mut agent, &mut streams);
    speak(&mut streams, &halves.map(|(first, _)| first));
    let silent_from = Instant::now();
    let held = agent.ask("INVITE", &sdp(&offer(&streams, 2, "inactive")));
    assert_eq!(held.status(), 200, "{held:?}");
    assert_eq!(held.body().matches("a=inactive").count(), 2, "{held:?}");
    std::thread::sleep(HELD);
    let resumed = agent.ask("INVITE", &sdp(&offer(&streams, 3, "sendonly")));
    connect(&mut streams, &resumed);
    let paused = silent_from.elapsed();
    for stream in &mut streams {
        stream.pause(paused);
    }
    speak(&mut streams, &halves.map(|(_, second)| second));
    agent.hang_up();
    let (_, saved) = only_call(&server);
    let expected = analysed(&models, &audio);
    assert_alike(&saved, &expected);
    let between = |call: &Value| start_ms(call, "customer") - start_ms(call, "agent");
    let later_ms = between(&expected) + paused.as_millis() as u64;
    assert!(between(&saved).abs_diff(later_ms) <= NEAR_MS, "{saved}");
    server.stop();
}

#[test]
fn a_call_that_is_recorded_twice_is_heard_once() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let codes = short_call().map(|linear| ulaw(&linear[..2 * 16_000]));
    let codes = codes.each_ref().map(Vec::as_slice);
    let (mut first, mut streams) = (Agent::over_tcp(&server), two_streams());
    open_recording(&mut first, &mut streams);
    let mut second = Agent::over_udp(&server);
    let offer = offer(&two_streams(), 1, "sendonly");
    let answer = second.ask("INVITE", &recording(&offer, &metadata(SESSION)));
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert_eq!(n_under_way(&server), 1);
    speak(&mut streams, &codes);
    second.hang_up();
    assert_eq!(n_under_way(&server), 1);
    speak(&mut streams, &codes);
    first.hang_up();
    let (listed, saved) = only_call(&server);
    wait_until_over(&server);
    for party in ["agent", "customer"] {
        let line = of_leg(&saved["lines"], party);
        assert_eq!(line["received"], 2 * codes[0].len() / PIECE, "{line}");
        let leg = of_leg(&listed["legs"], party);
        assert!(leg["received_ms"].as_u64().unwrap() >= 3_900, "{leg}");
    }
    server.stop();
}

#[test]
fn a_fifth_of_the_packets_may_be_lost() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let codes = short_call().map(|linear| ulaw(&linear));
    let (mut agent, mut streams) = (Agent::over_tcp(&server), two_streams());
    open_recording(&mut agent, &mut streams);
    for (stream, seed) in streams.iter_mut().zip([7, 9]) {
        stream.spoil(Trouble {
            lost_percent: 20,
            most_late: 2,
            seed,
        });
    }
    speak(&mut streams, &codes.each_ref().map(Vec::as_slice));
    agent.hang_up();
    let (listed, saved) = only_call(&server);
    let warnings = saved["warnings"].to_string();
    for party in ["agent", "customer"] {
        let line = of_leg(&saved["lines"], party);
        let loss_percent = line["loss_percent"].as_f64().unwrap();
        assert!((12.0..35.0).contains(&loss_percent), "{line}");
        assert!(line["concealed_ms"].as_u64().unwrap() > 500, "{line}");
        assert!(line["mos"].as_f64().unwrap() < 4.0, "{line}");
        let whose = format!("the {party}'s line lost");
        assert!(warnings.contains(&whose), "{warnings}");
        assert!(!of_party(&saved, party).is_empty(), "{saved}");
        // What is lost is no shorter for that.
        let leg = of_leg(&listed["legs"], party);
        let expected_ms = leg["expected_ms"].as_u64().unwrap();
        assert!(expected_ms >= 7_200, "{leg}");
    }
    server.stop();
}

#[test]
fn what_is_not_of_the_call_is_not_heard() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = short_call();
    let codes = audio.each_ref().map(|linear| ulaw(linear));
    let parts = codes.each_ref().map(|codes| codes.split_at(2 * 8_000));
    let (mut agent, mut streams) = (Agent::over_tcp(&server), two_streams());
    open_recording(&mut agent, &mut streams);
    speak(&mut streams, &parts.map(|(before, _)| before));
    // Another's, that tells the same source.
    let mut stranger = Stream::new(0x1111_0001);
    stranger.send_to(streams[0].sends_to());
    // From the same address, another source.
    let other = Stream::new(0x3333_0003).packet(0, &LOUD);
    for _ in 0..N_SPOILED {
        stranger.send(&stranger.packet(0, &LOUD));
        streams[0].send_otherwise(96, &LOUD);
        streams[0].send(&other);
    }
    for garbage in [&b"no packet"[..], &[0x80], &[0; 1_500], &[0xff; 12]] {
        streams[0].send(garbage);
    }
    speak(&mut streams, &parts.map(|(_, behind)| behind));
    agent.hang_up();
    let (listed, saved) = only_call(&server);
    assert!(is_recorded(&server, &listed, "agent", &audio[0], 1.5));
    let line = of_leg(&saved["lines"], "agent");
    let n_packets = (CALL_BYTES / 2 / PIECE) as u64 + N_SPOILED;
    assert_eq!([&line["received"], &line["lost"]], [n_packets, 0], "{line}");
    assert_eq!(line["not_agreed"], N_SPOILED, "{line}");
    assert_eq!(line["other_sources"], 2 * N_SPOILED, "{line}");
    assert!(line["unreadable"].as_u64().unwrap() >= 3, "{line}");
    server.stop();
}

#[test]
fn metadata_that_cannot_be_read_do_not_keep_a_call_from_being_heard() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    // Each entity is ten of the one before (RFC 7865 needs none of them).
    let mut bomb = "<!DOCTYPE recording [<!ENTITY a0 'boom'>".to_owned();
    for number in 1..10 {
        let before = format!("&a{};", number - 1).repeat(10);
        bomb += &format!("<!ENTITY a{number} '{before}'>");
    }
    bomb += "]><recording><session session_id='&a9;'/></recording>";
    let codes = short_call().map(|linear| ulaw(&linear[..16_000]));
    for metadata in [bomb.as_str(), "", "<recording>", "\u{0}\u{1}"] {
        let (mut agent, mut streams) = (Agent::over_udp(&server), two_streams());
        let offer = offer(&streams, 1, "sendonly");
        let answer = agent.ask("INVITE", &recording(&offer, metadata));
        connect(&mut streams, &answer);
        speak(&mut streams, &codes.each_ref().map(Vec::as_slice));
        agent.hang_up();
    }
    let names = super::names_of(&server, 4);
    assert_eq!(names.len(), 4, "{names:?}");
    let calls = server.json("/api/v1/calls");
    for call in calls["saved"].as_array().unwrap() {
        // The first is the customer's, where nobody tells.
        let parties = [&call["legs"][0]["party"], &call["legs"][1]["party"]];
        assert_eq!(parties, ["customer", "agent"], "{call}");
    }
    server.stop();
}

#[test]
fn a_call_that_nobody_ends_is_over_when_nothing_comes() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let (mut agent, mut streams) = (Agent::over_tcp(&server), two_streams());
    open_recording(&mut agent, &mut streams);
    let codes = short_call().map(|linear| ulaw(&linear[..2 * 16_000]));
    speak(&mut streams, &codes.each_ref().map(Vec::as_slice));
    let silent_from = Instant::now();
    agent.asked("BYE");
    let quiet_secs = silent_from.elapsed().as_secs();
    assert!(quiet_secs.abs_diff(QUIET_SECS) <= 10, "{quiet_secs}");
    let (listed, saved) = only_call(&server);
    assert_ne!(saved["warnings"].to_string(), "[]", "{saved}");
    let leg = of_leg(&listed["legs"], "agent");
    assert!(leg["received_ms"].as_u64().unwrap() >= 1_900, "{leg}");
    server.stop();
}
