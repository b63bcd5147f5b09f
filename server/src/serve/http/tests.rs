//! What is served and what is described are the same.

use std::collections::BTreeSet;

use auricle_wire::Limits;
use auricle_wire::listen::ListenRequest;
use auricle_wire::stream::StreamRequest;
use axum::Router;
use axum::response::IntoResponse;
use serde_json::Value;

use super::groups;
use super::openapi::document;

fn description() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// Method, address and description of each.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.clone(), path.clone(), operation))
    });
    operations.collect()
}

#[test]
fn every_route_is_described_and_every_description_is_routed() {
    let router = groups().into_iter().fold(Router::new(), |router, group| {
        router.merge(group.into_router())
    });
    // The router's table, as it prints itself.
    let shown = format!("{router:?}");
    let texts = shown.split('"').filter(|text| text.starts_with('/'));
    let is_fallback = |text: &&str| *text == "/" || text.contains("__private__");
    let routed: BTreeSet<&str> = texts.filter(|text| !is_fallback(text)).collect();
    let document = description();
    let described = document["paths"].as_object().unwrap().keys();
    let described: BTreeSet<&str> = described.map(String::as_str).collect();
    assert_eq!(routed, described);
    assert!(routed.len() > 20, "{routed:?}");
    // Nor is there another way in.
    assert!(
        !include_str!("mod.rs").contains(".route("),
        "routes are added to groups"
    );
}

#[test]
fn descriptions_are_whole() {
    let document = description();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
        let is_told = |what: &str| {
            operation[what]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        };
        assert!(is_told("summary"), "{method} {path}");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{id}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let is_told = parameter["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(is_told, "{id}: {parameter}");
        }
        let placed = path.split('/').filter(|part| part.starts_with('{')).count();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let n_in_path = parameters
            .filter(|parameter| parameter["in"] == "path")
            .count();
        assert_eq!(n_in_path, placed, "{id}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        assert!(
            schema["description"].is_string(),
            "{name} has no description"
        );
    }
    // Whatever is referred to is there.
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}

#[test]
fn roles_are_those_of_the_doors() {
    let document = description();
    let role = |method: &str, path: &str| {
        let security = &document["paths"][path][method]["security"];
        security[0]["bearer"][0].as_str().map(str::to_owned)
    };
    let check = |method: &str, path: &str, expected: Option<&str>| {
        assert_eq!(role(method, path).as_deref(), expected, "{method} {path}");
    };
    check("get", "/api/v1/calls/{call_id}", Some("inspector"));
    check("put", "/api/v1/calls/{call_id}", Some("integrator"));
    check("get", "/api/v1/calls/{call_id}/capture", Some("support"));
    check("get", "/api/v1/live", Some("supervisor"));
    check("get", "/api/v1/ingest/lines", Some("supervisor"));
    check("post", "/api/v1/jobs/rescore", Some("supervisor"));
    check("get", "/api/v1/jobs/{id}", Some("inspector"));
    check("get", "/v1/listen", Some("integrator"));
    check("get", "/api/v1/openapi.json", None);
    check("get", "/healthz", None);
    check("get", "/api/v1/ingest/audiohook", None);
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    assert_eq!(schemes["query_key"]["name"], "key");
}

/// Their parsers are no descriptions that a document could be made of.
#[test]
fn parameters_of_audio_are_those_that_are_known() {
    let document = description();
    let names = |path: &str| -> Vec<String> {
        let parameters = document["paths"][path]["get"]["parameters"].as_array();
        let names = parameters.unwrap().iter();
        names
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let limits = Limits::default();
    let is_unknown = |ignored: &[auricle_wire::Ignored]| {
        ignored
            .iter()
            .any(|ignored| ignored.why == "it is not known here")
    };
    let check = |name: &str, ignored: Option<Vec<auricle_wire::Ignored>>| {
        assert!(!is_unknown(&ignored.unwrap_or_default()), "{name}");
    };
    for name in names("/api/v1/ingest/stream") {
        let request = StreamRequest::parse(&format!("{name}=1"), &limits);
        check(&name, request.ok().map(|request| request.ignored));
    }
    for name in names("/v1/listen") {
        let asked = match name.as_str() {
            "encoding" | "sample_rate" => String::new(),
            _ => format!("&{name}=1"),
        };
        let query = format!("encoding=linear16&sample_rate=8000{asked}");
        let request = ListenRequest::parse(&query, &limits);
        check(&name, request.ok().map(|request| request.ignored));
    }
    let nothing = StreamRequest::parse("nothing=1", &limits).unwrap();
    assert!(is_unknown(&nothing.ignored), "{:?}", nothing.ignored);
}

#[tokio::test]
async fn two_answers_are_made_at_a_time_and_keep_their_places_where_nobody_waits_for_them() {
    let (go, gone) = tokio::sync::watch::channel(false);
    let answer = || {
        let mut gone = gone.clone();
        super::apart(async move {
            let _ = gone.wait_for(|is_gone| *is_gone).await;
            Ok(axum::http::StatusCode::OK.into_response())
        })
    };
    for n_left in [1, 0, 0] {
        // Polled once, and dropped.
        let made = tokio::time::timeout(std::time::Duration::ZERO, answer()).await;
        assert!(made.is_err());
        assert_eq!(super::MAKING.available_permits(), n_left);
    }
    go.send_replace(true);
    answer().await.unwrap();
    let all = super::MAKING.acquire_many(2).await;
    assert!(all.is_ok());
}
