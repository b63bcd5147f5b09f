//! Webhooks of `auricle serve`, before receivers that take events, fail, or are not there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::bare::{checkout, desk_with_voice_activity};
use crate::server::{PATIENCE, Server};

const SECRET: &str = "a secret of the tests";

/// What came, whether it is signed, and what was answered.
struct Got {
    event: Value,
    is_right: bool,
    status: u16,
}

/// A receiver that fails `n_fails` times and then takes everything.
fn receive(listener: TcpListener, mut n_fails: usize) -> mpsc::Receiver<Got> {
    let (got, all) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let status = if n_fails > 0 { 503 } else { 204 };
            n_fails = n_fails.saturating_sub(1);
            if got.send(take(stream.unwrap(), status)).is_err() {
                return;
            }
        }
    });
    all
}

/// One request, and its answer.
fn take(stream: TcpStream, status: u16) -> Got {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => headers.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let values = headers.iter().filter_map(|line| line.split_once(": "));
        let mut values = values.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().unwrap().1.to_owned()
    };
    let mut body = vec![0; header("content-length").parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(header("auricle-timestamp").as_bytes());
    mac.update(b".");
    mac.update(&body);
    let digest = mac.finalize().into_bytes();
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let event: Value = serde_json::from_slice(&body).unwrap();
    let is_right = header("auricle-signature") == format!("v1={digits}")
        && header("auricle-event-id").parse().ok() == event["id"].as_u64();
    // 204 has no body, and does not say so.
    let length = if status == 204 {
        ""
    } else {
        "Content-Length: 0\r\n"
    };
    let answer = format!("HTTP/1.1 {status} x\r\nConnection: close\r\n{length}\r\n");
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    Got {
        event,
        is_right,
        status,
    }
}

fn webhook(name: &str, address: &str, more: &str) -> String {
    format!(
        "[[live.webhooks]]\nname = '{name}'\nurl = 'http://{address}/hook'\nsecret = '{SECRET}'\nfirst_retry_ms = 10\n{more}\n"
    )
}

#[test]
fn webhooks_get_each_event_once_and_a_dead_one_disturbs_nobody() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let crm = listener.local_addr().unwrap().to_string();
    // Taken and given back: nobody listens there, until somebody does.
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let (dead, late) = (free(), free());
    let config = [
        webhook("crm", &crm, ""),
        webhook("dead", &dead, "give_up_secs = 0\nevents = ['call_ended']"),
        webhook("late", &late, "events = ['call_started', 'call_ended']"),
    ];
    desk.put("auricle.toml", config.concat());
    let got = receive(listener, 2);
    let file = checkout().join("fixtures/audio/calls/fixture-01.wav");
    let args = ["--replay", file.to_str().unwrap(), "--speed", "8"];
    let server = Server::start(&desk, &models, &args);
    let events = server.events("after=0", "", "live-fixture-01");
    let wanted = |event: &&Value| event["type"] == "alert" || event["type"] == "call_ended";
    let wanted: Vec<&Value> = events.iter().filter(wanted).collect();
    let mut taken = Vec::new();
    let mut n_failed = 0;
    while taken.len() < wanted.len() {
        let got = got.recv_timeout(PATIENCE).unwrap();
        assert!(got.is_right, "{}", got.event);
        match got.status {
            503 => n_failed += 1,
            _ => taken.push(got.event),
        }
    }
    assert_eq!(taken.iter().collect::<Vec<_>>(), wanted);
    assert_eq!(n_failed, 2);

    // The dead one has a letter; a third waits.
    let ended = events.last().unwrap();
    let id = &ended["id"];
    let letters = loop {
        let letters = server.json("/api/v1/webhooks/dead/dead");
        if letters["dead"] != json!([]) {
            break letters;
        }
    };
    assert_eq!(letters["dead"][0]["event"], *ended);
    assert_eq!(letters["dead"][0]["event_id"], *id);
    let states = server.json("/api/v1/webhooks");
    let state = |name: &str| {
        let states = states["webhooks"].as_array().unwrap().iter();
        states
            .clone()
            .find(|state| state["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&state("crm")["state"], &state("crm")["failed"]),
        (&json!("working"), &json!(2))
    );
    assert_eq!(
        (&state("dead")["state"], &state("dead")["dead"]),
        (&json!("failing"), &json!(1))
    );
    assert_eq!(
        (&state("late")["waiting"], &state("late")["site"]),
        (&json!(2), &json!(format!("http://{late}")))
    );
    assert!(!states.to_string().contains(SECRET));
    let (_, metrics) = server.get("/metrics");
    for line in [
        format!(
            "auricle_webhook_delivered_total{{webhook=\"crm\"}} {}",
            wanted.len()
        ),
        "auricle_webhook_failed_total{webhook=\"crm\"} 2".to_owned(),
        "auricle_webhook_dead{webhook=\"dead\"} 1".to_owned(),
        "auricle_webhook_waiting{webhook=\"late\"} 2".to_owned(),
    ] {
        assert!(metrics.contains(&format!("{line}\n")), "{line}\n{metrics}");
    }

    // Asked for again, where somebody listens by now.
    let got = receive(TcpListener::bind(&dead).unwrap(), 0);
    let retry = format!("/api/v1/webhooks/dead/dead/{id}/retry");
    let (status, body) = server.post(&retry, "", "");
    assert_eq!(status, 200, "{body}");
    assert_eq!(got.recv_timeout(PATIENCE).unwrap().event, *ended);
    assert_eq!(server.post(&retry, "", "").0, 404);
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(SECRET), "{said}");

    // What waits goes out by the next run.
    let got = receive(TcpListener::bind(&late).unwrap(), 0);
    let server = Server::start(&desk, &models, &[]);
    for expected in [&events[0], ended] {
        let got = got.recv_timeout(PATIENCE).unwrap();
        assert!(got.is_right);
        assert_eq!(got.event, *expected);
    }
    server.stop();
}
