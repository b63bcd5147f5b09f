//! What readers of JSON, TOML and tables say, in words for people who write such files.

use auricle_insight::rules::nearest;

/// Reads `unknown field `a`, expected one of `b`, `c`` and its like.
pub(crate) fn plainly(said: &str) -> String {
    let said = said.trim();
    if let Some(rest) = said.strip_prefix("invalid type: ") {
        return wanted(rest, "");
    }
    if let Some(rest) = said.strip_prefix("invalid value: ") {
        return wanted(rest, "");
    }
    if let Some(rest) = said.strip_prefix("invalid length ") {
        return wanted(rest, "a list of ");
    }
    for (before, is, are) in [
        ("unknown field ", "unknown key", "keys are"),
        ("unknown variant ", "unknown value", "values are"),
    ] {
        if let Some(rest) = said.strip_prefix(before) {
            return unknown(rest, is, are);
        }
    }
    if let Some(name) = said.strip_prefix("missing field ") {
        return format!("{name} is missing");
    }
    if let Some(name) = said.strip_prefix("duplicate field ") {
        return format!("{name} is there twice");
    }
    if said.starts_with("EOF while parsing") {
        return "the text ends in the middle".to_owned();
    }
    match said {
        "expected value" | "expected ident" => "a value is missing here".to_owned(),
        "trailing characters" => "something follows behind the end".to_owned(),
        _ => said.to_owned(),
    }
}

/// The same of a JSON reader, with the place.
pub(crate) fn json_plainly(cause: &serde_json::Error) -> String {
    let said = cause.to_string();
    let (line, column) = (cause.line(), cause.column());
    if said.starts_with("expected ") && (line, column) == (1, 1) {
        return "this is no JSON".to_owned();
    }
    let place = format!(" at line {line} column {column}");
    match said.strip_suffix(&place) {
        Some(said) if line > 0 => format!("{} (line {line}, column {column})", plainly(said)),
        _ => plainly(&said),
    }
}

/// The same of a TOML reader, with the place and the line.
pub(crate) fn toml_plainly(cause: &toml::de::Error) -> String {
    let shown = cause.to_string();
    let said = plainly(cause.message());
    let mut lines = shown.lines();
    let place = lines
        .next()
        .and_then(|line| line.strip_prefix("TOML parse error at "));
    let Some(place) = place else { return said };
    let mut told = format!("{place}: {said}");
    for line in lines.take(3) {
        told.push('\n');
        told.push_str(line);
    }
    told
}

/// `integer `8`, expected a string`
fn wanted(rest: &str, before: &str) -> String {
    match rest.rsplit_once(", expected ") {
        Some((got, wanted)) => format!("expected {}, got {before}{}", kind(wanted), value(got)),
        None => format!("got {before}{}", value(rest)),
    }
}

/// What a reader wants, by the names of its types.
fn kind(wanted: &str) -> String {
    let name = wanted
        .strip_prefix("a ")
        .or_else(|| wanted.strip_prefix("an "));
    let known = match name.unwrap_or(wanted) {
        "sequence" => "a list",
        "map" => "keys with values",
        "string" | "borrowed string" | "path string" => "text",
        "boolean" | "bool" => "`true` or `false`",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        name if name.starts_with("struct ") => "keys with values",
        _ => return wanted.to_owned(),
    };
    known.to_owned()
}

/// What a reader got.
fn value(got: &str) -> String {
    for kind in ["string ", "integer ", "floating point ", "boolean "] {
        if let Some(value) = got.strip_prefix(kind) {
            return value.to_owned();
        }
    }
    match got {
        "sequence" => "a list",
        "map" => "keys with values",
        "null" | "unit value" => "nothing",
        got => got,
    }
    .to_owned()
}

/// ``a`, expected one of `b`, `c``
fn unknown(rest: &str, is: &str, are: &str) -> String {
    let Some((name, known)) = rest.split_once(", expected ") else {
        return format!("{is} {}", rest.split(',').next().unwrap_or(rest));
    };
    let known = known.strip_prefix("one of ").unwrap_or(known);
    let bare = |name: &str| name.trim_matches('`').to_owned();
    let names: Vec<String> = known
        .split(", ")
        .flat_map(|name| name.split(" or "))
        .map(bare)
        .collect();
    match nearest(&bare(name), names.iter().map(String::as_str)) {
        Some(near) => format!("{is} {name}; did you mean `{near}`? {are} {known}"),
        None => format!("{is} {name}; {are} {known}"),
    }
}

#[cfg(test)]
mod tests {
    use auricle_contracts::Transcript;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its mistakes are wanted")]
    struct Settings {
        packs: Vec<String>,
        jobs: Option<usize>,
        share: Option<f32>,
        name: Option<std::path::PathBuf>,
        is_on: Option<bool>,
        more: Option<Vec<Settings>>,
    }

    /// Words of libraries that nobody should be shown.
    const FOREIGN: [&str; 12] = [
        "invalid", "sequence", "map", "struct", "variant", "field", "u64", "usize", "f32", "EOF",
        "parse", "TOML",
    ];

    fn check(said: &str, expected: &str) {
        assert!(said.contains(expected), "{said}");
        for word in FOREIGN {
            assert!(!said.contains(word), "{said}");
        }
    }

    #[test]
    fn mistakes_in_settings_are_told_in_words_of_their_own() {
        for (text, expected) in [
            (
                "packs = 'a'",
                "line 1, column 9: expected a list, got \"a\"",
            ),
            (
                "packs = []\njobs = -1",
                "expected a whole number, 0 or more, got `-1`",
            ),
            ("packs = []\nname = ['a']", "expected text, got a list"),
            ("packs = []\nshare = 'a'", "expected a number, got \"a\""),
            (
                "packs = []\nis_on = 1",
                "expected `true` or `false`, got `1`",
            ),
            (
                "packs = []\nmore = {}",
                "expected a list, got keys with values",
            ),
            (
                "job = 1",
                "unknown key `job`; did you mean `jobs`? keys are `packs`, `jobs`",
            ),
            ("jobs = 1", "`packs` is missing"),
        ] {
            let error = toml::from_str::<Settings>(text).unwrap_err();
            check(&toml_plainly(&error), expected);
        }
    }

    #[test]
    fn mistakes_in_transcripts_are_told_in_words_of_their_own() {
        let head = r#"{"call_id": "a", "file": "a", "engine": "e", "duration_ms": "#;
        for (text, expected) in [
            ("{}", "`call_id` is missing"),
            ("[]", "expected keys with values, got a list of 0"),
            (
                "{\"call_id\": 3}",
                "expected text, got `3` (line 1, column 13)",
            ),
            ("RIFF", "this is no JSON"),
            (
                "{\"call_id\": }",
                "a value is missing here (line 1, column 13)",
            ),
            ("", "the text ends in the middle"),
            (
                &format!("{head}\"x\""),
                "a whole number, 0 or more, got \"x\"",
            ),
            (
                &format!("{head}1, \"utterances\": {{}}}}"),
                "expected a list, got keys with values",
            ),
            (
                &format!("{head}1, \"layout\": \"per-party\"}}"),
                "unknown value `per-party`; did you mean `per_party`?",
            ),
        ] {
            let error = serde_json::from_str::<Transcript>(text).unwrap_err();
            check(&json_plainly(&error), expected);
        }
    }
}
