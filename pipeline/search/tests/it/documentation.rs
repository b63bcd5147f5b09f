//! What `docs/query-language.md` says is so.

use std::collections::BTreeMap;
use std::path::Path;

use auricle_search::{SearchRequest, parse};

use crate::assessed::{assessment, milliseconds};
use crate::common::{TestIndex, call, index_of_assessed};

fn documentation() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/query-language.md");
    std::fs::read_to_string(path).unwrap()
}

/// The rows of the table whose heading begins so, each with its cells.
fn table<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let start = text.find(heading).unwrap();
    let rows = text[start..].lines().skip(2);
    let rows = rows.take_while(|row| row.starts_with('|'));
    let cells = |row: &'a str| {
        let row = row.trim().strip_prefix('|').unwrap();
        let row = row.strip_suffix('|').unwrap();
        row.split('|').map(str::trim).collect()
    };
    rows.map(cells).collect()
}

/// What stands between backquotes.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_query_can_be_read() {
    let text = documentation();
    let mut queries = Vec::new();
    for row in table(&text, "| write |") {
        queries.extend(code(row[0]));
    }
    for row in table(&text, "| query |") {
        queries.extend(code(row[0]));
    }
    // Elsewhere whatever has a field and a value.
    let prose = text.lines().filter(|line| !line.starts_with('|'));
    let prose: Vec<&str> = prose.flat_map(code).collect();
    let has_value = |part: &&str| {
        part.split_once(':')
            .is_some_and(|(_, value)| !value.is_empty())
    };
    queries.extend(
        prose
            .into_iter()
            .filter(|part| has_value(part) && *part != "name:value"),
    );
    assert!(queries.len() > 60, "{queries:?}");
    for query in queries {
        if let Err(error) = parse(query) {
            panic!("{error}");
        }
    }
}

/// The example's calls, from the rows `call/number | party | said | found`; the call's own row comes first.
fn example(text: &str) -> TestIndex {
    let mut calls: BTreeMap<&str, (&str, Vec<String>, Vec<&str>)> = BTreeMap::new();
    for row in table(text, "| utterance | party |") {
        let name = code(row[0])[0];
        match name.split_once('/') {
            None => {
                calls.insert(name, (row[3], Vec::new(), Vec::new()));
            }
            Some((call, _)) => {
                let (_, lines, found) = calls.get_mut(call).unwrap();
                lines.push(format!("{} {}", &row[1][..1], row[2]));
                found.push(row[3]);
            }
        }
    }
    let calls = calls.into_iter().map(|(name, (of_call, lines, found))| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        (call(name, &lines), assessment(of_call, &found))
    });
    index_of_assessed(&calls.collect::<Vec<_>>())
}

#[test]
fn every_query_of_the_example_finds_what_it_says() {
    let text = documentation();
    let index = example(&text);
    let rows = table(&text, "| query | finds |");
    assert!(rows.len() > 20);
    for row in rows {
        let query = code(row[0])[0];
        let results = index.index.reader().search(&SearchRequest {
            hits_per_call: 100,
            ..SearchRequest::new(query)
        });
        let mut found = Vec::new();
        for call in results.unwrap().calls {
            let id = &call.call_id;
            let hits = call.hits.iter();
            found.extend(hits.map(|hit| format!("{id}/{}", hit.utterance)));
            let moments = call.moments.iter();
            found.extend(moments.map(|moment| format!("{id}@{}", moment.start_ms)));
        }
        found.sort();
        let expected = code(row[1]).join(" ");
        let mut expected: Vec<String> = expected
            .split_whitespace()
            .map(|place| match place.split_once('@') {
                Some((call, time)) => format!("{call}@{}", milliseconds(time)),
                None => place.to_owned(),
            })
            .collect();
        expected.sort();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn every_mistake_is_shown_as_it_says() {
    let text = documentation();
    let shown = text.split("```text\n").skip(1);
    let shown: Vec<&str> = shown
        .map(|block| block.split("\n```").next().unwrap())
        .collect();
    assert!(shown.len() >= 2);
    for message in shown {
        let query = message.lines().nth(1).unwrap().trim();
        assert_eq!(parse(query).unwrap_err().to_string(), message);
    }
}
