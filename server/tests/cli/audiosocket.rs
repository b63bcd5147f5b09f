//! AudioSocket: two connections of Asterisk are one call, and what is refused while it goes on.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::bare::desk_with_voice_activity;
use crate::server::{PATIENCE, Server, analysed, channels, frame, n_said, said_by, speak};

const CALL: &str = "07070707-0707-0707-0707-070707070707";
const ID: [u8; 16] = [7; 16];
const CONFIG: &str = "[live.audiosocket]\nlisten = '127.0.0.1:0'\n";
/// Audio is taken as fast as it comes.
const FAST: &str = "[live]\nmost_ahead_secs = 600\n[live.audiosocket]\nlisten = '127.0.0.1:0'\n";

#[test]
fn two_connections_of_asterisk_are_one_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", FAST);
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let [agent, customer] = channels("fixture-01");
    std::thread::scope(|scope| {
        scope.spawn(|| speak(&address, ID, &agent));
        // The first is the agent's.
        server.wait_for("/api/v1/calls", |calls| {
            calls["under_way"] != serde_json::json!([])
        });
        scope.spawn(|| speak(&address, ID, &customer));
        let events = server.events("after=0", "", CALL);
        assert_eq!(events[0]["source"], "audiosocket");
    });
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    let expected = analysed(&models, "fixture-01");
    assert_eq!(said_by(&saved, "agent"), said_by(&expected, "agent"));
    assert_eq!(n_said(&saved), n_said(&expected));
    // All that was sent came; the customer's line is as much longer as it was late.
    let listed = server.json("/api/v1/calls");
    let legs = listed["saved"][0]["legs"].as_array().unwrap();
    let ms = |leg: usize, what: &str| legs[leg][what].as_u64().unwrap();
    assert_eq!(
        (&legs[0]["party"], &legs[1]["party"]),
        (&"agent".into(), &"customer".into())
    );
    assert_eq!((ms(0, "lost_ms"), ms(1, "lost_ms")), (0, 0));
    for leg in 0..2 {
        assert!(
            ms(leg, "received_ms").abs_diff(agent.len() as u64 / 16) <= 20,
            "{listed}"
        );
        let (received, filled) = (ms(leg, "received_ms"), ms(leg, "filled_ms"));
        assert!(
            ms(leg, "expected_ms").abs_diff(received + filled) <= 1,
            "{listed}"
        );
    }
    server.stop();
}

fn connected(address: &str, said: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(said).unwrap();
    stream
}

/// All that is answered until the connection is closed.
fn answer(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn what_cannot_be_is_refused_and_counted_and_other_calls_go_on() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", format!("{FAST}most_connections = 3\n"));
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let audio = channels("fixture-01");
    let mut packets = audio[0].chunks(320).zip(audio[1].chunks(320));
    let (agent, customer) = packets.next().unwrap();
    let named = |first: &[u8]| [frame(0x01, &ID), frame(0x10, first)].concat();
    let agent = connected(&address, &named(agent));
    // The first that names the call is the agent's.
    server.wait_for("/api/v1/calls", |calls| {
        calls["under_way"] != serde_json::json!([])
    });
    let mut legs = [agent, connected(&address, &named(customer))];
    for (agent, customer) in packets {
        legs[0].write_all(&frame(0x10, agent)).unwrap();
        legs[1].write_all(&frame(0x10, customer)).unwrap();
    }
    let of_customer = |event: &serde_json::Value| event["utterance"]["party"] == "customer";
    server.events_until("after=0", "", of_customer);

    let oversize = [frame(0x01, &[8; 16]), vec![0x10, 0xff, 0xff]].concat();
    let no_protocol: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"this is no audio at all",
        &frame(0x10, &[0; 320]),
        &oversize,
    ];
    for said in no_protocol {
        let answer = answer(connected(&address, said));
        assert_eq!(answer, [0xff, 0, 1, 0x10], "{said:?}");
    }
    let third = answer(connected(&address, &frame(0x01, &ID)));
    assert_eq!(third, [0xff, 0, 1, 0x20]);
    // One that says nothing has its place for some seconds; there is no other meanwhile.
    let silent = connected(&address, &[]);
    let beyond = answer(connected(&address, &[]));
    assert_eq!(beyond, [0xff, 0, 1, 0x40]);
    assert_eq!(answer(silent), [0xff, 0, 1, 0x10]);
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("auricle_live_connections_refused_total 7\n"),
        "{metrics}"
    );

    for leg in &mut legs {
        leg.write_all(&frame(0x00, &[])).unwrap();
    }
    server.events("after=0", "", CALL);
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    let expected = analysed(&models, "fixture-01");
    assert_eq!(said_by(&saved, "agent"), said_by(&expected, "agent"));
    assert_eq!(n_said(&saved), n_said(&expected));
    server.stop();
}

#[test]
fn one_connection_may_bring_all_that_is_said() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", format!("{FAST}connections = 1\n"));
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let [agent, _] = channels("fixture-01");
    speak(&address, ID, &agent);
    let events = server.events("after=0", "", CALL);
    assert_eq!(events[0]["parties"], serde_json::json!(["unknown"]));
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    let expected = analysed(&models, "fixture-01");
    assert_eq!(said_by(&saved, "unknown"), said_by(&expected, "agent"));
    server.stop();
}

#[test]
fn a_key_is_kept_where_it_was_pressed_and_not_which_it_was() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", format!("{FAST}connections = 1\n"));
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let second = frame(0x10, &[0; 16_000]);
    let key = frame(0x03, b"5");
    let id = frame(0x01, &ID);
    let all = [id, second.clone(), key, second, frame(0x00, &[])].concat();
    assert_eq!(answer(connected(&address, &all)), [0; 0]);
    server.events("after=0", "", CALL);
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    let pressed = serde_json::json!([{"party": "unknown", "at_ms": 1_000}]);
    assert_eq!(saved["keys_pressed"], pressed);
    server.stop();
}

/// The leg of a call that is saved.
fn leg(server: &Server, party: &str) -> serde_json::Value {
    let listed = server.json("/api/v1/calls");
    let legs = listed["saved"][0]["legs"].as_array().unwrap();
    legs.iter()
        .find(|leg| leg["party"] == party)
        .unwrap()
        .clone()
}

fn wait_until_under_way(server: &Server) {
    server.wait_for("/api/v1/calls", |calls| {
        calls["under_way"] != serde_json::json!([])
    });
}

#[test]
fn who_sends_faster_than_speech_is_held_back_and_loses_nothing() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", format!("{CONFIG}connections = 1\n"));
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let [agent, _] = channels("fixture-01");
    let began = Instant::now();
    speak(&address, ID, &agent[..8 * 16_000]);
    let events = server.events("after=0", "", CALL);
    // Five seconds at once, the others as time passes.
    assert!(began.elapsed() >= Duration::from_millis(2_900));
    let leg = leg(&server, "unknown");
    assert_eq!(
        [&leg["received_ms"], &leg["filled_ms"], &leg["lost_ms"]],
        [8_000, 0, 0]
    );
    let warnings = events.last().unwrap()["warnings"].as_array().unwrap();
    let too_fast = "times as fast as it lasts";
    let of_pace = |warning: &&serde_json::Value| warning.as_str().unwrap().contains(too_fast);
    assert_eq!(warnings.iter().filter(of_pace).count(), 1, "{warnings:?}");
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("auricle_live_legs_off_pace_total 1\n"),
        "{metrics}"
    );
    server.stop();
}

#[test]
fn an_agent_who_comes_back_does_not_take_the_leg_of_the_customer() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let begin = || {
        connected(
            &address,
            &[frame(0x01, &ID), frame(0x10, &[0; 320])].concat(),
        )
    };
    let mut agent = begin();
    wait_until_under_way(&server);
    // It breaks off: when that is answered its place is free.
    agent.write_all(&[0x10, 0xff, 0xff]).unwrap();
    assert_eq!(answer(agent), [0xff, 0, 1, 0x10]);
    assert_eq!(answer(begin()), [0xff, 0, 1, 0x20]);
    // It comes back no more; the customer's leg is there still.
    let [_, customer] = channels("fixture-01");
    speak(&address, ID, &customer[..16_000]);
    server.events("after=0", "", CALL);
    assert_eq!(leg(&server, "agent")["received_ms"], 20);
    assert_eq!(leg(&server, "customer")["received_ms"], 1_000);
    let (_, said) = server.stop();
    assert!(
        said.contains("both connections of the call bring the `agent`"),
        "{said}"
    );
}

#[test]
fn a_party_that_does_not_come_is_told_and_is_too_late_then() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", FAST);
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let [audio, _] = channels("fixture-01");
    let mut agent = connected(&address, &frame(0x01, &ID));
    for piece in audio.chunks(320) {
        agent.write_all(&frame(0x10, piece)).unwrap();
    }
    // Nothing is final as long as the customer may still come.
    server.events_until("after=0", "", |event| event["type"] == "final");
    let customer = [frame(0x01, &ID), frame(0x10, &[0; 320])].concat();
    assert_eq!(answer(connected(&address, &customer)), [0xff, 0, 1, 0x20]);
    agent.write_all(&frame(0x00, &[])).unwrap();
    let events = server.events("after=0", "", CALL);
    let warnings = events.last().unwrap()["warnings"].to_string();
    assert_eq!(
        warnings.matches("no audio of the customer came").count(),
        1,
        "{warnings}"
    );
    assert_eq!(leg(&server, "customer")["received_ms"], 0);
    let (_, said) = server.stop();
    let line = |words: &str| -> String {
        let mut lines = said.lines().filter(|line| line.contains(words));
        lines.next().unwrap_or_default().to_owned()
    };
    let named = format!("call.id={CALL}");
    assert!(
        line("came within 10 s of the first").contains(&named),
        "{said}"
    );
    let refused = line("brought no audio within 10 s of the first");
    assert!(
        refused.contains(&format!("{named} peer=127.0.0.1:")),
        "{said}"
    );
    assert!(!said.contains("under way already"), "{said}");
}

#[test]
fn legs_that_come_one_after_the_other_are_both_parties() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    for n_bytes in [320, 640] {
        let audio = frame(0x10, &vec![0; n_bytes]);
        let all = [frame(0x01, &ID), audio, frame(0x00, &[])].concat();
        // It says that it has ended, and is closed without a complaint.
        assert_eq!(answer(connected(&address, &all)), [0; 0]);
    }
    server.events("after=0", "", CALL);
    assert_eq!(leg(&server, "agent")["received_ms"], 20);
    assert_eq!(leg(&server, "customer")["received_ms"], 40);
    server.stop();
}

#[test]
fn who_is_refused_while_much_is_on_its_way_learns_why() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let address = server.audiosocket.clone().unwrap();
    let mut much = vec![0x55; 300_000];
    much[0] = 0x10;
    let mut refused = connected(&address, &much);
    refused.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    // The end comes as an end, not as a reset that may destroy what stands before it.
    refused.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, [0xff, 0, 1, 0x10]);
    server.stop();
}
