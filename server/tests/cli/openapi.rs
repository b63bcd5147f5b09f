//! The OpenAPI document: whoever makes a client of it gets answers.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;

use crate::bare::desk_with_voice_activity;
use crate::desk::Desk;
use crate::server::{Server, key, python};

fn printed(desk: &Desk) -> Value {
    serde_json::from_str(&desk.ok(&["openapi"])).unwrap()
}

#[test]
fn an_independent_validator_takes_the_document() {
    let Some(mut python) = python("openapi_spec_validator") else {
        return;
    };
    let document = printed(&Desk::new());
    let script = "import json, sys; from openapi_spec_validator import OpenAPIV31SpecValidator as V; V(json.load(sys.stdin)).validate()";
    let mut python = python
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(document.to_string().as_bytes()).unwrap();
    drop(stdin);
    let ran = python.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
}

#[test]
fn what_the_document_describes_is_answered() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let integrator = key(&desk, "integrator");
    let server = Server::start(&desk, &models, &[]);
    // Without a key.
    let document = server.json("/api/v1/openapi.json");
    assert_eq!(document, printed(&desk));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            // One that is there for nobody.
            let pieces = path.split('{').enumerate();
            let filled = pieces.map(|(place, piece)| match place {
                0 => piece.to_owned(),
                _ => format!("1{}", piece.split_once('}').unwrap().1),
            });
            let address: String = filled.collect();
            // Status and kind of the answer; nothing is made of bodies but of those that are described.
            let ask = |more: &str, body: &str| {
                let length = body.len();
                let more = format!("Content-Length: {length}\r\n{more}");
                let mut stream = server.ask(&method, &address, &more);
                stream.write_all(body.as_bytes()).unwrap();
                // Events never end.
                let lines = BufReader::new(stream).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let status = head[0].split(' ').nth(1).unwrap().to_owned();
                let kind = head
                    .iter()
                    .find_map(|line| line.strip_prefix("content-type: "));
                (status, kind.unwrap().to_owned())
            };
            let body = match operation["requestBody"].is_null() {
                true => "",
                false => "{}",
            };
            let json = "Content-Type: application/json\r\n";
            let with_key = format!("Authorization: Bearer {integrator}\r\n{json}");
            let (status, kind) = ask(&with_key, body);
            // By itself: `default` would be anything.
            let described = &operation["responses"][&status]["content"];
            let described = described.as_object().into_iter().flatten();
            let is_described = described.map(|(kind, _)| kind).any(|described| {
                kind.strip_prefix(described.as_str())
                    .is_some_and(|more| more.is_empty() || more.starts_with(';'))
            });
            assert!(is_described, "{method} {path}: {status}, {kind}");
            let is_open = operation["security"].is_null();
            let (status, _) = ask("", "");
            assert_eq!(status == "401", !is_open, "{method} {path}");
            // What the connection itself may answer.
            let has = |status: &str| operation["responses"][status].is_object();
            assert!(has("503"), "{method} {path}");
            assert_eq!(has("408"), !body.is_empty(), "{method} {path}");
        }
    }
    server.stop();
}
