//! What readers of YAML, JSON and TOML say, in words for people who write such files.

use crate::rules::nearest;

/// Reads `unknown field `a`, expected one of `b`, `c`` and its like; what is not known stays as it is.
pub fn plainly(said: &str) -> String {
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
