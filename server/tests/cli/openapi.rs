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
            let ask = |more: &str| {
                let more = format!("Content-Length: 0\r\n{more}");
                let stream = server.ask(&method, &address, &more);
                // Events never end.
                let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
                let status = lines.next().unwrap();
                status.split(' ').nth(1).unwrap().to_owned()
            };
            let described = operation["responses"].as_object().unwrap();
            let is_described =
                |status: &str| described.contains_key(status) || described.contains_key("default");
            let status = ask(&format!("Authorization: Bearer {integrator}\r\n"));
            assert_ne!(status, "405", "{method} {path}");
            assert!(is_described(&status), "{method} {path}: {status}");
            let is_open = operation["security"].is_null();
            assert_eq!(ask("") == "401", !is_open, "{method} {path}");
        }
    }
    server.stop();
}
