//! AudioSocket: two connections of Asterisk are one call, and what is refused while it goes on.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::bare::desk_with_voice_activity;
use crate::server::{PATIENCE, Server, analysed, channels, frame, n_said, said_by, speak};

const CALL: &str = "07070707-0707-0707-0707-070707070707";
const ID: [u8; 16] = [7; 16];

#[test]
fn two_connections_of_asterisk_are_one_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put(
        "auricle.toml",
        "[live.audiosocket]\nlisten = '127.0.0.1:0'\n",
    );
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
    desk.put(
        "auricle.toml",
        "[live.audiosocket]\nlisten = '127.0.0.1:0'\nmost_connections = 3\n",
    );
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
    desk.put(
        "auricle.toml",
        "[live.audiosocket]\nlisten = '127.0.0.1:0'\nconnections = 1\n",
    );
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
